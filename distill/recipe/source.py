"""Where the episodes of a world come from: a TypeScript module, a Gymnasium environment, videos, or recorded before."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from distill.config import UserError
from distill.gym.record import world_id
from distill.world import FILE, ROOT

VIDEOS = "videos:"
MODULE = (".ts", ".mts", ".js", ".mjs")


@dataclass(frozen=True)
class Source:
    """`world` as it was asked for, and the name of its folders in data/, runs/ and assets/."""

    world: str
    name: str
    kind: str  # module | gym | videos | recorded

    def import_command(self, data: Path, ticks: int, options: list[str]) -> list[str]:
        """What makes episodes of a folder of videos, those of both splits at once."""
        settings = [f"folder={self.world.removeprefix(VIDEOS)}", f"out={data}", f"world={self.name}", f"ticks={ticks}"]
        return [sys.executable, "-m", "distill", "import-recordings", *settings, *options]

    def command(self, out: Path, seed: int, episodes: int, ticks: int, options: list[str]) -> list[str]:
        """What records it into a folder."""
        if self.kind == "gym":
            settings = [f"env={self.world.removeprefix('gym:')}", f"out={out}", f"seed={seed}"]
            settings += [f"episodes={episodes}", f"ticks={ticks}", *options]
            return [sys.executable, "-m", "distill", "record-gym", *settings]
        given = {"--world": self.world, "--out": out, "--seed": seed, "--episodes": episodes, "--ticks": ticks}
        script = [str(ROOT / "scripts/tsx.mjs"), str(ROOT / "scripts/record.ts")]
        return ["node", *script, *(str(part) for pair in given.items() for part in pair)]


def source_of(world: str, data: str, name: str = "") -> Source:
    """What --world asks for; `data` holds a folder a world. Raises UserError where it is no world that can be recorded
    or was."""
    if not world:
        raise UserError(
            "name a world: --world examples/snake/world.ts, --world gym:CartPole-v1, --world videos:FOLDER, or one of "
            "data/"
        )
    if world.startswith("gym:"):
        return Source(world, _checked(name or world_id(world)), "gym")
    if world.startswith(VIDEOS):
        path = Path(os.environ.get("INIT_CWD", "."), Path(world.removeprefix(VIDEOS)).expanduser())
        if not path.is_dir():
            raise UserError(
                f"there is no folder {path}; give one of videos, each beside a .csv or .jsonl of what was pressed"
            )
        path = path.resolve()
        return Source(f"{VIDEOS}{path}", _checked(name or _folder_name(path.name)), "videos")
    if world.endswith(MODULE):
        path = Path(os.environ.get("INIT_CWD", ".")) / world
        if not path.is_file():
            raise UserError(f"there is no file {world}; give the path of a module that exports openWorld()")
        stem = path.parent.name if path.stem in ("world", "index", "game") else path.stem
        return Source(str(path.resolve()), _checked(name or _folder_name(stem)), "module")
    if world == "drive":
        raise UserError("the drive has a recipe of its own, with words and instruments: distill/README.md")
    if not any(_recorded(Path(data) / world)):
        raise UserError(
            f"{world} is no world here: it is neither a module (examples/snake/world.ts) nor gym:ID nor videos:FOLDER, "
            f"and there are no episodes in {Path(data) / world / 'train'}"
        )
    return Source(world, _checked(name or world), "recorded")


def _recorded(folder: Path):
    yield (folder / FILE).is_file()
    yield any((folder / "train").glob("ep-*.msgpack"))


def _folder_name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _checked(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise UserError(f"{name} is no name of a folder; give one of small letters, digits and - (name=...)")
    if name in ("drive", "prompt-encoder"):
        raise UserError(f"{name} is the name of what ships; give another (name=...)")
    return name
