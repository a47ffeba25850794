"""The discriminator of stage 2: small convolutional heads over features of the frozen teacher (tmd.md 4.4)."""

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


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Minimax log-likelihood of logits [B,layers] -> [B]."""
    return (F.softplus(fake) + F.softplus(-real)).mean(1)


def generator_loss(fake: Tensor) -> Tensor:
    """Non-saturating: [B,layers] -> [B]."""
    return F.softplus(-fake).mean(1)
