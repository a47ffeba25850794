"""Stage 1 of TMD: transition-matching MeanFlow (TM-MF, arXiv 2601.09881 section 3.2, A.2). One file, one method.

The inner flow map is learnt from data, by the identity of MeanFlow (Eq. 10):

    u(y_s, s, r; m)  ->  sg( v - (s - r) du/ds )

with d/ds along the path (dy_s/ds = v), by central differences: two head calls without gradient, and only for the
quarter of the batch where r < s. v is the velocity y1 - y, guided by the student itself where guidance is not 1:
u_null + w (v - u_null), which is y1 - y* with the guided y* = y_null + w (y - y_null), or (y_s - y*) / s for y = x.

Beyond the paper, behind `target: teacher`: y_s and x_t are two independent noisy looks at the same x, so their
sufficient statistic is one noisy latent, at which the teacher knows E[x] (`teacher_mean`; at M = 1 the inner flow is
the teacher's own flow, and with y = x the look is y_s itself). The target then has no sampling noise, for a third more
compute, and guidance is the teacher's: by words, and by actions.

Under autocast the derivative is in float32: it divides a small difference by `delta`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from distill.checkpoints import differing
from distill.config import UserError
from distill.distributed import seed_everything
from distill.methods.teacher import split_times
from distill.models.dit import Conditions, DiT, guidance_at, guided
from distill.models.one_step_student import make_student
from distill.models.sampler import load_student, load_teacher
from distill.models.student import Student, StudentConfig, shifted, trainable
from distill.training.run import Run
from distill.training.student_loop import StudentTraining, require_teacher, student_architecture, train_student

CLIP = (0.001, 0.999)  # of s and of the times of stage 2


@dataclass
class Config(StudentTraining):
    name: str = "tmd"
    init: str = ""  # a student checkpoint to start from instead of the teacher
    outer_steps: int = 1
    inner_steps: int = 2
    head_blocks: int = 2
    outer_shift: float = 10.0
    inner_shift: float = 10.0
    fusion: str = "gated"
    predicts: str = "difference"  # difference: y = x1 - x | data: y = x (ablation)
    fusion_ratio: int = 2
    gate_init: float = -3.0
    equal: float = 0.75  # part of the batch with r = s; 1 is plain transition matching (the ablation)
    s_shift: float = 3.0  # of uniform s
    low_times: float = 0.0  # above 0: half of s near 1 and half below it instead, as the U-Net teacher's times
    delta: float = 5e-3  # of the finite difference
    derivative: str = "difference"  # difference | jvp (exact, slower)
    tangent: str = "guided"  # guided | raw
    target: str = "data"  # data | teacher
    weight_constant: float = 1.0  # c / d


def student_config(config) -> StudentConfig:
    return StudentConfig(**{f.name: getattr(config, f.name) for f in fields(StudentConfig) if hasattr(config, f.name)})


def sample_times(batch: int, config: Config, conditions: Conditions, device, dtype=None) -> Tensor:
    """s [B]; all times alike for first frames."""
    if config.low_times:
        return split_times(batch, config.low_times, conditions.first, device)
    return shifted(torch.rand(batch, device=device, dtype=dtype), config.s_shift)


def sample_intervals(s: Tensor, equal: float, grid: list[float]) -> tuple[Tensor, Tensor]:
    """s [B] kept within CLIP and the grid, and r [B]: the next lower point of the grid, or s in the first rows."""
    s = s.clamp(CLIP[0], grid[-1])
    points = torch.tensor(grid[:-1], device=s.device, dtype=s.dtype)
    r = points[(points[None] <= s[:, None]).sum(1) - 1]
    same = round(equal * len(s))
    return s, torch.cat([s[:same], r[same:]])


def central_difference(call, y: Tensor, s: Tensor, r: Tensor, tangent: Tensor, delta: float) -> Tensor:
    """d/ds call(y_s, s) along dy/ds = tangent: [B,T,C]. One-sided where s would leave its range or pass r (FastGen's
    rule)."""
    low, high = CLIP
    above = torch.where(s + delta <= high, s + delta, s)
    below = torch.where((s - delta >= low) & (s - delta > r), s - delta, s)
    at = lambda to: call(y + (to - s)[:, None, None] * tangent, to)  # noqa: E731
    return (at(above) - at(below)) / (above - below).clamp(min=1e-6)[:, None, None]


def forward_mode(call, y: Tensor, s: Tensor, tangent: Tensor) -> Tensor:
    """The same derivative, exact. Of PyTorch's attentions only the plain one has it."""
    with sdpa_kernel(SDPBackend.MATH):
        return torch.func.jvp(call, (y, s), (tangent, torch.ones_like(s)))[1]


