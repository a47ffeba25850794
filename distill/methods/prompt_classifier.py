"""Trains the prompt classifier (models/prompt_classifier.py) on the phrases and paraphrases of the training text alone,
in a minute."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from distill.config import BaseConfig, UserError
from distill.data.latents import read_paraphrases
from distill.distributed import setup
from distill.models.prompt_classifier import (
    LABEL_SIZES,
    LONGEST,
    WEIGHTS,
    PromptClassifier,
    PromptClassifierConfig,
    classifier_call,
    classify_prompts,
    save_prompt_classifier,
)
from distill.world import LABELS

SURE = 0.95
WITH_OTHERS = 0.6
PART = (0.3, 0.4)  # of what the whole phrase says, and of nothing
PART_WEIGHT = 0.5
NAMED = 10  # how often the bare name of a setting is among the phrases: the shortest prompts hold nothing else


@dataclass
class Config(BaseConfig):
    name: str = "prompt-classifier"
    phrases: str = "distill/phrases.json"
    paraphrases: str = "distill/paraphrases.json.gz"
    out: str = WEIGHTS
    each: int = 1  # runs of words from each paraphrase
    hidden: int = 128
    members: int = 8
    steps: int = 3000
    noise: float = 0.5  # on embeddings, as a part of their length: new words are to be near known ones
    checked: int = 400  # paraphrases that are classified at the end


@dataclass
class TrainingSet:
    """Pieces of text and what they are about: for biome, time and weather, float32 [n,size] of how likely each choice
    is, the last being none. A row counts as much as it adds up to; one of zeros says nothing. The first `phrases` are
    phrases of the world, the others runs of words out of captions."""

    texts: list[str]
    targets: list[np.ndarray]
    phrases: int


def training_set(
    phrases: dict[str, dict[str, list[str]]], paraphrases: list[dict], each: int, seed: int = 0
) -> TrainingSet:
    """Every phrase for itself, and `each` runs of words from each paraphrase, see `about`."""
    rng, names = np.random.default_rng(seed), list(LABELS)
    texts, targets = [], []
    for group, name in enumerate(names):
        for value, (title, called) in enumerate(phrases[name].items()):
            said = [(0, 1) if other == group else (1, 2) for other in range(len(names))]
            row = [about(0, 1, part, value, size) for part, size in zip(said, LABEL_SIZES, strict=True)]
            texts += [*called, *[title] * NAMED]
            targets += [row] * (len(called) + NAMED)
    count = len(texts)
    words = lambda text: tuple(re.sub(r"[,.;:!?]+(?=\s|$)", "", text.lower()).split())  # noqa: E731
    known = {
        (name, value): sorted({words(phrase) for phrase in called}, key=len, reverse=True)
        for name in names
        for value, called in phrases[name].items()
    }
    for setting in paraphrases:
        values = [list(phrases[name]).index(setting[name]) for name in names]
        for text in setting["texts"]:
            said = words(text)
            places = [place(said, known[name, setting[name]]) for name in names]
            for _ in range(each):
                first = int(rng.integers(len(said)))
                last = min(len(said), first + 1 + int(rng.integers(LONGEST)))
                texts.append(" ".join(said[first:last]))
                targets.append([about(first, last, *part) for part in zip(places, values, LABEL_SIZES, strict=True)])
    return TrainingSet(texts, [np.stack(rows) for rows in zip(*targets, strict=True)], count)


def place(words: tuple[str, ...], phrases: list[tuple[str, ...]]) -> tuple[int, int] | None:
    """Where the first of `phrases` that is there stands in `words`."""
    for phrase in phrases:
        for first in range(len(words) - len(phrase) + 1):
            if words[first : first + len(phrase)] == phrase:
                return first, first + len(phrase)
    return None


def about(first: int, last: int, said: tuple[int, int] | None, value: int, size: int) -> np.ndarray:
    """What the words from `first` to `last` are about, where those from said[0] to said[1] say `value`: [size]. Just
    those words are surely about it, and words without any of them about none. With others around them they are less
    sure, and a part of them may be about anything: where words are new, whole phrases outvote what lies across them."""
    target, weight = np.zeros(size, np.float32), 1.0
    if said is None:
        return target
    if last <= said[0] or said[1] <= first:
        target[-1] = SURE
    elif (first, last) == said:
        target[value] = SURE
    elif first <= said[0] and said[1] <= last:
        target[value] = WITH_OTHERS
    else:
        target[value], target[-1] = PART
        weight = PART_WEIGHT
    return weight * (target + (1 - target.sum()) / size)


def fit(
    classifier: PromptClassifier,
    embeddings: Tensor,
    targets: list[Tensor],
    phrases: int,
    steps: int = 1500,
    batch: int = 256,
    learning_rate: float = 2e-3,
    noise: float = 0.5,
    dropout: float = 0.2,
) -> None:
    """Trains `classifier` in place; embeddings [n,dim], targets as a `TrainingSet` has them. Half of each batch are the
    first `phrases`: among many more runs of words that say nothing, new ones would seem to say nothing too."""
    members = classifier.config.members
    optimiser = torch.optim.AdamW(classifier.parameters(), learning_rate, weight_decay=1e-4)
    rate = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.02, steps)
    for _ in range(steps):
        chosen = torch.cat([torch.randint(phrases, (batch // 2,)), torch.randint(len(embeddings), (batch // 2,))])
        drawn = embeddings[chosen]
        drawn = drawn + torch.randn_like(drawn) * noise / drawn.shape[1] ** 0.5
        given = classifier.logits(nn.functional.normalize(drawn, dim=1), dropout)
        loss = 0.0
        for part, target in zip(given.split(LABEL_SIZES, 2), targets, strict=True):
            right = target[chosen]
            loss = loss - (right * part.log_softmax(2)).sum() / (members * right.sum())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rate.step()


def run(config: Config) -> None:
    from distill.data.prompt_encoder import embed

    setup(config)
    torch.manual_seed(config.seed)
    phrases, paraphrases = json.loads(Path(config.phrases).read_text()), read_paraphrases(config.paraphrases)
    if list(phrases) != list(LABELS) or any(tuple(phrases[name]) != tuple(LABELS[name]) for name in LABELS):
        raise UserError(
            f"{config.phrases} must name {', '.join(LABELS)} as the world does; remake it (scripts/captions.ts)"
        )
    examples = training_set(phrases, paraphrases, config.each, config.seed)
    print(
        f"[prompt-classifier] {len(examples.texts)} pieces of text, {len(set(examples.texts))} different ones",
        flush=True,
    )
    embeddings, targets = torch.from_numpy(embed(examples.texts)), [torch.from_numpy(t) for t in examples.targets]
    classifier = PromptClassifier(PromptClassifierConfig(embeddings.shape[1], config.hidden, config.members))
    fit(classifier, embeddings, targets, examples.phrases, config.steps, noise=config.noise)
    save_prompt_classifier(classifier, config.out)
    some = [(text, setting) for setting in paraphrases for text in setting["texts"][: 1 + config.checked // 80]]
    texts = [text for text, _ in some]
    found, first = torch.from_numpy(classify_prompts(texts, classifier_call(classifier.eval()), embed)), 0
    for name, values in LABELS.items():
        right = [values.index(setting[name]) for _, setting in some]
        choices = found[:, first : first + len(values) + 1]
        share = (choices.argmax(1) == torch.tensor(right)).float().mean().item()
        print(f"[prompt-classifier] {name} of {len(some)} paraphrases: {share:.3f} right")
        first += len(values) + 1
    print(f"[prompt-classifier] written: {config.out}")
