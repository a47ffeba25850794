"""The TMD student over a U-Net: a backbone once, a light flow head N times (arXiv 2601.09881; tmd.md's notation).

The paper's ablation y = x (its B.4), as the change x is what a head can draw without copying noise:

- Outer: x_{t_{i-1}} = x_{t_i} - (t_i - t_{i-1}) (x_{t_i} - x) / t_i. Inner: y_s = (1 - s) x + s y1, and the head gives
  the average velocity u(y_s, s, r; m), y_r = y_s - (s - r) u, from y1 at s = 1 down to x at s = 0.
- u = a(s) y_s + b(s) F, preconditioned as the teacher's v (unet.py): at s = 1 the head answers with its F alone, and
  what it draws from y1 it has to draw by looking at it.
- At M = 1 nothing of the outer noise is shown to the backbone: x_t holds no more than noise there, and all chance is
  y1's. So a student at M = 1 is a teacher whose backbone runs once, at t = 1, with the flow in its head.
- The head hears y1: an own layer takes it in, both sides come in at unit size, and the gate starts well open.
- The head is the last H blocks at the finest grid: the backbone says what is there, the head draws it.
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.config import UserError
from distill.dit import Conditions
from distill.models.instruments import NOISE
from distill.models.unet import UNet
from distill.student import StudentConfig, grid, zero_output


def unit_size(x: Tensor) -> Tensor:
    """[B,W,H,W'] with root mean square 1 over the channels of every cell."""
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-4)


class Fusion(nn.Module):
    """(1 - g) m + g |m| e: features m [B,W,H,W'] and what an own layer makes of y_s, at the same size."""

    def __init__(self, channels: int, width: int, condition: int, gate: float):
        super().__init__()
        self.take = nn.Conv2d(channels, width, 3, padding=1)
        self.mix = nn.Conv2d(width, width, 1)
        self.modulation = nn.Linear(condition, width)
        self.gate = nn.Parameter(torch.tensor(float(gate)))

    def forward(self, features: Tensor, y: Tensor, condition: Tensor) -> Tensor:
        """y_s as a picture [B,C,H,W'], condition [B,D] after its SiLU."""
        size = torch.sqrt(features.square().mean(1, keepdim=True) + 1e-4)
        e = self.mix(F.silu(self.take(y) + self.modulation(condition)[:, :, None, None]))
        g = torch.sigmoid(self.gate)
        return (1 - g) * features + g * size * unit_size(e)


class FlowStudent(nn.Module):
    time_dtype: torch.dtype | None = None

    def __init__(self, teacher: UNet, config: StudentConfig):
        """A student that starts as `teacher`. Raises UserError where the head has more blocks than there are."""
        super().__init__()
        shape = teacher.config
        if not 0 < config.head_blocks <= shape.fine_out:
            raise UserError(
                f"head_blocks {config.head_blocks} must be from 1 to the teacher's {shape.fine_out} last ones"
            )
        self.config = config
        self.depth = shape.fine_out - config.head_blocks
        self.dit = copy.deepcopy(teacher).train().requires_grad_(True)
        self.dit.instruments.requires_grad_(False)
        self.fusion = Fusion(shape.channels, shape.fine, shape.width, config.gate_init)
        self.interval = zero_output(copy.deepcopy(self.dit.time))
        self.outer_grid = grid(config.outer_steps, config.outer_shift, 1.0)
        self.inner_grid = grid(config.inner_steps, config.inner_shift, 1.0)

    @property
    def gate(self) -> float:
        """How much of y_s the fusion lets in."""
        return float(torch.sigmoid(self.fusion.gate.detach()))

    def base(self, conditions: Conditions) -> Tensor:
        return self.dit.base(conditions)

    def backbone(self, x: Tensor, t: Tensor, conditions: Conditions, base: Tensor | None = None) -> Tensor:
        """m: x_t [B,T,C], t [B] -> [B,fine,24,40]."""
        return self.dit.backbone(None if self.config.outer_steps == 1 else x, t, conditions, self.depth, base)

    def head(self, y: Tensor, s: Tensor, r: Tensor, features: Tensor, base: Tensor, conditions: Conditions) -> Tensor:
        """y_s [B,T,C], s and r [B], m [B,fine,24,40], base [B,D] -> u, the average velocity from s to r: [B,T,C]."""
        condition = base + self.dit.time(s) + self.interval(s - r)
        fused = self.fusion(features, self.dit.picture(y), F.silu(condition))
        a, b = self.dit.precondition(s, conditions)
        return a * y + b * self.dit.head(fused, condition, self.depth)

    def inner_flow(self, y1: Tensor, features: Tensor, base: Tensor, conditions: Conditions) -> Tensor:
        """N head calls from y1 down the inner grid, all with gradient: [B,T,C] -> x [B,T,C]."""
        y = y1
        for s, r in zip(self.inner_grid[:0:-1], self.inner_grid[-2::-1], strict=True):
            times = (y1.new_full((len(y1),), value) for value in (s, r))
            y = y - (s - r) * self.head(y, *times, features, base, conditions)
        return y

    def transition(self, x: Tensor, t: Tensor, r: Tensor, y1: Tensor, conditions: Conditions) -> Tensor:
        """What one outer step goes along, (x_t - x) / t: from x_t [B,T,C], t [B] and inner noise y1; r is not used."""
        base = self.base(conditions)
        drawn = self.inner_flow(y1, self.backbone(x, t, conditions, base), base, conditions)
        return (x - drawn) / t[:, None, None]

    def forward(self, noise: Tensor, conditions: Conditions) -> Tensor:
        """Algorithm 1. noise [B,1+M,T,C]: x1, then y1 of each outer step in the order they run -> x [B,T,C]."""
        x = noise[:, 0]
        for index, (t, r) in enumerate(zip(self.outer_grid[:0:-1], self.outer_grid[-2::-1], strict=True)):
            whole = x.new_ones(len(x))
            x = x - (t - r) * self.transition(x, t * whole, r * whole, noise[:, 1 + index], conditions)
        return x

    def next_latent(self, noise: Tensor, conditions: Conditions) -> Tensor:
        """The next normalised latent [B,T,C]."""
        conditions = self.dit.foresee(noise[:, 0], conditions)
        return self.dit.to_latent(self(noise, conditions), conditions)

    def noise_used(self) -> list[tuple[int, int]]:
        """(first, count) of the numbers of each noise latent that `next_latent` depends on."""
        shape = self.dit.config
        picture, whole = (0, shape.grid * shape.channels), (0, shape.tokens * shape.channels)
        read = (shape.grid * shape.channels, NOISE)
        return [read if self.config.outer_steps == 1 else whole] + self.config.outer_steps * [picture]

    def new_parameters(self) -> list[nn.Parameter]:
        """What the teacher does not have; the gate is first."""
        rest = [p for p in self.fusion.parameters() if p is not self.fusion.gate]
        return [self.fusion.gate, *rest, *self.interval.parameters()]
