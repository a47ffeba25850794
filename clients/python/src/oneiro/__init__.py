"""Oneiro in Python: worlds that a neural network dreams, tick by tick.

>>> import gymnasium, oneiro
>>> env = gymnasium.make("Oneiro/Drive-v0", world="assets/drive")
>>> observation, info = env.reset(seed=7)

or without Gymnasium's face: `oneiro.open_world("assets/drive")`, and `oneiro.open_server("ws://localhost:7700")`.
"""

from oneiro.controls import Action, ActionSpace, Control
from oneiro.errors import (
    AssetCorruptError,
    AssetMissingError,
    BackendError,
    BadInputError,
    ConnectionLostError,
    EpisodeOverError,
    ManifestInvalidError,
    ManifestVersionError,
    NotReadyError,
    OneiroError,
    PromptEncoderError,
    SelfTestError,
    ServerRefusedError,
    SnapshotMismatchError,
    WireMalformedError,
    WireVersionError,
    WorldClosedError,
)
from oneiro.gym import WorldEnv, WorldVectorEnv, register_worlds
from oneiro.net import RemoteWorld, open_server
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
    "ConnectionLostError",
    "Control",
    "EpisodeOverError",
    "Futures",
    "ManifestInvalidError",
    "ManifestVersionError",
    "NotReadyError",
    "OneiroError",
    "Prompt",
    "PromptEncoderError",
    "RemoteWorld",
    "SelfTestError",
    "ServerRefusedError",
    "Snapshot",
    "SnapshotMismatchError",
    "Task",
    "Tick",
    "WireMalformedError",
    "WireVersionError",
    "World",
    "WorldClosedError",
    "WorldEnv",
    "WorldInfo",
    "WorldVectorEnv",
    "open_server",
    "open_world",
    "read_snapshot",
    "register_task",
    "write_snapshot",
]

register_worlds()
