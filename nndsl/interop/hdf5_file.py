"""HDF5 files of strangers: arrays of numbers that lie in the file itself, nothing else.

Keras would follow links into other files and unpack whatever it is told to; so its files are read here first.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from nndsl.interop.contents import Array, Contents, Item
from nndsl.interop.problem import WrongWeights

MEMBER = "model.weights.h5"
STATE = "optimizer/"
_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_LZF}
_MAX_OBJECTS, _MAX_DEPTH, _MAX_RATIO, _SLACK = 100_000, 64, 64, 2**24


def read(path: str) -> Contents:
    """A `.weights.h5`, or the weights in a `.keras` archive. Raises WrongWeights, OSError."""
    if path.lower().endswith(".keras"):
        data = _member(path)
        return _read(io.BytesIO(data), len(data), f"{MEMBER} in {path}", "keras")
    with open(path, "rb") as stream:  # h5py's own errors do not tell a missing file from a damaged one
        head = stream.read(4)
    if head[:2] == b"PK":
        raise WrongWeights(f"{path} is an archive, not an HDF5 file", help="models of Keras are called NAME.keras")
    return _read(path, os.path.getsize(path), path, "h5")


def _member(path: str) -> bytes:
    """The weights in a `.keras` archive. Nothing else of it is read: its configuration could name any code."""
    try:
        with zipfile.ZipFile(path) as archive:
            try:
                entry = archive.getinfo(MEMBER)
            except KeyError:
                raise WrongWeights(
                    f"{path} has no {MEMBER}, so it is no model that Keras 3 saved",
                    help="`model.save('NAME.keras')` writes one",
                ) from None
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise WrongWeights(f"{path} is packed in a way that Keras never does: it is refused", code="NN1003")
            # The archive's own directory may claim any size.
            limit = _MAX_RATIO * min(entry.compress_size, os.path.getsize(path)) + _SLACK
            if entry.file_size > limit:
                raise _bomb(path, entry.file_size)
            with archive.open(entry) as stream:
                data = stream.read(limit + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, zlib.error) as error:
        raise WrongWeights(f"{path} is no .keras archive, or is damaged: {str(error).lower()}") from None
    if len(data) > limit:
        raise _bomb(path, len(data))
    return data


def _bomb(path: str, size: int) -> WrongWeights:
    message = f"{path} unpacks to {size:,} bytes, far more than weights would: it is refused"
    return WrongWeights(message, code="NN1003")


def _read(source: Any, size: int, shown: str, kind: str) -> Contents:
    try:
        file = h5py.File(source, "r")
        legacy = "layer_names" in file.attrs or "model_weights" in file
        items = {} if legacy else dict(_walk(file, shown))
    except WrongWeights:
        raise
    except Exception as error:  # h5py raises what it likes on damaged files
        raise WrongWeights(f"{shown} is no HDF5 file, or is damaged: {_reason(error)}") from None
    if legacy:
        raise WrongWeights(
            f"{shown} has the old form of Keras 2, which names weights by layer",
            help="load it with Keras and write it anew: `model.save_weights('NAME.weights.h5')`",
        )
    declared = sum(_bytes(item) for item in items.values())
    if declared > _MAX_RATIO * size + _SLACK:
        raise _bomb(shown, declared)
    names = sorted(items, key=_natural)
    weights = {name: items[name] for name in names if not name.startswith(STATE)}
    state = {name: items[name] for name in names if name.startswith(STATE)}
    return Contents(kind, weights, state)


def _natural(name: str) -> list[tuple[int, str]]:
    """A sorting key that puts `vars/2` before `vars/10`. Python makes no integers of more than 4,300 digits, so that
    numbers are compared as text."""
    parts = re.split(r"([0-9]+)", name)
    return [(len(n := part.lstrip("0")), n) if place % 2 else (-1, part) for place, part in enumerate(parts)]


def _walk(file: Any, shown: str) -> Iterator[tuple[str, Item]]:
    """Every array in the file, by its path. Raises WrongWeights where it holds anything else."""
    seen: set[Any] = {h5py.h5o.get_info(file.id).addr}
    waiting = [("", file, 0)]
    while waiting:
        prefix, group, depth = waiting.pop()
        for name in group:
            path = f"{prefix}{name}"
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise WrongWeights(
                    f"{shown} is more than weights: `{path}` is a link to another place", code="NN1003",
                    help="write it anew with Keras, from the model itself",
                )  # fmt: skip
            found = group[name]
            if len(seen) > _MAX_OBJECTS or depth > _MAX_DEPTH:
                raise WrongWeights(f"{shown} has more groups and arrays than any model's weights", code="NN1003")
            place = h5py.h5o.get_info(found.id).addr
            if place in seen:  # some groups with two names each have any number of paths
                raise WrongWeights(
                    f"{shown} is more than weights: `{path}` is another name of something in it", code="NN1003",
                    help="write it anew with Keras, from the model itself",
                )  # fmt: skip
            seen.add(place)
            if isinstance(found, h5py.Dataset):
                yield path, _item(found, path, shown)
            elif isinstance(found, h5py.Group):
                waiting.append((f"{path}/", found, depth + 1))


def _item(found: Any, path: str, shown: str) -> Item:
    plist = found.id.get_create_plist()
    filters = {plist.get_filter(place)[0] for place in range(plist.get_nfilters())}
    if found.external or found.is_virtual:
        raise WrongWeights(f"{shown} is more than weights: the numbers of `{path}` are in another file", code="NN1003")
    if filters - _FILTERS:
        raise WrongWeights(f"{shown} is packed in a way that is not read here: `{path}` needs a plug-in", code="NN1003")
    if found.shape is None or found.dtype.kind not in "fiub":
        raise WrongWeights(f"{shown} is more than weights: `{path}` holds no numbers", code="NN1003")
    if found.size and not found.id.get_storage_size():
        raise WrongWeights(f"{shown} is damaged: `{path}` has a shape and no numbers")

    def load() -> Array:
        try:
            return np.asarray(found[()])
        except Exception as error:  # damaged chunks
            raise WrongWeights(f"{shown} is damaged: `{path}` cannot be read, {_reason(error)}") from None

    return Item(tuple(found.shape), found.dtype.name, load)


def _bytes(item: Item) -> int:
    size = np.dtype(item.dtype).itemsize
    for axis in item.shape:
        size *= axis
    return size


def _reason(error: Exception) -> str:
    text = str(error).strip("'\"").split("\n")[0]
    return f"{text[:1].lower()}{text[1:]}"
