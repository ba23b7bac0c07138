"""Regularizers, activity regularizers and constraints on every kind of weight, beside Keras models that a person
trained. Numbers are exact in float32, which Keras rounds some of them to, but where that is what is tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
from keras import Input, Model, constraints, layers, regularizers

from tests.training.by_hand import Fit, assert_trains_as

pytestmark = [pytest.mark.keras, pytest.mark.torch]

L1, L2, L1L2 = regularizers.L1, regularizers.L2, regularizers.L1L2
MaxNorm, MinMaxNorm, NonNeg, UnitNorm = (
    constraints.MaxNorm, constraints.MinMaxNorm, constraints.NonNeg, constraints.UnitNorm,
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A layer `h` between the input and a dense output, in both languages."""

    declared: str
    layer: str
    by_hand: Callable[[Any], Any]
    flat: bool = True  # whether `h` is flattened before the output
    rate: float = 0.0625
    ids: int = 0  # the input holds ids below this
    both: bool = False  # whether the emitted Keras program is trained too
    samples: int = 10

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(int(size) for size in self.declared.partition("[")[2][:-1].split(","))


def train(case: Case) -> None:
    flow = "h -> Flatten() -> Dense(2)" if case.flat else "h -> Dense(2)"
    text = f"""
model M {{
    options {{ float = float64 }}
    input x: {case.declared}
    h = x -> {case.layer}
    output y = {flow} with loss=mse
    train {{ optimizer = SGD({case.rate}, momentum=0.5); shuffle = false }}
}}
"""

    def build() -> keras.Model:
        x = Input(case.shape, name="x", dtype="int32" if case.ids else None)
        h = case.by_hand(x)
        y = layers.Dense(2, name="y")(layers.Flatten()(h) if case.flat else h)
        model = Model(x, {"y": y})
        model.compile(keras.optimizers.SGD(case.rate, momentum=0.5), "mse", jit_compile=False)
        return model

    random = np.random.default_rng(0)
    size = (case.samples, *case.shape)
    x = random.integers(0, case.ids, size).astype("int32") if case.ids else random.normal(size=size)
    data = {"x": x, "y": random.normal(size=(case.samples, 2))}
    assert_trains_as(text, build, data, fit=Fit(epochs=7), keras_too=case.both)  # 21 steps, one in three a part


def _convolution(rank: int, name: str, axes: list[int], options: str = "", **more: Any) -> Case:
    depthwise = name.startswith("Depthwise")
    kernel, units = ("depthwise", "3") if depthwise else ("kernel", "4, 3")
    arguments = {
        f"{kernel}_regularizer": L2(0.125), "bias_regularizer": L1(0.0625), "activity_regularizer": L2(0.25),
        f"{kernel}_constraint": MaxNorm(0.5, axis=axes), "bias_constraint": MaxNorm(0.125),
    }  # fmt: skip
    text = (
        f"{name}({units}{options}, {kernel}_regularizer=L2(0.125), bias_regularizer=L1(0.0625), "
        f"activity_regularizer=L2(0.25), {kernel}_constraint=MaxNorm(0.5, axis={axes}), bias_constraint=MaxNorm(0.125))"
    )
    given = (3,) if depthwise else (4, 3)
    made = lambda x: getattr(layers, name)(*given, **more, **arguments, name="h")(x)  # noqa: E731
    return Case(f"float[{'5, ' * rank}4]", text, made, rate=2.0**-10)


def _separable(rank: int) -> Case:
    name, axes = f"SeparableConv{rank}D", list(range(rank))
    text = (
        f"{name}(3, 3, depthwise_regularizer=L2(0.125), pointwise_regularizer=L1(0.0625), bias_regularizer=L1(0.0625), "
        f"activity_regularizer=L2(0.25), depthwise_constraint=MaxNorm(0.5, axis={axes}), "
        "pointwise_constraint=UnitNorm(axis=-2), bias_constraint=NonNeg())"
    )

    def by_hand(x: Any) -> Any:
        made = getattr(layers, name)(
            3, 3, depthwise_regularizer=L2(0.125), pointwise_regularizer=L1(0.0625), bias_regularizer=L1(0.0625),
            activity_regularizer=L2(0.25), depthwise_constraint=MaxNorm(0.5, axis=axes),
            pointwise_constraint=UnitNorm(axis=-2), bias_constraint=NonNeg(), name="h",
        )  # fmt: skip
        return made(x)

    return Case(f"float[{'5, ' * rank}4]", text, by_hand, rate=2.0**-10)


