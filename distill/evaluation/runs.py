"""Recorded drives, the moments in them that runs start from, and how worlds run freely from there.

Everything follows from the seed, so that any two worlds are asked exactly the same. Tick 0 is a recorded frame with a
whole ring of history behind it; the recorded actions and prompts go on from there. Where a run is longer than its
recording, actions of other held-out recordings follow, chosen by the seed, and the last prompt stays. Or a policy
drives by what the world's own instruments read, while the prompts change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from distill.config import UserError
from distill.data.packed import Packed
from distill.evaluation.policies import make
from distill.progress import Progress
from distill.random import uniforms
from distill.world import RING, TELEMETRY

POLICY_STREAM, MOMENT_STREAM, PROMPT_STREAM = 17, 21, 24
FEWEST_TICKS, MOST_TICKS = 80, 200  # that one prompt counts for


@dataclass
class Starts:
    """A batch of beginnings. rows int64 [B]: the packed row of tick 0; history uint8 [B,R,H,W,3], telemetry
    float32 [B,R,len(TELEMETRY)] and past_actions float32 [B,R-1,2], newest first; prompt float32 [B,P]; seeds
    int64 [B] (of the noise)."""

    rows: np.ndarray
    history: np.ndarray
    telemetry: np.ndarray
    past_actions: np.ndarray
    prompt: np.ndarray
    seeds: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, rows) -> Starts:
        return Starts(**{name: values[rows] for name, values in vars(self).items()})


def parse_seeds(text: str) -> list[int]:
    """'1000000-1000049' or '1000007' -> the seeds, both ends included. Raises UserError."""
    first, _, last = text.partition("-")
    try:
        seeds = list(range(int(first), int(last or first) + 1))
    except ValueError:
        seeds = []
    if not seeds:
        raise UserError(f"seeds must look like 1000000-1000049, not {text!r}")
    return seeds


def starts_at(packed: Packed, rows: np.ndarray, prompt: np.ndarray, seeds: np.ndarray) -> Starts:
    """Beginnings at those rows, which need RING frames of their episode up to and including themselves."""
    rows = np.asarray(rows, np.int64)
    if (packed.age[rows] < RING - 1).any():
        raise UserError(f"a start needs {RING} recorded frames behind it")
    ring = rows[:, None] - np.arange(RING)
    history = packed.frames[ring.reshape(-1)]
    past = packed.actions[rows[:, None] - 1 - np.arange(RING - 1)].astype(np.float32)
    shape = (len(rows), RING, *packed.frames.shape[1:])
    prompt, seeds = np.asarray(prompt, np.float32), np.asarray(seeds, np.int64)
    return Starts(rows, history.reshape(shape), packed.telemetry[ring], past, prompt, seeds)


def long_actions(packed: Packed, row: int, seed: int, ticks: int) -> np.ndarray:
    """float32 [ticks,2]: the recorded actions from `row` on, then those of recordings that the seed picks."""
    parts = [packed.actions[row : row + packed.left[row]]]
    count = len(parts[0])
    picks = uniforms(seed, 0, POLICY_STREAM, max(4, ticks // RING + 4))
    for pick in picks:
        if count >= ticks:
            break
        episode = packed.episodes[int(pick * len(packed.episodes))]
        parts.append(packed.actions[episode["start"] : episode["start"] + episode["ticks"]])
        count += len(parts[-1])
    return np.concatenate(parts)[:ticks].astype(np.float32)


def captions_ahead(packed: Packed, row: int, ticks: int) -> np.ndarray:
    """int [ticks]: the caption that counts for each tick from `row` on; the last one stays after the recording."""
    ahead = np.minimum(np.arange(ticks), packed.left[row])
    return packed.prompts[row + ahead]


def steps(world, starts: Starts, captions: np.ndarray, conditioning: np.ndarray, act, ticks: int) -> Iterator[int]:
    """Runs a world from `starts` for `ticks`, and yields 0 and then every tick that it has done.

    captions int [B,ticks], rows of `conditioning` [n,P]; act(tick) -> the actions [B,2] that lead to that tick."""
    world.reset(starts)
    yield 0
    current = None
    for tick in range(1, ticks + 1):
        wanted = captions[:, tick - 1]
        if current is None or (wanted != current).any():
            current = wanted
            world.set_prompt(conditioning[wanted])
        world.step(act(tick))
        yield tick


def free_run(
    world,
    starts: Starts,
    actions: np.ndarray,
    captions: np.ndarray,
    conditioning: np.ndarray,
    keep: Iterable[int],
    batch: int = 25,
    title: str = "",
    instruments: dict[int, np.ndarray] | None = None,
) -> dict[int, np.ndarray]:
    """Runs a world from `starts` and returns its frames at the ticks in `keep`: {tick: uint8 [B,H,W,3]}.

    actions [B,ticks,2]; captions int [B,ticks], rows of `conditioning` [n,P]. `instruments` is filled with what they
    read at those ticks: {tick: float32 [B,len(TELEMETRY)]}."""
    keep = sorted(set(keep))
    kept: dict[int, list] = {tick: [] for tick in keep}
    read: dict[int, list] = {tick: [] for tick in keep} if instruments is not None else {}
    groups = range(0, len(starts), batch)
    with Progress(total=len(groups) * keep[-1], desc=title or world.kind, unit="tick", leave=False) as bar:
        for first in groups:
            rows = slice(first, first + batch)
            act = lambda tick, rows=rows: actions[rows, tick - 1]  # noqa: E731
            for tick in steps(world, starts.part(rows), captions[rows], conditioning, act, keep[-1]):
                if tick in kept:
                    kept[tick].append(world.frames())
                if tick in read:
                    read[tick].append(world.telemetry())
                bar.update(tick > 0)
    if instruments is not None:
        instruments |= {tick: np.concatenate(parts) for tick, parts in read.items()}
    return {tick: np.concatenate(parts) for tick, parts in kept.items()}


@dataclass
class Drives:
    """Recordings of one split. conditioning float32 [captions,P] of the captions of `packed`."""

    packed: Packed
    seeds: list[int]
    conditioning: np.ndarray
    batch: int = 32

    def __post_init__(self):
        episodes = [self.packed.episode(seed) for seed in self.seeds]
        self.first = np.array([episode["start"] + RING - 1 for episode in episodes])
        self.last = np.array([episode["start"] + episode["ticks"] - 1 for episode in episodes])

    def __len__(self) -> int:
        return len(self.seeds)

    def moments(self, count: int, ahead: int) -> tuple[np.ndarray, np.ndarray]:
        """`count` rows with a whole history and `ahead` frames after them, spread over all drives: (rows int64 [N], the
        drive of each [N], 0 and up). The seed of a drive says where its moments lie."""
        room = self.last - ahead - self.first
        usable = np.flatnonzero(room >= 0)
        if not len(usable):
            raise UserError(f"no recording has {RING} frames of history and {ahead} after them; record longer drives")
        drives = np.sort(np.resize(usable, max(1, count)))
        rows = np.empty(len(drives), np.int64)
        for drive in np.unique(drives):
            mine = np.flatnonzero(drives == drive)
            shift = float(uniforms(self.seeds[drive], 0, MOMENT_STREAM, 1)[0])
            along = (np.arange(len(mine)) + shift) / len(mine)
            rows[mine] = self.first[drive] + (along * (room[drive] + 1)).astype(int)
        return rows, drives

    def starts(self, rows: np.ndarray, seeds) -> Starts:
        """Beginnings at those rows under the prompts of their time, with those seeds of the noise."""
        return starts_at(self.packed, rows, self.conditioning[self.packed.prompts[rows]], seeds)


@dataclass
class Driven:
    """frames {tick: uint8 [B,H,W,3]} at the ticks that were asked for, telemetry float32 [B,ticks+1,n] (tick 0 is the
    start), captions int [B,ticks] (that led to tick 1, 2, ...)."""

    frames: dict[int, np.ndarray]
    telemetry: np.ndarray
    captions: np.ndarray

    def read(self, name: str) -> np.ndarray:
        """[B,ticks+1]"""
        return self.telemetry[..., list(TELEMETRY).index(name)]


def changing_captions(drives: Drives, ticks: int) -> np.ndarray:
    """int [B,ticks]: the words of the start, then others of the recordings; the seed says which and when."""
    first = drives.packed.prompts[drives.first]
    result = np.repeat(first[:, None], ticks, 1)
    known = np.unique(drives.packed.prompts)
    for run, seed in enumerate(drives.seeds):
        chance = uniforms(seed, 0, PROMPT_STREAM, 2 * (ticks // FEWEST_TICKS + 1))
        spans = FEWEST_TICKS + chance[::2] * (MOST_TICKS - FEWEST_TICKS + 1)
        begins = np.cumsum(spans.astype(int))
        for begin, which in zip(begins, known[(chance[1::2] * len(known)).astype(int)], strict=True):
            result[run, begin:] = which
    return result


def driven(world, drives: Drives, policy: str, keep) -> Driven:
    """Drives every run for max(keep) ticks. A recording goes on as it was recorded, for as long as all of them last."""
    ticks = max(keep) if world.dreams else min(max(keep), int((drives.last - drives.first).min()))
    keep = sorted({tick for tick in keep if tick <= ticks})
    if world.dreams:
        captions = changing_captions(drives, ticks)
    else:
        captions = drives.packed.prompts[drives.first[:, None] + np.arange(ticks)]
    frames: dict[int, list] = {tick: [] for tick in keep}
    telemetry = []
    groups = range(0, len(drives), drives.batch)
    with Progress(total=len(groups) * ticks, desc=f"{world.kind}: {policy}", unit="tick", leave=False) as bar:
        for begin in groups:
            rows = slice(begin, begin + drives.batch)
            seeds = np.array(drives.seeds[rows], np.int64)
            driver, read = make(policy, seeds), []
            starts = drives.starts(drives.first[rows], seeds)
            act = lambda _, driver=driver, read=read: driver.act(read[-1])  # noqa: E731
            for tick in steps(world, starts, captions[rows], drives.conditioning, act, ticks):
                read.append(world.telemetry())
                if tick in frames:
                    frames[tick].append(world.frames())
                bar.update(tick > 0)
            telemetry.append(np.stack(read, 1))
    found = {tick: np.concatenate(parts) for tick, parts in frames.items()}
    return Driven(found, np.concatenate(telemetry), captions)
