"""A window that shows frames, by pygame (`pip install "oneiro[render]"`)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SCALE = 4  # device pixels of a pixel


class Window:
    """Opens at the first frame, and then keeps `fps` frames a second."""

    def __init__(self, title: str, fps: int):
        import pygame

        self._pygame: Any = pygame
        self._title, self._fps = title, fps
        self._surface: Any = None
        self._clock = pygame.time.Clock()

    def show(self, frame: NDArray[np.uint8]) -> None:
        """frame: [H,W,3]"""
        height, width = frame.shape[:2]
        if self._surface is None:
            self._pygame.display.init()
            self._pygame.display.set_caption(self._title)
            self._surface = self._pygame.display.set_mode((width * SCALE, height * SCALE))
        picture = self._pygame.surfarray.make_surface(frame.swapaxes(0, 1))
        self._pygame.transform.scale(picture, self._surface.get_size(), self._surface)
        self._pygame.event.pump()
        self._pygame.display.flip()
        self._clock.tick(self._fps)

    def close(self) -> None:
        if self._surface is not None:
            self._pygame.display.quit()
        self._surface = None
