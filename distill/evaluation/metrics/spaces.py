"""Where energy scores are taken: from frames to groups of vectors, uint8 [N,96,160,3] -> float32 [N,G,D].

- `latents`: the picture's normalised latents as one vector.
- `crops`: 15 crops of 32 x 32 pixels, in levels of 0..255.
- `features`: the 64 features of the probe, each over its deviation in the recordings.
- `detail`: in each crop, the logarithm of how strong three octaves of detail are. With thousands of numbers a distance
  sees only how much noise there is, not whether it is speckle: speckle of the right strength on a blurred picture would
  score like the truth. Here it does not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from distill.evaluation.probes import Probe, embed_frames

CROP = 32
Space = Callable[[np.ndarray, np.ndarray | None], np.ndarray]  # (frames, the world's own latents or None)


def crops_of(frames: np.ndarray, size: int = CROP) -> np.ndarray:
    """[N,H,W,C] -> [N,G,size,size,C], side by side; what is left over at the right and below is not looked at."""
    count, height, width, channels = frames.shape
    down, across = height // size, width // size
    cut = frames[:, : down * size, : across * size].reshape(count, down, size, across, size, channels)
    return cut.transpose(0, 1, 3, 2, 4, 5).reshape(count, down * across, size, size, channels)


def crops(frames: np.ndarray, _=None) -> np.ndarray:
    cut = crops_of(frames).astype(np.float32)
    return cut.reshape(*cut.shape[:2], -1)


def halved(grey: np.ndarray) -> np.ndarray:
    """[...,H,W] -> [...,H/2,W/2], each 2 x 2 averaged."""
    return (grey[..., ::2, ::2] + grey[..., 1::2, ::2] + grey[..., ::2, 1::2] + grey[..., 1::2, 1::2]) / 4


def detail(frames: np.ndarray, _=None) -> np.ndarray:
    grey = crops_of(frames).astype(np.float32).mean(-1)
    octaves = []
    for _octave in range(3):
        coarse = halved(grey)
        fine = grey - coarse.repeat(2, -2).repeat(2, -1)
        octaves.append(np.log(1 + np.sqrt((fine**2).mean((-2, -1)))))
        grey = coarse
    return np.stack(octaves, -1)


class Features:
    def __init__(self, probe: Probe, recorded: np.ndarray):
        """recorded uint8 [N,H,W,3]: frames that say how much each feature usually varies."""
        self.probe = probe
        self.unit = np.maximum(embed_frames(probe, recorded).std(0), 1e-6)

    def __call__(self, frames: np.ndarray, _=None) -> np.ndarray:
        return (embed_frames(self.probe, frames) / self.unit).astype(np.float32)[:, None]


class Latents:
    def __init__(self, codec):
        self.codec = codec

    def __call__(self, frames: np.ndarray, latents: np.ndarray | None = None) -> np.ndarray:
        found = self.codec.encode(frames) if latents is None else latents
        return found.reshape(len(found), 1, -1)


def spaces_of(world, recorded: np.ndarray, probe: Probe | None) -> dict[str, Space]:
    """The spaces that a world can be judged in: `latents` needs a codec, `features` the probe. recorded uint8
    [N,H,W,3] are frames of the split."""
    spaces: dict[str, Space] = {"crops": crops, "detail": detail}
    if getattr(world, "codec", None) is not None:
        spaces = {"latents": Latents(world.codec)} | spaces
    if probe is not None:
        spaces["features"] = Features(probe, recorded)
    return spaces
