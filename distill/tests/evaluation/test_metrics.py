"""The metrics on worlds whose answer is known, all made up."""

import copy
import json

import numpy as np
import pytest
import torch
from scipy import ndimage

from distill.config import UserError
from distill.evaluation import altered, check, detector, evaluate, paint, policies, runs
from distill.evaluation.metrics import car, flow, interval, places, real_or_dream
from distill.evaluation.metrics import ensembles as energies
from distill.evaluation.metrics.ensembles import SEEDS_EACH, Ensembles, energy_score, ensembles, spread_over_error
from distill.evaluation.metrics.sharpness import sharpness
from distill.evaluation.metrics.spaces import Latents, crops, crops_of, detail
from distill.evaluation.runs import Drives
from distill.evaluation.worlds import Recorded
from distill.tests import moving_road
from distill.world import TELEMETRY, read_telemetry, telemetry_token

SEEDS = [1_100_000 + i for i in range(5)]
SPACES = {"crops": crops, "detail": detail}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("road")
    moving_road.write(folder, "validation", SEEDS, 70)
    return folder


@pytest.fixture(scope="module")
def packed(data):
    return moving_road.Packed(data, "validation")


@pytest.fixture
def drives(packed):
    return Drives(packed, SEEDS, np.zeros((len(packed.captions), 1), np.float32), batch=16)


# -- intervals ---------------------------------------------------------------------------------------------------


def test_frames_of_one_drive_do_not_count_as_new_drives():
    values = np.random.default_rng(0).normal(3, 1, 30)
    alone = interval.mean(values, np.arange(30))
    assert alone["value"] == pytest.approx(values.mean()) and alone["n"] == alone["drives"] == 30
    assert alone["spread"] == pytest.approx(2.045 * values.std(ddof=1) / 30**0.5, rel=1e-3)
    again = interval.mean(np.repeat(values, 10), np.repeat(np.arange(30), 10))
    assert again["spread"] == pytest.approx(alone["spread"]) and again["n"] == 300 and again["drives"] == 30
    assert interval.mean([1.0, 2.0], [0, 0])["spread"] == 0
    assert interval.mean([], [])["value"] is None


def test_pairs_have_a_narrower_interval_than_either_side():
    rng = np.random.default_rng(1)
    bottom = rng.uniform(1, 9, 60)
    top = 0.5 * bottom + 0.01 * rng.normal(size=60)
    found = interval.ratio(top, bottom, np.arange(60))
    assert found["value"] == pytest.approx(0.5, abs=0.01) and found["spread"] < 0.002
    resampled = interval.bootstrap(lambda some: top[some].mean() / bottom[some].mean(), np.arange(60))
    assert resampled["spread"] == pytest.approx(found["spread"], rel=0.4)


def test_the_interval_holds_the_truth_about_95_times_in_100():
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(300):
        values = np.repeat(rng.normal(size=12), 4) + 0.1 * rng.normal(size=48)
        found = interval.mean(values, np.repeat(np.arange(12), 4))
        inside += abs(found["value"]) <= found["spread"]
    assert 0.9 < inside / 300 < 0.99


# -- energy score and spread -------------------------------------------------------------------------------------


def test_no_sampler_scores_better_than_the_truth():
    rng = np.random.default_rng(0)
    mean, noise = rng.normal(size=(400, 1, 1, 50)), lambda n: rng.normal(size=(400, n, 1, 50))
    truth = (mean + noise(1))[:, 0]
    score = lambda samples: energy_score(samples, truth).mean()  # noqa: E731
    right = score(mean + noise(4))
    assert right < score(np.repeat(mean, 4, 1)) and right < score(mean + 0.5 * noise(4))
    assert right < score(mean + 1.6 * noise(4)) and right < score(mean + 0.4 + noise(4))
    assert energy_score(np.repeat(truth[:, None], 4, 1), truth).max() == 0
    # Two different samples are never counted as one: twice as many noises change nothing on the mean.
    assert score(mean + noise(8)) == pytest.approx(right, rel=0.01)


