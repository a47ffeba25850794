"""Evaluation on made-up episodes: the same questions to every world, and a table with the agreed keys."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from distill.checkpoints import load_checkpoint, write_checkpoint
from distill.config import TrainConfig, UserError
from distill.data import latents
from distill.data import prompt_encoder as prompt
from distill.data.packed import Packed
from distill.data.prepare import prepare_split
from distill.evaluation import compare, evaluate, probes, timing, worlds
from distill.evaluation.metrics import comparison
from distill.evaluation.probes import heads_of, load_probe
from distill.evaluation.runs import captions_ahead, free_run, long_actions, parse_seeds, starts_at
from distill.export import world as export
from distill.methods import codec_f16
from distill.models.dit import DiT
from distill.models.prompt_classifier import (
    LABEL_CHOICES,
    PromptClassifier,
    PromptClassifierConfig,
    save_prompt_classifier,
)
from distill.models.student import Student, StudentConfig
from distill.tests import synthetic
from distill.tests.tiny import tiny_config
from distill.training.run import Ema, Run
from distill.world import BIOMES, TIMES, WEATHERS

SEEDS = [1_000_000, 1_000_001, 1_000_002]


def save(runs, name, kind, shape, model) -> None:
    run = Run(TrainConfig(name=name, runs=str(runs)), kind, shape)
    run.track(model=model, ema=Ema(model, 0.9))
    run._clock = 0.0
    run.save()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Episodes, a codec, probes, a teacher and a student, all barely trained; the student exported."""
    data = tmp_path_factory.mktemp("data")
    synthetic.write(data, "train", range(1, 7), ticks=40)
    synthetic.write(data, "heldout", SEEDS, ticks=100, change=70)
    synthetic.write(data, "validation", [1_100_000], ticks=40)
    prepare_split(data / "train", "train")
    prepare_split(data / "validation", "validation")
    prepare_split(data / "heldout", "heldout")
    runs = data / "runs"
    common = {"data": str(data), "runs": str(runs)}
    small = {
        "channels": 12,
        "decoder_widths": [8, 8, 8],
        "decoder_blocks": [1, 1, 1],
        "batch": 4,
    }
    codec_f16.run(codec_f16.Config(max_steps=1, pca_frames=60, validation_frames=4, **small, **common))
    probes.run(probes.Config(max_steps=10, batch=8, widths=[8, 16, 16, 16], validation_frames=20, **common))
    torch.manual_seed(0)
    shape = tiny_config(tokens=62, columns=10, channels=12, prompt_dim=LABEL_CHOICES)
    dit = DiT(shape)
    dit.delta_std.fill_(0.3)
    save(runs, "teacher", "teacher", asdict(shape), dit)
    student, plan = Student(dit, StudentConfig()), asdict(StudentConfig())
    save(runs, "dmd", "student", asdict(shape) | {f"student_{k}": v for k, v in plan.items()}, student)
    codec = str(runs / "codec" / "codec.pt")
    latents.run(latents.Config(codec=codec, flip=False, paraphrases="", **common))
    out, classifier = str(data / "assets"), str(runs / "classifier.safetensors")
    save_prompt_classifier(PromptClassifier(PromptClassifierConfig(hidden=4, members=2)), classifier)
    export.run(
        export.Config(
            prompt_classifier=classifier,
            student=str(runs / "dmd/student.pt"),
            codec=codec,
            out=out,
            half_weights=False,
            **common,
        )
    )
    return data


def one_direction(texts: list[str], **_) -> np.ndarray:
    return np.full((len(texts), 384), 384**-0.5, np.float32)


def config(made, **changes) -> evaluate.Config:
    runs = made / "runs"
    values = {
        "data": made, "runs": runs, "assets": made / "assets", "codec": runs / "codec/codec.pt",
        "teacher": runs / "teacher/teacher.pt", "probes": runs / "probes",
        "prompt_classifier": runs / "classifier.safetensors",
    }  # fmt: skip
    fixed = {"seeds": "1000000-1000002", "ticks": 60, "batch": 3, "teacher_steps": 2}
    fixed |= {"histories": 3, "noises": 2, "policies": ["mash"], "classifier_steps": 2}
    return evaluate.Config(**{k: str(v) for k, v in values.items()} | fixed | changes)


def setting_of(made, ticks=90) -> comparison.Setting:
    held = Packed(made, "heldout")
    found = {kind: load_probe(made / "runs/probes", kind) for kind in ("features", "prompt", "inverse")}
    words = np.zeros((len(held.captions), LABEL_CHOICES), np.float32)
    return comparison.Setting(held, Packed(made, "train"), words, SEEDS, found, ticks, 2)


