"""The training data: one file a clip, the latent of a video and the embedding of its prompt.

<data>/clips/000012.safetensors   latent [16,frames,rows,columns], text [words,4096]; bfloat16, words as many as
                                  the prompt has (Wan fills up with zeros); seed [1] of the noise that the teacher
                                  began with (`noise_for(shape, seed, 12)`), unless it is of a given video
<data>/negative.safetensors       text: the negative prompt's
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from distill.atomic import UnwritableError, write_tensors
from distill.config import UserError
from distill.wan.model import WanConditions, WanShape

SHUFFLE, DROP = 1, 2  # what a stream of random numbers is for


def write_clip(path: Path, tensors: dict[str, Tensor]) -> None:
    """Whole or not at all, so that an interrupted stage goes on. Raises UserError where it cannot be written."""
    try:
        write_tensors(path, {name: tensor.cpu() for name, tensor in tensors.items()})
    except UnwritableError as error:
        raise UserError(
            f"{path} could not be written ({error.reason}). Is the disk full? Make room and start the stage again, "
            "which goes on with the next clip"
        ) from error


def read_clip(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} is not readable ({error}); delete it and run wan-data again") from error


def padded(text: Tensor, words: int) -> Tensor:
    """[words of the prompt, width] -> [words, width], zeros behind."""
    return torch.nn.functional.pad(text[:words], (0, 0, 0, max(0, words - len(text))))


def noise_for(shape: WanShape, seed: int, *numbers: int, count: int = 1) -> Tensor:
    """[1,count,T,C] on the CPU, the same on every machine for the same numbers."""
    key = int(np.random.SeedSequence([seed, *numbers]).generate_state(1, np.uint64)[0] >> 1)
    generator = torch.Generator().manual_seed(key)
    return torch.randn(1, count, shape.tokens, shape.token_channels, generator=generator)


class Clips:
    """Endless shuffled clips; which ones micro-batch `number` of `step` takes depends on nothing else."""

    def __init__(self, folder: str | Path, shape: WanShape, batch: int, micro_batch: int, seed: int, device):
        self.folder, self.shape, self.device = Path(folder), shape, device
        self.batch, self.size, self.seed = batch, micro_batch, seed
        self.files = sorted((self.folder / "clips").glob("*.safetensors"))
        negative = self.folder / "negative.safetensors"
        if not self.files or not negative.is_file():
            raise UserError(f"{self.folder} holds no clips with a negative prompt; run the stage wan-data first")
        self.negative = padded(read_clip(negative)["text"], shape.words).to(device)
        self._epoch, self._order = -1, np.zeros(0, np.int64)

    def _file(self, position: int) -> Path:
        epoch, place = divmod(position, len(self.files))
        if epoch != self._epoch:
            random = np.random.Generator(np.random.Philox(key=[self.seed, epoch * 4 + SHUFFLE]))
            self._epoch, self._order = epoch, random.permutation(len(self.files))
        return self.files[self._order[place]]

    def paths(self, step: int, number: int) -> list[Path]:
        first = step * self.batch + number * self.size
        return [self._file(position) for position in range(first, first + self.size)]

    def noise(self, step: int, number: int) -> Tensor:
        """[b,T,C] that the teacher began a micro-batch's clips with. Raises UserError for clips of given videos."""
        parts = []
        for path in self.paths(step, number):
            seed = read_clip(path).get("seed")
            if seed is None:
                raise UserError(
                    f"{path} has no noise to learn from: it is of a given video, or made before clips had seeds. Make "
                    "clips with wan-data, without videos=FOLDER"
                )
            parts.append(noise_for(self.shape, int(seed), int(path.stem))[:, 0])
        return torch.cat(parts).to(self.device)

    def micro_batch(self, step: int, number: int, dropout: float = 0.0) -> tuple[Tensor, WanConditions]:
        """latents float32 [b,16,frames,rows,columns] and their conditions; a part `dropout` sees the negative
        prompt."""
        first = step * self.batch + number * self.size
        latents, texts = [], []
        for path in self.paths(step, number):
            clip = read_clip(path)
            wanted = (self.shape.channels, *self.shape.latent)
            if tuple(clip["latent"].shape) != wanted:
                raise UserError(f"the latent in {path} is {list(clip['latent'].shape)}, not {list(wanted)}")
            latents.append(clip["latent"].float())
            texts.append(padded(clip["text"], self.shape.words))
        random = np.random.Generator(np.random.Philox(key=[self.seed, first * 4 + DROP]))
        dropped = torch.from_numpy(random.random(self.size) < dropout).to(self.device)
        text = torch.stack(texts).to(self.device)
        return torch.stack(latents).to(self.device), WanConditions(text, self.negative, dropped)
