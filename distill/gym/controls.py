"""What can be done in a Gymnasium environment, as controls that a person holds by keys (src/engine/controls.ts).

- Discrete: one axis of its actions. Action 0 is at rest; the others have keys by their names (LEFT, FIRE, ...) where
  the environment names them, else arrows or digits.
- MultiBinary: a button each. MultiDiscrete: an axis each.
- Box: an axis a number, at its lowest, at rest and at its highest.
- An environment may say itself how it is played, by an attribute `controls` (examples/doom/world.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill.config import UserError

NAMED = {"LEFT": "ArrowLeft", "RIGHT": "ArrowRight", "UP": "ArrowUp", "DOWN": "ArrowDown", "FIRE": "Space"}
# The other letters are the page's.
FREE = [*(f"Digit{n}" for n in range(1, 10)), *(f"Key{letter}" for letter in "QWETYUIOASDGJZX")]
PAIRS = [("ArrowLeft", "ArrowRight"), ("ArrowDown", "ArrowUp"), ("KeyA", "KeyD"), ("KeyS", "KeyW")]
BUTTONS = ["Space", "ArrowUp", "ArrowLeft", "ArrowRight", "ArrowDown", "KeyX", "KeyZ", "KeyJ", "KeyG", "KeyQ"]


@dataclass
class Controls:
    """`act` makes the environment's action of the controls' values, in their order."""

    controls: list[dict]
    encoding: str
    act: Callable[[np.ndarray], object]


def controls_of(space, meanings: list[str] | None = None) -> Controls:
    """Of a Gymnasium action space. Raises UserError where nobody could press its actions."""
    kind = type(space).__name__
    if kind == "Discrete":
        return _discrete(int(space.n), int(space.start), meanings)
    if kind == "MultiBinary":
        return _buttons(int(np.prod(space.shape)), space.shape)
    if kind == "MultiDiscrete":
        return _several(np.asarray(space.nvec), getattr(space, "start", 0))
    if kind == "Box":
        return _box(np.asarray(space.low, np.float64), np.asarray(space.high, np.float64), space.dtype)
    raise UserError(
        f"nobody can press the actions of a {kind} space ({space}); give an environment whose actions are Discrete, "
        "MultiBinary, MultiDiscrete or Box"
    )


def own_controls(controls) -> Controls:
    """Of an environment that says itself, by `controls`, how a person plays it: in the form of a world.json
    (src/engine/controls.ts). Its steps take the controls' values, float64 [controls]. Raises UserError where they are
    none."""
    if not isinstance(controls, (list, tuple)) or not controls:
        raise UserError(f"`controls` is a list of controls, but {controls!r} came")
    checked = [_checked(control) for control in controls]
    names = [control["name"] for control in checked]
    if len(set(names)) < len(names):
        raise UserError(f"two `controls` have one name: {', '.join(names)}")
    return Controls(checked, "number", lambda values: values)


def check_name(name) -> None:
    """Raises UserError where the page would take it for no name of a control."""
    if not (isinstance(name, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,31}", name)):
        raise UserError(
            f"a control has a name of letters, digits and _, at most 32, but {name!r} came; call it otherwise"
        )


def _checked(control) -> dict:
    """A clean copy of one control."""
    wrong = UserError(
        f'the `controls` have {control!r}; a control is a button with name and keys, as ["Space"], or an axis with '
        'name, different values (0, at rest, among them) and the keys of each other value, as [["KeyA"], ["KeyD"]]'
    )
    fields = {
        "button": {"name", "kind", "keys", "label", "pad"},
        "axis": {"name", "kind", "keys", "values", "labels", "pad"},
    }
    if not isinstance(control, dict) or control.get("kind") not in fields or set(control) - fields[control["kind"]]:
        raise wrong
    check_name(control.get("name"))
    keys = control.get("keys")
    if control["kind"] == "button":
        if not _are_keys(keys):
            raise wrong
        return control | {"keys": list(keys)}
    try:
        values = [float(value) for value in control["values"]]
    except (KeyError, TypeError, ValueError):
        raise wrong from None
    fits = isinstance(keys, (list, tuple)) and len(keys) == len(values) - 1 and all(map(_are_keys, keys))
    if 0 not in values or len(set(values)) < len(values) or not np.isfinite(values).all() or not fits:
        raise wrong
    values = [int(value) if value.is_integer() else value for value in values]
    return control | {"values": values, "keys": [list(each) for each in keys]}


def _are_keys(keys) -> bool:
    return isinstance(keys, (list, tuple)) and len(keys) > 0 and all(isinstance(key, str) for key in keys)


def _axis(name: str, values: list[float], keys: list[list[str]], labels: list[str] | None = None) -> dict:
    axis = {"name": name, "kind": "axis", "values": values, "keys": keys}
    return axis | ({"labels": labels} if labels else {})


def _discrete(count: int, start: int, meanings: list[str] | None) -> Controls:
    act = lambda values: start + int(values[0])  # noqa: E731
    if count - 1 > len(FREE):
        raise UserError(f"nobody can press {count} different actions; at most {len(FREE) + 1} have keys")
    if count < 2:
        raise UserError("the environment has a single action, so there is nothing to press")
    moves = range(1, count)
    if meanings and len(meanings) == count:
        labels = [meanings[move].lower()[:32] for move in moves]
        taken: set[str] = set()
        keys = []
        for move in moves:
            key = NAMED.get(meanings[move].upper())
            if key is None or key in taken:
                key = next(free for free in FREE if free not in taken)
            taken.add(key)
            keys.append([key])
    else:
        labels = None
        arrows = {2: ["ArrowRight"], 3: ["ArrowLeft", "ArrowRight"], 4: ["ArrowLeft", "ArrowUp", "ArrowRight"]}
        arrows |= {5: ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]}
        keys = [[key] for key in arrows.get(count, FREE)[: count - 1]]
    return Controls([_axis("action", list(range(count)), keys, labels)], "one-hot", act)


def _buttons(count: int, shape: tuple) -> Controls:
    if count > len(BUTTONS):
        raise UserError(f"nobody can press {count} buttons; at most {len(BUTTONS)} have keys")
    controls = [{"name": f"button{i}", "kind": "button", "keys": [BUTTONS[i]]} for i in range(count)]
    return Controls(controls, "number", lambda values: np.asarray(values, np.int8).reshape(shape))


def _several(counts: np.ndarray, start) -> Controls:
    counts_, shape = counts.ravel(), counts.shape
    moves = int((counts_ - 1).sum())
    if moves > len(FREE):
        raise UserError(f"nobody can press {moves} different moves; at most {len(FREE)} have keys")
    free, controls = iter(FREE), []
    for i, count in enumerate(counts_.tolist()):
        keys = [[next(free)] for _ in range(count - 1)]
        if count == 3 and i < len(PAIRS):
            keys = [[key] for key in PAIRS[i]]
        controls.append(_axis(f"action{i}", list(range(count)), keys))
    return Controls(controls, "one-hot", lambda values: np.asarray(values, np.int64).reshape(shape) + start)


def _box(low: np.ndarray, high: np.ndarray, dtype) -> Controls:
    if low.size > len(PAIRS):
        raise UserError(f"nobody can hold {low.size} sticks at once; at most {len(PAIRS)} have keys")
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise UserError(f"the actions have no bounds ({low} to {high}), so no key can stand for the most of them")
    if not ((low <= 0) & (high >= 0) & (low < high)).all():
        raise UserError(f"a key that is let go means 0, but the actions lie in {low} to {high}; wrap the environment")
    controls = []
    for i, (least, most) in enumerate(zip(low.ravel().tolist(), high.ravel().tolist(), strict=True)):
        values = [value for value in (least, 0.0, most) if value == 0 or value in (least, most)]
        values = sorted(set(values))
        pair = PAIRS[i] if len(values) == 3 else PAIRS[i][1:] if least == 0 else PAIRS[i][:1]
        controls.append(_axis(f"axis{i}", values, [[key] for key in pair]))
    return Controls(controls, "number", lambda values: np.asarray(values, dtype).reshape(low.shape))
