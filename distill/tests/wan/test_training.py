"""Both stages on the real classes at a tiny size: on one process and two, DDP and FSDP2, resumed on another number."""

from __future__ import annotations

import resource
import shutil
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from distill.config import UserError, load_config
from distill.tests.wan.ranks import metrics, on_ranks, train
from distill.tests.wan.tiny import overrides, write_clips, write_weights
from distill.wan import dmd, kd, tmd
from distill.wan.run import WanRun, latest, load_model, read_state
from distill.wan.sample import Config as SampleConfig
from distill.wan.sample import load_student
from distill.wan.weights import Published

STAGE2 = {"layers": "[1,3]", "discriminator_width": 16, "discriminator_hidden": 16, "student_every": 2, "max_steps": 2}


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """weights/, data/ and runs/wan-tmd after one step of stage 1."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("wan")
    write_weights(folder / "weights")
    write_clips(folder / "data")
    train(tmd, config(tmd, folder), folder / "wan-tmd.jsonl")
    return folder


def config(stage, folder: Path, **changes):
    changes = (STAGE2 | {"student": folder / "runs/wan-tmd"} if stage is dmd else {}) | changes
    return load_config(stage.Config, None, overrides(folder, **changes))


def run(world: Path, stage, ranks: int, name: str, **changes) -> list[dict]:
    """The metrics of a run's steps on so many ranks."""
    record = world / f"{name}.jsonl"
    chosen = config(stage, world, name=name, **changes)
    if ranks == 1:
        train(stage, chosen, record)
    else:
        assert on_ranks(ranks, world / f"{name}-ranks", train, stage, chosen, record) == [""] * ranks
    return metrics(record)


def assert_same(ours: list[dict], theirs: list[dict]) -> None:
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine == pytest.approx(other, rel=2e-3, abs=1e-5)


def test_stage_1_is_the_same_on_two_ranks(world):
    alone = run(world, tmd, 1, "one", max_steps=2)
    assert_same(run(world, tmd, 2, "ddp", max_steps=2), alone)
    assert alone[0]["gradient_norm"] > 0


def test_stage_1_is_the_same_sharded(world, capfd):
    assert_same(run(world, tmd, 2, "fsdp", max_steps=1, strategy="fsdp"), metrics(world / "wan-tmd.jsonl"))
    assert capfd.readouterr().err.count("|h0 - m| / |m| = ") == 1


def test_stage_2_is_the_same_on_two_ranks(world):
    alone = run(world, dmd, 1, "dmd-one")
    assert {"vsd", "generator"} <= alone[0].keys() and {"fake_score", "discriminator"} <= alone[1].keys()
    assert_same(run(world, dmd, 2, "dmd-ddp"), alone)


def test_stage_2_is_the_same_sharded(world):
    """Three steps: student, critics, student; each side is forwarded without a gradient in the other's."""
    alone = run(world, dmd, 1, "dmd-three", max_steps=3, batch=2)
    assert_same(run(world, dmd, 2, "dmd-fsdp", max_steps=3, batch=2, strategy="fsdp"), alone)


def test_a_run_goes_on_with_another_number_of_ranks(world):
    whole = run(world, tmd, 1, "whole", max_steps=2)
    first = run(world, tmd, 2, "moved", max_steps=1, strategy="fsdp")
    both = run(world, tmd, 1, "moved", max_steps=2, resume="true")  # its file goes on after the first step
    assert_same(both, whole)
    assert both[:1] == first
    state = read_state(latest(world / "runs/moved"), "wan-student")
    assert (state["step"], state["samples"]) == (2, 8)


def test_the_exact_derivative_goes_with_recomputed_blocks_and_with_shards(world):
    alone = run(world, tmd, 1, "jvp", derivative="jvp")
    assert alone[0]["loss"] != metrics(world / "wan-tmd.jsonl")[0]["loss"]
    assert_same(run(world, tmd, 2, "jvp-fsdp", derivative="jvp", strategy="fsdp"), alone)


def test_dmd2_v_trains_a_student_without_a_head(world):
    steps = run(world, dmd, 1, "dmd2-v", student="none", max_steps=1)
    assert steps[0]["vsd"] > 0


