"""A net's float weights as one small file, to train on from: with your own data, or for longer."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import nn

from convert.errors import DataError
from edge.process.written_files import written_whole


def save_weights(net: nn.Module, file: Path) -> None:
    """Write all weights and running statistics of *net* to *file* (.npz), in half precision."""
    arrays = {name: value.cpu().numpy() for name, value in net.state_dict().items()}
    halves = {
        name: array.astype(np.float16) if array.dtype == np.float32 else array
        for name, array in arrays.items()
    }
    with written_whole(file) as stream:
        np.savez_compressed(stream, **halves)


def stored_names(file: Path) -> frozenset[str]:
    """What *file* has weights of; nothing, where it cannot be read, which `load_weights` says."""
    try:
        with np.load(file) as content:
            return frozenset(content.files)
    except (OSError, EOFError, ValueError, BadZipFile):
        return frozenset()


def load_weights(net: nn.Module, file: Path) -> None:
    """Fill *net* with what `save_weights` wrote.

    Raises:
        DataError: the file is missing, damaged, or of a net of another shape.
    """
    try:
        with np.load(file) as content:
            state = {name: torch.from_numpy(content[name]) for name in content.files}
        net.load_state_dict(state)
    except FileNotFoundError as error:
        raise DataError(
            f"The weights {file} are not there; name others, in the recipe (start) or by the option."
        ) from error
    except (OSError, EOFError, ValueError, KeyError, RuntimeError, BadZipFile) as error:
        raise DataError(
            f"{file} holds no weights for a net of this recipe's shape; name others, or check `widths` "
            "and `blocks` in the recipe."
        ) from error
