"""Plain state as bytes and back: dicts, lists, tuples, numbers, strings and arrays, in a safetensors file.

What a run must remember to go on to the bit (weights, slots of the optimizer, random streams, what callbacks have seen)
has many shapes and no code in it: nothing here is pickled, and nothing is run when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

Tree: TypeAlias = Any
"""None, bool, int, float, str, NumPy numbers, NumPy arrays, and dicts, lists and tuples of such."""

BITS = "bits of bfloat16"
"""NumPy has no bfloat16: such arrays are kept as the bits that they are, under this one key."""
_KEY = "state"


class Damaged(Exception):
    """Bytes that are no tree."""


def pack(tree: Tree) -> bytes:
    """The tree as one safetensors file. TypeError for what is no plain state."""
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    described = _describe(tree, arrays)
    return save(arrays, {_KEY: json.dumps(described)})


def unpack(data: bytes) -> Tree:
    """The tree of `pack`. Raises Damaged."""
    try:
        arrays = load(data)
        size = int.from_bytes(data[:8], "little")
        described = json.loads(json.loads(data[8 : 8 + size])["__metadata__"][_KEY])
        return _build(described, arrays)
    except (SafetensorError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise Damaged(str(error)) from None


def walk(tree: Tree, change: Callable[[Any], Any]) -> Tree:
    """The tree with every leaf changed: an array kept as BITS is one, too."""
    match tree:
        case dict() if tree.keys() != {BITS}:
            return {key: walk(value, change) for key, value in tree.items()}
        case list():
            return [walk(value, change) for value in tree]
        case tuple():
            return tuple(walk(value, change) for value in tree)
    return change(tree)


# JSON has no tuples, no keys but strings, and no numbers of NumPy: such things are objects with one key.


def _describe(tree: Tree, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    match tree:
        case None | bool() | str():
            return tree
        case np.generic():  # before float: NumPy's float64 is one, and calculates differently
            return {"number": [tree.dtype.str, tree.item()]}
        case int() | float():
            return tree
        case np.ndarray():
            name = str(len(arrays))
            arrays[name] = np.asarray(tree, order="C")
            return {"array": name}
        case list():
            return [_describe(item, arrays) for item in tree]
        case tuple():
            return {"tuple": [_describe(item, arrays) for item in tree]}
        case dict():
            return {"dict": [[_describe(key, arrays), _describe(value, arrays)] for key, value in tree.items()]}
    raise TypeError(f"{type(tree).__name__} is no plain state")


def _build(described: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Tree:
    match described:
        case {"number": [dtype, value]}:
            return np.dtype(dtype).type(value)
        case {"array": name}:
            return arrays[name]
        case {"tuple": items}:
            return tuple(_build(item, arrays) for item in items)
        case {"dict": pairs}:
            return {_build(key, arrays): _build(value, arrays) for key, value in pairs}
        case list():
            return [_build(item, arrays) for item in described]
    return described
