"""Trains what says a tick's reward and end from the pictures before and after it (models/outcome.py)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from distill.config import TrainConfig, UserError
from distill.data.packed import Latents, Packed
from distill.models.outcome import STANDS, Outcome, OutcomeConfig, reads_of
from distill.training.run import Batches, Ema, Run


@dataclass
class Config(TrainConfig):
    name: str = "outcome"
    data: str = "data/snake"
    batch: int = 128
    width: int = 32
    learning_rate: float = 3e-3
    ema: float = 0.99
    max_steps: int = 1500
    noise: float = 0.2  # highest size of the noise on a latent: what is seen later is dreamed
    validation: str = "validation"


def told(packed: Packed, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """Rewards and ends of the ticks that lead from `rows` to the next: float32 [B] each."""
    return torch.from_numpy(packed.rewards[rows].copy()), torch.from_numpy(packed.dones[rows].astype(np.float32))


def eventful(packed: Packed, rows: np.ndarray) -> np.ndarray:
    """Those of `rows` in which something seldom happens: an end, or another reward than the usual one."""
    usual = np.median(packed.rewards[rows])
    return rows[(packed.dones[rows] > 0) | (np.abs(packed.rewards[rows] - usual) > STANDS)]


def pair(latents: Latents, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """Latents before and after, float32 [B,T,C]."""
    return tuple(torch.from_numpy(latents.latents[at].astype(np.float32)) for at in (rows, rows + 1))


@torch.no_grad()
def metrics_of(model: Outcome, latents: Latents, rows: np.ndarray, batch: int = 256) -> dict[str, float]:
    """Correlation of rewards, and F1 of ends, over `rows`; left out where there is nothing to compare."""
    read = torch.cat([model.read(*pair(latents, part)) for part in np.split(rows, range(batch, len(rows), batch))])
    rewards, dones = (value.numpy() for value in told(latents, rows))
    columns = dict(zip(model.config.reads, read.numpy().T, strict=True))
    metrics = {}
    if "reward" in columns and rewards.std() > STANDS:
        metrics["reward_correlation"] = float(np.corrcoef(columns["reward"], rewards)[0, 1])
    if "done" in columns and dones.any():
        said = columns["done"] >= 0.5
        right = float((said & (dones > 0)).sum())
        metrics["done_f1"] = 2 * right / max(1.0, float(said.sum() + (dones > 0).sum()))
    return metrics


def run(config: Config) -> None:
    training, heldout = Latents(config.data, "train"), Latents(config.data, config.validation)
    rows = training.transitions()
    reads = reads_of(training.rewards[rows], training.dones[rows])
    if not reads:
        raise UserError(f"the recordings in {config.data} have no reward but 0 and no end: nothing is to be learnt")
    if "columns" not in training.codec:
        raise UserError(f"{config.data} has latents of an older codec; run the `latents` stage with the linear one")
    columns = training.codec["columns"]
    shape = OutcomeConfig(training.codec["tokens"] // columns, columns, training.codec["channels"], config.width, reads)
    run = Run(config, "outcome", vars(shape))
    seldom = eventful(training, rows)
    model = Outcome(shape).to(run.device)
    rewards, dones = told(training, rows)
    model.centre.copy_(rewards.mean())
    model.spread.copy_(rewards.std().clamp(min=1e-3))
    # Half of a batch are seldom ones, so the odds that are learnt are not those of the recordings.
    share = float(dones.mean())
    drawn = 0.5 * share + 0.5 * float(told(training, seldom)[1].mean()) if len(seldom) else share
    odds = np.log(max(drawn, 1e-6) / max(1 - drawn, 1e-6)) - np.log(max(share, 1e-6) / max(1 - share, 1e-6))
    ema = Ema(model, config.ema)
    optimiser = run.optimiser(model.parameters())
    batches = Batches(len(rows), config.batch, config.seed)
    run.track(model=model, ema=ema, optimiser=optimiser, batches=batches)
    run.begin()
    generator = np.random.Generator(np.random.Philox(key=[config.seed, run.step]))
    for _ in run.steps():
        chosen = rows[batches.next()]
        if len(seldom):
            half = config.batch // 2
            chosen[:half] = seldom[generator.integers(0, len(seldom), half)]
        before, after = (
            latent + config.noise * torch.rand(len(latent), 1, 1) * torch.randn_like(latent)
            for latent in pair(training, chosen)
        )
        out = dict(zip(reads, model(before.to(run.device), after.to(run.device)).T, strict=True))
        rewards, dones = (value.to(run.device) for value in told(training, chosen))
        losses = {}
        if "reward" in out:
            losses["reward"] = F.smooth_l1_loss(out["reward"], (rewards - model.centre) / model.spread)
        if "done" in out:
            losses["done"] = F.binary_cross_entropy_with_logits(out["done"] + odds, dones)
        run.set_learning_rate(optimiser)
        run.backward(sum(losses.values()), optimiser, model)
        ema.update(model)
        run.log({name: loss.detach() for name, loss in losses.items()})
    metrics = metrics_of(ema.model.cpu(), heldout, heldout.transitions())
    run.report(metrics)
