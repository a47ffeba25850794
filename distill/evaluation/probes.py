"""The measuring instruments: three small networks, trained on real frames only, that evaluation looks through.

- `features`: what the Frechet distance is taken over. Classifies biome, time, weather and the controls held, from one
  frame; its 64-wide layer is the feature. The controls keep the shape of car and road in it.
- `prompt`: the same labels of the scene from one frame, trained on slightly blurred, noised and relit frames as well,
  so that it judges the scene and not the codec's softness.
- `inverse`: which action was applied between frames t and t+1, from a stack of frames around them, since it takes a
  moment until an action shows.

They work at half the frame's size. Accuracies are means over classes of the share found (balanced), on held-out frames.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.checkpoints import load_checkpoint
from distill.config import TrainConfig, UserError
from distill.data.packed import Packed
from distill.flops import count_flops
from distill.training.run import Batches, Ema, Run
from distill.world import LABELS

SCENE = {name: len(values) for name, values in LABELS.items()}
CONTROLS = {"steer": 3, "throttle": 3}
FEATURES = 64


@dataclass
class Config(TrainConfig):
    name: str = "probes"
    kinds: list[str] = field(default_factory=lambda: ["features", "prompt", "inverse"])
    widths: list[int] = field(default_factory=lambda: [32, 64, 96, 128])
    offsets: list[int] = field(default_factory=lambda: [-1, 0, 1, 2])  # of the inverse network's frames
    batch: int = 64
    learning_rate: float = 2e-3
    ema: float = 0.995
    max_minutes: float = 4.0  # for each network
    validate_minutes: float = 1.0
    validation: str = "validation"  # the split that accuracies are of
    validation_frames: int = 2000


class Probe(nn.Module):
    """Stacked halved frames [B,3n,48,80] in 0..1 -> logits {head: [B,classes]}; `features` [B,64] come before."""

    def __init__(self, frames: int, widths: list[int], heads: dict[str, int]):
        super().__init__()
        layers, last = [], 3 * frames
        for width in widths:
            layers += [nn.Conv2d(last, width, 3, stride=2, padding=1), nn.GroupNorm(8, width), nn.SiLU()]
            last = width
        self.trunk = nn.Sequential(*layers)
        self.embed = nn.Linear(last * 15, FEATURES)  # 3x5 cells stay apart: where things are matters
        self.heads = nn.ModuleDict({name: nn.Linear(FEATURES, classes) for name, classes in heads.items()})

    def features(self, frames: Tensor) -> Tensor:
        x = self.trunk(frames * 4 - 2)
        return self.embed(x.flatten(1))

    def forward(self, frames: Tensor) -> dict[str, Tensor]:
        x = F.dropout(F.silu(self.features(frames)), 0.1, self.training)
        return {name: head(x) for name, head in self.heads.items()}


def heads_of(kind: str) -> dict[str, int]:
    if kind not in ("features", "prompt", "inverse"):
        raise UserError(f"there is no probe {kind}; there are features, prompt and inverse")
    return {"features": SCENE | CONTROLS, "prompt": SCENE, "inverse": CONTROLS}[kind]


def architecture(config: Config, kind: str) -> dict:
    offsets = list(config.offsets) if kind == "inverse" else [0]
    return {"kind": kind, "widths": list(config.widths), "offsets": offsets}


def load_probe(folder: str | Path, kind: str, device="cpu") -> Probe:
    """The averaged probe of a run's folder; `probe.offsets` are the frames it wants. Raises UserError."""
    saved = load_checkpoint(Path(folder) / f"probe-{kind}.pt", f"probe-{kind}")
    offsets = saved["architecture"]["offsets"]
    probe = Probe(len(offsets), saved["architecture"]["widths"], heads_of(kind))
    probe.load_state_dict(saved["state"]["ema"]["model"])
    probe.offsets = offsets
    return probe.to(device).eval().requires_grad_(False)


