"""A folder of videos, and beside each what was pressed in it: `drive.mp4` with `drive.csv` or `drive.jsonl`.

A row a frame. `caption` says what the frame shows (text; empty: as before); all else is of what happened from it to the
next: `reward`, `done`, and every other column is a control, but those named by `info`, which are recorded and not
pressed. JSON lines are the same, an object a line; a control that is not named in one is 0. `controls.json` may say how
the controls are held, as the `controls` of a world.json."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from distill.config import UserError
from distill.gym.record import LONGEST_CAPTION
from distill.recordings.video import ENDINGS, Stills, Video, probe

TABLES = (".csv", ".jsonl")
RESERVED = ("caption", "reward", "done")


@dataclass
class Recording:
    """One video and its rows: `columns` float [N] each, `captions` a text a row."""

    name: str
    video: Video | Stills
    columns: dict[str, np.ndarray]
    captions: list[str] = field(default_factory=list)
    table: str = ""  # how the file of rows ends

    @property
    def digest(self) -> str:
        """Of the rows, to know them again."""
        told = hashlib.sha256("\n".join(self.captions).encode())
        for name, column in self.columns.items():
            told.update(name.encode() + column.astype("<f8").tobytes())
        return told.hexdigest()[:16]

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))


def read_folder(folder: Path) -> list[Recording]:
    """All recordings of a folder, by name, checked before any is read: sizes, rates, rows. Raises UserError."""
    videos = sorted(
        path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and not path.name.startswith(".")
    )
    if not videos:
        raise UserError(f"there is no video in {folder} ({', '.join(ENDINGS)}), nor is it a LeRobotDataset")
    recordings = [_read(path) for path in videos]
    first = recordings[0]
    for recording in recordings[1:]:
        ours, theirs = first.video, recording.video
        if (ours.width, ours.height) != (theirs.width, theirs.height):
            raise UserError(
                f"{first.name} is {ours.width}x{ours.height} and {recording.name} {theirs.width}x{theirs.height}; all "
                "videos of a world have one size, so leave one of them out or scale it by ffmpeg"
            )
        if abs(ours.fps - theirs.fps) > 0.01 * ours.fps:
            raise UserError(
                f"{first.name} has {ours.fps:g} frames a second and {recording.name} {theirs.fps:g}; all of a world "
                "have the same"
            )
        if bool(first.captions) != bool(recording.captions):
            one, other = (first, recording) if first.captions else (recording, first)
            raise UserError(f"{one.name} has captions and {other.name} has none; give all of them some, or none")
        if recording.table == ".csv" and set(first.columns) - set(recording.columns):
            missing = ", ".join(name for name in first.columns if name not in recording.columns)
            raise UserError(f"{recording.name} has no column {missing}, as {first.name} has; give all of them the same")
    names = dict.fromkeys(name for recording in recordings for name in recording.columns)
    for recording in recordings:
        recording.columns = {name: recording.columns.get(name, np.zeros(recording.rows)) for name in names}
    return recordings


def _read(path: Path) -> Recording:
    found = [
        other for other in sorted(path.parent.iterdir()) if other.stem == path.stem and other.suffix.lower() in TABLES
    ]
    if len(found) != 1:
        what = "both" if found else "neither"
        raise UserError(f"beside {path.name} there is {what} of {path.stem}.csv and {path.stem}.jsonl; give one")
    rows = _rows(found[0])
    video = probe(path)
    # What was held at the last frame leads nowhere, so it may be missing.
    if not video.frames - 1 <= len(rows) <= video.frames:
        raise UserError(
            f"{path.name} has {video.frames} frames, but {found[0].name} {len(rows)} rows; give one a frame, of what "
            "was held until the next"
        )
    columns = list(dict.fromkeys(name for row in rows for name in row if name != "caption"))
    if not [name for name in columns if name not in RESERVED]:
        raise UserError(f"{found[0].name} has no column of a control")
    numbers = {
        name: np.array([_number(row.get(name), name, found[0], n) for n, row in enumerate(rows)]) for name in columns
    }
    captions, said = [], ""
    for row in rows:
        said = str(row.get("caption") or "").strip() or said
        if len(said) > LONGEST_CAPTION:
            raise UserError(f"{found[0].name} has a caption of {len(said)} characters; at most {LONGEST_CAPTION}")
        captions.append(said)
    if any(captions) and not captions[0]:
        raise UserError(f"{found[0].name} has captions, but none in its first row")
    return Recording(path.name, video, numbers, captions if any(captions) else [], found[0].suffix.lower())


def _rows(path: Path) -> list[dict]:
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path.name} is no UTF-8 text") from error
    if path.suffix.lower() == ".csv":
        return _csv(path, text)
    rows = []
    for n, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UserError(f"{path.name}, line {n} is no JSON ({error})") from error
        if not isinstance(row, dict):
            raise UserError(f'{path.name}, line {n} is no object; write one a frame, as {{"left": 1}}')
        rows.append(row)
    return rows


def _csv(path: Path, text: str) -> list[dict]:
    table = list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True))
    names = [name.strip() for name in table[0]] if table else []
    if len(names) == 1 and ";" in names[0]:
        raise UserError(f"{path.name} is separated by semicolons; separate by commas")
    if names and not names[0]:
        raise UserError(
            f"the first column of {path.name} has no name, as pandas writes an index; leave it out (index=False)"
        )
    for n, name in enumerate(names):
        if name in names[:n]:
            raise UserError(f"{path.name} has two columns {name}; give each a name of its own")
        if name.lower() in RESERVED and name not in RESERVED:
            raise UserError(f"{path.name} has a column {name}; write {name.lower()}")
    rows = []
    for n, fields in enumerate(table[1:], 2):
        if not fields:
            continue
        if len(fields) != len(names):
            raise UserError(f"{path.name}, line {n} has {len(fields)} fields, and the first line {len(names)}")
        rows.append(dict(zip(names, fields, strict=True)))
    return rows


def _number(value, name: str, path: Path, row: int) -> float:
    try:
        number = float(value or 0)
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number):
        raise UserError(f"{path.name}, row {row + 1}: {name} is {value!r}, which is no number; words go to `caption`")
    return number
