"""What a world is to all rooms: its controls, the labels of its prompts, the readings of its instruments, its history.

The drive is written here. Any other world is what `data/<world>/world.json` says, which the `prepare` stage writes from
the first episode: a world without words has no labels and no captions, one without instruments no telemetry.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from distill.config import UserError

BIOMES = ["meadow", "forest", "desert", "snow", "volcano"]
TIMES = ["dawn", "noon", "dusk", "night"]
WEATHERS = ["clear", "rain", "fog", "snowfall"]
LABELS = {"biome": BIOMES, "time": TIMES, "weather": WEATHERS}
RING = 16  # latents a state holds: the longest history offset
LONG_AGO = 10**6  # ticks since words that were there from the beginning
# What the car's instruments read (src/scene/drive/telemetry.ts): name -> (usual value, usual spread, mirror's sign).
TELEMETRY = {
    "speed": (17.0, 7.0, 1),
    "wheel": (0.0, 0.5, -1),
    "offset": (0.0, 3.0, -1),
    "heading": (0.0, 0.12, -1),
    "cameraOffset": (0.0, 1.7, -1),
    "cameraHeading": (0.0, 0.015, -1),
    "pitch": (0.4, 0.6, 1),
    "curvature": (0.0, 0.004, -1),
    "bendNear": (0.0, 0.004, -1),
    "bendMiddle": (0.0, 0.004, -1),
    "bendFar": (0.0, 0.004, -1),
    "slope": (0.0, 0.03, 1),
    "slopeAhead": (0.0, 0.03, 1),
    "phaseSin": (0.0, 0.7, 1),
    "phaseCos": (0.0, 0.7, 1),
    "weatherSin": (0.0, 0.7, 1),
    "weatherCos": (0.0, 0.7, 1),
    "stuck": (0.0, 0.3, 1),
}
UNITS = ["m/s", "-1..1", "m", "rad", "m", "rad", "-1..1", "1/m", "1/m", "1/m", "1/m", *[""] * 7]
MORPH_TICKS = 25  # after a change of prompt the simulator still shows a mixture for about this long
ROOT = Path(__file__).resolve().parents[1]
FILE = "world.json"  # of a world's recordings
HELD_OUT_SEED = 1_000_000  # and up: the test, nothing is chosen by it
VALIDATION_SEED = 1_100_000  # and up: settings are chosen by it


def split_of(seed: int) -> str:
    """The split that an episode of that seed belongs to: train, heldout (the test) or validation."""
    return "train" if seed < HELD_OUT_SEED else "heldout" if seed < VALIDATION_SEED else "validation"


@dataclass(frozen=True)
class WorldSpec:
    """What the stages know of a world. `encoding` is how a network is told of an action (src/engine/controls.ts): each
    control's value, or a 1 at the place of that value. `recorded` are the numbers that its episodes have beside frames
    and actions; no dream has them but the drive's, whose instruments are `telemetry`."""

    id: str
    width: int
    height: int
    ticksPerSecond: float
    controls: list[dict]
    title: str = ""
    encoding: str = "number"
    prompt: bool = False  # episodes have captions
    recorded: list[str] = field(default_factory=list)
    telemetry: dict[str, tuple[float, float, int]] = field(default_factory=dict)
    labels: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_drive(self) -> bool:
        """Whether its episodes have what only the drive's have: labels, boxes, a mirrored twin."""
        return bool(self.labels)

    @property
    def action_dims(self) -> int:
        """Floats that a network is told of one action."""
        values = [len(values_of(control)) for control in self.controls]
        return sum(values) if self.encoding == "one-hot" else len(values)

    def encode(self, actions: np.ndarray) -> np.ndarray:
        """Values of the controls [T,controls] -> float32 [T,action_dims], as `ActionSpace.encode`. Raises ValueError
        where a control has no such value."""
        parts = []
        for values, column in zip(map(values_of, self.controls), np.asarray(actions, np.float32).T, strict=True):
            same = np.isclose(column[:, None], np.float32(values)[None], atol=1e-5)
            if not same.any(1).all():
                raise ValueError(f"a control is {column[~same.any(1)][0]:g}, which is none of {values}")
            parts.append(same if self.encoding == "one-hot" else column[:, None])
        return np.concatenate(parts, 1).astype(np.float32)

    @property
    def idle(self) -> np.ndarray:
        """Nothing held, float32 [action_dims]."""
        return self.encode(np.zeros((1, len(self.controls))))[0]


def values_of(control: dict) -> list[float]:
    """What a control can be set to."""
    return [0, 1] if control["kind"] == "button" else control["values"]


DRIVE = WorldSpec(
    id="drive",
    title="Drive",
    width=160,
    height=96,
    ticksPerSecond=20,
    controls=json.loads((ROOT / "contract/drive/controls.json").read_text()),
    prompt=True,
    recorded=list(TELEMETRY),
    telemetry=TELEMETRY,
    labels=LABELS,
)


def world_of(data: str | Path) -> WorldSpec:
    """The world of the recordings below `data`. Raises UserError where its description is damaged."""
    path = Path(data) / FILE
    if not path.is_file():
        return DRIVE
    try:
        return WorldSpec(**json.loads(path.read_text()))
    except (TypeError, ValueError) as error:
        raise UserError(f"{path} does not describe a world ({error}); run `prepare` on fresh episodes") from error


def world_text(world: WorldSpec) -> str:
    """What `world_of` reads."""
    return json.dumps(asdict(world), indent=2) + "\n"


def telemetry_tokens(channels: int, readings: int = len(TELEMETRY)) -> int:
    """How many of a latent's last tokens it takes to hold the telemetry."""
    return -(-readings // channels)


def telemetry_token(
    values: np.ndarray, channels: int, flip: bool = False, telemetry: dict[str, tuple] = TELEMETRY
) -> np.ndarray:
    """Telemetry [...,len(telemetry)] -> the latent's last tokens [...,n,C], of about unit size, zero beyond it; `flip`
    as a mirrored picture would read."""
    count = telemetry_tokens(channels, len(telemetry))
    token = np.zeros((*values.shape[:-1], count * channels), np.float32)
    if telemetry:
        centre, spread, mirrors = np.array(list(telemetry.values()), np.float32).T
        token[..., : len(telemetry)] = (values - centre) / spread * (mirrors if flip else 1)
    return token.reshape(*values.shape[:-1], count, channels)


def telemetry_manifest() -> list[dict]:
    """What a manifest says of that token."""
    read = zip(TELEMETRY.items(), UNITS, strict=True)
    return [{"name": n, "unit": unit, "centre": centre, "spread": spread} for (n, (centre, spread, _)), unit in read]


def read_telemetry(latents: np.ndarray) -> np.ndarray:
    """What the last tokens of latents [B,T,C] read: float32 [B,len(TELEMETRY)]; undoes `data.telemetry_token`."""
    count = telemetry_tokens(latents.shape[-1])
    centre, spread, _ = np.array(list(TELEMETRY.values()), np.float32).T
    return latents[:, -count:].reshape(len(latents), -1)[:, : len(TELEMETRY)] * spread + centre
