"""What is played over one connection: requests in their order, ticks by a clock, and how far behind its client is."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from time import monotonic

from distill.bridge import wire
from distill.bridge.apart import Apart, Shown
from distill.bridge.wire import Heard, RefusedError
from distill.world import values_of

MOST_UNACKNOWLEDGED = 3  # frames on their way to a client
MOST_REQUESTS = 8  # of a client, waiting or under way
RELEASE_KEYS = 2.0  # seconds after which a client that is not heard holds nothing

BUSY = f"At most {MOST_REQUESTS} requests of a session may be under way. Wait for the answers before asking again."
NO_COPY = (
    "A Gymnasium environment cannot be copied, so none of its states can be kept or put back. Begin anew by a reset."
)
NO_PROMPT = "This world listens to no words, but a prompt came. Leave it out, as info.prompt says."
NO_START = "A Gymnasium environment has no starts to choose from. Leave the start out; the seed says how it begins."
NO_STEPS = 'A session in real time ticks by itself, but a step was asked for. Ask for the mode "lockstep" first.'


class Actions:
    """Actions by their codes: the last control counts by ones."""

    def __init__(self, controls: list[dict]):
        self._values = [list(values_of(control)) for control in controls]
        self.size = 1
        for values in self._values:
            self.size *= len(values)
        self.idle = [0.0] * len(controls)

    def values(self, code: int) -> list[float]:
        """The value of each control. Raises RefusedError where there is no such action."""
        if code >= self.size:
            raise RefusedError(
                "BAD_INPUT",
                f"This world has actions 0 to {self.size - 1}, but {code} came. Is it of another world?",
            )
        found = []
        for values in reversed(self._values):
            code, index = divmod(code, len(values))
            found.append(values[index])
        return found[::-1]


class Play:
    """`hear` is for the thread that reads, `run` for the one that plays."""

    def __init__(self, env: Apart, world: dict, mode: str, form: str, send: Callable[[bytes], None]):
        self._env, self._form, self._send = env, form, send
        self._actions, self._period = Actions(world["controls"]), 1 / world["ticksPerSecond"]
        self._changed = threading.Condition()
        self._waiting: deque[Heard] = deque()
        self._under_way, self._newest, self._ended = 0, 0, False
        self._mode = mode
        self._held, self._held_sequence, self._held_ms, self._heard_at = self._actions.idle, 0, 0.0, monotonic()
        self._sequence = self._acknowledged = self._skipped = 0
        # `epoch` is 0 before the first reset.
        self._epoch = self._tick = self._seed = self._games = 0
        self._over, self._due = False, 0.0

    def hear(self, message: Heard) -> None:
        """Any message but hello and bye. Raises RefusedError where a held action is none of this world."""
        with self._changed:
            if message.type == "action":
                self._hold(message)
            elif message.type == "ack":
                self._acknowledged = max(self._acknowledged, min(message.sequence, self._sequence))
            elif message.type == "heartbeat":
                self._heard_at = monotonic()
            elif message.request > self._newest:
                # An older number was carried out already, and no connection follows this one that could ask again.
                self._newest = message.request
                if self._under_way < MOST_REQUESTS:
                    self._under_way += 1
                    self._waiting.append(message)
                    self._changed.notify()
                    return
            else:
                return
            if not message.request:
                return
        self._send(wire.error(message.request, "BUSY", BUSY))

    @property
    def ended(self) -> bool:
        return self._ended

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()

    def run(self) -> None:
        """Until `end`. Raises EnvironmentFailedError, and what `send` raises."""
        while (message := self._next()) is not None:
            if message.type == "tick":
                self._ticked()
                continue
            try:
                answer = self._carried_out(message)
            except RefusedError as refused:
                answer = wire.error(message.request, refused.code, refused.sentence)
            with self._changed:
                self._under_way -= 1
            self._send(answer)

    def _hold(self, message: Heard) -> None:
        values = self._actions.values(message.code)
        self._heard_at = monotonic()
        if message.sequence > self._held_sequence:
            self._held, self._held_sequence, self._held_ms = values, message.sequence, message.ms

    def _next(self) -> Heard | None:
        """The next request, or a tick that is due; None at the end."""
        with self._changed:
            while not self._ended:
                if self._waiting:
                    return self._waiting.popleft()
                ticks = self._mode == "realtime" and self._epoch > 0
                wait = self._due - monotonic() if ticks else None
                if wait is not None and wait <= 0:
                    return Heard("tick")
                self._changed.wait(wait)
        return None

    def _carried_out(self, message: Heard) -> bytes:
        if message.type == "reset":
            return self._reset(message)
        if message.type == "restore":
            raise RefusedError("BAD_INPUT", NO_COPY)
        if message.type == "mode":
            self._mode, self._due = message.mode, monotonic() + self._period
            return wire.result(message.request)
        if self._epoch == 0:
            call = {"prompt": "setPrompt"}.get(message.type, message.type)
            raise RefusedError("NOT_READY", f"{call}() was called before reset(). Call reset({{ seed }}) first.")
        if message.type == "step":
            return self._step(message)
        raise RefusedError("BAD_INPUT", NO_PROMPT if message.type == "prompt" else NO_COPY)

    def _reset(self, message: Heard) -> bytes:
        if "prompt" in message.body:
            raise RefusedError("BAD_INPUT", NO_PROMPT)
        if "start" in message.body:
            raise RefusedError("BAD_INPUT", NO_START)
        self._seed, self._games, self._tick = message.body["seed"], 0, 0
        self._epoch += 1
        shown = self._begun(self._form)
        with self._changed:
            self._held, self._held_ms = self._actions.idle, 0.0
        self._due = monotonic() + self._period
        return self._frame(shown, message.request, 0.0, 0.0)

    def _step(self, message: Heard) -> bytes:
        if self._mode == "realtime":
            raise RefusedError("BAD_INPUT", NO_STEPS)
        shown = self._advanced(self._actions.values(message.code), self._form)
        return self._frame(shown, message.request, message.ms, 0.0)

    def _ticked(self) -> None:
        began = monotonic()
        queue = 1000 * (began - self._due)
        with self._changed:
            if began - self._heard_at >= RELEASE_KEYS:
                self._held, self._held_ms = self._actions.idle, 0.0
            values, ms = self._held, self._held_ms
            room = self._sequence - self._acknowledged < MOST_UNACKNOWLEDGED
        shown = self._advanced(values, self._form if room else "")
        # Ticks that there was no time for are not made up for.
        self._due = max(self._due + self._period, monotonic())
        if room:
            self._send(self._frame(shown, 0, ms, queue))
        else:
            self._skipped += 1

    def _begun(self, form: str) -> Shown:
        """A new game. Its seed is its own, as in a recording (record.py)."""
        seed = (self._seed * 1009 + self._games) % 2**31
        self._games += 1
        self._over = False
        return self._env.reset(seed, form)

    def _advanced(self, values: list[float], form: str) -> Shown:
        """A tick; after a game's end, the first picture of the next."""
        self._tick += 1
        if self._over:
            return self._begun(form)
        shown = self._env.step(values, form)
        self._over = shown.over
        return shown

    def _frame(self, shown: Shown, request: int, echo: float, queue: float) -> bytes:
        with self._changed:
            self._sequence += 1
        counts = (request, self._epoch, self._sequence, self._tick, self._skipped)
        times = (echo, queue, shown.took, shown.encode)
        return wire.frame(wire.Frame(*counts, *times, shown.reward, shown.over, self._form, shown.payload))
