"""What processes of ours owe each other."""

from __future__ import annotations

import ctypes
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1  # of Linux's prctl


def die_with_parent() -> None:
    """This process is asked to end when the one that began it does, also by a kill. Nothing where this is no Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