def test_recordings_score_nothing_and_what_is_done_to_them_costs(packed, drives):
    def score(world) -> dict:
        return energies.energy(ensembles(world, drives, SPACES, histories=15, noises=3, ticks=(1, 5)))

    exact = score(Recorded(packed))
    assert all(metric["value"] == 0 for ticks in exact.values() for metric in ticks.values())
    assert exact["crops"]["5"]["n"] == 15 and exact["crops"]["5"]["drives"] == 5
    soft = [score(altered.Blurred(packed, sigma)) for sigma in (0.5, 1, 2)]
    grain = [score(altered.Speckled(packed, levels)) for levels in (2, 6)]
    frozen = score(altered.Frozen(packed))
    for space in SPACES:
        assert 0 < soft[0][space]["1"]["value"] < soft[1][space]["1"]["value"] < soft[2][space]["1"]["value"]
        assert 0 < grain[0][space]["1"]["value"] < grain[1][space]["1"]["value"]
    assert frozen["crops"]["5"]["value"] > frozen["crops"]["1"]["value"] > 1


def test_speckle_of_the_right_strength_does_not_pass_for_detail(packed):
    """In the crops alone it would: there a blurred picture with as much noise as it lacks scores like the truth."""
    rng = np.random.default_rng(0)
    some = packed.frames[::25]
    soft = altered.blurred(some, 1.5)
    lacking = float(np.sqrt(((some.astype(float) - soft) ** 2).mean()))
    noisy = np.stack([altered.speckled(soft, lacking, rng) for _ in range(4)], 1)
    blurry = np.repeat(soft[:, None], 4, 1)

    def score(space, samples) -> float:
        flat = space(samples.reshape(-1, *some.shape[1:]))
        return float(energy_score(flat.reshape(*samples.shape[:2], *flat.shape[1:]), space(some)).mean())

    assert score(crops, noisy) < 0.95 * score(crops, blurry)
    assert score(detail, noisy) > 0.3 and score(detail, blurry) > 0.3


