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
