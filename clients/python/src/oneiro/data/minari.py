"""Drives for Minari, by its own library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from oneiro.data.drives import Drive, checked_drives
from oneiro.errors import BadInputError


def write_minari(dataset_id: str, drives: Sequence[Drive], description: str | None = None) -> Any:
    """Writes drives as the data set of that name, like "oneiro/drive-v0", where Minari keeps its own
    (`MINARI_DATASETS_PATH`), and returns the `MinariDataset`.

    Observations are a dict of "frame" and, where there are instruments, "telemetry"; actions are as in
    `gymnasium.make("Oneiro/...")`: of each control, which of its values. An episode's seed and words are those of its
    reset (`options["prompt"]`). Frames are kept as they are: Minari's own default would make JPEG of them.

    Raises BadInputError where the name is taken or none of Minari's, or the drives are none or of several worlds.
    """
    try:
        import minari
        from minari.data_collector import EpisodeBuffer
    except ImportError as cause:
        raise BadInputError('Minari writes its data sets itself. pip install "oneiro[minari]".') from cause
    info = checked_drives(drives)
    observed: dict[str, spaces.Space[Any]] = {"frame": spaces.Box(0, 255, (info.height, info.width, 3), np.uint8)}
    if info.telemetry:
        observed["telemetry"] = spaces.Box(-np.inf, np.inf, (len(info.telemetry),), np.float32)
    episodes = [
        EpisodeBuffer(
            id=number,
            seed=drive.seed,
            options={"prompt": drive.prompts[0]} if info.prompt else None,
            observations={"frame": list(drive.frames)}
            | ({"telemetry": list(drive.telemetry)} if info.telemetry else {}),
            actions=list(drive.actions),
            rewards=drive.rewards.tolist(),
            terminations=drive.dones.tolist(),
            truncations=[*[False] * (len(drive) - 1), not drive.dones[-1]],
        )
        for number, drive in enumerate(drives)
    ]
    try:
        return minari.create_dataset_from_buffers(
            dataset_id,
            episodes,
            observation_space=spaces.Dict(observed),
            action_space=spaces.MultiDiscrete([len(control.values) for control in info.controls]),
            description=description or f'Drives dreamed in the world "{info.id}", model {info.model_hash[:16]}.',
            requirements=["oneiro"],
            jpeg_encoding=False,
        )
    except ValueError as cause:
        raise BadInputError(f"Minari refuses the data set: {cause}") from cause
