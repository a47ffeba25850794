"""The tiny world that tests play: random weights, the real graph contract, no training and no torch.

    python -m distill.export.fixture [--out e2e/fixtures/tiny]

Same names, shapes, files and manifest as a shipped world, at a hundredth of the compute: one attention block of width
48. The latent is a contraction of the last one plus a bounded change, so 10,000 ticks stay finite. The picture is a
colour field: it means nothing, but every input (history, action, prompt, noise) moves it. The same command gives the
same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save

from distill.export.frame_sample import frame_sample
from distill.random import normals
from distill.runtime import onnx_session

ROWS, COLUMNS, PATCH = 6, 10, 16
TOKENS, CHANNELS = ROWS * COLUMNS, 32
OFFSETS = [1, 2, 3, 6, 10, 16]
ACTIONS, ACTION_DIMS, PROMPT_DIM, OUTER_STEPS = 4, 2, 384, 1
WIDTH, HEADS = 48, 2
HEAD_WIDTH = WIDTH // HEADS
STARTS = [("first-light", "a quiet first light"), ("high-noon", "a bright high noon"), ("last-light", "the last light")]
PRESETS = ["a clear noon in the meadow", "a snowy night drive", "fog at dawn in the forest"]
SELF_TEST_SEED = 20261122
CONTROLS = Path(__file__).parents[2] / "contract/drive/controls.json"


class Graph:
    """Collects nodes and weights; every method returns the name of its output."""

    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.weights, self.count = [], [], 0

    def weight(self, value: np.ndarray, dtype=np.float32) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype), f"w{len(self.weights)}"))
        return self.weights[-1].name

    def op(self, kind: str, *inputs: str, out: str | None = None, **attributes) -> str:
        self.count += 1
        name = out or f"t{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def linear(self, x: str, fan_in: int, fan_out: int, gain: float = 1.0, matrix: np.ndarray | None = None) -> str:
        if matrix is None:
            matrix = self.rng.standard_normal((fan_in, fan_out)) * gain / fan_in**0.5
        return self.op("MatMul", x, self.weight(matrix))

    def norm(self, x: str) -> str:
        scale, bias = self.weight(np.ones(WIDTH)), self.weight(np.zeros(WIDTH))
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-5)

    def reshape(self, x: str, *shape: int, out: str | None = None) -> str:
        return self.op("Reshape", x, self.weight(np.array(shape), np.int64), out=out)

    def index(self, x: str, axis: int, at: int) -> str:
        """x[..., at, ...] without that axis: Slice and Reshape are on every backend with float data."""
        start, end, axes = (self.weight(np.array([n]), np.int64) for n in (at, at + 1, axis))
        return self.op("Squeeze", self.op("Slice", x, start, end, axes), axes)

    def model(self, inputs: dict[str, list], outputs: dict[str, list]) -> bytes:
        def values(shapes: dict[str, list]) -> list:
            return [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()]

        graph = helper.make_graph(self.nodes, "oneiro", values(inputs), values(outputs), self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)


def student() -> bytes:
    g = Graph(seed=1)
    recent = g.op("Transpose", "history", perm=[0, 2, 1, 3])
    x = g.linear(g.reshape(recent, 0, TOKENS, len(OFFSETS) * CHANNELS), len(OFFSETS) * CHANNELS, WIDTH)
    for k in range(1 + OUTER_STEPS):
        x = g.op("Add", x, g.linear(g.index("noise", 1, k), CHANNELS, WIDTH, gain=0.3))
    x = g.op("Add", x, g.weight(g.rng.standard_normal((TOKENS, WIDTH)) * 0.3))
    # A unit-norm prompt has elements of about 1/sqrt(384): its gain makes up for that.
    words = g.linear("prompt", PROMPT_DIM, WIDTH, gain=PROMPT_DIM**0.5)
    keys = g.linear(g.reshape("actions", 0, ACTIONS * ACTION_DIMS), ACTIONS * ACTION_DIMS, WIDTH)
    x = g.op("Add", x, g.reshape(g.op("Add", words, keys), 0, 1, WIDTH))

    h = g.norm(x)
    heads = [
        g.op("Transpose", g.reshape(g.linear(h, WIDTH, WIDTH), 0, TOKENS, HEADS, HEAD_WIDTH), perm=perm)
        for perm in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])
    ]
    scores = g.op("Mul", g.op("MatMul", heads[0], heads[1]), g.weight(np.array(HEAD_WIDTH**-0.5)))
    mixed = g.op("MatMul", g.op("Softmax", scores, axis=-1), heads[2])
    mixed = g.reshape(g.op("Transpose", mixed, perm=[0, 2, 1, 3]), 0, TOKENS, WIDTH)
    x = g.op("Add", x, g.linear(mixed, WIDTH, WIDTH))
    x = g.op("Add", x, g.linear(g.op("Gelu", g.linear(g.norm(x), WIDTH, 2 * WIDTH)), 2 * WIDTH, WIDTH))

    change = g.op("Mul", g.op("Tanh", g.linear(g.norm(x), WIDTH, CHANNELS)), g.weight(np.array(0.4)))
    kept = g.op("Mul", g.index("history", 1, 0), g.weight(np.array(0.8)))
    g.op("Add", kept, change, out="latent")
    return g.model(
        {
            "history": ["batch", len(OFFSETS), TOKENS, CHANNELS],
            "actions": ["batch", ACTIONS, ACTION_DIMS],
            "prompt": ["batch", PROMPT_DIM],
            "noise": ["batch", 1 + OUTER_STEPS, TOKENS, CHANNELS],
        },
        {"latent": ["batch", TOKENS, CHANNELS]},
    )


def decoder() -> bytes:
    """Each channel is a smooth wave over its patch in a random colour."""
    g = Graph(seed=2)
    y, x = np.mgrid[0:PATCH, 0:PATCH] / PATCH
    waves = [np.cos(np.pi * (g.rng.integers(0, 3) * y + g.rng.integers(0, 3) * x)) for _ in range(CHANNELS)]
    colours = g.rng.standard_normal((CHANNELS, 3)) / CHANNELS**0.5
    matrix = np.stack(waves)[..., None] * colours[:, None, None]
    patches = g.linear("latent", CHANNELS, PATCH * PATCH * 3, matrix=matrix.reshape(CHANNELS, -1))
    grid = g.reshape(patches, -1, ROWS, COLUMNS, PATCH, PATCH, 3)
    rows = g.op("Transpose", grid, perm=[0, 1, 3, 2, 4, 5])
    rgb = g.op("Sigmoid", g.reshape(rows, -1, ROWS * PATCH, COLUMNS * PATCH, 3))
    # Alpha 1 of a free batch size, with no shape arithmetic in the graph.
    start, end, axis = (g.weight(np.array([n]), np.int64) for n in (0, 1, 3))
    red = g.op("Slice", rgb, start, end, axis)
    alpha = g.op("Add", g.op("Mul", red, g.weight(np.array(0.0))), g.weight(np.array(1.0)))
    g.op("Concat", rgb, alpha, out="frame", axis=3)
    return g.model(
        {"latent": ["batch", TOKENS, CHANNELS]},
        {"frame": ["batch", ROWS * PATCH, COLUMNS * PATCH, 4]},
    )


def start_states() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    shape = (len(STARTS), max(OFFSETS), TOKENS, CHANNELS)
    drift = np.cumsum(rng.standard_normal(shape) * 0.1, axis=1)
    latents = rng.standard_normal((len(STARTS), 1, TOKENS, CHANNELS)) + drift
    embeddings = rng.standard_normal((len(PRESETS) + len(STARTS), PROMPT_DIM))
    return {
        "latents": latents.astype(np.float16),
        "actions": rng.integers(-1, 2, (len(STARTS), ACTIONS - 1, ACTION_DIMS)).astype(np.float16),
        "promptEmbeddings": (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32),
    }


def first_tick(graph: bytes, starts: dict[str, np.ndarray]) -> np.ndarray:
    """The latent [T,C] one idle tick after start 0 under preset 0."""
    session = onnx_session(graph)
    ring = starts["latents"][0].astype(np.float32)
    actions = np.concatenate([np.zeros((1, ACTION_DIMS)), starts["actions"][0]]).astype(np.float32)
    streams = np.arange(1 + OUTER_STEPS)
    noise = normals(SELF_TEST_SEED, 1, streams, TOKENS * CHANNELS).reshape(-1, TOKENS, CHANNELS)
    feeds = {
        "history": ring[[o - 1 for o in OFFSETS]],
        "actions": actions,
        "prompt": starts["promptEmbeddings"][0],
        "noise": noise,
    }
    (latent,) = session.run(["latent"], {name: value[None] for name, value in feeds.items()})
    return latent[0]


def write(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    starts = start_states()
    (out / "student.onnx").write_bytes(student())
    (out / "decoder.onnx").write_bytes(decoder())
    (out / "starts.safetensors").write_bytes(save(starts))

    def file(name: str) -> dict:
        data = (out / name).read_bytes()
        return {"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    files = {
        "student": file("student.onnx"),
        "decoder": file("decoder.onnx"),
        "starts": file("starts.safetensors"),
    }
    latent = first_tick((out / "student.onnx").read_bytes(), starts)
    (frames,) = onnx_session((out / "decoder.onnx").read_bytes()).run(["frame"], {"latent": latent[None]})
    manifest = {
        "format": "oneiro-world",
        "version": 1,
        "id": "tiny",
        "title": "Tiny",
        "license": "Apache-2.0",
        "frame": {"width": COLUMNS * PATCH, "height": ROWS * PATCH},
        "ticksPerSecond": 20,
        "latent": {"tokens": TOKENS, "channels": CHANNELS},
        "telemetry": [{"name": "speed", "unit": "m/s", "centre": 15, "spread": 7}],
        "history": {"offsets": OFFSETS},
        "controls": json.loads(CONTROLS.read_text()),
        "actions": {"count": ACTIONS, "dims": ACTION_DIMS},
        "prompt": {"dim": PROMPT_DIM, "encoder": "prompt-encoder"},
        "student": {"outerSteps": OUTER_STEPS},
        "files": files,
        "starts": [
            {"id": id, "caption": caption, "index": i, "embedding": len(PRESETS) + i}
            for i, (id, caption) in enumerate(STARTS)
        ],
        "presets": [{"id": text.replace(" ", "-"), "text": text, "embedding": i} for i, text in enumerate(PRESETS)],
        "selfTest": {
            "seed": SELF_TEST_SEED,
            "latentSample": [float(value) for value in latent.ravel()[:8]],
            "tolerance": 1e-3,
            "frame": frame_sample(frames[0]),
        },
        "modelHash": hashlib.sha256((files["student"]["sha256"] + files["decoder"]["sha256"]).encode()).hexdigest(),
    }
    (out / "world.json").write_text(json.dumps(manifest, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the tiny random-weight world that tests play.")
    parser.add_argument("--out", type=Path, default=Path("e2e/fixtures/tiny"))
    write(parser.parse_args().out)


if __name__ == "__main__":
    main()