def test_starts_have_their_history_newest_first(made):
    held = Packed(made, "heldout")
    start = starts_at(held, np.array([30]), np.zeros((1, 384)), [5])
    assert np.array_equal(start.history[0, 0], held.frames[30])
    assert np.array_equal(start.history[0, 15], held.frames[15])
    assert np.array_equal(start.past_actions[0, 0], held.actions[29])
    with pytest.raises(UserError, match="16 recorded frames"):
        starts_at(held, np.array([3]), np.zeros((1, 384)), [5])


def test_long_actions_follow_the_recording_and_then_the_seed(made):
    held = Packed(made, "heldout")
    actions = long_actions(held, 15, 7, 500)
    assert actions.shape == (500, 2) and np.array_equal(actions[:84], held.actions[15:99])
    assert np.array_equal(actions, long_actions(held, 15, 7, 500))
    assert not np.array_equal(actions[84:], long_actions(held, 15, 8, 500)[84:])
    captions = captions_ahead(held, 15, 500)
    assert captions[54] == held.prompts[69] != captions[55] == captions[499]


def test_seeds_are_parsed_or_refused():
    assert parse_seeds("3-5") == [3, 4, 5] and parse_seeds("9") == [9]
    for text in ("5-3", "a-b", ""):
        with pytest.raises(UserError, match="seeds must look like"):
            parse_seeds(text)


def test_the_recording_replays_itself_in_batches(made):
    setting = setting_of(made)
    world = worlds.Recorded(setting.held)
    args = (setting.starts, setting.actions, setting.captions, setting.conditioning)
    frames = free_run(world, *args, [0, 7, 20], batch=2)
    for tick, found in frames.items():
        assert np.array_equal(found, setting.frames_at(tick))
    run = comparison.long_run(setting, world)
    assert comparison.rollout_psnr(setting, run, 20)["value"] == 60
    assert comparison.FrechetRatio(setting)(run, 20)["value"] == pytest.approx(1)
    assert comparison.action_following(setting, run, comparison.ACTION_TICKS)["value"] == pytest.approx(1)
    assert comparison.rollout_psnr(setting, run, 60)["n"] == 3


class Noise(worlds.Recorded):
    dreams = True

    def frames(self):
        return np.random.default_rng(self.tick).integers(0, 255, super().frames().shape).astype(np.uint8)


def test_noise_is_far_from_real(made):
    setting = setting_of(made, ticks=84)
    run = comparison.long_run(setting, Noise(setting.held))
    ratio = comparison.FrechetRatio(setting)(run, 20)
    assert ratio["value"] > 2 and ratio["n"] == 3 * 11
    assert comparison.rollout_psnr(setting, run, 20)["value"] < 12


def test_a_world_that_ignores_its_noise_has_no_diversity(made):
    setting, options = setting_of(made), config(made)
    assert comparison.noise_spread(setting, worlds.Recorded(setting.held)).max() == 0
    assert comparison.noise_spread(setting, Noise(setting.held)).min() > 20
    world = worlds.open_world(f"student:{made}/runs/dmd/student.pt", options, setting.held)
    spread = comparison.noise_spread(setting, world, histories=3)
    assert spread.shape == (3,) and spread.min() > 0.1
    noise = world.rollout.noise
    world.rollout.noise = lambda tick: noise(tick)[:1].expand(len(world.rollout.seeds), -1, -1, -1)
    assert comparison.noise_spread(setting, world, histories=3, noises=2).max() < 0.01 * spread.min()


def test_the_dream_on_onnx_runtime_equals_the_student_in_pytorch(made):
    setting, options = setting_of(made), config(made)
    args = (setting.starts, setting.actions, setting.captions, setting.conditioning)
    student = worlds.open_world(f"student:{made}/runs/dmd/student.pt", options, setting.held)
    dream = worlds.open_world("dream", options, setting.held)
    a, b = (free_run(world, *args, [0, 1, 12], batch=2) for world in (student, dream))
    for tick in a:
        assert np.abs(a[tick].astype(int) - b[tick].astype(int)).max() <= 2
    texts = ["a snowy night", "fog, or rain over the meadows"]
    np.testing.assert_allclose(dream.embed_prompt(texts), student.embed_prompt(texts), atol=1e-5)
    assert dream.embed_prompt(texts).shape == (2, LABEL_CHOICES)
    assert worlds.counted_nfe(dream) == worlds.counted_nfe(student) == pytest.approx(1.25, abs=0.26)
    assert worlds.counted_gflop(dream) == pytest.approx(worlds.counted_gflop(student), rel=0.05)


