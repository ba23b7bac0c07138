"""The text of both programs where samples and steps have weights, as reviewed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.source import SourceFile

GOLDEN = Path(__file__).parent / "golden"
TEXT = """
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
"""


@pytest.mark.parametrize("target", pipeline.TARGETS)
def test_weights_of_samples(target: str, golden: Callable[[Path | str, str], None]) -> None:
    problems = Problems()
    program = pipeline.check(SourceFile("tagger.nn", TEXT), problems)
    assert program is not None and not len(problems), [problem.message for problem in problems]
    golden(GOLDEN / f"weights_of_samples_{target}.py", pipeline.emit(program, target))
