"""A scenario of ViZDoom without textures: its own map, with walls, floor and ceiling of one colour each.

Bricks that slide past are most of what changes in such a picture, and nothing of what decides. A small network that is
asked for both spends itself on the bricks. Rules, monsters and light stay the game's.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

SIDE = 64  # of a flat, in pixels
TEXTURE = re.compile(rb'(texture(middle|floor|ceiling)) = "\w+"')  # in TEXTMAP, a map in the format UDMF
NAMES = {b"middle": b"ONEWALL", b"floor": b"ONEFLOOR", b"ceiling": b"ONECEIL"}


def plain(scenario: Path, wall: int, floor: int, ceiling: int) -> bytes:
    """The WAD of a scenario, drawn in three colours of the palette, 0 to 255."""
    lumps = [(name, _untextured(data) if name == b"TEXTMAP" else data) for name, data in _lumps(scenario.read_bytes())]
    flats = zip(NAMES.values(), (wall, floor, ceiling), strict=True)
    lumps += [(b"F_START", b""), *((name, bytes([colour]) * SIDE**2) for name, colour in flats), (b"F_END", b"")]
    return _wad(lumps)


def _untextured(text: bytes) -> bytes:
    return TEXTURE.sub(lambda found: b'%s = "%s"' % (found[1], NAMES[found[2]]), text)


def _lumps(wad: bytes) -> list[tuple[bytes, bytes]]:
    _, count, at = struct.unpack_from("<4sii", wad)
    entries = [struct.unpack_from("<ii8s", wad, at + 16 * n) for n in range(count)]
    return [(name.rstrip(b"\0"), wad[start : start + size]) for start, size, name in entries]


def _wad(lumps: list[tuple[bytes, bytes]]) -> bytes:
    directory, body = [], b""
    for name, data in lumps:
        directory.append(struct.pack("<ii8s", 12 + len(body), len(data), name))
        body += data
    return struct.pack("<4sii", b"PWAD", len(lumps), 12 + len(body)) + body + b"".join(directory)
