"""Where a dream begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oneiro.checks import checked_seed, shown
from oneiro.errors import BadInputError
from oneiro.files import NO_WORDS, Floats, WorldFiles
from oneiro.prompts import Prompt, Prompts, starts_like


@dataclass(frozen=True)
class Beginning:
    """The state of one dream: `latents` [R,T,C] and `past` actions [A-1,D], newest first; `embedding` [P] of `text`.
    Where its tick is below 0, so many ticks of nothing held lead to frame 0 (`Dreams.begin_all`)."""

    tick: int
    seed: int
    text: str
    embedding: Floats
    latents: Floats
    past: Floats


def first_state(
    files: WorldFiles, prompts: Prompts, seed: int, prompt: Prompt | str | None = None, start: str | None = None
) -> Beginning:
    """What a reset begins with: the start of that name; else nothing but words and seed, in a world whose student draws
    first frames; else a start that is like the prompt. The seed chooses among equals.

    Raises BadInputError on a bad seed, prompt or unknown start.
    """
    seed = checked_seed(seed)
    resolved = None if prompt is None else prompts.resolve(prompt)
    if start is not None:
        fitting = [one for one in files.starts if one.id == start]
        if not fitting:
            known = ", ".join(one.id for one in files.starts)
            raise BadInputError(f"No start is called {shown(start)}. Choose one of {known}.")
    elif files.beginnings:
        return _from_words(files, prompts, seed, resolved)
    elif resolved and files.manifest.prompt and files.manifest.prompt.choices:
        fitting = starts_like(files.starts, resolved[1], files.manifest.prompt.choices)
    else:
        fitting = list(files.starts)
    chosen = fitting[seed % len(fitting)]
    own = (chosen.caption, chosen.embedding) if files.manifest.prompt else ("", NO_WORDS)
    text, embedding = resolved or own
    return Beginning(0, seed, text, embedding, chosen.latents, chosen.actions)


def _from_words(files: WorldFiles, prompts: Prompts, seed: int, resolved: tuple[str, Floats] | None) -> Beginning:
    """A blank history under instruments that the seed picks: the student draws the rest."""
    m = files.manifest
    assert files.beginnings
    instruments, actions = (part[seed % len(part)] for part in files.beginnings)
    latents = np.zeros((m.ring_length, m.tokens, m.channels), np.float32)
    latents[:, -len(instruments) :] = instruments
    own = prompts.resolve(m.presets[seed % len(m.presets)].text) if m.prompt else ("", NO_WORDS)
    text, embedding = resolved or own
    return Beginning(-m.beginning_steps, seed, text, embedding, latents, actions)
