"""The spread of outer steps: of the teacher as its own student, of one that always says the same, and as a stage."""

import json

import torch

from distill.__main__ import main
from distill.evaluation import diversity as spread
from distill.models.one_step_student import OneStepStudent
from distill.models.sampler import TeacherSampler
from distill.models.student import Student, StudentConfig
from distill.tests.tiny import CHANNELS, TOKENS, noise, save, tiny_conditions, tiny_teacher, write_world

NOISES = 4


def measured(student, steps: int) -> list[dict]:
    conditions = tiny_conditions(6)[torch.arange(6).repeat_interleave(NOISES)]
    x1 = noise(6 * NOISES, TOKENS, CHANNELS)
    truth = TeacherSampler(tiny_teacher(), steps).change(x1, conditions)
    return spread.measure(spread.step_samples(student, x1, conditions), truth, NOISES, student.dit.config.grid)


def test_the_teacher_as_its_own_student_has_its_spread():
    student = OneStepStudent(tiny_teacher(), StudentConfig(inner_steps=1, head_blocks=0, top=1.0))
    (row,) = measured(student, steps=1)
    assert abs(row["spread"] - 1) < 1e-5 and row["mean_off"] < 1e-5 and row["t"] == 1.0


def test_a_step_that_always_says_the_same_has_none():
    student = OneStepStudent(tiny_teacher(), StudentConfig(outer_steps=2, inner_steps=1, head_blocks=0))
    x = noise(1, TOKENS, CHANNELS, seed=5)
    student.transition = lambda x_t, t, *_: (x_t - (x if t[0] > 0.95 else 3 * x_t)) / t[:, None, None]
    first, second = measured(student, steps=1)
    assert first["spread"] < 1e-5 and second["spread"] > 0.5
    assert (first["t"], second["t"]) == tuple(student.outer_grid[:0:-1])


def test_the_last_step_is_the_students_sample():
    student = Student(tiny_teacher(), StudentConfig(outer_steps=3))
    x1, conditions = noise(4, TOKENS, CHANNELS), tiny_conditions(4)
    torch.manual_seed(7)
    inner = [torch.randn_like(x1) for _ in range(3)]
    torch.manual_seed(7)
    samples = spread.step_samples(student, x1, conditions)
    with torch.no_grad():
        torch.testing.assert_close(list(samples.values())[-1], student(torch.stack([x1, *inner], 1), conditions))


def test_the_stage(tmp_path, capsys):
    world, teacher = write_world(tmp_path / "world"), save(tmp_path, "teacher", "teacher", tiny_teacher())
    student = save(tmp_path, "s", "student", Student(tiny_teacher(), StudentConfig(outer_steps=2)))
    told = [f"data={world}", f"teacher={teacher}", f"students=[{student}]", f"json={tmp_path}/out.json", "histories=5"]
    assert main(["diversity", *told]) == 0
    assert capsys.readouterr().out.count(f"| {student} |") == 2
    result = json.loads((tmp_path / "out.json").read_text())
    assert len(result["rows"][str(student)]) == 2 and len(result["rows"]["teacher, 1 step"]) == 1
    assert result["teacherSpread"] > 0
    assert main(["diversity", *told, "noises=1"]) == 2 and "two noises" in capsys.readouterr().err
