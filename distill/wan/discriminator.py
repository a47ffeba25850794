"""The discriminator's Conv3D heads over features of the frozen teacher (arXiv 2601.09881, A.3 and Table 7).

The paper names the kind ("Conv3D") and the size (68 M and 172 M). These are the multi-scale heads of NVlabs/FastGen's
Wan configurations: features unpatchified to [D/4, frames, rows, columns], five branches that pool by 1 to 16, one MLP.
With the full D/4 = 384 channels that is 67.9 M for the 1.3B, the paper's number. No preset gives 172 M for the 14B;
608 of its 1280 channels come next to it (171 M). That choice is this project's.

Every branch works at the full resolution first; with `checkpointing` it is recomputed in the backward pass, as the
blocks are: that saves 4 GB a layer at the size of the 1.3B.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from distill.wan.model import WanShape, unpatchify

SCALES = (1, 2, 4, 8, 16)


class Head(nn.Module):
    """Features of one layer -> one logit."""

    def __init__(self, channels: int, inner: int, hidden: int, latent: tuple[int, int, int], checkpointing: bool):
        super().__init__()
        self.checkpointing = checkpointing
        groups = math.gcd(inner, min(32, inner // 4))
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv3d(channels, inner, 1),
                nn.GroupNorm(groups, inner),
                nn.LeakyReLU(0.2),
                nn.AvgPool3d(tuple(min(scale, size) for size in latent)),
                nn.Conv3d(inner, inner, 3, padding=1),
                nn.GroupNorm(groups, inner),
                nn.LeakyReLU(0.2),
            )
            for scale in SCALES
        )
        self.classifier = nn.Sequential(
            nn.Linear(len(SCALES) * inner, hidden), nn.LeakyReLU(0.2), nn.Dropout(0.1), nn.Linear(hidden, 1)
        )

    def forward(self, features: Tensor) -> Tensor:
        """[B,channels,frames,rows,columns] -> [B]"""
        if self.checkpointing and torch.is_grad_enabled():
            seen = [checkpoint(branch, features, use_reentrant=False) for branch in self.branches]
        else:
            seen = [branch(features) for branch in self.branches]
        pooled = [x.mean((2, 3, 4)) for x in seen]
        return self.classifier(torch.cat(pooled, 1))[:, 0]


class Conv3dDiscriminator(nn.Module):
    """One head a layer; the losses average the logits."""

    def __init__(self, shape: WanShape, layers: int, inner: int, hidden: int, checkpointing: bool = False):
        super().__init__()
        self.shape = shape
        channels = shape.width // math.prod(shape.patch)
        self.heads = nn.ModuleList(Head(channels, inner, hidden, shape.latent, checkpointing) for _ in range(layers))

    def forward(self, features: list[Tensor]) -> Tensor:
        """One [B,T,D] a layer -> logits [B,layers], high for recorded."""
        looks = zip(self.heads, features, strict=True)
        return torch.stack([head(unpatchify(tokens, self.shape)) for head, tokens in looks], 1)
