"""Recorded episodes as flat arrays on disk, read through memory maps.

`data/<world>/<split>/packed/` holds one row a frame: frames.u8, actions.i8, prompts.i32, telemetry.f32, boxes.f32,
rewards.f32, dones.u8, and index.json with the episodes and captions. The index is written last and atomically; rows
beyond it do not count, so an interrupted `prepare` is simply run again. Row t follows the recorder: actions[t] and
prompts[t] lead from frame t to frame t+1.
"""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path

import msgpack
import numpy as np

from distill.atomic import write_text
from distill.config import UserError
from distill.world import (
    DRIVE,
    FILE,
    LABELS,
    LONG_AGO,
    MORPH_TICKS,
    RING,
    TELEMETRY,
    WorldSpec,
    telemetry_tokens,
    world_of,
    world_text,
)


class EpisodeError(Exception):
    """The file is no whole episode: cut short, of another format, or inconsistent."""


def read_episode(path: str | Path) -> dict:
    """One episode: frames uint8 [T,H,W,3], actions [T,A] as a network is told of them, telemetry float32 [T,recorded],
    rewards float32 [T], dones uint8 [T], prompts (list of dicts with tick and text), seed, policy, stateHash, and its
    `world`. The drive's (version 3) have boxes float32 [T,4] (where the car is seen: centre x and y, width, height in
    pixels), and labels in their prompts. Raises EpisodeError."""
    try:
        raw = msgpack.unpackb(Path(path).read_bytes(), raw=False, strict_map_key=False)
    except Exception as error:
        raise EpisodeError(f"{path} is not whole MessagePack ({type(error).__name__})") from error
    if not isinstance(raw, dict) or raw.get("format") != "oneiro-episode" or raw.get("version") not in (3, 4):
        raise EpisodeError(f"{path} is not an oneiro-episode of version 3 or 4; record it again")
    if raw["version"] == 4:
        return _any_episode(path, raw)
    if list(raw.get("telemetryNames", [])) != list(TELEMETRY):
        raise EpisodeError(f"{path} has other telemetry than {', '.join(TELEMETRY)}; record it again")
    try:
        ticks = raw["ticks"]
        episode = _recorded(raw) | {
            "actions": np.frombuffer(raw["actions"], np.int8).reshape(ticks, 2),
            "boxes": np.frombuffer(raw["boxes"], "<f4").reshape(ticks, 4),
            "world": DRIVE,
        }
    except (KeyError, ValueError, TypeError, zlib.error) as error:
        raise EpisodeError(f"{path} is damaged ({type(error).__name__}: {error})") from error
    if ticks < RING + 1 or not episode["prompts"] or episode["prompts"][0]["tick"] != 0:
        raise EpisodeError(f"{path} needs more than {RING} ticks and a prompt at tick 0")
    for prompt in episode["prompts"]:
        for name, values in LABELS.items():
            if prompt.get(name) not in values:
                raise EpisodeError(f"{path}: the prompt's {name} is {prompt.get(name)}, not one of {', '.join(values)}")
    return episode


def _recorded(raw: dict) -> dict:
    """What the episodes of both versions have, of their container's map."""
    ticks, names = raw["ticks"], raw["telemetryNames"]
    shape = (ticks, raw["height"], raw["width"], 3)
    return {
        "frames": np.frombuffer(zlib.decompress(raw["frames"]), np.uint8).reshape(shape),
        "telemetry": np.frombuffer(raw["telemetry"], "<f4").reshape(ticks, len(names)),
        "rewards": np.frombuffer(raw["rewards"], "<f4").reshape(ticks),
        "dones": np.frombuffer(raw["dones"], np.uint8).reshape(ticks),
        "prompts": sorted(raw["prompts"], key=lambda prompt: prompt["tick"]),
        "seed": int(raw["seed"]),
        "policy": raw.get("policy", ""),
        "stateHash": raw.get("stateHash", ""),
    }


