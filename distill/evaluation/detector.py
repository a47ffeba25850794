"""Where a car is seen: a small detector, trained on recorded frames, and a network that says from the instruments where
it should be. Stage `detector`.

The detector marks centres on a heat map of 24 x 40 cells (CenterNet, Zhou et al. 2019), so that it can count: it learns
on frames with their car, without it (painted over, or smeared) and with another one pasted in. The same brushes go over
places where no car is, so that they betray nothing. Slightly soft, noisy and relit frames count as frames: it judges
the car and not the codec.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.checkpoints import load_checkpoint
from distill.config import TrainConfig, UserError
from distill.data.packed import Packed
from distill.evaluation import paint
from distill.evaluation.probes import degrade
from distill.flops import count_flops
from distill.training.run import Batches, Ema, Run
from distill.world import TELEMETRY

CELL = 4  # pixels
SEEN = 0.35  # of the heat map, from which on it is a car
USUAL = (32.0, 24.0)  # width and height in pixels that sizes are relative to


@dataclass
class Config(TrainConfig):
    name: str = "probes"
    widths: list[int] = field(default_factory=lambda: [16, 32, 64])
    batch: int = 32
    learning_rate: float = 2e-3
    ema: float = 0.995
    max_minutes: float = 8.0
    validate_minutes: float = 2.0
    box_steps: int = 3000  # of the network of the instruments
    validation_frames: int = 600


class Detector(nn.Module):
    """Frames [B,3,96,160] in 0..1 -> maps [B,5,24,40]: logit of a centre, log width and height over USUAL, and the
    centre's offset in the cell, x and y."""

    def __init__(self, widths: list[int]):
        super().__init__()
        a, b, c = widths
        layer = lambda i, o, stride=1: nn.Sequential(  # noqa: E731
            nn.Conv2d(i, o, 3, stride, 1), nn.GroupNorm(8, o), nn.SiLU()
        )
        self.fine = nn.Sequential(layer(3, a, 2), layer(a, b, 2), layer(b, b))
        self.coarse = nn.Sequential(layer(b, c, 2), layer(c, c, 2), layer(c, c), nn.Upsample(scale_factor=2))
        self.middle = nn.Sequential(layer(b, c, 2), layer(c, c))
        self.join = nn.Sequential(layer(2 * c, c), nn.Upsample(scale_factor=2))
        self.head = nn.Sequential(layer(c + b, b), nn.Conv2d(b, 5, 1))
        nn.init.constant_(self.head[-1].bias[:1], -4.0)

    def forward(self, frames: Tensor) -> Tensor:
        fine = self.fine(frames * 4 - 2)
        joined = self.join(torch.cat([self.middle(fine), self.coarse(fine)], 1))
        return self.head(torch.cat([joined, fine], 1))


class BoxOfInstruments(nn.Module):
    """Telemetry [B,n] -> box [B,4]: centre x, y, width and height in pixels."""

    def __init__(self):
        super().__init__()
        count = len(TELEMETRY)
        self.layers = nn.Sequential(nn.Linear(count, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 4))
        self.register_buffer("middle", torch.zeros(4))
        self.register_buffer("unit", torch.ones(4))

    def forward(self, telemetry: Tensor) -> Tensor:
        centre, spread, _ = torch.tensor(list(TELEMETRY.values()), dtype=torch.float32).T
        return self.layers((telemetry - centre) / spread) * self.unit + self.middle


def to_input(frames: np.ndarray) -> Tensor:
    """uint8 [B,H,W,3] -> [B,3,H,W] in 0..1"""
    return torch.from_numpy(np.array(frames)).permute(0, 3, 1, 2).float() / 255


# -- what is asked ----------------------------------------------------------------------------------------------


@torch.inference_mode()
def find_cars(detector: Detector, frames: np.ndarray, batch: int = 64) -> list[np.ndarray]:
    """uint8 [N,H,W,3] -> for each frame its cars, float32 [cars,5]: centre x, y, width, height in pixels, and how sure.
    Of centres nearer than half a car to a surer one, only that one counts."""
    found = []
    for first in range(0, len(frames), batch):
        maps = detector(to_input(frames[first : first + batch]))
        heat = torch.sigmoid(maps[:, :1])
        peaks = (heat == F.max_pool2d(heat, 3, 1, 1)) & (heat > SEEN)
        for which in range(len(maps)):
            down, across = torch.nonzero(peaks[which, 0], as_tuple=True)
            at = maps[which, :, down, across]
            sure = heat[which, 0, down, across]
            size = at[1:3].clamp(-3, 3).exp() * torch.tensor(USUAL)[:, None]
            x, y = (across + at[3]) * CELL, (down + at[4]) * CELL
            cars = torch.stack([x, y, *size, sure], 1)[sure.argsort(descending=True)]
            found.append(alone(cars.numpy()))
    return found


