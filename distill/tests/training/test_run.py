"""Configurations, checkpoints and the loop that every stage shares."""

import errno

import pytest
import torch
from torch import nn

from distill.checkpoints import load_checkpoint
from distill.config import TrainConfig, UserError, load_config
from distill.tests.wan.ranks import on_ranks
from distill.training.run import Batches, Ema, Run


def train(folder, name, stop_after=None, resume=False, learning_rate=1e-2, max_steps=12, width=4, **more):
    """A tiny fit with random inputs; returns all that a checkpoint must bring back."""
    config = TrainConfig(
        name=name,
        runs=str(folder),
        max_steps=max_steps,
        batch=8,
        resume=resume,
        learning_rate=learning_rate,
        log_steps=5,
        **more,
    )
    run = Run(config, "teacher", {"width": width})
    model = nn.Sequential(nn.Linear(4, width), nn.Dropout(0.3), nn.Linear(width, 1))
    ema, optimiser, batches = Ema(model, 0.9), run.optimiser(model.parameters()), Batches(37, 8, config.seed)
    run.track(model=model, ema=ema, optimiser=optimiser, batches=batches)
    run.begin()
    for _ in run.steps():
        run.set_learning_rate(optimiser)
        rows = torch.from_numpy(batches.next()).float()
        loss = (model(torch.randn(8, 4))[:, 0] - rows / 37).square().mean()
        run.backward(loss, optimiser, model)
        ema.update(model)
        run.log({"loss": loss})
        if run.step + 1 == stop_after:
            run.stop("the test")
    return run, [*model.parameters(), *ema.model.parameters()]


def test_resuming_is_exact(tmp_path):
    straight, expected = train(tmp_path, "straight")
    train(tmp_path, "broken", stop_after=5)
    resumed, actual = train(tmp_path, "broken", resume=True)
    assert resumed.step == straight.step == 12
    assert all(torch.equal(a, b) for a, b in zip(expected, actual, strict=True))


def test_another_architecture_is_refused(tmp_path):
    train(tmp_path, "a", stop_after=2)
    with pytest.raises(UserError, match="width is 4 there and 5 here"):
        train(tmp_path, "a", resume=True, width=5)
    with pytest.raises(UserError, match="holds a teacher, not a student"):
        load_checkpoint(tmp_path / "a" / "teacher.pt", "student")


def test_a_cut_checkpoint_is_refused(tmp_path):
    run, _ = train(tmp_path, "a", stop_after=2)
    whole = run.checkpoint.read_bytes()
    run.checkpoint.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="not a readable checkpoint"):
        load_checkpoint(run.checkpoint, "teacher")


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("minutes", [0.0, 5.0])  # on the way, and at the end
def test_a_full_disk_ends_the_run_and_leaves_the_last_good_checkpoint(tmp_path, monkeypatch, minutes):
    run, _ = train(tmp_path, "a", stop_after=3)
    before = run.checkpoint.read_bytes()
    monkeypatch.setattr("distill.checkpoints.torch.save", full)
    step = 12 if minutes else 4
    with pytest.raises(UserError, match=f"of step {step} could not be written .*No space left.*good checkpoint is"):
        train(tmp_path, "a", resume=True, checkpoint_minutes=minutes)
    assert run.checkpoint.read_bytes() == before
    assert list(run.folder.glob("*.tmp")) == []
    with pytest.raises(UserError, match="there is no checkpoint before it"):
        train(tmp_path, "b")


def test_a_full_disk_under_the_log_ends_the_run(tmp_path, monkeypatch):
    run, _ = train(tmp_path, "a", stop_after=3)
    monkeypatch.setattr("torch.utils.tensorboard.SummaryWriter.add_scalar", full)
    monkeypatch.setattr("torch.utils.tensorboard.SummaryWriter.flush", full)
    with pytest.raises(UserError, match="the log could not be written .*good checkpoint is"):
        train(tmp_path, "a", resume=True)
    assert load_checkpoint(run.checkpoint, "teacher")["step"] == 3


def test_a_loss_that_is_no_number_stops_the_run(tmp_path):
    with pytest.raises(UserError, match="not a number at step"):
        train(tmp_path, "a", learning_rate=float("inf"))
    assert not (tmp_path / "a" / "teacher.pt").exists()


