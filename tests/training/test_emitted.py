"""The text of both programs, as reviewed, where training asks for what no example does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.source import SourceFile

GOLDEN = Path(__file__).parent / "golden"
TEXTS = {
    "weights_of_samples": """
# Tags of words, of which people have looked at some more closely than at others.
model Tagger {
    input words: int[20]
    h = words -> Embedding(500, 16, mask_zero=true) -> Bidirectional(LSTM(16, return_sequences=true))
    output tags = h -> Dense(8, activation=softmax)
        with loss=sparse_categorical_crossentropy, step_weight=trust, metrics=[accuracy], weighted_metrics=[accuracy]
    output topics = h -> LSTM(8) -> Dense(4, activation=sigmoid)
        with loss=binary_crossentropy, weight=0.5, sample_weight=importance
    output length = h -> Dense(1) with loss=mse, sample_weight=importance
    output summary = h -> GRU(4)

    train { optimizer = adam; epochs = 3 }
}
""",
    "callbacks": """
# The strength of concrete, watched from every side.
model Concrete {
    input mix: float[8]
    output strength = mix -> Dense(32, activation=relu) -> Dense(1) with loss=mse, metrics=[mae]

    train {
        optimizer        = adam
        epochs           = 200
        validation_split = 0.2
        callbacks = [
            ReduceLROnPlateau(factor=0.5, patience=5), EarlyStopping(patience=20, restore_best_weights=true),
            ModelCheckpoint("best.weights.h5", save_best_only=true, save_weights_only=true),
            ModelCheckpoint("all/{epoch:03d}-{val_mae:.3f}.keras"),
            CSVLogger("tables/log.csv"), TensorBoard("board"), TerminateOnNaN()
        ]
    }
}
""",
    "callbacks_in_steps": """
model Sorter {
    input x: float[8]
    output kind = x -> Dense(3, activation=softmax) with loss=categorical_crossentropy, metrics=[F1Score()]
    train {
        optimizer = sgd; steps = 1000; evaluate_every = 50
        callbacks = [EarlyStopping(patience=3), CSVLogger("log.csv"), TerminateOnNaN(raise_error=true)]
    }
}
""",
    "half_precision": """
model Painter {
    input image: float[32, 32, 3]
    h = image -> Conv2D(16, 3, padding=same, activation=relu) -> BatchNormalization() -> GlobalAveragePooling2D()
    output style = h -> Dense(10, activation=softmax) with loss=sparse_categorical_crossentropy, metrics=[accuracy]
    output age = h -> Dense(1) -> Rescaling(100) with loss=mae, weight=0.1
    train { optimizer = Adam(0.001, clipnorm=1); epochs = 3; precision = float16 }
}
""",
}


@pytest.mark.parametrize("name", list(TEXTS))
@pytest.mark.parametrize("target", pipeline.TARGETS)
def test_text(target: str, name: str, golden: Callable[[Path | str, str], None]) -> None:
    problems = Problems()
    program = pipeline.check(SourceFile(f"{name}.nn", TEXTS[name]), problems)
    assert program is not None and not len(problems), [problem.message for problem in problems]
    golden(GOLDEN / f"{name}_{target}.py", pipeline.emit(program, target))
