"""Worlds whose answer is known: the recording with one thing done to it. Every metric is checked on them."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from distill.evaluation.paint import paint_out, paste
from distill.evaluation.worlds import Recorded


def blurred(frames: np.ndarray, sigma: float) -> np.ndarray:
    """uint8 [N,H,W,3], a Gaussian of `sigma` pixels over each."""
    soft = gaussian_filter(frames.astype(np.float32), (0, sigma, sigma, 0))
    return np.clip(soft + 0.5, 0, 255).astype(np.uint8)


def speckled(frames: np.ndarray, levels: float, rng: np.random.Generator) -> np.ndarray:
    """uint8 [N,H,W,3] with noise of that deviation, in levels of 0..255, in every pixel by itself."""
    noise = levels * rng.standard_normal(frames.shape, np.float32)
    return np.clip(frames + noise + 0.5, 0, 255).astype(np.uint8)


class Blurred(Recorded):
    def __init__(self, packed, sigma: float):
        super().__init__(packed)
        self.sigma, self.kind = sigma, f"blurred by {sigma:g}"

    def frames(self) -> np.ndarray:
        return blurred(super().frames(), self.sigma)


class Speckled(Recorded):
    def __init__(self, packed, levels: float):
        super().__init__(packed)
        self.levels, self.kind = levels, f"speckled by {levels:g}"

    def frames(self) -> np.ndarray:
        return speckled(super().frames(), self.levels, np.random.default_rng([self.tick, int(self.rows[0])]))


class Frozen(Recorded):
    """The first frame for ever; the instruments go on."""

    kind = "frozen"

    def frames(self) -> np.ndarray:
        return self.packed.frames[self.rows]


class WithoutCar(Recorded):
    kind = "car painted out"

    def frames(self) -> np.ndarray:
        frames, boxes = super().frames(), self.packed.boxes[self.rows + self.tick]
        return np.stack([paint_out(frame, box) for frame, box in zip(frames, boxes, strict=True)])


class SecondCar(Recorded):
    """Another car beside the real one, or where that does not fit, on the other side."""

    kind = "second car"

    def frames(self) -> np.ndarray:
        frames, boxes = super().frames(), self.packed.boxes[self.rows + self.tick]
        found = []
        for frame, box in zip(frames, boxes, strict=True):
            side = -1 if box[0] > frame.shape[1] / 2 else 1
            found.append(paste(frame, frame, box, box[0] + side * 1.3 * box[2], box[1])[0])
        return np.stack(found)


class Slow(Recorded):
    """Every frame twice, while the instruments go on."""

    kind = "half as fast"

    def frames(self) -> np.ndarray:
        return self.packed.frames[self.rows + self.tick // 2]
