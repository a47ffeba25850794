"""What fits into the hours: sizes of the network, how much is recorded, and the minutes of each stage, by measure.

- A size is one of SIZES. What counts is how many samples the teacher sees: below ENOUGH of them a smaller network that
  has seen more dreams better than a larger one that has seen less. So the largest is taken that still sees so many.
- A patch of the codec is 8 pixels where a picture of few kinds of patches is whole in MOST_CHANNELS numbers each,
  else 4: a quarter of the cells is a quarter of the work.
- Of the minutes the teacher has the most: the student cannot be better than what it learns from.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import torch

from distill.config import UserError
from distill.flops import count_flops
from distill.models.dit import Conditions, count_parameters
from distill.models.unet import UNet, UNetConfig
from distill.world import WorldSpec

BATCH = 32
ENOUGH = 500_000  # samples of the teacher: eight looks at each of 60,000 frames; one and a half were far too few
LEAST = 4_000  # below it, nothing is learnt that is worth a look
SHARES = {"teacher": 0.55, "tmd": 0.2, "dmd": 0.2}  # of what is left after recording and before export
WITHOUT_STAGE_2 = {"teacher": 0.7, "tmd": 0.25}
STAGE_2_MINUTES = 12  # below it, its critics learn too little, and it takes more than it gives
ASIDE = 0.08  # of the hours: latents, export, the metrics at the end
SIZES = {  # fine, middle, width, field_width
    "small": {"fine": 32, "middle": 48, "width": 64, "field_width": 16, "heads": 4},
    "middle": {"fine": 48, "middle": 64, "width": 96, "field_width": 32, "heads": 4},
    "large": {"fine": 48, "middle": 80, "width": 128, "field_width": 48, "heads": 4},
    "larger": {"fine": 64, "middle": 96, "width": 192, "field_width": 64, "heads": 6},
}
CLEAR = 45.0  # dB of a codec that nobody sees, and that loses nothing small
MOST_CHANNELS = {8: 32, 4: 16}
FEWEST_CHANNELS = 4
COMPILE_MINUTES = 30  # of a teacher whose compilation pays: two minutes for a fifth more samples, measured with Doom


@dataclass
class Plan:
    """What was chosen; kept beside the run, so that a later start goes on with it."""

    world: str
    hours: float
    size: str = ""
    patch: int = 8
    channels: int = 16
    codec_psnr: float = 0.0
    samples_per_second: float = 0.0
    minutes: dict[str, float] = field(default_factory=dict)
    steps: int = 0  # of every stage, instead of minutes
    spent: float = 0.0  # minutes, of all starts
    seconds_by_size: dict[str, float] = field(default_factory=dict)


def recording(hours: float) -> tuple[int, int, int]:
    """Episodes for training, for validation, and their ticks."""
    return int(np.clip(240 * hours, 40, 400)), 12, 256


def choose_codec(frames: np.ndarray, world: WorldSpec) -> tuple[int, int, float]:
    """Patch, channels and dB of the codec for frames uint8 [N,H,W,3]. Raises UserError where they are no whole
    cells."""
    found = {}
    for patch in (8, 4):
        if world.width % (4 * patch) or world.height % (4 * patch):
            continue
        values = spectrum(frames, patch, world)
        # What is left out of a patch of 3 patch^2 numbers, as an error of a pixel.
        left = np.concatenate([np.cumsum(values[::-1])[::-1][1:], [0]]) / (3 * patch * patch)
        psnr = -10 * np.log10(np.maximum(left, 1e-6))
        most = MOST_CHANNELS[patch]
        enough = np.flatnonzero(psnr[:most] >= CLEAR)
        count = int(enough[0]) + 1 if len(enough) else most
        count = min(most, max(FEWEST_CHANNELS, -(-count // 4) * 4))
        found[patch] = (count, float(psnr[count - 1]))
    if not found:
        raise UserError(
            f"frames of {world.width}x{world.height} are no whole cells: both sides must be multiples of 16, better "
            "of 32"
        )
    patch = 8 if 8 in found and (found[8][1] >= CLEAR or 4 not in found) else 4
    return patch, *found[patch]


def spectrum(frames: np.ndarray, patch: int, world: WorldSpec) -> np.ndarray:
    """Variances along the principal directions of the patches, the largest first."""
    cells = frames.reshape(len(frames), world.height // patch, patch, world.width // patch, patch, 3)
    patches = cells.transpose(0, 1, 3, 2, 4, 5).reshape(-1, 3 * patch * patch).astype(np.float64) / 255
    return np.clip(np.linalg.eigvalsh(np.cov(patches.T, bias=True))[::-1], 0, None)


def network(size: str, world: WorldSpec, patch: int, channels: int) -> UNet:
    own = dict(SIZES[size])
    rows, columns = world.height // patch, world.width // patch
    shape = {"rows": rows, "columns": columns, "channels": channels, "action_dims": world.action_dims}
    return UNet(UNetConfig(**own, **shape, prompt_dim=384 if world.prompt else 0, readings=0))


def example(unet: UNet, batch: int) -> tuple[torch.Tensor, torch.Tensor, Conditions]:
    """What the network is called with, of numbers by chance: (x, t, conditions)."""
    shape = unet.config
    frame = (shape.tokens, shape.channels)
    conditions = Conditions(
        torch.randn(batch, len(shape.offsets), *frame),
        torch.rand(batch),
        torch.zeros(batch, shape.actions, shape.action_dims),
        torch.zeros(batch, shape.prompt_dim),
        following=torch.zeros(batch, 0, shape.channels),
    )
    return torch.randn(batch, *frame), torch.rand(batch), conditions


def seconds_a_sample(unet: UNet, dtype: torch.dtype, tries: int = 3) -> float:
    """What a sample of the teacher's training takes here: forward, backward, and the optimiser's share."""
    optimiser = torch.optim.AdamW(unet.parameters(), 1e-4, fused=True)
    inputs = example(unet, BATCH)
    best = float("inf")
    for _ in range(tries):
        begun = time.monotonic()
        with torch.autocast("cpu", dtype, enabled=dtype is not torch.float32):
            loss = unet(*inputs).square().mean()
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        best = min(best, time.monotonic() - begun)
    return best / BATCH


def measure(world: WorldSpec, patch: int, channels: int, dtype: torch.dtype) -> dict[str, float]:
    """Seconds a sample of the smallest network takes here; the others by what they compute."""
    networks = {size: network(size, world, patch, channels) for size in SIZES}
    with torch.no_grad():
        cost = {size: count_flops(lambda: unet(*example(unet, 1))) for size, unet in networks.items()}  # noqa: B023
    size = next(iter(SIZES))
    seconds = seconds_a_sample(networks[size], dtype)
    # Small layers do less in a second than large ones do: cost grows somewhat slower than the operations.
    return {name: seconds * (flops / cost[size]) ** 0.9 for name, flops in cost.items()}


def split_minutes(plan: Plan, left: float) -> None:
    """Divides the minutes that are left among the stages."""
    free = left - 60 * plan.hours * ASIDE
    whole = plan.steps or free * SHARES["dmd"] / sum(SHARES.values()) >= STAGE_2_MINUTES
    shares = SHARES if whole else WITHOUT_STAGE_2
    plan.minutes = {stage: round(max(0.0, share * free / sum(shares.values())), 2) for stage, share in shares.items()}


def choose(plan: Plan, seconds: dict[str, float]) -> None:
    """The size, by what a sample costs. Raises UserError where even the smallest sees too little."""
    # A part of the batch goes on from the teacher's own dreams, and previews take their time.
    seen = {size: 60 * plan.minutes["teacher"] / (1.25 * each) for size, each in seconds.items()}
    smallest = next(iter(SIZES))
    if seen[smallest] < LEAST and not plan.steps:
        needed = plan.hours * LEAST / max(seen[smallest], 1e-9)
        raise UserError(
            f"{plan.hours:g} hours are too few on this machine: the teacher would see {seen[smallest]:.0f} samples, "
            f"and below {LEAST} it learns nothing; give at least --hours {np.ceil(needed * 20) / 20:.2f}"
        )
    fitting = [size for size in SIZES if seen[size] >= ENOUGH]
    plan.size = fitting[-1] if fitting else smallest
    if plan.size == "small" and seen["middle"] >= ENOUGH / 2:
        plan.size = "middle"
    plan.seconds_by_size = seconds
    plan.samples_per_second = 1 / (1.25 * seconds[plan.size])


def explain(plan: Plan, world: WorldSpec, frames: int) -> str:
    """What was chosen and why, a sentence a line."""
    size = SIZES[plan.size]
    unet = network(plan.size, world, plan.patch, plan.channels)
    samples = plan.samples_per_second * 60 * plan.minutes["teacher"]
    cells = f"{world.height // plan.patch}x{world.width // plan.patch}"
    minutes = ", ".join(f"{stage} {minutes:.1f}" for stage, minutes in plan.minutes.items())
    words = "with words" if world.prompt else "no words"
    return "\n".join(
        [
            f"world: {world.title}, {world.width}x{world.height} pixels, {world.ticksPerSecond:g} ticks a second, "
            f"{', '.join(control['name'] for control in world.controls)}; {words}, no instruments",
            f"recorded: {frames} frames, {frames / world.ticksPerSecond / 60:.0f} minutes of play",
            f"codec: patches of {plan.patch}, {plan.channels} numbers each: {cells} cells, {plan.codec_psnr:.1f} dB "
            "(the most that a dream can have)",
            f"network: {plan.size}, {count_parameters(unet) / 1e6:.1f} M parameters (fine {size['fine']}, middle "
            f"{size['middle']}, width {size['width']}): a sample takes {1000 * plan.seconds_by_size[plan.size]:.1f} ms "
            f"here, so its teacher sees about {samples:,.0f} samples",
            f"minutes: {minutes}, the rest for recording, export and metrics"
            + ("" if "dmd" in plan.minutes else "; too few for stage 2, so stage 1 is what plays"),
        ]
    )
