"""The loop in which a student learns from recorded frames, whatever its method: stage 1 (tmd.py) and the baselines
(meanflow.py, kd.py) are a student and a loss. Stage 2 has two sides that take turns, and a loop of its own (dmd.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from distill.checkpoints import differing
from distill.config import TrainConfig, UserError
from distill.data import Latents
from distill.dit import Conditions, DiT, count_parameters
from distill.headless import Headless
from distill.optim import make_optimiser
from distill.own_history import OwnHistory
from distill.preview import Preview
from distill.sampling import StudentSampler
from distill.student import Student, StudentConfig, student_flops
from distill.teacher import report
from distill.training import Batches, Ema, Run
from distill.windows import Windows, bound_latents, corrupt, drop_prompts, loss_weights
from distill.words import hold_words

# (the recorded change x [B,T,C], its conditions, weights [T,C] of the errors) -> the loss [B], what to log
Loss = Callable[[Tensor, Conditions, Tensor], tuple[Tensor, dict]]


@dataclass
class StudentTraining(TrainConfig):
    """What every such stage has."""

    teacher: str = "runs/teacher/teacher.pt"
    prompt_dropout: float = 0.1
    loss_power: float = 1.0  # weigh an error by how far it moves the picture to this power; 0 = all alike
    optimiser: str = "adamw"
    history_noise: float = 1.5
    own_history: float = 0.0  # part of the batch whose history the student dreamed itself
    own_ticks: int = 8  # how far such a history is dreamed at most
    own_after: float = 0.3  # from this part of the budget on
    hold_words: bool = False  # the prompt's layers are left as the teacher's
    codec: str = "runs/codec/autoencoder.pt"
    sample_level: float = 0.1


def student_architecture(student: Student | Headless) -> dict:
    return student.dit.config.architecture() | {f"student_{k}": v for k, v in asdict(student.config).items()}


def require_teacher(student: Student | Headless, path: str, teacher: DiT, teacher_path: str) -> None:
    """Raises UserError where a student of a checkpoint means another x by its numbers than the teacher that is to judge
    them: another network, or other units of change. How words are taken in, and whether actions can be kept back, may
    differ; weights that were kept at half precision are the same."""
    own = {"reader", "null_actions"}
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
    run: Run, config: StudentTraining, student: Student | Headless, loss_of: Loss, flops_per_sample: int
) -> None:
    """Trains `student`, which is on the run's device, to the end of the run."""
    run.compile_blocks(student.dit)
    training, heldout = Latents(config.data, "train"), Latents(config.data, "heldout")
    shape, plan = student.dit.config, student.config
    windows = Windows(training, shape, run.device)
    bound_latents(student.dit, training)
    if config.hold_words:
        hold_words(student.dit)
    ema = Ema(student, config.ema)
    optimiser = make_optimiser(run, student, config.optimiser)
    batches = Batches(len(windows), config.batch, config.seed)
    sampler, unit = StudentSampler(ema.model), student.dit.noise_unit()
    own = OwnHistory(windows, config.own_history, config.own_ticks, config.batch, config.sample_level, unit)
    run.track(model=student, ema=ema, optimiser=optimiser, batches=batches, own=own)
    run.begin(flops_per_sample=flops_per_sample)
    preview = Preview(Windows(heldout, shape, run.device), config.codec, config.sample_level)
    run.say(
        f"{count_parameters(student) / 1e6:.2f} M parameters, M={plan.outer_steps} N={plan.inner_steps} "
        f"H={plan.head_blocks}, {student_flops(plan, shape) / 1e9:.3f} GFLOP a tick"
    )
    weights = loss_weights(config.codec, config.loss_power, student.dit)
    for _ in run.steps():
        target, conditions = windows.training(batches.next())
        conditions = corrupt(conditions, config.history_noise, unit)
        if config.own_history and run.progress() >= config.own_after:
            target, conditions, _ = own.mix(target, conditions, sampler)
        conditions = drop_prompts(conditions, config.prompt_dropout)
        x = student.dit.to_change(target, conditions)
        run.set_learning_rate(optimiser)
        with run.autocast():
            loss, figures = loss_of(x, conditions, weights)
        run.backward(loss.mean(), optimiser, student)
        ema.update(student)
        run.log({"loss": loss.mean(), **figures})
        if run.validation_due():
            report(run, preview, sampler, inner_step_gain(ema.model, preview), "student")
    if run.progress() >= 1:
        report(run, preview, sampler, inner_step_gain(ema.model, preview), "student")


@torch.no_grad()
def inner_step_gain(student: Student | Headless, preview: Preview) -> dict[str, float]:
    """Figures of the next tick with one inner step instead of N: what the head's further calls bring."""
    if student.config.inner_steps == 1:
        return {}
    single = Student(student.dit, StudentConfig(**asdict(student.config) | {"inner_steps": 1}))
    single.load_state_dict(student.state_dict())
    figures = preview.next_tick(StudentSampler(single.eval()))
    return {"gate": student.gate} | {f"one_inner_{name}": value for name, value in figures.items()}
