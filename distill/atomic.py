"""Files are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError

from distill.config import UserError

if TYPE_CHECKING:
    from torch import Tensor


class UnwritableError(UserError):
    def __init__(self, path: Path, reason: Exception):
        super().__init__(f"{path} could not be written ({reason}). Is the disk full? What was there before is whole")
        self.reason = reason


def reason_of(error: Exception) -> Exception:
    """What the system said of a failed write."""
    return error.reason if isinstance(error, UnwritableError) else error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """What to write in place of `path`: a file beside it, flushed and renamed over it at the end. Where the system,
    torch or safetensors cannot, raises UnwritableError; then the old file stays, and nothing beside it."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, RuntimeError, SafetensorError) as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise UnwritableError(path, error) from error


def write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text)


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """As safetensors."""
    from safetensors.torch import save_file  # brings torch: recording and the bridge start without it

    with replacing(path) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary, metadata)
        temporary.chmod(0o644)  # safetensors makes it for its owner alone
