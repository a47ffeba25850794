"""The recordings that all figures ask about, and the moments in them that runs start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distill.config import UserError
from distill.data.packed import Packed
from distill.evaluation.rollouts import Starts, starts_at
from distill.random import uniforms
from distill.world import RING

MOMENT_STREAM = 21


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
