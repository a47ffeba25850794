"""A prompt classifier is put into a world whose student stays."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file

from distill.config import UserError
from distill.export import prompt_classifier
from distill.world import ROOT

SHIPPED = ROOT / "assets" / "drive"


def test_what_ships_is_what_the_stage_makes_of_the_weights(tmp_path):
    world = tmp_path / "drive"
    shutil.copytree(SHIPPED, world)
    before = json.loads((SHIPPED / "world.json").read_text())
    (world / "reader.onnx").write_bytes(b"another")
    starts = dict(load_file(world / "starts.safetensors"))
    prompt_classifier.run(prompt_classifier.Config(out=str(world)))
    after = json.loads((world / "world.json").read_text())
    assert {name for name in before if before[name] != after[name]} <= {"files", "selfTest"}
    assert after["files"]["reader"] == prompt_classifier.describe(world / "reader.onnx")
    again = load_file(world / "starts.safetensors")
    assert np.abs(again["promptEmbeddings"] - starts["promptEmbeddings"]).max() < 1e-3
    assert all(np.array_equal(again[name], starts[name]) for name in starts if name != "promptEmbeddings")
    sample = np.abs(np.subtract(after["selfTest"]["latentSample"], before["selfTest"]["latentSample"]))
    assert sample.max() <= before["selfTest"]["tolerance"]


def test_texts_stand_where_the_manifest_says():
    manifest = {
        "presets": [{"text": "rain", "embedding": 1}],
        "starts": [{"caption": "snow", "embedding": 0}, {"caption": "rain", "embedding": 1}],
    }
    assert prompt_classifier.conditioned_texts(manifest) == ["snow", "rain"]


def test_a_world_without_words_is_refused(tmp_path):
    world = tmp_path / "snake"
    shutil.copytree(ROOT / "assets" / "snake", world)
    with pytest.raises(UserError, match="is not conditioned on prompt labels"):
        prompt_classifier.run(prompt_classifier.Config(out=str(world)))
