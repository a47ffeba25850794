"""Trainings one after another: a list that survives a stop and goes on where it was.

    python -m distill run-experiments --config distill/configs/comparison.yaml

A job is a stage with options; its name is its run's folder. One that is done (its checkpoint has the minutes or steps
that it was to have) is passed over, one that was cut off resumes. Each is a process of its own, so one that fails says
so, and what does not need it goes on. With `compare` a row of that table is evaluated as soon as its training is done,
and what only rows with all their metrics need is not trained again.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from distill.__main__ import module_of
from distill.checkpoints import differing, is_whole, load_checkpoint
from distill.config import BaseConfig, TrainConfig, UserError, load_config
from distill.evaluation import compare

INTERRUPTED = 130  # the status of a stage that a signal ended


@dataclass
class Job:
    stage: str = ""
    config: str = ""  # default: distill/configs/<stage>.yaml
    options: list[str] = field(default_factory=list)  # key=value
    after: list[str] = field(default_factory=list)  # jobs whose checkpoints it starts from


@dataclass
class Config(BaseConfig):
    name: str = "run-experiments"
    common: list[str] = field(default_factory=list)  # options of every job
    jobs: dict[str, Job] = field(default_factory=dict)
    compare: str = ""  # configuration of the table that the jobs are for


def planned(name: str, job: Job, config: Config) -> tuple[list[str], TrainConfig]:
    """The command of a job and its configuration. Raises UserError for one that cannot be run."""
    if not job.stage:
        raise UserError(f"the job {name} names no stage")
    try:
        stage = module_of(job.stage)
    except KeyError as error:
        raise UserError(f"the job {name} asks for the stage {job.stage}, which there is not") from error
    file = job.config or f"distill/configs/{job.stage}.yaml"
    options = [f"runs={config.runs}", f"data={config.data}", *config.common, *job.options, f"name={name}"]
    settings = load_config(stage.Config, file, options)
    if not isinstance(settings, TrainConfig):
        raise UserError(f"the job {name} is no training: {job.stage} trains nothing")
    if not settings.max_steps and not settings.max_minutes:
        raise UserError(f"the job {name} would never end; give it max_minutes or max_steps")
    command = [sys.executable, "-m", "distill", job.stage, "--config", file, "--resume", *options]
    return command, settings


def checkpoint_of(settings: TrainConfig) -> dict | None:
    """What the job's training saved, if it did."""
    for stem in ("codec", "teacher", "student"):  # others are earlier ones that were kept
        path = Path(settings.runs) / settings.name / f"{stem}.pt"
        if path.is_file():
            return load_checkpoint(path, stem)
    return None


def is_done(settings: TrainConfig) -> bool:
    """Whether the job's checkpoint has all that it was to have."""
    saved = checkpoint_of(settings)
    return saved is not None and is_whole(saved, settings)


def check_unchanged(name: str, job: Job, settings: TrainConfig) -> None:
    """Raises UserError where what there is of the job was trained with other options than it has now."""
    saved = checkpoint_of(settings)
    if saved is None:
        return
    keys = {option.split("=")[0] for option in job.options} - {"max_minutes", "max_steps"}
    there = {key: value for key, value in saved.get("config", {}).items() if key in keys}
    if found := differing(there, {key: getattr(settings, key) for key in there}):
        raise UserError(
            f"{settings.runs}/{name} was trained otherwise than the job says: {found}. Move that folder away"
        )


def wanted(jobs: dict[str, Job], rows: dict[str, bool]) -> set[str]:
    """Which jobs are still to be done: those whose row lacks metrics (rows: job -> whether it has them all), those
    that have no row and that nothing comes after, and what these start from."""
    before = {other for job in jobs.values() for other in job.after}
    names = {name for name in jobs if not rows.get(name, name in before)}
    while more := {other for name in names for other in jobs[name].after} - names:
        names |= more
    return names


def rows_of(plan: dict[str, tuple[list[str], TrainConfig]], table: compare.Config) -> dict[str, bool]:
    """Of each job that a row is made from: whether the row has all its metrics."""
    complete = {world: compare.has_metrics(table, title, world) for title, world in table.rows.items()}
    worlds = {name: f"student:{settings.runs}/{settings.name}/student.pt" for name, (_, settings) in plan.items()}
    return {name: complete[world] for name, world in worlds.items() if world in complete}


def to_its_end(command: list[str]) -> int:
    """Runs a command; signals are passed on, so that a training saves before it ends. Returns its status."""
    child = subprocess.Popen(command)
    handlers = {n: signal.signal(n, lambda n, _: child.send_signal(n)) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        return child.wait()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def run(config: Config) -> None:
    if not config.jobs:
        raise UserError("there are no jobs; name some in the configuration, as distill/configs/comparison.yaml does")
    plan = {name: planned(name, job, config) for name, job in config.jobs.items()}
    for name, job in config.jobs.items():
        unknown = [other for other in job.after if other not in plan]
        if unknown:
            raise UserError(f"the job {name} comes after {', '.join(unknown)}, which is no job")
    table = load_config(compare.Config, config.compare, []) if config.compare else compare.Config()
    rows = rows_of(plan, table)
    todo = wanted(config.jobs, rows)
    for name in todo:
        check_unchanged(name, config.jobs[name], plan[name][1])
    failed: dict[str, str] = {}
    for number, (name, (command, settings)) in enumerate(plan.items(), 1):
        say = lambda text: print(f"[run-experiments] {number}/{len(plan)} {name}: {text}", file=sys.stderr, flush=True)  # noqa: B023, E731
        missing = [other for other in config.jobs[name].after if not is_done(plan[other][1])]
        if name not in todo:
            say("compared before")
            continue
        if missing:
            failed[name] = f"{', '.join(missing)} did not come before it"
            say(failed[name])
            continue
        if is_done(settings):
            say("done before")
        else:
            say(" ".join(command[1:]))
            status = to_its_end(command)
            if status == 0 and not is_done(settings):
                raise KeyboardInterrupt  # a signal ended it, and so the list
            if status:
                failed[name] = f"ended with status {status}"
                say(failed[name])
                continue
        if name in rows and not rows[name]:
            status = to_its_end([sys.executable, "-m", "distill", "compare", "--config", config.compare])
            if status < 0 or status == INTERRUPTED:
                raise KeyboardInterrupt
            if status:
                failed[name] = f"could not be compared: status {status}"
                say(failed[name])
    if failed:
        raise UserError("not all jobs are done: " + "; ".join(f"{name} {why}" for name, why in failed.items()))
