"""A bar on a terminal, and a line now and then in a file."""

import io
import re
import sys
from pathlib import Path

from distill import progress


class Output(io.StringIO):
    def __init__(self, terminal: bool):
        super().__init__()
        self.isatty = lambda: terminal


def written(monkeypatch, terminal: bool, seconds_each: float, count: int = 100) -> str:
    """What is written while `count` units are done, each of which takes `seconds_each`."""
    output, now = Output(terminal), [0.0]
    monkeypatch.setattr(sys, "stderr", output)
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    with progress.Progress(total=count, desc="dream: mash", unit="tick", leave=False) as bar:
        for _ in range(count):
            now[0] += seconds_each
            bar.update()
    return output.getvalue()


def test_a_file_gets_a_line_every_20_seconds(monkeypatch):
    text = written(monkeypatch, False, 1.0)
    lines = text.splitlines()
    assert text.endswith("\n") and "\r" not in text and "\x1b" not in text
    assert lines[:2] == ["dream: mash: 20 of 100 ticks, 01:20 left", "dream: mash: 40 of 100 ticks, 01:00 left"]
    assert len(lines) <= 5


def test_a_file_gets_nothing_of_what_ends_soon(monkeypatch):
    assert written(monkeypatch, False, 0.01) == ""


def test_a_terminal_gets_a_bar(monkeypatch):
    text = written(monkeypatch, True, 1.0)
    assert text.count("\r") > 50 and re.search(r"50%\|(█|#){5}", text)


def test_no_stage_has_a_bar_of_its_own():
    folder = Path(progress.__file__).parent
    found = [path.name for path in folder.rglob("*.py") if re.search(r"^\s*(from|import) tqdm", path.read_text(), re.M)]
    assert found == ["progress.py"]
