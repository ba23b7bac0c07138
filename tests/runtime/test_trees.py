"""Plain state survives files, and nothing else gets into one."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("safetensors")

from nndsl.runtime.trees import Damaged, pack, unpack

KEYS = st.one_of(st.text(max_size=8), st.integers(-5, 5))
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.floats().map(np.float64),
    st.floats(width=32).map(np.float32), st.integers(0, 200).map(np.uint8),
    st.lists(st.floats(width=32), max_size=3).map(lambda x: np.array(x, np.float32)),
    st.integers(-9, 9).map(np.asarray),
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.lists(inner, max_size=3).map(tuple), st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=12,
)


def same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return [*a] == [*b] and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float | np.floating) and math.isnan(a):
        return math.isnan(b)
    return bool(a == b)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TREES)
def test_a_tree_survives(tree: Any) -> None:
    assert same(unpack(pack(tree)), tree)


@given(st.binary(max_size=80))
def test_bytes_that_are_no_tree_are_told(data: bytes) -> None:
    with pytest.raises(Damaged):
        unpack(data)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TREES, st.data())
def test_a_damaged_tree_is_told_or_another_one(tree: Any, data: st.DataObject) -> None:
    packed = bytearray(pack(tree))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(Damaged):
        unpack(bytes(packed))


def test_objects_are_refused() -> None:
    for value in (object(), {1, 2}, b"bytes", print):
        with pytest.raises(TypeError):
            pack({"state": value})
