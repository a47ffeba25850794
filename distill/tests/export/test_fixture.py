"""The tiny world that TypeScript tests play is what its script writes, and keeps the graph contract."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from distill.export import fixture

COMMITTED = Path(__file__).parents[3] / "e2e/fixtures/tiny"
# Ops that the WebGPU provider of ONNX Runtime 1.30 would hand back to the CPU.
OFF_THE_GPU = {
    "Round",
    "QuantizeLinear",
    "SpaceToDepth",
    "RandomNormalLike",
    "Hardmax",
    "Attention",
    "GroupNormalization",
}


def test_committed_manifest_is_what_the_script_writes(tmp_path):
    fixture.write(tmp_path)
    assert json.loads((tmp_path / "world.json").read_text()) == json.loads((COMMITTED / "world.json").read_text())


@pytest.mark.parametrize("name", ["student.onnx", "decoder.onnx"])
def test_graphs_stay_on_the_gpu(name):
    graph = onnx.load(COMMITTED / name).graph
    assert not OFF_THE_GPU & {node.op_type for node in graph.node}


def test_every_input_moves_the_latent_and_batches_are_independent():
    session = onnxruntime.InferenceSession(COMMITTED / "student.onnx", providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    shapes = {i.name: [2, *i.shape[1:]] for i in session.get_inputs()}
    feeds = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    feeds["prompt"] /= np.linalg.norm(feeds["prompt"], axis=1, keepdims=True)
    (both,) = session.run(["latent"], feeds)
    (second,) = session.run(["latent"], {name: value[1:] for name, value in feeds.items()})
    np.testing.assert_allclose(both[1], second[0], atol=1e-5)
    for name, value in feeds.items():
        (moved,) = session.run(["latent"], feeds | {name: value[::-1].copy()})
        assert np.abs(moved - both).max() > 1e-2, name
