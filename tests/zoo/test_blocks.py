"""Blocks as the zoo's second half uses them: inputs by name, shared ones at several sizes, several values in a loop."""

from __future__ import annotations

import pytest

from tests.parity_harness import Pair, assert_parity, check

pytestmark = [pytest.mark.keras, pytest.mark.torch]

DECODER = """
block Decoder(units) {
    input x
    input encoded
    output y = (x, encoded) -> Attention() -> Dense(units)
}
"""


def _both(text: str, **options: object) -> Pair:
    assert_parity(text, training=True, **options)  # type: ignore[arg-type]
    return assert_parity(text, **options)  # type: ignore[arg-type]


def _decoding(flow: str, more: str = "") -> str:
    return f"""{DECODER}
model Test {{
    input a: float[T, 4]
    input b: float[S, 4]
    {more}
    output y = {flow}
}}
"""


@pytest.mark.parametrize(
    "flow",
    [
        "a -> Decoder(4, encoded=b)",
        "b -> Decoder(4, x=a)",
        "a -> repeat 3 { Decoder(4, encoded=b) }",
        "a -> repeat 2 { Dense(4) -> Decoder(encoded=(b -> Dense(4)), units=4) }",
    ],
)
def test_inputs_by_name(flow: str) -> None:
    _both(_decoding(flow), sizes={"T": 3, "S": 5})


def test_inputs_of_a_shared_block_by_name() -> None:
    pair = _both(_decoding("a -> decode(encoded=b) -> decode(encoded=b)", "shared decode = Decoder(4)"))
    assert pair.texts["torch"].count("Decoder()") == 1


def test_a_loop_gets_what_stands_outside() -> None:
    text = _both(_decoding("a -> repeat 3 { Decoder(4, encoded=b) }")).texts
    assert "for decoder in self.y_decoder:\n            x = decoder(x, b)" in text["torch"]


@pytest.mark.parametrize(
    ("flow", "code", "message"),
    [
        ("a -> Decoder(4, encoded=b, encoded=a)", "NN0207", "`encoded` of `Decoder` is given twice"),
        ("a -> Decoder(4, encode=b)", "NN0203", "`Decoder` has no parameter `encode`"),
        ("(a, b) -> Decoder(4, encoded=b)", "NN0212", "`Decoder` takes 2 inputs, and 3 values flow in"),
        ("a -> Decoder(4, encoded=(a, b))", "NN0212", "`Decoder` takes 2 inputs, and 3 values flow in"),
        ("a -> Decoder(4)", "NN0212", "`Decoder` takes 2 inputs, and 1 value flows in"),
        ("a -> Decoder(4, encoded=c)", "NN0201", "there is no value called `c`"),
    ],
)
def test_wrong_inputs_by_name(flow: str, code: str, message: str) -> None:
    _, problems = check(_decoding(flow))
    assert (code, message) in [(problem.code, problem.message) for problem in problems.errors]


def test_what_a_block_gives_besides_its_activation_is_kept() -> None:
    _both("""
block Both() {
    input x
    output raw = x -> Dense(4)
    output y   = raw -> ReLU()
}

model Test {
    input x: float[8]
    (raw, active) = x -> Both()
    output y = raw + 2 * active
}
""")


TOWER = """
block Tower() {{
    input words
    bag = mean((words -> Embedding(9, 6)), axis=-2)
    output y = bag -> Dense(3, activation=tanh)
}}

model Test {{
    input a: int[{}]
    input b: int[{}]
    shared tower = Tower()
    one   = a -> tower
    other = b -> tower
    output y = one + {}
}}
"""


@pytest.mark.parametrize("sizes", [("T", "S"), ("T", "5"), ("4", "5"), ("5", "5")])
def test_a_shared_block_at_two_sizes_is_one_class(sizes: tuple[str, str]) -> None:
    pair = _both(TOWER.format(*sizes, "other"))
    assert pair.texts["torch"].count("= Tower()") == 1
    assert "tower = keras.Model(" in pair.texts["keras"]


def test_a_shared_block_at_two_ranks() -> None:
    """A Keras model takes values of one rank: there the program is written flat."""
    _both(TOWER.format("T", "2, S", "sum(other, axis=1)"))


GATES = """
block Gate(units) {{
    input x
    input said
    h = x -> Dense(units, activation=tanh)
    output onward = x + h
    output saying = said + (h -> Dense(units))
}}

model Test {{
    input x: float[4]
    start = x -> Dense(4)
    {}
}}
"""


@pytest.mark.parametrize("rounds", [2, 3])
@pytest.mark.parametrize("start", ["(start, zeros_like(start))", "(start, start)", "(start, x)", "(x, start)"])
def test_a_loop_that_hands_on_two_values(start: str, rounds: int) -> None:
    flow = f"(a, b) = {start} -> repeat {rounds} {{ Gate(4) }}\n    output y = a * b + start"
    text = _both(GATES.format(flow)).texts["torch"]
    assert "a, b = gate(a, b)" in text
    assert f"nn.ModuleList(Gate() for _ in range({rounds}))" in text


def test_rounds_that_swap_their_values_stay_apart() -> None:
    flow = (
        "(a, b) = (start, x) -> Gate(4) -> Gate(4)\n    (c, d) = (b, a) -> repeat 2 { Gate(4) }\n    output y = c * d"
    )
    _both(GATES.format(flow))


def test_dilations_that_double_are_counted() -> None:
    text = """
block Conv(dilation) {
    input x
    output y = x + (x -> Conv1D(4, 2, dilation_rate=dilation, padding=causal, activation=tanh))
}

model Test {
    input x: float[T, 4]
    output y = x -> Conv1D(4, 1) -> repeat i in 0..4 { Conv(2 ** i) }
}
"""
    emitted = _both(text, sizes={"T": 9}).texts["torch"]
    assert "Conv(2**i) for i in range(4)" in emitted
    assert "F.pad(x, (self.dilation, 0))" in emitted


@pytest.mark.parametrize("flow", ["x -> Dense(4, activation=gelu)", "gelu(x)", "gelu(x, approximate=true)"])
def test_gelu_in_float64(flow: str) -> None:
    text = f"model Test {{\n    options {{ float = float64 }}\n    input x: float[6]\n    output y = {flow}\n}}\n"
    assert_parity(text, tolerance=1e-13)
