"""Windows, lags and later values: which rows a sample is made of, and how lines come to speak of one time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nndsl.runtime.series import AheadStep, Cut, LagsStep, WindowStep, inside, line_up
from nndsl.runtime.transforms import Step, StepError, from_record, record_of

SERIES = np.arange(20.0)
TABLE = np.stack([SERIES, SERIES * 10], axis=1)


def window(length: int, stride: int = 1, rate: int = 1) -> WindowStep:
    return WindowStep({"length": length, "stride": stride, "sampling_rate": rate}, "float32")


def lags(*rows: int) -> LagsStep:
    return LagsStep({"lags": list(rows)}, "float32")


def ahead(rows: int) -> AheadStep:
    return AheadStep({"rows": rows}, "float32")


def run(steps: list[Step], values: Any) -> Any:
    for step in steps:
        values = step.across(values) if step.changes_rows else step.apply(values)
    return values


def test_windows_end_with_their_row_and_are_no_copy() -> None:
    found = window(3).across(TABLE)
    assert found.shape == (18, 3, 2)
    assert found[0, :, 0].tolist() == [0, 1, 2] and found[-1, :, 1].tolist() == [170, 180, 190]
    assert np.shares_memory(found, TABLE)
    assert window(3, rate=4).across(SERIES)[1].tolist() == [1, 5, 9]


def test_lags_are_newest_first_and_leave_a_row_s_own_value_out() -> None:
    assert lags(1, 2, 3).across(SERIES)[0].tolist() == [2, 1, 0]
    assert lags(1, 7).across(SERIES)[0].tolist() == [6, 0]
    assert lags(1, 2).across(TABLE)[0].tolist() == [1, 10, 0, 0]
    assert LagsStep({"lags": 3}, "float32").across(SERIES).tolist() == lags(1, 2, 3).across(SERIES).tolist()


def test_lines_speak_of_one_time() -> None:
    lines: dict[str, list[Step]] = {
        "past": [window(5)],
        "lags": [lags(1, 2)],
        "now": [],
        "next": [ahead(1)],
        "day": [ahead(3), window(3)],
    }
    line_up(lines)
    found = {name: run(steps, SERIES) for name, steps in lines.items()}
    assert {name: len(values) for name, values in found.items()} == dict.fromkeys(lines, 13)
    for row, time in enumerate(range(4, 17)):
        assert found["past"][row].tolist() == [time - 4, time - 3, time - 2, time - 1, time]
        assert found["lags"][row].tolist() == [time - 1, time - 2]
        assert found["now"][row] == time
        assert found["next"][row] == time + 1
        assert found["day"][row].tolist() == [time + 1, time + 2, time + 3]


def test_a_stride_thins_out_all_lines() -> None:
    lines: dict[str, list[Step]] = {"x": [window(4, stride=5)], "y": [ahead(1)]}
    line_up(lines)
    x, y = run(lines["x"], SERIES), run(lines["y"], SERIES)
    assert x[:, 0].tolist() == [0, 5, 10, 15]
    assert y.tolist() == [4, 9, 14, 19]
    assert all(step.rows(20) == len(values) for step, values in ((Cut(0, 1, 5), x),) if step.before == 0)


@pytest.mark.parametrize(
    "steps",
    [
        [window(4, rate=2)],
        [lags(1, 5)],
        [ahead(3)],
        [ahead(3), window(3)],
        [window(3), Cut(2, 1, 3)],
        [lags(2), window(2)],
    ],
    ids=lambda steps: "-".join(step.name for step in steps),
)
def test_what_a_step_says_of_itself_is_what_it_does(steps: list[Step]) -> None:
    """`rows`, `reads` and `origin` against the numbers, which are their own places in the series."""
    found = run(steps, SERIES)
    rows = len(SERIES)
    for step in steps:
        rows = step.rows(rows)
    assert rows == len(found)
    chosen = np.array([0, 2])
    read = chosen
    for step in reversed(steps):
        read = step.reads(read)
    assert read.tolist() == sorted({int(value) for value in found[chosen].ravel()})
    for index in np.ndindex(found.shape):
        place = np.array(index)
        for step in reversed(steps):
            place = step.origin(place)
        assert place.tolist() == [found[index]]


def test_origin_of_columns() -> None:
    found = lags(1, 4).across(TABLE)
    step = lags(1, 4)
    step.across(TABLE)
    for index in np.ndindex(found.shape):
        assert TABLE[tuple(step.origin(np.array(index)))] == found[index]


def test_samples_inside_of_a_part() -> None:
    assert inside(0, 10, 4, 1).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert inside(10, 15, 4, 1).tolist() == [10, 11]
    assert inside(10, 13, 4, 1).tolist() == []
    assert inside(11, 20, 4, 5).tolist() == [3]
    assert inside(0, 20, 4, 5).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("step", [window(21), lags(20), ahead(20)])
def test_too_short_a_series_is_told(step: Step) -> None:
    with pytest.raises(StepError, match=r"has 20 rows, and .* needs at least 21"):
        step.across(SERIES)


@pytest.mark.parametrize("step", [window(4, 2, 3), lags(1, 5), ahead(2)], ids=lambda step: step.name)
def test_records(step: Step) -> None:
    again = from_record(record_of(step), "float32")
    assert type(again) is type(step) and again.across(SERIES).tolist() == step.across(SERIES).tolist()
    assert again.stride == step.stride


@pytest.mark.parametrize(
    "record",
    [
        {"transform": "window", "length": -1, "stride": 1, "sampling_rate": 1},
        {"transform": "window", "length": 10**12, "stride": 1, "sampling_rate": 1},
        {"transform": "window", "length": True, "stride": 1, "sampling_rate": 1},
        {"transform": "lags", "lags": []},
        {"transform": "lags", "lags": ["1"]},
        {"transform": "ahead"},
    ],
)
def test_damaged_records(record: dict[str, Any]) -> None:
    with pytest.raises(StepError, match="is damaged"):
        from_record(record, "float32")


@pytest.mark.slow
@pytest.mark.parametrize(("length", "stride", "rate"), [(5, 1, 1), (4, 3, 1), (3, 1, 4), (4, 2, 3)])
def test_the_windows_are_keras_s(length: int, stride: int, rate: int) -> None:
    import torch  # noqa: F401  before TensorFlow
    from keras.utils import timeseries_dataset_from_array

    batches = timeseries_dataset_from_array(
        TABLE, None, sequence_length=length, sequence_stride=stride, sampling_rate=rate
    )
    theirs = np.concatenate([batch.numpy() for batch in batches])
    lines: dict[str, list[Step]] = {"x": [window(length, stride, rate)]}
    line_up(lines)
    ours = run(lines["x"], TABLE)
    # Keras asks for a row more than a window with gaps has, and leaves the last ones out where it is not there
    assert len(theirs) <= len(ours) <= len(theirs) + -(-(rate - 1) // stride)
    assert np.array_equal(ours[: len(theirs)], theirs)
