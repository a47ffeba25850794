"""A LeRobotDataset of version 3: videos and tables of many episodes in few files, `meta/` says where each lies."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from distill.config import UserError
from distill.recordings.folder import Recording
from distill.recordings.video import Stills, Video, probe

INFO = "meta/info.json"


def is_lerobot(folder: Path) -> bool:
    return (folder / INFO).is_file()


def read_lerobot(folder: Path, camera: str = "") -> list[Recording]:
    """Its episodes. `camera` names the video or image where there are several. Raises UserError."""
    try:
        import pyarrow.parquet as parquet
    except ModuleNotFoundError as error:
        raise UserError("a LeRobotDataset is read by the package pyarrow; install it with pip") from error
    try:
        info = json.loads((folder / INFO).read_text())
        features = info["features"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder / INFO} does not say what the dataset holds ({error})") from error
    version = str(info.get("codebase_version", ""))
    if not version.startswith("v3"):
        raise UserError(
            f"{folder} is a LeRobotDataset of version {version or 'unknown'}, and v3.0 is read here; LeRobot converts "
            "it: python -m lerobot.datasets.v30.convert_dataset_v21_to_v30"
        )
    key = _camera(features, camera, folder)
    names = _names(features.get("action"), folder)

    def table(pattern: str, wanted: tuple[str, ...]) -> dict[str, list]:
        files = sorted(folder.glob(pattern))
        if not files:
            raise UserError(f"{folder} is not whole: it has no {pattern}")
        columns: dict[str, list] = {}
        for file in files:
            there = [name for name in parquet.read_schema(file).names if name in wanted]
            for name, values in parquet.read_table(file, columns=there).to_pydict().items():
                columns.setdefault(name, []).extend(values)
        return columns

    where = tuple(f"videos/{key}/{name}" for name in ("chunk_index", "file_index", "from_timestamp"))
    episodes = table("meta/episodes/*/*.parquet", ("episode_index", *where))
    numbers = ("episode_index", "frame_index", "action", "next.reward", "next.done", "task_index")
    data = table("data/*/*.parquet", (*numbers, key))
    tasks = _tasks(parquet.read_table(folder / "meta/tasks.parquet").to_pydict())
    of_episode = np.array(data["episode_index"])
    in_order = np.lexsort((np.array(data["frame_index"]), of_episode))
    known: dict[Path, Video] = {}

    def pictures(n: int, rows: np.ndarray) -> Video | Stills:
        """Of the n-th episode, which has these rows of the tables."""
        if features[key]["dtype"] == "image":
            files = tuple(data[key][row]["bytes"] or b"" for row in rows)
            height, width = features[key]["shape"][:2]
            if not all(files):
                raise UserError(
                    f"{folder}: frames of {key} are no part of its tables; save it with the images embedded"
                )
            return Stills(files, width, height, float(info["fps"]))
        at = {name: episodes[f"videos/{key}/{name}"][n] for name in ("chunk_index", "file_index")}
        path = folder / info["video_path"].format(video_key=key, **at)
        if not path.is_file():
            raise UserError(f"{folder} is not whole: {path.relative_to(folder)} is missing")
        if path not in known:
            known[path] = probe(path)
        begin = float(episodes[f"videos/{key}/from_timestamp"][n])
        return Video(path, known[path].width, known[path].height, float(info["fps"]), len(rows), begin)

    recordings = []
    for n, index in enumerate(episodes["episode_index"]):
        rows = in_order[slice(*np.searchsorted(of_episode[in_order], [index, index + 1]))]
        video = pictures(n, rows)
        action = np.array([data["action"][row] for row in rows], np.float64).reshape(len(rows), -1)
        columns = {name: action[:, column] for column, name in enumerate(names)}
        for ours, theirs in (("reward", "next.reward"), ("done", "next.done")):
            if theirs in data:
                columns[ours] = np.array([np.ravel(data[theirs][row])[0] for row in rows], np.float64)
        captions = [tasks.get(data["task_index"][row], "") for row in rows] if "task_index" in data else []
        recordings.append(Recording(f"episode {index}", video, columns, captions if any(captions) else []))
    return recordings


def _camera(features: dict, wanted: str, folder: Path) -> str:
    cameras = [name for name, feature in features.items() if feature.get("dtype") in ("video", "image")]
    if wanted and wanted not in cameras:
        raise UserError(f"{folder} has no camera {wanted}; it has {', '.join(cameras) or 'none'}")
    if not cameras:
        raise UserError(f"{folder} has neither videos nor images, so there is nothing to dream")
    if len(cameras) > 1 and not wanted:
        others = ", ".join(cameras[1:])
        raise UserError(f"{folder} has {len(cameras)} cameras; choose one: camera={cameras[0]} (or {others})")
    return wanted or cameras[0]


def _names(action: dict | None, folder: Path) -> list[str]:
    """Of the actions' numbers, as far as the dataset names them."""
    if not action:
        raise UserError(f"{folder} has no `action`")
    count, names = int(np.prod(action["shape"])), action.get("names")
    if isinstance(names, dict):
        # One list of names is a list; several are parts, and a name may be in each.
        parts = {part: each if isinstance(each, list) else [each] for part, each in names.items()}
        several = len(parts) > 1
        names = [f"{part}_{name}" if several else name for part, each in parts.items() for name in each]
    if not isinstance(names, list) or len(names) != count:
        names = [f"action{n}" for n in range(count)]
    names = [re.sub(r"\W", "_", str(name), flags=re.ASCII)[:32] for name in names]
    return names if len(set(names)) == count else [f"action{n}" for n in range(count)]


def _tasks(table: dict[str, list]) -> dict[int, str]:
    """task_index -> text: the text is the table's index, which pandas stores under a name of its own."""
    texts = next((values for name, values in table.items() if name != "task_index"), [])
    return dict(zip(table["task_index"], map(str, texts), strict=True))
