"""Prompts -> training data (clips.py): text embeddings, and latents of videos that the teacher makes or of given ones.

The paper trains on 500 thousand prompts and on videos that the 14B made of them, also for the 1.3B. Every rank takes
every n-th prompt; what is there already is not made again, so the stage can be stopped and started at will.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
from diffusers import UniPCMultistepScheduler
from torch import Tensor

from distill.config import BaseConfig, UserError
from distill.distributed import DTYPES, environment, setup
from distill.models.dit import guided
from distill.wan.clips import noise_for, padded, write_clip
from distill.wan.media import NEGATIVE_PROMPT, TextEncoder, VideoAutoencoder, read_prompts, read_video
from distill.wan.model import WanConditions, WanDiT, halve
from distill.wan.weights import Published


@dataclass
class Config(BaseConfig):
    name: str = "wan-data"
    weights: str = "Wan-AI/Wan2.1-T2V-14B-Diffusers"  # what makes the videos; its text encoder and autoencoder are used
    data: str = "data/wan"
    prompts: str = ""  # one a line
    videos: str = ""  # a folder with 000000.mp4, ... for the prompts in order; empty: the teacher makes them
    latent: list[int] = field(default_factory=lambda: [21, 60, 104])
    steps: int = 50
    guidance: float = 5.0
    flow_shift: float = 3.0  # of the teacher's sampler; diffusers' advice for 480p
    dtype: str = "bfloat16"


@torch.no_grad()
def load_teacher(published: Published, latent: list[int], device, dtype: torch.dtype) -> WanDiT:
    """Whole, frozen, on one device: matrices in `dtype`, time and modulation in float32."""
    with torch.device("meta"):
        network = halve(WanDiT(published.shape(tuple(latent))), dtype)  # before it takes memory
    network.to_empty(device=device)
    network.materialise_buffers()
    published.fill(network.transformer)
    return network.eval().requires_grad_(False)


@torch.no_grad()
def sample_teacher(teacher: WanDiT, noise: Tensor, conditions: WanConditions, config: Config) -> Tensor:
    """x1 [B,T,C] -> x [B,T,C] by UniPC, guided."""
    scheduler = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=config.flow_shift
    )
    scheduler.set_timesteps(config.steps, device=noise.device)
    x = noise
    for timestep in scheduler.timesteps:
        t = (timestep.double() / 1000).expand(len(x))
        x = scheduler.step(guided(teacher, x, t, conditions, config.guidance), timestep, x, return_dict=False)[0]
    return x


def run(config: Config) -> None:
    device, dtype = setup(config), DTYPES[config.dtype]
    rank, world = environment("RANK", 0), environment("WORLD_SIZE", 1)
    prompts, folder = read_prompts(config.prompts), Path(config.data)
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    published = Published(config.weights)
    shape = published.shape(tuple(config.latent))
    encoder = TextEncoder(config.weights, device, dtype, shape.words)
    negative = encoder(NEGATIVE_PROMPT)
    if rank == 0:
        write_clip(folder / "negative.safetensors", {"text": negative.bfloat16()})
    autoencoder = VideoAutoencoder(config.weights, device) if config.videos else None
    teacher = None if config.videos else load_teacher(published, config.latent, device, dtype)
    for number in range(rank, len(prompts), world):
        path = folder / "clips" / f"{number:06d}.safetensors"
        if path.is_file():
            continue
        text = encoder(prompts[number])
        made = {"text": text.bfloat16()}
        if autoencoder is not None:
            latent = autoencoder.encode(read_video(Path(config.videos) / f"{number:06d}.mp4"))
            if tuple(latent.shape[1:]) != tuple(config.latent):
                raise UserError(
                    f"video {number} of {config.videos} has a latent of {list(latent.shape[1:])}, not {config.latent}"
                )
        else:
            conditions = WanConditions(*(padded(t, shape.words).to(device) for t in (text, negative)))
            conditions.text = conditions.text[None]
            with torch.autocast(device.type, dtype, enabled=dtype is not torch.float32):
                x = sample_teacher(teacher, noise_for(shape, config.seed, number)[:, 0].to(device), conditions, config)
            latent = teacher.to_latent(x)[0]
            made["seed"] = torch.tensor([config.seed])
        write_clip(path, made | {"latent": latent.bfloat16()})
        print(f"[wan-data] {number + 1} of {len(prompts)}", flush=True)
