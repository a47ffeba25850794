"""Many dreams on one student: those that step together are one forward pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from oneiro.errors import BackendError, NotReadyError
from oneiro.files import Floats
from oneiro.model import Model
from oneiro.start import Beginning

NOT_BEGUN = np.iinfo(np.int64).min

Places = Sequence[int] | NDArray[np.intp]


class Dreams:
    """The states of `count` dreams, at places 0 to count - 1, as arrays with a row for each."""

    def __init__(self, model: Model, count: int):
        m = model.manifest
        self.model, self.count = model, count
        self.latents = np.zeros((count, m.ring_length, m.tokens, m.channels), np.float32)  # newest first, as kept
        self.past = np.zeros((count, m.action_count - 1, m.action_dims), np.float32)  # newest first
        self.prompt = np.zeros((count, m.prompt_dim), np.float32)
        self.texts = [""] * count
        self.seeds = np.zeros(count, np.int64)
        self.ticks = np.full(count, NOT_BEGUN, np.int64)

    def begin(self, place: int, state: Beginning) -> None:
        self.latents[place] = self.model.kept(state.latents)
        self.past[place] = state.past
        self.seeds[place], self.ticks[place] = state.seed, state.tick
        self.tell(place, state.text, state.embedding)

    def tell(self, place: int, text: str, embedding: Floats) -> None:
        """Words that count from the next tick on."""
        self.texts[place], self.prompt[place] = text, embedding

    def state(self, place: int) -> Beginning:
        """A copy."""
        return Beginning(
            tick=int(self.ticks[place]),
            seed=int(self.seeds[place]),
            text=self.texts[place],
            embedding=self.prompt[place].copy(),
            latents=self.latents[place].copy(),
            past=self.past[place].copy(),
        )

    def step(self, places: Places, actions: Floats) -> None:
        """One tick of these places, with encoded actions [n,D]. Raises NotReadyError; BackendError: none moved."""
        where = np.asarray(places, np.intp)
        if (self.ticks[where] < 0).any():
            raise NotReadyError("step")
        self._advance(where, actions)

    def begin_all(self, places: Sequence[int], states: Sequence[Beginning]) -> None:
        """Begins at each place, up to its first frame. Raises BackendError, and then all go on as they were."""
        kept = (self.latents, self.past, self.prompt, self.seeds, self.ticks)
        before, texts = [part.copy() for part in kept], list(self.texts)
        try:
            for place, state in zip(places, states, strict=True):
                self.begin(place, state)
            self._settle()
        except BackendError:
            for part, old in zip(kept, before, strict=True):
                part[...] = old
            self.texts[:] = texts
            raise

    def _settle(self) -> None:
        """The ticks before the first frame of drives that begin from words alone, with nothing held, all together."""
        idle = self.model.encode(self.model.space.idle)
        while (where := np.flatnonzero((self.ticks < 0) & (self.ticks != NOT_BEGUN))).size:
            self._advance(where, np.repeat(idle[None], len(where), 0))

    def _advance(self, where: NDArray[np.intp], actions: Floats) -> None:
        m = self.model.manifest
        taken = np.concatenate([actions[:, None], self.past[where]], axis=1)
        history = self.latents[where][:, [offset - 1 for offset in m.offsets]]
        noise = self.model.noise(self.seeds[where], (self.ticks[where] + 1) % 2**32)
        latents = self.model.next_latents(history, taken, self.prompt[where], noise)
        self.latents[where, 1:] = self.latents[where, :-1]
        self.latents[where, 0] = latents
        self.past[where] = taken[:, : m.action_count - 1]
        self.ticks[where] += 1