@torch.no_grad()
def teacher_mean(
    teacher: DiT,
    x_t: Tensor,
    t: Tensor,
    y_s: Tensor,
    s: Tensor,
    conditions: Conditions,
    guidance: float | Tensor,
    action_guidance: float = 1.0,
    predicts: str = "difference",
) -> Tensor:
    """E[y | x_t, y_s] by the teacher, guided, [B,T,C], of two noisy looks at x. x_t is one with noise t / (1 - t).

    Where y = x: y_s is one with noise s / (1 - s).
    Where y = x1 - x = (x_t - x) / t: y_s = a (x_t - x) + s y1 with a = (1 - s) / t, so z = a x_t - y_s = a x - s y1 is
    one with noise s / a.

    By precision the two are x + noise of variance 1 / P."""
    t, s = t[:, None, None].double(), s[:, None, None].double()
    a = (1 - s).clamp(min=1e-6) / (1 if predicts == "data" else t)
    look = y_s if predicts == "data" else a * x_t - y_s
    first, second = ((1 - t) / t) ** 2, (a / s) ** 2
    root = (first + second).sqrt()
    weighed = (1 - t) / t**2 * x_t + a / s**2 * look  # (first + second) (x + noise / root)
    tau = 1 / (1 + root)
    x_tau = (tau * weighed / root).float()  # (1 - tau) x + tau noise
    tau = tau.float()
    x = x_tau - tau * guided(teacher, x_tau, tau[:, 0, 0], conditions, guidance, action_guidance)
    return x if predicts == "data" else (x_t - x) / t.float()


def tm_mf_loss(
    student: Student,
    x: Tensor,
    conditions: Conditions,
    config: Config,
    teacher: DiT | None = None,
    weights: Tensor | None = None,
    same: int | None = None,
):
    """The loss [B] and what to log. x [B,T,C] is the change that was recorded, conditions as the student sees them;
    weights [T,C] of the errors, made even over the times as the teacher's. The first `same` rows go without the
    derivative (by default those with r = s; to ask for it in more rows costs time and changes nothing)."""
    batch, device = len(x), x.device
    grid = torch.tensor(student.outer_grid[1:], device=device, dtype=student.time_dtype)
    t = grid[torch.randint(len(grid), (batch,), device=device)]
    time = t[:, None, None]
    x1, y1 = torch.randn_like(x), torch.randn_like(x)
    x_t = (1 - time) * x + time * x1
    y = x1 - x if student.config.predicts == "difference" else x
    s = sample_times(batch, config, conditions, device, student.time_dtype)
    s, r = sample_intervals(s, config.equal, student.inner_grid)
    weights = 1.0 if weights is None else weights * student.dit.loss_weight(s, conditions)
    y_s = (1 - s)[:, None, None] * y + s[:, None, None] * y1

    base = student.base(conditions)
    features = student.backbone(x_t, t, conditions, base)
    everyone = slice(None)

    def estimate(y_s: Tensor, s: Tensor, r: Tensor, features: Tensor, base: Tensor, rows=everyone) -> Tensor:
        return student.estimate(student.head(y_s, s, r, features, base), x_t[rows], time[rows])

    def average(y_s: Tensor, s: Tensor, r: Tensor, features: Tensor, base: Tensor, rows=everyone) -> Tensor:
        return student.average(estimate(y_s, s, r, features, base, rows), y_s, s[:, None, None], y1[rows])

    u = average(y_s, s, r, features, base)
    with torch.no_grad():
        raw = y
        kept = torch.ones(batch, dtype=torch.bool, device=device)
        if conditions.prompt_dropout_mask is not None:
            kept = ~conditions.prompt_dropout_mask
        if config.target == "teacher":
            w = guidance_at(config.guidance, config.guidance_ticks, conditions)
            predicts = student.config.predicts
            y = teacher_mean(teacher, x_t, t, y_s, s, conditions, w, config.action_guidance, predicts)
        elif config.guidance != 1.0:
            w = torch.where(kept, guidance_at(config.guidance, config.guidance_ticks, conditions), 1.0)
            rows = (w != 1).nonzero()[:, 0] if config.guidance_ticks else everyone
            null = conditions[rows].without_prompt()
            base_null = student.base(null)
            features_null = student.backbone(x_t[rows], t[rows], null, base_null)
            y_null = estimate(y_s[rows], s[rows], s[rows], features_null, base_null, rows)
            y = y.clone()
            y[rows] += (w[rows] - 1)[:, None, None] * (y[rows] - y_null)
        target = student.average(y, y_s, s[:, None, None], y1)  # v, guided: for y = x its y* is over s too
        same = round(config.equal * batch) if same is None else same
        if same < batch:
            rest = slice(same, batch)
            tangent = target[rest] if config.tangent == "guided" else (y1 - raw)[rest]
            m, b = features[rest].detach(), base[rest].detach()
            if torch.is_autocast_enabled(device.type):
                m, b = m.float(), b.float()
            call = lambda y_s, s: average(y_s, s, r[rest], m, b, rest)  # noqa: E731
            with torch.autocast(device.type, enabled=False):
                if config.derivative == "jvp":
                    derivative = forward_mode(call, y_s[rest], s[rest], tangent)
                else:
                    derivative = central_difference(call, y_s[rest], s[rest], r[rest], tangent, config.delta)
            target = torch.cat([target[:same], target[rest] - (s - r)[rest, None, None] * derivative])
    error = (weights * (u.detach() - y1 + raw).square()).mean()
    return adaptive(u, target, config.weight_constant, weights), {"error": error}


