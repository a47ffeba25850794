"""The codec: one 96x160 frame <-> 60 tokens of 48 channels (f16), deterministic.

- The encoder is the closed-form PCA of 16x16 patches and stays it: latents are known in seconds and never change, so
  the dynamics train at once and a better decoder drops in at any time. (`encoder_widths` adds convolutions that learn.)
- The decoder starts at the transpose. Convolutions with zero-initialised outputs learn what is left, and see across
  tokens so that no block edge shows.
- The latent leaves the encoder normalised per channel (a batch norm without affine part). In training it gets noise in
  proportion to each channel's change from tick to tick, where the student errs: the decoder learns to forgive that.
  (The same noise in every channel drowns the few that carry the mean colour, which hardly change.)
- The decoder uses Conv, SiLU and PixelShuffle only: all run on the WebGPU execution provider.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.checkpoints import load_checkpoint
from distill.config import TrainConfig, UserError
from distill.data.packed import Packed
from distill.training.distributed import count_flops
from distill.training.run import Batches, Ema, Run

HEIGHT, WIDTH, PATCH = 96, 160, 16


@dataclass
class Config(TrainConfig):
    name: str = "codec"
    channels: int = 48
    encoder_widths: list[int] = field(default_factory=list)  # at 1/4, 1/8, 1/16 of the frame; empty: PCA alone
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
    smooth_tokens: float = 0.0
    smooth_ticks: float = 0.002
    pca_frames: int = 3000
    validation_frames: int = 400


class Block(nn.Module):
    """x + 1x1(SiLU(3x3(x))); the last layer starts at zero."""

    def __init__(self, width: int):
        super().__init__()
        self.spatial = nn.Conv2d(width, width, 3, padding=1)
        self.mix = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mix(F.silu(self.spatial(x)))


class Encoder(nn.Module):
    """frame [B,3,96,160] in 0..1 -> unnormalised latent [B,C,6,10]"""

    def __init__(self, channels: int, widths: list[int]):
        super().__init__()
        self.linear = nn.Conv2d(3 * PATCH**2, channels, 1)
        self.learns = bool(widths)
        if not self.learns:
            return
        a, b, c = widths
        self.quarter = nn.Conv2d(48, a, 3, padding=1)
        self.eighth = nn.Conv2d(a, b, 3, stride=2, padding=1)
        self.eighth_block = Block(b)
        self.sixteenth = nn.Conv2d(b, c, 3, stride=2, padding=1)
        self.sixteenth_block = Block(c)
        self.out = nn.Conv2d(c, channels, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, frame: Tensor) -> Tensor:
        x = F.pixel_unshuffle(frame, 4)
        linear = self.linear(F.pixel_unshuffle(x, 4))
        if not self.learns:
            return linear
        x = F.silu(self.quarter(4 * x - 2))
        x = self.eighth_block(F.silu(self.eighth(x)))
        x = self.sixteenth_block(F.silu(self.sixteenth(x)))
        return linear + self.out(F.silu(x))


class Decoder(nn.Module):
    """normalised latent [B,C,6,10] -> frame [B,3,96,160], about 0..1"""

    def __init__(self, channels: int, widths: list[int], blocks: list[int]):
        super().__init__()
        a, b, c = widths
        self.linear = nn.Conv2d(channels, 3 * PATCH**2, 1)
        self.enter = nn.Conv2d(channels, a, 3, padding=1)
        self.sixteenth = nn.Sequential(*(Block(a) for _ in range(blocks[0])))
        self.to_eighth = nn.Conv2d(a, 4 * b, 1)
        self.eighth = nn.Sequential(*(Block(b) for _ in range(blocks[1])))
        self.to_quarter = nn.Conv2d(b, 4 * c, 1)
        self.see = nn.Conv2d(48, c, 1)  # the refinement sees the linear picture, block edges and all
        self.quarter = nn.Sequential(*(Block(c) for _ in range(blocks[2])))
        self.out = nn.Conv2d(c, 48, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, latent: Tensor) -> Tensor:
        linear = F.pixel_shuffle(self.linear(latent), 4)
        x = self.sixteenth(self.enter(latent))
        x = self.eighth(F.pixel_shuffle(self.to_eighth(F.silu(x)), 2))
        x = self.quarter(F.pixel_shuffle(self.to_quarter(F.silu(x)), 2) + self.see(4 * linear - 2))
        return F.pixel_shuffle(linear + self.out(F.silu(x)), 4)


class Codec(nn.Module):
    """Encoder, normalisation, decoder. `encode` and `decode` speak the tokens of the contract: [B,T,C], row-major."""

    def __init__(self, channels: int, encoder_widths: list[int], decoder_widths: list[int], decoder_blocks: list[int]):
        super().__init__()
        self.channels, self.tokens = channels, (HEIGHT // PATCH) * (WIDTH // PATCH)
        self.encoder = Encoder(channels, encoder_widths)
        self.norm = nn.BatchNorm2d(channels, eps=1e-6, momentum=0.02, affine=False)
        self.decoder = Decoder(channels, decoder_widths, decoder_blocks)
        self.decoder.register_buffer("change", torch.zeros(1, channels, 1, 1))  # rms per channel, from tick to tick
        for module in self.modules():  # without norms, torch's default lets the signal fade from layer to layer
            if isinstance(module, nn.Conv2d) and module.weight.any():
                nn.init.normal_(module.weight, std=1.6 / math.sqrt(module.weight[0].numel()))
                nn.init.zeros_(module.bias)

    def latent(self, frame: Tensor) -> Tensor:
        """[B,3,96,160] in 0..1 -> normalised [B,C,6,10]"""
        return self.norm(self.encoder(frame))

    def encode(self, frame: Tensor) -> Tensor:
        """[B,3,96,160] in 0..1 -> normalised [B,T,C]"""
        return self.latent(frame).flatten(2).transpose(1, 2)

    def decode(self, latent: Tensor) -> Tensor:
        """normalised [B,T,C] -> [B,3,96,160] clamped to 0..1; tokens beyond the picture's are ignored"""
        return self.decoder(self.grid(latent)).clamp(0, 1)

    def grid(self, latent: Tensor) -> Tensor:
        """Tokens [B,T,C] -> [B,C,6,10], those beyond the picture's left out"""
        tokens = latent[:, : self.tokens].transpose(1, 2)
        return tokens.reshape(-1, self.channels, HEIGHT // PATCH, WIDTH // PATCH)

    def forward(self, frame: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Training: frames and noise sizes [B,C,1,1] -> (reconstruction, clean latent [B,C,6,10])"""
        latent = self.latent(frame)
        return self.decoder(latent + noise * torch.randn_like(latent)), latent

    @torch.no_grad()
    def start_at_pca(self, frames: np.ndarray) -> None:
        """Sets the linear layers to the closed-form PCA of the frames' patches. frames: uint8 [N,96,160,3]"""
        count, total = 0, None
        second = torch.zeros(3 * PATCH**2, 3 * PATCH**2, dtype=torch.float64)
        for start in range(0, len(frames), 250):
            patches = to_patches(to_input(frames[start : start + 250]))
            count += len(patches)
            total = patches.sum(0).double() + (0 if total is None else total)
            second += (patches.T @ patches).double()
        mean = total / count
        values, vectors = torch.linalg.eigh(second / count - mean[:, None] * mean)
        basis = vectors[:, -self.channels :].flip(1).float()  # [768,C], the strongest first
        deviation = values[-self.channels :].flip(0).clamp(min=1e-8).sqrt().float()
        mean = mean.float()
        self.encoder.linear.weight.copy_((basis / deviation).T[..., None, None])
        self.encoder.linear.bias.copy_(-(mean @ basis) / deviation)
        self.decoder.linear.weight.copy_((basis * deviation)[..., None, None])
        self.decoder.linear.bias.copy_(mean)
        self.norm.reset_running_stats()

    def train(self, mode: bool = True) -> Codec:
        """A fixed encoder keeps its exact statistics also in training."""
        super().train(mode)
        if not self.encoder.learns:
            self.norm.eval()
            self.encoder.requires_grad_(False)
        return self

    @torch.no_grad()
    def calibrate(self, frames: np.ndarray, batch: int = 100) -> None:
        """Sets the normalisation to the exact statistics over `frames` (uint8 [N,96,160,3])."""
        device = self.norm.running_mean.device
        moments = torch.zeros(2, self.channels, dtype=torch.float64)
        for start in range(0, len(frames), batch):
            raw = self.encoder(to_input(frames[start : start + batch], device)).double().cpu()
            moments += torch.stack([raw.sum((0, 2, 3)), raw.square().sum((0, 2, 3))])
        mean, square = moments / (len(frames) * self.tokens)
        self.norm.running_mean.copy_(mean)
        self.norm.running_var.copy_(square - mean**2)


def to_input(frames: np.ndarray, device="cpu") -> Tensor:
    """uint8 [N,H,W,3] -> float [N,3,H,W] in 0..1, channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(frames)).to(device).permute(0, 3, 1, 2).float().div_(255)


def to_frames(output: Tensor) -> np.ndarray:
    """float [N,3,H,W] -> uint8 [N,H,W,3]"""
    return (output.clamp(0, 1) * 255 + 0.5).byte().permute(0, 2, 3, 1).cpu().numpy()


def to_patches(frame: Tensor) -> Tensor:
    """[N,3,H,W] -> [N*T, 768] in the order of the codec's linear layers."""
    patches = F.pixel_unshuffle(F.pixel_unshuffle(frame, 4), 4)
    return patches.permute(0, 2, 3, 1).reshape(-1, 3 * PATCH**2)


def architecture(config: Config) -> dict:
    return {
        "channels": config.channels,
        "encoder_widths": list(config.encoder_widths),
        "decoder_widths": list(config.decoder_widths),
        "decoder_blocks": list(config.decoder_blocks),
    }


def gains(codec: Codec) -> Tensor:
    """[C], how far a unit of each channel moves the picture: the size of its column in the linear decoder."""
    return codec.decoder.linear.weight.square().sum((0, 2, 3)).sqrt()


def load_codec(path: str | Path, device="cpu") -> Codec:
    """The averaged weights of a checkpoint, calibrated, ready to encode and decode. Raises UserError."""
    from distill.models.patch_codec import PatchCodec

    saved = load_checkpoint(path, "autoencoder")
    kind = PatchCodec if "patch" in saved["architecture"] else Codec
    codec = kind(**saved["architecture"])
    codec.load_state_dict(saved["state"]["ema"]["model"])
    return codec.to(device).eval().requires_grad_(False).to(memory_format=torch.channels_last)


def losses(config: Config, output: Tensor, frame: Tensor, latent: Tensor) -> dict[str, Tensor]:
    """The parts of the loss. Batches come as pairs of neighbouring ticks: rows 0, 2, .. are followed by 1, 3, .."""
    error = output - frame
    parts = {"l1": error.abs().mean(), "mse": error.square().mean()}
    parts["gradient"] = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    half = F.avg_pool2d(error, 2)
    parts["scales"] = half.abs().mean() + F.avg_pool2d(half, 2).abs().mean()
    parts["tokens"] = latent.diff(dim=2).square().mean() + latent.diff(dim=3).square().mean()
    parts["ticks"] = (latent[0::2] - latent[1::2]).square().mean()
    parts["loss"] = (
        config.loss_l1 * parts["l1"]
        + config.loss_mse * parts["mse"]
        + config.loss_gradient * parts["gradient"]
        + config.loss_scales * parts["scales"]
        + config.smooth_tokens * parts["tokens"]
        + config.smooth_ticks * parts["ticks"]
    )
    return parts


@torch.no_grad()
def validate(codec: Codec, frames: np.ndarray, device="cpu", noise: float = 0.0) -> dict[str, float]:
    """PSNR (dB, mean over frames) and SSIM of the frames through the codec; `noise` is added to the latents."""
    from distill.metrics import psnr, ssim

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


def spread(rows: np.ndarray, count: int) -> np.ndarray:
    """`count` of the rows, evenly spaced."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int))]


def run(config: Config) -> None:
    if config.batch % 2:
        raise UserError(f"batch must be even, for pairs of neighbouring ticks; it is {config.batch}")
    session = Run(config, "autoencoder", architecture(config))
    device = session.device
    train, held = Packed(config.data, "train"), Packed(config.data, "heldout")
    pairs = np.flatnonzero(train.left >= 1)
    calibration = train.frames[spread(np.arange(len(train)), 1500)]
    validation = held.frames[spread(np.arange(len(held)), config.validation_frames)]

    codec = Codec(**architecture(config))
    resuming = config.resume and session.checkpoint.is_file()
    if not resuming:
        codec.start_at_pca(train.frames[spread(np.arange(len(train)), config.pca_frames)])
        codec.eval()
        codec.calibrate(calibration)
        session.say(f"PCA alone: {validate(codec, validation)['psnr']:.2f} dB held out")
    codec = codec.to(device).to(memory_format=torch.channels_last).train()
    ema = Ema(codec, config.ema)
    linear = [p for p in (*codec.encoder.linear.parameters(), *codec.decoder.linear.parameters()) if p.requires_grad]
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
        if ema.model.encoder.learns:
            ema.model.calibrate(calibration)
        clean, noisy = validate(ema.model, validation, device), validate(ema.model, validation, device, noise=0.1)
        figures = {
            "heldout_psnr": clean["psnr"],
            "heldout_ssim": clean["ssim"],
            "heldout_psnr_noise_0.1": noisy["psnr"],
        }
        session.scalars(figures)
        session.image("codec", sheet(ema.model, validation[:: max(1, len(validation) // 16)][:16], device))
        session.say("  ".join(f"{name} {value:.4g}" for name, value in figures.items()))

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
        parts = losses(config, output.float(), frame, latent.float())
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
