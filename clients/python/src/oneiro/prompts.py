"""Words to conditioning: given embeddings are checked, presets and captions are known by heart, others are
encoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oneiro.checks import listed, shown
from oneiro.errors import BadInputError, PromptEncoderError
from oneiro.files import NO_WORDS, StartState, WorldFiles, read_checked
from oneiro.manifest import prompt_key
from oneiro.prompt_encoder import PromptEncoder

#: How sure a reading must be of a value.
SURE = 0.5


@dataclass(frozen=True)
class Prompt:
    """Words, and where it is already known, their conditioning: float32 [P]."""

    text: str
    embedding: NDArray[np.float32] | None = None


class Prompts:
    """Resolves the prompts of one world. `encoder`: folder of the sentence encoder; left out, the one that the manifest
    names, beside the world's folder. It is loaded at the first words that need it."""

    def __init__(self, files: WorldFiles, encoder: str | Path | None = None):
        self.files = files
        words = files.manifest.prompt
        self.folder = Path(encoder) if encoder else files.folder.parent / words.encoder if words else None
        self.encoder: PromptEncoder | None = None

    def resolve(self, prompt: Prompt | str) -> tuple[str, NDArray[np.float32]]:
        """The text, and its conditioning. Raises BadInputError."""
        if self.files.manifest.prompt is None:
            raise BadInputError("This world listens to no words, but a prompt came. Leave it out, as info.prompt says.")
        text, embedding = (prompt.text, prompt.embedding) if isinstance(prompt, Prompt) else (prompt, None)
        if not isinstance(text, str):
            raise BadInputError(f'A prompt\'s text is a string, but {shown(text)} came. Say "a snowy night drive".')
        if embedding is not None:
            return text, self._checked(embedding)
        if not text.strip():
            raise BadInputError('A prompt needs at least one word, but an empty one came. Say "a snowy night drive".')
        known = self.files.known_prompts.get(prompt_key(text))
        return text, (self._encoded(text) if known is None else known)

    def _encoded(self, text: str) -> NDArray[np.float32]:
        try:
            self.encoder = self.encoder or self._open()
        except PromptEncoderError as cause:
            known = listed(f'"{preset.text}"' for preset in self.files.manifest.presets)
            raise BadInputError(
                f'"{text}" is none of the prompts that this world knows by heart, and its prompt encoder cannot be '
                f"used: {cause}. Say {known}, or pass a Prompt with its embedding."
            ) from cause
        return self._checked(self.encoder.encode(text))

    def _open(self) -> PromptEncoder:
        assert self.folder
        classifier = self.files.manifest.files.get("reader")
        return PromptEncoder(self.folder, read_checked(self.files.folder, classifier) if classifier else None)

    def _checked(self, embedding: object) -> NDArray[np.float32]:
        manifest = self.files.manifest
        try:
            conditioning = np.array(embedding, np.float32)
        except (TypeError, ValueError):
            conditioning = NO_WORDS
        norm = float(np.linalg.norm(conditioning))
        # Written so that NaN fails.
        fits = (
            bool(((conditioning >= 0) & (conditioning <= 1.001)).all())
            if manifest.reads_words
            else abs(norm - 1) < 0.02
        )
        if conditioning.shape != (manifest.prompt_dim,) or not fits:
            wanted = "from 0 to 1" if manifest.reads_words else "of unit norm"
            raise BadInputError(
                f"The conditioning of a prompt in this world is {manifest.prompt_dim} floats {wanted}, but "
                f"{shown(embedding)} of norm {norm:.2f} came."
            )
        return conditioning


Choices = Mapping[str, Sequence[str]]


def named_in(reading: NDArray[np.float32], choices: Choices) -> dict[str, str]:
    """The value that a reading names of each thing, for example {"time": "night"}; left out where none."""
    named, first = {}, 0
    for thing, values in choices.items():
        value = next((value for i, value in enumerate(values) if reading[first + i] > SURE), None)
        if value is not None:
            named[thing] = value
        first += len(values) + 1
    return named


def starts_like(starts: Sequence[StartState], reading: NDArray[np.float32], choices: Choices) -> list[StartState]:
    """The starts that are most like what a reading names; all of them where it names nothing."""
    wanted = named_in(reading, choices)

    def score(start: StartState) -> int:
        own, sum_ = named_in(start.embedding, choices), 0
        for thing in choices:  # a more important thing outweighs all that follow it
            sum_ = 2 * sum_ + (thing in wanted and wanted[thing] == own.get(thing))
        return sum_

    scores = [score(start) for start in starts]
    return [start for start, own in zip(starts, scores, strict=True) if own == max(scores)]
