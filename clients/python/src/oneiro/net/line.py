"""A connection: hello, heartbeats, and requests that are answered or end in an error within their time."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from oneiro.checks import shown
from oneiro.errors import (
    BadInputError,
    ConnectionLostError,
    OneiroError,
    ServerRefusedError,
    WireMalformedError,
    error_of,
)
from oneiro.net import wire

#: A server cuts a client that it has not heard for 10 s, and an agent may think for longer.
BEAT_SECONDS = 2.0
#: For the connection to be closed in good order.
CLOSE_SECONDS = 1.0

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Line:
    """Connects and says hello; raises ServerRefusedError where the server has no seat within `wait` seconds, and
    ConnectionLostError where it does not answer within `timeout` seconds. `welcome` is what it said then."""

    def __init__(self, url: str, hello: Mapping[str, Any], timeout: float, wait: float):
        self.url, self.timeout = _checked_url(url), timeout
        #: Where a server that went away says the drive was.
        self.parting: dict[str, Any] | None = None
        self._failure: OneiroError | None = None
        self._requests = 0
        self._ended = threading.Event()
        self._held = ExitStack()
        self._socket = self._connected()
        try:
            self._send(wire.hello(hello))
            threading.Thread(target=self._beat, name="oneiro-heartbeat", daemon=True).start()
            self.welcome: dict[str, Any] = self._welcome(wait)
        except BaseException:
            self.close()
            raise

    def ask(self, kind: str, body: Any = None) -> wire.Message:
        """Asks, and waits for the answer. Raises the server's error, or ConnectionLostError; after that one, always."""
        self._requests += 1
        self._send(wire.asking(kind, self._requests, body))
        deadline = monotonic() + self.timeout
        while True:
            message = self._next(deadline)
            if message.type == "frame":
                self._send(wire.ack(message.body.sequence))
            if message.request != self._requests:
                continue
            if message.type == "error":
                raise error_of(str(message.body["code"]), str(message.body["message"]))
            return message

    def close(self) -> None:
        """Takes leave. Idempotent."""
        if self._ended.is_set():
            return
        self._ended.set()
        with suppress(Exception):
            self._socket.send(wire.bye())
        with suppress(Exception):
            self._held.close()

    def _connected(self) -> Any:
        try:
            from websockets.exceptions import WebSocketException
            from websockets.sync.client import connect
        except ImportError as cause:
            raise BadInputError('A server is played over websockets. pip install "oneiro[server]".') from cause
        # Heartbeats are the protocol's own; nothing here reads pongs while an agent thinks.
        options: dict[str, Any] = {"ping_interval": None, "compression": None, "max_size": wire.MAX_MESSAGE_BYTES}
        if urlsplit(self.url).hostname in _LOOPBACK:
            options["proxy"] = None
        try:
            opened = connect(self.url, open_timeout=self.timeout, close_timeout=CLOSE_SECONDS, **options)
            return self._held.enter_context(opened)
        except (OSError, WebSocketException) as cause:
            raise ConnectionLostError(self.url, str(cause) or "it did not answer") from cause

    def _welcome(self, wait: float) -> dict[str, Any]:
        deadline = monotonic() + self.timeout
        position: int | None = None
        while True:
            try:
                message = self._next(deadline)
            except ConnectionLostError as lost:
                if position is None or not isinstance(lost.__cause__, TimeoutError):
                    raise
                raise _full(position, wait) from lost
            if message.type == "welcome":
                body: dict[str, Any] = message.body
                return body
            if message.type == "waiting":
                if position is None:
                    deadline = monotonic() + wait
                position = int(message.body)
                if wait <= 0:
                    raise _full(position, wait)

    def _next(self, deadline: float) -> wire.Message:
        """The next message about the drive. Raises where the connection ends, or nothing comes in time."""
        from websockets.exceptions import ConnectionClosed

        if self._failure:
            raise self._failure
        try:
            message = wire.read(self._socket.recv(timeout=max(0.0, deadline - monotonic())))
        except TimeoutError as cause:
            raise self._failed(ConnectionLostError(self.url, f"no answer within {self.timeout:g} s"), cause) from cause
        except ConnectionClosed as cause:
            why = cause.rcvd.reason if cause.rcvd and cause.rcvd.reason else "the connection was closed"
            raise self._failed(ConnectionLostError(self.url, why), cause) from cause
        except WireMalformedError as error:
            raise self._failed(error) from error
        if message.request == 0 and message.type == "state":
            self.parting = message.body
        if message.request == 0 and message.type == "error":
            code, sentence, to = (message.body.get(name) for name in ("code", "message", "to"))
            there = f" It is at {to['url']}." if to else ""
            raise self._failed(ServerRefusedError(str(code), f"{sentence}{there}"))
        return message

    def _failed(self, error: OneiroError, cause: BaseException | None = None) -> OneiroError:
        """The connection is over, and every later call says why."""
        error.__cause__ = cause
        self._failure = error
        self.close()
        return error

    def _send(self, data: bytes) -> None:
        from websockets.exceptions import ConnectionClosed

        if self._failure:
            raise self._failure
        # Where it is closed, the reason is still to be read.
        with suppress(ConnectionClosed):
            self._socket.send(data)

    def _beat(self) -> None:
        started = monotonic()
        while not self._ended.wait(BEAT_SECONDS):
            try:
                self._socket.send(wire.heartbeat(1000 * (monotonic() - started)))
            except Exception:  # noqa: BLE001  # The next call reads why it is closed.
                return


def _full(position: int, wait: float) -> ServerRefusedError:
    waited = f"after {wait:g} s you are" if wait > 0 else "you would be"
    return ServerRefusedError(
        "SERVER_FULL",
        f"All seats of the server are taken, and {waited} number {position} in line. Pass wait=60 to wait for one.",
    )


def _checked_url(url: object) -> str:
    if isinstance(url, str) and urlsplit(url).scheme in ("ws", "wss") and urlsplit(url).hostname:
        return url
    raise BadInputError(f'A server is at an address like "ws://localhost:7700", but {shown(url)} came.')
