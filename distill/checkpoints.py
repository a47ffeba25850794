"""Checkpoints: written whole or not at all, read only by those they belong to.

- A checkpoint is the whole state of a training: models, EMA, optimisers, step, minutes, random states, position in the
  data.
- It is written beside the old one and renamed over it, so a full disk or a kill leaves the last good one.
- It names its architecture and is refused by another.
"""

from __future__ import annotations

from pathlib import Path

import torch

from distill.atomic import replacing
from distill.config import TrainConfig, UserError
from distill.world import TELEMETRY

FORMAT = "oneiro-checkpoint-1"


def write_checkpoint(saved: dict, path: Path) -> None:
    """Beside the old one and renamed over it. Raises UnwritableError, and then the old one stays."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        torch.save(saved, file)


def load_checkpoint(path: str | Path, kind: str, architecture: dict | None = None) -> dict:
    """Reads a checkpoint of `kind`. Keys: architecture, config, step, minutes, samples, state {name: state_dict}.

    With `architecture`, a checkpoint of another one is refused. Raises UserError with the reason."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f"there is no checkpoint {path}; train the {kind} stage first or name another file")
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise UserError(f"{path} is not a readable checkpoint ({type(error).__name__}); it may be cut short") from error
    if not isinstance(saved, dict) or saved.get("format") != FORMAT:
        raise UserError(f"{path} is not a checkpoint of this project ({FORMAT})")
    saved["kind"] = KINDS.get(saved["kind"], saved["kind"])
    if saved["kind"] != kind:
        raise UserError(f"{path} holds a {saved['kind']}, not a {kind}")
    _rename(saved)
    if architecture is not None:
        require_architecture(path, saved["architecture"], architecture)
    return saved


# What older checkpoints call otherwise: kinds, keys of the architecture, tracked parts, layers.
KINDS = {"autoencoder": "codec"}
GONE = ("groups", "encoder_widths")
ARCHITECTURE, PARTS = {"reader": "prompt_hidden"}, {"own": "rollouts"}
LAYERS = {"reader": "prompt_hidden", "told": "condition"}


def _rename(saved: dict) -> None:
    """Brings the names of an older checkpoint up to date, in place."""

    def layers(part):
        if not isinstance(part, dict):
            return part
        new = lambda key: ".".join(LAYERS.get(name, name) for name in key.split(".")) if isinstance(key, str) else key  # noqa: E731
        return {new(key): layers(value) for key, value in part.items()}

    saved["architecture"] = {ARCHITECTURE.get(k, k): v for k, v in saved["architecture"].items() if k not in GONE}
    if saved["architecture"].get("network") == "unet":  # from before there was a world without instruments
        saved["architecture"].setdefault("readings", len(TELEMETRY))
    saved["state"] = {PARTS.get(name, name): layers(part) for name, part in saved["state"].items()}


def is_whole(saved: dict, config: TrainConfig | dict) -> bool:
    """Whether a checkpoint has all the steps or minutes that its training was to have."""
    limits = config if isinstance(config, dict) else vars(config)
    if limits.get("max_steps"):
        return saved["step"] >= limits["max_steps"]
    return saved["minutes"] >= (limits.get("max_minutes") or 0)


def differing(there: dict, here: dict) -> str:
    """`width is 4 there and 5 here; ...`, empty where nothing differs."""
    return "; ".join(
        f"{key} is {there.get(key)} there and {here.get(key)} here"
        for key in sorted(there.keys() | here.keys())
        if there.get(key) != here.get(key)
    )


def require_architecture(path: Path, there: dict, here: dict) -> None:
    """Raises UserError, with what differs, where a checkpoint's architecture is not the one that is asked for."""
    if there == here:
        return
    raise UserError(
        f"{path} was trained with another architecture: {differing(there, here)}. "
        "Use its own configuration, or another `name` to train afresh"
    )
