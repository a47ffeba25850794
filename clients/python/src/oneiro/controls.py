"""What can be done in a world: its controls, declared in its manifest, and the actions that follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oneiro.checks import check_fields, shown
from oneiro.errors import BadInputError

#: One tick's input: the value of every control, by its name. A button is 1 while it is held, else 0.
Action = Mapping[str, float]


@dataclass(frozen=True)
class Control:
    """An axis, which has values (0, where it rests, among them), or a button, which is 0 or 1."""

    name: str
    kind: str
    values: tuple[float, ...]


class ActionSpace:
    """The actions of a world: checked, numbered, and encoded for its student."""

    def __init__(self, controls: Sequence[Control]):
        self.controls = tuple(controls)
        self.names = tuple(control.name for control in controls)
        #: How many different actions there are.
        self.size = prod(len(control.values) for control in controls)
        #: Nothing held.
        self.idle: dict[str, float] = dict.fromkeys(self.names, 0)

    def check(self, action: Action) -> None:
        """Raises BadInputError unless it has every control, each at a value of its own, and nothing else."""
        check_fields("An action of this world", action, self.names)
        for control in self.controls:
            value = action.get(control.name)
            if isinstance(value, Real | np.bool_) and value in control.values:
                continue
            few = len(control.values) <= 9
            allowed = ", ".join(map(str, control.values)) if few else f"one of {len(control.values)} numbers"
            raise BadInputError(f'"{control.name}" of an action is {allowed}, but {shown(value)} came.')

    def indices(self, action: Action) -> list[int]:
        """Of each control, where its value stands among its values. The action must be a checked one."""
        return [control.values.index(action[control.name]) for control in self.controls]

    def action_at(self, indices: Sequence[int] | NDArray[Any]) -> dict[str, float]:
        """Inverse of `indices`. Raises BadInputError where there is no such action."""
        places = np.asarray(indices)
        counts = [len(control.values) for control in self.controls]
        whole = places.dtype.kind in "iub" and places.shape == (len(counts),)
        if not whole or (places < 0).any() or (places >= counts).any():
            wanted = ", ".join(f"{name} 0 to {n - 1}" for name, n in zip(self.names, counts, strict=True))
            raise BadInputError(f"An action is {len(counts)} whole numbers ({wanted}), but {shown(places)} came.")
        return {control.name: control.values[int(i)] for control, i in zip(self.controls, places, strict=True)}

    def code(self, action: Action) -> int:
        """The action as an integer from 0 to `size` - 1; the last control counts by ones. It must be a checked one."""
        code = 0
        for control, index in zip(self.controls, self.indices(action), strict=True):
            code = code * len(control.values) + index
        return code

    def action(self, code: int) -> dict[str, float]:
        """Inverse of `code`. Raises BadInputError where there is no such action."""
        number = np.asarray(code)
        if number.dtype.kind not in "iu" or number.shape != () or not 0 <= number < self.size:
            raise BadInputError(
                f"This world has actions 0 to {self.size - 1}, but {shown(code)} came. Is it of another world?"
            )
        rest, indices = int(number), []
        for control in reversed(self.controls):
            rest, index = divmod(rest, len(control.values))
            indices.append(index)
        return self.action_at(indices[::-1])

    def dims(self, encoding: str) -> int:
        """Floats of an encoded action."""
        if encoding == "number":
            return len(self.controls)
        return sum(len(control.values) for control in self.controls)

    def encode(self, action: Action, encoding: str) -> NDArray[np.float32]:
        """A checked action as the student is told it, float32 [D]: each value as it is, or a 1 at its place."""
        if encoding == "number":
            return np.array([action[name] for name in self.names], np.float32)
        told = [value == action[control.name] for control in self.controls for value in control.values]
        return np.array(told, np.float32)
