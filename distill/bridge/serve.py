"""Serves a Gymnasium environment as a world: the page, scripts and agents play it over the wire of src/net/README.md.

    python -m distill bridge env=CartPole-v1 port=7800

Every connection has an environment of its own, in a process of its own. Its pictures become the frames that
`record-gym` would record: `size`, `crop` and `skip` are the same.
"""

from __future__ import annotations

import os
import secrets
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from distill.bridge import wire
from distill.bridge.apart import About, Apart, EnvironmentFailedError
from distill.bridge.gate import ANYWHERE, Gate, gate_of, is_loopback
from distill.config import BaseConfig, UserError
from distill.gym import record
from distill.gym.record import world_id

SHORTEST_TOKEN = 16  # a token can be tried from afar
STRANGERS = 32  # connections beside the seats: those that have yet to say hello
PAGE = "http://localhost:4173"  # of `npm start`


@dataclass
class Config(BaseConfig):
    name: str = "bridge"
    env: str = ""  # ID or MODULE:ID
    host: str = "127.0.0.1"  # address to listen on; any but loopback needs a token
    port: int = 7800  # 0: any that is free
    token: str = ""  # what clients must say to get in (or ONEIRO_TOKEN in the environment)
    allow_host: list[str] = field(default_factory=list)  # further names that the bridge goes by
    allow_origin: list[str] = field(default_factory=list)  # pages that may connect, such as https://example.org
    sessions: int = 4  # connections that play at once
    size: str = ""  # WIDTHxHEIGHT of a frame; empty: what fits
    crop: str = ""  # LEFT,TOP,WIDTH,HEIGHT of the picture; empty: the middle
    skip: int = 0  # steps of the environment a tick; 0: about 20 ticks a second


def described(config: record.Config) -> About:
    """What the environment is, by one that is closed again. Raises UserError where nobody could play it."""
    env = Apart(config)
    try:
        return env.about()
    except EnvironmentFailedError as error:
        raise UserError(f"{config.env} failed when it was tried: {error}") from error
    finally:
        env.close()


def world_of(env: str, about: About) -> dict:
    """What a welcome says of it (welcomeBody of src/net/protocol/messages.ts). Raises UserError where it is long."""
    world = {
        "id": world_id(env)[:100], "backend": "gymnasium", "modelHash": f"gym:{env}"[:100], "width": about.width,
        "height": about.height, "ticksPerSecond": about.ticks_per_second, "controls": about.controls, "prompt": False,
        "telemetry": [], "reward": True, "done": True,
    }  # fmt: skip
    if len(wire.welcome(world, "webp")) > wire.MOST_WELCOME:
        raise UserError(f"the controls of {env} are too long to be told to a client")
    return world


def token_of(config: Config) -> str:
    """Raises UserError where it could be guessed, or is needed and missing."""
    token = config.token or os.environ.get("ONEIRO_TOKEN", "")
    if not token and not is_loopback(config.host):
        raise UserError(
            f"whoever reaches {config.host} could play here; give a token, such as token={secrets.token_urlsafe(24)}"
        )
    if token and not SHORTEST_TOKEN <= len(token) <= wire.LONGEST_SECRET:
        raise UserError(
            f"a token has {SHORTEST_TOKEN} to {wire.LONGEST_SECRET} characters, but this one has {len(token)}"
        )
    return token


@contextmanager
def opened(config: Config) -> Iterator:
    """The server, which listens already; `serve_forever` answers. Leaving ends every session. Raises UserError."""
    try:
        from websockets.sync.server import serve
    except ModuleNotFoundError as error:
        raise UserError("the package websockets is missing; install it with pip") from error
    from distill.bridge.session import Served, Session

    token, gate = token_of(config), gate_of(config.host, config.allow_host, config.allow_origin)
    player = record.Config(env=config.env, size=config.size, crop=config.crop, skip=config.skip)
    about = described(player)
    print(f"bridge: {config.env}: {about.says}, at {about.ticks_per_second:g} ticks a second", flush=True)
    served = Served(player, world_of(config.env, about), threading.Semaphore(config.sessions), token)

    def handle(line) -> None:
        session = Session(line, served)
        served.sessions.add(session)
        try:
            session.serve()
        finally:
            served.sessions.discard(session)

    def admit(line, request):
        why = _why_refused(gate, request.headers)
        if why:
            return line.respond(HTTPStatus.FORBIDDEN, f"{why}\n")
        if len(served.sessions) >= config.sessions + STRANGERS:
            return line.respond(HTTPStatus.SERVICE_UNAVAILABLE, "SERVER_FULL\n")
        return None

    options = {"compression": None, "ping_interval": None, "max_size": wire.MAX_MESSAGE_BYTES}
    try:
        server = serve(
            handle, config.host, config.port, process_request=admit, open_timeout=5, close_timeout=1, **options
        )
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error
        raise UserError(f"cannot listen at {config.host}, port {config.port}: {why}; try another port=") from error
    with server:
        try:
            yield server
        finally:
            for session in list(served.sessions):
                session.refuse("SERVER_DRAINING")


def _why_refused(gate: Gate, headers) -> str | None:
    return gate.why_refused(headers.get_all("Host"), headers.get_all("Origin"))


def address_of(config: Config, port: int) -> str:
    """Where this machine reaches it."""
    host = "localhost" if is_loopback(config.host) or config.host in ANYWHERE else config.host
    return f"ws://{f'[{host}]' if ':' in host else host}:{port}"


def run(config: Config) -> None:
    if not config.env:
        raise UserError("name an environment: env=CartPole-v1")
    if config.sessions < 1 or not 0 <= config.port < 65536:
        raise UserError("a bridge has at least one session, and a port from 0 to 65535")
    try:
        import gymnasium  # noqa: F401
    except ModuleNotFoundError as error:
        raise UserError("the package gymnasium is missing; install it with pip") from error
    with opened(config) as server:
        address = address_of(config, server.socket.getsockname()[1])
        print(f"bridge: {address}; in the page of `npm start`: {PAGE}/?server={address}", flush=True)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("bridge: ended", flush=True)
