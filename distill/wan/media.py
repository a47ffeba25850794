"""Words and pictures of Wan: the text encoder (UMT5), the video autoencoder (AutoencoderKLWan), MP4 files."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import av
import numpy as np
import torch
from diffusers import AutoencoderKLWan
from diffusers.pipelines.wan.pipeline_wan import prompt_clean
from safetensors import SafetensorError
from torch import Tensor
from transformers import AutoTokenizer, UMT5EncoderModel

from distill.config import UserError
from distill.distributed import environment
from distill.wan.weights import resolve

FRAMES_PER_SECOND = 16  # of Wan2.1
UNREADABLE = (OSError, ValueError, RuntimeError, SafetensorError)  # of weights: missing, cut short, of other shapes

# Wan2.1's own (sample_neg_prompt in its configurations): over-exposed, static, blurred, subtitles, bad hands, ...
NEGATIVE_PROMPT = (
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，JPEG压缩残留，丑陋的，"
    "残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，手指融合，静止不动的画面，"
    "杂乱的背景，三条腿，背景人很多，倒着走"
)


def unreadable(what: str, folder: Path, error: Exception) -> UserError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return UserError(f"the {what} in {folder} is not readable ({reason}); a file may be cut short: download it again")


class TextEncoder:
    """Prompts -> what the transformer is conditioned on."""

    def __init__(self, weights: str, device, dtype: torch.dtype, words: int = 512):
        folder = resolve(weights, ("text_encoder", "tokenizer"))
        self.words, self.device = words, device
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer")
            self.model = UMT5EncoderModel.from_pretrained(folder / "text_encoder", dtype=dtype)
        except UNREADABLE as error:
            raise unreadable("text encoder", folder, error) from error
        self.model.to(device).eval()

    @torch.no_grad()
    def __call__(self, prompt: str) -> Tensor:
        """[words of the prompt, 4096]; the transformer gets zeros behind."""
        tokens = self.tokenizer(
            [prompt_clean(prompt)],
            padding="max_length",
            max_length=self.words,
            truncation=True,
            add_special_tokens=True,
            return_attention_mask=True,
            return_tensors="pt",
        ).to(self.device)
        out = self.model(tokens.input_ids, tokens.attention_mask).last_hidden_state
        return out[0, : int(tokens.attention_mask.sum())]


class VideoAutoencoder:
    """Videos <-> latents of unit size per channel, frame count 4n+1 <-> n+1, both sides 8 to 1."""

    def __init__(self, weights: str, device, dtype: torch.dtype = torch.float32):
        folder = resolve(weights, ("vae",))
        try:
            self.model = AutoencoderKLWan.from_pretrained(folder / "vae", torch_dtype=dtype)
        except UNREADABLE as error:
            raise unreadable("autoencoder", folder, error) from error
        self.model.to(device).eval()
        config = self.model.config
        shape = (1, config.z_dim, 1, 1, 1)
        self.mean = torch.tensor(config.latents_mean, device=device, dtype=torch.float32).reshape(shape)
        self.std = torch.tensor(config.latents_std, device=device, dtype=torch.float32).reshape(shape)

    @torch.no_grad()
    def decode(self, latent: Tensor) -> np.ndarray:
        """[16,frames,rows,columns] -> uint8 [4 frames - 3, 8 rows, 8 columns, 3]"""
        video = self.model.decode((latent[None].float() * self.std + self.mean).to(self.model.dtype)).sample[0]
        return ((video.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 3, 0).cpu().numpy()

    @torch.no_grad()
    def encode(self, video: np.ndarray) -> Tensor:
        """uint8 [4n+1,height,width,3] -> [16,n+1,height/8,width/8], the mean of the posterior"""
        x = torch.from_numpy(video).to(self.mean.device).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        latent = self.model.encode(x.to(self.model.dtype)).latent_dist.mode()
        return ((latent.float() - self.mean) / self.std)[0]


def write_video(path: Path, frames: np.ndarray, rate: int = FRAMES_PER_SECOND) -> None:
    """uint8 [frames,height,width,3] -> H.264 in MP4, atomically. Raises UserError where it cannot be written."""
    # Prompts make long names: the temporary one is short. Ranks of several machines may share the folder.
    writer = f"{environment('RANK', 0)}-{socket.gethostname()[:64]}-{os.getpid()}"
    temporary = path.with_name(f".{writer}.part")
    try:
        with av.open(str(temporary), "w", format="mp4") as file:
            stream = file.add_stream("libx264", rate=rate, options={"crf": "17", "preset": "medium"})
            stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], "yuv420p"
            for picture in frames:
                file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            file.mux(stream.encode())
        os.replace(temporary, path)
    except (OSError, av.FFmpegError) as error:
        temporary.unlink(missing_ok=True)
        raise UserError(f"{path} could not be written ({error}). Is the disk full?") from error


def read_video(path: Path) -> np.ndarray:
    """uint8 [frames,height,width,3]"""
    try:
        with av.open(str(path)) as file:
            return np.stack([picture.to_ndarray(format="rgb24") for picture in file.decode(video=0)])
    except (OSError, ValueError, av.FFmpegError) as error:
        raise UserError(f"{path} is not a readable video ({error})") from error


def read_prompts(path: str) -> list[str]:
    """One prompt a line; empty lines do not count."""
    try:
        lines = [line.strip() for line in Path(path).read_text().splitlines()]
    except OSError as error:
        raise UserError(f"the prompt list {path or '(prompts=FILE)'} is not readable ({error})") from error
    prompts = [line for line in lines if line]
    if not prompts:
        raise UserError(f"{path} holds no prompts")
    return prompts
