"""What there is to do in a world: reward and end, as functions of what its instruments read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import floor

Telemetry = Mapping[str, float]


@dataclass(frozen=True)
class Task:
    """`reward` and `done` are of the tick that ends with these readings; `needs` names those that they look at."""

    needs: tuple[str, ...]
    reward: Callable[[Telemetry], float] | None = None
    done: Callable[[Telemetry], bool] | None = None


_tasks: dict[str, Task] = {}


def register_task(name: str, task: Task) -> None:
    """Makes a task known by the name that manifests call it by."""
    _tasks[name] = task


#: A dreamed probability from which on the episode is over.
_ENDS = 0.5


def _outcome_of(readings: tuple[str, ...]) -> Task | None:
    """Of a world that dreams its reward and end themselves: whichever of the two the readings have by these names."""
    reward = (lambda told: told["reward"]) if "reward" in readings else None
    done = (lambda told: told["done"] >= _ENDS) if "done" in readings else None
    return Task((), reward, done) if reward or done else None


def task_of(name: str | None, readings: Iterable[str]) -> Task | None:
    """The task of that name; None where nobody knows it, or these readings are not all that it needs."""
    readings = tuple(readings)
    if name == "outcome":
        return _outcome_of(readings)
    task = _tasks.get(name) if name else None
    return task if task and set(task.needs) <= set(readings) else None


# The drive's, as `src/scene/drive/telemetry.ts` has it; both are tested against `contract/drive/task.golden.json`.

_TAU = 6.283185307179586
_SECONDS_A_TICK = 1 / 20
#: Metres from the centre line: beside the road, and in the bank.
_OFF_ROAD, _CRASH_OFFSET = 6.6, 7.2
#: m/s from which on the bank is a crash.
_CRASH_SPEED = 20


def _sin(x: float) -> float:
    """The simulator's own sine: its bits are the same on every machine, which `math.sin` does not promise."""
    r = x - _TAU * floor(x / _TAU + 0.5)
    if r > _TAU / 4:
        r = _TAU / 2 - r
    elif r < -_TAU / 4:
        r = -_TAU / 2 - r
    q = r * r
    tail = 1 / 362880 + q * (-1 / 39916800 + q / 6227020800)
    return r * (1 + q * (-1 / 6 + q * (1 / 120 + q * (-1 / 5040 + q * tail))))


def _drive_reward(telemetry: Telemetry) -> float:
    """Metres along the road in a tick, a third of them beside the road."""
    along = telemetry["speed"] * _sin(telemetry["heading"] + _TAU / 4) * _SECONDS_A_TICK
    return along * (1 / 3 if abs(telemetry["offset"]) > _OFF_ROAD else 1)


def _drive_done(telemetry: Telemetry) -> bool:
    """Crashed into a bank at speed, or stuck beside the road for three seconds."""
    crashed = abs(telemetry["offset"]) >= _CRASH_OFFSET and telemetry["speed"] >= _CRASH_SPEED
    return crashed or telemetry["stuck"] >= 1


register_task("drive", Task(("speed", "offset", "heading", "stuck"), _drive_reward, _drive_done))
