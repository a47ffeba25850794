"""The loop in which a student learns from recorded frames, whatever its method: stage 1 (tmd.py) and the baselines
(meanflow.py, kd.py) are a student and a loss. Stage 2 has two sides that take turns, and a loop of its own (dmd.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor

from distill.checkpoints import differing
from distill.config import UserError
from distill.data.dataset import WindowDataset, bound_latents, corrupt, drop_history, drop_prompts, loss_weights
from distill.data.packed import Latents
from distill.flops import count_flops
from distill.models.dit import Conditions, DiT, count_parameters, freeze_prompt_layers
from distill.models.one_step_student import OneStepStudent
from distill.models.sampler import StudentSampler, TeacherSampler, sample_diversity
from distill.models.student import BlockCounter, Student
from distill.models.unet import UNet
from distill.training.dynamics import DistillConfig
from distill.training.optim import make_optimiser
from distill.training.preview import Preview, report
from distill.training.rollout_history import RolloutHistory
from distill.training.run import Batches, Ema, Run

# (the recorded change x [B,T,C], its conditions, weights [T,C] of the errors) -> the loss [B], what to log
Loss = Callable[[Tensor, Conditions, Tensor], tuple[Tensor, dict]]


@dataclass
class StudentTraining(DistillConfig):
    """What every such stage has."""

    prompt_dropout: float = 0.1
    rollout_after: float = 0.3  # from this part of the budget on


def student_architecture(student: Student | OneStepStudent) -> dict:
    return student.dit.config.architecture() | {f"student_{k}": v for k, v in asdict(student.config).items()}


def require_teacher(student: Student | OneStepStudent, path: str, teacher: DiT, teacher_path: str) -> None:
    """Raises UserError where a student of a checkpoint means another x by its numbers than the teacher that is to judge
    them: another network, or other units of change. How words are taken in, and whether actions can be kept back, may
    differ; weights that were kept at half precision are the same."""
    own = {"prompt_hidden", "null_actions"}
    there, here = ({k: v for k, v in d.config.architecture().items() if k not in own} for d in (student.dit, teacher))
    found = differing(there, here)
    if not found and not torch.allclose(student.dit.delta_std, teacher.delta_std, rtol=2e-3, atol=1e-6):
        found = "delta_std, the unit of each channel's change, differs"
    if found:
        raise UserError(
            f"the student {path} is of another teacher than {teacher_path}: {found}. Name the teacher that it was made "
            "from, or make a student of this one"
        )


def train_student(
    run: Run, config: StudentTraining, student: Student | OneStepStudent, loss_of: Loss, teacher: DiT | UNet
) -> None:
    """Trains `student`, which is on the run's device, to the end of the run."""
    training, heldout = Latents(config.data, "train"), Latents(config.data, config.validation)
    shape = student.dit.config
    dataset = WindowDataset(training, shape, run.device)
    bound_latents(student.dit, training)
    if config.freeze_prompt_layers:
        freeze_prompt_layers(student.dit)
    weights = loss_weights(config.codec, config.loss_power, student.dit)

    def loss_at(target: Tensor, conditions: Conditions) -> tuple[Tensor, dict]:
        conditions = drop_prompts(conditions, config.prompt_dropout)
        if isinstance(student.dit, UNet):
            conditions = drop_history(conditions, config.first)
        return loss_of(student.dit.to_change(target, conditions), conditions, weights)

    some = dataset.gather(dataset.fixed(min(8, config.batch)))
    flops = count_flops(lambda: loss_at(*some)[0].mean().backward(), gradients=True) / len(some[0])
    student.zero_grad(set_to_none=True)
    ema = Ema(student, config.ema)
    optimiser = make_optimiser(run, student)
    batches = Batches(len(dataset), config.batch, config.seed)
    sampler, unit = StudentSampler(ema.model), student.dit.noise_unit()
    rollouts = RolloutHistory(
        dataset, config.rollout_history, config.rollout_ticks, config.batch, config.sample_level, unit
    )
    run.track(model=student, ema=ema, optimiser=optimiser, batches=batches, rollouts=rollouts)
    run.begin(flops_per_sample=flops)
    preview = Preview(WindowDataset(heldout, shape, run.device), config.codec, config.sample_level)
    run.say(f"{count_parameters(student) / 1e6:.2f} M parameters, {cost(student, teacher, some[1])}")
    noise_response = NoiseResponse(teacher, preview)
    run.compile_parts(student, teacher)
    for _ in run.steps():
        target, conditions = dataset.training(batches.next())
        conditions = corrupt(conditions, config.history_noise, unit)
        run.set_learning_rate(optimiser)
        with run.autocast():
            if config.rollout_history and run.progress() >= config.rollout_after:
                target, conditions, _ = rollouts.mix(target, conditions, sampler)
            loss, metrics = loss_at(target, conditions)
        run.backward(loss.mean(), optimiser, student)
        ema.update(student)
        run.log({"loss": loss.mean(), **metrics})
        if run.validation_due():
            report(run, preview, sampler, student_metrics(ema.model, preview, noise_response), "student")
    if run.progress() >= 1:
        report(run, preview, sampler, student_metrics(ema.model, preview, noise_response), "student")


