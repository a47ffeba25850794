"""The oracles of TMD's student: grids, sign, telescoping, initialisation, the embedding of s-r, NFE."""

import pytest
import torch

from distill.config import UserError
from distill.models.student import BlockCounter, Student, StudentConfig, effective_nfe, grid
from distill.tests.tiny import CHANNELS, TOKENS, noise, tiny_conditions, tiny_student, tiny_teacher


def test_grids_are_the_published_ones():
    assert grid(2, 10, 0.999) == pytest.approx([0, 0.90909, 0.999], abs=1e-4)
    assert grid(4, 10, 0.999) == pytest.approx([0, 0.76923, 0.90909, 0.96774, 0.999], abs=1e-4)
    assert grid(4, 5, 0.999) == pytest.approx([0, 0.625, 0.8333, 0.9375, 0.999], abs=1e-3)
    assert grid(1, 10, 0.999) == [0, 0.999]


def test_the_average_velocity_of_a_gaussian_fixes_the_sign():
    # y ~ N(mu, sigma^2), y1 ~ N(0, 1): the flow is y_s = mean(s) + std(s) z, so u = (y_s - y_r) / (s - r) exactly.
    mu, sigma = 0.7, 0.4

    def path(s, z):
        return (1 - s) * mu + ((1 - s) ** 2 * sigma**2 + s**2) ** 0.5 * z

    def velocity(y, s):  # E[y1 - y | y_s] in closed form
        variance = (1 - s) ** 2 * sigma**2 + s**2
        residual = y - (1 - s) * mu
        return s / variance * residual - (mu + (1 - s) * sigma**2 / variance * residual)

    def average(s, r, z):
        return (path(s, z) - path(r, z)) / (s - r)

    s, r, z, d = 0.8, 0.3, 1.3, 1e-5
    u = average(s, r, z)
    assert path(s, z) - (s - r) * u == pytest.approx(path(r, z))  # Eq. 13' (minus)
    assert abs(path(s, z) + (s - r) * u - path(r, z)) > 0.1  # Eq. 13 as printed
    derivative = (average(s + d, r, z) - average(s - d, r, z)) / (2 * d)
    assert u + (s - r) * derivative == pytest.approx(velocity(path(s, z), s), abs=1e-6)  # Eq. 8


@pytest.mark.parametrize("inner_steps", [1, 2, 4])
def test_the_inner_flow_telescopes(inner_steps):
    student = tiny_student(inner_steps=inner_steps)
    y1, features, base = noise(3, TOKENS, CHANNELS), noise(3, TOKENS, 24), noise(3, 24)
    heads, original = [], student.head
    student.head = lambda *arguments: heads.append(original(*arguments)) or heads[-1]
    y = student.inner_flow(y1, features, base, y1, torch.ones(3))
    top = student.inner_grid[-1]
    steps = zip(student.inner_grid[:0:-1], student.inner_grid[-2::-1], strict=True)
    expected = (1 - top) * y1 + sum((s - r) * head for (s, r), head in zip(steps, heads, strict=True))
    assert len(heads) == inner_steps
    torch.testing.assert_close(y, expected)


def test_one_inner_step_is_one_head_call():
    student = tiny_student(inner_steps=1, top=1.0)
    y1, features, base = noise(3, TOKENS, CHANNELS), noise(3, TOKENS, 24), noise(3, 24)
    head = student.head(y1, torch.ones(3), torch.zeros(3), features, base)
    torch.testing.assert_close(student.inner_flow(y1, features, base, y1, torch.ones(3)), head)


def test_it_starts_as_the_teacher_where_the_text_says_so():
    teacher, conditions = tiny_teacher(), tiny_conditions(3)
    student = Student(teacher, StudentConfig(gate_init=-40.0))
    x, y, t = noise(3, TOKENS, CHANNELS), noise(3, TOKENS, CHANNELS, seed=5), torch.full((3,), 0.999)
    base = student.base(conditions)
    features = student.backbone(x, t, conditions)
    velocity = teacher(x, t, conditions)
    torch.testing.assert_close(student.head(y, t, t, features, base), velocity)  # s = t, r = s
    torch.testing.assert_close(student.head(y, t, 0 * t, features, base), velocity)  # s-r says nothing yet
    # M = 1, N = 1: the student's sample is the teacher's single Euler step, up to the residue of y1.
    single = Student(teacher, StudentConfig(gate_init=-40.0, inner_steps=1, top=0.999999))
    sample = single(torch.stack([x, y], 1), conditions)
    torch.testing.assert_close(sample, x - teacher(x, torch.ones(3), conditions), atol=2e-3, rtol=0)


