"""What a stage runs on: device, threads and seeds, its place among torchrun's ranks, and what its work costs."""

from __future__ import annotations

import os
import random

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from distill.config import BaseConfig, UserError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def environment(name: str, default: int) -> int:
    """RANK, LOCAL_RANK and WORLD_SIZE as torchrun sets them."""
    return int(os.environ.get(name) or default)


def setup(config: BaseConfig) -> torch.device:
    """Threads, seeds and device of a stage. Under torchrun each process gets its own seed and GPU."""
    if config.dtype == "auto":
        config.dtype = fast_dtype(config.device)
    if config.dtype not in DTYPES:
        raise UserError(f"dtype must be auto or one of {', '.join(DTYPES)}, not {config.dtype}")
    if config.device.startswith("cuda") and not torch.cuda.is_available():
        raise UserError(f"device={config.device} was asked for, but this PyTorch sees no CUDA device; use device=cpu")
    torch.set_num_threads(max(1, config.threads))
    rank = environment("RANK", 0)
    seed_everything(config.seed + 1000 * rank)
    if config.device == "cuda":
        return torch.device("cuda", environment("LOCAL_RANK", 0))
    return torch.device(config.device)


def fast_dtype(device: str) -> str:
    """bfloat16 where the hardware multiplies it: there it is two to three times as fast. float32 elsewhere."""
    has = torch.cuda.is_bf16_supported() if device.startswith("cuda") else torch.cpu._is_avx512_bf16_supported()
    return "bfloat16" if has else "float32"


def seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


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
