"""One table of many worlds: every row on the same blocks of held-out seeds, the spread taken over the blocks.

Writes `compare.json`, `compare.md`, `compare.png` (quality against NFE) and one evaluation a row and block, not
made again while the row's weights and `evaluate.decided_by` stay the same; its contact sheet is in `runs/`. Rows
name worlds as `evaluate` does. One whose checkpoint is not here keeps the metrics it has, or is left out, and that is
said.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev

from distill.atomic import write_text
from distill.checkpoints import is_whole, load_checkpoint
from distill.config import UserError
from distill.data.packed import Packed
from distill.evaluation import evaluate, plot
from distill.evaluation.metrics.interval import half_width
from distill.evaluation.worlds import file_hash, open_world

METRICS_KEY = "figures"  # of a row in compare.json: files of earlier days have it
COLUMNS = {
    "NFE": "nfe",
    "GFLOP": "gflopPerTick",
    "ms": "msPerTick",
    "next tick dB": "nextTickPsnr",
    "5 ticks dB": "rolloutPsnr 5",
    "20 ticks dB": "rolloutPsnr 20",
    "60 ticks dB": "rolloutPsnr 60",
    "Fréchet 20": "frechetRatio 20",
    "Fréchet 100": "frechetRatio 100",
    "action": "actionFollowing",
    "prompt": "promptFollowing start trained",
    "unseen": "promptFollowing start unseen",
    "mid-drive": "promptFollowing midDrive trained",
    "mid unseen": "promptFollowing midDrive unseen",
    "diversity": "diversity",
}


@dataclass
class Config(evaluate.Config):
    name: str = "compare"
    rows: dict[str, str] = field(default_factory=dict)  # the row's title -> its world
    blocks: list[str] = field(default_factory=lambda: ["1000000-1000015", "1000016-1000031", "1000032-1000047"])
    series: dict[str, list[str]] = field(default_factory=dict)  # lines of the plot: name -> rows
    reference: str = ""  # the row that the others are also set against, block by block
    out: str = "runs/compare"
    ticks: int = 110
    metrics: list[str] = field(default_factory=lambda: list(evaluate.NEED))
    columns: dict[str, str] = field(default_factory=dict)  # title -> metric; empty: COLUMNS


def kept_table(config: Config, path: Path, world: str) -> dict | None:
    """A row's metrics on one block of seeds as they were made earlier, of whatever weights it had."""
    if not path.is_file():
        return None
    kept = json.loads(path.read_text())
    if kept.get("decidedBy", {}).get(world) != evaluate.decided_by(config, world):
        return None
    return kept["worlds"][world] | {"commit": kept["commit"]}


def file_of(config: Config, title: str, block: str) -> Path:
    slug = "".join(c if c.isalnum() else "-" for c in title).strip("-").lower()
    return Path(config.out) / slug / f"{block}.json"


def has_metrics(config: Config, title: str, world: str) -> bool:
    """Whether a row was evaluated on all blocks, of whatever weights it had."""
    return all(kept_table(config, file_of(config, title, block), world) for block in config.blocks)


def known_spread(config: Config, block: str) -> float | None:
    """The teacher's spread over noise on a block of seeds, if a row has it: it takes as long as the rest of a row."""
    asked, teacher = evaluate.decided_by(config, "teacher"), None
    for path in sorted(Path(config.out).glob(f"*/{block}.json")):
        kept = json.loads(path.read_text())
        spread, made = kept["teacherSpread"], next(iter(kept["decidedBy"].values()))
        if not spread or any(made.get(name) != asked.get(name) for name in ("level", "teacher_steps", "codec")):
            continue
        teacher = teacher or file_hash(config.teacher)
        if spread["modelHash"] == teacher:
            return spread["value"]
    return None


def block_table(config: Config, title: str, world: str, block: str, weights: str | None) -> dict | None:
    """One row's metrics on one block of seeds, made now or read. Without `weights` (the row's checkpoint is not here)
    they can only be read."""
    path = file_of(config, title, block)
    kept = kept_table(config, path, world)
    if weights is None or (kept and kept["modelHash"] == weights):
        return kept
    values = {key: getattr(config, key) for key in evaluate.Config.__dataclass_fields__}
    plan = evaluate.Config(**values | {"a": world, "b": "", "seeds": block})
    result, picture = evaluate.evaluate(plan, known_spread(config, block))
    evaluate.write(result, picture, path, Path(config.runs) / config.name / path.parent.name / f"{block}.webp")
    return result["worlds"][world] | {"commit": result["commit"]}


def open_row(config: Config, world: str, held: Packed):
    """A row's world; None where its checkpoint is not here, or was cut off in its training."""
    if world.startswith("student:"):
        path = Path(world.removeprefix("student:"))
        if not path.is_file():
            return None
        saved = load_checkpoint(path, "student")
        if not is_whole(saved, saved.get("config", {})):
            return None
    return open_world(world, config, held)


def over_blocks(values: list[float | None]) -> dict:
    """{value, spread, n} of what is known: the mean, and the standard deviation between blocks."""
    known = [value for value in values if value is not None]
    value, spread = (fmean(known) if known else None), (stdev(known) if len(known) > 1 else 0.0)
    return {"value": value, "spread": spread, "n": len(known)}


