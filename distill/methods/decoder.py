"""The decoder, taught on what it has to show: latents that a student dreamed.

The tokens of a dreamed latent do not quite fit their neighbours, and a decoder that has seen recorded latents only
draws every misfit as the edge of a block. A batch has three parts:

- recorded latents, so that the decoder stays sharp where the latent is;
- latents a few ticks into roll-outs (`near`), where the recorded frame still says what should be seen;
- latents far into roll-outs (`far`), of which nobody knows what should be seen. From afar, at a quarter of the size,
  they are to look as the decoder drew them before; near to, as a discriminator of pictures takes for recorded.

Squared errors alone hardly help, as the best guess under doubt is a blur. The discriminator looks at all three parts.
Its weight is VQGAN's (arXiv 2012.09841, Eq. 7): as strong at the last layer as the errors, times `gan`.

Encoder and linear layers are left alone: latents stay what they are, and so do all networks on them.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from distill.checkpoints import load_checkpoint
from distill.config import UserError
from distill.data.dataset import Windows
from distill.data.packed import Latents
from distill.methods import autoencoder
from distill.methods.autoencoder import Codec, load_codec, losses, sheet, spread, to_frames, to_input, validate
from distill.metrics import psnr, seams
from distill.models.discriminator import PictureDiscriminator, discriminator_loss, generator_loss, smoothness
from distill.models.sampler import StudentSampler, load_student
from distill.training.distributed import count_flops
from distill.training.rollout_history import OwnHistory
from distill.training.run import Batches, Ema, Run

AFAR = 4  # pixels that are one from afar


@dataclass
class Config(autoencoder.Config):
    name: str = "decoder"
    codec: str = "runs/codec/autoencoder.pt"
    student: str = "runs/dmd/student.pt"
    near: float = 0.5  # part of the batch that is dreamed and has a frame to be compared with
    near_ticks: int = 3  # how far at most
    far: float = 0.0  # part of the batch that is dreamed further than that
    far_ticks: int = 200
    gan: float = 0.0  # the discriminator's gradient at the last layer as a multiple of the errors'; 0 = none
    critic_learning_rate: float = 2.0  # as a multiple of learning_rate
    critic_smoothness: float = 0.1
    gan_steps: int = 100  # the decoder heeds the discriminator from this step on
    sample_level: float = 0.1
    temperature: float = 1.0


class Dreamed:
    """Dreamed latents and the frames that were recorded in their place."""

    def __init__(self, windows: Windows, config: Config, sampler: StudentSampler, part: float, ticks: int):
        self.windows, self.sampler = windows, sampler
        unit = sampler.dit.noise_unit()
        self.own = OwnHistory(windows, part, ticks, config.batch, config.sample_level, unit, anchored=False, pool=64)

    def take(self) -> tuple[Tensor, np.ndarray]:
        """latents [b,T,C] and frames uint8 [b,96,160,3]"""
        own = self.own
        _, conditions, _ = own.take(self.sampler)
        frames = np.array(self.windows.latents.frames[own.row[own.taken]])
        mirrored = own.flip[own.taken]
        frames[mirrored] = frames[mirrored][:, :, ::-1]
        return conditions.history[:, 0], frames


class Painter:
    """Decoder and discriminator, and the losses of each."""

    def __init__(self, config: Config, codec: Codec, device: torch.device):
        self.config, self.codec = config, codec
        self.before = deepcopy(codec.decoder).requires_grad_(False)
        self.critic = PictureDiscriminator().to(device)

    def decoder_loss(self, latent: Tensor, frame: Tensor, known: int, heed: bool) -> tuple[dict[str, Tensor], Tensor]:
        """latent [B,C,6,10], of whose frames [B,3,96,160] the first `known` are what should be seen -> the parts of
        the loss, the pictures. `heed`: whether the discriminator has a say."""
        config, picture = self.config, self.codec.decoder(latent)
        found = losses(config, picture[:known].float(), frame[:known], latent[:known])
        if len(latent) > known:
            with torch.no_grad():
                before = self.before(latent[known:])
            error = F.avg_pool2d(picture[known:] - before, AFAR).abs().mean()
            found["afar"] = error
            found["loss"] = found["loss"] + config.loss_l1 * error * (len(latent) - known) / known
        if heed:
            last = self.codec.decoder.out.weight
            opinion = generator_loss(self.critic(picture))
            pulls = [torch.autograd.grad(part, last, retain_graph=True)[0].norm() for part in (found["loss"], opinion)]
            weight = (config.gan * pulls[0] / (pulls[1] + 1e-6)).clamp(max=1e3).detach()
            found |= {"generator": opinion.detach(), "gan_weight": weight, "loss": found["loss"] + weight * opinion}
        return found, picture.detach()

    def critic_loss(self, picture: Tensor, frame: Tensor) -> dict[str, Tensor]:
        """Pictures and recorded frames [B,3,96,160], which need not belong together."""
        real, fake = self.critic(frame), self.critic(picture)
        loss = discriminator_loss(real, fake)
        figures = {"discriminator": loss.detach(), "told_apart": (real.mean(1) > fake.mean(1)).float().mean()}
        rough = smoothness(self.critic, frame, logits=real).mean()
        return figures | {"critic_loss": loss + self.config.critic_smoothness * rough}


def run(config: Config) -> None:
    latents, held = Latents(config.data, "train"), Latents(config.data, "heldout")
    codec, student = load_codec(config.codec), load_student(config.student)
    saved = load_checkpoint(config.codec, "autoencoder")
    if (codec.tokens, codec.channels) != (student.dit.config.grid, student.dit.config.channels):
        raise UserError(f"{config.student} was not trained on latents of {config.codec}; name the codec that it was")
    dreams = round(config.near * config.batch) + round(config.far * config.batch)
    if not 0 < dreams < config.batch:
        raise UserError(f"near and far must leave recorded and dreamed latents in a batch of {config.batch}")
    run = Run(config, "autoencoder", saved["architecture"])
    codec, student = codec.to(run.device), student.to(run.device)
    codec.decoder.requires_grad_(True)
    codec.decoder.linear.requires_grad_(False)
    painter = Painter(config, codec, run.device)
    ema = Ema(codec, config.ema)
    optimiser = run.optimiser(codec.decoder.parameters())
    critic_optimiser = run.optimiser(painter.critic.parameters())
    for group in critic_optimiser.param_groups:
        group["scale"] = config.critic_learning_rate
    windows, unseen = (Windows(split, student.dit.config, run.device) for split in (latents, held))
    sampler = StudentSampler(student, config.temperature)
    near = Dreamed(windows, config, sampler, config.near, config.near_ticks)
    far = Dreamed(windows, config, sampler, config.far, config.far_ticks)
    batches = Batches(len(windows.rows), config.batch - dreams, config.seed)
    parts = {"critic": painter.critic, "critic_optimiser": critic_optimiser} if config.gan else {}
    run.track(
        model=codec, ema=ema, optimiser=optimiser, batches=batches, near=near.own, far=far.own, before=painter.before,
        **parts,
    )  # fmt: skip
    report = Report(run, config, ema.model, held, Dreamed(unseen, config, sampler, 0.5, max(1, config.near_ticks)))
    run.begin(3 * count_flops(lambda: codec.decode(torch.zeros(1, codec.tokens, codec.channels, device=run.device))))
    report()
    for step in run.steps():
        run.set_learning_rate(optimiser, critic_optimiser)
        rows = windows.rows[batches.next()]
        recorded = torch.from_numpy(latents.latents[rows].astype(np.float32)).to(run.device)
        taken = [dreamed.take() for dreamed in (near, far) if dreamed.own.count]
        given, shown = zip((recorded, latents.frames[rows]), *taken, strict=True)
        latent, frame = codec.grid(torch.cat(given)), to_input(np.concatenate(shown), run.device)
        known = config.batch - far.own.count
        with run.autocast():
            found, picture = painter.decoder_loss(latent, frame, known, bool(config.gan) and step >= config.gan_steps)
        run.backward(found["loss"], optimiser, codec.decoder)
        if config.gan:
            critic_optimiser.zero_grad()
            with run.autocast():
                judged = painter.critic_loss(picture, frame)
            run.backward(judged["critic_loss"], critic_optimiser, painter.critic)
            found |= judged
        ema.update(codec)
        run.log(found)
        if run.validation_due():
            report()
    report()
    run.save()


class Report:
    """What the decoder makes of held-out frames, and of dreams that it was not taught on."""

    def __init__(self, run: Run, config: Config, codec: Codec, held: Latents, dreamed: Dreamed):
        self.run, self.codec = run, codec
        self.frames = held.frames[spread(np.arange(len(held)), config.validation_frames)]
        parts = [dreamed.take() for _ in range(max(1, config.validation_frames // dreamed.own.count))]
        self.latents, self.recorded = torch.cat([p[0] for p in parts]), np.concatenate([p[1] for p in parts])

    def __call__(self) -> None:
        with torch.no_grad():
            shown = to_frames(self.codec.decode(self.latents))
        figures = {
            "heldout_psnr": validate(self.codec, self.frames, self.run.device)["psnr"],
            "dreamed_psnr": float(psnr(shown, self.recorded).mean()),
            "dreamed_seams": seams(shown),
            "recorded_seams": seams(self.recorded),
        }
        self.run.scalars(figures)
        self.run.image("codec", sheet(self.codec, self.frames[:: max(1, len(self.frames) // 16)][:16], self.run.device))
        self.run.say("  ".join(f"{name} {value:.4g}" for name, value in figures.items()))
