"""What a network makes of readings (phrases.py), and how far they lead it. FILE -> OUT, averaged weights only.

- A network that was trained on sentence embeddings is told readings from now on: each choice says what the recordings'
  words for it said to it on average.
- `gains`: what each biome, time and weather adds to the mean of all, times so much. What adds little to the
  conditioning, as a time of day does, is else not heard over a history that says otherwise. It is guidance inside the
  conditioning, at no cost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from distill.checkpoints import load_checkpoint, write_checkpoint
from distill.config import BaseConfig, UserError
from distill.data.conditioning import recorded_words
from distill.data.packed import LABELS, Latents
from distill.export.weights import with_weights
from distill.models.dit import DiT
from distill.models.prompt_classifier import READING, one_hot
from distill.training.distributed import setup

SIZES = [len(values) for values in LABELS.values()]


@dataclass
class Config(BaseConfig):
    name: str = "lead"
    file: str = "runs/dmd/student.pt"  # a teacher.pt or student.pt
    out: str = ""  # default: FILE itself
    gains: list[float] = field(default_factory=lambda: [1.0, 1.0, 1.0])  # of biome, time and weather


def setting_means(before: DiT, latents: Latents) -> Tensor:
    """[settings,D]: what the recordings' words for each setting said on average, as the sum of a part for its biome,
    one for its time and one for its weather: a setting has but some thirty captions."""
    device = before.delta_std.device
    with torch.no_grad():
        said = before.said(recorded_words(latents, before.config.prompt_dim).to(device))
    all_settings = torch.cartesian_prod(*(torch.arange(size) for size in SIZES))
    seen = one_hot(torch.from_numpy(latents.labels())).to(said)
    return one_hot(all_settings).to(said) @ (torch.linalg.pinv(seen) @ said)


@torch.no_grad()
def speak_as(dit: DiT, before: DiT, latents: Latents, gains: list[float] | None = None) -> None:
    """Lets readings say to `dit` what words said to `before`: their mean over all settings, and what each choice adds
    to the mean, times its gain; `none` of everything says what the null prompt said."""
    means, silence = setting_means(before, latents), before.said(before.null_prompt[None])
    mean = means.mean(0, keepdim=True)
    away = (means - mean).reshape(*SIZES, -1)
    parts = [away.mean((1, 2)), away.mean((0, 2)), away.mean((0, 1))]  # each [size,D]
    none = (silence - mean) / len(SIZES)
    rows = [torch.cat([gain * part, none]) for gain, part in zip(gains or [1.0] * len(SIZES), parts, strict=True)]
    dit.prompt.weight.copy_(torch.cat(rows).T)
    dit.prompt.bias.copy_(mean[0])


def with_readings(saved: dict, kind: str) -> tuple[dict, torch.nn.Module]:
    """A checkpoint's architecture with readings for words, and such a network with its averaged weights elsewhere."""
    from distill.models.one_step_student import make_student
    from distill.models.sampler import split_architecture

    architecture = saved["architecture"] | {"reader": 0, "prompt_dim": READING}
    shape, plan = split_architecture(architecture)
    network = DiT(shape) if kind == "teacher" else make_student(DiT(shape), plan)
    own, average = network.state_dict(), saved["state"]["ema"]["model"]
    fits = lambda name, value: name in own and value.shape == own[name].shape  # noqa: E731
    network.load_state_dict(own | {name: value for name, value in average.items() if fits(name, value)})
    return architecture, network


def run(config: Config) -> None:
    from distill.models.sampler import load_student, load_teacher

    device = setup(config)
    path, kind = Path(config.file), Path(config.file).stem
    if kind not in ("teacher", "student"):
        raise UserError(f"{path} should be called teacher.pt or student.pt, as training names it")
    if len(config.gains) != len(SIZES):
        raise UserError(f"gains are one number for each of {', '.join(LABELS)}, not {config.gains}")
    latents, saved = Latents(config.data, "train"), load_checkpoint(path, kind)
    old = (load_teacher if kind == "teacher" else load_student)(path).to(device)
    architecture, network = with_readings(saved, kind)
    dit, before = (net if kind == "teacher" else net.dit for net in (network.to(device), old))
    speak_as(dit, before, latents, config.gains)
    average = {name: value.cpu() for name, value in network.state_dict().items()}
    write_checkpoint(with_weights(saved | {"architecture": architecture}, average), Path(config.out or path))
