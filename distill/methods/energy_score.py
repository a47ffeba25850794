"""A student taught by the energy score of its own roll-outs: no teacher's score, no critic, one call of the head.

Two members go on from one start for a few ticks, each on its own frames, under the recorded keys, words and
instruments; every tick is scored against what was recorded (Gneiting & Raftery 2007; ensembles by CRPS: Lang et al.
2024, arXiv 2412.15832):

    ES = mean_i |X_i - y| - |X_1 - X_2| / 2

The score is proper. Where the next frame is decided, it is plain regression; where it is open, a blur loses to a sharp
guess, as both terms are distances and not squares. Distances are those of pictures: a latent's numbers weigh as far as
they move it, and the norm is taken over patches (`SIZES`), so that what belongs together is judged together.
Gradients run through all ticks of a roll-out: what is drawn now has to be good to go on from.

Roll-outs come from a pool, and go on where they were left (training/rollout_history.py); a fresh one begins at recorded
frames with some noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from distill.config import TrainConfig, UserError
from distill.data.dataset import WindowDataset
from distill.data.packed import Latents
from distill.distributed import seed_everything
from distill.flops import count_flops
from distill.models.codec import gains, load_codec
from distill.models.dit import count_parameters
from distill.models.flow_student import FlowStudent
from distill.models.sampler import StudentSampler, load_student, load_teacher
from distill.models.student import StudentConfig, trainable
from distill.training.optim import make_optimiser
from distill.training.preview import Preview, report
from distill.training.rollout_history import RolloutHistory
from distill.training.run import Ema, Run
from distill.training.student_loop import student_architecture

SIZES = (1, 2, 4)  # cells to a side of the patches that a distance is taken over


@dataclass
class Config(TrainConfig):
    name: str = "energy"
    teacher: str = "runs/teacher/teacher.pt"
    student: str = "none"  # a student checkpoint to start from instead of the teacher
    inner_steps: int = 1
    head_blocks: int = 2
    gate_init: float = -1.0
    ticks: int = 4  # of a roll-out with gradient
    longest: int = 24  # ticks that a roll-out of the pool goes on at most
    pool: int = 128
    history_noise: float = 0.5  # on the frames that a fresh roll-out begins at, at most
    codec: str = "runs/codec/codec.pt"
    sample_level: float = 0.1
    validation: str = "validation"


def distance(a: Tensor, b: Tensor, sizes: tuple[int, ...] = SIZES) -> Tensor:
    """Pictures [B,C,H,W] in units of their pixels' -> the mean distance of their patches over all sizes, [B]."""
    square = (a - b).square().sum(1, keepdim=True)
    parts = [torch.sqrt(F.avg_pool2d(square, n) + 1e-6).mean((1, 2, 3)) for n in sizes]
    coarse = F.avg_pool2d(a - b, max(sizes))
    parts.append(torch.sqrt(coarse.square().sum(1) + 1e-6).mean((1, 2)))
    return torch.stack(parts).mean(0)


