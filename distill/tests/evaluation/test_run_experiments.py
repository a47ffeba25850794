"""Experiments one after another: jobs in their order, one that was cut off goes on, one that fails holds back only
what needs it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from distill.checkpoints import load_checkpoint
from distill.config import UserError, load_config
from distill.evaluation import compare, evaluate, run_experiments
from distill.evaluation.run_experiments import Job
from distill.tests.tiny import write_world

SMALL = ["codec=none", "rollout_history=0", "loss_power=0", "batch=8", "warmup_steps=2"]
SHAPE = [
    "network=dit",
    "columns=3",
    "width=24",
    "blocks=3",
    "heads=2",
    "frequencies=8",
    "compile=false",
    "freeze_prompt_layers=false",
]


@pytest.fixture
def world(tmp_path):
    return write_world(tmp_path / "world")


def config(tmp_path, world, **jobs) -> run_experiments.Config:
    return run_experiments.Config(data=str(world), runs=str(tmp_path), jobs=jobs)


def teacher(*options) -> Job:
    return Job("teacher", options=[*SMALL, *SHAPE, *options])


def test_jobs_run_in_order_once_and_what_needs_a_failed_one_waits(tmp_path, world, capfd):
    student = Job("tmd", options=[*SMALL, f"teacher={tmp_path}/first/teacher.pt", "target=data", "action_guidance=1",
                                  "head_blocks=1", "max_steps=2"], after=["first"])  # fmt: skip
    plan = config(
        tmp_path, world,
        first=teacher("max_steps=2"),
        broken=teacher("max_steps=2", "heads=5"),
        behind=Job("tmd", options=[*SMALL, "max_steps=2"], after=["broken"]),
        student=student,
    )  # fmt: skip
    with pytest.raises(UserError, match="broken ended with status 2; behind broken did not come before it"):
        run_experiments.run(plan)
    assert load_checkpoint(tmp_path / "student/student.pt", "student")["step"] == 2
    before = (tmp_path / "first/teacher.pt").stat().st_mtime_ns
    with pytest.raises(UserError):
        run_experiments.run(plan)
    assert (tmp_path / "first/teacher.pt").stat().st_mtime_ns == before
    assert "1/4 first: done before" in capfd.readouterr().err


def test_a_run_of_experiments_that_is_stopped_goes_on_where_it_was(tmp_path, world):
    file = tmp_path / "experiments.yaml"
    options = ", ".join([*SMALL, *SHAPE, "log_steps=1"])
    jobs = f"jobs: {{long: {{stage: teacher, options: [{options}, max_steps=100000]}}}}"
    file.write_text(f"data: {world}\nruns: {tmp_path}\n{jobs}\n")
    command = [sys.executable, "-m", "distill", "run-experiments", "--config", str(file)]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    lines = iter(running.stderr.readline, "")
    assert any("step 3" in line for line in lines)
    os.killpg(running.pid, signal.SIGINT)
    running.stderr.read()
    assert running.wait(60) == 130
    deadline = time.monotonic() + 60
    while not (tmp_path / "long/teacher.pt").is_file() and time.monotonic() < deadline:
        time.sleep(0.1)
    step = load_checkpoint(tmp_path / "long/teacher.pt", "teacher")["step"]
    assert step >= 3
    file.write_text(file.read_text().replace("max_steps=100000", f"max_steps={step + 2}"))
    plan = load_config(run_experiments.Config, str(file))
    told = run_experiments.planned("long", plan.jobs["long"], plan)[1]
    assert not run_experiments.is_done(told)
    run_experiments.run(plan)
    assert load_checkpoint(tmp_path / "long/teacher.pt", "teacher")["step"] == step + 2 and run_experiments.is_done(
        told
    )


def test_a_job_whose_options_changed_is_not_taken_for_done(tmp_path, world):
    run_experiments.run(config(tmp_path, world, first=teacher("max_steps=1", "seed=3")))
    with pytest.raises(UserError, match="first was trained otherwise than the job says: seed is 3 there and 4 here"):
        run_experiments.run(config(tmp_path, world, first=teacher("max_steps=2", "seed=4")))


def test_impossible_jobs_are_refused_before_any_runs(tmp_path, world):
    for job, reason in (
        (Job(""), "names no stage"),
        (Job("dream"), "which there is not"),
        (Job("export-weights", config="distill/configs/base.yaml"), "no training|does not fit"),
        (teacher("max_minutes=0"), "would never end"),
        (teacher("max_steps=1", "colour=red"), "colour"),
        (Job("tmd", options=[*SMALL], after=["nobody"]), "comes after nobody"),
    ):
        with pytest.raises(UserError, match=reason):
            run_experiments.run(config(tmp_path, world, first=teacher("max_steps=1"), odd=job))
    assert not (tmp_path / "first").exists()
    with pytest.raises(UserError, match="there are no jobs"):
        run_experiments.run(run_experiments.Config())


def test_the_comparison_that_ships_can_be_planned():
    plan = load_config(run_experiments.Config, "distill/configs/comparison.yaml")
    for name, job in plan.jobs.items():
        _, told = run_experiments.planned(name, job, plan)
        assert (told.max_minutes or told.max_steps) and told.name == name
    ends = [(job, plan.jobs[job].after) for job in plan.jobs]
    assert all(set(after) <= set(plan.jobs) for _, after in ends)


def test_what_only_finished_rows_need_is_not_wanted_again():
    jobs = {
        "start": Job("tmd"),
        "row": Job("dmd", after=["start"]),
        "other": Job("dmd", after=["start"]),
        "warm-up": Job("kd"),
        "late": Job("dmd", after=["warm-up"]),
        "alone": Job("teacher"),
    }
    rows = {"row": True, "other": False, "late": False}
    assert run_experiments.wanted(jobs, rows) == {"start", "other", "warm-up", "late", "alone"}
    assert run_experiments.wanted(jobs, rows | {"other": True}) == {"warm-up", "late", "alone"}
    assert run_experiments.wanted(jobs, rows | {"start": False, "late": True}) == {"start", "other", "alone"}
    assert run_experiments.wanted(jobs, {}) == set(jobs)


def test_a_row_is_passed_over_once_it_has_all_its_metrics(tmp_path, world, capfd):
    table = compare.Config(rows={"a row": f"student:{tmp_path}/row/student.pt"}, blocks=["1-2", "3-4"], ticks=6)
    file = tmp_path / "compare.yaml"
    rows = f"rows: {{a row: 'student:{tmp_path}/row/student.pt'}}"
    file.write_text(f"{rows}\nblocks: [1-2, 3-4]\nticks: 6\nout: {tmp_path}/table\n")
    plan = config(
        tmp_path, world, first=teacher("max_steps=2"), row=Job("tmd", options=["max_steps=2"], after=["first"])
    )
    plan.compare, table.out = str(file), f"{tmp_path}/table"
    world_name = table.rows["a row"]
    made = {"commit": "c0ffee", "decidedBy": {world_name: evaluate.decided_by(table, world_name)}}
    for block in table.blocks:
        path = compare.file_of(table, "a row", block)
        path.parent.mkdir(parents=True, exist_ok=True)
        assert not compare.has_metrics(table, "a row", world_name)
        path.write_text(json.dumps(made | {"worlds": {world_name: {"modelHash": "of weights long gone"}}}))
    run_experiments.run(plan)
    assert capfd.readouterr().err.count("compared before") == 2
    assert not (tmp_path / "first").exists()
