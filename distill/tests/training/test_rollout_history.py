"""The pool of dreamed histories goes on after a resume as if nothing had been."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from distill.data.dataset import WindowDataset
from distill.data.packed import Latents
from distill.tests.tiny import tiny_student, write_world
from distill.training.rollout_history import RolloutHistory


class Still:
    """A sampler that dreams the newest latent again, and a little of the noise."""

    outer_steps = 1

    def __call__(self, noise, conditions):
        return conditions.history[:, 0] + 0.01 * noise[:, 0]


@pytest.fixture
def pool(tmp_path):
    student = tiny_student()
    windows = WindowDataset(Latents(write_world(tmp_path), "validation"), student.dit.config)
    make = lambda size=8: RolloutHistory(windows, 0.5, 3, 6, 0.1, student.dit.noise_unit(), pool=size)  # noqa: E731
    torch.manual_seed(1)
    return SimpleNamespace(make=make, own=make())


def use(own: RolloutHistory, times: int) -> list:
    """What each use hands out: recorded latents, dreamed histories and ages."""
    torch.manual_seed(2)
    taken = [own.take(Still()) for _ in range(times)]
    return [(target, conditions.history, conditions.level, age) for target, conditions, age in taken]


def test_it_goes_on_from_where_it_was(pool):
    use(pool.own, 3)  # of eight, three at a time: the next is the second
    state = {name: value.clone() if torch.is_tensor(value) else value for name, value in pool.own.state_dict().items()}
    expected = use(pool.own, 9)
    again = pool.make()
    again.load_state_dict(state)
    assert again.cursor == 1
    for before, after in zip(expected, use(again, 9), strict=True):
        for one, other in zip(before, after, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_every_roll_out_takes_its_turn(pool):
    turns = np.concatenate([pool.own.next(3)[0] for _ in range(8)])
    assert turns.tolist() == [*range(8)] * 3


def test_a_pool_of_another_size_starts_afresh(pool):
    use(pool.own, 1)
    other = pool.make(12)
    rows = other.row.copy()
    other.load_state_dict(pool.own.state_dict())
    assert (other.row == rows).all() and other.cursor == 0