def timings(config: Config) -> dict[str, dict]:
    """What `timing` measured of all rows in turns, if it did: title -> {value, spread, n, modelHash}."""
    path = Path(config.out) / "timing.json"
    return json.loads(path.read_text())["rows"] if path.is_file() else {}


def combined(tables: list[dict], columns: dict[str, str]) -> dict:
    """{column: {value, spread, n}} over blocks: the mean, and the standard deviation between blocks."""
    flat = [dict(evaluate.flatten(table)) for table in tables]
    if unknown := [key for key in columns.values() if key not in flat[0]]:
        raise UserError(f"there is no metric {unknown[0]}; there are: {', '.join(flat[0])}")
    return {title: over_blocks([metrics[key]["value"] for metrics in flat]) for title, key in columns.items()}


def differences(tables: list[dict], reference: list[dict], columns: dict[str, str]) -> dict:
    """{column: {value, spread, n}} of a row less the reference on the same blocks: the mean, and half of its 95 %
    interval. What makes a block easy or hard for all rows is not in it."""
    pairs = [(dict(evaluate.flatten(a)), dict(evaluate.flatten(b))) for a, b in zip(tables, reference, strict=True)]
    row = {}
    for title, key in columns.items():
        both = [(a[key]["value"], b[key]["value"]) for a, b in pairs]
        row[title] = over_blocks([None if None in pair else pair[0] - pair[1] for pair in both])
        row[title]["spread"] = half_width(row[title]["spread"], row[title]["n"])
    return row


def cell(metric: dict, sign: str) -> str:
    if metric["value"] is None:
        return ""
    value, spread = (round(metric[name], 6) + 0.0 for name in ("value", "spread"))  # no -0, no 1e-17
    return f"{value:{sign}.3g}" + (f" ± {spread:.2g}" if spread else "")


def markdown(rows: dict[str, dict], key: str = METRICS_KEY, sign: str = "") -> str:
    """The first table has also the samples of each row's last training, in thousands."""
    columns, whole = next(iter(rows.values()))[key], key == METRICS_KEY
    head = [*columns, *(["samples"] if whole else [])]
    lines = ["| | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
    for title, row in rows.items():
        cells = [cell(metric, sign) for metric in row[key].values()]
        if whole:
            samples = row["training"].get("samples")
            cells.append(f"{samples / 1000:.1f}" if samples else "")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def against(rows: dict[str, dict], reference: str) -> str:
    """The second table, where the reference has its metrics."""
    others = {title: row for title, row in rows.items() if "differences" in row}
    if not others:
        return ""
    head = f"\nLess {reference}, block by block (± half of the 95 % interval):\n\n"
    return head + markdown(others, "differences", "+")


def run(config: Config) -> None:
    if not config.rows:
        raise UserError("there are no rows; name worlds in the configuration, as distill/configs/compare.yaml does")
    if config.reference and config.reference not in config.rows:
        raise UserError(f"the reference {config.reference} is none of the rows {', '.join(config.rows)}")
    drawn = [title for titles in config.series.values() for title in titles]
    if unknown := [title for title in drawn if title not in config.rows]:
        raise UserError(f"series names {unknown[0]}, which is none of the rows {', '.join(config.rows)}")
    if len(config.blocks) < 2:
        raise UserError("name at least two blocks of seeds: the spread is taken over them")
    columns = config.columns or COLUMNS
    held = Packed(config.data, config.split)
    opened = ((world, open_row(config, world, held)) for world in config.rows.values())
    weights = {name: world and world.model_hash for name, world in opened}
    out, rows, parts, timing = Path(config.out), {}, {}, timings(config)
    for title, world in config.rows.items():
        print(f"[compare] {title}", file=sys.stderr, flush=True)
        tables = [block_table(config, title, world, block, weights[world]) for block in config.blocks]
        if None in tables:
            path = world.removeprefix("student:")
            print(f"[compare] {title} is left out: {path} is not there, or not trained to its end", file=sys.stderr)
            continue
        timed = timing.get(title)
        if timed and timed["modelHash"] != tables[0]["modelHash"]:
            timed = None  # of other weights
        if timed:
            tables = [table | {"msPerTick": timed} for table in tables]
        metrics = combined(tables, columns)
        if timed:  # its spread is between rounds, not blocks
            metrics |= {column: timed for column, key in columns.items() if key == "msPerTick"}
        rows[title] = {"world": world, "modelHash": tables[0]["modelHash"], "training": tables[0]["training"]}
        rows[title] |= {"commits": sorted({table["commit"] for table in tables}), METRICS_KEY: metrics}
        parts[title] = tables
        for other in rows:
            if config.reference in parts and other != config.reference:
                rows[other]["differences"] = differences(parts[other], parts[config.reference], columns)
        result = {"command": " ".join(["python -m distill", *sys.argv[1:]]), "ticks": config.ticks}
        out.mkdir(parents=True, exist_ok=True)
        write_text(out / "compare.json", json.dumps(result | {"blocks": config.blocks, "rows": rows}, indent=2))
        write_text(out / "compare.md", markdown(rows) + against(rows, config.reference))
    if not rows:
        raise UserError("no row has a checkpoint yet; train them with the `run-experiments` stage")
    if {plot.ACROSS, plot.UP} <= set(columns):
        plot.plot(rows, config.series, config.reference, out / "compare.png")
    print(markdown(rows) + against(rows, config.reference) + f"written: {out}/compare.*")
