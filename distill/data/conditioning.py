"""The conditioning of prompts: the numbers `Conditions.prompt` holds.

Either prompt labels [LABEL_CHOICES] (models/prompt_classifier.py), or the sentence embedding [P] of the text, which the
compared networks are conditioned on. Which one, a network's `prompt_dim` says.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from distill.config import UserError
from distill.data.packed import Latents
from distill.models.prompt_classifier import (
    LABEL_CHOICES,
    WEIGHTS,
    classifier_call,
    classify_prompts,
    load_prompt_classifier,
    one_hot,
)
from distill.runtime import onnx_session


def caption_conditioning(latents: Latents, prompt_dim: int) -> Tensor:
    """The conditioning of each of a split's captions, for a network of that `prompt_dim`: [captions,P]."""
    if prompt_dim == 0:
        return torch.zeros(len(latents.captions), 0)
    if prompt_dim == LABEL_CHOICES:
        return one_hot(torch.from_numpy(latents.labels()))
    if latents.embeddings.shape[1] != prompt_dim:
        raise UserError(
            f"the network takes prompts of {prompt_dim} numbers; there are sentence embeddings of "
            f"{latents.embeddings.shape[1]} and prompt labels of {LABEL_CHOICES}"
        )
    return torch.from_numpy(latents.embeddings)


def prompt_embedder(prompt_dim: int, classifier: str | Path = WEIGHTS) -> Callable[[list[str]], np.ndarray]:
    """From texts to the conditioning of a network of that `prompt_dim`: float32 [n,P]."""
    from distill.data.prompt_encoder import embed

    if prompt_dim != LABEL_CHOICES:
        return embed
    call = classifier_call(load_prompt_classifier(classifier))
    return lambda texts: classify_prompts(texts, call, embed)


def shipped_prompt_embedder(folder: Path, manifest: dict) -> Callable[[list[str]], np.ndarray]:
    """From texts to the conditioning of a shipped student, by the prompt classifier that ships with it, where one does.
    The manifest calls it `reader`, and its output `reading`."""
    from distill.data.prompt_encoder import embed

    if "reader" not in manifest["files"]:
        return embed
    graph = onnx_session(folder / manifest["files"]["reader"]["path"], torch.get_num_threads())
    call = lambda phrases: graph.run(["reading"], {"phrases": phrases})[0]  # noqa: E731
    return lambda texts: classify_prompts(texts, call, embed)
