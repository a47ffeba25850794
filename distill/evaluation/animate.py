"""A moving picture of the shipped dream: `python -m distill.evaluation.animate docs/dream.webp`.

Somebody driving badly: four start states of `assets/drive`, 160 ticks each at 20 a second, under the policy `mash`
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


def drive(world: Dream, stored: dict[str, np.ndarray], start: int, seed: int) -> list[np.ndarray]:
    """The frames uint8 [96,160,3] of one drive, the start state's own first."""
    starts, presets = world.manifest["starts"], world.manifest["presets"]
    prompt = stored["promptEmbeddings"][[starts[start]["embedding"]]]
    later = stored["promptEmbeddings"][[presets[start % len(presets)]["embedding"]]]
    hands = make("mash", [seed])
    world.rollout.reset(stored["latents"][[start]], stored["actions"][[start]], prompt, [seed])
    world.latent = np.asarray(stored["latents"][[start], 0], np.float32)
    frames = []
    for tick in range(TICKS):
        frames.append(world.frames()[0])
        if tick == TICKS // 2:
            world.set_prompt(later)
        world.step(hands.act(world.telemetry()))
    return frames


def main(out: str, folder: str = "assets/drive") -> None:
    world, stored = open_dream(folder), load_file(Path(folder) / "starts.safetensors")
    chosen = np.linspace(0, len(world.manifest["starts"]) - 1, 4).round().astype(int)
    pictures = []
    for a, b, c, d in zip(*(drive(world, stored, start, seed) for seed, start in enumerate(chosen)), strict=True):
        image = Image.fromarray(np.concatenate([np.concatenate([a, b], 1), np.concatenate([c, d], 1)], 0))
        pictures.append(image.resize((image.width * SCALE, image.height * SCALE), Image.Resampling.BICUBIC))
    pictures[0].save(out, save_all=True, append_images=pictures[1:], duration=50, loop=0, quality=75)


if __name__ == "__main__":
    main(sys.argv[1])