def _any_episode(path: str | Path, raw: dict) -> dict:
    """An episode of version 4, of any world: it says itself what can be done in it and what is recorded of it."""
    try:
        ticks = raw["ticks"]
        world = WorldSpec(
            id=raw["world"],
            title=raw.get("title") or raw["world"],
            width=raw["width"],
            height=raw["height"],
            ticksPerSecond=raw["ticksPerSecond"],
            controls=raw["controls"],
            encoding=raw.get("encoding", "number"),
            prompt=bool(raw["prompts"]),
            recorded=list(raw["telemetryNames"]),
        )
        actions = np.frombuffer(raw["actions"], "<f4").reshape(ticks, len(world.controls))
        episode = _recorded(raw) | {"actions": world.encode(actions), "world": world}
    except (KeyError, ValueError, TypeError, zlib.error) as error:
        raise EpisodeError(f"{path} is damaged ({type(error).__name__}: {error})") from error
    prompts = episode["prompts"]
    if ticks < RING + 1 or (prompts and prompts[0]["tick"] != 0):
        raise EpisodeError(f"{path} needs more than {RING} ticks, and a prompt at tick 0 or none at all")
    return episode


PARAPHRASES = "paraphrases.npy"


def arrays_of(world: WorldSpec) -> dict[str, tuple[str, type, tuple[int, ...]]]:
    """The flat arrays of a world's recordings: name -> (file, dtype, shape of a row)."""
    actions = ("actions.i8", np.int8) if world.is_drive else ("actions.f32", np.float32)
    arrays = {
        "frames": ("frames.u8", np.uint8, (world.height, world.width, 3)),
        "actions": (*actions, (world.action_dims,)),
        "prompts": ("prompts.i32", np.int32, ()),
        "telemetry": ("telemetry.f32", np.float32, (len(world.recorded),)),
        "boxes": ("boxes.f32", np.float32, (4,)),
        "rewards": ("rewards.f32", np.float32, ()),
        "dones": ("dones.u8", np.uint8, ()),
    }
    if not world.is_drive:
        del arrays["boxes"]
    return arrays


class Packer:
    """Appends episodes to a packed folder; `commit` makes them count."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "index.json"
        self.index = json.loads(path.read_text()) if path.is_file() else {"rows": 0, "episodes": [], "captions": []}
        self.captions = {json.dumps(caption, sort_keys=True): i for i, caption in enumerate(self.index["captions"])}
        self.files = {}
        self.world: WorldSpec | None = world_of(self.data) if self.index["rows"] or self._described() else None

    @property
    def data(self) -> Path:
        """The folder of the world's recordings: this one is data/<split>/packed."""
        return self.folder.parents[1]

    def _described(self) -> bool:
        return (self.data / FILE).is_file()

    def _meet(self, file: str, world: WorldSpec) -> WorldSpec:
        """The world of all episodes, which the first one of a folder decides. Raises EpisodeError for another."""
        if self.world is None:
            self.world = world
            if not world.is_drive:
                self.data.mkdir(parents=True, exist_ok=True)
                write_text(self.data / FILE, world_text(world))
        if self.world == world:
            return world
        there, here = vars(self.world), vars(world)
        found = [name for name in there if there[name] != here[name]]
        if {"width", "height"} & set(found):
            size = f"{self.world.height}x{self.world.width}"
            raise EpisodeError(f"{file} has frames of {world.height}x{world.width}, the packed ones are {size}")
        raise EpisodeError(f"{file} is of another world: its {', '.join(found)} differ from what is in {self.data}")

    def known(self) -> set[str]:
        return {episode["file"] for episode in self.index["episodes"]}

    def _caption(self, prompt: dict) -> int:
        caption = {key: prompt[key] for key in ("text", *self.world.labels, "split") if key in prompt}
        key = json.dumps(caption, sort_keys=True)
        if key not in self.captions:
            self.captions[key] = len(self.index["captions"])
            self.index["captions"].append(caption)
        return self.captions[key]

    def append(self, file: str, episode: dict) -> None:
        ticks, height, width, _ = episode["frames"].shape
        world = self._meet(file, episode["world"])
        shape = self.index.setdefault("shape", [height, width, 3])
        if shape != [height, width, 3]:
            raise EpisodeError(f"{file} has frames of {height}x{width}, the packed ones are {shape[0]}x{shape[1]}")
        prompts = np.zeros(ticks, np.int32)
        for prompt in episode["prompts"]:
            prompts[prompt["tick"] :] = self._caption(prompt)
        row = self.index["rows"]
        if not episode["prompts"]:
            self._caption({"text": ""})
        for name, (path, dtype, _) in arrays_of(world).items():
            values = prompts if name == "prompts" else np.ascontiguousarray(episode[name], dtype)
            if name not in self.files:
                self.files[name] = open(self.folder / path, "r+b" if (self.folder / path).exists() else "w+b")  # noqa: SIM115
            self.files[name].seek(row * values[0].nbytes)
            self.files[name].write(values.tobytes())
        self.index["rows"] += ticks
        self.index["episodes"].append(
            {"file": file, "seed": episode["seed"], "start": row, "ticks": ticks, "policy": episode["policy"]}
        )

    def commit(self) -> None:
        for file in self.files.values():
            file.flush()
            os.fsync(file.fileno())
        write_text(self.folder / "index.json", json.dumps(self.index))


