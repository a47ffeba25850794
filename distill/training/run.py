"""What every trained stage shares, and nothing about any model.

- A `Run` owns a folder: checkpoints, TensorBoard events, the progress line, the clock, the signals.
- Resuming continues as if nothing had happened, bit for bit on one device (checkpoints.py).
- Under torchrun every rank takes its own part of each batch, gradients are averaged and rank 0's clock decides.

    run = Run(config, "teacher", architecture)
    run.track(model=model, ema=ema, optimiser=optimiser, batches=batches)   # anything with state_dict/load_state_dict
    run.begin(flops_per_sample=...)                                         # resumes where config.resume says so
    for step in run.steps():
        run.set_learning_rate(optimiser)
        loss = ...; run.backward(loss, optimiser, model); ema.update(model)
        run.log({"loss": loss})
        if run.validation_due(): ...; run.scalars({"psnr": ...}); run.image("sheet", array)
"""

from __future__ import annotations

import contextlib
import copy
import math
import os
import random
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import nn

from distill.atomic import UnwritableError, reason_of
from distill.checkpoints import FORMAT, load_checkpoint, write_checkpoint
from distill.config import TrainConfig, UserError
from distill.distributed import (
    DTYPES,
    agree,
    average_gradients,
    broadcast_parts,
    environment,
    seed_everything,
    setup,
)


class Ema:
    """An exponential moving average of a model's parameters; buffers are copied. `ema.model` is ready to use."""

    def __init__(self, model: nn.Module, decay: float):
        self.decay = decay
        self.updates = 0
        self.model = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        own, new = list(self.model.parameters()), [p.detach() for p in model.parameters()]
        torch._foreach_lerp_(own, new, 1 - decay)
        for mine, theirs in zip(self.model.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)

    def state_dict(self) -> dict:
        return {"model": self.model.state_dict(), "updates": self.updates}

    def load_state_dict(self, state: dict) -> None:
        self.model.load_state_dict(state["model"])
        self.updates = state["updates"]


