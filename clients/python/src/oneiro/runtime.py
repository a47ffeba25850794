"""ONNX Runtime on the processor, with the session options that Node has: so the bits are the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray

from oneiro.errors import BackendError


def open_session(graph: bytes, which: str, threads: int) -> onnxruntime.InferenceSession:
    """A session of a graph; threads that wait do not spin. Raises BackendError."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as cause:  # ONNX Runtime's own have no base of theirs
        raise BackendError(f"making the {which}'s session", cause) from cause


def run_session(
    session: onnxruntime.InferenceSession, which: str, output: str, feeds: Mapping[str, NDArray[Any]]
) -> NDArray[np.float32]:
    """One output of a graph, an array of the caller's own. Raises BackendError."""
    try:
        (found,) = session.run([output], {name: np.ascontiguousarray(value) for name, value in feeds.items()})
    except Exception as cause:  # ONNX Runtime's own have no base of theirs
        raise BackendError(f"running the {which}", cause) from cause
    if not isinstance(found, np.ndarray) or found.dtype != np.float32:
        raise BackendError(f"reading the {which}", f'its output "{output}" is no float32')
    return found
