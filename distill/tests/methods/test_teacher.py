"""The teacher's training: windows, the loss's optimum, a whole tiny run and its exact resume, free running."""

import numpy as np
import pytest
import torch

from distill.checkpoints import load_checkpoint
from distill.config import UserError, load_config
from distill.data.dataset import CHANGE_REPEATS, CHANGE_TICKS, WindowDataset, drop_history, measure_delta_std
from distill.data.packed import Latents
from distill.methods import teacher
from distill.models.dit import Conditions
from distill.models.sampler import Rollout, TeacherSampler, load_teacher
from distill.tests.tiny import CHANNELS, PROMPT, TOKENS, noise, tiny_conditions, tiny_config, tiny_teacher, write_world
from distill.world import LONG_AGO, RING

TINY = [
    "network=dit",
    "columns=3",
    "width=24",
    "blocks=2",
    "heads=2",
    "frequencies=8",
    "batch=16",
    "codec=none",
    "loss_power=0",
    "log_steps=20",
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("world"))


def configure(world, folder, *overrides):
    return load_config(teacher.Config, None, [f"data={world}", f"runs={folder}", *TINY, *overrides])


def test_windows_know_the_future_and_the_mirror(world):
    latents = Latents(world, "train")
    windows = WindowDataset(latents, tiny_config())
    rows = windows.fixed(4)
    target, conditions = windows.gather(rows)
    np.testing.assert_array_equal(target, latents.latents[rows + 1].astype(np.float32))
    np.testing.assert_array_equal(conditions.history[:, 3], latents.latents[rows - 7].astype(np.float32))
    np.testing.assert_array_equal(conditions.actions[:, 1], latents.actions[rows - 1])
    mirrored, turned = windows.gather(rows, np.ones(4, bool))
    torch.testing.assert_close(mirrored, -target)
    torch.testing.assert_close(turned.actions[..., 0], -conditions.actions[..., 0])
    expected = np.diff(latents.latents.astype(np.float32).reshape(3, 100, TOKENS, CHANNELS), axis=1).std()
    assert measure_delta_std(windows).mean() == pytest.approx(expected, rel=0.1)


def test_frames_after_new_words_are_drawn_more_often_and_words_keep_their_length(world):
    latents = Latents(world, "train")
    latents.since = np.arange(len(latents), dtype=np.int32) % 50
    windows = WindowDataset(latents, tiny_config())
    rows, times = np.unique(windows.drawn, return_counts=True)
    np.testing.assert_array_equal(rows, windows.rows)
    np.testing.assert_array_equal(times, np.where(latents.since[rows] < CHANGE_TICKS, CHANGE_REPEATS, 1))
    assert len(windows) == len(windows.drawn)
    _, conditions = windows.training(np.arange(8))
    torch.testing.assert_close(conditions.prompt.norm(dim=1), torch.ones(8))


def test_the_loss_is_least_at_the_true_velocity():
    x, draw, t = noise(4, TOKENS, CHANNELS), noise(4, TOKENS, CHANNELS, seed=9), torch.rand(4)
    assert teacher.flow_loss(lambda *_: draw - x, x, t, draw, None).max() < 1e-10
    assert teacher.flow_loss(lambda *_: draw + x, x, t, draw, None).min() > 0.5


@pytest.mark.parametrize(
    "options", [[], ["rollout_history=0.5", "rollout_ticks=3", "rollout_steps=2", "noise_unit=root"]]
)
def test_training_resumes_exactly(world, tmp_path, options):
    teacher.run(configure(world, tmp_path, "name=whole", "max_steps=40", *options))
    # the schedule follows max_steps, so the first half keeps the whole's and stops by itself
    half = configure(world, tmp_path, "name=half", "max_steps=40", *options)
    original = teacher.Run.save

    def stop_halfway(self):
        if self.step == 20 and not self.config.resume:
            self.stop("halfway")
        return original(self)

    teacher.Run.save = stop_halfway
    half.checkpoint_minutes = 0.0
    try:
        teacher.run(half)
    finally:
        teacher.Run.save = original
    assert load_checkpoint(tmp_path / "half/teacher.pt", "teacher")["step"] == 20
    half.resume = True
    teacher.run(half)
    whole, resumed = (load_checkpoint(tmp_path / f"{name}/teacher.pt", "teacher") for name in ("whole", "half"))
    assert whole["step"] == resumed["step"] == 40
    for name, value in whole["state"]["model"].items():
        torch.testing.assert_close(value, resumed["state"]["model"][name], rtol=0, atol=0)


