"""What was pressed: columns of numbers, one row a frame, as controls that a person holds by keys."""

from __future__ import annotations

import numpy as np

from distill.config import UserError
from distill.gym import controls
from distill.gym.controls import BUTTONS, FREE, PAIRS, check_name

MOST_VALUES = 9  # of an axis that is taken as it is
NAMED = controls.NAMED | {"FORWARD": "ArrowUp", "BACK": "ArrowDown", "JUMP": "Space", "SHOOT": "Space"}


def controls_of(columns: dict[str, np.ndarray], levels: int = 0) -> list[dict]:
    """Controls, as world.json has them, of columns float [N] of all recordings. 0 and 1 alone are a button; few values
    an axis; more of them an axis of `levels` steps. Raises UserError where nobody could hold them."""
    found, taken = [], set()
    for name, column in columns.items():
        check_name(name)
        values = np.unique(np.round(np.append(column, 0), 5))
        if not np.isfinite(values).all():
            raise UserError(f"{name} holds a value that is no number")
        if set(values.tolist()) <= {0, 1}:
            found.append({"name": name, "kind": "button", "keys": [_free(name, BUTTONS + FREE, taken)]})
            continue
        if len(values) > MOST_VALUES:
            values = _steps(name, column, levels)
        found.append({"name": name, "kind": "axis", "values": values.tolist(), "keys": _axis_keys(name, values, taken)})
    return found


def _steps(name: str, column: np.ndarray, levels: int) -> np.ndarray:
    """An odd number of even steps around 0, as far as nearly all values go."""
    if levels < 3 or levels % 2 == 0:
        raise UserError(
            f"{name} has {len(np.unique(column))} different values, more than there are keys for; levels=5 rounds such "
            f"a column to five steps around 0 (or 3, 7, 9), and info=[{name}] leaves it out of what is pressed"
        )
    most = float(np.quantile(np.abs(column), 0.98)) or float(np.abs(column).max())
    half = np.array([float(f"{value:.4g}") for value in np.linspace(0, most, levels // 2 + 1)[1:]])
    return np.concatenate([-half[::-1], [0.0], half])


def _free(name: str, keys: list[str], taken: set[str], named: bool = True) -> str:
    wanted = [NAMED[name.upper()]] if named and name.upper() in NAMED else []
    key = next((key for key in [*wanted, *keys] if key not in taken), None)
    if key is None:
        raise UserError(f"there are more controls than keys: none is left for {name}; leave columns out by info=[...]")
    taken.add(key)
    return key


def _axis_keys(name: str, values: np.ndarray, taken: set[str]) -> list[list[str]]:
    """A key for each value but 0, in their order."""
    if len(values) == 3 and values[1] == 0:
        pair = next((pair for pair in PAIRS if not taken & set(pair)), None)
        if pair:
            taken.update(pair)
            return [[key] for key in pair]
    return [[_free(name, FREE, taken, named=False)] for value in values if value != 0]


def nearest(control: dict, column: np.ndarray) -> np.ndarray:
    """A column as values that the control can have, float32 [N]."""
    values = np.array([0, 1] if control["kind"] == "button" else control["values"], np.float32)
    return values[np.abs(column[:, None].astype(np.float32) - values).argmin(1)]
