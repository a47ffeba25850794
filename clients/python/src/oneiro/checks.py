"""What callers hand over, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import numpy as np

from oneiro.errors import BadInputError

MAX_SEED = 2**53 - 1


def check_fields(what: str, value: object, known: Iterable[str]) -> None:
    """Raises BadInputError unless `value` is a mapping with no other fields than `known`; a misspelt one is named."""
    known = list(known)
    if not isinstance(value, Mapping):
        raise BadInputError(f"{what} is a dict with {listed(known)}, but {shown(value)} came.")
    for field in value:
        if field in known:
            continue
        meant = get_close_matches(str(field), known, n=1)
        hint = f'Did you mean "{meant[0]}"?' if meant else "Leave it out."
        raise BadInputError(f'{what} has {listed(known)}, but "{field}" came. {hint}')


def checked_seed(seed: object) -> int:
    """The seed as an int. Raises BadInputError unless it is an integer from 0 to 2^53 - 1."""
    if isinstance(seed, int | np.integer) and not isinstance(seed, bool) and 0 <= seed <= MAX_SEED:
        return int(seed)
    raise BadInputError(f"A seed is an integer from 0 to 2^53 - 1, but {shown(seed)} came. Choose another seed.")


def shown(value: object) -> str:
    """A value in few words, for a sentence."""
    if isinstance(value, np.ndarray):
        if value.size <= 8:
            return f"{value.tolist()} of {value.dtype}"
        return f"an array {list(value.shape)} of {value.dtype}"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, Mapping):
        return f"a dict with {listed(map(str, value)) or 'nothing in it'}"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def listed(names: Iterable[str]) -> str:
    names = list(names)
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:6])} and more" if len(names) > 6 else f"{', '.join(names[:-1])} and {names[-1]}"
