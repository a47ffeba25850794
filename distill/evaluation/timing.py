"""Milliseconds of a tick of all rows of a comparison, in one sitting and in turns: what else the machine does falls on
all of them alike. Writes `timing.json` beside the table; `compare` prefers it to what each evaluation measured.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median, stdev

from distill.atomic import write_text
from distill.config import UserError
from distill.data.packed import Packed
from distill.distributed import setup
from distill.evaluation import compare
from distill.evaluation.evaluate import commit
from distill.evaluation.metrics import comparison
from distill.evaluation.runs import parse_seeds


@dataclass
class Config(compare.Config):
    name: str = "timing"
    rounds: int = 7
    round_ticks: int = 10  # of each row in each round


def measure(rows: dict[str, tuple], rounds: int, ticks: int) -> dict[str, dict]:
    """title -> (setting, world) -> title -> {value, spread, n}: the median over rounds of a round's median, and the
    standard deviation between rounds."""
    took: dict[str, list[float]] = {title: [] for title in rows}
    for number in range(rounds):
        print(f"[timing] round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        for title, (setting, world) in rows.items():
            took[title].append(comparison.tick_time(setting, world, ticks, warm=3)["value"])
    return {t: {"value": median(values), "spread": stdev(values), "n": rounds} for t, values in took.items()}


def run(config: Config) -> None:
    if config.rounds < 2 or config.round_ticks < 1:
        raise UserError("two rounds of one tick are the least")
    setup(config)
    held = Packed(config.data, "heldout")
    texts = [caption["text"] for caption in held.captions]
    seeds, known, rows = parse_seeds(config.blocks[0])[:1], {}, {}
    for title, name in config.rows.items():
        world = compare.open_row(config, name, held)
        if world is None:
            print(f"[timing] {title} is left out: its checkpoint is not there, or not whole", file=sys.stderr)
            continue
        if world.embed_prompt not in known:
            known[world.embed_prompt] = world.embed_prompt(texts)
        ticks = config.round_ticks + 3
        rows[title] = (comparison.Setting(held, held, known[world.embed_prompt], seeds, {}, ticks, config.batch), world)
    if not rows:
        raise UserError("no row has a checkpoint yet")
    metrics = measure(rows, config.rounds, config.round_ticks)
    for title, (_, world) in rows.items():
        metrics[title]["modelHash"] = world.model_hash
        print(f"{metrics[title]['value']:7.1f} ± {metrics[title]['spread']:.1f} ms  {title}")
    result = {"commit": commit(), "threads": config.threads, "rows": metrics}
    Path(config.out).mkdir(parents=True, exist_ok=True)
    write_text(Path(config.out) / "timing.json", json.dumps(result, indent=2) + "\n")
