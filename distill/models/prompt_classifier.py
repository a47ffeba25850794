"""The prompt classifier: from words to prompt labels, one choice each of biome, time and weather, or none.

The embedding of a whole sentence is a mean over its tokens: what a caption says of the time of day is hard to find in
it, and harder where the words are new. So a prompt is taken apart into all its phrases of up to five words, each is
embedded by itself, a small network says what each is about, and the surest decide. The labels are all that a dreaming
network sees of the words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from distill.atomic import write_tensors
from distill.config import UserError
from distill.world import LABELS

LONGEST = 5  # words of a phrase
WORDS = 40  # of a prompt; what is beyond is not read
LABEL_SIZES = [len(values) + 1 for values in LABELS.values()]  # choices of biome, time and weather; the last is `none`
LABEL_CHOICES = sum(LABEL_SIZES)
VOTE = 8  # the power of a phrase's choice: what is sure outvotes what is not
WEIGHTS = "distill/weights/prompt-classifier.safetensors"


def phrases_of(text: str) -> list[str]:
    """All runs of up to LONGEST words of `text`, none across punctuation, each once. As src/model/prompt/phrases.ts."""
    found: dict[str, None] = {}
    left = WORDS
    for clause in re.split(r"[,.;:!?]+(?=\s|$)", text.lower()):
        words = clause.split()[:left]
        left -= len(words)
        for first in range(len(words)):
            for last in range(first + 1, min(len(words), first + LONGEST) + 1):
                found[" ".join(words[first:last])] = None
    return list(found) or [text]


def one_hot(labels: Tensor) -> Tensor:
    """labels int64 [n,3] of biome, time and weather, the last choice for none -> prompt labels [n,LABEL_CHOICES]."""
    parts = [torch.nn.functional.one_hot(labels[:, i], size) for i, size in enumerate(LABEL_SIZES)]
    return torch.cat(parts, 1).float()


def no_labels() -> Tensor:
    """The labels of no words at all: [LABEL_CHOICES]."""
    return one_hot(torch.tensor([[size - 1 for size in LABEL_SIZES]]))[0]


@dataclass
class PromptClassifierConfig:
    dim: int = 384  # of the embeddings
    hidden: int = 128
    members: int = 8  # networks that are averaged: what one alone makes of new words depends on its start


class PromptClassifier(nn.Module):
    """Unit embeddings [n,dim] of one prompt's phrases -> its labels [1,LABEL_CHOICES]; each group sums to 1."""

    def __init__(self, config: PromptClassifierConfig):
        super().__init__()
        self.config = config
        self.hidden = nn.Linear(config.dim, config.members * config.hidden)
        self.answer = nn.Parameter(torch.zeros(config.members, config.hidden, LABEL_CHOICES))
        self.offset = nn.Parameter(torch.zeros(config.members, 1, LABEL_CHOICES))
        nn.init.normal_(self.answer, std=config.hidden**-0.5)

    def logits(self, phrases: Tensor, dropout: float = 0.0) -> Tensor:
        """[members,n,LABEL_CHOICES]"""
        config = self.config
        features = nn.functional.silu(self.hidden(phrases * config.dim**0.5))
        features = nn.functional.dropout(features, dropout, dropout > 0)
        features = features.reshape(-1, config.members, config.hidden).transpose(0, 1)
        return features @ self.answer + self.offset

    def choices(self, phrases: Tensor) -> list[Tensor]:
        """What each phrase is about: probabilities [n,size] for each group."""
        split = self.logits(phrases).split(LABEL_SIZES, 2)
        return [part.softmax(2).mean(0) for part in split]

    def forward(self, phrases: Tensor) -> Tensor:
        return torch.cat([vote(choices) for choices in self.choices(phrases)], 1)


def vote(choices: Tensor) -> Tensor:
    """One group's choices of n phrases [n,size] -> those of the prompt [1,size]: `none` is as likely as in the phrase
    that is least so, VOTE times as sure either way, and the rest is shared by the sums of VOTE-th powers."""
    none = choices[:, -1:].amin(0, keepdim=True)
    none = none**VOTE / (none**VOTE + (1 - none) ** VOTE)
    votes = (choices[:, :-1] ** VOTE).sum(0, keepdim=True) + 1e-12
    return torch.cat([(1 - none) * votes / votes.sum(1, keepdim=True), none], 1)


def save_prompt_classifier(classifier: PromptClassifier, path: str | Path) -> None:
    """At half precision, as it is exported."""
    shape = {name: str(value) for name, value in asdict(classifier.config).items()}
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_tensors(Path(path), {name: value.half() for name, value in classifier.state_dict().items()}, shape)


def load_prompt_classifier(path: str | Path = WEIGHTS) -> PromptClassifier:
    """Raises UserError where it was not trained."""
    from safetensors import safe_open

    if not Path(path).is_file():
        raise UserError(f"there is no prompt classifier at {path}; train one with the `prompt-classifier` stage")
    with safe_open(path, "pt") as file:
        shape = {name: int(value) for name, value in file.metadata().items()}
        classifier = PromptClassifier(PromptClassifierConfig(**shape))
        classifier.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    return classifier.eval().requires_grad_(False)


def classify_prompts(
    texts: list[str], classify: Callable[[np.ndarray], np.ndarray], embed: Callable[[list[str]], np.ndarray]
) -> np.ndarray:
    """Prompt labels float32 [len(texts),LABEL_CHOICES]; `classify` takes the embeddings of one text's phrases, as
    `classifier_call` does and the exported graph."""
    taken = [phrases_of(text) for text in texts]
    rows = {phrase: row for row, phrase in enumerate(dict.fromkeys(phrase for part in taken for phrase in part))}
    embeddings = embed(list(rows))
    labels = [classify(embeddings[[rows[phrase] for phrase in part]]) for part in taken]
    return np.concatenate(labels) if labels else np.zeros((0, LABEL_CHOICES), np.float32)


def classifier_call(classifier: PromptClassifier) -> Callable[[np.ndarray], np.ndarray]:
    """Embeddings float32 [n,dim] of one text's phrases -> its labels [1,LABEL_CHOICES]."""

    def call(phrases: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return classifier(torch.from_numpy(phrases)).numpy()

    return call