@pytest.mark.parametrize("clip", [1.0, 0.0])
def test_a_gradient_that_is_no_number_reaches_nothing(tmp_path, clip):
    """The root at 0 is a number, and its slope is none."""
    run = Run(TrainConfig(name="a", runs=str(tmp_path), max_steps=3, clip=clip), "teacher", {})
    model = nn.Linear(2, 1, bias=False)
    optimiser = run.optimiser(model.parameters())
    run.track(model=model, optimiser=optimiser)
    run.begin()
    moved = []
    with pytest.raises(UserError, match="the gradient is not a number at step 1; there is no checkpoint before it"):
        for step in run.steps():
            run.backward((model.weight * (1 - step)).square().sum().sqrt(), optimiser, model)
            moved.append(model.weight.detach().clone())
    assert len(moved) == 1 and torch.equal(model.weight, moved[0])
    assert not run.checkpoint.exists()
    run.save()
    assert run.good() == f"the last good checkpoint is {run.checkpoint}"


def fit(folder, name, batch, stop_at=0, resume=False):
    """A fit without noise; each rank starts elsewhere and leaves its parameters."""
    config = TrainConfig(name=name, runs=str(folder), max_steps=8, batch=batch, resume=resume, learning_rate=1e-2)
    run = Run(config, "teacher", {})
    model = nn.Linear(1, 2)
    ema, optimiser, batches = Ema(model, 0.9), run.optimiser(model.parameters()), Batches(37, batch, config.seed)
    run.track(model=model, ema=ema, optimiser=optimiser, batches=batches)
    run.begin()
    for step in run.steps():
        run.set_learning_rate(optimiser)
        rows = torch.from_numpy(batches.next()).float()[:, None] / 37
        run.backward((model(rows) - rows**2).square().mean(), optimiser, model)
        ema.update(model)
        if step + 1 == stop_at and run.rank == run.world - 1:  # as if that rank alone had a signal
            run.stop("the test")
    torch.save([*model.parameters(), *ema.model.parameters(), torch.rand(1)], folder / f"{name}-{run.rank}.pt")


def test_two_ranks_are_one_with_the_whole_batch(tmp_path):
    fit(tmp_path, "one", 8)
    assert on_ranks(2, tmp_path / "ranks", fit, tmp_path, "two", 4, 5) == ["", ""]
    assert load_checkpoint(tmp_path / "two/teacher.pt", "teacher")["step"] == 5
    assert on_ranks(2, tmp_path / "ranks", fit, tmp_path, "two", 4, 0, True) == ["", ""]
    one, first, second = (torch.load(tmp_path / f"{name}.pt") for name in ("one-0", "two-0", "two-1"))
    assert all(torch.equal(a, b) for a, b in zip(first[:-1], second[:-1], strict=True))
    torch.testing.assert_close(first[:-1], one[:-1])
    assert first[-1] != second[-1]  # each goes on with its own noise


def test_batches_cover_each_epoch_once_and_start_over_when_data_grows():
    batches = Batches(10, 4, seed=3)
    seen = [int(i) for _ in range(5) for i in batches.next()]
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert seen[:10] != seen[10:]
    grown = Batches(15, 4, seed=3)
    grown.load_state_dict(batches.state_dict())
    assert grown.position == 0 and grown.epoch == batches.epoch + 1


def test_configurations_are_diffs_and_unknown_keys_are_refused(tmp_path):
    (tmp_path / "base.yaml").write_text("seed: 7\nthreads: 2\n")
    (tmp_path / "mine.yaml").write_text("defaults: base.yaml\nthreads: 1\n")
    config = load_config(TrainConfig, str(tmp_path / "mine.yaml"), ["batch=64"])
    assert (config.seed, config.threads, config.batch) == (7, 1, 64)
    with pytest.raises(UserError, match="lerning_rate"):
        load_config(TrainConfig, None, ["lerning_rate=1"])
    with pytest.raises(UserError, match="batch"):
        load_config(TrainConfig, None, ["batch=many"])
    with pytest.raises(UserError, match="no configuration file"):
        load_config(TrainConfig, str(tmp_path / "absent.yaml"))
    with pytest.raises(UserError, match=r"`name=\[a,b=\[c\]\]` cannot be read.*in quotes"):
        load_config(TrainConfig, None, ["name=[a,b=[c]]"])
    (tmp_path / "mine.yaml").write_text("batch: [")
    with pytest.raises(UserError, match="is no YAML"):
        load_config(TrainConfig, str(tmp_path / "mine.yaml"))


def test_learning_rate_warms_up_and_falls(tmp_path):
    config = TrainConfig(name="r", runs=str(tmp_path), max_steps=1000, warmup_steps=10, learning_rate=1.0)
    run = Run(config, "teacher", {})
    rates = []
    for step in (0, 9, 500, 1000):
        run.step = step
        rates.append(run.learning_rate())
    assert rates[0] == pytest.approx(0.1, abs=0.01) and rates[1] == pytest.approx(1, abs=0.01)
    assert rates[2] == pytest.approx(0.51, abs=0.01) and rates[3] == pytest.approx(0.02, abs=1e-6)
