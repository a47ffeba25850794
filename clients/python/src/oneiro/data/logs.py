"""Logs of drives, as the page saves them (key L) and Node writes them by `writeActionLog`: a drive again."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from oneiro.checks import shown
from oneiro.data.drives import Drive, Recorder
from oneiro.errors import BadInputError, SnapshotMismatchError
from oneiro.prompts import Prompt
from oneiro.world import World

VERSION = 2

_TYPES = {"float32": "<f4", "float64": "<f8", "uint16": "<u2", "uint8": "u1"}


def read_action_log(text: str) -> dict[str, Any]:
    """A log's text, checked as far as a replay needs. Raises BadInputError where it is none."""
    try:
        log = json.loads(text)
    except ValueError as cause:
        raise BadInputError(f"A drive's log is JSON, but this is not ({cause}).") from cause
    if not isinstance(log, dict) or log.get("format") != "oneiro-actions" or log.get("version") != VERSION:
        raise BadInputError(f"A drive's log is oneiro-actions of version {VERSION}, but another came.")
    begin, actions, prompts = log.get("begin"), log.get("actions"), log.get("prompts")
    begins = isinstance(begin, dict) and len(begin) == 1 and isinstance(begin.get("reset", begin.get("restore")), dict)
    if not begins or not isinstance(actions, list) or not isinstance(prompts, list):
        raise BadInputError("A drive's log says how it began, its actions and its prompts, but one of them lacks.")
    return log


def replayed(world: World, log: Mapping[str, Any]) -> Drive:
    """The drive of a log again, in a world of the same model.

    Raises SnapshotMismatchError for another world or model, BadInputError on what does not fit.
    """
    for field, wanted in (("world", world.info.id), ("modelHash", world.info.model_hash)):
        if log.get(field) != wanted:
            raise SnapshotMismatchError(field, f'"{wanted}"', shown(log.get(field)))
    begin = log["begin"]
    try:
        if "reset" in begin:
            reset = begin["reset"]
            prompt = reset.get("prompt")
            first = world.reset(reset["seed"], None if prompt is None else _prompt(prompt), reset.get("start"))
        else:
            first = world.restore(_snapshot(begin["restore"]))
        words: dict[int, list[Prompt | str]] = {}
        for prompt in log["prompts"]:
            words.setdefault(prompt["afterTick"], []).append(_prompt(prompt))
    except (KeyError, TypeError, ValueError) as cause:
        if isinstance(cause, BadInputError):
            raise
        raise BadInputError(f"A drive's log is what the page saved, but this one is damaged ({cause!r}).") from cause
    recorder = Recorder(world, first)
    for tick, code in enumerate(log["actions"], start=first.index):
        for prompt in words.get(tick, []):
            recorder.say(prompt)
        recorder.step(world.space.action(code))
    return recorder.drive()


def _prompt(logged: Mapping[str, Any]) -> Prompt | str:
    told = logged.get("embedding")
    return str(logged["text"]) if told is None else Prompt(str(logged["text"]), _numbers(told))


def _snapshot(logged: Mapping[str, Any]) -> dict[str, Any]:
    words = logged["prompt"]
    if words is not None and words.get("embedding") is not None:
        words = {**words, "embedding": _numbers(words["embedding"])}
    return {**logged, "prompt": words, "state": {name: _numbers(array) for name, array in logged["state"].items()}}


def _numbers(encoded: Mapping[str, Any]) -> Any:
    return np.frombuffer(base64.b64decode(encoded["base64"], validate=True), _TYPES[encoded["type"]])
