"""The table: worlds on the same held-out seeds, starts, prompts and actions. Writes JSON and a contact sheet."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill import measures
from distill.config import BaseConfig, UserError
from distill.data import Packed
from distill.files import write_text
from distill.machine import setup
from distill.probes import load_probe
from distill.rollouts import parse_seeds
from distill.words import READER
from distill.worlds import TorchCodec, counted_gflop, counted_nfe, file_hash, open_world, training_of

PROBES = ("features", "prompt", "inverse")


@dataclass
class Config(BaseConfig):
    name: str = "evaluate"
    a: str = "dream"
    b: str = ""  # nothing beside it
    seeds: str = "1000000-1000049"
    json: str = ""  # default: <runs>/<name>/evaluation.json
    ticks: int = 400  # the longest free run; 1000 and 10000 give the figures for drift
    batch: int = 25  # runs side by side
    sheet_rows: int = 4  # seeds on the contact sheet
    assets: str = "assets/drive"
    codec: str = "runs/codec/autoencoder.pt"
    teacher: str = "runs/teacher/teacher.pt"
    teacher_steps: int = 8
    guidance: float = 1.0  # by words, of `teacher-guided`, and for how many ticks after they changed; and by actions
    guidance_ticks: int = 0
    action_guidance: float = 1.0
    level: float = 0.1  # history noise level that PyTorch worlds are told
    temperature: float = 1.0  # what the noise of a `student:FILE` is multiplied by
    probes: str = "runs/probes"
    reader: str = READER  # of the words, for networks that are told readings
    captions: str = "distill/captions.json"
    diversity: bool = True  # needs the teacher's checkpoint


def measure(world, setting: measures.Setting, config: Config, bank: list[dict], teacher_spread) -> tuple[dict, dict]:
    """All figures of one world, and its frames of the long run."""
    say = lambda text: print(f"[evaluate] {world.kind}: {text}", file=sys.stderr, flush=True)  # noqa: E731
    codec = world.codec if hasattr(world, "codec") else None
    ratio = measures.FrechetRatio(setting)  # first: it may lack recordings to compare with
    say(f"free running, {setting.ticks} ticks of {len(setting.seeds)} seeds")
    frames = measures.long_run(setting, world)
    say("figures")
    table = {
        "codecPsnr": measures.codec_psnr(setting, codec) if codec else measures.nothing(),
        "nextTickPsnr": measures.next_tick_psnr(setting, world),
        "rolloutPsnr": {str(tick): measures.rollout_psnr(setting, frames, tick) for tick in measures.PSNR_TICKS},
        "frechetRatio": {str(tick): ratio(frames, tick) for tick in measures.FRECHET_TICKS},
        "actionFollowing": measures.action_following(setting, frames, measures.ACTION_TICKS),
        "promptFollowing": measures.prompt_following(setting, world, bank),
        "diversity": measures.nothing(),
        "nfe": measures.nothing(),
        "gflopPerTick": measures.nothing(),
        "msPerTick": measures.nothing(),
        "drift": {
            str(tick): {
                "frechetRatio": ratio(frames, tick),
                "actionFollowing": measures.action_following(setting, frames, [tick - 24, tick - 16, tick - 8]),
                "promptFollowing": measures.prompt_drift(setting, frames, tick),
            }
            for tick in measures.DRIFT_TICKS
        },
    }
    if world.dreams:
        if teacher_spread is not None:
            spread = measures.noise_spread(setting, world)
            table["diversity"] = measures.figure(spread / teacher_spread)
        table["msPerTick"] = measures.tick_time(setting, world)
        table["nfe"] = {"value": counted_nfe(world), "spread": 0.0, "n": 1}
        table["gflopPerTick"] = {"value": counted_gflop(world), "spread": 0.0, "n": 1}
    table["backend"], table["modelHash"] = world.backend, world.model_hash
    table["training"] = training_of(world.checkpoint) if hasattr(world, "checkpoint") else {}
    return table, frames


def contact_sheet(setting: measures.Setting, runs: dict[str, dict], rows: int) -> np.ndarray:
    """Each seed: the recording, then each world; columns are ticks. Black where there is no frame. uint8 [H,W,3]"""
    ticks = [tick for tick in measures.SHEET_TICKS if any(tick in frames for frames in runs.values())]
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
    """(name, figure) of every figure in a world's table."""
    for key, value in table.items():
        if isinstance(value, dict) and "value" in value:
            yield f"{path}{key}", value
        elif isinstance(value, dict) and key != "training":
            yield from flatten(value, f"{path}{key} ")


def decided_by(config: Config, world: str) -> dict:
    """What a world's figures follow from beside its weights and the recordings: settings, and hashes of files."""
    names = ["ticks", "level", "temperature", "teacher_steps"]
    if world.endswith("-guided"):
        names += ["guidance", "guidance_ticks", "action_guidance"]
    files = {"codec": config.codec, "reader": config.reader, "captions": config.captions}
    files |= {f"probe {kind}": f"{config.probes}/probe-{kind}.pt" for kind in PROBES}
    hashes = {name: file_hash(path) for name, path in files.items() if Path(path).is_file()}
    return {name: getattr(config, name) for name in names} | hashes


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
    seeds = parse_seeds(config.seeds)
    held = Packed(config.data, "heldout")
    pool = Packed(config.data, "train") if (Path(config.data) / "train/packed/index.json").is_file() else held
    bank = json.loads(Path(config.captions).read_text())
    names = [name for name in (config.a, config.b) if name]
    if not names:
        raise UserError("name a world with --a, and another with --b to compare them")
    worlds = {name: open_world(name, config, held) for name in names}
    probes = {kind: load_probe(config.probes, kind) for kind in PROBES}
    texts = [caption["text"] for caption in held.captions]

    def setting_of(world) -> measures.Setting:
        return measures.Setting(held, pool, world.words(texts), seeds, probes, config.ticks, config.batch)

    for world in worlds.values():
        if world.kind == "recorded" and Path(config.codec).is_file():
            world.codec = TorchCodec(config.codec)

    asked = config.diversity and any(world.dreams for world in worlds.values()) and Path(config.teacher).is_file()
    if asked and teacher_spread is None:
        teacher = open_world("teacher", config, held)
        teacher_spread = float(measures.noise_spread(setting_of(teacher), teacher).mean())
    tables, runs = {}, {}
    for name, world in worlds.items():
        setting = setting_of(world)
        tables[name], runs[name] = measure(world, setting, config, bank, teacher_spread)

    result = {
        "commit": commit(),
        "command": " ".join(["python -m distill", *sys.argv[1:]]),
        "seeds": config.seeds,
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

    sheet = sheet or path.with_suffix(".png")
    for folder in (path.parent, sheet.parent):
        folder.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(result, indent=2) + "\n")
    Image.fromarray(picture).save(sheet)
    return sheet


def run(config: Config) -> None:
    result, picture = evaluate(config)
    path = Path(config.json) if config.json else Path(config.runs) / config.name / "evaluation.json"
    sheet = write(result, picture, path)
    tables = result["worlds"]
    rows = {name: dict(flatten(table)) for name, table in tables.items()}
    print(f"{'':38}" + "".join(f"{name[-22:]:>24}" for name in rows))
    for key in dict(flatten(next(iter(tables.values())))):
        cells = [row[key] for row in rows.values()]
        shown = ["-" if c["value"] is None else f"{c['value']:.3f} ±{c['spread']:.3f}" for c in cells]
        print(f"{key:38}" + "".join(f"{cell:>24}" for cell in shown))
    print(f"written: {path} and {sheet}")
