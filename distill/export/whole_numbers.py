"""Weights of a graph as whole numbers: int8 with a scale for each channel, behind a Cast and a Mul, which ONNX Runtime
folds away at load. A quarter of the download of float32, float32 arithmetic, and a rounding that is visible in metrics
but hardly in a picture."""

from __future__ import annotations

import copy

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

MOST = 127
ABOVE = 256  # weights with fewer numbers stay as they are


def rounded(weight: Tensor) -> Tensor:
    """A weight [channels,...] of which every channel is whole numbers from -127 to 127 times a scale, the largest of
    them at the end. The scale has few digits, so that it can be found again exactly."""
    rows = weight.float().flatten(1)
    largest, at = rows.abs().max(1, keepdim=True)
    scale = (largest / MOST).to(torch.bfloat16).float().clamp(min=2.0**-40)
    whole = (rows / scale).round().clamp(-MOST, MOST)
    whole.scatter_(1, at, MOST * rows.gather(1, at).sign())
    return (whole * scale).reshape(weight.shape)


def round_to_whole_numbers(module: nn.Module) -> nn.Module:
    """A copy of which large weights of two and more dimensions are `rounded`, but for the instruments'."""
    module = copy.deepcopy(module).float().eval()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.ndim > 1 and parameter.numel() > ABOVE and ".instruments." not in f".{name}.":
                parameter.copy_(rounded(parameter))
    return module


def whole_numbers_in(values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Whole numbers and scales that make exactly these values, the scales along any one axis; None where none do."""
    for axis in range(values.ndim):
        others = tuple(other for other in range(values.ndim) if other != axis)
        largest = np.abs(values).max(axis=others, keepdims=True)
        scale = np.where(largest > 0, largest / np.float32(MOST), np.float32(1))
        whole = np.rint(values / scale)
        if np.array_equal((whole.astype(np.float32) * scale).astype(np.float32), values):
            return whole.astype(np.int8), scale.astype(np.float32)
    return None


def whole_number_initializers(model: onnx.ModelProto) -> None:
    """Large float32 weights -> int8, a Cast and a Mul, where that loses nothing."""
    graph = model.graph
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size <= ABOVE or values.ndim < 2:
            continue
        found = whole_numbers_in(values)
        if found is None:
            continue
        name = tensor.name
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(found[0], f"{name}.whole"))
        graph.initializer.append(numpy_helper.from_array(found[1], f"{name}.scale"))
        cast = helper.make_node("Cast", [f"{name}.whole"], [f"{name}.float"], f"{name}.cast", to=TensorProto.FLOAT)
        scale = helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [name], f"{name}.mul")
        graph.node.insert(0, scale)
        graph.node.insert(0, cast)