def alone(cars: np.ndarray) -> np.ndarray:
    kept: list[np.ndarray] = []
    for car in cars:
        if all(np.any(np.abs(car[:2] - other[:2]) > other[2:4] / 2) for other in kept):
            kept.append(car)
    return np.array(kept, np.float32).reshape(-1, 5)


@torch.inference_mode()
def expected_boxes(network: BoxOfInstruments, telemetry: np.ndarray) -> np.ndarray:
    """float32 [N,len(TELEMETRY)] -> float32 [N,4]"""
    return network(torch.from_numpy(np.ascontiguousarray(telemetry, np.float32))).numpy()


def load_detector(folder: str | Path) -> tuple[Detector, BoxOfInstruments]:
    """Raises UserError where they were not trained."""
    saved = load_checkpoint(Path(folder) / "detector.pt", "detector")
    detector, boxes = Detector(saved["architecture"]["widths"]), BoxOfInstruments()
    detector.load_state_dict(saved["state"]["ema"]["model"])
    boxes.load_state_dict(saved["state"]["boxes"])
    return detector.eval().requires_grad_(False), boxes.eval().requires_grad_(False)


# -- what is learnt ---------------------------------------------------------------------------------------------


def elsewhere(box: np.ndarray, shape, rng: np.random.Generator, tries: int = 20) -> tuple[float, float] | None:
    """A centre in the lower two thirds of the frame from which a box of that size does not reach the box."""
    for _ in range(tries):
        x = rng.uniform(box[2] / 2, shape[1] - box[2] / 2)
        y = rng.uniform(shape[0] / 3, shape[0] - box[3] / 2)
        if abs(x - box[0]) > 1.3 * box[2] or abs(y - box[1]) > 1.3 * box[3]:
            return x, y
    return None


def example(frame: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, list[np.ndarray]]:
    """A frame with 0, 1 or 2 cars: (uint8 [H,W,3], their boxes)."""
    kind, place = rng.random(), elsewhere(box, frame.shape, rng)
    if kind < 0.15:
        return paint.paint_out(frame, box, rng.uniform(0.15, 0.4)), []
    if kind < 0.3:
        return paint.smear(frame, box, rng.uniform(0.22, 0.6) * min(box[2], box[3])), []
    if kind < 0.45 and place:
        pasted, other = paint.paste(frame, frame, box, *place)
        return pasted, [box, other]
    if kind < 0.55 and place:  # the other one alone
        pasted, other = paint.paste(frame, frame, box, *place)
        return paint.paint_out(pasted, box, rng.uniform(0.15, 0.4)), [other]
    if kind < 0.7 and place:  # the brushes where no car is
        empty = np.array([*place, box[2], box[3]], np.float32)
        changed = [
            lambda: paint.paint_out(frame, empty, rng.uniform(0.15, 0.4)),
            lambda: paint.smear(frame, empty, rng.uniform(0.22, 0.6) * min(box[2], box[3])),
            lambda: paint.paste(frame, frame, empty, *(elsewhere(box, frame.shape, rng) or place))[0],
        ]
        return changed[int(rng.integers(3))](), [box]
    return frame, [box]


def target_maps(boxes: list[np.ndarray], shape) -> np.ndarray:
    """float32 [6,H/4,W/4]: heat 0..1, then log sizes and offsets, then 1 where those count."""
    height, width = shape[0] // CELL, shape[1] // CELL
    maps = np.zeros((6, height, width), np.float32)
    y, x = np.mgrid[0:height, 0:width]
    for box in boxes:
        across, down = box[0] / CELL, box[1] / CELL
        column, row = int(np.clip(across, 0, width - 1)), int(np.clip(down, 0, height - 1))
        sigma = max(0.6, min(box[2], box[3]) / CELL / 6)
        heat = np.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * sigma**2))
        maps[0] = np.maximum(maps[0], heat)
        near = (np.abs(x - column) <= 1) & (np.abs(y - row) <= 1)
        maps[1, near], maps[2, near] = np.log(box[2] / USUAL[0]), np.log(box[3] / USUAL[1])
        maps[3, near], maps[4, near] = (across - x)[near], (down - y)[near]
        maps[5, near] = 1
    return maps


