"""A server's world as agents meet it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from oneiro.checks import shown
from oneiro.errors import BadInputError
from oneiro.gym.face import Face, action_space, check_choices, frame_space, observation_space
from oneiro.net import RemoteWorld, open_server
from oneiro.prompts import Prompt


class RemoteFace(Face):
    """A world that a server dreams.

    server          its address, "ws://localhost:7700"
    world           folder of the same world, for "latent" and "telemetry" and sharper frames; left out, frames come as
                    images
    token, timeout, wait, threads: as `oneiro.open_server`
    observation, actions, prompt, start, task: as `Face`

    Raises an OneiroError whose message says what to do.
    """

    def __init__(
        self,
        server: str,
        world: str | Path | None = None,
        observation: str = "frame",
        actions: str = "multi-discrete",
        prompt: Prompt | str | None = None,
        start: str | None = None,
        task: str | None = None,
        **others: Any,
    ):
        check_choices(observation, actions)
        if observation != "frame" and world is None:
            raise BadInputError(
                f'Of a server alone an agent sees frames, but observation="{observation}" came. Give the folder of the '
                "same world too, by world=..."
            )
        unknown = set(others) - {"token", "timeout", "wait", "threads"}
        if unknown:
            raise BadInputError(
                f"A server's world has no option {shown(min(unknown))}: the server decides it. Leave it out."
            )
        self.kind, self.discrete, self.prompt, self.start = observation, actions == "discrete", prompt, start
        self.remote: RemoteWorld = open_server(server, world, **others)
        try:
            self._meet(task)
        except BaseException:
            self.remote.close()
            raise

    def _meet(self, task: str | None) -> None:
        info, decoder = self.remote.info, self.remote.decoder
        if task and not (info.id == task and info.reward and info.done):
            raise BadInputError(
                f'This environment needs a server of the world "{task}" with its reward and end, but it dreams '
                f'"{info.id}". Name another server, or make Oneiro/World-v0.'
            )
        self.space = self.remote.space
        self.action_space = action_space(self.space, self.discrete)
        if decoder is None:
            self.observation_space = frame_space(info.width, info.height)
            return
        if self.kind == "telemetry" and not decoder.manifest.telemetry:
            raise BadInputError('This world has no telemetry to observe. Say observation="frame" or "latent".')
        self.model = decoder  # type: ignore[assignment]  # All that is asked of it here.
        self.observation_space = observation_space(self.kind, decoder.manifest)

    def open(self) -> RemoteWorld:  # type: ignore[override]
        return self.remote

    def action(self, action: Any) -> dict[str, float]:
        return self.space.action(action) if self.discrete else self.space.action_at(action)
