"""Frames of a video, by the ffmpeg of this machine: which codecs there are is its own affair. Or of single files."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from distill.config import UserError
from distill.gym.frames import Fit

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

    def read(self, fit: Fit, skip: int = 1) -> np.ndarray:
        """Every `skip`-th frame, cut and brought to the size of `fit`: uint8 [N,height,width,3]. Raises UserError where
        frames are missing."""
        left, top, wide, tall = fit.crop
        scale = "neighbor" if fit.width > wide or fit.height > tall else "area"
        filters = f"select=not(mod(n\\,{skip})),crop={wide}:{tall}:{left}:{top}"
        filters += f",scale={fit.width}:{fit.height}:flags={scale}"
        # Half a frame early, so that a time that was rounded does not lose the first one.
        seek = ["-ss", f"{max(0.0, self.begin - 0.5 / self.fps):.6f}"] if self.begin else []
        count = -(-self.frames // skip)
        out = ["-vf", filters, "-fps_mode", "passthrough", "-frames:v", str(count)]
        out += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        frames = np.frombuffer(_call("ffmpeg", *seek, "-i", str(self.path), *out), np.uint8)
        size = fit.width * fit.height * 3
        if len(frames) < count * size:
            found = len(frames) // size
            raise UserError(f"{self.path} should have {count} frames from {self.begin:g} s on, but {found} were found")
        return frames.reshape(count, fit.height, fit.width, 3)


@dataclass(frozen=True)
class Stills:
    """Frames as files in memory (PNG, JPEG), all of one size, at `fps` a second."""

    files: tuple[bytes, ...]
    width: int
    height: int
    fps: float

    @property
    def frames(self) -> int:
        return len(self.files)

    def read(self, fit: Fit, skip: int = 1) -> np.ndarray:
        """As `Video.read`."""
        return np.stack([fit(np.asarray(Image.open(BytesIO(file)).convert("RGB"))) for file in self.files[::skip]])


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
