"""What the compiler learns about free dimensions: minima, maxima, residues, and relations between several.

Each layer states what it needs of its input's dimensions; the facts that follow are shown in summaries, checked when a
generated program runs, and contradictions between them are found before. `reason` is whatever the caller wants back to
explain a fact: it is kept, never looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from math import gcd

from nndsl.ir import periodic
from nndsl.ir.dims import (
    Atom,
    Dim,
    DimTooComplex,
    FloorDiv,
    Formula,
    Monomial,
    Symbol,
    checked,
    evaluate,
    evaluate_atom,
    exact_div,
    free_symbols,
    from_terms,
    product,
    python,
    substitute,
    symbols_of,
)
from nndsl.records import record

MAX_SEARCH = 100_000
"""How many sizes `smallest` tries when conditions are not plain bounds and residues."""


class Outcome(Enum):
    OK = "ok"
    """It holds already."""
    DERIVED = "derived"
    """It holds from now on: a fact was added."""
    CONTRADICTION = "contradiction"
    """It can never hold, alone or together with earlier facts. Nothing was added."""
    MISMATCH = "mismatch"
    """The two sizes are unrelated, so they are not taken to be equal. Nothing was added."""


@record
class Fact:
    """`dim >= value`, `dim <= value`, or `dim % value` in `residues`; `dim` is a symbol, or for `>=` any formula."""

    dim: Formula
    relation: str
    value: int
    residues: tuple[int, ...]
    reasons: tuple[object, ...]

    def __str__(self) -> str:
        return self._text(str, shorten=True)

    def python(self, names: Mapping[str, str]) -> str:
        """The fact as a boolean Python expression; `names` as for `dims.python`."""
        return self._text(lambda dim: python(dim, names), shorten=False)

    def holds(self, sizes: Mapping[str, int]) -> bool:
        """Whether the fact is true of these sizes by name. Raises `KeyError` for a name that is missing."""
        value = evaluate(self.dim, sizes)
        if self.relation == "%":
            return value % self.value in self.residues
        return value >= self.value if self.relation == ">=" else value <= self.value

    def _text(self, write: Callable[[Dim], str], shorten: bool) -> str:
        if self.relation == "%":
            return periodic.residues_text(write(self.dim), self.value, self.residues, shorten)
        taken = [(m, -c) for m, c in self.dim.terms if c < 0]
        if len(taken) == len(self.dim.terms):  # -S - T >= -9 reads S + T <= 9
            return f"{write(-self.dim)} <= {-self.value}"
        added = from_terms([(m, c) for m, c in self.dim.terms if c > 0])  # T - S >= 1 reads T >= S + 1
        return f"{write(added)} {self.relation} {write(from_terms(taken, self.value))}"


@record
class Result:
    """What became of a requirement: true when it holds (OK, DERIVED).

    `fact` is the fact that was added; `reasons` are those of the earlier facts that a contradiction is with, none when
    the requirement contradicts itself (`T == T + 1`).
    """

    outcome: Outcome
    fact: Fact | None = None
    reasons: tuple[object, ...] = ()

    def __bool__(self) -> bool:
        return self.outcome in (Outcome.OK, Outcome.DERIVED)


_OK = Result(Outcome.OK)
_NEVER = Result(Outcome.CONTRADICTION)
_MISMATCH = Result(Outcome.MISMATCH)


class Constraints:
    """The facts about the free dimensions of one program. Every symbol is at least 1 from the start."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Fact]] = {}
        self._relations: list[Fact] = []

    def require_at_least(self, dim: Dim, minimum: int, reason: object) -> Result:
        """Requires `dim >= minimum`. Raises `DimTooComplex` when the condition is beyond the limits of `dims`."""
        if isinstance(dim, int):
            return _OK if dim >= minimum else _NEVER
        simple, minimum = _simplify(dim, minimum)
        lowest, highest = self._range(simple)
        if lowest is not None and lowest >= minimum:
            return _OK
        if highest is not None and highest < minimum:
            earlier = [r for fact in self._bounds_below(simple) for r in fact.reasons]
            return Result(Outcome.CONTRADICTION, reasons=tuple(earlier))
        symbols = symbols_of(simple)
        condition = periodic.solve_at_least(simple, minimum) if len(symbols) == 1 else None
        if condition is not None:
            return self._restrict(symbols[0], condition, reason)
        fact = Fact(simple, ">=", checked(minimum), (), (reason,))
        if any(f.dim == simple and f.value >= minimum for f in self._relations):
            return _OK
        self._relations = [f for f in self._relations if f.dim != simple]
        self._relations.append(fact)
        return Result(Outcome.DERIVED, fact)

    def require_equal(self, a: Dim, b: Dim, reason: object) -> Result:
        """Requires `a == b` for all the sizes that the facts admit.

        Derives residues (`T % 2 == 0` from `2*(T//2)` against `T`), never that a symbol has a particular size or
        equals another: that is a MISMATCH. Raises `DimTooComplex` beyond the limits of `dims`.
        """
        if a == b:
            return _OK
        difference = a - b
        if isinstance(difference, int):
            return _OK if difference == 0 else _NEVER
        difference = _without_common_symbols(difference)
        if isinstance(difference, int):
            return _NEVER  # it was a product of symbols, which is at least 1
        symbols = symbols_of(difference)
        condition = periodic.solve_equal_zero(difference) if len(symbols) == 1 else None
        return _MISMATCH if condition is None else self._restrict(symbols[0], condition, reason)

    def facts(self) -> list[Fact]:
        """All that is known: by symbol minimum, maximum, residues; then the relations, in the order of their origin."""
        by_symbol = [(symbols_of(fact.dim)[0].key, fact) for facts in self._known.values() for fact in facts.values()]
        by_symbol.sort(key=lambda item: (item[0], (">=", "<=", "%").index(item[1].relation)))
        return [fact for _, fact in by_symbol] + [f for f in self._relations if not self._follows(f)]

    def admissible(self, symbol: str, value: int) -> bool:
        """Whether the facts about this symbol alone, given by its name, admit the size."""
        return value >= 1 and all(fact.holds({symbol: value}) for fact in self._facts_of(symbol))

    def smallest(self, symbol: str, at_least: int = 1) -> int:
        """The smallest size from `at_least` on that the facts about this symbol alone, given by its name, admit.

        Raises `ValueError` when there is none, `DimTooComplex` when none is found in `MAX_SEARCH` steps.
        """
        size = max(at_least, self._bound(symbol, ">=") or 1)
        maximum = self._bound(symbol, "<=")
        remainder = self._known.get(symbol, {}).get("%")
        relations = [f for f in self._relations if free_symbols(f.dim) == (symbol,)]
        for _ in range(MAX_SEARCH):
            if remainder is not None:
                size = periodic.next_in_residues(size, remainder.value, remainder.residues)
            if maximum is not None and size > maximum:
                raise ValueError(f"no size from {at_least} on satisfies all the conditions")
            if all(f.holds({symbol: size}) for f in relations):
                return size
            size += 1
        raise DimTooComplex("no size found that satisfies all the conditions")

    def smallest_sizes(self, symbols: Iterable[str], at_least: int = 1) -> dict[str, int]:
        """Small sizes from `at_least` on that all facts admit together; `symbols` names all that the facts speak of.

        Raises as `smallest` does.
        """
        sizes = {symbol: self.smallest(symbol, at_least) for symbol in symbols}
        for _ in range(100):
            broken = next((f for f in self._relations if not f.holds(sizes)), None)
            if broken is None:
                return sizes
            if not self._enlarge(broken, sizes):
                break
        raise DimTooComplex("no sizes found that satisfy all the conditions")

    def _enlarge(self, broken: Fact, sizes: dict[str, int]) -> bool:
        """Makes one symbol as large as the relation needs, the others as they are."""
        for name in free_symbols(broken.dim):
            rest = substitute(broken.dim, {n: size for n, size in sizes.items() if n != name})
            condition = periodic.solve_at_least(rest, broken.value) if isinstance(rest, Formula) else None
            if condition is None or condition[0] != ">=":
                continue
            try:
                sizes[name] = self.smallest(name, max(condition[1], sizes[name]))
            except ValueError:
                continue
            return True
        return False

    def _facts_of(self, symbol: str) -> list[Fact]:
        relations = [f for f in self._relations if free_symbols(f.dim) == (symbol,)]
        return [*self._known.get(symbol, {}).values(), *relations]

    def _restrict(self, symbol: Symbol, condition: periodic.Condition, reason: object) -> Result:
        """Adds a condition on one symbol, unless it is known or contradicts what is."""
        relation, value, residues = condition
        if condition == periodic.EVERY:
            return _OK
        if relation == "<=" and value < 1:
            return _NEVER
        known = self._known.get(symbol.name, {})
        old = known.get(relation)
        reasons: tuple[object, ...] = (reason,)
        if old is not None and relation == "%":
            both = periodic.intersect(old.value, old.residues, value, residues)
            if both == periodic.NONE:
                return Result(Outcome.CONTRADICTION, reasons=old.reasons)
            if both == ("%", old.value, old.residues):
                return _OK
            _, value, residues = both
            reasons = old.reasons + reasons
        elif old is not None and (value <= old.value if relation == ">=" else value >= old.value):
            return _OK
        fact = Fact(_formula([((symbol,), 1)]), relation, checked(value), residues, reasons)
        updated = {**known, relation: fact}
        clash = _clash(updated)
        if clash:
            earlier = [r for f in clash if f is not fact for r in f.reasons] + list(reasons[:-1])
            return Result(Outcome.CONTRADICTION, reasons=tuple(earlier))
        self._known[symbol.name] = updated
        for other in self._relations:
            highest = self._range(other.dim)[1]
            if highest is not None and highest < other.value:
                bounds = self._bounds_below(other.dim)
                self._known[symbol.name] = known
                earlier = [r for f in (other, *bounds) if f is not fact for r in f.reasons]
                return Result(Outcome.CONTRADICTION, reasons=tuple(earlier))
        return Result(Outcome.DERIVED, fact)

    def _follows(self, relation: Fact) -> bool:
        lowest = self._range(relation.dim)[0]
        return lowest is not None and lowest >= relation.value

    def _bound(self, name: str, relation: str) -> int | None:
        fact = self._known.get(name, {}).get(relation)
        return None if fact is None else fact.value

    def _range(self, dim: Formula) -> tuple[int | None, int | None]:
        """Bounds of a formula's value from the symbols' own bounds; None where there is no bound."""
        names = free_symbols(dim)
        low = {n: self._bound(n, ">=") or 1 for n in names}
        high = {n: bound for n in names if (bound := self._bound(n, "<=")) is not None}
        lowest: int | None = dim.constant
        highest: int | None = dim.constant
        for monomial, coefficient in dim.terms:
            # An atom never decreases when a symbol grows, and is never negative: see `dims`.
            bounded = all(n in high for n in free_symbols(_formula([(monomial, 1)])))
            least = most = coefficient
            for atom in monomial:
                least *= evaluate_atom(atom, low)
                most *= evaluate_atom(atom, high) if bounded else 1
            if coefficient < 0:
                least, most = most, least
            if lowest is not None:
                lowest = lowest + least if bounded or coefficient > 0 else None
            if highest is not None:
                highest = highest + most if bounded or coefficient < 0 else None
        return lowest, highest

    def _bounds_below(self, dim: Formula) -> list[Fact]:
        """The facts that keep a formula's value from being larger: maxima of what adds, minima of what subtracts."""
        found: dict[tuple[str, str], Fact] = {}
        for monomial, coefficient in dim.terms:
            relation = "<=" if coefficient > 0 else ">="
            for name in free_symbols(_formula([(monomial, 1)])):
                fact = self._known.get(name, {}).get(relation)
                if fact is not None:
                    found[name, relation] = fact
        return list(found.values())


