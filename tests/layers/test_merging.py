"""Merging layers: broadcasting, masks, ties and free dimensions against real Keras, and what is said of mistakes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.parity_harness import assert_parity, assert_signature, check, model_text

pytestmark = [pytest.mark.keras, pytest.mark.torch]

ELEMENTWISE = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"]


@pytest.mark.parametrize("name", [*ELEMENTWISE, "Concatenate", "Dot"])
def test_signature(name: str) -> None:
    assert_signature(name)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("4, 5", "4, 5"),
        ("4, 5", "4, 1"),
        ("1, 5", "4, 1"),
        ("4, 5", "5"),  # the missing axis is put behind the batch
        ("5", "3, 4, 5"),
        ("4, 5", ""),
        ("T, 5", "T, 1"),
    ],
)
def test_broadcasting(name: str, left: str, right: str) -> None:
    assert_parity(model_text(f"(a, b) -> {name}()", f"a: float[{left}]", f"b: float[{right}]"), sizes={"T": 7})


@pytest.mark.parametrize("name", ["Add", "Multiply", "Average", "Maximum", "Minimum"])
def test_three_inputs(name: str) -> None:
    assert_parity(model_text(f"(a, b, c) -> {name}()", "a: float[4, 5]", "b: float[1, 5]", "c: float[5]"))


@pytest.mark.parametrize("name", ["Maximum", "Minimum"])
def test_the_gradient_of_a_tie_goes_to_the_first(name: str) -> None:
    text = model_text(f"(a, b, c) -> {name}()", "a: float[6]", "b: float[6]", "c: float[6]")
    random = np.random.default_rng(5)
    arrays = {key: random.integers(0, 2, (4, 6)).astype("float32") for key in "abc"}
    assert_parity(text, arrays=arrays)


EMBED = "Embedding(4, 3, mask_zero=true)"


@pytest.mark.parametrize("axis", [1, 2, 3, -2])
@pytest.mark.parametrize("other", ["z", "(z -> Embedding(4, 3, mask_zero=true))"])
def test_joined_masks_of_more_axes(axis: int, other: str) -> None:
    flow = f"(a -> {EMBED}, {other}) -> Concatenate(axis={axis}) -> TimeDistributed(LSTM(2))"
    assert_parity(model_text(flow, "a: int[3, 4]", f"z: {'float[3, 4, 3]' if other == 'z' else 'int[3, 4]'}"), high=3)


@pytest.mark.parametrize("axis", [1, 3])
def test_a_mask_of_steps_alone_is_not_joined(axis: int) -> None:
    """Keras 3.15 lays it over the last axes but one."""
    flow = "a -> Embedding(4, 6, mask_zero=true) -> TimeDistributed(Reshape((2, 3)))"
    program, problems = check(
        model_text(f"(h, h) -> Concatenate(axis={axis})", "a: int[5]").replace(
            "    output", f"    h = {flow}\n    output"
        )
    )
    assert program is None
    assert [item.code for item in problems] == ["NN0218"]


@pytest.mark.parametrize("name", [*ELEMENTWISE, "Concatenate", "Concatenate(axis=1)"])
@pytest.mark.parametrize("masked", ["both", "first", "second"])
def test_masks(name: str, masked: str) -> None:
    first = f"(a -> {EMBED})" if masked != "second" else "(a -> Embedding(4, 3))"
    second = f"(b -> {EMBED})" if masked != "first" else "(b -> Embedding(4, 3))"
    layer = name if "(" in name else f"{name}()"
    text = model_text(f"({first}, {second}) -> {layer} -> LSTM(2)", "a: int[6]", "b: int[6]")
    assert_parity(text, high=3)


@pytest.mark.parametrize("name", ["Maximum", "Multiply", "Minimum"])
def test_masks_of_three(name: str) -> None:
    flow = f"(a -> {EMBED}, b -> {EMBED}, c -> Embedding(4, 3)) -> {name}()"
    assert_parity(model_text(flow, "a: int[6]", "b: int[6]", "c: int[6]"), high=3)


@pytest.mark.parametrize(
    ("layer", "shapes"),
    [
        ("Concatenate()", ["4, 5", "4, 2", "4, 1"]),
        ("Concatenate(axis=1)", ["4, 5", "2, 5"]),
        ("Concatenate(axis=-2)", ["T, 5", "S, 5"]),
        ("Concatenate()", ["T, 5", "T, 2"]),
        ("Concatenate(axis=2)", ["3, 4, 5", "3, 1, 5"]),
    ],
)
def test_concatenate(layer: str, shapes: list[str]) -> None:
    inputs = [f"{name}: float[{shape}]" for name, shape in zip("abc", shapes, strict=False)]
    names = ", ".join(item[0] for item in inputs)
    assert_parity(model_text(f"({names}) -> {layer}", *inputs), sizes={"T": 7, "S": 4})


@pytest.mark.parametrize(
    ("layer", "left", "right"),
    [
        ("Dot(1)", "5", "5"),
        ("Dot(-1, normalize=true)", "5", "5"),
        ("Dot((1, 2))", "3", "4, 3"),
        ("Dot(2)", "6, 4", "7, 4"),
        ("Dot((2, 1))", "6, 4", "4, 7"),
        ("Dot((1, 2))", "3, 5", "8, 3"),
        ("Dot(1, normalize=true)", "3, 5", "3, 2"),
        ("Dot((3, 1))", "2, 3, 4", "4, 5"),
        ("Dot((1, 2))", "4, 2, 3", "5, 4, 2"),
        ("Dot((3, 1))", "2, 3, 4", "4"),
        ("Dot(2)", "T, 4", "S, 4"),
    ],
)
def test_dot(layer: str, left: str, right: str) -> None:
    text = model_text(f"(a, b) -> {layer}", f"a: float[{left}]", f"b: float[{right}]")
    assert_parity(text, sizes={"T": 6, "S": 3})


@pytest.mark.parametrize("name", ["Add", "Average"])
@pytest.mark.parametrize("shapes", [("3, 3", "3, 1"), ("3, 1", "3, 3"), ("2, 3, 3", "3, 1"), ("4, 3", "3")])
def test_one_sample_alone(name: str, shapes: tuple[str, str]) -> None:
    """Keras's `ops.add` takes an operand with one axis greater than 1 for a bias where the batch is a single sample."""
    text = model_text(f"(a, b) -> {name}()", *(f"{n}: float[{shape}]" for n, shape in zip("ab", shapes, strict=True)))
    assert_parity(text, batch=1)


