"""The energy score of some worlds, each beside the first one's, in pairs. Prints a table and writes JSON.

    python -m distill energy --config distill/configs/energy.yaml worlds=[teacher,student:runs/tmd/student.pt]

On validation drives, which is where settings are chosen. `histories=100 each=[1,5]` takes a minute or two.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

from distill.atomic import write_text
from distill.config import UserError
from distill.data.packed import Packed
from distill.distributed import setup
from distill.evaluation import evaluate
from distill.evaluation.metrics.ensembles import TICKS, Ensembles, energy, energy_over, ensembles, spread_over_error
from distill.evaluation.metrics.spaces import spaces_of
from distill.evaluation.probes import Probe, load_probe
from distill.evaluation.runs import Drives, parse_seeds
from distill.evaluation.worlds import TorchCodec, open_world


@dataclass
class Config(evaluate.Config):
    name: str = "energy"
    split: str = "validation"
    seeds: str = ""  # empty: all drives of the split
    worlds: list[str] = field(default_factory=lambda: ["teacher"])  # the first is what the others are compared with
    histories: int = 200
    each: list[int] = field(default_factory=lambda: list(TICKS))  # ticks ahead


def seeds_of(packed: Packed, text: str) -> list[int]:
    """Those that are asked for, or all of the split."""
    return parse_seeds(text) if text else [episode["seed"] for episode in packed.episodes]


def probe_of(folder: str, kind: str) -> Probe | None:
    """None where it was not trained yet."""
    return load_probe(folder, kind) if (Path(folder) / f"probe-{kind}.pt").is_file() else None


def run_ensembles(world, packed: Packed, seeds: list[int], probe: Probe | None, config) -> Ensembles:
    """config: `histories`, `noises`, `batch` and `each`."""
    conditioning = world.embed_prompt([caption["text"] for caption in packed.captions])
    drives = Drives(packed, seeds, conditioning, config.batch)
    recorded = packed.frames[drives.moments(200, 0)[0]]
    spaces = spaces_of(world, recorded, probe)
    return ensembles(world, drives, spaces, config.histories, config.noises, tuple(config.each))


def run(config: Config) -> None:
    setup(config)
    if not config.worlds:
        raise UserError("name at least one world, as worlds=[teacher,student:FILE]")
    packed = Packed(config.data, config.split)
    seeds = seeds_of(packed, config.seeds)
    probe = probe_of(config.probes, "features")
    head = {"commit": evaluate.commit(), "command": " ".join(["python -m distill", *sys.argv[1:]])}
    asked = {"split": config.split, "seeds": [seeds[0], seeds[-1]], "histories": config.histories}
    result: dict = head | asked | {"noises": config.noises, "worlds": {}}
    reference = None
    for name in config.worlds:
        world = open_world(name, config, packed)
        if not world.dreams and Path(config.codec).is_file():
            world.codec = TorchCodec(config.codec)
        ran = run_ensembles(world, packed, seeds, probe, config)
        entry = {"backend": world.backend, "modelHash": world.model_hash, "energy": energy(ran)}
        entry["spreadOverError"] = spread_over_error(ran)
        if reference is None:
            reference = ran
        else:
            entry["energyOverFirst"] = energy_over(ran, reference)
        result["worlds"][name] = entry
        print(f"{name}  ({len(ran.drives)} histories of {len(set(ran.drives))} drives, {config.noises} noises)")
        for key, metric in evaluate.flatten(entry):
            shown = "-" if metric["value"] is None else f"{metric['value']:.4f} ±{metric['spread']:.4f}"
            print(f"  {key:32}{shown:>20}", flush=True)
    path = Path(config.json) if config.json else Path(config.runs) / config.name / "energy.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(result, indent=2) + "\n")
    print(f"written: {path}")
