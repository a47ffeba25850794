"""MeanFlow (arXiv 2505.13447), a baseline beside TMD: the teacher's network learns the average velocity u(x_t, r, t).

    u(x_t, r, t)  ->  sg( v - (t - r) du/dt ),   du/dt along (dx/dt, dt, dr) = (v, 1, 0)

t is drawn as the teacher's; r is equal to it in three quarters of a batch, and 0 in half of the rest: the step from 1
to 0, which is played, is learnt too. The derivative is by central differences, one-sided at the ends (as in stage 1 of
TMD), or an exact forward-mode one. v is x1 - x, guided by the student itself, or the teacher's velocity (FastGen's
choice), guided by the teacher.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from distill.config import UserError
from distill.methods.teacher import split_times
from distill.methods.tmd import CLIP, adaptive, central_difference, forward_mode
from distill.models.dit import Conditions, guidance_at, guided
from distill.models.one_step_student import OneStepStudent
from distill.models.sampler import load_teacher
from distill.models.student import StudentConfig
from distill.training.run import Run
from distill.training.student_loop import StudentTraining, student_architecture, train_student


@dataclass
class Config(StudentTraining):
    name: str = "meanflow"
    outer_steps: int = 1  # at play
    outer_shift: float = 10.0
    equal: float = 0.75  # part of the batch with r = t
    low_times: float = 0.6  # half of t is near 1, half below it
    delta: float = 5e-3  # of the finite difference
    derivative: str = "difference"  # difference | jvp (exact, slower)
    velocity: str = "data"  # data: x1 - x | teacher
    weight_constant: float = 1.0  # c / d


def sample_times(batch: int, config: Config, first: Tensor | None, device) -> tuple[Tensor, Tensor]:
    """t >= r, each [B]; equal in the first rows."""
    t = split_times(batch, config.low_times, first, device).clamp(*CLIP)
    r = t * torch.rand(batch, device=device) * (torch.rand(batch, device=device) < 0.5)
    same = round(config.equal * batch)
    return t, torch.cat([t[:same], r[same:]])


def meanflow_loss(
    student: OneStepStudent, x: Tensor, conditions: Conditions, config: Config, teacher=None, weights=None
):
    """The loss [B] and what to log; x [B,T,C] is the recorded change, weights [T,C] of the errors."""
    t, r = sample_times(len(x), config, conditions.first, x.device)
    weights = 1.0 if weights is None else weights * student.dit.loss_weight(t, conditions)
    x1 = torch.randn_like(x)
    x_t = (1 - t)[:, None, None] * x + t[:, None, None] * x1
    u = student.velocity(x_t, t, r, conditions)
    with torch.no_grad():
        w = guidance_at(config.guidance, config.guidance_ticks, conditions)
        v = x1 - x
        if config.velocity == "teacher":
            v = guided(teacher, x_t, t, conditions, w, config.action_guidance)
        elif config.guidance != 1.0:
            null = student.velocity(x_t, t, t, conditions.without_prompt())
            kept = (
                torch.ones_like(t, dtype=torch.bool)
                if conditions.prompt_dropout_mask is None
                else ~conditions.prompt_dropout_mask
            )
            w = w[:, None, None] if isinstance(w, Tensor) else w
            v = torch.where(kept[:, None, None], null + w * (v - null), v)
        target, rest = v, slice(round(config.equal * len(x)), len(x))
        if rest.start < rest.stop:
            rest_conditions = conditions[rest]
            call = lambda x_t, t: student.velocity(x_t, t, r[rest], rest_conditions)  # noqa: E731
            with torch.autocast(x.device.type, enabled=False):
                if config.derivative == "jvp":
                    derivative = forward_mode(call, x_t[rest], t[rest], v[rest])
                else:
                    derivative = central_difference(call, x_t[rest], t[rest], r[rest], v[rest], config.delta)
            target = torch.cat([v[: rest.start], v[rest] - (t - r)[rest, None, None] * derivative])
    error = (weights * (u.detach() - target).square()).mean()
    return adaptive(u, target, config.weight_constant, weights), {"error": error}


def check(config: Config) -> None:
    for name, allowed in (("velocity", ("data", "teacher")), ("derivative", ("difference", "jvp"))):
        if getattr(config, name) not in allowed:
            raise UserError(f"{name} must be one of {', '.join(allowed)}, not {getattr(config, name)}")
    if config.velocity == "data" and config.action_guidance != 1.0:
        raise UserError("action_guidance is the teacher's, so it needs velocity=teacher; set it to 1 for velocity=data")
    if not 0 <= config.equal <= 1:
        raise UserError(f"equal is a part of the batch, 0..1, not {config.equal}")


def run(config: Config) -> None:
    check(config)
    teacher = load_teacher(config.teacher)
    plan = StudentConfig(config.outer_steps, inner_steps=1, head_blocks=0, outer_shift=config.outer_shift, average=True)
    student = OneStepStudent(teacher, plan)
    run = Run(config, "student", student_architecture(student))
    student, teacher = student.to(run.device), teacher.to(run.device)

    def loss_of(x: Tensor, conditions: Conditions, weights: Tensor) -> tuple[Tensor, dict]:
        return meanflow_loss(student, x, conditions, config, teacher, weights)

    train_student(run, config, student, loss_of, teacher)
