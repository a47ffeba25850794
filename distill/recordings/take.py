"""Recordings -> episodes: `train` and `validation`.

    python -m distill import-recordings folder=my-videos out=data/mine

Before any frame is read it checks all of it and says what it will do. Stopped, it goes on with the same command; what
was made of other recordings or settings is never mixed with it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import msgpack
import numpy as np
from PIL import Image

from distill.atomic import replacing, write_text
from distill.config import BaseConfig, UserError
from distill.gym.controls import own_controls
from distill.gym.frames import Fit, fit_of
from distill.gym.record import prompts_of, ticks_of
from distill.progress import Progress
from distill.recordings.columns import controls_of, nearest
from distill.recordings.folder import RESERVED, Recording, read_folder
from distill.recordings.lerobot import is_lerobot, read_lerobot
from distill.world import VALIDATION_SEED, split_of

LEAST = 100  # ticks of a stretch: previews and metrics dream for 60
PREVIEW = 8  # frames that are shown before a long import
KEPT = "import.json"  # beside the episodes: what they were made of
VALIDATION_PART = 10  # one stretch in so many is held out


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
        return split_of(self.seed)

    def path(self, out: Path) -> Path:
        return out / self.split / f"ep-{self.seed:07d}.msgpack"


def cut(lengths: list[int], ticks: int) -> list[Stretch]:
    """Recordings of so many ticks -> stretches of about `ticks`; the last of them are held out. Raises UserError where
    there are not two."""
    parts = []
    ticks = max(LEAST, min(ticks, sum(length for length in lengths if length >= LEAST) // 2))
    for n, length in enumerate(lengths):
        count = max(1, round(length / ticks))
        edges = np.linspace(0, length, count + 1).astype(int)
        parts += [(n, int(a), int(b)) for a, b in zip(edges[:-1], edges[1:], strict=True) if b - a >= LEAST]
    if len(parts) < 2:
        raise UserError(
            f"the longest recordings have {', '.join(map(str, sorted(lengths)[:-4:-1]))} ticks; {2 * LEAST} at least "
            f"are needed, {LEAST} in one piece to learn from and {LEAST} to judge by"
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
            told = json.loads(path.read_text())
            controls = own_controls(
                told["controls"] if isinstance(told, dict) and "controls" in told else told
            ).controls
        except ValueError as error:
            raise UserError(f"{path} is no JSON ({error})") from error
        names = [control["name"] for control in controls]
        if sorted(names) != sorted(pressed):
            raise UserError(f"{path} has the controls {', '.join(names)}, the recordings {', '.join(pressed)}")
        return controls
    together = {name: np.concatenate([each.columns[name] for each in recordings]) for name in pressed}
    return controls_of(together, config.levels)


def episode(config: Config, recording: Recording, stretch: Stretch, frames: np.ndarray, world: dict, skip: int) -> dict:
    """The container's map (version 4) of a stretch; `world` is what all episodes say of it."""
    begins = np.arange(stretch.begin, stretch.end) * skip

    def rows_of(name: str) -> list[np.ndarray]:
        """The rows of each tick. There may be none of the last frame."""
        column = recording.columns.get(name, np.zeros(recording.rows))
        return [column[row : row + skip] if row < recording.rows else np.zeros(1) for row in begins]

    # Who tapped a key between two ticks has pressed it.
    actions = [
        nearest(control, np.array([rows[np.abs(rows).argmax()] for rows in rows_of(control["name"])]))
        for control in world["controls"]
    ]
    told = [np.array([rows[-1] for rows in rows_of(name)]) for name in config.info]
    dones = np.array([rows.any() for rows in rows_of("done")], np.uint8)
    # Words lead to the frame that they describe.
    led = [recording.captions[min(row + skip, recording.rows - 1)] for row in begins] if recording.captions else []
    return world | {
        "seed": stretch.seed, "ticks": len(begins), "policy": "recorded", "stateHash": "",
        "frames": zlib.compress(frames.tobytes(), 1), "actions": np.stack(actions, 1).astype("<f4").tobytes(),
        "telemetry": np.stack(told, 1).astype("<f4").tobytes() if told else b"", "dones": dones.tobytes(),
        "rewards": np.array([rows.sum() for rows in rows_of("reward")], "<f4").tobytes(),
        "prompts": prompts_of(led),
    }  # fmt: skip


