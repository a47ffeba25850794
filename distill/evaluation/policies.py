"""Who drives the free runs: from instruments to keys, for B runs side by side.

- `cruise`: a lane keeper, twin of src/scene/drive/lane-keeper.ts.
- `careful`: a person. Acts on instruments 250 ms late, decides five times a second, makes mistakes.
- `mash`: left, right and nothing held for 5 to 25 ticks by chance, throttle mostly on.
- `stop`: drives for three seconds, holds the brake for six, over and over.

    policy = make("careful", seeds)
    actions = policy.act(telemetry)  # float32 [B,len(TELEMETRY)] -> float32 [B,2]: steer and throttle in -1, 0, 1

All chance comes from a run's seed and tick.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from distill.config import UserError
from distill.random import uniforms
from distill.world import TELEMETRY

CAREFUL_STREAM, MASH_STREAM, STOP_STREAM = 22, 23, 26
SPEED = 22.0  # m/s
LATE = 5  # ticks: 250 ms
GOING, BRAKING = 60, 120  # ticks of `stop`
POLICIES = ("cruise", "careful", "mash", "stop")


def named(telemetry: np.ndarray) -> dict[str, np.ndarray]:
    """float32 [B,len(TELEMETRY)] -> {name: [B]}"""
    return dict(zip(TELEMETRY, np.asarray(telemetry, np.float64).T, strict=True))


def keep_to_road(read: dict[str, np.ndarray], goal=0.0, speed=SPEED) -> np.ndarray:
    """Instruments [B] -> keys float32 [B,2] that keep a car `goal` metres right of the middle at about `speed` m/s."""
    v = read["speed"]
    home = np.clip((goal - read["offset"]) * 0.06, -0.16, 0.16)
    bend = (0.6 * read["curvature"] + 0.4 * read["bendNear"]) * v * v * 0.01
    error = (home - 0.5 * read["heading"] + bend) / 0.3 - read["wheel"] * 0.7
    steer = np.where(error > 0.3, 1, np.where(error < -0.3, -1, 0))
    throttle = np.where(v < speed - 1, 1, np.where(v > speed + 4, -1, 0))
    return np.stack([steer, throttle], 1).astype(np.float32)


def third(chance: np.ndarray) -> np.ndarray:
    """Uniforms in [0, 1) -> -1, 0 or 1, equally often."""
    return np.floor(chance * 3) - 1


class Held:
    """Keys of B runs, each held until its ticks are over. `decide(chance [B,4])` -> (keys [B,2], ticks [B])."""

    stream = 0

    def __init__(self, seeds):
        self.seeds, self.tick = np.asarray(seeds, np.int64), 0
        self.left = np.zeros(len(self.seeds), int)
        self.keys = np.zeros((len(self.seeds), 2), np.float32)

    def hold(self, decide) -> np.ndarray:
        keys, ticks = decide(uniforms(self.seeds, self.tick, self.stream, 4))
        deciding = self.left <= 0
        self.keys = np.where(deciding[:, None], keys, self.keys).astype(np.float32)
        self.left = np.where(deciding, ticks, self.left) - 1
        self.tick += 1
        return self.keys.copy()


class Cruise:
    def __init__(self, seeds):
        pass

    def act(self, telemetry: np.ndarray) -> np.ndarray:
        return keep_to_road(named(telemetry))


class Careful(Held):
    """Decides every 3 to 5 ticks by what it saw LATE ticks ago: six times in a hundred any key, four times none."""

    stream = CAREFUL_STREAM

    def __init__(self, seeds):
        super().__init__(seeds)
        self.seen: deque = deque(maxlen=LATE + 1)

    def act(self, telemetry: np.ndarray) -> np.ndarray:
        self.seen.append(np.array(telemetry))

        def decide(chance):
            keys = keep_to_road(named(self.seen[0]))
            slip = chance[:, 0]
            keys[:, 0] = np.where(slip < 0.06, third(chance[:, 1]), keys[:, 0])
            keys[(slip >= 0.06) & (slip < 0.1)] = 0
            return keys, 3 + np.floor(chance[:, 2] * 3).astype(int)

        return self.hold(decide)


class Mash(Held):
    """Six in eight throttles are on, one is off and one brakes."""

    stream = MASH_STREAM

    def act(self, telemetry: np.ndarray) -> np.ndarray:
        def decide(chance):
            foot = np.array([1, 1, 1, 1, 1, 1, 0, -1])[(chance[:, 1] * 8).astype(int)]
            return np.stack([third(chance[:, 0]), foot], 1), 5 + np.floor(chance[:, 2] * 21).astype(int)

        return self.hold(decide)


class Stop:
    """Begins anywhere in its round by chance."""

    def __init__(self, seeds):
        chance = uniforms(np.asarray(seeds, np.int64), 0, STOP_STREAM, 1)[:, 0]
        self.tick = (chance * (GOING + BRAKING)).astype(int)

    def act(self, telemetry: np.ndarray) -> np.ndarray:
        keys = keep_to_road(named(telemetry))
        keys[self.tick % (GOING + BRAKING) >= GOING, 1] = -1
        self.tick = self.tick + 1
        return keys


def make(name: str, seeds):
    """A policy for runs of those seeds. Raises UserError for another name."""
    kinds = dict(zip(POLICIES, (Cruise, Careful, Mash, Stop), strict=True))
    if name not in kinds:
        raise UserError(f"there is no policy {name}; there are {', '.join(POLICIES)}")
    return kinds[name](seeds)
