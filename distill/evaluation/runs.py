"""Free runs that a policy drives by what the world's own instruments read, while the words change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from distill.evaluation.drives import Drives
from distill.evaluation.policies import make
from distill.evaluation.rollouts import steps
from distill.random import uniforms
from distill.world import TELEMETRY

WORDS_STREAM = 24
FEWEST_TICKS, MOST_TICKS = 80, 200  # that one wording counts for


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
        chance = uniforms(seed, 0, WORDS_STREAM, 2 * (ticks // FEWEST_TICKS + 1))
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
    with tqdm(total=len(groups) * ticks, desc=f"{world.kind}: {policy}", unit="tick", leave=False) as bar:
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