def test_the_warm_up_learns_the_teachers_pairs_and_dmd2_v_goes_on_from_it(world):
    alone = run(world, kd, 1, "kd", max_steps=8, learning_rate=3e-3, batch=6)  # all clips in each step
    assert alone[-1]["loss"] < 0.9 * alone[0]["loss"]
    assert_same(run(world, kd, 2, "kd-ddp", max_steps=1, learning_rate=3e-3, batch=6), alone[:1])
    assert_same(run(world, kd, 2, "kd-fsdp", max_steps=1, learning_rate=3e-3, batch=6, strategy="fsdp"), alone[:1])
    steps = run(world, dmd, 1, "dmd2-v-kd", student=world / "runs/kd", max_steps=1)
    assert steps[0]["vsd"] > 0


def test_both_stages_run_in_bfloat16_and_without_a_discriminator(world):
    exact = metrics(world / "wan-tmd.jsonl")[0]
    half = run(world, tmd, 1, "half", dtype="bfloat16")[0]
    assert half["loss"] != exact["loss"] and half["loss"] == pytest.approx(exact["loss"], rel=0.02)
    steps = run(world, dmd, 2, "half-dmd", dtype="bfloat16", gan=0.0)
    assert steps[0]["loss"] == steps[0]["vsd"] > 0 and steps[1]["gradient_norm"] > 0


def test_micro_batches_do_not_change_stage_1s_share_of_derivatives(world):
    engine = tmd.Engine(config(tmd, world, batch=64, micro_batch=1), torch.device("cpu"), 0, 32)
    rows = [engine.equal_rows(0.75, number) for number in range(64)]
    assert sum(equal for equal, _ in rows) == 48
    for turn in range(2):  # all ranks of a round take the derivative, or none does
        assert len({plain for _, plain in rows[32 * turn : 32 * turn + 32]}) == 1


def test_minutes_end_a_run_with_a_checkpoint(world):
    assert len(run(world, tmd, 1, "minutes", max_steps=9, max_minutes=1e-6)) == 1
    assert latest(world / "runs/minutes").name == "step-000001"


# -- what can go wrong -------------------------------------------------------------------------------------------


def test_an_impossible_student_is_refused(world):
    for changes, reason in (
        ({"head_blocks": 4}, "from 1 to below the teacher's 4 blocks"),
        ({"head_blocks": 0, "inner_steps": 1}, "head_blocks must be at least 1"),
        ({"outer_steps": 0}, "M and N must be at least 1"),
        ({"ema": 0.99}, "ema has no effect over Wan; leave it at 0.0"),
        ({"compile": "true"}, "compile has no effect"),
        ({"batch": 3, "micro_batch": 2}, "does not divide into micro-batches"),
        ({"strategy": "fsdp"}, "needs torchrun"),
        ({"latent": "[3,5,6]"}, "does not divide into patches"),
    ):
        with pytest.raises(UserError, match=reason):
            tmd.run(config(tmd, world, name="impossible", **changes))


def test_a_teacher_of_another_depth_is_refused(world, tmp_path):
    write_weights(tmp_path / "deeper", num_layers=5)
    with pytest.raises(UserError, match="blocks is 4 there and 5 here"):
        dmd.run(config(dmd, world, name="deeper", weights=tmp_path / "deeper"))
    with pytest.raises(UserError, match="layers .* must lie in the teacher's 0..3"):
        dmd.run(config(dmd, world, name="layers", layers="[1,4]"))


def test_another_students_checkpoint_is_refused(world):
    shutil.copytree(world / "runs/wan-tmd", world / "runs/other")
    with pytest.raises(UserError, match="student_head_blocks is 2 there and 1 here"):
        tmd.run(config(tmd, world, name="other", head_blocks=1, resume="true"))
    with pytest.raises(UserError, match="continue it with --resume"):
        tmd.run(config(tmd, world, name="other"))


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_checkpoint(world, monkeypatch):
    shutil.copytree(world / "runs/wan-tmd", world / "runs/nan")
    before = student_of(world / "runs/nan")
    loss = tmd.tm_mf_loss

    def broken(*arguments, **named):
        losses, logged = loss(*arguments, **named)
        return losses * float("nan"), logged

    monkeypatch.setattr(tmd, "tm_mf_loss", broken)
    told = on_ranks(
        2, world / "nan", train, tmd, config(tmd, world, name="nan", max_steps=2, resume="true"), world / "n"
    )
    assert all("loss is not a number at step 1" in line and "step-000001" in line for line in told), told
    assert_equal(student_of(world / "runs/nan"), before)


