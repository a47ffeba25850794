"""How much of the teacher's spread the samples of each outer step have: the collapse check of students with M > 1.

Of recorded histories, each with several noises: the root mean square, over the picture's numbers, of the standard
deviation over noises of x_hat = x_t - t (x1 - x), where x_t is where the student's own steps lead. Divided by the same
of the teacher's many-step samples, guided as those that students learn from: 1 is right for every step, and a student
is played by its last. Also how far the mean of the samples lies from that of the teacher's, in units of the usual
change. Beside the students the teacher by one step; of its many steps the spread itself, in that unit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from distill.atomic import write_text
from distill.config import BaseConfig, UserError
from distill.data.dataset import WindowDataset
from distill.data.packed import Latents
from distill.distributed import setup
from distill.models.dit import Conditions
from distill.models.one_step_student import OneStepStudent
from distill.models.sampler import TeacherSampler, load_student, load_teacher, sample_diversity
from distill.models.student import Student, descent


@dataclass
class Config(BaseConfig):
    name: str = "diversity"
    students: list[str] = field(default_factory=lambda: ["runs/dmd/student.pt"])
    teacher: str = "runs/teacher/teacher.pt"
    teacher_steps: int = 8
    teacher_shift: float = 1.0  # of their times, below 1 towards 0
    validation: str = "validation"  # the split whose histories are taken
    guidance: float = 1.0  # of the teacher
    guidance_ticks: int = 0
    action_guidance: float = 1.0
    level: float = 0.1  # history noise level that the networks state
    histories: int = 48
    noises: int = 8  # of each
    json: str = ""  # where the metrics go; empty: nowhere


@torch.no_grad()
def step_samples(student: Student | OneStepStudent, x1: Tensor, conditions: Conditions) -> dict[float, Tensor]:
    """t of each outer step -> x_hat [B,T,C], in the order they run; the last is the student's sample."""
    x, samples = x1, {}
    for t, r in descent(student.outer_grid):
        times = (x.new_full((len(x),), time) for time in (t, r))
        flow = student.transition(x, *times, torch.randn_like(x), conditions)
        samples[t], x = x - t * flow, x - (t - r) * flow
    return samples


def measure(steps: dict[float, Tensor], truth: Tensor, noises: int, grid: int) -> list[dict]:
    """A row for each outer step: {t, spread, mean_off}. `steps`: t -> samples [B,T,C]; `truth` [B,T,C] are the
    teacher's; the first `grid` tokens are the picture."""
    whole, mean = sample_diversity(truth, noises, grid)
    rows = []
    for t, samples in steps.items():
        own, own_mean = sample_diversity(samples, noises, grid)
        rows.append({"t": t, "spread": own / whole, "mean_off": (own_mean - mean).square().mean().sqrt().item()})
    return rows


def run(config: Config) -> None:
    if not config.students or config.noises < 2 or config.histories < 1:
        raise UserError("name at least one student, two noises and one history")
    setup(config)
    validation = Latents(config.data, config.validation)
    teacher = load_teacher(config.teacher)
    dataset = WindowDataset(validation, teacher.config)
    _, conditions = dataset.gather(dataset.fixed(config.histories))
    conditions.level = torch.full_like(conditions.level, config.level)
    conditions = conditions[torch.arange(len(conditions.level)).repeat_interleave(config.noises)]
    x1 = torch.randn(len(conditions.level), teacher.config.tokens, teacher.config.channels)
    guidances, grid = (config.guidance, config.guidance_ticks, config.action_guidance), teacher.config.grid
    truth = TeacherSampler(teacher, config.teacher_steps, *guidances, config.teacher_shift).change(x1, conditions)
    whole = sample_diversity(truth, config.noises, grid)[0]
    print(f"the teacher by {config.teacher_steps} steps: {whole:.3f} of the usual change")
    print("| | t | spread over the teacher's | mean off |\n|---|---|---|---|", flush=True)
    rows = {}

    def add(name: str, steps: dict[float, Tensor]) -> None:
        rows[name] = measure(steps, truth, config.noises, grid)
        for row in rows[name]:
            print(f"| {name} | {row['t']:.3f} | {row['spread']:.2f} | {row['mean_off']:.3f} |", flush=True)

    add("teacher, 1 step", {1.0: TeacherSampler(teacher, 1, *guidances).change(x1, conditions)})
    for path in config.students:
        add(path, step_samples(load_student(path), x1, conditions))
    if config.json:
        write_text(Path(config.json), json.dumps({"teacherSpread": whole, "rows": rows}, indent=2) + "\n")
