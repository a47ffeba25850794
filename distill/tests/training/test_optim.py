import pytest
import torch
from torch import nn

from distill.config import UserError
from distill.methods.teacher import Config
from distill.training.muon import Muon, orthogonal
from distill.training.optim import make_optimiser


class FakeRun:
    config = Config(learning_rate=1e-2)


def test_a_step_of_muon_turns_every_direction_alike():
    torch.manual_seed(0)
    for shape in [(3, 24, 60), (3, 60, 24)]:
        skewed = torch.randn(shape) * torch.logspace(0, -3, shape[2])
        values = torch.linalg.svdvals(skewed)
        assert (values[:, 0] / values[:, 15]).min() > 5
        values = torch.linalg.svdvals(orthogonal(skewed))[:, :15]
        assert values.min() > 0.5 and values.max() < 1.3


def test_a_kernel_is_one_matrix_however_it_lies_in_memory():
    torch.manual_seed(0)
    kernel, grad = torch.randn(16, 12, 3, 3), torch.randn(16, 12, 3, 3)
    results = []
    for layout in (torch.contiguous_format, torch.channels_last):
        parameter = nn.Parameter(kernel.clone(memory_format=layout))
        optimiser = Muon([parameter], 0.1, weight_decay=0.5)
        for _ in range(3):
            parameter.grad = grad.clone(memory_format=layout)
            optimiser.step()
        results.append(parameter.detach())
    torch.testing.assert_close(*results)
    moved = kernel * 0.95**3 - results[0]
    # 0.2 sqrt(108) of a matrix whose 16 singular values are near 1, three times.
    assert moved.square().mean().sqrt().item() == pytest.approx(
        3 * 0.1 * 0.2 * (16 / (16 * 108)) ** 0.5 * 108**0.5, rel=0.2
    )


def test_matrices_learn_by_muon_and_the_rest_by_adamw_and_both_resume_to_the_bit():
    def training(steps: int, start=None):
        torch.manual_seed(1)
        model = nn.Sequential(nn.Conv2d(12, 16, 3), nn.Flatten(), nn.Linear(16 * 4, 10), nn.Linear(10, 1))
        optimiser = make_optimiser(FakeRun, model, "muon", 3.0)
        if start:
            model.load_state_dict(start[0]), optimiser.load_state_dict(start[1])
        for step in range(steps):
            generator = torch.Generator().manual_seed(step + (5 if start else 0))
            model(torch.randn(4, 12, 4, 4, generator=generator)).square().mean().backward()
            optimiser.step(), optimiser.zero_grad()
        return model.state_dict(), optimiser.state_dict()

    model = nn.Sequential(nn.Conv2d(12, 16, 3), nn.Flatten(), nn.Linear(16 * 4, 10), nn.Linear(10, 1))
    kinds = [
        [tuple(p.shape) for g in part.param_groups for p in g["params"]]
        for part in make_optimiser(FakeRun, model, "muon", 3.0).parts
    ]
    assert kinds == [[(1, 10), (16,), (10,), (1,)], [(16, 12, 3, 3), (10, 64)]]
    whole = training(8)[0]
    parts = training(3, training(5))[0]
    for name, value in whole.items():
        assert torch.equal(value, parts[name]), name


def test_going_on_keeps_the_configured_pace_and_refuses_the_state_of_another_optimiser():
    model = nn.Linear(16, 16)
    saved = make_optimiser(FakeRun, model, "muon", 1.0).state_dict()
    again = make_optimiser(FakeRun, model, "muon", 3.0)
    again.load_state_dict(saved)
    assert [group["scale"] for group in again.param_groups if "scale" in group] == [3.0]
    with pytest.raises(UserError, match="another optimiser"):
        make_optimiser(FakeRun, model).load_state_dict(saved)


def test_an_unknown_optimiser_is_refused():
    with pytest.raises(UserError, match="adamw or muon, not sgd"):
        make_optimiser(FakeRun, nn.Linear(2, 2), "sgd")
