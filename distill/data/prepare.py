"""Episodes to packed arrays. Run it again while the recorder is still at work: only what is new is added, and a file
that is half written is left for the next time."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from distill.config import BaseConfig, UserError
from distill.data.packed import EpisodeError, Packer, read_episode
from distill.progress import Progress
from distill.world import HELD_OUT_SEED, VALIDATION_SEED, split_of


@dataclass
class Config(BaseConfig):
    splits: list[str] = field(default_factory=lambda: ["train", "validation", "heldout"])
    limit: int = 0  # episodes added at most, in each split; 0 = all


def prepare_split(folder: Path, split: str, limit: int = 0) -> tuple[int, int]:
    """Appends new episodes of `folder` to `folder/packed`. Returns (rows, skipped files). Raises UserError where an
    episode's seed belongs to the other split."""
    packer = Packer(folder / "packed")
    known = packer.known()
    files = [path for path in sorted(folder.glob("ep-*.msgpack")) if path.name not in known]
    files = files[:limit] if limit else files
    skipped = 0
    for number, path in enumerate(Progress(files, desc=split, unit="episode", disable=not files)):
        try:
            episode = read_episode(path)
            if split_of(episode["seed"]) != split:
                raise UserError(
                    f"{path} has seed {episode['seed']}, which belongs to {split_of(episode['seed'])}, not {split}: "
                    f"seeds from {HELD_OUT_SEED} on are the test, from {VALIDATION_SEED} on validation, others train"
                )
            packer.append(path.name, episode)
        except EpisodeError as error:
            skipped += 1
            print(f"prepare: left out for now: {error}", file=sys.stderr)
        if number % 100 == 99:
            packer.commit()
    if files:
        packer.commit()
    return packer.index["rows"], skipped


def run(config: Config) -> None:
    if not any((Path(config.data) / split).is_dir() for split in config.splits):
        raise UserError(f"there are no episodes below {config.data}; record some first (npm run record)")
    for split in config.splits:
        folder = Path(config.data) / split
        if folder.is_dir():
            rows, skipped = prepare_split(folder, split, config.limit)
            left = f", {skipped} files left out" if skipped else ""
            print(f"prepare: {split} has {rows} frames{left}")
