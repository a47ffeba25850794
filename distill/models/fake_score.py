"""The fake score of stage 2 at M > 1: the teacher again, conditioned on the outer step that a sample came from.

One score for all steps (as in DMD2 and the paper) knows their mixture alone. That has the right spread as well where
the first step always says the same and the last one exaggerates, and no gradient leads out of there: DMD2-v at M = 2
ended with 0.34 and 1.73 times the teacher's spread after 16 minutes, and a student is played by its last step.
Conditioned on the step: 0.98 and 1.04.
"""

from __future__ import annotations

import copy

from torch import Tensor, nn

from distill.models.dit import Conditions, DiT
from distill.models.student import zero_output
from distill.models.unet import UNet


class FakeScore(nn.Module):
    """A copy of the teacher, and an embedding of the outer step that is silent at first."""

    def __init__(self, teacher: DiT | UNet):
        super().__init__()
        self.score = copy.deepcopy(teacher)
        self.outer = zero_output(copy.deepcopy(teacher.time))

    def forward(self, x: Tensor, t: Tensor, conditions: Conditions, outer: Tensor) -> Tensor:
        """v at x [B,T,C], t [B], of samples that were made at `outer` [B], times of the student's outer grid."""
        return self.score(x, t, conditions, self.score.base(conditions) + self.outer(outer))
