"""M, compiled by nndsl."""

from __future__ import annotations

import argparse
from itertools import zip_longest

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


def tower_block(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """A shared block has one set of layers, however often it is called."""
    x = layers.Dense(3, activation="relu", name=f"{name}.y_dense")(x)
    return layers.Dense(3, name=f"{name}.y")(x)


def build_model() -> keras.Model:
    """The model M.

    Inputs:
        left: float32 [batch, 4]
        right: float32 [batch, 4]
    Outputs:
        y: float32 [batch, 3]
    """
    left = keras.Input((4,), name="left")
    right = keras.Input((4,), name="right")
    tower_x = keras.Input((4,))
    tower = keras.Model(tower_x, tower_block(tower_x, name="tower"), name="tower")
    x = tower(left)
    norm = layers.LayerNormalization(name="norm")
    x = norm(x)
    y = tower(right)
    y = norm(y)
    x = layers.Concatenate(name="y_concatenate")([x, y])
    x = layers.Dense(4, name="y_dense")(x)
    y = tower(x)
    return keras.Model([left, right], {"y": y}, name="M")


ARRAYS = {"left": ((4,), "float32"), "right": ((4,), "float32")}
INPUTS = ("left", "right")
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
