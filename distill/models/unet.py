"""The network that dreams the next picture: a convolutional U-Net with a transformer in its middle.

- Latents are fine (24x40 cells of 4x4 pixels), so edges stay edges and there are no seams; convolutions carry what
  moves from cell to cell, attention at 6x10 sees the whole picture.
- The instruments come first. What they read now and what they will read next (models/instruments.py) says where road,
  stripes and car are in the next picture. It enters as a field, a number for each place and reading, and conditions
  every block: motion need not be found in the pictures again.
- It models the *change* of the latent, as everything here: x = (z_next - h_newest) / scale(level), in units of what is
  usual in that cell and channel. Without a history (`Conditions.first`) it models the frame itself, so the first frame
  of a drive is drawn from words and noise by the same network.
- Rectified flow: x_t = (1 - t) x + t x1, v = E[x1 - x | x_t]. Most of x is known before any noise is seen; what is open
  has about a third of its size. So the output is v = a(t) x_t + b(t) F, with a and b as for Gaussian data of spread s
  around a mean that F must find: a = (t - (1 - t) s^2) / d, d = t^2 + (1 - t)^2 s^2, and b keeps F of unit size
  (Karras et al. 2022, for rectified flow). At t = 1 it answers with its mean, and no noise leaks through.
- The flow head of a student is the last blocks, at the finest grid: the backbone says what is there, the head draws it.

Shapes: B batch, T tokens (960 of picture, then telemetry), C channels, K history frames, A actions, D condition width.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.config import UserError
from distill.models.dit import NOISE_UNITS, Block, ChangeUnits, Conditions, Embedder
from distill.models.instruments import LARGEST_CHANGE, NOISE, Instruments, InstrumentsConfig
from distill.models.prompt_classifier import LABEL_CHOICES, no_labels
from distill.world import TELEMETRY, telemetry_tokens

HELD = 3  # actions beside the current one that a network sees


@dataclass
class UNetConfig:
    network: str = "unet"
    rows: int = 24
    columns: int = 40
    channels: int = 12
    offsets: list[int] = field(default_factory=lambda: [1, 2, 4])
    actions: int = 1 + HELD
    action_dims: int = 2
    prompt_dim: int = LABEL_CHOICES  # 0 in a world without words
    readings: int = len(TELEMETRY)  # 0 in a world without instruments
    fine: int = 32  # channels at 24x40
    middle: int = 64  # at 12x20
    width: int = 192  # at 6x10, and of the condition
    fine_in: int = 1  # residual blocks on the way in and out
    fine_out: int = 2
    middle_in: int = 2
    middle_out: int = 3
    blocks: int = 3  # of the transformer
    heads: int = 6
    mlp_ratio: int = 4
    field_width: int = 64  # hidden numbers a cell of the telemetry's field
    frequencies: int = 64
    spread: float = 0.35  # s above: the part of a change that nothing decides
    null_actions: bool = True
    noise_unit: str = "root"  # of history noise: see NOISE_UNITS of dit.py
    instruments_hidden: int = 192
    instruments_layers: int = 3

    def __post_init__(self):
        if self.rows % 4 or self.columns % 4:
            raise UserError(
                f"rows {self.rows} and columns {self.columns} must be multiples of 4: they are halved twice"
            )
        if self.fine % 8 or self.middle % 8 or self.width % self.heads:
            raise UserError("fine and middle must be multiples of 8, width one of heads")

    @property
    def grid(self) -> int:
        """Tokens of the picture."""
        return self.rows * self.columns

    @property
    def tokens(self) -> int:
        return self.grid + telemetry_tokens(self.channels, self.readings)

    @property
    def half_state(self) -> bool:
        """Whether a drive's latents are kept as float16, and the next ones made from those."""
        return True

    def architecture(self) -> dict:
        return asdict(self)

    def instruments(self) -> InstrumentsConfig:
        shape = (self.offsets, self.actions, self.action_dims, self.instruments_hidden, self.instruments_layers)
        return InstrumentsConfig(self.readings, *shape)


def half_size(x: Tensor, conv: nn.Conv2d) -> Tensor:
    """[B,C,H,W] -> [B,D,H/2,W/2]: a 1x1 convolution of 2x2 cells folded into channels, which is one of stride 2."""
    weight = conv.weight.reshape(conv.out_channels, -1, 2, 2)
    return F.conv2d(x, weight, conv.bias, stride=2)


