"""Knowledge distillation on pairs of the teacher's noise and sample: the warm-up of one-step DMD2-v (A.3), a baseline.

Each batch is dreamed by the teacher on the spot, in `teacher_steps` Euler steps: with one network of this size that is
cheaper than keeping 10,000 pairs on disk, and no pair is ever seen twice. Loss: 0.5 |g(x1) - x|^2 (FastGen).
TMD itself uses none.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from distill.config import TrainConfig
from distill.data import Latents
from distill.dit import Conditions, count_parameters, forward_flops
from distill.headless import Headless
from distill.optim import make_optimiser
from distill.preview import Preview
from distill.sampling import StudentSampler, TeacherSampler, load_teacher
from distill.student import StudentConfig
from distill.teacher import report
from distill.tmd import student_architecture
from distill.training import Batches, Ema, Run
from distill.windows import Windows, corrupt, loss_weights


@dataclass
class Config(TrainConfig):
    name: str = "kd"
    teacher: str = "runs/teacher/teacher.pt"
    teacher_steps: int = 8
    guidance: float = 1.0
    loss_power: float = 1.0
    optimiser: str = "adamw"
    history_noise: float = 1.5
    codec: str = "runs/codec/autoencoder.pt"
    sample_level: float = 0.1


def kd_loss(student: Headless, teacher: TeacherSampler, noise: Tensor, conditions: Conditions, weights=1.0) -> Tensor:
    """noise [B,1+M,T,C]; the distance of the two samples from one noise, in changes -> [B]"""
    x = teacher.dit.to_change(teacher(noise, conditions), conditions)
    return 0.5 * (weights * (student(noise, conditions) - x).square()).mean((1, 2))


def run(config: Config) -> None:
    training, heldout = Latents(config.data, "train"), Latents(config.data, "heldout")
    teacher = load_teacher(config.teacher)
    student = Headless(teacher, StudentConfig(1, inner_steps=1, head_blocks=0))
    run = Run(config, "student", student_architecture(student))
    student, teacher, shape = student.to(run.device), teacher.to(run.device), teacher.config
    windows = Windows(training, shape, run.device)
    ema = Ema(student, config.ema)
    optimiser = make_optimiser(run, student, config.optimiser)
    batches = Batches(len(windows), config.batch, config.seed)
    run.track(model=student, ema=ema, optimiser=optimiser, batches=batches)
    passes = config.teacher_steps * (1 if config.guidance == 1.0 else 2)
    run.begin(flops_per_sample=(3 + passes) * forward_flops(shape))
    preview = Preview(Windows(heldout, shape, run.device), config.codec, config.sample_level)
    run.say(f"{count_parameters(student) / 1e6:.2f} M parameters, {passes} passes of the teacher a sample")
    dreamer, sampler = TeacherSampler(teacher, config.teacher_steps, config.guidance), StudentSampler(ema.model)
    weights = loss_weights(config.codec, config.loss_power, teacher)
    for _ in run.steps():
        target, conditions = windows.training(batches.next())
        conditions = corrupt(conditions, config.history_noise, teacher.noise_unit())
        noise = torch.randn(len(target), 2, *target.shape[1:], device=target.device)
        run.set_learning_rate(optimiser)
        with run.autocast():
            loss = kd_loss(student, dreamer, noise, conditions, weights).mean()
        run.backward(loss, optimiser, student)
        ema.update(student)
        run.log({"loss": loss})
        if run.validation_due():
            report(run, preview, sampler, {}, "student")
    if run.progress() >= 1:
        report(run, preview, sampler, {}, "student")
