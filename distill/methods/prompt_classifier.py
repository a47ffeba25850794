"""Teaches what reads the words (phrases.py): from the phrases and paraphrases of the training text alone, in a minute.

A network that dreams has no part in it: it is told readings, and never sees a word.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from distill.config import BaseConfig, UserError
from distill.data.conditioning import READER
from distill.data.packed import LABELS
from distill.models.prompt_classifier import (
    PhraseReader,
    ReaderConfig,
    lesson,
    network_reader,
    read,
    save_reader,
    teach,
)
from distill.training.distributed import setup


@dataclass
class Config(BaseConfig):
    name: str = "reader"
    phrases: str = "distill/phrases.json"
    paraphrases: str = "distill/paraphrases.json"
    out: str = READER
    each: int = 1  # runs of words from each paraphrase
    hidden: int = 128
    members: int = 8
    steps: int = 1500
    noise: float = 0.5  # on embeddings, as a part of their length: words that were never read are to be near others
    checked: int = 400  # paraphrases that are read at the end


def run(config: Config) -> None:
    from distill.data.prompt_encoder import embed

    setup(config)
    torch.manual_seed(config.seed)
    phrases, paraphrases = (json.loads(Path(path).read_text()) for path in (config.phrases, config.paraphrases))
    if list(phrases) != list(LABELS) or any(tuple(phrases[name]) != tuple(LABELS[name]) for name in LABELS):
        raise UserError(
            f"{config.phrases} must name {', '.join(LABELS)} as the world does; remake it (scripts/captions.ts)"
        )
    taught = lesson(phrases, paraphrases, config.each, config.seed)
    print(f"[reader] {len(taught.texts)} pieces of text, {len(set(taught.texts))} different ones", flush=True)
    embeddings, labels = torch.from_numpy(embed(taught.texts)), torch.from_numpy(taught.labels)
    reader = PhraseReader(ReaderConfig(embeddings.shape[1], config.hidden, config.members))
    teach(reader, embeddings, labels, taught.phrases, config.steps, noise=config.noise)
    save_reader(reader, config.out)
    some = [(text, setting) for setting in paraphrases for text in setting["texts"][: 1 + config.checked // 80]]
    found, first = torch.from_numpy(read([text for text, _ in some], network_reader(reader.eval()), embed)), 0
    for name, values in LABELS.items():
        right = [values.index(setting[name]) for _, setting in some]
        choices = found[:, first : first + len(values) + 1]
        share = (choices.argmax(1) == torch.tensor(right)).float().mean().item()
        print(f"[reader] {name} of {len(some)} paraphrases: {share:.3f} right")
        first += len(values) + 1
    print(f"[reader] written: {config.out}")
