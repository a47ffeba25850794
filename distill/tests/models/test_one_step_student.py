"""The baselines: DMD2-v and MeanFlow without a flow head, and the warm-up by the teacher's pairs."""

import pytest
import torch

from distill.baselines import kd, meanflow
from distill.config import UserError, load_config
from distill.methods import dmd
from distill.methods import teacher as teacher_stage
from distill.models.dit import Conditions
from distill.models.one_step_student import OneStepStudent, make_student
from distill.models.sampler import TeacherSampler, load_student
from distill.models.student import BlockCounter, Student, StudentConfig, effective_nfe
from distill.tests.tiny import CHANNELS, TOKENS, noise, tiny_conditions, tiny_teacher, write_world


def plan(**changes) -> StudentConfig:
    return StudentConfig(**{"inner_steps": 1, "head_blocks": 0} | changes)


def average(**changes) -> OneStepStudent:
    """A MeanFlow student whose embedding of t-r speaks, as after some training."""
    student = OneStepStudent(tiny_teacher(), plan(average=True, **changes))
    torch.manual_seed(3)
    with torch.no_grad():
        student.interval.out.weight.normal_(std=0.1)
    return student


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_dmd2v_starts_as_the_teachers_euler_steps_on_its_grid(steps):
    teacher, conditions = tiny_teacher(), tiny_conditions(3)
    student, draw = OneStepStudent(teacher, plan(outer_steps=steps)), noise(3, 2, TOKENS, CHANNELS)
    euler = TeacherSampler(teacher, steps)
    euler.grid = student.outer_grid
    torch.testing.assert_close(student.next_latent(draw, conditions), euler(draw, conditions))


def test_a_step_is_equation_18():
    student, conditions = OneStepStudent(tiny_teacher(), plan(outer_steps=2)), tiny_conditions(3)
    x, (low, top) = noise(3, TOKENS, CHANNELS), OneStepStudent(tiny_teacher(), plan(outer_steps=2)).outer_grid[1:]
    t = torch.full((3,), top)
    g = x - top * student.velocity(x, t, t, conditions)
    stepped = x - (top - low) * student.transition(x, t, low * torch.ones(3), x, conditions)
    torch.testing.assert_close(stepped, (1 - low / top) * g + low / top * x)


def test_stage_2_takes_its_sample_from_x_t():
    student, conditions = OneStepStudent(tiny_teacher(), plan(outer_steps=2)), tiny_conditions(64)
    x = noise(64, TOKENS, CHANNELS)
    student.velocity = lambda x_t, t, r, conditions: (x_t - x) / t[:, None, None]  # the exact one
    for sample_from in ("x1", "xt"):
        torch.testing.assert_close(dmd.generate(student, x, conditions, sample_from), x)


def test_blocks_are_counted():
    for config in (plan(outer_steps=3), plan(outer_steps=2, average=True)):
        student = make_student(tiny_teacher(), config)
        draw, conditions = noise(1, 2, TOKENS, CHANNELS), tiny_conditions(1)
        with BlockCounter(student.dit) as counter:
            student(draw, conditions)
        assert counter.nfe == effective_nfe(config, 4) == config.outer_steps
    assert isinstance(make_student(tiny_teacher(), StudentConfig()), Student)


def test_impossible_students_are_refused():
    with pytest.raises(UserError, match="N must be 1"):
        StudentConfig(head_blocks=0, inner_steps=2)
    with pytest.raises(UserError, match="has head_blocks=0"):
        OneStepStudent(tiny_teacher(), StudentConfig())
    with pytest.raises(UserError, match="velocity must be one of"):
        meanflow.check(meanflow.Config(velocity="both"))


def test_times_of_meanflow():
    config = meanflow.Config()
    t, r = meanflow.sample_times(4000, config, None, "cpu")
    assert torch.equal(t[:3000], r[:3000]) and (t >= r).all() and (t[3000:] > r[3000:]).float().mean() > 0.99
    assert (t < config.low_times).float().mean().item() == pytest.approx(0.5, abs=0.05)
    assert (r[3000:] == 0).float().mean().item() == pytest.approx(0.5, abs=0.05)  # down to where it is played


