"""The codec: one frame <-> a grid of tokens, by the closed-form PCA of its patches. The drive: 96x160 pixels, 24x40
tokens of 12 channels, patches of 4x4.

- Linear both ways: known in seconds, nothing to train, and a decoder that costs next to nothing in a tick.
- A patch alone shows its edges in plain skies. So the decoder may have a *detail* beside the linear picture: two
  convolutions that see the patches around (methods/decoder.py trains them). The encoder stays, so do all latents.
- Where frames have mirror images (the drive's), fitted on both together, so that each basis patch is either even or
  odd: the latent of a mirrored frame is the frame's own with its columns turned round and the odd channels' sign
  changed (`mirror`).
- Whitened: every channel has unit variance over the recordings.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.config import UserError

HEIGHT, WIDTH = 96, 160
UNSEEN = 2e-3  # a deviation in 0..1 that is half a step of 255


class PatchDecoder(nn.Module):
    """normalised latent [B,C,rows,columns] -> frame [B,3,H,W], about 0..1. `detail`: channels between its two
    convolutions, 0 for none; it begins as nothing."""

    def __init__(self, channels: int, patch: int, detail: int = 0):
        super().__init__()
        self.patch = patch
        self.linear = nn.Conv2d(channels, 3 * patch**2, 1)
        self.detail = None
        if detail:
            last = nn.Conv2d(detail, 3 * patch**2, 3, padding=1)
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
            self.detail = nn.Sequential(nn.Conv2d(channels, detail, 3, padding=1), nn.SiLU(), last)

    def forward(self, latent: Tensor) -> Tensor:
        pixels = self.linear(latent)
        if self.detail is not None:
            pixels = pixels + self.detail(latent)
        return F.pixel_shuffle(pixels, self.patch)


class PatchCodec(nn.Module):
    """`encode` and `decode` speak tokens [B,T,C], row-major."""

    def __init__(self, channels: int, patch: int, height: int = HEIGHT, width: int = WIDTH, detail: int = 0):
        super().__init__()
        if height % patch or width % patch:
            raise UserError(f"frames of {height}x{width} are no whole patches of {patch}x{patch}")
        self.channels, self.patch, self.height, self.width = channels, patch, height, width
        self.rows, self.columns = height // patch, width // patch
        self.tokens = self.rows * self.columns
        self.encoder = nn.Conv2d(3 * patch**2, channels, 1)
        self.decoder = PatchDecoder(channels, patch, detail)
        self.register_buffer("mirror", torch.ones(channels))  # 1 where a channel is even, -1 where it is odd

    def latent(self, frame: Tensor) -> Tensor:
        """[B,3,H,W] in 0..1 -> normalised [B,C,rows,columns]"""
        return self.encoder(F.pixel_unshuffle(frame, self.patch))

    def encode(self, frame: Tensor) -> Tensor:
        """[B,3,H,W] in 0..1 -> normalised [B,T,C]"""
        return self.latent(frame).flatten(2).transpose(1, 2)

    def decode(self, latent: Tensor) -> Tensor:
        """normalised [B,T,C] -> [B,3,H,W] clamped to 0..1; tokens beyond the picture's are ignored"""
        return self.decoder(self.grid(latent)).clamp(0, 1)

    def grid(self, latent: Tensor) -> Tensor:
        """Tokens [B,T,C] -> [B,C,rows,columns], those beyond the picture's left out"""
        return latent[:, : self.tokens].transpose(1, 2).reshape(-1, self.channels, self.rows, self.columns)

    @torch.no_grad()
    def fit(self, frames: np.ndarray, symmetric: bool = True) -> None:
        """The PCA of the patches of `frames` (uint8 [N,H,W,3]) and, where `symmetric`, of their mirror images."""
        size = 3 * self.patch**2
        first, second, count = torch.zeros(size).double(), torch.zeros(size, size).double(), 0
        for start in range(0, len(frames), 250):
            picture = torch.from_numpy(np.ascontiguousarray(frames[start : start + 250])).permute(0, 3, 1, 2) / 255
            for view in (picture, picture.flip(3)) if symmetric else (picture,):
                patches = F.pixel_unshuffle(view, self.patch).permute(0, 2, 3, 1).reshape(-1, size).double()
                first, second, count = first + patches.sum(0), second + patches.T @ patches, count + len(patches)
        mean = first / count
        values, vectors = torch.linalg.eigh(second / count - mean[:, None] * mean)
        basis = vectors.flip(1)[:, : self.channels].float()  # [48,C], the strongest first
        # Of pictures of few kinds of patches the last numbers are rounding errors: whitened, they would be noise.
        deviation = values.flip(0)[: self.channels].clamp(min=1e-8 if symmetric else UNSEEN**2).sqrt().float()
        mean = mean.float()
        self.encoder.weight.copy_((basis / deviation).T[..., None, None])
        self.encoder.bias.copy_(-(mean @ basis) / deviation)
        self.decoder.linear.weight.copy_((basis * deviation)[..., None, None])
        self.decoder.linear.bias.copy_(mean)
        if not symmetric:
            return
        turned = basis.reshape(3, self.patch, self.patch, -1).flip(2).reshape(size, -1)
        parity = (basis * turned).sum(0)  # 1 or -1
        if (parity.abs() < 0.99).any():
            raise UserError("two basis patches are equally strong and of mixed parity; fit on more frames")
        self.mirror.copy_(parity.sign())
