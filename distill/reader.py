"""Teaches a fresh reader (dit.make_reader) what words say, before the teacher trains: a classifier of the setting
(biome, time, weather) on the paraphrases' embeddings, of which only the hidden layer stays. It takes seconds; by the
frames alone, where words are one of many conditions, the same takes hours. The layer trains on with the teacher.

`fit_reader` does the same for a teacher that has learnt already: a reader taught on other words takes over what the old
one said.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.data import LABELS, Latents
from distill.dit import DiT
from distill.windows import noisy_words

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
    optimiser = torch.optim.AdamW([*hidden.parameters(), *answer.parameters()], learning_rate, weight_decay=1e-4)
    rate = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.02, steps)

    def answers(words: Tensor, dropout: float) -> tuple[Tensor, ...]:
        features = F.dropout(F.silu(hidden(words * scale)), dropout, dropout > 0)
        return answer(features).split(SIZES, 1)

    for _ in range(steps):
        chosen = torch.randint(len(labels), (batch,), device=device)
        given = answers(noisy_words(embeddings[chosen], noise), 0.2)
        parts = [F.cross_entropy(g, labels[chosen, i], label_smoothing=0.05) for i, g in enumerate(given)]
        optimiser.zero_grad()
        sum(parts).backward()
        optimiser.step()
        rate.step()
    dit.reader.zero_grad()
    with torch.no_grad():
        found = answers(embeddings, 0.0)
    return [(f.argmax(1) == labels[:, i]).float().mean().item() for i, f in enumerate(found)]


def setting_index(labels: Tensor) -> Tensor:
    """Labels [n,3] -> which of all settings, [n]."""
    return (labels[:, 0] * SIZES[1] + labels[:, 1]) * SIZES[2] + labels[:, 2]


@torch.no_grad()
def fit_reader(
    dit: DiT, before: DiT, latents: Latents, copies: int = 4, noise: float = READING_NOISE, ridge: float = 1e-3
) -> float:
    """Fits the output layer of `dit`'s taught reader in place, by least squares: all words for a setting say what the
    recordings' words for it said on average to `before`, and the null prompt what it said. Returns the part of the
    variance that is left unsaid."""
    device = dit.delta_std.device
    said = before.to(device).said(torch.from_numpy(latents.embeddings).to(device))
    which = setting_index(torch.from_numpy(latents.labels())).to(device)
    means = torch.zeros(SIZES[0] * SIZES[1] * SIZES[2], said.shape[1], device=device).index_add(0, which, said)
    counts = torch.bincount(which, minlength=len(means))[:, None]
    means = torch.where(counts > 0, means / counts.clamp(min=1), said.mean(0))
    embeddings, labels = (part.to(device) for part in settings_of(latents))
    goal = means[setting_index(labels)]
    words = torch.cat([noisy_words(embeddings, noise) for _ in range(copies)])
    null = dit.null_prompt[None].expand(len(words) // 20, -1)
    rows = torch.cat([words, null])
    goals = torch.cat([goal.repeat(copies, 1), before.said(null)])
    scale = dit.config.prompt_dim**0.5
    hidden = F.silu(dit.reader[0](rows * scale))
    features = torch.cat([hidden, torch.ones_like(hidden[:, :1])], 1).double()
    wanted = (goals - dit.prompt(rows)).double()
    square = features.T @ features
    square += ridge * len(features) * torch.eye(len(square), device=device, dtype=square.dtype)
    solved = torch.linalg.solve(square, features.T @ wanted).float()
    dit.reader[-1].weight.copy_(solved[:-1].T)
    dit.reader[-1].bias.copy_(solved[-1])
    return ((dit.said(embeddings) - goal).square().sum() / (goal - goal.mean(0)).square().sum()).item()
