"""Teaches a fresh reader (dit.make_reader) what words say, before the teacher trains: a classifier of the setting
(biome, time, weather) on the paraphrases' embeddings, of which only the hidden layer stays. It takes seconds; by the
frames alone, where words are one of many conditions, the same takes hours. The layer trains on with the teacher.

`fit_reader` does the same for a network that has learnt already: a reader taught on other words takes over what the old
one said. So does this stage, for a checkpoint: FILE -> OUT, with its averaged weights.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.config import BaseConfig, UserError
from distill.data import LABELS, Latents
from distill.dit import DiT, make_reader
from distill.keep import with_weights
from distill.training import load_checkpoint, setup, write_checkpoint
from distill.windows import noisy_words


@dataclass
class Config(BaseConfig):
    name: str = "reader"
    file: str = "runs/dmd/student.pt"  # a teacher.pt or student.pt
    out: str = ""  # default: FILE itself
    gains: list[float] = field(default_factory=lambda: [1.2, 3.0, 1.6])  # see `lead`


READING_NOISE = 0.6  # more than the teacher is given: words that were never read are to be near those that were
SIZES = [len(values) for values in LABELS.values()]


def settings_of(latents: Latents) -> tuple[Tensor, Tensor]:
    """Embeddings [n,P] of all paraphrases (without any: of the split's own captions) and their labels [n,3]."""
    if latents.paraphrases is None:
        return torch.from_numpy(latents.embeddings), torch.from_numpy(latents.labels())
    table = torch.from_numpy(latents.paraphrases)
    labels = torch.cartesian_prod(*(torch.arange(size) for size in SIZES)).repeat_interleave(table.shape[3], 0)
    return table.flatten(0, 3), labels


def teach_reader(
    dit: DiT,
    latents: Latents,
    steps: int = 4000,
    batch: int = 512,
    learning_rate: float = 2e-3,
    noise: float = READING_NOISE,
) -> list[float]:
    """Trains `dit.reader`'s hidden layer in place. Returns the share of the paraphrases whose biome, time and weather
    it then finds."""
    device = dit.delta_std.device
    embeddings, labels = (part.to(device) for part in settings_of(latents))
    hidden, answer = dit.reader[0], nn.Linear(dit.config.reader, sum(SIZES)).to(device)
    scale = dit.config.prompt_dim**0.5

    def answers(words: Tensor, dropout: float) -> tuple[Tensor, ...]:
        features = F.dropout(F.silu(hidden(words * scale)), dropout, dropout > 0)
        return answer(features).split(SIZES, 1)

    def loss() -> Tensor:
        chosen = torch.randint(len(labels), (batch,), device=device)
        given = answers(noisy_words(embeddings[chosen], noise), 0.2)
        return sum(F.cross_entropy(g, labels[chosen, i], label_smoothing=0.05) for i, g in enumerate(given))

    descend([*hidden.parameters(), *answer.parameters()], loss, steps, learning_rate)
    with torch.no_grad():
        found = answers(embeddings, 0.0)
    return [(f.argmax(1) == labels[:, i]).float().mean().item() for i, f in enumerate(found)]


def descend(parameters: list[nn.Parameter], loss: Callable[[], Tensor], steps: int, learning_rate: float) -> None:
    """AdamW for `steps` of a loss that draws its own samples, the rate falling to a fiftieth."""
    optimiser = torch.optim.AdamW(parameters, learning_rate, weight_decay=1e-4)
    rate = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.02, steps)
    for _ in range(steps):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
        rate.step()
    optimiser.zero_grad()


def setting_index(labels: Tensor) -> Tensor:
    """Labels [n,3] -> which of all settings, [n]."""
    return (labels[:, 0] * SIZES[1] + labels[:, 1]) * SIZES[2] + labels[:, 2]


def setting_means(before: DiT, latents: Latents) -> Tensor:
    """[settings,D]: what the recordings' words for each setting said on average, as the sum of a part for its biome,
    one for its time and one for its weather: a setting has but some thirty captions."""
    device = before.delta_std.device
    with torch.no_grad():
        said = before.said(torch.from_numpy(latents.embeddings).to(device))
    all_labels = torch.cartesian_prod(*(torch.arange(size) for size in SIZES))
    one_hot = lambda labels: torch.cat([F.one_hot(labels[:, i], n) for i, n in enumerate(SIZES)], 1)  # noqa: E731
    seen = one_hot(torch.from_numpy(latents.labels())).to(said)
    return one_hot(all_labels).to(said) @ (torch.linalg.pinv(seen) @ said)


def principal_axes(means: Tensor, floor: float = 0.3) -> Tensor:
    """[D,k]: what settings [n,D] differ by, each direction in units of its own spread (or of `floor` of the widest), so
    that a time of day, which adds little beside a biome, is heard as well."""
    _, spread, directions = torch.linalg.svd(means - means.mean(0), full_matrices=False)
    scale = spread.clamp(min=floor * spread.max()) / len(means) ** 0.5
    parts = sum(SIZES) - len(SIZES)  # as many directions as biomes, times and weathers differ by
    return (directions / scale[:, None])[:parts].T


