"""The metrics of the comparison, each as {"value", "spread", "n"}: one function a metric, all worlds asked the same.

`spread` is half of the 95 % interval over runs, which are drives (over a bootstrap of them for the Frechet ratio); `n`
is how many runs or frames stand behind the value. What cannot be measured is None with n 0. More in evaluation/.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from distill.config import UserError
from distill.data.packed import Packed
from distill.evaluation.metrics.interval import half_width
from distill.evaluation.probes import Probe, balanced_accuracy, embed_frames, predict
from distill.evaluation.runs import Starts, captions_ahead, free_run, long_actions, starts_at
from distill.evaluation.table import ticks_needed
from distill.image_metrics import frechet, psnr
from distill.random import uniforms
from distill.world import LABELS, MORPH_TICKS, RING

FRECHET_TICKS = (20, 100, 400, 1000, 10000)
DRIFT_TICKS = (1000, 10000)
PSNR_TICKS = (5, 20, 60)
SHEET_TICKS = (0, 5, 20, 60, 100, 400, 1000, 10000)
WINDOW = range(-10, 11, 2)  # the frames around a tick that its Frechet distance is taken over
ACTION_TICKS = range(20, 101, 8)
PROMPT_TICKS = 40  # after the words, what is seen is judged
CHANGE_STREAM, POOL_STREAM = 18, 20


def nothing() -> dict:
    return {"value": None, "spread": None, "n": 0}


def metric(values) -> dict:
    """Mean of a value a run, and half of its 95 % interval."""
    values = np.asarray(values, np.float64)
    if not len(values):
        return nothing()
    deviation = values.std(ddof=1) if len(values) > 1 else 0.0
    return {"value": float(values.mean()), "spread": half_width(deviation, len(values)), "n": len(values)}


@dataclass
class Setting:
    """What all metrics here share: the held-out recordings, the real pool, the probes and the longest run."""

    held: Packed
    pool: Packed
    conditioning: np.ndarray  # of the captions of `held`: [captions,P]
    seeds: list[int]
    probes: dict[str, Probe]
    ticks: int
    batch: int

    def __post_init__(self):
        self.rows = np.array([self.held.episode(seed)["start"] + RING - 1 for seed in self.seeds])
        prompt = self.conditioning[self.held.prompts[self.rows]]
        self.starts = starts_at(self.held, self.rows, prompt, self.seeds)
        pairs = list(zip(self.rows, self.seeds, strict=True))
        ahead = max(self.ticks, 2 * PROMPT_TICKS)
        self.actions = np.stack([long_actions(self.held, row, seed, ahead) for row, seed in pairs])
        self.captions = np.stack([captions_ahead(self.held, row, ahead) for row in self.rows])
        self.last = int(self.held.left[self.rows].min())  # the last tick that every recording has

    def frames_at(self, tick: int) -> np.ndarray:
        """The recordings' own frames at a tick."""
        return self.held.frames[self.rows + tick]


def codec_psnr(setting: Setting, codec) -> dict:
    """Over ten frames of each recording."""
    scores = []
    for row in setting.rows:
        frames = setting.held.frames[row + np.linspace(0, setting.last, 10).astype(int)]
        scores.append(psnr(frames, codec.decode(codec.encode(frames))).mean())
    return metric(scores)


# -- the long free run, which several metrics look at ------------------------------------------------------------


def long_run_ticks(setting: Setting, limit: int) -> list[int]:
    """The ticks whose frames the metrics need, up to `limit`."""
    wanted = {0, *SHEET_TICKS, *PSNR_TICKS, *ticks_needed()}
    offsets = setting.probes["inverse"].offsets if "inverse" in setting.probes else []
    for tick in FRECHET_TICKS:
        wanted |= {tick + step for step in WINDOW}
    for centre in [*ACTION_TICKS, *(tick - back for tick in DRIFT_TICKS for back in (24, 16, 8))]:
        wanted |= {centre + offset for offset in offsets}
    return sorted(tick for tick in wanted if 0 <= tick <= limit)


def long_run(setting: Setting, world, instruments: dict | None = None) -> dict[int, np.ndarray]:
    limit = setting.ticks if world.dreams else min(setting.ticks, setting.last)
    keep = long_run_ticks(setting, limit)
    return free_run(
        world, setting.starts, setting.actions, setting.captions, setting.conditioning, keep, setting.batch,
        instruments=instruments,
    )  # fmt: skip


def rollout_psnr(setting: Setting, frames: dict, tick: int) -> dict:
    if tick not in frames or tick > setting.last:
        return nothing()
    return metric(psnr(setting.frames_at(tick), frames[tick]))


