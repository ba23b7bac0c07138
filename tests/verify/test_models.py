"""Models of many kinds, small ones: everything agrees, and everything has been compared.

Their constants are powers of two, which float32 holds: these tests are about verify, not about rounding.
"""

from __future__ import annotations

import pytest

from tests.verify.planting import assert_holds, run

SGD = "optimizer = SGD(learning_rate=0.125, momentum=0.5)"

MODELS = {
    "text": """
    input words: int[T]
    output y = words -> Embedding(12, 4, mask_zero=true) -> GRU(3) -> Dense(2) with loss=mse
    train { optimizer = SGD(learning_rate=0.125) }
""",
    "images": f"""
    options {{ data_format = channels_first }}
    input x: float[3, H, W]
    output y = x
        -> Conv2D(4, 3, strides=2, padding=same) -> BatchNormalization(axis=1, epsilon=0.0078125, momentum=0.5)
        -> Activation(relu) -> SpatialDropout2D(0.25) -> MaxPooling2D(2, padding=same)
        -> GlobalAveragePooling2D() -> Dense(3, activation=softmax)
        with loss=sparse_categorical_crossentropy, metrics=[accuracy]
    train {{ {SGD}; class_weight = [1, 2, 0.5] }}
""",
    "recurrent dropout": f"""
    input x: float[T, 3]
    output y = x
        -> Masking(mask_value=-1)
        -> Bidirectional(LSTM(4, dropout=0.25, recurrent_dropout=0.5, return_sequences=true))
        -> SimpleRNN(3) -> Dropout(0.5) -> Dense(1, activation=sigmoid)
        with loss=binary_crossentropy, metrics=[accuracy]
    train {{ {SGD} }}
""",
    "attention": f"""
    input x: float[T, 8]
    output y = (x, x) -> MultiHeadAttention(2, 4, dropout=0.25, use_causal_mask=true) -> Dense(2) with loss=huber
    train {{ {SGD} }}
""",
    "noise": f"""
    input x: float[6]
    output y = x -> GaussianNoise(0.5) -> Dense(5, activation=tanh) -> GaussianDropout(0.25) -> Dense(2) with loss=mse
    train {{ {SGD} }}
""",
    "rules": """
    input x: float[6]
    output y = x
        -> Dense(5, activation=tanh, kernel_constraint=MaxNorm(1), kernel_regularizer=L2(0.0078125))
        -> Dense(2, activity_regularizer=L1(0.0078125), bias_constraint=NonNeg())
        with loss=mse, metrics=[mae, cosine_similarity]
    train {
        optimizer = SGD(learning_rate=PiecewiseConstantDecay([4, 9], [0.25, 0.125, 0.0625]), clipnorm=0.5)
        callbacks = EarlyStopping(monitor=val_loss, patience=1)
    }
""",
    "steps": """
    input x: float[6]
    h = x -> Dense(4, activation=tanh)
    output a = h -> Dense(2) with loss=mse
    output b = h -> Dense(1) with loss=mae, weight=0.25, metrics=[mse]
    train { optimizer = SGD(learning_rate=0.125); steps = 100; evaluate_every = 4 }
""",
    "state": """
    input x: float[5, 3] with batch=4
    output y = x -> GRU(4, stateful=true) -> Dense(1) with loss=mse
    train { optimizer = SGD(learning_rate=0.125); batch_size = 4; reset_state = never }
""",
    "a sample of a distribution": f"""
    input x: float[6]
    mean = x -> Dense(3)
    output y = mean + 0.5 * random_normal(mean) -> Dense(6) with loss=mse
    penalty size = 0.25 * sum(square(mean), axis=-1)
    train {{ {SGD} }}
""",
}


def source(name: str) -> str:
    return f"model Kind {{{MODELS[name]}}}\n"


CHECKS = ["outputs", "losses and metrics", "gradients", "loss of each step", "reports of training"]


def test_a_text() -> None:
    rows = run(source("text"))
    assert_holds(rows)
    assert {*CHECKS, "masks", "free sizes", "extreme values", "weights after training"} == set(rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_kinds(name: str) -> None:
    rows = run(source(name), steps=20, floats=("float64", "float32"))
    assert_holds(rows)
    assert {f"{check} float64" for check in CHECKS} <= set(rows)


@pytest.mark.slow
def test_blocks_written_out() -> None:
    block = "block Pair(n) { input x; output y = x -> Dense(n, activation=tanh) -> Dense(n) }\n"
    text = "model Kind {\n    input x: float[4]\n    output y = x -> Pair(4) -> Pair(4) with loss=mse\n}\n"
    assert_holds(run(block + text.replace("}\n", f"    train {{ {SGD} }}\n}}\n"), inline=True))


@pytest.mark.slow
def test_without_a_loss() -> None:
    rows = run("model Kind {\n    input x: float[N, 4]\n    output y = x -> LSTM(3) -> Dropout(0.5)\n}\n")
    assert_holds(rows)
    assert set(rows) == {"outputs", "free sizes", "extreme values", "gradients"}
    assert "`y_lstm/recurrent_kernel`" in {difference.name for difference in rows["gradients"].differences}


@pytest.mark.slow
def test_what_tensorflow_cannot_do_in_float64() -> None:
    layer = "ContrastLimitedAdaptiveHistogramEqualization(value_range=[0, 1], tile_grid_size=[2, 2])"
    text = f"model Kind {{\n    input x: float[4, 4, 1]\n    output y = x -> {layer} -> Flatten()\n}}\n"
    rows = run(text, floats=("float64", "float32"))
    assert rows["outputs float64"].status == "not run" and "Keras: " in rows["outputs float64"].note
    assert rows["outputs float32"].status == "ok"


@pytest.mark.slow
@pytest.mark.parametrize(
    "layer",
    [
        "MaxPooling3D(2)",
        "MaxPooling3D(3, strides=2, padding=same)",
        "AveragePooling3D((2, 3, 2), strides=2, padding=same)",
        "AveragePooling3D(2, strides=1)",
    ],
)
def test_pooling_in_three_dimensions(layer: str) -> None:
    text = f"model Kind {{\n    input x: float[5, 6, 7, 2]\n    output y = x -> ReLU() -> {layer}\n}}\n"
    assert_holds(run(text, floats=("float64", "float32")))
