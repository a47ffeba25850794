"""Stage 1 over Wan: TM-MF. The loss is `distill.methods.tmd.tm_mf_loss`; here is only who computes which part of it.

torchrun --nproc-per-node 8 -m distill wan-tmd --config distill/wan/configs/tmd-1.3b.yaml
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import torch
from diffusers.models.embeddings import TimestepEmbedding
from torch import nn

from distill.config import UserError
from distill.methods.tmd import check as check_method
from distill.methods.tmd import say_fusion, student_config, tm_mf_loss
from distill.models.student import StudentConfig
from distill.wan.model import WanDiT, WanShape
from distill.wan.run import WanRun, accumulate
from distill.wan.student import WanOneStepStudent, WanStudent
from distill.wan.training import Engine, Side, WanConfig, adamw
from distill.wan.weights import Published, copy_parameters


@dataclass
class Config(WanConfig):
    name: str = "wan-tmd"
    learning_rate: float = 3e-5
    prompt_dropout: float = 0.1
    equal: float = 0.75  # part of the batch with r = s; 1 is plain transition matching (the ablation)
    s_shift: float = 3.0
    delta: float = 5e-3
    derivative: str = "difference"  # difference | jvp (exact, with a plain attention's memory: tokens squared)
    tangent: str = "guided"
    guidance: float = 3.0
    target: str = "data"
    weight_constant: float = 1.0  # c / d: 1 for the 1.3B, 1e-5 for the 14B


def architecture(shape: WanShape, plan: StudentConfig) -> dict:
    return shape.architecture() | {f"student_{key}": value for key, value in asdict(plan).items()}


def empty_student(shape: WanShape, plan: StudentConfig) -> WanStudent | WanOneStepStudent:
    """On the meta device. Raises UserError for an (M,N,H) that cannot be."""
    with torch.device("meta"):
        return (WanStudent if plan.head_blocks else WanOneStepStudent)(WanDiT(shape), plan)


@torch.no_grad()
def start_student(student: WanStudent | WanOneStepStudent, published: Published, seed: int) -> None:
    """Fills a placed student: the teacher's weights, and what is new, which every rank makes whole from `seed`."""
    published.fill(student.dit.transformer)
    if isinstance(student, WanOneStepStudent):
        return
    torch.manual_seed(seed)
    copy_parameters(student.fusion, student.make_fusion())
    shape = student.dit.config
    interval, prefix = TimestepEmbedding(shape.frequencies, shape.width), "condition_embedder.time_embedder."
    for name, parameter in interval.named_parameters():
        parameter.copy_(published.read(prefix + name))
    nn.init.zeros_(interval.linear_2.weight)
    nn.init.zeros_(interval.linear_2.bias)
    copy_parameters(student.interval, interval)


def make_loss(student: WanStudent, config: Config, engine: Engine):
    """Of one micro-batch: (latents, conditions, its number) -> the mean loss, what to log."""

    def loss(latents, conditions, number: int):
        equal, plain = engine.equal_rows(config.equal, number)
        share = replace(config, equal=equal / config.micro_batch)
        x = student.dit.to_tokens(latents)
        losses, metrics = tm_mf_loss(student, x, conditions, share, same=plain)
        return losses.mean(), metrics

    return loss


def run(config: Config) -> None:
    check_method(config)
    if config.head_blocks < 1:
        raise UserError("stage 1 trains a flow head: head_blocks must be at least 1 (DMD2-v is wan-dmd student=none)")
    published = Published(config.weights)
    shape, plan = published.shape(tuple(config.latent)), student_config(config)
    student = empty_student(shape, plan)
    run = WanRun(config, "wan-student", architecture(shape, plan))
    engine = run.engine
    student = engine.student(student)
    if not run.resuming:
        start_student(student, published, config.seed)
    optimiser = adamw(config, student)
    clips = run.clips(shape)
    side = engine.parallel(Side(student, make_loss(student, config, engine)))
    run.track(student=(student, optimiser))
    run.begin()
    for step in run.steps():
        if not step:
            say_fusion(run, student)
        run.set_learning_rate(optimiser)
        metrics = accumulate(run, side, student, step, clips, config.prompt_dropout)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        run.log(metrics | {"gate": student.gate})
