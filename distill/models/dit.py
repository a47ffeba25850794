"""The teacher's network: a diffusion transformer over the tokens of one latent frame.

- It models the *change* of the latent. With h the history that it sees (noised at `level`, see `Conditions`),
  x = (z_next - h_newest) / scale(level), scale^2 = delta_std^2 + (level * unit)^2 per channel. So x has unit size, and
  what the noise (or a drifted roll-out) added to the newest latent is part of what the network learns to take away.
- Rectified flow: x_t = (1 - t) x + t x1, t = 0 data, t = 1 noise; the output is v = E[x1 - x | x_t].
- adaLN-zero (DiT, arXiv 2212.09748) from time, history noise level, actions, prompt and telemetry.
- The last token of a latent is no part of the picture but telemetry: the car's speed, offset, heading and the road's
  bends (data.TELEMETRY). It is dreamed like the rest. How fast the car goes moves every token, so it also conditions
  every block: motion need not be found in the picture again each tick.
- The history comes in through a 3x3 convolution over the grid: what is next in a token was, for the most part, in it or
  in its neighbours.
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
from distill.models.prompt_classifier import LABEL_CHOICES, no_labels

TIME_SCALE = 1000.0  # times and levels live in 0..1; the sinusoids are made for 0..1000

STILL = 0.04  # changes below this part of a unit latent are as good as none

# Powers of delta_std, the usual change of a channel. Real drift lies between: a slow channel drifts by many of its
# small changes before it shows, a fast one by a part of its large one.
NOISE_UNITS = {"latent": 0.0, "root": 0.5, "change": 1.0}


@dataclass
class DiTConfig:
    tokens: int = 61
    columns: int = 10  # of the grid; tokens beyond its last whole row are telemetry
    channels: int = 48
    offsets: list[int] = field(default_factory=lambda: [1, 2, 4, 8])
    actions: int = 4
    action_dims: int = 2
    prompt_dim: int = LABEL_CHOICES  # of a sentence embedding, or LABEL_CHOICES: see data/conditioning.py
    width: int = 192
    blocks: int = 8
    heads: int = 6
    mlp_ratio: int = 4
    frequencies: int = 64
    prompt_hidden: int = 0  # hidden width beside the projection of a sentence embedding; 0 = projection alone
    null_actions: bool = False  # has an embedding of no actions, for guidance by them
    noise_unit: str = "change"  # a history noise level of 1: `latent` (1), `change` (delta_std) or `root` (its root)

    def __post_init__(self):
        if self.width % self.heads:
            raise UserError(f"width {self.width} must be a multiple of heads {self.heads}")
        if self.blocks < 1 or self.tokens < 1:
            raise UserError("a DiT needs at least one block and one token")
        if self.columns < 1 or self.columns > self.tokens:
            raise UserError(f"{self.tokens} tokens do not fill a row of {self.columns}")
        if self.noise_unit not in NOISE_UNITS:
            raise UserError(f"noise_unit must be one of {', '.join(NOISE_UNITS)}, not {self.noise_unit}")

    @property
    def grid(self) -> int:
        """Tokens of the picture."""
        return self.tokens // self.columns * self.columns

    @property
    def history_width(self) -> int:
        """Numbers of the history that a token is fed."""
        return len(self.offsets) * self.channels

    @property
    def half_state(self) -> bool:
        """Whether a drive's latents are kept as float16, and the next ones made from those."""
        return False

    def architecture(self) -> dict:
        """What a checkpoint is recognised by."""
        return asdict(self)