def modulated_norm(x: Tensor, scale: Tensor, shift: Tensor, groups: int) -> Tensor:
    """Group norm of [B,W,H,W'], then * (1 + scale) + shift [B,W] each. In a graph InstanceNormalization, which every
    backend has. In training as one multiplication and one addition a channel: statistics that are looked up by group
    keep a compiler from vectors."""
    width, size = x.shape[1], x.shape[2] * x.shape[3]
    per_channel = (-1, width, 1, 1)
    if torch.compiler.is_exporting():
        flat = x.reshape(-1, groups, width // groups * size)
        one = torch.ones(groups, device=x.device)
        normed = F.instance_norm(flat, weight=one, bias=0 * one).reshape(x.shape)
        return normed * (1 + scale.reshape(per_channel)) + shift.reshape(per_channel)
    wide = x.float()
    with torch.autocast(x.device.type, enabled=False):
        share = torch.eye(groups, device=x.device).repeat_interleave(width // groups, 0)
        share = share @ share.T / (width // groups)  # [W,W], a mean over the group for each of its channels
        mean = wide.mean((2, 3)) @ share
        variance = wide.square().mean((2, 3)) @ share - mean.square()
        gain = torch.rsqrt(variance.clamp(min=0) + 1e-5) * (1 + scale.float())
        offset = shift.float() - mean * gain
    return (wide * gain.reshape(per_channel) + offset.reshape(per_channel)).to(x.dtype)


class ResBlock(nn.Module):
    """x + conv(act(conv(act(norm(x))) + shift)), the norm modulated by the condition; starts as the identity. One norm
    and not two: on a CPU a norm costs as much as a convolution."""

    def __init__(self, width: int, condition: int, groups: int = 8):
        super().__init__()
        self.groups = groups
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.modulation = nn.Linear(condition, 3 * width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """x [B,W,H,W'], condition [B,D] after its SiLU."""
        scale, shift, bias = self.modulation(condition).chunk(3, 1)
        h = self.conv1(F.silu(modulated_norm(x, scale, shift, self.groups)))
        return x + self.conv2(F.silu(h + bias[:, :, None, None]))


class Field(nn.Module):
    """Readings [B,n] -> a number for each cell and output channel: W silu(A readings + P[cell]). Without readings it
    says where a cell is, and no more."""

    def __init__(self, readings: int, hidden: int, cells: int, out: int):
        super().__init__()
        self.read = nn.Linear(readings, hidden, bias=False) if readings else None
        self.place = nn.Parameter(torch.randn(cells, hidden))
        self.out = nn.Linear(hidden, out)

    def forward(self, readings: Tensor | None) -> Tensor:
        """[B,cells,out], or [1,cells,out]"""
        if self.read is None:
            return self.out(F.silu(self.place))[None]
        return self.out(F.silu(self.read(readings)[:, None] + self.place))


class UNet(ChangeUnits, nn.Module):
    COMPILED = ("forward", "features")

    def __init__(self, config: UNetConfig):
        super().__init__()
        self.config = config
        D, C, n = config.width, config.channels, config.readings
        fine, middle = config.fine, config.middle
        cells = config.rows // 4 * (config.columns // 4)
        readings = 3 * n  # now, the change before, the change to come
        self.instruments = Instruments(config.instruments()).requires_grad_(False) if n else None
        self.time = Embedder(D, config.frequencies)
        self.level = Embedder(D, config.frequencies)
        self.action = nn.Sequential(nn.Linear(config.actions * config.action_dims, D), nn.SiLU(), nn.Linear(D, D))
        self.null_action = nn.Parameter(torch.zeros(D)) if config.null_actions else None
        self.prompt = nn.Linear(config.prompt_dim, D) if config.prompt_dim else None
        null = no_labels() if config.prompt_dim == LABEL_CHOICES else torch.zeros(config.prompt_dim)
        self.null_prompt = nn.Parameter(null) if config.prompt_dim else None
        self.first = nn.Parameter(torch.zeros(D))
        self.telemetry = nn.Sequential(nn.Linear(readings, D), nn.SiLU(), nn.Linear(D, D)) if n else None
        self.patch = nn.Conv2d(C, fine, 3, padding=1)  # of x_t, and in the student of y_s too
        self.context = nn.Conv2d(len(config.offsets) * C, fine, 3, padding=1, bias=False)
        self.fine_field = Field(readings, config.field_width, config.grid, fine)
        self.coarse_field = Field(readings, 2 * config.field_width, cells, D)
        self.fine_in = nn.ModuleList(ResBlock(fine, D) for _ in range(config.fine_in))
        self.down_middle = nn.Conv2d(4 * fine, middle, 1)
        self.middle_in = nn.ModuleList(ResBlock(middle, D) for _ in range(config.middle_in))
        self.down_coarse = nn.Conv2d(4 * middle, D, 1)
        self.position = nn.Parameter(0.02 * torch.randn(cells, D))
        self.coarse = nn.ModuleList(Block(D, config.heads, config.mlp_ratio) for _ in range(config.blocks))
        self.up_middle = nn.Conv2d(D, 4 * middle, 1)
        self.join_middle = nn.Conv2d(2 * middle, middle, 1)
        self.middle_out = nn.ModuleList(ResBlock(middle, D) for _ in range(config.middle_out))
        self.up_fine = nn.Conv2d(middle, 4 * fine, 1)
        self.join_fine = nn.Conv2d(2 * fine, fine, 1)
        self.blocks = nn.ModuleList(ResBlock(fine, D) for _ in range(config.fine_out))  # what a flow head is made of
        self.out_modulation = nn.Linear(D, 2 * fine)
        self.out = nn.Conv2d(fine, C, 3, padding=1)
        ones = torch.ones(config.tokens, C)
        self.register_buffer("delta_std", ones.clone())
        self.register_buffer("frame_mean", torch.zeros_like(ones))
        self.register_buffer("frame_std", ones.clone())
        self.register_buffer("bound", torch.full_like(ones, torch.inf))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for name, module in self.named_modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)) and not name.startswith("instruments"):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        if self.prompt is not None:
            nn.init.normal_(self.prompt.weight, std=1 / 2)
        nn.init.normal_(self.time.hidden.weight, std=0.1)
        nn.init.normal_(self.level.hidden.weight, std=0.1)
        residual = [*self.fine_in, *self.middle_in, *self.middle_out, *self.blocks]
        zero = [block.conv2 for block in residual] + [self.out]
        zero += [block.modulation for block in (*residual, *self.coarse)] + [self.out_modulation]
        for module in zero:
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)

    def every_block(self) -> list[nn.Module]:
        return [*self.fine_in, *self.middle_in, *self.coarse, *self.middle_out, *self.blocks]

    # -- the modelled variable -----------------------------------------------------------------------------------

    def noise_unit(self) -> Tensor:
        """[T,C], the standard deviation of history noise at level 1: between one and the usual change of a number, as a
        roll-out's own errors are. None on the telemetry, whose own network moves it on."""
        power = NOISE_UNITS[self.config.noise_unit]
        unit = self.delta_std**power * (self.delta_std > 0)
        return torch.cat([unit[: self.config.grid], torch.zeros_like(unit[self.config.grid :])])

    def _frame(self, conditions: Conditions) -> tuple[Tensor, Tensor]:
        """Where x begins and what its unit is, [B,T,C] each."""
        base, scale = conditions.history[:, 0], self.scale(conditions.level)
        if conditions.first is None:
            return base, scale
        first = conditions.first[:, None, None]
        return torch.where(first, self.frame_mean, base), torch.where(first, self.frame_std, scale)

    def to_change(self, latent: Tensor, conditions: Conditions) -> Tensor:
        """The next latent [B,T,C] -> x [B,T,C]."""
        base, scale = self._frame(conditions)
        return (latent - base) / scale.clamp(min=1e-6)

    def to_latent(self, change: Tensor, conditions: Conditions) -> Tensor:
        """x [B,T,C] -> the next latent [B,T,C], within `bound`, with the telemetry of `conditions.following`."""
        base, scale = self._frame(conditions)
        latent = torch.maximum(torch.minimum(base + scale * change, self.bound), -self.bound)
        return torch.cat([latent[:, : self.config.grid], conditions.following], 1)

    def predict_telemetry(self, noise: Tensor, conditions: Conditions) -> Conditions:
        """The conditions with what the instruments will read, drawn from the telemetry's part of noise [B,T,C]."""
        if conditions.following is not None:
            return conditions
        grid, n = self.config.grid, self.config.readings
        if not n:
            return replace(conditions, following=conditions.history[:, 0, grid:])
        read = conditions.history[:, :, grid:].flatten(2)[..., :n]
        with torch.autocast(read.device.type, enabled=False):  # small steps of large numbers
            following = self.instruments(read, conditions.actions, noise[:, grid:].flatten(1)[:, :NOISE])
        shape = (self.config.tokens - grid, self.config.channels)
        following = F.pad(following, (0, shape[0] * shape[1] - n)).reshape(-1, *shape)
        return replace(conditions, following=following)

    def begun(self, conditions: Conditions, noise: Tensor) -> Conditions:
        """The conditions of a tick of a drive that may begin from nothing, for noise [B,T,C]. Blank pictures (zeros) in
        its history say so: where the newest is blank, this tick draws the first frame, under the instruments of the
        history; where older ones are, the newest stands for them, as in the drives of training that have just begun."""
        grid = self.config.grid
        blank = conditions.history[:, :, :grid].abs().amax((2, 3)) == 0
        first, newest = blank[:, 0], conditions.history[:, :1]
        history = torch.where(blank[:, :, None, None], newest, conditions.history)
        conditions = self.predict_telemetry(noise, replace(conditions, history=history))
        following = conditions.following
        if self.config.readings:
            following = torch.where(first[:, None, None], history[:, 0, grid:], following)
        dropped = first if self.null_action is not None else None
        return replace(conditions, following=following, first=first, action_dropout_mask=dropped)

    # -- the network ---------------------------------------------------------------------------------------------

    def picture(self, tokens: Tensor) -> Tensor:
        """Tokens [B,T,C] -> [B,C,24,40], telemetry left out."""
        config = self.config
        grid = tokens[:, : config.grid].reshape(-1, config.rows, config.columns, tokens.shape[-1])
        return grid.permute(0, 3, 1, 2)

    def readings(self, conditions: Conditions) -> Tensor | None:
        """[B,3n]: what the instruments read, how that changed, and how it will change, in usual changes. None without
        instruments."""
        n = self.config.readings
        if not n:
            return None
        read = conditions.history[:, :2, self.config.grid :].flatten(2)[..., :n]
        now, before, following = read[:, 0], read[:, 1], conditions.following.flatten(1)[:, :n]
        moved = torch.stack([now - before, following - now], 1) / self.instruments.change
        changes = moved.clamp(-LARGEST_CHANGE, LARGEST_CHANGE).flatten(1)
        readings = torch.cat([now, changes], 1)
        if conditions.first is None:
            return readings
        alone = torch.cat([following, 0 * now, 0 * now], 1)  # zeros_like would ask for a shape in the exported graph
        return torch.where(conditions.first[:, None], alone, readings)

    def base(self, conditions: Conditions, level: Tensor | None = None) -> Tensor:
        """All that conditions the blocks but the time: [B,D]. `level`, its embedding [1,D] where it is known."""
        level = self.level(conditions.level) if level is None else level
        action = self.action(conditions.actions.flatten(1))
        if conditions.action_dropout_mask is not None:
            action = torch.where(conditions.action_dropout_mask[:, None], self.null_action, action)
        base = action + level
        if self.prompt is not None:
            prompt = conditions.prompt
            if conditions.prompt_dropout_mask is not None:
                prompt = torch.where(conditions.prompt_dropout_mask[:, None], self.null_prompt, prompt)
            base = base + self.prompt(prompt)
        if self.telemetry is not None:
            base = base + self.telemetry(self.readings(conditions))
        if conditions.first is not None:
            base = torch.where(conditions.first[:, None], base + self.first, base)
        return base

    def fed(self, conditions: Conditions) -> Tensor:
        """What is seen of the history, [B,K*C,24,40]: the newest picture, and the changes before it in units of what is
        usual. Nothing where there is no history."""
        config = self.config
        shape = (-1, len(config.offsets), config.channels, config.rows, config.columns)
        history = conditions.history[:, :, : config.grid].transpose(2, 3).reshape(shape)
        changes = (history[:, :-1] - history[:, 1:]) / self.picture(self.usual_changes())
        fed = torch.cat([history[:, :1], changes], 1).flatten(1, 2)
        if conditions.first is not None:
            fed = fed * (~conditions.first)[:, None, None, None]
        return fed

    def embed(self, x: Tensor) -> Tensor:
        """x_t or y_s [B,T,C] -> [B,fine,24,40]"""
        return self.patch(self.picture(x))

    def levels(self, x: Tensor | None, conditions: Conditions, c: Tensor) -> list[Tensor]:
        """What comes out at each grid, before the last fine blocks: x_t [B,T,C] (None: nothing is seen of it), the
        condition [B,D] after its SiLU -> [B,D,6,10], [B,middle,12,20], [B,fine,24,40]"""
        config = self.config
        readings = self.readings(conditions)
        field = self.fine_field(readings).reshape(-1, config.rows, config.columns, config.fine).permute(0, 3, 1, 2)
        h = self.context(self.fed(conditions)) + field
        if x is not None:
            h = h + self.embed(x)
        for block in self.fine_in:
            h = block(h, c)
        m = half_size(h, self.down_middle)
        for block in self.middle_in:
            m = block(m, c)
        q = half_size(m, self.down_coarse)
        rows, columns = q.shape[-2:]
        tokens = q.flatten(2).transpose(1, 2) + self.position + self.coarse_field(readings)
        for block in self.coarse:
            tokens = block(tokens, c)
        q = tokens.transpose(1, 2).reshape(-1, config.width, rows, columns)
        m = self.join_middle(torch.cat([m, F.pixel_shuffle(self.up_middle(q), 2)], 1))
        for block in self.middle_out:
            m = block(m, c)
        return [q, m, self.join_fine(torch.cat([h, F.pixel_shuffle(self.up_fine(m), 2)], 1))]

    def backbone(
        self, x: Tensor | None, t: Tensor, conditions: Conditions, depth: int, base: Tensor | None = None
    ) -> Tensor:
        """All but the blocks of the head from `depth` on: x_t [B,T,C] (None: nothing is seen of it), t [B] -> features
        [B,fine,24,40]"""
        base = self.base(conditions) if base is None else base
        return self.trunk(x, base + self.time(t), conditions, depth)

    def trunk(self, x: Tensor | None, condition: Tensor, conditions: Conditions, depth: int) -> Tensor:
        """`backbone`, with the condition [B,D] before its SiLU instead of the time."""
        c = F.silu(condition)
        h = self.levels(x, conditions, c)[-1]
        for block in self.blocks[:depth]:
            h = block(h, c)
        return h

    def feature_shapes(self) -> list[tuple[int, int, int]]:
        """Channels, rows and columns of what `features` can give."""
        config = self.config
        rows, columns = config.rows, config.columns
        return [
            (config.width, rows // 4, columns // 4),
            (config.middle, rows // 2, columns // 2),
            (config.fine, rows, columns),
        ]

    def features(self, x: Tensor, t: Tensor, conditions: Conditions, layers: list[int]) -> list[Tensor]:
        """What a discriminator sees of x_t [B,T,C], t [B]: maps of `feature_shapes`, by their numbers: behind the
        transformer at 6x10, the blocks at 12x20 and the last blocks at 24x40."""
        c = F.silu(self.base(conditions) + self.time(t))
        found = self.levels(x, conditions, c)
        if 2 in layers:
            for block in self.blocks:
                found[2] = block(found[2], c)
        return [found[layer] for layer in layers]

    def draw(self, features: Tensor, condition: Tensor, depth: int) -> Tensor:
        """The blocks from `depth` on and the output: features [B,fine,24,40], condition [B,D] before its SiLU -> F as a
        picture [B,C,24,40]."""
        c = F.silu(condition)
        h = features
        for block in self.blocks[depth:]:
            h = block(h, c)
        scale, shift = self.out_modulation(c).chunk(2, 1)
        return self.out(F.silu(modulated_norm(h, scale, shift, 8)))

    def head(self, features: Tensor, condition: Tensor, depth: int) -> Tensor:
        """`draw` as tokens [B,T,C]; zero on the telemetry."""
        tokens = self.draw(features, condition, depth).flatten(2).transpose(1, 2)
        return F.pad(tokens, (0, 0, 0, self.config.tokens - self.config.grid))

    def spread(self, conditions: Conditions) -> Tensor:
        """[B], the part of x that nothing decides: all of it in a first frame."""
        s = torch.full_like(conditions.level, self.config.spread)
        return s if conditions.first is None else torch.where(conditions.first, 1.0, s)

    def precondition(self, t: Tensor, spread: Tensor) -> tuple[Tensor, Tensor]:
        """a and b of v = a x_t + b F, [B,1,1] each, from t and `spread` [B]."""
        s = spread
        d = t**2 + ((1 - t) * s) ** 2
        a = (t - (1 - t) * s**2) / d
        b = torch.sqrt((t / d) ** 2 * (1 - s**2) + s**2 / d)
        return a[:, None, None], b[:, None, None]

    def loss_weight(self, t: Tensor, conditions: Conditions) -> Tensor:
        """What makes errors of v at all times count as errors of F: [B,1,1]."""
        return 1 / self.precondition(t, self.spread(conditions))[1] ** 2

    def forward(self, x: Tensor, t: Tensor, conditions: Conditions, base: Tensor | None = None) -> Tensor:
        """v at x_t [B,T,C], t [B] -> [B,T,C]; `base` [B,D] where it is more than `conditions` say.
        `conditions.following` must be there (`predict_telemetry`)."""
        base = self.base(conditions) if base is None else base
        out = self.head(self.backbone(x, t, conditions, 0, base), base + self.time(t), 0)
        a, b = self.precondition(t, self.spread(conditions))
        return a * x + b * out
