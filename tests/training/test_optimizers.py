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
    "SGD(PiecewiseConstantDecay([10, 20, 31], [0.1, 0.05, 0.02, 0.01]), momentum=0.9, nesterov=true)",
    "SGD(ExponentialDecay(0.1, 41, 0.1, staircase=true))",
    "SGD(CosineDecayRestarts(0.1, 7))",
    "Adam(CosineDecayRestarts(0.05, 5, t_mul=1.5, m_mul=0.8, alpha=0.1))",
    "SGD(CosineDecayRestarts(0.1, 6, t_mul=1, m_mul=0.9))",
    "SGD(0.1, use_ema=true)",
    "SGD(0.1, momentum=0.9, use_ema=true, ema_momentum=0.7, ema_overwrite_frequency=7)",
    "Adam(0.01, use_ema=true, gradient_accumulation_steps=3, ema_overwrite_frequency=2)",
    "SGD(ExponentialDecay(0.1, 7, 0.5), momentum=0.9, gradient_accumulation_steps=4, clipnorm=0.2)",
    "AdamW(0.01, gradient_accumulation_steps=2, global_clipnorm=0.3)",
    "Nadam(0.01, gradient_accumulation_steps=2, clipvalue=0.1)",
    "Ftrl(0.1, initial_accumulator_value=0.3, l1_regularization_strength=0.01, l2_regularization_strength=0.1)",
    "Ftrl(0.1, learning_rate_power=-0.7, l2_shrinkage_regularization_strength=0.1, beta=0.3, weight_decay=0.1)",
    "Lion(0.003, beta_1=0.8, weight_decay=0.1)",
    "Lamb(0.01, weight_decay=0.1)",
    "Adafactor(0.05, epsilon_1=1e-20, epsilon_2=0.02, clip_threshold=0.7, beta_2_decay=-0.6)",
    "Muon(0.02, adam_weight_decay=0.1, rms_rate=none)",
    "Muon(0.02, momentum=0.8, ns_steps=3, adam_lr_ratio=0.3, nesterov=false, weight_decay=none)",
    "ScheduleFreeAdamW(0.02, warmup_steps=10, weight_decay=0.1)",
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


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_fifty_steps_as_in_keras(optimizer: str) -> None:
    train_both(optimizer, "float32", 1e-5)


@pytest.mark.parametrize(
    "optimizer",
    [pytest.param(text, marks=[pytest.mark.slow] if place % 3 else []) for place, text in enumerate(OPTIMIZERS)],
)
def test_fifty_steps_in_float64(optimizer: str) -> None:
    """Keras holds most hyperparameters and all scheduled rates as float32, in float64 too."""

    train_both(optimizer, "float64", 1e-9)


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