class FrechetRatio:
    """Distance of a world's frames to real ones of the same captions, over that of the recordings' own frames."""

    def __init__(self, setting: Setting, each: int = 40):
        self.setting, self.each = setting, each
        self.probe = setting.probes["features"]
        labels = setting.pool.labels()[setting.pool.prompts]
        self.by_label: dict[tuple, np.ndarray] = {}
        settled = setting.pool.settled()
        taken = {seed_row for row in setting.rows for seed_row in range(row - RING, row + setting.last + 2)}
        if setting.pool is setting.held:  # without training recordings, the other held-out ones are the pool
            settled = np.array([row for row in settled if row not in taken], int)
        if not len(settled):
            count = len(setting.seeds)
            raise UserError(
                f"all {count} held-out drives are evaluated, so none is left to compare them with: record at least "
                f"{count} more (npm run record -- --seed {max(setting.seeds) + 1} --episodes {count} --out ...) and "
                "prepare again, or name fewer --seeds"
            )
        for label in np.unique(labels[settled], axis=0):
            self.by_label[tuple(label)] = settled[(labels[settled] == label).all(1)]

    def _pool(self, captions: np.ndarray) -> np.ndarray:
        """Features [B,each,64] of real frames with the captions' labels (or the nearest that were recorded)."""
        rows = []
        labels = self.setting.held.labels()[captions]
        for seed, label in zip(self.setting.seeds, labels, strict=True):
            order = sorted(self.by_label, key=lambda other: sum(a != b for a, b in zip(other, label, strict=True)))
            choice = self.by_label[order[0]]
            rows.append(choice[(uniforms(seed, 0, POOL_STREAM, self.each) * len(choice)).astype(int)])
        frames = self.setting.pool.frames[np.concatenate(rows)]
        return embed_frames(self.probe, frames).reshape(len(rows), self.each, -1)

    def __call__(self, frames: dict, tick: int) -> dict:
        setting = self.setting
        window = [tick + step for step in WINDOW if tick + step in frames]
        if len(window) < len(WINDOW) // 2:
            return nothing()
        captions = setting.captions[:, min(tick, setting.ticks) - 1]
        pool = self._pool(captions)
        dreamed = np.stack([embed_frames(self.probe, frames[t]) for t in window], 1)
        shift = min(0, setting.last - window[-1])  # past the recording's end: its last frames, same caption
        real = np.stack([embed_frames(self.probe, setting.frames_at(t + shift)) for t in window], 1)

        def ratio(runs) -> float:
            flat = [part[runs].reshape(-1, part.shape[-1]) for part in (dreamed, real, pool)]
            return frechet(flat[0], flat[2]) / max(1e-9, frechet(flat[1], flat[2]))

        count = len(setting.seeds)
        rng = np.random.default_rng(0)
        spread = 1.96 * np.std([ratio(rng.integers(0, count, count)) for _ in range(20)]) if count > 1 else 0.0
        return {"value": ratio(np.arange(count)), "spread": float(spread), "n": count * len(window)}


def inverse_score(setting: Setting, frame_at, centres: list[int]) -> tuple[np.ndarray, float]:
    """Frames around each centre through the inverse network: (right per run [B], balanced accuracy)."""
    probe = setting.probes["inverse"]
    found, asked = {"steer": [], "throttle": []}, {"steer": [], "throttle": []}
    for centre in centres:
        stack = np.stack([frame_at(centre + offset) for offset in probe.offsets], 1)
        classes = predict(probe, stack)
        for column, name in enumerate(found):
            found[name].append(classes[name])
            asked[name].append(setting.actions[:, centre, column].astype(int) + 1)
    right = np.mean([np.mean(np.stack(found[n]) == np.stack(asked[n]), 0) for n in found], 0)
    balanced = [balanced_accuracy(np.concatenate(found[n]), np.concatenate(asked[n])) for n in found]
    return right, float(np.mean(balanced))


def action_following(setting: Setting, frames: dict, ticks) -> dict:
    """Balanced accuracy of the inverse network on the world's frames over its accuracy on recorded ones."""
    offsets = setting.probes["inverse"].offsets
    centres = [c for c in ticks if c < setting.ticks and all(c + offset in frames for offset in offsets)]
    if not centres:
        return nothing()
    real_centres = [c for c in ACTION_TICKS if c + max(offsets) <= setting.last and c < setting.ticks]
    right, accuracy = inverse_score(setting, lambda tick: frames[tick], centres)
    _, real = inverse_score(setting, setting.frames_at, real_centres)
    spread = half_width(right.std(ddof=1), len(right)) / real if len(right) > 1 else 0.0
    return {"value": accuracy / real, "spread": spread, "n": len(right) * len(centres), "accuracyOnReal": real}


