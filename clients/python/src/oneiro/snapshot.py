"""The whole state of a world at one tick: the format of TypeScript, so one of Node goes on here and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from oneiro.checks import checked_seed, shown
from oneiro.errors import BadInputError, SnapshotMismatchError
from oneiro.files import NO_WORDS, Floats
from oneiro.manifest import Manifest
from oneiro.prompts import Prompt, Prompts
from oneiro.start import Beginning

FORMAT, FORMAT_VERSION = "oneiro-snapshot", 2

#: Latents are some units large. From far above, a student comes back; from the end of float32 it gives NaN for good.
LARGEST_LATENT = 1000
#: Noise counts ticks in 32 bits.
LAST_TICK = 2**31


class Snapshot(TypedDict):
    """Plain data. `state` holds `actions` float32, and `halfLatents` (half-precision floats as uint16 bits) or
    `latents` float32, newest first, flat."""

    format: str
    version: int
    world: str
    modelHash: str
    tick: int
    seed: int
    prompt: dict[str, Any] | None
    state: dict[str, NDArray[Any]]


def to_snapshot(manifest: Manifest, state: Beginning) -> Snapshot:
    latents: dict[str, NDArray[Any]]
    if manifest.half:
        latents = {"halfLatents": state.latents.astype(np.float16).ravel().view(np.uint16)}
    else:
        latents = {"latents": state.latents.ravel().copy()}
    prompt = {"text": state.text, "embedding": state.embedding.copy()} if manifest.prompt else None
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "world": manifest.id,
        "modelHash": manifest.model_hash,
        "tick": state.tick,
        "seed": state.seed,
        "prompt": prompt,
        "state": {**latents, "actions": state.past.ravel().copy()},
    }


def restored_state(manifest: Manifest, prompts: Prompts, given: Snapshot | Mapping[str, Any]) -> Beginning:
    """What a snapshot goes on with; its arrays may be as JSON leaves them, of Node too.

    Raises SnapshotMismatchError for another world, model or version, and BadInputError on what is no snapshot.
    """
    m = manifest
    checked_head(given, m.id, m.model_hash, m.prompt is not None)
    tick, words = given.get("tick"), given["prompt"]
    if not isinstance(tick, int | np.integer) or isinstance(tick, bool) or not 0 <= tick <= LAST_TICK:
        raise BadInputError(f"A snapshot's tick is an integer from 0 to 2^31, but {shown(tick)} came. Begin a new one.")
    latents = m.ring_length * m.latent_length
    if m.half:
        kept = _array(given, "halfLatents", np.uint16, latents).view(np.float16).astype(np.float32)
        _check_size("halfLatents", kept, LARGEST_LATENT)
    else:
        kept = _array(given, "latents", np.float32, latents)
        _check_size("latents", kept, LARGEST_LATENT)
    past = _array(given, "actions", np.float32, (m.action_count - 1) * m.action_dims)
    _check_size("actions", past, largest_action(m))
    text, embedding = "", NO_WORDS
    if words is not None:
        told = words.get("embedding")
        told = None if told is None else numbers_of(told)
        text, embedding = prompts.resolve(Prompt(words["text"], told))
    return Beginning(
        tick=int(tick),
        seed=checked_seed(given.get("seed")),
        text=text,
        embedding=embedding,
        latents=kept.reshape(m.ring_length, m.tokens, m.channels),
        past=past.reshape(m.action_count - 1, m.action_dims),
    )


def write_snapshot(snapshot: Snapshot) -> str:
    """A snapshot as JSON: `restore(JSON.parse(text))` in TypeScript, `restore(read_snapshot(text))` here."""
    return json.dumps(snapshot, default=lambda array: array.tolist())


def read_snapshot(text: str) -> Snapshot:
    """Inverse of `write_snapshot`, and of `JSON.stringify` of one. Raises BadInputError where the text is none."""
    try:
        snapshot = json.loads(text)
        assert isinstance(snapshot, dict) and isinstance(snapshot["state"], dict)
    except (ValueError, KeyError, AssertionError) as cause:
        raise BadInputError("A snapshot's text is JSON that write_snapshot() gave, but another came.") from cause
    return snapshot  # type: ignore[return-value]  # its lists become arrays as it is restored


def largest_action(manifest: Manifest) -> float:
    """The largest number that a student is told of an action, without its sign."""
    if manifest.encoding == "one-hot":
        return 1
    return max(abs(value) for control in manifest.controls for value in control.values)


def checked_head(given: object, world: str, model_hash: str, listens: bool) -> None:
    """Raises SnapshotMismatchError for another world, model or version, BadInputError on what is no snapshot."""
    if not isinstance(given, Mapping):
        raise BadInputError(f"A snapshot is what snapshot() gave, but {shown(given)} came.")
    expected = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "world": world,
        "modelHash": model_hash,
    }
    for field, wanted in expected.items():
        if given.get(field) != wanted:
            raise SnapshotMismatchError(field, f'"{wanted}"', shown(given.get(field)))
    words, state = given.get("prompt"), given.get("state")
    told = isinstance(words, Mapping) and isinstance(words.get("text"), str) if listens else words is None
    if not told or not isinstance(state, Mapping):
        raise BadInputError("A snapshot is what snapshot() gave, but one without its prompt or state came.")


def numbers_of(value: Any) -> Any:
    """What JSON makes of a typed array, {"0": 1.5, "1": 2}, as a list; others as they are."""
    if isinstance(value, Mapping) and list(value) == [str(i) for i in range(len(value))]:
        return list(value.values())
    return value


def _array(snapshot: Mapping[str, Any], name: str, dtype: type, length: int) -> NDArray[Any]:
    given = snapshot["state"].get(name)
    kind = "half-precision floats, as bits" if dtype is np.uint16 else "floats"
    wanted = f"A snapshot's state.{name} is {length} {kind}"
    try:
        numbers = np.asarray(numbers_of(given))
        if dtype is np.uint16 and (numbers.dtype.kind not in "iu" or numbers.min() < 0 or numbers.max() > 0xFFFF):
            raise ValueError
        array: NDArray[Any] = numbers.astype(dtype)
        if numbers.dtype.kind in "iuf" and array.shape == (length,):
            return array
    except (TypeError, ValueError):
        pass
    raise BadInputError(f"{wanted}, but {shown(given)} came. Keep a snapshot whole, as write_snapshot() does.")


def _check_size(name: str, values: Floats, largest: float) -> None:
    # Written so that NaN fails.
    bad = values[~(np.abs(values) <= largest)]
    if len(bad):
        raise BadInputError(
            f"A snapshot's state.{name} is of finite numbers from -{largest} to {largest}, but {bad[0]} came. "
            "Take a snapshot anew."
        )
