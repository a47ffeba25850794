"""Trains the f16 codec (models/codec.py), from the closed-form PCA on. `codec.py` fits the linear one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from distill.config import TrainConfig, UserError
from distill.data.packed import Packed
from distill.flops import count_flops
from distill.image_metrics import psnr, ssim
from distill.models.codec import Codec, to_frames, to_input
from distill.training.run import Batches, Ema, Run


@dataclass
class Config(TrainConfig):
    name: str = "codec"
    channels: int = 48
    decoder_widths: list[int] = field(default_factory=lambda: [112, 64, 32])  # at 1/16, 1/8, 1/4
    decoder_blocks: list[int] = field(default_factory=lambda: [2, 2, 1])
    learning_rate: float = 2e-3
    linear_scale: float = 0.05  # learning rate of the PCA layers, as a part of the others'
    ema: float = 0.998
    noise: float = 0.3  # highest size of the latent noise of a sample, in units of a channel's change in one tick
    loss_l1: float = 1.0
    loss_mse: float = 5.0
    loss_gradient: float = 0.5
    loss_scales: float = 0.25  # L1 at a half and a quarter of the size
    pca_frames: int = 3000
    validation_frames: int = 400


def architecture(config: Config) -> dict:
    return {
        "channels": config.channels,
        "decoder_widths": list(config.decoder_widths),
        "decoder_blocks": list(config.decoder_blocks),
    }


def losses(config: Config, output: Tensor, frame: Tensor) -> dict[str, Tensor]:
    """The parts of the loss."""
    error = output - frame
    parts = {"l1": error.abs().mean(), "mse": error.square().mean()}
    parts["gradient"] = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    half = F.avg_pool2d(error, 2)
    parts["scales"] = half.abs().mean() + F.avg_pool2d(half, 2).abs().mean()
    parts["loss"] = (
        config.loss_l1 * parts["l1"]
        + config.loss_mse * parts["mse"]
        + config.loss_gradient * parts["gradient"]
        + config.loss_scales * parts["scales"]
    )
    return parts


@torch.no_grad()
def validate(codec: Codec, frames: np.ndarray, device="cpu", noise: float = 0.0) -> dict[str, float]:
    """PSNR (dB, mean over frames) and SSIM of the frames through the codec; `noise` is added to the latents."""
    scores, similarity = [], []
    generator = torch.Generator().manual_seed(0)
    for start in range(0, len(frames), 50):
        part = frames[start : start + 50]
        latent = codec.encode(to_input(part, device))
        latent = latent + noise * torch.randn(latent.shape, generator=generator).to(device)
        output = to_frames(codec.decode(latent))
        scores.append(psnr(part, output))
        if not noise:
            similarity += [ssim(a, b) for a, b in zip(part[::10], output[::10], strict=True)]
    result = {"psnr": float(np.concatenate(scores).mean())}
    return result if noise else result | {"ssim": float(np.mean(similarity))}


def sheet(codec: Codec, frames: np.ndarray, device="cpu") -> np.ndarray:
    """Real frames over their reconstructions, eight a row, at twice the size."""
    with torch.no_grad():
        output = to_frames(codec.decode(codec.encode(to_input(frames, device))))
    rows = []
    for start in range(0, len(frames), 8):
        rows += [np.concatenate(list(frames[start : start + 8]), 1), np.concatenate(list(output[start : start + 8]), 1)]
    return np.concatenate([row for row in rows if row.shape == rows[0].shape], 0).repeat(2, 0).repeat(2, 1)


def evenly(rows: np.ndarray, count: int) -> np.ndarray:
    """`count` of the rows, evenly spaced."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int))]


def run(config: Config) -> None:
    if config.batch % 2:
        raise UserError(f"batch must be even, for pairs of neighbouring ticks; it is {config.batch}")
    session = Run(config, "codec", architecture(config))
    device = session.device
    train, held = Packed(config.data, "train"), Packed(config.data, "heldout")
    pairs = np.flatnonzero(train.left >= 1)
    calibration = train.frames[evenly(np.arange(len(train)), 1500)]
    validation = held.frames[evenly(np.arange(len(held)), config.validation_frames)]

    codec = Codec(**architecture(config))
    resuming = config.resume and session.checkpoint.is_file()
    if not resuming:
        codec.start_at_pca(train.frames[evenly(np.arange(len(train)), config.pca_frames)])
        codec.eval()
        codec.calibrate(calibration)
        session.say(f"PCA alone: {validate(codec, validation)['psnr']:.2f} dB held out")
    codec = codec.to(device).to(memory_format=torch.channels_last).train()
    ema = Ema(codec, config.ema)
    linear = list(codec.decoder.linear.parameters())
    others = [p for p in codec.parameters() if p.requires_grad and all(p is not q for q in linear)]
    optimiser = session.optimiser(others)
    optimiser.add_param_group({"params": linear, "weight_decay": 0.0, "scale": config.linear_scale})
    batches = Batches(len(pairs), config.batch // 2, config.seed)
    session.track(model=codec, ema=ema, optimiser=optimiser, batches=batches)

    example = to_input(validation[:1], device).contiguous(memory_format=torch.channels_last)
    flops = {
        "encoder": count_flops(lambda: ema.model.encode(example)),
        "decoder": count_flops(lambda: ema.model.decode(ema.model.encode(example))),
    }
    flops["decoder"] -= flops["encoder"]
    parameters = sum(p.numel() for p in codec.parameters())
    session.say(
        f"{len(train)} frames; {parameters / 1e6:.2f} M parameters; encoder {flops['encoder'] / 1e9:.3f} and "
        f"decoder {flops['decoder'] / 1e9:.3f} GFLOP a frame"
    )
    forward = session.parallel(codec)
    session.begin(flops_per_sample=3 * sum(flops.values()))

    def report() -> None:
        clean, noisy = validate(ema.model, validation, device), validate(ema.model, validation, device, noise=0.1)
        session.report(clean | {"psnr_noise_0.1": noisy["psnr"]})
        session.image("codec", sheet(ema.model, validation[:: max(1, len(validation) // 16)][:16], device))

    for _ in session.steps():
        session.set_learning_rate(optimiser)
        rows = pairs[batches.next()]
        frames = train.frames[np.stack([rows, rows + 1], 1).reshape(-1)]
        frame = to_input(frames, device)
        flip = torch.rand(len(rows), device=device).repeat_interleave(2) < 0.5
        frame = torch.where(flip[:, None, None, None], frame.flip(3), frame)
        noise = config.noise * torch.rand(len(frames), 1, 1, 1, device=device) * codec.decoder.change
        with session.autocast():
            output, latent = forward(frame, noise)
        parts = losses(config, output.float(), frame)
        with torch.no_grad():
            step = (latent[0::2] - latent[1::2]).float().square().mean((0, 2, 3)).sqrt()[None, :, None, None]
            codec.decoder.change.copy_(codec.decoder.change.lerp(step, 0.02) if codec.decoder.change.any() else step)
        session.backward(parts["loss"], optimiser, codec)
        ema.update(codec)
        with torch.no_grad():
            session.log(parts | {"psnr": -10 * math.log10(float(parts["mse"]) + 1e-12)})
        if session.validation_due():
            report()
    report()
    session.save()
