"""A full disk: a sentence, and what was there before."""

import contextlib
import resource

import pytest
import torch

from distill import atomic as files
from distill import checkpoints
from distill.__main__ import main
from distill.config import UserError
from distill.data import latents
from distill.tests.tiny import save, tiny_teacher


@contextlib.contextmanager
def little_disk(size: int):
    """No file may grow beyond `size` bytes: writing fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    "write",
    [
        lambda path, size: files.write_text(path, "x" * size),
        lambda path, size: files.write_tensors(path, {"x": torch.zeros(size)}),
        lambda path, size: checkpoints.write_checkpoint({"x": torch.zeros(size)}, path),
        lambda path, size: latents.save_atomically(path, torch.zeros(size)),
    ],
)
def test_a_file_is_written_whole_or_stays(tmp_path, write):
    path = tmp_path / "file"
    write(path, 100)
    before = path.read_bytes()
    assert len(before) >= 100
    with little_disk(10_000), pytest.raises(UserError, match="file could not be written .*Is the disk full"):
        write(path, 100_000)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_stage_says_so_in_a_sentence(tmp_path, capsys):
    teacher, out = save(tmp_path, "teacher", "teacher", tiny_teacher()), tmp_path / "kept"
    with little_disk(10_000):
        assert main(["export-weights", f"files=[{teacher}]", f"out={out}"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"export-weights: {out}/teacher.pt could not be written (") and said.count("\n") == 1
    assert list(out.iterdir()) == []
