"""Configurations: one dataclass beside each stage, YAML files as diffs (`defaults: base.yaml`), key=value on top.

A key that the stage does not know is refused by name, so that a typing error never trains for an hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException


class UserError(Exception):
    """What the person at the keyboard can put right. Printed as a sentence, without a trace."""


@dataclass
class BaseConfig:
    """What every stage has, trained or not."""

    name: str = "unnamed"  # the run's folder below `runs`
    data: str = "data/drive"  # holds train/ and heldout/
    runs: str = "runs"
    seed: int = 1
    device: str = "cpu"
    dtype: str = "float32"  # autocast type of the forward pass: float32, bfloat16, float16, or auto: what is fast here
    threads: int = 1  # of torch on the CPU; two spin against each other when anything else runs
    compile: bool = False
    resume: bool = False


@dataclass
class TrainConfig(BaseConfig):
    """What every trained stage has."""

    batch: int = 32
    learning_rate: float = 1e-3
    final_learning_rate: float = 0.02  # at the end of the schedule, as a part of learning_rate
    warmup_steps: int = 100
    schedule: str = "cosine"  # cosine | constant | wsd (constant, then a linear fall over the last fifth)
    weight_decay: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.99
    clip: float = 1.0  # of the gradient norm; 0 = off
    ema: float = 0.999
    max_steps: int = 0  # 0 = no limit. With a limit the schedule follows the step, otherwise the minutes
    max_minutes: float = 0.0  # 0 = no limit. Minutes spent training, kept across resumes
    checkpoint_minutes: float = 5.0
    validate_minutes: float = 5.0
    log_steps: int = 50


T = TypeVar("T", bound=BaseConfig)


def _read(path: Path, seen: tuple[Path, ...] = ()):
    if path in seen:
        raise UserError(f"the configuration {path} is its own default; remove the loop in `defaults`")
    if not path.is_file():
        raise UserError(f"there is no configuration file {path}; those that ship are in distill/configs")
    try:
        loaded = OmegaConf.load(path)
    except yaml.YAMLError as error:
        raise UserError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    if not OmegaConf.is_dict(loaded):
        raise UserError(f"{path} must hold `key: value` lines")
    base = loaded.pop("defaults", None)
    return loaded if base is None else OmegaConf.merge(_read(path.parent / base, (*seen, path)), loaded)


def _values(overrides: list[str]):
    """key=value pairs as a configuration. Raises UserError where a value is no YAML."""
    values = OmegaConf.create()
    for item in overrides:
        try:
            values.merge_with_dotlist([item])
        except yaml.YAMLError as error:
            raise UserError(
                f"`{item}` cannot be read: {' '.join(str(getattr(error, 'problem', error)).split())}; a list is "
                f"{item.partition('=')[0]}=[one,two], and what has brackets or commas itself stands in quotes in it"
            ) from error
    return values


def load_config(schema: type[T], file: str | None, overrides: list[str] = ()) -> T:
    """The stage's dataclass, filled from `file` (and its `defaults`) and then from key=value overrides.

    Raises UserError for a missing file, an unknown key or a value of another type."""
    for item in overrides:
        if "=" not in item:
            raise UserError(f"`{item}` is no override; write key=value")
    try:
        merged = OmegaConf.structured(schema)
        if file is not None:
            merged = OmegaConf.merge(merged, _read(Path(file)))
        merged = OmegaConf.merge(merged, _values(overrides))
        return OmegaConf.to_object(merged)
    except OmegaConfBaseException as error:
        key = getattr(error, "full_key", None)
        reason = (f"{key}: " if key else "") + str(error).splitlines()[0]
        raise UserError(f"the configuration does not fit {schema.__module__}.{schema.__name__}: {reason}") from error
