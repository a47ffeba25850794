"""A tiny U-Net, its students and a world with a picture of 8x12 cells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from distill.models.dit import Conditions
from distill.models.one_step_student import OneStepStudent, make_student
from distill.models.prompt_classifier import LABEL_CHOICES
from distill.models.student import Student, StudentConfig
from distill.models.unet import UNet, UNetConfig
from distill.tests.tiny import write_world
from distill.world import TELEMETRY, telemetry_tokens

ROWS, COLUMNS, CHANNELS = 8, 12, 4
GRID = ROWS * COLUMNS
TOKENS = GRID + telemetry_tokens(CHANNELS)
SHAPE = {
    "fine": 8,
    "middle": 16,
    "width": 24,
    "blocks": 1,
    "heads": 2,
    "frequencies": 8,
    "field_width": 8,
    "instruments_hidden": 16,
}


def tiny_unet(seed: int = 0, **changes) -> UNet:
    """With every layer awake, as after training."""
    torch.manual_seed(seed)
    unet = UNet(UNetConfig(rows=ROWS, columns=COLUMNS, channels=CHANNELS, **SHAPE | changes))
    with torch.no_grad():
        for parameter in unet.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        unet.delta_std.uniform_(0.2, 0.6)
    return unet


def unet_student(seed: int = 0, **changes) -> Student | OneStepStudent:
    values = {"inner_shift": 0.3, "predicts": "data", "gate_init": -1.0} | changes
    return make_student(tiny_unet(seed), StudentConfig(**values))


def unet_conditions(batch: int, seed: int = 1, first: bool = False) -> Conditions:
    """With `first`, every other row has no history."""
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator)  # noqa: E731
    history = draw(batch, 3, TOKENS, CHANNELS)
    following = history[:, 0, GRID:] + 0.1 * draw(batch, TOKENS - GRID, CHANNELS)
    spare = telemetry_tokens(CHANNELS) * CHANNELS - len(TELEMETRY)
    following.flatten(1)[:, -spare:] = 0
    actions = torch.randint(-1, 2, (batch, 4, 2), generator=generator).float()
    level = 0.3 * torch.rand(batch, generator=generator)
    conditions = Conditions(history, level, actions, draw(batch, LABEL_CHOICES), following=following)
    if not first:
        return conditions
    alone = torch.arange(batch) % 2 == 0
    return replace(conditions, first=alone, action_dropout_mask=alone, level=torch.where(alone, 0.0, level))


def write_unet_world(folder: Path, **changes) -> Path:
    return write_world(folder, tokens=TOKENS, channels=CHANNELS, columns=COLUMNS, **changes)
