"""Many dreams in one forward pass are as many single ones."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import oneiro
from oneiro import tasks
from oneiro.testing import check_vector_env


@pytest.fixture
def short_drives(monkeypatch):
    """Drives that end at a painted stripe, each at another tick: a crash would take too long."""
    drive = tasks.task_of("drive", ("speed", "offset", "heading", "stuck"))
    ends = tasks.Task((*drive.needs, "phaseSin"), drive.reward, lambda read: read["phaseSin"] > 0.9)
    monkeypatch.setitem(tasks._tasks, "drive", ends)


# The largest differences that were found: a grey level, none, and two steps of half precision.
@pytest.mark.parametrize(("observation", "atol"), [("frame", 1), ("telemetry", 1e-4), ("latent", 0.05)])
def test_every_autoreset_mode_is_that_of_single_environments(drive_folder, short_drives, observation, atol):
    options = {"world": drive_folder, "observation": observation, "max_episode_steps": 5}
    ended = check_vector_env(
        lambda mode: gymnasium.make_vec("Oneiro/Drive-v0", num_envs=3, autoreset_mode=mode, **options),
        lambda: gymnasium.make("Oneiro/Drive-v0", **options),
        atol=atol,
    )
    assert ended > 15


def test_a_world_whose_rows_do_not_touch_is_the_same_to_the_bit(buttons_folder):
    options = {"world": buttons_folder, "max_episode_steps": 4, "actions": "discrete"}
    assert check_vector_env(
        lambda mode: gymnasium.make_vec("Oneiro/World-v0", num_envs=5, autoreset_mode=mode, **options),
        lambda: gymnasium.make("Oneiro/World-v0", **options),
    )


def test_one_place_is_a_single_environment_to_the_bit(drive_folder):
    options = {"world": drive_folder, "observation": "latent"}
    envs = gymnasium.make_vec("Oneiro/Drive-v0", num_envs=1, **options)
    env = gymnasium.make("Oneiro/Drive-v0", **options)
    assert np.array_equal(envs.reset(seed=4)[0][0], env.reset(seed=4)[0])
    for action in ([0, 2], [2, 2], [1, 0]):
        assert np.array_equal(envs.step(np.array([action]))[0][0], env.step(np.array(action))[0])


def test_the_check_sees_a_place_that_is_not_what_it_should_be(buttons_folder):
    class Late(oneiro.WorldVectorEnv):
        """Its last place begins anew a step too early."""

        def step(self, actions):
            if self._steps[-1] == 3:
                self._over[-1] = True
            return super().step(actions)

    with pytest.raises(AssertionError, match="step 3"):
        check_vector_env(
            lambda mode: Late(3, buttons_folder, autoreset_mode=mode, max_episode_steps=5),
            lambda: gymnasium.make("Oneiro/World-v0", world=buttons_folder, max_episode_steps=5),
        )


@pytest.fixture
def envs(buttons_folder):
    return oneiro.WorldVectorEnv(3, buttons_folder, autoreset_mode="Disabled")


def test_an_ended_place_must_be_reset_where_nobody_else_does(buttons_folder):
    envs = oneiro.WorldVectorEnv(2, buttons_folder, autoreset_mode="Disabled", max_episode_steps=1)
    envs.reset(seed=1)
    envs.step(envs.action_space.sample())
    with pytest.raises(oneiro.EpisodeOverError, match=r"places \[0, 1\] have ended.*reset_mask"):
        envs.step(envs.action_space.sample())
    envs.reset(options={"reset_mask": np.array([True, True])})
    envs.step(envs.action_space.sample())


def test_wrong_input_is_refused_and_no_place_has_moved(envs):
    good = np.zeros((3, 3), np.int64)
    with pytest.raises(oneiro.NotReadyError):
        envs.step(good)
    envs.reset(seed=1)
    for actions in (good[:2], good[0], good + 2, good * np.nan, None, [[0, 0, 0], [0, 0, 0], [0, 0, 5]]):
        with pytest.raises(oneiro.BadInputError):
            envs.step(actions)
    wrong = [
        ({"seed": [1, 2]}, "A list of seeds has 3, one a place, but 2 came"),
        ({"seed": -1}, "A seed is"),
        ({"options": {"start": ["dim", "dim"]}}, 'A list of "start" has 3'),
        ({"options": {"start": ["dim", "dim", "nowhere"]}}, "No start"),
        ({"options": {"mask": 1}}, '"mask" came'),
        ({"options": {"reset_mask": np.zeros(3, bool)}}, "true at one place at least"),
    ]
    for arguments, sentence in wrong:
        with pytest.raises(oneiro.BadInputError, match=sentence):
            envs.reset(**arguments)
    assert envs.step(good)[4]["tick"].tolist() == [1, 1, 1]
    envs.close()
    with pytest.raises(oneiro.WorldClosedError):
        envs.reset(seed=1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"num_envs": 0}, '"num_envs" is a whole number'),
        ({"autoreset_mode": "Never"}, 'NextStep, SameStep, Disabled, but "Never" came'),
        ({"render_mode": "human"}, '"render_mode" of many dreams'),
    ],
)
def test_wrong_options_are_refused(buttons_folder, options, sentence):
    with pytest.raises(oneiro.BadInputError, match=sentence):
        oneiro.WorldVectorEnv(**{"num_envs": 2, "world": buttons_folder, **options})


def test_each_place_may_have_words_and_a_start_of_its_own(drive_folder, drive):
    envs = gymnasium.make_vec("Oneiro/Drive-v0", num_envs=2, world=drive_folder, observation="latent")
    starts = ["volcano-dawn-clear", "meadow-dusk-rain"]
    options = {"start": starts, "prompt": ["a snowy night drive", None]}
    observations, _ = envs.reset(seed=1, options=options)
    for i, start in enumerate(starts):
        assert np.array_equal(observations[i], drive.reset(1, start=start).latent)
    actions = np.full((2, 2), 2)
    one = envs.step(actions)[0]
    envs.reset(seed=1, options=options)
    envs.unwrapped.set_prompt("desert highway at sunset", place=1)
    other = envs.step(actions)[0]
    assert np.array_equal(one[0], other[0])
    assert not np.array_equal(one[1], other[1])
    with pytest.raises(oneiro.BadInputError, match="from 0 to 1, but 2 came"):
        envs.unwrapped.set_prompt("desert highway at sunset", place=2)


def test_pictures_of_every_place(buttons_folder):
    envs = gymnasium.make_vec("Oneiro/World-v0", num_envs=2, world=buttons_folder, render_mode="rgb_array")
    observations, _ = envs.reset(seed=1)
    pictures = envs.render()
    assert len(pictures) == 2
    assert all(np.array_equal(picture, own) for picture, own in zip(pictures, observations, strict=True))
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
