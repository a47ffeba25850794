"""The decoder's detail makes a picture better than its patches alone, and changes nothing that was trained on them."""

import numpy as np
import pytest
import torch

from distill.config import UserError
from distill.data.prepare import prepare_split
from distill.methods import codec, decoder
from distill.methods.codec_f16 import validate
from distill.models.codec import load_codec, to_input
from distill.tests import synthetic


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("decoder")
    for split, seeds in {"train": [1, 2], "validation": [1_100_000], "heldout": [1_000_000]}.items():
        synthetic.write(path, split, seeds, ticks=20)
        prepare_split(path / split, split)
    codec.run(codec.Config(data=str(path), runs=str(path / "runs"), channels=6, pca_frames=40, validation_frames=10))
    return path


def settings(folder, name: str, **others) -> decoder.Config:
    return decoder.Config(
        data=str(folder), runs=str(folder / "runs"), codec=str(folder / "runs/codec/codec.pt"), name=name,
        batch=8, detail=16, validation_frames=10, log_steps=20, warmup_steps=5, **others,
    )  # fmt: skip


def test_the_detail_gains_and_the_latents_stay(folder):
    decoder.run(settings(folder, "decoder", max_steps=300, noise=0.0, learning_rate=5e-3))
    before, after = (load_codec(folder / f"runs/{name}/codec.pt") for name in ("codec", "decoder"))
    frames = synthetic.read(folder, "validation", 1_100_000)["frames"]
    assert validate(after, frames)["psnr"] > validate(before, frames)["psnr"] + 0.1
    assert torch.equal(before.encode(to_input(frames)), after.encode(to_input(frames)))
    assert torch.equal(before.decoder.linear.weight, after.decoder.linear.weight)


def test_training_resumes_to_the_bit(folder):
    decoder.run(settings(folder, "whole", max_steps=6, schedule="constant"))
    decoder.run(settings(folder, "parts", max_steps=3, schedule="constant"))
    decoder.run(settings(folder, "parts", max_steps=6, schedule="constant", resume=True))
    whole, parts = (load_codec(folder / f"runs/{name}/codec.pt") for name in ("whole", "parts"))
    latent = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 960, 6), np.float32))
    assert torch.equal(whole.decode(latent), parts.decode(latent))


def test_what_a_dream_makes_is_learnt_from_and_dreamed_once(folder, monkeypatch):
    asked = []

    def dream(world, packed, count):
        asked.append((world, count))
        rows = np.arange(12)
        before = load_codec(folder / "runs/codec/codec.pt")
        latents = before.encode(to_input(np.array(packed.frames[rows]))).numpy().astype(np.float16)
        return latents + np.float16(0.2), rows

    monkeypatch.setattr(decoder, "dream", dream)
    common = {"world": "a dream", "dreamed": 12, "schedule": "constant"}
    decoder.run(settings(folder, "dreams", max_steps=6, **common))
    decoder.run(settings(folder, "dreamt", max_steps=3, **common))
    decoder.run(settings(folder, "dreamt", max_steps=6, resume=True, **common))
    assert asked == [("a dream", 12)] * 2
    whole, parts = (load_codec(folder / f"runs/{name}/codec.pt") for name in ("dreams", "dreamt"))
    latent = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 960, 6), np.float32))
    assert torch.equal(whole.decode(latent), parts.decode(latent))
    alone = load_codec(folder / "runs/whole/codec.pt")
    assert not torch.equal(whole.decode(latent), alone.decode(latent))


def test_a_codec_of_the_other_kind_is_refused(folder):
    with pytest.raises(UserError, match="no codec of patches"):
        other = settings(folder, "refused", max_steps=1)
        other.codec = str(write_other(folder))
        decoder.run(other)


def write_other(folder):
    from distill.methods import codec_f16

    codec_f16.run(
        codec_f16.Config(
            data=str(folder),
            runs=str(folder / "runs"),
            name="f16",
            channels=4,
            decoder_widths=[8, 8, 8],
            decoder_blocks=[1, 1, 1],
            batch=2,
            pca_frames=10,
            validation_frames=4,
            max_steps=1,
        )  # fmt: skip
    )
    return folder / "runs/f16/codec.pt"
