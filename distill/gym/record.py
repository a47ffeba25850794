"""Records a Gymnasium environment, played by keys that are held by chance.

    python -m distill record-gym env=CartPole-v1 out=data/cartpole/train episodes=80 ticks=200

An episode of ours is a stretch of so many ticks: where a game ends in it, the environment is reset and the stretch goes
on, so that a dream knows how games end and begin. `env` may name the module that registers it, as
`vizdoom.gymnasium_wrapper:VizdoomTakeCover-v1`. Before the first episode it says what it will do, and draws it.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import sys
import zlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import msgpack
import numpy as np
from PIL import Image

from distill.atomic import replacing
from distill.config import BaseConfig, UserError
from distill.gym.controls import Controls, controls_of, own_controls
from distill.gym.frames import Fit, fit_of, image_in
from distill.processes import die_with_parent
from distill.progress import Progress
from distill.random import FIRST_FREE_STREAM, uniforms
from distill.world import values_of

TICKS_PER_SECOND = 20  # about as many as a page plays
LONGEST_CAPTION = 1000  # characters, as the wire takes them
PIP = f"{sys.executable} -m pip"
PREVIEW = 8  # frames that are shown before a long recording


@dataclass
class Config(BaseConfig):
    name: str = "record-gym"
    env: str = ""  # ID or MODULE:ID
    out: str = ""
    episodes: int = 100
    ticks: int = 160
    seed: int = 0  # of the first episode
    size: str = ""  # WIDTHxHEIGHT of a frame; empty: what fits
    crop: str = ""  # LEFT,TOP,WIDTH,HEIGHT of the picture; empty: the middle
    skip: int = 0  # steps of the environment a tick; 0: about 20 ticks a second
    hold: int = 12  # ticks for which a key is held at most
    info: list[str] = field(default_factory=list)  # numbers of the step's info that are recorded
    captions: str = ""  # info:NAME, a text of the environment's info; a file of texts, a line each; or a text for all
    side_by_side: int = 0  # environments at once; 0: one a core


class Player:
    """One environment, its pictures and its keys."""

    def __init__(self, config: Config):
        import gymnasium

        try:
            self.env = gymnasium.make(config.env)
        except gymnasium.error.DependencyNotInstalled as error:
            raise UserError(f"{config.env} needs more: {error}; here pip is {PIP}") from error
        except gymnasium.error.Error as error:
            raise UserError(f"Gymnasium has no {config.env}: {error}") from error
        except ModuleNotFoundError as error:
            raise UserError(f"{config.env} needs the package {error.name}; install it with {PIP} install") from error
        observation, _ = self.env.reset(seed=0)
        self.drawn = image_in(observation) is None
        if self.drawn:
            modes = self.env.metadata.get("render_modes", [])
            if "rgb_array" not in modes:
                raise UserError(
                    f"{config.env} has no pictures: its observations are {self.env.observation_space}, and of "
                    f"render modes it has {', '.join(map(str, modes)) or 'none'}, not rgb_array"
                )
            self.env.close()
            try:
                self.env = gymnasium.make(config.env, render_mode="rgb_array")
                self.env.reset(seed=0)
                self.env.render()
            except gymnasium.error.DependencyNotInstalled as error:
                raise UserError(f"{config.env} cannot draw: {error}; here pip is {PIP}") from error
        meanings = getattr(self.env.unwrapped, "get_action_meanings", lambda: None)()
        own = getattr(self.env.unwrapped, "controls", None)
        self.controls: Controls = own_controls(own) if own is not None else controls_of(self.env.action_space, meanings)
        fps = float(self.env.metadata.get("render_fps") or TICKS_PER_SECOND)
        self.skip, self.ticks_per_second = ticks_of(fps, config.skip)
        self.fit: Fit = fit_of(self.picture(self.env.reset(seed=0)[0]), config.size, config.crop)

    def picture(self, observation) -> np.ndarray:
        """uint8 [H,W,3]"""
        return image_in(self.env.render() if self.drawn else observation)

    def reset(self, seed: int) -> tuple[np.ndarray, dict]:
        """Picture, info."""
        observation, info = self.env.reset(seed=seed)
        return self.picture(observation), info

    def step(self, values: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        """A tick: picture, reward, terminated, truncated, info."""
        total, terminated, truncated, info, action = 0.0, False, False, {}, self.controls.act(values)
        for _ in range(self.skip):
            observation, reward, terminated, truncated, info = self.env.step(action)
            total += float(reward)
            if terminated or truncated:
                break
        return self.picture(observation), total, bool(terminated), bool(truncated), info


def ticks_of(fps: float, skip: int = 0) -> tuple[int, float]:
    """Frames a tick (`skip`, or as many as make about TICKS_PER_SECOND), and ticks a second."""
    skip = skip or max(1, round(fps / TICKS_PER_SECOND))
    return skip, min(60.0, max(1.0, fps / skip))


def held_keys(controls: list[dict], seed: int, ticks: int, hold: int) -> np.ndarray:
    """What is held at each tick by chance, each control for itself: float64 [ticks,controls]."""
    held = np.zeros((ticks, len(controls)))
    for column, control in enumerate(controls):
        values = values_of(control)
        chance = uniforms(seed, np.arange(ticks), FIRST_FREE_STREAM + 1 + column, 2)
        tick = 0
        while tick < ticks:
            length = 1 + int(chance[tick, 0] * hold)
            held[tick : tick + length, column] = values[int(chance[tick, 1] * len(values))]
            tick += length
    return held


def record_episode(player: Player, config: Config, seed: int) -> dict:
    """The container's map (version 4) of one stretch of play. The same seed gives the same, as the environment does."""
    ticks, controls = config.ticks, player.controls.controls
    names = ["terminated", "truncated", *config.info]
    held = held_keys(controls, seed, ticks, config.hold)
    frames = np.zeros((ticks, player.fit.height, player.fit.width, 3), np.uint8)
    rewards, dones, telemetry = np.zeros(ticks, "<f4"), np.zeros(ticks, np.uint8), np.zeros((ticks, len(names)), "<f4")
    games, over, told = 0, True, []
    for tick in range(ticks):
        if over:
            # A seed of its own for every game, so that no two stretches share any.
            (picture, info), over = player.reset((seed * 1009 + games) % 2**31), False
            games += 1
        frames[tick] = player.fit(picture)
        told.append(caption(info, config.captions, seed))
        picture, reward, terminated, truncated, info = player.step(held[tick])
        over = terminated or truncated
        rewards[tick], dones[tick] = reward, over
        telemetry[tick] = [terminated, truncated, *(_number(info, name) for name in config.info)]
    led = [*told[1:], told[-1]]  # words lead to the frame that they describe
    return {
        "format": "oneiro-episode", "version": 4, "world": world_id(config.env), "title": title_of(config.env),
        "seed": seed, "ticks": ticks, "width": player.fit.width, "height": player.fit.height,
        "ticksPerSecond": player.ticks_per_second, "controls": controls, "encoding": player.controls.encoding,
        "telemetryNames": names, "policy": "random", "frames": zlib.compress(frames.tobytes(), 1),
        "actions": held.astype("<f4").tobytes(), "telemetry": telemetry.tobytes(), "rewards": rewards.tobytes(),
        "dones": dones.tobytes(), "prompts": prompts_of(led), "stateHash": "",
    }  # fmt: skip


