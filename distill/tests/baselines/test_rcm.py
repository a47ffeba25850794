"""rCM: its wrapper of a rectified flow, the consistency that a Gaussian's exact answer has, who learns, a whole run."""

import pytest
import torch

from distill.baselines import rcm
from distill.config import UserError, load_config
from distill.methods import teacher as teacher_stage
from distill.models.one_step_student import OneStepStudent
from distill.models.sampler import load_student
from distill.models.student import StudentConfig
from distill.tests.tiny import CHANNELS, TOKENS, noise, tiny_conditions, tiny_teacher, write_world

MEAN, SPREAD = 0.7, 0.4  # of a world of independent Gaussian numbers


def stage(**changes) -> rcm.Rcm:
    student = OneStepStudent(tiny_teacher(), StudentConfig(1, inner_steps=1, head_blocks=0))
    made = rcm.Rcm(rcm.Config(**changes), student, tiny_teacher().requires_grad_(False))
    with torch.no_grad():  # a fake score that has moved
        for parameter in made.fake.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return made


def gaussian_velocity(x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """E[x1 - x | x_t], exact."""
    t = t[:, None, None]
    x = MEAN + (1 - t) * SPREAD**2 / ((1 - t) ** 2 * SPREAD**2 + t**2) * (x_t - (1 - t) * MEAN)
    return (x_t - x) / t


def gaussian_end(z: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    """F of the exact end of the path through z: cos z - sin F is where it ends."""
    cos, sin = rcm.parts(angle)
    end = MEAN + SPREAD * (z - cos * MEAN) / (cos**2 * SPREAD**2 + sin**2).sqrt()
    return (cos * z - end) / sin


def test_trig_is_the_change_along_the_angle():
    x, eps, angle = noise(4, TOKENS, CHANNELS), noise(4, TOKENS, CHANNELS, seed=5), torch.tensor([0.2, 0.7, 1.1, 1.5])
    cos, sin = rcm.parts(angle)
    exact = rcm.trig(lambda x_t, t: eps - x, cos * x + sin * eps, angle)
    torch.testing.assert_close(exact, cos * eps - sin * x)


def test_the_tangent_vanishes_for_the_exact_consistency_function_only():
    angle = torch.tensor([0.1, 0.5, 1.0, 1.4], dtype=torch.float64)
    z = noise(4, TOKENS, CHANNELS).double()
    cos, sin = rcm.parts(angle)
    goal = rcm.trig(gaussian_velocity, z, angle)
    along = (cos * sin * goal, (cos * sin)[:, 0, 0])

    def g(f, ratio: float) -> torch.Tensor:
        said, derivative = torch.func.jvp(f, (z, angle), along)
        return rcm.tangent(said, derivative, goal, z, angle, ratio)

    assert g(gaussian_end, 1.0).abs().max() < 1e-9
    teacher = lambda z, a: rcm.trig(gaussian_velocity, z, a)  # noqa: E731
    assert g(teacher, 1.0).abs().max() > 0.05
    assert g(teacher, 0.0).abs().max() < 1e-9  # cold, it pulls to the teacher's own F


def test_a_loss_leads_to_the_exact_consistency_function():
    # right where the path ends whatever q is, and everywhere for q = 1
    torch.manual_seed(0)
    q = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([q], 0.02)
    for _ in range(300):
        angle = (-0.8 + 1.6 * torch.randn(64, dtype=torch.float64)).exp().arctan()
        cos, sin = rcm.parts(angle)
        z = cos * (MEAN + SPREAD * torch.randn(64, 1, 1, dtype=torch.float64)) + sin * torch.randn(64, 1, 1).double()

        def f(z, angle):
            cos, sin = rcm.parts(angle)
            end = MEAN + SPREAD * (z - cos * MEAN) / (cos**2 * SPREAD**2 + q * sin**2).sqrt()
            return (cos * z - end) / sin

        goal = rcm.trig(gaussian_velocity, z, angle)
        with torch.no_grad():
            said, derivative = torch.func.jvp(f, (z, angle), (cos * sin * goal, (cos * sin)[:, 0, 0]))
            target = said + rcm.normalised(rcm.tangent(said, derivative, goal, z, angle, 1.0))
        optimiser.zero_grad()
        (f(z, angle) - target).square().sum().backward()
        optimiser.step()
    assert q.item() == pytest.approx(1.0, abs=0.1)


def test_losses_reach_their_own_network_and_scores_wait_for_the_tangent():
    x, conditions = noise(4, TOKENS, CHANNELS), tiny_conditions(4)
    made = stage()
    loss, cold = made.student_loss(x, conditions, 0.5)
    assert "vsd" not in cold and cold["consistency"] > 0
    loss, warm = made.student_loss(x, conditions, 1.0)
    loss.backward()
    assert warm["vsd"] > 0 and made.student.dit.patch.weight.grad.abs().max() > 0
    assert all(p.grad is None for p in (*made.teacher.parameters(), *made.fake.parameters()))
    made.student.zero_grad(set_to_none=True)
    made.critic_loss(x, conditions)[0].backward()
    assert made.fake.patch.weight.grad.abs().max() > 0
    assert all(p.grad is None for p in (*made.teacher.parameters(), *made.student.parameters()))


def test_samples_after_further_steps_keep_only_the_last_gradient(monkeypatch):
    made, calls = stage(simulated_steps=3), []
    original, given = made.student.velocity, (noise(4, TOKENS, CHANNELS), tiny_conditions(4))
    made.student.velocity = lambda *a: (calls.append(torch.is_grad_enabled()), original(*a))[1]
    monkeypatch.setattr(torch, "randint", lambda high, size: torch.tensor(high - 1))
    sample = made.sample(*given)
    assert calls == [False, False, True] and sample.requires_grad


def test_a_whole_run_resumes(tmp_path):
    world = write_world(tmp_path / "world")
    common = [f"data={world}", f"runs={tmp_path}", "batch=8", "codec=none", "warmup_steps=5"]
    shape = ["network=dit", "columns=3", "width=24", "blocks=3", "heads=2", "frequencies=8"]
    teacher_stage.run(load_config(teacher_stage.Config, None, [*common, *shape, "loss_power=0", "max_steps=10"]))
    common += [f"teacher={tmp_path}/teacher/teacher.pt", "rollout_history=0.5", "rollout_after=0", "student_every=2"]
    for more in (["max_steps=4"], ["max_steps=8", "resume=true"]):
        rcm.run(load_config(rcm.Config, None, [*common, "log_steps=1", *more]))
    assert isinstance(load_student(tmp_path / "rcm/student.pt"), OneStepStudent)
    with pytest.raises(UserError, match="at least 1"):
        stage(simulated_steps=0)
