"""Is there a car, one, of its size and where the instruments say? And is it on the road?"""

from __future__ import annotations

import numpy as np

from distill.evaluation.detector import BoxOfInstruments, Detector, expected_boxes, find_cars
from distill.evaluation.metrics import interval
from distill.evaluation.runs import Driven

TICKS = (100, 400, 10_000)
WINDOW = range(-10, 1, 2)  # the frames that a tick's share is taken over
NEAR = 4.0  # pixels
SIZE = 0.2
ROAD = 6.2  # metres from the centre line, a wheel on the verge


def ticks_of(tick: int) -> list[int]:
    return [tick + step for step in WINDOW]


def car_as_said(detector: Detector, network: BoxOfInstruments, frames: np.ndarray, telemetry: np.ndarray) -> np.ndarray:
    """Frames uint8 [N,H,W,3] and what the instruments read at them [N,n] -> bool [N]: exactly one car, its centre
    within 4 pixels of where the instruments say, width and height within a fifth."""
    expected = expected_boxes(network, telemetry)
    right = []
    for cars, box in zip(find_cars(detector, frames), expected, strict=True):
        if len(cars) != 1:
            right.append(False)
            continue
        car = cars[0]
        right.append(np.hypot(*(car[:2] - box[:2])) <= NEAR and (np.abs(car[2:4] / box[2:] - 1) <= SIZE).all())
    return np.array(right, bool)


def car(ran: Driven, detector: Detector, network: BoxOfInstruments, tick: int) -> dict:
    """Share of the frames of the runs' last half second before `tick`."""
    ticks = [t for t in ticks_of(tick) if t in ran.frames]
    if not ticks or tick not in ran.frames:
        return interval.nothing()
    runs = len(ran.telemetry)
    right = [car_as_said(detector, network, ran.frames[t], ran.telemetry[:, t]) for t in ticks]
    return interval.mean(np.concatenate(right), np.tile(np.arange(runs), len(ticks)))


def on_road(ran: Driven) -> dict:
    """Share of ticks within ROAD metres of the centre line, by the instruments."""
    inside = np.abs(ran.read("offset")[:, 1:]) <= ROAD
    return interval.mean(inside.reshape(-1), np.repeat(np.arange(len(inside)), inside.shape[1]))