def detection_loss(maps: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Focal loss of the heat (CornerNet, eq. 1) and mean absolute error of size and offset."""
    heat, wanted = torch.sigmoid(maps[:, 0]).clamp(1e-4, 1 - 1e-4), target[:, 0]
    centre = wanted == 1
    found = -((1 - heat) ** 2 * heat.log())[centre].sum()
    missed = -((1 - wanted) ** 4 * heat**2 * (1 - heat).log())[~centre].sum()
    counts = target[:, 5:]
    place = ((maps[:, 1:] - target[:, 1:5]).abs() * counts).sum() / counts.sum().clamp(min=1)
    return (found + missed) / centre.sum().clamp(min=1), place


def rows_with_box(packed: Packed) -> np.ndarray:
    """Rows whose car is whole in the frame. Raises UserError where no boxes were recorded."""
    height, width = packed.frames.shape[1:3]
    x, y, w, h = packed.boxes.T
    whole = (w > 4) & (h > 4) & (x - w / 2 > -2) & (x + w / 2 < width + 2) & (y > 0) & (y + h / 2 < height + 6)
    if not whole.any():
        raise UserError(f"{packed.folder} has no boxes of the car; record it again")
    return np.flatnonzero(whole)


def fit_boxes(packed: Packed, rows: np.ndarray, steps: int, seed: int = 1) -> BoxOfInstruments:
    """Trains the network of the instruments."""
    torch.manual_seed(seed)
    boxes = torch.from_numpy(packed.boxes[rows])
    telemetry = torch.from_numpy(packed.telemetry[rows])
    network = BoxOfInstruments()
    network.middle.copy_(boxes.mean(0))
    network.unit.copy_(boxes.std(0).clamp(min=0.5))
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * (1 - step / steps)
        some = torch.randint(len(rows), (512,))
        loss = F.smooth_l1_loss(network(telemetry[some]) / network.unit, boxes[some] / network.unit)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval()


def measured(detector: Detector, network: BoxOfInstruments, packed: Packed, count: int) -> dict[str, float]:
    """On recorded frames: how often exactly one car is found, in frames with one, without one and with two; how far in
    pixels it is from its box, and the box of the instruments from it (95 in 100 are nearer)."""
    rows = rows_with_box(packed)
    rows = rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]
    frames, boxes = packed.frames[rows], packed.boxes[rows]
    rng = np.random.default_rng(0)
    empty = np.stack([paint.paint_out(frame, box) for frame, box in zip(frames, boxes, strict=True)])
    places = [elsewhere(box, frames.shape[1:], rng) or (20.0, 60.0) for box in boxes]
    two = np.stack([paint.paste(f, f, b, *place)[0] for f, b, place in zip(frames, boxes, places, strict=True)])
    found = find_cars(detector, frames)
    ones = [(cars[0], box) for cars, box in zip(found, boxes, strict=True) if len(cars) == 1]
    off = [np.hypot(*(car[:2] - box[:2])) for car, box in ones]
    size = [np.abs(car[2:4] / box[2:] - 1).max() for car, box in ones]
    expected = expected_boxes(network, packed.telemetry[rows])
    return {
        "one_of_one": float(np.mean([len(cars) == 1 for cars in found])),
        "none_of_none": float(np.mean([len(cars) == 0 for cars in find_cars(detector, empty)])),
        "two_of_two": float(np.mean([len(cars) == 2 for cars in find_cars(detector, two)])),
        "off_pixels_95": float(np.percentile(off, 95)) if off else float("nan"),
        "size_off_95": float(np.percentile(size, 95)) if size else float("nan"),
        "instruments_off_95": float(np.percentile(np.hypot(*(expected - boxes)[:, :2].T), 95)),
        "instruments_size_off_95": float(np.percentile(np.abs(expected[:, 2:] / boxes[:, 2:] - 1).max(1), 95)),
    }


def run(config: Config) -> None:
    packed, held = Packed(config.data, "train"), Packed(config.data, "validation")
    session = Run(config, "detector", {"widths": list(config.widths)})
    rows = rows_with_box(packed)
    detector = Detector(config.widths).to(session.device)
    ema, optimiser = Ema(detector, config.ema), session.optimiser(detector.parameters())
    batches = Batches(len(rows), config.batch, config.seed)
    network = fit_boxes(packed, rows, config.box_steps, config.seed)
    session.track(model=detector, ema=ema, optimiser=optimiser, batches=batches, boxes=network)
    session.begin(3 * count_flops(lambda: ema.model(torch.zeros(1, 3, 96, 160))))

    def report() -> None:
        session.report(measured(ema.model.eval(), network, held, config.validation_frames))

    for _ in session.steps():
        session.set_learning_rate(optimiser)
        rng = np.random.default_rng([config.seed, session.step])
        some = rows[batches.next()]
        flips = rng.random(len(some)) < 0.5
        frames, targets = [], []
        for row, flip in zip(some, flips, strict=True):
            frame, box = np.array(packed.frames[row]), packed.boxes[row].copy()
            if flip:
                frame, box[0] = frame[:, ::-1].copy(), frame.shape[1] - box[0]
            frame, boxes = example(frame, box, rng)
            frames.append(frame)
            targets.append(target_maps(boxes, frame.shape))
        maps = detector(degrade(to_input(np.stack(frames)), blur=1.0, blurred=0.5, light=0.08).to(session.device))
        found, place = detection_loss(maps, torch.from_numpy(np.stack(targets)).to(session.device))
        session.backward(found + place, optimiser, detector)
        ema.update(detector)
        session.log({"found": found, "place": place})
        if session.validation_due():
            report()
    report()
