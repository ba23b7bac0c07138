"""M, compiled by nndsl."""

from __future__ import annotations

import argparse
from itertools import zip_longest

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


def conv(
    x: keras.KerasTensor, filters: int, stride: int = 1, *, name: str
) -> keras.KerasTensor:
    """Blocks call blocks; each call has layers of its own."""
    x = layers.Conv2D(
        filters,
        3,
        strides=stride,
        padding="same",
        use_bias=False,
        name=f"{name}.y_conv2d",
    )(x)
    return layers.BatchNormalization(name=f"{name}.y")(x)


def residual_with_skip(
    x: keras.KerasTensor, filters: int, stride: int = 1, *, name: str
) -> keras.KerasTensor:
    path = conv(x, filters, stride, name=f"{name}.path_conv")
    path = layers.ReLU(name=f"{name}.path_re_lu")(path)
    path = conv(path, filters, name=f"{name}.path")
    skip = layers.Conv2D(filters, 1, strides=stride, name=f"{name}.skip_conv2d")(x)
    x = layers.Add(name=f"{name}.y_add")([path, skip])
    return layers.ReLU(name=f"{name}.y")(x)


def residual(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    path = conv(x, 4, name=f"{name}.path_conv")
    path = layers.ReLU(name=f"{name}.path_re_lu")(path)
    path = conv(path, 4, name=f"{name}.path")
    skip = layers.Identity(name=f"{name}.skip_identity")(x)
    x = layers.Add(name=f"{name}.y_add")([path, skip])
    return layers.ReLU(name=f"{name}.y")(x)


def build_model() -> keras.Model:
    """Maps image, float32 [batch, 8, 8, 3], to y, float32 [batch, 4, 4, 8]."""
    image = keras.Input((8, 8, 3), name="image")
    x = residual_with_skip(image, 4, name="y_residual")
    for i in range(2, 4):
        x = residual(x, name=f"y_residual_{i}")
    y = residual_with_skip(x, 8, 2, name="y")
    return keras.Model(image, {"y": y}, name="M")


ARRAYS = {"image": ((8, 8, 3), "float32")}
INPUTS = ("image",)
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
