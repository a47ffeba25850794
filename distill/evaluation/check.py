"""Metrics against worlds whose answer is known. Prints a table and what does not hold; then the status is not 0.

    python -m distill check-metrics data=data/drive probes=runs/probes codec=runs/codec/codec.pt

On validation drives. Worlds: the recording itself, and the recording blurred, speckled, frozen, half as fast, without
its car and with another one; for words, the recording's frames beside other words than its own.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.config import UserError
from distill.data.packed import Packed
from distill.distributed import setup
from distill.evaluation import altered, evaluate, table
from distill.evaluation.metrics import comparison
from distill.evaluation.score import probe_of, seeds_of
from distill.evaluation.worlds import Recorded, TorchCodec
from distill.world import LABELS

NAMES = ("energy", "sharpness", "realOrDream", "flow", "car", "nextTickPsnr")
COLUMNS = {
    "energy latents": "energy latents 5", "energy crops": "energy crops 5", "energy detail": "energy detail 5",
    "energy features": "energy features 5", "sharpness": "sharpness 20", "real or dream": "realOrDream",
    "flow road": "flow road", "flow horizon": "flow horizon", "car": "car cruise 100", "next tick dB": "nextTickPsnr",
}  # fmt: skip


@dataclass
class Config(evaluate.Config):
    name: str = "check-metrics"
    split: str = "validation"
    histories: int = 64
    noises: int = 2
    ticks: int = 100


def worlds(packed: Packed) -> list[Recorded]:
    return [
        Recorded(packed), *(altered.Blurred(packed, sigma) for sigma in (0.5, 1, 2)),
        *(altered.Speckled(packed, levels) for levels in (4, 8)), altered.Frozen(packed), altered.Slow(packed),
        altered.WithoutCar(packed), altered.SecondCar(packed),
    ]  # fmt: skip


def failures(rows: dict[str, dict[str, float | None]]) -> list[str]:
    """What does not hold, one sentence each. rows: {world: {column: value}}."""
    wrong: list[str] = []

    def within(world: str, column: str, low: float, high: float) -> None:
        value = rows[world].get(column)
        if value is not None and not low <= value <= high:
            wrong.append(f"{column} of {world} is {value:.3f}, not {low:g} to {high:g}")

    def rising(column: str, names: list[str], falling: bool = False) -> None:
        values = [rows[name].get(column) for name in names]
        if None in values:
            return
        steps = np.diff(values) * (-1 if falling else 1)
        if (steps <= 0).any():
            shown = ", ".join(f"{value:.3f}" for value in values)
            wrong.append(f"{column} does not {'fall' if falling else 'rise'} over {', '.join(names)}: {shown}")

    soft = ["recorded", "blurred by 0.5", "blurred by 1", "blurred by 2"]
    grainy = ["recorded", "speckled by 4", "speckled by 8"]
    for column in ("energy latents", "energy crops", "energy detail"):
        rising(column, soft)
        rising(column, grainy)
        rising(column, ["recorded", "frozen"])
    rising("sharpness", soft, falling=True)
    rising("sharpness", grainy)
    within("recorded", "sharpness", 0.999, 1.001)
    within("recorded", "real or dream", 0.49, 0.51)
    for world in (*soft[2:], *grainy[1:]):
        within(world, "real or dream", 0.8, 1)
    for column in ("flow road", "flow horizon"):
        within("recorded", column, 0.999, 1.001)
        within("frozen", column, 0, 0.02)
        within("half as fast", column, 0.3, 0.75)
    within("recorded", "car", 0.95, 1)
    within("blurred by 0.5", "car", 0.9, 1)
    within("car painted out", "car", 0, 0.05)
    within("second car", "car", 0, 0.1)
    within("recorded", "next tick dB", 60, 60)
    rising("next tick dB", soft, falling=True)
    return wrong


def words_check(setting: comparison.Setting) -> tuple[float, float, float]:
    """Prompt following of recorded frames by their own words, by those of other frames, and what chance would give."""
    rows = np.concatenate([setting.rows + tick for tick in (0, setting.last // 2)])
    rows = rows[setting.held.since[rows] > 40]
    labels = setting.held.labels()[setting.held.prompts[rows]]
    frames = setting.held.frames[rows]
    own = comparison.scene_right(setting, frames, labels).mean()
    other = labels[np.random.default_rng(0).permutation(len(labels))]
    chance = np.mean([(labels[:, i] == other[:, i]).mean() for i in range(len(LABELS))])
    return float(own), float(comparison.scene_right(setting, frames, other).mean()), float(chance)


def run(config: Config) -> None:
    setup(config)
    packed = Packed(config.data, config.split)
    seeds = seeds_of(packed, config.seeds)
    probes = {kind: probe for kind in ("features", "prompt") if (probe := probe_of(config.probes, kind))}
    words = np.zeros((len(packed.captions), 1), np.float32)
    setting = comparison.Setting(packed, packed, words, seeds, probes, config.ticks, config.batch)
    codec = TorchCodec(config.codec) if Path(config.codec).is_file() else None
    names = [name for name in NAMES if not config.metrics or name in config.metrics]
    config.policies = ["cruise"]  # a recording goes on as it was recorded
    print("| | " + " | ".join(COLUMNS) + " |\n|---" + "|---" * len(COLUMNS) + "|", flush=True)
    rows: dict[str, dict] = {}
    for world in worlds(packed):
        world.codec = codec

        def long_run(world=world) -> tuple[dict, dict]:
            instruments: dict = {}
            return comparison.long_run(setting, world, instruments), instruments

        makers = table.makers(world, setting, config, long_run)
        found = dict(evaluate.flatten({name: makers[name]() for name in names}))
        metrics = {title: found.get(key, comparison.nothing()) for title, key in COLUMNS.items()}
        rows[world.kind] = {title: metric["value"] for title, metric in metrics.items()}
        cells = ["" if f["value"] is None else f"{f['value']:.3g} ± {f['spread']:.2g}" for f in metrics.values()]
        print(f"| {world.kind} | " + " | ".join(cells) + " |", flush=True)
    wrong = failures(rows)
    if "prompt" in probes:
        own, other, chance = words_check(setting)
        print(f"prompt following: {own:.3f} by its own words, {other:.3f} by others (chance {chance:.3f})")
        if own < 0.9 or abs(other - chance) > 0.05:
            wrong.append(f"prompt following is {own:.3f} and {other:.3f}, not above 0.9 and chance ({chance:.3f})")
    for sentence in wrong:
        print(f"does not hold: {sentence}", file=sys.stderr)
    if wrong:
        raise UserError(f"{len(wrong)} known answers do not hold")
    print("all known answers hold")
