"""Puts a prompt classifier into a world that ships, whose student stays: the graph, the conditioning by it of presets
and captions, and the self-test, which begins under the first preset. After a stop in between, run it again; other
manifests of the folder, as the arena's opponent, are made again after it (`export-opponent`)."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from safetensors.numpy import load_file

from distill.atomic import write_tensors, write_text
from distill.config import BaseConfig, UserError
from distill.data.conditioning import shipped_prompt_embedder
from distill.distributed import setup
from distill.export.opponent import first_start
from distill.export.world import PARITY, describe, export_prompt_classifier, self_test
from distill.models.prompt_classifier import WEIGHTS, load_prompt_classifier


@dataclass
class Config(BaseConfig):
    name: str = "export-prompt-classifier"
    prompt_classifier: str = WEIGHTS
    out: str = "assets/drive"


def conditioned_texts(manifest: dict) -> list[str]:
    """The texts of a world's embeddings, in their order."""
    texts = {preset["embedding"]: preset["text"] for preset in manifest["presets"]}
    texts |= {start["embedding"]: start["caption"] for start in manifest["starts"]}
    return [texts[row] for row in range(len(texts))]


def shape_in(manifest: dict) -> SimpleNamespace:
    latent = manifest["latent"]
    return SimpleNamespace(
        offsets=manifest["history"]["offsets"],
        tokens=latent["tokens"],
        channels=latent["channels"],
        half_state=latent.get("dtype") == "float16",
    )


def run(config: Config) -> None:
    setup(config)
    world = Path(config.out)
    manifest = json.loads((world / "world.json").read_text())
    files = manifest["files"]
    if "reader" not in files:
        raise UserError(f"the student in {world} is not conditioned on prompt labels; export it anew")
    with tempfile.TemporaryDirectory(dir=world.parent, prefix=".export-") as folder:
        out = Path(folder)
        error = export_prompt_classifier(load_prompt_classifier(config.prompt_classifier), out, half=True)
        if not error < PARITY:
            raise UserError(f"PyTorch and ONNX Runtime differ by {error:.2g} in the prompt classifier")
        files["reader"] = describe(out / "reader.onnx")
        conditioning = shipped_prompt_embedder(out, manifest)(conditioned_texts(manifest)).astype(np.float32)
        starts = load_file(world / files["starts"]["path"]) | {"promptEmbeddings": conditioning}
        path = out / files["starts"]["path"]
        write_tensors(path, {name: torch.from_numpy(value) for name, value in starts.items()})
        files["starts"] = describe(path)
        for name in ("student", "decoder"):
            os.symlink((world / files[name]["path"]).resolve(), out / f"{name}.onnx")
        noise = [(part["from"], part["count"]) for part in manifest["student"]["noise"]]
        first = first_start(out, manifest)
        manifest["selfTest"] = self_test(out, shape_in(manifest), noise, **first, seed=manifest["selfTest"]["seed"])
        write_text(out / "world.json", json.dumps(manifest, indent=2) + "\n")
        for name in ("reader.onnx", path.name, "world.json"):
            os.replace(out / name, world / name)
    size = f"{files['reader']['bytes'] / 1e6:.1f} MB"
    print(f"[export-prompt-classifier] {world}: {size}, {len(conditioning)} texts labelled anew")
