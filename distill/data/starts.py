"""Where a dream may start from. Recorded moments: varied in biome, time and weather, moving, on the road, settled.
And for drives that begin from words alone, what the instruments may read at their first frame."""

from __future__ import annotations

import numpy as np

from distill.config import UserError
from distill.data.packed import Latents, Packed
from distill.world import LABELS, RING, TELEMETRY, telemetry_token

BEGINNINGS = 64
BEGINNING_STEPS = 8  # from a blank history to the first frame that is shown: one draws it, the others settle it
AHEAD = 20  # frames that must still follow, so that the episode did not end in trouble right there


def choose_starts(latents: Latents, count: int) -> np.ndarray:
    """`count` rows of `latents`, greedily by what each adds to those before it, then by recent reward: int64 [S]."""
    rows = np.intersect1d(latents.transitions(AHEAD), latents.settled())
    if not len(rows):
        raise UserError("no held-out moment has a whole history and a settled caption; record longer episodes")
    total = np.concatenate([[0.0], np.cumsum(latents.rewards, dtype=np.float64)])
    recent = total[rows + 1] - total[rows + 1 - RING]
    labels = latents.labels()[latents.prompts[rows]]  # [N,3]
    # the best moment of each combination that was recorded
    best: dict[tuple, int] = {}
    for index in np.argsort(-recent, kind="stable"):
        best.setdefault(tuple(labels[index]), int(index))
    # clear noon in the first biome leads: the first start is what a newcomer sees
    first = min(best, key=lambda combination: (combination[0], combination[2], abs(combination[1] - 1)))
    chosen, seen = [first], [[value] for value in first]
    while len(chosen) < min(count, len(best)):

        def rarity(combination: tuple) -> tuple:
            alone = sum(values.count(value) for values, value in zip(seen, combination, strict=True))
            pairs = sum(sum(a == b for a, b in zip(c, combination, strict=True)) ** 2 for c in chosen)
            return pairs, alone, combination

        following = min((c for c in best if c not in chosen), key=rarity)
        chosen.append(following)
        for values, value in zip(seen, following, strict=True):
            values.append(value)
    return rows[[best[combination] for combination in chosen]]


def choose_moments(latents: Latents, count: int) -> np.ndarray:
    """`count` rows of a world whose captions have no labels, spread evenly over what was recorded, none of them near an
    end: int64 [S]. Raises UserError where there is none."""
    ends = np.concatenate([[0], np.cumsum(latents.dones, dtype=np.int64)])
    rows = latents.transitions(AHEAD)
    quiet = rows[ends[rows + AHEAD] == ends[rows + 1 - RING]]
    rows = quiet if len(quiet) else rows
    if not len(rows):
        raise UserError(f"no recorded episode is {RING + AHEAD} ticks long; record longer ones")
    return rows[np.unique(np.linspace(0, len(rows) - 1, count + 2).astype(int)[1:-1])]


def choose_beginnings(packed: Packed, count: int, channels: int, past: int) -> tuple[np.ndarray, np.ndarray]:
    """What the instruments read at moments on the road and at speed, spread over the recordings: their tokens float32
    [N,n,channels], and the `past` actions before, newest first, float32 [N,past,2]."""
    names = list(TELEMETRY)
    speed, offset = (packed.telemetry[:, names.index(name)] for name in ("speed", "offset"))
    rows = packed.transitions(AHEAD)
    rows = rows[(speed[rows] > 8) & (np.abs(offset[rows]) < 2.5)]
    if not len(rows):
        raise UserError("no recorded moment is on the road and at speed; record longer episodes")
    rows = rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]
    actions = packed.actions[rows[:, None] - 1 - np.arange(past)].astype(np.float32)
    return telemetry_token(packed.telemetry[rows], channels), actions


def start_id(caption: dict, taken: set[str]) -> str:
    """`meadow-noon-clear`, numbered where it repeats; adds itself to `taken`."""
    name = "-".join(caption[label] for label in LABELS)
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name}-{number}"
    taken.add(unique)
    return unique
