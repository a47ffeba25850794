"""A drive that begins from words alone: a blank history in, the first frame out."""

from __future__ import annotations

import numpy as np
import torch

from distill.models.sampler import Rollout, StudentSampler
from distill.tests.tiny_unet import CHANNELS, GRID, TOKENS, unet_conditions, unet_student
from distill.world import RING


def test_a_blank_history_is_a_first_frame_under_its_instruments():
    unet = unet_student(head_blocks=1).dit
    conditions = unet_conditions(3)
    conditions.following = None
    conditions.history[0, :, :GRID] = 0
    conditions.history[1, 1:, :GRID] = 0
    begun = unet.begun(conditions, torch.zeros(3, TOKENS, CHANNELS))
    assert begun.first.tolist() == [True, False, False]
    assert torch.equal(begun.following[0], conditions.history[0, 0, GRID:])
    assert not torch.equal(begun.following[1], conditions.history[1, 0, GRID:])
    # A drive that has just begun sees its only frame everywhere; a whole history stays as it is.
    assert torch.equal(begun.history[1], conditions.history[1, :1].expand_as(begun.history[1]))
    assert torch.equal(begun.history[2], conditions.history[2])


def test_a_roll_out_goes_on_from_nothing():
    student = unet_student(head_blocks=1)
    rollout = Rollout(StudentSampler(student), student.dit.config)
    history = np.zeros((2, RING, TOKENS, CHANNELS), np.float32)
    history[:, :, GRID:] = 0.3
    prompt = np.zeros((2, student.dit.config.prompt_dim), np.float32)
    rollout.reset(history, np.zeros((2, 3, 2), np.float32), prompt, [1, 2])
    rollout.tick = -2
    first = rollout.step(np.zeros((2, 2), np.float32))
    assert torch.allclose(first[:, GRID:], torch.full_like(first[:, GRID:], 0.3), atol=1e-3)
    assert not torch.allclose(first[0, :GRID], first[1, :GRID])
    second = rollout.step(np.zeros((2, 2), np.float32))
    assert rollout.tick == 0 and second[:, :GRID].isfinite().all()
