"""Who drives the free runs: from instruments to keys, for B runs side by side.

- `cruise`: a lane keeper, twin of src/scene/drive/lane-keeper.ts.
- `careful`: a person. Acts on instruments 250 ms late, decides a few times a second, makes mistakes.
- `mash`: left, right and nothing held for 5 to 25 ticks by chance, throttle mostly on.

    policy = make("careful", seeds)
    actions = policy.act(telemetry)  # float32 [B,len(TELEMETRY)] -> float32 [B,2]: steer and throttle in -1, 0, 1

All chance comes from a run's seed and tick.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from distill.config import UserError
from distill.data import TELEMETRY
from distill.random import uniforms

CAREFUL_STREAM, MASH_STREAM = 22, 23
SPEED = 20.0  # m/s
LATE = 5  # ticks: 250 ms
POLICIES = ("cruise", "careful", "mash")


def named(telemetry: np.ndarray) -> dict[str, np.ndarray]:
    """float32 [B,len(TELEMETRY)] -> {name: [B]}"""
    return dict(zip(TELEMETRY, np.asarray(telemetry, np.float64).T, strict=True))


def steering_error(read: dict[str, np.ndarray]) -> np.ndarray:
    """How far right of its way a lane keeper wants to point, rad: [B]."""
    bend = 0.7 * read["curvature"] + 0.3 * read.get("curvatureAhead", read["curvature"])
    wanted = np.clip(-read["offset"] * 0.06, -0.3, 0.3) + bend * read["speed"] * 0.55
    return wanted - read["heading"] - read["wheel"] * 0.1


def keys(error: np.ndarray, dead: float, speed: np.ndarray, wanted) -> np.ndarray:
    steer = np.where(error > dead, 1, np.where(error < -dead, -1, 0))
    throttle = np.where(speed < wanted - 1, 1, np.where(speed > wanted + 4, -1, 0))
    return np.stack([steer, throttle], 1).astype(np.float32)


class Cruise:
    def __init__(self, seeds):
        pass

    def act(self, telemetry: np.ndarray) -> np.ndarray:
        read = named(telemetry)
        return keys(steering_error(read), 0.05, read["speed"], SPEED)


class Careful:
    """Decides every 3 to 6 ticks from what it saw LATE ticks ago. One decision in 14 is a mistake, held for 4 to 10
    ticks: a key too much, the wrong one, or none."""

    MISTAKE = 1 / 14

    def __init__(self, seeds):
        self.seeds, self.tick = np.asarray(seeds, np.int64), 0
        self.seen: deque = deque(maxlen=LATE + 1)
        self.left = np.zeros(len(self.seeds), int)
        self.held = np.zeros((len(self.seeds), 2), np.float32)

    def act(self, telemetry: np.ndarray) -> np.ndarray:
        self.seen.append(np.array(telemetry))
        read = named(self.seen[0])
        chance = uniforms(self.seeds, self.tick, CAREFUL_STREAM, 5)
        speed = SPEED - 3 + 4 * uniforms(self.seeds, self.tick // 100, CAREFUL_STREAM + 2**16, 1)[:, 0]
        wanted = keys(steering_error(read), 0.08, read["speed"], speed)
        wrong = np.stack([np.floor(chance[:, 1] * 3) - 1, np.where(chance[:, 2] < 0.3, -1, 1)], 1)
        slip = chance[:, 0] < self.MISTAKE
        deciding = self.left <= 0
        self.held = np.where(deciding[:, None], np.where(slip[:, None], wrong, wanted), self.held).astype(np.float32)
        ticks = np.where(slip, 4 + np.floor(chance[:, 3] * 7), 3 + np.floor(chance[:, 4] * 4)).astype(int)
        self.left = np.where(deciding, ticks, self.left) - 1
        self.tick += 1
        return self.held.copy()


class Mash:
    def __init__(self, seeds):
        self.seeds, self.tick = np.asarray(seeds, np.int64), 0
        self.left = np.zeros((len(self.seeds), 2), int)
        self.held = np.zeros((len(self.seeds), 2), np.float32)

    def act(self, telemetry: np.ndarray) -> np.ndarray:
        chance = uniforms(self.seeds, self.tick, MASH_STREAM, 4)
        steer = np.floor(chance[:, 0] * 3) - 1
        throttle = np.where(chance[:, 1] < 0.8, 1, np.where(chance[:, 1] < 0.9, 0, -1))
        deciding = self.left <= 0
        self.held = np.where(deciding, np.stack([steer, throttle], 1), self.held).astype(np.float32)
        self.left = np.where(deciding, 5 + np.floor(chance[:, 2:] * 21).astype(int), self.left) - 1
        self.tick += 1
        return self.held.copy()


def make(name: str, seeds):
    """A policy for runs of those seeds. Raises UserError for another name."""
    kinds = dict(zip(POLICIES, (Cruise, Careful, Mash), strict=True))
    if name not in kinds:
        raise UserError(f"there is no policy {name}; there are {', '.join(POLICIES)}")
    return kinds[name](seeds)
