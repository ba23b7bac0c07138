"""Dimensions as text: what a person would have written, from the normal form of `dims`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from math import gcd

from nndsl.ir.dims import MAX_INT, Atom, Dim, FloorDiv, Formula, Monomial, exact_div, from_terms


class _Level(IntEnum):
    """How tightly a text binds; a floor division binds as a product does, but is clearer in parentheses."""

    SUM = 0
    DIVISION = 1
    PRODUCT = 2
    ATOM = 3


_Text = tuple[str, _Level]


def text(dim: Dim, names: Mapping[str, str] | None = None) -> str:
    """The dimension as `(T - 4)//5`; with `names` as a Python expression with spaces, symbols replaced by name.

    Raises `KeyError` for a symbol that `names` lacks.
    """
    return str(dim) if isinstance(dim, int) else _Writer(names).formula(dim)[0]


class _Writer:
    def __init__(self, names: Mapping[str, str] | None) -> None:
        self.names = names
        self.times, self.over = ("*", "//") if names is None else (" * ", " // ")

    def formula(self, dim: Dim) -> _Text:
        if isinstance(dim, int):
            return str(dim), _Level.ATOM if dim >= 0 else _Level.SUM
        if len(dim.terms) + bool(dim.constant) > 1:
            common = gcd(dim.constant, *[c for _, c in dim.terms])
            # 128*(T - 4), but 4*T + 6
            if common > 1 and common == abs(dim.terms[0][1]):
                body = exact_div(dim, common)
                assert body is not None
                return self.product([(str(common), _Level.ATOM), self.formula(body)])
            factors = _factors(dim)
            if len(factors) > 1:
                return self.product([self.formula(f) for f in factors])
        return self.sum(dim)

    def product(self, factors: list[_Text]) -> _Text:
        if len(factors) == 1:
            return factors[0]
        return self.times.join([t if at >= _Level.PRODUCT else f"({t})" for t, at in factors]), _Level.PRODUCT

    def sum(self, dim: Formula) -> _Text:
        shifts, constant = _shifts(dim)
        terms = [(m, c) for m, c in dim.terms if c > 0] + [(m, c) for m, c in dim.terms if c < 0]
        parts: list[tuple[bool, _Text]] = []
        for monomial, coefficient in terms:
            factors = [self.atom(atom, shifts.get(monomial, 0)) for atom in monomial]
            if abs(coefficient) != 1:
                factors.insert(0, (str(abs(coefficient)), _Level.ATOM))
            parts.append((coefficient < 0, self.product(factors)))
        if constant:
            number = (constant < 0, (str(abs(constant)), _Level.ATOM))
            parts.insert(0 if constant > 0 and parts[0][0] else len(parts), number)
        negative, (first, level) = parts[0]
        if negative:  # -T//2 would be (-T)//2
            first, level = (f"-({first})" if level == _Level.DIVISION else f"-{first}"), _Level.SUM
        if len(parts) == 1:
            return first, level
        rest = "".join([f" {'-' if minus else '+'} {t}" for minus, (t, _) in parts[1:]])
        return first + rest, _Level.SUM

    def atom(self, atom: Atom, shift: int) -> _Text:
        if not isinstance(atom, FloorDiv):
            return (atom.label if self.names is None else self.names[atom.name]), _Level.ATOM
        numerator, level = self.formula(atom.numerator - atom.divisor * shift)
        if level == _Level.SUM:
            numerator = f"({numerator})"
        return f"{numerator}{self.over}{atom.divisor}", _Level.DIVISION


def _shifts(dim: Formula) -> tuple[dict[Monomial, int], int]:
    """How much of the constant each division takes in, and what is left of it.

    The normal form of `(T - 4)//5` is `(T + 1)//5 - 1`. People write one constant where that will do, so the constant
    goes inside, unless it adds (`(T + 1)//2 + 1`) or there is none inside to join (`T//5 - 4`).
    """
    left = dim.constant
    shifts: dict[Monomial, int] = {}
    open_ = [
        (monomial, coefficient)
        for monomial, coefficient in dim.terms
        if len(monomial) == 1
        and isinstance(monomial[0], FloorDiv)
        and monomial[0].numerator.constant
        and (abs(left) + 1) * monomial[0].divisor < MAX_INT
    ]
    for monomial, coefficient in open_:  # one each, then the rest to the first that it suits
        if left * coefficient < 0 and abs(left) >= abs(coefficient):
            shifts[monomial] = 1
            left += coefficient
    for monomial, coefficient in open_:
        if left * coefficient < 0 and left % coefficient == 0:
            shifts[monomial] += -left // coefficient
            left = 0
    return shifts, left


def _factors(dim: Dim) -> list[Dim]:
    """Splits off factors `atom + c`, as in `(S - 4)*(T - 4)`; the product of the list is the formula."""
    factors: list[Dim] = []
    searching = True
    while searching and isinstance(dim, Formula) and len(dim.terms[0][0]) > 1:
        searching = False
        for atom in dict.fromkeys(dim.terms[0][0]):
            split = _split(dim, atom)
            if split is not None:
                factors.append(split[0])
                dim = split[1]
                searching = True
                break
    return [*factors, dim] if dim != 1 or not factors else factors


def _split(dim: Formula, atom: Atom) -> tuple[Dim, Dim] | None:
    with_atom, without = [], []
    for monomial, coefficient in dim.terms:
        uses = monomial.count(atom)
        if uses > 1:
            return None
        if uses:
            at = monomial.index(atom)
            with_atom.append((monomial[:at] + monomial[at + 1 :], coefficient))
        else:
            without.append((monomial, coefficient))
    constant = sum([c for m, c in with_atom if not m])
    cofactor = from_terms([(m, c) for m, c in with_atom if m], constant)
    rest = from_terms(without, dim.constant)
    if isinstance(cofactor, int):
        return None
    ratio = exact_div(rest, cofactor)
    if not isinstance(ratio, int):
        return None
    return from_terms([((atom,), 1)], ratio), cofactor
