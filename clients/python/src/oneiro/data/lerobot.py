"""LeRobotDataset v3: Parquet files with PNG frames inside, so that nothing is lost and no video decoder is needed.

Written here and not by `lerobot`, whose install brings PyTorch of its own choosing; read back by it in a test.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oneiro.data.drives import Drive, checked_drives
from oneiro.errors import BadInputError
from oneiro.world import WorldInfo

FILES_A_CHUNK = 1000
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
EPISODES_PATH = "meta/episodes/chunk-000/file-000.parquet"
#: Of a world that listens to no words; a frame of a LeRobotDataset has a task.
NO_WORDS = "drive"

Features = dict[str, dict[str, Any]]


def write_lerobot(folder: str | Path, drives: Sequence[Drive]) -> Path:
    """Writes drives as a LeRobotDataset v3 into a folder that is not there yet, a Parquet file each:
    `LeRobotDataset("oneiro/drive", root=folder)` reads it.

    `observation.image` is the frame, `observation.state` the telemetry, `action` the values of the controls, `task`
    the words; `next.reward` and `next.done` are of the frame that the action leads to. The last frame of a drive, at
    which nothing was done, is left out.

    Raises BadInputError where the folder is there, or the drives are none or of several worlds.
    """
    pa, pq = _arrow()
    info = checked_drives(drives)
    root = Path(folder)
    if root.exists():
        raise BadInputError(f'"{root.name}" is there already. Name a folder that is not, or remove it first.')
    features = _features(info)
    tasks = list(dict.fromkeys(words or NO_WORDS for drive in drives for words in drive.prompts[:-1]))
    episodes: list[dict[str, Any]] = []
    statistics = {name: _Statistics() for name, feature in features.items() if feature["dtype"] != "bool"}
    total = 0
    for number, drive in enumerate(drives):
        chunk, file = divmod(number, FILES_A_CHUNK)
        path = root / DATA_PATH.format(chunk_index=chunk, file_index=file)
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = _columns(drive, number, total, tasks)
        pq.write_table(_table(pa, columns, features), path)
        for name, values in columns.items():
            if name in statistics:
                statistics[name].add(values)
        words = list(dict.fromkeys(text or NO_WORDS for text in drive.prompts[:-1]))
        episodes.append(
            {
                "episode_index": number,
                "tasks": words,
                "length": len(drive),
                "data/chunk_index": chunk,
                "data/file_index": file,
                "dataset_from_index": total,
                "dataset_to_index": total + len(drive),
                "meta/episodes/chunk_index": 0,
                "meta/episodes/file_index": 0,
            }
        )
        total += len(drive)
    _write_meta(root, pa, pq, info, features, tasks, episodes, total)
    told = {name: one.told(image=name == "observation.image") for name, one in statistics.items()}
    (root / "meta/stats.json").write_text(json.dumps(told, indent=1))
    return root


def _features(info: WorldInfo) -> Features:
    features: Features = {
        "observation.image": {
            "dtype": "image",
            "shape": [info.height, info.width, 3],
            "names": ["height", "width", "channels"],
        }
    }
    if info.telemetry:
        names = [instrument.name for instrument in info.telemetry]
        features["observation.state"] = {"dtype": "float32", "shape": [len(names)], "names": names}
    controls = [control.name for control in info.controls]
    features["action"] = {"dtype": "float32", "shape": [len(controls)], "names": controls}
    features["next.reward"] = {"dtype": "float32", "shape": [1], "names": None}
    features["next.done"] = {"dtype": "bool", "shape": [1], "names": None}
    features["timestamp"] = {"dtype": "float32", "shape": [1], "names": None}
    for name in ("frame_index", "episode_index", "index", "task_index"):
        features[name] = {"dtype": "int64", "shape": [1], "names": None}
    return features


def _columns(drive: Drive, number: int, first: int, tasks: list[str]) -> dict[str, NDArray[Any]]:
    count = len(drive)
    frames = np.arange(count, dtype=np.int64)
    columns: dict[str, NDArray[Any]] = {"observation.image": drive.frames[:-1]}
    if drive.info.telemetry:
        columns["observation.state"] = drive.telemetry[:-1]
    return columns | {
        "action": drive.values,
        "next.reward": drive.rewards,
        "next.done": drive.dones,
        "timestamp": (frames / drive.info.ticks_per_second).astype(np.float32),
        "frame_index": frames,
        "episode_index": np.full(count, number, np.int64),
        "index": first + frames,
        "task_index": np.array([tasks.index(text or NO_WORDS) for text in drive.prompts[:-1]], np.int64),
    }


def _table(pa: Any, columns: dict[str, NDArray[Any]], features: Features) -> Any:
    arrays = {}
    for name, values in columns.items():
        if features[name]["dtype"] == "image":
            kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
            arrays[name] = pa.array([{"bytes": png, "path": None} for png in _pngs(values)], kind)
        elif values.ndim == 2:
            flat = pa.array(np.ascontiguousarray(values).reshape(-1))
            arrays[name] = pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
        else:
            arrays[name] = pa.array(values)
    return pa.table(arrays)


def _pngs(frames: NDArray[np.uint8]) -> Iterator[bytes]:
    from PIL import Image

    for frame in frames:
        out = BytesIO()
        Image.fromarray(frame).save(out, "PNG")
        yield out.getvalue()


def _write_meta(
    root: Path,
    pa: Any,
    pq: Any,
    info: WorldInfo,
    features: Features,
    tasks: list[str],
    episodes: list[dict[str, Any]],
    total: int,
) -> None:
    described = {
        "codebase_version": "v3.0",
        "robot_type": f"oneiro/{info.id}",
        "total_episodes": len(episodes),
        "total_frames": total,
        "total_tasks": len(tasks),
        "chunks_size": FILES_A_CHUNK,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": round(info.ticks_per_second),
        "splits": {"train": f"0:{len(episodes)}"},
        "data_path": DATA_PATH,
        "video_path": None,
        "features": features,
    }
    (root / "meta").mkdir(exist_ok=True)
    (root / "meta/info.json").write_text(json.dumps(described, indent=1))
    path = root / EPISODES_PATH
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(episodes), path)
    # As pandas writes a frame whose index is the task: its readers look a task up by that.
    pandas = {
        "index_columns": ["__index_level_0__"],
        "column_indexes": [],
        "columns": [
            {
                "name": "task_index",
                "field_name": "task_index",
                "pandas_type": "int64",
                "numpy_type": "int64",
                "metadata": None,
            },
            {
                "name": None,
                "field_name": "__index_level_0__",
                "pandas_type": "unicode",
                "numpy_type": "object",
                "metadata": None,
            },
        ],
    }
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "__index_level_0__": tasks})
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(pandas)}), root / "meta/tasks.parquet")


class _Statistics:
    """Of a column over all drives; an image's over pixels, by channel."""

    def __init__(self) -> None:
        self.count = 0
        self.least: Any = np.inf
        self.most: Any = -np.inf
        self.sum: Any = 0.0
        self.squares: Any = 0.0
        self.numbers = 0

    def add(self, values: NDArray[Any]) -> None:
        """values [N,...,D], or [N]"""
        self.count += len(values)
        rows = values.reshape(-1, values.shape[-1] if values.ndim > 1 else 1).astype(np.float64)
        self.numbers += len(rows)
        self.least = np.minimum(self.least, rows.min(0))
        self.most = np.maximum(self.most, rows.max(0))
        self.sum = self.sum + rows.sum(0)
        self.squares = self.squares + (rows**2).sum(0)

    def told(self, image: bool) -> dict[str, Any]:
        mean = self.sum / self.numbers
        deviation = np.sqrt(np.maximum(self.squares / self.numbers - mean**2, 0))
        statistics = {"min": self.least, "max": self.most, "mean": mean, "std": deviation}
        # Pixels are from 0 to 1 for its readers, and a channel has an axis for rows and one for columns.
        shaped = {name: (value / 255).reshape(-1, 1, 1) if image else value for name, value in statistics.items()}
        return {**{name: value.tolist() for name, value in shaped.items()}, "count": [self.count]}


def _arrow() -> tuple[Any, Any]:
    try:
        import PIL.Image  # noqa: F401
        import pyarrow
        import pyarrow.parquet
    except ImportError as cause:
        raise BadInputError('A LeRobotDataset is Parquet with PNG inside. pip install "oneiro[lerobot]".') from cause
    return pyarrow, pyarrow.parquet