@dataclass
class Conditions:
    """What one tick is generated from.

    history [B,K,T,C] as the network sees it (noised), newest first, and its noise level [B]; actions [B,A,2], newest
    first; prompt [B,P]; prompt_dropout_mask and action_dropout_mask, bool [B]: the null prompt and the null actions
    instead; since [B], ticks since the prompt changed, for guidance only: no network sees it; following [B,n,C]: the
    telemetry's tokens of the frame to come, where they are known; first, bool [B]: there is no history, the frame is
    the first of a drive."""

    history: Tensor
    level: Tensor
    actions: Tensor
    prompt: Tensor
    prompt_dropout_mask: Tensor | None = None
    action_dropout_mask: Tensor | None = None
    since: Tensor | None = None
    following: Tensor | None = None
    first: Tensor | None = None

    def without_prompt(self) -> Conditions:
        return replace(self, prompt_dropout_mask=torch.ones_like(self.level, dtype=torch.bool))

    def without_actions(self) -> Conditions:
        return replace(self, action_dropout_mask=torch.ones_like(self.level, dtype=torch.bool))

    def __getitem__(self, rows) -> Conditions:
        return Conditions(*(None if part is None else part[rows] for part in vars(self).values()))


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
    COMPILED = ("forward",)

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
        hidden = self.up(modulate(self.norm2(tokens), shift2, scale2))
        hidden = hidden * torch.sigmoid(1.702 * hidden)
        return tokens + gate2[:, None] * self.down(hidden)


class PromptHidden(nn.Sequential):
    """[B,P] -> [B,D] by way of a hidden layer, beside the linear one: for sentence embeddings, which say a time of day
    or a weather only to a network that is not linear in them."""

    def __init__(self, prompt_dim: int, hidden: int, width: int):
        super().__init__(nn.Linear(prompt_dim, hidden), nn.SiLU(), nn.Linear(hidden, width))

    def silence(self) -> None:
        nn.init.zeros_(self[-1].weight)
        nn.init.zeros_(self[-1].bias)


class Output(nn.Module):
    def __init__(self, width: int, channels: int):
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-5)
        self.modulation = nn.Linear(width, 2 * width)
        self.linear = nn.Linear(width, channels)

    def forward(self, tokens: Tensor, condition: Tensor) -> Tensor:
        shift, scale = self.modulation(condition).chunk(2, -1)
        return self.linear(modulate(self.norm(tokens), shift, scale))


class ChangeUnits:
    """What one unit of a change is, for networks with `delta_std` and `noise_unit`."""

    def scale(self, level: Tensor) -> Tensor:
        """level [B] -> [B,T,C], what one unit of x is in normalised latents; 0 where nothing ever changes."""
        return torch.sqrt(self.delta_std**2 + (level[:, None, None] * self.noise_unit()) ** 2)

    def usual_changes(self) -> Tensor:
        """[K-1,T,C], about how much a latent changes from one frame of the history to the next."""
        gaps = torch.tensor(self.config.offsets, dtype=torch.float32, device=self.delta_std.device).diff()
        return gaps.sqrt()[:, None, None] * self.delta_std.clamp(min=STILL)