def test_training_learns_the_effect_of_steering(world, tmp_path):
    calm = ["history_noise=0", "sample_level=0", "prompt_dropout=0", "warmup_steps=10"]
    teacher.run(configure(world, tmp_path, "name=learn", "max_steps=250", "learning_rate=4e-3", "ema=0.98", *calm))
    dit = load_teacher(tmp_path / "learn/teacher.pt")
    windows = WindowDataset(Latents(world, "heldout"), dit.config)
    target, conditions = windows.gather(windows.fixed(64))
    draw = noise(64, 1, TOKENS, CHANNELS)
    sampler = TeacherSampler(dit, 4)
    error = (sampler(draw, conditions) - target).square().mean()
    conditions.actions = -conditions.actions
    assert error < 0.8 * (sampler(draw, conditions) - target).square().mean()


def test_euler_with_one_step_is_the_mean_and_counts_down():
    dit, conditions, draw = tiny_teacher(), tiny_conditions(2), noise(2, 1, TOKENS, CHANNELS)
    one = TeacherSampler(dit, 1)(draw, conditions)
    velocity = dit(draw[:, 0], torch.ones(2), conditions)
    torch.testing.assert_close(one, dit.to_latent(draw[:, 0] - velocity, conditions))
    assert TeacherSampler(dit, 4).grid == [0, 0.25, 0.5, 0.75, 1]
    with pytest.raises(UserError, match="at least one step"):
        TeacherSampler(dit, 0)


def test_a_rollout_is_decided_by_its_seed_and_feeds_on_itself():
    dit = tiny_teacher()
    config = dit.config
    ring, past = noise(2, 16, TOKENS, CHANNELS), torch.zeros(2, config.actions - 1, 2)
    prompt = torch.nn.functional.normalize(noise(2, PROMPT), dim=-1)

    def dream(seeds, actions):
        rollout = Rollout(TeacherSampler(dit, 2), config)
        rollout.reset(ring, past, prompt, seeds)
        return torch.stack([rollout.step(action) for action in actions]), rollout

    actions = torch.tensor([[[1.0, 0], [0, 1]]] * 3)
    first, rollout = dream([5, 2**40], actions)
    again, _ = dream([5, 2**40], actions)
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    torch.testing.assert_close(rollout.ring[:, 0], first[-1], rtol=0, atol=0)
    torch.testing.assert_close(rollout.ring[:, 3], ring[:, 0])
    assert rollout.past[0, 0].tolist() == [1.0, 0.0]
    assert not torch.equal(dream([6, 2**40], actions)[0][0, 0], first[0, 0])
    assert not torch.equal(dream([5, 2**40], -actions)[0][0, 0], first[0, 0])
    with pytest.raises(UserError, match="reset first"):
        Rollout(TeacherSampler(dit, 2), config).step(actions[0])


def test_a_rollout_knows_how_old_each_runs_words_are():
    dit, seen = tiny_teacher(), []

    class Noticing(TeacherSampler):
        def __call__(self, noise, conditions):
            seen.append(conditions.since.tolist())
            return super().__call__(noise, conditions)

    guided = Rollout(Noticing(dit, 2, 3.0, guidance_ticks=2), dit.config)
    plain = Rollout(TeacherSampler(dit, 2), dit.config)
    old, new = noise(2, PROMPT), noise(2, PROMPT, seed=7)
    new[1] = old[1]
    latents = []
    for rollout in (guided, plain):
        rollout.reset(noise(2, RING, TOKENS, CHANNELS), torch.zeros(2, dit.config.actions - 1, 2), old, [1, 2])
        rollout.step(torch.zeros(2, 2))
        rollout.set_prompt(new)
        latents.append(torch.stack([rollout.step(torch.zeros(2, 2)) for _ in range(2)]))
    assert [a[0] for a in seen] == [LONG_AGO, 0, 1] and seen[2][1] == LONG_AGO + 2
    with_guidance, without = latents
    assert not torch.equal(with_guidance[0, 0], without[0, 0])  # where the words are new
    torch.testing.assert_close(with_guidance[:, 1], without[:, 1])  # and not where they are old


def test_some_samples_see_their_newest_frame_alone_and_some_nothing():
    torch.manual_seed(0)
    history = torch.randn(4000, 3, 2, 1)
    conditions = Conditions(history, torch.rand(4000), torch.zeros(4000, 1, 2), torch.zeros(4000, 1))
    seen = drop_history(conditions, 0.1)
    alone = (seen.history == history[:, :1]).all((1, 2, 3))
    assert 0.03 < alone.float().mean() < 0.07
    torch.testing.assert_close(seen.history[~alone], history[~alone])
    assert 0.08 < seen.first.float().mean() < 0.12 and (seen.level[seen.first] == 0).all()
