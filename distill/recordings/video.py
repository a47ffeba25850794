"""Frames of a video, by the ffmpeg of this machine: which codecs there are is its own affair. Or of single files."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
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

    def read(self, fit: Fit, skip: int = 1) -> Iterator[np.ndarray]:
        """Every `skip`-th frame, cut and brought to the size of `fit`: uint8 [height,width,3] each. Raises UserError
        where frames are missing."""
        left, top, wide, tall = fit.crop
        scale = "neighbor" if fit.width > wide or fit.height > tall else "area"
        # To RGB first: of other formats a crop is rounded to whole blocks of colour.
        filters = f"select=not(mod(n\\,{skip})),format=rgb24,crop={wide}:{tall}:{left}:{top}"
        filters += f",scale={fit.width}:{fit.height}:flags={scale}"
        # Half a frame early, so that a time that was rounded does not lose the first one.
        seek = ["-ss", f"{max(0.0, self.begin - 0.5 / self.fps):.6f}"] if self.begin else []
        count, size = -(-self.frames // skip), fit.width * fit.height * 3
        out = ["-vf", filters, "-fps_mode", "passthrough", "-frames:v", str(count)]
        out += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        command = [_program("ffmpeg"), "-v", "error", *seek, "-i", str(self.path), *out]
        with _started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            try:
                for found in range(count):
                    data = child.stdout.read(size)
                    if len(data) < size:
                        said = child.stderr.read().decode(errors="replace").strip().splitlines()
                        where = f"{self.path} should have {count} frames from {self.begin:g} s on"
                        raise UserError(f"{where}, but {found} could be read{f': {said[-1]}' if said else ''}")
                    yield np.frombuffer(data, np.uint8).reshape(fit.height, fit.width, 3)
            finally:
                child.kill()


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

    def read(self, fit: Fit, skip: int = 1) -> Iterator[np.ndarray]:
        """As `Video.read`."""
        for file in self.files[::skip]:
            yield fit(np.asarray(Image.open(BytesIO(file)).convert("RGB")))


def _program(name: str) -> str:
    """`ffmpeg` or `ffprobe`; ONEIRO_FFMPEG names the first of them, and the other lies beside it."""
    own = os.environ.get("ONEIRO_FFMPEG")
    return str(Path(own).with_name(Path(own).name.replace("ffmpeg", name))) if own else name


def _started(command: list[str], **streams) -> subprocess.Popen:
    """Raises UserError where there is no such program."""
    try:
        return subprocess.Popen(command, **streams)
    except OSError as error:
        raise UserError(
            f"videos are read by {Path(command[0]).name}, which cannot be started; install ffmpeg, 5.1 or newer (on "
            "Debian: apt-get install ffmpeg), or set ONEIRO_FFMPEG to its path"
        ) from error


def probe(path: Path) -> Video:
    """What is in a file, all its frames counted, turned as it is shown. Raises UserError."""
    shown = "stream=width,height,avg_frame_rate,r_frame_rate,nb_read_frames:stream_side_data=rotation"
    options = [
        "-v",
        "error",
        "-select_streams",
        "v:0",
        "-count_frames",
        "-show_entries",
        shown,
        "-of",
        "json",
        str(path),
    ]
    with _started([_program("ffprobe"), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        said, wrong = child.communicate()
    if child.returncode:
        lines = wrong.decode(errors="replace").strip().splitlines()
        raise UserError(f"{path} cannot be read: {(lines or ['?'])[-1]}")
    streams = json.loads(said).get("streams", [])
    if not streams:
        raise UserError(f"{path} holds no video")
    stream = streams[0]
    fps, steady = _rate(stream["avg_frame_rate"]), _rate(stream["r_frame_rate"])
    if fps <= 0:
        raise UserError(f"{path} does not say how many frames a second it has")
    if abs(fps - steady) > 0.02 * fps:
        print(f"import-recordings: {path.name} has {fps:.4g} frames a second at the mean, but they do not come evenly")
    sides = [stream["width"], stream["height"]]
    turned = any(abs(int(side.get("rotation", 0))) % 180 == 90 for side in stream.get("side_data_list", []))
    width, height = sides[::-1] if turned else sides
    return Video(path, width, height, fps, int(stream["nb_read_frames"]))


def _rate(text: str) -> float:
    over, _, under = text.partition("/")
    return float(over) / float(under or 1) if float(under or 1) else 0.0