class EnergyScore:
    def __init__(
        self, student: FlowStudent, dataset: WindowDataset, rollouts: RolloutHistory, config: Config, gain: Tensor
    ):
        """gain [C]: how far a unit of each channel moves a pixel."""
        self.student, self.dataset, self.rollouts, self.config = student, dataset, rollouts, config
        self.gain = gain[:, None, None]
        self.call = student

    def picture(self, latent: Tensor) -> Tensor:
        return self.student.dit.picture(latent) * self.gain

    def roll_out(self, count: int) -> tuple[Tensor, dict]:
        """Takes `count` roll-outs of the pool on by `ticks` -> the mean score, and what to log."""
        rollouts, config, student = self.rollouts, self.config, self.student
        which, over = rollouts.next(count)
        self.disturb(over)
        depth = max(student.dit.config.offsets)
        ring = rollouts.ring[which][:, :depth].repeat(2, 1, 1, 1)
        total, apart, error = 0.0, 0.0, 0.0
        for tick in range(config.ticks):
            target, conditions = self.dataset.gather(rollouts.row[which] + tick, rollouts.flip[which])
            history = ring[:, [offset - 1 for offset in student.dit.config.offsets]]
            conditions = replace(conditions[list(range(count)) * 2], history=history)
            conditions.level = torch.full_like(conditions.level, config.sample_level)
            noise = torch.randn(2 * count, 2, *target.shape[1:], device=target.device)
            latent = student.dit.to_latent(self.call(noise, conditions), conditions)
            first, second, truth = (self.picture(part) for part in (latent[:count], latent[count:], target))
            between = distance(first, second)
            off = 0.5 * (distance(first, truth) + distance(second, truth))
            total = total + (off - 0.5 * between).mean() / config.ticks
            apart, error = apart + between.mean().detach(), error + off.mean().detach()
            ring = torch.cat([latent[:, None], ring[:, :-1]], 1)
        with torch.no_grad():
            kept = ring[:count].detach()
            rollouts.ring[which] = torch.cat([kept, rollouts.ring[which][:, : rollouts.ring.shape[1] - depth]], 1)
            rollouts.row[which] += config.ticks
            rollouts.age[which] += config.ticks
        return total, {"score": total.detach(), "spread_over_error": apart / error}

    def disturb(self, which: np.ndarray) -> None:
        """Noise on the recorded frames that fresh roll-outs begin at: most of it alike in all, as drift is."""
        if not len(which) or not self.config.history_noise:
            return
        ring = self.rollouts.ring[which]
        level = self.config.history_noise * torch.rand(len(which), 1, 1, 1, device=ring.device) ** 3
        noise = 0.9 * torch.randn_like(ring[:, :1]) + 0.44 * torch.randn_like(ring)
        self.rollouts.ring[which] = ring + level * self.student.dit.noise_unit() * noise


def run(config: Config) -> None:
    training, heldout = Latents(config.data, "train"), Latents(config.data, config.validation)
    seed_everything(config.seed)
    if config.student == "none":
        plan = StudentConfig(1, config.inner_steps, config.head_blocks, predicts="data", gate_init=config.gate_init)
        student = FlowStudent(load_teacher(config.teacher), plan)
    else:
        student = trainable(load_student(config.student))
    if student.config.outer_steps != 1:
        raise UserError(f"the energy score is for students of one outer step, not {student.config.outer_steps}")
    run = Run(config, "student", student_architecture(student))
    student = student.to(run.device)
    shape = student.dit.config
    dataset = WindowDataset(training, shape, run.device)
    ema = Ema(student, config.ema)
    optimiser = make_optimiser(run, student)
    unit = student.dit.noise_unit()
    rollouts = RolloutHistory(
        dataset, 1.0, config.longest, 1, config.sample_level, unit, pool=config.pool, hop=config.ticks
    )  # its starts have `longest` and `ticks` recorded frames after them
    run.track(model=student, ema=ema, optimiser=optimiser, rollouts=rollouts)
    codec = load_codec(config.codec)
    score = EnergyScore(student, dataset, rollouts, config, gains(codec).to(run.device))
    score.call = run.parallel(student)
    example = dataset.gather(dataset.rows[:1])
    noise = torch.randn(1, 2, *example[0].shape[1:])
    forward = count_flops(lambda: student(noise, example[1]))
    run.begin(flops_per_sample=3 * forward * 2 * config.ticks)
    preview = Preview(WindowDataset(heldout, shape, run.device), config.codec, config.sample_level)
    sampler = StudentSampler(ema.model)
    run.say(f"{count_parameters(student) / 1e6:.2f} M parameters, {forward / 1e9:.3f} GFLOP a tick without decoder")
    for _ in run.steps():
        run.set_learning_rate(optimiser)
        with run.autocast():
            loss, metrics = score.roll_out(config.batch)
        run.backward(loss, optimiser, student)
        ema.update(student)
        run.log(metrics | {"gate": student.gate})
        if run.validation_due():
            report(run, preview, sampler, {}, "student")
    report(run, preview, sampler, {}, "student")
