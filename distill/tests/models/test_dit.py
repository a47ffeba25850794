"""The teacher's network: the modelled change, the split, prompts, and the FLOP count against a counter."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from distill.config import UserError
from distill.data.dataset import bound_latents, corrupt, drop_actions, drop_prompts
from distill.models.dit import Conditions, DiT, freeze_prompt_layers, guidance_at, guided
from distill.models.prompt_classifier import LABEL_CHOICES, no_labels
from distill.tests.tiny import CHANNELS, TOKENS, noise, tiny_conditions, tiny_config, tiny_teacher


def test_change_and_latent_are_inverse_and_the_change_has_unit_size():
    dit, conditions = tiny_teacher(), tiny_conditions(5000)
    clean = conditions.history[:, 0]
    target = clean + dit.delta_std * noise(5000, TOKENS, CHANNELS)
    seen = corrupt(conditions, 0.5, dit.noise_unit())
    change = dit.to_change(target, seen)
    torch.testing.assert_close(dit.to_latent(change, seen), target)
    assert 0.98 < change.std() < 1.02
    assert not torch.equal(seen.history, conditions.history)


@pytest.mark.parametrize(("unit", "power"), [("change", 1.0), ("root", 0.5)])
def test_the_noise_can_be_measured_in_changes(unit, power):
    dit, conditions = tiny_teacher(noise_unit=unit), tiny_conditions(20_000)
    seen = corrupt(conditions, 2.0, dit.noise_unit())
    added, expected = (seen.history - conditions.history).flatten(0, 1).std(0), dit.delta_std**power
    expected[dit.config.grid :] = dit.delta_std[dit.config.grid :]  # telemetry
    torch.testing.assert_close(added / added.mean(), expected / expected.mean(), rtol=0.05, atol=0)
    scale = torch.sqrt(dit.delta_std**2 + (seen.level[:, None, None] * expected) ** 2)
    torch.testing.assert_close(dit.scale(seen.level), scale)


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
        {"prompt_dropout_mask": torch.tensor([True, True])},
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
    assert drop_prompts(tiny_conditions(1000), 0.1).prompt_dropout_mask.float().mean().sub(0.1).abs() < 0.04


def test_guidance_by_words_that_are_new_and_by_actions():
    dit, x, t = tiny_teacher(null_actions=True), noise(2, TOKENS, CHANNELS), torch.tensor([0.2, 0.9])
    conditions = replace(tiny_conditions(2), since=torch.tensor([0, 40]))
    plain, null = dit(x, t, conditions), dit(x, t, conditions.without_prompt())
    wordy = guided(dit, x, t, conditions, guidance_at(3.0, 25, conditions))
    torch.testing.assert_close(wordy[0], (null + 3 * (plain - null))[0])
    torch.testing.assert_close(wordy[1], plain[1])
    fading = guidance_at(3.0, 25, replace(conditions, since=torch.tensor([5, 30])))
    torch.testing.assert_close(fading, torch.tensor([2.6, 1.0]))
    assert guidance_at(3.0, 0, conditions) == 3.0

    turned = replace(conditions, actions=-conditions.actions)
    action_dropout_mask = dit(x, t, conditions.without_actions())
    torch.testing.assert_close(dit(x, t, turned.without_actions()), action_dropout_mask)
    driven = guided(dit, x, t, conditions, 1.0, action_guidance=2.0)
    torch.testing.assert_close(driven, action_dropout_mask + 2 * (plain - action_dropout_mask))
    assert drop_actions(tiny_conditions(1000), 0.1).action_dropout_mask.float().mean().sub(0.1).abs() < 0.04


def test_frozen_prompt_layers_learn_nothing_but_what_a_label_means():
    dit = DiT(tiny_config(prompt_dim=LABEL_CHOICES))
    assert torch.equal(dit.null_prompt, no_labels())
    freeze_prompt_layers(dit)
    held = {name for name, p in dit.named_parameters() if not p.requires_grad}
    assert held == {"null_prompt"}
    sentences = DiT(tiny_config(prompt_hidden=16))
    freeze_prompt_layers(sentences)
    held = {name.split(".")[0] for name, p in sentences.named_parameters() if not p.requires_grad}
    assert held == {"null_prompt", "prompt", "prompt_hidden"}


def test_a_latent_is_bounded_and_a_checkpoint_without_bounds_loads():
    dit, conditions = tiny_teacher(), tiny_conditions(2)
    far = 1e4 * noise(2, TOKENS, CHANNELS)
    unbounded = dit.to_latent(far, conditions)
    latents = SimpleNamespace(latents=3 * noise(10, TOKENS, CHANNELS).numpy())
    bound_latents(dit, latents)
    assert torch.equal(dit.to_latent(far, conditions), unbounded.sign() * dit.bound)
    near = dit.to_latent(0 * far, conditions)
    torch.testing.assert_close(near, conditions.history[:, 0].clamp(-dit.bound, dit.bound))
    before = dit.bound.clone()
    bound_latents(dit, SimpleNamespace(latents=latents.latents * 9))
    assert torch.equal(dit.bound, before)  # what a student was trained with stays
    old = {name: value for name, value in tiny_teacher().state_dict().items() if name != "bound"}
    DiT(dit.config).load_state_dict(old)


def test_telemetry_reaches_every_token_and_what_never_changes_stays():
    dit, conditions = tiny_teacher(), tiny_conditions(2)
    x, t = noise(2, TOKENS, CHANNELS), torch.tensor([0.2, 0.9])
    before = dit(x, t, conditions)
    history = conditions.history.clone()
    history[:, :, dit.config.grid :] += 1
    moved = dit(x, t, Conditions(history, conditions.level, conditions.actions, conditions.prompt))
    assert ((moved - before).abs().amax(2) > 1e-4).all()
    dit.delta_std[-1, -1] = 0
    seen = corrupt(conditions, 2.0, dit.noise_unit())
    torch.testing.assert_close(seen.history[..., -1, -1], conditions.history[..., -1, -1], rtol=0, atol=0)
    latent = dit.to_latent(x, seen)
    torch.testing.assert_close(latent[:, -1, -1], seen.history[:, 0, -1, -1], rtol=0, atol=0)
    with pytest.raises(UserError, match="do not fill a row"):
        tiny_config(columns=TOKENS + 1)


def test_the_history_is_fed_as_the_newest_frame_and_its_changes():
    dit, conditions = tiny_teacher(), tiny_conditions(2)
    fed = dit.fed(conditions.history).unflatten(2, (-1, CHANNELS))
    torch.testing.assert_close(fed[:, :, 0], conditions.history[:, 0])
    gap = dit.config.offsets[2] - dit.config.offsets[1]
    change = (conditions.history[:, 1] - conditions.history[:, 2]) / (gap**0.5 * dit.delta_std)
    torch.testing.assert_close(fed[:, :, 2], change)
