"""Fuzzing that is led by coverage, with atheris: `make fuzz`.

The compiler is instrumented; an input that reaches new code is kept, and later ones are made of it. A found input is
written to a file `crash-…`, which `python -m tests.fuzz.guided crash-…` tries again.
"""

from __future__ import annotations

import sys
from random import Random

import atheris  # type: ignore[import-not-found]

with atheris.instrument_imports(include=["nndsl"]):
    from tests.fuzz import mutations
    from tests.fuzz.oracles import MAIN, examine


def one(data: bytes) -> None:
    """The first bytes are the seed of what is asked, the rest is the text."""
    random = Random(data[:2])
    examine({MAIN: data[2:].decode("utf-8", "replace")}, random, thorough=0.05)


def mutator(data: bytes, longest: int, seed: int) -> bytes:
    """Half of the mutations know the language, half do not."""
    random = Random(seed)
    if random.random() < 0.5:
        return bytes(atheris.Mutate(data, longest))
    text = data[2:].decode("utf-8", "replace") or mutations.pick(random)
    new = mutations.mutated(text, random).encode("utf-8", "replace")
    return (data[:2].ljust(2, b"0") + new)[:longest]


def main() -> None:
    atheris.Setup([*sys.argv, "-timeout=30", "-rss_limit_mb=4096"], one, custom_mutator=mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
