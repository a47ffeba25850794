"""Stage 2 over Wan: DMD2-v with the flow-head rollout. The losses are `distill.methods.dmd.Stage2`'s.

    torchrun --nproc-per-node 8 -m distill wan-dmd --config distill/wan/configs/dmd-1.3b.yaml

`student=none` trains the baseline DMD2-v: the teacher's network as the student, without a flow head.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

import torch
from torch import nn

from distill.config import UserError
from distill.methods.dmd import Stage2
from distill.models.student import StudentConfig
from distill.wan.discriminator import Conv3dDiscriminator
from distill.wan.model import WanShape
from distill.wan.run import WanRun, accumulate, latest, load_model, read_state
from distill.wan.tmd import architecture, empty_student, start_student
from distill.wan.training import Engine, Side, WanConfig, adamw, set_trained
from distill.wan.weights import Published, copy_parameters


@dataclass
class Config(WanConfig):
    """M, N and H are those of the student of stage 1; outer_steps and outer_shift are of `student=none`."""

    name: str = "wan-dmd"
    student: str = "runs/wan-tmd"  # the run of stage 1, or one of its checkpoints; none: DMD2-v
    learning_rate: float = 1e-5  # of the student, the fake score and the discriminator
    max_steps: int = 4000
    student_every: int = 5
    guidance: float = 5.0
    gan: float = 0.03
    layers: list[int] = field(default_factory=lambda: [15, 22, 29])  # 0-based blocks of the teacher
    discriminator_width: int = 384
    discriminator_hidden: int = 1024
    time_shift: float = 5.0
    gan_time_shift: float = 0.0  # 0: the discriminator looks at the same times as the scores
    rollout: bool = True  # the student's samples go through all inner steps
    sample_from: str = "x1"  # x1: x_hat = x1 - y (the paper) | xt: x_t - t y (as sampling); at M = 1 nearly the same
    normaliser: str = "sample"
    frame_gan: float = 0.0  # `drive` alone has frames


class WanStage2(Stage2):
    exact_scores = False  # the teacher's matrices are kept in the autocast type

    def __init__(self, config: Config, student: nn.Module, teacher: nn.Module, fake: nn.Module, judge: nn.Module):
        if config.frame_gan:
            raise UserError("frame_gan judges single frames of the world drive; over Wan it must be 0")
        self.critics = nn.ModuleDict({"fake": fake} if judge is None else {"fake": fake, "discriminator": judge})
        super().__init__(config, student, teacher)

    def make_critics(self) -> None:
        self.fake, self.discriminator = self.critics["fake"], dict(self.critics).get("discriminator")


def stage1_plan(config: Config, shape: WanShape) -> tuple[StudentConfig, Path | None]:
    """What student to train, and the checkpoint that it starts from. Raises UserError where that is of another
    teacher."""
    if config.student == "none":
        return StudentConfig(config.outer_steps, 1, 0, outer_shift=config.outer_shift), None
    folder = latest(Path(config.student))
    there = read_state(folder, "wan-student")["architecture"]
    plan = StudentConfig(**{f.name: there[f"student_{f.name}"] for f in fields(StudentConfig)})
    read_state(folder, "wan-student", architecture(shape, plan))
    return plan, folder


def make_discriminator(engine: Engine, config: Config, shape: WanShape) -> nn.Module:
    def make():
        width, hidden = config.discriminator_width, config.discriminator_hidden
        return Conv3dDiscriminator(shape, len(config.layers), width, hidden, config.checkpointing)

    with torch.device("meta"):
        placed = make()
    placed = engine.place(placed, True)
    torch.manual_seed(config.seed)
    copy_parameters(placed, make())
    return placed.train()


def make_sides(stage: WanStage2, engine: Engine) -> tuple[nn.Module, nn.Module]:
    """The student's loss and the critics', each as a module to call with (latents, conditions, number)."""

    def student_loss(latents, conditions, number: int):
        return stage.student_loss(stage.teacher.to_tokens(latents), conditions)

    def critic_loss(latents, conditions, number: int):
        return stage.critic_loss(stage.teacher.to_tokens(latents), conditions)

    return engine.parallel(Side(stage.student, student_loss)), engine.parallel(Side(stage.critics, critic_loss))


def run(config: Config) -> None:
    published = Published(config.weights)
    shape = published.shape(tuple(config.latent))
    if not config.layers or min(config.layers) < 0 or max(config.layers) >= shape.blocks:
        raise UserError(f"layers {config.layers} must lie in the teacher's 0..{shape.blocks - 1}")
    plan, stage1 = stage1_plan(config, shape)
    run = WanRun(config, "wan-student", architecture(shape, plan))
    engine = run.engine
    student = engine.student(empty_student(shape, plan))
    if not run.resuming and stage1 is None:
        start_student(student, published, config.seed)
    elif not run.resuming:
        load_model(student, stage1, "student")
    judge = make_discriminator(engine, config, shape) if config.gan else None
    stage = WanStage2(config, student, engine.teacher(published), engine.teacher(published, trained=True), judge)
    optimiser, critic_optimiser = adamw(config, student), adamw(config, stage.critics)
    clips = run.clips(shape)
    student_side, critic_side = make_sides(stage, engine)
    run.track(student=(student, optimiser), critics=(stage.critics, critic_optimiser))
    run.begin()
    for step in run.steps():
        run.set_learning_rate(optimiser, critic_optimiser)
        if step % config.student_every == 0:
            set_trained(stage.critics, False)
            metrics = accumulate(run, student_side, student, step, clips)
            set_trained(stage.critics, True)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        else:
            metrics = accumulate(run, critic_side, stage.critics, step, clips)
            critic_optimiser.step()
            critic_optimiser.zero_grad(set_to_none=True)
        side = "student_" if step % config.student_every == 0 else "critics_"
        run.log({side + name: value for name, value in metrics.items()})