class DiT(ChangeUnits, nn.Module):
    def __init__(self, config: DiTConfig):
        super().__init__()
        self.config = config
        width, extra = config.width, config.tokens - config.grid
        self.patch = nn.Linear(config.channels, width)  # of x_t, and in the student of y_s too
        self.context = nn.Conv2d(config.history_width, width, 3, padding=1, bias=False)
        self.instruments = nn.Linear(config.history_width, width, bias=False) if extra else None
        self.telemetry = None
        if extra:
            self.telemetry = nn.Sequential(
                nn.Linear(extra * config.history_width, width), nn.SiLU(), nn.Linear(width, width)
            )
        self.position = nn.Parameter(0.02 * torch.randn(config.tokens, width))
        self.time = Embedder(width, config.frequencies)
        self.level = Embedder(width, config.frequencies)
        self.action = nn.Sequential(
            nn.Linear(config.actions * config.action_dims, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.null_action = nn.Parameter(torch.zeros(width)) if config.null_actions else None
        self.prompt = nn.Linear(config.prompt_dim, width)
        hidden = config.prompt_hidden
        self.prompt_hidden = PromptHidden(config.prompt_dim, hidden, width) if hidden else None
        null = no_labels() if config.prompt_dim == LABEL_CHOICES else torch.zeros(config.prompt_dim)
        self.null_prompt = nn.Parameter(null)
        self.blocks = nn.ModuleList(Block(width, config.heads, config.mlp_ratio) for _ in range(config.blocks))
        self.output = Output(width, config.channels)
        self.register_buffer("delta_std", torch.ones(config.tokens, config.channels))
        self.register_buffer("bound", torch.full((config.tokens, config.channels), torch.inf))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.prompt.weight, std=1 / 2)  # of about unit size comes in: outputs of that of `time`'s
        nn.init.normal_(self.time.hidden.weight, std=0.1)
        nn.init.normal_(self.level.hidden.weight, std=0.1)
        zeroes = [block.modulation for block in self.blocks] + [self.output.modulation, self.output.linear]
        for zeroed in zeroes:
            nn.init.zeros_(zeroed.weight)
            nn.init.zeros_(zeroed.bias)
        if self.prompt_hidden is not None:
            self.prompt_hidden.silence()

    def every_block(self) -> list[nn.Module]:
        return list(self.blocks)

    # -- the modelled variable -----------------------------------------------------------------------------------

    def noise_unit(self) -> Tensor:
        """[T,C], the standard deviation of the history noise at level 1. Telemetry's is always its usual change: it is
        what a picture can be drawn from where the history shows nothing."""
        grid = self.config.grid
        unit = torch.cat([self.delta_std[:grid] ** NOISE_UNITS[self.config.noise_unit], self.delta_std[grid:]])
        return torch.where(self.delta_std > 0, unit, torch.zeros_like(unit))

    def to_change(self, latent: Tensor, conditions: Conditions) -> Tensor:
        """The next latent [B,T,C] -> x [B,T,C]."""
        return (latent - conditions.history[:, 0]) / self.scale(conditions.level).clamp(min=1e-6)

    def to_latent(self, change: Tensor, conditions: Conditions) -> Tensor:
        """x [B,T,C] -> the next latent [B,T,C], no number of it beyond `bound`: a dream that leaves what was ever
        seen comes back from there, where it would otherwise grow without end."""
        latent = conditions.history[:, 0] + self.scale(conditions.level) * change
        return torch.maximum(torch.minimum(latent, self.bound), -self.bound)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *rest) -> None:
        state_dict.setdefault(f"{prefix}bound", self.bound)  # checkpoints from before there was one
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def predict_telemetry(self, noise: Tensor, conditions: Conditions) -> Conditions:
        """Telemetry is dreamed with the picture here: nothing is known of it before."""
        return conditions

    def loss_weight(self, t: Tensor, conditions: Conditions) -> Tensor | float:
        return 1.0

    # -- the network ---------------------------------------------------------------------------------------------

    def base(self, conditions: Conditions) -> Tensor:
        """All that conditions the blocks but the time: [B,D]."""
        prompt = conditions.prompt
        if conditions.prompt_dropout_mask is not None:
            prompt = torch.where(conditions.prompt_dropout_mask[:, None], self.null_prompt, prompt)
        action = self.action(conditions.actions.flatten(1))
        if conditions.action_dropout_mask is not None:
            action = torch.where(conditions.action_dropout_mask[:, None], self.null_action, action)
        base = action + self.embed_prompt(prompt) + self.level(conditions.level)
        if self.telemetry is not None:
            base = base + self.telemetry(self.fed(conditions.history)[:, self.config.grid :].flatten(1))
        return base

    def embed_prompt(self, prompt: Tensor) -> Tensor:
        """What the words add to `base`: [B,P] -> [B,D]."""
        embedded = self.prompt(prompt)
        if self.prompt_hidden is not None:
            embedded = embedded + self.prompt_hidden(prompt * self.config.prompt_dim**0.5)
        return embedded

    def fed(self, history: Tensor) -> Tensor:
        """history [B,K,T,C] -> [B,T,K*C]: the newest latent, and the changes before it in units of what is usual, as a
        slow channel's motion is a small part of its frames."""
        changes = (history[:, :-1] - history[:, 1:]) / self.usual_changes()
        return torch.cat([history[:, :1], changes], 1).transpose(1, 2).flatten(2)

    def context_tokens(self, history: Tensor) -> Tensor:
        """history [B,K,T,C] -> what it adds to the tokens, positions included: [B,T,D]."""
        config, fed = self.config, self.fed(history)
        rows = config.grid // config.columns
        picture = fed[:, : config.grid].transpose(1, 2).reshape(-1, config.history_width, rows, config.columns)
        tokens = self.context(picture).flatten(2).transpose(1, 2)
        if self.instruments is not None:
            tokens = torch.cat([tokens, self.instruments(fed[:, config.grid :])], 1)
        return tokens + self.position

    def embed(self, x: Tensor, conditions: Conditions) -> Tensor:
        """x_t and the history -> tokens [B,T,D]."""
        return self.patch(x) + self.context_tokens(conditions.history)

    def run_blocks(self, tokens: Tensor, condition: Tensor, first: int, last: int) -> Tensor:
        for block in self.blocks[first:last]:
            tokens = block(tokens, condition)
        return tokens

    def backbone(self, x: Tensor, t: Tensor, conditions: Conditions, depth: int, base: Tensor | None = None) -> Tensor:
        """Embedding and the first `depth` blocks: x [B,T,C], t [B] -> features [B,T,D]."""
        base = self.base(conditions) if base is None else base
        return self.run_blocks(self.embed(x, conditions), F.silu(base + self.time(t)), 0, depth)

    def head(self, tokens: Tensor, condition: Tensor, depth: int) -> Tensor:
        """The blocks from `depth` on and the output: features [B,T,D], condition [B,D] (before SiLU) -> [B,T,C]."""
        condition = F.silu(condition)
        return self.output(self.run_blocks(tokens, condition, depth, len(self.blocks)), condition)

    def forward(self, x: Tensor, t: Tensor, conditions: Conditions, base: Tensor | None = None) -> Tensor:
        """v at x [B,T,C], t [B] -> [B,T,C]; `base` [B,D] where it is more than `conditions` say."""
        base = self.base(conditions) if base is None else base
        return self.head(self.embed(x, conditions), base + self.time(t), 0)

    def features(self, x: Tensor, t: Tensor, conditions: Conditions, layers: list[int]) -> list[Tensor]:
        """Tokens [B,T,D] behind each of the blocks `layers` (0-based), for the discriminator."""
        condition = F.silu(self.base(conditions) + self.time(t))
        tokens, found = self.embed(x, conditions), {}
        for index in range(max(layers) + 1):
            tokens = found[index] = self.blocks[index](tokens, condition)
        return [found[index] for index in layers]


