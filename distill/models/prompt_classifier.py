"""How words are read: phrase by phrase, one choice each of biome, time and weather, with `none` where nothing is said.

The embedding of a whole sentence is a mean over its tokens, in which "in the gloaming" is a few of many: what a caption
says of the time of day is hard to find in it, and harder where the words are new. So a prompt is taken apart into all
its runs of up to five words, each is embedded by itself, a small network says what each is about, and those that are
sure of something decide. What comes out, the reading, is all that a dreaming network is told of the words.
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
from distill.data.packed import LABELS

LONGEST = 5  # words of a phrase
WORDS = 40  # of a prompt; what is beyond is not read
GROUPS = [len(values) + 1 for values in LABELS.values()]  # choices of biome, time and weather; the last is `none`
READING = sum(GROUPS)
NAMED = 10  # how often the bare name of a setting is among the phrases: the shortest prompts hold nothing else
VOTE = 8  # the power of a phrase's choice: what is sure outvotes what is not


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
    """labels int64 [n,3] of biome, time and weather, the group's size for none -> readings [n,READING]."""
    parts = [torch.nn.functional.one_hot(labels[:, i], size) for i, size in enumerate(GROUPS)]
    return torch.cat(parts, 1).float()


def nothing() -> Tensor:
    """The reading of no words at all: [READING]."""
    return one_hot(torch.tensor([[size - 1 for size in GROUPS]]))[0]


@dataclass
class ReaderConfig:
    dim: int = 384  # of the embeddings
    hidden: int = 128
    members: int = 8  # networks that are averaged: one alone reads new words as its start has it


class PhraseReader(nn.Module):
    """Embeddings [n,dim] of unit norm, of one prompt's phrases -> its reading [1,READING]; each group sums to 1."""

    def __init__(self, config: ReaderConfig):
        super().__init__()
        self.config = config
        self.hidden = nn.Linear(config.dim, config.members * config.hidden)
        self.answer = nn.Parameter(torch.zeros(config.members, config.hidden, READING))
        self.offset = nn.Parameter(torch.zeros(config.members, 1, READING))
        nn.init.normal_(self.answer, std=config.hidden**-0.5)

    def logits(self, phrases: Tensor, dropout: float = 0.0) -> Tensor:
        """[members,n,READING]"""
        config = self.config
        features = nn.functional.silu(self.hidden(phrases * config.dim**0.5))
        features = nn.functional.dropout(features, dropout, dropout > 0)
        features = features.reshape(-1, config.members, config.hidden).transpose(0, 1)
        return features @ self.answer + self.offset

    def choices(self, phrases: Tensor) -> list[Tensor]:
        """What each phrase is about: probabilities [n,size] for each group."""
        split = self.logits(phrases).split(GROUPS, 2)
        return [part.softmax(2).mean(0) for part in split]

    def forward(self, phrases: Tensor) -> Tensor:
        return torch.cat([vote(choices) for choices in self.choices(phrases)], 1)


def vote(choices: Tensor) -> Tensor:
    """One group's choices of n phrases [n,size] -> those of the prompt [1,size]: `none` is as likely as in the phrase
    that is least so, twice as sure either way, and the rest is shared by the sums of VOTE-th powers."""
    none = choices[:, -1:].amin(0, keepdim=True)
    none = none**2 / (none**2 + (1 - none) ** 2)
    votes = (choices[:, :-1] ** VOTE).sum(0, keepdim=True) + 1e-12
    return torch.cat([(1 - none) * votes / votes.sum(1, keepdim=True), none], 1)


# -- teaching -----------------------------------------------------------------------------------------------------


@dataclass
class Lesson:
    """Pieces of text and what they are about: labels int64 [n,3], the group's size for none, -1 for who knows. The
    first `phrases` are phrases of the world, the others runs of words out of captions."""

    texts: list[str]
    labels: np.ndarray
    phrases: int


