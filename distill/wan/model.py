"""Wan2.1 (arXiv 2503.20314) with the face of `distill.models.dit.DiT`: what the student, the stages and the losses see.

- A video is its latent, cut into the patches of the transformer: x [B,T,C], T tokens of C = 16*1*2*2 numbers. Norms,
  means and noise do not care how numbers are laid out, so all of distill's losses apply to tokens as they are.
- `base` is the text that the blocks attend to, `time` the time embedding; together they condition a block.
- The weights keep the names that diffusers publishes, below `transformer.`.
- Times come in float64, as does their embedding's angle; the embedding itself and the modulations are float32 under
  any autocast, as in Wan's own code.

Shapes: B batch, T tokens, C numbers of a token, L words, D width.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from diffusers import WanTransformer3DModel
from diffusers.models.transformers.transformer_wan import WanRotaryPosEmbed
from torch import Tensor, nn

from distill.config import UserError
from distill.models.dit import TIME_SCALE

PUBLISHED = {  # what a transformer/config.json has to say for this file to be its network
    "image_dim": None,
    "added_kv_proj_dim": None,
    "pos_embed_seq_len": None,
    "qk_norm": "rms_norm_across_heads",
}


@dataclass
class WanShape:
    """The transformer's sizes, in distill's words, and the latent that it is used on."""

    blocks: int
    width: int
    heads: int
    feedforward: int
    channels: int = 16
    text_width: int = 4096
    words: int = 512
    frequencies: int = 256
    patch: tuple[int, int, int] = (1, 2, 2)
    latent: tuple[int, int, int] = (21, 60, 104)  # frames, rows, columns: 81 frames of 480x832

    def __post_init__(self):
        self.patch, self.latent = tuple(self.patch), tuple(self.latent)
        if any(size < 1 or size % part for size, part in zip(self.latent, self.patch, strict=True)):
            raise UserError(
                f"a latent of {self.latent} (frames, rows, columns) does not divide into patches {self.patch}"
            )

    @property
    def grid(self) -> tuple[int, int, int]:
        """Tokens along frames, rows and columns."""
        return tuple(size // part for size, part in zip(self.latent, self.patch, strict=True))

    @property
    def tokens(self) -> int:
        return math.prod(self.grid)

    @property
    def token_channels(self) -> int:
        return self.channels * math.prod(self.patch)

    def architecture(self) -> dict:
        """What a checkpoint is recognised by."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def read_shape(published: dict, latent: tuple[int, int, int], words: int = 512) -> WanShape:
    """From the contents of a published transformer/config.json. Raises UserError for another network."""
    if published.get("_class_name") != "WanTransformer3DModel":
        raise UserError(f"the transformer is a {published.get('_class_name')}, not a WanTransformer3DModel")
    for key, wanted in PUBLISHED.items():
        if published.get(key, wanted) != wanted:
            raise UserError(
                f"the transformer has {key} {published[key]}; only Wan2.1 text to video ({wanted}) is known"
            )
    try:
        heads, width = published["num_attention_heads"], published["attention_head_dim"]
        return WanShape(
            published["num_layers"],
            heads * width,
            heads,
            published["ffn_dim"],
            published["in_channels"],
            published["text_dim"],
            words,
            published["freq_dim"],
            tuple(published["patch_size"]),
            latent,
        )
    except KeyError as error:
        raise UserError(f"the transformer's config.json does not give {error}") from error


@dataclass
class WanConditions:
    """text [B,L,4096] and negative [L,4096] from the text encoder, zero beyond the prompt; dropped bool [B]: these rows
    use the negative prompt."""

    text: Tensor
    negative: Tensor
    prompt_dropout_mask: Tensor | None = None

    def without_prompt(self) -> WanConditions:
        return replace(self, prompt_dropout_mask=torch.ones(len(self.text), dtype=torch.bool, device=self.text.device))

    def __getitem__(self, rows) -> WanConditions:
        return WanConditions(
            self.text[rows], self.negative, None if self.prompt_dropout_mask is None else self.prompt_dropout_mask[rows]
        )


class Condition(NamedTuple):
    """What a block and the output are conditioned on: time [B,D] float32, text [B,L,D]."""

    time: Tensor
    text: Tensor


