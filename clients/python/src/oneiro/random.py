"""The one source of chance: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).

Twin of `src/engine/random.ts`; both are tested against `src/engine/random.golden.json`. Counter-based: the numbers of
any (seed, tick, stream) are reached directly, so a snapshot needs no generator.

key = (seed low 32 bits, seed high 32 bits); counter = (block, tick, stream, 0). A block of four words is eight normals.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)
_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)

NORMALS = 8  # of one block


def philox(key: ArrayLike, counter: ArrayLike) -> NDArray[np.uint32]:
    """Philox4x32-10: key [..., 2] and counter [..., 4] uint32 words, broadcast -> words [..., 4]."""
    key = np.asarray(key, dtype=np.uint64)
    counter = np.asarray(counter, dtype=np.uint64)
    k0, k1 = key[..., 0], key[..., 1]
    c0, c1, c2, c3 = (counter[..., i] for i in range(4))
    for _ in range(10):
        p0, p1 = _MULTIPLIER_0 * c0, _MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (p1 >> _SHIFT) ^ c1 ^ k0, p1 & _MASK, (p0 >> _SHIFT) ^ c3 ^ k1, p0 & _MASK
        k0, k1 = (k0 + _WEYL_0) & _MASK, (k1 + _WEYL_1) & _MASK
    return np.stack(np.broadcast_arrays(c0, c1, c2, c3), axis=-1).astype(np.uint32)


@cache
def _quantiles() -> NDArray[np.float32]:
    """What 16 random bits become: float32 [65536], the standard normal's quantiles at the middles of as many parts."""
    return np.array([NormalDist().inv_cdf((i + 0.5) / 65536) for i in range(65536)], dtype=np.float32)


def normals(seeds: ArrayLike, ticks: ArrayLike, stream: int, count: int, first: int = 0) -> NDArray[np.float32]:
    """Standard normals, 16 bits each: seeds and ticks [B] -> float32 [B, count], numbers `first` to `first + count` of
    the stream."""
    seeds, ticks = np.asarray(seeds, np.uint64), np.asarray(ticks, np.uint64)
    before = first % NORMALS
    blocks = -(-(before + count) // NORMALS)
    counter = np.zeros((len(seeds), blocks, 4), np.uint64)
    counter[..., 0] = np.arange(first // NORMALS, first // NORMALS + blocks)
    counter[..., 1] = ticks[:, None]
    counter[..., 2] = stream
    key = np.stack([seeds & _MASK, seeds >> _SHIFT], axis=-1)[:, None]
    words = philox(key, counter).reshape(len(seeds), -1)
    bits = np.stack([words & np.uint32(0xFFFF), words >> np.uint32(16)], axis=-1).reshape(len(seeds), -1)
    return _quantiles()[bits[:, before : before + count]]


def tick_noise(seeds: ArrayLike, ticks: ArrayLike, length: int, used: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """The noise of the steps that make `ticks` [B], for seeds [B]: float32 [B,S,length], one stream for each of `used`,
    which says what the student looks at: (first, count). The rest is zero and never drawn."""
    seeds = np.asarray(seeds)
    noise = np.zeros((len(seeds), len(used), length), np.float32)
    for stream, (first, count) in enumerate(used):
        noise[:, stream, first : first + count] = normals(seeds, ticks, stream, count, first)
    return noise
