"""What the processes of one `torchrun` tell one another, for networks that are not in DDP."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import distributed, nn


def start_alike(parts: Iterable) -> None:
    """Every rank's networks as rank 0's; what is no network is left alone."""
    for part in parts:
        if isinstance(part, nn.Module):
            for value in part.state_dict().values():
                distributed.broadcast(value, 0)


def agree(minutes: float, stops: bool, device: torch.device) -> tuple[float, bool]:
    """Rank 0's minutes, which are everyone's, and whether any rank was told to stop."""
    told = torch.tensor([0.0 if distributed.get_rank() else minutes, stops], dtype=torch.float64, device=device)
    distributed.all_reduce(told)
    minutes, stopping = told.tolist()
    return minutes, bool(stopping)


def average_gradients(model: nn.Module) -> None:
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    together = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(together)
    parts = (together / distributed.get_world_size()).split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))
