"""The TMD student over a U-Net: a backbone once, a light flow head N times (arXiv 2601.09881; tmd.md's notation).

The paper's ablation y = x (its B.4), as the change x is what a head can draw without copying noise:

- Outer: x_{t_{i-1}} = x_{t_i} - (t_i - t_{i-1}) (x_{t_i} - x) / t_i. Inner: y_s = (1 - s) x + s y1, and the head gives
  the average velocity u(y_s, s, r; m), y_r = y_s - (s - r) u, from y1 at s = 1 down to x at s = 0.
- u = a(s) y_s + b(s) F, preconditioned as the teacher's v (unet.py): at s = 1 the head answers with its F alone, and
  what it draws from y1 it has to draw by looking at it.
- At M = 1 nothing of the outer noise is shown to the backbone: x_t holds no more than noise there, and all chance is
  y1's. So a student at M = 1 is a teacher whose backbone runs once, at t = 1, with the flow in its head.
- The head takes in y1 by a layer of its own, both sides come in at unit size, and the gate starts well open.
- The head is the last H blocks at the finest grid: the backbone says what is there, the head draws it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.config import UserError
from distill.models.dit import Conditions
from distill.models.instruments import NOISE
from distill.models.student import Student, StudentConfig, grid
from distill.models.unet import UNet


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


@dataclass
class Features:
    """What the backbone says of a batch: m [B,fine,24,40], and the spread [B] of what is open in x, by which the head's
    output is scaled."""

    map: Tensor
    spread: Tensor

    def __getitem__(self, rows) -> Features:
        return Features(self.map[rows], self.spread[rows])

    def detach(self) -> Features:
        return Features(self.map.detach(), self.spread)

    def float(self) -> Features:
        return Features(self.map.float(), self.spread)


class FlowStudent(Student):
    """`Student` over a U-Net; both grids end at 1, which is where its backbone is at home."""

    COMPILED = ("backbone", "head")

    def __init__(self, teacher: UNet, config: StudentConfig):
        """A student that starts as `teacher`. Raises UserError where the head has more blocks than there are."""
        if config.predicts != "data" or config.fusion != "gated":
            raise UserError(
                "over a U-Net the head draws x and its fusion is gated: set predicts=data and fusion=gated, not "
                f"{config.predicts} and {config.fusion}"
            )
        super().__init__(teacher, config)
        self.outer_grid = grid(config.outer_steps, config.outer_shift, 1.0)
        self.inner_grid = grid(config.inner_steps, config.inner_shift, 1.0)

    def backbone_blocks(self, teacher: UNet) -> int:
        blocks, head = teacher.config.fine_out, self.config.head_blocks
        if not 0 < head <= blocks:
            raise UserError(f"head_blocks {head} must be from 1 to the teacher's {blocks} last ones")
        return blocks - head

    def make_fusion(self) -> nn.Module:
        shape = self.dit.config
        return Fusion(shape.channels, shape.fine, shape.width, self.config.gate_init)

    def backbone(self, x: Tensor, t: Tensor, conditions: Conditions, base: Tensor | None = None) -> Features:
        """m: x_t [B,T,C], t [B]. At M = 1 nothing is seen of x_t."""
        seen = None if self.config.outer_steps == 1 else x
        return Features(self.dit.backbone(seen, t, conditions, self.depth, base), self.dit.spread(conditions))

    def head(self, y: Tensor, s: Tensor, r: Tensor, features: Features, base: Tensor) -> Tensor:
        """y_s [B,T,C], s and r [B], m, base [B,D] -> where the flow from s leads if its average velocity down to r goes
        on to 0, an estimate of x: y_s - s u [B,T,C]."""
        condition = base + self.dit.time(s) + self.interval(s - r)
        fused = self.fusion(features.map, self.dit.picture(y), F.silu(condition))
        a, b = self.dit.precondition(s, features.spread)
        return y - s[:, None, None] * (a * y + b * self.dit.head(fused, condition, self.depth))

    def estimate(self, head: Tensor, x: Tensor, t: Tensor | float) -> Tensor:
        return head

    def noise_used(self) -> list[tuple[int, int]]:
        """(first, count) of the numbers of each noise latent that `next_latent` depends on."""
        shape = self.dit.config
        picture, whole = (0, shape.grid * shape.channels), (0, shape.tokens * shape.channels)
        # Without instruments nothing is seen of the first; the least that a manifest can say is a few numbers.
        read = (shape.grid * shape.channels if shape.readings else 0, NOISE)
        return [read if self.config.outer_steps == 1 else whole] + self.config.outer_steps * [picture]
