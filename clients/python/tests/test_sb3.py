"""Stable-Baselines3 is too heavy for the setup of every test: these run where it is installed."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

import oneiro

pytestmark = pytest.mark.skipif(find_spec("stable_baselines3") is None, reason='pip install "oneiro[sb3]"')


@pytest.fixture
def make():
    from oneiro.sb3 import OneiroVecEnv

    return OneiroVecEnv


def test_ended_places_begin_anew_and_say_what_was_last_seen(make, buttons_folder):
    envs = make(buttons_folder, 2, max_episode_steps=3)
    envs.seed(5)
    observations = envs.reset()
    assert observations.shape == (2, 48, 64, 3)
    same = oneiro.WorldVectorEnv(2, buttons_folder)
    assert np.array_equal(observations, same.reset(seed=5)[0])
    actions = np.zeros((2, 3), np.int64)
    for step in range(1, 4):
        observations, rewards, dones, infos = envs.step(actions)
        last = same.step(actions)[0]
        assert (rewards.dtype, dones.tolist()) == (np.float32, [step == 3] * 2)
        assert [info["tick"] for info in infos] == [step, step]
    for i, info in enumerate(infos):
        assert info["TimeLimit.truncated"] is True
        assert np.array_equal(info["terminal_observation"], last[i])
        assert envs.reset_infos[i] == {"tick": 0}
    assert not np.array_equal(observations, last)


def test_seeds_options_words_and_attributes(make, drive_folder):
    envs = make(drive_folder, 2, observation="latent")
    envs.seed(1)
    envs.set_options({"start": "volcano-dawn-clear"})
    first = envs.reset()
    assert np.array_equal(first[0], first[1])
    assert envs.env_method("set_prompt", "a snowy night drive", indices=1) == [None]
    observations = envs.step(np.full((2, 2), 1))[0]
    assert not np.array_equal(observations[0], observations[1])
    assert envs.get_attr("num_envs") == [2, 2]
    with pytest.raises(oneiro.BadInputError, match='"set_prompt", but "jump" came'):
        envs.env_method("jump")
    assert envs.env_is_wrapped(object) == [False, False]
    envs.close()


@pytest.mark.parametrize(("policy", "observation"), [("MlpPolicy", "telemetry"), ("CnnPolicy", "frame")])
def test_an_agent_learns_on_it(make, drive_folder, policy, observation):
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import VecMonitor

    envs = VecMonitor(make(drive_folder, 2, observation=observation, max_episode_steps=3))
    agent = PPO(policy, envs, n_steps=4, batch_size=8, n_epochs=1, device="cpu")
    agent.learn(8)
    assert len(agent.ep_info_buffer) > 0
