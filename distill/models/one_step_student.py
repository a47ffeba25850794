"""Students without a flow head: the teacher's network, run once a step. What TMD is compared with.

- DMD2-v (arXiv 2601.09881, A.3): g = x_t - t v (Eq. 17), and x_{t'} = (1 - t'/t) g + (t'/t) x_t = x_t - (t - t') v
  (Eq. 18). It is trained by stage 2 alone.
- MeanFlow (arXiv 2505.13447), `average`: u(x_t, r, t) is the average velocity from t down to r, and
  x_r = x_t - (t - r) u. The embedding of t-r starts at zero, as the student's embedding of s-r does.
"""

from __future__ import annotations

import copy

from torch import Tensor, nn

from distill.config import UserError
from distill.models.dit import Conditions, DiT
from distill.models.flow_student import FlowStudent
from distill.models.student import Student, StudentConfig, descent, grid, trainable, zero_output
from distill.models.unet import UNet


class OneStepStudent(nn.Module):
    """Has the face of `Student`, with transitions that need no inner noise."""

    gate = 0.0
    time_dtype = None

    def __init__(self, teacher: DiT, config: StudentConfig):
        super().__init__()
        if config.head_blocks:
            raise UserError(f"a student without a flow head has head_blocks=0, not {config.head_blocks}")
        self.config = config
        self.dit = trainable(copy.deepcopy(teacher))
        self.interval = zero_output(copy.deepcopy(self.dit.time)) if config.average else None
        self.outer_grid = grid(config.outer_steps, config.outer_shift, config.top)

    def velocity(self, x: Tensor, t: Tensor, r: Tensor, conditions: Conditions, base: Tensor | None = None) -> Tensor:
        """x_t [B,T,C], t and r [B] -> v at t, or with `average` the mean velocity from t down to r: [B,T,C]."""
        base = self.dit.base(conditions) if base is None else base
        if self.interval is not None:
            base = base + self.interval(t - r)
        return self.dit(x, t, conditions, base)

    def transition(self, x: Tensor, t: Tensor, r: Tensor, y1: Tensor, conditions: Conditions) -> Tensor:
        """What one step of the grid goes along; y1 is not used: [B,T,C]."""
        return self.velocity(x, t, r, conditions)

    def forward(self, noise: Tensor, conditions: Conditions) -> Tensor:
        """noise [B,1+M,T,C], of which the first is used -> x [B,T,C]."""
        x = noise[:, 0]
        for t, r in descent(self.outer_grid):
            whole = x.new_ones(len(x), dtype=self.time_dtype)
            x = x - (t - r) * self.velocity(x, t * whole, r * whole, conditions)
        return x

    def next_latent(self, noise: Tensor, conditions: Conditions) -> Tensor:
        """The next normalised latent [B,T,C]."""
        conditions = self.dit.predict_telemetry(noise[:, 0], conditions)
        return self.dit.to_latent(self(noise, conditions), conditions)

    def noise_used(self) -> list[tuple[int, int]]:
        """(first, count) of the numbers of each noise latent that are drawn."""
        shape = self.dit.config
        return (1 + self.config.outer_steps) * [(0, shape.tokens * shape.channels)]


def make_student(teacher: DiT | UNet, config: StudentConfig) -> Student | OneStepStudent:
    """The student that `config` describes, started as `teacher`."""
    if not config.head_blocks:
        return OneStepStudent(teacher, config)
    return (FlowStudent if isinstance(teacher, UNet) else Student)(teacher, config)
