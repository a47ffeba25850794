"""The oracles of stage 2 and of the baselines over a U-Net: who learns from what, what counts, whole runs, resume."""

import pytest
import torch

from distill.baselines import kd, meanflow, rcm
from distill.checkpoints import load_checkpoint
from distill.config import load_config
from distill.data.dataset import WindowDataset
from distill.data.packed import Latents
from distill.methods import dmd
from distill.models.discriminator import MapDiscriminator, discriminator_loss
from distill.models.flow_student import FlowStudent
from distill.models.one_step_student import OneStepStudent, make_student
from distill.models.sampler import StudentSampler, TeacherSampler, load_student
from distill.models.student import StudentConfig
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
from distill.training.rollout_history import RolloutHistory

WEIGHTS = torch.ones(TOKENS, CHANNELS)
WEIGHTS[GRID:] = 0


def stage(outer_steps: int = 1, head: bool = True, **changes) -> dmd.Stage2:
    torch.manual_seed(0)
    plan = {"inner_steps": 3, "head_blocks": 2} if head else {"inner_steps": 1, "head_blocks": 0}
    student = unet_student(outer_steps=outer_steps, **plan)
    if head:
        with torch.no_grad():
            student.interval.out.weight.normal_(std=0.05)
    teacher = tiny_unet().requires_grad_(False)
    made = dmd.Stage2(dmd.Config(discriminator_width=8, **changes), student, teacher, WEIGHTS)
    with torch.no_grad():  # a fake score that has moved
        for parameter in made.fake.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return made


def inputs(batch: int = 6):
    return noise(batch, TOKENS, CHANNELS), unet_conditions(batch, first=True)


def test_the_features_are_those_of_the_forward_pass_at_three_grids():
    unet, (x, conditions) = tiny_unet(), inputs()
    t = torch.rand(6)
    features = unet.features(x, t, conditions, [0, 1, 2])
    assert [tuple(part.shape[1:]) for part in features] == unet.feature_shapes()
    fine = unet.backbone(x, t, conditions, len(unet.blocks))
    torch.testing.assert_close(features[2], fine)
    torch.testing.assert_close(unet.features(x, t, conditions, [1])[0], features[1])


def test_gradients_reach_backbone_fusion_and_each_head_call_and_nothing_else():
    made = stage(frame_gan=0.1)
    heads, original = [], made.student.head

    def head(*arguments):
        heads.append(original(*arguments))
        heads[-1].retain_grad()
        return heads[-1]

    made.student.head = head
    for critic in (made.fake, made.discriminator, made.frames):
        critic.requires_grad_(False)
    loss, metrics = made.student_loss(*inputs())
    loss.backward()
    assert len(heads) == 3 and all(h.grad[:, :GRID].abs().max() > 0 for h in heads)
    names = dict(made.student.named_parameters())
    told = ["dit.context.weight", "dit.coarse.0.up.weight", "dit.blocks.0.conv1.weight", "fusion.gate"]
    for name in [*told, "fusion.take.weight", "interval.out.weight"]:
        assert names[name].grad.abs().max() > 0, name
    critics = (made.teacher, made.fake, made.discriminator, made.frames, made.student.dit.instruments)
    assert all(p.grad is None for critic in critics for p in critic.parameters())
    assert {"vsd", "score_gap", "generator", "frame_generator"} <= metrics.keys()


def test_a_critic_update_leaves_the_student_untouched():
    made = stage(frame_gan=0.1)
    loss, metrics = made.critic_loss(*inputs())
    loss.backward()
    assert all(p.grad is None for p in (*made.student.parameters(), *made.teacher.parameters()))
    for critic in (made.fake, made.discriminator, made.frames):
        assert any(p.grad is not None and p.grad.abs().max() > 0 for p in critic.parameters())
    assert all(p.grad is None for p in made.fake.instruments.parameters())
    assert 0 <= metrics["discriminator_accuracy"] <= 1 and 0 <= metrics["frame_accuracy"] <= 1


