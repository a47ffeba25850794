"""Reward and end, read from pictures: learnt on a world where they are plain to see, and put into its graph."""

import numpy as np
import pytest
import torch

from distill.config import UserError, load_config
from distill.data import latents, prepare
from distill.data.packed import Latents
from distill.export import world as export
from distill.methods import codec, outcome
from distill.models.one_step_student import make_student
from distill.models.outcome import Outcome, OutcomeConfig, load_outcome
from distill.models.student import StudentConfig
from distill.models.unet import UNet, UNetConfig
from distill.recipe.judge import trusted
from distill.runtime import onnx_session
from distill.tests import square


def stage(module, *options):
    module.run(load_config(module.Config, None, list(options)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Recordings of the square, with latents and a trained outcome."""
    folder = tmp_path_factory.mktemp("outcome")
    square.write(folder / "data", train=6)
    where = (f"data={folder}/data", f"runs={folder}/runs")
    splits = "splits=[train,validation]"
    stage(prepare, where[0], splits)
    stage(codec, *where, "patch=8", "channels=8")
    stage(latents, *where, splits, f"codec={folder}/runs/codec/codec.pt")
    stage(outcome, *where, "max_steps=250", "batch=64", "width=16", "warmup_steps=10")
    return folder


def test_it_reads_what_was_recorded(folder):
    heldout, model = Latents(folder / "data", "validation"), load_outcome(folder / "runs/outcome/outcome.pt")
    assert model.config.reads == ["reward", "done"]
    metrics = outcome.metrics_of(model, heldout, heldout.transitions())
    assert metrics["reward_correlation"] > 0.95 and metrics["done_f1"] > 0.9


def test_a_dream_that_is_the_recording_is_trusted_and_one_that_stands_still_is_not(folder):
    heldout, model = Latents(folder / "data", "validation"), load_outcome(folder / "runs/outcome/outcome.pt")
    rows = heldout.transitions(40)[::8]
    span = rows + np.arange(41)[:, None]
    played = np.asarray(heldout.latents[span], np.float32)
    told = heldout.rewards[span[:-1]], heldout.dones[span[:-1]]
    metrics = trusted(model, played, *told)
    assert metrics["reward_correlation"] > 0.98
    assert metrics["ends_dreamed"] == pytest.approx(metrics["ends_recorded"], rel=0.1) and metrics["ends_recorded"] > 5
    still = trusted(model, np.repeat(played[:1], 41, 0), *told)
    assert still["reward_correlation"] < 0.8


def test_recordings_without_any_have_none(folder, tmp_path):
    square.write(tmp_path, rewards=np.zeros(110, "<f4").tobytes(), dones=np.zeros(110, np.uint8).tobytes())
    stage(prepare, f"data={tmp_path}", "splits=[train,validation]")
    stage(latents, f"data={tmp_path}", "splits=[train,validation]", f"codec={folder}/runs/codec/codec.pt")
    with pytest.raises(UserError, match="no reward but 0 and no end"):
        stage(outcome, f"data={tmp_path}", f"runs={tmp_path}/runs")


def test_a_graph_says_of_its_own_latents_what_the_network_says(tmp_path):
    torch.manual_seed(0)
    shape = {"rows": 4, "columns": 8, "channels": 5, "action_dims": 2, "prompt_dim": 0, "readings": 0}
    unet = UNet(UNetConfig(**shape, fine=8, middle=8, width=16, field_width=4, heads=2, blocks=1)).eval()
    for weight in unet.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    student = make_student(unet, StudentConfig(inner_steps=2, head_blocks=1, predicts="data")).eval()
    model = Outcome(OutcomeConfig(4, 8, 5, 8)).eval()
    model.centre.fill_(3.0)
    assert export.export_student(student, 0.1, tmp_path, half=True, outcome=model) < 1e-5
    (tmp_path / "alone").mkdir()
    export.export_student(student, 0.1, tmp_path / "alone", half=True)
    inputs = export.graph_inputs(export.example_inputs(student, 3, more=model.tokens))
    feeds = {name: value.numpy() for name, value in inputs.items()}
    got = onnx_session(tmp_path / "student.onnx").run(["latent"], feeds)[0]
    alone = {name: value[:, :, :32] if name in ("history", "noise") else value for name, value in feeds.items()}
    picture = onnx_session(tmp_path / "alone/student.onnx").run(["latent"], alone)[0]
    np.testing.assert_allclose(got[:, :32], picture, atol=1e-5)
    with torch.no_grad():
        read = model.read(torch.from_numpy(feeds["history"][:, 0]), torch.from_numpy(picture)).numpy()
    np.testing.assert_allclose(got[:, 32, :2], read, atol=1e-5)
    assert (got[:, 32, 2:] == 0).all() and got.shape == (3, 33, 5)
    token = model.token(np.array([4.0]), np.array([1]))
    np.testing.assert_allclose(token, [[[1, 1, 0, 0, 0]]])
