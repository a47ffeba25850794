"""How far an agent may trust the reward and the end that a world dreams: against those recorded under the same actions.

    python -m distill trust --config distill/configs/trust.yaml worlds=[dream]

Runs start at moments of validation drives and go on under the recorded actions and words. At each tick of `each`:

    reward        correlation over runs of the reward in that tick
    return        the same of the sum up to there, which is what an agent learns from
    still         the reward's correlation where nothing ever changed: what the start alone explains
    error         mean distance of the return from the recorded one, in metres
    done          F1 of "the drive has ended by now" (a run ends once); recall and precision beside it

±: 95 % over drives. Runs that begin after an end are left out.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from distill.atomic import write_text
from distill.config import UserError
from distill.data.packed import Packed
from distill.distributed import setup
from distill.evaluation import evaluate
from distill.evaluation.metrics import interval
from distill.evaluation.runs import Drives, captions_ahead, steps
from distill.evaluation.score import seeds_of
from distill.evaluation.task import dones_of, rewards_of
from distill.evaluation.worlds import open_world
from distill.progress import Progress


@dataclass
class Config(evaluate.Config):
    name: str = "trust"
    split: str = "validation"
    worlds: list[str] = field(default_factory=lambda: ["dream"])
    starts: int = 256  # moments that runs start at, over all drives
    each: list[int] = field(default_factory=lambda: [1, 20, 100])  # ticks


@dataclass
class Judged:
    """Dreamed and recorded, of each run [N] at each tick [ticks]; `start` [N] is the reward at the start."""

    rewards: np.ndarray
    dones: np.ndarray
    wanted_rewards: np.ndarray
    wanted_dones: np.ndarray
    start: np.ndarray
    drives: np.ndarray


def judged(world, drives: Drives, starts: int, ticks: int) -> Judged:
    """Runs a world from moments of the drives under what was recorded there."""
    packed = drives.packed
    rows, of = drives.moments(starts, ticks)
    # Behind an end a recording goes on, and nothing that an agent sees does.
    first = [packed.episode(drives.seeds[drive])["start"] for drive in of]
    running = np.array([not packed.dones[begin:row].any() for begin, row in zip(first, rows, strict=True)])
    rows, of = rows[running], of[running]
    ahead = rows[:, None] + np.arange(ticks)
    captions = np.stack([captions_ahead(packed, row, ticks) for row in rows])
    actions = packed.actions[ahead].astype(np.float32)
    seeds = np.array(drives.seeds)[of] + 1000 * np.arange(len(of))
    read = np.empty((len(rows), ticks, packed.telemetry.shape[1]), np.float32)
    groups = range(0, len(rows), drives.batch)
    with Progress(total=len(groups) * ticks, desc=world.kind, unit="tick", leave=False) as bar:
        for begin in groups:
            part = slice(begin, begin + drives.batch)
            act = lambda tick, part=part: actions[part, tick - 1]  # noqa: E731
            beginning = drives.starts(rows[part], seeds[part])
            for tick in steps(world, beginning, captions[part], drives.conditioning, act, ticks):
                if tick:
                    read[part, tick - 1] = world.telemetry()
                bar.update(tick > 0)
    wanted = packed.rewards[ahead], packed.dones[ahead].astype(bool)
    return Judged(rewards_of(read), dones_of(read), *wanted, rewards_of(packed.telemetry[rows]), of)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's; 0 where one of them never changes."""
    a, b = a - a.mean(), b - b.mean()
    norm = np.sqrt((a**2).sum() * (b**2).sum())
    return float((a * b).sum() / norm) if norm > 0 else 0.0


def f1(found: np.ndarray, wanted: np.ndarray) -> float:
    """0 where nothing was found, or there was nothing to find."""
    both = (found & wanted).sum()
    return float(2 * both / (found.sum() + wanted.sum())) if both else 0.0


def metrics_at(run: Judged, tick: int) -> dict:
    """The metrics at a tick, 1 and up."""
    dreamed, recorded = run.rewards[:, tick - 1], run.wanted_rewards[:, tick - 1]
    total, wanted = (rewards[:, :tick].sum(1) for rewards in (run.rewards, run.wanted_rewards))
    ended, wanted_end = (dones[:, :tick].any(1) for dones in (run.dones, run.wanted_dones))
    over = lambda statistic: interval.bootstrap(statistic, run.drives)  # noqa: E731
    result = {
        "reward": over(lambda i: correlation(dreamed[i], recorded[i])),
        "return": over(lambda i: correlation(total[i], wanted[i])),
        "still": over(lambda i: correlation(run.start[i], recorded[i])),
        "error": interval.mean(np.abs(total - wanted), run.drives),
        "ends": {
            "recorded": int(wanted_end.sum()),
            "dreamed": int(ended.sum()),
            "both": int((ended & wanted_end).sum()),
        },
        "done": interval.nothing(),
    }
    if wanted_end.any():
        result["done"] = over(lambda i: f1(ended[i], wanted_end[i]))
    return result


def run(config: Config) -> None:
    setup(config)
    if not config.each or min(config.each) < 1:
        raise UserError(f"each={config.each}: ticks are counted from 1 on, as each=[1,20,100]")
    packed = Packed(config.data, config.split)
    seeds = seeds_of(packed, config.seeds)
    head = {"commit": evaluate.commit(), "command": " ".join(["python -m distill", *sys.argv[1:]])}
    result: dict = head | {"split": config.split, "seeds": [seeds[0], seeds[-1]], "worlds": {}}
    for name in config.worlds:
        world = open_world(name, config, packed)
        if not world.dreams:
            raise UserError(f"{name} dreams nothing; name dream, teacher or student:FILE")
        conditioning = world.embed_prompt([caption["text"] for caption in packed.captions])
        ran = judged(world, Drives(packed, seeds, conditioning, config.batch), config.starts, max(config.each))
        entry = {str(tick): metrics_at(ran, tick) for tick in config.each}
        result["worlds"][name] = {"modelHash": world.model_hash, "runs": len(ran.drives), "ticks": entry}
        print(f"{name}: {len(ran.drives)} runs of {len(set(ran.drives))} drives")
        print("ticks  " + "".join(f"{title:>16}" for title in ("reward", "return", "still", "error (m)", "done F1")))
        for tick, metrics in entry.items():
            cells = "".join(f"{shown(metrics[key]):>16}" for key in ("reward", "return", "still", "error", "done"))
            print(f"{tick:>5}  {cells}  ends {metrics['ends']}", flush=True)
    path = Path(config.json) if config.json else Path(config.runs) / config.name / "trust.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(result, indent=2) + "\n")
    print(f"written: {path}")


def shown(metric: dict) -> str:
    return "-" if metric["value"] is None else f"{metric['value']:.3f} ±{metric['spread']:.3f}"