RECURRENT = (
    "kernel_regularizer=L2(0.125), recurrent_regularizer=L1(0.0625), bias_regularizer=L2(0.25), "
    "kernel_constraint=MaxNorm(0.5), recurrent_constraint=UnitNorm(axis=1), bias_constraint=MaxNorm(0.75, axis=-1)"
)


def recurrent() -> dict[str, Any]:
    return {
        "kernel_regularizer": L2(0.125), "recurrent_regularizer": L1(0.0625), "bias_regularizer": L2(0.25),
        "kernel_constraint": MaxNorm(0.5), "recurrent_constraint": UnitNorm(axis=1),
        "bias_constraint": MaxNorm(0.75, axis=-1),
    }  # fmt: skip


def _recurrences() -> dict[str, Case]:
    found: dict[str, Case] = {}
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("LSTM", "", {}),
        ("LSTM", ", activation=relu", {"activation": "relu"}),
        ("GRU", "", {}),
        ("GRU", ", reset_after=false", {"reset_after": False}),
        ("SimpleRNN", "", {}),
    ]
    for name, text, options in kinds:
        given = f"{RECURRENT}{text}"

        def alone(x: Any, name: str = name, options: dict[str, Any] = options) -> Any:
            # Keras 3.15 drops the activity regularizer of SimpleRNN, and has the same layer as RNN(SimpleRNNCell).
            penalty = {"activity_regularizer": L2(0.25), "return_sequences": True, "name": "h"}
            if name == "SimpleRNN":
                return layers.RNN(layers.SimpleRNNCell(3, **recurrent()), **penalty)(x)
            return getattr(layers, name)(3, **recurrent(), **options, **penalty)(x)

        def both_ways(x: Any, name: str = name, options: dict[str, Any] = options) -> Any:
            return layers.Bidirectional(getattr(layers, name)(3, **recurrent(), **options), name="h")(x)

        def cell(x: Any, name: str = name, options: dict[str, Any] = options) -> Any:
            return layers.RNN(getattr(layers, f"{name}Cell")(3, **recurrent(), **options), name="h")(x)

        found[f"{name}{text}"] = Case(
            "float[4, 3]", f"{name}(3, return_sequences=true, activity_regularizer=L2(0.25), {given})", alone,
            both=name == "SimpleRNN",
        )  # fmt: skip
        found[f"Bidirectional {name}{text}"] = Case(
            "float[4, 3]", f"Bidirectional({name}(3, {given}))", both_ways, flat=False
        )
        found[f"cell {name}{text}"] = Case("float[4, 3]", f"RNN({name}Cell(3, {given}))", cell, flat=False)
    return found


HEADS = (
    "kernel_regularizer=L2(0.125), bias_regularizer=L1(0.0625), kernel_constraint=MaxNorm(0.5), "
    "bias_constraint=MaxNorm(0.25, axis=0)"
)


def heads() -> dict[str, Any]:
    return {
        "kernel_regularizer": L2(0.125), "bias_regularizer": L1(0.0625), "kernel_constraint": MaxNorm(0.5),
        "bias_constraint": MaxNorm(0.25, axis=0),
    }  # fmt: skip


SCALE = (
    "beta_regularizer=L2(0.125), gamma_regularizer=L1(0.0625), beta_constraint=MaxNorm(0.5), gamma_constraint=NonNeg()"
)


def scale() -> dict[str, Any]:
    return {
        "beta_regularizer": L2(0.125), "gamma_regularizer": L1(0.0625), "beta_constraint": MaxNorm(0.5),
        "gamma_constraint": NonNeg(),
    }  # fmt: skip


