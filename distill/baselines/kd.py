"""Knowledge distillation on pairs of the teacher's noise and sample: the warm-up of one-step DMD2-v (A.3), a baseline.

Each batch is dreamed by the teacher on the spot, in `teacher_steps` Euler steps: with one network of this size that is
cheaper than keeping 10,000 pairs on disk, and no pair is ever seen twice. Loss: 0.5 |g(x1) - x|^2 (FastGen).
TMD itself uses none.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from distill.models.dit import Conditions
from distill.models.one_step_student import OneStepStudent
from distill.models.sampler import TeacherSampler, load_teacher
from distill.models.student import StudentConfig
from distill.training.run import Run
from distill.training.student_loop import StudentTraining, student_architecture, train_student


@dataclass
class Config(StudentTraining):
    name: str = "kd"
    teacher_steps: int = 8
    teacher_shift: float = 1.0  # of their times, below 1 towards 0
    prompt_dropout: float = 0.0


def pair_loss(student: OneStepStudent, x1: Tensor, x: Tensor, conditions: Conditions, weights=1.0) -> Tensor:
    """Of the teacher's noise x1 and its sample x, both [B,T,C], and the student's one step from that noise -> [B]"""
    top = student.outer_grid[-1]
    t = x1.new_full((len(x1),), top, dtype=student.time_dtype)
    sample = x1 - top * student.transition(x1, t, torch.zeros_like(t), x1, conditions)
    return 0.5 * (weights * (sample - x).square()).mean((1, 2))


def kd_loss(
    student: OneStepStudent, teacher: TeacherSampler, noise: Tensor, conditions: Conditions, weights=1.0
) -> Tensor:
    """noise [B,1+M,T,C]; the distance of the two samples from one noise, in changes -> [B]"""
    x = teacher.dit.to_change(teacher(noise, conditions), conditions)
    return pair_loss(student, noise[:, 0], x, conditions, weights)


def run(config: Config) -> None:
    teacher = load_teacher(config.teacher)
    student = OneStepStudent(teacher, StudentConfig(1, inner_steps=1, head_blocks=0))
    run = Run(config, "student", student_architecture(student))
    student, teacher = student.to(run.device), teacher.to(run.device)
    dreamer = TeacherSampler(
        teacher,
        config.teacher_steps,
        config.guidance,
        guidance_ticks=config.guidance_ticks,
        action_guidance=config.action_guidance,
        time_shift=config.teacher_shift,
    )

    def loss_of(x: Tensor, conditions: Conditions, weights: Tensor) -> tuple[Tensor, dict]:
        noise = torch.randn(len(x), 2, *x.shape[1:], device=x.device)
        return kd_loss(student, dreamer, noise, conditions, weights), {}

    train_student(run, config, student, loss_of, teacher)