def scene_right(setting: Setting, frames: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Share of biome, time and weather that the classifier finds as said: [B]."""
    classes = predict(setting.probes["prompt"], frames[:, None])
    return np.mean([classes[name] == labels[:, column] for column, name in enumerate(LABELS)], 0)


def prompt_drift(setting: Setting, frames: dict, tick: int) -> dict:
    """As prompt following, for the words that count at a late tick of the long run."""
    if tick not in frames:
        return nothing()
    labels = setting.held.labels()[setting.captions[:, tick - 1]]
    return metric(scene_right(setting, frames[tick], labels))


# -- words -------------------------------------------------------------------------------------------------------


def prompt_following(setting: Setting, world, bank: list[dict]) -> dict:
    """How much of what the words say is seen PROMPT_TICKS after them.

    start: the run begins with other words for what its history shows; midDrive: after PROMPT_TICKS ticks, words for a
    scene that the seed picks; firstFrame: the frame that a drive from such words alone begins with. `bank` has biome,
    time, weather and lists of texts `train` and `unseen`."""
    if not world.dreams:
        return recorded_prompt_following(setting)
    scenes = [[values.index(entry[name]) for name, values in LABELS.items()] for entry in bank]
    index = {tuple(scene): i for i, scene in enumerate(scenes)}
    own = setting.held.labels()[setting.held.prompts[setting.rows]]
    picks = np.stack([uniforms(seed, 0, CHANGE_STREAM, 3) for seed in setting.seeds])
    same = np.array([index[tuple(label)] for label in own])
    other = (picks[:, 0] * len(bank)).astype(int)
    other = np.where(other == same, (other + len(bank) // 2) % len(bank), other)
    result: dict = {"start": {}, "midDrive": {}}
    for key, split in (("trained", "train"), ("unseen", "unseen")):
        texts = [[bank[i][split][int(p * len(bank[i][split]))] for i, p in zip(which, picks[:, 1 + n], strict=True)]
                 for n, which in enumerate((same, other))]  # fmt: skip
        conditioning = world.embed_prompt([*texts[0], *texts[1]])
        count = len(same)
        captions = np.zeros((count, 2 * PROMPT_TICKS), int)
        captions[:, :PROMPT_TICKS] = np.arange(count)[:, None]
        captions[:, PROMPT_TICKS:] = count + np.arange(count)[:, None]
        actions = setting.actions[:, : 2 * PROMPT_TICKS]
        title = f"{world.kind}: {key} words"
        keep = [PROMPT_TICKS, 2 * PROMPT_TICKS]
        frames = free_run(world, setting.starts, actions, captions, conditioning, keep, setting.batch, title)
        targets = np.array(scenes)
        result["start"][key] = metric(scene_right(setting, frames[PROMPT_TICKS], targets[same]))
        result["midDrive"][key] = metric(scene_right(setting, frames[2 * PROMPT_TICKS], targets[other]))
        if getattr(world, "beginnings", None) is not None:
            prompts, seeds = conditioning[count:], np.array(setting.seeds)
            parts = [slice(i, i + setting.batch) for i in range(0, count, setting.batch)]
            drawn = np.concatenate([world.first_frames(prompts[part], seeds[part]) for part in parts])
            result.setdefault("firstFrame", {})[key] = metric(scene_right(setting, drawn, targets[other]))
    return result


def recorded_prompt_following(setting: Setting) -> dict:
    """What the classifier finds in the simulator's own frames: the ceiling of the metric."""
    held = setting.held
    inside = np.concatenate([np.arange(row, row + setting.last + 1) for row in setting.rows])
    unseen = np.array([caption["split"] == "unseen" for caption in held.captions])[held.prompts[inside]]
    first = held.since[inside] > 10**5
    moments = {"start": first & (held.age[inside] == RING - 1 + PROMPT_TICKS),
               "midDrive": ~first & (held.since[inside] == max(PROMPT_TICKS, MORPH_TICKS))}  # fmt: skip
    result: dict = {}
    for name, at in moments.items():
        result[name] = {}
        for key, split in (("trained", ~unseen), ("unseen", unseen)):
            rows = inside[at & split]
            right = scene_right(setting, held.frames[rows], held.labels()[held.prompts[rows]]) if len(rows) else []
            result[name][key] = metric(right)
    return result


# -- spread and cost ---------------------------------------------------------------------------------------------


def noise_spread(setting: Setting, world, histories: int = 12, noises: int = 4, ticks: int = 20) -> np.ndarray:
    """Standard deviation over noise seeds of the frame that follows one history by `ticks`, per history, in 0..255."""
    chosen = np.arange(min(histories, len(setting.seeds)))
    rows = np.repeat(chosen, noises)
    starts: Starts = setting.starts.part(rows)
    starts.seeds = setting.starts.seeds[rows] * 16 + np.tile(np.arange(noises), len(chosen))
    frames = free_run(
        world, starts, setting.actions[rows, :ticks], setting.captions[rows, :ticks], setting.conditioning, [ticks],
        setting.batch, f"{world.kind}: noise",
    )[ticks]  # fmt: skip
    grouped = frames.reshape(len(chosen), noises, *frames.shape[1:]).astype(np.float32)
    return grouped.std(1, ddof=1).mean((1, 2, 3))


def tick_time(setting: Setting, world, ticks: int = 60, warm: int = 10) -> dict:
    """Milliseconds of one tick of one run, step and decode: median, and the interquartile range as spread."""
    world.reset(setting.starts.part(slice(0, 1)))
    took = []
    for tick in range(warm + ticks):
        before = time.perf_counter()
        world.step(setting.actions[:1, tick])
        world.frames()
        took.append(1000 * (time.perf_counter() - before))
    low, middle, high = np.percentile(took[warm:], [25, 50, 75])
    return {"value": float(middle), "spread": float(high - low), "n": ticks}
