"""Does the world go by? Optical flow of the road and of the horizon over the simulator's at the same speed.

By matching of blocks: 8 x 8 pixels are looked for a few pixels around in the later frame. Where no place fits clearly
better than the same one, the block stands still: ground without any mark does not move for a viewer either, and what
flickers does not go anywhere. The road is compared with the next frame, the horizon, where a tick moves nothing by a
whole pixel, with the frame two ticks later. Own code, since a few lines do; a library of optical flow weighs 50 MB.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from distill.evaluation.metrics import interval

TICKS = range(20, 101, 15)
BLOCK = 8
REGIONS = {  # name -> (first row, last row, ticks between the two frames, pixels looked around)
    "road": (44, 96, 1, 8),
    "horizon": (24, 56, 2, 6),
}
BETTER, SHARE = 1.0, 0.6  # another place must fit by a level better, and have at most 0.6 of the misfit
FARTHER = 0.06  # levels that each pixel of way must fit better by


def best(costs: torch.Tensor, at: torch.Tensor, step: int, inside: torch.Tensor) -> torch.Tensor:
    """Where between its neighbours a cost is lowest, by a parabola: in -0.5..0.5. costs [D,...], at [...]."""
    low = costs.gather(0, (at - step).clamp(0, len(costs) - 1)[None])[0]
    mid = costs.gather(0, at[None])[0]
    high = costs.gather(0, (at + step).clamp(0, len(costs) - 1)[None])[0]
    bend = low - 2 * mid + high
    part = torch.where(bend > 1e-6, 0.5 * (low - high) / bend.clamp(min=1e-6), torch.zeros_like(bend))
    return torch.where(inside, part.clamp(-0.5, 0.5), torch.zeros_like(part))


def softened(frames: torch.Tensor) -> torch.Tensor:
    """[N,3,H,W], 3 x 3 pixels averaged: grain must not hide what moves under it."""
    return F.avg_pool2d(frames, 3, 1, 1, count_include_pad=False)


@torch.inference_mode()
def block_flow(before: np.ndarray, after: np.ndarray, reach: int, batch: int = 32) -> np.ndarray:
    """uint8 [N,H,W,3] twice -> float32 [N,H/8,W/8]: how far in pixels each block went."""
    found, side = [], 2 * reach + 1
    away = torch.tensor([np.hypot(y, x) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)])
    for first in range(0, len(before), batch):
        a, b = (
            softened(torch.from_numpy(frames[first : first + batch].astype(np.float32)).permute(0, 3, 1, 2))
            for frames in (before, after)
        )
        wide = F.pad(b, (reach,) * 4, mode="replicate")
        height, width = a.shape[2:]
        costs = torch.stack(
            [
                F.avg_pool2d((a - wide[:, :, y : y + height, x : x + width]).abs().mean(1), BLOCK)
                for y in range(side)
                for x in range(side)
            ]
        )  # [D,N,h,w]
        still = costs[len(costs) // 2]
        at = (costs + FARTHER * away[:, None, None, None]).argmin(0)
        lowest = costs.gather(0, at[None])[0]
        farther = (still - lowest > BETTER) & (lowest < SHARE * still)
        at = torch.where(farther, at, len(costs) // 2)  # else within half a pixel of where it was
        down, across = at // side, at % side
        y = down - reach + best(costs, at, side, (down > 0) & (down < side - 1))
        x = across - reach + best(costs, at, 1, (across > 0) & (across < side - 1))
        found.append(torch.where(still > BETTER, torch.hypot(y, x), torch.zeros_like(x)).numpy())
    return np.concatenate(found)


def ticks_needed() -> set[int]:
    return {tick + gap for tick in TICKS for gap in (0, *(region[2] for region in REGIONS.values()))}


def region_flow(frame_at, ticks, region: str) -> np.ndarray:
    """frame_at(tick) -> uint8 [B,H,W,3]; the mean flow of the region's blocks after each tick: [B,ticks]."""
    top, bottom, gap, reach = REGIONS[region]
    each = [block_flow(frame_at(t)[:, top:bottom], frame_at(t + gap)[:, top:bottom], reach) for t in ticks]
    return np.stack([flow.mean((1, 2)) for flow in each], 1)


def flow_over(dreamed: np.ndarray, dreamed_speed: np.ndarray, real: np.ndarray, real_speed: np.ndarray) -> dict:
    """Flows and speeds [B,ticks] -> dreamed flow per speed over the recordings' flow per speed."""
    parts = [np.asarray(values, np.float64) for values in (dreamed, real_speed, real, dreamed_speed)]
    means = [values.mean() for values in parts]
    if min(means[1:]) <= 0:
        return interval.nothing()
    value = means[0] * means[1] / (means[2] * means[3])
    signs = (1, 1, -1, -1)
    apart = sum(s * p / m for s, p, m in zip(signs, parts, means, strict=True) if m > 0)
    drives = np.repeat(np.arange(len(dreamed)), dreamed.shape[1])
    return interval.made(value, value * interval.half_interval(apart.reshape(-1), drives), drives)
