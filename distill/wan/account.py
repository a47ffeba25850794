"""What the full configurations need: parameters, operations, memory, disk, hours. On the meta device, without weights.

Everything here is counted or derived, nothing measured. Assumptions are in the output and in README.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch

from distill.config import BaseConfig, UserError
from distill.models.dit import count_parameters
from distill.models.student import StudentConfig, effective_nfe
from distill.wan.discriminator import Conv3dDiscriminator
from distill.wan.model import WanConditions, WanDiT, WanShape
from distill.wan.student import WanStudent

SIZES = {  # transformer/config.json of the published models
    "1.3b": {"blocks": 30, "width": 1536, "heads": 12, "feedforward": 8960},
    "14b": {"blocks": 40, "width": 5120, "heads": 40, "feedforward": 13824},
}
CRITICS = {"1.3b": ([15, 22, 29], 384), "14b": ([19, 29, 39], 608)}
GIB = 2**30


@dataclass
class Config(BaseConfig):
    name: str = "wan-account"
    size: str = "1.3b"
    latent: list[int] = field(default_factory=lambda: [21, 60, 104])
    outer_steps: int = 2
    inner_steps: int = 2
    head_blocks: int = 5
    ranks: int = 8
    strategy: str = ""  # ddp | fsdp; empty: ddp for the 1.3B, fsdp for the 14B
    batch: int = 64
    clips: int = 479_000
    steps1: int = 3000  # of stage 1
    steps2: int = 0  # of stage 2; 0: Table 7's for the size and M
    tflops: float = 989.0  # of one GPU, dense bfloat16: H100 989, A100 312
    used: float = 0.35  # part of that which is reached


def shape_of(size: str, latent: tuple[int, int, int] = (21, 60, 104)) -> WanShape:
    if size not in SIZES:
        raise UserError(f"size must be one of {', '.join(SIZES)}, not {size}")
    return WanShape(**SIZES[size], latent=tuple(latent))


def block_operations(shape: WanShape) -> int:
    """Of the matrix products of one block for one sample; a multiply-add is two."""
    width, tokens, words = shape.width, shape.tokens, shape.words
    own = 4 * width**2 * tokens + 2 * tokens**2 * width
    cross = 2 * width**2 * (tokens + words) + 2 * tokens * words * width
    return 2 * (own + cross + 2 * width * shape.feedforward * tokens)


def forward_operations(shape: WanShape) -> int:
    """Of one forward pass, with embeddings and output."""
    width, channels = shape.width, shape.token_channels
    edges = 2 * width * channels * shape.tokens + (shape.text_width + width) * width * shape.words
    edges += (shape.frequencies + width + 6 * width) * width
    return shape.blocks * block_operations(shape) + 2 * edges


def student_operations(shape: WanShape, plan: StudentConfig) -> int:
    """Of sampling one video's latent: every head call embeds y_s, s and s-r, fuses, runs H blocks and the output."""
    width, channels, tokens = shape.width, shape.token_channels, shape.tokens
    edge = width * channels * tokens
    time = (shape.frequencies + width) * width
    text = (shape.text_width + width) * width * shape.words
    fusion = 2 * plan.fusion_ratio * width**2 * tokens
    backbone = 2 * (text + edge + time + 6 * width**2) + (shape.blocks - plan.head_blocks) * block_operations(shape)
    head = 2 * (2 * edge + 2 * time + 2 * 6 * width**2 + fusion) + plan.head_blocks * block_operations(shape)
    return plan.outer_steps * (backbone + plan.inner_steps * head)


def make(shape: WanShape, plan: StudentConfig, size: str) -> tuple[WanDiT, WanStudent, Conv3dDiscriminator]:
    layers, width = CRITICS[size]
    with torch.device("meta"):
        teacher = WanDiT(shape)
        return teacher, WanStudent(teacher, plan), Conv3dDiscriminator(shape, len(layers), width, 1024)


def counted_operations(shape: WanShape, network: WanDiT) -> int:
    """Of one forward pass, by PyTorch's counter on the meta device."""
    from torch.utils.flop_counter import FlopCounterMode

    meta = {"device": "meta"}
    x = torch.empty(1, shape.tokens, shape.token_channels, **meta)
    conditions = WanConditions(torch.empty(1, shape.words, shape.text_width, **meta), torch.empty(0, **meta))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(x, torch.empty(1, dtype=torch.float64, **meta), conditions)
    return counter.get_total_flops()


