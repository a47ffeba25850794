"""Teaches a fresh reader (dit.make_reader) what words say, before the teacher trains: a classifier of the setting
(biome, time, weather) on the paraphrases' embeddings, of which only the hidden layer stays. It takes seconds; by the
frames alone, where words are one of many conditions, the same takes hours. The layer trains on with the teacher.
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
    steps: int = 1500,
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