@torch.no_grad()
def cost(student: Student | OneStepStudent, teacher: DiT | UNet, conditions: Conditions) -> str:
    """A sentence on what a tick costs, counted: FLOPs, and NFE by the blocks that run and by FLOPs."""
    plan, one = student.config, conditions[:1]
    noise = torch.zeros(1, 1 + plan.outer_steps, *one.history.shape[2:], device=one.level.device)
    with BlockCounter(student.dit) as counter:
        flops = count_flops(lambda: student(noise, one))
    whole = count_flops(lambda: teacher(noise[:, 0], one.level, one))
    return (
        f"M={plan.outer_steps} N={plan.inner_steps} H={plan.head_blocks}, {flops / 1e9:.3f} GFLOP a tick, "
        f"NFE {counter.nfe:.2f} by blocks, {flops / whole:.2f} by FLOPs"
    )


class NoiseResponse:
    """Whether the head uses its noise: the diversity of x over y1 alone (of a one-step student: over x1), over that of
    the teacher's many-step samples, of validation's histories and, for a U-Net, of first frames. A head that ignores
    its noise has 0; below 0.8 TMD is only in the name."""

    HISTORIES, NOISES, STEPS, SHIFT = 12, 4, 12, 0.4

    def __init__(self, teacher: DiT | UNet, preview: Preview):
        self.teacher = teacher
        which = np.linspace(0, len(preview.rows) - 1, self.HISTORIES).astype(np.int64).repeat(self.NOISES)
        generator = torch.Generator().manual_seed(9)
        self.noise = torch.randn(len(which), 2, *preview.target.shape[1:], generator=generator).to(preview.target)
        conditions = preview.conditions[torch.from_numpy(which)]
        self.conditions = {"y1_diversity": conditions}
        if isinstance(teacher, UNet):
            everyone = torch.ones_like(conditions.level, dtype=torch.bool)
            alone = {"first": everyone, "action_dropout_mask": everyone, "level": torch.zeros_like(conditions.level)}
            self.conditions["first_y1_diversity"] = replace(conditions, **alone)
        self.whole: dict[str, float] = {}

    def _spread(self, samples: Tensor) -> float:
        return sample_diversity(samples, self.NOISES, self.teacher.config.grid)[0]

    @torch.no_grad()
    def __call__(self, student: Student | OneStepStudent) -> dict[str, float]:
        metrics = {}
        for name, conditions in self.conditions.items():
            if name not in self.whole:
                many = TeacherSampler(self.teacher, self.STEPS, time_shift=self.SHIFT)
                self.whole[name] = self._spread(many.change(self.noise[:, 0], conditions))
            x1 = self.noise[:, :1]
            if student.config.head_blocks:
                x1 = x1[:: self.NOISES].repeat_interleave(self.NOISES, 0)
            noise = torch.cat([x1] + [self.noise[:, 1:]] * student.config.outer_steps, 1)
            metrics[name] = self._spread(student(noise, conditions)) / self.whole[name]
        return metrics


@torch.no_grad()
@torch.compiler.set_stance("force_eager")
def student_metrics(
    student: Student | OneStepStudent, preview: Preview, noise_response: NoiseResponse
) -> dict[str, float]:
    """Beside the preview's: gate, how the head responds to noise, and the next tick by one inner step instead of N."""
    metrics = noise_response(student)
    if not student.config.head_blocks:
        return metrics
    metrics["gate"] = student.gate
    if student.config.inner_steps > 1:
        single = type(student)(student.dit, replace(student.config, inner_steps=1))
        single.load_state_dict(student.state_dict())
        alone = preview.next_tick(StudentSampler(single.eval()))
        metrics |= {f"one_inner_{name}": value for name, value in alone.items()}
    return metrics
