"""An environment in a process of its own: what it does to its libraries, or dies of, is felt by nobody else."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import signal
import threading
import time
import traceback
from dataclasses import dataclass

import numpy as np
from PIL import Image

from distill.config import UserError
from distill.gym.record import Config, Player

# Started once with all that a player needs, so that the next one is there in a moment. Windows has no such server.
_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
_CONTEXT = multiprocessing.get_context(_METHOD)
_CLOSING = 3.0  # seconds for an environment to close
_LARGEST = 48 * 1024  # bytes of a picture; a frame has room for some more
_STARTING = threading.Lock()


class EnvironmentFailedError(Exception):
    """The environment raised, or its process is gone."""


@dataclass(frozen=True)
class About:
    """What a client is told of an environment."""

    controls: list[dict]
    width: int
    height: int
    ticks_per_second: float
    says: str  # how its pictures become frames


@dataclass(frozen=True)
class Shown:
    """`payload`: the picture in the format that was asked for; empty where none was. Times are milliseconds."""

    payload: bytes
    reward: float
    over: bool
    took: float
    encode: float


class Apart:
    """Its calls are for one thread, but `kill` for any. They raise EnvironmentFailedError."""

    def __init__(self, config: Config):
        with _STARTING:
            if _METHOD == "forkserver":
                _CONTEXT.set_forkserver_preload([__name__])
            self._line, far = _CONTEXT.Pipe()
            self._process = _CONTEXT.Process(target=_played, args=(far, config), daemon=True)
            self._process.start()
        far.close()

    def about(self) -> About:
        """To be called first, once. Raises UserError where the environment cannot be played."""
        return self._heard()

    def reset(self, seed: int, form: str) -> Shown:
        return self._asked(("reset", seed, form))

    def step(self, values: list[float], form: str) -> Shown:
        """`form` is empty where nobody will see it."""
        return self._asked(("step", values, form))

    def close(self) -> None:
        self._line.close()
        self._process.join(_CLOSING)
        self.kill()

    def kill(self) -> None:
        self._process.kill()

    def _asked(self, what: tuple) -> Shown:
        try:
            self._line.send(what)
        except OSError as error:
            raise EnvironmentFailedError("its process is gone") from error
        return self._heard()

    def _heard(self):
        try:
            kind, said = self._line.recv()
        except (EOFError, OSError) as error:
            raise EnvironmentFailedError("its process is gone") from error
        if kind == "user":
            raise UserError(said)
        if kind == "failed":
            raise EnvironmentFailedError(said)
        return said


def encoded(picture: np.ndarray, form: str) -> bytes:
    """uint8 [H,W,3] -> WebP as it is, or JPEG. Where noise would not fit into a frame, the WebP is a likeness."""
    image, out = Image.fromarray(picture), io.BytesIO()
    if form == "jpeg":
        image.save(out, "JPEG", quality=90, subsampling=0)
        return out.getvalue()
    image.save(out, "WEBP", lossless=True, quality=20, method=1)
    if out.tell() > _LARGEST:
        out = io.BytesIO()
        image.save(out, "WEBP", quality=80)
    return out.getvalue()


def _played(line, config: Config) -> None:
    """The process: answers until the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of the terminal; the bridge ends this one
    player = None
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            player = Player(config)
            fit = player.fit
            picture, _ = player.reset(0)
            about = About(player.controls.controls, fit.width, fit.height, player.ticks_per_second, fit.say(picture))
            line.send(("said", about))
            while True:
                line.send(("said", _done(player, *line.recv())))
        except UserError as error:
            line.send(("user", str(error)))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:  # an environment may raise anything
            traceback.print_exc()
            line.send(("failed", f"{type(error).__name__}: {error}"))
    if player is not None:
        player.env.close()


def _done(player: Player, what: str, given, form: str) -> Shown:
    began = time.perf_counter()
    reward, over = 0.0, False
    if what == "reset":
        picture, _ = player.reset(given)
    else:
        picture, reward, terminated, truncated, _ = player.step(np.asarray(given, np.float64))
        over = terminated or truncated
    stepped = time.perf_counter()
    payload = encoded(player.fit(picture), form) if form else b""
    return Shown(payload, reward, over, 1000 * (stepped - began), 1000 * (time.perf_counter() - stepped))