@pytest.mark.parametrize(
    ("flow", "inputs", "code", "words"),
    [
        ("(a, b) -> Add()", ["float[16]", "float[32]"], "NN0302", ["[16] and [32]", "the last axis"]),
        ("(a, b) -> Add()", ["float[8, 8, 4]", "float[6, 8, 4]"], "NN0302", ["8 and 6", "axis 1"]),
        ("(a, b) -> Add()", ["float[T, 4]", "float[S, 4]"], "NN0302", ["T and S"]),
        ("(a, b) -> Add()", ["float[T, 4]", "float[7, 4]"], "NN0302", ["T and 7"]),
        ("(a, b) -> Add()", ["float[4]", "int[4]"], "NN0305", ["int[4]"]),
        ("(a, b, b) -> Subtract()", ["float[4]", "float[4]"], "NN0212", ["Subtract"]),
        ("a -> Add()", ["float[4]"], "NN0212", ["Add"]),
        ("(a, b) -> Concatenate()", ["float[8, 4]", "float[6, 4]"], "NN0302", ["[8, 4] and [6, 4]", "axis 1"]),
        ("(a, b) -> Concatenate()", ["float[8, 4]", "float[1, 4]"], "NN0302", ["8 and 1"]),
        ("(a, b) -> Concatenate()", ["float[8, 4]", "float[4]"], "NN0301", ["[8, 4] and [4]"]),
        ("(a, b) -> Concatenate(axis=2)", ["float[8]", "float[4]"], "NN0308", ["no axis 2"]),
        ("(a, b) -> Concatenate(axis=0)", ["float[8]", "float[8]"], "NN0308", ["batch"]),
        ("(a, b) -> Concatenate()", ["float[8]", "int[8]"], "NN0305", ["float32 and int32"]),
        ("(a, b) -> Dot(1)", ["float[8]", "float[4]"], "NN0302", ["8 and 4"]),
        ("(a, b) -> Dot(0)", ["float[8]", "float[8]"], "NN0308", ["batch"]),
        ("(a, b) -> Dot(2)", ["float[8]", "float[8]"], "NN0308", ["no axis 2"]),
    ],
)
def test_mistakes(flow: str, inputs: list[str], code: str, words: list[str]) -> None:
    program, problems = check(model_text(flow, *(f"{n}: {shape}" for n, shape in zip("ab", inputs, strict=False))))
    assert program is None
    found = next(problem for problem in problems if problem.code == code)
    assert all(word in found.message for word in words), found.message


def test_the_remedy_names_a_layer_of_the_right_size() -> None:
    _, problems = check(model_text("(a, b) -> Add()", "a: float[8, 8, 64]", "b: float[8, 8, 32]"))
    (found,) = list(problems)
    assert "`Conv2D(64, 1)` behind the second input" in (found.help or "")
