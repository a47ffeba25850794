"""The oracles of stage 2: the gradient of VSD, who learns from what, gradients through inner steps, a whole run."""

import pytest
import torch

from distill.checkpoints import load_checkpoint
from distill.config import UserError, load_config
from distill.methods import dmd, tmd
from distill.methods import teacher as teacher_stage
from distill.models.discriminator import (
    Discriminator,
    FrameDiscriminator,
    discriminator_loss,
    generator_loss,
    smoothness,
)
from distill.models.dit import DiT
from distill.models.fake_score import FakeScore
from distill.models.one_step_student import OneStepStudent
from distill.models.sampler import load_student
from distill.models.student import Student, StudentConfig
from distill.tests.tiny import CHANNELS, TOKENS, noise, save, tiny_conditions, tiny_teacher, write_world
from distill.tests.wan.ranks import on_ranks
from distill.training.run import Run


def stage(**changes) -> dmd.Stage2:
    torch.manual_seed(0)
    student = Student(tiny_teacher(), StudentConfig(inner_steps=3, outer_steps=changes.pop("outer_steps", 1)))
    with torch.no_grad():
        student.interval.out.weight.normal_(std=0.05)
    teacher = tiny_teacher().requires_grad_(False)
    made = dmd.Stage2(dmd.Config(discriminator_width=8, **changes), student, teacher)
    with torch.no_grad():  # a fake score that has moved
        for parameter in made.fake.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return made


def test_the_vsd_gradient_is_the_weighted_difference_of_the_scores():
    sample = noise(2, TOKENS, CHANNELS).requires_grad_()
    fake, teacher = noise(2, TOKENS, CHANNELS, seed=3), noise(2, TOKENS, CHANNELS, seed=4)
    dmd.vsd_loss(sample, fake, teacher).sum().backward()
    weight = 1 / ((sample - teacher).abs().mean((1, 2), keepdim=True) + 1e-6)
    torch.testing.assert_close(sample.grad, (weight * (fake - teacher) / (TOKENS * CHANNELS)).detach())
    sample.grad = None
    dmd.vsd_loss(sample, fake, teacher, "difference").sum().backward()
    printed = (fake - teacher) / (fake - teacher).abs().sum((1, 2), keepdim=True)  # over its L1 norm
    torch.testing.assert_close(sample.grad, printed)
    made, seen = stage(normaliser="difference"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dmd, "vsd_loss", lambda sample, *given: seen.append(given[2]) or sample.sum((1, 2)))
        made.student_loss(noise(2, TOKENS, CHANNELS), tiny_conditions(2))
    assert seen == ["difference"]


def test_vsd_pulls_a_gaussian_generator_to_the_teachers_mean_and_spread():
    # Teacher: x ~ N(1, 0.5^2). Fake score: exact for the generator N(m, k^2).
    torch.manual_seed(0)
    m, k = torch.tensor(-1.0, requires_grad=True), torch.tensor(0.1, requires_grad=True)
    optimiser = torch.optim.Adam([m, k], 0.03)

    def mean(x_t, t, mu, sigma):  # E[x | x_t]
        t = t[:, None, None]
        return mu + (1 - t) * sigma**2 / ((1 - t) ** 2 * sigma**2 + t**2) * (x_t - (1 - t) * mu)

    for _ in range(300):
        sample = m + k * torch.randn(256, 1, 1)
        noised = dmd.Noised.draw(sample, 5.0)
        x_t = noised(sample)
        with torch.no_grad():
            fake, teacher = mean(x_t, noised.t, m, k), mean(x_t, noised.t, 1.0, 0.5)
        optimiser.zero_grad()
        dmd.vsd_loss(sample, fake, teacher).mean().backward()
        optimiser.step()
    assert m.item() == pytest.approx(1.0, abs=0.15) and abs(k.item()) == pytest.approx(0.5, abs=0.15)


