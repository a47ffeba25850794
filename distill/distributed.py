"""What a stage runs on: device, threads and seeds, its place among torchrun's ranks, and what its work costs."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable

import numpy as np
import torch
from torch import distributed, nn

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


def broadcast_parts(parts: Iterable) -> None:
    """Every rank's networks as rank 0's; what is no network is left alone."""
    for part in parts:
        if isinstance(part, nn.Module):
            for value in part.state_dict().values():
                distributed.broadcast(value, 0)


def agree(minutes: float, stops: bool, device: torch.device) -> tuple[float, bool]:
    """Rank 0's minutes, which are everyone's, and whether any rank is to stop."""
    values = torch.tensor([0.0 if distributed.get_rank() else minutes, stops], dtype=torch.float64, device=device)
    distributed.all_reduce(values)
    minutes, stopping = values.tolist()
    return minutes, bool(stopping)


def average_gradients(model: nn.Module) -> None:
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    together = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(together)
    parts = (together / distributed.get_world_size()).split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))
