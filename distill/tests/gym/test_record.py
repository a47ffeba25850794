"""Gymnasium environments as episodes: frames of whole patches, keys for actions, a sentence where that cannot be."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gymnasium")
from gymnasium import spaces  # noqa: E402

from distill.config import UserError, load_config  # noqa: E402
from distill.data.packed import read_episode  # noqa: E402
from distill.gym import record  # noqa: E402
from distill.gym.controls import controls_of  # noqa: E402
from distill.gym.frames import fit_of, image_in  # noqa: E402

FAKE = "distill.tests.gym.fake"


def recorded(out, env="Square-v0", *options):
    given = [f"env={FAKE}:{env}", f"out={out}", "episodes=2", "ticks=60", "side_by_side=1", *options]
    record.run(load_config(record.Config, None, given))
    return [read_episode(path) for path in sorted(out.glob("ep-*.msgpack"))]


@pytest.mark.parametrize("env", ["Square-v0", "Drawn-v0"])
def test_a_stretch_of_play_goes_on_where_games_end(tmp_path, env):
    first, second = recorded(tmp_path, env, "info=[at]")
    world = first["world"]
    assert (world.width % 32, world.height % 32, world.ticksPerSecond) == (0, 0, 20)
    assert world.recorded == ["terminated", "truncated", "at"] and world.encoding == "one-hot"
    assert first["frames"].shape == (60, world.height, world.width, 3) and not first["prompts"]
    assert first["actions"].shape == (60, 3) and (first["actions"].sum(1) == 1).all()
    ends = np.flatnonzero(first["dones"])
    assert len(ends) >= 3 and (np.diff(ends) <= 13).all()  # 25 steps, two a tick
    np.testing.assert_array_equal(first["dones"] > 0, first["telemetry"][:, :2].any(1))
    assert (first["frames"] != second["frames"]).any()
    assert (tmp_path / "preview.png").is_file()


def test_an_environment_may_say_how_it_is_played_and_what_it_shows(tmp_path):
    episode = recorded(tmp_path, "Told-v0", "captions=info:words", "hold=1")[0]
    assert [control["name"] for control in episode["world"].controls] == ["run", "jump"]
    assert episode["world"].prompt and set(episode["actions"][:, 0]) == {-1, 0, 1}
    # Frame 3 is the first that is called otherwise: step 6, two of them a tick. Its words lead to it.
    ticks = [prompt["tick"] for prompt in episode["prompts"]]
    assert ticks[:2] == [0, 2] and [prompt["text"] for prompt in episode["prompts"]][:2] == ["a square", "another"]
    # A new game is called anew from its first frame on.
    end = int(np.flatnonzero(episode["dones"])[0])
    at_end = max(prompt["tick"] for prompt in episode["prompts"] if prompt["tick"] <= end)
    assert next(p["text"] for p in episode["prompts"] if p["tick"] == at_end) == "a square"


def test_captions_come_from_a_text_or_from_a_file_of_them(tmp_path):
    assert recorded(tmp_path / "a", "Square-v0", "captions=a square moves")[1]["prompts"] == [
        {"tick": 0, "text": "a square moves"}
    ]
    lines = tmp_path / "lines.txt"
    lines.write_text("one\n\ntwo\nthree\n")
    episodes = recorded(tmp_path / "b", "Square-v0", f"captions={lines}", "episodes=12")
    assert {episode["prompts"][0]["text"] for episode in episodes} == {"one", "two", "three"}


@pytest.mark.parametrize(
    ("env", "option", "sentence"),
    [
        ("Unplayable-v0", "seed=0", r"`controls` have .*'run'.*0, at rest, among them"),
        ("Told-v0", "captions=info:title", r"no such text; texts in it: words"),
        ("Square-v0", "captions=nowhere.txt", "there is no such file"),
    ],
)
def test_controls_and_captions_that_are_none_are_refused(tmp_path, env, option, sentence):
    with pytest.raises(UserError, match=sentence):
        recorded(tmp_path, env, option)


def test_every_game_of_every_stretch_has_a_seed_of_its_own(tmp_path, monkeypatch):
    config = load_config(record.Config, None, [f"env={FAKE}:Square-v0", f"out={tmp_path}", "ticks=60"])
    player, seeds = record.Player(config), []
    reset = player.reset
    monkeypatch.setattr(player, "reset", lambda seed: seeds.append(seed) or reset(seed))
    for seed in (0, 1):
        record.record_episode(player, config, seed)
    assert len(set(seeds)) == len(seeds) > 6


def test_a_tick_in_which_a_game_is_cut_off_ends_there(tmp_path):
    config = load_config(record.Config, None, [f"env={FAKE}:Square-v0", f"out={tmp_path}", "skip=2"])
    player = record.Player(config)
    player.reset(0)
    cut = [player.step(np.zeros(1))[3] for _ in range(13)]
    assert cut == [False] * 12 + [True] and player.env.unwrapped.steps == 25


def test_the_same_seed_is_the_same_episode_and_what_is_there_stays(tmp_path):
    recorded(tmp_path / "a")
    one = tmp_path / "a/ep-0000001.msgpack"
    before = one.read_bytes()
    (tmp_path / "a/ep-0000000.msgpack").unlink()
    one_time = one.stat().st_mtime_ns
    recorded(tmp_path / "a")
    assert one.stat().st_mtime_ns == one_time
    recorded(tmp_path / "b")
    assert (tmp_path / "b/ep-0000001.msgpack").read_bytes() == before


def test_no_two_processes_play_the_same_game(tmp_path):
    recorded(tmp_path, "Own-v0", "side_by_side=2")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_a_recorder_that_is_killed_leaves_nobody_behind(tmp_path):
    options = [f"env={FAKE}:Square-v0", f"out={tmp_path}", "episodes=100000", "ticks=60", "side_by_side=2"]
    with subprocess.Popen([sys.executable, "-m", "distill", "record-gym", *options]) as recorder:
        children = Path(f"/proc/{recorder.pid}/task/{recorder.pid}/children")
        wait_until(lambda: len(list(tmp_path.glob("ep-*.msgpack"))) > 3)
        pids = children.read_text().split()
        assert len(pids) >= 2
        recorder.kill()
    # One that nobody waits for any more may stay as a zombie, which does nothing.
    state = lambda pid: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]  # noqa: E731
    wait_until(lambda: all(not Path(f"/proc/{pid}").exists() or state(pid) == "Z" for pid in pids))


def wait_until(done, seconds=60):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_several_side_by_side_record_the_same(tmp_path):
    recorded(tmp_path / "alone")
    recorded(tmp_path / "together", "Square-v0", "side_by_side=2")
    for name in ("ep-0000000.msgpack", "ep-0000001.msgpack"):
        assert (tmp_path / "alone" / name).read_bytes() == (tmp_path / "together" / name).read_bytes()


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ("Blind-v0", "has no pictures"),
        ("Many-v0", "nobody can press 500 different actions"),
        ("Boundless-v0", "the actions have no bounds"),
        ("Words-v0", "nobody can press the actions of a Text space"),
        ("Missing-v0", "Gymnasium has no"),
    ],
)
def test_what_cannot_be_recorded_is_said_in_one_sentence(tmp_path, env, sentence):
    with pytest.raises(UserError, match=sentence):
        recorded(tmp_path, env)
    assert not list(tmp_path.glob("ep-*"))


@pytest.mark.parametrize(
    ("option", "sentence"),
    [("size=100x60", "multiple of 16"), ("size=big", "WIDTHxHEIGHT"), ("crop=0,0,400,60", "not inside the pictures")],
)
def test_sizes_that_do_not_fit_are_said(tmp_path, option, sentence):
    with pytest.raises(UserError, match=sentence):
        recorded(tmp_path, "Square-v0", option)


def test_a_picture_is_cut_to_the_shape_and_averaged():
    picture = np.zeros((200, 400, 3), np.uint8)
    picture[:, 200:] = 100
    fit = fit_of(picture, "64x64")
    assert fit.crop == (100, 0, 200, 200)
    frame = fit(picture)
    assert frame.shape == (64, 64, 3) and frame[0, 0, 0] == 0 and frame[0, -1, 0] == 100
    assert fit_of(np.zeros((400, 600, 3), np.uint8)).width == 96
    assert np.array_equal(image_in({"screen": picture}), picture) and image_in(np.zeros(4, np.float32)) is None
    assert image_in(np.zeros((84, 84), np.uint8)).shape == (84, 84, 3)


def test_every_kind_of_action_has_keys_and_comes_back_as_itself():
    fire = controls_of(spaces.Discrete(3), ["NOOP", "FIRE", "LEFT"])
    assert fire.controls[0]["keys"] == [["Space"], ["ArrowLeft"]] and fire.act(np.array([2.0])) == 2
    twice = controls_of(spaces.Discrete(4), ["NOOP", "RIGHT", "right", "UP"])
    assert twice.controls[0]["keys"] == [["ArrowRight"], ["Digit1"], ["ArrowUp"]]
    assert controls_of(spaces.Discrete(2, start=5)).act(np.array([1.0])) == 6
    several = controls_of(spaces.MultiDiscrete([3, 2]))
    assert several.act(np.array([2.0, 1.0])).tolist() == [2, 1] and len(several.controls) == 2
    buttons = controls_of(spaces.MultiBinary(4))
    assert [control["kind"] for control in buttons.controls] == ["button"] * 4
    assert buttons.act(np.array([0, 1, 1, 0.0])).tolist() == [0, 1, 1, 0]
    box = controls_of(spaces.Box(np.array([-1, 0], np.float32), np.array([1, 1], np.float32)))
    assert [control["values"] for control in box.controls] == [[-1.0, 0.0, 1.0], [0.0, 1.0]]
    assert box.act(np.array([-1.0, 1.0])).tolist() == [-1, 1]
    with pytest.raises(UserError, match="let go means 0"):
        controls_of(spaces.Box(1, 2, (1,)))
