"""Drives as data sets, read back by what others read them with."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import oneiro
from oneiro.data import Drive, hold_at_random, read_action_log, record, replayed, write_lerobot, write_minari
from oneiro.data.__main__ import main

ROOT = Path(__file__).resolve().parents[3]

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
needs_arrow = pytest.mark.skipif(find_spec("pyarrow") is None, reason='pip install "oneiro[lerobot]"')
needs_minari = pytest.mark.skipif(find_spec("minari") is None, reason='pip install "oneiro[minari]"')
#: The Python of an environment with `lerobot`, which wants another PyTorch than the rest.
LEROBOT = os.environ.get("ONEIRO_LEROBOT_PYTHON", "")
needs_lerobot = pytest.mark.skipif(not LEROBOT, reason="ONEIRO_LEROBOT_PYTHON names no Python with lerobot")


@pytest.fixture(scope="module")
def drives(drive) -> list[Drive]:
    """Two of the drive, with their own words."""
    policy = hold_at_random(drive.space, 3, ticks=3)
    snowy = record(drive, policy, 8, 7, "a snowy night drive")
    return [snowy, record(drive, lambda tick: {"steer": 0, "throttle": 1}, 5, 8, "desert highway at sunset")]


@pytest.fixture(scope="module")
def pressed(buttons) -> list[Drive]:
    """One of a world without words, instruments and reward."""
    return [record(buttons, hold_at_random(buttons.space, 1, ticks=2), 6, 2)]


def test_a_drive_is_what_was_seen(drives, drive):
    snowy = drives[0]
    assert (len(snowy), snowy.frames.shape, snowy.telemetry.shape) == (8, (9, 96, 160, 3), (9, 18))
    assert snowy.prompts == ("a snowy night drive",) * 9
    drive.reset(7, "a snowy night drive")
    for t in range(8):
        tick = drive.step(drive.space.action_at(snowy.actions[t]))
        assert np.array_equal(tick.frame[..., :3], snowy.frames[t + 1])
        assert (np.float32(tick.reward), tick.done) == (snowy.rewards[t], snowy.dones[t])
        assert {"steer": snowy.values[t, 0], "throttle": snowy.values[t, 1]} == drive.space.action_at(snowy.actions[t])
    assert len({tuple(action) for action in snowy.actions}) > 1


@needs_node
@pytest.mark.parametrize("restored_at", [None, 3])
def test_a_log_of_node_is_driven_again(drive, drive_folder, tmp_path, restored_at):
    plan = {
        "reset": {"seed": 5, "prompt": "foggy morning in the woods"},
        "restoredAt": restored_at,
        "actions": [{"steer": i % 3 - 1, "throttle": 1} for i in range(8)],
        "words": {"5": "desert highway at sunset"},
    }
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    paths = [str(tmp_path / name) for name in ("plan.json", "log.json", "frames.json")]
    command = ["node", "scripts/tsx.mjs", "clients/python/tests/node-log.ts", str(drive_folder), *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    log = read_action_log((tmp_path / "log.json").read_text())
    again = replayed(drive, log)
    alpha = np.full((*again.frames.shape[:3], 1), 255, np.uint8)
    frames = np.concatenate([again.frames, alpha], -1)
    assert [hashlib.sha256(frame.tobytes()).hexdigest() for frame in frames] == json.loads(
        (tmp_path / "frames.json").read_text()
    )
    assert again.prompts[-1] == "desert highway at sunset" and again.prompts[0] == "foggy morning in the woods"
    with pytest.raises(oneiro.SnapshotMismatchError, match="modelHash"):
        replayed(drive, {**log, "modelHash": "0" * 64})
    with pytest.raises(oneiro.BadInputError, match="actions 0 to 8, but 9 came"):
        replayed(drive, {**log, "actions": [9]})
    with pytest.raises(oneiro.BadInputError, match="damaged"):
        replayed(drive, {**log, "prompts": [{}]})


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "oneiro-actions", "version": 2}', '{"format":"x","version":2}']
)
def test_what_is_no_log_is_refused(text):
    with pytest.raises(oneiro.BadInputError, match="A drive's log"):
        read_action_log(text)


@needs_arrow
def test_a_lerobot_dataset_holds_the_drives(drives, tmp_path):
    import pyarrow.parquet as pq
    from PIL import Image

    root = write_lerobot(tmp_path / "set", drives)
    info = json.loads((root / "meta/info.json").read_text())
    assert (info["codebase_version"], info["total_episodes"], info["total_frames"]) == ("v3.0", 2, 13)
    for number, (drive, first) in enumerate(zip(drives, (0, 8), strict=True)):
        table = pq.read_table(root / info["data_path"].format(chunk_index=0, file_index=number)).to_pydict()
        assert set(table) == set(info["features"])
        for t in range(len(drive)):
            png = Image.open(io.BytesIO(table["observation.image"][t]["bytes"]))
            assert np.array_equal(np.asarray(png), drive.frames[t])
            assert np.array_equal(np.float32(table["observation.state"][t]), drive.telemetry[t])
            assert table["action"][t] == drive.values[t].tolist()
        assert table["next.reward"] == drive.rewards.tolist() and table["next.done"] == drive.dones.tolist()
        assert table["index"] == list(range(first, first + len(drive)))
        assert table["task_index"] == [number] * len(drive)
        assert np.allclose(table["timestamp"], np.arange(len(drive)) / 20)
    stats = json.loads((root / "meta/stats.json").read_text())
    frames = np.concatenate([drive.frames[:-1] for drive in drives]) / 255
    assert np.allclose(np.array(stats["observation.image"]["mean"]).ravel(), frames.mean((0, 1, 2)))
    assert np.allclose(np.array(stats["observation.image"]["std"]).ravel(), frames.std((0, 1, 2)))
    assert stats["action"]["count"] == [13] and stats["next.reward"]["max"][0] > 0


READ = """
import json, sys
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset
data = LeRobotDataset("oneiro/test", root=sys.argv[1])
items = [data[i] for i in range(len(data))]
arrays = {name: np.stack([item[name].numpy() for item in items]) for name in items[0] if name != "task"}
np.savez(sys.argv[2], tasks=np.array([item["task"] for item in items]), **arrays)
print(json.dumps({"episodes": data.num_episodes, "fps": data.fps, "stats": sorted(data.meta.stats)}))
"""


@needs_lerobot
@needs_arrow
@pytest.mark.parametrize("which", ["drives", "pressed"])
def test_the_official_reader_of_lerobot_reads_it(which, request, tmp_path):
    recorded: list[Drive] = request.getfixturevalue(which)
    root = write_lerobot(tmp_path / "set", recorded)
    environment = {"PATH": os.environ["PATH"], "HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    command = [LEROBOT, "-c", READ, str(root), str(tmp_path / "read.npz")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=500)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["episodes"], told["fps"]) == (len(recorded), 20)
    read = np.load(tmp_path / "read.npz")
    frames = np.concatenate([drive.frames[:-1] for drive in recorded])
    assert np.array_equal(np.round(read["observation.image"] * 255).astype(np.uint8), frames.transpose(0, 3, 1, 2))
    assert np.array_equal(read["action"], np.concatenate([drive.values for drive in recorded]))
    assert np.array_equal(read["next.reward"].ravel(), np.concatenate([drive.rewards for drive in recorded]))
    assert read["tasks"].tolist() == [text or "drive" for drive in recorded for text in drive.prompts[:-1]]
    if which == "drives":
        state = np.concatenate([drive.telemetry[:-1] for drive in recorded])
        assert np.array_equal(read["observation.state"], state)


@needs_minari
@pytest.mark.parametrize("which", ["drives", "pressed"])
def test_minari_reads_its_data_set(which, request, tmp_path, monkeypatch):
    import minari

    recorded: list[Drive] = request.getfixturevalue(which)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    name = f"oneiro/{which}-v0"
    write_minari(name, recorded)
    data = minari.load_dataset(name)
    assert data.total_episodes == len(recorded)
    for episode, drive in zip(data.iterate_episodes(), recorded, strict=True):
        assert np.array_equal(episode.observations["frame"], drive.frames)
        assert np.array_equal(episode.actions, drive.actions)
        assert np.array_equal(np.float32(episode.rewards), drive.rewards)
        assert np.array_equal(episode.terminations, drive.dones) and episode.truncations[-1]
        if drive.info.telemetry:
            assert np.array_equal(episode.observations["telemetry"], drive.telemetry)
    with pytest.raises(oneiro.BadInputError, match="Minari refuses"):
        write_minari(name, recorded)
    with pytest.raises(oneiro.BadInputError, match="Minari refuses"):
        write_minari("no name of Minari", recorded)


def test_wrong_input_is_refused(drives, pressed, drive, tmp_path):
    for ticks in (0, -1, 1.5, True):
        with pytest.raises(oneiro.BadInputError, match="from 1 on"):
            record(drive, lambda tick: drive.space.idle, ticks, 1)
    with pytest.raises(oneiro.BadInputError, match='Did you mean "steer"'):
        record(drive, lambda tick: {"ster": 0, "throttle": 0}, 3, 1)
    write = write_lerobot if find_spec("pyarrow") else lambda _, drives: write_minari("x-v0", drives)
    with pytest.raises(oneiro.BadInputError, match="at least, but none came|pip install"):
        write(tmp_path / "set", [])
    with pytest.raises(oneiro.BadInputError, match='"buttons".*came beside "drive"|pip install'):
        write(tmp_path / "set", [*drives, *pressed])
    other = replace(drives[0], info=replace(drives[0].info, model_hash="0" * 64))
    with pytest.raises(oneiro.BadInputError, match="Write two data sets|pip install"):
        write(tmp_path / "set", [drives[0], other])
    assert not (tmp_path / "set").exists()


@needs_arrow
def test_the_command_writes_a_data_set_once(buttons_folder, tmp_path, capsys):
    command = [str(buttons_folder), "--out", str(tmp_path / "set"), "--drives", "2", "--ticks", "4"]
    assert main(command) == 0
    assert "2 drives of 8 steps" in capsys.readouterr().out
    assert main(command) == 1
    assert "is there already" in capsys.readouterr().err
    assert main([str(tmp_path / "nowhere"), "--out", "x"]) == 1
    (tmp_path / "log.json").write_text("{}")
    assert main([str(buttons_folder), "--out", str(tmp_path / "b"), "--logs", str(tmp_path / "log.json")]) == 1
    assert "A drive's log" in capsys.readouterr().err
