"""The prompt's nonlinear layers: a sentence embedding -> what it adds to the conditioning (`DiT.said`).

A sentence embedding says a time of day or a weather only to a network that is not linear in it. A `Sorter` sorts words
by what they say: one choice a group (biome, time, weather), and each choice has a vector of its own. So whatever the
words, they say one of few things as clearly as any other words do, also words that nobody taught it, which a network
that answers in vectors reads as something pale between the settings.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Sorter(nn.Module):
    """[B,P] with entries of about unit size -> [B,D]. Each group has one choice more: none of them, as the null prompt
    says."""

    def __init__(self, prompt_dim: int, hidden: int, groups: list[int], width: int):
        super().__init__()
        self.groups = [size + 1 for size in groups]
        self.hidden = nn.Linear(prompt_dim, hidden)
        self.answer = nn.Linear(hidden, sum(self.groups))
        self.table = nn.Linear(sum(self.groups), width, bias=False)  # a column for each choice

    def answers(self, prompt: Tensor, dropout: float = 0.0) -> tuple[Tensor, ...]:
        """Logits of each group's choices, each [B,size+1], `none` last."""
        features = F.dropout(F.silu(self.hidden(prompt)), dropout, dropout > 0)
        return self.answer(features).split(self.groups, 1)

    def forward(self, prompt: Tensor) -> Tensor:
        return self.table(torch.cat([answer.softmax(1) for answer in self.answers(prompt)], 1))

    def silence(self) -> None:
        nn.init.zeros_(self.table.weight)


class Reader(nn.Sequential):
    """[B,P] -> [B,D] by way of a hidden layer: what checkpoints before the sorter have."""

    def __init__(self, prompt_dim: int, hidden: int, width: int):
        super().__init__(nn.Linear(prompt_dim, hidden), nn.SiLU(), nn.Linear(hidden, width))

    def silence(self) -> None:
        nn.init.zeros_(self[-1].weight)
        nn.init.zeros_(self[-1].bias)


def make_reader(prompt_dim: int, hidden: int, groups: list[int], width: int) -> Reader | Sorter | None:
    if not hidden:
        return None
    return Sorter(prompt_dim, hidden, groups, width) if groups else Reader(prompt_dim, hidden, width)


def reader_flops(prompt_dim: int, hidden: int, groups: list[int], width: int) -> int:
    """Multiply-adds of one sample."""
    choices = sum(groups) + len(groups)
    return hidden * (prompt_dim + choices) + choices * width if groups else hidden * (prompt_dim + width)
