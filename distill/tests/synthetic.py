"""Small made-up episodes in the recorder's container: a road that bends with the steering under a coloured sky."""

from __future__ import annotations

import zlib
from pathlib import Path

import msgpack
import numpy as np

from distill.data.packed import read_episode
from distill.world import BIOMES, TELEMETRY, TIMES, WEATHERS

H, W = 96, 160
GROUND = np.array([[80, 160, 60], [30, 90, 40], [210, 170, 100], [230, 235, 240], [60, 40, 45]], float)
SKY = np.array([[240, 190, 150], [110, 180, 240], [220, 110, 90], [15, 20, 50]], float)
VEIL = np.array([[0, 0, 0], [90, 100, 120], [200, 200, 205], [245, 245, 250]], float)


def frame(offset: float, phase: float, biome: int, time: int, weather: int) -> np.ndarray:
    """uint8 [96,160,3]"""
    y, x = np.mgrid[0:H, 0:W].astype(float)
    depth = np.clip((y - 40) / (H - 40), 0.01, 1)
    ground = GROUND[biome] * (0.6 if time == 3 else 1.0)
    image = np.where((y < 40)[..., None], SKY[time] + (y / 2)[..., None], ground)
    centre = W / 2 + 30 * offset * (1 - depth)
    road = (y >= 40) & (np.abs(x - centre) < 6 + 60 * depth)
    stripes = np.sin(8 / depth + phase) > 0
    image = np.where(road[..., None], np.where(stripes, 90.0, 110.0)[..., None], image)
    strength = [0, 0.25, 0.45, 0.3][weather]
    image = image * (1 - strength) + VEIL[weather] * strength
    image[70:84, 70:90] = [200, 40, 40]
    return np.clip(image, 0, 255).astype(np.uint8)


def episode(seed: int, ticks: int = 48, change: int | None = None) -> dict:
    """The container's map, before packing."""
    rng = np.random.default_rng(seed)
    offset, phase = 0.0, 0.0
    actions = np.repeat(rng.integers(-1, 2, (ticks // 8 + 1, 2)), 8, axis=0)[:ticks].astype(np.int8)
    frames, prompts, telemetry = [], [], []
    labels = [int(rng.integers(5)), int(rng.integers(4)), int(rng.integers(4))]
    for tick in range(ticks):
        if tick == 0 or tick == change:
            labels = [int(rng.integers(5)), int(rng.integers(4)), int(rng.integers(4))]
            words = BIOMES[labels[0]], TIMES[labels[1]], WEATHERS[labels[2]]
            prompts.append(
                dict(zip(("biome", "time", "weather"), words, strict=True))
                | {"tick": tick, "text": " ".join(words), "split": "train"}
            )
        frames.append(frame(offset, phase, *labels))
        telemetry.append([15.0, offset, *[0.0] * (len(TELEMETRY) - 2)])
        offset = np.clip(offset + 0.2 * actions[tick, 0], -2, 2)
        phase += 0.4 + 0.3 * actions[tick, 1]
    frames = np.stack(frames)
    return {
        "format": "oneiro-episode", "version": 3, "world": "drive", "seed": seed, "ticks": ticks,
        "width": W, "height": H,
        "ticksPerSecond": 20, "policy": "synthetic", "frames": zlib.compress(frames.tobytes(), 1),
        "boxes": np.tile(np.array([80, 77, 20, 14], "<f4"), (ticks, 1)).tobytes(),
        "telemetryNames": list(TELEMETRY), "telemetry": np.array(telemetry, "<f4").tobytes(),
        "actions": actions.tobytes(), "rewards": np.ones(ticks, "<f4").tobytes(),
        "dones": np.zeros(ticks, np.uint8).tobytes(), "prompts": prompts, "stateHash": "",
    }  # fmt: skip


def write(data: Path, split: str, seeds, **options) -> None:
    """Episodes of those seeds in data/<split>/"""
    folder = Path(data) / split
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        (folder / f"ep-{seed:07d}.msgpack").write_bytes(msgpack.packb(episode(seed, **options)))


def read(data: Path, split: str, seed: int) -> dict:
    """An episode of `write` as distill.data.packed reads it."""
    return read_episode(Path(data) / split / f"ep-{seed:07d}.msgpack")
