"""From episodes to a world by one command, in seconds: the way, a kill in the middle of it, and what is refused."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from distill.config import UserError, load_config
from distill.recipe import plan as planning
from distill.recipe import train
from distill.recipe.judge import sentences
from distill.recipe.plan import Plan
from distill.recipe.source import source_of
from distill.tests import square
from distill.world import ROOT, WorldSpec

WORLD = WorldSpec("square", 64, 32, 10, square.CONTROLS)


def options(folder, *more):
    return [f"data={folder}/data", f"runs={folder}/runs", f"assets={folder}/assets", "steps=4", *more]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that was killed in its first stage, and taken up again by the same command."""
    folder = tmp_path_factory.mktemp("own")
    square.write(folder / "data/square")
    command = [sys.executable, "-m", "distill", "train", "--world", "square", "--hours", "0.2", *options(folder)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    for line in child.stdout:
        if "teacher: 4 steps" in line:
            break
    child.send_signal(signal.SIGKILL)
    child.wait()
    time.sleep(0.5)
    assert not (folder / "assets/square").exists()
    again = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert again.returncode == 0, again.stdout + again.stderr
    return folder, again.stdout, command, environment


def test_it_ends_in_a_world_that_says_what_it_is(trained):
    folder, said, *_ = trained
    manifest = json.loads((folder / "assets/square/world.json").read_text())
    assert (manifest["id"], manifest["title"], manifest["ticksPerSecond"]) == ("square", "Square", 10)
    assert manifest["frame"] == {"width": 64, "height": 32} and manifest["controls"] == square.CONTROLS
    assert not {"prompt", "presets", "beginnings"} & manifest.keys()
    assert manifest["task"] == "outcome" and [one["name"] for one in manifest["telemetry"]] == ["reward", "done"]
    assert manifest["actions"] == {"count": 4, "dims": 2} and len(manifest["starts"]) > 1
    for entry in manifest["files"].values():
        assert (folder / "assets/square" / entry["path"]).stat().st_size == entry["bytes"]
    assert "?world=square" in said and "next frame:" in said and "keys read back" in said


def test_the_graph_takes_no_words_and_dreams(trained):
    from distill.runtime import onnx_session

    folder = trained[0]
    session = onnx_session(folder / "assets/square/student.onnx")
    assert [value.name for value in session.get_inputs()] == ["history", "actions", "noise"]
    shapes = {value.name: [2, *value.shape[1:]] for value in session.get_inputs()}
    feeds = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    latent = session.run(None, feeds)[0]
    assert latent.shape == (2, *shapes["history"][2:]) and np.isfinite(latent).all()


def test_there_is_a_contact_sheet_of_each_stage(trained):
    names = sorted(path.name for path in (trained[0] / "runs/square/sheets").iterdir())
    assert names == ["1-recorded.png", "2-codec.png", "3-teacher.png", "4-tmd.png", "5-dmd.png"]


def test_once_done_it_trains_nothing_again(trained):
    folder, _, command, environment = trained
    files = [folder / "runs/square" / name for name in ("teacher/teacher.pt", "tmd/student.pt", "dmd/student.pt")]
    before = [file.stat().st_mtime_ns for file in files]
    assert subprocess.run(command, cwd=folder, env=environment, capture_output=True).returncode == 0
    assert [file.stat().st_mtime_ns for file in files] == before


def test_other_hours_are_another_run(trained):
    folder = trained[0]
    config = load_config(train.Config, None, [*options(folder), "world=square", "hours=2"])
    with pytest.raises(UserError, match="was begun with 0.2 hours, steps=4"):
        train.run(config)


@pytest.mark.parametrize(
    ("world", "sentence"),
    [
        ("", "name a world"),
        ("nowhere", "neither a module"),
        ("games/none.ts", "there is no file"),
        ("drive", "a recipe of its own"),
    ],
)
def test_a_world_that_is_none_is_said_at_once(tmp_path, world, sentence):
    with pytest.raises(UserError, match=sentence):
        source_of(world, str(tmp_path))


def test_names_of_folders_follow_from_the_world(tmp_path):
    game = tmp_path / "games/pong/world.ts"
    game.parent.mkdir(parents=True)
    game.touch()
    assert source_of(str(game), "data").name == "pong"
    assert source_of("gym:vizdoom.gymnasium_wrapper:VizdoomTakeCover-v1", "data").name == "vizdoomtakecover"
    for name in ("drive", "prompt-encoder"):
        with pytest.raises(UserError, match="the name of what ships"):
            source_of(str(game), "data", name)


def test_hours_that_are_none_are_refused(tmp_path):
    with pytest.raises(UserError, match="above 0"):
        train.run(load_config(train.Config, None, [*options(tmp_path), "world=square", "hours=0"]))


def test_episodes_that_are_too_short_are_said_before_anything_is_trained(tmp_path):
    square.write(tmp_path / "data/square", ticks=60)
    with pytest.raises(UserError, match="has 60 ticks, but 100 are needed"):
        train.run(load_config(train.Config, None, [*options(tmp_path), "world=square", "hours=1"]))


def test_recordings_without_validation_are_said(tmp_path):
    square.write(tmp_path / "data/square", validation=0)
    with pytest.raises(UserError, match="no validation episodes"):
        train.run(load_config(train.Config, None, [*options(tmp_path), "world=square", "hours=1"]))


def test_a_budget_in_which_nothing_is_learnt_says_what_would_do():
    plan = Plan(world="square", hours=0.02, minutes={"teacher": 0.5})
    with pytest.raises(UserError, match=r"0.02 hours are too few .* give at least --hours 0.05"):
        planning.choose(plan, dict.fromkeys(planning.SIZES, 0.01))


def test_more_hours_make_a_larger_network():
    seconds = dict(zip(planning.SIZES, (0.005, 0.01, 0.02, 0.04), strict=True))
    sizes = []
    for hours in (1, 3, 12, 40):
        plan = Plan(world="square", hours=hours)
        planning.split_minutes(plan, 60 * hours)
        planning.choose(plan, seconds)
        sizes.append(plan.size)
        assert sum(plan.minutes.values()) < 60 * hours
    assert sizes == ["small", "middle", "large", "larger"]


def test_stage_2_is_left_out_where_it_would_have_a_few_minutes():
    short, long = Plan(world="square", hours=0.5), Plan(world="square", hours=2)
    for plan in (short, long):
        planning.split_minutes(plan, 60 * plan.hours)
    assert list(short.minutes) == ["teacher", "tmd"] and list(long.minutes) == ["teacher", "tmd", "dmd"]
    assert long.minutes["dmd"] >= planning.STAGE_2_MINUTES


def test_a_picture_of_few_patches_is_cut_into_large_ones_and_noise_into_small():
    frames = np.stack([np.full((32, 64, 3), 30, np.uint8)] * 20)
    frames[:, 8:16, 8:16] = (200, 10, 10)
    frames[::2, 16:24, 40:48] = (10, 10, 200)
    patch, channels, psnr = planning.choose_codec(frames, WORLD)
    assert patch == 8 and channels <= 8 and psnr > 45
    noise = np.random.default_rng(0).integers(0, 256, (20, 32, 64, 3), np.uint8)
    assert planning.choose_codec(noise, WORLD)[:2] == (4, 16)
    with pytest.raises(UserError, match="no whole cells"):
        planning.choose_codec(np.zeros((2, 30, 50, 3), np.uint8), WorldSpec("w", 50, 30, 10, square.CONTROLS))


def test_what_a_dream_cannot_do_is_said():
    good = {"psnr": 30.0, "psnr_still": 22.0, "psnr_codec": 40.0, "motion": 1.0}
    keys = {"keys_recorded": 0.95, "keys_dreamed": 0.9, "keys_by_chance": 0.5}
    assert any("it moves, follows the keys" in line for line in sentences(good | keys, 30))
    bad = good | {"psnr": 22.3, "motion": 0.1} | keys | {"keys_dreamed": 0.55}
    said = " ".join(sentences(bad, 30))
    assert "has not learnt" in said and "does not follow the keys" in said and "freezes" in said