class GaussianTeacher(torch.nn.Module):
    """The exact velocity of x ~ N(mu, sigma^2)."""

    mu, sigma = 0.5, 0.3

    def deviation(self, t):
        return ((1 - t) ** 2 * self.sigma**2 + t**2).sqrt()

    def forward(self, x_t, t, _):
        t = t[:, None, None]
        return (t - (1 - t) * self.sigma**2) / self.deviation(t) ** 2 * (x_t - (1 - t) * self.mu) - self.mu


class GaussianAverage:
    """u of the same in closed form: the flow keeps z = (x_t - mean) / deviation."""

    world = GaussianTeacher()

    def velocity(self, x_t, t, r, _):
        t, r = t[:, None, None].double(), r[:, None, None].double()
        z = (x_t - (1 - t) * self.world.mu) / self.world.deviation(t)
        x_r = (1 - r) * self.world.mu + self.world.deviation(r) * z
        gap = (t - r).clamp(min=1e-9)
        return torch.where(t > r, (x_t - x_r) / gap, self.world(x_t, t[:, 0, 0], None))


@pytest.mark.parametrize("derivative", ["difference", "jvp"])
def test_the_exact_average_velocity_has_no_loss(derivative):
    torch.manual_seed(0)
    config = meanflow.Config(equal=0.25, velocity="teacher", delta=1e-4, derivative=derivative)
    conditions = tiny_conditions(512)
    x = 0.5 + 0.3 * noise(512, 1, 1).double()
    loss, _ = meanflow.meanflow_loss(GaussianAverage(), x, conditions, config, GaussianTeacher())
    assert loss.max() < 1e-5
    wrong = GaussianAverage()
    wrong.velocity = lambda x_t, t, r, c: wrong.world(x_t, t, c)  # the instantaneous one is not the answer
    assert meanflow.meanflow_loss(wrong, x, conditions, config, wrong.world)[0].mean() > 1e-3


def test_guidance_moves_only_kept_prompts():
    student, x = average(), noise(8, TOKENS, CHANNELS)
    plain = tiny_conditions(8)
    half = Conditions(**(vars(plain) | {"prompt_dropout_mask": torch.tensor([True] * 4 + [False] * 4)}))
    losses = []
    for guidance in (1.0, 3.0):
        torch.manual_seed(1)
        losses.append(meanflow.meanflow_loss(student, x, half, meanflow.Config(equal=1.0, guidance=guidance))[0])
    torch.testing.assert_close(losses[0][:4], losses[1][:4])
    assert ((losses[0] - losses[1])[4:].abs() > 1e-6).all()


def test_the_pairs_loss_is_zero_for_the_teachers_own_step():
    teacher, conditions, draw = tiny_teacher(), tiny_conditions(3), noise(3, 2, TOKENS, CHANNELS)
    student = OneStepStudent(teacher, plan(top=1.0))
    assert kd.kd_loss(student, TeacherSampler(teacher, 1), draw, conditions).max() < 1e-9
    loss = kd.kd_loss(student, TeacherSampler(teacher, 4), draw, conditions).mean()
    loss.backward()
    assert loss > 1e-6 and student.dit.patch.weight.grad.abs().max() > 0


def test_whole_runs(tmp_path):
    world = write_world(tmp_path / "world")
    common = [f"data={world}", f"runs={tmp_path}", "batch=8", "codec=none", "warmup_steps=5"]
    shape = ["network=dit", "columns=3", "width=24", "blocks=3", "heads=2", "frequencies=8"]
    teacher_stage.run(load_config(teacher_stage.Config, None, [*common, *shape, "loss_power=0", "max_steps=30"]))
    common.append(f"teacher={tmp_path}/teacher/teacher.pt")
    meanflow.run(load_config(meanflow.Config, None, [*common, "loss_power=0", "max_steps=4", "rollout_history=0.5"]))
    kd.run(load_config(kd.Config, None, [*common, "loss_power=0", "max_steps=4", "teacher_steps=2"]))
    for start in ("none", f"{tmp_path}/kd/student.pt"):
        options = [f"student={start}", "outer_steps=2", "max_steps=4", "student_every=2", "discriminator_width=8"]
        dmd.run(load_config(dmd.Config, None, [*common, *options]))
        made = load_student(tmp_path / "dmd/student.pt")
        assert isinstance(made, OneStepStudent) and made.config.outer_steps == (2 if start == "none" else 1)
    assert load_student(tmp_path / "meanflow/student.pt").interval is not None
