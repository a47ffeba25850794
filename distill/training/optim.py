"""The optimiser of the dynamics: AdamW in groups with their own pace, or Muon for the matrices beside it."""

from __future__ import annotations

import torch
from torch import nn

from distill.config import UserError
from distill.training.muon import Muon
from distill.training.run import Run

OPTIMISERS = ("adamw", "muon")
SMALLEST = 8  # rows and columns of a matrix that has directions to speak of
GATE_SCALE = 10.0  # learning rate of the fusion's gate, as a multiple: one number far from where it should be


class Together:
    """Several optimisers as one, for the loop and for the checkpoint."""

    def __init__(self, parts: list):
        self.parts = parts

    @property
    def param_groups(self) -> list[dict]:
        return [group for part in self.parts for group in part.param_groups]

    def step(self) -> None:
        for part in self.parts:
            part.step()

    def zero_grad(self, set_to_none: bool = True) -> None:
        for part in self.parts:
            part.zero_grad(set_to_none=set_to_none)

    def state_dict(self) -> dict:
        return {str(index): part.state_dict() for index, part in enumerate(self.parts)}

    def load_state_dict(self, state: dict) -> None:
        """Paces stay as they are configured now. Raises UserError where the state is another kind's."""
        scales = [group.get("scale") for group in self.param_groups]
        if len(state) != len(self.parts):
            raise UserError(
                "the checkpoint was trained by another optimiser; give the same optimiser=..., or go on from it with "
                "init=..."
            )
        for index, part in enumerate(self.parts):
            part.load_state_dict(state[str(index)])
        for group, scale in zip(self.param_groups, scales, strict=True):
            if scale is not None:
                group["scale"] = scale


def make_optimiser(run: Run, model: nn.Module, kind: str = "adamw", muon_scale: float = 1.0) -> Together:
    """AdamW at the run's learning rate; matrices and kernels decay, and the gate of a student learns GATE_SCALE times
    faster. Of the kind "muon", matrices (learnt
    position tables, too) and kernels learn by Muon, `muon_scale` times faster. Raises UserError."""
    config = run.config
    if kind not in OPTIMISERS:
        raise UserError(f"optimiser must be {' or '.join(OPTIMISERS)}, not {kind}")
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    gates = [p for name, p in named if name.endswith("fusion.gate")]
    rest = [p for name, p in named if not name.endswith("fusion.gate")]
    matrices = [p for p in rest if kind == "muon" and p.ndim > 1 and min(p.flatten(1).shape) > SMALLEST]
    own = {id(p) for p in matrices}
    rest = [p for p in rest if id(p) not in own]
    groups = [
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
        {"params": gates, "weight_decay": 0.0, "scale": GATE_SCALE},
    ]
    betas = (config.beta1, config.beta2)
    parts = [torch.optim.AdamW([g for g in groups if g["params"]], config.learning_rate, betas, fused=True)]
    if matrices:
        group = {"params": matrices, "weight_decay": config.weight_decay, "scale": muon_scale}
        parts.append(Muon([group], config.learning_rate))
    return Together(parts)
