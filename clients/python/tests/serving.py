"""A server of `npm run serve` as a child of a test."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


class Child:
    """Serves at `url` until it is ended."""

    def __init__(self, world: Path, *options: str):
        command = ["node", "scripts/serve.mjs", "--world", str(world), "--port", "0", "--threads", "1", *options]
        environment = {name: value for name, value in os.environ.items() if name != "ONEIRO_TOKEN"}
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        assert self.process.stdout
        said = []
        for line in self.process.stdout:
            said.append(line)
            if found := re.search(r'"port":(\d+)', line):
                self.url = f"ws://localhost:{found[1]}"
                return
        raise AssertionError(f"the server did not start: {''.join(said)}")

    def end(self, by: signal.Signals = signal.SIGKILL) -> None:
        self.process.send_signal(by)
        self.process.wait(timeout=60)

    def close(self) -> None:
        if self.process.poll() is None:
            self.end()
        assert self.process.stdout
        self.process.stdout.close()


@contextmanager
def serving(world: Path, *options: str) -> Iterator[Child]:
    child = Child(world, *options)
    try:
        yield child
    finally:
        child.close()
