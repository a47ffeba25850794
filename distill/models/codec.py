"""The f16 codec: one 96x160 frame <-> 60 tokens of 48 channels, deterministic. `load_codec` loads either codec; the
linear one is in patch_codec.py.

- The encoder is the closed-form PCA of 16x16 patches and stays it: latents are known in seconds and never change, so
  the dynamics train at once and a better decoder drops in at any time.
- The decoder starts at the transpose. Convolutions with zero-initialised outputs learn what is left, and see across
  tokens so that no block edge shows.
- The latent leaves the encoder normalised per channel (a batch norm without affine part). In training it gets noise in
  proportion to each channel's change from tick to tick, where the student errs: the decoder learns to forgive that.
  (The same noise in every channel drowns the few that carry the mean colour, which hardly change.)
- The decoder uses Conv, SiLU and PixelShuffle only: all run on the WebGPU execution provider.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.checkpoints import load_checkpoint
from distill.models.patch_codec import PatchCodec

HEIGHT, WIDTH, PATCH = 96, 160, 16


class Block(nn.Module):
    """x + 1x1(SiLU(3x3(x))); the last layer starts at zero."""

    def __init__(self, width: int):
        super().__init__()
        self.spatial = nn.Conv2d(width, width, 3, padding=1)
        self.mix = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mix(F.silu(self.spatial(x)))


class Encoder(nn.Module):
    """frame [B,3,96,160] in 0..1 -> unnormalised latent [B,C,6,10]"""

    def __init__(self, channels: int):
        super().__init__()
        self.linear = nn.Conv2d(3 * PATCH**2, channels, 1)

    def forward(self, frame: Tensor) -> Tensor:
        return self.linear(F.pixel_unshuffle(F.pixel_unshuffle(frame, 4), 4))


class Decoder(nn.Module):
    """normalised latent [B,C,6,10] -> frame [B,3,96,160], about 0..1"""

    def __init__(self, channels: int, widths: list[int], blocks: list[int]):
        super().__init__()
        a, b, c = widths
        self.linear = nn.Conv2d(channels, 3 * PATCH**2, 1)
        self.enter = nn.Conv2d(channels, a, 3, padding=1)
        self.sixteenth = nn.Sequential(*(Block(a) for _ in range(blocks[0])))
        self.to_eighth = nn.Conv2d(a, 4 * b, 1)
        self.eighth = nn.Sequential(*(Block(b) for _ in range(blocks[1])))
        self.to_quarter = nn.Conv2d(b, 4 * c, 1)
        self.see = nn.Conv2d(48, c, 1)  # the refinement sees the linear picture, block edges and all
        self.quarter = nn.Sequential(*(Block(c) for _ in range(blocks[2])))
        self.out = nn.Conv2d(c, 48, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, latent: Tensor) -> Tensor:
        linear = F.pixel_shuffle(self.linear(latent), 4)
        x = self.sixteenth(self.enter(latent))
        x = self.eighth(F.pixel_shuffle(self.to_eighth(F.silu(x)), 2))
        x = self.quarter(F.pixel_shuffle(self.to_quarter(F.silu(x)), 2) + self.see(4 * linear - 2))
        return F.pixel_shuffle(linear + self.out(F.silu(x)), 4)


class Codec(nn.Module):
    """Encoder, normalisation, decoder. `encode` and `decode` speak the tokens of the contract: [B,T,C], row-major."""

    def __init__(self, channels: int, decoder_widths: list[int], decoder_blocks: list[int]):
        super().__init__()
        self.channels, self.tokens = channels, (HEIGHT // PATCH) * (WIDTH // PATCH)
        self.encoder = Encoder(channels)
        self.norm = nn.BatchNorm2d(channels, eps=1e-6, momentum=0.02, affine=False)
        self.decoder = Decoder(channels, decoder_widths, decoder_blocks)
        self.decoder.register_buffer("change", torch.zeros(1, channels, 1, 1))  # rms per channel, from tick to tick
        for module in self.modules():  # without norms, torch's default lets the signal fade from layer to layer
            if isinstance(module, nn.Conv2d) and module.weight.any():
                nn.init.normal_(module.weight, std=1.6 / math.sqrt(module.weight[0].numel()))
                nn.init.zeros_(module.bias)

    def latent(self, frame: Tensor) -> Tensor:
        """[B,3,96,160] in 0..1 -> normalised [B,C,6,10]"""
        return self.norm(self.encoder(frame))

    def encode(self, frame: Tensor) -> Tensor:
        """[B,3,96,160] in 0..1 -> normalised [B,T,C]"""
        return self.latent(frame).flatten(2).transpose(1, 2)

    def decode(self, latent: Tensor) -> Tensor:
        """normalised [B,T,C] -> [B,3,96,160] clamped to 0..1; tokens beyond the picture's are ignored"""
        return self.decoder(self.grid(latent)).clamp(0, 1)

    def grid(self, latent: Tensor) -> Tensor:
        """Tokens [B,T,C] -> [B,C,6,10], those beyond the picture's left out"""
        tokens = latent[:, : self.tokens].transpose(1, 2)
        return tokens.reshape(-1, self.channels, HEIGHT // PATCH, WIDTH // PATCH)

    def forward(self, frame: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Training: frames and noise sizes [B,C,1,1] -> (reconstruction, clean latent [B,C,6,10])"""
        latent = self.latent(frame)
        return self.decoder(latent + noise * torch.randn_like(latent)), latent

    @torch.no_grad()
    def start_at_pca(self, frames: np.ndarray) -> None:
        """Sets the linear layers to the closed-form PCA of the frames' patches. frames: uint8 [N,96,160,3]"""
        count, total = 0, None
        second = torch.zeros(3 * PATCH**2, 3 * PATCH**2, dtype=torch.float64)
        for start in range(0, len(frames), 250):
            patches = to_patches(to_input(frames[start : start + 250]))
            count += len(patches)
            total = patches.sum(0).double() + (0 if total is None else total)
            second += (patches.T @ patches).double()
        mean = total / count
        values, vectors = torch.linalg.eigh(second / count - mean[:, None] * mean)
        basis = vectors[:, -self.channels :].flip(1).float()  # [768,C], the strongest first
        deviation = values[-self.channels :].flip(0).clamp(min=1e-8).sqrt().float()
        mean = mean.float()
        self.encoder.linear.weight.copy_((basis / deviation).T[..., None, None])
        self.encoder.linear.bias.copy_(-(mean @ basis) / deviation)
        self.decoder.linear.weight.copy_((basis * deviation)[..., None, None])
        self.decoder.linear.bias.copy_(mean)
        self.norm.reset_running_stats()

    def train(self, mode: bool = True) -> Codec:
        """The encoder is fixed and keeps its exact statistics also in training."""
        super().train(mode)
        self.norm.eval()
        self.encoder.requires_grad_(False)
        return self

    @torch.no_grad()
    def calibrate(self, frames: np.ndarray, batch: int = 100) -> None:
        """Sets the normalisation to the exact statistics over `frames` (uint8 [N,96,160,3])."""
        device = self.norm.running_mean.device
        moments = torch.zeros(2, self.channels, dtype=torch.float64)
        for start in range(0, len(frames), batch):
            raw = self.encoder(to_input(frames[start : start + batch], device)).double().cpu()
            moments += torch.stack([raw.sum((0, 2, 3)), raw.square().sum((0, 2, 3))])
        mean, square = moments / (len(frames) * self.tokens)
        self.norm.running_mean.copy_(mean)
        self.norm.running_var.copy_(square - mean**2)


def to_input(frames: np.ndarray, device="cpu") -> Tensor:
    """uint8 [N,H,W,3] -> float [N,3,H,W] in 0..1, channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(frames)).to(device).permute(0, 3, 1, 2).float().div_(255)


def to_frames(output: Tensor) -> np.ndarray:
    """float [N,3,H,W] -> uint8 [N,H,W,3]"""
    return (output.clamp(0, 1) * 255 + 0.5).byte().permute(0, 2, 3, 1).cpu().numpy()


def to_patches(frame: Tensor) -> Tensor:
    """[N,3,H,W] -> [N*T, 768] in the order of the codec's linear layers."""
    patches = F.pixel_unshuffle(F.pixel_unshuffle(frame, 4), 4)
    return patches.permute(0, 2, 3, 1).reshape(-1, 3 * PATCH**2)


def gains(codec: Codec) -> Tensor:
    """[C], how far a unit of each channel moves the picture: the size of its column in the linear decoder."""
    return codec.decoder.linear.weight.square().sum((0, 2, 3)).sqrt()


def load_codec(path: str | Path, device="cpu") -> Codec:
    """The averaged weights of a checkpoint, calibrated, ready to encode and decode. Raises UserError."""
    saved = load_checkpoint(path, "codec")
    kind = PatchCodec if "patch" in saved["architecture"] else Codec
    codec = kind(**saved["architecture"])
    codec.load_state_dict(saved["state"]["ema"]["model"])
    return codec.to(device).eval().requires_grad_(False).to(memory_format=torch.channels_last)
