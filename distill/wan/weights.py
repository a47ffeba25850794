"""Published weights in the diffusers format, from a local folder or a hub id, into networks of any device and sharding.

    folder/transformer/config.json, *.safetensors      WanTransformer3DModel
    folder/text_encoder, tokenizer, vae, scheduler     UMT5EncoderModel, its tokenizer, AutoencoderKLWan

Networks are made on the meta device (no memory), sharded, given memory, then filled: every rank reads only its own rows
of every tensor, so that no process ever holds the whole 14B model.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import _CHECKPOINT_PREFIX
from torch.distributed.tensor import DTensor
from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

from distill.config import UserError
from distill.wan.model import WanShape, read_shape

ORIGINAL_KEY = "blocks.0.self_attn.q.weight"  # of Wan's own repositories, which are not in the diffusers format


def resolve(where: str, parts: tuple[str, ...], files: str = "*") -> Path:
    """The folder that holds `parts` (subfolders) of the model `where`: a local folder, or else a hub id, of whose parts
    `files` are downloaded to the hub's cache. Raises UserError where there is neither."""
    folder = Path(where)
    if not folder.is_dir():
        from huggingface_hub import snapshot_download

        try:
            folder = Path(snapshot_download(where, allow_patterns=[f"{part}/{files}" for part in parts]))
        except Exception as error:
            raise UserError(
                f"{where} is no local folder, and as a hub id it could not be fetched ({type(error).__name__})"
            ) from error
    missing = [part for part in parts if not (folder / part).is_dir()]
    if missing:
        raise UserError(f"{folder} lacks the folders {', '.join(missing)} of the diffusers format")
    return folder


def published_shape(where: str, latent: tuple[int, int, int]) -> WanShape:
    """The transformer's sizes, without its weights."""
    return read_shape(read_config(resolve(where, ("transformer",), "config.json") / "transformer"), latent)


def read_config(folder: Path) -> dict:
    path = folder / "config.json"
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not readable ({error}); a transformer of the diffusers format has it") from error


class Published:
    """The transformer of a published model."""

    def __init__(self, where: str):
        self.folder = resolve(where, ("transformer",)) / "transformer"
        self.config = read_config(self.folder)
        self.files = sorted(self.folder.glob("*.safetensors"))
        if not self.files:
            raise UserError(f"{self.folder} holds no .safetensors files; the download may not be complete")

    def shape(self, latent: tuple[int, int, int], words: int = 512) -> WanShape:
        return read_shape(self.config, latent, words)

    @torch.no_grad()
    def fill(self, network: nn.Module) -> None:
        """Copies every tensor into the parameter of its name. Raises UserError, before any copy, where names or shapes
        are not those of `network`."""
        wanted = named(network)
        with ExitStack() as stack:
            try:
                opened = [stack.enter_context(safe_open(file, "pt")) for file in self.files]
            except (OSError, SafetensorError) as error:
                raise UserError(f"{self.folder} is not readable ({error}); a file may be cut short") from error
            held = {name: file for file in opened for name in file.keys()}  # noqa: SIM118
            self._compare(wanted, held)
            for name, parameter in wanted.items():
                copy_rows(parameter, held[name].get_slice(name))

    def read(self, name: str) -> Tensor:
        """One whole tensor."""
        for file in self.files:
            with safe_open(file, "pt") as opened:
                if name in opened.keys():  # noqa: SIM118
                    return opened.get_tensor(name)
        raise UserError(f"{self.folder} lacks {name}; it is of another architecture")

    def _compare(self, wanted: dict[str, nn.Parameter], held: dict) -> None:
        if ORIGINAL_KEY in held:
            raise UserError(f"{self.folder} is in Wan's own layout; use the model's -Diffusers repository")
        differing = [f"{name} is missing" for name in wanted.keys() - held.keys()]
        differing += [f"{name} is not known" for name in held.keys() - wanted.keys()]
        for name in wanted.keys() & held.keys():
            there, here = list(held[name].get_slice(name).get_shape()), list(wanted[name].shape)
            if there != here:
                differing.append(f"{name} is {there} there and {here} here")
        if differing:
            more = f", and {len(differing) - 3} more" if len(differing) > 3 else ""
            raise UserError(f"{self.folder} is of another architecture: {'; '.join(sorted(differing)[:3])}{more}")


def named(network: nn.Module) -> dict[str, nn.Parameter]:
    """Parameters by their names without activation checkpointing."""
    return {name.replace(_CHECKPOINT_PREFIX, ""): p for name, p in network.named_parameters()}


def copy_rows(parameter: Tensor, whole) -> None:
    """From `whole` (a tensor or a safetensors slice) this rank's rows into `parameter`, plain or sharded by rows."""
    local = parameter
    if isinstance(parameter, DTensor):
        shape, offset = compute_local_shape_and_global_offset(
            parameter.shape, parameter.device_mesh, parameter.placements
        )
        local = parameter.to_local()
        if local.numel():
            whole = whole[offset[0] : offset[0] + shape[0]]
    if local.numel():
        local.copy_(whole if isinstance(whole, Tensor) else whole[...])


@torch.no_grad()
def copy_parameters(target: nn.Module, source: nn.Module) -> None:
    """The same parameters, whole in `source`, into `target`, whole or sharded."""
    given = named(source)
    for name, parameter in named(target).items():
        copy_rows(parameter, given[name].detach())
