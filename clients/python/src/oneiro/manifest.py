"""`world.json`: all of a world but its weights. `src/model/assets/manifest.ts` is the schema's other reader."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oneiro.controls import ActionSpace, Control
from oneiro.errors import ManifestInvalidError, ManifestVersionError

VERSION = 1


@dataclass(frozen=True)
class File:
    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Instrument:
    """One of the numbers in a latent's last tokens: it reads `centre + spread * number`, in `unit`."""

    name: str
    unit: str
    centre: float
    spread: float


@dataclass(frozen=True)
class Start:
    id: str
    caption: str
    index: int  # row of `latents` and `actions` in starts.safetensors
    embedding: int | None  # row of `promptEmbeddings`; None: a preset of the same words has it


@dataclass(frozen=True)
class Preset:
    id: str
    text: str
    embedding: int


@dataclass(frozen=True)
class Words:
    """How words condition the student. `choices`: the prompt labels there are, the most important thing first."""

    dim: int
    encoder: str
    choices: Mapping[str, tuple[str, ...]] | None


@dataclass(frozen=True)
class SelfTest:
    seed: int
    sample: tuple[float, ...]
    index: tuple[int, ...]
    tolerance: float
    frame: bytes  # RGB of pixels spread over the frame of that tick; empty where the world has none
    frame_tolerance: float


@dataclass(frozen=True)
class Manifest:
    """A world's manifest, checked. Lengths are in floats unless they say otherwise."""

    id: str
    title: str
    width: int
    height: int
    ticks_per_second: float
    tokens: int
    channels: int
    columns: int | None  # cells in a row, where the tokens of the picture are a grid
    half: bool  # the state is half precision: latents are rounded to it before anything is made of them
    telemetry: tuple[Instrument, ...]
    task: str | None
    offsets: tuple[int, ...]  # ages in ticks of the latents that the student sees; 1 is the newest
    controls: tuple[Control, ...]
    action_count: int  # actions that the student sees, the one applied now included
    action_dims: int
    encoding: str
    prompt: Words | None
    noise: tuple[tuple[int, int], ...]  # of each noise latent, what the student looks at: (first, count)
    files: Mapping[str, File]
    starts: tuple[Start, ...]
    beginning_steps: int  # from a blank history to the first frame of a drive from words alone; 0: it needs a start
    presets: tuple[Preset, ...]
    self_test: SelfTest
    model_hash: str

    @property
    def latent_length(self) -> int:
        return self.tokens * self.channels

    @property
    def ring_length(self) -> int:
        """Latents that are kept."""
        return max(self.offsets)

    @property
    def prompt_dim(self) -> int:
        """0 in a world that listens to no words."""
        return self.prompt.dim if self.prompt else 0

    @property
    def reads_words(self) -> bool:
        """The conditioning is prompt labels, not an embedding of unit norm."""
        return "reader" in self.files


def prompt_key(text: str) -> str:
    """Words that differ only in case or surrounding space are the same prompt."""
    return text.strip().lower()


def parse_manifest(text: str) -> Manifest:
    """The manifest of `world.json`'s text. Raises ManifestVersionError, or ManifestInvalidError: it names a field."""
    try:
        json_value = json.loads(text)
    except ValueError as cause:
        raise ManifestInvalidError("it is not JSON") from cause
    top = Fields(json_value, "")
    if top.get("format") != "oneiro-world":
        raise ManifestInvalidError(f'its format is {top.get("format")!r}, but "oneiro-world" was expected')
    if top.get("version") != VERSION:
        raise ManifestVersionError(VERSION, top.get("version"))
    manifest = _read(top)
    _check(manifest)
    return manifest