def lesson(phrases: dict[str, dict[str, list[str]]], paraphrases: list[dict], each: int, seed: int = 0) -> Lesson:
    """Every phrase for itself, and `each` runs of words from each paraphrase: one with the whole of what is said of the
    time is about that time, one with none of it is about none, and of one with a piece nobody knows."""
    rng, names = np.random.default_rng(seed), list(LABELS)
    unsaid = [size - 1 for size in GROUPS]
    texts, labels = [], []
    for group, name in enumerate(names):
        for value, (title, called) in enumerate(phrases[name].items()):
            texts += [*called, *[title] * NAMED]
            labels += [[*unsaid[:group], value, *unsaid[group + 1 :]]] * (len(called) + NAMED)
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
                labels.append([about(first, last, *part) for part in zip(places, values, unsaid, strict=True)])
    return Lesson(texts, np.array(labels), count)


def place(words: tuple[str, ...], phrases: list[tuple[str, ...]]) -> tuple[int, int] | None:
    """Where the first of `phrases` that is there stands in `words`."""
    for phrase in phrases:
        for first in range(len(words) - len(phrase) + 1):
            if words[first : first + len(phrase)] == phrase:
                return first, first + len(phrase)
    return None


def about(first: int, last: int, said: tuple[int, int] | None, value: int, none: int) -> int:
    if said is None:
        return -1
    if first <= said[0] and said[1] <= last:
        return value
    return none if last <= said[0] or said[1] <= first else -1


def teach(
    reader: PhraseReader,
    embeddings: Tensor,
    labels: Tensor,
    phrases: int,
    steps: int = 1500,
    batch: int = 256,
    learning_rate: float = 2e-3,
    noise: float = 0.5,
    dropout: float = 0.2,
    smoothing: float = 0.05,
) -> None:
    """Trains `reader` in place; embeddings [n,dim], labels [n,3] with -1 for who knows. Half of each batch are the
    first `phrases`: among many more runs of words that say nothing, new ones would seem to say nothing too."""
    members = reader.config.members
    optimiser = torch.optim.AdamW(reader.parameters(), learning_rate, weight_decay=1e-4)
    rate = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.02, steps)
    for _ in range(steps):
        chosen = torch.cat([torch.randint(phrases, (batch // 2,)), torch.randint(len(labels), (batch // 2,))])
        drawn = embeddings[chosen]
        drawn = drawn + torch.randn_like(drawn) * noise / drawn.shape[1] ** 0.5
        given = reader.logits(nn.functional.normalize(drawn, dim=1), dropout)
        right = labels[chosen].repeat(members, 1)
        loss = sum(
            nn.functional.cross_entropy(part.flatten(0, 1), right[:, i], ignore_index=-1, label_smoothing=smoothing)
            for i, part in enumerate(given.split(GROUPS, 2))
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rate.step()


# -- use ----------------------------------------------------------------------------------------------------------


def save_reader(reader: PhraseReader, path: str | Path) -> None:
    shape = {name: str(value) for name, value in asdict(reader.config).items()}
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_tensors(Path(path), reader.state_dict(), shape)


def load_reader(path: str | Path) -> PhraseReader:
    from safetensors import safe_open

    if not Path(path).is_file():
        raise UserError(f"there is no reader of words at {path}; teach one with the `reader` stage")
    with safe_open(path, "pt") as file:
        reader = PhraseReader(ReaderConfig(**{name: int(value) for name, value in file.metadata().items()}))
        reader.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    return reader.eval().requires_grad_(False)


def read(
    texts: list[str], reader: Callable[[np.ndarray], np.ndarray], embed: Callable[[list[str]], np.ndarray]
) -> np.ndarray:
    """Readings float32 [len(texts),READING]; `reader` takes the embeddings of one text's phrases, as `network_reader`
    does and the exported graph."""
    taken = [phrases_of(text) for text in texts]
    rows = {phrase: row for row, phrase in enumerate(dict.fromkeys(phrase for part in taken for phrase in part))}
    embeddings = embed(list(rows))
    readings = [reader(embeddings[[rows[phrase] for phrase in part]]) for part in taken]
    return np.concatenate(readings) if readings else np.zeros((0, READING), np.float32)


def network_reader(reader: PhraseReader) -> Callable[[np.ndarray], np.ndarray]:
    """Embeddings float32 [n,dim] of one text's phrases -> its reading [1,READING]."""

    def reads(phrases: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return reader(torch.from_numpy(phrases)).numpy()

    return reads
