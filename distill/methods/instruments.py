"""Trains what the instruments will read next (models/instruments.py): roll-outs from recorded readings under the
recorded actions, two members each, scored against what was read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from distill.config import TrainConfig
from distill.data.dataset import BEGUN
from distill.data.packed import Packed
from distill.models.instruments import NOISE, Instruments, InstrumentsConfig, energy_score, load_instruments
from distill.training.run import Batches, Ema, Run
from distill.world import RING, TELEMETRY, telemetry_token

CHANNELS = 12  # of the latent whose last tokens the readings are; they are the same numbers in any


@dataclass
class Config(TrainConfig):
    name: str = "instruments"
    hidden: int = 192
    layers: int = 3
    ticks: int = 32  # longest roll-out
    validation: str = "validation"
    init: str = ""  # an instruments checkpoint to start from, afresh in steps and optimiser


class Recordings:
    """Readings and actions of a split as tensors."""

    def __init__(self, packed: Packed, config: InstrumentsConfig, ticks: int):
        tokens = telemetry_token(packed.telemetry, CHANNELS).reshape(len(packed), -1)
        self.readings = torch.from_numpy(tokens[:, : len(TELEMETRY)].copy())
        self.actions = torch.from_numpy(packed.actions.astype(np.float32))
        self.signs = torch.tensor([sign for *_, sign in TELEMETRY.values()], dtype=torch.float32)
        self.rows = packed.transitions(ticks)
        self.config, self.ticks = config, ticks

    def windows(self, rows: Tensor, flip: Tensor) -> tuple[Tensor, Tensor]:
        """rows int64 [B] -> readings [B,RING+ticks,n] and actions [B,RING+ticks,2], oldest first: the first RING are
        past, mirrored where `flip`."""
        span = rows[:, None] + torch.arange(1 - RING, self.ticks + 1)
        readings, actions = self.readings[span], self.actions[span]
        readings = torch.where(flip[:, None, None], readings * self.signs, readings)
        turned = actions * torch.tensor([-1.0, 1.0])
        return readings, torch.where(flip[:, None, None], turned, actions)


def roll_out(model: Instruments, readings: Tensor, actions: Tensor, ticks: int, members: int = 2) -> Tensor:
    """Readings and actions of `Recordings.windows` -> what the members dream: [members,ticks,B,n]."""
    config = model.config
    ring = readings[:, :RING].repeat(members, 1, 1)
    acts = actions.repeat(members, 1, 1)
    dreamed = []
    for tick in range(ticks):
        history = torch.stack([ring[:, -offset] for offset in config.offsets], 1)
        now = acts[:, RING - 1 + tick - torch.arange(config.actions)]
        following = model(history, now, torch.randn(len(ring), NOISE, device=ring.device))
        ring = torch.cat([ring, following[:, None]], 1)
        dreamed.append(following)
    return torch.stack(dreamed).reshape(ticks, members, len(readings), -1).transpose(0, 1)


@torch.no_grad()
def validate(model: Instruments, recordings: Recordings, count: int = 512) -> dict[str, float]:
    """Root mean square error of one member at 1, 8 and 32 ticks, in spreads, and the energy score at each."""
    rows = torch.from_numpy(recordings.rows[np.linspace(0, len(recordings.rows) - 1, count).astype(int)])
    readings, actions = recordings.windows(rows, torch.zeros(count, dtype=torch.bool))
    members = roll_out(model, readings, actions, recordings.ticks)
    truth = readings[:, RING:].transpose(0, 1)
    metrics = {}
    for tick in (1, 8, recordings.ticks):
        error = members[0, tick - 1] - truth[tick - 1]
        metrics[f"rmse_{tick}"] = error.square().mean().sqrt().item()
        metrics[f"energy_{tick}"] = energy_score(members[:, tick - 1], truth[tick - 1]).mean().item()
    named = error.square().mean(0).sqrt().tolist()
    return metrics | {f"last_{name}": value for name, value in zip(TELEMETRY, named, strict=True)}


def run(config: Config) -> None:
    shape = InstrumentsConfig(readings=len(TELEMETRY), hidden=config.hidden, layers=config.layers)
    run = Run(config, "instruments", vars(shape))
    training = Recordings(Packed(config.data, "train"), shape, config.ticks)
    heldout = Recordings(Packed(config.data, config.validation), shape, config.ticks)
    model = Instruments(shape).to(run.device)
    if config.init:
        load_instruments(config.init, model)
    else:
        steps = training.readings[training.rows + 1] - training.readings[training.rows]
        model.change.copy_(steps.square().mean(0).sqrt().clamp(min=1e-3))
    ema = Ema(model, config.ema)
    optimiser = run.optimiser(model.parameters())
    batches = Batches(len(training.rows), config.batch, config.seed)
    run.track(model=model, ema=ema, optimiser=optimiser, batches=batches)
    run.begin()
    generator = np.random.Generator(np.random.Philox(key=[config.seed, run.step]))
    for _ in run.steps():
        rows = torch.from_numpy(training.rows[batches.next()])
        readings, actions = training.windows(rows, torch.rand(len(rows)) < 0.5)
        begun = torch.rand(len(rows), 1, 1) < BEGUN
        readings[:, :RING] = torch.where(begun, readings[:, RING - 1 : RING], readings[:, :RING])
        ticks = int(generator.choice([1, 4, 12, config.ticks]))
        members = roll_out(model, readings, actions, ticks)
        truth = readings[:, RING : RING + ticks].transpose(0, 1)
        # An error of a later tick is the sum of those before it.
        unit = model.change * torch.arange(1, ticks + 1).sqrt()[:, None, None]
        loss = (energy_score(members, truth) / unit).mean()
        run.set_learning_rate(optimiser)
        run.backward(loss, optimiser, model)
        ema.update(model)
        run.log({"loss": loss})
        if run.validation_due():
            run.report(validate(ema.model, heldout))
    run.report(validate(ema.model, heldout))
