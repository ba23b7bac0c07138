"""How training goes on, beside Keras models that a person wrote, compiled and fitted: statistics of batches, masks,
several outputs, weights of classes, states, the split for validation, schedules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import pytest
from keras import Input, Model, layers, regularizers

from tests.training.by_hand import Fit, assert_trains_as

pytestmark = [pytest.mark.keras, pytest.mark.torch]

Arrays = dict[str, np.ndarray]
L2 = regularizers.L2
EPSILON = 2.0**-10  # exact in float32


@dataclass(frozen=True)
class Case:
    """The body of a model, and the same by hand; metrics are computed in float32 by Keras, so `logs` differ more."""

    body: str
    by_hand: Callable[[], keras.Model]
    data: Callable[[], Arrays]
    train: str = ""
    optimizer: str = "SGD(0.125, momentum=0.5)"
    fit: Fit = field(default_factory=lambda: Fit(epochs=7))
    logs: float | None = None
    both: bool = False  # whether the emitted Keras program is trained too
    before: str = ""  # what stands in front of the model


def compiled(model: keras.Model, loss: Any, rate: Any = 0.125, **options: Any) -> keras.Model:
    model.compile(keras.optimizers.SGD(rate, momentum=0.5), loss, jit_compile=False, **options)
    return model


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def classes(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 3, shape)


def positive(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.25, 4, shape)


def words(empty: bool = False) -> np.ndarray:
    """Ids with zeros at the end, of which a whole batch may consist."""
    random = np.random.default_rng(1)
    x = random.integers(1, 7, (10, 4)).astype("int32")
    for row in x:
        row[random.integers(1, 5) :] = 0
    if empty:
        x[0] = x[4:8] = 0
    return x


def normalization(samples: int, momentum: float, **options: Any) -> Case:
    text = "".join(f", {name}={str(value).lower()}" for name, value in options.items())

    def by_hand() -> keras.Model:
        x = Input((6,), name="x")
        h = layers.BatchNormalization(momentum=momentum, epsilon=EPSILON, name="h", **options)(x)
        return compiled(Model(x, {"y": layers.Dense(2, name="y")(h)}), "mse")

    return Case(
        f"""input x: float[6]
    h = x -> BatchNormalization(momentum={momentum}, epsilon={EPSILON}{text})
    output y = h -> Dense(2) with loss=mse""",
        by_hand,
        lambda: {"x": normal(1, samples, 6), "y": normal(2, samples, 2)},
    )


def of_steps() -> keras.Model:
    x = Input((4, 3), name="x")
    h = layers.TimeDistributed(layers.BatchNormalization(momentum=0.75, epsilon=EPSILON), name="h")(x)
    return compiled(Model(x, {"y": layers.Dense(2, name="y")(h)}), "mse")


def masked_statistics() -> keras.Model:
    x = Input((4,), name="x", dtype="int32")
    h = layers.Embedding(7, 3, mask_zero=True, name="e")(x)
    h = layers.BatchNormalization(momentum=0.75, epsilon=EPSILON, name="h")(h)
    return compiled(Model(x, {"y": layers.Dense(2, name="y")(h)}), "mse")


def shared_at_once() -> keras.Model:
    x, z, w = (Input((6,), name=name) for name in "xzw")
    norm = layers.BatchNormalization(momentum=0.75, epsilon=EPSILON, name="norm")
    h = layers.Concatenate()([norm(x), norm(z), norm(w)])
    return compiled(Model([x, z, w], {"y": layers.Dense(2, name="y")(h)}), "mse")


def shared_deep() -> keras.Model:
    x, z = (Input((6,), name=name) for name in "xz")
    norm = layers.BatchNormalization(momentum=0.75, epsilon=EPSILON, name="norm")
    a = norm(x)
    c = layers.Dense(6, name="c")(norm(layers.Dense(6, name="d")(z)))
    return compiled(Model([x, z], {"y": layers.Dense(2, name="y")(layers.Add()([c, a]))}), "mse", 0.0625)


def shared_tower() -> keras.Model:
    x, z, inner = Input((6,), name="x"), Input((6,), name="z"), Input((6,))
    h = layers.Dense(6, name="tower.y_dense")(inner)
    tower = Model(inner, layers.BatchNormalization(momentum=0.75, epsilon=EPSILON, name="tower.y")(h))
    q, p = tower(x), tower(z)
    outputs = {"y": layers.Dense(2, name="y")(layers.Subtract()([p, q])), "a": layers.Dense(2, name="a")(q)}
    return compiled(Model([x, z], outputs), {"y": "mse", "a": "mse"}, 0.0625)


def shared_in_turn() -> keras.Model:
    x = Input((6,), name="x")
    norm = layers.BatchNormalization(momentum=0.75, epsilon=EPSILON, name="norm")
    d = layers.Dense(6, kernel_regularizer=L2(0.125), activity_regularizer=L2(0.25), name="d")
    h = norm(d(norm(d(norm(d(x))))))
    return compiled(Model(x, {"y": layers.Dense(2, name="y")(h)}), "mse", 0.0625)


def sequence(loss: str, metric: str, activation: str | None) -> Callable[[], keras.Model]:
    def by_hand() -> keras.Model:
        x = Input((4,), name="x", dtype="int32")
        h = layers.LSTM(4, return_sequences=True, name="h")(layers.Embedding(7, 3, mask_zero=True, name="e")(x))
        y = layers.Dense(3, activation, name="y")(h)
        return compiled(Model(x, {"y": y}), loss, metrics=[metric])

    return by_hand


def masked(loss: str, metric: str, activation: str | None, *, empty: bool) -> Case:
    units = f"3, activation={activation}" if activation else "3"
    return Case(
        f"""input x: int[4]
    h = x -> Embedding(7, 3, mask_zero=true, name=e) -> LSTM(4, return_sequences=true)
    output y = h -> Dense({units}) with loss={loss}, metrics=[{metric}]""",
        sequence(loss, metric, activation),
        lambda: {"x": words(empty), "y": classes(5, 10, 4) if activation else normal(5, 10, 4, 3)},
        logs=2e-6,
    )


def several() -> keras.Model:
    x = Input((6,), name="x")
    h = layers.Dense(5, "tanh", kernel_regularizer=L2(0.125), name="h")(x)
    outputs = {
        "a": layers.Dense(2, name="a")(h), "b": layers.Dense(3, "softmax", name="b")(h),
        "c": layers.Dense(1, "sigmoid", name="c")(h), "d": layers.Dense(2, name="d")(h),
    }  # fmt: skip
    return compiled(
        Model(x, outputs),
        {"a": "mse", "b": "sparse_categorical_crossentropy", "c": "binary_crossentropy"},
        loss_weights={"a": 0.5, "b": 2.0, "c": 10.0},
        metrics={"a": ["mae"], "b": ["accuracy"], "c": ["accuracy"]},
    )


def several_masked() -> keras.Model:
    x, z = (Input((4,), name=name, dtype="int32") for name in "xz")
    e = layers.Embedding(7, 3, mask_zero=True, name="e")
    h, g = layers.LSTM(4, return_sequences=True, name="h")(e(x)), layers.GRU(4, return_sequences=True, name="g")(e(z))
    outputs = {
        "a": layers.Dense(3, name="a")(h),
        "b": layers.Dense(3, "softmax", name="b")(layers.Add()([h, g])),
        "c": layers.Dense(2, name="c")(layers.LSTM(2, name="k")(g)),
    }
    return compiled(
        Model([x, z], outputs),
        {"a": "mse", "b": "sparse_categorical_crossentropy", "c": "mae"},
        loss_weights={"a": 0.5, "b": 2.0, "c": 4.0},
        metrics={"a": ["mae"], "b": ["accuracy"]},
    )


def one_of_two() -> keras.Model:
    x = Input((6,), name="x")
    outputs = {"a": layers.Dense(2, kernel_regularizer=L2(0.125), name="a")(x), "d": layers.Dense(2, name="d")(x)}
    return compiled(Model(x, outputs), {"a": "mse"}, loss_weights={"a": 0.5}, metrics={"a": ["mae"]})


def plain(**options: Any) -> Callable[[], keras.Model]:
    def by_hand() -> keras.Model:
        x = Input((6,), name="x")
        h = layers.Dense(5, "tanh", kernel_regularizer=L2(0.125), name="h")(x)
        return compiled(Model(x, {"y": layers.Dense(2, name="y")(h)}), "mse", **options)

    return by_hand


def dense_of_steps(*shape: int, **options: Any) -> keras.Model:
    x = Input(shape, name="x")
    return compiled(Model(x, {"y": layers.Dense(2, name="y")(x)}), "mse", **options)


def scheduled() -> keras.Model:
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([3, 7], [0.5, 0.25, 0.0625])
    return plain(rate=rate)()


PLAIN = """input x: float[6]
    h = x -> Dense(5, activation=tanh, kernel_regularizer=L2(0.125))
    output y = h -> Dense(2) with loss=mse"""


def weighted(loss: str, activation: str, units: int, target: Callable[[], np.ndarray]) -> Case:
    def by_hand() -> keras.Model:
        x = Input((6,), name="x")  # fit takes class weights for one output without a name alone
        return compiled(Model(x, layers.Dense(units, activation, name="y")(x)), loss, metrics=["accuracy"])

    weights = [0.5, 2.0, 4.0][: max(units, 2)]
    return Case(
        f"""input x: float[6]
    output y = x -> Dense({units}, activation={activation}) with loss={loss}, metrics=[accuracy]""",
        by_hand,
        lambda: {"x": normal(1, 10, 6), "y": target()},
        train=f"; class_weight = {weights}",
        fit=Fit(7, 4, {"class_weight": dict(enumerate(weights))}),
        logs=2e-6,
        both=True,
    )


def stateful() -> keras.Model:
    x = Input(batch_shape=(2, 4, 2), name="x")
    h = layers.LSTM(3, stateful=True, return_sequences=True, name="h")(x)
    return compiled(Model(x, {"y": layers.Dense(1, name="y")(h)}), "mse")


def stateful_steps() -> keras.Model:
    x = Input(batch_shape=(2, 3, 4, 2), name="x")
    h = layers.TimeDistributed(layers.LSTM(3, stateful=True), name="h")(x)
    return compiled(Model(x, {"y": layers.Dense(1, name="y")(h)}), "mse")


def activities_of_states(wrapped: bool) -> Callable[[], keras.Model]:
    def by_hand() -> keras.Model:
        x = Input((4, 3), name="x")
        lstm = layers.LSTM(3, return_state=True, return_sequences=True, activity_regularizer=L2(0.25), name="h")
        h, *_ = (layers.Bidirectional(lstm, name="h") if wrapped else lstm)(x)
        return compiled(Model(x, {"y": layers.Dense(2, name="y")(h)}), "mse")

    return by_hand


def of_states(flow: str, names: str, wrapped: bool) -> Case:
    return Case(
        f"input x: float[4, 3]\n    ({names}) = x -> {flow}\n    output y = h -> Dense(2) with loss=mse",
        activities_of_states(wrapped),
        lambda: {"x": normal(1, 10, 4, 3), "y": normal(2, 10, 4, 2)},
    )


def saturated(flow: str, by_hand: Callable[[Any], Any], loss: str, target: Callable[[], np.ndarray]) -> Case:
    """Logits so large that probabilities are 0 and 1: a loss of these is clipped, one of the logits is not."""

    def build() -> keras.Model:
        x = Input((6,), name="x")
        return compiled(Model(x, {"y": by_hand(x)}), loss, 2.0**-8)

    return Case(
        f"input x: float[6]\n    output y = {flow} with loss={loss}",
        build,
        lambda: {"x": normal(1, 10, 6) * 64, "y": target()},
        optimizer=f"SGD({2.0**-8}, momentum=0.5)",
    )


def one_hot() -> np.ndarray:
    return np.eye(3)[classes(3, 10)]


PENALISED = "LSTM(3, return_state=true, return_sequences=true, activity_regularizer=L2(0.25)"

CASES: dict[str, Case] = {
    "normalization": normalization(10, 0.75),
    "normalization, Keras's own momentum": normalization(10, 0.99),
    "normalization, one sample at the end": normalization(9, 0.75),
    "normalization without gamma": normalization(10, 0.75, scale=False),
    "normalization of each step": Case(
        f"""input x: float[4, 3]
    h = x -> TimeDistributed(BatchNormalization(momentum=0.75, epsilon={EPSILON}))
    output y = h -> Dense(2) with loss=mse""",
        of_steps,
        lambda: {"x": normal(1, 10, 4, 3), "y": normal(2, 10, 4, 2)},
    ),
    "normalization of what a mask keeps": Case(
        f"""input x: int[4]
    h = x -> Embedding(7, 3, mask_zero=true, name=e) -> BatchNormalization(momentum=0.75, epsilon={EPSILON})
    output y = h -> Dense(2) with loss=mse""",
        masked_statistics,
        lambda: {"x": words(), "y": normal(2, 10, 4, 2)},
        logs=1e-7,
    ),
    "shared normalization": Case(
        f"""input x: float[6]
    input z: float[6]
    input w: float[6]
    shared norm = BatchNormalization(momentum=0.75, epsilon={EPSILON})
    a = x -> norm
    b = z -> norm
    c = w -> norm
    output y = (a, b, c) -> Concatenate() -> Dense(2) with loss=mse""",
        shared_at_once,
        lambda: {"x": normal(1, 10, 6), "z": normal(2, 10, 6) + 1, "w": normal(3, 10, 6) * 2, "y": normal(4, 10, 2)},
    ),
    # Keras runs the calls in an order of its own: what is farthest from the outputs first, then as they are merged.
    "shared normalization, called the other way round": Case(
        f"""input x: float[6]
    input z: float[6]
    input w: float[6]
    shared norm = BatchNormalization(momentum=0.75, epsilon={EPSILON})
    c = w -> norm
    b = z -> norm
    a = x -> norm
    output y = (a, b, c) -> Concatenate() -> Dense(2) with loss=mse""",
        shared_at_once,
        lambda: {"x": normal(1, 10, 6), "z": normal(2, 10, 6) + 1, "w": normal(3, 10, 6) * 2, "y": normal(4, 10, 2)},
    ),
    "shared normalization at two depths": Case(
        f"""input x: float[6]
    input z: float[6]
    shared norm = BatchNormalization(momentum=0.75, epsilon={EPSILON})
    a = x -> norm
    d = z -> Dense(6)
    c = d -> norm -> Dense(6)
    output y = (c, a) -> Add() -> Dense(2) with loss=mse""",
        shared_deep,
        lambda: {"x": normal(1, 10, 6), "z": normal(2, 10, 6) + 1, "y": normal(4, 10, 2)},
        optimizer="SGD(0.0625, momentum=0.5)",
    ),
    "a shared block with normalization": Case(
        """input x: float[6]
    input z: float[6]
    shared tower = Tower()
    q = x -> tower
    p = z -> tower
    output y = (p, q) -> Subtract() -> Dense(2) with loss=mse
    output a = q -> Dense(2) with loss=mse""",
        shared_tower,
        lambda: {"x": normal(1, 12, 6), "z": normal(2, 12, 6) + 1, "y": normal(4, 12, 2), "a": normal(5, 12, 2)},
        optimizer="SGD(0.0625, momentum=0.5)",
        before=f"""
