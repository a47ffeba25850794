"""Runs a function on several ranks, as torchrun would, from a test: forked processes with gloo between them."""

from __future__ import annotations

import json
import os
import socket
import traceback
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from distill.config import UserError


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _work(rank: int, world: int, port: int, folder: Path, function: Callable, arguments: tuple) -> None:
    torch.set_num_threads(1)
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world}
    os.environ.update({key: str(value) for key, value in address.items()})
    result = ""
    try:
        function(*arguments)
    except UserError as error:
        result = f"UserError: {error}"
    except BaseException:
        result = traceback.format_exc()
    (folder / f"rank-{rank}.txt").write_text(result)
    if dist.is_initialized():
        dist.destroy_process_group()
    os._exit(0)


def on_ranks(world: int, folder: Path, function: Callable, *arguments) -> list[str]:
    """What each rank ended with: nothing, `UserError: <sentence>` or a trace."""
    folder.mkdir(parents=True, exist_ok=True)
    start = mp.get_context("spawn" if torch.cuda.is_available() else "fork")
    port = _free_port()
    ranks = [start.Process(target=_work, args=(r, world, port, folder, function, arguments)) for r in range(world)]
    for rank in ranks:
        rank.start()
    for rank in ranks:
        rank.join(300)
        if rank.is_alive():
            rank.kill()
    told = [folder / f"rank-{rank}.txt" for rank in range(world)]
    return [path.read_text() if path.is_file() else "the process ended without a word" for path in told]


def train(stage, config, record: Path) -> None:
    """Runs a stage; rank 0 writes the metrics of each step to `record`, one JSON object a line."""
    accumulate = stage.accumulate

    def recording(*arguments, **named):
        metrics = accumulate(*arguments, **named)
        if not int(os.environ.get("RANK", 0)):
            with open(record, "a") as file:
                file.write(json.dumps(metrics) + "\n")
        return metrics

    stage.accumulate = recording
    try:
        stage.run(config)
    finally:
        stage.accumulate = accumulate


def metrics(record: Path) -> list[dict]:
    return [json.loads(line) for line in record.read_text().splitlines()]
