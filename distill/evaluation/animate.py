"""A moving picture of the shipped dream, for the README: `python -m distill.evaluation.animate docs/dream.webp`.

Four start states of `assets/drive`, 100 ticks each at 20 ticks a second, driven as cruise drives in the page: by the
instruments that are dreamed (src/scene/drive/lane-keeper.ts). Nothing was chosen."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from safetensors.numpy import load_file

from distill.random import normals

TICKS, SCALE = 100, 2


def keep_to_road(read: dict[str, float]) -> tuple[int, int]:
    """Steer and throttle, as src/scene/drive/lane-keeper.ts has them."""
    bend = 0.7 * read["curvature"] + 0.3 * read["curvatureAhead"]
    wanted = min(0.3, max(-0.3, -0.06 * read["offset"])) + 0.55 * bend * read["speed"]
    error = wanted - read["heading"] - 0.1 * read["wheel"]
    return int(error > 0.05) - int(error < -0.05), int(read["speed"] < 19) - int(read["speed"] > 24)


def dream(folder: Path, start: int, seed: int) -> list[np.ndarray]:
    """The frames uint8 [96,160,3] of one drive, the start state's own first."""
    manifest = json.loads((folder / "world.json").read_text())
    session = {name: onnxruntime.InferenceSession(folder / f"{name}.onnx") for name in ("student", "decoder")}
    stored = load_file(folder / "starts.safetensors")
    ring = stored["latents"][start].astype(np.float32)
    past = stored["actions"][start].astype(np.float32)
    prompt = stored["promptEmbeddings"][manifest["starts"][start]["embedding"]][None]
    tokens, channels = ring.shape[1:]
    offsets = [offset - 1 for offset in manifest["history"]["offsets"]]
    streams = 1 + manifest["student"]["outerSteps"]
    frames = []
    for tick in range(TICKS):
        rgba = session["decoder"].run(None, {"latent": ring[None, 0]})[0][0]
        frames.append((rgba[..., :3].clip(0, 1) * 255 + 0.5).astype(np.uint8))
        token = zip(manifest["telemetry"], ring[0, -1], strict=False)
        read = {item["name"]: item["centre"] + item["spread"] * value for item, value in token}
        ahead = np.array([keep_to_road(read)], np.float32)
        noise = np.stack(
            [normals(seed, tick + 1, s, tokens * channels).reshape(tokens, channels) for s in range(streams)]
        )
        feeds = {
            "history": ring[None, offsets],
            "actions": np.concatenate([ahead, past])[None],
            "prompt": prompt,
            "noise": noise[None].astype(np.float32),
        }
        latent = session["student"].run(None, feeds)[0]
        ring, past = np.concatenate([latent, ring[:-1]]), np.concatenate([ahead, past[:-1]])
    return frames


def main(out: str) -> None:
    folder = Path("assets/drive")
    starts = json.loads((folder / "world.json").read_text())["starts"]
    chosen = [round(i * (len(starts) - 1) / 3) for i in range(4)]
    drives = [dream(folder, start, seed) for seed, start in enumerate(chosen)]
    pictures = []
    for a, b, c, d in zip(*drives, strict=True):
        grid = np.concatenate([np.concatenate([a, b], 1), np.concatenate([c, d], 1)], 0)
        image = Image.fromarray(grid)
        pictures.append(image.resize((image.width * SCALE, image.height * SCALE), Image.Resampling.BICUBIC))
    pictures[0].save(out, save_all=True, append_images=pictures[1:], duration=50, loop=0, quality=80)


if __name__ == "__main__":
    main(sys.argv[1])
