"""The teacher's single step, as a second manifest beside a world: who the arena puts beside the student.

One Euler step of the teacher's flow draws the mean of what may come: blurred, and every tick blurs it more. Decoder,
starts and prompt classifier are the world's own files. Its weights are whole numbers (whole_numbers.py)."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from distill.atomic import replacing, write_text
from distill.config import BaseConfig, UserError
from distill.distributed import setup
from distill.export.graphs import OneStepGraph
from distill.export.whole_numbers import round_to_whole_numbers
from distill.export.world import PARITY, describe, example_inputs, export_graph, largest, parity, self_test
from distill.models.dit import count_parameters
from distill.models.one_step_student import OneStepStudent
from distill.models.sampler import load_teacher
from distill.models.student import StudentConfig
from distill.models.unet import UNet


@dataclass
class Config(BaseConfig):
    name: str = "export-opponent"
    teacher: str = "distill/weights/teacher.pt"
    world: str = "assets/drive"
    out: str = "teacher"  # of its two files in that folder
    title: str = "The teacher's single step"
    temperature: float = 1.0
    seed: int = 20


def run(config: Config) -> None:
    setup(config)
    folder = Path(config.world)
    world = json.loads((folder / "world.json").read_text())
    teacher = load_teacher(config.teacher)
    if not isinstance(teacher, UNet):
        raise UserError(f"{config.teacher} is no U-Net, and no other teacher has this export")
    shape, latent = teacher.config, world["latent"]
    if (shape.tokens, shape.channels) != (latent["tokens"], latent["channels"]):
        raise UserError(
            f"the teacher makes latents of {shape.tokens}x{shape.channels}, {folder} has {latent['tokens']}x"
            f"{latent['channels']}; name the teacher that its student was made from"
        )
    student = OneStepStudent(teacher, StudentConfig(inner_steps=1, head_blocks=0, top=1.0))
    with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as temporary:
        out = Path(temporary)
        error = export_opponent(student, world["student"]["level"], out, config.temperature)
        if not error < PARITY:
            raise UserError(f"PyTorch and ONNX Runtime differ by {error:.2g}")
        (out / "decoder.onnx").write_bytes((folder / world["files"]["decoder"]["path"]).read_bytes())
        graph = describe(out / "student.onnx") | {"path": f"{config.out}.onnx"}
        first, noise = first_start(folder, world), student.noise_used()
        manifest = manifest_of(config, world, graph, student)
        manifest["selfTest"] = self_test(out, shape, noise, **first, seed=config.seed)
        with replacing(folder / graph["path"]) as written:
            written.write_bytes((out / "student.onnx").read_bytes())
    write_text(folder / f"{config.out}.json", json.dumps(manifest, indent=2) + "\n")
    print(
        f"[export-opponent] {folder / config.out}.json: {graph['bytes'] / 1e6:.1f} MB, "
        f"largest difference to PyTorch {error:.2g}"
    )


def export_opponent(student: OneStepStudent, level: float, out: Path, temperature: float = 1.0) -> float:
    """Writes student.onnx; its largest difference to PyTorch with the same weights."""
    graph = OneStepGraph(round_to_whole_numbers(student.dit), level, temperature)
    path = out / "student.onnx"
    export_graph(graph, example_inputs(student, 2), "latent", path, half=True, whole=True)
    return largest(parity(graph, example_inputs(student, batch, batch), path) for batch in (1, 3))


def manifest_of(config: Config, world: dict, graph: dict, student: OneStepStudent) -> dict:
    """The world's manifest, but for what this student is."""
    files = world["files"] | {"student": graph}
    digest = files["student"]["sha256"] + files["decoder"]["sha256"]
    return world | {
        "title": config.title,
        "student": {
            **{"outerSteps": 1, "innerSteps": 1, "headBlocks": 0},
            "noise": [{"from": first, "count": count} for first, count in student.noise_used()],
            "parameters": count_parameters(student),
            "architecture": student.dit.config.architecture(),
            **{"level": world["student"]["level"], "temperature": config.temperature},
        },
        "files": files,
        "modelHash": hashlib.sha256(digest.encode()).hexdigest(),
    }


def first_start(folder: Path, world: dict) -> dict[str, np.ndarray]:
    """What the self-test begins with: the world's first start, and the words of its first preset."""
    tensors = load_file(folder / world["files"]["starts"]["path"])
    row = world["starts"][0]["index"]
    return {
        "history": tensors["latents"][row],
        "past": tensors["actions"][row],
        "prompt": tensors["promptEmbeddings"][world["presets"][0]["embedding"]],
    }
