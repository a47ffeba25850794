"""A folder of videos, and beside each what was pressed in it: `drive.mp4` with `drive.csv` or `drive.jsonl`.

A row a frame, of what was held from that frame to the next. Columns are controls; `caption` (text; empty: as before),
`reward` and `done` are what they say, and those named by `info` are recorded and not pressed. JSON lines are the same,
an object a line; a control that is not named in one is 0. `controls.json` may say how the controls are held, in the
form of a world.json."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from distill.config import UserError
from distill.recordings.video import ENDINGS, Stills, Video, probe

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
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))


def read_folder(folder: Path) -> list[Recording]:
    """All recordings of a folder, by name, checked before any is read: sizes, rates, rows. Raises UserError."""
    videos = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)
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
        if recording.table == ".csv" and set(first.columns) - set(recording.columns):
            missing = ", ".join(name for name in first.columns if name not in recording.columns)
            raise UserError(f"{recording.name} has no column {missing}, as {first.name} has; give all of them the same")
    names = dict.fromkeys(name for recording in recordings for name in recording.columns)
    for recording in recordings:
        recording.columns = {name: recording.columns.get(name, np.zeros(recording.rows)) for name in names}
    return recordings


def _read(path: Path) -> Recording:
    found = [path.with_suffix(end) for end in (".csv", ".jsonl") if path.with_suffix(end).is_file()]
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
        captions.append(said)
    if any(captions) and not captions[0]:
        raise UserError(f"{found[0].name} has captions, but none in its first row")
    return Recording(path.name, video, numbers, captions if any(captions) else [], found[0].suffix)


def _rows(path: Path) -> list[dict]:
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path.name} is no UTF-8 text") from error
    if path.suffix == ".csv":
        table = list(csv.DictReader(text.splitlines(), restkey="", skipinitialspace=True))
        wrong = next((n for n, row in enumerate(table) if "" in row or None in row.values()), None)
        if wrong is not None:
            raise UserError(f"{path.name}, line {wrong + 2} has not as many fields as the first line")
        return table
    rows = []
    for n, line in enumerate(text.splitlines(), 1):
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


def _number(value, name: str, path: Path, row: int) -> float:
    try:
        number = float(value or 0)
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number):
        raise UserError(f"{path.name}, row {row + 1}: {name} is {value!r}, which is no number; words go to `caption`")
    return number
