"""Checkpoints of before: their names are brought up to date where they are loaded."""

from pathlib import Path

import torch

from distill.checkpoints import load_checkpoint, write_checkpoint
from distill.models.codec import load_codec
from distill.models.dit import DiT
from distill.models.sampler import load_teacher
from distill.tests.tiny import save, tiny_config


def test_a_checkpoint_with_older_names_loads(tmp_path):
    dit = DiT(tiny_config(prompt_hidden=8))
    path = save(tmp_path, "run", "teacher", dit)
    saved = torch.load(path, weights_only=True)
    old = lambda weights: {name.replace("prompt_hidden", "reader"): value for name, value in weights.items()}  # noqa: E731
    shape, state = saved["architecture"], saved["state"]
    shape["reader"] = shape.pop("prompt_hidden")
    ema = state["ema"] | {"model": old(state["ema"]["model"])}
    critic = {"told.weight": torch.ones(1)}
    state = {"model": old(state["model"]), "ema": ema, "own": {"cursor": 3}, "frames": critic}
    write_checkpoint(saved | {"state": state}, path)
    again = load_checkpoint(path, "teacher", dit.config.architecture())["state"]
    assert again["rollouts"] == {"cursor": 3} and list(again["frames"]) == ["condition.weight"]
    torch.testing.assert_close(load_teacher(path).state_dict(), dit.state_dict())


def test_a_codec_saved_under_the_older_kind_loads(tmp_path):
    ships = Path(__file__).parents[1] / "weights/codec.pt"
    path = tmp_path / "codec.pt"
    torch.save(torch.load(ships, weights_only=True) | {"kind": "autoencoder"}, path)
    codec = load_codec(path)
    assert (codec.rows, codec.columns, codec.channels) == (24, 40, 12)
