"""The table: worlds on the same held-out seeds, starts, prompts and actions. Writes JSON and a contact sheet."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from distill.atomic import write_text
from distill.config import BaseConfig, UserError
from distill.data.packed import Packed
from distill.distributed import setup
from distill.evaluation import table
from distill.evaluation.metrics import comparison
from distill.evaluation.metrics.real_or_dream import STEPS
from distill.evaluation.policies import POLICIES
from distill.evaluation.probes import load_probe
from distill.evaluation.runs import parse_seeds
from distill.evaluation.worlds import TorchCodec, counted_gflop, counted_nfe, file_hash, open_world, training_of
from distill.models.prompt_classifier import WEIGHTS

PROBES = ("features", "prompt", "inverse")
NEED = {  # what each metric of metrics/comparison.py looks through
    "codecPsnr": [], "nextTickPsnr": [], "rolloutPsnr": [], "frechetRatio": ["features"],
    "actionFollowing": ["inverse"], "promptFollowing": ["prompt"], "diversity": [], "nfe": [], "gflopPerTick": [],
    "msPerTick": [], "drift": list(PROBES),
}  # fmt: skip
METRICS = tuple(dict.fromkeys([*NEED, *table.NAMES]))


@dataclass
class Config(BaseConfig):
    name: str = "evaluate"
    split: str = "heldout"  # or validation, on which settings are chosen
    a: str = "dream"
    b: str = ""  # nothing beside it
    seeds: str = ""  # of the split's drives, as 1000000-1000049; empty: all of them
    json: str = ""  # default: <runs>/<name>/evaluation.json
    ticks: int = 400  # the longest free run; 1000 and 10000 give the metrics for drift
    metrics: list[str] = field(default_factory=list)  # names of the table's metrics; empty: all of them
    policies: list[str] = field(default_factory=lambda: list(POLICIES))  # that drive the free runs
    classifier_steps: int = STEPS  # of what tells real from dream
    histories: int = 400  # that energy score and spread over error are taken over
    noises: int = 4  # of each history
    batch: int = 25  # runs side by side
    sheet_rows: int = 4  # seeds on the contact sheet
    assets: str = "assets/drive"
    codec: str = "runs/codec/codec.pt"
    teacher: str = "runs/teacher/teacher.pt"
    teacher_steps: int = 8
    teacher_shift: float = 0.4  # of the times of its steps, below 1 towards 0, where a U-Net's samples are decided
    guidance: float = 1.0  # by words, of `teacher-guided`, and for how many ticks after they changed; and by actions
    guidance_ticks: int = 0
    action_guidance: float = 1.0
    level: float = 0.1  # history noise level that PyTorch worlds state
    temperature: float = 1.0  # what the noise of a `student:FILE` is multiplied by
    probes: str = "runs/probes"
    prompt_classifier: str = WEIGHTS  # for networks that are conditioned on prompt labels
    captions: str = "distill/captions.json"
    diversity: bool = True  # needs the teacher's checkpoint


def wanted_metrics(config: Config) -> list[str]:
    """In the table's order. Raises UserError for a name that there is not."""
    if unknown := [name for name in config.metrics if name not in METRICS]:
        raise UserError(f"there is no metric {unknown[0]}; there are {', '.join(METRICS)}")
    return [name for name in METRICS if name in config.metrics or not config.metrics]


