"""A made-up drive for the metrics: a textured road that comes toward the camera at the speed of the instruments, hills
that pass with the steering, and a car in a known box. Written as packed frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from distill.data.packed import Packed, Packer
from distill.world import BIOMES, DRIVE, TELEMETRY, TIMES, WEATHERS

H, W, HORIZON = 96, 160, 40
Y, X = np.mgrid[0:H, 0:W].astype(np.float64)
PATTERN = np.random.default_rng(7).random((4, 256, 64))


def texture(kind: int, along: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Smooth value noise in 0..1 at places in cells."""
    low, left = np.floor(along), np.floor(across)
    fall, right = along - low, across - left
    at = lambda a, b: PATTERN[kind, (low + a).astype(int) % 256, (left + b).astype(int) % 64]  # noqa: E731
    upper = at(0, 0) * (1 - right) + at(0, 1) * right
    lower = at(1, 0) * (1 - right) + at(1, 1) * right
    return upper * (1 - fall) + lower * fall


def car_box(read: dict) -> np.ndarray:
    """Centre x and y, width and height, in pixels, of the car at these readings."""
    return np.array([80 + 5 * read["offset"] + 12 * read["heading"], 72 - 2 * read["pitch"], 26, 17], np.float32)


def draw(read: dict, distance: float, colours: np.ndarray) -> np.ndarray:
    """uint8 [96,160,3]. colours [4,3]: sky, ground, road, car."""
    depth = np.maximum(Y - HORIZON, 0.5) / (H - HORIZON)
    ahead = 4 / depth  # metres
    across = (X - W / 2) / (60 * depth) + 0.3 * read["offset"]
    sky = colours[0] + 30 * texture(0, Y / 6, X / 6 + 4 * read["heading"] + 0.02 * distance)[..., None]
    ground = colours[1] * (0.6 + 0.8 * texture(1, ahead + distance, across * 8)[..., None])
    road = colours[2] * (0.7 + 0.6 * texture(2, ahead + distance, across * 4)[..., None])
    image = np.where((Y < HORIZON)[..., None], sky, np.where((np.abs(across) < 1)[..., None], road, ground))
    x, y, w, h = car_box(read)
    body = (np.abs(X - x) < w / 2) & (np.abs(Y - y) < h / 2)
    image[body] = colours[3]
    image[body & (np.abs(Y - y + 3) < 2.5) & (np.abs(X - x) < w / 3)] = 40  # the rear window
    wheels = (np.abs(Y - y - h / 2 + 2) < 2) & (np.abs(np.abs(X - x) - w / 2 + 3) < 3)
    image[wheels] = 15
    return np.clip(image, 0, 255).astype(np.uint8)


def episode(seed: int, ticks: int, change: int | None = None) -> dict:
    rng = np.random.default_rng(seed)
    actions = np.repeat(rng.integers(-1, 2, (ticks // 8 + 1, 2)), 8, axis=0)[:ticks].astype(np.int8)
    read = dict.fromkeys(TELEMETRY, 0.0) | {"speed": 12 + 8 * rng.random(), "offset": 4 * rng.random() - 2}
    distance, prompts = 200 * rng.random(), []
    frames, telemetry, boxes = [], [], []
    for tick in range(ticks):
        if tick in (0, change):
            labels = rng.integers(5), rng.integers(4), rng.integers(4)
            words = BIOMES[labels[0]], TIMES[labels[1]], WEATHERS[labels[2]]
            setting = dict(zip(("biome", "time", "weather"), words, strict=True))
            prompts.append(setting | {"tick": tick, "text": " ".join(words), "split": "train"})
            tint = np.array([[[0.9, 1.1][labels[1] % 2]], [[1.0], [0.8], [1.2], [1.1], [0.7]][labels[0]]])
            colours = np.array([[110, 150, 210], [90, 150, 70], [110, 110, 115], [200, 45, 40]], float)
            colours[:2] *= tint.reshape(2, 1)
        frames.append(draw(read, distance, colours))
        telemetry.append([read[name] for name in TELEMETRY])
        boxes.append(car_box(read))
        steer, throttle = actions[tick]
        read["speed"] = float(np.clip(read["speed"] + 0.3 * throttle, 5, 25))
        read["heading"] = 0.7 * read["heading"] + 0.03 * steer
        read["wheel"] += 0.3 * (steer - read["wheel"])
        read["pitch"] += 0.2 * (throttle - read["pitch"])
        read["offset"] = float(np.clip(read["offset"] + read["speed"] * read["heading"] / 20, -4, 4))
        distance += read["speed"] / 20
    return {
        "frames": np.stack(frames), "actions": actions, "telemetry": np.array(telemetry, np.float32),
        "boxes": np.array(boxes, np.float32), "rewards": np.ones(ticks, np.float32),
        "dones": np.zeros(ticks, np.uint8), "prompts": prompts, "seed": seed, "policy": "made-up",
        "world": DRIVE,
    }  # fmt: skip


def write(data: Path, split: str, seeds, ticks: int = 70, change: int | None = None) -> Packed:
    """Episodes of those seeds in data/<split>/packed."""
    packer = Packer(Path(data) / split / "packed")
    for seed in seeds:
        packer.append(f"ep-{seed:07d}.msgpack", episode(seed, ticks, change))
    packer.commit()
    return Packed(data, split)
