"""M, compiled by nndsl."""

from __future__ import annotations

import argparse
from itertools import zip_longest

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


def build_model() -> keras.Model:
    """Maps x, float32 [batch, 2], to y, float32 [batch, 3]."""
    x = keras.Input((2,), name="x")
    a = layers.Dense(3, name="a_dense")(x)
    a = layers.Dense(3, name="a_dense_2")(a)
    b = layers.Dense(1, name="b_dense")(a)
    b = layers.ReLU(name="b_re_lu")(b)
    b = layers.Dense(2, name="b_dense_2")(b)
    b = layers.ReLU(name="b_re_lu_2")(b)
    b = layers.Dense(4, name="b_dense_3")(b)
    b = layers.ReLU(name="b_re_lu_3")(b)
    c = layers.Dense(5, name="c_dense")(b)
    c = layers.Dense(7, name="c_dense_2")(c)
    d = layers.Dense(4, name="d_dense")(c)
    d = layers.Dense(4, name="d_dense_2")(d)
    d = layers.Dense(6, name="d_dense_3")(d)
    y = layers.Dense(1, name="y_dense")(d)
    y = layers.Dense(2, name="y_dense_2")(y)
    y = layers.Dense(3, name="y_dense_3")(y)
    return keras.Model(x, {"y": y}, name="M")


ARRAYS = {"x": ((2,), "float32")}
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
