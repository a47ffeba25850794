"""What a network is told of the words: the numbers `Conditions.prompt` holds.

Either the sentence embedding [P] of the text, which the network must learn to make sense of (the teacher of before, the
compared rows), or the reading of it (phrases.py): one choice each of biome, time and weather, [READING]. Which one, a
network's `prompt_dim` says.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from distill.config import UserError
from distill.data.packed import Latents
from distill.models.prompt_classifier import READING, load_reader, network_reader, one_hot, read

READER = "distill/weights/reader.safetensors"


class Reader(nn.Sequential):
    """[B,P] -> [B,D] by way of a hidden layer, beside the linear one: for sentence embeddings, which say a time of day
    or a weather only to a network that is not linear in them."""

    def __init__(self, prompt_dim: int, hidden: int, width: int):
        super().__init__(nn.Linear(prompt_dim, hidden), nn.SiLU(), nn.Linear(hidden, width))

    def silence(self) -> None:
        nn.init.zeros_(self[-1].weight)
        nn.init.zeros_(self[-1].bias)


def recorded_words(latents: Latents, prompt_dim: int) -> Tensor:
    """What a network of that `prompt_dim` is told of each of a split's captions: [captions,P]."""
    if prompt_dim == READING:
        return one_hot(torch.from_numpy(latents.labels()))
    if latents.embeddings.shape[1] != prompt_dim:
        raise UserError(
            f"the network takes prompts of {prompt_dim} numbers; there are sentence embeddings of "
            f"{latents.embeddings.shape[1]} and readings of {READING}"
        )
    return torch.from_numpy(latents.embeddings)


def told(prompt_dim: int, reader: str | Path = READER) -> Callable[[list[str]], np.ndarray]:
    """From texts to what a network of that `prompt_dim` is told of them: float32 [n,P]."""
    from distill.data.prompt_encoder import embed

    if prompt_dim != READING:
        return embed
    reads = network_reader(load_reader(reader))
    return lambda texts: read(texts, reads, embed)


def hold_words(dit: nn.Module) -> None:
    """Keeps how sentence embeddings are understood as it is while the rest trains: video teaches words badly. Readings
    are exact; what each of their choices says goes on learning."""
    if dit.config.prompt_dim != READING:
        for part in (dit.prompt, dit.reader):
            if part is not None:
                part.requires_grad_(False)
    dit.null_prompt.requires_grad_(False)