@pytest.mark.parametrize("steps", [1, 2])
def test_the_ablation_y_is_x_starts_as_the_teacher_too(steps):
    teacher, conditions = tiny_teacher(), tiny_conditions(3)
    plan = {"gate_init": -40.0, "inner_steps": 1, "outer_steps": steps}
    draw = noise(3, 1 + steps, TOKENS, CHANNELS)
    samples = [
        Student(teacher, StudentConfig(predicts=predicts, **plan))(draw, conditions)
        for predicts in ("difference", "data")
    ]
    torch.testing.assert_close(samples[1], samples[0], atol=0.02, rtol=0)  # up to the residue of y1
    with pytest.raises(UserError, match="predicts must be one of"):
        StudentConfig(predicts="noise")


def test_with_an_exact_head_both_targets_lead_to_x():
    x = noise(3, TOKENS, CHANNELS)
    for predicts in ("difference", "data"):
        student = tiny_student(predicts=predicts, inner_steps=4, outer_steps=2, top=1.0)
        at = {}
        student.backbone = lambda x_t, t, *_, at=at: at.update(x=x_t, t=t[:, None, None])
        student.head = lambda *_, at=at: (at["x"] - x) / at["t"]  # x1 - x, whatever y_s is
        torch.testing.assert_close(student(noise(3, 3, TOKENS, CHANNELS, seed=3), tiny_conditions(3)), x)


def test_the_default_gate_is_nearly_shut_and_counts_y():
    student, conditions = tiny_student(), tiny_conditions(3)
    assert 0.04 < student.gate < 0.06
    x, t = noise(3, TOKENS, CHANNELS), torch.full((3,), 0.999)
    base, features = student.base(conditions), student.backbone(x, t, conditions)
    y = noise(3, TOKENS, CHANNELS, seed=5)
    assert (student.head(y, t, t, features, base) - student.head(-y, t, t, features, base)).abs().max() > 1e-4


def test_concat_fusion_starts_at_the_identity_on_m():
    student = tiny_student(fusion="concat")
    m, e = noise(2, TOKENS, 24), noise(2, TOKENS, 24, seed=4)
    torch.testing.assert_close(student.fusion(m, 0 * e, student.dit.blocks[-1], m[:, 0]), m)
    assert 0 < (student.fusion(m, e, student.dit.blocks[-1], m[:, 0]) - m).abs().max() < 0.5


def test_the_embedding_of_the_interval_starts_at_zero_and_learns():
    student = tiny_student()
    gaps = torch.linspace(0, 1, 8)
    assert student.interval(gaps).abs().max() == 0
    optimiser = torch.optim.SGD(student.interval.parameters(), 0.1)
    for _ in range(3):
        (student.interval(gaps) - gaps[:, None]).square().mean().backward()
        optimiser.step()
    assert student.interval(gaps).std(0).max() > 1e-3  # it depends on s-r: the dead zero-init would not
    assert student.interval.hidden.weight.grad.abs().max() > 0


def test_the_change_of_grid_does_not_touch_the_teacher():
    teacher = tiny_teacher().requires_grad_(False)
    student = Student(teacher, StudentConfig())
    assert all(p.requires_grad for p in student.parameters())
    assert not {p.data_ptr() for p in teacher.parameters()} & {p.data_ptr() for p in student.parameters()}
    with pytest.raises(UserError, match="below the teacher's 4"):
        Student(teacher, StudentConfig(head_blocks=4))
    with pytest.raises(UserError, match="at least 1"):
        StudentConfig(inner_steps=0)


@pytest.mark.parametrize(("outer", "inner", "head"), [(1, 2, 1), (2, 4, 2), (1, 1, 3)])
def test_counted_blocks_equal_equation_16(outer, inner, head):
    config = StudentConfig(outer_steps=outer, inner_steps=inner, head_blocks=head)
    student = Student(tiny_teacher(), config)
    with BlockCounter(student.dit) as counter:
        student(noise(2, 1 + outer, TOKENS, CHANNELS), tiny_conditions(2))
    assert counter.nfe == effective_nfe(config, 4)
    student(noise(2, 1 + outer, TOKENS, CHANNELS), tiny_conditions(2))
    assert counter.nfe == effective_nfe(config, 4)  # the hooks are gone
