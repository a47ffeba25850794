"""Histories that the student dreamed itself (Self-Forcing, arXiv 2506.08009, made cheap by a pool).

A pool of roll-outs starts at recorded windows and follows the recorded actions and captions. Each use takes some of
them, advances each by one tick without gradient, and hands out the lengthened history with the frame that was
*recorded* next: so the network learns to lead a history that has drifted back to the world. A roll-out that has reached
its own random length starts again somewhere else.

Stages that learn from the recorded frame keep such a history `anchored`:

- Its telemetry is the recorded one, not the dreamed one: where the picture has lost the road, the
  telemetry still says where it goes.
- Its stated level is how far it has drifted from what was recorded. The further off, the more the recorded frame is a
  jump away from the dreamed ones; with one level for all, the network learns to make such jumps randomly.

Stage 2 needs no right answer: there the telemetry is dreamed too (by a U-Net's instruments) and the level is the one
stated at play.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from distill.data.dataset import WindowDataset
from distill.models.dit import Conditions
from distill.models.sampler import Sampler
from distill.world import RING


class RolloutHistory:
    def __init__(
        self,
        dataset: WindowDataset,
        part: float,
        ticks: int,
        batch: int,
        level: float,
        unit: Tensor,
        anchored: bool = True,
        pool: int = 128,
        hop: int = 1,
    ):
        """`part` of each batch comes from the pool; a roll-out is at most `ticks` long; `level` is stated while it is
        dreamed; `unit` [T,C] is the noise of level 1 (`DiT.noise_unit`); each use takes a roll-out `hop` ticks on."""
        self.dataset, self.ticks, self.level, self.anchored = dataset, ticks, level, anchored
        self.hop = hop
        self.unit = unit[: dataset.config.grid]
        self.count = round(part * batch)
        if not self.count:
            return
        self.starts = dataset.latents.transitions(ticks + hop)
        size = max(pool, self.count)
        config = dataset.config
        self.row, self.age, self.length = (np.zeros(size, np.int64) for _ in range(3))
        self.flip = np.zeros(size, bool)
        self.ring = torch.zeros(size, RING, config.tokens, config.channels, device=dataset.device)
        self.cursor = 0
        self._restart(np.arange(size))

    def state_dict(self) -> dict:
        if not self.count:
            return {}
        names = ("row", "age", "length", "flip")
        return {n: torch.from_numpy(getattr(self, n)) for n in names} | {"ring": self.ring, "cursor": self.cursor}

    def load_state_dict(self, state: dict) -> None:
        """A pool of another size (or none) starts afresh."""
        if not self.count or "ring" not in state or state["ring"].shape != self.ring.shape:
            return
        for name in ("row", "age", "length", "flip"):
            setattr(self, name, state[name].numpy().copy())
        self.ring, self.cursor = state["ring"].to(self.ring), state["cursor"]

    def _restart(self, which: np.ndarray) -> None:
        if not len(which):
            return
        chosen = torch.randint(len(self.starts), (len(which),)).numpy()
        self.row[which], self.age[which] = self.starts[chosen], 0
        self.length[which] = torch.randint(1, self.ticks + 1, (len(which),)).numpy()
        self.flip[which] = torch.rand(len(which)).numpy() < 0.5 if self.dataset.can_flip else False
        latents = self.dataset.latents
        rows = self.row[which, None] - np.arange(RING)
        ring = latents.seen(rows, self.flip[which])
        self.ring[which] = torch.from_numpy(ring.astype(np.float32)).to(self.ring)

    def _conditions(self, which: np.ndarray) -> tuple[Tensor, Conditions, Tensor]:
        """The recorded next latent [b,T,C], the conditions of this tick as in free running, and the newest latent as it
        was recorded [b,T,C]."""
        target, recorded = self.dataset.gather(self.row[which], self.flip[which])
        history = self.ring[which][:, [offset - 1 for offset in self.dataset.config.offsets]]
        level = torch.full_like(recorded.level, self.level)
        return target, replace(recorded, history=history, level=level), recorded.history[:, 0]

    def drift(self, dreamed: Tensor, recorded: Tensor) -> Tensor:
        """Root mean square of the distance of two latents [b,T,C] in units of the history noise, picture only."""
        moves = self.unit > 0
        apart = (dreamed - recorded)[:, : len(self.unit)][:, moves] / self.unit[moves]
        return apart.square().mean(1).sqrt()

    def next(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The next roll-outs of the pool, and those of them that begin afresh."""
        which = (self.cursor + np.arange(count)) % len(self.row)
        self.cursor = int((self.cursor + count) % len(self.row))
        over = which[self.age[which] >= self.length[which]]
        self._restart(over)
        return which, over

    @torch.no_grad()
    def take(self, sampler: Sampler) -> tuple[Tensor, Conditions, Tensor]:
        """Advances the next roll-outs of the pool -> (recorded next latent [b,T,C], conditions, ages int64 [b])."""
        which, _ = self.next(self.count)
        for _ in range(self.hop):
            self._advance(which, sampler)
        target, conditions, recorded = self._conditions(which)
        if self.anchored:
            conditions.level = self.drift(conditions.history[:, 0], recorded)
        else:
            conditions = self._with_predicted_telemetry(conditions, sampler)
        return target, conditions, torch.from_numpy(self.age[which]).to(self.ring.device)

    def _with_predicted_telemetry(self, conditions: Conditions, sampler: Sampler) -> Conditions:
        """With the telemetry that the dream's own instruments go on to, where they do (U-Net)."""
        noise = torch.randn_like(conditions.history[:, 0])
        return sampler.dit.predict_telemetry(noise, replace(conditions, following=None))

    def _advance(self, which: np.ndarray, sampler: Sampler) -> None:
        target, conditions, _ = self._conditions(which)
        if not self.anchored:
            conditions = self._with_predicted_telemetry(conditions, sampler)
        noise = torch.randn(len(which), 1 + sampler.outer_steps, *self.ring.shape[2:], device=self.ring.device)
        latent = sampler(noise, conditions)
        if self.anchored:
            grid = self.dataset.config.grid
            latent[:, grid:] = target[:, grid:]
        self.ring[which] = torch.cat([latent[:, None], self.ring[which][:, :-1]], 1)
        self.row[which] += 1
        self.age[which] += 1

    def mix(self, target: Tensor, conditions: Conditions, sampler: Sampler) -> tuple[Tensor, Conditions, Tensor]:
        """Replaces a part of a batch of recorded windows by dreamed ones. The last is how many ticks of each history
        were dreamed, int64 [B]; 0 where it was recorded."""
        age = torch.zeros(len(target), dtype=torch.int64, device=target.device)
        if not self.count:
            return target, conditions, age
        own_target, own, own_age = self.take(sampler)
        keep = len(target) - self.count
        order = torch.randperm(len(target), device=target.device)  # stage 1 treats the first rows differently
        join = lambda a, b: None if b is None else torch.cat([a[:keep], b])[order]  # noqa: E731
        parts = ("history", "level", "actions", "prompt", "since", "following")
        mixed = Conditions(**{name: join(getattr(conditions, name), getattr(own, name)) for name in parts})
        return join(target, own_target), mixed, join(age, own_age)
