"""What one environment and many at once have in common: options, spaces, and what an agent gets to see."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from oneiro.checks import check_fields, listed, shown
from oneiro.controls import ActionSpace
from oneiro.errors import BadInputError
from oneiro.files import Floats
from oneiro.manifest import Manifest
from oneiro.model import LARGEST_HALF
from oneiro.prompts import Prompt
from oneiro.start import first_state
from oneiro.world import World, open_model

OBSERVATIONS = ("frame", "latent", "telemetry")
ACTIONS = ("multi-discrete", "discrete")


class Face:
    """A world as agents meet it.

    world           the folder that `world.json` lies in
    observation     "frame": uint8 [H,W,3]; "latent": float32 [T,C]; "telemetry": float32 [I], in the units of the world
    actions         "multi-discrete": of each control, which of its values; "discrete": one number for all of them
    prompt, start   of every reset that names no other
    task            name of the task that the world must have; left out, any, or none: then every reward is 0
    threads, temperature, prompt_encoder: as `oneiro.open_world`

    Raises an OneiroError whose message says what to do.
    """

    def __init__(
        self,
        world: str | Path | None,
        observation: str = "frame",
        actions: str = "multi-discrete",
        prompt: Prompt | str | None = None,
        start: str | None = None,
        task: str | None = None,
        threads: int = 2,
        temperature: float = 1.0,
        prompt_encoder: str | Path | None = None,
    ):
        check_choices(observation, actions)
        if world is None:
            raise BadInputError('A dream needs its world. Pass world="assets/drive", a folder, or server="ws://...".')
        self.model, self.prompts = open_model(world, threads, temperature, prompt_encoder)
        self.kind, self.discrete, self.start = observation, actions == "discrete", start
        manifest = self.model.manifest
        if task and (manifest.task != task or not self.model.task):
            raise BadInputError(
                f'This environment needs a world with the task "{task}", but "{manifest.id}" has '
                f"{shown(manifest.task)}. Give the folder of another world, or make Oneiro/World-v0."
            )
        if observation == "telemetry" and not manifest.telemetry:
            raise BadInputError('This world has no telemetry to observe. Say observation="frame" or "latent".')
        # Words are read once, and wrong ones are refused now.
        self.prompt = None if prompt is None else Prompt(*self.prompts.resolve(prompt))
        first_state(self.model.files, self.prompts, 0, self.prompt, start)
        self.observation_space = observation_space(observation, manifest)
        self.action_space = action_space(self.model.space, self.discrete)

    def open(self) -> World:
        """The world itself, for one who plays it alone."""
        return World(self.model, self.prompts)

    def asked(self, options: Mapping[str, Any] | None) -> tuple[Prompt | str | None, str | None]:
        """The prompt and start of a reset with these options. Raises BadInputError on an unknown option."""
        options = options or {}
        check_fields("Options of a reset", options, ("prompt", "start"))
        prompt, start = options.get("prompt"), options.get("start")
        return self.prompt if prompt is None else prompt, self.start if start is None else start

    def action(self, action: Any) -> dict[str, float]:
        """An action of the space, by the names of the controls. Raises BadInputError."""
        space = self.model.space
        return space.action(action) if self.discrete else space.action_at(action)

    def observe(self, latents: Floats) -> NDArray[Any]:
        """Latents [n,T,C] -> observations [n,...], arrays of their own."""
        if self.kind == "frame":
            return self.frames(latents)
        if self.kind == "latent":
            return latents.copy()
        return self.model.readings(latents).astype(np.float32)

    def frames(self, latents: Floats) -> NDArray[np.uint8]:
        """uint8 [n,H,W,3]"""
        return self.model.pixels(latents, 3)

    def info(self, tick: int, telemetry: Mapping[str, float] | None) -> dict[str, Any]:
        return {"tick": tick, **({"telemetry": dict(telemetry)} if telemetry is not None else {})}


def check_choices(observation: str, actions: str) -> None:
    """Raises BadInputError where one of them is none of its choices."""
    for name, value, known in (("observation", observation, OBSERVATIONS), ("actions", actions, ACTIONS)):
        if value not in known:
            choice = listed(f'"{one}"' for one in known)
            raise BadInputError(f'"{name}" is one of {choice}, but {shown(value)} came.')


def observation_space(kind: str, m: Manifest) -> spaces.Box:
    if kind == "frame":
        return frame_space(m.width, m.height)
    # A state of half precision cannot be larger; for another no bound is known but that of its numbers.
    largest = LARGEST_HALF if m.half else float(np.finfo(np.float32).max)
    if kind == "latent":
        return spaces.Box(-largest, largest, (m.tokens, m.channels), np.float32)
    ends = [[i.centre + i.spread * side * largest for i in m.telemetry] for side in (-1, 1)]
    low, high = np.clip(ends, -np.finfo(np.float32).max, np.finfo(np.float32).max).astype(np.float32)
    return spaces.Box(low, high, dtype=np.float32)


def frame_space(width: int, height: int) -> spaces.Box:
    return spaces.Box(0, 255, (height, width, 3), np.uint8)


def action_space(space: ActionSpace, discrete: bool) -> spaces.Discrete | spaces.MultiDiscrete:
    counts = [len(control.values) for control in space.controls]
    return spaces.Discrete(prod(counts)) if discrete else spaces.MultiDiscrete(counts)
