"""Is every seed another place? How far first frames of other seeds under the same words lie apart, over how far
recordings of the same setting do. 1 is right, 0 means one place for all.

A distance is the root mean square over frames of 24 x 40: 4 x 4 pixels averaged, so that layout counts and speckle does
not. A world draws first frames by `first_frames(prompt [B,P], seeds [B]) -> uint8 [B,H,W,3]`, where it can.
"""

from __future__ import annotations

import numpy as np

from distill.data.packed import Packed
from distill.evaluation.metrics import interval
from distill.evaluation.metrics.spaces import halved
from distill.random import uniforms

PLACES_STREAM = 25
EACH = 6  # first frames under one wording


def small(frames: np.ndarray) -> np.ndarray:
    """uint8 [N,H,W,3] -> float32 [N,H/4*W/4*3]"""
    grid = np.moveaxis(frames.astype(np.float32), -1, 1)
    return halved(halved(grid)).reshape(len(frames), -1)


def apart(frames: np.ndarray) -> float:
    """Mean distance between different frames of uint8 [N,H,W,3]."""
    flat = small(frames)
    pairs = [(i, j) for i in range(len(flat)) for j in range(i)]
    return float(np.mean([np.sqrt(((flat[i] - flat[j]) ** 2).mean()) for i, j in pairs]))


def recorded_frames(packed: Packed, label, seed: int, count: int = EACH) -> np.ndarray | None:
    """Settled frames of that setting from different recordings, as the seed picks; None where only one has it."""
    rows = packed.settled()
    rows = rows[(packed.labels()[packed.prompts[rows]] == label).all(1)]
    starts = np.array([episode["start"] for episode in packed.episodes])
    owner = np.searchsorted(starts, rows, side="right")
    chosen = []
    for episode in np.unique(owner):
        mine = rows[owner == episode]
        chosen.append(mine[int(uniforms(seed + int(episode), 0, PLACES_STREAM, 1)[0] * len(mine))])
    order = np.argsort(uniforms(seed, 1, PLACES_STREAM, len(chosen))) if chosen else []
    return packed.frames[np.array(chosen)[order[:count]]] if len(chosen) > 1 else None


def places(draw, packed: Packed, conditioning: np.ndarray, seeds: list[int]) -> dict:
    """draw(caption, seeds) -> uint8 [B,H,W,3], first frames under a caption of `packed`, by conditioning[caption].
    One value a setting that at least two recordings have."""
    labels = packed.labels()
    dreamed, real = [], []
    for label in np.unique(labels[packed.prompts], axis=0):
        frames = recorded_frames(packed, label, seeds[0])
        if frames is None:
            continue
        caption = int(np.flatnonzero((labels == label).all(1))[0])
        shift = int(np.dot(label, (16, 4, 1))) * EACH
        drawn = draw(caption, np.array(seeds[0] + shift + np.arange(EACH), np.int64))
        dreamed.append(apart(drawn))
        real.append(apart(frames))
    return interval.ratio(dreamed, real, np.arange(len(real))) if real else interval.nothing()