def test_a_full_disk_ends_the_run_and_keeps_the_checkpoint(world):
    shutil.copytree(world / "runs/wan-tmd", world / "runs/full")
    before = student_of(world / "runs/full")
    resumed = partial(config, tmd, world, name="full", max_steps=2, resume="true")
    told = on_ranks(1, world / "full", with_little_disk, resumed())
    assert "could not be written" in told[0] and "step-000001" in told[0] and "UserError" in told[0], told
    assert sorted(path.name for path in (world / "runs/full").glob("step-*")) == ["step-000001"]
    assert_equal(student_of(world / "runs/full"), before)
    for name in ("step-000001.tmp", "step-000002.tmp"):  # of a kill during a save, on more ranks
        (world / "runs/full" / name).mkdir()
        (world / "runs/full" / name / "__3_0.distcp").touch()
    tmd.run(resumed())
    assert latest(world / "runs/full").name == "step-000002"
    assert not [*(world / "runs/full").glob("*.tmp"), *(world / "runs/full").glob("*/__3_0.distcp")]


def test_a_save_starts_from_an_empty_folder(world):
    begun = WanRun(config(tmd, world, name="again"), "wan-student", {})
    begun.begin()
    (begun.folder / "step-000000.tmp").mkdir()
    (begun.folder / "step-000000.tmp/__3_0.distcp").touch()
    begun.save()
    assert latest(begun.folder).name == "step-000000" and not (latest(begun.folder) / "__3_0.distcp").exists()


def test_a_log_that_cannot_be_flushed_does_not_hide_why_the_run_ends(world):
    def full():
        raise OSError("No space left on device")

    begun = WanRun(config(tmd, world, name="flush"), "wan-student", {})
    begun.begin()
    begun._writer = SimpleNamespace(flush=full)
    steps = begun.steps()
    next(steps)
    with pytest.raises(UserError, match="the reason"):
        steps.throw(UserError("the reason"))


def test_folders_that_the_machines_do_not_share_are_refused(world, monkeypatch):
    begun = WanRun(config(tmd, world, name="shared"), "wan-student", {})
    assert not list(begun.folder.glob("shared-*"))
    monkeypatch.setattr(WanRun, "_rank_0s", lambda run, number: number + 1)  # what rank 0 wrote and saw elsewhere
    with pytest.raises(UserError, match="runs=FOLDER has to lie on a file system that they share"):
        WanRun(config(tmd, world, name="shared"), "wan-student", {})
    with pytest.raises(UserError, match="clips in .* are not the same"):
        begun.clips(Published(str(world / "weights")).shape((3, 4, 6)))


def with_little_disk(chosen) -> None:
    """No file may grow beyond 64 kB: the write fails as on a full disk."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (64_000, hard))
    tmd.run(chosen)


def student_of(folder: Path) -> dict[str, torch.Tensor]:
    weights = folder.parents[1] / "weights"
    chosen = load_config(
        SampleConfig, None, [f"student={folder}", f"weights={weights}", "latent=[3,4,6]", "dtype=float32"]
    )
    return {name: p.clone() for name, p in load_student(chosen, torch.device("cpu")).state_dict().items()}


def assert_equal(ours: dict, theirs: dict) -> None:
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_checkpoint_that_is_cut_short_is_refused(world):
    shutil.copytree(world / "runs/wan-tmd", world / "runs/cut")
    for path in (world / "runs/cut").glob("step-*/*.distcp"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="could not be read"):
        tmd.run(config(tmd, world, name="cut", max_steps=2, resume="true"))
    with pytest.raises(UserError, match="there is no checkpoint"):
        load_model(torch.nn.Linear(1, 1), latest(world / "runs/nowhere"), "student")
