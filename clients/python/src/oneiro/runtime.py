"""ONNX Runtime on the processor, with the session options that Node has: so the bits are the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from oneiro.errors import BackendError

_FAULTS = tuple(
    error
    for error in vars(onnxruntime.capi.onnxruntime_pybind11_state).values()
    if isinstance(error, type) and issubclass(error, Exception)
)


def open_session(graph: bytes, which: str, threads: int) -> onnxruntime.InferenceSession:
    """A session of a graph; threads that wait do not spin. Raises BackendError."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except (*_FAULTS, RuntimeError, ValueError) as cause:
        raise BackendError(f"making the {which}'s session", cause) from cause


def run_session(
    session: onnxruntime.InferenceSession, which: str, output: str, feeds: Mapping[str, NDArray[Any]]
) -> NDArray[np.float32]:
    """One output of a graph, an array of the caller's own. Raises BackendError."""
    try:
        return session.run([output], {name: np.ascontiguousarray(value) for name, value in feeds.items()})[0]
    except (*_FAULTS, RuntimeError, ValueError) as cause:
        raise BackendError(f"running the {which}", cause) from cause
