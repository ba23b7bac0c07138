"""Every optimizer and schedule against Keras's own: 50 steps of a small net, in float32 and float64."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")
from tests.training.training_harness import assert_same_training

pytestmark = [pytest.mark.keras, pytest.mark.torch]

OPTIMIZERS = [
    "sgd",
    "SGD(0.05, momentum=0.9)",
    "SGD(0.05, momentum=0.9, nesterov=true)",
    "SGD(0.05, weight_decay=0.1)",
    "SGD(0.05, momentum=0.9, nesterov=true, weight_decay=0.1)",
    "SGD(ExponentialDecay(0.1, 7, 0.5), momentum=0.9)",
    "rmsprop",
    "RMSprop(0.01, rho=0.8, momentum=0.5, epsilon=1e-4, weight_decay=0.05)",
    "RMSprop(0.01, centered=true)",
    "adam",
    "Adam(0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-3, amsgrad=true)",
    "Adam(0.01, weight_decay=0.1)",
    "AdamW(0.01)",
    "AdamW(0.01, weight_decay=0.2, clipnorm=0.5)",
    "Adamax(0.01, weight_decay=0.05)",
    "nadam",
    "Nadam(0.01, weight_decay=0.1)",
    "Adagrad(0.05)",
    "Adagrad(0.05, initial_accumulator_value=0.3, epsilon=1e-3, weight_decay=0.1)",
    "Adadelta(0.5, rho=0.9, weight_decay=0.1)",
    "SGD(0.1, clipnorm=0.3)",
    "SGD(0.1, clipvalue=0.05)",
    "Adam(0.01, global_clipnorm=0.2)",
    "Adam(ExponentialDecay(0.05, decay_steps=10, decay_rate=0.5, staircase=true))",
    "SGD(InverseTimeDecay(0.1, 5, 0.5))",
    "SGD(InverseTimeDecay(0.1, 5, 0.5, staircase=true))",
    "SGD(PolynomialDecay(0.1, 20, end_learning_rate=0.01, power=2))",
    "SGD(PolynomialDecay(0.1, 20, cycle=true))",
    "SGD(CosineDecay(0.1, 30, alpha=0.1))",
    "Adam(CosineDecay(0.001, 30, warmup_target=0.05, warmup_steps=10))",
    "SGD(PiecewiseConstantDecay([10, 20, 31], [0.1, 0.05, 0.02, 0.01]))",
]

# Keras holds hyperparameters as float32, in float64 too. These are numbers that float32 holds exactly, so that the two
# must agree to the last digits.
EXACT = [
    "SGD(0.0625, momentum=0.875)",
    "SGD(0.0625, momentum=0.875, nesterov=true, weight_decay=0.125)",
    "RMSprop(0.0078125, rho=0.875)",
    "RMSprop(0.0078125, rho=0.875, momentum=0.5, centered=true, weight_decay=0.125)",
    "Adam(0.0078125, beta_1=0.875, beta_2=0.984375)",
    "Adam(0.0078125, beta_1=0.875, beta_2=0.984375, amsgrad=true, weight_decay=0.125)",
    "AdamW(0.0078125, weight_decay=0.25, beta_1=0.875, beta_2=0.984375, global_clipnorm=0.25)",
    "Adamax(0.0078125, beta_1=0.875, beta_2=0.984375, clipnorm=0.5)",
    "Adagrad(0.0625, initial_accumulator_value=0.125, clipvalue=0.0625)",
    "Adadelta(0.5, rho=0.875, weight_decay=0.125)",
    "SGD(PiecewiseConstantDecay([10, 31], [0.125, 0.0625, 0.03125]), momentum=0.875)",
]


def train_both(optimizer: str, dtype: str, tolerance: float) -> None:
    source = f"""
model M {{
    options {{ float = {dtype} }}
    input x: float[6]
    output y = x -> Dense(8, activation=tanh) -> Dense(3) with loss=mse
    train {{ optimizer = {optimizer}; batch_size = 8; epochs = 10; seed = 2 }}
}}
"""
    random = np.random.default_rng(0)
    data = {"x": random.normal(size=(40, 6)).astype(dtype), "y": random.normal(size=(40, 3)).astype(dtype)}
    assert_same_training(source, data, tolerance=tolerance)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_fifty_steps_as_in_keras(optimizer: str) -> None:
    train_both(optimizer, "float32", 1e-5)


@pytest.mark.parametrize("optimizer", EXACT)
def test_fifty_steps_in_float64(optimizer: str) -> None:
    import keras

    try:
        train_both(optimizer, "float64", 1e-12)
    finally:
        keras.config.set_floatx("float32")


def test_the_two_biases_of_a_gru_are_clipped_as_one() -> None:
    source = """
model M {
    input x: float[5, 3]
    output y = x -> GRU(4, bias_regularizer=l2(0.1)) -> Dense(1) with loss=mse
    train { optimizer = SGD(0.5, clipnorm=0.05); batch_size = 8; epochs = 3; seed = 1 }
}
"""
    random = np.random.default_rng(0)
    data = {"x": random.normal(size=(16, 5, 3)).astype("float32"), "y": random.normal(size=16).astype("float32")}
    assert_same_training(source, data)
