"""Many dreams for Stable-Baselines3, which has a vector interface of its own: `from oneiro.sb3 import OneiroVecEnv`.

Needs `pip install "oneiro[sb3]"`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from oneiro.checks import shown
from oneiro.errors import BadInputError
from oneiro.gym import DRIVE_TICKS
from oneiro.gym.vector import WorldVectorEnv


class OneiroVecEnv(VecEnv):
    """`num_envs` dreams in one forward pass a step; options as `WorldVectorEnv` has them. Ended places begin anew in
    the same step, with `terminal_observation` and `TimeLimit.truncated` in their info.

    >>> from stable_baselines3 import PPO
    >>> agent = PPO("MlpPolicy", OneiroVecEnv("assets/drive", 8, observation="telemetry"))
    """

    def __init__(self, world: Any, num_envs: int, *, max_episode_steps: int | None = DRIVE_TICKS, **options: Any):
        self.envs = WorldVectorEnv(
            num_envs,
            world,
            autoreset_mode=AutoresetMode.SAME_STEP,
            max_episode_steps=max_episode_steps,
            **options,
        )
        self.render_mode = self.envs.render_mode
        self.metadata = self.envs.metadata
        super().__init__(num_envs, self.envs.single_observation_space, self.envs.single_action_space)
        self._actions: Any = None

    def reset(self) -> Any:
        """Observations [num_envs, ...], by the seeds and options that `seed` and `set_options` gave, which count
        once."""
        options = {key: [one.get(key) for one in self._options] for key in {k for o in self._options for k in o}}
        observations, infos = self.envs.reset(seed=self._seeds, options=options)
        self.reset_infos = [_of(infos, i) for i in range(self.num_envs)]
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        self._actions = actions

    def step_wait(self) -> Any:
        observations, rewards, terminations, truncations, every = self.envs.step(self._actions)
        infos = []
        for i in range(self.num_envs):
            info = _of(every, i)
            if terminations[i] or truncations[i]:
                self.reset_infos[i] = {key: info[key] for key in info if not key.startswith("final_")}
                info = {**info["final_info"], "terminal_observation": info["final_obs"]}
                info["TimeLimit.truncated"] = bool(truncations[i] and not terminations[i])
            infos.append(info)
        return observations, rewards.astype(np.float32), terminations | truncations, infos

    def close(self) -> None:
        self.envs.close()

    def get_images(self) -> Sequence[Any]:
        return self.envs.render() or [None] * self.num_envs

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """What all places have in common: there are no environments behind them."""
        return [getattr(self.envs, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        if len(list(self._get_indices(indices))) < self.num_envs:
            raise BadInputError(f'"{attr_name}" is of all places together, but some were named. Leave out indices.')
        setattr(self.envs, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """`set_prompt(words)` of these places."""
        if method_name != "set_prompt":
            raise BadInputError(f'What places can be asked for is "set_prompt", but {shown(method_name)} came.')
        return [self.envs.set_prompt(*args, place=i, **kwargs) for i in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        return [False for _ in self._get_indices(indices)]


def _of(infos: dict[str, Any], place: int) -> dict[str, Any]:
    """The info of one place, as a single environment gives it."""
    own = {}
    for key, values in infos.items():
        if key.startswith("_") or not infos.get(f"_{key}", np.ones(place + 1))[place]:
            continue
        own[key] = _of(values, place) if isinstance(values, dict) else values[place]
    return own