def caption(info: dict, captions: str, seed: int) -> str:
    """What is said of the picture that came with `info`, as `Config.captions` asks. Raises UserError where nothing
    is."""
    if captions.startswith("info:"):
        text = info.get(captions.removeprefix("info:"))
        if isinstance(text, str) and len(text) > LONGEST_CAPTION:
            raise UserError(f"a caption has {len(text)} characters, and words have at most {LONGEST_CAPTION}")
        if not isinstance(text, str) or not text.strip():
            texts = ", ".join(name for name, value in info.items() if isinstance(value, str)) or "none"
            raise UserError(f"captions={captions}, but the info has no such text; texts in it: {texts}")
        return text
    texts = texts_of(captions)
    return texts[int(uniforms(seed, np.arange(1), FIRST_FREE_STREAM, 1)[0, 0] * len(texts))] if texts else ""


@cache
def texts_of(captions: str) -> list[str]:
    """The lines of a file, one of which an episode is called; else the text itself, where there is one."""
    if not captions:
        return []
    if not captions.endswith(".txt"):
        return [captions]
    path = Path(os.environ.get("INIT_CWD", "."), captions)
    if not path.is_file():
        raise UserError(f"captions={captions}: there is no such file; give one with a text a line")
    lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    if not any(lines):
        raise UserError(f"captions={captions}: the file is empty; give one with a text a line")
    return [line for line in lines if line]


