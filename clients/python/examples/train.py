"""Trains a driver in the dream with PPO, by what the instruments read, and compares it with two that know nothing.

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
            if metres[i] is None:
                metres[i] = infos[i]["episode"]["r"]
    envs.close()
    return f"{np.mean(metres):.0f} ± {np.std(metres) / dreams**0.5:.0f} m"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("world", help="the folder that world.json lies in")
    parser.add_argument("--steps", type=int, default=10000)
    parser.add_argument("--dreams", type=int, default=8)
    parser.add_argument("--out", default="driver")
    asked = parser.parse_args()

    envs = VecNormalize(drives(asked.world, asked.dreams, 0))
    settings = {"n_steps": 64, "batch_size": 64, "learning_rate": 1e-3, "gamma": 0.97, "device": "cpu"}
    driver = PPO("MlpPolicy", envs, seed=0, verbose=1, **settings)
    driver.learn(asked.steps)
    driver.save(f"{asked.out}.zip")
    envs.save(f"{asked.out}.pkl")  # what it divides the readings by

    rng, shape = np.random.default_rng(0), (asked.dreams, 2)
    drivers: dict[str, Callable[[np.ndarray], Any]] = {
        "trained": lambda seen: driver.predict(envs.normalize_obs(seen), deterministic=True)[0],
        "at random": lambda _: rng.integers(0, 3, shape),
        # The car follows its road by itself, so this is much.
        "throttle held, no steering": lambda _: np.full(shape, (1, 2)),
    }
    for name, act in drivers.items():
        print(f"{name}: {test(asked.world, asked.dreams, act)}", flush=True)


if __name__ == "__main__":
    main()
