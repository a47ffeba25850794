"""Prompts -> videos of a student, named as VBench's tool expects: `<prompt>-<index>.mp4`, index 0..seeds-1.

Every rank takes every n-th video; those that exist are left alone. A video depends on the seed, the prompt's place in
the list and its index alone. No guidance (Algorithm 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

import torch

from distill.config import BaseConfig, UserError
from distill.machine import DTYPES, environment, setup
from distill.student import StudentConfig, effective_nfe
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
    told: str = ""  # what the student is told instead, line by line (VBench's list rewritten); empty: the prompts
    videos: str = "runs/wan-sample/videos"
    seeds: int = 5  # videos of each prompt
    dtype: str = "bfloat16"


@dataclass
class Job:
    line: int  # of the prompt, from 0
    told: str
    index: int
    path: Path


def jobs(config: Config, rank: int, world: int) -> Iterator[Job]:
    """This rank's videos that do not exist yet. Raises UserError for lists that do not fit."""
    prompts = read_prompts(config.prompts)
    told = read_prompts(config.told) if config.told else prompts
    if len(told) != len(prompts):
        raise UserError(f"{config.told} has {len(told)} prompts and {config.prompts} {len(prompts)}, line for line")
    impossible = [prompt for prompt in prompts if "/" in prompt or len(f"{prompt}-0.mp4".encode()) > 255]
    if impossible:
        raise UserError(f"`{impossible[0][:60]}` cannot be a file's name; put rewritten prompts in told=FILE")
    for number in range(rank, len(prompts) * config.seeds, world):
        line, index = divmod(number, config.seeds)
        path = Path(config.videos) / f"{prompts[line]}-{index}.mp4"
        if not path.is_file():
            yield Job(line, told[line], index, path)


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
    todo = list(jobs(config, environment("RANK", 0), environment("WORLD_SIZE", 1)))
    if not todo:
        print(f"[wan-sample] {config.videos} has every video of this rank")
        return
    student = load_student(config, device)
    shape, plan = student.dit.config, student.config
    encoder, codec = TextEncoder(config.weights, device, dtype, shape.words), VideoAutoencoder(config.weights, device)
    Path(config.videos).mkdir(parents=True, exist_ok=True)
    nfe = effective_nfe(plan, shape.blocks)
    print(f"[wan-sample] M={plan.outer_steps} N={plan.inner_steps} H={plan.head_blocks}, effective NFE {nfe:.2f}")
    for job in todo:
        text = padded(encoder(job.told), shape.words)
        noise = noise_for(shape, config.seed, job.line, job.index, count=1 + plan.outer_steps).to(device)
        with torch.no_grad(), torch.autocast(device.type, dtype, enabled=dtype is not torch.float32):
            x = student(noise, WanConditions(text[None], torch.zeros_like(text)))
        write_video(job.path, codec.decode(student.dit.to_latent(x.float())[0]))
        print(f"[wan-sample] {job.path}", flush=True)
