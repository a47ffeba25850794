"""Distances between images and between sets of features: PSNR, SSIM, Fréchet. All takes and returns NumPy."""

from __future__ import annotations

import numpy as np
from scipy import linalg


def psnr(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """dB for each frame. a, b: uint8 [N,H,W,3] -> float64 [N]. Identical frames count as 60 dB."""
    if a.shape != b.shape:
        raise ValueError(f"frames of one shape were expected, not {a.shape} and {b.shape}")
    error = ((a.astype(np.float32) - b.astype(np.float32)) ** 2).reshape(len(a), -1).mean(1)
    return 10 * np.log10(255.0**2 / np.maximum(error.astype(np.float64), 255.0**2 * 1e-6))


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity of two uint8 [H,W,3] frames."""
    from skimage.metrics import structural_similarity

    return float(structural_similarity(a, b, channel_axis=2, data_range=255))


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """Squared Frechet distance between normal fits to two feature sets [N,D], [M,D] (Heusel et al. 2017, eq. 6)."""
    if min(len(a), len(b)) < 2 or a.shape[1:] != b.shape[1:]:
        raise ValueError(f"two sets of at least 2 features of one width were expected, not {a.shape} and {b.shape}")
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    covariance_a, covariance_b = np.atleast_2d(np.cov(a.T)), np.atleast_2d(np.cov(b.T))
    # tr sqrt(A B) through the symmetric form, which stays real
    root_a = linalg.sqrtm(covariance_a + 1e-9 * np.eye(a.shape[1])).real
    middle = root_a @ covariance_b @ root_a
    cross = np.sqrt(np.maximum(linalg.eigvalsh((middle + middle.T) / 2), 0)).sum()
    mean = ((a.mean(0) - b.mean(0)) ** 2).sum()
    return float(max(0.0, mean + np.trace(covariance_a) + np.trace(covariance_b) - 2 * cross))
