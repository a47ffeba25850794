"""The instruments: what they are told."""

from __future__ import annotations

import torch

from distill.models.instruments import LARGEST_CHANGE, NOISE, Instruments, InstrumentsConfig


def test_a_reading_that_fell_by_two_hundred_usual_changes_is_told_as_ten():
    torch.manual_seed(3)
    model = Instruments(InstrumentsConfig(readings=3, hidden=16))
    torch.nn.init.normal_(model.out.weight)
    model.change.fill_(0.01)
    actions, noise = torch.zeros(1, 4, 2), torch.zeros(1, NOISE)

    def after(fall: float):
        history = torch.zeros(1, 3, 3)
        history[:, 1:, 2] = fall * model.change[2]
        return model(history, actions, noise)

    assert torch.allclose(after(214), after(LARGEST_CHANGE), atol=1e-6)
    assert not torch.allclose(after(214), after(LARGEST_CHANGE / 2), atol=1e-6)
