"""The drive's task, as `src/scene/drive/telemetry.ts` has it: reward and end as functions of what instruments read."""

from __future__ import annotations

import numpy as np

from distill.world import TELEMETRY

SECONDS_A_TICK = 1 / 20
OFF_ROAD = 6.6  # metres from the centre line
CRASH_OFFSET, CRASH_SPEED = 7.2, 20  # in a bank, m/s
SPEED, OFFSET, HEADING, STUCK = (list(TELEMETRY).index(name) for name in ("speed", "offset", "heading", "stuck"))


def rewards_of(telemetry: np.ndarray) -> np.ndarray:
    """telemetry [...,n] -> float64 [...]: metres along the road in the tick that ends there, a third beside it."""
    read = telemetry.astype(np.float64)
    along = read[..., SPEED] * np.cos(read[..., HEADING]) * SECONDS_A_TICK
    return along * np.where(np.abs(read[..., OFFSET]) > OFF_ROAD, 1 / 3, 1)


def dones_of(telemetry: np.ndarray) -> np.ndarray:
    """telemetry [...,n] -> bool [...]: crashed into a bank at speed, or stuck for three seconds."""
    read = telemetry.astype(np.float64)
    crashed = (np.abs(read[..., OFFSET]) >= CRASH_OFFSET) & (read[..., SPEED] >= CRASH_SPEED)
    return crashed | (read[..., STUCK] >= 1)
