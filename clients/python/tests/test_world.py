"""The promises of World, as src/engine/testing/world-suite.ts has them, and every refusal."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import oneiro


@pytest.fixture(params=["drive", "buttons"])
def world(request) -> oneiro.World:
    return request.getfixturevalue(request.param)


def play(world: oneiro.World, first: int, count: int) -> list[bytes]:
    return [
        world.step(world.space.action((i * 5 + 3) % world.space.size)).frame.tobytes()
        for i in range(first, first + count)
    ]


def test_reset_gives_tick_0_and_steps_count_up_by_one(world):
    first = world.reset(5)
    assert first.index == 0
    ticks = [world.step(world.space.idle) for _ in range(3)]
    assert [tick.index for tick in ticks] == [1, 2, 3]
    assert {tick.epoch for tick in ticks} == {first.epoch}
    assert world.reset(5).epoch == first.epoch + 1


def test_frames_have_the_size_that_info_says_and_are_opaque(world):
    frame = world.reset(5).frame
    assert frame.shape == (world.info.height, world.info.width, 4)
    assert frame.dtype == np.uint8
    assert (frame[..., 3] == 255).all()
    assert np.array_equal(frame, world.read_pixels())


def test_a_tick_says_what_info_promises(world):
    world.reset(5)
    tick = world.step(world.space.idle)
    info = world.info
    assert list(tick.telemetry or {}) == [one.name for one in info.telemetry]
    assert tick.telemetry == world.read_telemetry()
    assert (tick.reward is not None, tick.done is not None) == (info.reward, info.done)


def test_info(drive, buttons):
    assert (drive.info.id, drive.info.prompt, drive.info.reward, drive.info.done) == ("drive", True, True, True)
    assert (buttons.info.prompt, buttons.info.telemetry, buttons.info.reward) == (False, (), False)


def test_the_same_seed_and_actions_give_the_same_frames_another_seed_others(world):
    def once(seed: int) -> list[bytes]:
        return [world.reset(seed, start=world.manifest.starts[1].id).frame.tobytes(), *play(world, 1, 3)]

    first = once(11)
    assert once(11) == first
    assert once(12) != first


def test_temperature_0_is_a_dream_without_chance(drive_folder):
    with oneiro.open_world(drive_folder, temperature=0) as world:
        start = world.manifest.starts[0].id
        world.reset(1, start=start)
        one = world.step(world.space.idle).latent
        world.reset(2, start=start)
        assert np.array_equal(world.step(world.space.idle).latent, one)


def test_a_prompt_changes_the_picture_without_a_reset(drive):
    drive.reset(2, "a drive through green meadows at noon")
    play(drive, 1, 2)
    here = drive.snapshot()
    (without,) = play(drive, 3, 1)
    back = drive.restore(here)
    drive.set_prompt("a snowy night drive")
    tick = drive.step(drive.space.action(3 * 5 + 3 - 2 * 9))
    assert (tick.index, tick.epoch) == (3, back.epoch)
    assert tick.frame.tobytes() != without
    assert drive.snapshot()["prompt"]["text"] == "a snowy night drive"


@pytest.mark.parametrize("through", ["as it is", "our JSON", "JSON of typed arrays"])
def test_a_snapshot_brings_the_same_future_back(world, through):
    world.reset(3)
    play(world, 1, 3)
    snapshot = world.snapshot()
    future = play(world, 4, 3)
    if through == "our JSON":
        snapshot = oneiro.read_snapshot(oneiro.write_snapshot(snapshot))
    elif through == "JSON of typed arrays":  # as JSON.stringify leaves them
        as_object = lambda array: {str(i): value for i, value in enumerate(array.tolist())}  # noqa: E731
        snapshot = json.loads(json.dumps(snapshot, default=as_object))
    assert world.restore(snapshot).index == 3
    assert play(world, 4, 3) == future


def test_taking_a_snapshot_does_not_disturb_play(world):
    world.reset(4)
    quiet = play(world, 1, 3)
    world.reset(4)
    watched = []
    for i in range(1, 4):
        snapshot = world.snapshot()
        snapshot["state"]["actions"][:] = 1
        watched += play(world, i, 1)
    assert watched == quiet


def test_futures_are_what_the_world_would_have_become(world):
    world.reset(8)
    play(world, 1, 2)
    futures = world.fork(3)
    actions = [world.space.action(code) for code in (0, 5, 7)]
    ticks = futures.step(actions)
    assert [tick.index for tick in ticks] == [3, 3, 3]
    assert len({tick.frame.tobytes() for tick in ticks}) == 3
    alone = world.step(actions[1]).frame.astype(int)
    assert np.abs(ticks[1].frame - alone).max() <= 1  # a batch rounds otherwise
    assert world.restore(futures.snapshot(1)).index == 3
    if world.info.prompt:
        own = world.snapshot()["prompt"]["text"]
        futures.set_prompt(1, "a snowy night drive")
        told = [futures.snapshot(place)["prompt"]["text"] for place in range(3)]
        assert told == [own, "a snowy night drive", own]
    for bad in ([], actions[:2], None, [*actions[:2], {"none": 1}]):
        with pytest.raises(oneiro.BadInputError):
            futures.step(bad)
    with pytest.raises(oneiro.BadInputError, match="from 0 to 2, but 3 came"):
        futures.snapshot(3)
    assert [tick.index for tick in futures.step(actions)] == [4, 4, 4]
    futures.close()
    futures.close()
    with pytest.raises(oneiro.WorldClosedError):
        futures.step(actions)


@pytest.mark.parametrize("count", [0, 1.5, 65, None])
def test_what_is_no_number_of_futures_is_refused(buttons, count):
    buttons.reset(1)
    with pytest.raises(oneiro.BadInputError, match="1 to 64 futures"):
        buttons.fork(count)


@pytest.mark.parametrize("seed", [-1, 0.5, float("nan"), 2**53, True, "7", None])
def test_a_bad_seed_is_refused_and_the_running_state_kept(world, seed):
    world.reset(6)
    play(world, 1, 2)
    with pytest.raises(oneiro.BadInputError, match="A seed is an integer"):
        world.reset(seed)
    assert world.step(world.space.idle).index == 3


def test_an_unknown_start_is_refused_with_those_there_are(world):
    world.reset(6)
    with pytest.raises(oneiro.BadInputError, match=f'called "nowhere".*{world.manifest.starts[0].id}'):
        world.reset(1, start="nowhere")
    assert world.step(world.space.idle).index == 1


def test_what_is_no_action_is_refused_with_a_sentence_and_play_goes_on(world):
    world.reset(6)
    name, idle = world.info.controls[0].name, world.space.idle
    bad = [
        (None, "None came"),
        (5, "5 came"),
        ({}, f'"{name}" of an action.*None came'),
        ({**idle, name: 0.123}, "0.123 came"),
        ({**idle, name: float("nan")}, "nan came"),
        ({**idle, name: "0"}, '"0" came'),
        ({**idle, name: np.zeros(2)}, "came"),
        ({**idle, f"{name}x": 0}, f'"{name}x" came. Did you mean "{name}"'),
        ({**idle, "nothing of the kind": 0}, '"nothing of the kind" came'),
    ]
    for action, sentence in bad:
        with pytest.raises(oneiro.BadInputError, match=sentence):
            world.step(action)
    assert world.step({key: np.float32(value) for key, value in idle.items()}).index == 1


def altered(snapshot: dict, **fields: object) -> dict:
    return {**snapshot, **fields}


def test_a_snapshot_of_another_world_model_or_version_is_refused_and_the_running_state_kept(drive, buttons):
    drive.reset(6)
    buttons.reset(6)
    own = drive.snapshot()
    wrong = [buttons.snapshot(), altered(own, modelHash="ff"), altered(own, version=1), altered(own, format="x")]
    for snapshot in wrong:
        with pytest.raises(oneiro.SnapshotMismatchError, match="Restore it in the world that made it"):
            drive.restore(snapshot)
    assert drive.step(drive.space.idle).index == 1


def test_what_is_no_snapshot_is_refused_and_the_running_state_kept(drive):
    drive.reset(6)
    own = drive.snapshot()
    halves, actions = own["state"]["halfLatents"], own["state"]["actions"]
    nan = halves.copy()
    nan[7] = 0x7E00
    wrong = [
        (None, "None came"),
        ([], "a list came"),
        (altered(own, prompt=None), "without its prompt"),
        (altered(own, prompt={"text": 5}), "without its prompt"),
        (altered(own, state={}), "state.halfLatents is 46176 half-precision floats, as bits, but None came"),
        (altered(own, state={"halfLatents": halves[:-1], "actions": actions}), "46176"),
        (altered(own, state={"halfLatents": halves.astype(np.float32), "actions": actions}), "as bits"),
        (altered(own, state={"halfLatents": ["x"], "actions": actions}), "as bits"),
        (altered(own, state={"halfLatents": nan, "actions": actions}), "nan came"),
        (altered(own, state={"halfLatents": halves, "actions": actions + 5}), "from -1 to 1"),
        (altered(own, tick=-1), "tick is an integer"),
        (altered(own, tick=2**40), "tick is an integer"),
        (altered(own, seed=-1), "A seed is"),
    ]
    for snapshot, sentence in wrong:
        with pytest.raises(oneiro.BadInputError, match=sentence):
            drive.restore(snapshot)
    assert drive.step(drive.space.idle).index == 1
    with pytest.raises(oneiro.BadInputError, match="JSON"):
        oneiro.read_snapshot("{")


def test_calls_before_the_first_reset_are_refused_by_name(drive_folder):
    with oneiro.open_world(drive_folder) as world:
        calls = {
            "step": lambda: world.step(world.space.idle),
            "set_prompt": lambda: world.set_prompt("x"),
            **{name: getattr(world, name) for name in ("snapshot", "read_pixels", "read_telemetry")},
            "fork": lambda: world.fork(2),
        }
        for name, call in calls.items():
            with pytest.raises(oneiro.NotReadyError, match=rf"{name}\(\) was called before reset"):
                call()


def test_closing_twice_is_harmless_and_every_call_afterwards_is_refused_by_name(buttons_folder):
    world = oneiro.open_world(buttons_folder)
    last = world.reset(1)
    snapshot = world.snapshot()
    world.close()
    world.close()
    calls = {
        "reset": lambda: world.reset(1),
        "step": lambda: world.step(world.space.idle),
        "set_prompt": lambda: world.set_prompt("x"),
        "restore": lambda: world.restore(snapshot),
        **{name: getattr(world, name) for name in ("snapshot", "read_pixels", "read_telemetry")},
    }
    for name, call in calls.items():
        with pytest.raises(oneiro.WorldClosedError, match=rf"{name}\(\) was called after close"):
            call()
    assert last.frame.shape == (48, 64, 4)  # a tick is whole without its world


@pytest.mark.parametrize("options", [{"threads": 0}, {"threads": "2"}, {"temperature": -1}, {"temperature": None}])
def test_wrong_options_are_refused(buttons_folder, options):
    with pytest.raises(oneiro.BadInputError, match="came. Say"):
        oneiro.open_world(buttons_folder, **options)


@pytest.fixture
def copy(buttons_folder, tmp_path) -> Path:
    return Path(shutil.copytree(buttons_folder, tmp_path / "copy"))


def test_a_folder_that_is_not_there_or_not_whole_is_refused(copy):
    with pytest.raises(oneiro.AssetMissingError, match='world.json is missing.*"nowhere"'):
        oneiro.open_world(copy / "nowhere")
    student = copy / "student.onnx"
    data = student.read_bytes()
    student.write_bytes(data[:-1] + b"x")
    with pytest.raises(oneiro.AssetCorruptError, match="student.onnx is damaged: it was altered"):
        oneiro.open_world(copy)
    student.write_bytes(data[:-1])
    with pytest.raises(oneiro.AssetCorruptError, match="3402 bytes were expected, but 3401 came"):
        oneiro.open_world(copy)
    student.unlink()
    with pytest.raises(oneiro.AssetMissingError, match="student.onnx"):
        oneiro.open_world(copy)
    (copy / "world.json").write_text("{")
    with pytest.raises(oneiro.ManifestInvalidError, match="not JSON"):
        oneiro.open_world(copy)


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        (lambda m: m.update(version=2), oneiro.ManifestVersionError, "version 2, but this release reads version 1"),
        (lambda m: m.update(format="x"), oneiro.ManifestInvalidError, "its format is 'x'"),
        (lambda m: m["latent"].update(tokens=0), oneiro.ManifestInvalidError, "latent.tokens is not a whole number"),
        (lambda m: m["latent"].update(dtype="int8"), oneiro.ManifestInvalidError, "latent.dtype"),
        (lambda m: m.pop("frame"), oneiro.ManifestInvalidError, "frame is not an object"),
        (lambda m: m["history"].update(offsets=[2, 1]), oneiro.ManifestInvalidError, "offsets must increase"),
        (lambda m: m["actions"].update(dims=5), oneiro.ManifestInvalidError, "told by 6 numbers, but 5 came"),
        (lambda m: m["controls"][0].update(kind="dial"), oneiro.ManifestInvalidError, "controls.0.kind"),
        (lambda m: m["files"]["starts"].update(path="../x"), oneiro.ManifestInvalidError, "files.starts.path"),
        (lambda m: m.update(modelHash="0" * 64), oneiro.ManifestInvalidError, "modelHash is 000000000000…"),
        (lambda m: m["selfTest"]["latentSample"].__setitem__(0, 9), oneiro.SelfTestError, "wrong numbers"),
        (
            lambda m: m["selfTest"]["frame"].update(pixels=m["selfTest"]["frame"]["pixels"][::-1]),
            oneiro.SelfTestError,
            "draws a wrong picture here: the first frame is off by",
        ),
        (lambda m: m["selfTest"]["frame"].update(pixels="AA"), oneiro.ManifestInvalidError, "selfTest.frame.pixels"),
        (lambda m: m["starts"][0].update(index=9), oneiro.AssetCorruptError, "row 9"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused_by_its_field(copy, change, error, sentence):
    manifest = json.loads((copy / "world.json").read_text())
    change(manifest)
    (copy / "world.json").write_text(json.dumps(manifest))
    with pytest.raises(error, match=sentence):
        oneiro.open_world(copy)


def test_errors_have_the_codes_of_typescript():
    codes = {error.code for error in oneiro.OneiroError.__subclasses__()}
    assert {"BAD_INPUT", "NOT_READY", "WORLD_CLOSED", "SNAPSHOT_MISMATCH", "ASSET_MISSING", "ASSET_CORRUPT"} <= codes


def test_actions_are_numbered_as_in_typescript(drive):
    space = drive.space
    assert space.size == 9
    assert [space.code(space.action(code)) for code in range(9)] == list(range(9))
    assert space.action(1) == {"steer": -1, "throttle": 0}
    for code in (9, -1, 0.5, None):
        with pytest.raises(oneiro.BadInputError, match="actions 0 to 8"):
            space.action(code)