class Fields:
    """An object of JSON whose fields are read by kind. A wrong one raises ManifestInvalidError with its path."""

    def __init__(self, value: Any, path: str):
        self.path = path
        if not isinstance(value, dict):
            raise ManifestInvalidError(f"{path or 'it'} is not an object")
        self.value = value

    def refuse(self, name: str, wanted: str) -> ManifestInvalidError:
        return ManifestInvalidError(f"{self.at(name)} is not {wanted}")

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def get(self, name: str) -> Any:
        return self.value.get(name)

    def has(self, name: str) -> bool:
        return name in self.value

    def child(self, name: str) -> Fields:
        return Fields(self.get(name), self.at(name))

    def children(self, name: str, optional: bool = False) -> list[Fields]:
        values = self.get(name)
        if values is None and optional:
            return []
        if not isinstance(values, list):
            raise self.refuse(name, "a list")
        return [Fields(value, f"{self.at(name)}.{i}") for i, value in enumerate(values)]

    def text(self, name: str, default: str | None = None) -> str:
        value = self.value.get(name, default)
        if not isinstance(value, str) or (not value and default is None):
            raise self.refuse(name, "some text")
        return value

    def count(self, name: str, least: int = 1) -> int:
        value = self.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.refuse(name, f"a whole number from {least} on")
        return value

    def number(self, name: str, positive: bool = False) -> float:
        value = self.get(name)
        if not _is_number(value) or (positive and value <= 0):
            raise self.refuse(name, "a positive number" if positive else "a number")
        return float(value)

    def numbers(self, name: str, whole: bool = False) -> tuple[Any, ...]:
        values = self.get(name)
        right = isinstance(values, list) and all(_is_number(value) for value in values)
        if not right or not values or (whole and not all(isinstance(v, int) and v >= 0 for v in values)):
            raise self.refuse(name, "a list of whole numbers" if whole else "a list of numbers")
        return tuple(values)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _read(top: Fields) -> Manifest:
    frame, latent, actions = top.child("frame"), top.child("latent"), top.child("actions")
    student, test, files = top.child("student"), top.child("selfTest"), top.child("files")
    length = latent.count("tokens") * latent.count("channels")
    streams = 1 + student.count("outerSteps")
    noise = [(part.count("from", 0), part.count("count")) for part in student.children("noise", optional=True)]
    if latent.get("dtype") not in (None, "float32", "float16"):
        raise latent.refuse("dtype", '"float32" or "float16"')
    if actions.get("encoding") not in (None, "number", "one-hot"):
        raise actions.refuse("encoding", '"number" or "one-hot"')
    sample = test.numbers("latentSample")
    index = test.numbers("latentIndex", whole=True) if test.has("latentIndex") else tuple(range(len(sample)))
    return Manifest(
        id=top.text("id"),
        title=top.text("title"),
        width=frame.count("width"),
        height=frame.count("height"),
        ticks_per_second=top.number("ticksPerSecond", positive=True),
        tokens=latent.count("tokens"),
        channels=latent.count("channels"),
        columns=latent.count("columns") if latent.has("columns") else None,
        half=latent.get("dtype") == "float16",
        telemetry=tuple(
            Instrument(i.text("name"), i.text("unit", ""), i.number("centre"), i.number("spread", positive=True))
            for i in top.children("telemetry", optional=True)
        ),
        task=top.text("task") if top.has("task") else None,
        offsets=top.child("history").numbers("offsets", whole=True),
        controls=read_controls(top.value),
        action_count=actions.count("count"),
        action_dims=actions.count("dims"),
        encoding=actions.get("encoding") or "number",
        prompt=_words(top.child("prompt")) if top.has("prompt") else None,
        noise=tuple(noise) or ((0, length),) * streams,
        files={name: _file(files.child(name)) for name in files.value},
        beginning_steps=top.child("beginnings").count("steps") if top.has("beginnings") else 0,
        starts=tuple(
            Start(s.text("id"), s.text("caption", ""), s.count("index", 0), _row(s, "embedding"))
            for s in top.children("starts")
        ),
        presets=tuple(
            Preset(p.text("id"), p.text("text"), p.count("embedding", 0)) for p in top.children("presets", True)
        ),
        self_test=SelfTest(
            test.count("seed", 0), sample, index, test.number("tolerance", positive=True), *_frame(test)
        ),
        model_hash=top.text("modelHash"),
    )


