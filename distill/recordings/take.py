"""Recordings -> episodes: `train` and `validation`.

    python -m distill import-recordings folder=my-videos out=data/mine

Before any frame is read it checks all of it and says what it will do. What is there already is left."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import msgpack
import numpy as np
from PIL import Image

from distill.atomic import replacing
from distill.config import BaseConfig, UserError
from distill.gym.controls import own_controls
from distill.gym.frames import fit_of
from distill.progress import Progress
from distill.recordings.columns import controls_of, nearest
from distill.recordings.folder import RESERVED, Recording, read_folder
from distill.recordings.lerobot import is_lerobot, read_lerobot

TICKS_PER_SECOND = 20  # about as many as a page plays
LEAST = 100  # ticks of a stretch: previews and figures dream for 60
VALIDATION_PART = 10  # one stretch in so many is held out
VALIDATION_SEED = 1_100_000


@dataclass
class Config(BaseConfig):
    name: str = "import-recordings"
    folder: str = ""
    out: str = ""  # holds train/ and validation/
    ticks: int = 256  # of an episode; a recording is cut into as many as it has
    size: str = ""  # WIDTHxHEIGHT of a frame; empty: what fits
    crop: str = ""  # LEFT,TOP,WIDTH,HEIGHT of the picture; empty: the middle
    skip: int = 0  # frames of the video a tick; 0: about 20 ticks a second
    info: list[str] = field(default_factory=list)  # columns that are recorded and not pressed
    levels: int = 0  # steps of an axis whose values are too many to be pressed
    camera: str = ""  # of a LeRobotDataset that has several
    world: str = ""  # its name; empty: the folder's


@dataclass(frozen=True)
class Stretch:
    """Ticks `begin` to `end` of a recording, and the seed that names the episode."""

    recording: int
    begin: int
    end: int
    seed: int

    @property
    def split(self) -> str:
        return "train" if self.seed < VALIDATION_SEED else "validation"


def cut(lengths: list[int], ticks: int) -> list[Stretch]:
    """Recordings of so many ticks -> stretches of about `ticks`; the last of them are held out. Raises UserError where
    there are not two."""
    parts = []
    ticks = max(LEAST, min(ticks, sum(lengths) // 2))
    for n, length in enumerate(lengths):
        count = max(1, round(length / ticks))
        edges = np.linspace(0, length, count + 1).astype(int)
        parts += [(n, int(a), int(b)) for a, b in zip(edges[:-1], edges[1:], strict=True) if b - a >= LEAST]
    if len(parts) < 2:
        raise UserError(
            f"the recordings have {', '.join(map(str, lengths))} ticks; {2 * LEAST} at least are needed, {LEAST} of "
            f"them in one piece to learn from and {LEAST} to judge by"
        )
    held = -(-len(parts) // VALIDATION_PART)
    seeds = [*range(len(parts) - held), *range(VALIDATION_SEED, VALIDATION_SEED + held)]
    return [Stretch(*part, seed) for part, seed in zip(parts, seeds, strict=True)]


def controls_in(folder: Path, recordings: list[Recording], config: Config) -> list[dict]:
    """What can be pressed: as `controls.json` has it, else by the columns. Raises UserError."""
    pressed = [name for name in recordings[0].columns if name not in (*RESERVED, *config.info)]
    for name in config.info:
        if name not in recordings[0].columns:
            raise UserError(f"info={name}: there is no such column; there are {', '.join(recordings[0].columns)}")
    path = folder / "controls.json"
    if path.is_file():
        try:
            controls = own_controls(json.loads(path.read_text())).controls
        except ValueError as error:
            raise UserError(f"{path} is no JSON ({error})") from error
        names = [control["name"] for control in controls]
        if sorted(names) != sorted(pressed):
            raise UserError(f"{path} has the controls {', '.join(names)}, the recordings {', '.join(pressed)}")
        return controls
    together = {name: np.concatenate([each.columns[name] for each in recordings]) for name in pressed}
    return controls_of(together, config.levels)


def episode(config: Config, recording: Recording, stretch: Stretch, controls: list[dict], skip: int) -> dict:
    """The container's map (version 4) of a stretch."""
    video, ticks = recording.video, stretch.end - stretch.begin
    fit = fit_of(np.empty((video.height, video.width, 3), np.uint8), config.size, config.crop)
    frames = whole_frames(recording, fit, skip)[stretch.begin : stretch.end]
    rows = np.minimum(np.arange(stretch.begin, stretch.end) * skip, recording.rows - 1)

    def summed(name: str) -> np.ndarray:
        """Of all rows of a tick."""
        column = recording.columns.get(name, np.zeros(recording.rows))
        return np.array([column[row : row + skip].sum() for row in rows], "<f4")

    actions = [nearest(control, recording.columns[control["name"]][rows]) for control in controls]
    told = [recording.columns[name][rows] for name in config.info]
    captions = [recording.captions[row] for row in rows] if recording.captions else []
    name = config.world or Path(config.folder).resolve().name
    return {
        "format": "oneiro-episode", "version": 4, "world": name, "title": name, "seed": stretch.seed, "ticks": ticks,
        "width": fit.width, "height": fit.height, "ticksPerSecond": round(min(60.0, video.fps / skip), 3),
        "controls": controls, "encoding": "number", "telemetryNames": list(config.info), "policy": "recorded",
        "frames": zlib.compress(frames.tobytes(), 1), "actions": np.stack(actions, 1).astype("<f4").tobytes(),
        "telemetry": np.stack(told, 1).astype("<f4").tobytes() if told else b"", "rewards": summed("reward").tobytes(),
        "dones": (summed("done") > 0).astype(np.uint8).tobytes(),
        "prompts": [{"tick": t, "text": text} for t, text in enumerate(captions) if t == 0 or text != captions[t - 1]],
        "stateHash": "",
    }  # fmt: skip


