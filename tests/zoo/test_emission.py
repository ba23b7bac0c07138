"""Small programs in which the zoo found emitted code wrong."""

from __future__ import annotations

import pytest

from tests.parity_harness import assert_parity

pytestmark = [pytest.mark.keras, pytest.mark.torch]


def test_arms_that_lead_to_one_name_keep_their_own_variables() -> None:
    """All arms are chains towards `mixed`: only one of them at a time may be called so already."""
    assert_parity("""
model Test {
    input image: float[4, 4, 3]
    mixed = image
        -> Conv2D(4, 1)
        -> branch {
            Conv2D(2, 1) -> ReLU()
            Conv2D(3, 1) -> ReLU()
            Conv2D(5, 1) -> Conv2D(3, 1) -> ReLU()
            Conv2D(6, 1)
        }
        -> Concatenate()
    output y = mixed -> Conv2D(2, 1)
}
""")


@pytest.mark.parametrize("rounds", [2, 3])
def test_a_repeat_at_the_end_of_a_statement_carries_its_value_on(rounds: int) -> None:
    """The last round gives its value the statement's name, and the loop must not."""
    assert_parity(f"""
block Convs(filters) {{
    input x
    output y = x -> repeat {rounds} {{ Conv2D(filters, 3, padding=same, activation=relu) }}
}}

model Test {{
    input image: float[6, 6, 3]
    output y = image -> Convs(4) -> Convs(5)
}}
""")


def test_an_input_that_a_call_does_not_need_is_left_out_of_it() -> None:
    """A choice inside of the block decides, in one call so and in another so."""
    assert_parity("""
block Skip(keep) {
    input x
    input path
    output y = ((x, path) -> Add()) if keep else path
}

model Test {
    input image: float[4, 4, 3]
    h = (image, image -> Conv2D(4, 1)) -> Skip(false)
    output y = (h, h -> Conv2D(4, 1)) -> Skip(true)
}
""")
