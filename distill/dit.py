"""The teacher's network: a diffusion transformer over the tokens of one latent frame.

- It models the *change* of the latent. With h the history that it sees (noised at `level`, see `Conditions`),
  x = (z_next - h_newest) / scale(level), scale^2 = delta_std^2 + (level * unit)^2 per channel. So x has unit size, and
  what the noise (or a drifted roll-out) added to the newest latent is part of what the network learns to take away.
- Rectified flow: x_t = (1 - t) x + t x1, t = 0 data, t = 1 noise; the output is v = E[x1 - x | x_t].
- adaLN-zero (DiT, arXiv 2212.09748) from time, history noise level, actions and prompt.
- `backbone` and `head` split it behind any block; `forward` is the one after the other. tmd.md 2.2 builds on that.
- Attention is MatMul and Softmax, which every ONNX backend runs exactly.

Shapes: B batch, T tokens, C channels, K history frames, A actions, P prompt dimensions, D width.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.config import UserError

TIME_SCALE = 1000.0  # times and levels live in 0..1; the sinusoids are made for 0..1000

# Powers of delta_std, the usual change of a channel. Real drift lies between: a slow channel drifts by many of its
# small changes before it shows, a fast one by a part of its large one.
NOISE_UNITS = {"latent": 0.0, "root": 0.5, "change": 1.0}


@dataclass
class DiTConfig:
    tokens: int = 60
    channels: int = 32
    offsets: list[int] = field(default_factory=lambda: [1, 2, 3, 6, 10, 16])
    actions: int = 4
    action_dims: int = 2
    prompt_dim: int = 384
    width: int = 192
    blocks: int = 8
    heads: int = 6
    mlp_ratio: int = 4
    frequencies: int = 64
    motion: list[int] = field(default_factory=list)  # [from, to]: blocks also told the pooled tokens before `from`
    history_input: str = "frames"  # what is fed of the history: its `frames`, or the newest and the `changes` before it
    noise_unit: str = "latent"  # a history noise level of 1: `latent` (1), `change` (delta_std) or `root` (its root)

    def __post_init__(self):
        if self.width % self.heads:
            raise UserError(f"width {self.width} must be a multiple of heads {self.heads}")
        if self.blocks < 1 or self.tokens < 1:
            raise UserError("a DiT needs at least one block and one token")
        if self.motion and not (len(self.motion) == 2 and 0 < self.motion[0] < self.motion[1] <= self.blocks):
            raise UserError(f"motion is [from, to] with 0 < from < to <= {self.blocks} blocks, not {self.motion}")
        if self.history_input not in ("frames", "changes"):
            raise UserError(f"history_input must be frames or changes, not {self.history_input}")
        if self.noise_unit not in NOISE_UNITS:
            raise UserError(f"noise_unit must be one of {', '.join(NOISE_UNITS)}, not {self.noise_unit}")

    def architecture(self) -> dict:
        """What a checkpoint is recognised by. Later choices are left out at their first value, as in older files."""
        first = {"noise_unit": "latent", "history_input": "frames", "motion": []}
        return {k: v for k, v in asdict(self).items() if k not in first or v != first[k]}


@dataclass
class Conditions:
    """What one tick is generated from. history [B,K,T,C] as the network sees it (noised), newest first;
    level [B] its noise level; actions [B,A,2], newest first; prompt [B,P]; dropped bool [B]: use the null prompt."""

    history: Tensor
    level: Tensor
    actions: Tensor
    prompt: Tensor
    dropped: Tensor | None = None

    def without_prompt(self) -> Conditions:
        return replace(self, dropped=torch.ones_like(self.level, dtype=torch.bool))

    def __getitem__(self, rows) -> Conditions:
        dropped = None if self.dropped is None else self.dropped[rows]
        return Conditions(self.history[rows], self.level[rows], self.actions[rows], self.prompt[rows], dropped)


class Embedder(nn.Module):
    """Sinusoids of a scalar in 0..1, then Linear, SiLU, Linear: [B] -> [B,D]."""

    def __init__(self, width: int, frequencies: int):
        super().__init__()
        self.hidden = nn.Linear(2 * frequencies, width)
        self.out = nn.Linear(width, width)
        steps = torch.arange(frequencies, dtype=torch.float32) / frequencies
        self.register_buffer("rates", TIME_SCALE * torch.exp(-math.log(10_000.0) * steps), persistent=False)

    def forward(self, value: Tensor) -> Tensor:
        angle = value[:, None] * self.rates
        return self.out(F.silu(self.hidden(torch.cat([angle.cos(), angle.sin()], -1))))


def modulate(tokens: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    return tokens * (1 + scale[:, None]) + shift[:, None]


class Attention(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        _, count, width = tokens.shape
        q, k, v = (  # each [B,heads,T,D/heads]
            part.reshape(-1, count, self.heads, width // self.heads).transpose(1, 2)
            for part in self.qkv(tokens).chunk(3, -1)
        )
        weights = torch.softmax((q * (width // self.heads) ** -0.5) @ k.transpose(-1, -2), -1)
        return self.out((weights @ v).transpose(1, 2).reshape(-1, count, width))


class Block(nn.Module):
    def __init__(self, width: int, heads: int, mlp_ratio: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, elementwise_affine=False, eps=1e-5)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, elementwise_affine=False, eps=1e-5)
        self.up = nn.Linear(width, mlp_ratio * width)
        self.down = nn.Linear(mlp_ratio * width, width)
        self.modulation = nn.Linear(width, 6 * width)

    def forward(self, tokens: Tensor, condition: Tensor) -> Tensor:
        """tokens [B,T,D], condition [B,D] after its SiLU."""
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(condition).chunk(6, -1)
        tokens = tokens + gate1[:, None] * self.attention(modulate(self.norm1(tokens), shift1, scale1))
        hidden = F.gelu(self.up(modulate(self.norm2(tokens), shift2, scale2)))
        return tokens + gate2[:, None] * self.down(hidden)


class Output(nn.Module):
    def __init__(self, width: int, channels: int):
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-5)
        self.modulation = nn.Linear(width, 2 * width)
        self.linear = nn.Linear(width, channels)

    def forward(self, tokens: Tensor, condition: Tensor) -> Tensor:
        shift, scale = self.modulation(condition).chunk(2, -1)
        return self.linear(modulate(self.norm(tokens), shift, scale))


class DiT(nn.Module):
    def __init__(self, config: DiTConfig):
        super().__init__()
        self.config = config
        width, history = config.width, len(config.offsets) * config.channels
        self.patch = nn.Linear(config.channels, width)  # of x_t, and in the student of y_s too
        self.context = nn.Linear(history, width, bias=False)  # with `patch`: one Linear of the concatenation
        self.position = nn.Parameter(0.02 * torch.randn(config.tokens, width))
        self.time = Embedder(width, config.frequencies)
        self.level = Embedder(width, config.frequencies)
        self.action = nn.Sequential(
            nn.Linear(config.actions * config.action_dims, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.prompt = nn.Linear(config.prompt_dim, width)
        self.null_prompt = nn.Parameter(torch.zeros(config.prompt_dim))
        self.blocks = nn.ModuleList(Block(width, config.heads, config.mlp_ratio) for _ in range(config.blocks))
        self.motion = None
        if config.motion:
            self.motion = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.output = Output(width, config.channels)
        self.register_buffer("delta_std", torch.ones(config.channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.prompt.weight, std=1 / 2)  # a unit vector comes in: outputs of about the size of `time`'s
        nn.init.normal_(self.time.hidden.weight, std=0.1)
        nn.init.normal_(self.level.hidden.weight, std=0.1)
        zeroes = [block.modulation for block in self.blocks] + [self.output.modulation, self.output.linear]
        for zeroed in zeroes + ([self.motion[2]] if self.motion else []):
            nn.init.zeros_(zeroed.weight)
            nn.init.zeros_(zeroed.bias)

    # -- the modelled variable -----------------------------------------------------------------------------------

    def scale(self, level: Tensor) -> Tensor:
        """level [B] -> [B,1,C], what one unit of x is in normalised latents."""
        return torch.sqrt(self.delta_std**2 + (level[:, None] * self.noise_unit()) ** 2)[:, None]

    def noise_unit(self) -> Tensor:
        """[C], the standard deviation of the history noise at level 1."""
        return self.delta_std ** NOISE_UNITS[self.config.noise_unit]

    def to_change(self, latent: Tensor, conditions: Conditions) -> Tensor:
        """The next latent [B,T,C] -> x [B,T,C]."""
        return (latent - conditions.history[:, 0]) / self.scale(conditions.level)

    def to_latent(self, change: Tensor, conditions: Conditions) -> Tensor:
        """x [B,T,C] -> the next latent [B,T,C]."""
        return conditions.history[:, 0] + self.scale(conditions.level) * change

    # -- the network ---------------------------------------------------------------------------------------------

    def base(self, conditions: Conditions) -> Tensor:
        """All that conditions the blocks but the time: [B,D]."""
        prompt = conditions.prompt
        if conditions.dropped is not None:
            prompt = torch.where(conditions.dropped[:, None], self.null_prompt, prompt)
        return self.action(conditions.actions.flatten(1)) + self.prompt(prompt) + self.level(conditions.level)

    def embed(self, x: Tensor, conditions: Conditions) -> Tensor:
        """x_t and the history -> tokens [B,T,D]."""
        history = conditions.history
        if self.config.history_input == "changes":
            before = (history[:, :-1] - history[:, 1:]) / self.usual_changes()[:, None]
            history = torch.cat([history[:, :1], before], 1)
        return self.patch(x) + self.context(history.transpose(1, 2).flatten(2)) + self.position

    def usual_changes(self) -> Tensor:
        """[K-1,C], about how much a latent changes from one frame of the history to the next."""
        gaps = torch.tensor(self.config.offsets, dtype=torch.float32, device=self.delta_std.device).diff()
        return gaps.sqrt()[:, None] * self.delta_std

    def adopt(self, other: DiT) -> None:
        """Takes over the weights of another DiT of the same shape. Where that one is fed frames and this one changes,
        the same function comes out: h_k = h_0 - sum_{j<=k} s_j u_j for the changes u_j in units of s_j. A slow
        channel's motion is a small part of its frames, so it is learnt faster from changes."""
        state = other.state_dict()
        ours, theirs = self.config.history_input, other.config.history_input
        if (ours, theirs) == ("changes", "frames"):
            frames = state["context.weight"].unflatten(1, (len(self.config.offsets), -1))  # [D,K,C]
            since = frames.flip(1).cumsum(1).flip(1)  # sum over k >= j
            self.delta_std.copy_(other.delta_std)
            changes = torch.cat([since[:, :1], -since[:, 1:] * self.usual_changes()], 1)
            state = state | {"context.weight": changes.flatten(1)}
        elif ours != theirs:
            raise UserError(f"a network that is fed {ours} cannot go on from one that is fed {theirs}")
        added = {k: v for k, v in self.state_dict().items() if k.startswith("motion.") and k not in state}
        self.load_state_dict(state | added)

    def run_blocks(self, tokens: Tensor, condition: Tensor, first: int, last: int) -> Tensor:
        for _, behind in self.each_block(tokens, condition, first, last):
            tokens = behind
        return tokens

    def each_block(self, tokens: Tensor, condition: Tensor, first: int, last: int):
        """(index, tokens behind it) of the blocks first..last-1. How the whole picture moves is one thing that every
        token must know and multiply with: the pooled tokens join the condition of the blocks `config.motion`."""
        start, end = self.config.motion or (-1, -1)
        plain = condition
        for index in range(first, last):
            if index == start:
                condition = plain + self.motion(tokens.mean(1))
            if index == end:
                condition = plain
            tokens = self.blocks[index](tokens, condition)
            yield index, tokens

    def backbone(self, x: Tensor, t: Tensor, conditions: Conditions, depth: int, base: Tensor | None = None) -> Tensor:
        """Embedding and the first `depth` blocks: x [B,T,C], t [B] -> features [B,T,D]."""
        base = self.base(conditions) if base is None else base
        return self.run_blocks(self.embed(x, conditions), F.silu(base + self.time(t)), 0, depth)

    def head(self, tokens: Tensor, condition: Tensor, depth: int) -> Tensor:
        """The blocks from `depth` on and the output: features [B,T,D], condition [B,D] (before SiLU) -> [B,T,C]."""
        condition = F.silu(condition)
        return self.output(self.run_blocks(tokens, condition, depth, len(self.blocks)), condition)

    def forward(self, x: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        """v at x [B,T,C], t [B] -> [B,T,C]."""
        return self.head(self.embed(x, conditions), self.base(conditions) + self.time(t), 0)

    def features(self, x: Tensor, t: Tensor, conditions: Conditions, layers: list[int]) -> list[Tensor]:
        """Tokens [B,T,D] behind each of the blocks `layers` (0-based), for the discriminator."""
        condition = F.silu(self.base(conditions) + self.time(t))
        found = dict(self.each_block(self.embed(x, conditions), condition, 0, max(layers) + 1))
        return [found[index] for index in layers]


def guided(model: nn.Module, x: Tensor, t: Tensor, conditions: Conditions, guidance: float) -> Tensor:
    """v_null + w (v - v_null); one pass where w = 1."""
    velocity = model(x, t, conditions)
    if guidance == 1.0:
        return velocity
    null = model(x, t, conditions.without_prompt())
    return null + guidance * (velocity - null)


def block_flops(config: DiTConfig) -> int:
    """Floating-point operations of the matrix products of one block for one sample; a multiply-add is two."""
    dense = (4 + 2 * config.mlp_ratio) * config.width**2 * config.tokens
    attention = 2 * config.tokens**2 * config.width
    modulation = 6 * config.width**2
    return 2 * (dense + attention + modulation)


def edge_flops(config: DiTConfig) -> dict[str, int]:
    """The same for what is not a block: `base` (actions, prompt, level), `time`, `embed` (with `motion`), `output`."""
    width, frequencies = config.width, 2 * config.frequencies
    embedder = frequencies * width + width**2
    base = config.actions * config.action_dims * width + width**2 + config.prompt_dim * width + embedder
    embed = config.tokens * width * config.channels * (1 + len(config.offsets))
    output = 2 * width**2 + config.tokens * width * config.channels
    motion = 2 * width**2 if config.motion else 0
    return {"base": 2 * base, "time": 2 * embedder, "embed": 2 * (embed + motion), "output": 2 * output}


def forward_flops(config: DiTConfig) -> int:
    """Of one forward pass for one sample. Training costs three times that."""
    return config.blocks * block_flops(config) + sum(edge_flops(config).values())


def count_parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())
