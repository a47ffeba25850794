"""The codec starts at the PCA, keeps its normalisation, and fits its budget."""

import numpy as np
import pytest
import torch

from distill.data.prepare import prepare_split
from distill.flops import count_flops
from distill.methods.codec_f16 import Config, architecture, run, validate
from distill.models.codec import Codec, load_codec, to_input, to_patches
from distill.tests import synthetic


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(0)
    return np.stack([
        synthetic.frame(rng.uniform(-2, 2), rng.uniform(0, 6), *rng.integers(0, 4, 3)) for _ in range(40)
    ])  # fmt: skip


def small() -> Codec:
    torch.manual_seed(0)
    return Codec(8, [16, 16, 8], [1, 1, 1])


def test_the_start_is_the_closed_form_pca(frames):
    codec = small()
    codec.start_at_pca(frames)
    codec.eval()
    patches = to_patches(to_input(frames)).double().numpy()
    centred = patches - patches.mean(0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ directions[:8].T @ directions[:8] + patches.mean(0)
    with torch.no_grad():
        latent = codec.latent(to_input(frames))
        actual = to_patches(codec.decoder(latent)).numpy()
    assert np.abs(actual - expected).max() < 2e-3
    assert latent.std((0, 2, 3)).numpy() == pytest.approx(np.ones(8), abs=0.02)
    assert latent.mean((0, 2, 3)).numpy() == pytest.approx(np.zeros(8), abs=0.01)


def test_tokens_are_row_major_patches(frames):
    codec = small()
    codec.start_at_pca(frames)
    codec.eval()
    altered = frames[:1].copy()
    altered[0, 16:32, 32:48] = 255 - altered[0, 16:32, 32:48]
    with torch.no_grad():
        change = (codec.encode(to_input(frames[:1])) - codec.encode(to_input(altered)))[0].abs().sum(1)
    assert change.argmax() == 1 * 10 + 2 and (change > 1e-4).sum() == 1


def test_calibration_gives_unit_latents(frames):
    codec = small()
    codec.start_at_pca(frames)
    codec.encoder.linear.weight.data *= 3
    codec.eval()
    codec.calibrate(frames)
    with torch.no_grad():
        latent = codec.encode(to_input(frames))
    assert latent.std((0, 1)).numpy() == pytest.approx(np.ones(8), abs=0.01)
    assert latent.mean((0, 1)).numpy() == pytest.approx(np.zeros(8), abs=0.01)


def test_the_decoder_keeps_its_budget():
    config = Config()
    codec = Codec(**architecture(config)).eval()
    flops = count_flops(lambda: codec.decode(torch.zeros(1, 60, config.channels)))
    assert 0.05e9 < flops < 0.15e9


def test_training_resumes_and_its_codec_loads(tmp_path):
    synthetic.write(tmp_path, "train", [1, 2], ticks=20)
    synthetic.write(tmp_path, "heldout", [1_000_000], ticks=20)
    prepare_split(tmp_path / "train", "train")
    prepare_split(tmp_path / "heldout", "heldout")
    common = dict(
        data=str(tmp_path), runs=str(tmp_path / "runs"), channels=8,
        decoder_widths=[16, 16, 8], decoder_blocks=[1, 1, 1], batch=4, pca_frames=20, validation_frames=8, log_steps=2,
    )  # fmt: skip
    run(Config(max_steps=2, **common))
    run(Config(max_steps=4, resume=True, **common))
    codec = load_codec(tmp_path / "runs" / "codec" / "codec.pt")
    held = synthetic.read(tmp_path, "heldout", 1_000_000)["frames"]
    assert validate(codec, held)["psnr"] > 15
    assert (tmp_path / "runs" / "codec" / "codec.png").stat().st_size > 1000
