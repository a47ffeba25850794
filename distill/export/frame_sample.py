"""What a runtime's picture is compared with at load: pixels spread over the frame of the self-test's tick.

A latent may be right and its picture garbled, as a graph that lost its last Reshape on WebGPU showed.
"""

from __future__ import annotations

import base64

import numpy as np

COUNT = 251  # a prime: pixels of every column of a patch are among them
TOLERANCE = 2.0  # mean difference in levels of 255: roundings make less than 1, a picture a pixel off more than 4


def frame_sample(frame: np.ndarray) -> dict:
    """frame [H,W,3 or 4] of floats in 0..1 -> the manifest's `selfTest.frame`: the RGB bytes of COUNT pixels. The k-th
    is number floor((k + 1/2) H W / COUNT) of the frame's, row by row."""
    pixels = np.floor(np.clip(frame[..., :3].astype(np.float64), 0, 1) * 255 + 0.5).astype(np.uint8).reshape(-1, 3)
    count = min(COUNT, len(pixels))
    chosen = pixels[(2 * np.arange(count) + 1) * len(pixels) // (2 * count)]
    return {"pixels": base64.b64encode(chosen.tobytes()).decode(), "tolerance": TOLERANCE}