def test_the_table_has_the_agreed_keys(made, monkeypatch):
    monkeypatch.setattr(prompt, "embed", one_direction)
    texts = {"train": ["one", "two"], "unseen": ["three"]}
    bank = [
        {"biome": biome, "time": time, "weather": weather} | texts
        for biome in BIOMES for time in TIMES for weather in WEATHERS
    ]  # fmt: skip
    (made / "captions.json").write_text(json.dumps(bank))
    path = made / "out" / "table.json"
    evaluate.run(config(made, a="teacher", b="dream", json=str(path), captions=str(made / "captions.json")))
    written = json.loads(path.read_text())
    assert written["seeds"] == "1000000-1000002" and set(written["worlds"]) == {"teacher", "dream"}
    for table in written["worlds"].values():
        assert {"backend", "modelHash"} < set(table)
        for key in ("codecPsnr", "nextTickPsnr", "actionFollowing", "diversity", "nfe", "gflopPerTick", "msPerTick"):
            assert set(table[key]) >= {"value", "spread", "n"} and table[key]["value"] > 0, key
        assert set(table["rolloutPsnr"]) == {"5", "20", "60"}
        assert set(table["frechetRatio"]) == {"20", "100", "400", "1000", "10000"}
        assert table["frechetRatio"]["20"]["value"] > 0 and table["frechetRatio"]["1000"]["n"] == 0
        for part in ("start", "midDrive"):
            assert {key: metric["n"] for key, metric in table["promptFollowing"][part].items()} == {
                "trained": 3,
                "unseen": 3,
            }
    assert written["worlds"]["teacher"]["nfe"]["value"] == 2
    assert written["worlds"]["teacher"]["diversity"]["value"] == pytest.approx(1)
    assert path.with_suffix(".webp").stat().st_size > 1000


def test_what_is_missing_is_said(made, tmp_path):
    held = Packed(made, "heldout")
    with pytest.raises(UserError, match="there is no world fog"):
        worlds.open_world("fog", config(made), held)
    with pytest.raises(UserError, match="no world in"):
        worlds.open_world("dream", config(made, assets=str(tmp_path)), held)
    with pytest.raises(UserError, match="no world in"):
        worlds.open_world(f"dream:{tmp_path}", config(made), held)
    there = config(made).assets
    assert worlds.open_world(f"dream:{there}", config(made, assets=str(tmp_path)), held).kind == "dream"
    with pytest.raises(UserError, match="no episode of seed 1000009"):
        evaluate.run(config(made, a="recorded", seeds="1000009"))
    every = [episode["seed"] for episode in held.episodes]
    alone = config(made, a="recorded", seeds=f"{min(every)}-{max(every)}", ticks=30)
    shutil.move(made / "train", made / "elsewhere")
    try:
        with pytest.raises(UserError, match=f"all {len(every)} held-out drives.*at least {len(every)} more"):
            evaluate.run(alone)
    finally:
        shutil.move(made / "elsewhere", made / "train")
    with pytest.raises(UserError, match="there is no probe scent"):
        heads_of("scent")


def test_a_table_has_no_digits_of_rounding():
    metrics = {"a": {"value": 1.85e-17, "spread": 3.7e-17}, "b": {"value": -0.123456, "spread": 0.0456}}
    rows = {"row": {"figures": metrics | {"c": {"value": None, "spread": 0.0}}, "training": {"samples": 20448}}}
    assert compare.markdown(rows, sign="+").splitlines()[2] == "| row | +0 | -0.123 ± 0.046 |  | 20.4 |"


