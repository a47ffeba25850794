"""All metrics of this room for one world: {name: call that gives its part of the table}.

A world is asked with the recorded actions and words (energy score, next tick, sharpness, real or dream, flow), and
under the policies, where it is driven by its own instruments (car, on the road, sharpness).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from distill.evaluation.detector import load_detector
from distill.evaluation.metrics import car, flow, interval, real_or_dream, sharpness
from distill.evaluation.metrics.ensembles import TICKS, energy, ensembles, spread_over_error
from distill.evaluation.metrics.next_tick import next_tick
from distill.evaluation.metrics.places import places, recorded_frames
from distill.evaluation.metrics.spaces import spaces_of
from distill.evaluation.runs import Drives, driven
from distill.world import TELEMETRY

NAMES = (
    "energy", "spreadOverError", "nextTickPsnr", "sharpness", "realOrDream", "flow", "car", "onRoad",
    "sharpnessUnder", "places",
)  # fmt: skip
FRAMES = ("sharpness", "realOrDream", "flow")  # need the frames of the long run
SHARPNESS_WINDOW = range(-4, 5, 2)


def ticks_needed() -> set[int]:
    """Of the long run with the recorded actions."""
    sharp = {tick + step for tick in sharpness.TICKS for step in SHARPNESS_WINDOW}
    return sharp | real_or_dream.ticks_needed() | flow.ticks_needed()


def stacked(frames: dict, setting, ticks) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(the world's frames, the recordings', the run of each) at those ticks. Past a recording's end its last frame
    stands, which is under the same words."""
    ticks = [tick for tick in ticks if tick in frames]
    real = [setting.frames_at(min(tick, setting.last)) for tick in ticks]
    runs = np.tile(np.arange(len(setting.seeds)), len(ticks))
    if not ticks:
        none = setting.held.frames[:0]
        return none, none, runs
    return np.concatenate([frames[tick] for tick in ticks]), np.concatenate(real), runs


def sharpness_table(frames: dict, setting, codec, ticks=sharpness.TICKS) -> dict:
    """{tick: metric}, and with a codec the same over the codec's own sharpness."""
    table: dict = {str(tick): interval.nothing() for tick in ticks}
    over: dict = {str(tick): interval.nothing() for tick in ticks}
    for tick in ticks:
        window = SHARPNESS_WINDOW if tick + 2 in frames else range(-10, 1, 2)
        dreamed, real, runs = stacked(frames, setting, [tick + step for step in window])
        if tick not in frames:
            continue
        found = table[str(tick)] = sharpness.sharpness(dreamed, real, runs)
        if codec is not None:
            limit = sharpness.sharpness(codec.decode(codec.encode(real)), real, runs)["value"]
            over[str(tick)] = {k: found[k] for k in ("n", "drives")} | {
                k: found[k] / limit for k in ("value", "spread")
            }
    return table | ({"overCodec": over} if codec is not None else {})


def flow_table(frames: dict, instruments: dict, setting) -> dict:
    last = setting.last
    gaps = [0, *(region[2] for region in flow.REGIONS.values())]
    ticks = [t for t in flow.TICKS if all(t + gap in frames and t + gap <= last for gap in gaps)]
    if not ticks:
        return {region: interval.nothing() for region in flow.REGIONS}
    column = list(TELEMETRY).index("speed")
    dreamed_speed = np.stack([instruments[t][:, column] for t in ticks], 1)
    real_speed = np.stack([setting.held.telemetry[setting.rows + t, column] for t in ticks], 1)
    return {
        region: flow.flow_over(
            flow.region_flow(frames.__getitem__, ticks, region),
            dreamed_speed,
            flow.region_flow(setting.frames_at, ticks, region),
            real_speed,
        )
        for region in flow.REGIONS
    }


def makers(world, setting, config, long_run: Callable[[], tuple[dict, dict]]) -> dict[str, Callable[[], dict]]:
    """setting: a `comparison.Setting`; config: an `evaluate.Config`; long_run() -> (frames, instruments) by tick."""
    drives = Drives(setting.held, setting.seeds, setting.conditioning, setting.batch)
    codec = getattr(world, "codec", None)

    @cache
    def ran():
        recorded = setting.held.frames[drives.moments(200, 0)[0]]
        spaces = spaces_of(world, recorded, setting.probes.get("features"))
        ticks = tuple(tick for tick in TICKS if tick <= setting.last)
        return ensembles(world, drives, spaces, config.histories, config.noises, ticks)

    car_ticks = [tick for tick in car.TICKS if tick <= setting.ticks]

    @cache
    def under(policy: str):
        keep = {t for tick in car_ticks for t in car.ticks_of(tick)}
        return driven(world, drives, policy, keep or {min(setting.ticks, 20)})

    @cache
    def networks():
        return load_detector(config.probes) if (Path(config.probes) / "detector.pt").is_file() else None

    def cars() -> dict:
        if networks() is None:
            return {policy: {str(tick): interval.nothing() for tick in car_ticks} for policy in config.policies}
        return {
            policy: {str(tick): car.car(under(policy), *networks(), tick) for tick in car_ticks}
            for policy in config.policies
        }

    def real_or_dream_metric() -> dict:
        dreamed, real, runs = stacked(long_run()[0], setting, sorted(real_or_dream.ticks_needed()))
        if not len(dreamed):
            return interval.nothing()
        auc = lambda real, dreamed: real_or_dream.real_or_dream(real, dreamed, runs, config.classifier_steps)  # noqa: E731
        table = auc(real, dreamed)
        if codec is None:
            return table
        through = codec.decode(codec.encode(real))
        return table | {"ofCodec": auc(real, through), "overCodec": auc(through, dreamed)}

    def places_metric() -> dict:
        packed = setting.held
        if getattr(world, "beginnings", None) is not None:
            draw = lambda caption, seeds: world.first_frames(  # noqa: E731
                np.repeat(setting.conditioning[caption][None], len(seeds), 0), seeds
            )
        elif not world.dreams:
            labels = packed.labels()
            draw = lambda caption, seeds: recorded_frames(packed, labels[caption], int(seeds[0]))  # noqa: E731
        else:
            return interval.nothing()
        return places(draw, packed, setting.conditioning, setting.seeds)

    return {
        "energy": lambda: energy(ran()),
        "spreadOverError": lambda: spread_over_error(ran()),
        "nextTickPsnr": lambda: next_tick(world, drives),
        "sharpness": lambda: sharpness_table(long_run()[0], setting, codec),
        "realOrDream": real_or_dream_metric,
        "flow": lambda: flow_table(*long_run(), setting),
        "car": cars,
        "onRoad": lambda: {policy: car.on_road(under(policy)) for policy in config.policies},
        "sharpnessUnder": lambda: {
            policy: sharpness_table(under(policy).frames, setting, codec, car_ticks) for policy in config.policies
        },
        "places": places_metric,
    }
