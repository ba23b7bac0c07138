"""The one style of `.nn` text: what `nndsl fmt` and editors write. Text to text; nothing is run, and the catalogue is
asked for nothing but which strings name options (`options`).

The words of the text, with their comments, become a tree of statements and brackets (`tree`), which is written anew
(`printer`, `align`, `lines`). What comes out is read again and must mean the same.
"""

from __future__ import annotations

import gc

from nndsl.diagnostics.model import Problems
from nndsl.formatting.options import quoted_options
from nndsl.formatting.printer import Printer
from nndsl.formatting.same import same_tree
from nndsl.formatting.tree import read_tree
from nndsl.formatting.words import comments_of, read_words
from nndsl.source import SourceFile, Span
from nndsl.syntax import parse
from nndsl.syntax.parser import FILE_TOO_LARGE, LARGEST_FILE

LINE_LENGTH = 100


class FormatError(Exception):
    """The formatter would have changed what a text means: a bug of nndsl."""


def format_text(source: SourceFile, problems: Problems, line_length: int = LINE_LENGTH) -> str | None:
    """The text in the one style; None where it does not parse, and `problems` say why.

    Takes time linear in the text's size. Raises FormatError where the result would not mean the same.
    """
    # As in the parser: nothing that is made becomes garbage before the end.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return _format(source, problems, line_length)
    finally:
        if was_enabled:
            gc.enable()


def _format(source: SourceFile, problems: Problems, line_length: int) -> str | None:
    found = Problems()
    tree = parse(source, found)
    problems.items += found.items
    if found.has_errors:
        return None
    words = read_words(source, quoted_options(tree))
    comments = comments_of(words)
    text = Printer(line_length).file(read_tree(words))
    if len(text) > LARGEST_FILE:
        message = f"formatted, this file would be larger than {LARGEST_FILE:,} characters"
        problems.error(FILE_TOO_LARGE, message, Span(source, 0, 0), help="split the model with `from … import`")
        return None
    again = SourceFile(source.name, text)
    found = Problems()
    tree_again = parse(again, found)
    if found.has_errors or not same_tree(tree, tree_again):
        raise FormatError("the formatted text does not mean the same")
    if comments != comments_of(read_words(again)):
        raise FormatError("a comment was lost, or moved past another")
    return text
