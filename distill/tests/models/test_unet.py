"""The U-Net: what it is told of the instruments."""

from __future__ import annotations

from dataclasses import replace

import torch

from distill.models.instruments import LARGEST_CHANGE
from distill.tests.tiny_unet import GRID, tiny_unet, unet_conditions
from distill.world import TELEMETRY

STUCK = list(TELEMETRY).index("stuck")


def moved_by(changes: float):
    """A U-Net and conditions in which the last reading falls by so many usual changes."""
    unet, conditions = tiny_unet(), unet_conditions(2)
    unet.instruments.change.fill_(0.01)
    following = conditions.history[:, 0, GRID:].clone()
    following.flatten(1)[:, STUCK] -= changes * 0.01
    return unet, replace(conditions, following=following)


def test_a_reading_that_falls_back_by_two_hundred_usual_changes_is_told_as_ten():
    unet, conditions = moved_by(214)
    told = unet.readings(conditions)[:, 2 * len(TELEMETRY) + STUCK]
    assert torch.allclose(told, torch.full_like(told, -LARGEST_CHANGE))


def test_usual_changes_are_told_as_they_are():
    unet, conditions = moved_by(3)
    told = unet.readings(conditions)[:, 2 * len(TELEMETRY) + STUCK]
    assert torch.allclose(told, torch.full_like(told, -3.0), atol=1e-3)


def test_such_a_fall_does_not_throw_the_frame_off():
    unet, near = moved_by(LARGEST_CHANGE)
    _, far = moved_by(214)
    x, t = torch.zeros_like(near.history[:, 0]), torch.ones(2)
    with torch.no_grad():
        gap = (unet(x, t, far) - unet(x, t, near))[:, :GRID].abs().max()
    assert gap < 1e-3
