"""What the instruments will read next: a small network of the last readings, the actions and a few noise numbers.

The dream goes in two steps. First its instruments move on: speed, offset, heading, the phase of the road, the bends
that come in sight. Then the picture is drawn to fit them (unet.py). Nearly all of the first step is decided by the
keys, so a network of some 100,000 weights learns it in minutes, rolled out over many ticks; what is open (the next
bend) it draws from its noise.

Trained by the energy score of two members (Gneiting & Raftery 2007), number by number: |x - y| - |x - x'| / 2. It is
proper: neither a mean nor a speckle of readings does better than their true distribution.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.checkpoints import load_checkpoint

NOISE = 4  # numbers drawn for what is open
# Largest change of a reading that a network is told, in usual changes. A reading that rests for long and then falls
# back to zero (`stuck`) changes by two hundred of them, which would throw off everything that it conditions.
LARGEST_CHANGE = 10.0


@dataclass
class InstrumentsConfig:
    readings: int = 18
    offsets: list[int] = field(default_factory=lambda: [1, 2, 4])
    actions: int = 4
    action_dims: int = 2
    hidden: int = 192
    layers: int = 3


class Instruments(nn.Module):
    def __init__(self, config: InstrumentsConfig):
        super().__init__()
        self.config = config
        size = config.readings * len(config.offsets) + config.actions * config.action_dims + NOISE
        self.layers = nn.ModuleList()
        for _ in range(config.layers):
            self.layers.append(nn.Linear(size, config.hidden))
            size = config.hidden
        self.out = nn.Linear(size, config.readings)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.register_buffer("change", torch.ones(config.readings))  # usual change of a reading in one tick

    def forward(self, history: Tensor, actions: Tensor, noise: Tensor) -> Tensor:
        """Readings so far [B,K,n], newest first; actions [B,A,2], newest first; noise [B,NOISE] -> the next [B,n]."""
        newest = history[:, 0]
        gaps = ((history[:, :-1] - history[:, 1:]) / self.change).clamp(-LARGEST_CHANGE, LARGEST_CHANGE)
        x = torch.cat([newest, gaps.flatten(1), actions.flatten(1), noise], 1)
        for index, layer in enumerate(self.layers):
            y = F.silu(layer(x))
            x = x + y if index and x.shape == y.shape else y
        return newest + self.change * self.out(x)


def load_instruments(path: str, into: Instruments) -> None:
    """The averaged weights of a checkpoint, with the usual changes in which they were learnt."""
    into.load_state_dict(load_checkpoint(path, "instruments", vars(into.config))["state"]["ema"]["model"])


def energy_score(members: Tensor, truth: Tensor) -> Tensor:
    """members [2,...], truth [...] -> |x - y| - |x - x'| / 2 for each number, [...]"""
    return (members - truth).abs().mean(0) - 0.5 * (members[0] - members[1]).abs()
