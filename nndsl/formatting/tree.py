"""The words of a file as a tree of statements and brackets, with the width that each has on one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nndsl.formatting.words import Word, drop
from nndsl.syntax.kinds import ENDS_VALUE

DEFINITIONS = frozenset(("MODEL", "BLOCK", "LAYER"))
_CLOSED_UP = frozenset(("LPAR", "LSQB", "DOT", "DOTS"))
_CLOSES_UP = frozenset(("RPAR", "RSQB", "COMMA", "DOT", "DOTS", "COLON"))


class Group:
    """`( … )` or `[ … ]` and its items. `width` is None where it cannot stand on one line."""

    __slots__ = ("close", "commas", "items", "open", "width")

    def __init__(self, open: Word) -> None:
        self.open = open
        self.items: list[list[Node]] = [[]]
        self.commas: list[Word] = []
        self.close = open
        self.width: int | None = None

    @property
    def first(self) -> Word:
        return self.open

    @property
    def last(self) -> Word:
        return self.close

    def finish(self, close: Word, is_call: bool) -> None:
        self.close = close
        if not self.items[-1]:
            self.items.pop()
            if self.commas and (is_call or len(self.items) > 1 or self.open.kind == "LSQB"):
                drop(self.commas.pop(), self.items[-1][-1].last)
        if self.open.trail or close.lead or any(comma.trail or comma.lead for comma in self.commas):
            return
        width = 2 + len(self.commas) + max(len(self.items) - 1, 0)
        for item in self.items:
            part = width_of(item, False)
            if part is None or is_broken(item) or _has_comments(item[:1]) or _has_comments(item[-1:]):
                return
            width += part
        self.width = width


class Body:
    """`{ … }` and its statements or arms. `width` is None where it cannot stand on one line."""

    __slots__ = ("close", "entries", "is_definition", "is_joined", "open", "width")

    def __init__(self, open: Word, is_definition: bool) -> None:
        self.open = open
        self.entries: list[list[Node]] = []
        self.close = open
        self.is_definition = is_definition
        self.is_joined = False  # the writer put all of it on one line
        self.width: int | None = None

    @property
    def first(self) -> Word:
        return self.open

    @property
    def last(self) -> Word:
        return self.close

    def finish(self, close: Word) -> None:
        self.close = close
        if self.open.trail or close.lead:
            return
        if not self.entries:
            self.width = 2
            return
        self.is_joined = not close.breaks and not any(entry[0].first.breaks for entry in self.entries)
        if self.is_definition or not self.is_joined:
            return
        width = 2 + 2 * len(self.entries)
        for entry in self.entries:
            part = width_of(entry, True)
            if part is None or is_broken(entry) or _has_comments(entry[:1]) or _has_comments(entry[-1:]):
                return
            width += part
        self.width = width


Node = Word | Group | Body


def read_tree(words: Iterable[Word]) -> Body:
    """The whole file as the body of a definition."""
    file = Body(Word("LBRACE", ""), True)
    stack: list[Group | Body] = [file]
    statement: list[list[Node]] = []  # of each open body
    for word in words:
        kind = word.kind
        top = stack[-1]
        if kind == "BEGIN":
            statement.append([])
        elif kind == "END":
            assert isinstance(top, Body)
            nodes = statement.pop()
            if isinstance(nodes[-1], Word) and nodes[-1].kind == "COMMA":  # of an import
                drop(nodes.pop().last, nodes[-1].last)
            top.entries.append(nodes)
        elif kind == "$END":
            file.finish(word)
        elif kind in ("LPAR", "LSQB"):
            stack.append(Group(word))
        elif kind == "LBRACE":
            stack.append(Body(word, statement[-1][0].first.kind in DEFINITIONS))
        elif kind in ("RPAR", "RSQB", "RBRACE"):
            stack.pop()
            nodes = _nodes(stack[-1], statement)
            if isinstance(top, Group):
                top.finish(word, bool(nodes) and nodes[-1].last.kind in ENDS_VALUE)
            else:
                top.finish(word)
            nodes.append(top)
        elif kind == "COMMA" and isinstance(top, Group):
            top.commas.append(word)
            top.items.append([])
        else:
            _nodes(top, statement).append(word)
    return file


def _nodes(top: Group | Body, statement: list[list[Node]]) -> list[Node]:
    return top.items[-1] if isinstance(top, Group) else statement[-1]


def spaced(before: Word, word: Word, is_statement: bool) -> bool:
    """Whether a space stands between two words; `is_statement`: outside brackets, and not among options."""
    left, right = before.kind, word.kind
    if left == "COMMA":
        return True
    if left in _CLOSED_UP or right in _CLOSES_UP or (left == "SIGN" and before.is_unary):
        return False
    if left == "COLON" or "EQUAL" in (left, right):
        return is_statement
    return not (right in ("LPAR", "LSQB") and left in ENDS_VALUE)


def width_of(nodes: Sequence[Node], is_statement: bool) -> int | None:
    """The columns that nodes take on one line; None where comments or a body make that impossible."""
    total = 0
    before: Node | None = None
    for node in nodes:
        width = node.width
        if width is None:
            return None
        if before is not None:
            if before.last.trail or node.first.lead:
                return None
            total += spaced(before.last, node.first, is_statement) + node.first.pad
        if node.first.kind == "WITH":
            is_statement = False
        total += width
        before = node
    return total


def is_broken(nodes: Sequence[Node]) -> bool:
    """Whether the writer broke lines before `->` or `with`."""
    return any(isinstance(node, Word) and node.kind in ("ARROW", "WITH") and node.breaks for node in nodes)


def _has_comments(nodes: Sequence[Node]) -> bool:
    return any(node.first.lead or node.last.trail for node in nodes)
