"""Muon: steepest descent by matrices, for the kernels and matrices of a network (Jordan et al. 2024,
kellerjordan.github.io/posts/muon).

A step is the momentum's nearest matrix of orthonormal rows, so that every direction of it learns at one pace and not
only the few that dominate the gradient. It is scaled by 0.2 sqrt(max(rows, columns)), which gives it AdamW's root mean
square (Moonlight, arXiv 2502.16982, eq. 4), so that learning rates are of one kind. In torch.optim it exists for
matrices alone and in bfloat16, which is slow where the processor has no instruction for it.
"""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of Jordan's quintic: singular values come to 0.7 .. 1.2
STEPS = 5
LIKE_ADAMW = 0.2


def orthogonal(matrices: Tensor, steps: int = STEPS) -> Tensor:
    """[N,rows,columns] -> the same with singular values near 1, by Newton-Schulz iterations."""
    a, b, c = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.transpose(1, 2) if tall else matrices
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(steps):
        square = x @ x.transpose(1, 2)
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.transpose(1, 2) if tall else x


class Muon(torch.optim.Optimizer):
    """For parameters of two dimensions or more; a kernel [out,in,h,w] is a matrix [out,in*h*w]. Nesterov momentum."""

    def __init__(self, params, lr: float, momentum: float = 0.95, weight_decay: float = 0.0):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            alike: dict[tuple, list[tuple[Tensor, Tensor]]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                matrix = self._direction(parameter, group["momentum"]).flatten(1)
                alike[tuple(matrix.shape)].append((parameter, matrix))
            for shape, some in alike.items():
                scale = group["lr"] * LIKE_ADAMW * max(shape) ** 0.5
                steps = orthogonal(torch.stack([matrix for _, matrix in some]))
                for (parameter, _), step in zip(some, steps, strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.sub_(step.view_as(parameter), alpha=scale)

    def _direction(self, parameter: Tensor, momentum: float) -> Tensor:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        state["momentum"].lerp_(parameter.grad, 1 - momentum)
        return parameter.grad.lerp(state["momentum"], momentum)
