"""Kept weights: small, and read wherever a checkpoint is."""

from dataclasses import asdict

import pytest
import torch

from distill.config import TrainConfig, UserError
from distill.export import weights
from distill.models.sampler import load_teacher
from distill.tests.tiny import CHANNELS, TOKENS, noise, tiny_conditions, tiny_config, tiny_teacher
from distill.training.run import Ema, Run


def test_kept_weights_are_the_average_and_load_like_a_checkpoint(tmp_path):
    dit = tiny_teacher()
    run = Run(TrainConfig(name="teacher", runs=str(tmp_path)), "teacher", asdict(tiny_config()))
    run.track(model=dit, ema=Ema(dit, 0.9), optimiser=torch.optim.AdamW(dit.parameters()))
    run._clock = 0.0
    run.save()
    file = tmp_path / "teacher/teacher.pt"
    weights.run(weights.Config(files=[str(file)], out=str(tmp_path / "kept")))
    small = tmp_path / "kept/teacher.pt"
    assert small.stat().st_size < 0.8 * file.stat().st_size
    x, t, conditions = noise(2, TOKENS, CHANNELS), torch.tensor([0.2, 0.9]), tiny_conditions(2)
    torch.testing.assert_close(load_teacher(small)(x, t, conditions), dit(x, t, conditions), rtol=0.02, atol=0.02)
    with pytest.raises(UserError, match="should be called"):
        weights.run(weights.Config(files=[str(tmp_path / "other.pt")], out=str(tmp_path)))
