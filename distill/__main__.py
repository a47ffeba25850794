"""python -m distill STAGE --config FILE [--resume] [key=value ...]"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from dataclasses import fields
from pathlib import Path
from types import ModuleType

from distill.config import UserError, load_config

# stage -> (its module, what it does); the packages of the `wan-` stages are no part of a base install
STAGES = {
    "train": ("recipe.train", "from a game to a page that dreams it, by all the stages that it takes"),
    "record-gym": ("gym.record", "a Gymnasium environment -> episodes"),
    "bridge": ("bridge.serve", "a Gymnasium environment as a world that the page, scripts and agents play"),
    "import-recordings": ("recordings.take", "videos and what was pressed in them, or a LeRobotDataset -> episodes"),
    "prepare": ("data.prepare", "recorded episodes -> packed frames, actions, captions"),
    "codec-f16": ("methods.codec_f16", "the f16 codec, from the closed-form PCA on"),
    "codec": ("methods.codec", "the linear codec of 4x4 patches, in closed form"),
    "decoder": ("methods.decoder", "what the linear codec's decoder adds to a patch from those around it"),
    "instruments": ("methods.instruments", "what the instruments will read next, from the keys"),
    "latents": ("data.latents", "all prepared frames and captions -> latents, embeddings"),
    "teacher": ("methods.teacher", "the network that learns the change of the latent, by flow matching"),
    "prompt-classifier": ("methods.prompt_classifier", "from the words of a prompt to its labels, phrase by phrase"),
    "energy-score": ("methods.energy_score", "a student of one head call, by the energy score of its own roll-outs"),
    "tmd": ("methods.tmd", "stage 1: TM-MF, the student from the teacher"),
    "dmd": ("methods.dmd", "stage 2: DMD2-v with the flow-head rollout"),
    "outcome": ("methods.outcome", "what says a tick's reward and end, from the pictures before and after it"),
    "meanflow": ("baselines.meanflow", "baseline: MeanFlow, a student without a flow head"),
    "rcm": ("baselines.rcm", "baseline: rCM, a consistency model kept sharp by scores"),
    "kd": ("baselines.kd", "baseline: the teacher's own pairs, the warm-up of one-step DMD2-v"),
    "run-experiments": ("evaluation.run_experiments", "trainings one after another, which survives a stop"),
    "export-weights": ("export.weights", "checkpoints -> averaged weights that are small enough to commit"),
    "export": ("export.world", "checkpoints -> assets/<world>"),
    "export-opponent": ("export.opponent", "the teacher's single step, beside a world: what the arena compares with"),
    "export-prompt-classifier": (
        "export.prompt_classifier",
        "a prompt classifier -> a world that ships, whose student stays",
    ),
    "diversity": ("evaluation.diversity", "how much of the teacher's diversity each outer step of a student has"),
    "probes": ("evaluation.probes", "the small networks that evaluation measures with"),
    "detector": (
        "evaluation.detector",
        "what finds the car in a frame, and where the instruments put it",
    ),
    "energy": ("evaluation.score", "the energy score of any worlds beside the first one's, on validation drives"),
    "trust": ("evaluation.trust", "reward and end as dreamed against those recorded, under the same actions"),
    "evaluate": ("evaluation.evaluate", "the table: any two worlds on the same seeds, prompts and actions"),
    "check-metrics": (
        "evaluation.check",
        "the metrics against worlds whose answer is known: blurred, without a car",
    ),
    "timing": ("evaluation.timing", "milliseconds a tick of all rows of a comparison, measured in turns"),
    "compare": ("evaluation.compare", "many worlds in one table, with the spread over blocks of seeds, and a plot"),
    "wan-account": (
        "wan.account",
        "Wan2.1: parameters, operations and memory of the full configurations",
    ),
    "wan-data": ("wan.data", "Wan2.1: prompts -> the teacher's latents and the text embeddings"),
    "wan-tmd": ("wan.tmd", "Wan2.1, stage 1: TM-MF"),
    "wan-dmd": ("wan.dmd", "Wan2.1, stage 2: DMD2-v with the flow-head rollout"),
    "wan-kd": ("wan.kd", "Wan2.1, baseline: the teacher's own pairs, the warm-up of one-step DMD2-v"),
    "wan-sample": ("wan.sample", "Wan2.1: prompts -> videos of a student, named as VBench expects"),
    "wan-vbench": ("wan.vbench", "Wan2.1: VBench's scores beside the paper's"),
}


def module_of(stage: str) -> ModuleType:
    """Raises ModuleNotFoundError where a package of it is missing, KeyError where there is no such stage."""
    return importlib.import_module(f"distill.{STAGES[stage][0]}")


def from_user(file: str) -> str:
    """A file of the command line: from the folder where it was typed, which npm leaves for the project's own."""
    typed = os.environ.get("INIT_CWD")
    return str(Path(typed, file)) if typed and Path(typed, file).parent.is_dir() else file


def parser() -> argparse.ArgumentParser:
    main = argparse.ArgumentParser(prog="python -m distill", description="Train, export and judge a dream.")
    stages = main.add_subparsers(dest="stage", required=True, metavar="STAGE")
    for name, (_, text) in STAGES.items():
        stage = stages.add_parser(name, help=text, description=text)
        stage.add_argument("--config", metavar="FILE", help="YAML; `defaults: base.yaml` names what it differs from")
        stage.add_argument("--resume", action="store_true", help="continue the run's checkpoint")
        stage.add_argument("--keys", action="store_true", help="list the keys that can be set, and their defaults")
        if name == "evaluate":
            stage.add_argument("--a", metavar="WORLD", help="recorded, dream, teacher, teacher-Nstep, student:FILE")
            stage.add_argument("--b", metavar="WORLD", help="the world beside it")
            stage.add_argument("--seeds", metavar="A-B", help="held-out episode seeds, both included")
            stage.add_argument("--json", metavar="FILE", help="where the metrics go")
        if name == "train":
            stage.add_argument(
                "--world", metavar="WORLD", help="a module (examples/snake/world.ts), gym:ID, videos:FOLDER, or a name"
            )
            stage.add_argument("--hours", metavar="H", help="how long all of it may take")
            stage.add_argument("--name", metavar="NAME", help="of its folders; without it by the world")
        stage.add_argument("overrides", nargs="*", metavar="key=value")
    return main


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        try:
            module = module_of(options.stage)
        except ModuleNotFoundError as error:
            if not options.stage.startswith("wan-"):
                raise
            raise UserError(
                f"the package {error.name} is missing; install distill/wan/requirements.txt with pip"
            ) from error
        overrides = list(options.overrides) + (["resume=true"] if options.resume else [])
        for name in ("a", "b", "seeds", "json", "world", "hours", "name"):
            if getattr(options, name, None) is not None:
                value = getattr(options, name)
                overrides.append(f"{name}={from_user(value) if name == 'json' else value}")
        config = load_config(module.Config, options.config and from_user(options.config), overrides)
        if options.keys:
            for field in fields(config):
                print(f"{field.name}={getattr(config, field.name)}")
            return 0
        module.run(config)
        return 0
    except UserError as error:
        print(f"{options.stage}: {error}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        again = "the same command" if options.stage in ("train", "record-gym", "import-recordings") else "--resume"
        print(f"{options.stage}: interrupted; continue with {again}.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
