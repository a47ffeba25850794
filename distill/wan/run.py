"""A training run over any number of ranks: `distill.training.run.Run` with sharded checkpoints.

    <run>/step-000100/            torch.distributed.checkpoint: every rank writes its part
    <run>/step-000100/state.json  step, samples, minutes, architecture
    <run>/latest                  the name of the last whole checkpoint

- A checkpoint is written under another name, then renamed, then named in `latest`, then the one before is removed: so a
  full disk or a kill leaves the last good one.
- It can be resumed on another number of ranks and with the other strategy; noise and data follow the step alone.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import secrets
import shutil
import signal
import zlib
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import Tensor, nn
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.state_dict import (
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from distill.atomic import UnwritableError, reason_of, write_text
from distill.checkpoints import require_architecture
from distill.config import UserError
from distill.training.run import Run
from distill.wan.clips import Clips
from distill.wan.model import WanShape
from distill.wan.training import Engine, WanConfig, seed_micro_batch

FORMAT = "oneiro-wan-checkpoint-1"


def latest(folder: Path) -> Path:
    """The last whole checkpoint below a run's folder, or `folder` if it is one. Raises UserError if there is none."""
    if (folder / "state.json").is_file():
        return folder
    try:
        found = folder / (folder / "latest").read_text().strip()
    except OSError as error:
        raise UserError(f"there is no checkpoint in {folder}; train that stage first or name another folder") from error
    return found


