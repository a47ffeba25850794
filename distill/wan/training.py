"""What both stages share: the configuration, the engine (DDP or FSDP2 under torchrun), micro-batches.

- Networks are made on the meta device, wrapped block by block (activation checkpointing, then FSDP2 where asked), given
  memory and filled (weights.py).
- A step is `batch` samples in numbered micro-batches. Micro-batch k has its own seed and its own samples, whichever
  rank works on it: so a step is the same on any number of ranks, and a run goes on with another number.
- A `Side` is what DDP wraps: the trained networks, and as its forward pass the whole loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard, register_fsdp_forward_method

from distill.config import TrainConfig, UserError
from distill.distributed import DTYPES
from distill.wan.model import WanDiT, halve
from distill.wan.weights import Published

STRATEGIES = ("ddp", "fsdp")
# What is called besides forward, and must not call one another: FSDP2 gathers the parameters around each.
TEACHER_METHODS = ("features",)
STUDENT_METHODS = ("base", "backbone", "head", "velocity")


@dataclass
class WanConfig(TrainConfig):
    """Table 7's common part; `batch` is the global batch."""

    guidance_ticks: ClassVar[int] = 0  # the words of a video do not change
    action_guidance: ClassVar[float] = 1.0  # nor does it have actions
    low_times: ClassVar[float] = 0.0
    weights: str = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"  # the teacher: a folder in the diffusers format, or a hub id
    data: str = "data/wan"
    latent: list[int] = field(default_factory=lambda: [21, 60, 104])  # frames, rows, columns
    ema: float = 0.0  # none; the paper gives none
    checkpoint_minutes: float = 0.0  # save_steps instead, which all ranks count alike
    validate_minutes: float = 0.0  # wan-sample and wan-vbench judge
    batch: int = 64
    micro_batch: int = 1  # samples of a rank at a time
    strategy: str = "ddp"  # ddp: whole networks on every rank | fsdp: sharded (FSDP2)
    checkpointing: bool = True  # recompute the blocks' activations in the backward pass
    dtype: str = "bfloat16"
    warmup_steps: int = 0  # the paper gives none
    schedule: str = "constant"
    clip: float = 10.0  # FastGen's; the paper gives none
    max_steps: int = 3000
    save_steps: int = 100
    log_steps: int = 10
    outer_steps: int = 2  # M
    inner_steps: int = 2  # N
    head_blocks: int = 5  # H
    outer_shift: float = 10.0
    inner_shift: float = 10.0
    fusion: str = "gated"
    fusion_ratio: int = 2
    gate_init: float = -3.0
    predicts: str = "difference"


UNUSED = ("ema", "checkpoint_minutes", "validate_minutes", "compile")  # of what every trained stage has


def check(config: WanConfig) -> None:
    for key in UNUSED:
        if getattr(config, key) != getattr(WanConfig, key):
            raise UserError(f"{key} has no effect over Wan; leave it at {getattr(WanConfig, key)}")
    if config.strategy not in STRATEGIES:
        raise UserError(f"strategy must be one of {', '.join(STRATEGIES)}, not {config.strategy}")
    if len(config.latent) != 3:
        raise UserError(f"latent is frames, rows and columns, not {config.latent}")
    if config.micro_batch < 1 or config.batch < 1 or config.max_steps < 1 or config.save_steps < 1:
        raise UserError("batch, micro_batch, max_steps and save_steps must be at least 1")