def measure(world, setting: comparison.Setting, config: Config, bank: list[dict], teacher_spread) -> tuple[dict, dict]:
    """The metrics of one world that are asked for, and the frames of its long run (empty where no metric needs it)."""
    say = lambda text: print(f"[evaluate] {world.kind}: {text}", file=sys.stderr, flush=True)  # noqa: E731
    codec = world.codec if hasattr(world, "codec") else None

    @cache
    def long_run() -> tuple[dict, dict]:
        say(f"free running, {setting.ticks} ticks of {len(setting.seeds)} seeds")
        instruments: dict = {}
        return comparison.long_run(setting, world, instruments), instruments

    ratio = cache(lambda: comparison.FrechetRatio(setting))
    if {"frechetRatio", "drift"} & set(wanted_metrics(config)):
        ratio()  # first: it may lack recordings to compare with

    def drift(tick: int) -> dict:
        frames = long_run()[0]
        return {
            "frechetRatio": ratio()(frames, tick),
            "actionFollowing": comparison.action_following(setting, frames, [tick - 24, tick - 16, tick - 8]),
            "promptFollowing": comparison.prompt_drift(setting, frames, tick),
        }

    def diversity() -> dict:
        if not world.dreams or teacher_spread is None:
            return comparison.nothing()
        return comparison.metric(comparison.noise_spread(setting, world) / teacher_spread)

    def counted(count) -> dict:
        return {"value": count(world), "spread": 0.0, "n": 1} if world.dreams else comparison.nothing()

    def rollout(tick: int) -> dict:
        return comparison.rollout_psnr(setting, long_run()[0], tick)

    made = {
        "codecPsnr": lambda: comparison.codec_psnr(setting, codec) if codec else comparison.nothing(),
        "rolloutPsnr": lambda: {str(tick): rollout(tick) for tick in comparison.PSNR_TICKS},
        "frechetRatio": lambda: {str(tick): ratio()(long_run()[0], tick) for tick in comparison.FRECHET_TICKS},
        "actionFollowing": lambda: comparison.action_following(setting, long_run()[0], comparison.ACTION_TICKS),
        "promptFollowing": lambda: comparison.prompt_following(setting, world, bank),
        "diversity": diversity,
        "msPerTick": lambda: comparison.tick_time(setting, world) if world.dreams else comparison.nothing(),
        "nfe": lambda: counted(counted_nfe),
        "gflopPerTick": lambda: counted(counted_gflop),
        "drift": lambda: {str(tick): drift(tick) for tick in comparison.DRIFT_TICKS},
    } | table.makers(world, setting, config, long_run)
    result = {}
    for name in wanted_metrics(config):
        say(name)
        result[name] = made[name]()
    result["backend"], result["modelHash"] = world.backend, world.model_hash
    result["training"] = training_of(world.checkpoint) if hasattr(world, "checkpoint") else {}
    return result, long_run()[0] if long_run.cache_info().currsize else {}


def contact_sheet(setting: comparison.Setting, runs: dict[str, dict], rows: int) -> np.ndarray:
    """Each seed: the recording, then each world; columns are ticks. Black where there is no frame. uint8 [H,W,3]"""
    ticks = [tick for tick in comparison.SHEET_TICKS if any(tick in frames for frames in runs.values())]
    ticks = ticks or [tick for tick in comparison.SHEET_TICKS if tick <= setting.last]
    blank = np.zeros(setting.held.frames.shape[1:], np.uint8)
    lines = []
    for seed in range(min(rows, len(setting.seeds))):
        real = [setting.frames_at(t)[seed] if t <= setting.last else blank for t in ticks]
        lines.append(np.concatenate(real, 1))
        for frames in runs.values():
            lines.append(np.concatenate([frames[t][seed] if t in frames else blank for t in ticks], 1))
        lines.append(np.full((4, lines[0].shape[1], 3), 255, np.uint8))
    return np.concatenate(lines, 0)


def flatten(table: dict, path: str = ""):
    """(name, metric) of every metric in a world's table."""
    for key, value in table.items():
        if isinstance(value, dict) and "value" in value:
            yield f"{path}{key}", value
        elif isinstance(value, dict) and key != "training":
            yield from flatten(value, f"{path}{key} ")


def decided_by(config: Config, world: str) -> dict:
    """What a world's metrics follow from beside its weights and the recordings: settings, and hashes of files."""
    names = ["split", "ticks", "histories", "noises", "policies", "classifier_steps"]
    names += ["level", "temperature", "teacher_steps"]
    if world.endswith("-guided"):
        names += ["guidance", "guidance_ticks", "action_guidance"]
    files = {"codec": config.codec, "prompt_classifier": config.prompt_classifier, "captions": config.captions}
    files |= {f"probe {kind}": f"{config.probes}/probe-{kind}.pt" for kind in PROBES}
    files["detector"] = f"{config.probes}/detector.pt"
    hashes = {name: file_hash(path) for name, path in files.items() if Path(path).is_file()}
    # stored as "figures": tables that were made with this key stay valid
    return {"figures": config.metrics} | {name: getattr(config, name) for name in names} | hashes


