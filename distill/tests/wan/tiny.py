"""A tiny Wan2.1 with random weights in the published format, clips, and a server-free torchrun for tests."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import WanTransformer3DModel

from distill.wan.clips import write_clip
from distill.wan.model import WanConditions, WanDiT, WanShape

LATENT, WORDS, TEXT, CHANNELS = (3, 4, 6), 512, 12, 16

SIZES = {
    "patch_size": (1, 2, 2),
    "num_attention_heads": 2,
    "attention_head_dim": 12,
    "in_channels": CHANNELS,
    "out_channels": CHANNELS,
    "text_dim": TEXT,
    "freq_dim": 16,
    "ffn_dim": 32,
    "num_layers": 4,
    "rope_max_seq_len": 1024,
}


def tiny_shape(**changes) -> WanShape:
    values = {"blocks": 4, "width": 24, "heads": 2, "feedforward": 32, "text_width": TEXT, "words": WORDS}
    return WanShape(**values | {"frequencies": 16, "latent": LATENT} | changes)


def tiny_transformer(seed: int = 0, **changes) -> WanTransformer3DModel:
    torch.manual_seed(seed)
    return WanTransformer3DModel(**SIZES | changes)


def write_weights(folder: Path, seed: int = 0, shard: str = "40KB", **changes) -> Path:
    """folder/transformer as `save_pretrained` writes it, in several files."""
    tiny_transformer(seed, **changes).save_pretrained(folder / "transformer", max_shard_size=shard)
    return folder


def tiny_teacher(seed: int = 0) -> WanDiT:
    network = WanDiT(tiny_shape())
    network.transformer.load_state_dict(tiny_transformer(seed).state_dict())
    return network.eval()


def tiny_conditions(batch: int, words: int = 5) -> WanConditions:
    generator = torch.Generator().manual_seed(3)
    text = torch.zeros(batch, WORDS, TEXT)
    text[:, :words] = torch.randn(batch, words, TEXT, generator=generator)
    negative = torch.zeros(WORDS, TEXT)
    negative[:words] = torch.randn(words, TEXT, generator=generator)
    return WanConditions(text, negative)


def write_clips(folder: Path, count: int = 6) -> Path:
    generator = torch.Generator().manual_seed(4)
    (folder / "clips").mkdir(parents=True)
    for number in range(count):
        latent = torch.randn(CHANNELS, *LATENT, generator=generator).bfloat16()
        text = torch.randn(3 + number, TEXT, generator=generator).bfloat16()
        write_clip(
            folder / "clips" / f"{number:06d}.safetensors", {"latent": latent, "text": text, "seed": torch.tensor([1])}
        )
    write_clip(folder / "negative.safetensors", {"text": torch.randn(4, TEXT, generator=generator).bfloat16()})
    return folder


def overrides(folder: Path, **changes) -> list[str]:
    """key=value of a tiny run below `folder`, which holds weights/ and data/."""
    values = {
        "weights": folder / "weights",
        "data": folder / "data",
        "runs": folder / "runs",
        "latent": "[3,4,6]",
        "batch": 4,
        "head_blocks": 2,
        "dtype": "float32",
        "max_steps": 1,
        "log_steps": 1,
        "micro_batch": 1,
    }
    return [f"{key}={value}" for key, value in (values | changes).items()]
