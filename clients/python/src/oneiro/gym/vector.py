"""Many dreams as one Gymnasium vector environment: a step is one forward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from oneiro.checks import MAX_SEED, checked_seed, shown
from oneiro.dreams import Dreams
from oneiro.errors import BadInputError, EpisodeOverError, NotReadyError, WorldClosedError
from oneiro.gym.face import Face
from oneiro.prompts import Prompt
from oneiro.start import Beginning, first_state


class WorldVectorEnv(VectorEnv[Any, Any, Any]):
    """`num_envs` dreams of one world; options as `Face` has them, and

    autoreset_mode     when a place that has ended begins anew, an `AutoresetMode` or its name: "NextStep"; "SameStep",
                       with the last observation in `infos["final_obs"]`; or "Disabled", by a reset with
                       `options={"reset_mask": ...}`
    max_episode_steps  steps after which a place is truncated; None: never

    Place i does what a `WorldEnv` with the i-th seed would do, up to the rounding of a batch: matrix products of
    another size add up in another order, and a dream makes the difference grow.

    >>> envs = gymnasium.make_vec("Oneiro/Drive-v0", num_envs=8, world="assets/drive")
    >>> observations, infos = envs.reset(seed=7)  # seeds 7 to 14
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 20}

    def __init__(
        self,
        num_envs: int,
        world: Any = None,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
        **options: Any,
    ):
        if not isinstance(num_envs, int) or num_envs < 1:
            raise BadInputError(f'"num_envs" is a whole number from 1 on, but {shown(num_envs)} came.')
        if render_mode not in (None, "rgb_array"):
            raise BadInputError(f'"render_mode" of many dreams is "rgb_array", but {shown(render_mode)} came.')
        try:
            self.autoreset_mode = AutoresetMode(autoreset_mode)
        except ValueError as cause:
            known = ", ".join(mode.value for mode in AutoresetMode)
            raise BadInputError(f'"autoreset_mode" is one of {known}, but {shown(autoreset_mode)} came.') from cause
        if options.get("server") is not None:
            raise BadInputError(
                "Many dreams at once are dreamed here. For several at a server make each an environment of its own: "
                'make_vec(..., vectorization_mode="sync").'
            )
        self._face = Face(world, **options)
        model = self._face.model
        self.num_envs, self.render_mode = num_envs, render_mode
        fps = round(model.manifest.ticks_per_second)
        self.metadata = {**self.metadata, "render_fps": fps, "autoreset_mode": self.autoreset_mode}
        self.single_observation_space = self._face.observation_space
        self.single_action_space = self._face.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._dreams = Dreams(model, num_envs)
        self._observations = np.zeros(self.observation_space.shape or (), self.observation_space.dtype)
        self._readings = np.zeros((num_envs, len(model.manifest.telemetry)))
        self._generators: list[np.random.Generator | None] = [None] * num_envs
        self._limit = max_episode_steps
        self._steps = np.zeros(num_envs, np.int64)
        self._over = np.zeros(num_envs, np.bool_)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Begins places anew: all, or those of `options["reset_mask"]`, bool [num_envs].

        seed     one for the first place, and 1, 2, ... more for the next; or a list; None: each place draws its own
        options  "prompt" and "start" too, one for all places or a list

        Raises BadInputError, and then no dream has moved.
        """
        self._check_open("reset")
        options = dict(options or {})
        mask = self._mask(options.pop("reset_mask", None))
        places = _where(mask)
        seeds = self._seeds(seed)
        each = self._options(options)
        generators = {i: seeding.np_random(seeds[i])[0] for i in places if seeds[i] is not None}
        states = [self._beginning(i, seeds[i], each[i]) for i in places]
        self._generators = [generators.get(i, kept) for i, kept in enumerate(self._generators)]
        self._begin(places, states)
        return self._observations.copy(), self._infos({}, places)

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """One tick of every place, with actions [num_envs, ...]. Raises BadInputError on what is no action, and then
        nothing has moved."""
        self._check_open("step")
        if (self._dreams.ticks < 0).any():
            raise NotReadyError("step")
        if self.autoreset_mode is AutoresetMode.DISABLED and self._over.any():
            raise EpisodeOverError(
                f"The places {_where(self._over)} have ended and were not reset. Call "
                'reset(options={"reset_mask": terminations | truncations}) before the next step.'
            )
        encoded = self._encoded(actions)
        again = _where(self._over)  # none, unless places begin anew at the next step
        going = _where(~self._over)
        states = [self._beginning(i, None, {}) for i in again]
        rewards, terminations = np.zeros(self.num_envs), np.zeros(self.num_envs, np.bool_)
        if going:
            self._dreams.step(going, encoded[going])
            self._steps[going] += 1
            self._observe(going)
        self._begin(again, states)
        rewards[going], terminations[going] = self._judged(going)
        truncations = np.zeros(self.num_envs, np.bool_)
        if self._limit is not None:
            truncations[going] = self._steps[going] >= self._limit
        self._over = terminations | truncations
        infos: dict[str, Any] = {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            infos = self._finish()
        infos = self._infos(infos, range(self.num_envs))
        return self._observations.copy(), rewards, terminations, truncations, infos

    def set_prompt(self, prompt: Prompt | str, place: int | None = None) -> None:
        """Words that count from the next step on, of one place, or of all."""
        self._check_open("set_prompt")
        if place is not None and not 0 <= place < self.num_envs:
            raise BadInputError(f"Places are numbered from 0 to {self.num_envs - 1}, but {shown(place)} came.")
        text, embedding = self._face.prompts.resolve(prompt)
        for one in range(self.num_envs) if place is None else [place]:
            self._dreams.tell(one, text, embedding)

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """uint8 [H,W,3] of each place, in the mode "rgb_array"; else None."""
        self._check_open("render")
        if self.render_mode is None:
            return None
        if (self._dreams.ticks < 0).any():
            raise NotReadyError("render")
        return tuple(self._face.frames(self._dreams.latents[:, 0]))

    def _beginning(self, place: int, seed: int | None, options: Mapping[str, Any]) -> Beginning:
        """Where a place begins: at that seed, or at one that its own generator draws, as a WorldEnv would."""
        if seed is None:
            generator = self._generators[place] or seeding.np_random()[0]
            self._generators[place] = generator
            seed = int(generator.integers(MAX_SEED + 1))
        return first_state(self._face.model.files, self._face.prompts, seed, *self._face.asked(options))

    def _begin(self, places: Sequence[int], states: Sequence[Beginning]) -> None:
        self._dreams.begin_all(places, states)
        self._steps[places] = 0
        self._over[places] = False
        self._observe(places)

    def _observe(self, places: Sequence[int]) -> None:
        if places:
            latents = self._dreams.latents[places, 0]
            self._observations[places] = self._face.observe(latents)
            self._readings[places] = self._face.model.readings(latents)

    def _judged(self, places: Sequence[int]) -> tuple[list[float], list[bool]]:
        task = self._face.model.task
        read = [self._telemetry(i) or {} for i in places]
        rewards = [task.reward(one) if task and task.reward else 0.0 for one in read]
        return rewards, [task.done(one) if task and task.done else False for one in read]

    def _finish(self) -> dict[str, Any]:
        """Begins anew what has ended in this step, and tells what was last seen there."""
        infos: dict[str, Any] = {}
        places = _where(self._over)
        for i in places:
            last = {"final_obs": self._observations[i].copy(), "final_info": self._info(i)}
            infos = self._add_info(infos, last, i)
        self._begin(places, [self._beginning(i, None, {}) for i in places])
        return infos

    def _telemetry(self, place: int) -> dict[str, float] | None:
        model = self._face.model
        if not model.manifest.telemetry:
            return None
        return model.by_name(self._readings[place])

    def _info(self, place: int) -> dict[str, Any]:
        return self._face.info(int(self._dreams.ticks[place]), self._telemetry(place))

    def _infos(self, infos: dict[str, Any], places: Sequence[int]) -> dict[str, Any]:
        for i in places:
            infos = self._add_info(infos, self._info(i), i)
        return infos

    def _encoded(self, actions: Any) -> NDArray[np.float32]:
        rows = np.asarray(actions)
        if rows.shape != self.action_space.shape:
            wanted = f"whole numbers {list(self.action_space.shape or ())}"
            raise BadInputError(f"Actions of {self.num_envs} places are {wanted}, but {shown(rows)} came.")
        return np.stack([self._face.model.encode(self._face.action(row)) for row in rows])

    def _seeds(self, seed: Any) -> list[int | None]:
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, list | tuple | np.ndarray):
            if len(seed) != self.num_envs:
                raise BadInputError(f"A list of seeds has {self.num_envs}, one a place, but {len(seed)} came.")
            return [None if one is None else checked_seed(one) for one in seed]
        return [checked_seed(checked_seed(seed) + i) for i in range(self.num_envs)]

    def _options(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        """Of each place."""
        for name, value in options.items():
            if isinstance(value, list | tuple) and len(value) != self.num_envs:
                raise BadInputError(f'A list of "{name}" has {self.num_envs}, one a place, but {len(value)} came.')
        return [
            {name: value[i] if isinstance(value, list | tuple) else value for name, value in options.items()}
            for i in range(self.num_envs)
        ]

    def _mask(self, mask: Any) -> NDArray[np.bool_]:
        if mask is None:
            return np.ones(self.num_envs, np.bool_)
        if isinstance(mask, np.ndarray) and mask.dtype == np.bool_ and mask.shape == (self.num_envs,) and mask.any():
            return mask
        raise BadInputError(
            f"A reset mask is a bool array of {self.num_envs}, true at one place at least, but {shown(mask)} came."
        )

    def _check_open(self, call: str) -> None:
        if self.closed:
            raise WorldClosedError(call)


def _where(mask: NDArray[np.bool_]) -> list[int]:
    found: list[int] = np.flatnonzero(mask).tolist()
    return found
