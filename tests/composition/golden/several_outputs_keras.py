"""M, compiled by nndsl."""

from __future__ import annotations

import argparse
from itertools import zip_longest

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


def gaussian_with_dense(
    x: keras.KerasTensor, *, name: str
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Several inputs and outputs go by their order; `_` leaves one out."""
    hidden = layers.Dense(6, name=f"{name}.hidden")(x)
    mean = layers.Dense(2, name=f"{name}.mean")(hidden)
    spread_ = layers.Dense(2, activation="softplus", name=f"{name}.spread")(hidden)
    return (mean, spread_)


def gaussian(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Several inputs and outputs go by their order; `_` leaves one out."""
    return layers.Dense(6, name=f"{name}.hidden")(x)


def gaussian_with_dense_block(
    x: keras.KerasTensor, *, name: str
) -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
    """Several inputs and outputs go by their order; `_` leaves one out."""
    hidden = layers.Dense(6, name=f"{name}.hidden")(x)
    mean = layers.Dense(2, name=f"{name}.mean")(hidden)
    spread_ = layers.Dense(2, activation="softplus", name=f"{name}.spread")(hidden)
    return (mean, spread_, hidden)


def mix(
    first: keras.KerasTensor, second: keras.KerasTensor, *, name: str
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    y = layers.Subtract(name=f"{name}.y")([first, second])
    return (y, second)


def build_model() -> keras.Model:
    """The model M.

    Inputs:
        x: float32 [batch, 4]
    Outputs:
        both: float32 [batch, 12]
        sum: float32 [batch, 2]
    """
    x = keras.Input((4,), name="x")
    mean, spread_ = gaussian_with_dense(x, name="mean")
    raw = gaussian(x, name="raw")
    y, z = mix(mean, spread_, name="y")
    both, both_gaussian, both_gaussian_2 = gaussian_with_dense_block(
        x, name="both_gaussian"
    )
    both_dense = layers.Dense(2, name="both_dense")(x)
    both = layers.Concatenate(name="both")(
        [both, both_gaussian, both_gaussian_2, both_dense]
    )
    sum_ = layers.Dense(2, name="sum_dense")(raw)
    sum_ = layers.Add(name="sum")([sum_, y, z])
    return keras.Model(x, {"both": both, "sum": sum_}, name="M")


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
