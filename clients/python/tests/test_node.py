"""The same seed, words and actions give the same drive as in Node, to the bit, and a snapshot goes either way."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import oneiro

ROOT = Path(__file__).resolve().parents[3]
TICKS, KEEP_AT = 60, 40

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")


def played_in_node(folder: Path, plan: dict[str, Any]) -> dict[str, Any]:
    """What Node made of a plan; see node-drive.ts."""
    (folder / "plan.json").write_text(json.dumps(plan))
    command = ["node", "scripts/tsx.mjs", "clients/python/tests/node-drive.ts", "plan.json", "report.json"]
    command[3:] = [str(folder / name) for name in command[3:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "report.json").read_text())


def played_here(world: oneiro.World, first: oneiro.Tick, plan: dict[str, Any], begin: int = 0) -> list[oneiro.Tick]:
    ticks = [first]
    for i in range(begin, len(plan["actions"])):
        if str(i) in plan["words"]:
            world.set_prompt(plan["words"][str(i)])
        ticks.append(world.step(plan["actions"][i]))
    return ticks


def told(tick: oneiro.Tick) -> dict[str, Any]:
    told = {"frame": hashlib.sha256(tick.frame.tobytes()).hexdigest(), "telemetry": tick.telemetry}
    return {**told, "reward": tick.reward, "done": tick.done}


def same(ticks: list[oneiro.Tick], report: list[dict[str, Any]]) -> None:
    """Frames by their hashes; telemetry, reward and end by every bit of their float64."""
    mine = [{name: value for name, value in told(tick).items() if value is not None} for tick in ticks]
    assert mine == report


def plan_of(world: str, actions: list[dict[str, int]], **others: Any) -> dict[str, Any]:
    shared = {"threads": 2, "seed": 7, "words": {}, "keepAt": KEEP_AT}
    return {"world": world, "actions": actions, **shared, **others}


@pytest.fixture(scope="module")
def plan() -> dict[str, Any]:
    """Words that are known by heart at the reset, and others, which the sentence encoder reads, on the way."""
    actions = [{"steer": i % 3 - 1, "throttle": 1 if i % 5 else -1} for i in range(TICKS)]
    words = {"30": "a foggy wood in pouring rain"}
    return plan_of("assets/drive", actions, prompt="a snowy night drive", words=words)


@pytest.fixture(scope="module")
def report(plan: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return played_in_node(tmp_path_factory.mktemp("node"), plan)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_drive_is_that_of_node_bit_for_bit(threads, plan, report, drive_folder):
    with oneiro.open_world(drive_folder, threads=threads) as world:
        ticks = played_here(world, world.reset(plan["seed"], plan["prompt"]), plan)
        same(ticks, report["ticks"])
        last = world.snapshot()
    halves = list(report["last"]["state"]["halfLatents"].values())
    assert np.array_equal(last["state"]["halfLatents"], np.array(halves, np.uint16))
    # What the words were read as: 16 floats, made by another version of the same encoder.
    read = np.array(list(report["last"]["prompt"]["embedding"].values()), np.float32)
    np.testing.assert_allclose(last["prompt"]["embedding"], read, atol=1e-6)


def test_a_snapshot_of_node_goes_on_here_with_the_same_frames(plan, report, drive):
    first = drive.restore(report["kept"])
    assert first.index == KEEP_AT
    same(played_here(drive, first, plan, KEEP_AT), report["ticks"][KEEP_AT:])


def test_a_snapshot_of_python_goes_on_in_node_with_the_same_frames(plan, drive, tmp_path):
    drive.reset(11, start="volcano-dawn-clear")
    for action in plan["actions"][:5]:
        drive.step(action)
    kept = oneiro.write_snapshot(drive.snapshot())
    then = {**plan, "actions": plan["actions"][:12], "words": {}, "keepAt": -1, "snapshot": json.loads(kept)}
    report = played_in_node(tmp_path, then)
    same(played_here(drive, drive.restore(oneiro.read_snapshot(kept)), then), report["ticks"])


def test_a_world_without_words_or_telemetry_too(buttons, tmp_path):
    actions = [{"red": i % 2, "green": i // 2 % 2, "blue": i // 4 % 2} for i in range(12)]
    plan = plan_of("contract/buttons", actions, start="bright")
    report = played_in_node(tmp_path, plan)
    same(played_here(buttons, buttons.reset(7, start="bright"), plan), report["ticks"])
