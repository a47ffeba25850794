"""One drive from its first frame to its last, as arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oneiro.checks import shown
from oneiro.controls import Action, ActionSpace
from oneiro.errors import BadInputError
from oneiro.net import RemoteWorld
from oneiro.prompts import Prompt
from oneiro.world import Tick, World, WorldInfo

#: What an agent does at a tick.
Policy = Callable[[Tick], Action]


@dataclass(frozen=True)
class Drive:
    """`actions[t]` leads from frame t to frame t + 1, and `rewards[t]` and `dones[t]` are of that frame.

    frames     uint8 [T+1,H,W,3]
    actions    int64 [T,controls], which of each control's values; `values` float32 has the values themselves
    rewards    float32 [T], zero in a world that knows none
    dones      bool [T]
    telemetry  float32 [T+1,instruments], in the order of `info.telemetry`
    prompts    the words that each frame was made under, T+1; empty in a world without words
    """

    info: WorldInfo
    seed: int
    frames: NDArray[np.uint8]
    actions: NDArray[np.int64]
    rewards: NDArray[np.float32]
    dones: NDArray[np.bool_]
    telemetry: NDArray[np.float32]
    prompts: tuple[str, ...]

    def __len__(self) -> int:
        """Actions; there is one frame more."""
        return len(self.actions)

    @property
    def values(self) -> NDArray[np.float32]:
        """float32 [T,controls]"""
        columns = [
            np.array(control.values, np.float32)[self.actions[:, i]] for i, control in enumerate(self.info.controls)
        ]
        return np.stack(columns, 1)


class Recorder:
    """Gathers a drive of a world that has begun."""

    def __init__(self, world: World | RemoteWorld, first: Tick):
        self.world = world
        kept = world.snapshot()
        self.seed, self.words = kept["seed"], kept["prompt"]["text"] if kept["prompt"] else ""
        self.ticks, self.actions, self.prompts = [first], [], [self.words]
        self.frames = [first.frame[..., :3]]

    def say(self, prompt: Prompt | str) -> None:
        self.world.set_prompt(prompt)
        self.words = prompt.text if isinstance(prompt, Prompt) else prompt

    def step(self, action: Action) -> Tick:
        tick = self.world.step(action)
        self.actions.append(self.world.space.indices(action))
        self.ticks.append(tick)
        self.frames.append(tick.frame[..., :3])
        self.prompts.append(self.words)
        return tick

    def drive(self) -> Drive:
        info, made = self.world.info, self.ticks[1:]
        if not made:
            raise BadInputError("A drive has one step at least, but none was made. Record more ticks.")
        names = [instrument.name for instrument in info.telemetry]
        return Drive(
            info=info,
            seed=self.seed,
            frames=np.stack(self.frames),
            actions=np.array(self.actions, np.int64),
            rewards=np.array([tick.reward or 0 for tick in made], np.float32),
            dones=np.array([bool(tick.done) for tick in made]),
            telemetry=np.array([[(tick.telemetry or {})[name] for name in names] for tick in self.ticks], np.float32),
            prompts=tuple(self.prompts),
        )


def record(
    world: World | RemoteWorld,
    policy: Policy,
    ticks: int,
    seed: int,
    prompt: Prompt | str | None = None,
    start: str | None = None,
) -> Drive:
    """Drives for `ticks` steps, or until the episode ends. Raises BadInputError as `World.reset` and `World.step`.

    >>> drive = record(world, lambda tick: {"steer": 0, "throttle": 1}, ticks=200, seed=7)
    """
    if not isinstance(ticks, int) or isinstance(ticks, bool) or ticks < 1:
        raise BadInputError(f"Ticks are a whole number from 1 on, but {shown(ticks)} came.")
    tick = world.reset(seed, prompt, start)
    recorder = Recorder(world, tick)
    for _ in range(ticks):
        tick = recorder.step(policy(tick))
        if tick.done:
            break
    return recorder.drive()


def hold_at_random(space: ActionSpace, seed: int, ticks: int = 10) -> Policy:
    """Holds one action after the other, each for `ticks`; the seed says which."""
    rng = np.random.default_rng(seed)
    held: list[dict[str, float]] = []

    def act(tick: Tick) -> Action:
        if tick.index % ticks == 0 or not held:
            held[:] = [space.action(int(rng.integers(space.size)))]
        return held[0]

    return act


def checked_drives(drives: Sequence[Drive]) -> WorldInfo:
    """The world that all are of. Raises BadInputError where there is none, or they are of several."""
    if not drives:
        raise BadInputError("A data set has one drive at least, but none came. Record one first.")
    info = drives[0].info
    for drive in drives:
        if (drive.info.id, drive.info.model_hash) != (info.id, info.model_hash):
            raise BadInputError(
                f'The drives of a data set are of one world and model, but "{drive.info.id}" '
                f'({drive.info.model_hash[:8]}) came beside "{info.id}" ({info.model_hash[:8]}). Write two data sets.'
            )
    return info
