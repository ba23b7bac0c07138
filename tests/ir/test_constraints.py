"""What is derived about free dimensions, against trying all sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product as pairs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nndsl.ir.constraints import Constraints, Outcome
from nndsl.ir.dims import BATCH, Dim, DimTooComplex, Formula, ceildiv, evaluate, floordiv, fresh, mod, symbol
from nndsl.ir.periodic import intersect, periodicity

T, S = symbol("T"), symbol("S")
SIZES = range(1, 151)


def _truth(written: str, cases: Sequence[Mapping[str, object]]) -> list[object]:
    code = compile(written, "fact", "eval")
    return [eval(code, dict(case)) for case in cases]  # noqa: S307 (a fact's own text)


def _grow(inner: st.SearchStrategy[Dim]) -> st.SearchStrategy[Dim]:
    return st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, n: a * n, inner, st.integers(-4, 4)),
        st.builds(lambda a, n: a + n, inner, st.integers(-12, 12)),
        st.builds(floordiv, inner, st.integers(2, 5)),
        st.builds(mod, inner, st.integers(2, 5)),
    )


AFFINE: st.SearchStrategy[Dim] = st.builds(lambda a, r: a * T + r, st.integers(-3, 5), st.integers(-9, 9))
LINEAR = st.recursive(AFFINE, _grow, max_leaves=4)
WITH_PRODUCTS = st.builds(lambda a, b: a * b, LINEAR, LINEAR)
DIVISIBLE = st.builds(lambda n, k: (n * floordiv(T + k, n), T + k), st.integers(2, 6), st.integers(0, 5))
REQUIREMENTS = st.lists(
    st.one_of(
        st.tuples(st.just("at least"), LINEAR, st.integers(-20, 40)),
        st.tuples(st.just("at least"), WITH_PRODUCTS, st.integers(-20, 40)),
        st.tuples(st.just("equal"), LINEAR, LINEAR),
        DIVISIBLE.map(lambda pair: ("equal", *pair)),
    ),
    min_size=1,
    max_size=5,
)


@settings(deadline=None, max_examples=300)
@given(REQUIREMENTS)
def test_one_symbol_against_all_sizes(requirements: list[tuple[str, Dim, Dim]]) -> None:
    constraints = Constraints()
    admitted = set(SIZES)
    for number, (kind, a, b) in enumerate(requirements):
        if kind == "equal":
            true = {t for t in SIZES if evaluate(a, {"T": t}) == evaluate(b, {"T": t})}
            result = constraints.require_equal(a, b, number)
        else:
            assert isinstance(b, int)
            true = {t for t in SIZES if evaluate(a, {"T": t}) >= b}
            result = constraints.require_at_least(a, b, number)
        if result.outcome is Outcome.OK:
            assert admitted <= true
        elif result.outcome is Outcome.DERIVED:
            admitted &= true
            assert result.fact is not None and result.fact.reasons[-1] == number
        elif result.outcome is Outcome.CONTRADICTION:
            assert not admitted & true
            assert set(result.reasons) <= set(range(number))
            if not result.reasons:
                assert not true
        else:
            assert kind == "equal"
        assert bool(result) == (result.outcome in (Outcome.OK, Outcome.DERIVED))
    assert {t for t in SIZES if constraints.admissible("T", t)} == admitted
    facts = constraints.facts()
    assert {t for t in SIZES if all(f.holds({"T": t}) for f in facts)} == admitted
    for fact in facts:
        assert _truth(fact.python({"T": "x[0]"}), [{"x": [t]} for t in SIZES]) == [fact.holds({"T": t}) for t in SIZES]
    if admitted:
        assert constraints.smallest("T") == min(admitted)
        assert constraints.smallest("T", max(admitted)) == max(admitted)
        assert constraints.smallest_sizes(["T"]) == {"T": min(admitted)}


def test_bounds_by_trying_all_small_formulas() -> None:
    for a, b, c, r, n in pairs((-2, -1, 0, 1, 2), (-3, -1, 1, 4), (1, 2), (-4, 0, 1), (2, 3)):
        dim = a * T + b * floordiv(c * T + r, n)
        for minimum in (-9, -2, 0, 3, 8):
            true = [t for t in range(1, 61) if a * t + b * ((c * t + r) // n) >= minimum]
            constraints = Constraints()
            result = constraints.require_at_least(dim, minimum, "why")
            found = [t for t in range(1, 61) if constraints.admissible("T", t)]
            assert true == (found if result else []), (dim, minimum)
            facts = constraints.facts()
            if true and true[-1] == 60 and true != list(range(1, 61)) and true == list(range(true[0], 61)):
                assert [str(f) for f in facts] == [f"T >= {true[0]}"]
            elif true and true[-1] < 50 and true == list(range(1, true[-1] + 1)):
                assert [str(f) for f in facts] == [f"T <= {true[-1]}"]


@pytest.mark.parametrize(
    ("dim", "minimum", "text"),
    [
        (T - floordiv(T, 3), 5, "T >= 7"),
        (floordiv(T, 3) - T, -5, "T <= 7"),
        (T * T + T, 30, "T >= 5"),
        (-(T * T), -30, "T <= 5"),
        (mod(T, 3), 1, "T % 3 != 0"),
        (3 * floordiv(T, 2) - T, 1, "3*(T//2) >= T + 1"),
        (T * S, 5, "S*T >= 5"),
        (BATCH * 2, 5, "batch >= 3"),
        (fresh() - 4, 1, "? >= 5"),
    ],
)
def test_what_at_least_derives(dim: Dim, minimum: int, text: str) -> None:
    constraints = Constraints()
    assert constraints.require_at_least(dim, minimum, "why").outcome is Outcome.DERIVED
    assert [str(f) for f in constraints.facts()] == [text]
    assert constraints.require_at_least(dim, minimum, "again").outcome is Outcome.OK
    assert constraints.facts()[0].reasons == ("why",)


def test_a_condition_that_is_no_bound_still_counts() -> None:
    constraints = Constraints()
    constraints.require_at_least(3 * floordiv(T, 2) - T, 1, "why")
    assert [t for t in range(1, 8) if constraints.admissible("T", t)] == [2, 4, 5, 6, 7]
    assert constraints.smallest("T") == 2 and constraints.smallest("T", 3) == 4


@given(LINEAR)
def test_periodicity(dim: Dim) -> None:
    if isinstance(dim, Formula):
        found = periodicity(dim)
        assert found is not None
        for t in range(1, 30):
            assert evaluate(dim, {"T": t + found[0]}) - evaluate(dim, {"T": t}) == found[1]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.integers(1, 4), st.integers(-8, 12)),
        min_size=1,
        max_size=4,
    )
)
def test_two_symbols_against_all_pairs(requirements: list[tuple[int, int, int, int]]) -> None:
    sizes = [{"T": t, "S": s} for t in range(1, 31) for s in range(1, 31)]
    constraints = Constraints()
    admitted = sizes
    for a, b, n, minimum in requirements:
        dim = floordiv(a * T + b * S, n)
        true = [s for s in admitted if evaluate(dim, s) >= minimum]
        result = constraints.require_at_least(dim, minimum, (a, b))
        if result.outcome is Outcome.OK:
            assert true == admitted
        elif result.outcome is Outcome.CONTRADICTION:
            assert not true
        else:
            assert result.outcome is Outcome.DERIVED
            admitted = true
    facts = constraints.facts()
    assert [s for s in sizes if all(f.holds(s) for f in facts)] == admitted
    for fact in facts:
        assert _truth(fact.python({"T": "T", "S": "S"}), sizes) == [fact.holds(s) for s in sizes]
        assert _truth(str(fact), sizes) == [fact.holds(s) for s in sizes]


def _profile() -> Dim:
    return floordiv(floordiv(T - 4, 5) - 8, 5) - 8


def test_the_minimum_of_a_stack_of_convolutions() -> None:
    constraints = Constraints()
    result = constraints.require_at_least(_profile(), 1, "the last Conv1D")
    assert result.outcome is Outcome.DERIVED and str(result.fact) == "T >= 269"
    assert constraints.smallest("T") == 269 and not constraints.admissible("T", 268)
    assert constraints.require_at_least(T - 4, 1, "the first").outcome is Outcome.OK
    assert [f.python({"T": "posts.shape[1]"}) for f in constraints.facts()] == ["posts.shape[1] >= 269"]
    assert constraints.facts()[0].reasons == ("the last Conv1D",)


def test_integers_are_judged_at_once() -> None:
    constraints = Constraints()
    assert constraints.require_at_least(1, 1, "") and not constraints.require_at_least(0, 1, "")
    assert constraints.require_equal(3, 3, "").outcome is Outcome.OK
    assert constraints.require_equal(3, 4, "").outcome is Outcome.CONTRADICTION
    assert constraints.facts() == []


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        (2 * floordiv(T, 2), T, "T % 2 == 0"),
        (4 * floordiv(T, 4), T, "T % 4 == 0"),
        (4 * ceildiv(ceildiv(T, 2), 2), T, "T % 4 == 0"),
        (2 * floordiv(T, 4), floordiv(T, 2), "T % 4 in (0, 1)"),
        (ceildiv(T, 3), floordiv(T + 1, 3), "T % 3 != 1"),
        (10 * floordiv(T, 10), 5 * floordiv(T, 5), "T % 10 <= 4"),
        (S * T, 2 * S * floordiv(T, 2), "T % 2 == 0"),
        (2 * floordiv(BATCH, 2), BATCH, "batch % 2 == 0"),
    ],
)
def test_residues(a: Dim, b: Dim, text: str) -> None:
    constraints = Constraints()
    assert constraints.require_equal(a, b, "why").outcome is Outcome.DERIVED
    assert [str(f) for f in constraints.facts()] == [text]
    assert constraints.require_equal(b, a, "again").outcome is Outcome.OK
    assert constraints.facts()[0].reasons == ("why",)


@pytest.mark.parametrize(
    ("a", "b", "outcome"),
    [
        (T, 10, Outcome.MISMATCH),
        (T, S, Outcome.MISMATCH),
        (fresh(), fresh(), Outcome.MISMATCH),
        (T, 2 * T - 5, Outcome.MISMATCH),
        (10_001 * floordiv(T, 10_001), T, Outcome.MISMATCH),
        (T, T + 1, Outcome.CONTRADICTION),
        (T, 0, Outcome.CONTRADICTION),
        (2 * floordiv(T, 2), T + 1, Outcome.CONTRADICTION),
        (floordiv(T, 2) + ceildiv(T, 2), T, Outcome.OK),
        (floordiv(T + 5, 5), floordiv(T, 5) + 1, Outcome.OK),
    ],
)
def test_what_is_not_derived(a: Dim, b: Dim, outcome: Outcome) -> None:
    constraints = Constraints()
    assert constraints.require_equal(a, b, "why").outcome is outcome
    assert constraints.facts() == []


def test_residues_combine() -> None:
    constraints = Constraints()
    constraints.require_equal(2 * floordiv(T, 2), T, "even")
    constraints.require_equal(3 * floordiv(T, 3), T, "third")
    constraints.require_at_least(T, 7, "long")
    assert [str(f) for f in constraints.facts()] == ["T >= 7", "T % 6 == 0"]
    assert constraints.facts()[1].reasons == ("even", "third")
    assert constraints.smallest("T") == 12 and constraints.smallest("T", 13) == 18
    result = constraints.require_equal(2 * floordiv(T, 2), T - 1, "odd")
    assert result.outcome is Outcome.CONTRADICTION and result.reasons == ("even", "third")


def test_contradictions_name_the_other_side() -> None:
    constraints = Constraints()
    constraints.require_at_least(T - 9, 1, "long")
    clash = constraints.require_at_least(8 - T, 0, "short")
    assert clash.outcome is Outcome.CONTRADICTION and clash.reasons == ("long",)
    assert constraints.require_at_least(14 - T, 0, "short").outcome is Outcome.DERIVED
    clash = constraints.require_equal(16 * floordiv(T, 16), T, "sixteen")
    assert clash.outcome is Outcome.CONTRADICTION and clash.reasons == ("short",)
    clash = constraints.require_equal(8 * floordiv(T, 8), T, "eight")
    assert clash.outcome is Outcome.CONTRADICTION and set(clash.reasons) == {"long", "short"}
    assert [str(f) for f in constraints.facts()] == ["T >= 10", "T <= 14"]
    with pytest.raises(ValueError, match="no size"):
        constraints.smallest("T", 15)


def test_relations_of_several_symbols() -> None:
    constraints = Constraints()
    assert constraints.require_at_least(T + S, 2, "trivial").outcome is Outcome.OK
    assert constraints.require_at_least(floordiv(T + S - 4, 2), 1, "sum").outcome is Outcome.DERIVED
    assert constraints.require_at_least(T - 2 * S, 1, "difference").outcome is Outcome.DERIVED
    assert constraints.require_at_least(40 - T - S, 0, "limit").outcome is Outcome.DERIVED
    assert [str(f) for f in constraints.facts()] == ["S + T >= 6", "T >= 2*S + 1", "S + T <= 40"]
    sizes = constraints.smallest_sizes(["T", "S"])
    assert all(f.holds(sizes) for f in constraints.facts())
    clash = constraints.require_at_least(S, 40, "tall")
    assert clash.outcome is Outcome.CONTRADICTION and clash.reasons == ("limit",)
    assert constraints.require_at_least(T, 6, "long").outcome is Outcome.DERIVED
    assert [str(f) for f in constraints.facts()] == ["T >= 6", "T >= 2*S + 1", "S + T <= 40"]
    constraints.require_at_least(3 - S, 0, "thin")
    clash = constraints.require_at_least(S - T, 0, "wide")
    assert clash.outcome is Outcome.CONTRADICTION and set(clash.reasons) == {"thin", "long"}


def test_conditions_beyond_the_limits_are_refused() -> None:
    constraints = Constraints()
    with pytest.raises(DimTooComplex):
        constraints.require_at_least(T - 2**62, 2**62 + 1, "huge")
    constraints.require_equal(200 * floordiv(T, 200), 100 * floordiv(T, 100), "hundreds")
    with pytest.raises(DimTooComplex):
        constraints.require_equal(602 * floordiv(T, 602), 301 * floordiv(T, 301), "many")
    assert [str(f) for f in constraints.facts()] == ["T % 200 <= 99"]


def test_many_residues_are_shortened_for_people_only() -> None:
    constraints = Constraints()
    constraints.require_equal(floordiv(T, 2) - 2 * floordiv(T, 4), 0, "two of four")
    constraints.require_equal(floordiv(T, 20) - 2 * floordiv(T, 40), 0, "twenty of forty")
    (fact,) = constraints.facts()
    assert str(fact) == "T % 40 in (0, 1, 4, 5, 8, 9, 12, 13, … 10 in all)"
    assert fact.python({"T": "n"}) == "n % 40 in (0, 1, 4, 5, 8, 9, 12, 13, 16, 17)"


@given(st.integers(1, 24), st.integers(1, 24), st.data())
def test_intersection(a: int, b: int, data: st.DataObject) -> None:
    in_a = tuple(sorted(data.draw(st.sets(st.integers(0, a - 1), min_size=1))))
    in_b = tuple(sorted(data.draw(st.sets(st.integers(0, b - 1), min_size=1))))
    relation, value, residues = intersect(a, in_a, b, in_b)
    for t in range(1, a * b + 1):
        admitted = t % value in residues if relation == "%" else relation == ">="
        assert admitted == (t % a in in_a and t % b in in_b)