def _frame(test: Fields) -> tuple[bytes, float]:
    if not test.has("frame"):
        return b"", 0.0
    frame = test.child("frame")
    try:
        pixels = base64.b64decode(frame.text("pixels"), validate=True)
    except ValueError:
        raise frame.refuse("pixels", "base64") from None
    if len(pixels) % 3:
        raise frame.refuse("pixels", "base64 of whole pixels")
    return pixels, frame.number("tolerance", positive=True)


def _row(fields: Fields, name: str) -> int | None:
    return fields.count(name, 0) if fields.has(name) else None


def read_controls(value: Mapping[str, Any]) -> tuple[Control, ...]:
    """The controls of a manifest or of a server's welcome. Raises ManifestInvalidError."""
    return tuple(_control(control) for control in Fields(value, "").children("controls"))


def _control(fields: Fields) -> Control:
    name, kind = fields.text("name"), fields.text("kind")
    if kind == "button":
        return Control(name, kind, (0, 1))
    if kind != "axis":
        raise fields.refuse("kind", '"axis" or "button"')
    values = fields.numbers("values")
    if 0 not in values or len(set(values)) < len(values):
        raise fields.refuse("values", "a list of different numbers with 0 among them")
    return Control(name, kind, values)


def _file(fields: Fields) -> File:
    path = fields.text("path")
    # Only names in the world's own folder: a manifest must not make us read elsewhere.
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", path, re.ASCII) or ".." in path:
        raise fields.refuse("path", 'a relative path without ".."')
    return File(path, fields.count("bytes"), fields.text("sha256"))


def _words(fields: Fields) -> Words:
    choices = None
    if fields.has("choices"):
        choices = {name: tuple(values) for name, values in fields.child("choices").value.items()}
    return Words(fields.count("dim"), fields.text("encoder"), choices)


def _check(manifest: Manifest) -> None:
    """What one field cannot know of another."""

    def need(right: bool, what: str) -> None:
        if not right:
            raise ManifestInvalidError(what)

    m, offsets = manifest, manifest.offsets
    need(all(a < b for a, b in zip((0, *offsets), offsets, strict=False)), "history.offsets: offsets must increase")
    need(len(m.controls) > 0, "controls: there are none")
    need(len({c.name for c in m.controls}) == len(m.controls), "controls: two have the same name")
    told = ActionSpace(m.controls).dims(m.encoding)
    need(told == m.action_dims, f"actions.dims: the controls are told by {told} numbers, but {m.action_dims} came")
    need(all(name in m.files for name in ("student", "decoder", "starts")), "files: student, decoder or starts lacks")
    need(len(m.starts) > 0, "starts: there are none")
    need(len(m.telemetry) <= (m.tokens - 1) * m.channels, "telemetry: there is no room for it beside a picture")
    need(
        all(first % 4 == 0 and first + count <= m.latent_length for first, count in m.noise),
        f"student.noise: each part starts at a multiple of 4 and ends within {m.latent_length}",
    )
    test = m.self_test
    need(
        len(test.index) == len(test.sample) and max(test.index) < m.latent_length,
        "selfTest.latentIndex: it does not say where in a latent the sample is",
    )
    need(len(test.frame) // 3 <= m.width * m.height, "selfTest.frame.pixels: there are more than in a frame")
    need(m.prompt is not None or not m.presets, "presets: there are some, but the world has no prompt")
    if m.prompt is None:
        return
    need(len(m.presets) > 0, "presets: a world with a prompt has one at least")
    read = sum(len(values) + 1 for values in (m.prompt.choices or {}).values())
    need(read in (0, m.prompt.dim), f'prompt.choices: values and their "none" are {read}, but dim is {m.prompt.dim}')
    known = {prompt_key(preset.text) for preset in m.presets}
    for i, start in enumerate(m.starts):
        said = start.embedding is not None or prompt_key(start.caption) in known
        need(said, f'starts.{i}: needs an embedding, because no preset says "{start.caption}"')