def read_state(folder: Path, kind: str, architecture: dict | None = None) -> dict:
    """state.json of a checkpoint. Raises UserError where it is unreadable or of another kind or architecture."""
    try:
        state = json.loads((folder / "state.json").read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{folder} is not a readable checkpoint ({error}); it may be cut short") from error
    if state.get("format") != FORMAT or state.get("kind") != kind:
        raise UserError(f"{folder} holds {state.get('kind', 'something else')}, not a {kind} of {FORMAT}")
    if architecture is not None:
        require_architecture(folder, state["architecture"], architecture)
    return state


def load_model(network: nn.Module, folder: Path, name: str, alone: bool = False) -> None:
    """Fills `network`, whole or sharded, with the part `name` of a checkpoint. `alone`: without the other ranks."""
    state = {name: {"model": get_model_state_dict(network)}}
    read(state, folder, alone)
    set_model_state_dict(network, state[name]["model"])


def read(state: dict, folder: Path, alone: bool = False) -> None:
    try:
        dcp.load(state, checkpoint_id=folder, no_dist=alone or not dist.is_initialized())
    except (CheckpointException, RuntimeError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise UserError(f"{folder} could not be read ({reason[0]}); files may be missing or cut short") from error


class WanRun(Run):
    def __init__(self, config: WanConfig, kind: str, architecture: dict):
        super().__init__(config, kind, architecture)
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
        if "RANK" in os.environ and not dist.is_initialized():  # torchrun with one process, which FSDP2 may want
            dist.init_process_group("nccl" if self.device.type == "cuda" else "gloo")
        self.engine = Engine(config, self.device, self.rank, self.world)
        self.world = 1  # `batch` is already that of all ranks
        self.checkpoint = self.folder / "latest"
        self.parts: dict[str, tuple[nn.Module, torch.optim.Optimizer]] = {}
        self._ended = False
        self.require_shared()
        self.resuming = bool(self._rank_0s(config.resume and self.checkpoint.is_file()))

    def require_shared(self) -> None:
        """Raises UserError on all ranks where one does not see what rank 0 writes: a checkpoint is one folder of all
        ranks."""
        token = secrets.randbits(32)
        if not self.rank:
            with self._writing(f"{self.folder}"):
                (self.folder / f"shared-{token}").touch()
        path = self.folder / f"shared-{self._rank_0s(token)}"
        unseen = self._any(not path.is_file())
        if not self.rank:
            path.unlink(missing_ok=True)
        if unseen:
            raise UserError(
                f"{self.folder.absolute()} is not the same folder on all machines; runs=FOLDER has to lie on a file "
                "system that they share"
            )

    def clips(self, shape: WanShape) -> Clips:
        """The training data. Raises UserError on all ranks where they do not see the same."""
        config = self.config
        clips = Clips(config.data, shape, config.batch, config.micro_batch, config.seed, self.device)
        seen = zlib.crc32("".join(path.name for path in clips.files).encode())
        if self._any(seen != self._rank_0s(seen)):
            raise UserError(
                f"the clips in {config.data} are not the same for all ranks; data=FOLDER has to lie on a file system "
                "that all machines share, and wan-data must have ended"
            )
        return clips

    def track(self, **parts: tuple[nn.Module, torch.optim.Optimizer]) -> None:
        """Networks and their optimisers, which make up the checkpoint."""
        self.parts.update(parts)

    def begin(self, flops_per_sample: float = 0.0) -> None:
        """As in Run, but an earlier checkpoint is never started over: it may have cost weeks."""
        if self.checkpoint.is_file() and not self.config.resume:
            raise UserError(f"{self.folder} holds a checkpoint; continue it with --resume, or choose another name")
        if not self.rank:
            for unfinished in self.folder.glob("step-*.tmp"):
                shutil.rmtree(unfinished, ignore_errors=True)
        super().begin(flops_per_sample)

    # -- checkpoints ---------------------------------------------------------------------------------------------

    def state(self) -> dict:
        return {
            name: {"model": get_model_state_dict(network), "optimiser": get_optimizer_state_dict(network, optimiser)}
            for name, (network, optimiser) in self.parts.items()
        }

    def restore(self, path: Path | None = None) -> None:
        folder = latest(path or self.folder)
        saved = read_state(folder, self.kind, self.architecture)
        state = self.state()
        read(state, folder)
        for name, (network, optimiser) in self.parts.items():
            set_model_state_dict(network, state[name]["model"])
            set_optimizer_state_dict(network, optimiser, state[name]["optimiser"])
        self.step, self.samples, self.minutes = saved["step"], saved["samples"], saved["minutes"]

    def save(self) -> None:
        """Writes a checkpoint; all ranks call it. Raises UserError where it fails, with the last good one intact."""
        self._tick()
        folder = self.folder / f"step-{self.step:06d}"
        temporary = folder.with_suffix(".tmp")
        if not self.rank:  # of a save that was interrupted, perhaps on more ranks
            shutil.rmtree(temporary, ignore_errors=True)
        self._any(False)  # the others wait for that
        state, reason = self.state(), ""
        try:
            dcp.save(state, checkpoint_id=temporary, no_dist=not dist.is_initialized())
            if not self.rank:
                self._publish(temporary, folder)
        except (CheckpointException, OSError, RuntimeError, UnwritableError) as error:
            reason = (str(reason_of(error)).strip().splitlines() or [type(error).__name__])[-1]
        if self._any(bool(reason)):
            if not self.rank:
                shutil.rmtree(temporary, ignore_errors=True)
            raise UserError(
                f"the checkpoint of step {self.step} could not be written ({reason or 'another rank failed'}); "
                f"{self.good()}. Is the disk full? Make room and continue with --resume"
            )

    def good(self) -> str:
        return f"the last good checkpoint is {latest(self.folder)}" if self.checkpoint.is_file() else super().good()

    def _publish(self, temporary: Path, folder: Path) -> None:
        state = {"format": FORMAT, **self.head()}
        write_text(temporary / "state.json", json.dumps(state, indent=1))
        before = latest(self.folder) if self.checkpoint.is_file() else None
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(temporary, folder)
        write_text(self.checkpoint, folder.name)
        if before not in (None, folder):
            shutil.rmtree(before, ignore_errors=True)

    # -- the loop ------------------------------------------------------------------------------------------------

    def steps(self):
        """Yields step numbers to `max_steps`, or `max_minutes` or a signal that all ranks know of (`agree`); saves."""
        handlers = {s: signal.signal(s, lambda *_: self.stop("a signal")) for s in (signal.SIGTERM, signal.SIGINT)}
        saved = self.step
        try:
            while self.step < self.config.max_steps and not self._ended:
                yield self.step
                self._tick()
                self.step += 1
                self.samples += self.config.batch
                if self.step % self.config.save_steps == 0:
                    self.save()
                    saved = self.step
            if saved != self.step:
                self.save()
            self.say(f"stopped after step {self.step}, {self.samples} samples, {self.minutes:.1f} minutes")
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            if self._writer:
                with contextlib.suppress(OSError):  # what matters is saved by now, or its failure is printed
                    self._writer.flush()

    def agree(self, metrics: dict[str, Tensor]) -> dict[str, float]:
        """Means over the ranks. Learns of their signals; raises UserError on all of them for a metric that is no
        number."""
        values = torch.stack([torch.as_tensor(v, device=self.device).detach().double() for v in metrics.values()])
        if dist.is_initialized():
            dist.all_reduce(values)
            values /= dist.get_world_size()
        self._tick()
        if self.config.max_minutes and self.minutes >= self.config.max_minutes:
            self.stop(f"{self.config.max_minutes:g} minutes done")
        self._ended = self._any(bool(self._stop))
        means = dict(zip(metrics, values.tolist(), strict=True))
        for name, value in means.items():
            if not math.isfinite(value):
                raise UserError(
                    f"{name} is not a number at step {self.step}; {self.good()}. Resume it with a lower learning_rate"
                )
        return means

    def _any(self, flag: bool) -> bool:
        if not dist.is_initialized():
            return flag
        shared = torch.tensor(float(flag), device=self.device)
        dist.all_reduce(shared, dist.ReduceOp.MAX)
        return bool(shared)

    def _rank_0s(self, number: int) -> int:
        if not dist.is_initialized():
            return number
        shared = torch.tensor(int(number), device=self.device)
        dist.broadcast(shared, 0)
        return int(shared)


def accumulate(run: WanRun, side: nn.Module, trained: nn.Module, step: int, clips: Clips, dropout: float = 0.0) -> dict:
    """The clipped gradients of one step, of the mean loss of all its micro-batches; metrics averaged over all ranks.
    Raises UserError where the loss or the gradient is not a number."""
    engine, config = run.engine, run.config
    total: dict[str, torch.Tensor] = {}
    rounds = config.batch // (config.micro_batch * engine.world)
    for number, last in engine.micro_batches():
        latents, conditions = clips.micro_batch(step, number, dropout)
        seed_micro_batch(config.seed, step, number)
        if isinstance(side, nn.parallel.DistributedDataParallel):
            side.require_backward_grad_sync = last
        with run.autocast():
            loss, metrics = side(latents, conditions, number)
        (loss / rounds).backward()
        for name, value in {"loss": loss.detach(), **metrics}.items():
            total[name] = total.get(name, 0) + value / rounds
    norm = engine.clip(trained)
    return run.agree(total | {"gradient_norm": torch.tensor(norm, device=run.device)})
