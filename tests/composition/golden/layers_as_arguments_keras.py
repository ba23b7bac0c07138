"""M, compiled by nndsl."""

from __future__ import annotations

import argparse
from itertools import zip_longest

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


def twice(x: keras.KerasTensor, units: int, *, name: str) -> keras.KerasTensor:
    """A layer that is passed to a block is fresh at each use, and means what it meant
    where it was written.
    """
    x = layers.Dense(units, name=f"{name}.y_dense")(x)
    return layers.Dense(units, name=f"{name}.y_dense_2")(x)


def twice_with_layer_normalization(
    x: keras.KerasTensor, *, name: str
) -> keras.KerasTensor:
    """A layer that is passed to a block is fresh at each use, and means what it meant
    where it was written.
    """
    x = layers.LayerNormalization(name=f"{name}.y_layer_normalization")(x)
    return layers.LayerNormalization(name=f"{name}.y_layer_normalization_2")(x)


def outer(x: keras.KerasTensor, units: int, *, name: str) -> keras.KerasTensor:
    x = twice(x, units, name=f"{name}.y_twice")
    return twice_with_layer_normalization(x, name=f"{name}.y")


def twice_units3(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """A layer that is passed to a block is fresh at each use, and means what it meant
    where it was written.
    """
    x = outer(x, 2, name=f"{name}.y_outer")
    return outer(x, 2, name=f"{name}.y_outer_2")


def build_model() -> keras.Model:
    """Maps x, float32 [batch, 4], to y, float32 [batch, 2]."""
    x = keras.Input((4,), name="x")
    y = outer(x, 5, name="y_outer")
    y = twice_units3(y, name="y")
    return keras.Model(x, {"y": y}, name="M")


ARRAYS = {"x": ((4,), "float32")}
INPUTS = ("x",)
TARGETS = ()
BATCH_SIZE = 32


def load_data(path: str, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Arrays of an .npz file; ValueError where one does not fit the model."""
    with np.load(path, allow_pickle=False) as file:
        data = {name: file[name] for name in names}
    count = max(1, *map(len, data.values()))
    for name, array in data.items():
        shape, dtype = ARRAYS[name]
        wanted, given, kind = (count, *shape), array.shape, array.dtype
        sizes = list(zip_longest(wanted, given, fillvalue=1))  # a missing axis is 1
        fits = all(size in (None, n) for size, n in sizes)
        if not fits or not np.can_cast(kind, dtype, "same_kind"):
            raise ValueError(f"{name} must be {dtype} {wanted}, not {kind} {given}")
        data[name] = array.reshape([n for _, n in sizes[: len(wanted)]]).astype(dtype)
    return data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["predict"])
    parser.add_argument("data", help="an .npz file with an array for each name")
    parser.add_argument("--weights", default="model.weights.h5")
    parser.add_argument("-o", "--output", default="predictions.npz")
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE)
    args = parser.parse_args()
    model = build_model()
    try:
        data = load_data(args.data, INPUTS)
        model.load_weights(args.weights)
    except Exception as error:  # noqa: BLE001 (files can be broken in many ways)
        raise SystemExit(f"error: {error}") from None
    outputs = model.predict(data, args.batch_size, verbose=0)
    np.savez(args.output, **outputs)


if __name__ == "__main__":
    main()
