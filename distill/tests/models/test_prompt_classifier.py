"""Taking text apart, what its pieces are about, and how they vote."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from distill.methods.prompt_classifier import NAMED, PART_WEIGHT, about, training_set
from distill.models.prompt_classifier import (
    LABEL_SIZES,
    PromptClassifier,
    PromptClassifierConfig,
    no_labels,
    one_hot,
    phrases_of,
    vote,
)
from distill.world import LABELS

GOLDEN = Path(__file__).resolve().parents[3] / "src" / "model" / "prompt" / "phrases.golden.json"


def test_text_is_taken_apart_as_in_the_browser():
    for case in json.loads(GOLDEN.read_text("utf-8")):
        assert phrases_of(case["text"]) == case["phrases"], case["text"]


def test_only_the_first_words_of_a_long_text_are_read():
    words = [f"w{i}" for i in range(50)]
    found = phrases_of(" ".join(words))
    assert "w39" in found and not any("w40" in phrase for phrase in found)
    assert len(found) == 190 and max(len(phrase.split()) for phrase in found) == 5


def test_a_run_of_words_is_about_what_it_holds_surest_where_it_holds_nothing_else():
    whole, more = about(1, 3, (1, 3), 2, 9), about(0, 4, (1, 3), 2, 9)
    assert whole.argmax() == more.argmax() == 2 and whole[2] > 0.9 > more[2] > 0.5
    for apart in (about(0, 1, (1, 3), 2, 9), about(3, 4, (1, 3), 2, 9)):
        assert apart.argmax() == 8 and apart[8] > 0.9 and apart.sum() == pytest.approx(1)
    part = about(0, 2, (1, 3), 2, 9)
    assert part.max() < 0.5 and part.sum() == pytest.approx(PART_WEIGHT)
    assert not about(0, 2, None, 2, 9).any()


def test_a_training_set_begins_with_the_phrases_and_knows_what_runs_are_about():
    phrases = {name: {value: [f"{value} {name}"] for value in values} for name, values in LABELS.items()}
    texts = ["here snow biome, dusk time and rain weather"]
    examples = training_set(phrases, [{"biome": "snow", "time": "dusk", "weather": "rain", "texts": texts}], each=200)
    count = 13 * (1 + NAMED)
    assert examples.phrases == count and len(examples.texts) == count + 200
    assert [target.shape for target in examples.targets] == [(count + 200, size) for size in LABEL_SIZES]
    likeliest = np.stack([target.argmax(1) for target in examples.targets], 1)
    none = [size - 1 for size in LABEL_SIZES]
    assert examples.texts[:2] == ["meadow biome", "meadow"] and likeliest[0].tolist() == [0, *none[1:]]
    seen = {text: label.tolist() for text, label in zip(examples.texts[count:], likeliest[count:], strict=True)}
    assert seen["here"] == none and seen["and"] == none
    assert seen["here snow biome"] == [LABELS["biome"].index("snow"), *none[1:]]
    assert seen["dusk time and"] == [none[0], LABELS["time"].index("dusk"), none[2]]


def test_the_surest_phrase_decides_and_none_only_where_all_say_none():
    choices = torch.tensor([[0.05, 0.05, 0.9], [0.3, 0.1, 0.6], [0.01, 0.95, 0.04]])
    said = vote(choices)[0]
    assert said.argmax() == 1 and said[1] > 0.99 and abs(said.sum() - 1) < 1e-5
    assert vote(choices[:1])[0, 2] > 0.98
    assert torch.equal(vote(choices), vote(choices.flip(0)))


def test_the_labels_of_a_prompt():
    assert no_labels().tolist() == one_hot(torch.tensor([[5, 4, 4]]))[0].tolist() and no_labels().sum() == 3
    torch.manual_seed(0)
    network = PromptClassifier(PromptClassifierConfig(dim=8, hidden=4, members=3))
    labels = network(torch.nn.functional.normalize(torch.randn(7, 8), dim=1))
    assert labels.shape == (1, sum(LABEL_SIZES))
    np.testing.assert_allclose([part.sum().item() for part in labels.split(LABEL_SIZES, 1)], 1, atol=1e-5)
