"""What the teacher's and the student's training look at: next-tick metrics and a free-running contact sheet.

These guide a run; the metrics that count come from the `evaluate` stage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from distill.config import UserError
from distill.data.dataset import WindowDataset
from distill.image_metrics import psnr
from distill.models.codec import load_codec, to_frames
from distill.models.sampler import Rollout, Sampler
from distill.training.run import Run
from distill.world import RING

SHEET_TICKS = [0, 1, 2, 5, 10, 20, 40, 60]


class Preview:
    """Held-out rows, fixed noise, and the codec where there is one."""

    def __init__(self, dataset: WindowDataset, codec: str | None, level: float, rows: int = 96, sheet_rows: int = 5):
        self.dataset, self.level = dataset, level
        self.rows = dataset.fixed(rows)
        self.target, clean = dataset.gather(self.rows)
        self.clean = clean
        self.conditions = replace(clean, level=torch.full_like(clean.level, level))
        generator = torch.Generator().manual_seed(7)
        shape = (len(self.rows), 9, *self.target.shape[1:])
        self.noise = torch.randn(shape, generator=generator).to(self.target)
        self.codec = load_codec(codec) if codec and Path(codec).is_file() else None
        ahead = dataset.latents.transitions(max(SHEET_TICKS))
        if not len(ahead):
            raise UserError(f"no held-out episode is {RING + max(SHEET_TICKS)} ticks long; record longer ones")
        self.starts = ahead[np.linspace(0, len(ahead) - 1, sheet_rows + 2).astype(np.int64)[1:-1]]

    def decode(self, latent: Tensor) -> np.ndarray:
        """[B,T,C] -> uint8 [B,96,160,3]"""
        with torch.no_grad():
            return to_frames(self.codec.decode(latent.float().cpu()))

    def next_tick(self, sampler: Sampler, chunk: int = 48) -> dict[str, float]:
        """One tick from real history. `latent_psnr` takes latents to be of unit size; `diversity` is the rms spread of
        the change over two noises, in units of x; `psnr` (with a codec) is against the recorded frame."""
        first, second = [], []
        for start in range(0, len(self.rows), chunk):
            rows = slice(start, start + chunk)
            conditions = replace(self.conditions[rows], following=None)  # as at play
            first.append(sampler(self.noise[rows], conditions))
            if start < len(self.rows) // 2:
                second.append(sampler(self.noise[rows].flip(0), conditions))
        latent, other = torch.cat(first), torch.cat(second)
        grid = self.dataset.config.grid
        mse = (latent - self.target)[:, :grid].square().mean().item()
        scale = sampler.dit.scale(self.conditions.level[: len(other)])
        apart = ((latent[: len(other)] - other) / scale.clamp(min=1e-6))[:, :grid]
        spread = apart.square().mean().div(2).sqrt().item()
        metrics = {"latent_psnr": -10 * float(np.log10(mse)), "diversity": spread}
        if self.codec is not None:
            real = self.dataset.latents.frames[self.rows + 1]
            metrics["psnr"] = float(psnr(self.decode(latent), real).mean())
        return metrics

    def still(self) -> dict[str, float]:
        """The same for a frame that simply stays, and the codec's own limit."""
        mse = (self.clean.history[:, 0] - self.target).square().mean().item()
        metrics = {"latent_psnr_still": -10 * float(np.log10(mse))}
        if self.codec is not None:
            real = self.dataset.latents.frames[self.rows + 1]
            metrics["psnr_still"] = float(psnr(self.decode(self.clean.history[:, 0]), real).mean())
            metrics["psnr_codec"] = float(psnr(self.decode(self.target), real).mean())
        return metrics

    def free_run(self, sampler: Sampler) -> tuple[dict[str, float], np.ndarray | None]:
        """Rolls out the starts under the recorded actions: latent PSNR at some ticks; where there is a codec also the
        PSNR of the picture and the sheet (recorded row above dreamed row)."""
        latents, config = self.dataset.latents, self.dataset.config
        rows = self.starts
        ring = latents.latents[rows[:, None] - np.arange(RING)]
        past = latents.actions[rows[:, None] - 1 - np.arange(config.actions - 1)]
        rollout = Rollout(sampler, config, self.level, self.dataset.device)
        conditioning = self.dataset.conditioning.cpu().numpy()
        rollout.reset(ring, past, conditioning[latents.prompts[rows]], rows)
        dreamed, metrics = [torch.from_numpy(np.asarray(ring[:, 0], np.float32))], {}
        for tick in range(max(SHEET_TICKS)):
            rollout.set_prompt(conditioning[latents.prompts[rows + tick]])
            latent = rollout.step(latents.actions[rows + tick]).cpu()
            if tick + 1 in SHEET_TICKS:
                dreamed.append(latent)
                real = torch.from_numpy(latents.latents[rows + tick + 1].astype(np.float32))
                mse = (latent - real).square().mean().item()
                metrics[f"rollout_latent_psnr_{tick + 1}"] = -10 * float(np.log10(mse))
        if self.codec is None:
            return metrics, None
        lines, near = [], []
        for index, row in enumerate(rows):
            real = latents.frames[row + np.array(SHEET_TICKS)]
            frames = self.decode(torch.stack([latent[index] for latent in dreamed]))
            near.append(psnr(frames, real))
            lines += [np.concatenate(list(real), 1), np.concatenate(list(frames), 1)]
        metrics |= {f"rollout_psnr_{tick}": v for tick, v in zip(SHEET_TICKS[1:], np.mean(near, 0)[1:], strict=True)}
        return metrics, np.concatenate(lines, 0)


def report(run: Run, preview: Preview, sampler, extra: dict[str, float], name: str) -> None:
    """One validation: metrics to the log, the contact sheet to the run's folder."""
    with torch.compiler.set_stance("force_eager"):  # sizes that come once in many minutes
        metrics = extra | preview.next_tick(sampler)
        rolled, sheet = preview.free_run(sampler)
    metrics |= rolled
    run.report(metrics)
    if sheet is not None:
        run.image(name, sheet)
