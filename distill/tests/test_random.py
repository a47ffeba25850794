"""The generator against Random123's published answers and against the vectors that TypeScript is tested with."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from distill.random import normals, philox, uniforms

GOLDEN = json.loads((Path(__file__).parents[2] / "src/engine/random.golden.json").read_text())


@pytest.mark.parametrize(
    ("key", "counter", "words"),
    [
        ("00000000 00000000", "00000000 00000000 00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff", "ffffffff ffffffff ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("a4093822 299f31d0", "243f6a88 85a308d3 13198a2e 03707344", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_answers_random123(key, counter, words):
    def parse(text):
        return [int(word, 16) for word in text.split()]

    assert philox(parse(key), parse(counter)).tolist() == parse(words)


@pytest.mark.parametrize("row", GOLDEN["philox"])
def test_philox_golden(row):
    assert philox(row["key"], row["counter"]).tolist() == row["words"]


@pytest.mark.parametrize("row", GOLDEN["uniforms"])
def test_uniforms_golden(row):
    values = uniforms(row["seed"], row["tick"], row["stream"], len(row["values"]))
    assert values.tolist() == row["values"]


@pytest.mark.parametrize("row", GOLDEN["normals"])
def test_normals_golden(row):
    values = normals(row["seed"], row["tick"], row["stream"], len(row["values"]))
    assert values.tolist() == row["values"]


def test_every_normal_there_is():
    digest = hashlib.sha256(normals(7, 1, 0, 65536).tobytes()).hexdigest()
    assert digest == GOLDEN["normalsDigest"]


def test_normals_from_a_number_on_are_those_of_the_whole_stream():
    whole = normals(7, 3, 1, 50)
    for first, count in [(0, 3), (3, 2), (7, 9), (49, 1)]:
        assert np.array_equal(normals(7, 3, 1, count, first), whole[first : first + count])


def test_a_batch_equals_its_rows():
    seeds, ticks = np.array([3, 2**40 + 1]), np.array([5, 6])
    batch = normals(seeds, ticks, 1, 10)
    assert batch.shape == (2, 10)
    for seed, tick, row in zip(seeds, ticks, batch, strict=True):
        assert np.array_equal(normals(int(seed), int(tick), 1, 10), row)


def test_normals_are_standard():
    draws = normals(7, 3, 0, 200_000).astype(np.float64)
    # Five standard errors of each moment.
    assert abs(draws.mean()) < 5 / np.sqrt(draws.size)
    assert abs((draws**2).mean() - 1) < 5 * np.sqrt(2 / draws.size)
    assert abs((draws**4).mean() - 3) < 5 * np.sqrt(96 / draws.size)


@pytest.mark.parametrize("place", [(-1, 0, 0), (2**53, 0, 0), (0.5, 0, 0), (0, -1, 0), (0, 2**32, 0), (0, 0, 2**32)])
def test_refuses_what_it_cannot_count(place):
    with pytest.raises(ValueError, match="is an integer from 0"):
        normals(*place, 4)