_last: dict = {}  # the recording that was read last: its stretches follow one another


def whole_frames(recording: Recording, fit, skip: int) -> np.ndarray:
    key = (recording.name, fit, skip)
    if _last.get("key") != key:
        _last.clear()
        _last.update(key=key, frames=recording.video.read(fit, skip))
    return _last["frames"]


def run(config: Config) -> None:
    folder, out = Path(config.folder), Path(config.out)
    if not config.folder or not config.out:
        raise UserError("name a folder of recordings and one for the episodes: folder=my-videos out=data/mine")
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}")
    recordings = read_lerobot(folder, config.camera) if is_lerobot(folder) else read_folder(folder)
    controls = controls_in(folder, recordings, config)
    video = recordings[0].video
    skip = config.skip or max(1, round(video.fps / TICKS_PER_SECOND))
    stretches = cut([-(-each.video.frames // skip) for each in recordings], config.ticks)
    fit = fit_of(np.empty((video.height, video.width, 3), np.uint8), config.size, config.crop)
    keys = "; ".join(f"{control['name']} ({control['kind']})" for control in controls)
    held = sum(stretch.split == "validation" for stretch in stretches)
    print(
        f"import-recordings: {len(recordings)} recordings, {fit.say(np.empty((video.height, video.width)))}, at "
        f"{video.fps / skip:g} ticks a second"
    )
    print(f"import-recordings: controls: {keys}")
    print(f"import-recordings: {len(stretches) - held} episodes to learn from, {held} to judge by")
    for split in ("train", "validation"):
        (out / split).mkdir(parents=True, exist_ok=True)
    preview(recordings[0], fit, skip, out)
    with Progress(total=len(stretches), unit="episode", desc=folder.name) as progress:
        for stretch in stretches:
            path = out / stretch.split / f"ep-{stretch.seed:07d}.msgpack"
            if not path.is_file():
                made = episode(config, recordings[stretch.recording], stretch, controls, skip)
                with replacing(path) as temporary:
                    temporary.write_bytes(msgpack.packb(made))
            progress.update(1)


def preview(recording: Recording, fit, skip: int, out: Path) -> None:
    frames = whole_frames(recording, fit, skip)
    some = frames[np.linspace(0, len(frames) - 1, 8).astype(int)]
    Image.fromarray(np.concatenate(list(some), 1)).save(out / "preview.png")
    print(f"import-recordings: how its frames look: {out / 'preview.png'}")
