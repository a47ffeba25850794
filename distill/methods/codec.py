"""The linear codec of a world's frames, in closed form: seconds, nothing to train (models/patch_codec.py)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.checkpoints import FORMAT, write_checkpoint
from distill.config import BaseConfig
from distill.data.packed import Packed
from distill.distributed import setup
from distill.methods.codec_f16 import evenly, validate
from distill.models.patch_codec import PatchCodec


@dataclass
class Config(BaseConfig):
    name: str = "codec"
    patch: int = 4
    channels: int = 12
    pca_frames: int = 4000
    validation_frames: int = 400
    validation: str = "validation"  # the split that the metric is taken on


def run(config: Config) -> None:
    setup(config)
    train, held = Packed(config.data, "train"), Packed(config.data, config.validation)
    size = {} if train.world.is_drive else {"height": train.world.height, "width": train.world.width}
    codec = PatchCodec(config.channels, config.patch, **size)
    frames = train.frames[evenly(np.arange(len(train)), config.pca_frames)]
    codec.fit(frames, symmetric=train.world.is_drive)
    metrics = validate(codec.eval(), held.frames[evenly(np.arange(len(held)), config.validation_frames)])
    architecture = {"channels": config.channels, "patch": config.patch, **size}
    state = {"ema": {"model": codec.state_dict(), "updates": 0}}
    folder = Path(config.runs) / config.name
    folder.mkdir(parents=True, exist_ok=True)
    saved = {"format": FORMAT, "kind": "codec", "architecture": architecture, "config": vars(config)}
    write_checkpoint(saved | {"step": 0, "samples": 0, "minutes": 0.0, "state": state}, folder / "codec.pt")
    print(f"codec: {metrics['psnr']:.2f} dB, SSIM {metrics['ssim']:.3f} on {config.validation}")
