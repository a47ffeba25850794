"""VBench (arXiv 2311.17982) of sampled videos, beside the paper's rows.

- Calls the official tool (vbench_tool.py), dimension by dimension; what has a result already is not measured again.
  `table=true` only reads results that are there.
- A dimension lacking videos is refused. With `partial=true` it is measured all the same, and said under the table.
- Total = (4 quality + semantic) / 5 over normalised dimensions: VBench's scripts/constant.py and cal_final_score.py.
- VBench does not see a collapse in which all seeds give one video (Table 5), so how far a prompt's videos are from one
  another stands under the table.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from distill.atomic import write_text
from distill.config import BaseConfig, UserError
from distill.wan import vbench_tool

# name -> (lowest, highest, weight), VBench's normalisation
QUALITY = {
    "subject_consistency": (0.1462, 1.0, 1.0),
    "background_consistency": (0.2615, 1.0, 1.0),
    "temporal_flickering": (0.6293, 1.0, 1.0),
    "motion_smoothness": (0.706, 0.9975, 1.0),
    "aesthetic_quality": (0.0, 1.0, 1.0),
    "imaging_quality": (0.0, 1.0, 1.0),
    "dynamic_degree": (0.0, 1.0, 0.5),
}
SEMANTIC = {
    "object_class": (0.0, 1.0, 1.0),
    "multiple_objects": (0.0, 1.0, 1.0),
    "human_action": (0.0, 1.0, 1.0),
    "color": (0.0, 1.0, 1.0),
    "spatial_relationship": (0.0, 1.0, 1.0),
    "scene": (0.0, 0.8222, 1.0),
    "appearance_style": (0.0009, 0.2855, 1.0),
    "temporal_style": (0.0, 0.364, 1.0),
    "overall_consistency": (0.0, 0.364, 1.0),
}

# arXiv 2601.09881, Tables 1 and 2: method, NFE, total, quality, semantic
PAPER = {
    "1.3b": [
        ("Wan2.1 1.3B (teacher)", "50x2", 84.26, 85.30, 80.09),
        ("rCM", "4", 84.43, 85.38, 80.63),
        ("DMD2-v, gamma 5", "4", 84.60, 86.03, 79.87),
        ("DMD2-v", "3", 84.48, 85.71, 79.58),
        ("rCM", "2", 84.09, 84.90, 80.86),
        ("DMD2-v", "2", 84.39, 85.65, 79.32),
        ("TMD-N2H5", "2.33", 84.68, 85.71, 80.55),
        ("TMD-N4H5", "3.00", 84.67, 85.72, 80.47),
        ("rCM", "1", 82.65, 83.60, 78.82),
        ("DMD2-v (with KD)", "1", 83.24, 84.28, 79.10),
        ("TMD-N2H5", "1.17", 83.80, 85.07, 78.69),
        ("TMD-N4H5", "1.50", 83.79, 85.03, 78.83),
    ],
    "14b": [
        ("Wan2.1 14B (teacher)", "50x2", 86.22, 86.67, 84.44),
        ("rCM", "4", 84.92, 85.43, 82.88),
        ("DMD2-v", "4", 84.52, 85.37, 81.11),
        ("rCM", "2", 85.05, 85.57, 82.95),
        ("DMD2-v", "2", 84.79, 85.78, 80.83),
        ("TMD-N4H5", "2.75", 84.62, 85.09, 82.72),
        ("rCM", "1", 83.02, 83.57, 80.81),
        ("DMD2-v", "1", 83.69, 84.46, 80.61),
        ("TMD-N4H5", "1.38", 84.24, 84.89, 81.65),
    ],
}


@dataclass
class Config(BaseConfig):
    name: str = "wan-vbench"
    tool: str = "vbench"  # the tool of the environment that it is installed in: ENVIRONMENT/bin/vbench
    videos: str = "runs/wan-dmd/videos"
    flickering: str = "runs/wan-dmd/flickering"  # 25 videos of each prompt of temporal_flickering
    partial: bool = False  # measure what is there, also where videos are missing
    results: str = "runs/wan-vbench"
    information: str = ""  # VBench_full_info.json, where it is not the tool's own
    size: str = "1.3b"
    row: str = "TMD-N2H5"  # the paper's row that ours stands beside: its method ...
    nfe: str = "2.33"  # ... and its NFE
    table: bool = False  # only the table, from the results that are there


def read_results(folder: Path) -> dict[str, float]:
    """{dimension: raw score}, from the tool's *_eval_results.json files."""
    found: dict[str, float] = {}
    for path in sorted(folder.glob("**/*_eval_results.json")):
        try:
            for dimension, value in json.loads(path.read_text()).items():
                if dimension in QUALITY or dimension in SEMANTIC:
                    found[dimension] = float(value[0] if isinstance(value, list) else value)
        except (OSError, ValueError, AttributeError, TypeError, IndexError) as error:
            raise UserError(f"{path} is not a result of VBench's tool ({error})") from error
    return found


