"""add, subtract, multiply, average, dot: the merging layers as functions."""

from __future__ import annotations

import pytest

from tests.parity_harness import assert_parity, check, model_text

pytestmark = [pytest.mark.keras, pytest.mark.torch]


@pytest.mark.parametrize("name", ["Add", "Multiply", "Average", "Subtract"])
def test_masks_are_those_of_the_layer(name: str) -> None:
    for merged in (f"{name.lower()}(a, b)", f"(a, b) -> {name}()"):
        text = f"""
model M {{
    input x: int[6]
    input z: int[6]
    a = x -> Embedding(5, 3, mask_zero=true)
    b = z -> Embedding(5, 3, mask_zero=true)
    c = {merged}
    output y = c -> GlobalAveragePooling1D()
}}
"""
        assert_parity(text)


@pytest.mark.parametrize(
    ("expression", "code", "part"),
    [
        ("add(a)", "NN0212", "`add` takes two tensors or more, and gets 1"),
        ("subtract(a, a, a)", "NN0212", "`subtract` takes two tensors, and gets 3"),
        ("add(a, 1)", "NN0205", "takes tensors"),
        ("multiply(a, b)", "NN0302", "`multiply`"),
        ("dot(a, b)", "NN0204", "axes"),
        ("dot(a, b, axes=1)", "NN0302", "`dot`"),
        ("average(a, mean(a, axis=0))", "NN0314", "one for all"),
    ],
)
def test_mistakes(expression: str, code: str, part: str) -> None:
    program, problems = check(model_text(expression, "a: float[4]", "b: float[5]"))
    assert program is None
    [problem] = [item for item in problems if item.code == code]
    assert part in problem.message