def guided(
    model: nn.Module,
    x: Tensor,
    t: Tensor,
    conditions: Conditions,
    guidance: float | Tensor,
    action_guidance: float = 1.0,
) -> Tensor:
    """v + (w - 1) (v - v_null), and the same by the actions; only the passes that it takes. w may differ by sample:
    [B]."""
    velocity = conditional = model(x, t, conditions)
    if isinstance(guidance, Tensor):
        rows = (guidance != 1).nonzero()[:, 0]
        if len(rows):
            null = model(x[rows], t[rows], conditions[rows].without_prompt())
            more = (guidance[rows] - 1)[:, None, None]
            velocity = velocity.index_add(0, rows, more * (conditional[rows] - null))
    elif guidance != 1.0:
        velocity = velocity + (guidance - 1) * (conditional - model(x, t, conditions.without_prompt()))
    if action_guidance != 1.0:
        velocity = velocity + (action_guidance - 1) * (conditional - model(x, t, conditions.without_actions()))
    return velocity


def guidance_at(guidance: float, ticks: int, conditions: Conditions) -> float | Tensor:
    """Guidance by the words, [B]: whole where they are new, fading to none where they are `ticks` old, as colours would
    be led past what the words say. Everywhere the same where ticks is 0."""
    if guidance == 1.0 or not ticks:
        return guidance
    return 1 + (guidance - 1) * (1 - conditions.since / ticks).clamp(min=0)


def freeze_prompt_layers(dit: nn.Module) -> None:
    """Keeps how sentence embeddings are understood as it is while the rest trains: video teaches words badly. Labels
    are exact; what each of them means goes on learning."""
    if dit.config.prompt_dim != LABEL_CHOICES:
        for part in (dit.prompt, getattr(dit, "prompt_hidden", None)):
            if part is not None:
                part.requires_grad_(False)
    if dit.null_prompt is not None:
        dit.null_prompt.requires_grad_(False)


def count_parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())
