"""How far a long command is: a bar on a terminal, and a line now and then where the output goes into a file."""

from __future__ import annotations

import sys

from tqdm import tqdm

EVERY_SECONDS = 20.0


class Progress(tqdm):
    """tqdm, for a reader who may be a file: no bar there, nothing of what ends soon, no carriage returns."""

    def __init__(self, *given, **options):
        if not sys.stderr.isatty():
            unit = options.get("unit", "it")
            shown = f"{{desc}}: {{n_fmt}} of {{total_fmt}} {unit}s, {{remaining}} left"
            pace = {"mininterval": EVERY_SECONDS, "maxinterval": 1e9, "delay": EVERY_SECONDS, "miniters": 1}
            options |= pace | {"bar_format": shown, "leave": False}
        super().__init__(*given, **options)

    def close(self):
        if self.disable or self.fp.isatty():
            return super().close()
        self.disable = True  # tqdm would end with a carriage return
        self._decr_instances(self)

    @staticmethod
    def status_printer(file):
        if file.isatty():
            return tqdm.status_printer(file)

        def line(text: str) -> None:
            if text.strip():
                file.write(text.strip() + "\n")
                file.flush()

        return line