def commit() -> str:
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        return found.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def evaluate(config: Config, teacher_spread: float | None = None) -> tuple[dict, np.ndarray]:
    """The result as it is written, and the contact sheet uint8 [H,W,3]. `teacher_spread`: what an earlier result on the
    same seeds says of the teacher's spread over noise, so that it is not run for it again."""
    setup(config)
    wanted = wanted_metrics(config)
    held = Packed(config.data, config.split)
    seeds = parse_seeds(config.seeds) if config.seeds else [episode["seed"] for episode in held.episodes]
    pool = Packed(config.data, "train") if (Path(config.data) / "train/packed/index.json").is_file() else held
    bank = json.loads(Path(config.captions).read_text()) if "promptFollowing" in wanted else []
    names = [name for name in (config.a, config.b) if name]
    if not names:
        raise UserError("name a world with --a, and another with --b to compare them")
    worlds = {name: open_world(name, config, held) for name in names}
    needed = {kind for name in wanted for kind in NEED.get(name, [])}
    there = {kind for kind in PROBES if (Path(config.probes) / f"probe-{kind}.pt").is_file()}
    probes = {kind: load_probe(config.probes, kind) for kind in PROBES if kind in needed | there}
    texts = [caption["text"] for caption in held.captions]

    def setting_of(world) -> comparison.Setting:
        return comparison.Setting(held, pool, world.embed_prompt(texts), seeds, probes, config.ticks, config.batch)

    for world in worlds.values():
        if world.kind == "recorded" and Path(config.codec).is_file():
            world.codec = TorchCodec(config.codec)

    asked = (
        config.diversity
        and "diversity" in wanted
        and any(world.dreams for world in worlds.values())
        and Path(config.teacher).is_file()
    )
    if asked and teacher_spread is None:
        teacher = open_world("teacher", config, held)
        teacher_spread = float(comparison.noise_spread(setting_of(teacher), teacher).mean())
    tables, runs = {}, {}
    for name, world in worlds.items():
        setting = setting_of(world)
        tables[name], runs[name] = measure(world, setting, config, bank, teacher_spread)

    result = {
        "commit": commit(),
        "command": " ".join(["python -m distill", *sys.argv[1:]]),
        "split": config.split,
        "seeds": config.seeds or f"{seeds[0]}-{seeds[-1]}",
        "ticks": config.ticks,
        "decidedBy": {name: decided_by(config, name) for name in names},
        "teacherSpread": {"value": teacher_spread, "modelHash": file_hash(config.teacher)} if asked else None,
        "a": config.a,
        "b": config.b or None,
        "worlds": tables,
    }
    return result, contact_sheet(setting, runs, config.sheet_rows)


def write(result: dict, picture: np.ndarray, path: Path, sheet: Path | None = None) -> Path:
    """The JSON at `path` and the contact sheet at `sheet`, or else beside it; returns the sheet's path."""
    from PIL import Image

    sheet = sheet or path.with_suffix(".webp")
    for folder in (path.parent, sheet.parent):
        folder.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(result, indent=2) + "\n")
    Image.fromarray(picture).save(sheet, quality=85)
    return sheet


def run(config: Config) -> None:
    result, picture = evaluate(config)
    path = Path(config.json) if config.json else Path(config.runs) / config.name / "evaluation.json"
    sheet = write(result, picture, path)
    tables = result["worlds"]
    rows = {name: dict(flatten(table)) for name, table in tables.items()}
    print(f"{'':38}" + "".join(f"{name[-22:]:>24}" for name in rows))
    for key in dict.fromkeys(key for row in rows.values() for key in row):
        cells = [row.get(key, comparison.nothing()) for row in rows.values()]
        shown = ["-" if c["value"] is None else f"{c['value']:.3f} ±{c['spread']:.3f}" for c in cells]
        print(f"{key:38}" + "".join(f"{cell:>24}" for cell in shown))
    print(f"written: {path} and {sheet}")
