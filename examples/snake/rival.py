"""What a tick costs beside a network of the sizes that nanoOasis states, both on ONNX Runtime here, in turns.

    python -m examples.snake.rival assets/snake --threads 1

nanoOasis dreams a game of one's own too: an autoencoder of 7.6 M parameters and a DiT of 13.5 M at 256x192, four Euler
steps a frame. Its weights are not needed to time it, so they are drawn by chance here. What it does not say is assumed
in its favour: latents of 8x8 pixels, patches of 2x2 of them (192 tokens), earlier frames cost nothing, and of the
autoencoder only a small decoder runs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH, HEIGHT, STRIDE, CHANNELS, PATCH, STEPS = 256, 192, 8, 16, 2, 4


class Block(nn.Module):
    def __init__(self, width: int, heads: int = 4):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.modulation = nn.Linear(width, 6 * width)
        self.first, self.second = (nn.LayerNorm(width, elementwise_affine=False) for _ in range(2))

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        a, b, c, d, e, f = self.modulation(F.silu(told))[:, None].chunk(6, -1)
        batch, tokens, width = x.shape
        qkv = self.qkv(self.first(x) * (1 + a) + b).view(batch, tokens, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, tokens, width)
        x = x + c * self.out(seen)
        return x + f * self.mlp(self.second(x) * (1 + d) + e)


class Dit(nn.Module):
    """One Euler step: latent [1,192,64] and what it is told [1,256] -> its velocity."""

    def __init__(self, width: int = 256, blocks: int = 11):
        super().__init__()
        numbers = CHANNELS * PATCH * PATCH
        self.take, self.give = nn.Linear(numbers, width), nn.Linear(width, numbers)
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        x = self.take(x)
        for block in self.blocks:
            x = block(x, told)
        return self.give(x)


def decoder() -> nn.Module:
    """Latent [1,16,24,32] -> frame [1,3,192,256]."""

    def up(a: int, b: int) -> list[nn.Module]:
        return [
            nn.Upsample(scale_factor=2),
            nn.Conv2d(a, b, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(b, b, 3, padding=1),
            nn.SiLU(),
        ]

    return nn.Sequential(
        *(nn.Conv2d(CHANNELS, 256, 3, padding=1), nn.SiLU(), nn.Conv2d(256, 256, 3, padding=1), nn.SiLU()),
        *(*up(256, 224), *up(224, 128), *up(128, 64)),
        nn.Conv2d(64, 3, 3, padding=1),
    )


def session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def exported(module: nn.Module, inputs: tuple[Tensor, ...], path: Path, threads: int) -> onnxruntime.InferenceSession:
    torch.onnx.export(module.eval(), inputs, path, dynamo=True, external_data=False, verbose=False)
    return session(path, threads)


def inputs_of(graph: onnxruntime.InferenceSession) -> dict[str, np.ndarray]:
    shapes = {one.name: [size if isinstance(size, int) else 1 for size in one.shape] for one in graph.get_inputs()}
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("world", type=Path, help="the folder of a world, such as assets/snake")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--ticks", type=int, default=40)
    given = parser.parse_args()
    tokens = (WIDTH // STRIDE // PATCH) * (HEIGHT // STRIDE // PATCH)
    dit, draws = Dit(), decoder()
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        told = (torch.zeros(1, tokens, CHANNELS * PATCH**2), torch.zeros(1, 256))
        step = exported(dit, told, Path(folder) / "dit.onnx", given.threads)
        shape = torch.zeros(1, CHANNELS, HEIGHT // STRIDE, WIDTH // STRIDE)
        draw = exported(draws, (shape,), Path(folder) / "decoder.onnx", given.threads)
    ours = [session(given.world / f"{name}.onnx", given.threads) for name in ("student", "decoder")]
    manifest = json.loads((given.world / "world.json").read_text())
    ticks = {
        f"{manifest['title']} ({manifest['frame']['width']}x{manifest['frame']['height']})": ours,
        f"a network of nanoOasis's sizes ({WIDTH}x{HEIGHT})": [*[step] * STEPS, draw],
    }
    spent: dict[str, list[float]] = {name: [] for name in ticks}
    for turn in range(given.ticks + 5):
        for name, graphs in ticks.items():
            begun = time.perf_counter()
            for graph in graphs:
                graph.run(None, inputs_of(graph))
            if turn >= 5:
                spent[name].append(1000 * (time.perf_counter() - begun))
    count = lambda module: sum(p.numel() for p in module.parameters()) / 1e6  # noqa: E731
    print(f"of the rival: DiT {count(dit):.1f} M, decoder {count(draws):.1f} M parameters; {given.threads} threads")
    for name, ms in spent.items():
        print(f"{name}: {np.median(ms):.1f} ms a tick at the median, {min(ms):.1f} at the least, of {len(ms)}")


if __name__ == "__main__":
    main()
