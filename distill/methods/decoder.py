"""Trains the detail of the linear codec's decoder (models/patch_codec.py): what the patches around a patch say of it.

The encoder and the linear picture stay as they are, so latents, teachers and students of the codec stay good. Latents
get some noise in training, as a student's have: the detail learns to forgive it. With `world`, half of each batch is
what a dream made of recorded histories, against the frames that came: its own marks are learnt and taken away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from distill.atomic import replacing
from distill.config import TrainConfig, UserError
from distill.data.packed import Packed
from distill.evaluation.runs import Drives
from distill.evaluation.worlds import open_dream
from distill.flops import count_flops
from distill.methods.codec_f16 import evenly, losses, sheet, validate
from distill.models.codec import load_codec, to_input
from distill.models.patch_codec import PatchCodec
from distill.progress import Progress
from distill.training.run import Batches, Ema, Run

AHEAD = (1, 2, 4)  # ticks


@dataclass
class Config(TrainConfig):
    name: str = "decoder"
    codec: str = "runs/codec/codec.pt"
    detail: int = 48  # channels between the two convolutions
    learning_rate: float = 2e-3
    ema: float = 0.998
    world: str = ""  # folder of a dream; "" for recordings alone
    dreamed: int = 15_000  # moments of it
    noise: float = 0.1  # highest size of the latent noise of a sample; a channel's own size is 1
    loss_l1: float = 1.0
    loss_mse: float = 5.0
    loss_gradient: float = 0.5
    loss_scales: float = 0.25  # L1 at a half and a quarter of the size
    validation: str = "validation"
    validation_frames: int = 400


def dream(folder: str, packed: Packed, count: int, batch: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """What the dream in `folder` makes of about `count` recorded histories, 1, 2 or 4 ticks on: (latents float16
    [N,T,C], the rows int64 [N] of the frames that came)."""
    world = open_dream(folder)
    conditioning = world.embed_prompt([caption["text"] for caption in packed.captions])
    drives = Drives(packed, [episode["seed"] for episode in packed.episodes], conditioning, batch)
    rows, owners = drives.moments(count, max(AHEAD))
    latents, came = [], []
    parts = np.array_split(np.random.default_rng(0).permutation(len(rows)), max(1, len(rows) // batch))
    for part in Progress(parts, desc=f"what {folder} dreams", unit="batch"):
        world.reset(drives.starts(rows[part], np.array(drives.seeds, np.int64)[owners[part]]))
        ahead = AHEAD[len(latents) % len(AHEAD)]
        for tick in range(ahead):
            world.step(packed.actions[rows[part] + tick].astype(np.float32))
        latents.append(world.picture().astype(np.float16))
        came.append(rows[part] + ahead)
    return np.concatenate(latents), np.concatenate(came)


def kept_dream(path: Path, config: Config, packed: Packed) -> tuple[np.ndarray, np.ndarray]:
    """`dream`, or what it gave before this run was resumed: it takes minutes."""
    if not (config.resume and path.is_file()):
        latents, came = dream(config.world, packed, config.dreamed)
        with replacing(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, latents=latents, came=came)
    kept = np.load(path)
    return kept["latents"], kept["came"]


def run(config: Config) -> None:
    linear = load_codec(config.codec)
    if not isinstance(linear, PatchCodec):
        raise UserError(f"{config.codec} is no codec of patches; train the `codec` stage first")
    architecture = {name: getattr(linear, name) for name in ("channels", "patch", "height", "width")}
    architecture["detail"] = config.detail
    session = Run(config, "codec", architecture)
    device = session.device
    train, held = Packed(config.data, "train"), Packed(config.data, config.validation)
    validation = held.frames[evenly(np.arange(len(held)), config.validation_frames)]

    codec = PatchCodec(**architecture)
    codec.load_state_dict(linear.state_dict(), strict=False)  # the detail begins as nothing
    codec = codec.to(device).requires_grad_(False).train()
    detail = codec.decoder.detail.requires_grad_(True)
    ema = Ema(codec, config.ema)
    optimiser = session.optimiser(list(detail.parameters()))
    batches = Batches(len(train), config.batch // 2 if config.world else config.batch, config.seed)
    session.track(model=codec, ema=ema, optimiser=optimiser, batches=batches)
    if config.world:
        dreamed, came = kept_dream(session.folder / "dreamed.npz", config, train)
        moments = Batches(len(dreamed), config.batch // 2, config.seed)
        session.track(dreamed=moments)
    latent = codec.encode(to_input(validation[:1], device))
    flops = count_flops(lambda: codec.decode(latent))
    session.say(f"{len(train)} frames; decoder {flops / 1e6:.0f} MFLOP a frame; {validate(codec, validation, device)}")
    session.begin(flops_per_sample=3 * flops)

    def report() -> None:
        clean, noisy = (validate(ema.model, validation, device, noise) for noise in (0.0, 0.1))
        session.report(clean | {"psnr_noise_0.1": noisy["psnr"]})
        session.image("decoder", sheet(ema.model, validation[:: max(1, len(validation) // 16)][:16], device))

    for _ in session.steps():
        session.set_learning_rate(optimiser)
        frame = to_input(train.frames[batches.next()], device)
        frame = torch.where(torch.rand(len(frame), 1, 1, 1, device=device) < 0.5, frame.flip(3), frame)
        with torch.no_grad():
            latent = codec.latent(frame)
            size = config.noise * torch.rand(len(frame), 1, 1, 1, device=device)
            latent = latent + size * torch.randn_like(latent)
            if config.world:
                some = moments.next()
                frame = torch.cat([frame, to_input(train.frames[came[some]], device)])
                latent = torch.cat([latent, codec.grid(torch.from_numpy(dreamed[some]).to(device).float())])
        with session.autocast():
            output = codec.decoder(latent)
        parts = losses(config, output.float(), frame)
        session.backward(parts["loss"], optimiser, codec)
        ema.update(codec)
        session.log(parts | {"psnr": -10 * math.log10(float(parts["mse"].detach()) + 1e-12)})
        if session.validation_due():
            report()
    report()
    session.save()
