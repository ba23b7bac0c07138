"""What values of one symbol satisfy a condition on a formula of it: bounds and residue classes.

A formula that is linear but for its divisions repeats itself: `f(t + period) == f(t) + increment` for every integer t.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd, lcm

from nndsl.ir.dims import DimTooComplex, FloorDiv, Formula, checked, evaluate, free_symbols

MAX_PERIOD = 10_000
"""Longer periods are not searched; also the most residue classes that are kept."""

Condition = tuple[str, int, tuple[int, ...]]
"""(`>=`, bound, ()), (`<=`, bound, ()), or (`%`, modulus, residues): what a symbol must satisfy.

All of the sizes are (`>=`, 1, ()), none of them (`<=`, 0, ()).
"""

EVERY: Condition = (">=", 1, ())
NONE: Condition = ("<=", 0, ())


def periodicity(dim: Formula) -> tuple[int, int] | None:
    """(period, increment) of a formula of one symbol; None when it has products of symbols."""
    parts: list[tuple[int, int, int]] = []
    for monomial, coefficient in dim.terms:
        if len(monomial) > 1:
            return None
        atom = monomial[0]
        period, increment = 1, 1
        if isinstance(atom, FloorDiv):
            inner = periodicity(atom.numerator)
            if inner is None:
                return None
            repeats = atom.divisor // gcd(atom.divisor, inner[1])
            period, increment = inner[0] * repeats, inner[1] * repeats // atom.divisor
        parts.append((coefficient, period, increment))
    whole = lcm(*[period for _, period, _ in parts])
    return whole, sum([coefficient * increment * (whole // period) for coefficient, period, increment in parts])


def solve_equal_zero(dim: Formula) -> Condition | None:
    """Where a formula of one symbol that does not grow is zero; None when it grows or its period is too long."""
    found = periodicity(dim)
    if found is None or found[0] > MAX_PERIOD or found[1] != 0:
        return None
    (name,) = free_symbols(dim)
    period = found[0]
    return reduce_residues(period, [t % period for t in range(1, period + 1) if evaluate(dim, {name: t}) == 0])


def solve_at_least(dim: Formula, minimum: int) -> Condition | None:
    """Where a formula of one symbol is at least `minimum`; None when that is not one condition, or too hard."""
    (name,) = free_symbols(dim)
    if all(c > 0 for _, c in dim.terms):
        return (">=", _first(dim, name, minimum), ())
    if all(c < 0 for _, c in dim.terms):
        return ("<=", _first(-dim, name, 1 - minimum) - 1, ())  # the last before -dim >= 1 - minimum
    found = periodicity(dim)
    if found is None or found[0] > MAX_PERIOD:
        return None
    period, increment = found
    values = [(t, evaluate(dim, {name: t})) for t in range(1, period + 1)]
    if increment == 0:
        return reduce_residues(period, [t % period for t, value in values if value >= minimum])
    # In each residue class the condition holds from some size on (increment > 0), or up to some size.
    if increment > 0:
        first_true = min([t + period * max(0, -((value - minimum) // increment)) for t, value in values])
        last_false = max([t + period * ((minimum - 1 - value) // increment) for t, value in values])
        return (">=", first_true, ()) if max(last_false, 0) == first_true - 1 else None
    last_true = max([t + period * ((value - minimum) // -increment) for t, value in values])
    first_false = min([t + period * max(0, -((minimum - 1 - value) // -increment)) for t, value in values])
    return ("<=", max(last_true, 0), ()) if max(last_true, 0) == first_false - 1 else None


def _first(dim: Formula, name: str, minimum: int) -> int:
    """The smallest size at which a formula that never decreases, and has no end, is at least `minimum`."""
    high = 1
    while evaluate(dim, {name: high}) < minimum:
        high = checked(high * 2)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if evaluate(dim, {name: middle}) < minimum:
            low = middle
        else:
            high = middle
    return high


def reduce_residues(modulus: int, residues: Iterable[int]) -> Condition:
    """The same residue classes with the smallest modulus."""
    kept = set(residues)
    if not kept:
        return NONE
    for prime in _primes(modulus):
        while modulus % prime == 0:
            smaller = {r % (modulus // prime) for r in kept}
            if len(smaller) * prime != len(kept):
                break
            modulus, kept = modulus // prime, smaller
    return EVERY if modulus == 1 else ("%", modulus, tuple(sorted(kept)))


def _primes(number: int) -> list[int]:
    """The prime factors up to the longest period; a modulus, being a product of divisors of periods, has no others."""
    found = []
    candidate = 2
    while candidate * candidate <= number and candidate <= MAX_PERIOD:
        if number % candidate == 0:
            found.append(candidate)
            while number % candidate == 0:
                number //= candidate
        candidate += 1
    return [*found, number] if number > 1 else found


def intersect(a: int, in_a: tuple[int, ...], b: int, in_b: tuple[int, ...]) -> Condition:
    """The sizes whose residues modulo `a` and modulo `b` both are admitted (Chinese remainder theorem)."""
    common = gcd(a, b)
    modulus = checked(a // common * b)
    buckets: dict[int, list[int]] = {}
    for s in in_b:
        buckets.setdefault(s % common, []).append(s)
    inverse = pow(a // common, -1, b // common)
    both: list[int] = []
    for r in in_a:
        bucket = buckets.get(r % common, [])
        if len(both) + len(bucket) > MAX_PERIOD:
            raise DimTooComplex(f"more than {MAX_PERIOD} residues modulo {modulus}")
        both += [r + a * ((s - r) // common * inverse % (b // common)) for s in bucket]
    return reduce_residues(modulus, both)


def residues_text(value: str, modulus: int, residues: tuple[int, ...], shorten: bool = False) -> str:
    """The condition as a Python expression on `value`; `shorten` leaves out all but the first of many residues."""
    remainder = f"{value} % {modulus}"
    low, high = residues[0], residues[-1]
    if low == high:
        return f"{remainder} == {low}"
    if len(residues) == modulus - 1:
        return f"{remainder} != {(set(range(modulus)) - set(residues)).pop()}"
    if len(residues) > 4 and high - low + 1 == len(residues):
        if low == 0:
            return f"{remainder} <= {high}"
        return f"{remainder} >= {low}" if high == modulus - 1 else f"{low} <= {remainder} <= {high}"
    if modulus - len(residues) < min(len(residues), 8):
        return f"{remainder} not in {tuple(sorted(set(range(modulus)) - set(residues)))}"
    if shorten and len(residues) > 8:
        return f"{remainder} in ({', '.join(map(str, residues[:8]))}, … {len(residues)} in all)"
    return f"{remainder} in {residues}"


def next_in_residues(size: int, modulus: int, residues: tuple[int, ...]) -> int:
    """The smallest size from `size` on whose residue is admitted."""
    base = size - size % modulus
    return next((base + r for r in residues if base + r >= size), base + modulus + residues[0])
