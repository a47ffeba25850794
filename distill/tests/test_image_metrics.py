"""Oracles of the image metrics."""

import numpy as np
import pytest

from distill.evaluation.probes import balanced_accuracy
from distill.image_metrics import frechet, psnr, ssim


def test_psnr_of_a_known_error():
    a = np.full((2, 4, 4, 3), 100, np.uint8)
    b = a.copy()
    b[1] += 10
    assert psnr(a, b).tolist() == pytest.approx([60.0, 10 * np.log10(255**2 / 100)])
    with pytest.raises(ValueError, match="one shape"):
        psnr(a, b[:, :2])


def test_ssim_of_itself_is_one_and_falls_with_noise():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 255, (96, 160, 3)).astype(np.uint8)
    assert ssim(a, a) == pytest.approx(1)
    assert ssim(a, rng.integers(0, 255, a.shape).astype(np.uint8)) < 0.2


def test_frechet_of_normals_is_the_closed_form():
    rng = np.random.default_rng(1)
    rotation = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    a_std, b_std, shift = np.array([1, 2, 3, 0.5]), np.array([2, 2, 1, 0.5]), np.array([1, 0, -2, 0])
    normal = rng.normal(size=(200_000, 4))
    a = normal * a_std @ rotation
    b = (rng.permuted(normal, axis=0) * b_std + shift) @ rotation
    expected = (shift**2).sum() + ((a_std - b_std) ** 2).sum()  # the covariances commute
    assert frechet(a, b) == pytest.approx(expected, rel=0.02)
    assert frechet(a, a) == pytest.approx(0, abs=1e-4)
    assert frechet(a, b) == pytest.approx(frechet(b, a), rel=1e-6)


def test_frechet_of_flat_features_is_finite():
    flat = np.zeros((10, 3))
    assert frechet(flat, flat + 2) == pytest.approx(12, abs=1e-3)


def test_balanced_accuracy_is_not_fooled_by_a_common_class():
    actual = np.array([0] * 98 + [1, 2])
    assert balanced_accuracy(np.zeros(100, int), actual) == pytest.approx(1 / 3)
    assert balanced_accuracy(actual, actual) == 1