def score(results: dict[str, float], group: dict[str, tuple[float, float, float]]) -> float | None:
    """The weighted mean of a group's normalised dimensions, in percent; None where one is missing."""
    if any(name not in results for name in group):
        return None
    total = sum(w * (results[name] - low) / (high - low) for name, (low, high, w) in group.items())
    return 100 * total / sum(w for _, _, w in group.values())


def scores(results: dict[str, float]) -> tuple[float | None, float | None, float | None]:
    """Total, quality, semantic."""
    quality, semantic = score(results, QUALITY), score(results, SEMANTIC)
    total = None if quality is None or semantic is None else (4 * quality + semantic) / 5
    return total, quality, semantic


def is_row(config: Config, method: str, nfe: str) -> bool:
    """Whether that is the row of `config`, whose nfe=3.00 arrives as 3.0."""
    try:
        same = float(config.nfe) == float(nfe)
    except ValueError:  # 50x2
        same = config.nfe == nfe
    return same and config.row == method


def table(config: Config, results: dict[str, float]) -> str:
    """Markdown: the paper's scores, and ours beside the row that `config` names; empty where nothing was run."""
    if config.size not in PAPER:
        raise UserError(f"size must be one of {', '.join(PAPER)}, not {config.size}")
    rows = PAPER[config.size]
    if not any(is_row(config, method, nfe) for method, nfe, *_ in rows):
        raise UserError(f"the paper has no row {config.row} with NFE {config.nfe} for {config.size}")
    ours = scores(results)
    lines = [
        "| method | NFE | total, paper | quality | semantic | total, ours | quality | semantic |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for method, nfe, *paper in rows:
        mine = ours if is_row(config, method, nfe) else (None, None, None)
        cells = [f"{value:.2f}" for value in paper] + ["" if value is None else f"{value:.2f}" for value in mine]
        lines.append(f"| {method} | {nfe} | {' | '.join(cells)} |")
    return "\n".join(lines)


def measure(config: Config, folder: Path) -> None:
    """Calls the tool for every dimension without a result; then how the seeds differ."""
    tool = vbench_tool.find(config.tool)
    vbench_tool.require_plain(results=config.results, information=config.information)
    done = read_results(folder)
    # temporal_flickering last: its filter needs the network that the tool downloads for dynamic_degree
    todo = [name for name in (*QUALITY, *SEMANTIC) if name not in done]
    todo.sort(key=lambda name: name == vbench_tool.FLICKERING)
    for dimension, found in count_videos(config, tool, todo).items():
        place = folder / dimension
        place.mkdir(exist_ok=True)
        write_text(place / "videos.json", json.dumps(found) + "\n")
        videos = videos_of(config, dimension)
        if dimension == vbench_tool.FLICKERING:
            videos = vbench_tool.filter_static(tool, videos, place / "filter")
        vbench_tool.evaluate(tool, videos, dimension, place, config.information)
        if dimension not in read_results(place):
            raise UserError(
                f"VBench's tool gave no result for {dimension}; its reason is above. What was measured before is kept"
            )
    if not (folder / "diversity.json").is_file():
        write_text(folder / "diversity.json", json.dumps(diversity(Path(config.videos))) + "\n")


def videos_of(config: Config, dimension: str) -> Path:
    return Path(config.flickering if dimension == vbench_tool.FLICKERING else config.videos)


def count_videos(config: Config, tool: Path, dimensions: list[str]) -> dict[str, dict[str, int]]:
    """{dimension: how many videos are `there`, how many `wanted`}, of those that can be measured. Raises UserError
    where videos are missing, or with `partial` where there are none."""
    wanted = vbench_tool.wanted_videos(tool, config.information)
    there = {folder: vbench_tool.present(folder) for folder in {videos_of(config, name) for name in dimensions}}
    found: dict[str, dict[str, int]] = {}
    for dimension in dimensions:
        folder, names = videos_of(config, dimension), wanted.get(dimension, [])
        missing = [name for name in names if name not in there[folder]]
        if missing and not config.partial:
            raise UserError(
                f"{folder} lacks {len(missing)} of the {len(names)} videos of {dimension}, such as `{missing[0]}`; "
                "make them with wan-sample, or measure what is there with partial=true"
            )
        if len(missing) < len(names):
            found[dimension] = {"there": len(names) - len(missing), "wanted": len(names)}
    if dimensions and not found:
        raise UserError(f"{config.videos} holds no videos of VBench's prompts; run wan-sample first")
    return found


def partial_line(folder: Path) -> str:
    """What stands under the table where dimensions were measured on a part of their videos."""
    parts = []
    for path in sorted(folder.glob("*/videos.json")):
        found = json.loads(path.read_text())
        if found["there"] < found["wanted"]:
            parts.append(f"{path.parent.name} {found['there']} of {found['wanted']}")
    return f"\n\nPartial, not comparable with the paper: videos of {', '.join(parts)}." if parts else ""


def diversity(videos: Path) -> dict | None:
    """Mean absolute difference, 0..255, of two videos of one prompt: `value`, its mean over `prompts`, and the `least`
    of a prompt. Of every eighth frame, row and column, which is enough for a collapse. None where no prompt has two."""
    from distill.wan.media import read_video

    prompts: dict[str, list[Path]] = {}
    for path in sorted(videos.glob("*.mp4")):
        prompts.setdefault(path.stem.rpartition("-")[0], []).append(path)
    apart = []
    for paths in prompts.values():
        if len(paths) > 1:
            seen = [read_video(path)[::8, ::8, ::8].astype(np.float32) for path in paths]
            apart.append(float(np.mean([np.abs(a - b).mean() for a, b in combinations(seen, 2)])))
    return {"value": float(np.mean(apart)), "least": min(apart), "prompts": len(apart)} if apart else None


def diversity_line(folder: Path) -> str:
    """What stands under the table; nothing where it was not measured."""
    path = folder / "diversity.json"
    found = json.loads(path.read_text()) if path.is_file() else None
    if found is None:
        return ""
    return (
        f"\n\nDiversity over seeds: two videos of a prompt differ by {found['value']:.1f} of 255 (mean of "
        f"{found['prompts']} prompts, least {found['least']:.1f}); about 0 is a collapse."
    )


def run(config: Config) -> None:
    folder = Path(config.results)
    folder.mkdir(parents=True, exist_ok=True)
    if not config.table:
        measure(config, folder)
    results = read_results(folder)
    text = table(config, results) + partial_line(folder) + diversity_line(folder)
    (folder / "table.md").write_text(text + "\n")
    missing = [name for name in (*QUALITY, *SEMANTIC) if name not in results]
    if missing:
        print(f"[wan-vbench] without results: {', '.join(missing)}")
    print(text)
