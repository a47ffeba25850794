"""VBench's own tool (0.1.5), in an environment of its own: where it is, which videos it needs, how it is called.

- It starts a bare `python` through a shell: the folder it lies in comes first on PATH, and a path that a shell would
  read otherwise is refused.
- `vbench evaluate` ends with 0 whatever happened, so the caller has to look for the result.
- temporal_flickering is measured on static videos alone: `vbench static_filter` keeps up to 5 of a prompt's 25.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

from distill.config import UserError

FLICKERING = "temporal_flickering"
SEEDS, FLICKERING_SEEDS = 5, 25  # videos of a prompt
INFORMATION = "lib/python3*/site-packages/vbench/VBench_full_info.json"


def find(tool: str) -> Path:
    found = shutil.which(tool)
    if found is None:
        raise UserError(
            f"VBench's tool `{tool}` is not there; install it in an environment of its own (README.md) and give "
            "tool=ENVIRONMENT/bin/vbench. With table=true it is not needed"
        )
    return Path(found).absolute()


def wanted_videos(tool: Path, information: str) -> dict[str, list[str]]:
    """{dimension: the names of its videos}, from VBench_full_info.json: `information`, or the tool's own."""
    path = Path(information) if information else next(tool.parents[1].glob(INFORMATION), None)
    if path is None:
        raise UserError(f"VBench_full_info.json is not in {tool.parents[1]}; give information=PATH of it")
    names: dict[str, dict[str, None]] = {}
    try:
        for entry in json.loads(path.read_text()):
            for dimension in entry["dimension"]:
                seeds = FLICKERING_SEEDS if dimension == FLICKERING else SEEDS
                videos = names.setdefault(dimension, {})
                videos.update({f"{entry['prompt_en']}-{index}.mp4": None for index in range(seeds)})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} is not VBench's list of prompts and dimensions ({error})") from error
    return {dimension: list(videos) for dimension, videos in names.items()}


def present(folder: Path) -> set[str]:
    """The names of a folder's videos. Raises UserError for anything else in it: the tool looks for all videos with the
    ending of the first file it finds."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    others = sorted(name for name in names if not name.endswith(".mp4"))
    if others:
        raise UserError(f"{folder} must hold videos alone, which end in .mp4; remove {others[0]} from it")
    return names


def call(tool: Path, *arguments: str) -> None:
    command = [str(tool), *arguments]
    path = os.pathsep.join([str(tool.parent), os.environ.get("PATH", "")])
    if subprocess.run(command, env=os.environ | {"PATH": path}).returncode:
        raise UserError(f"`{shlex.join(command)}` failed; its reason is above. What was measured before it is kept")


def filter_static(tool: Path, videos: Path, folder: Path) -> Path:
    """The folder of the static videos among `videos`."""
    shutil.rmtree(folder, ignore_errors=True)  # of a filter that was stopped
    call(tool, "static_filter", "--videos_path", str(videos), "--result_path", str(folder))
    filtered = folder / "filtered_videos"
    if not any(filtered.glob("*.mp4")):
        raise UserError(f"none of the videos in {videos} is static to VBench's filter, or none is of its prompts")
    return filtered


def evaluate(tool: Path, videos: Path, dimension: str, folder: Path, information: str) -> None:
    arguments = ["--videos_path", str(videos), "--dimension", dimension, "--output_path", str(folder)]
    call(tool, "evaluate", *arguments, *(["--full_json_dir", information] if information else []))


def require_plain(**paths: str) -> None:
    """Raises UserError for a path that the tool's shell would take apart."""
    for key, path in paths.items():
        if path and shlex.quote(path) != path:
            raise UserError(
                f"{key}={path} has a space or a sign that a shell reads, and VBench's tool does not quote it; "
                "choose another folder"
            )
