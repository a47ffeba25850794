"""A payload back to a latent: the reading half of `src/net/protocol/latents.ts` and `range-coder.ts`.

Plain Python, some 10,000 numbers a frame, so the loops are written out: a call for each bit costs half as much again.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from oneiro.errors import WireMalformedError
from oneiro.files import Floats

_TOKENS, _GRID = 2, 3
_HEADER = 6
_TELEMETRY_CODE = 64
_MOST_BITS = 20
_AROUND, _BEFORE = 7, 4
_TOP = 1 << 24

#: Zeros and ones counted: of each question whether a number has more bits, and of the bit below its first.
Odds = tuple[list[list[int]], list[list[int]]]


def unpack_latent(payload: bytes, tokens: int, channels: int, columns: int | None, telemetry: int) -> Floats:
    """float32 [T,C]. `columns`: cells in a row, where the tokens before those of `telemetry` readings are a grid.

    Raises WireMalformedError where it is no latent of this shape.
    """
    if len(payload) < _HEADER + channels or payload[0] != (_GRID if columns else _TOKENS):
        raise _malformed(f"{len(payload)} bytes are no latent of {tokens}x{channels}")
    shape = struct.unpack_from("<HH", payload, 2)
    if shape != (tokens, channels):
        raise _malformed(f"it is {shape[0]}x{shape[1]}, not {tokens}x{channels}")
    codes = payload[_HEADER : _HEADER + channels]
    number, bits = _reader(payload[_HEADER + channels :])
    steps = 2.0 ** ((np.frombuffer(codes, np.uint8).astype(np.float64) - 128) / 8)
    if not columns:
        classes: dict[int, Odds] = {}
        rows = [[number(classes.setdefault(code >> 2, _odds())) for _ in range(tokens)] for code in codes]
        return (np.array(rows, np.float64) * steps[:, None]).T.astype(np.float32)
    cells = tokens - -(-telemetry // channels)
    grid, rest = _grid(number, bits, channels, cells, columns, (tokens - cells) * channels)
    latent = np.empty((tokens, channels), np.float32)
    latent[:cells] = (np.array(grid, np.float64) * steps[:, None]).T
    latent[cells:] = (np.array(rest, np.float64) * 2.0 ** ((_TELEMETRY_CODE - 128) / 8)).reshape(-1, channels)
    return latent


def _grid(
    number: Callable[[Odds], int],
    bits: Callable[[int], int],
    channels: int,
    cells: int,
    columns: int,
    rest: int,
) -> tuple[list[list[int]], list[int]]:
    """Numbers of steps [C][cells], then those of telemetry."""
    contexts = [_odds() for _ in range(_AROUND * _BEFORE)]
    before, before_that = [0] * cells, [0] * cells
    grid = []
    for _ in range(channels):
        channel, sizes = [0] * cells, [0] * cells
        predicted = bits(1)
        for i in range(cells):
            x = i % columns
            left = i - 1 if x else -1
            up = i - columns
            west = sizes[left] if x else 0
            around = 2 * west
            if up >= 0:
                around += 2 * sizes[up] + (sizes[up - 1] if x else 0) + (sizes[up + 1] if x < columns - 1 else 0)
            place = min(_AROUND - 1, around.bit_length()) * _BEFORE
            place += min(_BEFORE - 1, (before[i] + before_that[i]).bit_length())
            found = number(contexts[place])
            sizes[i] = abs(found)
            if predicted:
                if up < 0:
                    found += channel[left] if x else 0
                elif not x:
                    found += channel[up]
                else:
                    found += _median(channel[left], channel[up], channel[up - 1])
            channel[i] = found
        grid.append(channel)
        before, before_that = sizes, before
    telemetry = _odds()
    return grid, [number(telemetry) for _ in range(rest)]


def _median(west: int, north: int, corner: int) -> int:
    """The smaller, the larger or the plane through the three (MED of LOCO-I)."""
    low, high = (west, north) if west < north else (north, west)
    if corner >= high:
        return low
    return high if corner <= low else west + north - corner


def _odds() -> Odds:
    return [[0, 0] for _ in range(_MOST_BITS)], [[0, 0] for _ in range(_MOST_BITS + 1)]


def _reader(data: bytes) -> tuple[Callable[[Odds], int], Callable[[int], int]]:
    """Of a range coder's bytes: what reads a number by its odds, and so many bits that are all as likely."""
    code = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
    width = 0xFFFFFFFF
    at, end = 4, len(data)

    def bit(odds: list[int]) -> int:
        nonlocal code, width, at
        zeros, ones = odds
        share = ((2 * zeros + 1) * 4096) // (2 * (zeros + ones) + 2)
        bound = (width >> 12) * (32 if share < 32 else 4064 if share > 4064 else share)
        if code < bound:
            width, answer = bound, 0
        else:
            code -= bound
            width -= bound
            answer = 1
        while width < _TOP:
            width <<= 8
            code = ((code << 8) | (data[at] if at < end else 0)) & 0xFFFFFFFF
            at += 1
        odds[answer] += 1
        if zeros + ones + 1 >= 250:
            odds[0] >>= 1
            odds[1] >>= 1
        return answer

    def bits(count: int) -> int:
        nonlocal code, width, at
        value = 0
        for _ in range(count):
            bound = width >> 1
            value <<= 1
            if code < bound:
                width = bound
            else:
                code -= bound
                width -= bound
                value |= 1
            while width < _TOP:
                width <<= 8
                code = ((code << 8) | (data[at] if at < end else 0)) & 0xFFFFFFFF
                at += 1
        return value

    def number(odds: Odds) -> int:
        longer, second = odds
        length = 0
        while length < _MOST_BITS and bit(longer[length]):
            length += 1
        if length == 0:
            return 0
        negative = bits(1)
        size = 1
        if length > 1:
            size = ((2 + bit(second[length])) << (length - 2)) + bits(length - 2)
        return -size if negative else size

    return number, bits


def _malformed(what: str) -> WireMalformedError:
    return WireMalformedError("frame", what)
