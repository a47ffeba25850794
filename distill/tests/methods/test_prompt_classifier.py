"""The prompt classifier is trained, and a teacher is conditioned on its labels."""

import json

import numpy as np
import pytest

from distill.config import UserError, load_config
from distill.data import prompt_encoder as prompt
from distill.data.conditioning import prompt_embedder
from distill.methods import prompt_classifier, teacher
from distill.models.prompt_classifier import LABEL_CHOICES, LABEL_SIZES, load_prompt_classifier
from distill.models.sampler import load_teacher
from distill.tests.tiny import write_world
from distill.world import LABELS

SHAPE = ["network=dit", "columns=3", "width=24", "blocks=3", "heads=2", "frequencies=8"]
SHAPE += ["offsets=[1,2,4,8]", "batch=8", "codec=none", "loss_power=0"]
WORDS = {name: {value: [value, f"{value} {name}"] for value in values} for name, values in LABELS.items()}


def fake_embed(texts: list[str]) -> np.ndarray:
    """Each word has a direction of its own, a text their sum."""
    vectors = []
    for text in texts:
        words = [np.random.default_rng(list(word.encode())).standard_normal(64) for word in text.split()]
        vectors.append(sum(words) / np.linalg.norm(sum(words)))
    return np.array(vectors, np.float32)


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A classifier of a small language."""
    monkeypatch.setattr(prompt, "embed", fake_embed)
    settings = [
        {"biome": biome, "time": time, "weather": weather, "texts": [f"go to {biome} at {time} with {weather} now"] * 3}
        for biome in LABELS["biome"] for time in LABELS["time"] for weather in LABELS["weather"]
    ]  # fmt: skip
    (tmp_path / "phrases.json").write_text(json.dumps(WORDS))
    (tmp_path / "paraphrases.json").write_text(json.dumps(settings))
    files = {"phrases": str(tmp_path / "phrases.json"), "paraphrases": str(tmp_path / "paraphrases.json")}
    plan = prompt_classifier.Config(
        **files, out=str(tmp_path / "classifier.safetensors"), hidden=64, members=2, steps=500, each=4
    )
    prompt_classifier.run(plan)
    return plan


def test_the_classifier_finds_what_is_said_in_any_order_and_none_of_what_is_not(trained, capsys):
    classify = prompt_embedder(LABEL_CHOICES, trained.out)
    whole, part, other = classify(["rain, night forest", "go to snow now", "go now"])
    biome, time, weather = np.split(whole, np.cumsum(LABEL_SIZES)[:-1])
    assert biome.argmax() == LABELS["biome"].index("forest") and time.argmax() == LABELS["time"].index("night")
    assert weather.argmax() == LABELS["weather"].index("rain") and min(p.max() for p in (biome, time, weather)) > 0.8
    biome, time, weather = np.split(part, np.cumsum(LABEL_SIZES)[:-1])
    assert biome.argmax() == LABELS["biome"].index("snow")
    assert time.argmax() == LABEL_SIZES[1] - 1 and weather.argmax() == LABEL_SIZES[2] - 1
    for group in np.split(other, np.cumsum(LABEL_SIZES)[:-1]):
        assert group.argmax() == len(group) - 1 and group.sum() == pytest.approx(1, abs=1e-5)
    again = load_prompt_classifier(trained.out)
    assert again.config.members == 2 and not again.training


def test_a_language_of_other_settings_and_a_classifier_that_is_missing_are_refused(trained, tmp_path):
    (tmp_path / "phrases.json").write_text(json.dumps(WORDS | {"biome": {"moon": ["the moon"]}}))
    with pytest.raises(UserError, match="must name biome, time, weather as the world does"):
        prompt_classifier.run(trained)
    with pytest.raises(UserError, match="no prompt classifier"):
        prompt_embedder(LABEL_CHOICES, tmp_path / "nothing.safetensors")


def test_a_teacher_is_conditioned_on_labels(tmp_path):
    world = write_world(tmp_path / "world")
    common = [f"data={world}", f"runs={tmp_path}", *SHAPE, "freeze_prompt_layers=true"]
    teacher.run(load_config(teacher.Config, None, [*common, "max_steps=2"]))
    learnt = load_teacher(tmp_path / "teacher/teacher.pt", averaged=False)
    assert learnt.config.prompt_dim == LABEL_CHOICES and learnt.prompt_hidden is None
