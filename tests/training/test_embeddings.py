"""Embeddings train as their documentation says: an id that occurs twice in a batch has one gradient, the sum.

Keras on TensorFlow hands optimizers the gradient of each occurrence. Optimizers that square gradients, and clipping,
make something else of them; the emitted Keras program sees to it that they do not.
"""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from nndsl import pipeline
from tests import parity_harness as harness
from tests.training.training_harness import assert_same_training

pytestmark = [pytest.mark.keras, pytest.mark.torch]

MODELS = {
    "plain": """
    input word: int[6]
    output y = word -> Embedding(7, 4) -> LSTM(5) -> Dense(3) with loss=mse
""",
    "reversible": """
    input word: int[6]
    shared tokens = ReversibleEmbedding(7, 4)
    scores = word -> tokens -> Dense(4, activation=tanh) -> tokens(reverse=true)
    output y = scores -> GlobalAveragePooling1D() -> Dense(3) with loss=mse
""",
    "inside": """
    input word: int[6]
    output y = word -> Reshape((3, 2)) -> Words() -> Dense(3) with loss=mse
""",
}
BLOCK = """
block Words() {
    input x
    output y = x -> TimeDistributed(Embedding(7, 4)) -> Flatten() -> Dense(6, activation=relu)
}
"""
OPTIMIZERS = [
    "SGD(0.05)",
    "SGD(0.05, momentum=0.9, nesterov=true, weight_decay=0.1)",
    "SGD(0.05, gradient_accumulation_steps=2, use_ema=true, ema_momentum=0.8, ema_overwrite_frequency=3)",
    "SGD(0.05, clipnorm=0.05)",
    "SGD(0.05, clipvalue=0.02)",
    "SGD(0.05, momentum=0.9, global_clipnorm=0.05)",
    "rmsprop",
    "Adam(0.01, weight_decay=0.1, use_ema=true)",
    "Adamax(0.01)",
    "Nadam(0.01)",
    "Adagrad(0.05)",
    "Adadelta(0.5)",
    "Ftrl(0.1)",
    "Lion(0.003)",
    "Lamb(0.01)",
    "Adafactor(0.05)",
    "Muon(0.02)",
    "Muon(0.02, exclude_embeddings=false)",
    "ScheduleFreeAdamW(0.01)",
]
CASES = [
    *(("plain", optimizer) for optimizer in OPTIMIZERS),
    *((model, optimizer) for model in ("reversible", "inside") for optimizer in ("adam", "SGD(0.05, clipnorm=0.05)")),
]


def text_of(model: str, optimizer: str, dtype: str = "float64") -> str:
    train = f"train {{ optimizer = {optimizer}; batch_size = 8; epochs = 4; seed = 1 }}"
    head = BLOCK if "Words" in MODELS[model] else ""
    return f"{head}model M {{\n    options {{ float = {dtype} }}{MODELS[model]}    {train}\n}}\n"


@pytest.mark.thinned
@pytest.mark.parametrize(("model", "optimizer"), CASES)
def test_twenty_steps_are_equal(model: str, optimizer: str) -> None:
    random = np.random.default_rng(0)
    data = {"word": random.integers(0, 7, (40, 6)), "y": random.normal(size=(40, 3))}
    assert_same_training(text_of(model, optimizer), data, tolerance=1e-9)


def test_only_where_it_matters() -> None:
    """Plain steps are right as they are; frozen vectors have no gradient; a penalty of one's own does it already."""
    for text, there in (
        (text_of("plain", "adam"), True),
        (text_of("plain", "SGD(0.1, momentum=0.9)"), False),
        (text_of("plain", "SGD(0.1, clipnorm=1)"), True),
        (text_of("plain", "adam").replace("7, 4", "7, 4, trainable=false"), False),
        (text_of("plain", "adam").replace("7, 4", "7, 4, embeddings_regularizer=l2(0.1)"), False),
        (text_of("plain", "adam").replace(" with loss=mse", ""), False),
    ):
        program, problems = harness.check(text)
        assert program is not None, [problem.message for problem in problems]
        assert ("dense_gradient" in pipeline.emit(program, "keras")) == there, text
