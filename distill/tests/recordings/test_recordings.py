"""Videos and rows of what was pressed -> episodes; and each fault as a sentence, before a frame is read."""

import json
import re
import subprocess

import numpy as np
import pytest

from distill.config import UserError, load_config
from distill.data.packed import read_episode
from distill.gym.frames import fit_of
from distill.recordings import take
from distill.recordings.columns import controls_of, nearest
from distill.recordings.video import Video, _program, probe

needs_ffmpeg = pytest.mark.skipif(
    subprocess.run(f"{_program('ffmpeg')} -version", shell=True, capture_output=True).returncode != 0,
    reason="reading videos needs ffmpeg",
)
WIDTH, HEIGHT = 128, 64


def frames_of(count: int, seed: int = 0) -> np.ndarray:
    """A grey that rises by two a frame, and a white column that moves on: uint8 [count,64,128,3]."""
    frames = np.empty((count, HEIGHT, WIDTH, 3), np.uint8)
    for n in range(count):
        frames[n] = (seed + 2 * n) % 200
        frames[n, :, 4 * (n % 30) : 4 * (n % 30) + 8] = 255
    return frames


def write_video(path, frames: np.ndarray, fps: float = 20) -> None:
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    given = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(fps), "-i", "-"]
    command = [_program("ffmpeg"), "-v", "error", "-y", *given, "-c:v", "ffv1", str(path)]
    subprocess.run(command, input=frames.tobytes(), check=True)


