"""Tensors of torch and the plain arrays that files take."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nndsl.runtime.engine import Array
from nndsl.runtime.trees import Tree

_BITS = "bits of bfloat16"
"""NumPy has no bfloat16: such tensors are kept as the bits that they are, under this one key."""


def plain(tree: Tree) -> Tree:
    """The tree with arrays in the place of tensors."""
    match tree:
        case Tensor():
            return {_BITS: array_of(tree.view(torch.int16))} if tree.dtype == torch.bfloat16 else array_of(tree)
        case dict():
            return {key: plain(value) for key, value in tree.items()}
        case list():
            return [plain(value) for value in tree]
        case tuple():
            return tuple(plain(value) for value in tree)
    return tree


def tensors(tree: Tree) -> Tree:
    """The tree of `plain` with tensors again, on the CPU."""
    match tree:
        case np.ndarray():
            return torch.from_numpy(tree.copy())
        case {"bits of bfloat16": array}:
            return torch.from_numpy(array.copy()).view(torch.bfloat16)
        case dict():
            return {key: tensors(value) for key, value in tree.items()}
        case list():
            return [tensors(value) for value in tree]
        case tuple():
            return tuple(tensors(value) for value in tree)
    return tree


def array_of(tensor: Tensor) -> Array:
    """A tensor as an array; bfloat16 as float32, which holds all of its numbers."""
    tensor = tensor.detach().cpu()
    array: Array = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    return array
