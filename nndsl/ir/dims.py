"""The algebra of tensor dimensions: integers, and formulas over sizes that are not known yet.

A dimension is a plain `int` or a `Formula`; results that are constant are always plain integers.
A formula is kept in one normal form, so that `==` and `hash` compare what it means, not how it was written:
a sum of integers times monomials, where a monomial is a product of atoms and an atom is a symbol or `x // n`.
Within `x // n` every coefficient of `x`, and its constant, lies in `0 … n - 1`. As all symbols are at least 1, every
atom is therefore non-negative and never decreases when a symbol grows; `constraints` builds on that.

Every operation raises `DimTooComplex` when its result passes the limits below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from math import gcd
from typing import Any

MAX_SIZE = 200
"""How many symbols and divisions a formula may hold, those inside divisions included."""
MAX_DEPTH = 50
MAX_INT = 2**63

_serials = count(1)


class DimTooComplex(Exception):
    """A formula outgrew the limits; the text says which."""


class _Keyed:
    """Compared, hashed and sorted by `key`."""

    __slots__ = ("_hash", "depth", "key", "size")

    def __init__(self, key: tuple[Any, ...], size: int, depth: int) -> None:
        self.key = key
        self.size = size
        self.depth = depth
        self._hash = hash(key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and self._hash == other._hash and self.key == other.key


class Symbol(_Keyed):
    """A size that is at least 1. `name` is unique, `label` is what people read (`?` for every unrelated unknown)."""

    __slots__ = ("label", "name")

    def __init__(self, kind: int, name: str, label: str, serial: int = 0) -> None:
        self.name = name
        self.label = label
        super().__init__((kind, name if serial == 0 else "", serial, ()), 1, 0)


class FloorDiv(_Keyed):
    """`numerator // divisor` in normal form; made by `floordiv` alone."""

    __slots__ = ("divisor", "numerator")

    def __init__(self, numerator: Formula, divisor: int) -> None:
        self.numerator = numerator
        self.divisor = checked(divisor)
        super().__init__((3, "", divisor, numerator.key), numerator.size + 1, numerator.depth + 1)
        if self.depth > MAX_DEPTH:
            raise DimTooComplex(f"divisions nested more than {MAX_DEPTH} deep")


Atom = Symbol | FloorDiv
Monomial = tuple[Atom, ...]


def _order(monomial: Monomial) -> tuple[Any, ...]:
    """Graded lexicographic: a monomial order, which exact division of polynomials needs."""
    return (-len(monomial), tuple([atom.key for atom in monomial]))


class Formula(_Keyed):
    """A dimension that is not a constant; immutable. `terms` are (monomial, coefficient), highest degree first."""

    __slots__ = ("constant", "terms")

    def __init__(self, terms: tuple[tuple[Monomial, int], ...], constant: int) -> None:
        self.terms = terms
        self.constant = checked(constant)
        super().__init__(
            (tuple([(_order(m), checked(c)) for m, c in terms]), constant),
            sum([atom.size for monomial, _ in terms for atom in monomial]),
            max([atom.depth for monomial, _ in terms for atom in monomial]),
        )
        if self.size > MAX_SIZE:
            raise DimTooComplex(f"a size with more than {MAX_SIZE} terms")

    def __add__(self, other: Dim) -> Dim:
        if isinstance(other, int):
            return Formula(self.terms, self.constant + other)
        if not isinstance(other, Formula):
            return NotImplemented
        terms = dict(self.terms)
        for monomial, coefficient in other.terms:
            terms[monomial] = terms.get(monomial, 0) + coefficient
        return _build(terms, self.constant + other.constant)

    __radd__ = __add__

    def __neg__(self) -> Formula:
        return Formula(tuple([(m, -c) for m, c in self.terms]), -self.constant)

    def __sub__(self, other: Dim) -> Dim:
        return self + -other

    def __rsub__(self, other: int) -> Dim:
        return -self + other

    def __mul__(self, other: Dim) -> Dim:
        if isinstance(other, int):
            return Formula(tuple([(m, c * other) for m, c in self.terms]), self.constant * other) if other else 0
        if not isinstance(other, Formula):
            return NotImplemented
        terms: dict[Monomial, int] = {}
        for left, a in (*self.terms, ((), self.constant)):
            for right, b in (*other.terms, ((), other.constant)):
                monomial = tuple(sorted(left + right, key=_atom_key)) if left and right else left + right
                terms[monomial] = terms.get(monomial, 0) + a * b
        return _build(terms, terms.pop((), 0))

    __rmul__ = __mul__

    def __str__(self) -> str:
        from nndsl.ir.dim_text import text

        return text(self)

    def __repr__(self) -> str:
        return f"Formula({str(self)!r})"


Dim = int | Formula


def _atom_key(atom: Atom) -> tuple[Any, ...]:
    return atom.key


def checked(value: int) -> int:
    """The integer itself; raises `DimTooComplex` when it is beyond 64 bits."""
    if -MAX_INT <= value <= MAX_INT:
        return value
    raise DimTooComplex("a size beyond 2**63")


def _build(terms: Mapping[Monomial, int], constant: int) -> Dim:
    kept = [(m, c) for m, c in terms.items() if c]
    if not kept:
        return checked(constant)
    if len(kept) > MAX_SIZE:  # before the work of sorting them
        raise DimTooComplex(f"a size with more than {MAX_SIZE} terms")
    kept.sort(key=lambda term: _order(term[0]))
    return Formula(tuple(kept), constant)


def _wrap(symbol_: Symbol) -> Formula:
    return Formula((((symbol_,), 1),), 0)


def symbol(name: str) -> Formula:
    """The size that a program calls `name`: the same name is the same size."""
    return _wrap(Symbol(1, name, name))


def fresh(label: str = "?") -> Formula:
    """A size unrelated to every other; it prints as `label`, its unique name is in `free_symbols`."""
    serial = next(_serials)
    return _wrap(Symbol(2, f"{label}#{serial}", label, serial))


BATCH = _wrap(Symbol(0, "#batch", "batch"))
"""The size of the batch; no name of a program can be equal to its name, `#batch`."""


def from_terms(terms: Iterable[tuple[Monomial, int]], constant: int = 0) -> Dim:
    """The sum of `coefficient * product(monomial)` and the constant; the monomials differ and are sorted."""
    return _build(dict(terms), constant)


def floordiv(dim: Dim, divisor: int) -> Dim:
    """`dim // divisor` rounded down. Raises `ValueError` when the divisor is below 1."""
    if divisor < 1:
        raise ValueError(f"division of a size by {divisor}")
    if isinstance(dim, int):
        return dim // divisor
    whole: dict[Monomial, int] = {}
    whole_constant = 0
    terms, constant = dict(dim.terms), dim.constant
    while True:
        # (a*n + r)//n == a + r//n
        rest: dict[Monomial, int] = {}
        for monomial, coefficient in terms.items():
            quotient, remainder = divmod(coefficient, divisor)
            whole[monomial] = whole.get(monomial, 0) + quotient
            if remainder:
                rest[monomial] = remainder
        quotient, constant = divmod(constant, divisor)
        whole_constant += quotient
        if not rest:
            return _build(whole, whole_constant)
        # (g*x + r)//(g*n) == (x + r//g)//n
        common = gcd(divisor, *rest.values())
        if common > 1:
            rest = {m: c // common for m, c in rest.items()}
            constant //= common
            divisor //= common
        # (y//m + z)//n == (y + m*z)//(m*n)
        inner = [m[0] for m, c in rest.items() if c == 1 and len(m) == 1 and isinstance(m[0], FloorDiv)]
        if not inner:
            break
        first = min(inner, key=_atom_key)
        assert isinstance(first, FloorDiv)
        del rest[(first,)]
        terms = {m: c * first.divisor for m, c in rest.items()}
        for monomial, coefficient in first.numerator.terms:
            terms[monomial] = terms.get(monomial, 0) + coefficient
        constant = constant * first.divisor + first.numerator.constant
        divisor = checked(divisor * first.divisor)
    numerator = _build(rest, constant)
    assert isinstance(numerator, Formula)
    atom: Monomial = (FloorDiv(numerator, divisor),)
    whole[atom] = whole.get(atom, 0) + 1
    return _build(whole, whole_constant)


def ceildiv(dim: Dim, divisor: int) -> Dim:
    """`dim / divisor` rounded up. Raises `ValueError` when the divisor is below 1."""
    return floordiv(dim + (divisor - 1), divisor)


def mod(dim: Dim, divisor: int) -> Dim:
    """What `floordiv` leaves over, in `0 … divisor - 1`. Raises `ValueError` when the divisor is below 1."""
    return dim - floordiv(dim, divisor) * divisor


def exact_div(dim: Dim, divisor: Dim) -> Dim | None:
    """The dimension that times `divisor` is `dim`, whatever the symbols are; None when there is none."""
    if isinstance(divisor, int):
        if divisor == 0:
            return None
        if isinstance(dim, int):
            return None if dim % divisor else dim // divisor
        if dim.constant % divisor or any(c % divisor for _, c in dim.terms):
            return None
        return Formula(tuple([(m, c // divisor) for m, c in dim.terms]), dim.constant // divisor)
    quotient: Dim = 0
    lead, lead_coefficient = divisor.terms[0]
    # Each round removes the leading term, and no quotient that fits the limits needs more rounds than this.
    for _ in range(MAX_SIZE + 1):
        if isinstance(dim, int):
            return quotient if dim == 0 else None
        monomial, coefficient = dim.terms[0]
        left = list(monomial)
        for atom in lead:
            if atom not in left:
                return None
            left.remove(atom)
        if coefficient % lead_coefficient:
            return None
        step = _build({tuple(left): coefficient // lead_coefficient}, 0) if left else coefficient // lead_coefficient
        quotient = quotient + step
        dim = dim - step * divisor
    return None


def product(dims: Iterable[Dim]) -> Dim:
    """The product of all of them, 1 for none."""
    result: Dim = 1
    for dim in dims:
        result = result * dim
    return checked(result) if isinstance(result, int) else result


def symbols_of(dim: Dim) -> tuple[Symbol, ...]:
    """The symbols that occur in the dimension, each once, in a stable order."""
    found: dict[Symbol, None] = {}

    def collect(formula: Formula) -> None:
        for monomial, _ in formula.terms:
            for atom in monomial:
                if isinstance(atom, Symbol):
                    found[atom] = None
                else:
                    collect(atom.numerator)

    if isinstance(dim, Formula):
        collect(dim)
    return tuple(sorted(found, key=_atom_key))


def free_symbols(dim: Dim) -> tuple[str, ...]:
    """The names of the symbols that occur in the dimension, each once, in a stable order."""
    return tuple([s.name for s in symbols_of(dim)])


def evaluate_atom(atom: Atom, sizes: Mapping[str, int]) -> int:
    """The value of an atom for these sizes by name. Raises `KeyError` for a name that is missing."""
    if isinstance(atom, Symbol):
        return sizes[atom.name]
    return evaluate(atom.numerator, sizes) // atom.divisor


def evaluate(dim: Dim, sizes: Mapping[str, int]) -> int:
    """The value of a dimension for these sizes by name. Raises `KeyError` for a name that is missing."""
    if isinstance(dim, int):
        return dim
    total = dim.constant
    for monomial, coefficient in dim.terms:
        for atom in monomial:
            coefficient *= evaluate_atom(atom, sizes)
        total += coefficient
    return total


def substitute(dim: Dim, values: Mapping[str, Dim]) -> Dim:
    """The dimension with symbols replaced by name; names that `values` lacks stay."""
    if isinstance(dim, int):
        return dim
    total: Dim = dim.constant
    for monomial, coefficient in dim.terms:
        term: Dim = coefficient
        for atom in monomial:
            if isinstance(atom, FloorDiv):
                term = term * floordiv(substitute(atom.numerator, values), atom.divisor)
            else:
                term = term * values.get(atom.name, _wrap(atom))
        total = total + term
    return total


def python(dim: Dim, names: Mapping[str, str]) -> str:
    """A Python expression of the dimension's value, formatted as ruff does.

    `names` gives for each symbol's name an expression that binds as tightly as a name, such as `posts.shape[1]`.
    Raises `KeyError` for a name that is missing.
    """
    from nndsl.ir.dim_text import text

    return text(dim, names)
