"""What a choice does not need this time is not reported as unused."""

from __future__ import annotations

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.source import SourceFile

BLOCK = """
block Skip(rate) {
    input x
    input path
    dropped = path -> Dropout(rate)
    idle    = path -> ReLU()
    output y = ((x, dropped) -> Add()) if x.shape[-1] == path.shape[-1] else path
}

model Test {
    input image: float[8, 8, 3]
    output y = (image, image -> Conv2D(4, 1)) -> Skip(0.5)
}
"""


def _found(text: str) -> list[tuple[str, str]]:
    problems = Problems()
    pipeline.check(SourceFile("test.nn", text), problems)
    return [(problem.code, problem.message) for problem in problems.items]


def test_a_value_of_the_arm_not_taken_is_in_use() -> None:
    """`dropped` and `x` are, `idle` is not: no arm needs it."""
    assert _found(BLOCK) == [("NN0402", "`idle` reaches no output")]


def test_a_shape_that_is_asked_for_keeps_no_input_of_a_model() -> None:
    text = BLOCK.replace("    idle    = path -> ReLU()\n", "").replace("8, 3]", "8, 3]\n    input other: float[4]")
    assert _found(text) == [("NN0403", "input `other` is not used by any output")]