class Packed:
    """Frames of one split and what belongs to them, as memory maps.

    frames uint8 [N,H,W,3], actions [N,A] (the drive's int8 [N,2]), prompts int32 [N] (row of `captions`), telemetry
    float32 [N,recorded], boxes float32 [N,4] (the car's, in pixels), rewards float32 [N], dones uint8 [N]; age int32
    [N] ticks since the episode's first frame, left int32 [N] frames that follow in the episode, since
    int32 [N] ticks since the caption changed (the first caption counts as settled)."""

    def __init__(self, data: str | Path, split: str):
        self.folder = Path(data) / split / "packed"
        path = self.folder / "index.json"
        if not path.is_file():
            raise UserError(f"there are no packed frames in {self.folder}; record episodes and run the `prepare` stage")
        self.index = json.loads(path.read_text())
        self.episodes, self.captions, rows = self.index["episodes"], self.index["captions"], self.index["rows"]
        self.rows, self.world = rows, world_of(data)
        if not rows:
            raise UserError(f"no episode in {self.folder.parent} could be used; `prepare` says why")
        for name, (file, dtype, trailing) in arrays_of(self.world).items():
            shape = (rows, *(self.index["shape"] if name == "frames" else trailing))
            array = np.memmap(self.folder / file, dtype, "r", shape=shape) if np.prod(shape) else np.zeros(shape, dtype)
            setattr(self, name, array if name == "frames" else np.array(array))
        self.age, self.left = np.zeros(rows, np.int32), np.zeros(rows, np.int32)
        self.since = np.full(rows, LONG_AGO, np.int32)
        for episode in self.episodes:
            start, ticks = episode["start"], episode["ticks"]
            span = np.arange(ticks)
            self.age[start : start + ticks], self.left[start : start + ticks] = span, ticks - 1 - span
            ids = self.prompts[start : start + ticks]
            for change in np.flatnonzero(np.diff(ids)) + 1:
                # a prompt given at tick `change` shows from the next frame on
                self.since[start + change : start + ticks] = span[: ticks - change]

    def __len__(self) -> int:
        return self.rows

    def labels(self) -> np.ndarray:
        """int64 [captions,labels]: of the drive biome, time, weather; none of another world."""
        labels = self.world.labels
        found = [[values.index(c[name]) for name, values in labels.items()] for c in self.captions]
        return np.array(found, np.int64).reshape(len(self.captions), len(labels))

    def settled(self) -> np.ndarray:
        """Rows whose frame shows its caption in full."""
        return np.flatnonzero(self.since > MORPH_TICKS)

    def transitions(self, ahead: int = 1) -> np.ndarray:
        """Rows t with a whole ring of history (t is its newest) and `ahead` further frames."""
        return np.flatnonzero((self.age >= RING - 1) & (self.left >= ahead))

    def episode(self, seed: int) -> dict:
        """The index entry of the episode with that seed. Raises UserError where it was not recorded."""
        for episode in self.episodes:
            if episode["seed"] == seed:
                return episode
        raise UserError(f"no episode of seed {seed} in {self.folder}; record it and run the `prepare` stage")


