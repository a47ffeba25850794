"""Drives of the simulator as Stable-Baselines3 wants them: the same readings, actions, reward and end as the dream's,
from a process of Node (`simulator.ts`). No picture is drawn."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv

ROOT = Path(__file__).resolve().parents[3]
READINGS = 18
FIRST_FREE_SEED = 10_000_000  # of drives that nobody gave a seed


class SimulatorVecEnv(VecEnv):
    """Observations float32 [n,18]; actions of steer and throttle 0, 1, 2 for -1, 0, 1; or, for `KEEP`, what the lane
    keeper does. Ended places begin anew in the same step, with the next free seed."""

    KEEP = -1

    render_mode = None

    def __init__(self, num_envs: int, ticks: int):
        command = ["npx", "tsx", str(Path(__file__).with_name("simulator.ts"))]
        self.node = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ticks, self.steps = ticks, np.zeros(num_envs, np.int64)
        self.next_seed = FIRST_FREE_SEED
        largest = float(np.finfo(np.float32).max)
        super().__init__(num_envs, spaces.Box(-largest, largest, (READINGS,), np.float32), spaces.MultiDiscrete([3, 3]))

    def reset(self) -> np.ndarray:
        given = [seed for seed in self._seeds if seed is not None]
        self.next_seed += max(given, default=0)  # what follows differs where the beginning does
        seeds = [self._free() if seed is None else seed for seed in self._seeds]
        self._reset_seeds()
        self.steps[:] = 0
        return _readings(self._ask({"reset": list(enumerate(seeds))}))

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = [
            "keep" if action[0] == self.KEEP else {"steer": int(action[0]) - 1, "throttle": int(action[1]) - 1}
            for action in np.asarray(actions)
        ]

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        told = self._ask({"step": self._actions})
        self.steps += 1
        observations, ended = _readings(told), np.array([place["done"] for place in told])
        over = ended | (self.steps >= self.ticks)
        infos: list[dict[str, Any]] = [{} for _ in told]
        for i in np.flatnonzero(over):
            infos[i] = {"terminal_observation": observations[i].copy(), "TimeLimit.truncated": not ended[i]}
        if over.any():
            places = np.flatnonzero(over).tolist()
            observations[places] = _readings(self._ask({"reset": [[i, self._free()] for i in places]}))
            self.steps[places] = 0
        return observations, np.array([place["reward"] for place in told], np.float32), over, infos

    def close(self) -> None:
        self.node.stdin.close()
        self.node.wait()

    def _free(self) -> int:
        self.next_seed += 1
        return self.next_seed

    def _ask(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        self.node.stdin.write(json.dumps(asked) + "\n")
        self.node.stdin.flush()
        line = self.node.stdout.readline()
        if not line:
            raise RuntimeError("the simulator's process ended; run `npm ci`, and see what Node said above")
        return json.loads(line)

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise NotImplementedError

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        raise NotImplementedError

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        return [False for _ in self._get_indices(indices)]


def _readings(told: list[dict[str, Any]]) -> np.ndarray:
    return np.array([place["readings"] for place in told], np.float32)
