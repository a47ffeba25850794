"""From a game to a page that dreams it: measures this machine, plans, records, trains, exports, says what came of it.

    python -m distill train --world examples/snake/world.ts --hours 0.75

Each stage is a process of its own and saves as it goes; started again after a stop or a kill, the command goes on where
it was. What it chose is in `runs/<name>/plan.json`, a contact sheet of each stage in `runs/<name>/sheets/`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from distill.atomic import write_text
from distill.checkpoints import is_whole, load_checkpoint
from distill.config import BaseConfig, UserError
from distill.data.packed import EpisodeError, Packed, read_episode
from distill.distributed import DTYPES, fast_dtype
from distill.models.codec import load_codec, to_frames, to_input
from distill.models.outcome import reads_of
from distill.processes import die_with_parent
from distill.recipe import plan as planning
from distill.recipe.judge import PROBE_STEPS, judge, sentences
from distill.recipe.plan import COMPILE_MINUTES, SIZES, Plan
from distill.recipe.source import Source, source_of
from distill.world import RING, ROOT, VALIDATION_SEED, WorldSpec

LONGEST_AT_LEAST = 100  # ticks of the longest episode: previews and metrics dream for 60
ROLLOUT = 120  # ticks of stage 2's roll-outs
OUTCOME_STEPS = 1500  # a minute or two
LEVEL = 0.1  # history noise that the dream states, as distill/configs/own-*.yaml train it
KINDS = {"teacher": "teacher", "tmd": "student", "dmd": "student"}
UNSAID = re.compile(r"\d+%\||^W\d{4} ")  # a bar that is drawn over and over, and what torch warns of
PERCENT = re.compile(r"\((\d+) %\)")
FIRST_SEED = 0


@dataclass
class Config(BaseConfig):
    name: str = ""  # of the folders in data/, runs/ and assets/; empty: by the world
    data: str = "data"
    assets: str = "assets"
    world: str = ""  # a TypeScript module, gym:ID, videos:FOLDER, or a world that was recorded
    hours: float = 1.0
    title: str = ""
    license: str = "Apache-2.0"  # of what is exported
    episodes: int = 0  # recorded for training; 0: by the hours
    ticks: int = 0  # of an episode
    record: list[str] = field(default_factory=list)  # options of record-gym or import-recordings, key=value
    teacher: list[str] = field(default_factory=list)  # settings of the teacher, key=value, over own-teacher.yaml
    steps: int = 0  # of each stage, instead of the hours: tries the way in seconds


class Journey:
    """One run of the command: its folders, its plan, its clock."""

    def __init__(self, config: Config, source: Source):
        self.config, self.source = config, source
        self.data = Path(config.data) / source.name
        self.runs = Path(config.runs) / source.name
        self.sheets = self.runs / "sheets"
        self.sheets.mkdir(parents=True, exist_ok=True)
        self.begun = time.monotonic()
        self.plan = self._known_plan()
        self.before = self.plan.spent

    def _known_plan(self) -> Plan:
        path = self.runs / "plan.json"
        if not path.is_file():
            return Plan(world=self.source.world, hours=self.config.hours, steps=self.config.steps)
        plan = Plan(**json.loads(path.read_text()))
        if plan.world != self.source.world:
            raise UserError(f"{self.runs} is of {plan.world}; give another name=..., or move that folder away")
        if (plan.hours, plan.steps) != (self.config.hours, self.config.steps):
            there = f"{plan.hours:g} hours" + (f", steps={plan.steps}" if plan.steps else "")
            raise UserError(
                f"{self.runs} was begun with {there}, and goes on with that alone; give the same, another name=..., or "
                "move that folder away"
            )
        return plan

    def keep(self) -> None:
        self.plan.spent = self.spent
        write_text(self.runs / "plan.json", json.dumps(asdict(self.plan), indent=2) + "\n")

    @property
    def spent(self) -> float:
        """Minutes, of all starts."""
        return self.before + (time.monotonic() - self.begun) / 60

    def say(self, text: str) -> None:
        for line in text.splitlines():
            print(f"[train] {line}", flush=True)

    def left(self, stage: str, part: float) -> str:
        """The time that is left while `part` of a stage is done."""
        stages = list(self.plan.minutes)
        if self.plan.steps or stage not in stages:
            return ""
        minutes = self.plan.minutes[stage] * (1 - part)
        minutes += sum(self.plan.minutes[later] for later in stages[stages.index(stage) + 1 :])
        return f"about {minutes + 60 * self.plan.hours * planning.ASIDE / 2:.0f} min left"

    def stage(self, name: str, *options: str, config: str = "", show: bool = False) -> None:
        """Runs a stage in a process of its own. Raises UserError where it fails, KeyboardInterrupt where it was
        stopped."""
        command = [sys.executable, "-m", "distill", name]
        if config:
            command += ["--config", str(ROOT / "distill/configs" / config), "--resume"]
        self.command(name, [*command, *options], show or bool(config))

    def command(self, name: str, command: list[str], show: bool = True) -> None:
        last = ""
        with stopping_with_us(command) as child:
            for line in child.stdout:
                line = line.rstrip()
                if not line or UNSAID.search(line):
                    continue
                last = line
                found = PERCENT.search(line)
                left = self.left(name, int(found[1]) / 100) if found else ""
                if show:
                    self.say(f"{line}{f'  [{left}]' if left else ''}")
            status = child.wait()
        self.keep()
        if status in (-signal.SIGTERM, -signal.SIGINT, 130, 143):
            raise KeyboardInterrupt
        if status:
            said = "says so above" if show else f"said: {last}"
            raise UserError(f"{name} failed, which {said}; put it right and go on with the same command")

    # -- the way ---------------------------------------------------------------------------------------------------

    def record(self) -> None:
        """Episodes of training and validation, those that are missing; then packed."""
        config, source = self.config, self.source
        train, held, ticks = planning.recording(config.hours)
        train, ticks = config.episodes or train, config.ticks or ticks
        if config.episodes:
            held = max(2, min(held, config.episodes // 2))
        if source.kind == "videos":
            self.command("import-recordings", source.import_command(self.data.resolve(), ticks, config.record))
        elif source.kind != "recorded":
            for split, seed, count in (("validation", VALIDATION_SEED, held), ("train", FIRST_SEED, train)):
                folder = self.data / split
                if len(list(folder.glob("ep-*.msgpack"))) >= count:
                    continue
                folder.mkdir(parents=True, exist_ok=True)
                self.say(f"recording {count} episodes of {ticks} ticks for {split}")
                self.command("record", source.command(folder.resolve(), seed, count, ticks, config.record))
        elif not any((self.data / "validation").glob("ep-*.msgpack")):
            raise UserError(
                f"{self.data} has no validation episodes; record some from seed {VALIDATION_SEED} on into "
                f"{self.data / 'validation'}"
            )
        self.room_for_frames()
        self.stage("prepare", f"data={self.data}", "splits=[train,validation]", show=True)

    def room_for_frames(self) -> None:
        """Raises UserError where the packed frames would not fit on the disk."""
        files = [path for split in ("train", "validation") for path in (self.data / split).glob("ep-*.msgpack")]
        if not files or (self.data / "train/packed/index.json").is_file():
            return
        try:
            frames = read_episode(files[0])["frames"].nbytes
        except EpisodeError as error:
            raise UserError(str(error)) from error
        needed, free = 1.4 * frames * len(files), shutil.disk_usage(self.data).free
        if needed > free:
            raise UserError(
                f"the frames need {needed / 1e9:.1f} GB in {self.data}, but {free / 1e9:.1f} GB are free; make room or "
                "record fewer (episodes=...)"
            )

    def choose(self) -> WorldSpec:
        """Makes the plan where there is none yet, and says it."""
        packed = Packed(self.data, "train")
        world = packed.world
        for split in ("train", "validation"):
            longest = max(episode["ticks"] for episode in Packed(self.data, split).episodes)
            if longest < LONGEST_AT_LEAST:
                raise UserError(
                    f"the longest episode in {self.data / split} has {longest} ticks, but {LONGEST_AT_LEAST} are "
                    "needed to see how a dream goes on; record longer ones"
                )
        if world.is_drive:
            raise UserError(f"{self.data} is of the drive, which has a recipe of its own: distill/README.md")
        if not self.plan.size:
            some = packed.frames[np.linspace(0, len(packed) - 1, min(400, len(packed))).astype(int)]
            Image.fromarray(sheet(some[:: max(1, len(some) // 24)][:24], 6)).save(self.sheets / "1-recorded.png")
            if float(some.std(0).max()) < 2:
                raise UserError(f"the frames in {self.data} are all the same; nothing is learnt of a still picture")
            self.plan.patch, self.plan.channels, self.plan.codec_psnr = planning.choose_codec(some, world)
            threads = max(1, self.config.threads)
            torch.set_num_threads(threads)
            self.say(f"measuring what {threads} {'threads do' if threads > 1 else 'thread does'} here")
            dtype = DTYPES[fast_dtype("cpu")]
            seconds = planning.measure(world, self.plan.patch, self.plan.channels, dtype)
            planning.split_minutes(self.plan, 60 * self.plan.hours - self.spent)
            planning.choose(self.plan, seconds)
            self.keep()
        self.say(planning.explain(self.plan, world, len(packed)))
        self.say(f"contact sheets: {self.sheets}")
        return world

    def encode(self) -> None:
        codec = self.runs / "codec/codec.pt"
        folders = (f"data={self.data}", f"runs={self.runs}", f"threads={self.config.threads}")
        if not codec.is_file():
            self.stage("codec", *folders, f"patch={self.plan.patch}", f"channels={self.plan.channels}", show=True)
        self.stage("latents", *folders, f"codec={codec}", "splits=[train,validation]", show=True)
        frames = Packed(self.data, "validation").frames
        some = frames[np.linspace(0, len(frames) - 1, 12).astype(int)]
        loaded = load_codec(codec)
        with torch.no_grad():
            again = to_frames(loaded.decode(loaded.encode(to_input(some))))
        rows = np.concatenate([sheet(some, 12), sheet(again, 12)])
        Image.fromarray(rows).save(self.sheets / "2-codec.png")

    def network(self, stage: str, number: int, *options: str) -> None:
        """A training stage, from where it is to its end."""
        plan, kind = self.plan, KINDS[stage]
        limit = {"max_steps": plan.steps} if plan.steps else {"max_minutes": plan.minutes[stage]}
        checkpoint = self.runs / stage / f"{kind}.pt"
        if not is_done(checkpoint, kind, limit):
            validate = max(0.5, plan.minutes.get(stage, 0) / 4)
            length = f"{plan.steps} steps" if plan.steps else f"{plan.minutes[stage]:.1f} minutes"
            self.say(f"{stage}: {length}")
            self.stage(
                stage,
                f"data={self.data}",
                f"runs={self.runs}",
                f"name={stage}",
                f"codec={self.runs}/codec/codec.pt",
                f"threads={self.config.threads}",
                f"seed={self.config.seed}",
                f"validate_minutes={validate:.2f}",
                f"compile={str(plan.minutes.get('teacher', 0) >= COMPILE_MINUTES).lower()}",
                *(f"{key}={value}" for key, value in limit.items()),
                *options,
                config=f"own-{stage}.yaml",
            )
            if not is_done(checkpoint, kind, limit):
                raise KeyboardInterrupt  # it was asked to stop, and saved
        with suppress(FileNotFoundError):
            shutil.copy(self.runs / stage / f"{kind}.png", self.sheets / f"{number}-{stage}.png")

    def train(self) -> None:
        own = [f"{key}={value}" for key, value in SIZES[self.plan.size].items()]
        teacher = f"teacher={self.runs}/teacher/teacher.pt"
        rollout = f"rollout_ticks={self.longest_rollout()}"
        self.network("teacher", 3, *own, *self.config.teacher)
        self.network("tmd", 4, teacher)
        if "dmd" in self.plan.minutes:
            self.network("dmd", 5, teacher, f"student={self.runs}/tmd/student.pt", rollout)

    def longest_rollout(self) -> int:
        """Ticks for which stage 2 may follow a recorded episode."""
        episodes = Packed(self.data, "train").episodes
        return min(ROLLOUT, max(episode["ticks"] for episode in episodes) - RING - 2)

    def outcome(self) -> Path | None:
        """Learns what says reward and end, where there are any: its checkpoint."""
        packed = Packed(self.data, "train")
        rows = packed.transitions()
        reads = reads_of(packed.rewards[rows], packed.dones[rows])
        if not reads:
            self.say("the recordings have no reward and no end, so the dream has none")
            return None
        checkpoint, steps = self.runs / "outcome/outcome.pt", min(OUTCOME_STEPS, 20 * self.plan.steps or OUTCOME_STEPS)
        if not is_done(checkpoint, "outcome", {"max_steps": steps}):
            self.say(f"learning what says {' and '.join(reads)} in a dream")
            self.stage(
                "outcome",
                f"data={self.data}",
                f"runs={self.runs}",
                f"threads={self.config.threads}",
                f"seed={self.config.seed}",
                f"max_steps={steps}",
                config="outcome.yaml",
            )
            if not is_done(checkpoint, "outcome", {"max_steps": steps}):
                raise KeyboardInterrupt  # it was asked to stop, and saved
        return checkpoint

    def finish(self, world: WorldSpec) -> None:
        """Judges the student, exports it and says where it plays."""
        last = "dmd" if "dmd" in self.plan.minutes else "tmd"
        student, codec = self.runs / last / "student.pt", self.runs / "codec/codec.pt"
        out, outcome = Path(self.config.assets) / self.source.name, self.outcome()
        self.stage(
            "export",
            f"data={self.data}",
            f"student={student}",
            f"codec={codec}",
            f"out={out}",
            f"id={self.source.name}",
            f"title={self.config.title or world.title}",
            *([f"outcome={outcome}"] if outcome else []),
            f"license={self.config.license}",
            f"level={LEVEL}",
            "split=validation",
            show=True,
        )
        steps = min(PROBE_STEPS, 20 * self.plan.steps) if self.plan.steps else PROBE_STEPS
        learnt = str(outcome) if outcome else ""
        metrics = judge(str(self.data), str(student), str(codec), LEVEL, steps, learnt)
        write_text(self.runs / "evaluation.json", json.dumps(metrics, indent=2) + "\n")
        self.keep()
        self.say("\n".join(sentences(metrics, self.spent)))
        self.say(f"play it: npm start, then the address that it prints with /?world={self.source.name}")


def is_done(checkpoint: Path, kind: str, limit: dict) -> bool:
    """Whether a stage has been trained to its end."""
    return checkpoint.is_file() and is_whole(load_checkpoint(checkpoint, kind), limit)


def sheet(frames: np.ndarray, columns: int) -> np.ndarray:
    """Frames uint8 [N,H,W,3] side by side, whole rows of `columns` of them."""
    rows = [np.concatenate(list(frames[i : i + columns]), 1) for i in range(0, len(frames), columns)]
    return np.concatenate([row for row in rows if row.shape == rows[0].shape], 0)


@contextmanager
def stopping_with_us(command: list[str]) -> Iterator[subprocess.Popen]:
    """A child whose output we read. Signals are passed on, so that a training saves before it ends; and on Linux it is
    stopped where this process is killed, so that no second one writes beside it."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore", "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd=Path.cwd(),
        env=environment,
        preexec_fn=die_with_parent if sys.platform == "linux" else None,
    )
    asked = []

    def forward(number: int, _) -> None:
        asked.append(number)
        child.send_signal(number)

    handlers = {n: signal.signal(n, forward) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield child
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if child.poll() is None:
            child.terminate()
            child.wait()
    if asked:
        raise KeyboardInterrupt


def run(config: Config) -> None:
    if not 0 < config.hours <= 1000:
        raise UserError(f"--hours is how long it may take, above 0, but {config.hours:g} came")
    source = source_of(config.world, config.data, config.name)
    journey = Journey(config, source)
    try:
        journey.record()
        world = journey.choose()
        journey.encode()
        journey.train()
        journey.finish(world)
    finally:
        journey.keep()
