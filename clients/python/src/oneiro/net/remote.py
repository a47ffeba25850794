"""A world that another machine dreams (`npm run serve`), in lockstep: it waits for every call."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oneiro.checks import checked_seed, shown
from oneiro.controls import Action, ActionSpace
from oneiro.errors import BadInputError, ManifestInvalidError, NotReadyError, WireMalformedError, WorldClosedError
from oneiro.files import Floats
from oneiro.manifest import Instrument, read_controls
from oneiro.model import Decoder, open_decoder
from oneiro.net.latents import unpack_latent
from oneiro.net.line import Line
from oneiro.net.wire import LONGEST_SECRET, LONGEST_TEXT, Frame, Message
from oneiro.prompts import Prompt
from oneiro.snapshot import Snapshot, checked_head, numbers_of
from oneiro.world import Tick, WorldInfo

#: The arrays of a snapshot that are not of 32-bit floats.
_KINDS: Mapping[str, type] = {"halfLatents": np.uint16}


class RemoteTick(Tick):
    """A tick that a server made. Its picture and readings are decoded at the first look."""

    def __init__(self, frame: Frame, decoder: Decoder | None):
        self.index, self.epoch, self.reward, self.done = frame.tick, frame.epoch, frame.reward, frame.done
        self._sent, self._decoder = frame, decoder

    @cached_property
    def latent(self) -> Floats:  # type: ignore[override]
        """float32 [T,C], as the wire rounds it. Raises BadInputError where frames come as images."""
        if self._decoder is None:
            raise BadInputError(f"Frames come as images here, which have no latent. {_GIVE_WORLD}")
        m = self._decoder.manifest
        return unpack_latent(self._sent.payload, m.tokens, m.channels, m.columns, len(m.telemetry))

    @cached_property
    def telemetry(self) -> dict[str, float] | None:  # type: ignore[override]
        """None where the world has no instruments, or frames come as images."""
        if self._decoder is None or not self._decoder.manifest.telemetry:
            return None
        return self._decoder.by_name(self._decoder.readings(self.latent[None])[0])

    @cached_property
    def frame(self) -> NDArray[np.uint8]:
        """uint8 [H,W,4] RGBA"""
        if self._decoder is None:
            return _image(self._sent.payload)
        (frame,) = self._decoder.pixels(self.latent[None])
        return np.asarray(frame)


class RemoteWorld:
    """A server's world. Get one by `open_server`. Its calls are those of `World`, without forks; what the server
    refuses raises the same errors, and the world goes on. Where the connection ends, every call raises
    ConnectionLostError or ServerRefusedError. Not for several threads at once."""

    def __init__(self, line: Line, decoder: Decoder | None):
        self._line, self.decoder = line, decoder
        self.info = _info(line.welcome, decoder is not None)
        #: Its actions: checked, numbered, listed.
        self.space = ActionSpace(self.info.controls)
        self._tick: RemoteTick | None = None
        self._closed = False

    @property
    def parting(self) -> Snapshot | None:
        """Where the drive was when the server said that it goes away; any world of the same model goes on with it."""
        return self._line.parting  # type: ignore[return-value]

    def reset(self, seed: int, prompt: Prompt | str | None = None, start: str | None = None) -> RemoteTick:
        """Begins anew. Raises BadInputError on a bad seed or prompt or an unknown start; the running state is kept."""
        self._check_open("reset")
        body: dict[str, Any] = {"seed": checked_seed(seed)}
        if prompt is not None:
            body["prompt"] = self._words(prompt)
        if start is not None:
            if not isinstance(start, str) or not 1 <= len(start) <= 100:
                raise BadInputError(f"A start is named by its id, but {shown(start)} came.")
            body["start"] = start
        return self._shown(self._line.ask("reset", body))

    def step(self, action: Action) -> RemoteTick:
        """Advances exactly one tick. Raises BadInputError on what is no action, NotReadyError before a reset."""
        self._check_ready("step")
        self.space.check(action)
        return self._shown(self._line.ask("step", self.space.code(action)))

    def set_prompt(self, prompt: Prompt | str) -> int | None:
        """Words; the first tick that is made under them, None where newer ones came before. Raises BadInputError."""
        self._check_ready("set_prompt")
        words = self._words(prompt)
        tick: int = self._line.ask("prompt", {"text": words} if isinstance(words, str) else words).body
        return tick or None

    def snapshot(self) -> Snapshot:
        """The whole state now; a `World` of the same model goes on with it."""
        self._check_ready("snapshot")
        snapshot: Snapshot = self._line.ask("snapshot").body
        return snapshot

    def restore(self, snapshot: Snapshot | Mapping[str, Any]) -> RemoteTick:
        """Puts a snapshot back, of Node or of a `World` too. Raises SnapshotMismatchError for another world or model,
        BadInputError on what is no snapshot, and then the running state is kept."""
        self._check_open("restore")
        checked_head(snapshot, self.info.id, self.info.model_hash, self.info.prompt)
        return self._shown(self._line.ask("restore", _packable(snapshot)))

    def read_pixels(self) -> NDArray[np.uint8]:
        """The newest frame, uint8 [H,W,4] RGBA."""
        return self._check_ready("read_pixels").frame

    def read_telemetry(self) -> dict[str, float] | None:
        """What the instruments read at the newest frame; None where there are none, or frames come as images."""
        return self._check_ready("read_telemetry").telemetry

    def close(self) -> None:
        """Gives the seat back. Idempotent; every other call afterwards raises WorldClosedError."""
        self._closed = True
        self._line.close()

    def __enter__(self) -> RemoteWorld:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _words(self, prompt: Prompt | str) -> str | dict[str, Any]:
        if not self.info.prompt:
            raise BadInputError("This world listens to no words, but a prompt came. Leave it out, as info.prompt says.")
        text, known = (prompt.text, prompt.embedding) if isinstance(prompt, Prompt) else (prompt, None)
        if not isinstance(text, str) or len(text) > LONGEST_TEXT:
            raise BadInputError(
                f"A prompt's text is a string of {LONGEST_TEXT} characters at most, but {shown(text)} came."
            )
        if known is None:
            if not text.strip():
                raise BadInputError(
                    'A prompt needs at least one word, but an empty one came. Say "a snowy night drive".'
                )
            return text
        embedding = np.asarray(known)
        if embedding.dtype.kind not in "iuf" or embedding.ndim != 1 or embedding.size > 4096:
            raise BadInputError(f"The conditioning of a prompt is a row of floats, but {shown(known)} came.")
        return {"text": text, "embedding": embedding.astype(np.float32)}

    def _shown(self, message: Message) -> RemoteTick:
        if not isinstance(message.body, Frame):
            raise WireMalformedError(message.type, "a frame was expected as the answer")
        self._tick = RemoteTick(message.body, self.decoder)
        return self._tick

    def _check_open(self, call: str) -> None:
        if self._closed:
            raise WorldClosedError(call)

    def _check_ready(self, call: str) -> RemoteTick:
        self._check_open(call)
        if self._tick is None:
            raise NotReadyError(call)
        return self._tick


def open_server(
    url: str,
    world: str | Path | None = None,
    *,
    token: str | None = None,
    timeout: float = 30.0,
    wait: float = 0.0,
    threads: int = 2,
) -> RemoteWorld:
    """Opens the world that a server dreams, at `ws://` or `wss://`. Close it when done.

    world    folder of the same world: its decoder draws the latents that then come, telemetry with them; left out,
             frames come as images, and say nothing of instruments
    token    opens the server, where it asks for one
    timeout  seconds until a call that has no answer raises ConnectionLostError
    wait     seconds to wait in line where all seats are taken
    threads  inside one run of the decoder

    Raises BadInputError, ServerRefusedError (code UNAUTHORIZED, SERVER_FULL, NO_COMMON_FORMAT, ...) or
    ConnectionLostError.

    >>> with open_server("ws://localhost:7700", "assets/drive") as world:
    ...     world.reset(seed=7, prompt="a snowy night drive")
    ...     tick = world.step({"steer": -1, "throttle": 1})
    """
    for name, seconds, least in (("timeout", timeout, 1e-3), ("wait", wait, 0)):
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not least <= seconds <= 86_400:
            raise BadInputError(f'"{name}" is seconds from {least} to a day, but {shown(seconds)} came.')
    if token is not None and not (isinstance(token, str) and 1 <= len(token) <= LONGEST_SECRET):
        raise BadInputError(f"A token is a string of 1 to {LONGEST_SECRET} characters, but another came.")
    decoder = None if world is None else open_decoder(world, threads)
    hello: dict[str, Any] = {"formats": ["latents"] if decoder else ["webp", "jpeg"], "mode": "lockstep"}
    if decoder:
        hello["decoderHash"] = decoder.manifest.model_hash
    if token:
        hello["token"] = token
    line = Line(url, hello, timeout, wait)
    try:
        return RemoteWorld(line, decoder)
    except BaseException:
        line.close()
        raise


_GIVE_WORLD = "Give the folder of the same world too, by world=..."


def _info(welcome: Mapping[str, Any], latents: bool) -> WorldInfo:
    """A welcome's world. Raises WireMalformedError where it does not describe one."""
    try:
        w = welcome["world"]
        return WorldInfo(
            id=str(w["id"]),
            kind="remote",
            backend=str(w["backend"]),
            model_hash=str(w["modelHash"]),
            width=int(w["width"]),
            height=int(w["height"]),
            ticks_per_second=float(w["ticksPerSecond"]),
            controls=read_controls(w),
            prompt=bool(w["prompt"]),
            # An image says nothing of instruments.
            telemetry=tuple(Instrument(i["name"], i["unit"], 0.0, 1.0) for i in w["telemetry"]) if latents else (),
            reward=bool(w["reward"]),
            done=bool(w["done"]),
        )
    except (KeyError, TypeError, ValueError, ManifestInvalidError) as cause:
        raise WireMalformedError("welcome", f"its world is not described: {cause!r}") from cause


