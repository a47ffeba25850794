"""A world: a pure function stepped once per tick, `tick(state, action, prompt) -> (state', frame)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oneiro.checks import shown
from oneiro.controls import Action, ActionSpace, Control
from oneiro.dreams import Dreams
from oneiro.errors import BadInputError, NotReadyError, WorldClosedError
from oneiro.files import Floats, load_world_files
from oneiro.manifest import Instrument, Manifest
from oneiro.model import Model
from oneiro.prompts import Prompt, Prompts
from oneiro.snapshot import Snapshot, restored_state, to_snapshot
from oneiro.start import Beginning, first_state

MOST_FUTURES = 64


@dataclass(frozen=True)
class WorldInfo:
    """What a world is, fixed for its lifetime. `prompt`: it listens to words. `reward`, `done`: its ticks say so."""

    id: str
    kind: str
    backend: str
    model_hash: str
    width: int
    height: int
    ticks_per_second: float
    controls: tuple[Control, ...]
    prompt: bool
    telemetry: tuple[Instrument, ...]
    reward: bool
    done: bool


class Tick:
    """One tick of a world.

    index      ticks since reset; what is shown right after a reset has index 0
    epoch      grows by one with every reset and restore
    latent     float32 [T,C], what the picture is made of
    telemetry  what the instruments read, by name, in their units; None where there are none
    reward     None where the world knows none
    done       the episode is over; None where the world knows no end
    """

    def __init__(self, model: Model, index: int, epoch: int, latent: Floats, readings: NDArray[np.float64]):
        self._model, self.index, self.epoch, self.latent = model, index, epoch, latent
        self.telemetry = model.by_name(readings) if model.manifest.telemetry else None
        task, read = model.task, self.telemetry
        self.reward = task.reward(read) if task and task.reward and read is not None else None
        self.done = task.done(read) if task and task.done and read is not None else None

    @cached_property
    def frame(self) -> NDArray[np.uint8]:
        """uint8 [H,W,4] RGBA, decoded at the first look: who reads the instruments alone pays for no picture."""
        (frame,) = self._model.pixels(self.latent[None])
        return np.asarray(frame)


class World:
    """The dream in a folder. Get one by `open_world`. Not for several threads at once."""

    def __init__(self, model: Model, prompts: Prompts):
        self._model, self._prompts = model, prompts
        self._dreams = Dreams(model, 1)
        self._epoch = 0
        self._tick: Tick | None = None
        self._closed = False
        self.info = info_of(model)
        #: Its actions: checked, numbered, listed.
        self.space: ActionSpace = model.space

    @property
    def manifest(self) -> Manifest:
        """With `starts` and `presets`."""
        return self._model.manifest

    def reset(self, seed: int, prompt: Prompt | str | None = None, start: str | None = None) -> Tick:
        """Begins anew. Left out, the prompt is the start's own or a preset; without a start the first frame is
        drawn from the words and the seed, or, where the student cannot, the drive begins at a start like the prompt.

        Raises BadInputError on a bad seed or prompt or an unknown start, and then the running state is kept.
        """
        self._check_open("reset")
        return self._begin(first_state(self._model.files, self._prompts, seed, prompt, start))

    def step(self, action: Action) -> Tick:
        """Advances exactly one tick. Raises BadInputError on what is no action, NotReadyError before a reset."""
        self._check_ready("step")
        self._dreams.step([0], self._model.encode(action)[None])
        return self._now()

    def set_prompt(self, prompt: Prompt | str) -> None:
        """Takes effect on the next tick and never resets. Raises BadInputError on what is no prompt."""
        self._check_ready("set_prompt")
        self._dreams.tell(0, *self._prompts.resolve(prompt))

    def snapshot(self) -> Snapshot:
        """The whole state now; `write_snapshot` makes JSON of it, which TypeScript reads too."""
        self._check_ready("snapshot")
        return to_snapshot(self.manifest, self._dreams.state(0))

    def restore(self, snapshot: Snapshot | Mapping[str, Any]) -> Tick:
        """Puts a snapshot back, of Node too. Raises SnapshotMismatchError for another world or model, BadInputError
        on what is no snapshot, and then the running state is kept."""
        self._check_open("restore")
        return self._begin(restored_state(self.manifest, self._prompts, snapshot))

    def read_pixels(self) -> NDArray[np.uint8]:
        """The newest frame, uint8 [H,W,4] RGBA."""
        return self._check_ready("read_pixels").frame

    def read_telemetry(self) -> dict[str, float] | None:
        """What the instruments read at the newest frame, None where there are none."""
        return self._check_ready("read_telemetry").telemetry

    def fork(self, count: int) -> Futures:
        """Continues `count` times from here, 1 to 64, in one forward pass a tick; this world stays where it is.

        >>> futures = world.fork(8)
        >>> ticks = futures.step([plan[0] for plan in plans])
        >>> world.restore(futures.snapshot(best))  # go on with one of them
        """
        self._check_ready("fork")
        if not isinstance(count, int) or not 1 <= count <= MOST_FUTURES:
            raise BadInputError(f"A world is forked into 1 to {MOST_FUTURES} futures, but {shown(count)} came.")
        dreams = Dreams(self._model, count)
        for place in range(count):
            dreams.begin(place, self._dreams.state(0))
        return Futures(dreams, self._prompts)

    def close(self) -> None:
        """Idempotent; every other call afterwards raises WorldClosedError."""
        self._closed = True

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self, state: Beginning) -> Tick:
        self._dreams.begin_all([0], [state])
        self._epoch += 1
        return self._now()

    def _now(self) -> Tick:
        (self._tick,) = ticks_of(self._dreams, self._epoch)
        return self._tick

    def _check_open(self, call: str) -> None:
        if self._closed:
            raise WorldClosedError(call)

    def _check_ready(self, call: str) -> Tick:
        self._check_open(call)
        if self._tick is None:
            raise NotReadyError(call)
        return self._tick


class Futures:
    """Some continuations of one world, advanced together. Futures count from 0."""

    def __init__(self, dreams: Dreams, prompts: Prompts):
        self._dreams, self._prompts = dreams, prompts
        self._closed = False
        self.count = dreams.count

    def step(self, actions: Sequence[Action]) -> list[Tick]:
        """Advances each by one tick with the action of its place. Raises BadInputError unless there is an action for
        each, and then none has moved."""
        self._check("step")
        if not isinstance(actions, list | tuple) or len(actions) != self.count:
            came = len(actions) if isinstance(actions, list | tuple) else shown(actions)
            raise BadInputError(f"{self.count} futures take a list of as many actions, but {came} came.")
        encoded = np.stack([self._dreams.model.encode(action) for action in actions])
        self._dreams.step(range(self.count), encoded)
        return ticks_of(self._dreams, 1)

    def set_prompt(self, future: int, prompt: Prompt | str) -> None:
        """Takes effect on the next tick of one of them. Raises as `World.set_prompt`."""
        self._check("set_prompt")
        self._dreams.tell(self._named(future), *self._prompts.resolve(prompt))

    def snapshot(self, future: int) -> Snapshot:
        """The whole state of one of them, for `World.restore`."""
        self._check("snapshot")
        return to_snapshot(self._dreams.model.manifest, self._dreams.state(self._named(future)))

    def close(self) -> None:
        """Idempotent; every other call afterwards raises WorldClosedError."""
        self._closed = True

    def _named(self, future: int) -> int:
        if isinstance(future, int) and 0 <= future < self.count:
            return future
        raise BadInputError(f"Futures are numbered from 0 to {self.count - 1}, but {shown(future)} came.")

    def _check(self, call: str) -> None:
        if self._closed:
            raise WorldClosedError(call)


def open_world(
    folder: str | Path, *, threads: int = 2, temperature: float = 1.0, prompt_encoder: str | Path | None = None
) -> World:
    """Opens the dream in a folder (it holds `world.json`), on ONNX Runtime. Close it when done.

    threads         inside one run
    temperature     multiplies the noise; 1, as it was trained, gives the frames of Node
    prompt_encoder  folder of the sentence encoder; left out, the one that the manifest names, beside the world's folder

    Raises an OneiroError whose message says what to do.

    >>> world = open_world("assets/drive")
    >>> world.reset(seed=7, prompt="a snowy night drive")
    >>> tick = world.step({"steer": -1, "throttle": 1})
    """
    model, prompts = open_model(folder, threads, temperature, prompt_encoder)
    return World(model, prompts)


def open_model(
    folder: str | Path, threads: int, temperature: float, prompt_encoder: str | Path | None
) -> tuple[Model, Prompts]:
    """What `open_world` opens, for whoever keeps states of their own."""
    files = load_world_files(folder)
    return Model(files, threads, temperature), Prompts(files, prompt_encoder)


def info_of(model: Model) -> WorldInfo:
    m, task = model.manifest, model.task
    return WorldInfo(
        id=m.id,
        kind="dream",
        backend="python-cpu",
        model_hash=m.model_hash,
        width=m.width,
        height=m.height,
        ticks_per_second=m.ticks_per_second,
        controls=m.controls,
        prompt=m.prompt is not None,
        telemetry=m.telemetry,
        reward=bool(task and task.reward),
        done=bool(task and task.done),
    )


def ticks_of(dreams: Dreams, epoch: int) -> list[Tick]:
    """The newest tick of each."""
    latents = dreams.latents[:, 0]
    readings = dreams.model.readings(latents)
    return [
        Tick(dreams.model, int(dreams.ticks[i]), epoch, latents[i].copy(), readings[i]) for i in range(dreams.count)
    ]
