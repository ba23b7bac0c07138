"""The random numbers that both programs are given."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.interop import noise


@pytest.mark.parametrize("shape", [(5, 200), (5, 32, 16), (3, 8, 8, 12), (4, 1, 300)])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75])
def test_rates_hold(shape: tuple[int, ...], rate: float) -> None:
    shares = [1 - noise.kept(shape, rate, step).mean() for step in range(30)]
    assert abs(np.mean(shares) - rate) < 0.01 and np.std(shares) < 0.05


def test_normal_numbers() -> None:
    numbers = np.stack([noise.normal((5, 12, 40), step) for step in range(30)])
    assert abs(numbers.mean()) < 0.02 and abs(numbers.std() - 1) < 0.02
    assert abs((np.abs(numbers) > 1).mean() - 0.3173) < 0.02


def test_the_order_of_axes_does_not_matter() -> None:
    drawn = noise.uniform((3, 5, 7), 4)
    assert np.array_equal(drawn.transpose(0, 2, 1), noise.uniform((3, 7, 5), 4))
    assert np.array_equal(drawn[:, None, :, None], noise.uniform((3, 1, 5, 1, 7), 4))


def test_every_step_and_every_place_has_a_number_of_its_own() -> None:
    drawn = np.stack([noise.uniform((5, 64), step) for step in range(20)])
    assert len(np.unique(drawn)) > 0.99 * drawn.size
    assert noise.uniform((), 3).shape == () and noise.uniform((0, 3), 3).shape == (0, 3)


def test_float32_holds_every_number_and_none_is_a_rate() -> None:
    drawn = noise.uniform((50, 1000), 1)
    assert np.array_equal(drawn.astype(np.float32), drawn)
    assert not np.isin(drawn, [0.1, 0.25, 0.5, 0.75]).any()