def _formula(terms: Iterable[tuple[Monomial, int]]) -> Formula:
    dim = from_terms(terms)
    assert isinstance(dim, Formula)
    return dim


def _simplify(dim: Formula, minimum: int) -> tuple[Formula, int]:
    """An equivalent of `dim >= minimum` without a constant, a common factor, or a division around it all."""
    while True:
        minimum -= dim.constant
        common = gcd(*[c for _, c in dim.terms])
        dim = _formula([(m, c // common) for m, c in dim.terms])
        minimum = -(-minimum // common)
        (monomial, coefficient), *others = dim.terms
        if others or len(monomial) > 1 or not isinstance(monomial[0], FloorDiv):
            return dim, minimum
        atom = monomial[0]
        if coefficient > 0:  # x//n >= m is x >= n*m
            dim, minimum = atom.numerator, atom.divisor * minimum
        else:  # x//n <= -m is x <= n - 1 - n*m
            dim, minimum = -atom.numerator, atom.divisor * minimum - atom.divisor + 1


def _without_common_symbols(dim: Formula) -> Dim:
    """Divided by the symbols that every term has: as they are at least 1, that does not change where it is zero."""
    if dim.constant:
        return dim
    common: list[Atom] = [atom for atom in dim.terms[0][0] if isinstance(atom, Symbol)]
    for monomial, _ in dim.terms[1:]:
        common = list((Counter(common) & Counter(monomial)).elements())
    divisor = product([_formula([((atom,), 1)]) for atom in common])
    quotient = exact_div(dim, divisor)
    return dim if quotient is None else quotient


def _clash(facts: Mapping[str, Fact]) -> list[Fact]:
    """The facts about one symbol that cannot hold together; empty when they can."""
    minimum, maximum, remainder = facts.get(">="), facts.get("<="), facts.get("%")
    if maximum is None:
        return []
    if minimum is not None and minimum.value > maximum.value:
        return [minimum, maximum]
    if remainder is None:
        return []
    for involved in ([], [minimum] if minimum else []):
        size = max([1, *[fact.value for fact in involved]])
        if periodic.next_in_residues(size, remainder.value, remainder.residues) > maximum.value:
            return [*involved, maximum, remainder]
    return []
