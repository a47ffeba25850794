"""Frames of a video, by the ffmpeg of this machine: which codecs there are is its own affair."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.config import UserError

ENDINGS = (".mp4", ".webm", ".mkv", ".mov", ".avi", ".gif")


@dataclass(frozen=True)
class Video:
    """A file, or the part of one that begins at `begin` seconds; `frames` of it at `fps` a second."""

    path: Path
    width: int
    height: int
    fps: float
    frames: int
    begin: float = 0.0


def _program(name: str) -> str:
    """`ffmpeg` or `ffprobe`; ONEIRO_FFMPEG names the first of them, and the other lies beside it."""
    own = os.environ.get("ONEIRO_FFMPEG")
    return str(Path(own).with_name(Path(own).name.replace("ffmpeg", name))) if own else name


def _call(program: str, *options: str) -> bytes:
    """Its output. Raises UserError where it is missing or fails, in its own words."""
    try:
        done = subprocess.run([_program(program), "-v", "error", *options], capture_output=True, check=False)
    except OSError as error:
        raise UserError(
            f"videos are read by {program}, which cannot be started; install ffmpeg (on Debian: apt-get install "
            "ffmpeg), or set ONEIRO_FFMPEG to its path"
        ) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise UserError(f"{options[-1] if program == 'ffprobe' else 'the video'} cannot be read: {(said or ['?'])[-1]}")
    return done.stdout


def probe(path: Path) -> Video:
    """What is in a file, all its frames counted. Raises UserError."""
    shown = "stream=width,height,avg_frame_rate,nb_read_packets"
    said = _call(
        "ffprobe", "-select_streams", "v:0", "-count_packets", "-show_entries", shown, "-of", "json", str(path)
    )
    streams = json.loads(said).get("streams", [])
    if not streams:
        raise UserError(f"{path} holds no video")
    stream = streams[0]
    over, _, under = stream["avg_frame_rate"].partition("/")
    fps = float(over) / float(under or 1) if float(under or 1) else 0.0
    if fps <= 0:
        raise UserError(f"{path} does not say how many frames a second it has")
    return Video(path, stream["width"], stream["height"], fps, int(stream["nb_read_packets"]))


def read(video: Video, crop: tuple[int, int, int, int], width: int, height: int, skip: int = 1) -> np.ndarray:
    """Every `skip`-th frame, cut to `crop` (left, top, width, height) and brought to `width` x `height` by areas:
    uint8 [N,height,width,3]. Raises UserError where frames are missing."""
    left, top, wide, tall = crop
    scale = "neighbor" if width > wide or height > tall else "area"
    filters = f"select=not(mod(n\\,{skip})),crop={wide}:{tall}:{left}:{top},scale={width}:{height}:flags={scale}"
    # Half a frame early, so that a time that was rounded does not lose the first one.
    seek = ["-ss", f"{max(0.0, video.begin - 0.5 / video.fps):.6f}"] if video.begin else []
    count = -(-video.frames // skip)
    out = ["-vf", filters, "-fps_mode", "passthrough", "-frames:v", str(count)]
    out += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    frames = np.frombuffer(_call("ffmpeg", *seek, "-i", str(video.path), *out), np.uint8)
    size = width * height * 3
    if len(frames) < count * size:
        raise UserError(
            f"{video.path} should have {count} frames from {video.begin:g} s on, but {len(frames) // size} were found"
        )
    return frames.reshape(count, height, width, 3)
