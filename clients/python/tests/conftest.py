"""Worlds that ship, opened once for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import oneiro

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def drive_folder() -> Path:
    return ROOT / "assets" / "drive"


@pytest.fixture(scope="session")
def buttons_folder() -> Path:
    """A world that is no drive: no words, no telemetry, no task."""
    return ROOT / "contract" / "buttons"


@pytest.fixture(scope="module")
def drive(drive_folder: Path) -> Iterator[oneiro.World]:
    with oneiro.open_world(drive_folder) as world:
        yield world


@pytest.fixture(scope="module")
def buttons(buttons_folder: Path) -> Iterator[oneiro.World]:
    with oneiro.open_world(buttons_folder) as world:
        yield world
