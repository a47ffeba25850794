"""One connection: its hello, what its client may say and how often, and how it ends."""

from __future__ import annotations

import hmac
import socket
import struct
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

from distill.bridge import wire
from distill.bridge.apart import Apart, EnvironmentFailedError
from distill.bridge.play import Play
from distill.bridge.wire import RefusedError
from distill.config import UserError
from distill.gym import record

HELLO = 5.0  # seconds within which a client says hello
SILENT = 10.0  # seconds after which a client that was not heard is gone
SEAT = 2.0  # seconds to wait for one: who loads the page again comes before the game that was left is put away
STUCK = 10.0  # seconds that a client may keep what it is sent from being sent
ENDING = 3.0  # seconds for an environment to finish what it does

OFTEN, SELDOM, STEPS = (200, 400), (20, 60), (2000, 4000)  # messages a second, and at once
LIMITS = {"step": STEPS, "action": OFTEN, "ack": OFTEN, "heartbeat": OFTEN}

SENTENCES = {
    "SERVER_DRAINING": "The bridge is going away. Start it again, and begin anew.",
    "TEXT_MESSAGE": "Only binary messages are spoken here, but a text came. See the layouts of the wire.",
    "UNAUTHORIZED": "This server asks for a token, and another one or none came. Ask its owner for it.",
    "SESSION_GONE": "There is no such session. A game of a bridge is over when its connection is. Begin a new one.",
    "SEAT_GONE": "A bridge keeps no seats. Connect without one.",
    "NO_COMMON_FORMAT": 'No frame format is known to both ends. Offer "webp" or "jpeg".',
    "HELLO_LATE": f"A client says hello within {HELLO:g} s, but none came. Connect again.",
    "UNEXPECTED_MESSAGE": "A connection begins with one hello. Connect again, and say it first and once.",
    "TOO_MANY_MESSAGES": "Too many messages came at once. Send each input once a tick at most.",
    "SERVER_FAILED": "The environment failed; the bridge's own window says why. Begin a new game.",
    "SERVER_FULL": "All seats are taken. Try again later, or start the bridge with more: sessions=8.",
}


@dataclass
class Served:
    """What all connections share. `world`: what a welcome says of the environment."""

    config: record.Config
    world: dict
    seats: threading.Semaphore
    token: str = ""
    sessions: set[Session] = field(default_factory=set)


class Limits:
    """One client's token buckets, one for each kind of message."""

    def __init__(self):
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, kind: str) -> bool:
        """True where the message is within its limit."""
        now, (rate, burst) = monotonic(), LIMITS.get(kind, SELDOM)
        left, at = self._left.get(kind, (burst, now))
        left = min(burst, left + (now - at) * rate)
        self._left[kind] = (max(0.0, left - 1), now)
        return left >= 1


class Session:
    def __init__(self, line: ServerConnection, served: Served):
        self._line, self._served, self._limits = line, served, Limits()

    def serve(self) -> None:
        """Until the connection is over. Raises nothing that a client or an environment could be the cause of."""
        _never_stuck(self._line.socket)
        try:
            hello = self._greeted()
            form = self._admitted(hello)
            if not self._served.seats.acquire(timeout=SEAT):
                raise _refusal("SERVER_FULL")
            try:
                self._play(hello, form)
            finally:
                self._served.seats.release()
        except RefusedError as refused:
            # What is no close code of the wire is what a message should not have said.
            self.refuse(refused.code if refused.code in wire.CLOSES else "WIRE_MALFORMED", refused.sentence)
        except (ConnectionClosed, TimeoutError):
            return

    def refuse(self, code: str, sentence: str = "") -> None:
        """Says why, and ends the connection."""
        with suppress(ConnectionClosed):
            self._line.send(wire.error(0, code, sentence or SENTENCES[code]))
        self._line.close(wire.CLOSES[code], code)

    def _greeted(self) -> dict:
        try:
            data = self._read(HELLO)
        except TimeoutError:
            raise _refusal("HELLO_LATE") from None
        if wire.kind_of(data) != "hello":
            raise _refusal("UNEXPECTED_MESSAGE")
        return wire.read(data).body

    def _admitted(self, hello: dict) -> str:
        """The format of this client's frames."""
        if any(key in hello for key in ("watch", "subflow", "resume")):
            raise _refusal("SESSION_GONE")
        if "seat" in hello:
            raise _refusal("SEAT_GONE")
        token = self._served.token
        if token and not hmac.compare_digest(hello.get("token", "").encode(), token.encode()):
            raise _refusal("UNAUTHORIZED")
        formats = [form for form in hello["formats"] if form != "latents"]
        if not formats:
            raise _refusal("NO_COMMON_FORMAT")
        return formats[0]

    def _play(self, hello: dict, form: str) -> None:
        world = self._served.world
        env = Apart(self._served.config)
        play = Play(env, world, hello["mode"], form, self._line.send)
        player = threading.Thread(target=self._played, args=(env, play), daemon=True)
        self._line.send(wire.welcome(world, form))
        player.start()
        try:
            self._listen(play)
        finally:
            play.end()
            player.join(ENDING)
            if player.is_alive():
                env.kill()
                player.join()

    def _played(self, env: Apart, play: Play) -> None:
        """The thread that plays."""
        try:
            env.about()
            play.run()
        except ConnectionClosed:
            return
        except (EnvironmentFailedError, UserError) as error:
            if play.ended:  # it was taken from it, as the client is gone or was refused
                return
            print(f"bridge: the environment failed: {error}", file=sys.stderr, flush=True)
            self.refuse("SERVER_FAILED")
        except Exception:  # whatever it is, the client is told that it is over
            traceback.print_exc()
            self.refuse("SERVER_FAILED")
        finally:
            env.close()

    def _listen(self, play: Play) -> None:
        while True:
            data = self._read(SILENT)
            kind = wire.kind_of(data)
            # What must not be said so often is not even read.
            if not self._limits.take(kind):
                raise _refusal("TOO_MANY_MESSAGES")
            if kind == "hello":
                raise _refusal("UNEXPECTED_MESSAGE")
            message = wire.read(data)
            if kind == "bye":
                self._line.close()
                return
            play.hear(message)
            if kind == "heartbeat":
                self._line.send(wire.pong(message.ms))

    def _read(self, seconds: float) -> bytes:
        """Raises TimeoutError, ConnectionClosed, RefusedError."""
        data = self._line.recv(timeout=seconds)
        if isinstance(data, str):
            raise _refusal("TEXT_MESSAGE")
        return data


def _refusal(code: str) -> RefusedError:
    return RefusedError(code, SENTENCES[code])


def _never_stuck(line: socket.socket) -> None:
    """A client that reads nothing would hold its seat for ever: sending to it fails after a while."""
    if sys.platform != "win32":
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(STUCK), 0))