def test_gradients_reach_the_whole_student_through_every_inner_step_and_nothing_else():
    made = stage()
    heads, original = [], made.student.head

    def head(*arguments):
        heads.append(original(*arguments))
        heads[-1].retain_grad()
        return heads[-1]

    made.student.head = head
    loss, _ = made.student_loss(noise(6, TOKENS, CHANNELS), tiny_conditions(6))
    loss.backward()
    assert len(heads) == 3 and all(h.grad.abs().max() > 0 for h in heads)
    names = dict(made.student.named_parameters())
    for part in (
        "dit.patch.weight",
        "dit.blocks.0.up.weight",
        "fusion.gate",
        "fusion.up.weight",
        "interval.out.weight",
    ):
        assert names[part].grad.abs().max() > 0, part
    assert all(p.grad is None for p in (*made.teacher.parameters(), *made.fake.parameters()))


def assert_weight_moves_the_student(made: dmd.Stage2, weight: str):
    """The student's gradient depends on this weight of the loss; it stays at 5."""
    gradients = []
    for value in (0.0, 5.0):
        setattr(made.config, weight, value)
        torch.manual_seed(4)
        made.student.zero_grad()
        made.student_loss(noise(6, TOKENS, CHANNELS), tiny_conditions(6))[0].backward()
        gradients.append(made.student.dit.patch.weight.grad.clone())
    assert (gradients[0] - gradients[1]).abs().max() > 1e-6


def test_the_discriminator_moves_the_student_through_the_teachers_features():
    assert_weight_moves_the_student(stage(), "gan")


def test_the_frame_discriminator_moves_the_student_by_its_frames():
    made, x, conditions = stage(), noise(6, TOKENS, CHANNELS), tiny_conditions(6)
    assert_weight_moves_the_student(made, "frame_gan")
    torch.testing.assert_close(  # the frame that a recorded change leads to is the recorded frame
        made.frame_logits(made.teacher.to_change(x, conditions), conditions), made.frames(x, conditions.prompt)
    )
    loss, metrics = made.critic_loss(x, conditions)
    loss.backward()
    assert all(p.grad.abs().max() > 0 for p in made.frames.parameters())
    assert 0 <= metrics["frame_accuracy"] <= 1
    losses = []
    for made.config.frame_smoothness in (0.0, 5.0):
        torch.manual_seed(4)
        losses.append(made.critic_loss(x, conditions)[0].item())
    assert losses[1] > losses[0]


def test_the_papers_discriminator_sees_recorded_histories_only():
    made, x, conditions = stage(gan=5.0), noise(6, TOKENS, CHANNELS), tiny_conditions(6)
    age = torch.tensor([0, 0, 0, 1, 5, 60])
    seen, features = [], made.teacher.features

    def watched(x_t, t, conditions, layers):
        seen.append(conditions.prompt)
        return features(x_t, t, conditions, layers)

    made.teacher.features = watched
    made.student_loss(x, conditions, age)
    made.critic_loss(x, conditions, age)
    assert len(seen) == 3 and all(torch.equal(prompt, conditions.prompt[:3]) for prompt in seen)


def test_without_a_recorded_history_the_papers_discriminator_waits():
    critic = stage(gan=1.0)
    x, conditions, age = noise(4, TOKENS, CHANNELS), tiny_conditions(4), torch.ones(4)
    for loss, metrics in (critic.student_loss(x, conditions, age), critic.critic_loss(x, conditions, age)):
        assert torch.isfinite(loss) and "generator" not in metrics and "discriminator" not in metrics


def test_the_scores_trust_a_history_less_the_longer_it_was_dreamed():
    made = stage(critic_level=0.5, critic_ticks=10, sample_level=0.1)
    x, conditions = noise(4, TOKENS, CHANNELS), tiny_conditions(4)
    sample, told = made.critic_inputs(x, conditions, torch.tensor([0, 5, 10, 60]))
    torch.testing.assert_close(told.level[1:], torch.tensor([0.3, 0.5, 0.5]))
    assert told.level[0] == conditions.level[0] and torch.equal(told.history, conditions.history)
    torch.testing.assert_close(  # it is the same frame that they look at
        made.teacher.to_latent(sample, told), made.teacher.to_latent(x, conditions)
    )
    assert stage().critic_inputs(x, conditions, torch.tensor([0, 5, 10, 60]))[0] is x