def test_a_comparison_takes_its_spread_over_blocks_and_keeps_what_it_has(made, tmp_path, monkeypatch):
    values = vars(config(made)) | {"name": "compare", "ticks": 20, "out": str(tmp_path)}
    blocks = ["1000000-1000001", "1000001-1000002"]
    plan = compare.Config(
        **values, rows={"teacher, 1 step": "teacher-1step", "two": "teacher-2step"}, blocks=blocks, reference="two"
    )
    spread_of, original = [], comparison.noise_spread
    monkeypatch.setattr(comparison, "noise_spread", lambda s, world: spread_of.append(world.kind) or original(s, world))
    compare.run(plan)
    assert spread_of.count("teacher") == len(blocks) and len(spread_of) == 3 * len(blocks)  # the teacher's once a block
    result = json.loads((tmp_path / "compare.json").read_text())
    metrics = result["rows"]["two"]["figures"]
    assert list(metrics) == list(compare.COLUMNS)
    assert metrics["NFE"] == {"value": 2.0, "spread": 0.0, "n": 2}
    parts = [json.loads((tmp_path / f"two/{block}.json").read_text())["worlds"]["teacher-2step"] for block in blocks]
    values = [part["nextTickPsnr"]["value"] for part in parts]
    assert metrics["next tick dB"]["value"] == pytest.approx(np.mean(values))
    assert metrics["next tick dB"]["spread"] == pytest.approx(np.std(values, ddof=1))
    assert "| two |" in (tmp_path / "compare.md").read_text() and (tmp_path / "compare.png").stat().st_size > 1000
    assert result["rows"]["two"]["training"]["samples"] == 0
    others = [
        json.loads((tmp_path / f"teacher--1-step/{b}.json").read_text())["worlds"]["teacher-1step"] for b in blocks
    ]
    apart = [a["nextTickPsnr"]["value"] - b["nextTickPsnr"]["value"] for a, b in zip(others, parts, strict=True)]
    less = result["rows"]["teacher, 1 step"]["differences"]["next tick dB"]
    assert less["value"] == pytest.approx(np.mean(apart)) and less["n"] == 2
    assert less["spread"] == pytest.approx(np.std(apart, ddof=1) / 2**0.5 * 12.706, rel=1e-4)  # Student's t of two
    assert "differences" not in result["rows"]["two"] and "Less two" in (tmp_path / "compare.md").read_text()
    compare.run(replace(plan, series={"Euler": ["teacher, 1 step"]}))
    with pytest.raises(UserError, match="series names three, which is none of the rows"):
        compare.run(replace(plan, series={"Euler": ["three"]}))
    with pytest.raises(UserError, match="reference three is none of the rows"):
        compare.run(replace(plan, reference="three"))
    monkeypatch.setattr(evaluate, "evaluate", lambda *_: pytest.fail("it was evaluated again"))
    before = {title: row["figures"]["ms"]["value"] for title, row in result["rows"].items()}
    timing.run(timing.Config(**vars(plan) | {"name": "timing", "rounds": 2, "round_ticks": 2}))
    timed = json.loads((tmp_path / "timing.json").read_text())
    timed["rows"]["two"]["modelHash"] = "of other weights"
    (tmp_path / "timing.json").write_text(json.dumps(timed))
    compare.run(plan)
    now = json.loads((tmp_path / "compare.json").read_text())["rows"]
    assert now["teacher, 1 step"]["figures"]["ms"] == timed["rows"]["teacher, 1 step"] and before["two"] > 0
    assert now["two"]["figures"]["ms"]["value"] == before["two"]
    compare.run(replace(plan, columns={"at 1,000": "drift 1000 frechetRatio", "a tick": "nfe"}))
    metrics = json.loads((tmp_path / "compare.json").read_text())["rows"]["two"]["figures"]
    assert metrics["at 1,000"]["value"] is None and metrics["a tick"]["value"] == 2
    with pytest.raises(UserError, match="no metric scent"):
        compare.run(replace(plan, columns={"scent": "scent"}))
    with pytest.raises(pytest.fail.Exception, match="evaluated again"):
        compare.run(replace(plan, level=0.5))
    compare.run(replace(plan, guidance=2.0))  # neither row is guided
    with pytest.raises(pytest.fail.Exception, match="evaluated again"):
        compare.run(replace(plan, rows=plan.rows | {"guided": "teacher-1step-guided"}))
    other = tmp_path / "captions.json"
    other.write_text(Path(plan.captions).read_text() + "\n")
    with pytest.raises(pytest.fail.Exception, match="evaluated again"):
        compare.run(replace(plan, captions=str(other)))

    # A student that was cut off in its training is left out.
    whole = Path(made / "runs/dmd/student.pt")
    cut = tmp_path / "student.pt"
    write_checkpoint(load_checkpoint(whole, "student") | {"minutes": 1.0, "config": {"max_minutes": 9}}, cut)
    compare.run(replace(plan, rows=plan.rows | {"cut": f"student:{cut}"}))
    assert "cut" not in json.loads((tmp_path / "compare.json").read_text())["rows"]

    # A student whose checkpoint is not here is left out, unless it was evaluated when it was.
    gone = f"student:{tmp_path}/gone.pt"
    compare.run(replace(plan, rows=plan.rows | {"gone": gone}))
    assert "gone" not in json.loads((tmp_path / "compare.json").read_text())["rows"]
    for block in blocks:
        kept = json.loads((tmp_path / f"two/{block}.json").read_text())
        (tmp_path / "gone").mkdir(exist_ok=True)
        (tmp_path / f"gone/{block}.json").write_text(
            json.dumps(kept | {name: {gone: kept[name]["teacher-2step"]} for name in ("worlds", "decidedBy")})
        )
    compare.run(replace(plan, rows=plan.rows | {"gone": gone}))
    rows = json.loads((tmp_path / "compare.json").read_text())["rows"]
    assert rows["gone"]["figures"] == rows["two"]["figures"]
    with pytest.raises(UserError, match="no rows"):
        compare.run(compare.Config())
    with pytest.raises(UserError, match="two blocks"):
        compare.run(compare.Config(rows={"a": "teacher"}, blocks=["1000000-1000001"]))
