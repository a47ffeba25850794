"""Made-up environments: a square that moves, seen in observations or only drawn, and some that nobody could record."""

from __future__ import annotations

import os

import gymnasium
import numpy as np
from gymnasium import spaces


class Square(gymnasium.Env):
    """Ends after 25 steps, or at the right edge; its picture is 60x100."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 40}

    def __init__(self, seen=True, actions=None, render_mode=None):
        self.seen, self.render_mode = seen, render_mode
        shape = (60, 100, 3)
        self.observation_space = spaces.Box(0, 255, shape, np.uint8) if seen else spaces.Box(-1, 1, (2,))
        self.action_space = actions or spaces.Discrete(3)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.at, self.steps = int(self.np_random.integers(3)), 0
        return self._observe(), {"at": self.at}

    def step(self, action):
        self.at = max(0, self.at + int(np.asarray(action).ravel()[0]) - 1)
        self.steps += 1
        return self._observe(), float(self.at), self.at > 8, self.steps >= 25, {"at": self.at}

    def render(self):
        picture = np.full((60, 100, 3), 20, np.uint8)
        picture[20:40, 10 * self.at : 10 * self.at + 10] = (200, 60, 20)
        return picture

    def _observe(self):
        return self.render() if self.seen else np.array([self.at / 10, 0], np.float32)


class Blind(Square):
    metadata = {"render_modes": ["human"]}

    def __init__(self):
        super().__init__(seen=False)


class Told(Square):
    """Says how it is played, and what it shows: other words every third step, of which two are a tick."""

    controls = [
        {"name": "run", "kind": "axis", "values": [-1, 0, 1], "keys": [["ArrowLeft"], ["ArrowRight"]]},
        {"name": "jump", "kind": "button", "keys": ["Space"]},
    ]

    def __init__(self):
        super().__init__(actions=spaces.MultiDiscrete([3, 2], start=[-1, 0]))

    def reset(self, seed=None, options=None):
        observation, _ = super().reset(seed=seed)
        return observation, {"words": "a square"}

    def step(self, action):
        assert self.action_space.contains(np.asarray(action, np.int64))
        observation, reward, terminated, truncated, _ = super().step([action[0] + 1])
        return observation, reward, terminated, truncated, {"words": ["a square", "another"][self.steps // 6 % 2]}


class Unplayable(Told):
    controls = [{"name": "run", "kind": "axis", "values": [1, 2], "keys": [["ArrowLeft"]]}]


class Breaking(Square):
    """Raises at its third step, or its process dies."""

    def __init__(self, dies=False):
        super().__init__()
        self.dies = dies

    def step(self, action):
        if self.steps == 2:
            if self.dies:
                os._exit(1)
            raise RuntimeError("a square broke")
        return super().step(action)


class Own(Square):
    """Raises where another process plays it than the one that opened it: two would drive one game."""

    def __init__(self):
        super().__init__()
        self.opened_in = os.getpid()

    def step(self, action):
        assert os.getpid() == self.opened_in, "this game is another process's"
        return super().step(action)


for name, kind, options in (
    ("Square-v0", Square, {}),
    ("Drawn-v0", Square, {"seen": False}),
    ("Blind-v0", Blind, {}),
    ("Many-v0", Square, {"actions": spaces.Discrete(500)}),
    ("Boundless-v0", Square, {"actions": spaces.Box(-np.inf, np.inf, (2,))}),
    ("Told-v0", Told, {}),
    ("Unplayable-v0", Unplayable, {}),
    ("Breaking-v0", Breaking, {}),
    ("Dying-v0", Breaking, {"dies": True}),
    ("Own-v0", Own, {}),
    ("Words-v0", Square, {"actions": spaces.Text(5)}),
):
    if name not in gymnasium.registry:
        gymnasium.register(name, kind, kwargs=options)
