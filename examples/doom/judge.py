"""Does the dream of Doom listen to words, and does it last? Plays it as any agent would, through the package `oneiro`.

    PYTHONPATH=clients/python/src:. python -m examples.doom.judge assets/doom data/doom

Which game a picture shows is told by a linear reader of small pictures, taught on recorded frames and checked on
those of validation. Words are those of the recordings and WORDS, which no recording has. Keys are held at random.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

import oneiro
from distill.data.packed import Packed
from examples.doom.world import SCENARIOS
from oneiro.data import hold_at_random

WORDS = (
    (
        "fire balls are thrown at you",
        "avoid being hit by flames",
        "imps attack from afar",
        "a hall where demons hurl fire",
    ),
    ("a poisonous green lake", "collect medicine on toxic ground", "a swamp of acid", "find bandages in the slime"),
    ("guard the middle of the ring", "kill all who come near", "use your gun", "an arena full of foes"),
)
SMALL = (20, 12)
AFTER = 8  # ticks from the words to the look
LONG = 1000
CHANGE = 100  # ticks between changes of words in a long game


def small(frames: np.ndarray) -> np.ndarray:
    """uint8 [N,H,W,3] -> float64 [N,F], with a one at the end."""
    told = [np.asarray(Image.fromarray(frame).resize(SMALL, Image.Resampling.BOX)).ravel() / 255 for frame in frames]
    return np.concatenate([np.array(told), np.ones((len(told), 1))], 1)


def shown(packed: Packed, every: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames and which game each shows, by its caption."""
    of = {words: n for n, scenario in enumerate(SCENARIOS) for words in scenario.words}
    rows = np.arange(1, len(packed), every)
    return packed.frames[rows], np.array([of[packed.captions[packed.prompts[row - 1]]["text"]] for row in rows])


class Reader:
    """Which game a frame shows."""

    def __init__(self, data: Path):
        frames, games = shown(Packed(data, "train"), 37)
        x, y = small(frames), np.eye(len(SCENARIOS))[games]
        self.weights = np.linalg.solve(x.T @ x + 1e-2 * np.eye(x.shape[1]), x.T @ y)
        frames, games = shown(Packed(data, "validation"), 7)
        self.right = float((self(frames) == games).mean())
        self.sharpness = [float(sharpness(frames[games == n])) for n in range(len(SCENARIOS))]

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        return (small(frames) @ self.weights).argmax(1)


def sharpness(frames: np.ndarray) -> float:
    """How much neighbours differ: the mean over frames of the mean step between pixels side by side."""
    grey = frames.astype(np.float32).mean(3)
    return float(np.abs(np.diff(grey, axis=1)).mean() + np.abs(np.diff(grey, axis=2)).mean())


def interval(values: list[float]) -> dict[str, float]:
    """Mean and half of a 95 % interval over what was played."""
    return {
        "value": round(float(np.mean(values)), 3),
        "spread": round(float(1.96 * np.std(values) / len(values) ** 0.5), 3),
    }


def listens(world, reader: Reader, words: tuple, seeds: range) -> dict[str, float]:
    """How often, AFTER ticks after words for another game, the picture is of that game."""
    right = []
    for seed in seeds:
        policy = hold_at_random(world.space, seed, ticks=6)
        tick = world.reset(seed=seed)
        for _ in range(20):
            tick = world.step(policy(tick))
        before = int(reader(tick.frame[None, ..., :3])[0])
        game = (before + 1 + seed % 2) % len(SCENARIOS)
        world.set_prompt(words[game][seed % len(words[game])])
        for _ in range(AFTER):
            tick = world.step(policy(tick))
        right.append(float(reader(tick.frame[None, ..., :3])[0] == game))
    return interval(right)


def lasts(world, reader: Reader, seeds: range) -> dict[str, dict]:
    """Games of LONG ticks whose words change: how often the picture is of the game that was asked for in the last ticks
    before each change, and how sharp it is beside recordings of that game."""
    found: dict[str, list[float]] = {}
    for seed in seeds:
        policy = hold_at_random(world.space, seed, ticks=6)
        tick = world.reset(seed=seed)
        game = seed % len(SCENARIOS)
        for n in range(LONG):
            if n % CHANGE == 0:
                game = (game + 1) % len(SCENARIOS)
                world.set_prompt(SCENARIOS[game].words[n // CHANGE % 12])
            tick = world.step(policy(tick))
            if n % CHANGE == CHANGE - 1:
                frame = tick.frame[None, ..., :3]
                when = "the first 300 ticks" if n < 300 else "the last 300 ticks" if n >= LONG - 300 else "between"
                found.setdefault(f"right in {when}", []).append(float(reader(frame)[0] == game))
                found.setdefault(f"sharpness in {when}", []).append(sharpness(frame) / reader.sharpness[game])
    return {name: interval(values) for name, values in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("world", type=Path)
    parser.add_argument("data", type=Path, help="its recordings")
    parser.add_argument("--seeds", type=int, default=48)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    reader = Reader(given.data)
    with oneiro.open_world(given.world) as world:
        metrics = {
            "reader right on validation": reader.right,
            "words of the recordings": listens(world, reader, [s.words for s in SCENARIOS], range(given.seeds)),
            "words never recorded": listens(world, reader, WORDS, range(given.seeds)),
            **lasts(world, reader, range(max(1, given.seeds // 6))),
        }
    text = json.dumps(metrics, indent=2)
    print(text)
    if given.json:
        given.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
