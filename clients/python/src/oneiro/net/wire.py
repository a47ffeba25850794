"""Messages as bytes and back: the part of `src/net/protocol/wire.ts` that lockstep play needs, little-endian."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from oneiro.errors import WireMalformedError, WireVersionError

VERSION = 5
FORMATS = ("latents", "webp", "jpeg")
MAX_MESSAGE_BYTES = 1024 * 1024
LONGEST_TEXT = 1000
LONGEST_SECRET = 200

#: Numbers of the messages to the server.
_HELLO, _RESET, _STEP, _PROMPT, _SNAPSHOT, _RESTORE, _ACK, _HEARTBEAT, _BYE = 1, 2, 4, 5, 6, 7, 8, 9, 11
_BODIES = {"reset": _RESET, "prompt": _PROMPT, "restore": _RESTORE}
#: Numbers of those to the client.
_WELCOME, _FRAME, _RESULT, _ERROR, _STATE, _PONG, _WAITING, _WORKERS, _HEARD = (
    129,
    130,
    131,
    132,
    133,
    134,
    135,
    136,
    137,
)

_FRAME_HEADER = struct.Struct("<BBBBIIIIIdffffI")
_HAS_REWARD, _HAS_DONE, _IS_DONE = 1, 2, 4

#: Typed arrays as msgpackr writes them: one byte says which, then their bytes.
_TYPED, _UNDEFINED = 0x74, 0x00
_ARRAYS = {1: np.uint8, 4: np.uint16, 7: np.float32, 8: np.float64}
_CODES = {np.dtype(kind): code for code, kind in _ARRAYS.items()}


@dataclass(frozen=True)
class Message:
    """What a server says. `request`: what it answers; 0: the whole connection. `body` by type: a dict; of `frame` a
    Frame, of `heard` the tick, of `waiting` the place in line."""

    type: str
    request: int = 0
    body: Any = None


@dataclass(frozen=True)
class Frame:
    epoch: int
    sequence: int
    tick: int
    reward: float | None
    done: bool | None
    format: str
    payload: bytes


def hello(body: Mapping[str, Any]) -> bytes:
    return bytes([_HELLO, VERSION]) + _pack(body)


def asking(kind: str, request: int, body: Any = None) -> bytes:
    """A request: "reset", "prompt" or "restore" with a body, "step" with an action's code, or "snapshot"."""
    if kind == "step":
        return struct.pack("<BIId", _STEP, body, request, 0.0)
    if kind == "snapshot":
        return struct.pack("<BI", _SNAPSHOT, request)
    return struct.pack("<BI", _BODIES[kind], request) + _pack(body)


def ack(sequence: int) -> bytes:
    return struct.pack("<BI", _ACK, sequence)


def heartbeat(ms: float) -> bytes:
    return struct.pack("<Bd", _HEARTBEAT, ms)


def bye() -> bytes:
    return bytes([_BYE])


def read(data: bytes | str) -> Message:
    """A server's message. Raises WireMalformedError or WireVersionError."""
    if isinstance(data, str):
        raise WireMalformedError("unknown", "a text came, but a server speaks in binary messages only")
    try:
        return _read(data)
    except (struct.error, IndexError, KeyError, ValueError, TypeError) as cause:
        raise WireMalformedError("unknown", repr(cause)) from cause


def _read(data: bytes) -> Message:
    number = data[0]
    if number == _WELCOME:
        if data[1] != VERSION:
            raise WireVersionError(VERSION, data[1])
        return Message("welcome", body=_unpack(data[2:]))
    if number == _FRAME:
        return _frame(data)
    if number in (_ERROR, _STATE):
        body = _unpack(data[5:])
        if number == _ERROR:
            return Message("error", _u32(data), body)
        return Message("state", _u32(data), {**body, "tick": int(body["tick"]), "seed": int(body["seed"])})
    if number == _RESULT:
        return Message("result", _u32(data))
    if number == _HEARD:
        request, tick = struct.unpack("<II", data[1:])
        return Message("heard", request, tick)
    if number == _WAITING:
        return Message("waiting", body=struct.unpack("<H", data[1:])[0])
    if number == _PONG:
        return Message("pong")
    if number == _WORKERS:
        return Message("workers", body=_unpack(data[1:]))
    raise WireMalformedError("unknown", f"no message of a server has number {number}")


def _u32(data: bytes) -> int:
    (number,) = struct.unpack_from("<I", data, 1)
    return int(number)


def _frame(data: bytes) -> Message:
    head = _FRAME_HEADER.unpack_from(data)
    _, flags, form, _, request, epoch, sequence, tick, _, _, _, _, _, reward, length = head
    payload = data[_FRAME_HEADER.size :]
    if len(payload) != length:
        raise WireMalformedError("frame", f"it says {length} bytes of payload, but has {len(payload)}")
    if not math.isfinite(reward):
        raise WireMalformedError("frame", f"its reward is {reward}")
    done = bool(flags & _IS_DONE) if flags & _HAS_DONE else None
    frame = Frame(epoch, sequence, tick, reward if flags & _HAS_REWARD else None, done, FORMATS[form], payload)
    return Message("frame", request, frame)


def _pack(body: Any) -> bytes:
    import msgpack

    packed: bytes = msgpack.packb({name: _number(value) for name, value in body.items()}, default=_typed)
    return packed


def _unpack(data: bytes) -> Any:
    import msgpack

    try:
        return msgpack.unpackb(data, ext_hook=_revived)
    except (ValueError, msgpack.UnpackException) as cause:
        raise WireMalformedError("unknown", "its body is not msgpack") from cause


def _number(value: Any) -> Any:
    """Of integers JavaScript knows those of 32 bits, and floats: a seed may be larger."""
    return float(value) if isinstance(value, int) and not -(2**31) <= value < 2**32 else value


def _typed(value: Any) -> Any:
    import msgpack

    array = np.ascontiguousarray(value)
    return msgpack.ExtType(_TYPED, bytes([_CODES[array.dtype]]) + array.tobytes())


def _revived(code: int, data: bytes) -> Any:
    if code == _UNDEFINED:
        return None
    if code != _TYPED:
        raise WireMalformedError("unknown", f"no message has the extension {code}")
    return np.frombuffer(data[1:], _ARRAYS[data[0]])
