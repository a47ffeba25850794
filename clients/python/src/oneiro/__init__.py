"""Oneiro in Python: worlds that a neural network dreams, tick by tick.

>>> import gymnasium, oneiro
>>> env = gymnasium.make("Oneiro/Drive-v0", world="assets/drive")
>>> observation, info = env.reset(seed=7)

or without Gymnasium's face: `oneiro.open_world("assets/drive")`.
"""

from oneiro.controls import Action, ActionSpace, Control
from oneiro.errors import (
    AssetCorruptError,
    AssetMissingError,
    BackendError,
    BadInputError,
    EpisodeOverError,
    ManifestInvalidError,
    ManifestVersionError,
    NotReadyError,
    OneiroError,
    PromptEncoderError,
    SelfTestError,
    SnapshotMismatchError,
    WorldClosedError,
)
from oneiro.gym import WorldEnv, WorldVectorEnv, register_worlds
from oneiro.prompts import Prompt
from oneiro.snapshot import Snapshot, read_snapshot, write_snapshot
from oneiro.tasks import Task, register_task
from oneiro.world import Futures, Tick, World, WorldInfo, open_world

__all__ = [
    "Action",
    "ActionSpace",
    "AssetCorruptError",
    "AssetMissingError",
    "BackendError",
    "BadInputError",
    "Control",
    "EpisodeOverError",
    "Futures",
    "ManifestInvalidError",
    "ManifestVersionError",
    "NotReadyError",
    "OneiroError",
    "Prompt",
    "PromptEncoderError",
    "SelfTestError",
    "Snapshot",
    "SnapshotMismatchError",
    "Task",
    "Tick",
    "World",
    "WorldClosedError",
    "WorldEnv",
    "WorldInfo",
    "WorldVectorEnv",
    "open_world",
    "read_snapshot",
    "register_task",
    "write_snapshot",
]

register_worlds()
