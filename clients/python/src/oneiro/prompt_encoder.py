"""Words that are no preset, by the sentence encoder and the world's prompt classifier behind it: `src/model/prompt`.

Needs the package `tokenizers` (`pip install "oneiro[words]"`), which is imported at the first words.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oneiro.errors import BadInputError, OneiroError, PromptEncoderError
from oneiro.files import read_checked, read_file
from oneiro.manifest import Fields, File
from oneiro.phrases import WORDS_READ, phrases_of
from oneiro.runtime import open_session, run_session

MOST_ROWS = 32  # phrases in one run of the graph
PHRASE_TOKENS = 16  # of a phrase that are read


class PromptEncoder:
    """The encoder in `folder` (it holds `encoder.json`); `classifier`: the world's graph from phrases to prompt labels.

    Raises PromptEncoderError where `tokenizers` is not installed or a file is not the right one.
    """

    def __init__(self, folder: Path, classifier: bytes | None):
        try:
            from tokenizers import Tokenizer
        except ImportError as cause:
            raise PromptEncoderError(
                'the package "tokenizers" is not installed; pip install "oneiro[words]"'
            ) from cause
        try:
            fields = Fields(json.loads(read_file(folder, "encoder.json")), "encoder.json")
            self.max_tokens = fields.count("maxTokens", 3)
            files = {name: _file(fields.child("files").child(name)) for name in ("model", "tokenizer")}
            model, words = (read_checked(folder, files[name]) for name in ("model", "tokenizer"))
            self.tokenizer: Any = Tokenizer.from_str(words.decode())
            self.session = open_session(model, "prompt encoder", threads=1)
            self.classifier = classifier and open_session(classifier, "prompt classifier", threads=1)
        except (OneiroError, ValueError) as cause:
            raise PromptEncoderError(f"it could not be loaded: {cause}") from cause

    def encode(self, text: str) -> NDArray[np.float32]:
        """The conditioning of `text`: float32 [P]. Raises BadInputError where it has no words."""
        if not self.classifier:
            (ids,) = self._tokens([text])
            (embedding,) = self._embed([self._cut(ids)])
            return np.asarray(embedding, np.float32)
        phrases, dropped = phrases_of(text)
        if dropped:
            _warn_cut(f"{dropped + WORDS_READ} words, of which {WORDS_READ}")
        lines = [_shortened(ids, PHRASE_TOKENS) for ids in self._tokens(phrases)]
        return run_session(self.classifier, "prompt classifier", "reading", {"phrases": self._embed(lines)}).reshape(-1)

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        """Token ids of those texts that have any, with [CLS] and [SEP]."""
        every = [self.tokenizer.encode(text.strip()).ids for text in texts]
        lines = [ids for ids in every if len(ids) > 2]
        if not lines:
            raise BadInputError("A prompt needs at least one word, but an empty one came. Say what it looks like.")
        return lines

    def _cut(self, ids: list[int]) -> list[int]:
        if len(ids) > self.max_tokens:
            _warn_cut(f"{len(ids)} tokens, of which {self.max_tokens}")
        return _shortened(ids, self.max_tokens)

    def _embed(self, lines: list[list[int]]) -> NDArray[np.float32]:
        """Embeddings [lines, dim] of token ids, in runs of lines that are about as long as each other."""
        order = sorted(range(len(lines)), key=lambda i: len(lines[i]))
        found: list[Any] = [None] * len(lines)
        for i in range(0, len(order), MOST_ROWS):
            rows = order[i : i + MOST_ROWS]
            ids = np.zeros((len(rows), max(len(lines[row]) for row in rows)), np.int64)  # 0 is [PAD]
            mask = np.zeros_like(ids)
            for k, row in enumerate(rows):
                ids[k, : len(lines[row])] = lines[row]
                mask[k, : len(lines[row])] = 1
            feeds = {"input_ids": ids, "attention_mask": mask}
            for row, embedding in zip(
                rows, run_session(self.session, "prompt encoder", "embedding", feeds), strict=True
            ):
                found[row] = embedding
        return np.stack(found)


def _shortened(ids: list[int], most: int) -> list[int]:
    """At most so many, with the end."""
    return ids if len(ids) <= most else [*ids[: most - 1], ids[-1]]


def _file(fields: Fields) -> File:
    return File(fields.text("path"), fields.count("bytes"), fields.text("sha256"))


def _warn_cut(what: str) -> None:
    warnings.warn(f"A prompt has {what} are read; its end was left out.", stacklevel=5)
