"""What the world "drive" is to all rooms: the labels of its prompts, the readings of its instruments, its history."""

from __future__ import annotations

import numpy as np

BIOMES = ["meadow", "forest", "desert", "snow", "volcano"]
TIMES = ["dawn", "noon", "dusk", "night"]
WEATHERS = ["clear", "rain", "fog", "snowfall"]
LABELS = {"biome": BIOMES, "time": TIMES, "weather": WEATHERS}
RING = 16  # latents a state holds: the longest history offset
LONG_AGO = 10**6  # ticks since words that were there from the beginning
# What the car's instruments read (src/scene/drive/telemetry.ts): name -> (usual value, usual spread, mirror's sign).
TELEMETRY = {
    "speed": (17.0, 7.0, 1),
    "wheel": (0.0, 0.5, -1),
    "offset": (0.0, 3.0, -1),
    "heading": (0.0, 0.12, -1),
    "cameraOffset": (0.0, 1.7, -1),
    "cameraHeading": (0.0, 0.015, -1),
    "pitch": (0.4, 0.6, 1),
    "curvature": (0.0, 0.004, -1),
    "bendNear": (0.0, 0.004, -1),
    "bendMiddle": (0.0, 0.004, -1),
    "bendFar": (0.0, 0.004, -1),
    "slope": (0.0, 0.03, 1),
    "slopeAhead": (0.0, 0.03, 1),
    "phaseSin": (0.0, 0.7, 1),
    "phaseCos": (0.0, 0.7, 1),
    "weatherSin": (0.0, 0.7, 1),
    "weatherCos": (0.0, 0.7, 1),
    "stuck": (0.0, 0.3, 1),
}
UNITS = ["m/s", "-1..1", "m", "rad", "m", "rad", "-1..1", "1/m", "1/m", "1/m", "1/m", *[""] * 7]
MORPH_TICKS = 25  # after a change of prompt the simulator still shows a mixture for about this long


def telemetry_tokens(channels: int) -> int:
    """How many of a latent's last tokens it takes to hold the telemetry."""
    return -(-len(TELEMETRY) // channels)


def telemetry_token(values: np.ndarray, channels: int, flip: bool = False) -> np.ndarray:
    """Telemetry [...,len(TELEMETRY)] -> the latent's last tokens [...,n,C], of about unit size, zero beyond it; `flip`
    as a mirrored picture would read."""
    centre, spread, mirrors = np.array(list(TELEMETRY.values()), np.float32).T
    count = telemetry_tokens(channels)
    token = np.zeros((*values.shape[:-1], count * channels), np.float32)
    token[..., : len(TELEMETRY)] = (values - centre) / spread * (mirrors if flip else 1)
    return token.reshape(*values.shape[:-1], count, channels)


def telemetry_manifest() -> list[dict]:
    """What a manifest says of that token."""
    read = zip(TELEMETRY.items(), UNITS, strict=True)
    return [{"name": n, "unit": unit, "centre": centre, "spread": spread} for (n, (centre, spread, _)), unit in read]


def read_telemetry(latents: np.ndarray) -> np.ndarray:
    """What the last tokens of latents [B,T,C] read: float32 [B,len(TELEMETRY)]; undoes `data.telemetry_token`."""
    count = telemetry_tokens(latents.shape[-1])
    centre, spread, _ = np.array(list(TELEMETRY.values()), np.float32).T
    return latents[:, -count:].reshape(len(latents), -1)[:, : len(TELEMETRY)] * spread + centre
