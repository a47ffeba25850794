"""A prompt's runs of words, as `src/model/prompt/phrases.ts` takes them."""

from __future__ import annotations

import re

LONGEST = 5  # words of a phrase
WORDS_READ = 40  # of a prompt


def phrases_of(text: str) -> tuple[list[str], int]:
    """All runs of up to five words, none across punctuation, each once; and how many words were not read."""
    found: dict[str, None] = {}
    count = 0
    for clause in re.split(r"[,.;:!?]+(?=\s|$)", text.lower()):
        every = clause.split()
        words = every[: max(0, WORDS_READ - count)]
        count += len(every)
        for first in range(len(words)):
            for last in range(first + 1, min(len(words), first + LONGEST) + 1):
                found[" ".join(words[first:last])] = None
    return list(found) or [text], max(0, count - WORDS_READ)
