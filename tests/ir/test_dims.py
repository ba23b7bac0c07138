"""The algebra of dimensions against plain integer arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product as pairs

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from nndsl.ir.dims import (
    BATCH,
    MAX_INT,
    Dim,
    DimTooComplex,
    Formula,
    ceildiv,
    evaluate,
    exact_div,
    floordiv,
    free_symbols,
    fresh,
    mod,
    product,
    python,
    substitute,
    symbol,
)

T, S = symbol("T"), symbol("S")
Naive = Callable[[int, int], int]
SAMPLES = [*pairs(range(1, 9), range(1, 9)), (59, 7), (7, 120), (419, 360), (1, 5040), (5041, 719)]


def _extend(inner: st.SearchStrategy[tuple[Dim, Naive]]) -> st.SearchStrategy[tuple[Dim, Naive]]:
    number = st.integers(-7, 7)
    divisor = st.integers(1, 6)
    return st.one_of(
        st.builds(lambda x, y: (x[0] + y[0], lambda t, s: x[1](t, s) + y[1](t, s)), inner, inner),
        st.builds(lambda x, y: (x[0] - y[0], lambda t, s: x[1](t, s) - y[1](t, s)), inner, inner),
        st.builds(lambda x, y: (x[0] * y[0], lambda t, s: x[1](t, s) * y[1](t, s)), inner, inner),
        st.builds(lambda x, n: (n - x[0], lambda t, s: n - x[1](t, s)), inner, number),
        st.builds(lambda x, n: (x[0] * n, lambda t, s: x[1](t, s) * n), inner, number),
        st.builds(lambda x, n: (floordiv(x[0], n), lambda t, s: x[1](t, s) // n), inner, divisor),
        st.builds(lambda x, n: (ceildiv(x[0], n), lambda t, s: -(-x[1](t, s) // n)), inner, divisor),
        st.builds(lambda x, n: (mod(x[0], n), lambda t, s: x[1](t, s) % n), inner, divisor),
    )


def _affine(a: int, b: int, r: int) -> tuple[Dim, Naive]:
    return a * T + b * S + r, lambda t, s: a * t + b * s + r


LEAVES: st.SearchStrategy[tuple[Dim, Naive]] = st.one_of(
    st.builds(_affine, st.integers(-6, 6), st.integers(-6, 6), st.integers(-9, 9)),
    st.just((T, lambda t, s: t)),
    st.just((S, lambda t, s: s)),
    st.integers(-9, 9).map(lambda n: (n, lambda t, s: n)),
)
FORMULAS = st.recursive(LEAVES, _extend, max_leaves=5)


def _value_of(written: str, t: int, s: int) -> int:
    value = eval(written, {"T": t, "S": s})  # noqa: S307 (a formula's own text)
    assert isinstance(value, int)
    return value


def _values(dim: Dim) -> list[int]:
    return [evaluate(dim, {"T": t, "S": s}) for t, s in SAMPLES]


@settings(deadline=None)
@given(FORMULAS)
def test_every_reading_of_a_formula_agrees_with_arithmetic(pair: tuple[Dim, Naive]) -> None:
    dim, naive = pair
    expected = [naive(t, s) for t, s in SAMPLES]
    assert _values(dim) == expected
    for written in (str(dim), python(dim, {"T": "T", "S": "S"})):
        assert [_value_of(written, t, s) for t, s in SAMPLES] == expected
    assert [substitute(dim, {"T": t, "S": s}) for t, s in SAMPLES] == expected
    assert isinstance(dim, int) or set(free_symbols(dim)) <= {"S", "T"}


@settings(deadline=None)
@given(FORMULAS, FORMULAS)
def test_equal_formulas_have_equal_values_and_hashes(a: tuple[Dim, Naive], b: tuple[Dim, Naive]) -> None:
    if a[0] == b[0]:
        assert hash(a[0]) == hash(b[0]) and _values(a[0]) == _values(b[0])
    if isinstance(a[0] - b[0], int):
        assert len({x - y for x, y in zip(_values(a[0]), _values(b[0]), strict=True)}) == 1


@settings(deadline=None)
@given(FORMULAS)
def test_atoms_are_non_negative_and_never_decrease(pair: tuple[Dim, Naive]) -> None:
    if isinstance(pair[0], Formula):
        for monomial, _ in pair[0].terms:
            only = Formula(((monomial, 1),), 0)
            assert min(_values(only)) >= 0
            for t, s in SAMPLES[:64]:
                here = evaluate(only, {"T": t, "S": s})
                assert here <= min(evaluate(only, {"T": t + 1, "S": s}), evaluate(only, {"T": t, "S": s + 1}))


@settings(deadline=None)
@given(FORMULAS, FORMULAS)
def test_exact_division_undoes_multiplication(a: tuple[Dim, Naive], b: tuple[Dim, Naive]) -> None:
    try:
        whole = a[0] * b[0]
    except DimTooComplex:
        reject()
    if b[0] != 0:
        assert exact_div(whole, b[0]) == a[0]
    quotient = exact_div(whole + 1, b[0])
    assert quotient is None or quotient * b[0] == whole + 1


@given(st.integers(-30, 30), st.integers(1, 9), st.integers(-30, 30), st.integers(1, 9), st.integers(1, 9))
def test_normal_form_unites_what_is_equal(k: int, n: int, r: int, m: int, a: int) -> None:
    assert floordiv(S * (a * n) + T + r, n) == S * a + floordiv(T + r, n)
    assert floordiv(floordiv(T + r, m) + k, n) == floordiv(T + r + k * m, m * n)
    assert floordiv(T * (a * n), m * n) == floordiv(T * a, m)
    assert floordiv(T + r + n * k, n) == floordiv(T + r, n) + k
    assert floordiv(ceildiv(T, m) * m, m) == ceildiv(T, m)


def test_nested_divisions_by_trying_all_small_ones() -> None:
    for a, b, c, r, k in pairs((-1, 1, 2, 4), (-2, 1, 2, 3), (1, 2, 3), (-4, 0, 1), (-3, 0, 1, 5)):
        for m, n in pairs((2, 3), (2, 4, 6)):
            dim = floordiv(a * T + b * floordiv(c * T + r, m) + k, n)
            for t in (1, 2, 3, 4, 5, 6, 7, 8, 23):
                assert evaluate(dim, {"T": t}) == (a * t + b * ((c * t + r) // m) + k) // n


def _formula(dim: Dim) -> Formula:
    assert isinstance(dim, Formula)
    return dim


def test_results_collapse_to_plain_integers() -> None:
    for dim, value in [(T - T, 0), (T + 3 - T, 3), (T * 0, 0), (floordiv(T * 5 + 9, 5) - T, 1), (floordiv(17, 5), 3)]:
        assert type(dim) is int and dim == value
    assert ceildiv(17, 5) == 4 and product([]) == 1 and product([2, T, 3]) == 6 * T


def _convolution(n: Dim, kernel: int, stride: int = 1) -> Dim:
    return floordiv(n - kernel, stride) + 1


def test_convolution_arithmetic_reads_as_people_write_it() -> None:
    read, n = [], T
    for kernel, stride in [(5, 1), (5, 5), (5, 1), (5, 1), (5, 5), (5, 1), (5, 1)]:
        n = _formula(_convolution(n, kernel, stride))
        read.append(str(n))
    assert read == [
        "T - 4",
        "(T - 4)//5",
        "(T - 24)//5",
        "(T - 44)//5",
        "(T - 44)//25",
        "(T - 144)//25",
        "(T - 244)//25",
    ]
    for size in range(1, 400):
        expected = size
        for kernel, stride in [(5, 1), (5, 5), (5, 1), (5, 1), (5, 5), (5, 1), (5, 1)]:
            expected = (expected - kernel) // stride + 1
        assert evaluate(n, {"T": size}) == expected


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        (4 * T, "4*T"),
        (2 * floordiv(T, 2), "2*(T//2)"),
        (T * S, "S*T"),
        (T + S, "S + T"),
        (_convolution(T, 3, 2), "(T - 1)//2"),
        (ceildiv(T, 2), "(T + 1)//2"),
        (ceildiv(ceildiv(T, 2), 2), "(T + 3)//4"),
        (ceildiv(T, 2) + 1, "(T + 1)//2 + 1"),
        (floordiv(T, 5) - 4, "T//5 - 4"),
        ((T - 4) * 128, "128*(T - 4)"),
        (64 * floordiv(T - 4, 5), "64*((T - 4)//5)"),
        (64 * (T - 4) * (S - 4), "64*(S - 4)*(T - 4)"),
        (4 * T + 6, "4*T + 6"),
        (10 - T, "10 - T"),
        (-T, "-T"),
        (-_formula(floordiv(T, 2)), "-(T//2)"),
        (T - floordiv(T - 4, 5), "T - (T - 4)//5"),
        (floordiv(3 * T, 4), "3*T//4"),
        (floordiv(2 * floordiv(T, 3) + 1, 5), "(2*(T//3) + 1)//5"),
        (BATCH * T, "batch*T"),
        (fresh() - 4, "? - 4"),
    ],
)
def test_text(dim: Dim, text: str) -> None:
    assert str(dim) == text


def test_python_replaces_symbols_and_spaces_as_ruff_does() -> None:
    names = {"T": "posts.shape[1]", "#batch": "posts.shape[0]"}
    assert python(64 * floordiv(T - 4, 5) * BATCH, names) == "64 * posts.shape[0] * ((posts.shape[1] - 4) // 5)"
    assert python(7, {}) == "7"
    with pytest.raises(KeyError):
        python(S + T, names)


def test_symbols_are_the_same_by_name_and_unknowns_never() -> None:
    assert symbol("T") == T and T != S and symbol("batch") != BATCH and str(symbol("batch")) == str(BATCH)
    first, second = fresh(), fresh()
    assert first != second and str(first) == str(second) == "?" and isinstance(first - second, Formula)
    assert free_symbols(floordiv(T + S, 3) + BATCH) == ("#batch", "S", "T")
    assert len(set(free_symbols(first * second))) == 2
    assert substitute(floordiv(T - 4, 5) * S, {"T": 5 * S + 4}) == S * S


def test_division_has_limits() -> None:
    assert exact_div(6 * T + 4, 2) == 3 * T + 2 and exact_div(6 * T + 3, 2) is None
    assert exact_div(T, 0) is None and exact_div(7, 2) is None and exact_div(8, 2) == 4
    assert exact_div(T, S) is None and exact_div(8, T) is None and exact_div(0, T) == 0
    for divisor in (0, -2):
        with pytest.raises(ValueError, match="division of a size"):
            floordiv(T, divisor)


def test_what_grows_without_end_is_refused() -> None:
    def nested() -> None:
        n: Dim = T
        for _ in range(60):
            n = floordiv(2 * n + 1, 3)

    def powers() -> None:
        product([T + 1] * 30)

    def many() -> None:
        product([1, *[symbol(f"d{i}") for i in range(201)]])

    def large() -> None:
        n: Dim = T
        for _ in range(64):
            n = n * 2

    def divisor() -> None:
        n: Dim = T
        for _ in range(40):
            n = floordiv(n, 3)

    for grow in (nested, powers, many, large, divisor, lambda: product([MAX_INT, 2]), lambda: T + 2 * MAX_INT):
        with pytest.raises(DimTooComplex):
            grow()
