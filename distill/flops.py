"""Floating-point operations, counted as they run."""

from __future__ import annotations

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class FlopCount(TorchDispatchMode):
    """Adds up what PyTorch's formulas say of the products and convolutions that run. (Its own counter also tracks the
    modules that call them, by hooks that fail where a step mixes passes with and without gradient.)"""

    total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.total += formula(*args, **kwargs, out_val=out)
        return out


def count_flops(call, gradients: bool = False) -> int:
    """Floating-point operations (a multiply-add is two) of the matrix products and convolutions in `call()`; with
    `gradients`, of its backward passes too."""
    with FlopCount() as counter, torch.set_grad_enabled(gradients):
        call()
    return counter.total