def stack(frames: np.ndarray) -> Tensor:
    """uint8 [B,n,96,160,3] -> float [B,3n,48,80] in 0..1, each 2x2 pixels averaged"""
    count, frames_each, height, width, _ = frames.shape
    wide = frames.astype(np.uint16)
    halved = wide[:, :, ::2, ::2] + wide[:, :, 1::2, ::2] + wide[:, :, ::2, 1::2] + wide[:, :, 1::2, 1::2]
    tensor = torch.from_numpy(halved.astype(np.float32)).permute(0, 1, 4, 2, 3)
    return tensor.reshape(count, 3 * frames_each, height // 2, width // 2) / (4 * 255)


def degrade(frames: Tensor, blur: float = 0.6, blurred: float = 0.6, light: float = 0.06) -> Tensor:
    """A random mild blur, noise and change of light for each sample."""
    count = len(frames)
    soft = F.avg_pool2d(F.pad(frames, (1, 1, 1, 1), mode="replicate"), 3, 1)
    amount = blur * torch.rand(count, 1, 1, 1) * (torch.rand(count, 1, 1, 1) < blurred)
    frames = frames + amount * (soft - frames)
    frames = frames + 0.03 * torch.rand(count, 1, 1, 1) * torch.randn_like(frames)
    return frames * (1 + light * torch.randn(count, 1, 1, 1)) + 0.02 * torch.randn(count, 1, 1, 1)


class Samples:
    """Rows of a split with what a probe is asked about them."""

    def __init__(self, packed: Packed, kind: str, offsets: list[int]):
        self.packed, self.kind, self.offsets = packed, kind, np.array(offsets)
        scene = packed.labels()[packed.prompts]
        controls = packed.actions.astype(np.int64) + 1
        if kind == "inverse":
            self.rows = np.flatnonzero((packed.age + min(offsets) >= 0) & (packed.left >= max(1, *offsets)))
            self.targets = controls
        else:
            self.rows = packed.settled()
            self.targets = scene if kind == "prompt" else np.concatenate([scene, controls], 1)
        self.names = list(heads_of(kind))

    def frames(self, rows: np.ndarray) -> np.ndarray:
        """uint8 [B,n,H,W,3]"""
        wanted = rows[:, None] + self.offsets
        return self.packed.frames[wanted.reshape(-1)].reshape(*wanted.shape, *self.packed.frames.shape[1:])

    def class_weights(self, name: str) -> Tensor:
        """[classes] inverse frequencies, softened, mean 1."""
        counts = np.bincount(self.targets[self.rows, self.names.index(name)], minlength=heads_of(self.kind)[name])
        weights = 1 / np.maximum(counts, counts.sum() / 100)
        return torch.from_numpy(weights / weights.mean()).float()


def balanced_accuracy(predicted: np.ndarray, actual: np.ndarray) -> float:
    """Mean over the classes that occur of the share found."""
    return float(np.mean([(predicted[actual == value] == value).mean() for value in np.unique(actual)]))


@torch.inference_mode()
def predict(probe: Probe, frames: np.ndarray, batch: int = 128) -> dict[str, np.ndarray]:
    """uint8 [N,n,96,160,3] -> class of each head, int64 [N]"""
    parts = [probe(stack(frames[start : start + batch])) for start in range(0, len(frames), batch)]
    return {name: torch.cat([part[name].argmax(1) for part in parts]).numpy() for name in probe.heads}


@torch.inference_mode()
def embed_frames(probe: Probe, frames: np.ndarray, batch: int = 128) -> np.ndarray:
    """uint8 [N,96,160,3] -> features float64 [N,64]"""
    parts = [probe.features(stack(frames[start : start + batch, None])) for start in range(0, len(frames), batch)]
    return torch.cat(parts).double().numpy()


def held_out_accuracy(probe: Probe, samples: Samples, count: int) -> dict[str, float]:
    rows = samples.rows[np.unique(np.linspace(0, len(samples.rows) - 1, min(count, len(samples.rows))).astype(int))]
    found = {name: [] for name in samples.names}
    for start in range(0, len(rows), 128):
        for name, classes in predict(probe, samples.frames(rows[start : start + 128])).items():
            found[name].append(classes)
    return {
        name: balanced_accuracy(np.concatenate(found[name]), samples.targets[rows, i])
        for i, name in enumerate(samples.names)
    }


def train(config: Config, kind: str, packed: Packed, held: Packed) -> None:
    session = Run(config, f"probe-{kind}", architecture(config, kind))
    samples = Samples(packed, kind, session.architecture["offsets"])
    test = Samples(held, kind, session.architecture["offsets"])
    probe = Probe(len(samples.offsets), config.widths, heads_of(kind)).to(session.device)
    ema = Ema(probe, config.ema)
    optimiser = session.optimiser(probe.parameters())
    batches = Batches(len(samples.rows), config.batch, config.seed)
    session.track(model=probe, ema=ema, optimiser=optimiser, batches=batches)
    example = torch.zeros(1, 3 * len(samples.offsets), 48, 80)
    forward = session.parallel(probe)
    session.begin(3 * count_flops(lambda: ema.model(example)))
    weights = {name: samples.class_weights(name).to(session.device) for name in samples.names}

    def report() -> None:
        session.report(held_out_accuracy(ema.model, test, config.validation_frames))

    probe.train()
    for _ in session.steps():
        session.set_learning_rate(optimiser)
        rows = samples.rows[batches.next()]
        frames = stack(samples.frames(rows))
        targets = torch.from_numpy(samples.targets[rows])
        flip = torch.rand(len(rows)) < 0.5
        frames = torch.where(flip[:, None, None, None], frames.flip(3), frames)
        if "steer" in samples.names:
            column = samples.names.index("steer")
            targets[:, column] = torch.where(flip, 2 - targets[:, column], targets[:, column])
        if kind != "features":
            frames = degrade(frames)
        logits = forward(frames.to(session.device))
        targets = targets.to(session.device)
        parts = {
            name: F.cross_entropy(logits[name], targets[:, i], weights[name], label_smoothing=0.05)
            for i, name in enumerate(samples.names)
        }
        loss = sum(parts.values())
        session.backward(loss, optimiser, probe)
        ema.update(probe)
        session.log({"loss": loss} | parts)
        if session.validation_due():
            report()
    report()


def run(config: Config) -> None:
    packed, held = Packed(config.data, "train"), Packed(config.data, config.validation)
    if math.isclose(config.max_minutes, 0) and not config.max_steps:
        raise UserError("set max_minutes or max_steps, or the first probe trains for ever")
    for kind in config.kinds:
        heads_of(kind)
    for kind in config.kinds:
        train(Config(**asdict(config)), kind, packed, held)
