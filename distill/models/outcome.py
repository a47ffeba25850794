"""What a tick brought, seen in two pictures: its reward, and whether the game ended.

A world of one's own has no functions of instruments that could say so, as the drive has. But recordings have rewards
and ends, and where a person sees them happen, a small network does: an apple is gone, a bar of health is full again. It
is trained on recorded latents and put into the student's graph at export, so that a dream has reward and end wherever
it runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.checkpoints import load_checkpoint
from distill.world import telemetry_token, telemetry_tokens

READINGS = ("reward", "done")  # what instruments in a manifest are called
STANDS = 1e-6  # a reward, or a change of rewards, below this is none


@dataclass
class OutcomeConfig:
    """`reads` are the READINGS that the recordings have anything of."""

    rows: int = 16
    columns: int = 24
    channels: int = 16
    width: int = 32
    reads: list[str] = field(default_factory=lambda: list(READINGS))


class Outcome(nn.Module):
    """Latents before and after a tick, [B,T,C] each -> [B,reads]: the reward in units of its spread around its mean,
    and the log odds of an end."""

    def __init__(self, config: OutcomeConfig):
        super().__init__()
        self.config, width = config, config.width
        self.take = nn.Conv2d(2 * config.channels, width, 3, 2, 1)
        self.place = nn.Parameter(torch.zeros(width, -(-config.rows // 2), -(-config.columns // 2)))
        self.hidden = nn.Conv2d(width, width, 3, 2, 1)
        self.mix = nn.Linear(2 * width, width)
        self.out = nn.Linear(width, len(config.reads))
        # Numbers, as not every backend has truth values.
        self.register_buffer("ends", torch.tensor([float(name == "done") for name in config.reads]))
        self.register_buffer("centre", torch.zeros(()))  # of rewards
        self.register_buffer("spread", torch.ones(()))

    @property
    def tokens(self) -> int:
        """How many of a latent's last tokens hold what it reads."""
        return telemetry_tokens(self.config.channels, len(self.config.reads))

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        shape, grid = self.config, self.config.rows * self.config.columns
        before, after = before[:, :grid], after[:, :grid]
        x = torch.cat([before, after - before], -1).transpose(1, 2).unflatten(2, (shape.rows, shape.columns))
        x = F.relu(self.hidden(F.relu(self.take(x) + self.place))).flatten(2)
        return self.out(F.relu(self.mix(torch.cat([x.mean(2), x.amax(2)], 1))))

    def read(self, before: Tensor, after: Tensor) -> Tensor:
        """As `forward`, with the probability of an end: what the latent keeps, [B,reads]."""
        out = self(before, after)
        return out + self.ends * (out.sigmoid() - out)

    def token(self, rewards: np.ndarray, dones: np.ndarray) -> np.ndarray:
        """What was recorded, [...] each, as those tokens: float32 [...,n,C]."""
        scales = {one["name"]: (one["centre"], one["spread"], 1) for one in self.manifest()}
        columns = {"reward": rewards, "done": dones}
        values = np.stack([columns[name] for name in self.config.reads], -1).astype(np.float32)
        return telemetry_token(values, self.config.channels, telemetry=scales)

    def manifest(self) -> list[dict]:
        """What a manifest says of these readings."""
        scales = {"reward": (self.centre.item(), self.spread.item()), "done": (0.0, 1.0)}
        units = {"reward": "of the tick", "done": "probability that it ended"}
        return [
            {"name": name, "unit": units[name], "centre": scales[name][0], "spread": scales[name][1]}
            for name in self.config.reads
        ]


def reads_of(rewards: np.ndarray, dones: np.ndarray) -> list[str]:
    """Of reward and done those that recordings [N] say anything of: a reward that is always 0 is none."""
    said = {"reward": float(np.abs(rewards).max(initial=0)) > STANDS, "done": bool(dones.any())}
    return [name for name in READINGS if said[name]]


def load_outcome(path: str) -> Outcome:
    """The averaged network of a checkpoint, frozen."""
    saved = load_checkpoint(path, "outcome")
    outcome = Outcome(OutcomeConfig(**saved["architecture"]))
    outcome.load_state_dict(saved["state"]["ema"]["model"])
    return outcome.eval().requires_grad_(False)
