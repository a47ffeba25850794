"""The oracles of stage 1: intervals, finite difference against JVP, both forms of the loss, guidance, the teacher's
exact target, a whole tiny run, own histories."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from numpy.polynomial.legendre import leggauss

from distill.config import UserError, load_config
from distill.data.dataset import WindowDataset, drop_prompts
from distill.data.packed import Latents
from distill.methods import teacher as teacher_stage
from distill.methods import tmd
from distill.models.dit import Conditions, DiT
from distill.models.sampler import StudentSampler, load_student, load_teacher
from distill.models.student import Student, StudentConfig
from distill.tests.tiny import (
    CHANNELS,
    TOKENS,
    noise,
    save,
    tiny_conditions,
    tiny_config,
    tiny_student,
    tiny_teacher,
    write_world,
)
from distill.training.rollout_history import RolloutHistory


def inputs(student: Student, batch: int = 5):
    conditions = tiny_conditions(batch)
    y, y1 = noise(batch, TOKENS, CHANNELS), noise(batch, TOKENS, CHANNELS, seed=3)
    base = student.base(conditions)
    features = student.backbone(noise(batch, TOKENS, CHANNELS, seed=4), torch.full((batch,), 0.999), conditions, base)
    return y, y1, features, base


def awake(student: Student) -> Student:
    """As after some training: the embedding of s-r speaks and the gate is open."""
    torch.manual_seed(3)
    with torch.no_grad():
        student.interval.out.weight.normal_(std=0.1)
        student.fusion.gate.fill_(0.5)
    return student


def test_intervals_follow_the_grid():
    grid = tiny_student(inner_steps=4).inner_grid
    s = tmd.sample_times(4000, tmd.Config(), tiny_conditions(1), "cpu")
    s, r = tmd.sample_intervals(s, 0.75, grid)
    assert torch.equal(s[:3000], r[:3000])
    for lower, value in zip(r[3000:].tolist(), s[3000:].tolist(), strict=True):
        index = grid.index(min(grid, key=lambda point: abs(point - lower)))
        assert grid[index] <= value + 1e-6 and (index + 1 == len(grid) or value < grid[index + 1] + 1e-6)
    assert s.min() >= 0.001 and s.max() <= 0.999
    parts = [((r[3000:] - point).abs() < 1e-6).float().mean().item() for point in grid[:4]]
    assert parts == pytest.approx([0.53, 0.24, 0.14, 0.09], abs=0.05)  # tmd.md section 3


@pytest.mark.parametrize(("s", "r"), [(0.5, 0.0), (0.999, 0.909), (0.912, 0.909), (0.003, 0.0)])
def test_the_finite_difference_is_the_jvp(s, r):
    student = awake(tiny_student()).double()
    y, y1, features, base = (value.double() for value in inputs(tiny_student()))
    s, r = torch.full((5,), s, dtype=torch.float64), torch.full((5,), r, dtype=torch.float64)
    call = lambda y, s: student.head(y, s, r, features, base)  # noqa: E731
    exact = tmd.forward_mode(call, y, s, y1 - y)
    error = [
        ((tmd.central_difference(call, y, s, r, y1 - y, d) - exact).norm() / exact.norm()).item() for d in (1e-3, 1e-6)
    ]
    assert error[1] < 1e-3 and error[1] < error[0]


def test_the_derivative_includes_the_time():
    student = awake(tiny_student())
    y, _, features, base = inputs(student)
    s, r = torch.full((5,), 0.5), torch.zeros(5)
    call = lambda y, s: student.head(y, s, r, features, base)  # noqa: E731
    still = tmd.central_difference(call, y, s, r, torch.zeros_like(y), 1e-3)
    assert still.abs().max() > 1e-3


def test_the_loss_in_u_is_the_loss_in_head_space():
    student = awake(tiny_student())
    y, y1, features, base = inputs(student)
    s, r = torch.full((5,), 0.6), torch.zeros(5)
    y_s = 0.4 * y + 0.6 * y1
    head = student.head(y_s, s, r, features, base)
    call = lambda y, s: student.head(y, s, r, features, base)  # noqa: E731
    derivative = tmd.central_difference(call, y_s, s, r, y1 - y, 5e-3)
    in_head = head - (y - 0.6 * derivative)
    u, u_derivative = y1 - head, -derivative
    in_u = u - ((y1 - y) - 0.6 * u_derivative)  # u - sg(v - (s-r) du/ds), Eq. 10
    torch.testing.assert_close(in_head, -in_u)


def test_the_weight_is_adaptive_and_not_differentiated():
    head, target = torch.ones(2, 3, 4, requires_grad=True), torch.zeros(2, 3, 4)
    loss = tmd.adaptive(head, target, 1.0)
    assert loss.tolist() == pytest.approx([0.5, 0.5])  # d / (d + d)
    loss.sum().backward()
    torch.testing.assert_close(head.grad, torch.full((2, 3, 4), 2 / 24))


def test_plain_regression_has_its_optimum_at_y_and_guidance_moves_it(monkeypatch):
    student, conditions = tiny_student(), tiny_conditions(8)
    x, seen = noise(8, TOKENS, CHANNELS), {}
    monkeypatch.setattr(tmd, "adaptive", lambda u, target, *_: seen.update(target=target) or u.sum((1, 2)))
    targets = {}
    for guidance in (1.0, 3.0):
        torch.manual_seed(1)
        half = Conditions(**(vars(conditions) | {"prompt_dropout_mask": torch.tensor([True] * 4 + [False] * 4)}))
        tmd.tm_mf_loss(student, x, half, tmd.Config(equal=1.0, guidance=guidance))
        targets[guidance] = seen["target"]
    torch.manual_seed(1)
    torch.randint(1, (8,))
    x1, y1 = torch.randn_like(x), torch.randn_like(x)
    velocity = y1 - (x1 - x)  # u = y1 - head is right where the head says y = x1 - x
    torch.testing.assert_close(targets[1.0], velocity)
    torch.testing.assert_close(targets[3.0][:4], velocity[:4])  # dropped prompts keep the raw target
    assert (targets[3.0][4:] - velocity[4:]).abs().max() > 0.1

    torch.manual_seed(1)  # with guidance for new words only, the others keep the raw target too
    new = replace(half, since=torch.tensor([0, 0, 90, 90, 0, 0, 90, 90]))
    tmd.tm_mf_loss(student, x, new, tmd.Config(equal=1.0, guidance=3.0, guidance_ticks=25))
    torch.testing.assert_close(seen["target"][[0, 1, 2, 3, 6, 7]], velocity[[0, 1, 2, 3, 6, 7]])
    torch.testing.assert_close(seen["target"][4:6], targets[3.0][4:6])


@pytest.mark.parametrize("predicts", ["difference", "data"])
@pytest.mark.parametrize("tangent", ["guided", "raw"])
def test_guidance_is_in_the_velocity(tangent, predicts, monkeypatch):
    """v_cfg = u_null + w (v - u_null) as the target, and as what d/ds goes along or not; u_null = (y_s - y_null) / s
    for y = x, y1 - y_null for y = x1 - x."""
    student, x, seen = tiny_student(predicts=predicts), noise(8, TOKENS, CHANNELS), {}
    monkeypatch.setattr(tmd, "adaptive", lambda u, target, *_: seen.update(target=target) or u.sum((1, 2)))
    call = lambda call, y, s, r, tangent, delta: seen.update(y=y, s=s, tangent=tangent) or 0 * y  # noqa: E731
    monkeypatch.setattr(tmd, "central_difference", call)
    half = replace(tiny_conditions(8), prompt_dropout_mask=torch.tensor([False] * 4 + [True] * 4))
    velocities = {}
    for guidance in (1.0, 3.0):
        torch.manual_seed(1)
        tmd.tm_mf_loss(student, x, half, tmd.Config(equal=0.0, guidance=guidance, tangent=tangent, predicts=predicts))
        velocities[guidance] = seen["target"]
    y_s, s = seen["y"], seen["s"]
    torch.manual_seed(1)
    torch.randint(1, (8,))
    x1, y1 = torch.randn_like(x), torch.randn_like(x)
    v = y1 - (x1 - x if predicts == "difference" else x)
    time, at = (value[:, None, None] for value in (torch.full((8,), 0.999), s))
    null = half.without_prompt()
    base = student.base(null)
    x_t = (1 - time) * x + time * x1
    head = student.head(y_s, s, s, student.backbone(x_t, time[:, 0, 0], null, base), base)
    u_null = y1 - head if predicts == "difference" else (y_s - (x_t - time * head)) / at
    guided = torch.cat([(u_null + 3 * (v - u_null))[:4], v[4:]])
    torch.testing.assert_close(velocities[1.0], v, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(velocities[3.0], guided.detach(), atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(seen["tangent"], guided.detach() if tangent == "guided" else v, atol=1e-3, rtol=1e-4)
    assert (guided - v)[:4].abs().max() > 0.1


class ExactInner(Student):
    """The exact average of the inner flow between s and r, at M = 1 from t, where x ~ N(mu, sigma^2): the flow keeps
    z = (y_s - (1 - s) mean) / D, D^2 = (1 - s)^2 spread^2 + s^2, with the mean and spread of y given x_t."""

    mu, sigma, t = 0.5, 0.3, 0.6
    time_dtype = torch.float64

    def __init__(self, predicts: str):
        torch.nn.Module.__init__(self)
        self.config = StudentConfig(predicts=predicts)
        self.outer_grid, self.inner_grid = [0.0, self.t], [0.0, 0.7, 0.999]

    def base(self, conditions):
        return conditions.level

    def backbone(self, x, t, conditions, base):
        return x

    def head(self, y, s, r, x_t, base):
        t, s, r = self.t, s[:, None, None], r[:, None, None]
        variance = (1 - t) ** 2 * self.sigma**2 + t**2
        mean = self.mu + (1 - t) * self.sigma**2 / variance * (x_t - (1 - t) * self.mu)  # of x
        spread = self.sigma * t / variance**0.5
        if self.config.predicts == "difference":
            mean, spread = (x_t - mean) / t, spread / t
        deviation = lambda s: ((1 - s) ** 2 * spread**2 + s**2).sqrt()  # noqa: E731
        z = (y - (1 - s) * mean) / deviation(s)
        nodes, weights = (torch.from_numpy(part)[:, None, None, None] / 2 for part in leggauss(24))
        along = r + (s - r) * (0.5 + nodes)
        if self.config.predicts == "difference":  # the head is the mean of E[y | y_s, x_t] over the way
            return (weights * (mean + z * (1 - along) * spread**2 / deviation(along))).sum(0)
        slope = (along - (1 - along) * spread**2) / deviation(along)
        u = (weights * (z * slope - mean)).sum(0)
        return (x_t - (y - s * u)) / t  # so that u = (y_s - x) / s, B.4


@pytest.mark.parametrize("predicts", ["difference", "data"])
@pytest.mark.parametrize("derivative", ["difference", "jvp"])
def test_the_exact_average_velocity_is_where_the_loss_is_least(predicts, derivative, monkeypatch):
    """Without guidance the target has the noise of y and y1, but none that x_t and y_s know of."""
    count, seen = 200_000, {}
    monkeypatch.setattr(tmd, "adaptive", lambda u, target, *_: seen.update(apart=u - target) or u.sum((1, 2)))
    at = torch.full((count,), 0.9, dtype=torch.float64), torch.full((count,), 0.0, dtype=torch.float64)
    monkeypatch.setattr(tmd, "sample_intervals", lambda *_: at)
    student = ExactInner(predicts)
    x = student.mu + student.sigma * noise(count, 1, 1).double()
    config = tmd.Config(equal=0.0, predicts=predicts, derivative=derivative, delta=1e-4)

    def bias() -> float:
        """How much of u - target is linear in what is known; the world is Gaussian, so all that is known of it."""
        torch.manual_seed(1)
        tmd.tm_mf_loss(student, x, Conditions(x, x[:, 0, 0], x, x), config)
        torch.manual_seed(1)
        torch.randint(1, (count,))
        x1, y1 = torch.randn_like(x), torch.randn_like(x)
        y_s = 0.1 * (x1 - x if predicts == "difference" else x) + 0.9 * y1
        known = torch.cat([torch.ones_like(x), y_s, (1 - student.t) * x + student.t * x1], 2)[:, 0]
        return (known @ torch.linalg.lstsq(known, seen["apart"][:, 0]).solution).square().mean().sqrt().item()

    assert bias() < 0.01
    difference, exact = tmd.central_difference, tmd.forward_mode
    monkeypatch.setattr(tmd, "central_difference", lambda *given: -difference(*given))
    monkeypatch.setattr(tmd, "forward_mode", lambda *given: -exact(*given))
    assert bias() > 0.1


class GuidedInner(Student):
    """A world of one point, x = mu, guided away from y_null = c y_s. The guided flow is dy/ds = (k y - b) / s with
    k = 1 + (w - 1) c and b = w mu, so y_r = b/k + (y_s - b/k) (r/s)^k: its average velocity is known, and curved."""

    mu, c, w = 0.7, 0.4, 3.0
    time_dtype = torch.float64

    def __init__(self):
        torch.nn.Module.__init__(self)
        self.config = StudentConfig(predicts="data")
        self.outer_grid, self.inner_grid = [0.0, 0.999], [0.0, 0.7, 0.999]

    def base(self, conditions):
        told = conditions.prompt_dropout_mask is None
        return torch.full_like(conditions.level, float(told))

    def backbone(self, x, t, conditions, base):
        return x

    def head(self, y, s, r, x_t, base):
        s, r, told = s[:, None, None], r[:, None, None], base[:, None, None] > 0
        k, b = 1 + (self.w - 1) * self.c, self.w * self.mu
        below = b / k + (y - b / k) * (r / s) ** k
        u = torch.where(s > r, (y - below) / (s - r).clamp(min=1e-9), (k * y - b) / s)
        return (x_t - torch.where(told, y - s * u, self.c * y)) / 0.999


@pytest.mark.parametrize("derivative", ["difference", "jvp"])
def test_the_exact_guided_average_velocity_has_no_loss(derivative, monkeypatch):
    torch.manual_seed(0)
    student, x = GuidedInner(), torch.full((512, 1, 1), GuidedInner.mu, dtype=torch.float64)
    config = tmd.Config(equal=0.25, predicts="data", guidance=3.0, derivative=derivative, delta=1e-5)
    loss = lambda: tmd.tm_mf_loss(student, x, Conditions(x, x[:, 0, 0], x, x), config)[0]  # noqa: E731
    assert loss().mean() < 1e-5
    difference, exact = tmd.central_difference, tmd.forward_mode
    monkeypatch.setattr(tmd, "central_difference", lambda *given: -difference(*given))
    monkeypatch.setattr(tmd, "forward_mode", lambda *given: -exact(*given))
    assert loss()[128:].mean() > 0.1


class Gaussian(torch.nn.Module):
    """The exact velocity of x ~ N(mu, sigma^2), as a teacher."""

    mu, sigma = 0.5, 0.3

    def forward(self, x_t, t, _):
        t = t[:, None, None]
        variance = (1 - t) ** 2 * self.sigma**2 + t**2
        return (t - (1 - t) * self.sigma**2) / variance * (x_t - (1 - t) * self.mu) - self.mu


@pytest.mark.parametrize(("t", "s"), [(0.999, 0.999), (0.999, 0.3), (0.909, 0.5), (0.6, 0.05)])
def test_the_teachers_target_is_the_conditional_mean(t, s):
    # Linear regression of y on (x_t, y_s) from samples against the closed combination.
    count, world = 400_000, Gaussian()
    x = world.mu + world.sigma * noise(count, 1, 1, seed=1).double()
    x1, y1 = noise(count, 1, 1, seed=2).double(), noise(count, 1, 1, seed=3).double()
    x_t, y = (1 - t) * x + t * x1, x1 - x
    y_s = (1 - s) * y + s * y1
    t_, s_ = torch.full((count,), t), torch.full((count,), s)
    mean = tmd.teacher_mean(world, x_t, t_, y_s, s_, None, 1.0)[:, 0, 0].double()
    design = torch.cat([torch.ones_like(x_t[:, 0]), x_t[:, 0], y_s[:, 0]], 1)
    fitted = (design @ torch.linalg.lstsq(design, y[:, 0]).solution)[:, 0]
    assert (mean - fitted).square().mean().sqrt() < 6e-3
    assert (y[:, 0, 0] - mean).square().mean() <= (y[:, 0, 0] - fitted).square().mean() * 1.002


def test_at_m_1_the_inner_flow_from_y1_is_the_teachers_flow():
    # With the exact head (teacher_mean as head at r = s) many small inner steps reproduce the ODE of the teacher.
    world = Gaussian()
    x_t, y1 = noise(2000, 1, 1, seed=1), noise(2000, 1, 1, seed=2)
    t, y, steps = torch.full((2000,), 0.999), y1.clone(), 200
    for index in range(steps, 0, -1):
        s = torch.full((2000,), 0.999 * index / steps)
        head = tmd.teacher_mean(world, x_t, t, y, s, None, 1.0)
        y = y - 0.999 / steps * (y1 - head) if index == steps else y - 0.999 / steps * ((y - head) / s[:, None, None])
    x = x_t - 0.999 * y
    assert x.mean() == pytest.approx(world.mu, abs=0.03) and x.std() == pytest.approx(world.sigma, abs=0.03)


@pytest.mark.parametrize(
    "changes",
    [{}, {"predicts": "data"}, {"target": "teacher"}, {"guidance": 2.0}, {"derivative": "jvp"}, {"equal": 1.0}],
)
def test_gradients_reach_every_part_and_never_the_teacher(changes):
    teacher = tiny_teacher().requires_grad_(False)
    config = tmd.Config(**changes)
    student = Student(teacher, StudentConfig(predicts=config.predicts))
    conditions = drop_prompts(tiny_conditions(8), 0.3)
    loss, metrics = tmd.tm_mf_loss(student, noise(8, TOKENS, CHANNELS), conditions, config, teacher)
    loss.mean().backward()
    names = dict(student.named_parameters())
    for part in (
        "dit.patch.weight",
        "dit.blocks.0.up.weight",
        "dit.blocks.3.up.weight",
        "fusion.gate",
        "fusion.up.weight",
    ):
        assert names[part].grad.abs().max() > 0, part
    assert names["interval.out.weight"].grad.abs().max() > 0
    assert all(p.grad is None for p in teacher.parameters())
    assert torch.isfinite(metrics["error"])


def test_plain_transition_matching_leaves_the_embedding_of_the_interval_silent(tmp_path):
    world, teacher = write_world(tmp_path / "world"), save(tmp_path, "teacher", "teacher", tiny_teacher())
    told = [f"data={world}", f"runs={tmp_path}", f"teacher={teacher}", "batch=8", "codec=none", "loss_power=0"]
    for equal, silent in ((1.0, True), (0.75, False)):
        more = ["max_steps=3", "warmup_steps=1", f"equal={equal}", f"name=at{equal}", "head_blocks=1"]
        tmd.run(load_config(tmd.Config, None, [*told, *more]))
        student = load_student(tmp_path / f"at{equal}/student.pt", averaged=False)
        assert (student.interval(torch.tensor([0.0, 0.5, 0.9])).abs().max() == 0) == silent


def test_a_run_learns_opens_the_gate_and_own_histories_come_from_the_student(tmp_path, capsys):
    world = write_world(tmp_path / "world")
    shape = ["network=dit", "columns=3", "width=24", "blocks=3", "heads=2", "frequencies=8"]
    common = [f"data={world}", f"runs={tmp_path}", "batch=16", "codec=none", "warmup_steps=10", "ema=0.98"]
    common.append("loss_power=0")
    teacher_stage.run(load_config(teacher_stage.Config, None, [*common, *shape, "max_steps=60", "learning_rate=4e-3"]))
    config = load_config(
        tmd.Config,
        None,
        [*common, f"teacher={tmp_path}/teacher/teacher.pt", "max_steps=120", "learning_rate=2e-3", "head_blocks=1",
         "rollout_history=0.25", "rollout_after=0.5"],
    )  # fmt: skip
    tmd.run(config)
    assert capsys.readouterr().err.count("|h0 - m| / |m| = ") == 1
    student, teacher = load_student(tmp_path / "tmd/student.pt"), load_teacher(tmp_path / "teacher/teacher.pt")
    assert student.gate > 0.048
    assert student.interval(torch.tensor([0.1, 0.9])).std(0).max() > 1e-4
    windows = WindowDataset(Latents(world, "validation"), student.dit.config)
    target, conditions = windows.gather(windows.fixed(64))
    draw = noise(64, 2, TOKENS, CHANNELS)
    error = lambda model: (model.next_latent(draw, conditions) - target).square().mean()  # noqa: E731
    with torch.no_grad():
        assert error(student) < error(Student(teacher, StudentConfig(head_blocks=1)))

    own = RolloutHistory(windows, 0.5, 3, 8, 0.1, student.dit.noise_unit(), pool=8)
    sampler = StudentSampler(student)
    for _ in range(12):
        recorded, dreamed, age = own.take(sampler)
        assert (own.age <= 3).all() and (own.age >= 0).all()
        assert (age > 0).all()
    which = (own.cursor - own.count + torch.arange(own.count).numpy()) % 8
    expected, recorded_conditions = windows.gather(own.row[which], own.flip[which])
    torch.testing.assert_close(recorded, expected)
    torch.testing.assert_close(dreamed.actions, recorded_conditions.actions)
    assert (dreamed.history[:, 0] - recorded_conditions.history[:, 0]).abs().max() > 0
    grid = student.dit.config.grid  # telemetry is the recorded one
    torch.testing.assert_close(dreamed.history[:, :, grid:], recorded_conditions.history[:, :, grid:])
    oldest = dreamed.history[:, -1], recorded_conditions.history[:, -1]
    torch.testing.assert_close(*oldest)  # 4 ticks ago: still recorded
    assert (dreamed.level > 0).all()  # the drift of what was dreamed
    assert own.drift(target, target).abs().max() == 0

    quick = RolloutHistory(windows, 0.5, 4, 8, 0.1, student.dit.noise_unit(), pool=4, hop=2)
    first = quick.row.copy()
    assert (quick.take(sampler)[2] == 2).all() and (quick.row == first + 2).all()
    unit = student.dit.noise_unit()
    torch.testing.assert_close(own.drift(target + 0.7 * unit, target), torch.full((len(target),), 0.7))
    free = RolloutHistory(windows, 0.5, 3, 8, 0.1, unit, anchored=False, pool=8)
    for _ in range(3):
        _, dreamed, _ = free.take(sampler)
    assert (dreamed.level == 0.1).all()
    recorded = windows.gather(free.row[:4], free.flip[:4])[1]
    assert (dreamed.history[:, 0, grid:] - recorded.history[:, 0, grid:]).abs().max() > 1e-3
    mixed_target, mixed, age = own.mix(target[:8], conditions[:8], sampler)
    assert mixed_target.shape[0] == len(mixed.level) == 8 and (age > 0).sum() == 4
    assert (mixed.level[age > 0] > 0).all() and not mixed.level[age == 0].any()


@torch.no_grad()
def test_the_fusion_says_how_far_it_moves_the_features():
    student, told = tiny_student(), []
    y, _, features, base = inputs(student)
    s = torch.full((5,), 0.999)
    tmd.say_fusion(SimpleNamespace(say=told.append, step=0), student)
    for gate in (0.0, 3.0):
        student.fusion.gate.fill_(gate)
        student.head(y, s, s, features, base)
    student.fusion.gate.fill_(30.0)  # all of e' comes through, at 0 half of it
    condition = torch.nn.functional.silu(base + student.dit.time(s))
    whole = student.fusion(features, student.dit.patch(y), student.dit.blocks[student.depth], condition)
    assert told == [f"|h0 - m| / |m| = {0.5 * (whole - features).norm() / features.norm():.3g} at step 0"]


def test_another_student_to_start_from_is_refused(tmp_path):
    teacher = save(tmp_path, "teacher", "teacher", tiny_teacher())
    init = save(tmp_path, "first", "student", tiny_student(predicts="data", inner_steps=4))
    told = [f"runs={tmp_path}", f"teacher={teacher}", f"init={init}"]
    start = lambda *more: tmd.run(load_config(tmd.Config, None, [*told, *more]))  # noqa: E731
    with pytest.raises(
        UserError, match="inner_steps is 4 there and 2 here; predicts is data there and difference here"
    ):
        start()
    with pytest.raises(UserError, match="predicts is data there and difference here"):
        start("inner_steps=4", "target=teacher", "gate_init=-1")  # which the check of the keys alone lets through
    wide = save(tmp_path, "wide", "teacher", tiny_teacher(width=48))
    with pytest.raises(
        UserError, match="first/student.pt is of another teacher than .*wide/.*width is 24 there and 48"
    ):
        start("inner_steps=4", "predicts=data", f"teacher={wide}")


def test_impossible_settings_are_refused():
    with pytest.raises(UserError, match="target must be one of data, teacher"):
        tmd.check(tmd.Config(target="both"))
    with pytest.raises(UserError, match="equal is a part"):
        tmd.check(tmd.Config(equal=2.0))
    assert DiT(tiny_config()).config.blocks == 4
