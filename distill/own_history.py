"""Histories that the student dreamed itself (Self-Forcing, arXiv 2506.08009, made cheap by a pool).

A pool of roll-outs starts at recorded windows and follows the recorded actions and captions. Each use takes some of
them, advances each by one tick without gradient, and hands out the lengthened history with the frame that was
*recorded* next: so the network learns to lead a history that has drifted back to the world. A roll-out that has reached
its own random length starts again somewhere else.

The telemetry of such a history is the recorded one, not the dreamed one. So the recorded frame stays the right answer
however long the roll-out: where the picture has lost the road, the telemetry still says where it goes.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from distill.data import RING
from distill.dit import Conditions
from distill.sampling import Sampler
from distill.windows import Windows


class OwnHistory:
    def __init__(self, windows: Windows, part: float, ticks: int, batch: int, level: float, pool: int = 128):
        """`part` of each batch comes from the pool; a roll-out is at most `ticks` long; `level` is stated in it."""
        self.windows, self.ticks, self.level = windows, ticks, level
        self.count = round(part * batch)
        if not self.count:
            return
        self.starts = windows.latents.transitions(ticks + 1)
        size = max(pool, self.count)
        config = windows.config
        self.row, self.age, self.length = (np.zeros(size, np.int64) for _ in range(3))
        self.flip = np.zeros(size, bool)
        self.ring = torch.zeros(size, RING, config.tokens, config.channels, device=windows.device)
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
        self.flip[which] = torch.rand(len(which)).numpy() < 0.5 if self.windows.can_flip else False
        latents = self.windows.latents
        rows = self.row[which, None] - np.arange(RING)
        ring = np.array(latents.latents[rows])
        mirrored = self.flip[which]
        if mirrored.any():
            ring[mirrored] = latents.flipped[rows[mirrored]]
        self.ring[which] = torch.from_numpy(ring.astype(np.float32)).to(self.ring)

    def _conditions(self, which: np.ndarray) -> tuple[Tensor, Conditions]:
        """The recorded next latent [b,T,C] and the conditions of this tick: the dreamed history as it is, at `level`,
        as in free running."""
        target, recorded = self.windows.gather(self.row[which], self.flip[which])
        history = self.ring[which][:, [offset - 1 for offset in self.windows.config.offsets]]
        level = torch.full_like(recorded.level, self.level)
        return target, Conditions(history, level, recorded.actions, recorded.prompt)

    @torch.no_grad()
    def take(self, sampler: Sampler) -> tuple[Tensor, Conditions]:
        """Advances the next roll-outs of the pool by a tick -> (recorded next latent [b,T,C], conditions)."""
        which = (self.cursor + np.arange(self.count)) % len(self.row)
        self.cursor = int((self.cursor + self.count) % len(self.row))
        self._restart(which[self.age[which] >= self.length[which]])
        target, conditions = self._conditions(which)
        noise = torch.randn(len(which), 1 + sampler.outer_steps, *self.ring.shape[2:], device=self.ring.device)
        latent = sampler(noise, conditions)
        grid = self.windows.config.grid
        latent[:, grid:] = target[:, grid:]
        self.ring[which] = torch.cat([latent[:, None], self.ring[which][:, :-1]], 1)
        self.row[which] += 1
        self.age[which] += 1
        return self._conditions(which)

    def mix(self, target: Tensor, conditions: Conditions, sampler: Sampler) -> tuple[Tensor, Conditions]:
        """Replaces the last part of a batch of recorded windows by dreamed ones."""
        if not self.count:
            return target, conditions
        own_target, own = self.take(sampler)
        keep = len(target) - self.count
        order = torch.randperm(len(target), device=target.device)  # stage 1 treats the first rows differently
        join = lambda a, b: torch.cat([a[:keep], b])[order]  # noqa: E731
        return join(target, own_target), Conditions(
            join(conditions.history, own.history),
            join(conditions.level, own.level),
            join(conditions.actions, own.actions),
            join(conditions.prompt, own.prompt),
        )
