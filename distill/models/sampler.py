"""From noise to the next latent, and from tick to tick.

A sampler is `sampler(noise [B,1+M,T,C], conditions) -> next normalised latent [B,T,C]`; noise[:,0] is x1, the rest the
y1 of each outer step. `Rollout` is a batch of dreams that runs freely on any sampler.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from distill.checkpoints import load_checkpoint
from distill.config import UserError
from distill.models.dit import Conditions, DiT, DiTConfig, guidance_at, guided
from distill.models.one_step_student import OneStepStudent, make_student
from distill.models.student import Student, StudentConfig, descent, shifted
from distill.models.unet import UNet, UNetConfig
from distill.random import tick_noise
from distill.world import LONG_AGO, RING

Sampler = Callable[[Tensor, Conditions], Tensor]


class TeacherSampler:
    """Euler steps of the probability-flow ODE from t = 1 to 0. The guidances are those of `dit.guidance_at` and
    `dit.guided`."""

    outer_steps = 0

    def __init__(
        self,
        dit: DiT,
        steps: int = 8,
        guidance: float = 1.0,
        guidance_ticks: int = 0,
        action_guidance: float = 1.0,
        time_shift: float = 1.0,
    ):
        if steps < 1:
            raise UserError(f"a sampler needs at least one step, not {steps}")
        self.dit, self.guidance = dit, guidance
        self.guidance_ticks, self.action_guidance = guidance_ticks, action_guidance
        self.grid = [shifted(i / steps, time_shift) for i in range(steps + 1)]

    def noise_used(self) -> list[tuple[int, int]]:
        return [(0, self.dit.config.tokens * self.dit.config.channels)]

    @torch.no_grad()
    def change(self, x: Tensor, conditions: Conditions) -> Tensor:
        """From the noise x1 [B,T,C] to the change x [B,T,C]."""
        w = guidance_at(self.guidance, self.guidance_ticks, conditions)
        for t, lower in descent(self.grid):
            velocity = guided(self.dit, x, x.new_full((len(x),), t), conditions, w, self.action_guidance)
            x = x - (t - lower) * velocity
        return x

    def __call__(self, noise: Tensor, conditions: Conditions) -> Tensor:
        conditions = self.dit.predict_telemetry(noise[:, 0], conditions)
        return self.dit.to_latent(self.change(noise[:, 0], conditions), conditions)


class StudentSampler:
    """Algorithm 1 of the paper, without guidance. `temperature` multiplies the noise, as in an exported graph."""

    def __init__(self, student: Student | OneStepStudent, temperature: float = 1.0):
        self.student, self.dit, self.temperature = student, student.dit, temperature
        self.outer_steps = student.config.outer_steps

    def noise_used(self) -> list[tuple[int, int]]:
        return self.student.noise_used()

    @torch.no_grad()
    def __call__(self, noise: Tensor, conditions: Conditions) -> Tensor:
        return self.student.next_latent(self.temperature * noise, conditions)


class Rollout:
    """A batch of dreams. The noise of tick n is normals(seed, n, stream): the same as in the browser.

    `level` is the history noise level that the network sees; the history itself is not noised. `dtype` is what the
    network computes in under autocast; the state stays as it is."""

    def __init__(
        self,
        sampler: Sampler,
        config: DiTConfig,
        level: float = 0.1,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        self.sampler, self.config, self.level, self.device, self.dtype = sampler, config, level, device, dtype
        self.ring: Tensor | None = None

    def reset(self, latent_history, past_actions, prompt, seeds) -> None:
        """latent_history [B,R,T,C] newest first, past_actions [B,A-1,2] newest first, prompt [B,P], seeds [B] ints."""
        as_tensor = lambda value: torch.as_tensor(np.asarray(value, np.float32)).to(self.device)  # noqa: E731
        self.past, self.prompt = as_tensor(past_actions), as_tensor(prompt)
        self.ring = self.kept(as_tensor(latent_history))
        if self.ring.shape[1] < max(self.config.offsets):
            raise UserError(f"a history of {max(self.config.offsets)} latents is needed, not of {self.ring.shape[1]}")
        self.seeds = np.asarray(seeds, dtype=np.int64)
        self.since = torch.full((len(self.prompt),), LONG_AGO, device=self.device)
        self.tick = 0

    def set_prompt(self, prompt) -> None:
        """[B,P]; counts from the next tick on."""
        prompt = torch.as_tensor(np.asarray(prompt, np.float32)).to(self.device)
        self.since = torch.where((prompt != self.prompt).any(1), 0, self.since)
        self.prompt = prompt

    def kept(self, latents: Tensor) -> Tensor:
        """As the state holds them."""
        return latents.half().float() if self.config.half_state else latents

    def noise(self, tick: int) -> Tensor:
        """[B,1+M,T,C]"""
        used = self.sampler.noise_used()
        noise = tick_noise(self.seeds, tick % 2**32, self.config.tokens, self.config.channels, used)
        return torch.from_numpy(noise).to(self.device)

    @torch.no_grad()
    def step(self, actions) -> Tensor:
        """actions [B,2], applied now -> the new normalised latent [B,T,C]."""
        if self.ring is None:
            raise UserError("the roll-out has no start yet; call reset first")
        now = torch.as_tensor(np.asarray(actions, np.float32)).to(self.device)
        self.tick += 1
        actions = torch.cat([now[:, None], self.past], 1)  # [B,A,2]
        history = self.ring[:, [offset - 1 for offset in self.config.offsets]]
        level = torch.full((len(now),), self.level, device=self.device)
        conditions = Conditions(history, level, actions, self.prompt, since=self.since)
        noise = self.noise(self.tick)
        if isinstance(dit := getattr(self.sampler, "dit", None), UNet):
            conditions = dit.begun(conditions, getattr(self.sampler, "temperature", 1.0) * noise[:, 0])
            conditions.level = torch.where(conditions.first, 0.0, level)
        with torch.autocast(torch.device(self.device).type, self.dtype, enabled=self.dtype is not torch.float32):
            latent = self.kept(self.sampler(noise, conditions).float())
        self.since = self.since + 1
        self.ring = torch.cat([latent[:, None], self.ring[:, : RING - 1]], 1)
        self.past = actions[:, :-1]
        return latent


def sample_diversity(samples: Tensor, noises: int, grid: int) -> tuple[float, Tensor]:
    """samples [histories*noises,T,C] -> their standard deviation over the noises, and the means [histories,grid,C]."""
    picture = samples[:, :grid].unflatten(0, (-1, noises))
    return picture.var(1).mean().sqrt().item(), picture.mean(1)


# -- checkpoints -------------------------------------------------------------------------------------------------


def split_architecture(architecture: dict) -> tuple[DiTConfig, StudentConfig]:
    """A checkpoint's flat architecture -> its two configurations (the student's are defaults in a teacher's)."""
    dit = {k: v for k, v in architecture.items() if not k.startswith("student_")}
    student = {k.removeprefix("student_"): v for k, v in architecture.items() if k.startswith("student_")}
    return DiTConfig(**dit), StudentConfig(**student)


def make_network(architecture: dict) -> DiT | UNet:
    """A network of a checkpoint's architecture, untrained."""
    if architecture.get("network") == "unet":
        return UNet(UNetConfig(**{k: v for k, v in architecture.items() if not k.startswith("student_")}))
    return DiT(split_architecture(architecture)[0])


def load_teacher(path: str | Path, averaged: bool = True) -> DiT:
    """The teacher of a checkpoint, frozen: its moving average, or the raw weights."""
    saved = load_checkpoint(path, "teacher")
    dit = make_network(saved["architecture"])
    state = saved["state"]
    dit.load_state_dict(state["ema"]["model"] if averaged else state["model"])
    return dit.eval().requires_grad_(False)


def load_student(path: str | Path, averaged: bool = True) -> Student | OneStepStudent:
    """The student of a checkpoint of any method, frozen."""
    saved = load_checkpoint(path, "student")
    own = {k.removeprefix("student_"): v for k, v in saved["architecture"].items() if k.startswith("student_")}
    student = make_student(make_network(saved["architecture"]), StudentConfig(**own))
    state = saved["state"]
    student.load_state_dict(state["ema"]["model"] if averaged else state["model"])
    return student.eval().requires_grad_(False)
