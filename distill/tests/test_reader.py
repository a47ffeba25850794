"""The stage that teaches words anew: an old checkpoint gets a sorter, and the teacher begins with one."""

import pytest
import torch

from distill import reader, teacher
from distill.config import UserError, load_config
from distill.sampling import load_teacher
from distill.tests.tiny import tiny_teacher, write_world
from distill.training import load_checkpoint, write_checkpoint
from distill.words import Reader, Sorter

SHAPE = ["columns=3", "width=24", "blocks=3", "heads=2", "frequencies=8", "batch=8", "codec=none", "loss_power=0"]


@pytest.fixture
def quick(monkeypatch):
    def few(dit, latents, **rest):
        return original(dit, latents, **rest | {"steps": 300, "batch": 20, "learning_rate": 1e-2, "noise": 0.1})

    original = reader.teach_sorter
    monkeypatch.setattr(reader, "teach_sorter", few)


def test_a_checkpoint_from_before_gets_a_sorter_that_says_what_words_said(tmp_path, quick):
    world, path, out = write_world(tmp_path / "world"), tmp_path / "teacher.pt", tmp_path / "new" / "teacher.pt"
    old = tiny_teacher(reader=16)
    weights = {"model": old.state_dict(), "ema": {"model": old.state_dict(), "updates": 3}}
    head = {"format": "oneiro-checkpoint-1", "kind": "teacher", "architecture": old.config.architecture()}
    write_checkpoint(head | {"step": 3, "minutes": 1.0, "samples": 9, "state": weights}, path)
    out.parent.mkdir()
    run = lambda **given: reader.run(reader.Config(data=str(world), file=str(path), hidden=8, **given))  # noqa: E731
    run(out=str(out))
    assert isinstance(load_teacher(path).reader, Reader)  # the file itself is as it was
    new = load_teacher(out)
    assert isinstance(new.reader, Sorter) and load_checkpoint(out, "teacher")["step"] == 3
    torch.testing.assert_close(new.blocks[0].up.weight, old.blocks[0].up.weight)
    run(out=str(out), sharpness=50.0)  # sure of all, so the null prompt is nothing but none
    new, null = load_teacher(out), old.null_prompt[None]
    torch.testing.assert_close(new.said(null), old.said(null), atol=1e-3, rtol=1e-3)
    with pytest.raises(UserError, match="one number for each of biome, time, weather"):
        run(gains=[1.0])


def test_the_teacher_begins_with_a_sorter_and_holds_how_words_are_read(tmp_path, quick):
    world = write_world(tmp_path / "world")
    common = [f"data={world}", f"runs={tmp_path}", *SHAPE, "reader=8", "hold_words=true"]
    teacher.run(load_config(teacher.Config, None, [*common, "max_steps=1"]))
    first = load_teacher(tmp_path / "teacher/teacher.pt", averaged=False)
    teacher.run(load_config(teacher.Config, None, [*common, "max_steps=3", "resume=true"]))
    then = load_teacher(tmp_path / "teacher/teacher.pt", averaged=False)
    assert torch.equal(then.reader.answer.weight, first.reader.answer.weight)
    assert torch.equal(then.prompt.weight, torch.zeros_like(then.prompt.weight))
    assert not torch.equal(then.reader.table.weight, first.reader.table.weight)
