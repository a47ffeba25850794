"""The maps of examples/doom, without ViZDoom itself."""

import struct

from examples.doom.plain import plain

TEXT = b"""sidedef { sector = 0; texturemiddle = "BRICK12"; }
sector { texturefloor = "CRATOP1"; textureceiling = "CRATOP1"; heightceiling = 104; }
"""


def wad(**lumps: bytes) -> bytes:
    directory, body = b"", b""
    for name, data in lumps.items():
        directory += struct.pack("<ii8s", 12 + len(body), len(data), name.encode())
        body += data
    return struct.pack("<4sii", b"PWAD", len(lumps), 12 + len(body)) + body + directory


def lumps_of(data: bytes) -> dict[str, bytes]:
    kind, count, at = struct.unpack_from("<4sii", data)
    assert kind == b"PWAD" and at + 16 * count == len(data)
    entries = (struct.unpack_from("<ii8s", data, at + 16 * n) for n in range(count))
    return {name.rstrip(b"\0").decode(): data[start : start + size] for start, size, name in entries}


def test_a_plain_map_is_the_same_one_with_three_colours_for_its_textures(tmp_path):
    path = tmp_path / "a.wad"
    path.write_bytes(wad(MAP01=b"", TEXTMAP=TEXT, SCRIPTS=b'texturefloor = "LEFT"', ENDMAP=b""))
    made = lumps_of(plain(path, wall=92, floor=69, ceiling=106))
    assert list(made)[:4] == ["MAP01", "TEXTMAP", "SCRIPTS", "ENDMAP"]
    assert made["SCRIPTS"] == b'texturefloor = "LEFT"'
    text = made["TEXTMAP"].decode()
    assert "BRICK12" not in text and "CRATOP1" not in text and "heightceiling = 104" in text
    for where, colour in [("middle", 92), ("floor", 69), ("ceiling", 106)]:
        name = text.partition(f'texture{where} = "')[2].partition('"')[0]
        assert made[name] == bytes([colour]) * 64 * 64
    names = list(made)
    assert names.index("F_START") < names.index(name) < names.index("F_END")
