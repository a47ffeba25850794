"""The table's metrics on worlds that show what they were told, so that every answer is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from distill.evaluation.metrics import comparison
from distill.evaluation.metrics.comparison import PROMPT_TICKS
from distill.evaluation.metrics.interval import half_width
from distill.evaluation.runs import Starts
from distill.world import LABELS

RUNS, TICKS, OFFSETS = 3, 100, [-1, 0, 1, 2]
NAMES = list(LABELS)


def frames_of(values: np.ndarray) -> np.ndarray:
    """[B,3] -> uint8 [B,1,1,3]"""
    return np.asarray(values, np.uint8)[:, None, None]


def read(probe, frames: np.ndarray) -> dict[str, np.ndarray]:
    """Reads the labels that a frame shows, or the keys that led to the frame after the middle one."""
    names = NAMES if len(frames[0]) == 1 else ["steer", "throttle"]
    shown = frames[:, 0 if len(frames[0]) == 1 else OFFSETS.index(1), 0, 0].astype(int)
    return {name: shown[:, column] for column, name in enumerate(names)}


@pytest.fixture
def setting(monkeypatch):
    """Drives of which each frame shows the keys that led to it, in a world of the five first scenes."""
    monkeypatch.setattr(comparison, "predict", read)
    actions = np.random.default_rng(0).integers(-1, 2, (RUNS, 2 * TICKS, 2)).astype(np.float32)
    labels = np.array([[place % len(values) for values in LABELS.values()] for place in range(5)])
    held = SimpleNamespace(labels=lambda: labels, prompts=np.arange(RUNS))
    zeros = np.zeros((RUNS, 1), np.float32)
    return SimpleNamespace(
        probes={"inverse": SimpleNamespace(offsets=OFFSETS), "prompt": None},
        actions=actions,
        ticks=TICKS,
        last=TICKS + 5,
        frames_at=lambda tick: keys_that_led_to(actions, tick),
        held=held,
        rows=np.arange(RUNS),
        seeds=[7, 8, 9],
        starts=Starts(np.arange(RUNS), zeros, zeros, zeros, zeros, np.arange(RUNS)),
        batch=2,
    )


def keys_that_led_to(actions: np.ndarray, tick: int) -> np.ndarray:
    return frames_of(np.pad(actions[:, tick - 1] + 1, ((0, 0), (0, 1))))


def test_actions_are_followed_by_the_frame_after_them(setting):
    follows = {tick: keys_that_led_to(setting.actions, tick) for tick in range(1, TICKS)}
    found = comparison.action_following(setting, follows, [20, 28, 36])
    assert found == {"value": 1, "spread": 0, "n": 3 * RUNS, "accuracyOnReal": 1}
    recorded = setting.frames_at
    setting.frames_at = lambda tick: recorded(tick - 1)  # a network that is not always right about recordings
    found = comparison.action_following(setting, follows, [20, 28, 36])
    assert found["accuracyOnReal"] < 0.8 and found["value"] == pytest.approx(1 / found["accuracyOnReal"])
    setting.frames_at = recorded
    late = {tick + 1: frame for tick, frame in follows.items()}
    assert comparison.action_following(setting, late, range(20, 90, 2))["value"] < 0.6


def test_the_spread_of_action_following_is_half_of_a_95_percent_interval(setting):
    frames = {tick: keys_that_led_to(setting.actions, tick).copy() for tick in range(1, TICKS)}
    for tick in (21, 29):  # the last run does neither key of one of two ticks
        frames[tick][-1, ..., :2] = (frames[tick][-1, ..., :2] + (tick == 21)) % 3
    found = comparison.action_following(setting, frames, [20, 28])
    assert found["spread"] == pytest.approx(4.303 * np.std([1, 1, 0.5], ddof=1) / 3**0.5, rel=1e-3)


def test_a_metric_has_half_of_its_95_percent_interval():
    found = comparison.metric([1, 2, 3])
    assert found == {"value": 2, "spread": pytest.approx(4.303 / 3**0.5, rel=1e-3), "n": 3}
    assert comparison.metric([5]) == {"value": 5, "spread": 0, "n": 1}
    assert comparison.metric([]) == {"value": None, "spread": None, "n": 0}


def test_drift_is_judged_by_the_words_that_led_to_the_frame(setting):
    setting.captions = np.repeat([[0] * 5 + [1] * 5], RUNS, 0)  # new words lead to tick 6
    labels = setting.held.labels()
    frames = {5: frames_of(labels[[0] * RUNS]), 6: frames_of(labels[[1] * RUNS])}
    assert [comparison.prompt_drift(setting, frames, tick)["value"] for tick in (5, 6)] == [1, 1]
    assert comparison.prompt_drift(setting, frames, 7)["n"] == 0


class Listener:
    """Shows the words it was told; a deaf one those of the beginning."""

    dreams, kind = True, "listener"

    def __init__(self, deaf: bool = False):
        self.deaf, self.said = deaf, []

    def embed_prompt(self, texts):
        self.said.append(texts)
        return np.array([[int(number) for number in text.split()] for text in texts], np.float32)

    def reset(self, starts):
        self.heard = None

    def set_prompt(self, words):
        if self.heard is None or not self.deaf:
            self.heard = words[:, : len(NAMES)]

    def step(self, actions):
        pass

    def frames(self):
        return frames_of(self.heard)


class Painter(Listener):
    """Draws first frames from words alone, too."""

    beginnings = ()

    def first_frames(self, words, seeds):
        assert len(words) == len(seeds) <= 2  # the batch of `setting`
        return frames_of(words[:, : len(NAMES)])


def bank_of(setting) -> list[dict]:
    bank = []
    for place in setting.held.labels():
        text = " ".join(map(str, place))
        scene = {name: LABELS[name][value] for name, value in zip(NAMES, place, strict=True)}
        bank.append(scene | {"train": [f"{text} 0"], "unseen": [f"{text} 1"]})
    return bank


def test_a_first_frame_is_judged_by_the_words_that_it_was_drawn_from(setting):
    found = comparison.prompt_following(setting, Painter(deaf=True), bank_of(setting))
    assert [metric["value"] for metric in found["firstFrame"].values()] == [1, 1]
    assert found["firstFrame"]["trained"]["n"] == RUNS


def test_words_are_judged_by_what_they_say_at_the_start_and_in_mid_drive(setting):
    bank = bank_of(setting)
    listener = Listener()
    found = comparison.prompt_following(setting, listener, bank)
    assert all(metric["value"] == 1 and metric["n"] == RUNS for part in found.values() for metric in part.values())
    for texts, unseen in zip(listener.said, "01", strict=True):
        starts, changes = texts[:RUNS], texts[RUNS:]
        assert all(text.endswith(unseen) for text in texts)
        assert starts == [f"{' '.join(map(str, setting.held.labels()[run]))} {unseen}" for run in range(RUNS)]
        assert all(before != after for before, after in zip(starts, changes, strict=True))
    deaf = comparison.prompt_following(setting, Listener(deaf=True), bank)
    assert deaf["start"]["trained"]["value"] == 1 and deaf["midDrive"]["trained"]["value"] < 0.5
    assert setting.actions.shape[1] >= 2 * PROMPT_TICKS


def test_a_rollout_is_compared_with_the_recording_of_its_own_tick(setting):
    frames = {5: setting.frames_at(5), 6: setting.frames_at(6) + np.uint8(16)}
    assert comparison.rollout_psnr(setting, frames, 5) == {"value": 60, "spread": 0, "n": RUNS}
    assert comparison.rollout_psnr(setting, frames, 6)["value"] == pytest.approx(20 * np.log10(255 / 16))
    assert comparison.rollout_psnr(setting, frames | {106: frames[5]}, 106)["n"] == 0  # past the recordings' end


def test_an_interval_has_the_mean_as_often_as_it_says():
    values = np.random.default_rng(0).normal(size=(4000, 3))
    widths = np.array([half_width(row.std(ddof=1), 3) for row in values])
    assert (np.abs(values.mean(1)) < widths).mean() == pytest.approx(0.95, abs=0.015)
    assert half_width(1.0, 1) == 0