def adaptive(u: Tensor, target: Tensor, constant: float, weights: Tensor | float = 1.0) -> Tensor:
    """|e|^2 / sg(|e|^2 + c) with c = constant * d, the norm summed over the d numbers of a sample: [B]."""
    error = (weights * (u - target).square()).flatten(1).sum(1)
    return error / (error.detach() + constant * u[0].numel())


def check(config: Config) -> None:
    for name, allowed in (
        ("target", ("data", "teacher")),
        ("derivative", ("difference", "jvp")),
        ("tangent", ("guided", "raw")),
    ):
        if getattr(config, name) not in allowed:
            raise UserError(f"{name} must be one of {', '.join(allowed)}, not {getattr(config, name)}")
    if config.target == "data" and config.action_guidance != 1.0:
        raise UserError("action_guidance is the teacher's, so it needs target=teacher; set it to 1 for target=data")
    if not 0 <= config.equal <= 1:
        raise UserError(f"equal is a part of the batch, 0..1, not {config.equal}")


def say_fusion(run: Run, student: Student) -> None:
    """Says of the first call of the head how far the fusion moves the features: |h0 - m| / |m|, in the paper little at
    the start (A.1)."""

    def report(_, given: tuple, h0: Tensor) -> None:
        hook.remove()
        m = given[0].detach().float()
        run.say(f"|h0 - m| / |m| = {float((h0.detach().float() - m).norm() / m.norm()):.3g} at step {run.step}")

    hook = student.fusion.register_forward_hook(report)


def begin_from(config: Config, teacher: DiT) -> Student:
    """The student of `init`, which has to be the one that the configuration describes."""
    student = load_student(config.init, averaged=False)
    require_teacher(student, config.init, teacher, config.teacher)
    there, here = asdict(student.config), asdict(student_config(config))
    found = differing(there, here | {"gate_init": there["gate_init"]})  # the gate has moved on from there
    if found:
        raise UserError(f"init={config.init} is another student than is asked for: {found}. Set these keys as there")
    return student


def run(config: Config) -> None:
    check(config)
    seed_everything(config.seed)
    teacher = load_teacher(config.teacher)
    student = begin_from(config, teacher) if config.init else make_student(teacher, student_config(config))
    trainable(student)
    if config.equal == 1:
        # With r = s alone it would learn a constant, and then say anything of the steps that stage 2 takes and play.
        student.interval.requires_grad_(False)
    run = Run(config, "student", student_architecture(student))
    student, teacher = student.to(run.device), teacher.to(run.device)

    def loss_of(x: Tensor, conditions: Conditions, weights: Tensor) -> tuple[Tensor, dict]:
        loss, metrics = tm_mf_loss(student, x, conditions, config, teacher, weights)
        return loss, metrics | {"gate": student.gate}

    say_fusion(run, student)
    train_student(run, config, student, loss_of, teacher)
