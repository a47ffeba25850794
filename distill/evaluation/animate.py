"""A moving picture of the shipped dream: `python -m distill.evaluation.animate docs/dream.webp`.

Somebody driving badly: four drives from words and a seed alone, 160 ticks each at 20 a second, under the policy `mash`
(policies.py), with other words from half of it on. Nothing was chosen."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import load_file

from distill.evaluation.policies import make
from distill.evaluation.worlds import Dream, open_dream

TICKS, SCALE = 160, 2


def drive(world: Dream, words: np.ndarray, later: np.ndarray, seed: int) -> list[np.ndarray]:
    """The frames uint8 [96,160,3] of one drive under words [P], the first one drawn from them."""
    hands = make("mash", [seed])
    world.first_frames(words[None], np.array([seed]))
    frames = []
    for tick in range(TICKS):
        frames.append(world.frames()[0])
        if tick == TICKS // 2:
            world.set_prompt(later[None])
        world.step(hands.act(world.telemetry()))
    return frames


def main(out: str, folder: str = "assets/drive") -> None:
    world, stored = open_dream(folder), load_file(Path(folder) / "starts.safetensors")
    words = [stored["promptEmbeddings"][preset["embedding"]] for preset in world.manifest["presets"]]
    half = len(words) // 2
    drives = [drive(world, words[i], words[(i + half) % len(words)], seed) for seed, i in enumerate(range(0, 8, 2))]
    pictures = []
    for a, b, c, d in zip(*drives, strict=True):
        image = Image.fromarray(np.concatenate([np.concatenate([a, b], 1), np.concatenate([c, d], 1)], 0))
        pictures.append(image.resize((image.width * SCALE, image.height * SCALE), Image.Resampling.BICUBIC))
    pictures[0].save(out, save_all=True, append_images=pictures[1:], duration=50, loop=0, quality=35, method=4)


if __name__ == "__main__":
    main(sys.argv[1])
