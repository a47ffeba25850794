"""The one source of chance: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).

Twin of ``src/engine/random.ts``, vectorised; both are tested against ``src/engine/random.golden.json``.
Counter-based, so the numbers of any (seed, tick, stream) are reached directly, in any order.

key = (seed low 32 bits, seed high 32 bits); counter = (block, tick, stream, 0). A block of four words is four uniforms
or eight normals.
Streams: 0 = the student's x1, 1.. = y1 of outer step 1.., 16 and up = simulators and policies.
"""

from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

FIRST_FREE_STREAM = 16
MAX_SEED = 2**53 - 1
NORMALS = 8  # of one block

_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)
_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)


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


def _checked(name: str, value: ArrayLike, highest: int) -> NDArray[np.uint64]:
    array = np.asarray(value)
    if array.dtype.kind not in "iu" or np.any(array < 0) or np.any(array > highest):
        raise ValueError(f"A {name} is an integer from 0 to {highest}, but {value} came.")
    return array.astype(np.uint64)


def _words(seed: ArrayLike, tick: ArrayLike, stream: ArrayLike, blocks: int, first: int = 0) -> NDArray[np.uint32]:
    """seed, tick, stream of shapes that broadcast to [...] -> words [..., blocks * 4], from block `first` on."""
    seed, tick, stream = np.broadcast_arrays(
        _checked("seed", seed, MAX_SEED),
        _checked("tick", tick, 2**32 - 1),
        _checked("stream", stream, 2**32 - 1),
    )
    counter = np.zeros((*seed.shape, blocks, 4), dtype=np.uint64)
    counter[..., 0] = np.arange(first, first + blocks, dtype=np.uint64)
    counter[..., 1] = tick[..., None]
    counter[..., 2] = stream[..., None]
    key = np.stack([seed & _MASK, seed >> _SHIFT], axis=-1)[..., None, :]
    return philox(key, counter).reshape(*seed.shape, -1)


def uniforms(seed: ArrayLike, tick: ArrayLike, stream: ArrayLike, count: int) -> NDArray[np.float32]:
    """Uniforms in [0, 1) of 24 bits each: arguments that broadcast to [...] -> float32 [..., count].

    Raises ValueError for a seed outside 0..2^53-1 or a tick or stream outside 0..2^32-1.
    """
    words = _words(seed, tick, stream, -(-count // 4))[..., :count]
    return ((words >> np.uint32(8)) * np.float64(2.0**-24)).astype(np.float32)


@cache
def _quantiles() -> NDArray[np.float32]:
    """What 16 random bits become: float32 [65536], the standard normal's quantiles at the middles of as many parts."""
    return np.array([NormalDist().inv_cdf((i + 0.5) / 65536) for i in range(65536)], dtype=np.float32)


def normals(seed: ArrayLike, tick: ArrayLike, stream: ArrayLike, count: int, first: int = 0) -> NDArray[np.float32]:
    """Standard normals, 16 bits each: arguments that broadcast to [...] -> float32 [..., count], numbers `first` to
    `first + count` of the stream.

    ``normals(seeds, ticks, 0, T * C)`` with seeds and ticks of shape [batch] draws a whole batch at once.
    Raises ValueError for a seed outside 0..2^53-1 or a tick or stream outside 0..2^32-1.
    """
    before = first % NORMALS
    words = _words(seed, tick, stream, -(-(before + count) // NORMALS), first // NORMALS)
    bits = np.stack([words & np.uint32(0xFFFF), words >> np.uint32(16)], axis=-1).reshape(*words.shape[:-1], -1)
    return _quantiles()[bits[..., before : before + count]]


def tick_noise(
    seeds: ArrayLike, tick: int, tokens: int, channels: int, used: list[tuple[int, int]]
) -> NDArray[np.float32]:
    """The noise of a tick for seeds [B]: float32 [B,S,T,C], a stream for each of `used`, which says what the student
    looks at: (first, count). The rest is zero and never drawn."""
    seeds = np.asarray(seeds)
    noise = np.zeros((len(seeds), len(used), tokens * channels), np.float32)
    for stream, (first, count) in enumerate(used):
        noise[:, stream, first : first + count] = normals(seeds, tick, stream, count, first)
    return noise.reshape(len(seeds), len(used), tokens, channels)
