"""A check for vector environments, which Gymnasium has none of: `check_vector_env`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv


def check_vector_env(
    make_vector: Callable[[AutoresetMode], VectorEnv[Any, Any, Any]],
    make_env: Callable[[], gymnasium.Env[Any, Any]],
    *,
    steps: int = 12,
    seed: int = 123,
    atol: float = 0.0,
    rtol: float = 0.0,
) -> int:
    """Raises AssertionError unless a vector environment is, in every autoreset mode, what Gymnasium's `SyncVectorEnv`
    makes of as many single ones: spaces, shapes, dtypes, seeds, resets by mask, ends, `final_obs` and all infos.

    Numbers may differ by `atol + rtol * |number|`: 0 where a row of a batch is computed as if it were alone. Answers
    how many episodes ended; with none, the resets were not looked at, so let them be short.
    """
    return sum(_check_mode(make_vector(mode), make_env, mode, steps, seed, atol, rtol) for mode in AutoresetMode)


def _check_mode(
    envs: Any,
    make_env: Callable[[], gymnasium.Env[Any, Any]],
    mode: AutoresetMode,
    steps: int,
    seed: int,
    atol: float,
    rtol: float,
) -> int:
    alone: Any = SyncVectorEnv([make_env] * envs.num_envs, autoreset_mode=mode)
    assert envs.metadata["autoreset_mode"] is mode, f"metadata says {envs.metadata['autoreset_mode']}, not {mode}"
    for name in ("single_observation_space", "single_action_space", "observation_space", "action_space"):
        assert getattr(envs, name) == getattr(alone, name), f"{name}: {getattr(envs, name)}"

    def same(one: Any, other: Any, what: str) -> None:
        _same(one, other, f"{what} in the mode {mode.value}", atol, rtol)

    envs.action_space.seed(seed)
    first = envs.reset(seed=seed)
    same(first, alone.reset(seed=seed), "what a reset gives")
    same(envs.reset(seed=seed), first, "a reset with the same seed")
    seeds = [seed + 5 * i for i in range(envs.num_envs)]
    same(envs.reset(seed=seeds), alone.reset(seed=seeds), "a reset with a list of seeds")
    same(envs.reset(), alone.reset(), "a reset without a seed, after one with")
    ended, last = 0, None
    for step in range(steps):
        actions = envs.action_space.sample()
        now = envs.step(actions)
        same(now, alone.step(actions), f"step {step}")
        observations, rewards, terminations, truncations, _ = now
        assert observations in envs.observation_space, f"an observation is not of the space at step {step}"
        assert (rewards.dtype, terminations.dtype, truncations.dtype) == (np.float64, np.bool_, np.bool_)
        assert last is None or not np.shares_memory(observations, last), "observations are handed out twice"
        last, over = observations, terminations | truncations
        ended += int(over.sum())
        if mode is AutoresetMode.DISABLED and over.any():
            options = {"reset_mask": over}
            begun, infos = envs.reset(options=dict(options))
            same((begun, infos), alone.reset(options=dict(options)), f"a reset by mask after step {step}")
            assert np.array_equal(begun[~over], observations[~over]), "a reset by mask touched another place"
    for wrong in ([True] * envs.num_envs, np.zeros(envs.num_envs, np.bool_), np.ones(envs.num_envs + 1, np.bool_)):
        try:
            envs.reset(options={"reset_mask": wrong})
        except (TypeError, ValueError):
            continue
        raise AssertionError(f"the reset mask {wrong} was not refused")
    envs.close()
    envs.close()
    alone.close()
    return ended


def _same(one: Any, other: Any, what: str, atol: float, rtol: float) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys(), f"{what} has {sorted(one)}, not {sorted(other)}"
        for key in one:
            _same(one[key], other[key], f"{what}, {key}", atol, rtol)
    elif isinstance(one, tuple):
        assert len(one) == len(other), f"{what} has {len(one)} parts, not {len(other)}"
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            _same(a, b, f"{what}, part {i}", atol, rtol)
    elif isinstance(one, np.ndarray):
        assert (one.shape, one.dtype) == (other.shape, other.dtype), f"{what} is {one.dtype} {one.shape}"
        if one.dtype == object:
            for a, b in zip(one, other, strict=True):
                _same(a, b, what, atol, rtol)
        else:
            far = np.abs(one.astype(np.float64) - other.astype(np.float64)) - rtol * np.abs(other)
            assert far.max(initial=0) <= atol, f"{what} differs by {far.max()}, more than {atol}"
    else:
        assert one == other, f"{what} is {one}, not {other}"
