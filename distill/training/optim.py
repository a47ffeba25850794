"""The dynamics' optimisers: AdamW, or Muon (K. Jordan 2024) for the matrices inside the blocks."""

from __future__ import annotations

import torch
from torch import nn

from distill.config import UserError
from distill.training.run import Run

GATE_SCALE = 10.0  # learning rate of the fusion's gate, as a multiple: one number far from where it should be


class Muon(torch.optim.Optimizer):
    """Momentum, made orthogonal by five Newton-Schulz steps; sizes matched to AdamW's (arXiv 2502.16982).

    As torch.optim.Muon, but in float32 and for matrices of one shape together: in bfloat16, which a CPU emulates, a
    step of the six-block teacher took 4.6 s, here 0.15 s."""

    COEFFICIENTS = (3.4445, -4.7750, 2.0315)

    def __init__(self, params, lr: float, weight_decay: float = 0.0, momentum: float = 0.95):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @staticmethod
    def orthogonal(matrices: torch.Tensor, steps: int = 5) -> torch.Tensor:
        """[n,rows,columns] -> the same with singular values of about 1."""
        a, b, c = Muon.COEFFICIENTS
        tall = matrices.shape[1] > matrices.shape[2]
        x = matrices.mT if tall else matrices
        x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
        for _ in range(steps):
            gram = x @ x.mT
            x = a * x + (b * gram + c * gram @ gram) @ x
        return x.mT if tall else x

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            alike: dict[torch.Size, list[nn.Parameter]] = {}
            for p in group["params"]:
                if p.grad is not None:
                    alike.setdefault(p.shape, []).append(p)
            for shape, params in alike.items():
                updates = []
                for p in params:
                    buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                    buffer.lerp_(p.grad, 1 - group["momentum"])
                    updates.append(p.grad.lerp(buffer, group["momentum"]))
                size = 0.2 * max(shape) ** 0.5 * group["lr"]
                for p, update in zip(params, self.orthogonal(torch.stack(updates)), strict=True):
                    p.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-size)


class Together:
    """Several optimisers as one, for the loop and for the checkpoint."""

    def __init__(self, parts: list[torch.optim.Optimizer]):
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
        for index, part in enumerate(self.parts):
            part.load_state_dict(state[str(index)])


def is_inner_matrix(name: str, parameter: nn.Parameter) -> bool:
    """Weights of the blocks and the fusion that map tokens to tokens."""
    inner = ("attention.qkv", "attention.out", ".up.", ".down.")
    return parameter.ndim == 2 and any(part in name for part in inner)


def make_optimiser(run: Run, model: nn.Module, kind: str, muon_scale: float = 1.0) -> Together:
    """`kind` adamw or muon, from the run's learning rate; the gate of a student learns GATE_SCALE times faster."""
    if kind not in ("adamw", "muon"):
        raise UserError(f"optimiser must be adamw or muon, not {kind}")
    config = run.config
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    gates = [p for name, p in named if name.endswith("fusion.gate")]
    inner = [p for name, p in named if kind == "muon" and is_inner_matrix(name, p)]
    taken = {id(p) for p in (*gates, *inner)}
    rest = [p for _, p in named if id(p) not in taken]
    groups = [
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
        {"params": gates, "weight_decay": 0.0, "scale": GATE_SCALE},
    ]
    betas = (config.beta1, config.beta2)
    parts = [torch.optim.AdamW([g for g in groups if g["params"]], config.learning_rate, betas, fused=True)]
    if inner:
        muon = Muon(inner, config.learning_rate, config.weight_decay)
        muon.param_groups[0]["scale"] = muon_scale
        parts.append(muon)
    return Together(parts)