def sinusoids(times: Tensor, count: int) -> Tensor:
    """times [B] in 0..1 -> [B,count] float64: cosines, then sines, of 1000 t."""
    rates = torch.exp(-math.log(10_000.0) / (count // 2) * torch.arange(count // 2, device=times.device).double())
    angle = TIME_SCALE * times.double()[:, None] * rates
    return torch.cat([angle.cos(), angle.sin()], -1)


class WanDiT(nn.Module):
    """v at x_t, t, and the same network in two parts, backbone and head."""

    def __init__(self, shape: WanShape):
        super().__init__()
        self.config = shape
        self.transformer = WanTransformer3DModel(
            patch_size=shape.patch,
            num_attention_heads=shape.heads,
            attention_head_dim=shape.width // shape.heads,
            in_channels=shape.channels,
            out_channels=shape.channels,
            text_dim=shape.text_width,
            freq_dim=shape.frequencies,
            ffn_dim=shape.feedforward,
            num_layers=shape.blocks,
        )

    @property
    def blocks(self) -> nn.ModuleList:
        return self.transformer.blocks

    def materialise_buffers(self) -> None:
        """Computes what no checkpoint holds, after meta-device initialisation."""
        device = self.transformer.proj_out.weight.device
        rope = self.transformer.rope
        self.transformer.rope = WanRotaryPosEmbed(rope.attention_head_dim, rope.patch_size, rope.max_seq_len).to(device)

    # -- latents and tokens --------------------------------------------------------------------------------------

    def to_tokens(self, latent: Tensor) -> Tensor:
        """[B,16,frames,rows,columns] -> [B,T,C]; C as in the patch embedding's kernel."""
        (f, h, w), (pf, ph, pw) = self.config.grid, self.config.patch
        cut = latent.reshape(len(latent), -1, f, pf, h, ph, w, pw)
        return cut.permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(len(latent), f * h * w, -1)

    def to_latent(self, tokens: Tensor) -> Tensor:
        """The inverse: [B,T,C] -> [B,16,frames,rows,columns]."""
        return unpatchify(tokens, self.config)

    # -- the network ---------------------------------------------------------------------------------------------

    def base(self, conditions: WanConditions) -> Tensor:
        """The text as the blocks see it: [B,L,D]."""
        text = conditions.text
        if conditions.prompt_dropout_mask is not None:
            text = torch.where(conditions.prompt_dropout_mask[:, None, None], conditions.negative, text)
        embedder = self.transformer.condition_embedder.text_embedder
        return embedder(text.to(embedder.linear_1.weight.dtype))

    def time(self, times: Tensor) -> Tensor:
        """[B] in 0..1 -> [B,D] float32."""
        return embed_time(self.transformer.condition_embedder.time_embedder, times, self.config.frequencies)

    def modulation(self, time: Tensor) -> Tensor:
        """[B,D] -> shift, scale and gate of attention and of the MLP: [B,6,D] float32."""
        with without_autocast(time.device):
            return self.transformer.condition_embedder.time_proj(F.silu(time)).unflatten(1, (6, -1))

    def patch(self, x: Tensor) -> Tensor:
        """[B,T,C] -> [B,T,D]: the patch embedding, a linear map of one token."""
        embedding = self.transformer.patch_embedding
        return F.linear(x.to(embedding.weight.dtype), embedding.weight.flatten(1), embedding.bias)

    def run_blocks(self, tokens: Tensor, condition: Condition, first: int, last: int) -> Tensor:
        """tokens [B,T,D] through blocks first..last-1."""
        out = tokens
        for _, out in self._walk(tokens, condition, first, last):  # noqa: B007
            pass
        return out

    def _walk(self, tokens: Tensor, condition: Condition, first: int, last: int):
        shape = (1, 1, *self.config.latent)
        rotary = self.transformer.rope(torch.empty(shape, device="meta"))  # only the shape is used
        modulation = self.modulation(condition.time)
        yield -1, tokens
        for index in range(first, last):
            tokens = self.blocks[index](tokens, condition.text, modulation, rotary)
            yield index, tokens

    def backbone(
        self, x: Tensor, t: Tensor, conditions: WanConditions, depth: int, base: Tensor | None = None
    ) -> Tensor:
        """Patch embedding and the first `depth` blocks: x [B,T,C], t [B] -> features [B,T,D]."""
        base = self.base(conditions) if base is None else base
        return self.run_blocks(self.patch(x), Condition(self.time(t), base), 0, depth)

    def head(self, tokens: Tensor, condition: Condition, depth: int) -> Tensor:
        """The blocks from `depth` on and the output: [B,T,D] -> [B,T,C] float32."""
        tokens = self.run_blocks(tokens, condition, depth, len(self.blocks))
        network = self.transformer
        shift, scale = (network.scale_shift_table + condition.time[:, None]).chunk(2, 1)
        tokens = (network.norm_out(tokens.float()) * (1 + scale) + shift).type_as(tokens)
        out = network.proj_out(tokens).float()  # C runs over the patch, then the channel
        return out.unflatten(2, (-1, self.config.channels)).transpose(2, 3).flatten(2)

    def forward(self, x: Tensor, t: Tensor, conditions: WanConditions) -> Tensor:
        """v at x [B,T,C], t [B] -> [B,T,C] float32."""
        return self.head(self.patch(x), Condition(self.time(t), self.base(conditions)), 0)

    def features(self, x: Tensor, t: Tensor, conditions: WanConditions, layers: list[int]) -> list[Tensor]:
        """Tokens [B,T,D] behind each of the blocks `layers` (0-based), for the discriminator."""
        condition = Condition(self.time(t), self.base(conditions))
        walk = self._walk(self.patch(x), condition, 0, max(layers) + 1)
        found = {index: tokens for index, tokens in walk if index in layers}
        return [found[index] for index in layers]


def without_autocast(device: torch.device):
    return nullcontext() if device.type == "meta" else torch.autocast(device.type, enabled=False)


def embed_time(embedder: nn.Module, times: Tensor, frequencies: int) -> Tensor:
    """times [B] in 0..1 -> [B,D] by a TimestepEmbedding, float32 whatever the autocast."""
    with without_autocast(times.device):
        return embedder(sinusoids(times, frequencies).to(embedder.linear_1.weight.dtype))


def unpatchify(tokens: Tensor, shape: WanShape) -> Tensor:
    """[B,T,c*patch] -> [B,c,frames,rows,columns]."""
    split = tokens.reshape(len(tokens), *shape.grid, -1, *shape.patch)
    return split.permute(0, 4, 1, 5, 2, 6, 3, 7).reshape(len(tokens), -1, *shape.latent)


def halve(network: nn.Module, dtype: torch.dtype) -> nn.Module:
    """For what is not trained: matrices and the norms of q and k in `dtype`; times, tables and other norms stay in
    float32, as in diffusers."""
    for name, module in network.named_modules():
        large = isinstance(module, (nn.Linear, nn.Conv3d, nn.RMSNorm))
        if large and not any(kept in name for kept in ("time_embedder", "time_proj", "interval")):
            module.to(dtype)
    return network
