"""Frames of the recordings with their car taken out, another one put in, or the car smeared: uint8 [H,W,3] each.

A box is centre x, centre y, width, height in pixels.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter


def edges(box, shape, margin: float = 0.0) -> tuple[int, int, int, int]:
    """left, top, right, bottom of a box, `margin` of its size wider, inside the frame."""
    x, y, w, h = (float(value) for value in box)
    w, h = w * (1 + margin) + 2, h * (1 + margin) + 2
    left, right = sorted(int(np.clip(round(v), 0, shape[1])) for v in (x - w / 2, x + w / 2))
    top, bottom = sorted(int(np.clip(round(v), 0, shape[0])) for v in (y - h / 2, y + h / 2))
    return left, top, right, bottom


def soft_mask(box, shape, margin: float = 0.3, feather: float = 1.0) -> np.ndarray:
    """float32 [H,W,1]: 1 in the box, falling to 0 around it."""
    left, top, right, bottom = edges(box, shape, margin)
    mask = np.zeros(shape[:2], np.float32)
    mask[top:bottom, left:right] = 1
    return gaussian_filter(mask, feather)[..., None]


def blend(frame: np.ndarray, other: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.clip(frame * (1 - mask) + other * mask + 0.5, 0, 255).astype(np.uint8)


def paint_out(frame: np.ndarray, box, margin: float = 0.3) -> np.ndarray:
    """The box filled, row by row, with what lies left and right of it."""
    left, top, right, bottom = edges(box, frame.shape, margin + 0.15)
    width = right - left
    if width < 1 or bottom <= top:
        return frame.copy()
    other = frame.astype(np.float32)
    before = other[top:bottom, max(0, left - width) : left]
    after = other[top:bottom, right : right + width]
    share = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    both = [np.take(part[:, ::-1], np.arange(width), 1, mode="clip") for part in (before, after) if part.shape[1]]
    if not both:
        return frame.copy()
    fill = both[0] if len(both) == 1 else both[0] * (1 - share) + both[1] * share
    other[top:bottom, left:right] = fill
    return blend(frame, other, soft_mask(box, frame.shape, margin))


def paste(frame: np.ndarray, source: np.ndarray, box, x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    """What `source` has in its box, put into `frame` with its centre at x, y: (the frame, the new box float32 [4])."""
    shift = int(round(y - float(box[1]))), int(round(x - float(box[0])))
    moved = np.roll(source, shift, (0, 1)).astype(np.float32)
    place = np.array([float(box[0]) + shift[1], float(box[1]) + shift[0], box[2], box[3]], np.float32)
    return blend(frame, moved, soft_mask(place, frame.shape, 0.05)), place


def smear(frame: np.ndarray, box, sigma: float) -> np.ndarray:
    """The box and a little around it blurred by `sigma` pixels, till no car is left."""
    soft = gaussian_filter(frame.astype(np.float32), (sigma, sigma, 0))
    return blend(frame, soft, soft_mask(box, frame.shape, 0.4, 2.0))
