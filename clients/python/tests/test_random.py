"""Philox against the golden vectors of src/engine."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from oneiro.random import normals, philox, tick_noise

GOLDEN = json.loads((Path(__file__).resolve().parents[3] / "src/engine/random.golden.json").read_text())


@pytest.mark.parametrize("row", GOLDEN["philox"])
def test_philox(row):
    assert philox(row["key"], row["counter"]).tolist() == row["words"]


@pytest.mark.parametrize("row", GOLDEN["normals"])
def test_normals(row):
    (values,) = normals([row["seed"]], [row["tick"]], row["stream"], len(row["values"]))
    assert values.tolist() == row["values"]


def test_every_normal_there_is():
    (values,) = normals([7], [1], 0, 65536)
    assert hashlib.sha256(values.tobytes()).hexdigest() == GOLDEN["normalsDigest"]


def test_many_seeds_at_once_are_each_alone_and_what_is_not_used_is_zero():
    seeds, ticks = np.array([3, 2**53 - 1]), np.array([5, 6])
    together = tick_noise(seeds, ticks, 24, [(8, 4), (0, 24)])
    assert together.shape == (2, 2, 24)
    for i in range(2):
        assert np.array_equal(together[i, 0, 8:12], normals(seeds[[i]], ticks[[i]], 0, 4, 8)[0])
        assert np.array_equal(together[i, 1], normals(seeds[[i]], ticks[[i]], 1, 24)[0])
    assert not together[:, 0, :8].any() and not together[:, 0, 12:].any()
