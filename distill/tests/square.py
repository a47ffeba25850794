"""A made-up world of one square that two keys move, in episodes of version 4; no words, no instruments."""

from __future__ import annotations

import zlib
from pathlib import Path

import msgpack
import numpy as np

CONTROLS = [
    {"name": "x", "kind": "axis", "values": [-1, 0, 1], "keys": [["ArrowLeft"], ["ArrowRight"]]},
    {"name": "jump", "kind": "button", "keys": ["Space"]},
]
H, W, CELL = 32, 64, 8


def episode(seed: int, ticks: int = 110, **changes) -> dict:
    """The square moves a cell with x and turns red with jump, for a reward of 1; at the right edge its game ends."""
    rng = np.random.default_rng(seed)
    moves = np.repeat(rng.integers(-1, 2, ticks), 4)[:ticks]
    jumps = np.repeat(rng.integers(0, 2, ticks), 3)[:ticks]
    frames, at, ends = np.zeros((ticks, H, W, 3), np.uint8), 3, np.zeros(ticks, np.uint8)
    for tick in range(ticks):
        colour = (220, 40, 40) if tick and jumps[tick - 1] else (40, 90, 220)
        frames[tick, 8:24, CELL * at : CELL * at + CELL] = colour
        at = int(np.clip(at + moves[tick], 0, W // CELL - 1))
        ends[tick] = at == W // CELL - 1
    return {
        "format": "oneiro-episode", "version": 4, "world": "square", "title": "Square", "seed": seed, "ticks": ticks,
        "width": W, "height": H, "ticksPerSecond": 10, "controls": CONTROLS, "encoding": "number",
        "telemetryNames": ["at"], "policy": "random", "frames": zlib.compress(frames.tobytes(), 1),
        "actions": np.stack([moves, jumps], 1).astype("<f4").tobytes(),
        "telemetry": np.zeros((ticks, 1), "<f4").tobytes(), "rewards": jumps.astype("<f4").tobytes(),
        "dones": ends.tobytes(), "prompts": [], "stateHash": "",
    } | changes  # fmt: skip


def write(data: Path, train: int = 4, validation: int = 2, **changes) -> Path:
    for split, first, count in (("train", 0, train), ("validation", 1_100_000, validation)):
        folder = data / split
        folder.mkdir(parents=True, exist_ok=True)
        for seed in range(first, first + count):
            (folder / f"ep-{seed:07d}.msgpack").write_bytes(msgpack.packb(episode(seed, **changes)))
    return data
