"""From what an environment shows to frames of whole patches: cropped to the wanted shape, then averaged down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from distill.config import UserError

CELL = 16  # a frame is a multiple of it: patches of 4 pixels, in a grid that is halved twice
STEP = 2 * CELL  # what is chosen here is a multiple of it, so that patches of 8 pixels, a quarter of the work, fit too
SIDES = range(STEP, 5 * STEP + 1, STEP)
PIXELS = 96 * 64  # about as many as a small network learns in an hour
IMAGES = ("rgb", "image", "pixels", "screen", "frame", "observation")


def image_in(observation) -> np.ndarray | None:
    """The picture uint8 [H,W,3] in an observation, or None where there is none."""
    if isinstance(observation, dict):
        named = [observation[name] for name in IMAGES if name in observation]
        return next((image for part in named if (image := image_in(part)) is not None), None)
    array = np.asarray(observation)
    if array.dtype != np.uint8 or array.ndim not in (2, 3):
        return None
    if array.ndim == 2:
        array = array[..., None]
    if array.shape[2] not in (1, 3, 4) or min(array.shape[:2]) < 8:
        return None
    return np.repeat(array, 3, 2) if array.shape[2] == 1 else array[..., :3]


@dataclass(frozen=True)
class Fit:
    """The part of a picture that is kept (left, top, width, height) and the size that it is brought to."""

    crop: tuple[int, int, int, int]
    width: int
    height: int

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """uint8 [H,W,3] -> uint8 [height,width,3]"""
        left, top, width, height = self.crop
        part = picture[top : top + height, left : left + width]
        if part.shape[:2] == (self.height, self.width):
            return np.ascontiguousarray(part)
        larger = width < self.width or height < self.height
        method = Image.Resampling.NEAREST if larger else Image.Resampling.BOX
        return np.asarray(Image.fromarray(np.ascontiguousarray(part)).resize((self.width, self.height), method))

    def say(self, picture: np.ndarray) -> str:
        left, top, width, height = self.crop
        rows, columns = picture.shape[:2]
        cut = f", cut to {width}x{height} from ({left}, {top})" if (width, height) != (columns, rows) else ""
        return f"its pictures of {columns}x{rows}{cut}, become frames of {self.width}x{self.height}"


def fit_of(picture: np.ndarray, size: str = "", crop: str = "") -> Fit:
    """How a picture [H,W,3] becomes a frame: `size` as WIDTHxHEIGHT (empty: the nearest shape of about PIXELS pixels),
    `crop` as LEFT,TOP,WIDTH,HEIGHT (empty: the middle, as little as possible). Raises UserError."""
    rows, columns = picture.shape[:2]
    left, top, width, height = 0, 0, columns, rows
    if crop:
        left, top, width, height = _numbers(crop, ",", 4, "crop is LEFT,TOP,WIDTH,HEIGHT")
    if width < 1 or height < 1 or left + width > columns or top + height > rows:
        raise UserError(f"crop={crop} is not inside the pictures, which are {columns}x{rows}")
    if size:
        to = _numbers(size.lower(), "x", 2, "size is WIDTHxHEIGHT")
        if any(side % CELL or not STEP <= side <= SIDES[-1] for side in to):
            raise UserError(f"size={size} is no multiple of {CELL} from {STEP} to {SIDES[-1]} each way; try 96x64")
    else:
        shapes = [(w, h) for w in SIDES for h in SIDES if PIXELS / 2 <= w * h <= 2 * PIXELS]
        wrong = lambda w, h: abs(np.log(w / h * height / width)) + 0.2 * abs(np.log(w * h / PIXELS))  # noqa: E731
        to = min(shapes, key=lambda shape: wrong(*shape))
    if not crop:  # no more than it takes to have the shape
        wide = round(height * to[0] / to[1])
        if wide <= width:
            left, width = (width - wide) // 2, wide
        else:
            tall = round(width * to[1] / to[0])
            top, height = (height - tall) // 2, tall
    return Fit((left, top, width, height), *to)


def _numbers(text: str, by: str, count: int, sentence: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split(by))
    except ValueError:
        numbers = ()
    if len(numbers) != count or min(numbers) < 0:
        raise UserError(f"{sentence}, but {text} came")
    return numbers
