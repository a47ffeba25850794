"""ViZDoom's TakeCover as the game of Ha and Schmidhuber's World Models: imps throw fireballs, step aside.

    npm run train -- --world gym:examples.doom.takecover:TakeCover-v1 --hours 1.5 'record=[size=96x48,"info=[health]"]'

Health is hidden in that scenario, so it is drawn here, as a bar below the picture: what decides about the end must be
seen, by a dream as by an agent. Bricks and crates are painted over (plain.py). A reward is a tic survived, of 35 a
second; an episode is cut after 2,100.

ViZDoom is under the MIT licence; its pictures are Freedoom's, under the BSD licence (assets/LICENSES.md).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import gymnasium
import numpy as np
import vizdoom
from gymnasium import spaces
from vizdoom import GameVariable

from examples.doom.plain import plain
from examples.doom.world import TICS, Scenario, open_game

MOST_TICS = 2100  # of an episode, as theirs
WALL, FLOOR, CEILING = 92, 69, 106  # of Doom's palette: light stone, brown, dark stone
WIDTH, HEIGHT = 96, 48  # a third of what is kept of 320x240
LEFT, TOP = (320 - 3 * WIDTH) // 2, (240 - 3 * HEIGHT) // 2
BAR = 4  # rows of health
FULL, EMPTY = (200, 30, 30), (40, 40, 40)


class TakeCover(gymnasium.Env):
    """Observations uint8 [48,96,3]; actions -1, 0, 1: left, nothing, right. The info has `health`, 0 to 100."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 35 / TICS}
    controls = [
        {
            "name": "strafe",
            "kind": "axis",
            "values": [-1, 0, 1],
            "keys": [["ArrowLeft", "KeyA"], ["ArrowRight", "KeyD"]],
        }
    ]

    def __init__(self, render_mode: str | None = None):
        self.render_mode = render_mode
        self.observation_space = spaces.Box(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
        self.action_space = spaces.Discrete(3, start=-1)
        with tempfile.TemporaryDirectory() as folder:
            wad = Path(folder) / "take_cover.wad"
            wad.write_bytes(plain(Path(vizdoom.scenarios_path) / wad.name, WALL, FLOOR, CEILING))
            self.game = open_game(Scenario("take_cover.cfg", False, ()), wad)  # read when it opens
        self.picture = np.zeros(self.observation_space.shape, np.uint8)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        self.game.set_seed(int(self.np_random.integers(2**31)))
        self.game.new_episode()
        self.tics = 0
        return self.render(), {"health": 100.0}

    def step(self, action):
        value = int(np.asarray(action).reshape(()))
        self.game.make_action([int(value == -1), int(value == 1)], TICS)
        terminated = self.game.is_episode_finished()
        self.tics += TICS
        truncated = not terminated and self.tics >= MOST_TICS
        return self.render(), float(TICS), terminated, truncated, {"health": self.health()}

    def health(self) -> float:
        if self.game.is_episode_finished():
            return 0.0  # the game's own number is stale by then
        return max(0.0, self.game.get_game_variable(GameVariable.HEALTH))

    def render(self) -> np.ndarray:
        state = self.game.get_state()
        if state is not None:
            kept = state.screen_buffer[TOP : TOP + 3 * HEIGHT, LEFT : LEFT + 3 * WIDTH].astype(np.float32)
            self.picture = kept.reshape(HEIGHT, 3, WIDTH, 3, 3).mean((1, 3)).round().astype(np.uint8)
        full = round(WIDTH * self.health() / 100)
        self.picture[-BAR:, :full], self.picture[-BAR:, full:] = FULL, EMPTY
        return self.picture.copy()

    def close(self) -> None:
        self.game.close()


gymnasium.register("TakeCover-v1", TakeCover)
