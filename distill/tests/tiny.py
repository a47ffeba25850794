"""Tiny networks and a tiny world of moving latents, written in the format of the `latents` stage."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from distill.config import TrainConfig
from distill.models.dit import Conditions, DiT, DiTConfig
from distill.models.flow_student import FlowStudent
from distill.models.student import Student, StudentConfig
from distill.models.unet import UNet, UNetConfig
from distill.training.run import Ema, Run
from distill.training.student_loop import student_architecture
from distill.world import TELEMETRY

TOKENS, COLUMNS, CHANNELS, PROMPT = 7, 3, 4, 5  # two rows of three, and telemetry


def tiny_config(**changes) -> DiTConfig:
    values = {
        "tokens": TOKENS,
        "columns": COLUMNS,
        "channels": CHANNELS,
        "prompt_dim": PROMPT,
        "width": 24,
        "blocks": 4,
        "heads": 2,
        "frequencies": 8,
    }
    return DiTConfig(**values | changes)


def tiny_teacher(seed: int = 0, **changes) -> DiT:
    """A DiT with every layer awake, as after training (adaLN-zero would hide most of it)."""
    torch.manual_seed(seed)
    dit = DiT(tiny_config(**changes))
    with torch.no_grad():
        for parameter in dit.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        dit.delta_std.uniform_(0.2, 0.6)
    return dit


def tiny_student(seed: int = 0, **changes) -> Student:
    return Student(tiny_teacher(seed), StudentConfig(**changes))


def tiny_unet(seed: int = 0) -> UNet:
    """A U-Net of 4x4 cells with every layer awake and bounds that some numbers reach."""
    torch.manual_seed(seed)
    small = {"rows": 4, "columns": 4, "channels": 4, "prompt_dim": 16, "fine": 8, "middle": 16, "width": 24, "heads": 2}
    fewer = {"fine_in": 1, "fine_out": 2, "middle_in": 1, "middle_out": 1, "blocks": 1, "frequencies": 8}
    unet = UNet(UNetConfig(**small, **fewer, field_width=8, instruments_hidden=16, instruments_layers=2))
    with torch.no_grad():
        for parameter in unet.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        unet.delta_std.uniform_(0.2, 0.6)
        unet.instruments.change.uniform_(0.1, 0.3)
        unet.bound.fill_(1.5)
    return unet


def tiny_flow_student(seed: int = 0, **changes) -> FlowStudent:
    student = FlowStudent(tiny_unet(seed), StudentConfig(**{"predicts": "data", "gate_init": 0.0} | changes))
    with torch.no_grad():
        student.interval.out.weight.normal_(std=0.05)
    return student.eval()


def save(runs: Path, name: str, kind: str, model: torch.nn.Module) -> Path:
    """A checkpoint of a DiT or a student, as a training would write it; its path."""
    shape = model.config.architecture() if kind == "teacher" else student_architecture(model)
    run = Run(TrainConfig(name=name, runs=str(runs)), kind, shape)
    run.track(model=model, ema=Ema(model, 0.9))
    run._clock = 0.0
    run.save()
    return run.checkpoint


def tiny_conditions(batch: int, seed: int = 1) -> Conditions:
    generator = torch.Generator().manual_seed(seed)
    config = tiny_config()
    prompt = torch.nn.functional.normalize(torch.randn(batch, PROMPT, generator=generator), dim=-1)
    return Conditions(
        torch.randn(batch, len(config.offsets), TOKENS, CHANNELS, generator=generator),
        0.3 * torch.rand(batch, generator=generator),
        torch.randint(-1, 2, (batch, config.actions, 2), generator=generator).float(),
        prompt,
    )


def noise(*shape: int, seed: int = 2) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def write_world(
    folder: Path,
    episodes: int = 3,
    ticks: int = 100,
    tokens: int = TOKENS,
    channels: int = CHANNELS,
    columns: int = 0,
) -> Path:
    """Latents that drift with the steering, in train/, validation/ and heldout/. Returns the data folder. With
    `columns`, a codec of that many is said to be symmetric."""
    for split, first_seed in (("train", 1), ("validation", 1_100_000), ("heldout", 1_000_000)):
        packed = folder / split / "packed"
        packed.mkdir(parents=True)
        random = np.random.default_rng(first_seed)
        rows = episodes * ticks
        actions = random.integers(-1, 2, (rows, 2)).astype(np.int8)
        change = 0.1 * random.standard_normal((rows, tokens, channels)) + 0.3 * np.roll(actions, 1, 0)[:, :1, None]
        latents = change.reshape(episodes, ticks, tokens, channels).cumsum(1) * 0.5
        latents = latents.reshape(rows, tokens, channels).astype(np.float16)
        caption = {"text": "a drive", "biome": "meadow", "time": "noon", "weather": "clear", "split": "train"}
        index = {
            "rows": rows,
            "shape": [96, 160, 3],
            "captions": [caption, caption | {"text": "a ride"}],
            "episodes": [
                {"file": f"{i}", "seed": first_seed + i, "start": i * ticks, "ticks": ticks, "policy": ""}
                for i in range(episodes)
            ],
        }
        codec = {"rows": rows, "tokens": tokens, "channels": channels, "flipped": not columns}
        if columns:
            codec["mirror"] = {"columns": columns, "signs": [1] * channels}
        (packed / "index.json").write_text(json.dumps(index))
        (packed / "latents.json").write_text(json.dumps(codec))
        np.zeros((rows, 96, 160, 3), np.uint8).tofile(packed / "frames.u8")
        actions.tofile(packed / "actions.i8")
        (np.arange(rows) // 40 % 2).astype(np.int32).tofile(packed / "prompts.i32")
        np.zeros((rows, len(TELEMETRY)), np.float32).tofile(packed / "telemetry.f32")
        np.zeros((rows, 4), np.float32).tofile(packed / "boxes.f32")
        np.zeros(rows, np.float32).tofile(packed / "rewards.f32")
        np.zeros(rows, np.uint8).tofile(packed / "dones.u8")
        latents.tofile(packed / "latents.f16")
        (-latents).tofile(packed / "flipped.f16")
        embeddings = random.standard_normal((2, PROMPT)).astype(np.float32)
        np.save(packed / "embeddings.npy", embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True))
    return folder
