"""Checkpoints -> small files to commit: the averaged weights alone, in half precision but for the codec's.

What takes an hour to train should outlive the machine it was trained on. A kept file is read wherever a checkpoint is
(`codec=`, `teacher=`, `init=`, `probes=`); it starts a stage afresh but cannot `--resume` one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from distill.checkpoints import KINDS, load_checkpoint, write_checkpoint
from distill.config import BaseConfig, UserError

WHOLE = ("codec", "instruments")  # latents must not change by rounding, nor readings drift


@dataclass
class Config(BaseConfig):
    files: list[str] = field(
        default_factory=lambda: ["runs/codec/codec.pt", "runs/teacher/teacher.pt", "runs/tmd/student.pt"]
    )
    out: str = "distill/weights"


def kept(saved: dict) -> dict:
    """The checkpoint with nothing in it but the averaged weights."""
    average = saved["state"]["ema"]["model"]
    if saved["kind"] not in WHOLE:
        average = {k: v.half() if v.is_floating_point() and v.ndim > 1 else v for k, v in average.items()}
    return with_weights(saved, average)


def with_weights(saved: dict, weights: dict) -> dict:
    """The checkpoint with nothing in it but these weights, as its own and as their average."""
    state = {"model": weights, "ema": {"model": weights, "updates": saved["state"]["ema"]["updates"]}}
    return saved | {"state": state}


def run(config: Config) -> None:
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    for file in map(Path, config.files):
        kind = KINDS.get(file.stem, file.stem)
        if kind not in ("codec", "instruments", "teacher", "student") and not kind.startswith("probe-"):
            raise UserError(
                f"{file} should be called codec.pt, instruments.pt, teacher.pt, student.pt or probe-KIND.pt, as "
                "training names it"
            )
        saved = load_checkpoint(file, kind)
        path = out / f"{kind}.pt"
        write_checkpoint(kept(saved), path)
        size = f"{path.stat().st_size / 1e6:.1f} MB"
        print(f"[export-weights] {path}, {size}: step {saved['step']}, {saved['minutes']:.0f} minutes")
