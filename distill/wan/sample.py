"""Prompts -> videos of a student, named as VBench's tool expects: `<prompt>-<index>.mp4`, index 0..seeds-1.

Every rank takes every n-th video; those that exist are left alone. A video depends on the seed, the prompt's place in
the list and its index alone. No guidance (Algorithm 1). Beside the folder stands what made it (`videos.json`), so that
another student's videos never come into it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

import torch

from distill.atomic import write_text
from distill.checkpoints import differing
from distill.config import BaseConfig, UserError
from distill.distributed import DTYPES, environment, setup
from distill.models.student import StudentConfig, effective_nfe
from distill.wan.clips import noise_for, padded
from distill.wan.media import TextEncoder, VideoAutoencoder, read_prompts, write_video
from distill.wan.model import WanConditions, halve
from distill.wan.run import latest, load_model, read_state
from distill.wan.tmd import architecture, empty_student
from distill.wan.weights import published_shape


@dataclass
class Config(BaseConfig):
    name: str = "wan-sample"
    student: str = "runs/wan-dmd"  # a run, or one of its checkpoints
    weights: str = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"  # for the text encoder, the autoencoder and the sizes
    latent: list[int] = field(default_factory=lambda: [21, 60, 104])
    prompts: str = ""  # one a line: these name the videos
    rewritten: str = (
        ""  # the prompts that the student sees instead, line by line (VBench's list rewritten); empty: the prompts
    )
    only: str = ""  # a list: those of the prompts that stand in it; empty: all
    videos: str = ""  # empty: videos in the student's run
    seeds: int = 5  # videos of each prompt
    dtype: str = "bfloat16"


@dataclass
class Job:
    line: int  # of the prompt, from 0
    rewritten: str
    index: int
    path: Path


def folder_of(config: Config) -> Path:
    return Path(config.videos) if config.videos else latest(Path(config.student)).parent / "videos"


def require_own(folder: Path, config: Config, rank: int) -> None:
    """Notes beside a folder what makes its videos. Raises UserError where that was another student or seed."""
    state = read_state(latest(Path(config.student)), "wan-student")
    here = {"run": state["config"]["name"], "step": state["step"], "seed": config.seed} | state["architecture"]
    note = folder.with_name(f"{folder.name}.json")  # not in it: VBench's tool wants videos alone
    if note.is_file():
        changed = differing(json.loads(note.read_text()), here)
        if changed:
            raise UserError(f"{folder} holds other videos: {changed}. Choose another videos=FOLDER for these")
    elif not rank:
        write_text(note, json.dumps(here, indent=1) + "\n")


def jobs(config: Config, rank: int, world: int) -> Iterator[Job]:
    """This rank's videos that do not exist yet. Raises UserError for lists that do not fit."""
    prompts = read_prompts(config.prompts)
    rewritten = read_prompts(config.rewritten) if config.rewritten else prompts
    if len(rewritten) != len(prompts):
        raise UserError(
            f"{config.rewritten} has {len(rewritten)} prompts and {config.prompts} {len(prompts)}, line for line"
        )
    impossible = [prompt for prompt in prompts if "/" in prompt or len(f"{prompt}-0.mp4".encode()) > 255]
    if impossible:
        raise UserError(f"`{impossible[0][:60]}` cannot be a file's name; put rewritten prompts in rewritten=FILE")
    if config.seeds < 1:
        raise UserError(f"seeds={config.seeds} makes no videos; it must be at least 1")
    lines = [line for line, prompt in enumerate(prompts) if prompts.index(prompt) == line]  # VBench's list has doubles
    if config.only:
        wanted = set(read_prompts(config.only))
        if wanted - set(prompts):
            raise UserError(f"`{min(wanted - set(prompts))[:60]}` of {config.only} is not in {config.prompts}")
        lines = [line for line in lines if prompts[line] in wanted]
    folder = folder_of(config)
    for number in range(rank, len(lines) * config.seeds, world):
        line, index = lines[number // config.seeds], number % config.seeds
        path = folder / f"{prompts[line]}-{index}.mp4"
        if not path.is_file():
            yield Job(line, rewritten[line], index, path)


def load_student(config: Config, device: torch.device):
    """Whole, on one device, ready to sample."""
    shape = published_shape(config.weights, tuple(config.latent))
    folder = latest(Path(config.student))
    there = read_state(folder, "wan-student")["architecture"]
    plan = StudentConfig(**{f.name: there[f"student_{f.name}"] for f in fields(StudentConfig)})
    read_state(folder, "wan-student", architecture(shape, plan))
    student = halve(empty_student(shape, plan), DTYPES[config.dtype]).to_empty(device=device)
    student.dit.materialise_buffers()
    load_model(student, folder, "student", alone=True)
    return student.eval().requires_grad_(False)


def run(config: Config) -> None:
    device, dtype = setup(config), DTYPES[config.dtype]
    rank, folder = environment("RANK", 0), folder_of(config)
    todo = list(jobs(config, rank, environment("WORLD_SIZE", 1)))
    folder.mkdir(parents=True, exist_ok=True)
    require_own(folder, config, rank)
    if not todo:
        print(f"[wan-sample] {folder} has every video of this rank")
        return
    student = load_student(config, device)
    shape, plan = student.dit.config, student.config
    encoder = TextEncoder(config.weights, device, dtype, shape.words)
    autoencoder = VideoAutoencoder(config.weights, device)
    nfe = effective_nfe(plan, shape.blocks)
    print(f"[wan-sample] M={plan.outer_steps} N={plan.inner_steps} H={plan.head_blocks}, effective NFE {nfe:.2f}")
    for job in todo:
        text = padded(encoder(job.rewritten), shape.words)
        noise = noise_for(shape, config.seed, job.line, job.index, count=1 + plan.outer_steps).to(device)
        with torch.no_grad(), torch.autocast(device.type, dtype, enabled=dtype is not torch.float32):
            x = student(noise, WanConditions(text[None], torch.zeros_like(text)))
        write_video(job.path, autoencoder.decode(student.dit.to_latent(x.float())[0]))
        print(f"[wan-sample] {job.path}", flush=True)