def test_noise_of_a_history_is_the_same_for_every_world(packed, drives):
    seen = []

    class Listening(Recorded):
        def reset(self, starts):
            seen.append((starts.rows, starts.seeds))
            super().reset(starts)

    for _ in range(2):
        ensembles(Listening(packed), drives, {"crops": crops}, histories=10, noises=4, ticks=(1,))
    half = len(seen) // 2
    rows, seeds = (np.concatenate([part[i] for part in seen[:half]]) for i in (0, 1))
    assert len(set(seeds.tolist())) == 40 and set(seeds // SEEDS_EACH) == set(SEEDS)
    assert (rows.reshape(10, 4) == rows.reshape(10, 4)[:, :1]).all() and len(set(rows.tolist())) == 10
    for first, second in zip(seen[:half], seen[half:], strict=True):
        assert np.array_equal(first[0], second[0]) and np.array_equal(first[1], second[1])


def test_a_ratio_of_scores_is_taken_in_pairs(packed, drives):
    ran = [ensembles(altered.Blurred(packed, s), drives, SPACES, 10, 2, (1,)) for s in (1, 1, 2)]
    same, worse = (energies.energy_over(ran[i], ran[0])["crops"]["1"] for i in (1, 2))
    assert same["value"] == 1 and same["spread"] == pytest.approx(0, abs=1e-9)
    assert worse["value"] - worse["spread"] > 1


def test_latents_are_the_worlds_own_where_it_has_them():
    class Codec:
        def encode(self, frames):
            return np.ones((len(frames), 3, 2), np.float32)

    space = Latents(Codec())
    frames = np.zeros((2, 96, 160, 3), np.uint8)
    assert space(frames).tolist() == np.ones((2, 1, 6)).tolist()
    assert space(frames, np.full((2, 3, 2), 5.0)).max() == 5


def test_spread_over_error_is_one_for_the_truth():
    rng = np.random.default_rng(0)

    def found(scale: float) -> dict:
        ran = Ensembles(np.arange(500), 4)
        ran.add("crops", 1, scale * rng.normal(size=(500, 4, 1, 40)), rng.normal(size=(500, 1, 40)))
        return spread_over_error(ran)["crops"]["1"]

    assert found(1)["value"] == pytest.approx(1, abs=0.03)
    assert found(0.3)["value"] < 0.4 and found(2)["value"] > 1.3
    assert found(1)["spread"] < 0.05


# -- what is seen ------------------------------------------------------------------------------------------------


def test_sharpness_falls_with_blur_and_rises_with_speckle(packed):
    frames, runs_of = packed.frames[::50], np.arange(len(packed.frames[::50]))
    value = lambda dreamed: sharpness(dreamed, frames, runs_of)["value"]  # noqa: E731
    assert value(frames) == pytest.approx(1) and sharpness(frames, frames, runs_of)["spread"] < 1e-9
    soft = [value(altered.blurred(frames, sigma)) for sigma in (0.4, 0.8, 1.6)]
    assert 1 > soft[0] > soft[1] > soft[2] and soft[2] < 0.4
    rng = np.random.default_rng(0)
    grain = [value(altered.speckled(frames, levels, rng)) for levels in (3, 6)]
    assert 1.02 < grain[0] < grain[1]
    both = sharpness(altered.speckled(altered.blurred(frames, 1.6), 8, rng), frames, runs_of)
    assert both["octaves"][1] < 0.7 < 1.1 < both["octaves"][2] * 2  # blur and speckle stand apart in the octaves


def test_flow_is_how_far_blocks_went():
    texture = ndimage.gaussian_filter(np.random.default_rng(0).random((64, 80)) * 255, 1.5)
    texture = ((texture - texture.min()) / np.ptp(texture) * 255).astype(np.uint8)
    frame = np.repeat(texture[None, :, :, None], 3, -1)
    for down, across in ((0, 0), (0, 3), (2, -4), (5, 0)):
        found = flow.block_flow(frame, np.roll(frame, (down, across), (1, 2)), 7)[0, 1:-1, 1:-1]
        assert np.median(found) == pytest.approx(np.hypot(down, across), abs=0.1)
    half = (0.5 * frame + 0.5 * np.roll(frame, 1, 2)).astype(np.uint8)
    assert 0.2 < np.median(flow.block_flow(frame, half, 7)) < 0.8
    assert flow.block_flow(frame * 0 + 90, frame * 0 + 90, 7).max() == 0


def test_flow_over_is_one_for_the_recording_and_none_for_a_still(packed, drives):
    first, ticks = drives.first[:3], [20, 35]
    speed = np.stack([packed.telemetry[first + t, 0] for t in ticks], 1)

    def over(frame_at, region: str) -> float:
        real = flow.region_flow(lambda t: packed.frames[first + t], ticks, region)
        return flow.flow_over(flow.region_flow(frame_at, ticks, region), speed, real, speed)["value"]

    for region in flow.REGIONS:
        assert over(lambda t: packed.frames[first + t], region) == pytest.approx(1)
        assert over(lambda t: packed.frames[first + 20], region) == 0
    assert 0.3 < over(lambda t: packed.frames[first + t // 2], "road") < 0.7  # every frame twice
    one = np.ones((3, 2))
    assert flow.flow_over(one, 2 * one, one, one)["value"] == 0.5  # as much flow at twice the speed
    assert flow.flow_over(one, one, 0 * one, one)["value"] is None


def test_a_classifier_tells_speckle_and_not_the_same(packed):
    frames, owners = packed.frames[::14], np.repeat(np.arange(5), 5)
    same = real_or_dream.real_or_dream(frames, frames, owners, steps=3)
    assert same["value"] == pytest.approx(0.5) and same["spread"] < 1e-6
    noisy = altered.speckled(frames, 8, np.random.default_rng(0))
    assert real_or_dream.real_or_dream(frames, noisy, owners, steps=40)["value"] > 0.95
    assert real_or_dream.auc(np.array([1, 2]), np.array([2, 3])) == 0.875
    assert crops_of(frames[:1]).shape == (1, 15, 32, 32, 3)


def test_places_are_one_where_seeds_differ_and_none_where_they_do_not(packed):
    words = np.zeros((len(packed.captions), 1), np.float32)
    labels = packed.labels()
    packed = copy.copy(packed)
    packed.prompts = np.zeros_like(packed.prompts)  # all recordings are of one setting
    same = places.places(lambda caption, seeds: packed.frames[np.full(len(seeds), 40)], packed, words, SEEDS)
    assert same["value"] == 0 and same["n"] == 1
    again = lambda caption, seeds: places.recorded_frames(packed, labels[caption], int(seeds[0]))  # noqa: E731
    assert places.places(again, packed, words, SEEDS)["value"] == pytest.approx(1, abs=0.4)
    assert places.recorded_frames(packed, labels[0] + 9, 1) is None  # nowhere recorded


# -- the car -----------------------------------------------------------------------------------------------------


class ByColour(torch.nn.Module):
    """A perfect detector of the made-up car: marks red patches of about its size."""

    def forward(self, frames):
        maps = []
        for frame in frames.permute(0, 2, 3, 1).numpy():
            red = (frame[..., 0] > 0.6) & (frame[..., 1] < 0.3)
            patches, count = ndimage.label(ndimage.binary_closing(red, iterations=4))
            boxes = []
            for rows, columns in ndimage.find_objects(patches, count):
                height, width = rows.stop - rows.start, columns.stop - columns.start
                if width > 15:
                    middle = (columns.start + columns.stop - 1) / 2, (rows.start + rows.stop - 1) / 2
                    boxes.append(np.array([*middle, width, max(height, 17)], np.float32))
            found = torch.from_numpy(detector.target_maps(boxes, frame.shape))
            found[0] = torch.where(found[0] == 1, 6.0, -6.0)
            maps.append(found[:5])
        return torch.stack(maps)


def test_maps_say_how_many_cars_there_are_and_where(packed):
    shape = packed.frames.shape[1:]
    boxes = [np.array([50.3, 70.6, 26, 17], np.float32), np.array([110, 66, 30, 20], np.float32)]
    for count in range(3):
        maps = torch.from_numpy(detector.target_maps(boxes[:count], shape))[:5]
        maps[0] = torch.logit(maps[0].clamp(0.001, 0.999))
        (found,) = detector.find_cars(lambda frames, maps=maps: maps[None], packed.frames[:1])
        assert len(found) == count
        for car_found, box in zip(found[found[:, 0].argsort()], boxes, strict=False):
            np.testing.assert_allclose(car_found[:4], box, atol=0.01)


def test_the_loss_of_a_detector_falls_where_it_is_right():
    target = torch.from_numpy(detector.target_maps([np.array([80, 70, 30, 20], np.float32)], (96, 160)))[None]
    right = target[:, :5].clone()
    right[:, 0] = torch.logit(target[:, 0].clamp(1e-3, 1 - 1e-3))
    nowhere = right.clone()
    nowhere[:, 0] = -6
    off = right.clone()
    off[:, 3] += 1
    assert detector.detection_loss(right, target)[0] < 0.1 * detector.detection_loss(nowhere, target)[0]
    assert detector.detection_loss(right, target)[1] == 0 < detector.detection_loss(off, target)[1]


def test_brushes_take_the_car_out_and_put_another_in(packed):
    frame, box = packed.frames[30], packed.boxes[30]
    left, top, right, bottom = paint.edges(box, frame.shape)
    empty = paint.paint_out(frame, box)
    assert (frame[top:bottom, left:right, 0] > 150).mean() > 0.3
    assert not (empty[top:bottom, left:right, 0] > 150).any()
    assert np.array_equal(empty[:30], frame[:30])
    two, place = paint.paste(frame, frame, box, 130, 70)
    assert abs(place[0] - 130) <= 0.5 and place[2] == box[2] and two[66:74, 125:135, 0].max() > 150
    smeared = paint.smear(frame, box, 6)
    assert smeared[top:bottom, left:right].std() < 0.7 * frame[top:bottom, left:right].std()
    rng = np.random.default_rng(0)
    counts = [len(detector.example(frame, box, rng)[1]) for _ in range(60)]
    assert set(counts) == {0, 1, 2}


def test_the_instruments_say_where_the_car_is(packed):
    rows = detector.rows_with_box(packed)
    network = detector.fit_boxes(packed, rows, 300)
    off = detector.expected_boxes(network, packed.telemetry) - packed.boxes
    assert np.percentile(np.abs(off[:, :2]), 95) < 1
    packed_without = type("Packed", (), {"boxes": 0 * packed.boxes, "frames": packed.frames, "folder": "here"})
    with pytest.raises(UserError, match="no boxes of the car"):
        detector.rows_with_box(packed_without)


def test_the_car_is_where_it_is_said_or_it_does_not_count(packed, drives):
    network = detector.fit_boxes(packed, detector.rows_with_box(packed), 300)

    def share(world) -> float:
        ran = runs.driven(world, drives, "cruise", car.ticks_of(40))
        return car.car(ran, ByColour(), network, 40)["value"]

    assert share(Recorded(packed)) > 0.95
    assert share(altered.WithoutCar(packed)) == 0
    assert share(altered.SecondCar(packed)) < 0.2
    shifted = packed.telemetry[:20].copy()
    shifted[:, list(TELEMETRY).index("offset")] += 2  # the instruments say 10 pixels farther right
    assert car.car_as_said(ByColour(), network, packed.frames[:20], packed.telemetry[:20]).mean() > 0.95
    assert car.car_as_said(ByColour(), network, packed.frames[:20], shifted).mean() < 0.1


def test_a_detector_is_trained_and_loaded(data, tmp_path):
    moving_road.write(tmp_path, "train", range(2), 24)
    moving_road.write(tmp_path, "validation", SEEDS[:1], 24)
    common = {"data": str(tmp_path), "runs": str(tmp_path), "widths": [8, 8, 16], "max_minutes": 0.0}
    detector.run(detector.Config(max_steps=2, batch=2, box_steps=5, validation_frames=4, **common))
    found, network = detector.load_detector(tmp_path / "probes")
    assert found(torch.zeros(1, 3, 96, 160)).shape == (1, 5, 24, 40)
    assert detector.expected_boxes(network, np.zeros((2, len(TELEMETRY)))).shape == (2, 4)
    with pytest.raises(UserError, match="no checkpoint"):
        detector.load_detector(tmp_path / "nowhere")


# -- policies ----------------------------------------------------------------------------------------------------


class Road:
    """The lateral half of src/scene/drive/physics.ts on a road whose bends are sines, for B cars."""

    def __init__(self, count: int):
        self.v, self.d = np.full(count, 15.0), np.linspace(-3, 3, count)
        self.psi, self.wheel, self.s = np.zeros(count), np.zeros(count), np.linspace(0, 900, count)

    def curvature(self, ahead=0.0):
        return 0.006 * np.sin((self.s + ahead) / 60)

    def telemetry(self) -> np.ndarray:
        read = {name: np.zeros(len(self.v)) for name in TELEMETRY}
        read |= {"speed": self.v, "wheel": self.wheel, "offset": self.d, "heading": self.psi}
        read |= {"curvature": self.curvature(), "bendNear": self.curvature(30)}
        return np.stack([read[name] for name in TELEMETRY], 1).astype(np.float32)

    def step(self, actions: np.ndarray) -> None:
        steer, throttle = actions.T
        drive = np.where(throttle > 0, 9.5 * (1 - self.v / 30), np.where(throttle < 0, -15, -1.6))
        self.v = np.clip(self.v + drive / 20, 0, 30)
        self.wheel += (steer - self.wheel) * 0.3
        grip, kappa = self.v / (self.v + 4), self.curvature()
        bank = np.maximum(0, np.abs(self.d) - 5) * np.sign(self.d)
        goal = self.wheel * 0.32 * grip - kappa * self.v**2 * 0.01 - bank * 0.16 * grip
        self.psi += (goal - self.psi) * 0.22
        self.d = np.clip(self.d + self.v * np.sin(self.psi) / 20, -7.5, 7.5)
        self.s += self.v * np.cos(self.psi) / 20


def drive(name: str, count: int = 8, ticks: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    road, policy = Road(count), policies.make(name, np.arange(count) + 1_100_000)
    actions, offsets, speeds = [], [], []
    for _ in range(ticks):
        keys = policy.act(road.telemetry())
        road.step(keys)
        actions.append(keys)
        offsets.append(road.d.copy())
        speeds.append(road.v.copy())
    return np.stack(actions), np.stack(offsets), np.stack(speeds)


def test_cruise_keeps_the_middle_and_careful_the_road():
    actions, offsets, speeds = drive("cruise")
    assert np.abs(offsets[100:]).max() < 1.5 and 19 < speeds[100:].mean() < 27
    actions, late, _ = drive("careful")
    assert (np.abs(late) <= car.ROAD).mean() > 0.98
    assert np.abs(late[100:]).std() > np.abs(offsets[100:]).std()  # but less steadily than who is never late
    assert set(np.unique(actions)) <= {-1, 0, 1}


def test_careful_sees_what_was_250_ms_ago():
    seeds = np.arange(40)
    policy = policies.make("careful", seeds)
    left = dict.fromkeys(TELEMETRY, 0.0) | {"speed": 24.0, "offset": 4.0}
    right = left | {"offset": -4.0}
    far_right, far_left = (np.array([[read[n] for n in TELEMETRY]] * 40, np.float32) for read in (left, right))
    for _ in range(20):
        before = policy.act(far_right)[:, 0]
    after = [policy.act(far_left)[:, 0] for _ in range(20)]
    assert (before == -1).mean() > 0.8  # back to the middle
    for tick in range(5):
        assert (after[tick] == 1).mean() < 0.15
    assert (after[12] == 1).mean() > 0.8


def test_mash_holds_keys_for_5_to_25_ticks_mostly_on_the_throttle():
    actions, _, _ = drive("mash", 6, 600)
    assert (actions[..., 1] == 1).mean() > 0.65 and {-1, 0, 1} == set(np.unique(actions[..., 0]))
    assert 0.25 < (actions[..., 0] == 0).mean() < 0.42
    for run in range(6):
        keys = actions[:, run]
        changes = np.flatnonzero((np.diff(keys, axis=0) != 0).any(1)) + 1
        assert np.diff(changes).min() >= 5
    assert np.array_equal(actions, drive("mash", 6, 600)[0])
    assert not np.array_equal(actions[:, 0], actions[:, 1])
    with pytest.raises(UserError, match="no policy fly"):
        policies.make("fly", [1])


def test_stop_brakes_for_six_seconds_and_drives_on():
    actions, offsets, speeds = drive("stop", 16, 600)
    braking = actions[..., 1] == -1
    for run in range(16):
        changes = np.flatnonzero(np.diff(speeds[:, run] == 0)) + 1
        assert 5 <= len(changes) <= 8 and 80 < np.diff(changes).max() <= 120
        assert speeds[:, run].max() > 15
    assert 0.6 < braking.mean() < 0.73 and np.abs(offsets).max() < 5
    assert len({tuple(braking[:, run]) for run in range(16)}) > 12  # each begins at a tick of its own
    assert np.array_equal(actions, drive("stop", 16, 600)[0])


class Driveable:
    """A world that is the road above; its frames say the words and the tick."""

    dreams, kind = True, "road"

    def reset(self, starts):
        self.road, self.tick, self.heard = Road(len(starts)), 0, [starts.prompt[:, 0].copy()]

    def set_prompt(self, words):
        self.heard.append(words[:, 0].copy())

    def step(self, actions):
        self.road.step(actions)
        self.tick += 1

    def frames(self):
        return np.full((len(self.road.v), 2, 2, 3), self.tick % 256, np.uint8)

    def telemetry(self):
        return self.road.telemetry()


def test_a_run_is_driven_by_the_worlds_own_instruments_while_words_change(packed):
    words = np.arange(len(packed.captions), dtype=np.float32)[:, None]
    drives = Drives(packed, SEEDS, words, batch=3)
    world = Driveable()
    ran = runs.driven(world, drives, "cruise", [100, 400])
    assert ran.telemetry.shape == (5, 401, len(TELEMETRY)) and ran.frames[400].max() == 400 % 256
    assert np.abs(ran.read("offset")[:, 100:]).max() < 1.5 and car.on_road(ran)["value"] == 1
    changes = (np.diff(ran.captions, axis=1) != 0).sum(1)
    assert 1 <= changes.mean() <= 5 and len(world.heard) > 1
    assert np.array_equal(ran.captions, runs.driven(Driveable(), drives, "cruise", [400]).captions)
    recorded = runs.driven(Recorded(packed), drives, "mash", [10, 400])
    assert list(recorded.frames) == [10] and np.array_equal(recorded.frames[10], packed.frames[drives.first + 10])
    assert recorded.telemetry.shape[1] == 55  # the recording is over


def test_instruments_are_read_from_the_last_tokens():
    values = np.random.default_rng(0).normal(size=(3, len(TELEMETRY))).astype(np.float32)
    for channels in (4, 12, 48):
        token = telemetry_token(values, channels)
        latents = np.concatenate([np.ones((3, 6, channels), np.float32), token], 1)
        np.testing.assert_allclose(read_telemetry(latents), values, atol=1e-5)


# -- the commands ------------------------------------------------------------------------------------------------


def test_evaluate_gives_the_metrics_that_are_asked_for(data, tmp_path):
    names = ["energy", "sharpness", "nextTickPsnr", "flow", "spreadOverError", "car"]
    config = evaluate.Config(
        data=str(data), runs=str(tmp_path), probes=str(tmp_path), codec=str(tmp_path / "none.pt"), split="validation",
        a="recorded", metrics=names, ticks=50, histories=6, noises=2, policies=["mash"],
    )  # fmt: skip
    evaluate.run(config)
    result = json.loads((tmp_path / "evaluate/evaluation.json").read_text())
    assert result["split"] == "validation" and result["seeds"] == "1100000-1100004"
    table = result["worlds"]["recorded"]
    assert set(names) < set(table) and "frechetRatio" not in table
    assert table["nextTickPsnr"] == {"value": 60, "spread": 0, "n": 20, "drives": 5}
    assert table["sharpness"]["20"]["value"] == pytest.approx(1) and table["sharpness"]["400"]["value"] is None
    assert table["flow"]["road"]["value"] == pytest.approx(1) and table["energy"]["crops"]["20"]["value"] == 0
    config.metrics = ["scent"]
    with pytest.raises(UserError, match="no metric scent"):
        evaluate.run(config)
    config.metrics = ["promptFollowing"]
    with pytest.raises(UserError, match="checkpoint"):
        config.captions = str(data / "validation/packed/index.json")
        evaluate.run(config)


def known() -> dict[str, dict[str, float]]:
    """What the metrics should say of the worlds of check.py."""
    rows = {
        "recorded": {"energy crops": 0.0, "sharpness": 1.0, "real or dream": 0.5, "flow road": 1, "flow horizon": 1,
                     "car": 0.99, "next tick dB": 60.0},
        "frozen": {"energy crops": 9.0, "flow road": 0.0, "flow horizon": 0.0},
        "half as fast": {"flow road": 0.5, "flow horizon": 0.5},
        "car painted out": {"car": 0.0},
        "second car": {"car": 0.0},
    }  # fmt: skip
    for i, sigma in enumerate(("0.5", "1", "2"), 1):
        rows[f"blurred by {sigma}"] = {"energy crops": i, "sharpness": 1 - i / 4, "real or dream": 0.8 + i / 20,
                                       "car": 0.95, "next tick dB": 40 - i}  # fmt: skip
    for i, levels in enumerate(("4", "8"), 1):
        rows[f"speckled by {levels}"] = {"energy crops": i, "sharpness": 1 + i / 4, "real or dream": 0.9}
    return rows


@pytest.mark.parametrize(
    ("world", "column", "value"),
    [
        ("recorded", "sharpness", 0.9), ("recorded", "car", 0.5), ("recorded", "flow road", 0.7),
        ("frozen", "flow road", 0.4), ("car painted out", "car", 0.6), ("second car", "car", 0.9),
        ("blurred by 1", "sharpness", 0.8), ("blurred by 2", "energy crops", 0.5), ("frozen", "energy crops", 0.0),
        ("speckled by 8", "sharpness", 1.1), ("speckled by 4", "real or dream", 0.5),
        ("blurred by 2", "next tick dB", 45.0), ("half as fast", "flow horizon", 1.0),
    ],
)  # fmt: skip
def test_a_metric_that_misses_a_known_answer_is_named(world, column, value):
    assert check.failures(known()) == []
    rows = known()
    rows[world][column] = value
    (sentence,) = check.failures(rows)
    assert column in sentence


def test_the_check_runs_on_recordings(data, tmp_path, capsys, monkeypatch):
    config = check.Config(
        data=str(data), probes=str(tmp_path), codec="", metrics=["energy", "nextTickPsnr"], histories=5, ticks=50
    )
    check.run(config)
    printed = capsys.readouterr().out
    assert "| frozen |" in printed and "all known answers hold" in printed
    monkeypatch.setattr(altered, "blurred", lambda frames, sigma: frames)
    with pytest.raises(UserError, match="known answers do not hold"):
        check.run(config)
