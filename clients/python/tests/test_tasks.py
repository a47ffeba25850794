"""Reward and end of the drive against the vectors that the TypeScript ones made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oneiro.tasks import task_of

GOLDEN = json.loads((Path(__file__).resolve().parents[3] / "contract/drive/task.golden.json").read_text())
NEEDS = ("speed", "offset", "heading", "stuck")


@pytest.mark.parametrize("case", GOLDEN)
def test_the_drive(case):
    task = task_of("drive", NEEDS)
    assert task.reward(case["telemetry"]) == case["reward"]
    assert task.done(case["telemetry"]) is case["done"]


def test_a_task_is_none_where_nobody_knows_it_or_a_reading_lacks():
    assert task_of(None, NEEDS) is None
    assert task_of("chess", NEEDS) is None
    assert task_of("drive", NEEDS[:3]) is None


def test_a_world_may_dream_its_reward_and_end_themselves():
    both = task_of("outcome", ("reward", "done"))
    assert both.reward({"reward": 1.5, "done": 0.2}) == 1.5
    assert [both.done({"reward": 0, "done": done}) for done in (0.49, 0.5)] == [False, True]
    assert task_of("outcome", ("reward",)).done is None
    assert task_of("outcome", ("done", "speed")).reward is None
    assert task_of("outcome", ("speed",)) is None
