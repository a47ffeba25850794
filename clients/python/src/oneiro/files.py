"""A world's folder, read and checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oneiro.errors import AssetCorruptError, AssetMissingError, ManifestInvalidError
from oneiro.manifest import File, Manifest, parse_manifest, prompt_key

Floats = NDArray[np.float32]

NO_WORDS = np.zeros(0, np.float32)


@dataclass(frozen=True)
class StartState:
    """A state to begin from: `latents` [R,T,C] and `actions` [A-1,D], newest first; `embedding` [P] of its caption."""

    id: str
    caption: str
    embedding: Floats
    latents: Floats
    actions: Floats


@dataclass(frozen=True)
class WorldFiles:
    """Everything of a world that a dream needs, in memory. `known_prompts`: presets and captions, by `prompt_key`.
    `beginnings`: last tokens [N,n,C] and actions [N,A-1,D] that drives from words alone begin with."""

    folder: Path
    manifest: Manifest
    starts: tuple[StartState, ...]
    known_prompts: Mapping[str, Floats]
    beginnings: tuple[Floats, Floats] | None
    student: bytes
    decoder: bytes


def load_world_files(folder: str | Path) -> WorldFiles:
    """Reads the folder that `world.json` lies in. Raises AssetMissingError, AssetCorruptError, Manifest...Error."""
    folder = Path(folder)
    manifest = read_manifest(folder)
    files = manifest.files
    student, decoder, starts = (read_checked(folder, files[name]) for name in ("student", "decoder", "starts"))
    expected = hashlib.sha256((files["student"].sha256 + files["decoder"].sha256).encode()).hexdigest()
    if expected != manifest.model_hash:
        raise ManifestInvalidError(
            f"modelHash is {manifest.model_hash[:12]}…, but its student and decoder make {expected[:12]}…"
        )
    tensors = read_safetensors(starts, files["starts"].path)
    starts_and_words = _starts(manifest, tensors)
    return WorldFiles(folder, manifest, *starts_and_words, _beginnings(manifest, tensors), student, decoder)


def read_manifest(folder: str | Path) -> Manifest:
    """That of the folder that `world.json` lies in. Raises AssetMissingError, Manifest...Error."""
    return parse_manifest(read_file(Path(folder), "world.json").decode("utf-8", "replace"))


def read_file(folder: Path, path: str) -> bytes:
    """Raises AssetMissingError that names the folder by its own name: messages travel further than machines."""
    try:
        return (folder / path).read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as cause:
        raise AssetMissingError(path, folder.name) from cause


def read_checked(folder: Path, file: File) -> bytes:
    """Raises AssetMissingError or AssetCorruptError."""
    data = read_file(folder, file.path)
    if len(data) != file.bytes:
        raise AssetCorruptError(file.path, f"{file.bytes} bytes were expected, but {len(data)} came")
    digest = hashlib.sha256(data).hexdigest()
    if digest != file.sha256:
        raise AssetCorruptError(
            file.path, f"it was altered, sha256 {file.sha256[:12]}… was expected, but {digest[:12]}… came"
        )
    return data


def read_safetensors(data: bytes, file: str) -> dict[str, Floats]:
    """The float tensors of a safetensors file, widened to float32. Raises AssetCorruptError that names `file`."""
    try:
        start = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:start])
        tensors = {}
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            begin, end = (start + offset for offset in entry["data_offsets"])
            dtype = {"F32": np.float32, "F16": np.float16}[entry["dtype"]]
            tensors[name] = np.frombuffer(data[begin:end], dtype).reshape(entry["shape"]).astype(np.float32)
        return tensors
    except (ValueError, KeyError, TypeError, AttributeError) as cause:
        raise AssetCorruptError(file, f"its tensors cannot be read ({cause!r})") from cause


def _beginnings(manifest: Manifest, tensors: Mapping[str, Floats]) -> tuple[Floats, Floats] | None:
    if not manifest.beginning_steps:
        return None
    instruments, actions = tensors.get("beginnings"), tensors.get("beginningActions")
    each = (manifest.action_count - 1, manifest.action_dims)
    reads = (-(-len(manifest.telemetry) // manifest.channels), manifest.channels)
    found = None if instruments is None or actions is None else (instruments.shape[1:], actions.shape[1:])
    if instruments is None or actions is None or found != (reads, each) or not 0 < len(instruments) == len(actions):
        file = manifest.files["starts"].path
        raise AssetCorruptError(
            file, 'world.json says that drives begin from words, but it has no "beginnings" for them'
        )
    return instruments, actions


def _starts(manifest: Manifest, tensors: Mapping[str, Floats]) -> tuple[tuple[StartState, ...], Mapping[str, Floats]]:
    file = manifest.files["starts"].path

    def row(name: str, index: int, *shape: int) -> Floats:
        tensor = tensors.get(name)
        if tensor is None:
            raise AssetCorruptError(file, f'it has no tensor "{name}"')
        if index >= len(tensor) or tensor[index].size != np.prod(shape):
            raise AssetCorruptError(file, f'"{name}" is {tensor.shape}, but row {index} of {shape} is needed')
        found: Floats = tensor[index].reshape(shape)
        return found

    m = manifest
    known = {prompt_key(p.text): row("promptEmbeddings", p.embedding, m.prompt_dim) for p in m.presets}
    starts = []
    for start in m.starts:
        key = prompt_key(start.caption)
        words = known.get(key, NO_WORDS)
        if start.embedding is not None:
            words = row("promptEmbeddings", start.embedding, m.prompt_dim)
        if m.prompt:
            known[key] = words
        latents = row("latents", start.index, m.ring_length, m.tokens, m.channels)
        actions = row("actions", start.index, m.action_count - 1, m.action_dims)
        starts.append(StartState(start.id, start.caption, words, latents, actions))
    return tuple(starts), known
