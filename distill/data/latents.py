"""All prepared frames through the codec, once: float16 latents with their telemetry beside the packed frames, mirrored
ones too, and an embedding for each caption. Run it again after `prepare`: only what is new is
encoded, unless the codec has changed."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from distill.atomic import replacing, write_text
from distill.config import BaseConfig, UserError
from distill.data.packed import PARAPHRASES, Packed
from distill.distributed import setup
from distill.models.codec import Codec, load_codec, to_input
from distill.progress import Progress
from distill.world import LABELS, telemetry_token, telemetry_tokens


@dataclass
class Config(BaseConfig):
    codec: str = "runs/codec/codec.pt"
    splits: list[str] = field(default_factory=lambda: ["train", "validation", "heldout"])
    flip: bool = True  # encode the mirrored frames as well
    paraphrases: str = "distill/paraphrases.json.gz"  # more ways to say each setting, for training; empty: none
    batch: int = 64


def fingerprint(codec: Codec) -> str:
    """A hash of the encoder's weights and normalisation: latents belong to it."""
    digest = hashlib.sha256()
    for name, value in sorted(codec.state_dict().items()):
        if not name.startswith("decoder"):
            digest.update(value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


@torch.inference_mode()
def encode_split(codec: Codec, packed: Packed, flip: bool, batch: int, device) -> int:
    """Appends the latents of frames that have none yet. Returns how many frames were encoded."""
    path = packed.folder / "latents.json"
    # A codec whose latents can be mirrored as they are needs no second copy.
    parity = getattr(codec, "mirror", None)
    telemetry, flip = packed.world.telemetry, flip and packed.world.is_drive
    mirror = {"columns": codec.columns, "signs": parity.tolist()} if flip and parity is not None else None
    entry = {
        "codec": fingerprint(codec),
        "rows": 0,
        "tokens": codec.tokens + telemetry_tokens(codec.channels, len(telemetry)),
        "channels": codec.channels,
        "flipped": flip and mirror is None,
        "mirror": mirror,
    }
    if mirror is None and parity is not None:
        entry["columns"] = codec.columns
    if path.is_file():
        before = json.loads(path.read_text())
        if {**before, "rows": 0} == entry:
            entry = before
    first, total = entry["rows"], len(packed)
    size = entry["tokens"] * codec.channels * 2
    names = ["latents.f16", "flipped.f16"] if entry["flipped"] else ["latents.f16"]
    if first == 0:  # the old latents belong to another codec
        path.unlink(missing_ok=True)
    files = []
    for name in names:
        file = packed.folder / name
        files.append(open(file, "r+b" if first and file.exists() else "w+b"))  # noqa: SIM115
        files[-1].seek(first * size)
    try:
        steps = range(first, total, batch)
        for start in Progress(steps, desc=f"latents of {packed.folder.parent.name}", unit="batch", disable=not steps):
            rows = slice(start, min(start + batch, total))
            frame = to_input(packed.frames[rows], device)
            for mirrored, file in enumerate(files):
                picture = codec.encode(frame.flip(3) if mirrored else frame).cpu().numpy()
                token = telemetry_token(packed.telemetry[rows], codec.channels, bool(mirrored), telemetry)
                file.write(np.concatenate([picture, token], 1).astype(np.float16).tobytes())
        for file in files:
            file.flush()
            os.fsync(file.fileno())
    finally:
        for file in files:
            file.close()
    write_text(path, json.dumps(entry | {"rows": total}))
    return total - first


def save_atomically(path: Path, values) -> None:
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.save(file, np.asarray(values, np.float32))


def read_paraphrases(path: str | Path) -> list[dict]:
    """Each setting and its `texts`, as scripts/captions.ts writes them, compressed or not."""
    data = Path(path).read_bytes()
    return json.loads(gzip.decompress(data) if str(path).endswith(".gz") else data)


def embed_paraphrases(path: str, packed: Packed, embed) -> None:
    """float32 [biomes,times,weathers,E,P] beside the packed frames: E ways to say each setting."""
    settings = read_paraphrases(path)
    values = embed([text for setting in settings for text in setting["texts"]])
    shape = tuple(len(names) for names in LABELS.values())
    where = [tuple(names.index(setting[name]) for name, names in LABELS.items()) for setting in settings]
    if sorted(where) != list(np.ndindex(shape)):
        raise UserError(f"{path} must say each of the {np.prod(shape)} settings once; remake it (scripts/captions.ts)")
    table = np.zeros((*shape, len(values) // len(settings), values.shape[1]), np.float32)
    for place, rows in zip(where, np.split(values, len(settings)), strict=True):
        table[place] = rows
    save_atomically(packed.folder / PARAPHRASES, table)


def run(config: Config) -> None:
    from distill.data.prompt_encoder import embed

    device = setup(config)
    codec = load_codec(config.codec, device)
    there = [split for split in config.splits if (Path(config.data) / split).is_dir()]
    if not there:
        raise UserError(f"there are no episodes below {config.data}; record some first (npm run record)")
    for split in there:
        if not (Path(config.data) / split / "packed" / "index.json").is_file():
            raise UserError(f"{config.data}/{split} is not prepared; run the `prepare` stage first")
        packed = Packed(config.data, split)
        texts = [caption["text"] for caption in packed.captions]
        embeddings = embed(texts) if packed.world.prompt else np.zeros((len(texts), 0), np.float32)
        save_atomically(packed.folder / "embeddings.npy", embeddings)
        if split == "train" and config.paraphrases and packed.world.is_drive:
            embed_paraphrases(config.paraphrases, packed, embed)
        fresh = encode_split(codec, packed, config.flip, config.batch, device)
        print(f"latents: {split} has {len(packed)} frames, {fresh} of them new, and {len(packed.captions)} captions")