block Tower() {{
    input x
    output y = x -> Dense(6) -> BatchNormalization(momentum=0.75, epsilon={EPSILON})
}}
""",
    ),
    # A regularizer of weights counts once, that of activities with each call.
    "shared layers in turn": Case(
        f"""input x: float[6]
    shared norm = BatchNormalization(momentum=0.75, epsilon={EPSILON})
    shared d = Dense(6, kernel_regularizer=L2(0.125), activity_regularizer=L2(0.25))
    output y = x -> d -> norm -> d -> norm -> d -> norm -> Dense(2) with loss=mse""",
        shared_in_turn,
        lambda: {"x": normal(1, 10, 6), "y": normal(4, 10, 2)},
        optimizer="SGD(0.0625, momentum=0.5)",
    ),
    "masked": masked("mse", "mae", None, empty=False),
    "masked, nothing left": masked("mse", "mae", None, empty=True),
    "masked classes": masked("sparse_categorical_crossentropy", "accuracy", "softmax", empty=False),
    "masked classes, nothing left": masked("sparse_categorical_crossentropy", "accuracy", "softmax", empty=True),
    # Whole batches: with a smaller one at the end Keras reports plain means of the batches for each output.
    "several outputs": Case(
        """input x: float[6]
    h = x -> Dense(5, activation=tanh, kernel_regularizer=L2(0.125))
    output a = h -> Dense(2) with loss=mse, weight=0.5, metrics=[mae]
    output b = h -> Dense(3, activation=softmax)
        with loss=sparse_categorical_crossentropy, weight=2, metrics=[accuracy]
    output c = h -> Dense(1, activation=sigmoid) with loss=binary_crossentropy, weight=10, metrics=[accuracy]
    output d = h -> Dense(2)""",
        several,
        lambda: {"x": normal(1, 12, 6), "a": normal(2, 12, 2), "b": classes(3, 12), "c": classes(4, 12, 1) % 2 + 0.0},
        logs=2e-6,
        both=True,
    ),
    "several masked outputs": Case(
        """input x: int[4]
    input z: int[4]
    shared e = Embedding(7, 3, mask_zero=true)
    h = x -> e -> LSTM(4, return_sequences=true)
    g = z -> e -> GRU(4, return_sequences=true)
    m = (h, g) -> Add()
    output a = h -> Dense(3) with loss=mse, weight=0.5, metrics=[mae]
    output b = m -> Dense(3, activation=softmax)
        with loss=sparse_categorical_crossentropy, weight=2, metrics=[accuracy]
    k = g -> LSTM(2)
    output c = k -> Dense(2) with loss=mae, weight=4""",
        several_masked,
        lambda: {
            "x": words()[:8],
            "z": words()[2:],
            "a": normal(2, 8, 4, 3),
            "b": classes(3, 8, 4),
            "c": normal(4, 8, 2),
        },
        logs=2e-6,
    ),
    "an output without a loss": Case(
        """input x: float[6]
    output a = x -> Dense(2, kernel_regularizer=L2(0.125)) with loss=mse, weight=0.5, metrics=[mae]
    output d = x -> Dense(2)""",
        one_of_two,
        lambda: {"x": normal(1, 10, 6), "a": normal(2, 10, 2)},
        logs=2e-6,
    ),
    "the last part for validation": Case(
        PLAIN + ", weight=0.5, metrics=[mae]",
        plain(loss_weights={"y": 0.5}, metrics=["mae"]),
        lambda: {"x": normal(1, 13, 6), "y": normal(2, 13, 2)},
        train="; validation_split = 0.3",
        fit=Fit(7, 4, {"validation_split": 0.3}),
        logs=2e-6,
        both=True,
    ),
    "a schedule counts batches": Case(
        PLAIN,
        scheduled,
        lambda: {"x": normal(1, 10, 6), "y": normal(2, 10, 2)},
        optimizer="SGD(PiecewiseConstantDecay([3, 7], [0.5, 0.25, 0.0625]), momentum=0.5)",
    ),
    "weights of class ids": weighted("sparse_categorical_crossentropy", "softmax", 3, lambda: classes(3, 10)),
    "weights of classes": weighted("categorical_crossentropy", "softmax", 3, lambda: np.eye(3)[classes(3, 10)]),
    "weights of yes and no": weighted("binary_crossentropy", "sigmoid", 1, lambda: classes(3, 10, 1) % 2 + 0.0),
    "weights of samples": Case(
        """input x: float[6]
    output y = x -> Dense(2) with loss=mse, sample_weight=w, metrics=[mae]""",
        lambda: dense_of_steps(6, metrics=["mae"]),
        lambda: {"x": normal(1, 10, 6), "y": normal(2, 10, 2), "w": positive(3, 10)},
        fit=Fit(7, 4, weights={"y": positive(3, 10)}),
        logs=2e-6,
        both=True,
    ),
    # Keras takes (samples, 1) for weights of samples here; (samples,) would be weights of steps, where it fits.
    "weights of sequences": Case(
        """input x: float[4, 6]
    output y = x -> Dense(2) with loss=mse, sample_weight=w""",
        lambda: dense_of_steps(4, 6),
        lambda: {"x": normal(1, 10, 4, 6), "y": normal(2, 10, 4, 2), "w": positive(3, 10)},
        fit=Fit(7, 4, weights={"y": positive(3, 10, 1)}),
        both=True,
    ),
    "weights of steps": Case(
        """input x: float[4, 6]
    output y = x -> Dense(2) with loss=mse, step_weight=w""",
        lambda: dense_of_steps(4, 6),
        lambda: {"x": normal(1, 10, 4, 6), "y": normal(2, 10, 4, 2), "w": positive(3, 10, 4)},
        fit=Fit(7, 4, weights={"y": positive(3, 10, 4)}),
        both=True,
    ),
    "weights of masked steps": Case(
        """input x: int[4]
    h = x -> Embedding(7, 3, mask_zero=true, name=e) -> LSTM(4, return_sequences=true)
    output y = h -> Dense(3, activation=softmax)
        with loss=sparse_categorical_crossentropy, step_weight=w, metrics=[accuracy]""",
        sequence("sparse_categorical_crossentropy", "accuracy", "softmax"),
        lambda: {"x": words(True), "y": classes(5, 10, 4), "w": positive(3, 10, 4)},
        fit=Fit(7, 4, weights={"y": positive(3, 10, 4)}),
        logs=2e-6,
    ),
    "weights of masked sequences": Case(
        """input x: int[4]
    h = x -> Embedding(7, 3, mask_zero=true, name=e) -> LSTM(4, return_sequences=true)
    output y = h -> Dense(3, activation=softmax)
        with loss=sparse_categorical_crossentropy, sample_weight=w, metrics=[accuracy]""",
        sequence("sparse_categorical_crossentropy", "accuracy", "softmax"),
        lambda: {"x": words(), "y": classes(5, 10, 4), "w": positive(3, 10)},
        fit=Fit(7, 4, weights={"y": positive(3, 10, 1)}),
        logs=2e-6,
    ),
    "weights of two outputs of four": Case(
        """input x: float[6]
    h = x -> Dense(5, activation=tanh, kernel_regularizer=L2(0.125))
    output a = h -> Dense(2) with loss=mse, weight=0.5, metrics=[mae], sample_weight=w
    output b = h -> Dense(3, activation=softmax)
        with loss=sparse_categorical_crossentropy, weight=2, metrics=[accuracy]
    output c = h -> Dense(1, activation=sigmoid)
        with loss=binary_crossentropy, weight=10, metrics=[accuracy], sample_weight=w
    output d = h -> Dense(2)""",
        several,
        lambda: {
            "x": normal(1, 12, 6),
            "a": normal(2, 12, 2),
            "b": classes(3, 12),
            "c": classes(4, 12, 1) % 2 + 0.0,
            "w": positive(3, 12),
        },
        fit=Fit(7, 4, weights={"a": positive(3, 12), "b": np.ones(12), "c": positive(3, 12), "d": np.ones(12)}),
        logs=2e-6,
        both=True,
    ),
    "weights with a validation split": Case(
        PLAIN + ", sample_weight=w",
        plain(),
        lambda: {"x": normal(1, 13, 6), "y": normal(2, 13, 2), "w": positive(3, 13)},
        train="; validation_split = 0.3",
        fit=Fit(7, 4, {"validation_split": 0.3}, {"y": positive(3, 13)}),
        both=True,
    ),
    "a state that is never reset": Case(
        """input x: float[4, 2] with batch=2
    h = x -> LSTM(3, stateful=true, return_sequences=true)
    output y = h -> Dense(1) with loss=mse""",
        stateful,
        lambda: {"x": normal(1, 8, 4, 2), "y": normal(2, 8, 4, 1)},
        train="; reset_state = never",
        fit=Fit(7, 2),
    ),
    "a state of steps that is never reset": Case(
        """input x: float[3, 4, 2] with batch=2
    h = x -> TimeDistributed(LSTM(3, stateful=true))
    output y = h -> Dense(1) with loss=mse""",
        stateful_steps,
        lambda: {"x": normal(1, 8, 3, 4, 2), "y": normal(2, 8, 3, 1)},
        train="; reset_state = never",
        fit=Fit(7, 2),
    ),
    # Keras penalises all that a layer gives, its states too.
    "penalised states": of_states(f"{PENALISED})", "h, _, _", wrapped=False),
    "penalised states of both directions": of_states(
        f"Bidirectional({PENALISED}), name=h)", "h, _, _, _, _", wrapped=True
    ),
    # Keras computes these from logits: it sees a softmax or sigmoid through layers that hand on what they get.
    "a softmax and an idle layer": saturated(
        "x -> Dense(3, activation=softmax) -> Identity()",
        lambda x: layers.Identity()(layers.Dense(3, "softmax", name="y_dense")(x)),
        "categorical_crossentropy",
        one_hot,
    ),
    "a sigmoid, no dropout, no activation": saturated(
        "x -> Dense(3, activation=sigmoid) -> Dropout(0) -> Activation(linear)",
        lambda x: layers.Activation("linear")(layers.Dropout(0)(layers.Dense(3, "sigmoid", name="y_dense")(x))),
        "binary_crossentropy",
        lambda: classes(3, 10, 3) % 2 + 0.0,
    ),
    "a penalised softmax": saturated(
        "x -> Dense(3, activation=softmax, activity_regularizer=L2(0.25))",
        lambda x: layers.Dense(3, "softmax", activity_regularizer=L2(0.25), name="y")(x),
        "sparse_categorical_crossentropy",
        lambda: classes(3, 10),
    ),
    "a softmax penalised behind it": saturated(
        "x -> Dense(3, activation=softmax) -> ActivityRegularization(l2=0.25)",
        lambda x: layers.ActivityRegularization(l2=0.25)(layers.Dense(3, "softmax", name="y_dense")(x)),
        "sparse_categorical_crossentropy",
        lambda: classes(3, 10),
    ),
    "a softmax and another shape": saturated(
        "x -> Dense(3, activation=softmax) -> Reshape([3])",
        lambda x: layers.Reshape((3,))(layers.Dense(3, "softmax", name="y_dense")(x)),
        "categorical_crossentropy",
        one_hot,
    ),
}


@pytest.mark.thinned
@pytest.mark.parametrize("name", list(CASES))
def test_as_by_hand(name: str) -> None:
    case = CASES[name]
    text = f"""{case.before}
model M {{
    options {{ float = float64 }}
    {case.body}
    train {{ optimizer = {case.optimizer}; shuffle = false{case.train} }}
}}
"""
    assert_trains_as(text, case.by_hand, case.data(), fit=case.fit, logs=case.logs, keras_too=case.both)