def kept(config: Config, recordings: list[Recording], controls: list[dict]) -> str:
    """What the episodes are made of, as text: the settings, and every recording by its size, length and rows."""
    settings = {name: getattr(config, name) for name in ("ticks", "size", "crop", "skip", "info", "levels", "camera")}
    files = [[each.name, each.video.width, each.video.height, each.video.frames, each.digest] for each in recordings]
    return json.dumps({"settings": settings, "controls": controls, "recordings": files}, indent=1) + "\n"


def checked_before(path: Path, text: str) -> None:
    """Raises UserError where other recordings or settings were imported there."""
    there = path.read_text() if path.is_file() else ""
    if there != text and (there or any(path.parent.glob("*/ep-*.msgpack"))):
        raise UserError(
            f"{path.parent} was imported from other recordings or with other settings ({path.name} says which); move "
            "it away, or give another folder (of train: another name=...)"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path.parent} cannot be made: {error.strerror}") from error
    write_text(path, text)


def run(config: Config) -> None:
    folder, out = Path(config.folder).expanduser(), Path(config.out).expanduser()
    if not config.folder or not config.out:
        raise UserError("name a folder of recordings and one for the episodes: folder=my-videos out=data/mine")
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}")
    if config.skip < 0 or config.ticks < LEAST:
        raise UserError(f"skip is 0 or more, and ticks at least {LEAST}; {config.skip} and {config.ticks} came")
    recordings = read_lerobot(folder, config.camera) if is_lerobot(folder) else read_folder(folder)
    controls = controls_in(folder, recordings, config)
    video = recordings[0].video
    skip, rate = ticks_of(video.fps, config.skip)
    lengths = [-(-each.video.frames // skip) for each in recordings]
    stretches = cut(lengths, config.ticks)
    fit = fit_of(np.empty((video.height, video.width, 3), np.uint8), config.size, config.crop)
    name = config.world or folder.resolve().name
    world = {
        "format": "oneiro-episode", "version": 4, "world": name, "title": name,
        "width": fit.width, "height": fit.height,
        "ticksPerSecond": round(rate, 3), "controls": controls, "encoding": "number",
        "telemetryNames": list(config.info),
    }  # fmt: skip
    say(recordings, lengths, stretches, world, fit.say(np.empty((video.height, video.width))))
    checked_before(out / KEPT, kept(config, recordings, controls))
    for split in ("train", "validation"):
        (out / split).mkdir(exist_ok=True)
    preview(recordings[0], fit, out)
    with Progress(total=len(stretches), unit="episode", desc=folder.name) as progress:
        for n, recording in enumerate(recordings):
            own = [stretch for stretch in stretches if stretch.recording == n]
            if any(not stretch.path(out).is_file() for stretch in own):
                take(config, recording, own, fit, world, skip, out, progress)
            else:
                progress.update(len(own))


def take(
    config: Config,
    recording: Recording,
    stretches: list[Stretch],
    fit: Fit,
    world: dict,
    skip: int,
    out: Path,
    progress,
) -> None:
    """Writes the stretches of one recording, which is read once, a stretch at a time in memory."""
    frames = enumerate(recording.video.read(fit, skip))
    for stretch in stretches:
        progress.update(1)
        if stretch.path(out).is_file():
            continue
        taken = np.stack([frame for _, frame in islice(_from(frames, stretch.begin), stretch.end - stretch.begin)])
        made = episode(config, recording, stretch, taken, world, skip)
        with replacing(stretch.path(out)) as temporary:
            temporary.write_bytes(msgpack.packb(made))


def _from(frames: Iterator[tuple[int, np.ndarray]], begin: int) -> Iterator[tuple[int, np.ndarray]]:
    return (numbered for numbered in frames if numbered[0] >= begin)


def say(recordings: list[Recording], lengths: list[int], stretches: list[Stretch], world: dict, fits: str) -> None:
    """What will be done."""
    held = sum(stretch.split == "validation" for stretch in stretches)
    short = sum(length < LEAST for length in lengths)
    controls = "; ".join(f"{control['name']} ({control['kind']})" for control in world["controls"])
    print(f"import-recordings: {len(recordings)} recordings, {fits}, at {world['ticksPerSecond']:g} ticks a second")
    print(f"import-recordings: controls: {controls}")
    print(f"import-recordings: {len(stretches) - held} episodes to learn from, {held} to judge by")
    if short:
        print(f"import-recordings: {short} recordings of less than {LEAST} ticks are left out")


def preview(recording: Recording, fit: Fit, out: Path) -> None:
    some = list(recording.video.read(fit, max(1, recording.video.frames // PREVIEW)))[:PREVIEW]
    Image.fromarray(np.concatenate(some, 1)).save(out / "preview.png")
    print(f"import-recordings: how its frames look: {out / 'preview.png'}")
