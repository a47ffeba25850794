"""The two worlds of the proof: how an agent meets the dream, how it meets the game itself, and how it learns.

An agent sees the same in both: of the drive its 18 instruments, of TakeCover the last frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gymnasium
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, VecFrameStack, VecMonitor, VecNormalize

from oneiro.sb3 import OneiroVecEnv

TRAINING_SEED, TEST_SEED = 0, 2_000_000


@dataclass(frozen=True)
class Subject:
    """`dream(folder, count, temperature)` and `game(count)` open so many places; `watch` puts around either what the
    agent needs to see; `settings` are PPO's."""

    policy: str
    ticks: int  # of an episode
    unit: str  # of the return
    dream: Callable[[str, int, float], VecEnv]
    game: Callable[[int], VecEnv]
    watch: Callable[[VecEnv], VecEnv]
    settings: dict[str, Any]
    drivers: dict[str, Any] = field(default_factory=dict)  # those that learn nothing: an action for every tick


def _drive_dream(folder: str, count: int, temperature: float) -> VecEnv:
    return OneiroVecEnv(
        folder, count, observation="telemetry", temperature=temperature, max_episode_steps=400, threads=1
    )


def _drive_game(count: int) -> VecEnv:
    from simulator import SimulatorVecEnv

    return SimulatorVecEnv(count, 400)


TAKECOVER_TICKS = 1050  # 2,100 tics


def _takecover_dream(folder: str, count: int, temperature: float) -> VecEnv:
    return OneiroVecEnv(
        folder, count, observation="frame", actions="discrete", temperature=temperature, threads=1,
        max_episode_steps=TAKECOVER_TICKS,
    )  # fmt: skip


class FromZero(gymnasium.ActionWrapper):
    """Actions 0, 1, 2 for -1, 0, 1, as a dream has them."""

    def __init__(self, env: gymnasium.Env):
        super().__init__(env)
        self.action_space = gymnasium.spaces.Discrete(3)

    def action(self, action: Any) -> int:
        return int(action) - 1


def _one_takecover() -> gymnasium.Env:
    import examples.doom.takecover  # noqa: F401  registers it

    return FromZero(gymnasium.make("TakeCover-v1"))


def _takecover_game(count: int) -> VecEnv:
    return (SubprocVecEnv if count > 1 else DummyVecEnv)([_one_takecover] * count)


SUBJECTS = {
    "drive": Subject(
        policy="MlpPolicy",
        ticks=400,
        unit="m",
        dream=_drive_dream,
        game=_drive_game,
        watch=lambda envs: VecNormalize(VecMonitor(envs), gamma=0.95),
        settings={"n_steps": 64, "batch_size": 64, "learning_rate": 1e-3, "gamma": 0.95, "gae_lambda": 0.9},
        drivers={"the lane keeper": (-1, -1), "throttle held, no steering": (1, 2)},
    ),
    "takecover": Subject(
        policy="CnnPolicy",
        ticks=TAKECOVER_TICKS,
        unit="tics",
        dream=_takecover_dream,
        game=_takecover_game,
        watch=lambda envs: VecNormalize(VecFrameStack(VecMonitor(envs), 2), norm_obs=False, gamma=0.98),
        settings={"n_steps": 128, "batch_size": 128, "learning_rate": 3e-4, "gamma": 0.98, "n_epochs": 4},
        drivers={"nothing held": 1},
    ),
}
