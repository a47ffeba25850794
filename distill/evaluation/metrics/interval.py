"""From many measured values to one metric with a 95 % interval, clustered by drive."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats


def nothing() -> dict:
    return {"value": None, "spread": None, "n": 0, "drives": 0}


def half_width(deviation: float, n: int) -> float:
    """Of the interval that has the true mean 95 times in 100, from the standard deviation of n values (Student): for
    three values 2.5 deviations."""
    return float(deviation / n**0.5 * stats.t.ppf(0.975, n - 1)) if n > 1 else 0.0


def half_interval(residuals: np.ndarray, drives: np.ndarray) -> float:
    """Half of the 95 % interval of a mean, from what each value [N] differs from it: values of one drive [N] may move
    together (cluster-robust variance, Student's t over the drives). 0 where there is one drive."""
    _, index = np.unique(drives, return_inverse=True)
    count = index.max() + 1
    if count < 2:
        return 0.0
    sums = np.bincount(index, residuals)
    variance = count / (count - 1) * (sums**2).sum() / len(residuals) ** 2
    return float(stats.t.ppf(0.975, count - 1) * variance**0.5)


def made(value: float, spread: float, drives: np.ndarray) -> dict:
    return {"value": float(value), "spread": float(spread), "n": len(drives), "drives": len(np.unique(drives))}


def mean(values, drives) -> dict:
    """values [N] of drives [N] -> their mean."""
    values, drives = np.asarray(values, np.float64), np.asarray(drives)
    if not len(values):
        return nothing()
    return made(values.mean(), half_interval(values - values.mean(), drives), drives)


def ratio(top, bottom, drives) -> dict:
    """The mean of top [N] over the mean of bottom [N], measured in pairs (delta method)."""
    top, bottom, drives = np.asarray(top, np.float64), np.asarray(bottom, np.float64), np.asarray(drives)
    if not len(top) or bottom.mean() == 0:
        return nothing()
    value = top.mean() / bottom.mean()
    return made(value, half_interval((top - value * bottom) / bottom.mean(), drives), drives)


def root(metric: dict) -> dict:
    """The square root of a metric, its spread by the delta method."""
    if metric["value"] is None:
        return metric
    value = metric["value"] ** 0.5
    return metric | {"value": value, "spread": metric["spread"] / (2 * value) if value else 0.0}


def bootstrap(statistic: Callable[[np.ndarray], float], drives: np.ndarray, repeats: int = 200) -> dict:
    """A statistic of indices [N] of any form, with the interval over drives that are drawn again with replacement."""
    drives = np.asarray(drives)
    if not len(drives):
        return nothing()
    value = statistic(np.arange(len(drives)))
    members = [np.flatnonzero(drives == drive) for drive in np.unique(drives)]
    if len(members) < 2:
        return made(value, 0.0, drives)
    rng = np.random.default_rng(0)
    drawn = [rng.integers(0, len(members), len(members)) for _ in range(repeats)]
    values = [statistic(np.concatenate([members[i] for i in picks])) for picks in drawn]
    low, high = np.percentile(values, [2.5, 97.5])
    return made(value, (high - low) / 2, drives)
