"""The oracles of stage 1 over a U-Net: inner flow, the teacher's target of y = x, who learns, what counts, resume."""

from dataclasses import replace

import pytest
import torch
from numpy.polynomial.legendre import leggauss

from distill.checkpoints import load_checkpoint
from distill.config import UserError, load_config
from distill.flops import count_flops
from distill.methods import tmd
from distill.models.dit import Conditions
from distill.models.flow_student import FlowStudent
from distill.models.one_step_student import make_student
from distill.models.sampler import load_student
from distill.models.student import BlockCounter, Student, StudentConfig
from distill.tests.tiny import noise, save
from distill.tests.tiny_unet import (
    CHANNELS,
    GRID,
    TOKENS,
    tiny_unet,
    unet_conditions,
    unet_student,
    write_unet_world,
)
from distill.training.student_loop import NoiseResponse, cost

ONES = torch.ones(3)


def parts(student: FlowStudent, conditions: Conditions):
    """y1, features and base of three samples."""
    base = student.base(conditions)
    x_t, y1 = noise(3, TOKENS, CHANNELS, seed=4), noise(3, TOKENS, CHANNELS)
    return y1, student.backbone(x_t, ONES, conditions, base), base


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_the_inner_flow_goes_from_estimate_to_estimate(steps):
    """y_r = (r / s) y_s + (1 - r / s) x_hat, so the last estimate is the sample."""
    student = unet_student(inner_steps=steps)
    y1, features, base = parts(student, unet_conditions(3))
    heads, original = [], student.head
    student.head = lambda *given: heads.append((given[0], original(*given))) or heads[-1][1]
    x = student.inner_flow(y1, features, base, y1, ONES)
    assert len(heads) == steps
    y = y1
    for (given, estimate), s, r in zip(heads, student.inner_grid[:0:-1], student.inner_grid[-2::-1], strict=True):
        torch.testing.assert_close(given, y)
        y = r / s * y + (1 - r / s) * estimate
    torch.testing.assert_close(x, y, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(x, heads[-1][1], atol=1e-5, rtol=1e-5)


def test_with_a_shut_gate_the_head_is_the_teacher():
    teacher, conditions = tiny_unet(), unet_conditions(3, first=True)
    student = make_student(teacher, StudentConfig(outer_steps=2, predicts="data", gate_init=-40.0))
    x_t, t = noise(3, TOKENS, CHANNELS), torch.tensor([0.2, 0.6, 0.95])
    base = student.base(conditions)
    features = student.backbone(x_t, t, conditions, base)
    estimate = student.head(x_t, t, 0 * t, features, base)
    expected = x_t - t[:, None, None] * teacher(x_t, t, conditions)
    torch.testing.assert_close(estimate[:, :GRID], expected[:, :GRID], atol=1e-5, rtol=1e-5)


def test_at_one_outer_step_only_y1_moves_the_sample_and_at_two_both_do():
    conditions = unet_conditions(3)
    for outer, moves in ((1, False), (2, True)):
        student = unet_student(outer_steps=outer)
        draw = noise(3, 1 + outer, TOKENS, CHANNELS)
        other = draw.clone()
        other[:, 0] += 1
        with torch.no_grad():
            same = (student(draw, conditions) - student(other, conditions))[:, :GRID].abs().max() < 1e-5
        assert bool(same) != moves


def test_features_keep_each_samples_own_spread():
    conditions = unet_conditions(4, first=True)
    features = unet_student().backbone(None, torch.ones(4), conditions)
    assert features.spread.tolist() == pytest.approx([1.0, 0.35, 1.0, 0.35])
    assert features[2:].spread.tolist() == pytest.approx([1.0, 0.35]) and features[2:].map.shape[0] == 2
    assert not features.detach().map.requires_grad


class Gaussian(torch.nn.Module):
    """The exact velocity of x ~ N(mu, sigma^2), as a teacher."""

    mu, sigma = 0.5, 0.3

    def forward(self, x_t, t, _):
        t = t[:, None, None]
        variance = (1 - t) ** 2 * self.sigma**2 + t**2
        return (t - (1 - t) * self.sigma**2) / variance * (x_t - (1 - t) * self.mu) - self.mu


@pytest.mark.parametrize(("t", "s"), [(0.9, 0.3), (0.5, 0.8), (1.0, 0.4)])
def test_the_teachers_target_is_the_mean_of_x_given_both_looks(t, s):
    count, world = 400_000, Gaussian()
    x = world.mu + world.sigma * noise(count, 1, 1, seed=1).double()
    x_t = (1 - t) * x + t * noise(count, 1, 1, seed=2).double()
    y_s = (1 - s) * x + s * noise(count, 1, 1, seed=3).double()
    at = (torch.full((count,), value) for value in (t, s))
    mean = tmd.teacher_mean(world, x_t, next(at), y_s, next(at), None, 1.0, predicts="data")[:, 0, 0].double()
    design = torch.cat([torch.ones_like(x[:, 0]), x_t[:, 0], y_s[:, 0]], 1)
    fitted = (design @ torch.linalg.lstsq(design, x[:, 0]).solution)[:, 0]
    assert (mean - fitted).square().mean().sqrt() < 2e-3


def test_where_x_t_says_nothing_the_target_is_the_teacher_at_y_s():
    teacher, conditions = tiny_unet(), unet_conditions(4, first=True)
    y, s = noise(4, TOKENS, CHANNELS), torch.tensor([0.01, 0.3, 0.9, 1.0])
    mean = tmd.teacher_mean(teacher, 9 * y, torch.ones(4), y, s, conditions, 1.0, predicts="data")
    expected = y - s[:, None, None] * teacher(y, s, conditions)
    torch.testing.assert_close(mean[:, :GRID], expected[:, :GRID], atol=2e-3, rtol=1e-3)


class ExactFlow(Student):
    """The flow of that Gaussian from s to r: y_r - (1 - r) mu is y_s - (1 - s) mu by the ratio of the deviations."""

    world, time_dtype = Gaussian(), torch.float64

    def __init__(self, exact: bool = True):
        torch.nn.Module.__init__(self)
        self.exact, self.config = exact, StudentConfig(predicts="data")
        self.outer_grid, self.inner_grid = [0.0, 1.0], [0.0, 0.231, 1.0]

    def base(self, conditions):
        return conditions.level

    def backbone(self, x, t, conditions, base):
        return x

    def estimate(self, head, x, t):
        return head

    def head(self, y, s, r, features, base):
        mu, sigma = self.world.mu, self.world.sigma
        s, r = s[:, None, None], r[:, None, None]
        r = r if self.exact else s
        deviation = lambda s: ((1 - s) ** 2 * sigma**2 + s**2).sqrt()  # noqa: E731
        nodes, weights = (torch.from_numpy(part)[:, None, None, None] / 2 for part in leggauss(32))
        along = r + (s - r) * (0.5 + nodes)
        slope = (along - (1 - along) * sigma**2) / deviation(along)
        u = (weights * (slope * (y - (1 - s) * mu) / deviation(s) - mu)).sum(0)
        return y - s * u


def test_the_exact_flow_has_no_loss_and_its_instant_velocity_has():
    torch.manual_seed(0)
    x = Gaussian.mu + Gaussian.sigma * noise(512, 1, 1).double()
    told = Conditions(x, x[:, 0, 0], x, x)
    config = tmd.Config(equal=0.25, predicts="data", target="teacher", low_times=0.6, delta=1e-4)
    loss = lambda student: tmd.tm_mf_loss(student, x, told, config, Gaussian())[0]  # noqa: E731
    assert loss(ExactFlow()).max() < 1e-5
    assert loss(ExactFlow(exact=False))[128:].mean() > 1e-3


def test_half_of_the_times_are_low_and_the_top_of_the_grid_is_learnt():
    config = tmd.Config(low_times=0.6)
    s = tmd.sample_times(8000, config, unet_conditions(8000), "cpu")
    assert (s < 0.6).float().mean().item() == pytest.approx(0.5, abs=0.02) and (s > 0.9).float().mean() > 0.2
    first = replace(unet_conditions(8000), first=torch.ones(8000, dtype=torch.bool))
    assert tmd.sample_times(8000, config, first, "cpu").mean().item() == pytest.approx(0.5, abs=0.02)
    s, r = tmd.sample_intervals(torch.tensor([1.0, 0.5, 0.1, 0.0]), 0.0, [0.0, 0.231, 1.0])
    torch.testing.assert_close(s, torch.tensor([1.0, 0.5, 0.1, 0.001]))
    torch.testing.assert_close(r, torch.tensor([0.231, 0.231, 0.0, 0.0]))


@pytest.mark.parametrize("changes", [{}, {"target": "teacher"}, {"guidance": 2.0}, {"outer_steps": 2}])
def test_gradients_reach_every_part_and_never_the_teacher(changes):
    teacher = tiny_unet().requires_grad_(False)
    config = tmd.Config(predicts="data", low_times=0.6, **changes)
    student = make_student(teacher, StudentConfig(config.outer_steps, predicts="data", gate_init=-1.0))
    conditions = unet_conditions(8, first=True)
    weights = torch.ones(TOKENS, CHANNELS)
    loss, metrics = tmd.tm_mf_loss(student, noise(8, TOKENS, CHANNELS), conditions, config, teacher, weights)
    loss.mean().backward()
    names = dict(student.named_parameters())
    told = ["dit.context.weight", "dit.coarse.0.up.weight", "dit.middle_out.0.conv1.weight"]
    told += [
        "dit.blocks.1.conv1.weight",
        "dit.out.weight",
        "dit.first",
        "fusion.gate",
        "fusion.take.weight",
        "fusion.mix.weight",
    ]
    for name in [*told, "interval.out.weight"]:
        assert names[name].grad.abs().max() > 0, name
    assert (names["dit.patch.weight"].grad is None) == (config.outer_steps == 1)
    assert all(p.grad is None for p in (*teacher.parameters(), *student.dit.instruments.parameters()))
    assert torch.isfinite(metrics["error"])


def test_what_x_says_of_telemetry_does_not_count():
    student, conditions = unet_student(), unet_conditions(8)
    weights = torch.ones(TOKENS, CHANNELS)
    weights[GRID:] = 0
    x = noise(8, TOKENS, CHANNELS)
    losses = []
    for more in (0.0, 5.0):
        x = x.clone()
        x[:, GRID:] += more
        torch.manual_seed(1)
        config = tmd.Config(predicts="data", low_times=0.6)
        losses.append(tmd.tm_mf_loss(student, x, conditions, config, weights=weights)[0])
    torch.testing.assert_close(losses[0], losses[1])


def test_under_autocast_the_derivative_is_in_float32(monkeypatch):
    student, x, seen = unet_student(), noise(8, TOKENS, CHANNELS), []
    original = tmd.central_difference

    def watched(call, y, s, *rest):
        seen.append((torch.is_autocast_enabled("cpu"), student.head.__self__.dit.out.weight.dtype, call(y, s).dtype))
        return original(call, y, s, *rest)

    monkeypatch.setattr(tmd, "central_difference", watched)
    with torch.autocast("cpu", torch.bfloat16):
        loss, _ = tmd.tm_mf_loss(student, x, unet_conditions(8), tmd.Config(predicts="data", low_times=0.6))
    assert seen == [(False, torch.float32, torch.float32)] and loss.dtype == torch.float32


def test_costs_are_counted():
    teacher, conditions = tiny_unet(), unet_conditions(1)
    student = unet_student(inner_steps=3, head_blocks=2)
    draw = noise(1, 2, TOKENS, CHANNELS)
    blocks = len(teacher.every_block())
    with BlockCounter(student.dit) as counter:
        student(draw, conditions)
    assert blocks == 9 and counter.nfe == pytest.approx(1 + 2 * 2 / blocks)
    said = cost(student, teacher, conditions)
    ratio = count_flops(lambda: student(draw, conditions)) / count_flops(
        lambda: teacher(draw[:, 0], torch.ones(1), conditions)
    )
    assert f"NFE {counter.nfe:.2f} by blocks, {ratio:.2f} by FLOPs" in said


def test_impossible_students_are_refused():
    with pytest.raises(UserError, match="set predicts=data"):
        make_student(tiny_unet(), StudentConfig())
    with pytest.raises(UserError, match="head_blocks 3 must be from 1 to the teacher's 2"):
        unet_student(head_blocks=3)


class Preview:
    def __init__(self):
        self.rows = list(range(16))
        self.target, self.conditions = noise(16, TOKENS, CHANNELS), unet_conditions(16)


def test_a_head_that_is_deaf_has_no_spread():
    noise_response = NoiseResponse(tiny_unet(), Preview())
    student = unet_student(inner_steps=1, gate_init=-40.0)
    assert max(noise_response(student).values()) < 1e-3
    heard = noise_response(unet_student(inner_steps=1, gate_init=2.0))
    assert heard.keys() == {"y1_diversity", "first_y1_diversity"} and min(heard.values()) > 0.01


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_run_learns_and_resumes_bit_for_bit(tmp_path, dtype):
    world = write_unet_world(tmp_path / "world")
    teacher = save(tmp_path, "teacher", "teacher", tiny_unet())
    told = [f"data={world}", f"runs={tmp_path}", f"teacher={teacher}", "batch=8", "codec=none", "loss_power=0"]
    told += [
        "predicts=data",
        "target=teacher",
        "low_times=0.6",
        "inner_shift=0.3",
        "gate_init=-1",
        "rollout_history=0.25",
    ]
    told += ["rollout_after=0", "warmup_steps=2", "max_steps=6", "log_steps=2", f"dtype={dtype}"]
    configure = lambda name, *more: load_config(tmd.Config, None, [*told, f"name={name}", *more])  # noqa: E731
    tmd.run(configure("whole"))
    original = tmd.Run.save
    half = configure("half", "checkpoint_minutes=0")

    def stop_halfway(self):
        if self.step == 3 and not self.config.resume:
            self.stop("halfway")
        return original(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tmd.Run, "save", stop_halfway)
        tmd.run(half)
    assert load_checkpoint(tmp_path / "half/student.pt", "student")["step"] == 3
    tmd.run(configure("half", "resume=true"))
    whole, resumed = (load_checkpoint(tmp_path / f"{name}/student.pt", "student") for name in ("whole", "half"))
    assert whole["step"] == resumed["step"] == 6
    for name, value in whole["state"]["model"].items():
        torch.testing.assert_close(value, resumed["state"]["model"][name], rtol=0, atol=0)
    student = load_student(tmp_path / "whole/student.pt")
    assert isinstance(student, FlowStudent) and student.inner_grid[1] == pytest.approx(0.2308, abs=1e-3)


@pytest.mark.parametrize("name", ["guidance", "action_guidance"])
def test_guidance_moves_the_teachers_target(name):
    student, teacher, seen = unet_student(), tiny_unet(seed=3), {}
    conditions = replace(unet_conditions(6), actions=torch.ones(6, 4, 2))
    targets = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tmd, "adaptive", lambda u, target, *_: seen.update(target=target) or u.sum((1, 2)))
        for guidance in (1.0, 2.0):
            torch.manual_seed(1)
            told = {"predicts": "data", "target": "teacher", name: guidance}
            config = tmd.Config(equal=1.0, low_times=0.6, **told)
            tmd.tm_mf_loss(student, noise(6, TOKENS, CHANNELS), conditions, config, teacher)
            targets.append(seen["target"])
    assert (targets[0] - targets[1])[:, :GRID].abs().max() > 1e-3