class Engine:
    """Where networks live: the device, the ranks, DDP or FSDP2."""

    def __init__(self, config: WanConfig, device: torch.device, rank: int, world: int):
        check(config)
        self.config, self.device, self.rank, self.world = config, device, rank, world
        self.sharded = config.strategy == "fsdp"
        if self.sharded and not dist.is_initialized():
            raise UserError("strategy=fsdp needs torchrun; on one GPU: torchrun --nproc-per-node 1 -m distill ...")
        self.mesh = init_device_mesh(device.type, (world,)) if self.sharded else None
        if config.batch % (config.micro_batch * world):
            raise UserError(
                f"batch={config.batch} does not divide into micro-batches of {config.micro_batch} on {world} ranks"
            )

    def place(
        self, network: nn.Module, trained: bool, blocks: nn.ModuleList | None = None, methods: tuple[str, ...] = ()
    ) -> nn.Module:
        """A network of the meta device, wrapped and given memory; its parameters hold nothing yet."""
        config = self.config
        network.requires_grad_(trained)
        half = DTYPES[config.dtype] if config.dtype != "float32" else None
        for index, block in enumerate(blocks or ()):
            if config.checkpointing:
                block = blocks[index] = checkpoint_wrapper(block)
            if self.sharded:
                fully_shard(block, mesh=self.mesh, mp_policy=precision(half))
        if self.sharded:  # what is left (embeddings, output, fusion) computes from float32 under autocast
            fully_shard(network, mesh=self.mesh, mp_policy=precision(None))
            for method in methods:
                if hasattr(network, method):
                    register_fsdp_forward_method(network, method)
        network.to_empty(device=self.device)
        for module in network.modules():
            if isinstance(module, WanDiT):
                module.materialise_buffers()
        return network

    def student(self, network: nn.Module) -> nn.Module:
        return self.place(network, True, network.dit.blocks, STUDENT_METHODS).train()

    def teacher(self, published: Published, trained: bool = False) -> WanDiT:
        """The published network. Frozen and whole, its matrices are kept in the autocast type."""
        with torch.device("meta"):
            network = WanDiT(published.shape(tuple(self.config.latent)))
        if not (trained or self.sharded or self.config.dtype == "float32"):
            halve(network, DTYPES[self.config.dtype])
        network = self.place(network, trained, network.blocks, TEACHER_METHODS)
        published.fill(network.transformer)
        return network.train(trained)

    def parallel(self, side: Side) -> nn.Module:
        """What to call for the loss: DDP averages the gradients of the ranks, FSDP2 does so by itself."""
        if self.sharded or not dist.is_initialized():
            return side
        return nn.parallel.DistributedDataParallel(side, gradient_as_bucket_view=True)

    def micro_batches(self) -> Iterator[tuple[int, bool]]:
        """(number of the micro-batch, whether it is this rank's last) of one step."""
        rounds = self.config.batch // (self.config.micro_batch * self.world)
        for turn in range(rounds):
            yield turn * self.world + self.rank, turn == rounds - 1

    def equal_rows(self, equal: float, number: int) -> tuple[int, int]:
        """Of micro-batch `number`: its rows with r = s, and how many of them go without the derivative. The first
        part `equal` of the global batch has r = s; all ranks take the derivative in the same rounds, since FSDP2's
        collectives have to match."""
        size = self.config.micro_batch

        def rows(k: int) -> int:
            return min(size, max(0, round(equal * self.config.batch) - k * size))

        turn = number // self.world
        return rows(number), rows((turn + 1) * self.world - 1)

    def clip(self, network: nn.Module) -> float:
        """Scales the gradients to the norm `clip`; the norm before."""
        limit = self.config.clip or float("inf")
        norm = nn.utils.clip_grad_norm_([p for p in network.parameters() if p.requires_grad], limit)
        return float(norm.full_tensor() if hasattr(norm, "full_tensor") else norm)


def precision(gathered: torch.dtype | None) -> MixedPrecisionPolicy:
    """Parameters are gathered in that type (None: as they are, float32), gradients always added in float32."""
    return MixedPrecisionPolicy(gathered, torch.float32, cast_forward_inputs=False)


class Side(nn.Module):
    """The trained networks of one side and its loss as a forward pass."""

    def __init__(self, trained: nn.Module, loss: Callable):
        super().__init__()
        self.trained = trained
        self.loss = loss

    def forward(self, *inputs):
        return self.loss(*inputs)


def seed_micro_batch(seed: int, step: int, number: int) -> None:
    """Noise and times of a micro-batch depend on these three alone."""
    torch.manual_seed(int(np.random.SeedSequence([seed, step, number]).generate_state(1, np.uint64)[0] >> 1))


def set_trained(network: nn.Module, trained: bool) -> None:
    """requires_grad_ for a side that takes turns. An FSDP2 root that ran without a gradient keeps its parameters
    gathered: it has to let go of them first, or the flag reaches the copies alone and gradients are lost."""
    for module in network.modules():
        if isinstance(module, FSDPModule):
            module.reshard()
    network.requires_grad_(trained)


def adamw(config: WanConfig, network: nn.Module) -> torch.optim.AdamW:
    """Table 7's: betas (0.9, 0.99), eps 1e-8, weight decay 0.01."""
    trained = [p for p in network.parameters() if p.requires_grad]
    betas = (config.beta1, config.beta2)
    return torch.optim.AdamW(trained, config.learning_rate, betas, weight_decay=config.weight_decay, foreach=True)