class Latents(Packed):
    """A Packed split with its latents and caption embeddings, as the `latents` stage leaves them.

    latents, flipped: float16 [N,T,C], normalised; embeddings float32 [captions,P]; paraphrases float32
    [biomes,times,weathers,E,P], further ways to say each setting. `flipped` and `paraphrases` are None where they
    were not made. Frames that were prepared after the encoding are left out."""

    def __init__(self, data: str | Path, split: str):
        super().__init__(data, split)
        path = self.folder / "latents.json"
        if not path.is_file():
            raise UserError(f"there are no latents in {self.folder}; run the `latents` stage first")
        self.codec = json.loads(path.read_text())
        shape = (self.codec["rows"], self.codec["tokens"], self.codec["channels"])
        self.latents = np.memmap(self.folder / "latents.f16", np.float16, "r", shape=shape)
        self.flipped = None
        if self.codec["flipped"]:
            self.flipped = np.memmap(self.folder / "flipped.f16", np.float16, "r", shape=shape)
        self.mirror = self.codec.get("mirror")
        if self.mirror:
            self._signs = np.array(self.mirror["signs"], np.float16)
            signs = np.ones(telemetry_tokens(shape[2]) * shape[2], np.float16)
            signs[: len(TELEMETRY)] = [sign for *_, sign in TELEMETRY.values()]
            self._telemetry_signs = signs.reshape(-1, shape[2])
        self.embeddings = np.load(self.folder / "embeddings.npy")
        paraphrases = self.folder / PARAPHRASES
        self.paraphrases = np.load(paraphrases) if paraphrases.is_file() else None
        self._settings = self.labels()

    @property
    def can_flip(self) -> bool:
        return self.flipped is not None or bool(self.mirror)

    def seen(self, rows: np.ndarray, flip: np.ndarray) -> np.ndarray:
        """float16 [B,...,T,C]: the latents of `rows` [B,...], mirrored where `flip` [B]. Raises UserError."""
        latents = np.empty((*rows.shape, *self.latents.shape[1:]), np.float16)
        latents[~flip] = self.latents[rows[~flip]]
        if not flip.any():
            return latents
        if self.flipped is not None:
            latents[flip] = self.flipped[rows[flip]]
        elif self.mirror:
            latents[flip] = self.mirrored(self.latents[rows[flip]])
        else:
            raise UserError(f"{self.folder} has no mirrored latents; run the `latents` stage with flip=true")
        return latents

    def mirrored(self, latents: np.ndarray) -> np.ndarray:
        """The latents [...,T,C] of the mirrored frames, telemetry too, where the codec is symmetric."""
        columns, extra = self.mirror["columns"], len(self._telemetry_signs)
        picture, read = latents[..., :-extra, :], latents[..., -extra:, :]
        shape = picture.shape
        grid = picture.reshape(*shape[:-2], -1, columns, shape[-1])[..., ::-1, :]
        return np.concatenate([(grid * self._signs).reshape(shape), read * self._telemetry_signs], -2)

    def transitions(self, ahead: int = 1) -> np.ndarray:
        rows = super().transitions(ahead)
        known = self.prompts[rows] < len(self.embeddings)
        return rows[known & (rows + ahead < self.codec["rows"])]

    def paraphrased(self, rows: np.ndarray, choice: np.ndarray) -> np.ndarray:
        """float32 [B,P]: the setting of each row's caption in other words; choice is uniform in [0, 1), [B]."""
        table = self.paraphrases
        biome, time, weather = self._settings[self.prompts[np.asarray(rows)]].T
        return table[biome, time, weather, (choice * table.shape[3]).astype(np.int64)]

    def gather(self, rows: np.ndarray, offsets: list[int], actions: int, flip: np.ndarray | None = None) -> dict:
        """What it takes to produce frame t+1 from row t, as float32.

        history [B,K,T,C] (offset 1 is row t itself), actions [B,A,D] (index 0 leads to t+1),
        target [B,T,C]. `flip` (bool [B]) takes the mirrored latents and turns the steering round."""
        rows = np.asarray(rows)
        flip = np.zeros(len(rows), bool) if flip is None else np.asarray(flip, bool)
        wanted = rows[:, None] + 1 - np.array([0, *offsets])  # the target, then the history
        latents = self.seen(wanted, flip)
        acts = self.actions[rows[:, None] - np.arange(actions)].astype(np.float32)
        acts[flip, :, 0] *= -1
        latents = latents.astype(np.float32)
        return {
            "history": latents[:, 1:],
            "target": latents[:, 0],
            "actions": acts,
        }