def test_a_dreamed_history_can_have_the_noise_that_is_stated_for_it():
    made = stage(critic_level=0.5, critic_ticks=10, sample_level=0.1, critic_noise=True)
    age = torch.tensor([0, 5, 10, 60]).repeat(64)
    x, conditions = noise(256, TOKENS, CHANNELS), tiny_conditions(256)
    sample, told = made.critic_inputs(x, conditions, age)
    added = (told.history - conditions.history) / made.teacher.noise_unit().clamp(min=1e-6)
    assert not added[age == 0].any()
    for ticks, level in ((5, 0.3), (10, 0.5), (60, 0.5)):
        assert added[age == ticks].std() == pytest.approx(level, rel=0.1)
    torch.testing.assert_close(made.teacher.to_latent(sample, told), made.teacher.to_latent(x, conditions))


def test_the_discriminator_can_look_at_times_of_its_own():
    x = noise(512, TOKENS, CHANNELS)
    at = dmd.Noised.draw(x, 5.0)
    assert stage().look(at, x) is at
    own = stage(gan_time_shift=1.0).look(at, x)
    assert own.t.mean() < 0.6 < 0.7 < at.t.mean()


def test_a_critic_update_leaves_the_student_untouched():
    made = stage()
    before = {name: value.clone() for name, value in made.student.state_dict().items()}
    critics = [*made.fake.parameters(), *made.discriminator.parameters()]
    loss, metrics = made.critic_loss(noise(6, TOKENS, CHANNELS), tiny_conditions(6))
    loss.backward()
    assert all(p.grad is None for p in (*made.student.parameters(), *made.teacher.parameters()))
    assert sum(p.grad.abs().sum() for p in critics if p.grad is not None) > 0
    torch.optim.SGD(critics, 0.1).step()
    assert all(torch.equal(value, before[name]) for name, value in made.student.state_dict().items())
    assert 0 <= metrics["discriminator_accuracy"] <= 1


def test_where_samples_come_from():
    one, two = stage(), stage(outer_steps=2, sample_from="xt")
    x, conditions = noise(6, TOKENS, CHANNELS), tiny_conditions(6)
    torch.manual_seed(2)
    first = dmd.generate(one.student, x, conditions)
    torch.manual_seed(2)
    torch.testing.assert_close(dmd.generate(one.student, x + 5, conditions), first)  # M = 1 sees no recorded x
    y = noise(6, TOKENS, CHANNELS, seed=7)
    two.student.transition = lambda *_: y
    torch.manual_seed(2)
    t = torch.tensor(two.student.outer_grid)[torch.randint(1, 3, (6,))][:, None, None]
    x1 = torch.randn_like(x)
    for sample_from, expected in (("x1", x1 - y), ("xt", (1 - t) * x + t * x1 - t * y)):
        torch.manual_seed(2)
        torch.testing.assert_close(dmd.generate(two.student, x, conditions, sample_from), expected)
    two.student.config.predicts = "data"
    torch.manual_seed(2)
    torch.testing.assert_close(dmd.generate(two.student, x, conditions, "x1"), expected)


def test_a_dreamed_history_is_gone_on_from_without_what_was_recorded_next():
    torch.manual_seed(0)
    x, conditions, age = noise(6, TOKENS, CHANNELS), tiny_conditions(6), torch.tensor([0, 3, 0, 1, 200, 0])
    for made, rollout in ((stage(outer_steps=3), True), (stage(), False)):
        samples = []
        for recorded in (x, x + 5):
            torch.manual_seed(1)
            samples.append(dmd.generate(made.student, recorded, conditions, rollout=rollout, age=age))
        same = (samples[0] == samples[1]).all(2).all(1)
        assert same.tolist() == (age > 0).tolist()


def test_a_students_own_steps_end_in_its_sample():
    student = OneStepStudent(tiny_teacher(), StudentConfig(outer_steps=3, inner_steps=1, head_blocks=0))
    x1, conditions = noise(4, TOKENS, CHANNELS), tiny_conditions(4)
    ends = dmd.backward_simulation(student, x1, torch.tensor([0, 0, 3, 2]), conditions)
    whole = student(torch.stack([x1] * 4, 1), conditions)
    torch.testing.assert_close(ends[:2], whole[:2])
    torch.testing.assert_close(ends[2], x1[2])
    first = student.velocity(x1, torch.full((4,), 0.999), torch.full((4,), student.outer_grid[2]), conditions)
    torch.testing.assert_close(ends[3], (x1 - (0.999 - student.outer_grid[2]) * first)[3])


