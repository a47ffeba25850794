"""The TMD student over Wan's blocks: `distill.models.student.Student`, of which only the conditioning differs.

- Fusion "gated" (arXiv 2601.09881, A.1): like the MLP half of a Wan block, with the MLP triple of the block's global
  modulation and an own table.
- The embedding of s-r copies the time embedding with its last layer zero, and is added to the embedding of s: so it
  reaches the modulation of the head's blocks and of the output.
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.models.one_step_student import OneStepStudent
from distill.models.student import ConcatFusion, Student, StudentConfig
from distill.wan.model import Condition, WanConditions, WanDiT, embed_time


class WanGatedFusion(nn.Module):
    """(1-g) m + g e'; e' is the MLP half of a block over the patch embedding of y_s."""

    def __init__(self, width: int, ratio: int, gate_init: float):
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.up = nn.Linear(width, ratio * width)
        self.down = nn.Linear(ratio * width, width)
        self.table = nn.Parameter(torch.randn(3, width) / width**0.5)
        self.gate = nn.Parameter(torch.full((1,), float(gate_init)))  # not 0-d: FSDP2 takes no scalars
        for linear in (self.up, self.down):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, features: Tensor, tokens: Tensor, modulation: Tensor) -> Tensor:
        """m [B,T,D], e [B,T,D], modulation [B,6,D] -> h0 [B,T,D]"""
        shift, scale, gate = (self.table + modulation[:, 3:]).chunk(3, 1)
        changed = (self.norm(tokens.float()) * (1 + scale) + shift).type_as(tokens)
        tokens = tokens.float() + gate * self.down(F.gelu(self.up(changed), approximate="tanh")).float()
        g = torch.sigmoid(self.gate)
        return ((1 - g) * features.float() + g * tokens).type_as(features)


class WanConcatFusion(ConcatFusion):
    def forward(self, features: Tensor, tokens: Tensor, modulation: Tensor) -> Tensor:
        return self.linear(torch.cat([features, tokens], -1))


class WanStudent(Student):
    time_dtype = torch.float64

    def __init__(self, teacher: WanDiT, config: StudentConfig):
        """A student that starts as `teacher`, which may be on the meta device."""
        super().__init__(teacher, config)

    def make_fusion(self) -> nn.Module:
        if self.config.fusion == "gated":
            return WanGatedFusion(self.dit.config.width, self.config.fusion_ratio, self.config.gate_init)
        return WanConcatFusion(self.dit.config)

    def make_interval(self) -> nn.Module:
        embedder = copy.deepcopy(self.dit.transformer.condition_embedder.time_embedder)
        nn.init.zeros_(embedder.linear_2.weight)
        nn.init.zeros_(embedder.linear_2.bias)
        return embedder

    @property
    def gate(self) -> float:
        """As in `Student`; of a sharded student it is this rank's to ask for only together with all the others."""
        if self.config.fusion != "gated":
            return super().gate
        gate = self.fusion.gate.detach()
        gate = gate.full_tensor() if hasattr(gate, "full_tensor") else gate
        return float(torch.sigmoid(gate))

    def head(self, y: Tensor, s: Tensor, r: Tensor, features: Tensor, base: Tensor) -> Tensor:
        """y_s [B,T,C], s and r [B], m [B,T,D], base [B,L,D] -> [B,T,C], an estimate of x1 - x."""
        time = self.dit.time(s) + embed_time(self.interval, s - r, self.dit.config.frequencies)
        tokens = self.fusion(features, self.dit.patch(y), self.dit.modulation(time))
        return self.dit.head(tokens, Condition(time, base), self.depth)

    def forward(self, noise: Tensor, conditions: WanConditions) -> Tensor:
        """Algorithm 1. noise [B,1+M,T,C] -> the patches of the latent [B,T,C]."""
        return super().forward(noise, conditions)


class WanOneStepStudent(OneStepStudent):
    """DMD2-v's student: the teacher's network, once a step."""

    time_dtype = torch.float64

    def velocity(self, x: Tensor, t: Tensor, r: Tensor, conditions: WanConditions, base=None) -> Tensor:
        return self.dit(x, t, conditions)