def prompts_of(told: list[str]) -> list[dict]:
    """The words at each tick, if any -> the prompts of a container: when they come, and when they change."""
    if not any(told):
        return []
    return [{"tick": t, "text": text} for t, text in enumerate(told) if t == 0 or text != told[t - 1]]


def _number(info: dict, name: str) -> float:
    try:
        return float(info[name])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"the step's info has no number {name}; it has {', '.join(info) or 'nothing'}") from error


def title_of(env: str) -> str:
    """`CartPole` of `CartPole-v1`."""
    return re.sub(r"-v\d+$", "", env.split(":")[-1].split("/")[-1])


def world_id(env: str) -> str:
    """The world's name: `cartpole` of `CartPole-v1`."""
    return re.sub(r"[^a-z0-9]+", "-", title_of(env).lower()).strip("-")


def file_of(config: Config, seed: int) -> Path:
    return Path(config.out) / f"ep-{seed:07d}.msgpack"


@cache
def _player(env: str, size: str, crop: str, skip: int) -> Player:
    """One environment a process."""
    return Player(Config(env=env, size=size, crop=crop, skip=skip))


def record_file(config: Config, seed: int) -> int:
    """Records one episode in this process; its ticks."""
    player = _player(config.env, config.size, config.crop, config.skip)
    with replacing(file_of(config, seed)) as temporary:
        temporary.write_bytes(msgpack.packb(record_episode(player, config, seed)))
    return config.ticks


def keys_of(control: dict) -> str:
    """The keys of a control, in the order of its values."""
    keys = [control["keys"]] if control["kind"] == "button" else control["keys"]
    return ", ".join(key for some in keys for key in some)


def describe(config: Config) -> Player:
    """Opens the environment, says what will be recorded and draws it beside the recording."""
    player = _player(config.env, config.size, config.crop, config.skip)
    picture, info = player.reset(0)
    if config.captions:
        print(f'record-gym: captions: such as "{caption(info, config.captions, config.seed)}"')
    keys = [f"{control['name']} ({keys_of(control)})" for control in player.controls.controls]
    print(f"record-gym: {config.env}: {player.fit.say(picture)}, at {player.ticks_per_second:g} ticks a second")
    print(f"record-gym: keys: {'; '.join(keys)}")
    held = held_keys(player.controls.controls, config.seed, 10 * PREVIEW, config.hold)
    shown = []
    for tick, values in enumerate(held):
        if tick % 10 == 0:
            shown.append(player.fit(picture))
        picture, _, terminated, truncated, _ = player.step(values)
        if terminated or truncated:
            picture, _ = player.reset(tick)
    path = Path(config.out) / "preview.png"
    Image.fromarray(np.concatenate(shown, 1)).save(path)
    print(f"record-gym: how its frames look: {path}")
    return player


def run(config: Config) -> None:
    if not config.env or not config.out:
        raise UserError("name an environment and a folder: env=CartPole-v1 out=data/cartpole/train")
    if config.ticks < 30 or config.episodes < 1:
        raise UserError("an episode needs at least 30 ticks, and a recording at least one episode")
    try:
        import gymnasium  # noqa: F401
    except ModuleNotFoundError as error:
        raise UserError("the package gymnasium is missing; install it with pip") from error
    Path(config.out).mkdir(parents=True, exist_ok=True)
    describe(config)
    seeds = [seed for seed in range(config.seed, config.seed + config.episodes) if not file_of(config, seed).is_file()]
    if len(seeds) < config.episodes:
        print(f"record-gym: {config.episodes - len(seeds)} of {config.episodes} episodes are there already")
    workers = min(config.side_by_side or os.cpu_count() or 1, max(1, len(seeds)))
    with Progress(total=len(seeds) * config.ticks, unit="frame", desc=config.env, disable=not seeds) as progress:
        if workers == 1:
            for seed in seeds:
                progress.update(record_file(config, seed))
            return
        # Not forked: a child would drive the game that this process has opened, together with its sisters.
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, spawn, initializer=die_with_parent) as pool:
            for ticks in pool.map(record_file, [config] * len(seeds), seeds):
                progress.update(ticks)
