"""Weight files of nndsl: safetensors with canonical names ("layer/kernel") in Keras's layout, whatever the framework.

The state of an optimizer stands beside the weights under "optimizer/…" (see `optimizer_names`); who wants the weights
alone passes over it. The metadata has one entry, `nndsl`, a JSON object: `version`, `layout` ("keras"), `model`,
`optimizer` (its name, where the file has its state), and what the transforms of its data have learnt (`transforms`).
One entry, because safetensors writes several in no fixed order, and equal weights are to give equal files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from nndsl.files import write_bytes
from nndsl.interop.contents import Array, Contents, Item, Weights
from nndsl.interop.optimizer_names import PREFIX
from nndsl.interop.problem import WrongWeights

FORMAT = "nndsl"
VERSION = 1
MOST_ARRAYS = 100_000
_DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "BOOL": "bool",
    **{f"I{n}": f"int{n}" for n in (8, 16, 32, 64)}, **{f"U{n}": f"uint{n}" for n in (8, 16, 32, 64)},
}  # fmt: skip


def packed(weights: Weights, *, model: str, optimizer: str | None = None) -> bytes:
    """The file as bytes. `optimizer` names the one whose state it is."""
    about = {
        "version": VERSION,
        "layout": "keras",
        "model": model,
        "optimizer": optimizer if weights.state else None,
        "transforms": weights.about.get("transforms") or {},
    }
    arrays = {name: np.asarray(array, order="C") for name, array in sorted((weights.values | weights.state).items())}
    return save(arrays, {FORMAT: json.dumps(about, sort_keys=True)})


def save_weights(
    path: str, values: Mapping[str, Array], state: Mapping[str, Array] | None = None, *, model: str,
    optimizer: str | None = None, transforms: Any = None,
) -> None:  # fmt: skip
    """Writes the file as a whole or not at all. Raises nndsl.files.CannotWrite."""
    weights = Weights(dict(values), dict(state or {}), {"transforms": transforms})
    write_bytes(path, packed(weights, model=model, optimizer=optimizer))


def read(path: str) -> Contents:
    """Any safetensors file. Raises WrongWeights, OSError."""
    try:
        file: Any = safe_open(path, framework="np")
        metadata = file.metadata() or {}
        names = file.keys()
        if len(names) > MOST_ARRAYS:
            raise WrongWeights(f"{path} has {len(names):,} arrays, more than any model's weights", code="NN1003")
        items = {name: _item(file, name) for name in names}
    except SafetensorError as error:
        raise WrongWeights(f"{path} is no safetensors file, or is damaged: {error}") from None
    try:
        about = json.loads(metadata.get(FORMAT, "null"))
    except (ValueError, RecursionError):
        about = None
    weights = {name: item for name, item in items.items() if not name.startswith(PREFIX)}
    state = {name: item for name, item in items.items() if name.startswith(PREFIX)}
    return Contents("safetensors", weights, state, about if isinstance(about, dict) else {})


def check_origin(contents: Contents, path: str) -> None:
    """Raises WrongWeights where the file does not say that it has names and layout of ours."""
    version = contents.about.get("version")
    if version is None:
        raise WrongWeights(
            f"{path} was not written by nndsl: nothing says whose names and layout it has",
            help="convert the file that its framework writes: NAME.pt, NAME.weights.h5 or NAME.keras",
        )
    if version != VERSION:
        raise WrongWeights(f"{path} has version {version!r}, and this nndsl reads version {VERSION}")


def _item(file: Any, name: str) -> Item:
    part = file.get_slice(name)
    kind = part.get_dtype()
    dtype = _DTYPES.get(kind, str(kind).lower())

    def load() -> Array:
        try:
            return np.asarray(file.get_tensor(name))
        except (TypeError, SafetensorError):
            raise WrongWeights(f"`{name}` holds {dtype} numbers, which are not read") from None

    return Item(tuple(part.get_shape()), dtype, load)
