"""The discriminators of stage 2.

- `Discriminator`, the paper's: small convolutional heads over features of the frozen teacher (arXiv 2601.09881, A.3).
  `MapDiscriminator` is the same over a U-Net's, with an opinion for each place.
- `FrameDiscriminator`, beyond the paper: convolutions over a whole next latent. It asks whether a frame looks recorded
  and fits its telemetry and words, whatever came before; so it can judge frames that are far into a roll-out.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.config import UserError


class Head(nn.Module):
    """Tokens of one layer -> one logit. Branches at full and at half resolution, as in FastGen's multiscale heads."""

    def __init__(self, width: int, rows: int, columns: int, inner: int):
        super().__init__()
        self.grid = (rows, columns)
        self.norm = nn.LayerNorm(width)
        self.reduce = nn.Linear(width, inner)
        self.fine = nn.Conv2d(inner, inner, 3, padding=1)
        self.coarse = nn.Conv2d(inner, inner, 3, padding=1)
        self.hidden = nn.Linear(2 * inner, inner)
        self.out = nn.Linear(inner, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        """[B,T,D] -> [B]; tokens beyond the grid (telemetry) are not judged"""
        x = self.reduce(self.norm(tokens[:, : self.grid[0] * self.grid[1]])).transpose(1, 2).unflatten(2, self.grid)
        x = F.leaky_relu(x, 0.2)
        fine = F.leaky_relu(self.fine(x), 0.2).mean((2, 3))
        coarse = F.leaky_relu(self.coarse(F.avg_pool2d(x, 2)), 0.2).mean((2, 3))
        return self.out(F.leaky_relu(self.hidden(torch.cat([fine, coarse], 1)), 0.2))[:, 0]


class Discriminator(nn.Module):
    """One head per teacher layer; `logits` are averaged by the losses, not here."""

    def __init__(self, width: int, tokens: int, columns: int, layers: int, inner: int = 64):
        super().__init__()
        if tokens % columns:
            raise UserError(f"{tokens} tokens do not fill rows of {columns}; set columns to the latent's width")
        self.heads = nn.ModuleList(Head(width, tokens // columns, columns, inner) for _ in range(layers))

    def forward(self, features: list[Tensor]) -> Tensor:
        """One [B,T,D] per layer -> logits [B,layers], high for recorded."""
        return torch.stack([head(tokens) for head, tokens in zip(self.heads, features, strict=True)], 1)


class MapHead(nn.Module):
    """A map of features -> a logit for each of its places, or of as many as the coarsest map has."""

    def __init__(self, width: int, halvings: int, inner: int):
        super().__init__()
        self.norm = nn.GroupNorm(1, width)
        self.reduce = nn.Conv2d(width, inner, 1)
        strides = [1] + [2] * halvings
        self.layers = nn.ModuleList(nn.Conv2d(inner, inner, 3, stride, 1) for stride in strides)
        self.out = nn.Conv2d(inner, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        """[B,W,H,W'] -> [B,places]"""
        x = F.leaky_relu(self.reduce(self.norm(features)), 0.2)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        return self.out(x).flatten(1)


class MapDiscriminator(nn.Module):
    """One head per map, all with as many places as the coarsest."""

    def __init__(self, shapes: list[tuple[int, int, int]], inner: int = 32):
        """`shapes`: channels, rows and columns of each map (`UNet.feature_shapes`)."""
        super().__init__()
        coarsest = min(rows for _, rows, _ in shapes)
        halvings = [(rows // coarsest).bit_length() - 1 for _, rows, _ in shapes]
        self.heads = nn.ModuleList(MapHead(shape[0], n, inner) for shape, n in zip(shapes, halvings, strict=True))

    def forward(self, features: list[Tensor]) -> Tensor:
        """One [B,W,H,W'] per map -> logits [B,maps*places], high for recorded."""
        return torch.cat([head(part) for head, part in zip(self.heads, features, strict=True)], 1)


class FrameDiscriminator(nn.Module):
    """Logits for each place of a latent frame."""

    def __init__(
        self,
        channels: int,
        grid: int,
        columns: int,
        telemetry: int,
        prompt_dim: int,
        width: int = 128,
        fold: int = 1,
    ):
        """`grid` tokens of the picture in rows of `columns`, `telemetry` tokens behind them; `fold` x `fold` of the
        picture's are one place."""
        super().__init__()
        self.size, self.fold, self.grid = (grid // columns, columns), fold, grid
        self.first = nn.Conv2d(channels * fold**2, width, 3, padding=1)
        given = telemetry * channels + prompt_dim
        self.condition = nn.Linear(given, width) if given else None
        self.place = nn.Parameter(torch.zeros(width, grid // columns // fold, columns // fold))
        self.layers = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.out = nn.Conv2d(width, 1, 1)

    def forward(self, latent: Tensor, prompt: Tensor) -> Tensor:
        """latent [B,T,C], prompt [B,P] -> [B,places], high for recorded"""
        grid = self.grid
        picture = F.pixel_unshuffle(latent[:, :grid].transpose(1, 2).unflatten(2, self.size), self.fold)
        x = self.first(picture) + self.place
        if self.condition is not None:
            condition = self.condition(torch.cat([latent[:, grid:].flatten(1), prompt], 1))
            x = x + condition[:, :, None, None]
        x = F.leaky_relu(x, 0.2)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        return self.out(x).flatten(1)


def smoothness(discriminator: nn.Module, given: Tensor, *rest: Tensor, logits: Tensor, spread: float = 0.1) -> Tensor:
    """How much the logits of recorded frames (`given` latents) move under a little noise, over its
    variance, [B]: R1 without a second derivative (Seaweed-APT, arXiv 2501.08316, section 3.3)."""
    moved = discriminator(given + spread * torch.randn_like(given), *rest)
    return (moved - logits).square().mean(1) / spread**2


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Minimax log-likelihood of logits [B,n], of as many samples or not: their mean."""
    return F.softplus(fake).mean() + F.softplus(-real).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """Non-saturating: the mean over logits [B,n]."""
    return F.softplus(-fake).mean()