class Batches:
    """Endless shuffled batches of indices below `count`, a new permutation each epoch. Resumes at the same index.

    Under torchrun every process takes its own slice. If the data has grown since the checkpoint, a fresh epoch over
    all of it begins."""

    def __init__(self, count: int, batch: int, seed: int):
        if count < 1:
            raise UserError("there are no training samples; record episodes and run the `prepare` stage first")
        self.count, self.batch, self.seed = count, batch, seed
        self.epoch, self.position = 0, 0
        self.rank, self.world = environment("RANK", 0), environment("WORLD_SIZE", 1)
        self._order = self._permutation()

    def _permutation(self) -> np.ndarray:
        return np.random.Generator(np.random.Philox(key=[self.seed, self.epoch])).permutation(self.count)

    def next(self) -> np.ndarray:
        """int64 [batch]"""
        parts, missing = [], self.batch * self.world
        while missing:
            if self.position >= self.count:
                self.epoch, self.position = self.epoch + 1, 0
                self._order = self._permutation()
            part = self._order[self.position : self.position + missing]
            self.position += len(part)
            missing -= len(part)
            parts.append(part)
        return np.concatenate(parts)[self.rank :: self.world]

    def state_dict(self) -> dict:
        return {"count": self.count, "seed": self.seed, "epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: dict) -> None:
        grown = state["count"] != self.count
        self.seed = state["seed"]
        self.epoch = state["epoch"] + (1 if grown else 0)
        self.position = 0 if grown else state["position"]
        self._order = self._permutation()


class Run:
    """One training run: its folder, checkpoint, clock, log. `architecture` is a flat dict of plain values."""

    def __init__(self, config: TrainConfig, kind: str, architecture: dict):
        self.config, self.kind, self.architecture = config, kind, architecture
        self.device = setup(config)
        self.rank, self.world = environment("RANK", 0), environment("WORLD_SIZE", 1)
        if self.world > 1 and not torch.distributed.is_initialized():
            torch.distributed.init_process_group("nccl" if self.device.type == "cuda" else "gloo")
        self.folder = Path(config.runs) / config.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint = self.folder / f"{kind}.pt"
        self.step, self.samples = 0, 0
        self.minutes = 0.0
        self.tracked: dict = {}
        self.flops_per_sample = 0.0
        self._stop = ""
        self._writer = None
        self._wrapped = False  # DDP averages the gradients

    # -- state ---------------------------------------------------------------------------------------------------

    def track(self, **parts) -> None:
        """Parts with state_dict and load_state_dict that belong in the checkpoint."""
        self.tracked.update(parts)

    def head(self) -> dict:
        """What a checkpoint says of itself."""
        return {
            "kind": self.kind,
            "architecture": self.architecture,
            "config": asdict(self.config),
            "step": self.step,
            "samples": self.samples,
            "minutes": self.minutes,
        }

    def state(self) -> dict:
        kind, keys, position, has_gauss, cached = np.random.get_state()
        rng = {
            "torch": torch.get_rng_state(),
            "numpy": [kind, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, cached],
            "python": random.getstate(),
        }
        if self.device.type == "cuda":
            rng["cuda"] = torch.cuda.get_rng_state(self.device)
        return {
            "format": FORMAT,
            **self.head(),
            "rng": rng,
            "state": {name: part.state_dict() for name, part in self.tracked.items()},
        }

    def restore(self, path: Path | None = None) -> None:
        """Takes up the whole state of a checkpoint. Raises UserError where it belongs to another architecture."""
        saved = load_checkpoint(path or self.checkpoint, self.kind, self.architecture)
        missing = self.tracked.keys() - saved["state"].keys()
        if missing:
            raise UserError(f"{path or self.checkpoint} lacks {', '.join(sorted(missing))}; it cannot be resumed")
        for name, part in self.tracked.items():
            part.load_state_dict(saved["state"][name])
        self.step, self.samples, self.minutes = saved["step"], saved["samples"], saved["minutes"]
        rng = saved["rng"]
        torch.set_rng_state(rng["torch"])
        kind, keys, *rest = rng["numpy"]
        np.random.set_state((kind, keys.numpy().astype(np.uint32), *rest))
        version, internal, gauss = rng["python"]
        random.setstate((version, tuple(internal), gauss))
        if self.device.type == "cuda" and "cuda" in rng:
            torch.cuda.set_rng_state(rng["cuda"], self.device)
        if self.rank:  # those states were rank 0's
            seed_everything(int(np.random.SeedSequence([self.config.seed, self.rank, self.step]).generate_state(1)[0]))

    def save(self) -> None:
        """Writes the checkpoint. Raises UserError where it fails, with the last good one intact."""
        if self.rank:
            return
        self._tick()
        with self._writing(f"the checkpoint of step {self.step}"):
            write_checkpoint(self.state(), self.checkpoint)
        self._saved = time.monotonic()

    def good(self) -> str:
        """Which checkpoint is left, as a clause of a sentence."""
        if not self.checkpoint.is_file():
            return "there is no checkpoint before it"
        return f"the last good checkpoint is {self.checkpoint}"

    @contextlib.contextmanager
    def _writing(self, what: str):
        try:
            yield
        except (OSError, RuntimeError, UnwritableError) as error:
            raise UserError(
                f"{what} could not be written ({reason_of(error)}); {self.good()}. "
                "Is the disk full? Make room and continue with --resume"
            ) from error

    # -- the loop ------------------------------------------------------------------------------------------------

    def begin(self, flops_per_sample: float = 0.0) -> None:
        """Resumes if asked to, opens the log and starts the clock. `flops_per_sample` counts forward and backward."""
        self.flops_per_sample = flops_per_sample
        if self.config.resume and self.checkpoint.is_file():
            self.restore()
            self.say(f"resumed {self.checkpoint} at step {self.step} after {self.minutes:.1f} minutes")
        elif self.config.resume:
            self.say(f"nothing to resume in {self.folder}; starting")
        elif self.checkpoint.is_file() and not self.rank:
            kept = self.checkpoint.with_suffix(".previous.pt")
            os.replace(self.checkpoint, kept)
            self.say(f"kept the earlier checkpoint as {kept}")
        if self.world > 1 and not self._wrapped:
            broadcast_parts(part.model if isinstance(part, Ema) else part for part in self.tracked.values())
        if not self.rank:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(self.folder / "events", purge_step=self.step or None)
        now = time.monotonic()
        self._clock = self._saved = self._validated = now
        self._mark = (now, self.samples)
        self._sums: dict[str, list] = {}

    def _tick(self) -> None:
        now = time.monotonic()
        self.minutes += (now - self._clock) / 60
        self._clock = now

    def steps(self):
        """Yields step numbers until a limit, a signal or `stop`. Saves on the way and at the end."""
        config = self.config
        handlers = {s: signal.signal(s, lambda *_: self.stop("a signal")) for s in (signal.SIGTERM, signal.SIGINT)}
        try:
            while not self._over():
                yield self.step
                self.step += 1
                self.samples += config.batch * self.world
                if time.monotonic() - self._saved > 60 * config.checkpoint_minutes:
                    self.save()
            self.save()
            self.say(f"stopped: {self._stop}. step {self.step}, {self.samples} samples, {self.minutes:.1f} minutes")
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            if self._writer:
                with contextlib.suppress(OSError):  # what matters is saved by now, or its failure is printed
                    self._writer.flush()

    def _over(self) -> bool:
        config = self.config
        self._tick()
        if self.world > 1:
            self.minutes, stopped = agree(self.minutes, bool(self._stop), self.device)
            if stopped:
                self.stop(self._stop or "another rank stopped")
        if self._stop:
            return True
        if config.max_steps and self.step >= config.max_steps:
            self.stop(f"{config.max_steps} steps done")
        elif config.max_minutes and self.minutes >= config.max_minutes:
            self.stop(f"{config.max_minutes:g} minutes done")
        return bool(self._stop)

    def stop(self, reason: str) -> None:
        self._stop = reason

    # -- the schedule and the step -------------------------------------------------------------------------------

    def validation_due(self) -> bool:
        """True every `validate_minutes`."""
        if time.monotonic() - self._validated < 60 * self.config.validate_minutes:
            return False
        self._validated = time.monotonic()
        return True

    def progress(self) -> float:
        """How much of the budget is spent, 0..1; what the learning-rate schedule follows."""
        config = self.config
        if config.max_steps:
            return min(1.0, self.step / config.max_steps)
        return min(1.0, self.minutes / config.max_minutes) if config.max_minutes else 0.0

    def learning_rate(self) -> float:
        config, done = self.config, self.progress()
        if config.schedule == "cosine":
            part = config.final_learning_rate + (1 - config.final_learning_rate) * 0.5 * (1 + math.cos(math.pi * done))
        elif config.schedule == "wsd":
            part = 1 - (1 - config.final_learning_rate) * max(0.0, (done - 0.8) / 0.2)
        elif config.schedule == "constant":
            part = 1.0
        else:
            raise UserError(f"schedule must be cosine, constant or wsd, not {config.schedule}")
        return config.learning_rate * part * min(1.0, (self.step + 1) / max(1, config.warmup_steps))

    def set_learning_rate(self, *optimisers: torch.optim.Optimizer) -> None:
        rate = self.learning_rate()
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * group.get("scale", 1.0)

    def optimiser(self, parameters) -> torch.optim.AdamW:
        """AdamW with the run's settings; matrices and kernels decay, vectors do not."""
        parameters = [p for p in parameters if p.requires_grad]
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": self.config.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        betas = (self.config.beta1, self.config.beta2)
        return torch.optim.AdamW([g for g in groups if g["params"]], self.config.learning_rate, betas, foreach=True)

    def compile_parts(self, *networks: nn.Module) -> None:
        """For networks of which parts are called, where asked: compiles what the classes of their modules name as
        COMPILED, for all of those classes in this process."""
        if not self.config.compile:
            return
        if getattr(self.config, "derivative", "") == "jvp":
            raise UserError("compile=true knows no forward-mode derivative; set derivative=difference or compile=false")
        torch._dynamo.config.recompile_limit = 64  # with and without gradient, autocast, first frames, by size
        for kind in {type(module) for network in networks for module in network.modules()}:
            for name in getattr(kind, "COMPILED", ()):
                method = getattr(kind, name)
                if not hasattr(method, "_torchdynamo_orig_callable"):
                    setattr(kind, name, torch.compile(method, dynamic=False))

    def compiled(self, model: nn.Module) -> nn.Module:
        """What to call instead of `model`, compiled where asked."""
        return torch.compile(model) if self.config.compile else model

    def parallel(self, model: nn.Module) -> nn.Module:
        """What to call in the forward pass: compiled where asked, DDP under torchrun. `model` keeps its names."""
        model = self.compiled(model)
        if self.world > 1:
            model, self._wrapped = nn.parallel.DistributedDataParallel(model), True
        return model

    def autocast(self):
        dtype = DTYPES[self.config.dtype]
        return torch.autocast(self.device.type, dtype, enabled=dtype is not torch.float32)

    def backward(self, loss: torch.Tensor, optimiser: torch.optim.Optimizer, model: nn.Module) -> None:
        """Steps the optimiser with clipped gradients and clears them. Raises UserError, before any parameter moves,
        where the loss or the norm of a gradient is no number. `model` has all that the optimiser steps; the parts of a
        ModuleDict are clipped each by itself."""
        loss.backward()
        parts = {f"{name}_": part for name, part in model.items()} if isinstance(model, nn.ModuleDict) else {"": model}
        parts = {name: part for name, part in parts.items() if any(p.grad is not None for p in part.parameters())}
        values = {"loss": loss.detach()}
        for name, part in parts.items():
            if self.world > 1 and not self._wrapped:
                average_gradients(part)
            norm = nn.utils.clip_grad_norm_(part.parameters(), self.config.clip or math.inf)
            values[f"{name}gradient"] = norm
            self._sum(f"{name}gradient_norm", norm)
        for name, value in zip(values, torch.stack(list(values.values())).tolist(), strict=True):
            if not math.isfinite(value):
                raise UserError(
                    f"the {name} is not a number at step {self.step}; {self.good()}. Go on with a lower learning_rate"
                )
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    # -- the log -------------------------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        if not self.rank:
            print(f"[{self.kind}] {text}", file=sys.stderr, flush=True)

    def _sum(self, name: str, value) -> None:
        total = self._sums.setdefault(name, [0.0, 0])
        total[0] = total[0] + (value.detach() if isinstance(value, torch.Tensor) else value)
        total[1] += 1

    def log(self, values: dict) -> None:
        """Averages scalars; every `log_steps` writes them and the progress line."""
        for name, value in values.items():
            self._sum(name, value)
        if (self.step + 1) % self.config.log_steps:
            return
        now, (then, before) = time.monotonic(), self._mark
        samples = self.samples + self.config.batch * self.world
        rate = (samples - before) / max(1e-9, now - then)
        self._mark = (now, samples)
        means = {name: float(total) / count for name, (total, count) in self._sums.items()}
        self._sums = {}
        gflops = rate * self.flops_per_sample / 1e9
        self.scalars(means | {"samples_per_second": rate, "gflop_per_second": gflops, "lr": self.learning_rate()})
        shown = "  ".join(f"{name} {value:.4g}" for name, value in means.items())
        self.say(
            f"step {self.step + 1}  {self.minutes:.1f} min ({100 * self.progress():.0f} %)  {shown}  "
            f"{rate:.1f} samples/s  {gflops:.0f} GFLOP/s"
        )

    def scalars(self, values: dict) -> None:
        if self._writer:
            with self._writing("the log"):
                for name, value in values.items():
                    self._writer.add_scalar(name, value, self.step)

    def report(self, metrics: dict) -> None:
        """Metrics on held-out data: to the log and the terminal."""
        self.scalars({f"held_out/{name}": value for name, value in metrics.items()})
        self.say("held out: " + "  ".join(f"{name} {value:.4g}" for name, value in metrics.items()))

    def image(self, name: str, image: np.ndarray) -> None:
        """uint8 [H,W,3]: to TensorBoard and to `<run>/<name>.png`."""
        if self._writer:
            from PIL import Image

            with self._writing("the log"):
                self._writer.add_image(name, image, self.step, dataformats="HWC")
                Image.fromarray(image).save(self.folder / f"{name}.png")