def fit_reader(
    dit: DiT,
    before: DiT,
    latents: Latents,
    steps: int = 4000,
    batch: int = 512,
    learning_rate: float = 2e-3,
    noise: float = READING_NOISE,
) -> float:
    """Trains `dit`'s taught reader in place until all words for a setting say alike what the recordings' words for it
    said on average to `before`, and the null prompt what it said. The linear layer beside it is silenced: it passes on
    how a thing was said, which differs from caption to caption nearly as much as settings do. Returns the part of the
    variance that is left unsaid."""
    device = dit.delta_std.device
    means = setting_means(before.to(device), latents)
    axes, size = principal_axes(means), (means - means.mean(0)).square().mean().sqrt()
    with torch.no_grad():
        null, silence = dit.null_prompt[None], before.said(dit.null_prompt[None])
        dit.prompt.weight.zero_()
        dit.prompt.bias.copy_(means.mean(0))
    embeddings, labels = (part.to(device) for part in settings_of(latents))
    which = setting_index(labels)
    scale = dit.config.prompt_dim**0.5

    def loss() -> Tensor:
        chosen = torch.randint(len(which), (batch,), device=device)
        words = torch.cat([noisy_words(embeddings[chosen], noise), null.expand(batch // 20, -1)])
        goal = torch.cat([means[which[chosen]], silence.expand(batch // 20, -1)])
        hidden = F.dropout(F.silu(dit.reader[0](words * scale)), 0.1)
        error = dit.prompt.bias + dit.reader[-1](hidden) - goal
        return (error @ axes).square().mean() + (error / size).square().mean()

    descend(list(dit.reader.parameters()), loss, steps, learning_rate)
    dit.zero_grad()
    with torch.no_grad():
        goal = means[which]
        return ((dit.said(embeddings) - goal).square().sum() / (goal - goal.mean(0)).square().sum()).item()


def teach_anew(dit: DiT, before: DiT | None, latents: Latents, say: Callable[[str], None]) -> None:
    """Teaches `dit`'s reader from nothing; it then says what that of `before` said, where there is one."""
    if before is not None:
        fresh = make_reader(dit.config.prompt_dim, dit.config.reader, dit.config.width)
        dit.reader.load_state_dict(fresh.state_dict())
    found = teach_reader(dit, latents)
    say("the reader finds " + ", ".join(f"{k} {v:.3f}" for k, v in zip(LABELS, found, strict=True)))
    if before is not None:
        say(f"and leaves {fit_reader(dit, before, latents):.3f} of what the words said on average unsaid")


def hold_words(dit: DiT) -> None:
    """Keeps what words say as it is while the rest trains, which muddies it."""
    for part in (dit.prompt, dit.reader):
        if part is not None:
            part.requires_grad_(False)
    dit.null_prompt.requires_grad_(False)


@torch.no_grad()
def lead(dit: DiT, means: Tensor, gains: list[float]) -> None:
    """Lets a fitted reader say more: the parts of its words' biome, time and weather, as `setting_means` [settings,D]
    has them, times `gains`. It is guidance inside the conditioning, at no cost: what adds little to it, as a time of
    day does, is else not heard over a history that says otherwise."""
    away = (means - means.mean(0)).reshape(*SIZES, -1)
    parts = torch.cat([away.mean((1, 2)), away.mean((0, 2)), away.mean((0, 1))])  # [sum(SIZES),D]
    more = torch.tensor(gains, device=means.device).repeat_interleave(torch.tensor(SIZES, device=means.device)) - 1
    turn = torch.eye(parts.shape[1], device=means.device) + torch.linalg.pinv(parts, rtol=1e-4) @ (
        more[:, None] * parts
    )
    last = dit.reader[-1]
    last.weight.copy_((last.weight.T @ turn).T)
    last.bias.copy_(last.bias @ turn)


def run(config: Config) -> None:
    from distill.sampling import load_student, load_teacher

    device = setup(config)
    path, kind = Path(config.file), Path(config.file).stem
    if kind not in ("teacher", "student"):
        raise UserError(f"{path} should be called teacher.pt or student.pt, as training names it")
    latents, saved = Latents(config.data, "train"), load_checkpoint(path, kind)
    network = (load_teacher if kind == "teacher" else load_student)(path).to(device).requires_grad_(True)
    dit = network if kind == "teacher" else network.dit
    if dit.reader is None:
        raise UserError(f"the network in {path} has no reader (reader=0), so there is nothing to teach")
    if len(config.gains) != len(SIZES):
        raise UserError(f"gains are one number for each of {', '.join(LABELS)}, not {config.gains}")
    before = deepcopy(dit)
    teach_anew(dit, before, latents, print)
    lead(dit, setting_means(before, latents), config.gains)
    average = {name: value.cpu() for name, value in network.state_dict().items()}
    write_checkpoint(with_weights(saved, average), Path(config.out) if config.out else path)
