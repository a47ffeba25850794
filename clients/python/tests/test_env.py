"""One dream as a Gymnasium environment."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from importlib.util import find_spec

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import oneiro


def make(folder, world="Drive", **options):
    return gymnasium.make(f"Oneiro/{world}-v0", world=folder, **options)


@pytest.mark.parametrize("observation", ["frame", "latent", "telemetry"])
@pytest.mark.parametrize("actions", ["multi-discrete", "discrete"])
def test_gymnasium_has_nothing_to_say_against_it(drive_folder, observation, actions, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = make(drive_folder, observation=observation, actions=actions)
        check_env(env.unwrapped)
        env.close()


def test_a_world_that_is_no_drive_passes_too(buttons_folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(make(buttons_folder, "World").unwrapped)


def test_a_seed_words_and_actions_are_a_drive_of_the_plain_world(drive_folder, drive):
    env = make(drive_folder, observation="telemetry", render_mode="rgb_array", prompt="foggy morning in the woods")
    assert env.metadata["render_fps"] == 20
    observation, info = env.reset(seed=5)
    tick = drive.reset(5, "foggy morning in the woods")
    for i in range(4):
        assert observation.dtype == np.float32
        assert np.array_equal(observation, np.array(list(tick.telemetry.values()), np.float32))
        assert info == {"tick": tick.index, "telemetry": tick.telemetry}
        assert np.array_equal(env.render(), tick.frame[..., :3])
        if i == 2:
            env.unwrapped.set_prompt("desert highway at sunset")
            drive.set_prompt("desert highway at sunset")
        observation, reward, terminated, truncated, info = env.step(np.array([i % 3, 2]))
        tick = drive.step({"steer": i % 3 - 1, "throttle": 1})
        assert (reward, terminated, truncated) == (tick.reward, tick.done, False)


def test_options_of_a_reset_go_before_those_of_the_environment(drive_folder, drive):
    env = make(drive_folder, observation="latent", start="meadow-dusk-rain")
    assert np.array_equal(env.reset(seed=1)[0], drive.reset(1, start="meadow-dusk-rain").latent)
    there = env.reset(seed=1, options={"start": "volcano-dawn-clear", "prompt": "a snowy night drive"})[0]
    assert np.array_equal(there, drive.reset(1, start="volcano-dawn-clear").latent)
    assert env.unwrapped.world.snapshot()["prompt"]["text"] == "a snowy night drive"
    assert np.array_equal(env.reset(seed=1)[0], drive.reset(1, start="meadow-dusk-rain").latent)


def test_resets_without_a_seed_draw_new_ones_the_same_after_the_same_seed(drive_folder):
    env = make(drive_folder, observation="latent")

    def seeds():
        env.reset(seed=9)
        drawn = []
        for _ in range(3):
            env.reset()
            drawn.append(env.unwrapped.world.snapshot()["seed"])
        return drawn

    once = seeds()
    assert len(set(once)) == 3
    assert seeds() == once


def test_a_drive_is_truncated_after_20_seconds_or_when_asked(drive_folder):
    assert gymnasium.spec("Oneiro/Drive-v0").max_episode_steps == 400
    env = make(drive_folder, observation="telemetry", max_episode_steps=2)
    env.reset(seed=1)
    assert [env.step(env.action_space.sample())[3] for _ in range(2)] == [False, True]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"observation": "pixels"}, '"observation" is one of "frame", "latent" and "telemetry", but "pixels" came'),
        ({"actions": "box"}, '"actions" is one of'),
        ({"start": "nowhere"}, 'No start is called "nowhere"'),
        ({"prompt": 5}, "a string, but 5 came"),
        ({"temperature": float("nan")}, "temperature is from 0 to 10, but nan came"),
    ],
)
def test_wrong_options_are_refused_at_once(drive_folder, options, sentence):
    with pytest.raises(oneiro.BadInputError, match=sentence):
        make(drive_folder, **options)


def test_a_drive_without_its_reward_and_a_world_without_telemetry_are_refused(buttons_folder):
    with pytest.raises(oneiro.BadInputError, match='needs a world with the task "drive", but "buttons" has None'):
        make(buttons_folder)
    with pytest.raises(oneiro.BadInputError, match="no telemetry to observe"):
        make(buttons_folder, "World", observation="telemetry")


@pytest.mark.skipif(find_spec("pygame") is not None, reason="pygame is installed")
def test_without_pygame_a_window_is_refused_with_what_to_install(buttons_folder):
    with pytest.raises(oneiro.BadInputError, match=r'pip install "oneiro\[render\]"'):
        oneiro.WorldEnv(buttons_folder, render_mode="human")


def test_wrong_input_is_refused_and_the_dream_goes_on(drive_folder):
    env = make(drive_folder, observation="telemetry").unwrapped
    with pytest.raises(oneiro.NotReadyError):
        env.step(np.array([0, 0]))
    env.reset(seed=2)
    for action in ([0], [0, 3], [-1, 0], [0, float("nan")], [0.0, 1.0], 5, None, {"steer": 0}, [[0, 0]]):
        with pytest.raises(oneiro.BadInputError, match=r"2 whole numbers \(steer 0 to 2, throttle 0 to 2\)"):
            env.step(action)
    for options, sentence in (({"promt": "fog"}, 'Did you mean "prompt"'), ({"start": "x"}, "No start"), (5, "5 came")):
        with pytest.raises(oneiro.BadInputError, match=sentence):
            env.reset(options=options)
    for seed in (-1, 2**53, 0.5):
        with pytest.raises(oneiro.BadInputError, match="A seed is"):
            env.reset(seed=seed)
    assert env.step([0, 1])[4]["tick"] == 1
    env.close()
    env.close()
    with pytest.raises(oneiro.WorldClosedError):
        env.step([0, 1])


def test_a_numbered_action_is_that_of_the_action_space(drive_folder, drive):
    env = make(drive_folder, observation="latent", actions="discrete")
    env.reset(seed=3)
    drive.reset(3)
    for code in (0, 8, 5):
        assert np.array_equal(env.step(code)[0], drive.step(drive.space.action(code)).latent)
    with pytest.raises(oneiro.BadInputError, match="actions 0 to 8, but 9 came"):
        env.step(9)


def test_the_bench_measures(buttons_folder):
    command = [sys.executable, "-m", "oneiro.bench", str(buttons_folder), "--dreams", "1,2", "--seconds", "0.1"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 5
