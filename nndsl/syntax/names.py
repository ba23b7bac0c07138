"""Words that nothing of a file's own may be called by."""

from __future__ import annotations

from nndsl.syntax.tables import load_tables

CONSTANTS: dict[str, bool | None] = {
    "true": True, "false": False, "none": None, "True": True, "False": False, "None": None,
}  # fmt: skip
"""The names of constants, in Python's spelling too, with what they stand for."""


def is_reserved(word: str) -> bool:
    """Whether the language itself has a meaning for a word."""
    return word in CONSTANTS or word in load_tables().words
