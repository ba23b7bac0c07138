"""Reshape, Permute, RepeatVector: against real Keras, and what is said of mistakes."""

from __future__ import annotations

import pytest

from tests.parity_harness import assert_parity, assert_signature, check, model_text

pytestmark = [pytest.mark.keras, pytest.mark.torch]


@pytest.mark.parametrize("name", ["Reshape", "Permute", "RepeatVector"])
def test_signature(name: str) -> None:
    assert_signature(name)


@pytest.mark.parametrize(
    ("flow", "shape"),
    [
        ("x -> Reshape((3, 4))", "12"),
        ("x -> Reshape((12,))", "3, 4"),
        ("x -> Reshape((-1, 2))", "3, 4"),
        ("x -> Reshape((2, -1, 3))", "3, 4"),
        ("x -> Reshape((1,))", ""),
        ("x -> Reshape([])", "1"),
        ("x -> Reshape((-1, 4))", "T, 8"),
        ("x -> Reshape((-1, 16))", "T, 8"),  # T must be even
        ("x -> Conv2D(4, 3) -> Reshape((-1, 4))", "5, 6, 2"),
        ("x -> Permute((2, 1))", "3, 4"),
        ("x -> Permute((3, 1, 2)) -> Dense(2)", "T, 3, 5"),
        ("x -> Permute((1,))", "3"),
        ("x -> RepeatVector(4)", "3"),
        ("x -> RepeatVector(1) -> LSTM(2)", "3"),
    ],
)
def test_parity(flow: str, shape: str) -> None:
    assert_parity(model_text(flow, f"x: float[{shape}]"), sizes={"T": 8})


def test_whole_numbers_pass() -> None:
    text = model_text("x -> Reshape((2, 3)) -> Permute((2, 1)) -> Flatten() -> Embedding(5, 2)", "x: int[6]")
    assert_parity(text)


@pytest.mark.parametrize(
    ("flow", "shape", "code", "words", "help"),
    [
        ("x -> Reshape((28, 27, 1))", "784", "NN0307", "(28, 27, 1) holds 756", "(28, 28, 1) would hold 784"),
        ("x -> Reshape((2, 4))", "T, 1", "NN0307", "T numbers in each sample", "must multiply"),
        ("x -> Reshape((-1, 5))", "12", "NN0307", "12 is no multiple of 5", "must multiply"),
        ("x -> Reshape((-1, -1))", "12", "NN0215", "more than one -1", "-1 stands for"),
        ("x -> Reshape((0, 12))", "12", "NN0215", "size of 0", None),
        ("x -> Permute((2, 3))", "3, 4", "NN0215", "once", "count from 1"),
        ("x -> Permute((2, 1))", "3", "NN0301", "2 axes", "every axis"),
        ("x -> RepeatVector(2)", "3, 4", "NN0301", "[3, 4]", "Flatten"),
        ("x -> RepeatVector(0)", "3", "NN0206", "`n`", None),
    ],
)
def test_mistakes(flow: str, shape: str, code: str, words: str, help: str | None) -> None:
    program, problems = check(model_text(flow, f"x: float[{shape}]"))
    assert program is None
    (found,) = list(problems)
    assert (found.code, words in found.message) == (code, True), (found.code, found.message)
    said = f"{found.help or ''} {[fix.title for fix in found.fixes]}"
    assert help is None or help in said, said
