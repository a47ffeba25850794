"""Words: presets by heart, others by the sentence encoder, against the golden vectors of src/model/prompt."""

from __future__ import annotations

import builtins
import json
from pathlib import Path

import numpy as np
import pytest

import oneiro
from oneiro.phrases import phrases_of
from oneiro.prompt_encoder import PromptEncoder

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "src" / "model" / "prompt"


@pytest.mark.parametrize("case", json.loads((GOLDEN / "phrases.golden.json").read_text()), ids=lambda c: c["text"][:20])
def test_phrases(case):
    assert phrases_of(case["text"])[0] == case["phrases"]


@pytest.mark.filterwarnings("ignore:A prompt has")
def test_sentence_embeddings():
    encoder = PromptEncoder(ROOT / "assets" / "prompt-encoder", classifier=None)
    for case in json.loads((GOLDEN / "prompt.golden.json").read_text())["cases"]:
        np.testing.assert_allclose(encoder.encode(case["text"]), case["embedding"], atol=2e-6)


def test_presets_and_captions_need_no_encoder(drive_folder, tmp_path):
    with oneiro.open_world(drive_folder, prompt_encoder=tmp_path) as world:
        preset, start = world.manifest.presets[1], world.manifest.starts[3]
        world.reset(1, f"  {preset.text.upper()} ")
        assert world.snapshot()["prompt"]["embedding"].shape == (16,)
        world.set_prompt(start.caption)


def test_other_words_are_read(drive):
    drive.reset(1, "a foggy wood in pouring rain")
    prompt = drive.snapshot()["prompt"]
    assert prompt["text"] == "a foggy wood in pouring rain"
    groups = np.split(prompt["embedding"], [6, 11])  # biome, time, weather
    np.testing.assert_allclose([group.sum() for group in groups], 1, atol=1e-4)


def test_a_drive_begins_with_a_frame_drawn_from_its_words(drive):
    dark, other = (drive.reset(seed, "a snowy night drive").frame for seed in (0, 1))
    assert drive.reset(0, "a snowy night drive").index == 0
    assert not np.array_equal(dark, other)
    red, _, blue = dark.reshape(-1, 4)[:, :3].mean(0)
    assert blue > red + 10 and red + blue < 220


def test_long_words_are_cut_with_a_warning(drive):
    with pytest.warns(UserWarning, match="60 words, of which 40 are read"):
        drive.reset(1, "snow at night " * 20)


def test_without_the_encoder_the_known_words_are_named(drive_folder, tmp_path):
    with oneiro.open_world(drive_folder, prompt_encoder=tmp_path / "nothing") as world:
        world.reset(1)
        with pytest.raises(oneiro.BadInputError, match='"a flurry" is none of.*encoder.json is missing.*"a snowy road'):
            world.set_prompt("a flurry")
        assert world.step(world.space.idle).index == 1


def test_without_the_package_the_sentence_says_how_to_install_it(drive_folder, monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest):
        if name == "tokenizers":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with (
        oneiro.open_world(drive_folder) as world,
        pytest.raises(oneiro.BadInputError, match=r'pip install "oneiro\[words\]"'),
    ):
        world.reset(1, "a flurry")


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        (5, "a string, but 5 came"),
        ("  ", "at least one word"),
        ("​", "at least one word"),
        (oneiro.Prompt("x", np.zeros(3)), "16 floats from 0 to 1, but .* came"),
        (oneiro.Prompt("x", np.full(16, np.nan)), "16 floats from 0 to 1, but .* came"),
        (oneiro.Prompt("x", "y"), "16 floats from 0 to 1"),
        ({"text": "x"}, "a string, but a dict with text came"),
    ],
)
def test_what_is_no_prompt_is_refused_and_play_goes_on(drive, prompt, sentence):
    drive.reset(3)
    drive.step(drive.space.idle)
    for call in (drive.set_prompt, lambda words: drive.reset(4, words)):
        with pytest.raises(oneiro.BadInputError, match=sentence):
            call(prompt)
    assert drive.step(drive.space.idle).index == 2


def test_a_world_without_words_says_so(buttons):
    buttons.reset(1)
    with pytest.raises(oneiro.BadInputError, match="no words"):
        buttons.set_prompt("fog")
    with pytest.raises(oneiro.BadInputError, match="no words"):
        buttons.reset(1, "fog")
    assert buttons.step(buttons.space.idle).index == 1


def test_a_known_embedding_is_the_prompt_itself(drive):
    drive.reset(1, "a snowy night drive")
    told = drive.snapshot()["prompt"]["embedding"]
    once = drive.step(drive.space.idle)
    drive.reset(1, oneiro.Prompt("anything", told))
    assert np.array_equal(drive.step(drive.space.idle).latent, once.latent)
