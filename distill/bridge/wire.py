"""The wire of src/net/README.md as a server has it: what a client says, read, and what is said to it, as bytes.

All numbers are little-endian; version 5. What is not here is what no environment has: latents, words and snapshots.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import msgpack

VERSION = 5
FORMATS = ("latents", "webp", "jpeg")
MODES = ("lockstep", "realtime")
MAX_MESSAGE_BYTES = 1024 * 1024
LONGEST_SECRET = 200
LONGEST_SENTENCE = 2000
LARGEST_SEED = 2**53 - 1  # JavaScript knows no larger whole numbers

# A client's messages: number -> (name, bytes at most, layout after byte 0; None: a body)
CLIENT = {
    1: ("hello", 1024, None),
    2: ("reset", 32 * 1024, None),
    3: ("action", 17, struct.Struct("<IId")),
    4: ("step", 17, struct.Struct("<IId")),
    5: ("prompt", 32 * 1024, None),
    6: ("snapshot", 5, struct.Struct("<I")),
    7: ("restore", MAX_MESSAGE_BYTES, None),
    8: ("ack", 5, struct.Struct("<I")),
    9: ("heartbeat", 9, struct.Struct("<d")),
    10: ("mode", 6, struct.Struct("<IB")),
    11: ("bye", 1, struct.Struct("<")),
}
WELCOME, FRAME, RESULT, ERROR, PONG = 129, 130, 131, 132, 134
MOST_WELCOME, MOST_FRAME = 16 * 1024, 64 * 1024
FRAME_HEADER = struct.Struct("<BBBBIIIIIdffffI")
HAS_REWARD, HAS_DONE, IS_DONE = 1, 2, 4
MOST_ITEMS = 256  # keys, values and elements of a body
MOST_FLOATS = 4096  # that a world is told of a prompt
UNDEFINED, TYPED = 0x00, 0x74  # msgpackr's extensions
KEYS = ("token", "seat", "resume", "watch", "subflow")  # of a hello: what opens something

# What ends a connection -> its close code
CLOSES = {
    "SERVER_DRAINING": 1001, "TEXT_MESSAGE": 1003, "WIRE_MALFORMED": 4400, "UNAUTHORIZED": 4401, "SESSION_GONE": 4404,
    "NO_COMMON_FORMAT": 4406, "HELLO_LATE": 4408, "SEAT_GONE": 4410, "UNEXPECTED_MESSAGE": 4412, "WIRE_VERSION": 4426,
    "TOO_MANY_MESSAGES": 4429, "SERVER_FAILED": 4500, "SERVER_FULL": 4503,
}  # fmt: skip


class RefusedError(Exception):
    """What a client is told: `code`, and a sentence. Those of CLOSES end the connection."""

    def __init__(self, code: str, sentence: str):
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


@dataclass(frozen=True)
class Heard:
    """A client's message. Which fields count is up to its type; `body` is a dict."""

    type: str
    request: int = 0
    code: int = 0
    sequence: int = 0
    ms: float = 0.0
    mode: str = ""
    body: dict | None = None


@dataclass(frozen=True)
class Frame:
    """`request` 0: of realtime play. `queue`, `student`, `encode` are milliseconds."""

    request: int
    epoch: int
    sequence: int
    tick: int
    skipped: int
    echo: float
    queue: float
    student: float
    encode: float
    reward: float
    done: bool
    format: str
    payload: bytes


def kind_of(data: bytes) -> str:
    """What a client's bytes claim to be, before they are read. Raises RefusedError where they are no message of a
    client, or too large for their kind."""
    if not data or data[0] not in CLIENT:
        what = f"no message of this direction has number {data[0]}" if data else "it is empty"
        raise _malformed("unknown", what)
    name, most, _ = CLIENT[data[0]]
    if len(data) > most:
        raise _malformed(name, f"it has {len(data)} bytes, and at most {most} are allowed")
    return name


def read(data: bytes) -> Heard:
    """A client's message. Raises RefusedError: WIRE_MALFORMED or WIRE_VERSION."""
    name = kind_of(data)
    layout = CLIENT[data[0]][2]
    if layout is None:
        return _hello(data) if name == "hello" else _with_body(name, data)
    if len(data) != 1 + layout.size:
        raise _malformed(name, f"it has {len(data)} bytes, but {1 + layout.size} are needed")
    values = layout.unpack_from(data, 1)
    if name == "action":
        return Heard(name, code=values[0], sequence=values[1], ms=_time(name, values[2]))
    if name == "step":
        return Heard(name, _request(name, values[1]), code=values[0], ms=_time(name, values[2]))
    if name == "ack":
        return Heard(name, sequence=values[0])
    if name == "heartbeat":
        return Heard(name, ms=_time(name, values[0]))
    if name == "bye":
        return Heard(name)
    request = _request(name, values[0])
    if name == "snapshot":
        return Heard(name, request)
    if values[1] >= len(MODES):
        raise _malformed(name, f"there is no mode {values[1]}")
    return Heard(name, request, mode=MODES[values[1]])


def welcome(world: dict, form: str) -> bytes:
    """`world`: as in `welcomeBody` of messages.ts."""
    # There are no latents, but the wire wants a shape. Epoch 0 tells who lost a connection that nothing was kept.
    body = {"world": world, "latent": {"tokens": 1, "channels": 1}, "format": form, "resumed": False, "epoch": 0}
    return bytes([WELCOME, VERSION]) + msgpack.packb(body)


