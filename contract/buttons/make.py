"""The world "buttons": lamps that three buttons light, and nothing else. No road, no prompt, no instruments, no task.

    .venv/bin/python contract/buttons/make.py

It is the smallest world that Oneiro plays, and the proof that nothing in the engine knows a drive. A latent is a lamp a
cell: red, green, blue and a shade. A tick dims every lamp, adds the colours of the buttons that are held, and flickers.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save

HERE = Path(__file__).parent
sys.path.append(str(HERE.parents[1]))

from distill.export.frame_sample import frame_sample  # noqa: E402
from distill.random import normals  # noqa: E402

ROWS, COLUMNS, PATCH = 3, 4, 16
TOKENS, CHANNELS = ROWS * COLUMNS, 4
OFFSETS = [1, 2]
BUTTONS = [("red", "KeyJ"), ("green", "KeyK"), ("blue", "Space")]
ACTIONS, ACTION_DIMS, NOISES = 2, 2 * len(BUTTONS), 2  # one-hot: off, on
SEED = 20261128


class Graph:
    """Collects nodes and weights; `op` returns the name of its output."""

    def __init__(self):
        self.nodes, self.weights = [], []

    def weight(self, value, dtype=np.float32) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype), name))
        return name

    def op(self, kind: str, *inputs: str, out: str | None = None, **attributes) -> str:
        name = out or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def first(self, x: str, at: int) -> str:
        """x[:, at]"""
        start, end, axis = (self.weight(np.array([n]), np.int64) for n in (at, at + 1, 1))
        return self.op("Squeeze", self.op("Slice", x, start, end, axis), axis)

    def scaled(self, x: str, by: float) -> str:
        return self.op("Mul", x, self.weight(np.array(by)))

    def shaped(self, x: str, *shape: int) -> str:
        return self.op("Reshape", x, self.weight(np.array(shape), np.int64))

    def model(self, inputs: dict[str, list], outputs: dict[str, list]) -> bytes:
        def values(shapes: dict[str, list]) -> list:
            return [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", *s]) for n, s in shapes.items()]

        graph = helper.make_graph(self.nodes, "oneiro", values(inputs), values(outputs), self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)


def student() -> bytes:
    g = Graph()
    light = np.zeros((ACTIONS, len(BUTTONS), 2, TOKENS, CHANNELS))  # of each button, off and on, in each cell
    for button in range(len(BUTTONS)):
        light[0, button, 1, :, button] = np.linspace(0.6, 1.4, TOKENS)
        light[1, button, 1, :, 3] = 0.2
    keys = g.shaped("actions", 0, ACTIONS * ACTION_DIMS)
    lit = g.op("MatMul", keys, g.weight(light.reshape(ACTIONS * ACTION_DIMS, TOKENS * CHANNELS)))
    before = g.op("Add", g.scaled(g.first("history", 0), 0.8), g.scaled(g.first("history", 1), 0.05))
    noise = g.scaled(g.op("Add", g.first("noise", 0), g.first("noise", 1)), 0.08)
    moved = g.op("Add", g.op("Add", before, noise), g.shaped(lit, 0, TOKENS, CHANNELS))
    g.op("Mul", g.op("Tanh", g.scaled(moved, 0.5)), g.weight(np.array(2.0)), out="latent")
    return g.model(
        {
            "history": [len(OFFSETS), TOKENS, CHANNELS],
            "actions": [ACTIONS, ACTION_DIMS],
            "noise": [NOISES, TOKENS, CHANNELS],
        },
        {"latent": [TOKENS, CHANNELS]},
    )


def decoder() -> bytes:
    """A round lamp in every cell; the shade is that of its middle."""
    g = Graph()
    y, x = (np.mgrid[0:PATCH, 0:PATCH] + 0.5) / PATCH - 0.5
    lamp = np.exp(-8 * (x * x + y * y))
    matrix = np.zeros((CHANNELS, PATCH, PATCH, 3))
    for colour in range(3):
        matrix[colour, :, :, colour] = 1.5 * lamp
    matrix[3] = (lamp**3)[..., None]
    cells = g.op("MatMul", "latent", g.weight(matrix.reshape(CHANNELS, -1)))
    grid = g.shaped(cells, -1, ROWS, COLUMNS, PATCH, PATCH, 3)
    rows = g.op("Transpose", grid, perm=[0, 1, 3, 2, 4, 5])
    rgb = g.op("Sigmoid", g.shaped(rows, -1, ROWS * PATCH, COLUMNS * PATCH, 3))
    start, end, axis = (g.weight(np.array([n]), np.int64) for n in (0, 1, 3))
    alpha = g.op("Add", g.scaled(g.op("Slice", rgb, start, end, axis), 0.0), g.weight(np.array(1.0)))
    g.op("Concat", rgb, alpha, out="frame", axis=3)
    return g.model({"latent": [TOKENS, CHANNELS]}, {"frame": [ROWS * PATCH, COLUMNS * PATCH, 4]})


def main() -> None:
    rng = np.random.default_rng(SEED)
    off = np.tile([1, 0], len(BUTTONS)).astype(np.float32)
    starts = {
        "latents": rng.standard_normal((2, max(OFFSETS), TOKENS, CHANNELS)).astype(np.float32),
        "actions": np.tile(off, (2, ACTIONS - 1, 1)).astype(np.float32),
    }
    files = {"student.onnx": student(), "decoder.onnx": decoder(), "starts.safetensors": save(starts)}
    for name, data in files.items():
        (HERE / name).write_bytes(data)
    described = {
        name.split(".")[0]: {"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files.items()
    }
    session = onnxruntime.InferenceSession(files["student.onnx"], providers=["CPUExecutionProvider"])
    noise = normals(SEED, 1, np.arange(NOISES), TOKENS * CHANNELS).reshape(1, NOISES, TOKENS, CHANNELS)
    feeds = {
        "history": starts["latents"][None, 0, [offset - 1 for offset in OFFSETS]],
        "actions": np.stack([off, *starts["actions"][0]])[None],
        "noise": noise.astype(np.float32),
    }
    (latent,) = session.run(["latent"], feeds)
    decoder_session = onnxruntime.InferenceSession(files["decoder.onnx"], providers=["CPUExecutionProvider"])
    (frames,) = decoder_session.run(["frame"], {"latent": latent})
    hashes = described["student"]["sha256"] + described["decoder"]["sha256"]
    manifest = {
        "format": "oneiro-world",
        "version": 1,
        "id": "buttons",
        "title": "Buttons",
        "license": "Apache-2.0",
        "frame": {"width": COLUMNS * PATCH, "height": ROWS * PATCH},
        "ticksPerSecond": 20,
        "latent": {"tokens": TOKENS, "channels": CHANNELS},
        "history": {"offsets": OFFSETS},
        "controls": [
            {"name": name, "kind": "button", "keys": [key], "pad": [f"button{i}"]}
            for i, (name, key) in enumerate(BUTTONS)
        ],
        "actions": {"count": ACTIONS, "dims": ACTION_DIMS, "encoding": "one-hot"},
        "student": {"outerSteps": NOISES - 1},
        "files": described,
        "starts": [{"id": "dim", "index": 0}, {"id": "bright", "index": 1}],
        "selfTest": {
            "seed": SEED,
            "latentSample": [float(v) for v in latent.ravel()[:8]],
            "tolerance": 1e-3,
            "frame": frame_sample(frames[0]),
        },
        "modelHash": hashlib.sha256(hashes.encode()).hexdigest(),
    }
    (HERE / "world.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
