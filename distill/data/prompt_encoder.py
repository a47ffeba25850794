"""Sentence embeddings of prompts, from the same ONNX graph that the browser runs (`assets/prompt-encoder/`).

    embed(["a snowy night drive"])  ->  float32 [1, 384], each row of unit norm

Every embedding is kept in an SQLite file under `.cache/`, keyed by the model's and the text's hash, so that a
training run pays for each caption once and several processes may share the file.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import warnings
from contextlib import closing
from functools import lru_cache
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from distill.runtime import onnx_session

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "assets" / "prompt-encoder"
CACHE = ROOT / ".cache" / "prompt-embeddings.sqlite"


class PromptEncoder:
    """The encoder in `folder`. Raises ValueError if a file is not the one that encoder.json names."""

    def __init__(self, folder: Path = FOLDER, threads: int = 1) -> None:
        manifest = json.loads((folder / "encoder.json").read_text("utf-8"))
        model, tokenizer = (_read_checked(folder, manifest["files"][key]) for key in ("model", "tokenizer"))
        self.dim: int = manifest["dim"]
        self.max_tokens: int = manifest["maxTokens"]
        self._session = onnx_session(model, threads)
        self._tokenizer = Tokenizer.from_str(tokenizer.decode("utf-8"))
        self._sep = self._tokenizer.token_to_id("[SEP]")

    def tokenize(self, text: str) -> list[int]:
        """Token ids with [CLS] and [SEP], at most `max_tokens`; warns where the text had to be cut."""
        ids = self._tokenizer.encode(prompt_text(text)).ids
        if len(ids) <= 2:  # nothing but characters that the tokenizer drops, such as zero-width space
            raise _empty()
        if len(ids) <= self.max_tokens:
            return ids
        warnings.warn(
            f"A prompt has {len(ids)} tokens, but at most {self.max_tokens} are read: {text[:60]!r}... was cut.",
            stacklevel=2,
        )
        return [*ids[: self.max_tokens - 1], self._sep]

    def encode(self, texts: list[str]) -> np.ndarray:
        """float32 [n, dim] of unit norm, in one forward pass over all the texts."""
        tokens = [self.tokenize(text) for text in texts]
        ids = np.zeros((len(tokens), max(map(len, tokens))), np.int64)  # 0 is [PAD]
        mask = np.zeros_like(ids)
        for row, line in enumerate(tokens):
            ids[row, : len(line)] = line
            mask[row, : len(line)] = 1
        return self._session.run(["embedding"], {"input_ids": ids, "attention_mask": mask})[0]


def prompt_text(text: str) -> str:
    """The text without surrounding white space. Raises ValueError if nothing is left."""
    stripped = text.strip()
    if not stripped:
        raise _empty()
    return stripped


def _empty() -> ValueError:
    return ValueError("A prompt needs at least one word, but an empty one came. Say what the drive looks like.")


def embed(texts: list[str], batch: int = 64, cache: Path | None = CACHE, threads: int = 1) -> np.ndarray:
    """Embeds sentences, reading what is known from `cache` (None: no cache).

    Returns float32 [len(texts), 384] of unit norm, in the order given. Raises ValueError on an empty text.
    """
    wanted = [prompt_text(text) for text in texts]
    model = _model_hash()
    keys = {text: hashlib.sha256(f"{model}\n{text}".encode()).digest() for text in wanted}
    known = _load(cache, keys)
    # Neighbours of like length waste little on padding.
    missing = sorted((text for text in keys if text not in known), key=len)
    for begin in range(0, len(missing), batch):
        part = missing[begin : begin + batch]
        fresh = dict(zip(part, _encoder(threads).encode(part), strict=True))
        _store(cache, keys, fresh)
        known.update(fresh)
    if not wanted:
        return np.zeros((0, json.loads((FOLDER / "encoder.json").read_text("utf-8"))["dim"]), np.float32)
    return np.stack([known[text] for text in wanted])


@lru_cache(maxsize=2)
def _encoder(threads: int) -> PromptEncoder:
    return PromptEncoder(threads=threads)


def _model_hash() -> str:
    files = json.loads((FOLDER / "encoder.json").read_text("utf-8"))["files"]
    return files["model"]["sha256"] + files["tokenizer"]["sha256"]


def _read_checked(folder: Path, entry: dict) -> bytes:
    data = (folder / entry["path"]).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != entry["sha256"]:
        raise ValueError(
            f"{entry['path']} of the prompt encoder has sha256 {digest}, but encoder.json says {entry['sha256']}; "
            "remake it with python -m distill.export.prompt_encoder."
        )
    return data


def _open(cache: Path) -> sqlite3.Connection:
    cache.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(cache, timeout=60)
    connection.execute("CREATE TABLE IF NOT EXISTS embedding (key BLOB PRIMARY KEY, value BLOB NOT NULL)")
    return connection


def _load(cache: Path | None, keys: dict[str, bytes]) -> dict[str, np.ndarray]:
    if cache is None:
        return {}
    found: dict[str, np.ndarray] = {}
    with closing(_open(cache)) as connection:
        for text, key in keys.items():
            row = connection.execute("SELECT value FROM embedding WHERE key = ?", (key,)).fetchone()
            if row:
                found[text] = np.frombuffer(row[0], np.float32)
    return found


def _store(cache: Path | None, keys: dict[str, bytes], fresh: dict[str, np.ndarray]) -> None:
    if cache is None:
        return
    rows = [(keys[text], value.astype(np.float32).tobytes()) for text, value in fresh.items()]
    with closing(_open(cache)) as connection, connection:
        connection.executemany("INSERT OR REPLACE INTO embedding VALUES (?, ?)", rows)
