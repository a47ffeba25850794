"""Teaches a network's sorter (words.py) what words are about, by a classifier's loss on the embeddings of the
paraphrases. It takes a minute; by the frames alone, where words are one of many conditions, the same takes hours and
stays muddy.

The teacher begins so. Where a network has learnt already, the new sorter says for each setting what the old words for
it said on average (`setting_means`). So does this stage, for a checkpoint: FILE -> OUT, with its averaged weights, and
lets the finished student's words say more than that (`gains`): what adds little to the conditioning, as a time of day
does, is else not heard over a history that says otherwise. It is guidance inside the conditioning, at no cost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.config import BaseConfig, UserError
from distill.data import LABELS, Latents
from distill.dit import DiT
from distill.keep import with_weights
from distill.training import load_checkpoint, setup, write_checkpoint
from distill.windows import noisy_words
from distill.words import Sorter


@dataclass
class Config(BaseConfig):
    name: str = "reader"
    file: str = "runs/dmd/student.pt"  # a teacher.pt or student.pt
    out: str = ""  # default: FILE itself
    hidden: int = 384
    sharpness: float = 2.0  # of the sorter's choices, over how sure it was taught to be
    gains: list[float] = field(default_factory=lambda: [1.2, 2.0, 1.4])  # how far biome, time and weather lead


READING_NOISE = 0.6  # more than the teacher is given: words that were never read are to be near those that were
SIZES = [len(values) for values in LABELS.values()]


def settings_of(latents: Latents) -> tuple[Tensor, Tensor]:
    """Embeddings [n,P] of all paraphrases (without any: of the split's own captions) and their labels [n,3]."""
    if latents.paraphrases is None:
        return torch.from_numpy(latents.embeddings), torch.from_numpy(latents.labels())
    table = torch.from_numpy(latents.paraphrases)
    labels = torch.cartesian_prod(*(torch.arange(size) for size in SIZES)).repeat_interleave(table.shape[3], 0)
    return table.flatten(0, 3), labels


def teach_sorter(
    dit: DiT,
    latents: Latents,
    steps: int = 4000,
    batch: int = 512,
    learning_rate: float = 2e-3,
    noise: float = READING_NOISE,
) -> list[float]:
    """Trains all of `dit`'s sorter but its table in place; the null prompt is none of anything. Returns the share of
    the paraphrases whose biome, time and weather it then finds."""
    device, sorter = dit.delta_std.device, dit.reader
    embeddings, labels = (part.to(device) for part in settings_of(latents))
    scale = dit.config.prompt_dim**0.5
    null, nothing = dit.null_prompt.detach().expand(batch // 20, -1), torch.tensor(SIZES, device=device)
    learning = [*sorter.hidden.parameters(), *sorter.answer.parameters()]
    optimiser = torch.optim.AdamW(learning, learning_rate, weight_decay=1e-4)
    rate = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.02, steps)
    for _ in range(steps):
        chosen = torch.randint(len(labels), (batch,), device=device)
        words = torch.cat([noisy_words(embeddings[chosen], noise), null])
        right = torch.cat([labels[chosen], nothing.expand(len(null), -1)])
        given = sorter.answers(words * scale, dropout=0.2)
        loss = sum(F.cross_entropy(g, right[:, i], label_smoothing=0.05) for i, g in enumerate(given))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rate.step()
    optimiser.zero_grad()
    with torch.no_grad():
        found = sorter.answers(embeddings * scale)
    return [(f.argmax(1) == labels[:, i]).float().mean().item() for i, f in enumerate(found)]


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


@torch.no_grad()
def fill_table(dit: DiT, before: DiT, latents: Latents, gains: list[float]) -> None:
    """Lets `dit`'s sorter say what words said to `before`: their mean over all settings, the null prompt, and what each
    biome, time and weather adds to the mean, times its gain. The linear layer beside it is silenced: it passes on how a
    thing was said, which differs from caption to caption nearly as much as settings do."""
    means, silence = setting_means(before, latents), before.said(before.null_prompt[None])
    mean = means.mean(0, keepdim=True)
    away = (means - mean).reshape(*SIZES, -1)
    parts = [away.mean((1, 2)), away.mean((0, 2)), away.mean((0, 1))]  # each [size,D]
    none = (silence - mean) / len(SIZES)
    rows = [torch.cat([gain * part, none]) for gain, part in zip(gains, parts, strict=True)]
    dit.reader.table.weight.copy_(torch.cat(rows).T)
    dit.prompt.weight.zero_()
    dit.prompt.bias.copy_(mean[0])


def teach_anew(
    dit: DiT, before: DiT | None, latents: Latents, say: Callable[[str], None], gains: list[float] | None = None
) -> None:
    """Teaches `dit`'s sorter; it then says what words said to `before`, where there is one. Else that is for the
    teacher to learn, and the linear layer beside it starts silent."""
    found = teach_sorter(dit, latents)
    say("of the paraphrases it finds " + ", ".join(f"{k} {v:.3f}" for k, v in zip(LABELS, found, strict=True)))
    if before is None:
        torch.nn.init.zeros_(dit.prompt.weight)
    else:
        fill_table(dit, before, latents, gains or [1.0] * len(SIZES))


def hold_words(dit: DiT) -> None:
    """Keeps how words are read as it is while the rest trains, which muddies it. What a sorter then says of each
    setting goes on learning."""
    reading = [dit.reader.hidden, dit.reader.answer] if isinstance(dit.reader, Sorter) else [dit.reader]
    for part in (dit.prompt, *reading):
        if part is not None:
            part.requires_grad_(False)
    dit.null_prompt.requires_grad_(False)


def with_sorter(saved: dict, kind: str, hidden: int) -> tuple[dict, torch.nn.Module]:
    """A checkpoint's architecture with a sorter, and such a network with its averaged weights elsewhere."""
    from distill.headless import make_student
    from distill.sampling import split_architecture

    architecture = saved["architecture"] | {"reader": hidden, "groups": SIZES}
    shape, plan = split_architecture(architecture)
    network = DiT(shape) if kind == "teacher" else make_student(DiT(shape), plan)
    reader = "reader." if kind == "teacher" else "dit.reader."
    average = saved["state"]["ema"]["model"]
    network.load_state_dict({k: v for k, v in average.items() if not k.startswith(reader)}, strict=False)
    return architecture, network


def run(config: Config) -> None:
    from distill.sampling import load_student, load_teacher

    device = setup(config)
    path, kind = Path(config.file), Path(config.file).stem
    if kind not in ("teacher", "student"):
        raise UserError(f"{path} should be called teacher.pt or student.pt, as training names it")
    if len(config.gains) != len(SIZES):
        raise UserError(f"gains are one number for each of {', '.join(LABELS)}, not {config.gains}")
    latents, saved = Latents(config.data, "train"), load_checkpoint(path, kind)
    old = (load_teacher if kind == "teacher" else load_student)(path).to(device)
    architecture, network = with_sorter(saved, kind, config.hidden)
    dit, before = (net if kind == "teacher" else net.dit for net in (network.to(device), old))
    teach_anew(dit, before, latents, print, config.gains)
    with torch.no_grad():
        for part in dit.reader.answer.parameters():
            part.mul_(config.sharpness)
    average = {name: value.cpu() for name, value in network.state_dict().items()}
    write_checkpoint(with_weights(saved | {"architecture": architecture}, average), Path(config.out or path))
