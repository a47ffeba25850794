"""The decoder, taught on what it has to show: latents that a student dreamed.

The tokens of a dreamed latent do not quite fit their neighbours, and a decoder that has seen recorded latents only
draws every misfit as the edge of a block. Here a half of each batch is a student's, few ticks into roll-outs from
recorded histories, where the recorded frame still says what should be seen; the other half is recorded, so that it
stays sharp where the latent is. Encoder and linear layers are left alone: latents stay what they are, and so do all
networks on them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from distill import autoencoder
from distill.autoencoder import load_codec, losses, sheet, spread, to_frames, to_input, validate
from distill.config import UserError
from distill.data import Latents
from distill.metrics import psnr, seams
from distill.own_history import OwnHistory
from distill.sampling import StudentSampler, load_student
from distill.training import Batches, Ema, Run, count_flops, load_checkpoint
from distill.windows import Windows


@dataclass
class Config(autoencoder.Config):
    name: str = "decoder"
    codec: str = "runs/codec/autoencoder.pt"
    student: str = "runs/dmd/student.pt"
    own_history: float = 0.5  # part of the batch that is dreamed
    own_ticks: int = 3  # how far at most
    sample_level: float = 0.1
    temperature: float = 1.0


class Dreamed:
    """Dreamed latents and the frames that were recorded in their place."""

    def __init__(self, windows: Windows, config: Config, sampler: StudentSampler):
        self.windows, self.sampler = windows, sampler
        part, ticks, unit = config.own_history, config.own_ticks, sampler.dit.noise_unit()
        self.own = OwnHistory(windows, part, ticks, config.batch, config.sample_level, unit, anchored=False, pool=64)

    def take(self) -> tuple[torch.Tensor, np.ndarray]:
        """latents [b,T,C] and frames uint8 [b,96,160,3]"""
        own = self.own
        _, conditions, _ = own.take(self.sampler)
        frames = np.array(self.windows.latents.frames[own.row[own.taken]])
        mirrored = own.flip[own.taken]
        frames[mirrored] = frames[mirrored][:, :, ::-1]
        return conditions.history[:, 0], frames


def run(config: Config) -> None:
    latents, held = Latents(config.data, "train"), Latents(config.data, "heldout")
    codec, student = load_codec(config.codec), load_student(config.student)
    saved = load_checkpoint(config.codec, "autoencoder")
    if (codec.tokens, codec.channels) != (student.dit.config.grid, student.dit.config.channels):
        raise UserError(f"{config.student} was not trained on latents of {config.codec}; name the codec that it was")
    if not 0 < round(config.own_history * config.batch) < config.batch:
        raise UserError(f"own_history must leave both kinds of latents in a batch of {config.batch}")
    run = Run(config, "autoencoder", saved["architecture"])
    codec, student = codec.to(run.device), student.to(run.device)
    codec.decoder.requires_grad_(True)
    codec.decoder.linear.requires_grad_(False)
    learning = [p for p in codec.decoder.parameters() if p.requires_grad]
    ema = Ema(codec, config.ema)
    optimiser = run.optimiser(learning)
    windows = Windows(latents, student.dit.config, run.device)
    sampler = StudentSampler(student, config.temperature)
    validation = held.frames[spread(np.arange(len(held)), config.validation_frames)]
    unseen = Dreamed(Windows(held, student.dit.config, run.device), config, sampler)
    parts = [unseen.take() for _ in range(max(1, config.validation_frames // unseen.own.count))]
    unseen_latents, unseen_frames = torch.cat([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
    dreamed = Dreamed(windows, config, sampler)
    clean = config.batch - dreamed.own.count
    batches = Batches(len(windows.rows), clean, config.seed)
    run.track(model=codec, ema=ema, optimiser=optimiser, batches=batches, own=dreamed.own)
    run.begin(3 * count_flops(lambda: codec.decode(torch.zeros(1, codec.tokens, codec.channels, device=run.device))))

    def report() -> None:
        with torch.no_grad():
            shown = to_frames(ema.model.decode(unseen_latents))
        figures = {
            "heldout_psnr": validate(ema.model, validation, run.device)["psnr"],
            "dreamed_psnr": float(psnr(shown, unseen_frames).mean()),
            "dreamed_seams": seams(shown),
            "recorded_seams": seams(unseen_frames),
        }
        run.scalars(figures)
        run.image("codec", sheet(ema.model, validation[:: max(1, len(validation) // 16)][:16], run.device))
        run.say("  ".join(f"{name} {value:.4g}" for name, value in figures.items()))

    report()
    for _ in run.steps():
        run.set_learning_rate(optimiser)
        rows = windows.rows[batches.next()]
        given, shown = dreamed.take()
        recorded = torch.from_numpy(latents.latents[rows].astype(np.float32)).to(given)
        latent = codec.grid(torch.cat([recorded, given]))
        frame = to_input(np.concatenate([latents.frames[rows], shown]), run.device)
        with run.autocast():
            output = codec.decoder(latent)
        found = losses(config, output.float(), frame, latent)
        run.backward(found["loss"], optimiser, codec.decoder)
        ema.update(codec)
        run.log(found)
        if run.validation_due():
            report()
    report()
    run.save()