def test_at_two_steps_the_fake_score_is_told_where_a_sample_came_from():
    one, two = stage(), stage(outer_steps=2)
    assert not isinstance(one.fake, FakeScore)
    assert not isinstance(stage(outer_steps=2, step_aware=False).fake, FakeScore)
    x, conditions, t = noise(6, TOKENS, CHANNELS), tiny_conditions(6), torch.full((6,), 0.5)
    torch.manual_seed(3)
    fresh = dmd.Stage2(two.config, two.student, two.teacher).fake
    torch.testing.assert_close(fresh(x, t, conditions, torch.full((6,), 0.9)), two.teacher(x, t, conditions))
    with torch.no_grad():
        apart = [two.fake(x, t, conditions, torch.full((6,), outer)) for outer in (0.9, 0.5)]
    assert (apart[0] - apart[1]).abs().max() > 1e-3
    told, original = [], two.fake.forward
    two.fake.forward = lambda *given: (told.append(given[-1]), original(*given))[1]
    for loss in (two.student_loss, two.critic_loss):
        torch.manual_seed(2)
        loss(x, conditions)
        torch.manual_seed(2)
        steps = torch.randint(1, 3, (6,))
        assert len(set(steps.tolist())) == 2
        torch.testing.assert_close(told[-1], torch.tensor(two.student.outer_grid)[steps])
    loss = two.critic_loss(x, conditions)[0]
    loss.backward()
    assert two.fake.outer.out.weight.grad.abs().max() > 0


@pytest.mark.parametrize("changes", [{}, {"outer_steps": 2}, {"outer_steps": 2, "step_aware": False}])
def test_student_and_critics_share_no_parameter_with_the_teacher_or_each_other(changes):
    made = stage(frame_gan=0.1, **changes)
    parts = (made.student, made.teacher, made.fake, made.discriminator, made.frames)
    places = [{parameter.data_ptr() for parameter in part.parameters()} for part in parts]
    assert sum(map(len, places)) == len(set().union(*places))
    assert not any(parameter.requires_grad for parameter in made.teacher.parameters())
    for part in (made.fake, made.discriminator, made.frames):
        assert all(parameter.requires_grad for parameter in part.parameters())


def test_without_the_rollout_the_head_is_called_once_and_from_the_recorded_flow(monkeypatch):
    made = stage()
    x, conditions, calls = noise(6, TOKENS, CHANNELS), tiny_conditions(6), []
    original = made.student.head
    made.student.head = lambda *given: (calls.append(given), original(*given))[1]
    sample = dmd.generate(made.student, x, conditions, rollout=False)
    assert len(calls) == 1 and sample.requires_grad
    y_s, s, r, *_ = calls[0]
    grid = torch.tensor(made.student.inner_grid)
    assert all(((grid[:-1] == low) & (grid[1:] == high)).any() for low, high in zip(r, s, strict=True))
    calls.clear()
    dmd.generate(made.student, x, conditions)
    assert len(calls) == 3
    # A head that knows y gives the recorded x, whatever the step.
    torch.manual_seed(5)
    x1, x_t, t = noise(6, TOKENS, CHANNELS, seed=8), noise(6, TOKENS, CHANNELS, seed=9), torch.full((6,), 0.9)
    made.student.head = lambda *given: x1 - x
    torch.testing.assert_close(made.student.single_head_step(x, x1, x_t, t, x1, conditions), x1 - x)


def test_the_discriminator_learns_to_tell_tokens_apart():
    torch.manual_seed(0)
    critic = Discriminator(24, TOKENS - 1, 3, layers=2, inner=8)
    optimiser = torch.optim.Adam(critic.parameters(), 3e-3)
    for _ in range(60):
        real, fake = ([torch.randn(16, TOKENS, 24) + shift] * 2 for shift in (0.0, torch.arange(24) / 24))
        optimiser.zero_grad()
        discriminator_loss(critic(real), critic(fake)).backward()
        optimiser.step()
    assert critic(real).mean() > critic(fake).mean() + 0.5
    assert generator_loss(torch.tensor([[5.0]])) < generator_loss(torch.tensor([[-5.0]]))


