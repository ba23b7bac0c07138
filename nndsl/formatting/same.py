"""Whether two syntax trees are the same but for the places of their nodes, and the comments above definitions.

Which comment is taken for that of a definition hangs on the lines alone (of two definitions on one line, both have it);
that no comment is lost is checked apart from the tree.
"""

from __future__ import annotations

from typing import Any

from nndsl.source import Span
from nndsl.syntax import ast


def same_tree(one: Any, other: Any) -> bool:
    """Compares node by node, without recursion; numbers are the same where type and value are."""
    pairs = [(one, other)]
    while pairs:
        left, right = pairs.pop()
        if type(left) is ast.Literal and type(right) is ast.NameRef and left.value == right.name:
            continue  # an option without its quotes: see `options`
        if type(left) is not type(right):
            return False
        if type(left) is Span:
            continue
        if type(left) is tuple:
            if len(left) != len(right):
                return False
            pairs.extend(zip(left, right, strict=True))
        elif hasattr(left, "__match_args__"):
            pairs.extend(
                (getattr(left, name), getattr(right, name)) for name in left.__match_args__ if name != "comment"
            )
        elif left != right:
            return False
    return True
