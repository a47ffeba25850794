"""Several noises from one recorded history, beside what happened: the energy score and the spread over the error.

- The energy score decides: how far samples lie from what happened, less half of how far they lie apart. It is proper:
  no world does better than one that draws from the truth. Blur pays with its distance, speckle too (`spaces.detail`).
- Is the spread over noises as large as the error (Fortin et al. 2014)? 1 is right, below too sure, above too wild.

All worlds are asked from the same moments, with the recorded actions and words, and the same seeds of the noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from distill.evaluation.metrics import interval
from distill.evaluation.metrics.spaces import Space
from distill.evaluation.runs import Drives, steps
from distill.progress import Progress

TICKS = (1, 5, 20)
SEEDS_EACH = 2**20  # seeds of the noise that belong to one drive


@dataclass
class Ensembles:
    """For each space and tick, per history [N]: the energy score, the variance over noises and the squared error of
    their mean (both means over the space's numbers). `drives` [N] says whose history it was."""

    drives: np.ndarray
    noises: int
    energy: dict[str, dict[int, np.ndarray]] = field(default_factory=dict)
    variance: dict[str, dict[int, np.ndarray]] = field(default_factory=dict)
    error: dict[str, dict[int, np.ndarray]] = field(default_factory=dict)

    def add(self, space: str, tick: int, samples: np.ndarray, truth: np.ndarray) -> None:
        """samples [N,n,G,D] and truth [N,G,D] of further histories."""
        new = {
            "energy": energy_score(samples, truth),
            "variance": samples.var(1, ddof=1 if self.noises > 1 else 0).mean((1, 2)),
            "error": ((samples.mean(1) - truth) ** 2).mean((1, 2)),
        }
        for part, values in new.items():
            ticks = getattr(self, part).setdefault(space, {})
            ticks[tick] = np.concatenate([ticks.get(tick, values[:0]), values])


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Vectors [...,G,D] -> root mean square over D of their difference, mean over G: [...]."""
    return np.sqrt(((a - b) ** 2).mean(-1)).mean(-1)


def energy_score(samples: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """E|X - y| - 1/2 E|X - X'| (Gneiting & Raftery 2007, eq. 22), X and X' two different samples: unbiased.

    samples [N,n,G,D], truth [N,G,D] -> [N], the mean over G vectors of D numbers each; lower is better."""
    count = samples.shape[1]
    off = distance(samples, truth[:, None]).mean(1)
    if count < 2:
        return off
    pairs = [(i, j) for i in range(count) for j in range(i)]
    apart = np.mean([distance(samples[:, i], samples[:, j]) for i, j in pairs], 0)
    return off - apart / 2


def dreamed(world, drives: Drives, rows: np.ndarray, seeds: np.ndarray, ticks) -> Iterator[tuple]:
    """One batch of runs with the recorded actions and words ahead: yields (tick, frames, latents or None)."""
    packed = drives.packed
    captions = packed.prompts[rows[:, None] + np.arange(max(ticks))]
    act = lambda tick: packed.actions[rows + tick - 1].astype(np.float32)  # noqa: E731
    for tick in steps(world, drives.starts(rows, seeds), captions, drives.conditioning, act, max(ticks)):
        if tick in ticks:
            yield tick, world.frames(), world.picture() if hasattr(world, "picture") else None


def ensembles(
    world, drives: Drives, spaces: dict[str, Space], histories: int = 400, noises: int = 4, ticks=TICKS
) -> Ensembles:  # fmt: skip
    """Runs `noises` noises from each of `histories` moments for max(ticks) ticks."""
    rows, owners = drives.moments(histories, max(ticks))
    moment = np.arange(len(rows)) - np.searchsorted(owners, owners)  # its number in its drive
    base = np.array(drives.seeds, np.int64)[owners] * SEEDS_EACH + moment * noises
    each = max(1, drives.batch // noises)
    result = Ensembles(owners, noises)
    for first in Progress(range(0, len(rows), each), desc=f"{world.kind}: {noises} noises", unit="batch", leave=False):
        some = rows[first : first + each]
        seeds = base[first : first + each, None] + np.arange(noises)
        for tick, frames, latents in dreamed(world, drives, np.repeat(some, noises), seeds.reshape(-1), ticks):
            real = drives.packed.frames[some + tick]
            for name, space in spaces.items():
                truth = space(real, None)
                samples = space(frames, latents)
                result.add(name, tick, samples.reshape(len(some), noises, *truth.shape[1:]), truth)
    return result


def energy(ran: Ensembles) -> dict:
    """{space: {tick: metric}}"""
    return {
        space: {str(tick): interval.mean(values, ran.drives) for tick, values in ticks.items()}
        for space, ticks in ran.energy.items()
    }


def energy_over(ran: Ensembles, reference: Ensembles) -> dict:
    """As `energy`, over that of another world from the same moments, in pairs. Spaces that both have."""
    return {
        space: {str(t): interval.ratio(ticks[t], reference.energy[space][t], ran.drives) for t in ticks}
        for space, ticks in ran.energy.items()
        if space in reference.energy
    }


def spread_over_error(ran: Ensembles) -> dict:
    """{space: {tick: metric}}: root of the variance over noises, times 1 + 1/noises since the mean is one of few, over
    the squared error of the mean."""
    if ran.noises < 2:
        return {}
    few = 1 + 1 / ran.noises
    return {
        space: {
            str(tick): interval.root(interval.ratio(few * values, ran.error[space][tick], ran.drives))
            for tick, values in ticks.items()
        }
        for space, ticks in ran.variance.items()
        if space in ("latents", "crops")
    }