def test_the_frame_discriminator_learns_and_says_where():
    torch.manual_seed(0)
    critic = FrameDiscriminator(CHANNELS, TOKENS - 1, 3, 1, 5, width=16)
    optimiser = torch.optim.Adam(critic.parameters(), 3e-3)
    prompt = torch.zeros(32, 5)
    for _ in range(80):
        real, fake = torch.randn(32, TOKENS, CHANNELS), 0.5 * torch.randn(32, TOKENS, CHANNELS)  # blur is small numbers
        optimiser.zero_grad()
        logits = critic(real, prompt)
        loss = discriminator_loss(logits, critic(fake, prompt))
        (loss + 0.01 * smoothness(critic, real, prompt, logits=logits).mean()).backward()
        optimiser.step()
    assert logits.shape == (32, TOKENS - 1)
    assert critic(real, prompt).mean() > critic(fake, prompt).mean() + 0.5
    assert (critic(real + torch.randn(1, TOKENS, 1), prompt) - critic(real, prompt)).abs().max() > 0
    linear = lambda latent, _: latent.sum(2) * 3  # noqa: E731  |gradient|^2 is 9 C everywhere
    wide = torch.zeros(4096, TOKENS, CHANNELS)
    rough = smoothness(linear, wide, prompt, logits=linear(wide, prompt)).mean()
    assert rough.item() == pytest.approx(9 * CHANNELS, rel=0.05)


def test_impossible_settings_are_refused():
    for changes, text in (
        ({"layers": [4]}, "0..3"),
        ({"sample_from": "x"}, "sample_from"),
        ({"student_every": 0}, "at least 1"),
    ):
        with pytest.raises(UserError, match=text):
            stage(**changes)
    with pytest.raises(UserError, match="rows of 4"):
        Discriminator(24, TOKENS, 4, layers=1)
    assert dmd.default_layers(30) == [15, 22, 29]


def test_a_student_of_another_teacher_is_refused(tmp_path):
    world, teacher = write_world(tmp_path / "world"), tiny_teacher()
    student = save(tmp_path, "tmd", "student", Student(teacher, StudentConfig()))
    told = [f"data={world}", f"runs={tmp_path}", "codec=none", "batch=4", "max_steps=1", f"student={student}"]

    def refuse(name: str, other: DiT, reason: str):
        path = save(tmp_path, name, "teacher", other)
        with pytest.raises(UserError, match=f"student.pt is of another teacher than .*{name}/teacher.pt: {reason}"):
            dmd.run(load_config(dmd.Config, None, [*told, f"teacher={path}"]))

    refuse("deep", tiny_teacher(blocks=5), "blocks is 4 there and 5 here")
    refuse("noise", tiny_teacher(noise_unit="root"), "noise_unit is change there and root here")
    units = tiny_teacher()
    units.delta_std[0, 0] *= 1.5
    refuse("units", units, "delta_std.* differs")
    teacher.load_state_dict({name: value.half().float() for name, value in teacher.state_dict().items()})
    kept = save(tmp_path, "kept", "teacher", teacher)
    dmd.run(load_config(dmd.Config, None, [*told, f"teacher={kept}", "discriminator_width=8"]))


def test_without_a_student_the_teacher_is_one_with_a_head_or_without(tmp_path):
    world, teacher = write_world(tmp_path / "world"), save(tmp_path, "teacher", "teacher", tiny_teacher())
    told = [f"data={world}", f"runs={tmp_path}", f"teacher={teacher}", "student=none", "codec=none", "batch=4"]
    for shape in ((2, 1, 0), (2, 3, 1)):
        names = ("outer_steps", "inner_steps", "head_blocks")
        options = [f"{name}={value}" for name, value in zip(names, shape, strict=True)]
        dmd.run(load_config(dmd.Config, None, [*told, *options, "max_steps=2", "student_every=2"]))
        made = load_student(tmp_path / "dmd/student.pt").config
        assert (made.outer_steps, made.inner_steps, made.head_blocks) == shape


