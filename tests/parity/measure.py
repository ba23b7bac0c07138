"""Measures an entry: every case in float32 and float64, and what is demanded of it."""

from __future__ import annotations

from tests.parity import suite
from tests.parity.compare import Difference, compare
from tests.parity.files import Case
from tests.parity.training import SOME_STEPS, compare_optimizer, compare_reports, compare_schedule, compare_starts

LIMITS = {"float32": 1e-5, "float64": 1e-10}


def limit(case: Case, dtype: str) -> float:
    """What the differences of a case may be."""
    given = case.options.get("tolerance32" if dtype == "float32" else "tolerance", case.options.get("tolerance"))
    if given is not None:
        return max(float(given.partition(" ")[0]), LIMITS[dtype])
    return 1e-9 if case.entry[0] == "optimizer" and dtype == "float64" else LIMITS[dtype]


def measure(category: str, name: str, dtype: str) -> dict[Case, Difference]:
    """The differences of every case of an entry that there is in `dtype`."""
    other = "float32" if dtype == "float64" else "float64"
    return measure_cases(category, [c for c in suite.cases(category, name) if other not in c.options], dtype)


def measure_cases(category: str, cases: list[Case], dtype: str) -> dict[Case, Difference]:
    """The differences of these cases of entries of one category."""
    if category == "initializer":
        return compare_starts(cases, dtype)
    if category in ("loss", "metric"):
        return compare_reports(cases, dtype)
    if category == "optimizer":
        return {case: compare_optimizer(case, dtype) for case in cases}
    if category == "schedule":
        return {case: compare_schedule(case, dtype) for case in cases}
    trained = [case for case in cases if "trains" in case.options]
    return compare(cases, dtype) | compare_reports(trained, dtype, SOME_STEPS)