def write_rows(path, rows: list[dict]) -> None:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return
    names = list(rows[0])
    path.write_text("\n".join([",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)]) + "\n")


def pressed(count: int) -> list[dict]:
    return [
        {"left": n % 2, "wheel": [-1, 0, 1][n // 7 % 3], "coins": n // 10, "reward": 1, "done": int(n == 50)}
        | {"caption": {0: "by day", 120: "by night"}.get(n, "")}
        for n in range(count)
    ]


def imported(folder, *options):
    take.run(load_config(take.Config, None, [f"folder={folder}", f"out={folder / 'out'}", "size=128x64", *options]))
    return {
        split: [read_episode(path) for path in sorted((folder / "out" / split).glob("ep-*.msgpack"))]
        for split in ("train", "validation")
    }


@needs_ffmpeg
@pytest.mark.parametrize("rows", ["csv", "jsonl"])
def test_a_video_and_its_rows_are_episodes(tmp_path, rows):
    frames = frames_of(240)
    write_video(tmp_path / "one.mkv", frames)
    write_rows(tmp_path / f"one.{rows}", pressed(240))
    made = imported(tmp_path, "ticks=120", "info=[coins]")
    (first,), (held,) = made["train"], made["validation"]
    np.testing.assert_allclose(np.concatenate([first["frames"], held["frames"]]), frames, atol=3)  # by way of YUV
    world = first["world"]
    assert [(c["name"], c["kind"], c["keys"]) for c in world.controls] == [
        ("left", "button", ["ArrowLeft"]),
        ("wheel", "axis", [["ArrowDown"], ["ArrowUp"]]),
    ]
    assert first["actions"][:16].tolist() == [[n % 2, [-1, 0, 1][n // 7 % 3]] for n in range(16)]
    assert world.recorded == ["coins"] and first["telemetry"][115, 0] == 11
    assert np.flatnonzero(first["dones"]).tolist() == [50] and first["rewards"].sum() == 120
    # Frame 120 is the first by night, and belongs to the next episode; words lead to what they describe.
    assert first["prompts"] == [{"tick": 0, "text": "by day"}, {"tick": 119, "text": "by night"}]
    assert held["prompts"] == [{"tick": 0, "text": "by night"}]
    assert world.prompt and world.ticksPerSecond == 20


@needs_ffmpeg
def test_of_frames_that_are_passed_over_keys_and_rewards_count(tmp_path):
    frames = frames_of(480)
    write_video(tmp_path / "one.mkv", frames, 60)
    write_rows(tmp_path / "one.csv", [{"up": int(n % 4 == 1), "reward": 1} for n in range(479)])
    made = imported(tmp_path, "ticks=120", "skip=2")
    first = made["train"][0]
    np.testing.assert_allclose(first["frames"][:40], frames[:80:2], atol=3)
    assert first["actions"][:4, 0].tolist() == [1, 0, 1, 0] and first["rewards"][0] == 2
    assert made["validation"][0]["rewards"].sum() == 239  # of the last frame there is no row
    assert first["world"].ticksPerSecond == 30


@needs_ffmpeg
def test_what_was_imported_stays_and_what_is_missing_comes(tmp_path):
    write_video(tmp_path / "one.mkv", frames_of(400))
    write_rows(tmp_path / "one.csv", [{"up": 1} for _ in range(400)])
    imported(tmp_path, "ticks=100")
    path = tmp_path / "out/train/ep-0000001.msgpack"
    whole, other = path.read_bytes(), (tmp_path / "out/train/ep-0000000.msgpack").stat().st_mtime_ns
    path.unlink()
    imported(tmp_path, "ticks=100")
    assert path.read_bytes() == whole
    assert (tmp_path / "out/train/ep-0000000.msgpack").stat().st_mtime_ns == other


@needs_ffmpeg
def test_what_is_not_named_in_a_line_is_not_held(tmp_path):
    for name, pressed_in_it in (("one", {"up": 1}), ("two", {"jump": 1, "up": 1})):
        write_video(tmp_path / f"{name}.mkv", frames_of(120))
        write_rows(tmp_path / f"{name}.jsonl", [pressed_in_it, {}] * 60)
    made = imported(tmp_path)
    assert made["train"][0]["actions"][:3].tolist() == [[1, 0], [0, 0], [1, 0]]
    assert made["validation"][0]["actions"][:3].tolist() == [[1, 1], [0, 0], [1, 1]]


@needs_ffmpeg
def test_what_was_imported_otherwise_is_not_mixed(tmp_path):
    write_video(tmp_path / "one.mkv", frames_of(240))
    write_rows(tmp_path / "one.csv", [{"up": 1}] * 240)
    imported(tmp_path)
    with pytest.raises(UserError, match="imported from other recordings or with other settings"):
        imported(tmp_path, "size=64x32")
    write_rows(tmp_path / "one.csv", [{"up": 0}] * 240)
    for _ in range(2):
        with pytest.raises(UserError, match="imported from other recordings or with other settings"):
            imported(tmp_path)
        (tmp_path / "out" / take.KEPT).unlink(missing_ok=True)


@needs_ffmpeg
def test_rates_that_differ_by_a_little_are_one_world(tmp_path):
    for name, fps in (("one", 20), ("two", 20.1)):
        write_video(tmp_path / f"{name}.mkv", frames_of(120), fps)
        write_rows(tmp_path / f"{name}.csv", [{"up": 1}] * 120)
    made = imported(tmp_path)
    assert made["train"][0]["world"] == made["validation"][0]["world"]


@needs_ffmpeg
def test_a_crop_is_exact_and_a_picture_turned_as_it_is_shown(tmp_path):
    frames = frames_of(240)
    write_video(tmp_path / "one.mkv", frames)
    write_rows(tmp_path / "one.csv", [{"up": 1}] * 240)
    cut = imported(tmp_path, "crop=5,1,64,32", "size=64x32")["train"][0]["frames"]
    np.testing.assert_allclose(cut, frames[:120, 1:33, 5:69], atol=3)
    turned = tmp_path / "turned"
    turned.mkdir()
    plain = tmp_path / "plain.mov"
    given = [_program("ffmpeg"), "-v", "error", "-y"]
    subprocess.run([*given, "-i", str(tmp_path / "one.mkv"), "-c:v", "mpeg4", "-q:v", "1", str(plain)], check=True)
    # How a video is told to be turned: by older ffmpeg, by newer.
    for before, after in ([], ["-metadata:s:v", "rotate=90"]), (["-display_rotation", "90"], []):
        command = [*given, *before, "-i", str(plain), "-c", "copy", *after, str(turned / "one.mp4")]
        if subprocess.run(command, check=False).returncode == 0 and probe(turned / "one.mp4").width == HEIGHT:
            break
    write_rows(turned / "one.csv", [{"up": 1}] * 240)
    assert (probe(turned / "one.mp4").width, probe(turned / "one.mp4").height) == (HEIGHT, WIDTH)
    shown = imported(turned, "size=64x128")["train"][0]["frames"]
    upright = np.rot90(frames[0], 1 if shown[0, -1].mean() > 200 else -1)
    np.testing.assert_allclose(shown[0].astype(int), upright, atol=40)


@needs_ffmpeg
def test_controls_json_says_how_they_are_held(tmp_path):
    write_video(tmp_path / "one.mkv", frames_of(240))
    write_rows(tmp_path / "one.csv", [{"gas": n % 2} for n in range(240)])
    own = [{"name": "gas", "kind": "axis", "values": [0, 1], "keys": [["KeyW"]], "labels": ["full throttle"]}]
    (tmp_path / "controls.json").write_text(json.dumps(own))
    assert imported(tmp_path)["train"][0]["world"].controls == own
    (tmp_path / "controls.json").write_text(json.dumps([{"name": "brake", "kind": "button", "keys": ["KeyS"]}]))
    with pytest.raises(UserError, match="has the controls brake, the recordings gas"):
        imported(tmp_path)


FAULTS = {
    "a video whose actions are too few": ({"one.csv": pressed(100)}, "one.mkv has 240 frames, but one.csv 100 rows"),
    "no rows": ({}, "neither of one.csv and one.jsonl"),
    "two sizes": ({"one.csv": pressed(240), "two.csv": pressed(240)}, "one.mkv is 128x64 and two.mkv 64x64"),
    "a text for a number": ({"one.jsonl": [{"left": "west"}] * 240}, "row 1: left is 'west', which is no number"),
    "nothing to press": ({"one.jsonl": [{"reward": 1}] * 240}, "no column of a control"),
    "too many values": ({"one.jsonl": [{"stick": n / 7} for n in range(240)]}, "stick has 240 diff.*levels=5"),
    "another table": (
        {"one.csv": pressed(240), "two.csv": [{"left": 1, "caption": "x"}] * 240},
        "two.mkv has no column wheel",
    ),
    "a column twice": ({"one.csv": [{"up": 1, "up ": 0}] * 240}, "one.csv has two columns up"),
    "semicolons": ({"one.csv": [{"up;down": "0;1"}] * 240}, "separated by semicolons"),
    "an index": ({"one.csv": [{"": 1, "up": 0}] * 240}, "first column of one.csv has no name"),
    "a name that is none": (
        {"one.csv": [{"go left": 1}] * 240},
        "letters, digits and _, at most 32, but 'go left' came",
    ),
    "captions of some": ({"one.csv": pressed(240), "two.csv": [{"left": 1}] * 240}, "one.mkv has captions and two"),
    "no first caption": ({"one.jsonl": [{"up": 1}] * 9 + [{"up": 1, "caption": "x"}] * 231}, "none in its first row"),
}


@needs_ffmpeg
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_told_before_a_frame_is_read(tmp_path, fault, monkeypatch):
    files, sentence = FAULTS[fault]
    write_video(tmp_path / "one.mkv", frames_of(240))
    if "two.csv" in files:
        write_video(tmp_path / "two.mkv", frames_of(240)[:, :, :64] if fault == "two sizes" else frames_of(240))
    for name, rows in files.items():
        write_rows(tmp_path / name, rows)
    monkeypatch.setattr(Video, "read", lambda *_: pytest.fail("a frame was read"))
    with pytest.raises(UserError, match=sentence):
        imported(tmp_path)


@needs_ffmpeg
def test_too_little_and_no_video_are_told(tmp_path):
    with pytest.raises(UserError, match="there is no video in"):
        imported(tmp_path)
    write_video(tmp_path / "one.mkv", frames_of(150))
    write_rows(tmp_path / "one.csv", [{"up": 1}] * 150)
    with pytest.raises(UserError, match="recordings have 150 ticks; 200 at least are needed"):
        imported(tmp_path)
    (tmp_path / "one.mkv").write_bytes(b"no video at all")
    with pytest.raises(UserError, match=r"one\.mkv cannot be read"):
        imported(tmp_path)


def test_without_ffmpeg_a_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    (tmp_path / "one.mp4").write_bytes(b"")
    (tmp_path / "one.csv").write_text("up\n1\n")
    monkeypatch.setenv("ONEIRO_FFMPEG", str(tmp_path / "ffmpeg"))
    with pytest.raises(UserError, match="install ffmpeg"):
        imported(tmp_path)


def lerobot(folder, cameras=("observation.images.front",), version="v3.0") -> np.ndarray:
    """Two episodes of 120 frames in one file of each kind; the frames."""
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    frames = frames_of(240)
    features = {name: {"dtype": "video", "shape": [HEIGHT, WIDTH, 3]} for name in cameras}
    features["action"] = {"dtype": "float32", "shape": [2], "names": {"motors": ["arm.pos", "grip"]}}
    info = {"codebase_version": version, "fps": 20, "features": features}
    info["video_path"] = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mkv"

    def write(path, columns):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(arrow.table(columns), folder / path)

    (folder / "meta").mkdir()
    (folder / "meta/info.json").write_text(json.dumps(info))
    write("meta/tasks.parquet", {"task_index": [0, 1], "__index_level_0__": ["pick", "place"]})
    episodes = {"episode_index": [0, 1]}
    for name in cameras:
        (folder / f"videos/{name}/chunk-000").mkdir(parents=True)
        write_video(folder / f"videos/{name}/chunk-000/file-000.mkv", frames)
        episodes |= {f"videos/{name}/chunk_index": [0, 0], f"videos/{name}/file_index": [0, 0]}
        episodes[f"videos/{name}/from_timestamp"] = [0.0, 6.0]
    write("meta/episodes/chunk-000/file-000.parquet", episodes)
    rows = {"episode_index": [0] * 120 + [1] * 120, "frame_index": [*range(120), *range(120)]}
    rows["action"] = [[float(np.sin(n / 9)), float(n % 2)] for n in range(240)]
    rows["task_index"] = [0] * 120 + [1] * 120
    rows["next.reward"] = [0.5] * 240
    write("data/chunk-000/file-000.parquet", rows)
    return frames


@needs_ffmpeg
def test_a_lerobot_dataset_is_episodes_too(tmp_path):
    frames = lerobot(tmp_path)
    made = imported(tmp_path, "levels=5")
    (first,), (held,) = made["train"], made["validation"]
    np.testing.assert_allclose(first["frames"], frames[:120], atol=3)
    np.testing.assert_allclose(held["frames"], frames[120:], atol=3)
    arm, grip = first["world"].controls
    assert (arm["name"], len(arm["values"]), len(arm["keys"])) == ("arm_pos", 5, 4)
    assert (grip["name"], grip["kind"]) == ("grip", "button")
    np.testing.assert_allclose(first["actions"][:, 0], np.sin(np.arange(120) / 9), atol=0.26)
    assert first["prompts"][0]["text"] == "pick" and held["prompts"][0]["text"] == "place"
    assert first["rewards"].sum() == 60


def test_drives_that_were_written_for_lerobot_come_back(tmp_path):
    pytest.importorskip("pyarrow")
    oneiro = pytest.importorskip("oneiro")
    from oneiro.data import hold_at_random, record, write_lerobot

    folder = tmp_path / "set"
    with oneiro.open_world("contract/buttons") as world:
        drives = [record(world, hold_at_random(world.space, n, ticks=3), 110, n) for n in (1, 2)]
    write_lerobot(folder, drives)
    made = imported(folder, "size=32x32")
    for drive, (episode,) in zip(drives, (made["train"], made["validation"]), strict=True):
        fit = fit_of(drive.frames[0], "32x32")
        np.testing.assert_array_equal(episode["frames"], [fit(frame) for frame in drive.frames[:-1]])
        np.testing.assert_array_equal(episode["actions"], drive.values)
        assert [c["name"] for c in episode["world"].controls] == [c.name for c in drive.info.controls]


@needs_ffmpeg
def test_of_a_lerobot_dataset_one_camera_is_chosen_and_version_3_read(tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    lerobot(tmp_path / "a", ("observation.images.front", "observation.images.wrist"))
    with pytest.raises(UserError, match=re.escape("choose one: camera=observation.images.front")):
        imported(tmp_path / "a", "levels=5")
    assert imported(tmp_path / "a", "levels=5", "camera=observation.images.wrist")["train"]
    lerobot(tmp_path / "b", version="v2.1")
    with pytest.raises(UserError, match=r"version v2\.1.*convert_dataset_v21_to_v30"):
        imported(tmp_path / "b")


def test_columns_become_controls_that_can_be_held():
    columns = {"fire": np.array([0, 1.0]), "turn": np.array([-1.0, 0, 1]), "jump": np.array([1.0, 0])}
    controls = controls_of(columns)
    keys = [control["keys"] for control in controls]
    assert keys == [["Space"], [["ArrowLeft"], ["ArrowRight"]], ["ArrowUp"]]  # Space is taken: the next that is free
    stick = controls_of({"stick": np.linspace(-2, 2, 101)}, levels=3)[0]
    assert nearest(stick, np.array([-2, -0.3, 0.2, 1.4])).tolist() == pytest.approx([-1.96, 0, 0, 1.96], abs=0.05)
    with pytest.raises(UserError, match="more controls than keys"):
        controls_of({f"b{n}": np.array([0, 1.0]) for n in range(60)})
