"""What reads the words, and what a network makes of readings."""

import json

import numpy as np
import pytest
import torch

from distill.checkpoints import load_checkpoint, write_checkpoint
from distill.config import UserError, load_config
from distill.data import prompt_encoder as prompt
from distill.data.conditioning import told
from distill.data.packed import LABELS
from distill.methods import prompt_classifier as reader
from distill.methods import prompt_gain as lead
from distill.methods import teacher
from distill.models.prompt_classifier import GROUPS, READING, load_reader, one_hot
from distill.models.sampler import load_teacher
from distill.tests.tiny import tiny_teacher, write_world

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
def taught(tmp_path, monkeypatch):
    """A reader of a small language."""
    monkeypatch.setattr(prompt, "embed", fake_embed)
    settings = [
        {"biome": biome, "time": time, "weather": weather, "texts": [f"go to {biome} at {time} with {weather} now"] * 3}
        for biome in LABELS["biome"] for time in LABELS["time"] for weather in LABELS["weather"]
    ]  # fmt: skip
    (tmp_path / "phrases.json").write_text(json.dumps(WORDS))
    (tmp_path / "paraphrases.json").write_text(json.dumps(settings))
    files = {"phrases": str(tmp_path / "phrases.json"), "paraphrases": str(tmp_path / "paraphrases.json")}
    plan = reader.Config(**files, out=str(tmp_path / "reader.safetensors"), hidden=64, members=2, steps=500, each=4)
    reader.run(plan)
    return plan


def test_a_reader_finds_what_is_said_in_any_order_and_none_of_what_is_not(taught, capsys):
    read = told(READING, taught.out)
    whole, part, other = read(["rain, night forest", "go to snow now", "go now"])
    biome, time, weather = np.split(whole, np.cumsum(GROUPS)[:-1])
    assert biome.argmax() == LABELS["biome"].index("forest") and time.argmax() == LABELS["time"].index("night")
    assert weather.argmax() == LABELS["weather"].index("rain") and min(p.max() for p in (biome, time, weather)) > 0.8
    biome, time, weather = np.split(part, np.cumsum(GROUPS)[:-1])
    assert biome.argmax() == LABELS["biome"].index("snow")
    assert time.argmax() == GROUPS[1] - 1 and weather.argmax() == GROUPS[2] - 1
    for group in np.split(other, np.cumsum(GROUPS)[:-1]):
        assert group.argmax() == len(group) - 1 and group.sum() == pytest.approx(1, abs=1e-5)
    again = load_reader(taught.out)
    assert again.config.members == 2 and not again.training


def test_a_language_of_other_settings_and_a_reader_that_is_missing_are_refused(taught, tmp_path):
    (tmp_path / "phrases.json").write_text(json.dumps(WORDS | {"biome": {"moon": ["the moon"]}}))
    with pytest.raises(UserError, match="must name biome, time, weather as the world does"):
        reader.run(taught)
    with pytest.raises(UserError, match="no reader of words"):
        told(READING, tmp_path / "nothing.safetensors")


def write_teacher(path, dit) -> None:
    weights = {"model": dit.state_dict(), "ema": {"model": dit.state_dict(), "updates": 3}}
    head = {"format": "oneiro-checkpoint-1", "kind": "teacher", "architecture": dit.config.architecture()}
    path.parent.mkdir(exist_ok=True)
    write_checkpoint(head | {"step": 3, "minutes": 1.0, "samples": 9, "state": weights}, path)


def test_a_checkpoint_of_sentences_is_told_readings_from_now_on(tmp_path):
    world, path, out = write_world(tmp_path / "world"), tmp_path / "old" / "teacher.pt", tmp_path / "new" / "teacher.pt"
    old = tiny_teacher(reader=16)
    write_teacher(path, old)
    out.parent.mkdir()
    run = lambda **given: lead.run(lead.Config(data=str(world), file=str(path), out=str(out), **given))  # noqa: E731
    run()
    assert load_teacher(path).config.prompt_dim != READING  # the file itself is as it was
    new = load_teacher(out)
    assert new.config.prompt_dim == READING and load_checkpoint(out, "teacher")["step"] == 3
    torch.testing.assert_close(new.blocks[0].up.weight, old.blocks[0].up.weight)
    # The one setting that was recorded, said in two ways.
    embeddings = torch.from_numpy(np.load(world / "train/packed/embeddings.npy"))
    setting = one_hot(torch.tensor([[0, LABELS["time"].index("noon"), 0]]))
    torch.testing.assert_close(new.said(setting)[0], old.said(embeddings).mean(0), atol=1e-5, rtol=1e-4)
    with pytest.raises(UserError, match="one number for each of biome, time, weather"):
        run(gains=[1.0])
    with pytest.raises(UserError, match="should be called teacher.pt or student.pt"):
        lead.run(lead.Config(data=str(world), file=str(tmp_path / "some.pt")))


def test_the_teacher_is_told_readings_and_goes_on_from_one_that_heard_sentences(tmp_path):
    world, path = write_world(tmp_path / "world"), tmp_path / "old" / "teacher.pt"
    common = [f"data={world}", f"runs={tmp_path}", *SHAPE, "hold_words=true"]
    write_teacher(path, tiny_teacher(reader=16, blocks=3))
    begin = [f"init={path}", "warmup_steps=0", "learning_rate=0"]
    teacher.run(load_config(teacher.Config, None, [*common, *begin, "name=first", "max_steps=1"]))
    lead.run(lead.Config(data=str(world), file=str(path), out=str(tmp_path / "teacher.pt")))
    first, led = load_teacher(tmp_path / "first/teacher.pt", averaged=False), load_teacher(tmp_path / "teacher.pt")
    torch.testing.assert_close(first.prompt.weight, led.prompt.weight)

    teacher.run(load_config(teacher.Config, None, [*common, "max_steps=2"]))
    learnt = load_teacher(tmp_path / "teacher/teacher.pt", averaged=False)
    assert learnt.config.prompt_dim == READING and learnt.reader is None
    for wrong, reason in (("words=song", "reading or sentence"), ("reader=8", "needs no reader")):
        with pytest.raises(UserError, match=reason):
            teacher.run(load_config(teacher.Config, None, [*common, wrong, "max_steps=1"]))
