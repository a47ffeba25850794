"""What a dream can and cannot do, in a minute or two, for any world: no metric here knows what the pictures show.

- The next frame from recorded history, in dB, between a picture that stays and the codec's own limit.
- Keys: a small network reads from two frames which keys were held. How often is it right on recordings, and on the
  dream?
- Motion: how much a dream changes from tick to tick, over the recordings, long after its start.
- Reward and end, where there are any: what a dream gives for some ticks of play, and how often it ends, against the
  recordings under the same keys.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.data.dataset import WindowDataset
from distill.data.packed import Latents
from distill.models.outcome import Outcome, load_outcome
from distill.models.sampler import Rollout, StudentSampler, load_student
from distill.training.preview import Preview
from distill.world import RING, WorldSpec, values_of

TICKS = 60  # of a roll-out
SUMMED = 20  # ticks whose rewards are compared as a sum
DREAMS = 24
PROBE_STEPS = 600


class KeyProbe(nn.Module):
    """Two latents [B,C,H,W] each -> logits [B,values] for the keys between them."""

    def __init__(self, channels: int, rows: int, columns: int, values: int, width: int = 32):
        super().__init__()
        self.take = nn.Conv2d(2 * channels, width, 3, padding=1)
        self.place = nn.Parameter(torch.zeros(width, rows, columns))
        self.hidden = nn.Conv2d(width, width, 3, 2, 1)
        self.out = nn.Linear(2 * width, values)

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        x = F.relu(self.take(torch.cat([before, after - before], 1)) + self.place)
        x = F.relu(self.hidden(x)).flatten(2)
        return self.out(torch.cat([x.mean(2), x.amax(2)], 1))


def choices_of(world: WorldSpec, actions: np.ndarray) -> np.ndarray:
    """As a network is told of them [N,D] -> which value each control has: int64 [N,controls]."""
    found, at = [], 0
    for control in world.controls:
        values = np.array(values_of(control), np.float32)
        if world.encoding == "one-hot":
            found.append(actions[:, at : at + len(values)].argmax(1))
            at += len(values)
        else:
            found.append(np.abs(actions[:, at, None] - values[None]).argmin(1))
            at += 1
    return np.stack(found, 1).astype(np.int64)


def picture(latents: np.ndarray, rows: int, columns: int) -> Tensor:
    """[B,T,C] -> [B,C,rows,columns]"""
    tokens = torch.from_numpy(np.asarray(latents, np.float32))[:, : rows * columns]
    return tokens.transpose(1, 2).reshape(len(tokens), -1, rows, columns)


class KeyReader:
    """A probe for each control, trained on recordings."""

    def __init__(self, latents: Latents, rows: int, columns: int, steps: int = PROBE_STEPS):
        self.world, self.grid = latents.world, (rows, columns)
        counts = [len(values_of(control)) for control in self.world.controls]
        self.probe = KeyProbe(latents.latents.shape[2], rows, columns, sum(counts))
        self.counts = counts
        generator = torch.Generator().manual_seed(11)
        optimiser = torch.optim.AdamW(self.probe.parameters(), 2e-3)
        known = latents.transitions()
        for _ in range(steps):
            chosen = known[torch.randint(len(known), (128,), generator=generator).numpy()]
            losses = self._losses(latents.latents[chosen], latents.latents[chosen + 1], latents.actions[chosen])
            optimiser.zero_grad()
            sum(losses).backward()
            optimiser.step()

    def _logits(self, before: np.ndarray, after: np.ndarray) -> tuple[Tensor, ...]:
        return self.probe(picture(before, *self.grid), picture(after, *self.grid)).split(self.counts, 1)

    def _losses(self, before: np.ndarray, after: np.ndarray, actions: np.ndarray) -> list[Tensor]:
        choices = torch.from_numpy(choices_of(self.world, actions))
        return [F.cross_entropy(part, choices[:, i]) for i, part in enumerate(self._logits(before, after))]

    @torch.no_grad()
    def right(self, before: np.ndarray, after: np.ndarray, actions: np.ndarray) -> float:
        """The part of the keys that are read as they were, over all controls."""
        choices = torch.from_numpy(choices_of(self.world, actions))
        parts = [part.argmax(1) == choices[:, i] for i, part in enumerate(self._logits(before, after))]
        return float(torch.stack(parts).float().mean())


@torch.no_grad()
def trusted(outcome: Outcome, dreamed: np.ndarray, rewards: np.ndarray, dones: np.ndarray) -> dict[str, float]:
    """dreamed [ticks+1,dreams,T,C]; rewards and dones as recorded, [ticks,dreams] -> ends in 1,000 ticks of both, and
    the correlation of what SUMMED ticks gave."""
    read = [outcome.read(*(torch.from_numpy(one) for one in pair)) for pair in zip(dreamed, dreamed[1:], strict=False)]
    columns = dict(zip(outcome.config.reads, torch.stack(read).permute(2, 0, 1).numpy(), strict=True))
    metrics = {}
    if "done" in columns:
        metrics["ends_recorded"] = 1000 * float((dones > 0).mean())
        metrics["ends_dreamed"] = 1000 * float((columns["done"] >= 0.5).mean())
    if "reward" in columns:
        parts = len(rewards) // SUMMED
        summed = [a[: parts * SUMMED].reshape(parts, SUMMED, -1).sum(1).ravel() for a in (columns["reward"], rewards)]
        if min(part.std() for part in summed) > 1e-6:
            metrics["reward_correlation"] = float(np.corrcoef(*summed)[0, 1])
    return metrics


def judge(
    data: str,
    student_file: str,
    codec: str,
    level: float,
    probe_steps: int = PROBE_STEPS,
    outcome: str = "",
) -> dict[str, float]:
    """The metrics of a student on validation."""
    torch.manual_seed(5)
    student = load_student(student_file)
    shape = student.dit.config
    training, heldout = Latents(data, "train"), Latents(data, "validation")
    preview = Preview(WindowDataset(heldout, shape), codec, level)
    sampler = StudentSampler(student)
    metrics = preview.still() | preview.next_tick(sampler)

    ahead = heldout.transitions(TICKS)
    rows = ahead[np.linspace(0, len(ahead) - 1, DREAMS).astype(np.int64)]
    rollout = Rollout(sampler, shape, level)
    past = heldout.actions[rows[:, None] - 1 - np.arange(shape.actions - 1)]
    prompts = preview.dataset.conditioning.numpy()
    rollout.reset(heldout.latents[rows[:, None] - np.arange(RING)], past, prompts[heldout.prompts[rows]], rows)
    dreamed = [np.asarray(heldout.latents[rows], np.float32)]
    for tick in range(TICKS):
        rollout.set_prompt(prompts[heldout.prompts[rows + tick]])
        dreamed.append(rollout.step(heldout.actions[rows + tick]).numpy())
    dreamed = np.stack(dreamed)  # [ticks+1,dreams,T,C]
    span = rows[None] + np.arange(TICKS + 1)[:, None]
    recorded = np.asarray(heldout.latents[span], np.float32)

    reader = KeyReader(training, shape.rows, shape.columns, probe_steps)
    flat = lambda array: array.reshape(-1, *array.shape[2:])  # noqa: E731
    actions = heldout.actions[span[:-1]].reshape(-1, heldout.actions.shape[1])
    metrics["keys_recorded"] = reader.right(flat(recorded[:-1]), flat(recorded[1:]), actions)
    metrics["keys_dreamed"] = reader.right(flat(dreamed[:-1]), flat(dreamed[1:]), actions)
    values = choices_of(heldout.world, actions)
    most = [np.bincount(column).max() / len(column) for column in values.T]
    metrics["keys_by_chance"] = float(np.mean(most))
    late = slice(TICKS // 2, TICKS)
    change = lambda frames: float(np.abs(np.diff(frames, axis=0)[late, :, : shape.grid]).mean())  # noqa: E731
    metrics["motion"] = change(dreamed) / max(change(recorded), 1e-9)
    if outcome:
        metrics |= trusted(load_outcome(outcome), dreamed, heldout.rewards[span[:-1]], heldout.dones[span[:-1]])
    return metrics


def sentences(metrics: dict[str, float], minutes: float) -> list[str]:
    """What the metrics say, for a person."""
    told = metrics["keys_recorded"] - metrics["keys_by_chance"]
    follows = (metrics["keys_dreamed"] - metrics["keys_by_chance"]) / told if told > 0.05 else None
    lines = [
        f"next frame: {metrics['psnr']:.1f} dB ({metrics['psnr_still']:.1f} where nothing moves, "
        f"{metrics['psnr_codec']:.1f} at most)",
        f"keys read back from the dream: {metrics['keys_dreamed']:.2f} (from recordings "
        f"{metrics['keys_recorded']:.2f}, by chance {metrics['keys_by_chance']:.2f})",
        f"after {TICKS // 2} to {TICKS} ticks it moves {metrics['motion']:.2f} times as much as the game",
    ]
    if "reward_correlation" in metrics:
        lines.append(f"reward of {SUMMED} ticks against the game's: correlation {metrics['reward_correlation']:.2f}")
    if "ends_dreamed" in metrics:
        ends = f"{metrics['ends_dreamed']:.1f} times in 1,000 ticks, the game {metrics['ends_recorded']:.1f} times"
        lines.append(f"under the same keys it ends {ends}")
    told_so_far = len(lines)
    gain = metrics["psnr"] - metrics["psnr_still"]
    if gain < 1:
        lines.append("it has not learnt how this world moves: its next frame is hardly better than the last one")
    if follows is not None and follows < 0.6:
        lines.append("it does not follow the keys well")
    if not 0.6 < metrics["motion"] < 1.6:
        end = "freezes" if metrics["motion"] <= 0.6 else "dissolves into flicker"
        lines.append(f"it does not keep going: it {end}")
    if len(lines) == told_so_far:
        lines.append("it moves, follows the keys and keeps going; what it gets wrong, the contact sheet shows")
    lines.append(f"trained in {minutes:.0f} minutes; more hours see more samples and, from some on, a larger network")
    return lines