@pytest.mark.parametrize("side", ["student_loss", "critic_loss"])
def test_telemetry_does_not_count(side):
    made = stage()
    x, conditions = inputs()
    losses = []
    for more in (0.0, 4.0):
        made.student.transition = lambda x_t, *_, more=more: (
            x_t - 0.5 * noise(6, TOKENS, CHANNELS, seed=9) - shift(more)
        )
        torch.manual_seed(3)
        losses.append(getattr(made, side)(x, conditions)[0])
    torch.testing.assert_close(losses[0], losses[1])


def shift(more: float) -> torch.Tensor:
    telemetry = torch.zeros(TOKENS, CHANNELS)
    telemetry[GRID:] = more
    return telemetry


def test_the_fake_scores_loss_is_the_teachers():
    made, (x, conditions) = stage(), inputs()
    noised = dmd.Noised(torch.full((6,), 0.4), noise(6, TOKENS, CHANNELS, seed=5))
    velocity = noise(6, TOKENS, CHANNELS, seed=6)
    errors = made.score_errors(velocity, x, noised, conditions)
    expected = made.teacher.loss_weight(noised.t, conditions) * (velocity - (noised.noise - x)).square()
    torch.testing.assert_close(errors, expected)
    assert made.score_errors(noised.noise - x, x, noised, conditions).max() < 1e-10


def test_under_autocast_the_scores_are_in_float32(monkeypatch):
    made, seen = stage(), []
    original = made.teacher.forward
    made.teacher.forward = lambda *given: seen.append(torch.is_autocast_enabled("cpu")) or original(*given)
    with torch.autocast("cpu", torch.bfloat16):
        made.student_loss(*inputs())
        assert torch.is_autocast_enabled("cpu")
    assert seen == [False]


def test_at_two_steps_the_fake_score_hears_the_step():
    made, (x, conditions) = stage(outer_steps=2), inputs()
    t, low, high = torch.full((6,), 0.5), torch.full((6,), 0.2), torch.ones(6)
    fresh = dmd.Stage2(made.config, made.student, made.teacher).fake
    torch.testing.assert_close(fresh(x, t, conditions, low), made.teacher(x, t, conditions))
    optimiser = torch.optim.SGD(fresh.parameters(), 0.1)
    fresh(x, t, conditions, low).square().mean().backward()
    optimiser.step()
    assert (fresh(x, t, conditions, low) - fresh(x, t, conditions, high)).abs().max() > 1e-5


def test_the_map_discriminator_tells_blurred_maps():
    torch.manual_seed(0)
    shapes = tiny_unet().feature_shapes()
    critic = MapDiscriminator(shapes, 8)
    optimiser = torch.optim.Adam(critic.parameters(), 3e-3)
    for _ in range(60):
        real = [torch.randn(8, *shape) for shape in shapes]
        fake = [torch.nn.functional.avg_pool2d(torch.randn(8, *shape), 3, 1, 1) for shape in shapes]
        optimiser.zero_grad()
        told = critic(real), critic(fake)
        discriminator_loss(*told).backward()
        optimiser.step()
    assert told[0].shape == (8, len(shapes) * shapes[0][1] * shapes[0][2])
    assert (told[0] > told[1]).float().mean() > 0.8


@pytest.mark.parametrize("steps", [1, 2])
def test_dmd2v_and_meanflow_start_as_the_teachers_euler_steps(steps):
    teacher, conditions, draw = tiny_unet(), unet_conditions(3), noise(3, 2, TOKENS, CHANNELS)
    for average in (False, True):
        plan = StudentConfig(steps, inner_steps=1, head_blocks=0, average=average)
        student = make_student(teacher, plan)
        assert isinstance(student, OneStepStudent)
        euler = TeacherSampler(teacher, steps)
        euler.grid = student.outer_grid
        torch.testing.assert_close(student.next_latent(draw, conditions), euler(draw, conditions))


def test_meanflow_learns_what_is_played():
    t, r = meanflow.sample_times(40_000, meanflow.Config(), None, "cpu")
    assert torch.equal(t[:30_000], r[:30_000]) and (t >= r).all()
    assert ((t > 0.9) & (r < 0.1)).float().mean() > 0.02


