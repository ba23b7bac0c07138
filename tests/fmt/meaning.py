"""What must hold of whatever is formatted."""

from __future__ import annotations

import re

from nndsl.diagnostics.model import Problems
from nndsl.formatting import format_text
from nndsl.formatting.same import same_tree
from nndsl.formatting.words import comments_of, read_words
from nndsl.source import SourceFile
from nndsl.syntax import parse


def formatted(text: str, line_length: int = 100, name: str = "made.nn") -> str | None:
    """The formatted text, or None where it does not parse and a problem says why. It means the same, keeps its
    comments, and stays as it is when formatted again."""
    source = SourceFile(name, text)
    problems = Problems()
    result = format_text(source, problems, line_length)
    if result is None:
        assert problems.has_errors, "refused without an error"
        return None
    assert not problems.has_errors, "formatted in spite of an error"
    again = SourceFile(name, result)
    found = Problems()
    assert same_tree(parse(source, Problems()), parse(again, found)), "means something else"
    assert not found.has_errors, "does not parse when formatted"
    assert comments_of(read_words(source)) == comments_of(read_words(again)), "other comments"
    assert format_text(again, Problems(), line_length) == result, "formatted again it is another text"
    assert not re.search(r"[ \t\r]\n|\n\n\n", result), "blanks at the end of a line, or two blank lines"
    assert not result or re.search(r"\S\n\Z", result), "no line end at the end, or more than one"
    return result
