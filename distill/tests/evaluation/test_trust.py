"""Trust in reward and end, on worlds whose answer is known."""

import json
from pathlib import Path

import numpy as np
import pytest

from distill.config import UserError
from distill.evaluation import trust
from distill.evaluation.runs import Drives
from distill.evaluation.task import OFFSET, SPEED, STUCK, dones_of, rewards_of
from distill.evaluation.worlds import Recorded
from distill.tests import moving_road
from distill.world import TELEMETRY

SEEDS = [1_100_000 + i for i in range(4)]
ROOT = Path(__file__).resolve().parents[3]


def test_the_task_is_that_of_the_simulator():
    for case in json.loads((ROOT / "contract/drive/task.golden.json").read_text()):
        read = np.array([case["telemetry"].get(name, 0.0) for name in TELEMETRY])
        assert rewards_of(read) == pytest.approx(case["reward"], abs=1e-8)
        assert dones_of(read) == case["done"]


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Drives that speed up and slow down; two of them crash at their tick 50."""
    folder = tmp_path_factory.mktemp("road")
    moving_road.write(folder, "validation", SEEDS, 70)
    packed = moving_road.Packed(folder, "validation")
    rng = np.random.default_rng(0)
    for i, episode in enumerate(packed.episodes):
        rows = slice(episode["start"], episode["start"] + 70)
        packed.telemetry[rows, SPEED] = 15 + 6 * np.sin(np.arange(70) / 9 + rng.uniform(0, 6))
        if i < 2:
            packed.telemetry[episode["start"] + 50, [OFFSET, SPEED]] = 7.5, 25
        after = np.minimum(np.arange(70) + 1, 69) + episode["start"]
        packed.rewards[rows] = rewards_of(packed.telemetry[after])
        packed.dones[rows] = dones_of(packed.telemetry[after])
    return packed


class Told(Recorded):
    """A world that reads what was recorded, or something else."""

    dreams, kind = True, "told"

    def __init__(self, packed, change=lambda telemetry, tick: telemetry):
        super().__init__(packed)
        self.change = change

    def telemetry(self):
        return self.change(super().telemetry().copy(), self.tick)


def metrics(packed, tick, **change):
    drives = Drives(packed, SEEDS, np.zeros((len(packed.captions), 1), np.float32), batch=16)
    return trust.metrics_at(trust.judged(Told(packed, **change), drives, 40, 30), tick)


def test_a_world_that_reads_what_was_recorded_is_trusted(packed):
    for tick in (1, 20, 30):
        found = metrics(packed, tick)
        assert found["reward"]["value"] == pytest.approx(1)
        assert found["return"]["value"] == pytest.approx(1)
        assert found["error"]["value"] == pytest.approx(0, abs=1e-5)
    assert found["done"]["value"] == 1
    assert found["ends"]["recorded"] == found["ends"]["both"] > 0
    # The start alone does not say what the speed is 20 ticks later.
    assert metrics(packed, 20)["still"]["value"] < 0.5


def test_one_that_goes_on_as_it_began_is_not(packed):
    def stands(telemetry, tick):
        return telemetry * 0 + 10

    found = metrics(packed, 20, change=stands)
    assert found["reward"]["value"] == 0
    assert found["error"]["value"] > 1


def test_ends_that_are_made_up_or_missed_cost_f1(packed):
    def never(telemetry, tick):
        telemetry[:, OFFSET] = 0
        return telemetry

    def always(telemetry, tick):
        telemetry[:, STUCK] = 1
        return telemetry

    assert metrics(packed, 30, change=never)["done"]["value"] == 0
    made_up = metrics(packed, 30, change=always)
    ends = made_up["ends"]
    assert ends["dreamed"] == made_up["done"]["n"]
    assert made_up["done"]["value"] == pytest.approx(2 * ends["recorded"] / (ends["dreamed"] + ends["recorded"]))


def test_runs_that_begin_behind_an_end_are_left_out(packed):
    drives = Drives(packed, SEEDS, np.zeros((len(packed.captions), 1), np.float32), batch=16)
    runs = np.bincount(trust.judged(Told(packed), drives, 200, 5).drives)
    assert runs[:2].max() < runs[2:].min()  # the first two crash


def test_where_nothing_ended_there_is_no_f1(packed):
    assert metrics(packed, 1)["ends"]["recorded"] in (0, metrics(packed, 1)["ends"]["both"])
    drives = Drives(packed, SEEDS[2:], np.zeros((len(packed.captions), 1), np.float32), batch=16)
    assert trust.metrics_at(trust.judged(Told(packed), drives, 10, 30), 30)["done"]["value"] is None


def test_wrong_settings_are_refused():
    with pytest.raises(UserError, match="counted from 1"):
        trust.run(trust.Config(each=[0]))
    with pytest.raises(UserError, match="no packed frames"):
        trust.run(trust.Config(data="/nowhere"))
