"""Training samples of the dynamics: windows of history, actions and prompt with the latent that followed.

The history is noised in training, the level an input (GameNGen, arXiv 2408.14837), so that the network corrects its
own drift. A part of the noise is the same in all frames of a history, as real drift is: otherwise an average over the
frames would remove it, which it cannot do to drift.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from distill.data.conditioning import caption_conditioning
from distill.data.packed import Latents
from distill.models.codec import gains, load_codec
from distill.models.dit import Conditions, DiT, DiTConfig
from distill.models.prompt_classifier import LABEL_CHOICES
from distill.models.unet import UNet

PARAPHRASED = 0.9  # part of the samples whose caption is said in other words
EMBEDDING_NOISE = (
    0.3  # noise on a caption's embedding, as a part of its length: words that are not in training lie near by
)
# The frames right after new words decide whether a dream ever leaves the old ones: a history at rest and words that do
# not fit it are one sample in seventy, and a network that is not sure of the words does well to change nothing.
CHANGE_TICKS = 6
CHANGE_REPEATS = 4
BEGUN = 0.05  # part of the samples that see one frame, as a drive that has just begun


class WindowDataset:
    """WindowDataset of one split. `latents` is a `data.Latents` (or what has its transitions, gather and since)."""

    def __init__(self, latents: Latents, config: DiTConfig, device: torch.device | str = "cpu"):
        self.latents, self.config, self.device = latents, config, device
        self.rows = latents.transitions()
        changing = self.rows[latents.since[self.rows] < CHANGE_TICKS]
        self.drawn = np.concatenate([self.rows, np.repeat(changing, CHANGE_REPEATS - 1)])
        self.can_flip = latents.can_flip
        self.conditioning = caption_conditioning(latents, config.prompt_dim).to(device)

    def __len__(self) -> int:
        """How many indices `training` knows: the rows, and the ones after new words again."""
        return len(self.drawn)

    def gather(self, rows: np.ndarray, flip: np.ndarray | None = None) -> tuple[Tensor, Conditions]:
        """rows int64 [B] -> the latent that followed [B,T,C] and the clean conditions (level 0)."""
        part = self.latents.gather(rows, list(self.config.offsets), self.config.actions, flip)
        tensors = {name: torch.from_numpy(np.ascontiguousarray(v)).to(self.device) for name, v in part.items()}
        level = torch.zeros(len(rows), device=self.device)
        since = torch.from_numpy(self.latents.since[rows]).to(self.device)
        prompt = self.conditioning[torch.from_numpy(self.latents.prompts[rows].astype(np.int64)).to(self.device)]
        target = tensors["target"]
        following = target[:, self.config.grid :]
        conditions = Conditions(tensors["history"], level, tensors["actions"], prompt, since=since, following=following)
        return target, conditions

    def training(self, indices: np.ndarray) -> tuple[Tensor, Conditions]:
        """indices below len(self) -> as gather; half of them mirrored where mirrored latents exist, and nine tenths
        with other words for their caption's setting where there are any, so that words are not learnt by episode.
        Readings are the same in all words."""
        rows = self.drawn[indices]
        flip = torch.rand(len(rows)).numpy() < 0.5 if self.can_flip else None
        target, conditions = self.gather(rows, flip)
        if self.config.prompt_dim in (0, LABEL_CHOICES):
            return target, conditions
        if getattr(self.latents, "paraphrases", None) is not None:
            words = torch.from_numpy(self.latents.paraphrased(rows, torch.rand(len(rows)).numpy())).to(self.device)
            other = torch.rand(len(rows), device=self.device) < PARAPHRASED
            conditions.prompt = torch.where(other[:, None], words, conditions.prompt)
        conditions.prompt = noisy_embeddings(conditions.prompt)
        return target, conditions

    def fixed(self, count: int) -> np.ndarray:
        """`count` rows spread evenly over the split, the same ones at every call."""
        return self.rows[np.linspace(0, len(self.rows) - 1, min(count, len(self.rows))).astype(np.int64)]


def noisy_embeddings(embeddings: Tensor, noise: float = EMBEDDING_NOISE) -> Tensor:
    """[B,P] of unit norm -> others of unit norm, about `noise` away."""
    away = torch.randn_like(embeddings) * noise / embeddings.shape[1] ** 0.5
    return F.normalize(embeddings + away, dim=1)


def corrupt(conditions: Conditions, highest: float, unit: Tensor | float = 1.0) -> Conditions:
    """Noises the history at a random level in 0..highest per sample, small levels more often: half lie below an eighth.
    `unit` [T,C] is the noise of level 1 (`DiT.noise_unit`). At levels far above 1 the picture is gone, and the network
    learns to draw one from telemetry and prompt: that is what a dream is led back by."""
    history = conditions.history
    level = highest * torch.rand(len(history), device=history.device) ** 3
    return replace(conditions, history=history + history_noise(history, level, unit), level=level)


def history_noise(history: Tensor, level: Tensor, unit: Tensor | float) -> Tensor:
    """Noise [B,K,T,C] of a level [B] for such a history, a random part of it the same in all frames."""
    shared = torch.rand(len(history), 1, 1, 1, device=history.device)
    noise = shared.sqrt() * torch.randn_like(history[:, :1]) + (1 - shared).sqrt() * torch.randn_like(history)
    return level[:, None, None, None] * unit * noise


def drop_prompts(conditions: Conditions, probability: float) -> Conditions:
    return replace(conditions, prompt_dropout_mask=torch.rand_like(conditions.level) < probability)


def drop_actions(conditions: Conditions, probability: float) -> Conditions:
    return replace(conditions, action_dropout_mask=torch.rand_like(conditions.level) < probability)


def drop_history(conditions: Conditions, probability: float) -> Conditions:
    """Some samples see no history and no actions: the frame is to be drawn from words and instruments alone. Some see
    their newest frame alone, as a drive that began with such a frame: for all there was before it."""
    newest = conditions.history[:, :1].expand_as(conditions.history)
    begun = torch.rand_like(conditions.level) < BEGUN
    conditions = replace(conditions, history=torch.where(begun[:, None, None, None], newest, conditions.history))
    first = torch.rand_like(conditions.level) < probability
    level = torch.where(first, 0.0, conditions.level)
    action_dropout_mask = first if conditions.action_dropout_mask is None else conditions.action_dropout_mask | first
    return replace(conditions, first=first, level=level, action_dropout_mask=action_dropout_mask)


def loss_weights(codec: str, power: float, dit: DiT) -> Tensor:
    """[T,C], mean 1 over the picture. How far one unit of x moves the picture, to `power`: fixed per number, so the
    flow's optimum stays where it is, but a small network spends itself on what is seen before speckle. Telemetry weighs
    nothing in a U-Net; in a DiT as the mean of the picture's tokens, and what never changes of it weighs little, only
    to stay in the flow's path."""
    config = dit.config
    weights = torch.ones_like(dit.delta_std)
    if power:
        weights = (gains(load_codec(codec)).to(dit.delta_std) * dit.delta_std).pow(power)
        weights = weights / weights[: config.grid].mean()
    if isinstance(dit, UNet):  # telemetry has a network of its own
        weights[config.grid :] = 0
    elif power:
        moves = (dit.delta_std[config.grid :] > 0).float()
        share = config.channels / moves.sum(1, keepdim=True).clamp(min=1)
        weights[config.grid :] = torch.where(moves > 0, share, 0.1)
    return weights


def bound_latents(dit: DiT, latents: Latents) -> None:
    """Bounds the latents of a network that has no bounds yet: a quarter more than anything recorded."""
    if torch.isfinite(dit.bound).all():
        return
    some = latents.latents[::5]
    largest = np.maximum(some.max(0), -some.min(0)).astype(np.float32)
    dit.bound.copy_(torch.from_numpy(1.25 * largest).clamp(min=0.1))


def measure_frames(network, latents: Latents) -> None:
    """Mean and standard deviation of every number of a recorded latent, for frames that have no history."""
    some = torch.from_numpy(latents.latents[:: max(1, len(latents.latents) // 4000)].astype(np.float32))
    network.frame_mean.copy_(some.mean(0))
    network.frame_std.copy_(some.std(0).clamp(min=1e-3))


def measure_delta_std(dataset: WindowDataset, count: int = 8192) -> Tensor:
    """Standard deviation of the change from one latent to the next, per token and channel: [T,C]; 0 where still."""
    target, conditions = dataset.gather(dataset.fixed(count))
    change = (target - conditions.history[:, 0]).double()
    deviation = change.square().mean(0).sqrt().float()
    return torch.where(deviation > 0, deviation.clamp(min=1e-3), 0.0)