def test_a_free_rollout_history_goes_on_by_its_own_instruments(tmp_path):
    student = unet_student()
    with torch.no_grad():
        student.dit.instruments.out.bias.fill_(0.3)
    windows = WindowDataset(Latents(write_unet_world(tmp_path), "train"), student.dit.config)
    own = RolloutHistory(windows, 1.0, 5, 4, 0.1, student.dit.noise_unit(), anchored=False, pool=4)
    for _ in range(2):
        _, told, _ = own.take(StudentSampler(student))
    recorded = windows.gather(own.row, own.flip)[1]  # the whole pool is taken each time
    newest, older = told.history[:, 0, GRID:], told.history[:, 1, GRID:]
    assert (newest - recorded.history[:, 0, GRID:]).abs().max() > 0.1
    assert (told.following - recorded.following).abs().max() > 0.1
    assert not torch.equal(newest, older) and (told.level == 0.1).all()
    mixed = own.mix(*windows.gather(windows.rows[:6]), StudentSampler(student))[1]
    assert mixed.following.shape == (6, TOKENS - GRID, CHANNELS)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    world = write_unet_world(folder / "world")
    teacher = save(folder, "teacher", "teacher", tiny_unet())
    student = save(folder, "tmd", "student", unet_student())
    told = [f"data={world}", f"runs={folder}", f"teacher={teacher}", "batch=8", "codec=none", "loss_power=0"]
    return folder, [*told, "warmup_steps=2", "log_steps=2"], student


def test_stage_2_resumes_bit_for_bit(place):
    folder, told, student = place
    more = [f"student={student}", "rollout_history=0.5", "frame_gan=0.1", "student_every=2", "discriminator_width=8"]
    more += ["max_steps=6", "rollout_ticks=4"]
    configure = lambda name, *rest: load_config(dmd.Config, None, [*told, *more, f"name={name}", *rest])  # noqa: E731
    dmd.run(configure("whole"))
    half, original = configure("half", "checkpoint_minutes=0"), dmd.Run.save

    def stop_halfway(self):
        if self.step == 3 and not self.config.resume:
            self.stop("halfway")
        return original(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dmd.Run, "save", stop_halfway)
        dmd.run(half)
    dmd.run(configure("half", "resume=true"))
    whole, resumed = (load_checkpoint(folder / f"{name}/student.pt", "student") for name in ("whole", "half"))
    assert whole["step"] == resumed["step"] == 6
    for part in ("model", "fake", "discriminator", "frames"):
        for name, value in whole["state"][part].items():
            torch.testing.assert_close(value, resumed["state"][part][name], rtol=0, atol=0)
    made = load_student(folder / "whole/student.pt")
    assert isinstance(made, FlowStudent)
    before, after = (
        load_checkpoint(path, "student")["state"]["model"] for path in (student, folder / "whole/student.pt")
    )
    for name, value in before.items():
        if "instruments" in name:
            assert torch.equal(value, after[name])


def test_the_baselines_run(place):
    folder, told, _ = place
    meanflow.run(load_config(meanflow.Config, None, [*told, "max_steps=2", "velocity=teacher"]))
    kd.run(load_config(kd.Config, None, [*told, "max_steps=2", "teacher_steps=2", "teacher_shift=0.4"]))
    more = ["student_every=2", "discriminator_width=8", "max_steps=4", "rollout_history=0.5", "rollout_ticks=3"]
    for start, steps in (("none", 2), (f"{folder}/kd/student.pt", 1)):
        dmd.run(load_config(dmd.Config, None, [*told, *more, f"student={start}", "outer_steps=2", "name=dmd2v"]))
        made = load_student(folder / "dmd2v/student.pt")
        assert isinstance(made, OneStepStudent) and made.config.outer_steps == steps
    plan = ["student=none", "inner_steps=2", "head_blocks=1", "name=no-stage-1"]
    dmd.run(load_config(dmd.Config, None, [*told, *more, *plan]))
    assert isinstance(load_student(folder / "no-stage-1/student.pt"), FlowStudent)
    rcm.run(load_config(rcm.Config, None, [*told, "max_steps=4", "student_every=2", "tangent_warmup=0"]))
    assert isinstance(load_student(folder / "rcm/student.pt"), OneStepStudent)
