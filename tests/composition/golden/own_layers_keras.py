"""M, compiled by nndsl."""

from __future__ import annotations

import argparse
from itertools import zip_longest
from typing import Any

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


class Linear(layers.Layer):
    """A layer of one's own is called like any other, from models and blocks; each call
    has weights of its own.
    """

    def __init__(self, units: int, bias_start: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.bias_start = bias_start

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.units),
            initializer="glorot_uniform",
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.units,), initializer="zeros"
        )

    def call(self, x: Any) -> Any:
        return x @ self.kernel + self.bias

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "bias_start": self.bias_start,
        }


class Linear_block(layers.Layer):
    """A layer of one's own is called like any other, from models and blocks; each call
    has weights of its own.
    """

    def __init__(self, units: int, bias_start: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.bias_start = bias_start

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.units),
            initializer="glorot_uniform",
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.units,), initializer=self.bias_start
        )

    def call(self, x: Any) -> Any:
        return x @ self.kernel + self.bias

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "bias_start": self.bias_start,
        }


class Count(layers.Layer):
    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.steps = self.add_weight(
            name="steps", shape=(1,), initializer="zeros", trainable=False
        )

    def call(self, x: Any) -> Any:
        steps = self.steps + 1
        self.steps.assign(steps)
        return x

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        return input_shape


def mlp(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    x = Linear(5, "zeros", name=f"{name}.y_linear")(x)
    x = layers.ReLU(name=f"{name}.y_re_lu")(x)
    x = Linear_block(5, "ones", name=f"{name}.y_linear_2")(x)
    return Count(name=f"{name}.y")(x)


def build_model() -> keras.Model:
    """Maps x, float32 [batch, 4], to y, float32 [batch, 3]."""
    x = keras.Input((4,), name="x")
    y = mlp(x, name="y_mlp")
    linear = Linear_block(5, "zeros", name="linear")
    y = linear(y)
    y = linear(y)
    y = Linear(3, "zeros", name="y_linear")(y)
    y = Linear_block(3, "zeros", name="y_linear_2")(y)
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