CASES: dict[str, Case] = {
    "Dense": Case(
        "float[6]",
        "Dense(4, kernel_regularizer=L1L2(l1=0.0625, l2=0.125), bias_regularizer=L2(0.125), "
        "activity_regularizer=L2(0.25), kernel_constraint=MaxNorm(0.5), bias_constraint=NonNeg())",
        lambda x: layers.Dense(
            4,
            kernel_regularizer=L1L2(0.0625, 0.125),
            bias_regularizer=L2(0.125),
            activity_regularizer=L2(0.25),
            kernel_constraint=MaxNorm(0.5),
            bias_constraint=NonNeg(),
            name="h",
        )(x),
        flat=False,
        both=True,
    ),
    # An activity is divided by the samples of the batch, not by steps.
    "Dense over steps": Case(
        "float[5, 6]",
        "Dense(4, activity_regularizer=L1(0.25), activation=tanh)",
        lambda x: layers.Dense(4, "tanh", activity_regularizer=L1(0.25), name="h")(x),
    ),
    # Keras holds these as float32, in float64 too.
    "constants": Case(
        "float[6]",
        "Dense(4, kernel_regularizer=l2, bias_regularizer=L1(0.1), kernel_constraint=MinMaxNorm(0.3, 0.7, rate=0.6, "
        "axis=1), bias_constraint=MaxNorm(0.3), activity_regularizer=L1L2(l1=0.1, l2=0.2))",
        lambda x: layers.Dense(
            4,
            kernel_regularizer="l2",
            bias_regularizer=L1(0.1),
            kernel_constraint=MinMaxNorm(0.3, 0.7, 0.6, axis=1),
            bias_constraint=MaxNorm(0.3),
            activity_regularizer=L1L2(0.1, 0.2),
            name="h",
        )(x),
        flat=False,
    ),
    "Conv1D": _convolution(1, "Conv1D", [0, 1], ", groups=2, padding=same", groups=2, padding="same"),
    "Conv2D": _convolution(2, "Conv2D", [0, 1, 2]),
    "DepthwiseConv1D": _convolution(1, "DepthwiseConv1D", [0], ", depth_multiplier=2", depth_multiplier=2),
    "DepthwiseConv2D": _convolution(2, "DepthwiseConv2D", [0, 1], ", depth_multiplier=2", depth_multiplier=2),
    "SeparableConv1D": _separable(1),
    "SeparableConv2D": _separable(2),
    "Conv1DTranspose": _convolution(1, "Conv1DTranspose", [0, 2], ", strides=2", strides=2),
    "Conv2DTranspose": _convolution(2, "Conv2DTranspose", [0, 1, 3], ", strides=2", strides=2),
    **_recurrences(),
    "RNN of cells": Case(
        "float[4, 3]",
        f"RNN([LSTMCell(2, {RECURRENT}), GRUCell(3, {RECURRENT})])",
        lambda x: layers.RNN([layers.LSTMCell(2, **recurrent()), layers.GRUCell(3, **recurrent())], name="h")(x),
        flat=False,
    ),
    # The two biases of a GRU are one weight, whose norm over axis 0 joins them.
    "GRU, joint biases": Case(
        "float[4, 3]",
        "GRU(3, bias_constraint=MaxNorm(0.125))",
        lambda x: layers.GRU(3, bias_constraint=MaxNorm(0.125), name="h")(x),
        flat=False,
    ),
    "GRU, biases as a whole": Case(
        "float[4, 3]",
        "GRU(3, activation=relu, bias_constraint=UnitNorm(axis=[0, 1]))",
        lambda x: layers.GRU(3, "relu", bias_constraint=UnitNorm(axis=[0, 1]), name="h")(x),
        flat=False,
    ),
    "Bidirectional, activity": Case(
        "float[4, 3]",
        "Bidirectional(LSTM(3, activity_regularizer=L2(0.25), return_sequences=true))",
        lambda x: layers.Bidirectional(layers.LSTM(3, activity_regularizer=L2(0.25), return_sequences=True), name="h")(
            x
        ),
        both=True,
    ),
    "Bidirectional SimpleRNN, activity": Case(
        "float[4, 3]",
        "Bidirectional(SimpleRNN(3, activity_regularizer=L2(0.25)), merge_mode=sum)",
        lambda x: layers.Bidirectional(
            layers.RNN(layers.SimpleRNNCell(3), activity_regularizer=L2(0.25)), merge_mode="sum", name="h"
        )(x),
        flat=False,
        both=True,
    ),
    # TimeDistributed calls what is inside without its activity regularizer.
    "TimeDistributed": Case(
        "float[4, 5, 3]",
        "TimeDistributed(Conv1D(3, 2, activity_regularizer=L2(0.25), kernel_regularizer=L2(0.125), "
        "kernel_constraint=MaxNorm(0.5, axis=[0, 1])))",
        lambda x: layers.TimeDistributed(
            layers.Conv1D(
                3,
                2,
                activity_regularizer=L2(0.25),
                kernel_regularizer=L2(0.125),
                kernel_constraint=MaxNorm(0.5, axis=[0, 1]),
            ),
            name="h",
        )(x),
        rate=2.0**-8,
    ),
    "Embedding": Case(
        "int[4]",
        "Embedding(7, 3, embeddings_regularizer=L2(0.125), embeddings_constraint=MaxNorm(0.5, axis=1))",
        lambda x: layers.Embedding(
            7, 3, embeddings_regularizer=L2(0.125), embeddings_constraint=MaxNorm(0.5, axis=1), name="h"
        )(x),
        ids=7,
    ),
    "MultiHeadAttention": Case(
        "float[4, 6]",
        f"MultiHeadAttention(2, 4, {HEADS})",
        lambda x: layers.MultiHeadAttention(2, 4, **heads(), name="h")(x, x),
    ),
    "MultiHeadAttention, own size": Case(
        "float[4, 6]",
        "MultiHeadAttention(2, 3, kernel_constraint=UnitNorm(axis=[0, 2]))",
        lambda x: layers.MultiHeadAttention(2, 3, kernel_constraint=UnitNorm(axis=[0, 2]), name="h")(x, x),
        rate=2.0**-8,
    ),
    "GroupQueryAttention": Case(
        "float[4, 6]",
        f"GroupQueryAttention(4, 4, 2, {HEADS})",
        lambda x: layers.GroupQueryAttention(4, 4, 2, **heads(), name="h")(x, x),
        rate=2.0**-8,
    ),
    "BatchNormalization": Case(
        "float[4, 4, 3]",
        f"BatchNormalization(momentum=0.75, epsilon=0.0009765625, {SCALE})",
        lambda x: layers.BatchNormalization(momentum=0.75, epsilon=2.0**-10, **scale(), name="h")(x),
    ),
    "LayerNormalization": Case(
        "float[4, 6]",
        f"LayerNormalization(axis=[1, 2], epsilon=0.0009765625, {SCALE.replace('0.5)', '0.5, axis=1)')})",
        lambda x: layers.LayerNormalization(
            axis=[1, 2], epsilon=2.0**-10, **{**scale(), "beta_constraint": MaxNorm(0.5, axis=1)}, name="h"
        )(x),
    ),
    "GroupNormalization": Case(
        "float[4, 6]",
        f"GroupNormalization(2, epsilon=0.0009765625, {SCALE})",
        lambda x: layers.GroupNormalization(2, epsilon=2.0**-10, **scale(), name="h")(x),
    ),
    "PReLU": Case(
        "float[4, 6]",
        "PReLU(alpha_regularizer=L2(0.125), alpha_constraint=UnitNorm(axis=1), shared_axes=[1])",
        lambda x: layers.PReLU(
            alpha_regularizer=L2(0.125), alpha_constraint=UnitNorm(axis=1), shared_axes=[1], name="h"
        )(x),
    ),
    "ActivityRegularization": Case(
        "float[4, 6]",
        "Dense(3) -> ActivityRegularization(l1=0.0625, l2=0.125)",
        lambda x: layers.ActivityRegularization(0.0625, 0.125)(layers.Dense(3, name="h_dense")(x)),
    ),
    # What is frozen is neither penalised nor constrained.
    "frozen": Case(
        "float[6]",
        f"Dense(4, kernel_regularizer=L2(0.5), trainable=false) -> BatchNormalization(trainable=false, {SCALE}) -> "
        "Dense(3, bias_regularizer=L2(0.5), kernel_constraint=MaxNorm(0.125), trainable=false, name=last)",
        lambda x: layers.Dense(
            3, bias_regularizer=L2(0.5), kernel_constraint=MaxNorm(0.125), trainable=False, name="last"
        )(
            layers.BatchNormalization(trainable=False, **scale(), name="h_batch_normalization")(
                layers.Dense(4, kernel_regularizer=L2(0.5), trainable=False, name="h_dense")(x)
            )
        ),
        flat=False,
    ),
}


@pytest.mark.thinned
@pytest.mark.parametrize("name", list(CASES))
def test_as_by_hand(name: str) -> None:
    train(CASES[name])


def test_a_penalty_of_a_whole_weight_takes_both_biases() -> None:
    """In float32: Keras's own fails in float64."""
    text = """
model M {
    input x: float[4, 3]
    output y = x -> GRU(3, bias_regularizer=OrthogonalRegularizer(0.5, mode=rows), name=h) -> Dense(2) with loss=mse
    train { optimizer = SGD(0.0625); shuffle = false }
}
"""

    def build() -> keras.Model:
        x = Input((4, 3), name="x")
        h = layers.GRU(3, bias_regularizer=regularizers.OrthogonalRegularizer(0.5, "rows"), name="h")(x)
        model = Model(x, {"y": layers.Dense(2, name="y")(h)})
        model.compile(keras.optimizers.SGD(0.0625), "mse", jit_compile=False)
        return model

    random = np.random.default_rng(0)
    data = {"x": random.normal(size=(10, 4, 3)).astype("float32"), "y": random.normal(size=(10, 2)).astype("float32")}
    assert_trains_as(text, build, data, fit=Fit(epochs=4), tolerance=1e-5, keras_too=False)
