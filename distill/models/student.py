"""The TMD student (Transition Matching Distillation, arXiv 2601.09881): a backbone once, a light flow head N times.

Equations are the paper's. Time: t of the outer transition, s of the inner flow, both 1 at noise.

- Outer: y = x1 - x (Eq. 3), x_{t_{i-1}} = x_{t_i} - (t_i - t_{i-1}) y (Eq. 4). Inner: y_s = (1-s) y + s y1 (Eq. 5).
- m = backbone(x_t, t): embedding and the first L-H blocks. head(y_s, s, r; m): fusion, the last H blocks, output.
  All of it starts as the teacher; only the fusion, its gate and the embedding of s-r are new.
- u = y1 - head and f(y_s, s, r) = y_s - (s - r) u. The paper's Eq. 13 prints a plus, against its Eqs. 7, 8 and 14.
- So the inner flow telescopes: (1 - s_N) y1 + sum_j (s_j - s_{j-1}) head_j.
- `predicts: data` is the paper's ablation y = x (B.4): x = x_t - t head and u = (y_s - x) / s.
- The embedding of s-r copies the teacher's time embedding with its *last* layer set to zero: zeroing every layer would
  leave it without a gradient for ever.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.config import UserError
from distill.models.dit import Block, Conditions, DiT, DiTConfig, Embedder, modulate
from distill.models.instruments import Instruments

FUSIONS = ("gated", "concat")
TARGETS = ("difference", "data")


@dataclass
class StudentConfig:
    outer_steps: int = 1  # M
    inner_steps: int = 2  # N
    head_blocks: int = 2  # H
    outer_shift: float = 10.0
    inner_shift: float = 10.0
    top: float = 0.999  # of both grids
    fusion: str = "gated"
    fusion_ratio: int = 2  # hidden width of the fusion's MLP over the width
    gate_init: float = -3.0  # before the sigmoid
    predicts: str = "difference"  # difference: y = x1 - x | data: y = x (ablation)
    average: bool = False  # without a head: learn MeanFlow's average velocity

    def __post_init__(self):
        if self.outer_steps < 1 or self.inner_steps < 1 or self.head_blocks < 0:
            raise UserError(
                f"M={self.outer_steps}, N={self.inner_steps}, H={self.head_blocks}: M and N must be at least 1, "
                "H at least 1, or 0 for a student without a flow head (one_step_student.py)"
            )
        if self.head_blocks == 0 and self.inner_steps > 1:
            raise UserError(f"without a flow head there are no inner steps: N must be 1, not {self.inner_steps}")
        if self.fusion not in FUSIONS:
            raise UserError(f"fusion must be one of {', '.join(FUSIONS)}, not {self.fusion}")
        if self.predicts not in TARGETS:
            raise UserError(f"predicts must be one of {', '.join(TARGETS)}, not {self.predicts}")


def shifted(u, gamma: float):
    """gamma u / ((gamma - 1) u + 1), for floats and tensors."""
    return gamma * u / ((gamma - 1) * u + 1)


def grid(steps: int, gamma: float, top: float) -> list[float]:
    """0 = first < ... < last = top, `steps` intervals (tmd.md 2.4)."""
    return [shifted(i / steps, gamma) for i in range(steps)] + [top]


def descent(grid: list[float]) -> list[tuple[float, float]]:
    """The steps of a grid of times, from its last to its first."""
    return list(zip(grid[:0:-1], grid[-2::-1], strict=True))


def trainable(network: nn.Module) -> nn.Module:
    """The network, with gradients wherever it learns: instruments have a training of their own."""
    network.train().requires_grad_(True)
    for part in network.modules():
        if isinstance(part, Instruments):
            part.requires_grad_(False)
    return network


def zero_output(embedder: Embedder) -> Embedder:
    """The same embedder, silent: only its last layer is zero, or nothing in it would ever have a gradient."""
    nn.init.zeros_(embedder.out.weight)
    nn.init.zeros_(embedder.out.bias)
    return embedder


class GatedFusion(nn.Module):
    """(1-g) m + g e' (A.1): e' is an adaLN MLP over the patch embedding of y_s, g one sigmoid gate.

    Shift, scale and gate of the adaLN are those of the first head block's MLP, plus an own table."""

    def __init__(self, config: DiTConfig, ratio: int, gate_init: float):
        super().__init__()
        width = config.width
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-5)
        self.up = nn.Linear(width, ratio * width)
        self.down = nn.Linear(ratio * width, width)
        self.table = nn.Parameter(torch.randn(3, width) / width**0.5)
        self.gate = nn.Parameter(torch.tensor(float(gate_init)))
        for linear in (self.up, self.down):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, features: Tensor, tokens: Tensor, block: Block, condition: Tensor) -> Tensor:
        """features m and tokens e [B,T,D], the first head block, its condition [B,D] -> h0 [B,T,D]."""
        width = tokens.shape[-1]
        values = F.linear(condition, block.modulation.weight[3 * width :], block.modulation.bias[3 * width :])
        shift, scale, gate = (values + self.table.flatten()).chunk(3, -1)
        hidden = F.gelu(self.up(modulate(self.norm(tokens), shift, scale)))
        tokens = tokens + gate[:, None] * self.down(hidden)
        g = torch.sigmoid(self.gate)
        return (1 - g) * features + g * tokens