def _packable(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """With typed arrays, also where it came through JSON."""
    try:
        state = {
            name: np.asarray(numbers_of(array), _KINDS.get(name, np.float32))
            for name, array in snapshot["state"].items()
        }
        words = snapshot["prompt"]
        if words is not None:
            known = words.get("embedding")
            words = {
                "text": str(words["text"])[:LONGEST_TEXT],
                "embedding": None if known is None else np.asarray(numbers_of(known), np.float32),
            }
        head = {name: snapshot[name] for name in ("format", "version", "world", "modelHash")}
        tick = snapshot["tick"]
        if not isinstance(tick, int) or isinstance(tick, bool) or tick < 0:
            raise ValueError(f"its tick is {shown(tick)}")
        return {**head, "tick": tick, "seed": checked_seed(snapshot["seed"]), "prompt": words, "state": state}
    except (KeyError, TypeError, ValueError, OverflowError) as cause:
        raise BadInputError(f"A snapshot is what snapshot() gave, but another came ({cause}).") from cause


def _image(payload: bytes) -> NDArray[np.uint8]:
    """A compressed picture, uint8 [H,W,4]. Raises WireMalformedError."""
    from io import BytesIO

    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as cause:
        raise BadInputError(f'Images are decoded by Pillow. pip install "oneiro[server]". {_GIVE_WORLD}') from cause
    try:
        return np.asarray(Image.open(BytesIO(payload)).convert("RGBA"))
    except (UnidentifiedImageError, OSError) as cause:
        raise WireMalformedError("frame", "its picture cannot be decoded") from cause