def test_the_student_takes_every_third_turn_and_the_critics_the_others(tmp_path, monkeypatch):
    world, teacher = write_world(tmp_path / "world"), save(tmp_path, "teacher", "teacher", tiny_teacher())
    student = save(tmp_path, "tmd", "student", Student(tiny_teacher(), StudentConfig()))
    kept, moved, track, backward = {}, [], Run.track, Run.backward
    monkeypatch.setattr(Run, "track", lambda run, **parts: (kept.update(parts), track(run, **parts)))
    sides = {"student": "model", "fake": "fake", "discriminator": "discriminator"}

    def weights() -> dict:
        return {side: [p.detach().clone() for p in kept[part].parameters()] for side, part in sides.items()}

    def watched(run, *given):
        # What the other side's turn left would be added to this one's gradients.
        assert all(p.grad is None for part in sides.values() for p in kept[part].parameters())
        before = weights()
        backward(run, *given)
        now = weights()
        moved.append([s for s in sides if any(not torch.equal(a, b) for a, b in zip(before[s], now[s], strict=True))])

    monkeypatch.setattr(Run, "backward", watched)
    told = [f"data={world}", f"runs={tmp_path}", f"teacher={teacher}", f"student={student}", "codec=none", "batch=4"]
    dmd.run(load_config(dmd.Config, None, [*told, "max_steps=5", "student_every=3", "discriminator_width=8"]))
    critics = ["fake", "discriminator"]
    assert moved == [["student"], critics, critics, ["student"], critics]


def networks_of_a_run(stage, config, folder) -> None:
    """Runs a stage and leaves what its networks are on this rank."""
    kept, track = {}, Run.track
    Run.track = lambda run, **parts: (kept.update(parts, rank=run.rank), track(run, **parts))
    stage.run(config)
    networks = {name: part.state_dict() for name, part in kept.items() if isinstance(part, torch.nn.Module)}
    torch.save(networks, folder / f"{config.name}-{kept['rank']}.pt")


def test_two_ranks_train_one_student(tmp_path):
    world, teacher = write_world(tmp_path / "world"), save(tmp_path, "teacher", "teacher", tiny_teacher())
    common = [f"data={world}", f"runs={tmp_path}", f"teacher={teacher}", "codec=none", "batch=4"]
    common += ["max_steps=3", "rollout_history=0.5"]
    first = load_config(tmd.Config, None, [*common, "loss_power=0"])
    critics = [f"student={tmp_path}/tmd/student.pt", "student_every=2", "discriminator_width=8"]
    for stage, config in ((tmd, first), (dmd, load_config(dmd.Config, None, [*common, *critics]))):
        assert on_ranks(2, tmp_path / "ranks", networks_of_a_run, stage, config, tmp_path) == ["", ""]
        one, other = (torch.load(tmp_path / f"{config.name}-{rank}.pt") for rank in range(2))
        for network in one:
            for name, value in one[network].items():
                assert torch.equal(value, other[network][name]), f"{network} {name}"


def test_a_whole_run_and_its_resume(tmp_path):
    world = write_world(tmp_path / "world")
    common = [f"data={world}", f"runs={tmp_path}", "batch=8", "codec=none", "warmup_steps=5"]
    shape = ["network=dit", "columns=3", "width=24", "blocks=3", "heads=2", "frequencies=8"]
    teacher_stage.run(load_config(teacher_stage.Config, None, [*common, *shape, "loss_power=0", "max_steps=5"]))
    teacher = f"teacher={tmp_path}/teacher/teacher.pt"
    tmd.run(load_config(tmd.Config, None, [*common, teacher, "loss_power=0", "max_steps=5", "head_blocks=1"]))
    own = [
        *common,
        teacher,
        f"student={tmp_path}/tmd/student.pt",
        "discriminator_width=8",
        "rollout_history=0.5",
        "frame_gan=0.1",
    ]
    dmd.run(load_config(dmd.Config, None, [*own, "max_steps=6", "student_every=3"]))
    first, second = load_student(tmp_path / "tmd/student.pt"), load_student(tmp_path / "dmd/student.pt")
    assert first.config == second.config
    assert not torch.equal(first.dit.patch.weight, second.dit.patch.weight)
    dmd.run(load_config(dmd.Config, None, [*own, "max_steps=9", "student_every=3", "resume=true"]))
    assert load_checkpoint(tmp_path / "dmd/student.pt", "student")["step"] == 9