class ConcatFusion(nn.Module):
    """Linear of [m, e] (B.3): the identity on m, N(0, 0.01^2) on e."""

    def __init__(self, config: DiTConfig):
        super().__init__()
        self.linear = nn.Linear(2 * config.width, config.width)
        with torch.no_grad():
            self.linear.weight[:, : config.width] = torch.eye(config.width)
            nn.init.normal_(self.linear.weight[:, config.width :], std=0.01)
            nn.init.zeros_(self.linear.bias)

    def forward(self, features: Tensor, tokens: Tensor, block: Block, condition: Tensor) -> Tensor:
        return self.linear(torch.cat([features, tokens], -1))


class Student(nn.Module):
    time_dtype: torch.dtype | None = None  # of t, s and r; None: as the tensors they go with

    def __init__(self, teacher: DiT, config: StudentConfig):
        """A student that starts as `teacher`. Raises UserError where H does not leave a backbone."""
        super().__init__()
        self.config = config
        self.depth = self.backbone_blocks(teacher)
        self.dit = trainable(copy.deepcopy(teacher))
        self.fusion = self.make_fusion()
        self.interval = self.make_interval()
        self.outer_grid = grid(config.outer_steps, config.outer_shift, config.top)
        self.inner_grid = grid(config.inner_steps, config.inner_shift, config.top)

    def backbone_blocks(self, teacher: DiT) -> int:
        blocks, head = teacher.config.blocks, self.config.head_blocks
        if not 0 < head < blocks:
            raise UserError(f"head_blocks {head} must be from 1 to below the teacher's {blocks} blocks")
        return blocks - head

    def make_fusion(self) -> nn.Module:
        if self.config.fusion == "gated":
            return GatedFusion(self.dit.config, self.config.fusion_ratio, self.config.gate_init)
        return ConcatFusion(self.dit.config)

    def make_interval(self) -> nn.Module:
        return zero_output(copy.deepcopy(self.dit.time))

    @property
    def gate(self) -> float:
        """How much of y_s the fusion lets in: the sigmoid of the gate, or the relative size of e's weights."""
        if self.config.fusion == "gated":
            return float(torch.sigmoid(self.fusion.gate.detach()))
        weight = self.fusion.linear.weight.detach()
        return float(weight[:, weight.shape[0] :].norm() / weight.norm())

    def base(self, conditions: Conditions) -> Tensor:
        return self.dit.base(conditions)

    def backbone(self, x: Tensor, t: Tensor, conditions: Conditions, base: Tensor | None = None) -> Tensor:
        """m: x_t [B,T,C], t [B] -> [B,T,D]."""
        return self.dit.backbone(x, t, conditions, self.depth, base)

    def head(self, y: Tensor, s: Tensor, r: Tensor, features: Tensor, base: Tensor) -> Tensor:
        """y_s [B,T,C], s and r [B], m [B,T,D], base [B,D] -> [B,T,C], an estimate of x1 - x."""
        condition = base + self.dit.time(s) + self.interval(s - r)
        tokens = self.fusion(features, self.dit.patch(y), self.dit.blocks[self.depth], F.silu(condition))
        return self.dit.head(tokens, condition, self.depth)

    def estimate(self, head: Tensor, x: Tensor, t: Tensor | float) -> Tensor:
        """What the head's output says of y, with x_t [B,T,C] and t (a number, or of shape [B,1,1])."""
        return head if self.config.predicts == "difference" else x - t * head

    def average(self, estimate: Tensor, y: Tensor, s: Tensor | float, y1: Tensor) -> Tensor:
        """u, the average velocity of the inner flow, from an estimate of y: Eq. 14, or B.4's for y = x."""
        return y1 - estimate if self.config.predicts == "difference" else (y - estimate) / s

    def inner_flow(self, y1: Tensor, features: Tensor, base: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """N head calls from y_s = y1 down the inner grid, all with gradient: [B,T,C] -> y [B,T,C]. x_t [B,T,C], t [B]
        are those of the backbone."""
        y, t = y1, t[:, None, None]
        for s, r in descent(self.inner_grid):
            times = (y1.new_full((len(y1),), value, dtype=self.time_dtype) for value in (s, r))
            head = self.head(y, *times, features, base)
            y = y - (s - r) * self.average(self.estimate(head, x, t), y, s, y1)
        return y

    def transition(self, x: Tensor, t: Tensor, r: Tensor, y1: Tensor, conditions: Conditions) -> Tensor:
        """What one outer step goes along, x1 - x: from x_t [B,T,C], t [B] and inner noise y1 [B,T,C]; where it ends, r,
        is not used."""
        base = self.base(conditions)
        y = self.inner_flow(y1, self.backbone(x, t, conditions, base), base, x, t)
        return y if self.config.predicts == "difference" else (x - y) / t[:, None, None]

    def single_head_step(
        self, x: Tensor, x1: Tensor, x_t: Tensor, t: Tensor, y1: Tensor, conditions: Conditions
    ) -> Tensor:
        """As `transition`, by one call of the head: at a random step of the inner grid, from where the inner flow of
        the recorded x [B,T,C] and its noise x1 is there. What training without the flow-head rollout sees."""
        base = self.base(conditions)
        features = self.backbone(x_t, t, conditions, base)
        points = torch.tensor(self.inner_grid, device=x.device, dtype=self.time_dtype)
        index = torch.randint(1, len(points), (len(x),), device=x.device)
        s, r, time = points[index], points[index - 1], t[:, None, None]
        y = x1 - x if self.config.predicts == "difference" else x
        y_s = (1 - s)[:, None, None] * y + s[:, None, None] * y1
        y = self.estimate(self.head(y_s, s, r, features, base), x_t, time)
        return y if self.config.predicts == "difference" else (x_t - y) / time

    def forward(self, noise: Tensor, conditions: Conditions) -> Tensor:
        """Algorithm 1. noise [B,1+M,T,C]: x1, then y1 of each outer step in the order they run -> x [B,T,C]."""
        x = noise[:, 0]
        for index, (t, r) in enumerate(descent(self.outer_grid)):
            whole = x.new_ones(len(x), dtype=self.time_dtype)
            x = x - (t - r) * self.transition(x, t * whole, r * whole, noise[:, 1 + index], conditions)
        return x

    def next_latent(self, noise: Tensor, conditions: Conditions) -> Tensor:
        """The next normalised latent [B,T,C]."""
        conditions = self.dit.predict_telemetry(noise[:, 0], conditions)
        return self.dit.to_latent(self(noise, conditions), conditions)

    def noise_used(self) -> list[tuple[int, int]]:
        """(first, count) of the numbers of each noise latent that `next_latent` depends on."""
        shape = self.dit.config
        return (1 + self.config.outer_steps) * [(0, shape.tokens * shape.channels)]


def effective_nfe(config: StudentConfig, blocks: int) -> float:
    """M (1 + (N-1) H / L), Eq. 16; M without a head."""
    return config.outer_steps * (1 + (config.inner_steps - 1) * config.head_blocks / blocks)


class BlockCounter:
    """Counts the blocks that run, of a DiT or a U-Net, by hooks: what NFE is measured with.

    with BlockCounter(student.dit) as counter: student(noise, conditions)
    counter.nfe   # block calls over the number of blocks
    """

    def __init__(self, dit: nn.Module):
        self._blocks = dit.every_block()
        self.blocks, self.calls = len(self._blocks), 0

    def __enter__(self) -> BlockCounter:
        self.calls = 0
        self._hooks = [block.register_forward_hook(self._count) for block in self._blocks]
        return self

    def _count(self, *_) -> None:
        self.calls += 1

    def __exit__(self, *_) -> None:
        for hook in self._hooks:
            hook.remove()

    @property
    def nfe(self) -> float:
        return self.calls / self.blocks
