"""The teacher's network: the modelled change, the split, prompts, and the FLOP count against a counter."""

import pytest
import torch

from distill.config import UserError
from distill.dit import Conditions, DiT, edge_flops, forward_flops, guided
from distill.student import Student, StudentConfig
from distill.tests.tiny import CHANNELS, TOKENS, noise, tiny_conditions, tiny_config, tiny_teacher
from distill.training import count_flops
from distill.windows import corrupt, drop_prompts


def test_change_and_latent_are_inverse_and_the_change_has_unit_size():
    dit, conditions = tiny_teacher(), tiny_conditions(5000)
    clean = conditions.history[:, 0]
    target = clean + dit.delta_std * noise(5000, TOKENS, CHANNELS)
    seen = corrupt(conditions, 0.5)
    change = dit.to_change(target, seen)
    torch.testing.assert_close(dit.to_latent(change, seen), target)
    assert 0.98 < change.std() < 1.02
    assert not torch.equal(seen.history, conditions.history)


@pytest.mark.parametrize(("unit", "power"), [("change", 1.0), ("root", 0.5)])
def test_the_noise_can_be_measured_in_changes(unit, power):
    dit, conditions = tiny_teacher(noise_unit=unit), tiny_conditions(2000)
    seen = corrupt(conditions, 2.0, dit.noise_unit())
    added, expected = (seen.history - conditions.history).flatten(0, 2).std(0), dit.delta_std**power
    torch.testing.assert_close(added / added.mean(), expected / expected.mean(), rtol=0.05, atol=0)
    scale = torch.sqrt(dit.delta_std**2 + (seen.level[:, None] * expected) ** 2)
    torch.testing.assert_close(dit.scale(seen.level)[:, 0], scale)
    assert "noise_unit" not in tiny_config().architecture()  # as in files that are older than the choice
    assert tiny_config(noise_unit="change").architecture()["noise_unit"] == "change"


def test_a_fresh_network_says_zero_and_every_input_reaches_a_trained_one():
    torch.manual_seed(0)
    conditions, x, t = tiny_conditions(2), noise(2, TOKENS, CHANNELS), torch.tensor([0.2, 0.9])
    assert DiT(tiny_config())(x, t, conditions).abs().max() == 0
    dit = tiny_teacher()
    before = dit(x, t, conditions)
    for change in (
        {"history": conditions.history + 1},
        {"level": conditions.level + 0.1},
        {"actions": conditions.actions + 1},
        {"prompt": -conditions.prompt},
        {"dropped": torch.tensor([True, True])},
    ):
        changed = Conditions(**(vars(conditions) | change))
        assert (dit(x, t, changed) - before).abs().max() > 1e-4, change.keys()
    assert (dit(x, t * 0.5, conditions) - before).abs().max() > 1e-4


def test_backbone_then_head_is_forward_at_every_split():
    dit, conditions, x, t = tiny_teacher(), tiny_conditions(2), noise(2, TOKENS, CHANNELS), torch.tensor([0.2, 0.9])
    whole = dit(x, t, conditions)
    for depth in range(len(dit.blocks) + 1):
        condition = dit.base(conditions) + dit.time(t)
        parts = dit.head(dit.backbone(x, t, conditions, depth), condition, depth)
        torch.testing.assert_close(parts, whole)
    assert [f.shape for f in dit.features(x, t, conditions, [1, 3])] == [(2, TOKENS, 24)] * 2


def test_guidance():
    dit, conditions, x, t = tiny_teacher(), tiny_conditions(2), noise(2, TOKENS, CHANNELS), torch.tensor([0.2, 0.9])
    plain, null = dit(x, t, conditions), dit(x, t, conditions.without_prompt())
    torch.testing.assert_close(guided(dit, x, t, conditions, 1.0), plain)
    torch.testing.assert_close(guided(dit, x, t, conditions, 3.0), null + 3 * (plain - null))
    assert drop_prompts(tiny_conditions(1000), 0.1).dropped.float().mean().sub(0.1).abs() < 0.04


def test_flops_equal_the_counter():
    config = tiny_config()
    dit, conditions = DiT(config), tiny_conditions(1)
    x, t = noise(1, TOKENS, CHANNELS), torch.tensor([0.5])
    assert count_flops(lambda: dit(x, t, conditions)) == forward_flops(config)
    assert count_flops(lambda: dit.time(t)) == edge_flops(config)["time"]


def test_a_network_fed_changes_goes_on_from_one_fed_frames():
    old, new = tiny_teacher(), tiny_teacher(seed=5, history_input="changes")
    new.adopt(old)
    x, t, conditions = noise(3, TOKENS, CHANNELS), torch.rand(3), tiny_conditions(3)
    torch.testing.assert_close(new(x, t, conditions), old(x, t, conditions), rtol=1e-4, atol=1e-5)
    again = tiny_teacher(seed=6, history_input="changes")
    again.adopt(new)
    torch.testing.assert_close(again(x, t, conditions), new(x, t, conditions))
    with pytest.raises(UserError, match="cannot go on"):
        old.adopt(new)


def test_motion_starts_silent_and_reaches_only_its_blocks():
    old, new = tiny_teacher(), DiT(tiny_config(motion=[1, 3]))
    new.adopt(old)
    x, t, conditions = noise(3, TOKENS, CHANNELS), torch.rand(3), tiny_conditions(3)
    torch.testing.assert_close(new(x, t, conditions), old(x, t, conditions))
    with torch.no_grad():
        new.motion[2].weight.normal_()
    before, after = (dit.features(x, t, conditions, [0, 1]) for dit in (old, new))
    torch.testing.assert_close(before[0], after[0])
    assert not torch.allclose(before[1], after[1], atol=1e-3)
    # split where a student splits it, the whole is the same
    features = new.backbone(x, t, conditions, 3)
    split = new.head(features, new.base(conditions) + new.time(t), 3)
    torch.testing.assert_close(split, new(x, t, conditions))
    with pytest.raises(UserError, match="motion"):
        tiny_config(motion=[3, 1])
    with pytest.raises(UserError, match="lower `motion`"):
        Student(new, StudentConfig(head_blocks=2))
