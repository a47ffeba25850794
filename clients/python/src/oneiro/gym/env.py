"""One dream as a Gymnasium environment."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import gymnasium
import numpy as np

from oneiro.checks import MAX_SEED, checked_seed
from oneiro.errors import BadInputError
from oneiro.gym.face import Face
from oneiro.gym.remote import RemoteFace
from oneiro.gym.window import Window
from oneiro.net import RemoteWorld
from oneiro.prompts import Prompt
from oneiro.world import Tick, World

RENDER_MODES = ["rgb_array", *(["human"] if find_spec("pygame") else [])]


class WorldEnv(gymnasium.Env[Any, Any]):
    """A world as an environment; options as `Face` has them, or with `server=` those of `RemoteFace`.

    A reset's seed is the dream's own: with the same prompt, start and actions the frames are those of Node. A reset
    without one draws it. `info` has the tick, and what the instruments read where there are any.

    >>> env = gymnasium.make("Oneiro/Drive-v0", world="assets/drive", observation="telemetry")
    >>> observation, info = env.reset(seed=7, options={"prompt": "a snowy night drive"})
    >>> observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
    """

    metadata = {"render_modes": RENDER_MODES, "render_fps": 20}

    def __init__(self, world: Any = None, *, server: str | None = None, render_mode: str | None = None, **options: Any):
        if render_mode not in (None, *RENDER_MODES):
            hint = 'For "human", pip install "oneiro[render]".' if render_mode == "human" else ""
            raise BadInputError(f'"render_mode" is one of {", ".join(RENDER_MODES)}, but {render_mode} came. {hint}')
        self._face = Face(world, **options) if server is None else RemoteFace(server, world, **options)
        #: The world behind it: snapshots, telemetry, and forks where it is dreamed here.
        self.world: World | RemoteWorld = self._face.open()
        self.render_mode = render_mode
        self.metadata = {**self.metadata, "render_fps": round(self.world.info.ticks_per_second)}
        self.observation_space = self._face.observation_space
        self.action_space = self._face.action_space
        self._window: Window | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """`options`: "prompt" and "start" of this drive. Raises BadInputError, and then the running drive is kept."""
        super().reset(seed=None if seed is None else checked_seed(seed))
        drawn = int(self.np_random.integers(MAX_SEED + 1)) if seed is None else seed
        tick = self.world.reset(drawn, *self._face.asked(options))
        self._show()
        return self._observed(tick), self._info(tick)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Raises BadInputError on what is no action, and then nothing has moved."""
        tick = self.world.step(self._face.action(action))
        self._show()
        return self._observed(tick), float(tick.reward or 0), bool(tick.done), False, self._info(tick)

    def set_prompt(self, prompt: Prompt | str) -> None:
        """Words that count from the next step on."""
        self.world.set_prompt(prompt)

    def render(self) -> Any:
        """uint8 [H,W,3] in the mode "rgb_array"; else None."""
        return self._frame() if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        self.world.close()
        if self._window:
            self._window.close()
            self._window = None

    def _observed(self, tick: Tick) -> Any:
        if self._face.kind == "frame":
            return self._frame()
        return self._face.observe(tick.latent[None])[0]

    def _frame(self) -> Any:
        return np.ascontiguousarray(self.world.read_pixels()[..., :3])

    def _info(self, tick: Tick) -> dict[str, Any]:
        return self._face.info(tick.index, tick.telemetry)

    def _show(self) -> None:
        if self.render_mode != "human":
            return
        self._window = self._window or Window(self.world.info.id, self.metadata["render_fps"])
        self._window.show(self._frame())