def frame(made: Frame) -> bytes:
    flags = HAS_REWARD | HAS_DONE | (IS_DONE if made.done else 0)
    head = (FRAME, flags, FORMATS.index(made.format), 1)
    counts = (made.request, made.epoch, made.sequence, made.tick, made.skipped)
    times = (made.echo, made.queue, made.student, made.encode)
    return FRAME_HEADER.pack(*head, *counts, *times, made.reward, len(made.payload)) + made.payload


def result(request: int) -> bytes:
    return struct.pack("<BI", RESULT, request)


def error(request: int, code: str, sentence: str) -> bytes:
    """`request` 0: the connection ends."""
    body = {"code": code, "message": sentence[:LONGEST_SENTENCE]}
    return struct.pack("<BI", ERROR, request) + msgpack.packb(body)


def pong(ms: float) -> bytes:
    return struct.pack("<Bd", PONG, ms)


def _hello(data: bytes) -> Heard:
    if len(data) < 2:
        raise _malformed("hello", "it ends after 1 bytes")
    if data[1] != VERSION:
        raise RefusedError(
            "WIRE_VERSION",
            f"This end speaks version {VERSION} of the wire, but version {data[1]} came. Update the older of the two.",
        )
    body = _body("hello", data[2:])
    formats = body.get("formats")
    fits = isinstance(formats, list) and 1 <= len(formats) <= len(FORMATS)
    if not fits or any(form not in FORMATS for form in formats):
        raise _malformed("hello", f"formats: some of {', '.join(FORMATS)} were expected")
    if body.get("mode") not in MODES:
        raise _malformed("hello", f"mode: one of {', '.join(MODES)} was expected")
    _texts("hello", body, {"decoderHash": 100} | dict.fromkeys(KEYS, LONGEST_SECRET))
    return Heard("hello", body=body)


def _with_body(name: str, data: bytes) -> Heard:
    if len(data) < 5:
        raise _malformed(name, f"it ends after {len(data)} bytes")
    request = _request(name, struct.unpack_from("<I", data, 1)[0])
    if name == "restore":
        # Not even unpacked: whatever it holds, no environment can be put back, and a megabyte costs nothing so.
        return Heard(name, request)
    body = _body(name, data[5:])
    if name == "prompt":
        _prompt(name, body)
        return Heard(name, request, body=body)
    seed = body.get("seed")
    whole = isinstance(seed, int | float) and not isinstance(seed, bool) and 0 <= seed <= LARGEST_SEED
    if not whole or seed != int(seed):
        raise _malformed(name, "seed: a whole number from 0 on was expected")
    if "prompt" in body:
        words = body["prompt"]
        _prompt(name, {"text": words} if isinstance(words, str) else words)
    _texts(name, body, {"start": 100})
    return Heard(name, request, body=body | {"seed": int(seed)})


def _prompt(name: str, body: object) -> None:
    text = body.get("text") if isinstance(body, dict) else None
    if not isinstance(text, str) or len(text) > 1000:
        raise _malformed(name, "text: a string of at most 1000 characters was expected")


def _texts(name: str, body: dict, most: dict[str, int]) -> None:
    """Raises RefusedError where an optional text is none, empty, or longer than `most` says."""
    for key, longest in most.items():
        if key in body and not (isinstance(body[key], str) and 1 <= len(body[key]) <= longest):
            raise _malformed(name, f"{key}: a string of 1 to {longest} characters was expected")


def _body(name: str, packed: bytes) -> dict:
    """A structured body without the keys that are undefined."""
    try:
        body = msgpack.unpackb(packed, ext_hook=_extension, max_array_len=MOST_ITEMS, max_map_len=MOST_ITEMS // 2)
    except Exception as cause:  # msgpack raises a family of its own, and ValueError
        raise _malformed(name, "its body is not msgpack") from cause
    if not isinstance(body, dict) or not all(isinstance(key, str) for key in body):
        raise _malformed(name, "its body: a map was expected")
    if _items(body) > MOST_ITEMS:
        raise _malformed(name, f"its body has more than {MOST_ITEMS} keys, values and elements")
    return {key: value for key, value in body.items() if value is not _UNDEFINED}


_UNDEFINED = object()


def _extension(kind: int, data: bytes) -> object:
    if kind == UNDEFINED:
        return _UNDEFINED
    if kind != TYPED or len(data) > 1 + 8 * MOST_FLOATS:
        raise ValueError(f"no message has the extension {kind}")
    return data


def _items(body: object) -> int:
    """Keys, values and elements, the body itself among them."""
    open_, count = [body], 0
    while open_ and count <= MOST_ITEMS:
        value = open_.pop()
        count += 1
        if isinstance(value, dict):
            count += len(value)
            open_.extend(value.values())
        elif isinstance(value, list):
            open_.extend(value)
    return count


def _request(name: str, request: int) -> int:
    if request == 0:
        raise _malformed(name, "a request is numbered from 1 on, but 0 came")
    return request


def _time(name: str, ms: float) -> float:
    if not math.isfinite(ms):
        raise _malformed(name, f"a number is {ms}")
    return ms


def _malformed(name: str, what: str) -> RefusedError:
    sentence = f'The message "{name}" cannot be read: {what[:300]}. Check that both ends run the same build.'
    return RefusedError("WIRE_MALFORMED", sentence)
