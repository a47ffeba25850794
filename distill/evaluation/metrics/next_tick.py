"""The next frame from recorded history, in dB of pixels."""

from __future__ import annotations

import numpy as np

from distill.evaluation.metrics import interval
from distill.evaluation.runs import Drives
from distill.image_metrics import psnr


def next_tick(world, drives: Drives, each: int = 4) -> dict:
    """At `each` moments of every drive."""
    rows, owners = drives.moments(each * len(drives), 1)
    scores = []
    for first in range(0, len(rows), drives.batch):
        part = rows[first : first + drives.batch]
        seeds = np.array(drives.seeds, np.int64)[owners[first : first + drives.batch]]
        world.reset(drives.starts(part, seeds))
        world.step(drives.packed.actions[part].astype(np.float32))
        scores.append(psnr(drives.packed.frames[part + 1], world.frames()))
    return interval.mean(np.concatenate(scores), owners)
