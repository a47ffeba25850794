"""Can a small network tell? AUC of a classifier of crops, recorded or dreamed; 0.5 cannot tell, 1 always does.

Trained on half of the drives and scored on the other half, and the other way round. Both sides are frames of the same
ticks of the same drives, under the same words.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import rankdata
from torch import nn

from distill.evaluation.metrics import interval
from distill.evaluation.metrics.spaces import CROP, crops_of

TICK = 60
WINDOW = range(-10, 11, 4)  # the frames around the tick
MOST = 12_000  # crops of one side that are trained on
STEPS, BATCH = 300, 64


def ticks_needed() -> set[int]:
    return {TICK + step for step in WINDOW}


def classifier() -> nn.Module:
    """[B,6,32,32], see `to_input` -> logit [B] that it was dreamed."""
    layer = lambda i, o: [nn.Conv2d(i, o, 3, 2, 1), nn.BatchNorm2d(o), nn.SiLU()]  # noqa: E731
    return nn.Sequential(
        *layer(6, 24), *layer(24, 32), *layer(32, 48), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(48, 1),
        nn.Flatten(0),
    )  # fmt: skip


def to_input(crops: np.ndarray) -> torch.Tensor:
    """uint8 [B,32,32,3] -> [B,6,32,32]: the crop about -1..1, and what of it is finer than 3 pixels, stronger."""
    x = torch.from_numpy(np.ascontiguousarray(crops)).permute(0, 3, 1, 2).float() / 127.5 - 1
    fine = x - F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return torch.cat([x, 6 * fine], 1)


def train(real: np.ndarray, dream: np.ndarray, steps: int, seed: int) -> nn.Module:
    """Crops uint8 [N,32,32,3] of either side."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = classifier()
    rng = np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.01)
    wanted = torch.cat([torch.zeros(BATCH // 2), torch.ones(BATCH // 2)])
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1 - step / steps)
        some = np.concatenate([side[rng.integers(0, len(side), BATCH // 2)] for side in (real, dream)])
        crops = to_input(some)
        mirrored = torch.from_numpy(rng.random(BATCH) < 0.5)
        crops = torch.where(mirrored[:, None, None, None], crops.flip(3), crops)
        loss = F.binary_cross_entropy_with_logits(network(crops), wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval()


@torch.inference_mode()
def scores(network: nn.Module, crops: np.ndarray, batch: int = 512) -> np.ndarray:
    return np.concatenate([network(to_input(crops[i : i + batch])).numpy() for i in range(0, len(crops), batch)])


def auc(real: np.ndarray, dream: np.ndarray) -> float:
    """How often a dreamed score lies above a recorded one, ties half (Mann & Whitney)."""
    ranks = rankdata(np.concatenate([real, dream]))
    above = ranks[len(real) :].sum() - len(dream) * (len(dream) + 1) / 2
    return float(above / (len(real) * len(dream)))


def real_or_dream(real: np.ndarray, dream: np.ndarray, drives: np.ndarray, steps: int = STEPS) -> dict:
    """Frames uint8 [N,H,W,3] of both sides at the same ticks, and the drive of each [N]. A mean of two AUCs, one for
    each half of the drives; the interval is over the drives that are scored."""
    names = np.unique(drives)
    if len(names) < 2:
        return interval.nothing()
    half = np.isin(drives, names[::2])
    sides = [crops_of(frames) for frames in (real, dream)]
    each = sides[0].shape[1]
    found = [np.zeros((len(drives), each), np.float32) for _ in sides]
    for fold, mine in enumerate((half, ~half)):
        training = [side[~mine].reshape(-1, CROP, CROP, 3) for side in sides]
        rng = np.random.default_rng(fold)
        some = rng.permutation(len(training[0]))[:MOST]
        network = train(training[0][some], training[1][some], steps, fold)
        for side, values in zip(sides, found, strict=True):
            values[mine] = scores(network, side[mine].reshape(-1, CROP, CROP, 3)).reshape(-1, each)

    def statistic(indices: np.ndarray) -> float:
        folds = [indices[part[indices]] for part in (half, ~half)]
        return float(np.mean([auc(found[0][i].reshape(-1), found[1][i].reshape(-1)) for i in folds if len(i)]))

    return interval.bootstrap(statistic, drives, 100)
