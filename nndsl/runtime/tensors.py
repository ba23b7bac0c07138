"""Tensors of torch and the plain arrays that files take."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from nndsl.runtime import trees
from nndsl.runtime.engine import Array
from nndsl.runtime.trees import Tree, walk


def plain(tree: Tree) -> Tree:
    """The tree with arrays in the place of tensors."""
    return walk(tree, _plain)


def tensors(tree: Tree) -> Tree:
    """The tree of `plain` with tensors again, on the CPU."""
    return walk(tree, _tensor)


def _plain(value: Any) -> Any:
    match value:
        case Tensor(dtype=torch.bfloat16):
            return {trees.BITS: array_of(value.view(torch.int16))}
        case Tensor():
            return array_of(value)
    return value


def _tensor(value: Any) -> Any:
    match value:
        case np.ndarray():
            return torch.from_numpy(value.copy())
        case {trees.BITS: bits}:
            return torch.from_numpy(bits.copy()).view(torch.bfloat16)
    return value


def array_of(tensor: Tensor) -> Array:
    """A tensor as an array; bfloat16 as float32, which holds all of its numbers."""
    tensor = tensor.detach().cpu()
    array: Array = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    return array
