"""Trains a driver in the dream with PPO, by what the instruments read, and compares it with one that acts at random.

pip install "./clients/python[sb3]"
python clients/python/examples/train.py assets/drive --steps 10000
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

from oneiro.sb3 import OneiroVecEnv

TEST_SEED = 1000  # the drives that training begins with have seeds from 0 on


def drives(world: str, dreams: int, seed: int) -> VecMonitor:
    envs = VecMonitor(OneiroVecEnv(world, dreams, observation="telemetry"))
    envs.seed(seed)
    return envs


def test(world: str, dreams: int, act: Callable[[np.ndarray], Any]) -> str:
    """Metres along the road in the first drive of each dream: mean and standard error."""
    envs = drives(world, dreams, TEST_SEED)
    observations, metres = envs.reset(), [None] * dreams
    while None in metres:
        observations, _, dones, infos = envs.step(act(observations))
        for i in np.flatnonzero(dones):
            metres[i] = metres[i] or infos[i]["episode"]["r"]
    envs.close()
    return f"{np.mean(metres):.0f} ± {np.std(metres) / dreams**0.5:.0f} m"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("world", help="the folder that world.json lies in")
    parser.add_argument("--steps", type=int, default=10000)
    parser.add_argument("--dreams", type=int, default=8)
    parser.add_argument("--out", default="driver.zip")
    asked = parser.parse_args()

    envs = VecNormalize(drives(asked.world, asked.dreams, 0))
    settings = {"n_steps": 128, "batch_size": 128, "learning_rate": 1e-3, "gamma": 0.97, "device": "cpu"}
    driver = PPO("MlpPolicy", envs, seed=0, verbose=1, **settings)
    driver.learn(asked.steps)
    driver.save(asked.out)

    rng = np.random.default_rng(0)
    shape = (asked.dreams, 2)
    print("at random:", test(asked.world, asked.dreams, lambda _: rng.integers(0, 3, shape)), flush=True)
    # The car follows its road by itself, so this is much: a driver must not lose it.
    print("straight: ", test(asked.world, asked.dreams, lambda _: np.full(shape, (1, 2))), flush=True)
    act = lambda seen: driver.predict(envs.normalize_obs(seen), deterministic=True)[0]  # noqa: E731
    print("trained:  ", test(asked.world, asked.dreams, act), flush=True)


if __name__ == "__main__":
    main()