def memory(
    shape: WanShape, parameters: dict[str, int], plan: StudentConfig, ranks: int, sharded: bool, judge_width: int
) -> dict:
    """Bytes on one GPU with micro_batch 1: stage -> {what: bytes}.

    Trained: float32 weights, gradients and two moments (16 bytes a parameter), divided by the ranks when sharded. The
    frozen teacher: bfloat16 whole, float32 sharded. Activations with checkpointing: the tokens behind every block that
    runs with gradient (bfloat16), and the inside of one block while it is recomputed, about 48 + 2 F/D times its
    tokens (an estimate from the block's code: much of it is float32). The discriminator's: features of three layers
    and one branch, about 16 bytes a number. Sharded: two gathered blocks in bfloat16."""
    tokens = 2 * shape.tokens * shape.width
    share = ranks if sharded else 1
    block = (parameters["teacher"] - parameters["edges"]) // shape.blocks
    gathered = 2 * 2 * block + 4 * parameters["edges"] if sharded else 0
    inside = tokens * (48 + 2 * shape.feedforward // shape.width)
    calls = shape.blocks + (plan.inner_steps - 1) * plan.head_blocks
    teacher = (4 if sharded else 2) * parameters["teacher"] // share
    return {
        "stage 1": {
            "student": 16 * parameters["student"] // share,
            "activations": shape.blocks * tokens + inside,
            "gathered": gathered,
        },
        "stage 2": {
            "student": 16 * parameters["student"] // share,
            "fake score": 16 * parameters["teacher"] // share,
            "discriminator": 16 * parameters["discriminator"] // share,
            "teacher": teacher,
            "activations": (calls + shape.blocks) * tokens + inside,
            "discriminator's": 2 * 3 * tokens + 16 * judge_width * math.prod(shape.latent),
            "gathered": 2 * gathered,
        },
    }


def training_operations(shape: WanShape, plan: StudentConfig, equal: float = 0.75, every: int = 5) -> dict[str, float]:
    """Operations of one sample of one step: a backward pass is two forward ones, and checkpointing repeats one."""
    whole = forward_operations(shape)
    head = plan.head_blocks * block_operations(shape)
    rollout = whole + (plan.inner_steps - 1) * head
    seen = whole  # the last layer that the discriminator looks at is the last block
    student = 4 * rollout + whole + 2 * whole + 3 * seen  # generate; fake; teacher, guided; features and back to x
    critics = rollout + 4 * whole + 2 * seen
    return {
        "stage 1": 4 * whole + whole + 2 * (1 - equal) * head,  # with gradient; the guided branch; the difference
        "stage 2": (student + (every - 1) * critics) / every,
    }


def report(config: Config) -> str:
    shape = shape_of(config.size, tuple(config.latent))
    if config.ranks < 1 or config.tflops <= 0 or config.used <= 0:
        raise UserError("ranks must be at least 1, tflops and used above 0")
    plan = StudentConfig(config.outer_steps, config.inner_steps, config.head_blocks)
    teacher, student, judge = make(shape, plan, config.size)
    edges = count_parameters(teacher) - count_parameters(teacher.blocks)
    parameters = {
        "teacher": count_parameters(teacher),
        "student": count_parameters(student),
        "discriminator": count_parameters(judge),
        "edges": edges,
    }
    sharded = (config.strategy or {"1.3b": "ddp", "14b": "fsdp"}[config.size]) == "fsdp"
    steps2 = config.steps2 or {"1.3b": (12_000, 4000), "14b": (5000, 1000)}[config.size][config.outer_steps > 1]
    forward, sampled = forward_operations(shape), student_operations(shape, plan)
    rate = config.tflops * 1e12 * config.used
    lines = [
        f"Wan2.1 {config.size}: {shape.tokens} tokens of {list(shape.latent)}, M={plan.outer_steps} "
        f"N={plan.inner_steps} H={plan.head_blocks}, effective NFE {effective_nfe(plan, shape.blocks):.3f}",
        *(f"parameters, {name}: {count / 1e6:.1f} M" for name, count in parameters.items() if name != "edges"),
        f"one forward pass: {forward / 1e12:.1f} TFLOP; the student's latent: {sampled / 1e12:.1f} TFLOP "
        f"({sampled / forward:.2f} passes); the teacher's, 50 guided steps: {100 * forward / 1e15:.2f} PFLOP",
    ]
    for stage, parts in memory(shape, parameters, plan, config.ranks, sharded, CRITICS[config.size][1]).items():
        listed = ", ".join(f"{name} {size / GIB:.1f}" for name, size in parts.items() if size)
        total = sum(parts.values()) / GIB
        how = f"fsdp on {config.ranks} GPUs" if sharded else "ddp"
        lines.append(f"{stage}, {how}: {total:.1f} GiB a GPU ({listed})")
    checkpoint = {"stage 1": 12 * parameters["student"]}
    checkpoint["stage 2"] = checkpoint["stage 1"] + 12 * (parameters["teacher"] + parameters["discriminator"])
    operations = training_operations(shape, plan)
    for stage, steps in (("stage 1", config.steps1), ("stage 2", steps2)):
        total = operations[stage] * config.batch * steps
        hours = total / rate / 3600
        lines.append(
            f"{stage}: {steps} steps of {config.batch}, {total / 1e21:.2f} ZFLOP, {hours:.0f} GPU-hours at "
            f"{config.used:.0%} of {config.tflops:.0f} TFLOP/s, {hours / config.ranks:.1f} h on {config.ranks}; "
            f"a checkpoint is {checkpoint[stage] / 1e9:.0f} GB, twice that while it is written"
        )
    clip = 2 * shape.channels * shape.latent[0] * shape.latent[1] * shape.latent[2] + 2 * 200 * shape.text_width
    hours = 100 * forward * config.clips / rate / 3600
    lines.append(
        f"data: {config.clips} clips of about {clip / 1e6:.1f} MB (200 words) are {config.clips * clip / 1e12:.1f} TB; "
        f"made by this size's teacher they cost {hours:.0f} GPU-hours"
    )
    return "\n".join(lines)


def run(config: Config) -> None:
    print(report(config))
