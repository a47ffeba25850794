"""Sharpness: the gradient's spectrum at full size over that of the recordings.

1 is right, below is blur, above is speckle. Three octaves of wavelengths (16 to 8, 8 to 4, 4 to 2 pixels) count alike;
they stand beside the value, since blur in one can hide speckle in another.
"""

from __future__ import annotations

import numpy as np

from distill.evaluation.metrics import interval
from distill.evaluation.metrics.spaces import crops_of

OCTAVES = (1 / 16, 1 / 8, 1 / 4, 1 / 2)  # cycles per pixel
CROP = 16
TICKS = (20, 100, 400)


def gradient_octaves(frames: np.ndarray, batch: int = 32) -> np.ndarray:
    """uint8 [N,H,W,3] -> float64 [N,3]: root mean square of the gradient in each octave and crop of 16 pixels, mean
    over the crops, in levels a pixel. In crops, so that a few strong edges do not hide speckle on flat ground."""
    window = np.outer(np.hanning(CROP + 2)[1:-1], np.hanning(CROP + 2)[1:-1])
    window /= np.sqrt((window**2).mean())
    down, across = np.fft.fftfreq(CROP)[:, None], np.fft.rfftfreq(CROP)[None]
    radius = np.hypot(down, across)
    steep = (2 * np.sin(np.pi * down)) ** 2 + (2 * np.sin(np.pi * across)) ** 2  # of a step to the next pixel
    twice = np.where((across == 0) | (across == 0.5), 1, 2)  # the half of the plane that rfft leaves out
    weights = np.stack([(radius >= low) & (radius < high) for low, high in zip(OCTAVES, OCTAVES[1:], strict=False)])
    weights = (weights * steep * twice).reshape(len(weights), -1) / (3 * CROP**4)
    found = []
    for first in range(0, len(frames), batch):
        crops = crops_of(frames[first : first + batch], CROP).astype(np.float32)
        crops -= crops.mean((2, 3), keepdims=True)
        power = (np.abs(np.fft.rfft2(crops * window[..., None], axes=(2, 3))) ** 2).sum(-1)
        found.append(np.sqrt(power.reshape(*power.shape[:2], -1) @ weights.T).mean(1))
    return np.concatenate(found)


def sharpness(dreamed: np.ndarray, real: np.ndarray, drives: np.ndarray) -> dict:
    """Frames uint8 [N,H,W,3] of a world and of the recordings at the same ticks, and the drive of each [N]: the
    geometric mean over octaves of how strong the gradient is over the recordings'; `octaves` has each, coarse first."""
    if not len(dreamed):
        return interval.nothing()
    top, bottom = gradient_octaves(dreamed) + 1e-9, gradient_octaves(real) + 1e-9
    octaves = top.mean(0) / bottom.mean(0)
    value = np.exp(np.log(octaves).mean())
    residuals = (top / top.mean(0) - bottom / bottom.mean(0)).mean(1)
    spread = value * interval.half_interval(residuals, drives)
    return interval.made(value, spread, drives) | {"octaves": [float(octave) for octave in octaves]}
