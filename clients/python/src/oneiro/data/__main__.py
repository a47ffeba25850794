"""python -m oneiro.data WORLD --format lerobot|minari --out NAME: drives as a data set."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from oneiro.data import hold_at_random, read_action_log, record, replayed, write_lerobot, write_minari
from oneiro.errors import OneiroError
from oneiro.world import open_world


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m oneiro.data", description=__doc__)
    parser.add_argument("world", help="the folder that world.json lies in")
    parser.add_argument("--format", choices=("lerobot", "minari"), default="lerobot")
    parser.add_argument("--out", required=True, help="a new folder; for Minari a name like oneiro/drive-v0")
    parser.add_argument(
        "--logs", nargs="+", type=Path, metavar="FILE", help="drives that were saved (key L of the page)"
    )
    parser.add_argument("--drives", type=int, default=8, help="without logs: drives under keys held at random")
    parser.add_argument("--ticks", type=int, default=200, help="of each, at most")
    parser.add_argument("--seed", type=int, default=0, help="of the first drive; the next has one more")
    parser.add_argument("--prompt", help="words of all drives; left out, each has its own")
    asked = parser.parse_args(arguments)
    try:
        with open_world(asked.world) as world:
            if asked.logs:
                drives = [replayed(world, read_action_log(path.read_text("utf-8"))) for path in asked.logs]
            else:
                seeds = range(asked.seed, asked.seed + asked.drives)
                drives = [
                    record(world, hold_at_random(world.space, seed), asked.ticks, seed, asked.prompt) for seed in seeds
                ]
        write = write_lerobot if asked.format == "lerobot" else write_minari
        write(asked.out, drives)
    except (OneiroError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(drives)} drives of {sum(map(len, drives))} steps: {asked.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
