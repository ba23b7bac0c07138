"""Puts statements of one kind that follow each other into columns, as gofmt does."""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.formatting.lines import SILLY_GAP
from nndsl.formatting.tree import Node, width_of
from nndsl.formatting.words import Word

_TYPED = frozenset(("INPUT", "TRAINABLE", "STATE"))
_VALUED = frozenset(("NAME", "LPAR", "OUTPUT", "SHARED", "SUBMODEL", "PENALTY", "SOURCE", "UPDATE", "PARAM"))


def align(rows: list[list[list[Node]]], indent: int, width: int) -> None:
    """Pads `=`, types and the first `->` of the rows that take part."""
    run: list[list[Node]] = []
    kind = ""
    for row in rows:
        nodes = row[0]
        first = nodes[0].first
        own = _kind(nodes) if len(row) == 1 and _layout(nodes, indent, width) != "broken" else ""
        if run and (own != kind or first.blank or first.lead):
            _align_run(run, indent, width)
            run = []
        kind = own
        if own:
            run.append(nodes)
    if run:
        _align_run(run, indent, width)


def _layout(nodes: Sequence[Node], indent: int, width: int) -> str:
    from nndsl.formatting.printer import decide

    return decide(nodes, width - indent, True)


def _kind(nodes: Sequence[Node]) -> str:
    kind = nodes[0].first.kind
    if kind in _TYPED:
        return kind if _mark(nodes) is not None else ""
    return kind.replace("LPAR", "NAME") if kind in _VALUED and _mark(nodes) is not None else ""


def _mark(nodes: Sequence[Node]) -> int | None:
    """Where the word stands that is aligned: the type, or the `=`."""
    wanted = "COLON" if nodes[0].first.kind in _TYPED else "EQUAL"
    for place, node in enumerate(nodes):
        if node.first.kind == "WITH":
            return None
        if isinstance(node, Word) and node.kind == wanted:
            return place + (wanted == "COLON")
    return None


def _align_run(run: list[list[Node]], indent: int, width: int) -> None:
    """Aligns the marks, and where that is done the first `->` of those that begin with a name."""
    for part in _without_silly_gaps(run):
        places = [_mark(nodes) or 0 for nodes in part]
        if not _pad(part, places, indent, width):
            continue
        flows: list[list[Node]] = []
        arrows: list[int] = []
        for nodes, place in [*zip(part, places, strict=True), ([], 0)]:
            after = [node.first.kind for node in nodes[place + 1 : place + 3]]
            if after == ["NAME", "ARROW"]:
                flows.append(nodes)
                arrows.append(place + 2)
            elif flows:
                _pad(flows, arrows, indent, width)
                flows, arrows = [], []


def _without_silly_gaps(run: list[list[Node]]) -> list[list[list[Node]]]:
    """The run in parts, in each of which the marks stand near enough to each other."""
    parts: list[list[list[Node]]] = []
    low = high = 0
    for nodes in run:
        width = width_of(nodes[: _mark(nodes) or 0], True) or 0
        if not parts or max(high, width) - min(low, width) > SILLY_GAP:
            parts.append([])
            low = high = width
        low, high = min(low, width), max(high, width)
        parts[-1].append(nodes)
    return parts


def _pad(run: list[list[Node]], places: list[int], indent: int, width: int) -> bool:
    """Pads the words at these places to one column, unless that changes how a statement is laid out, or makes wide
    gaps; says whether they are in one column."""
    widths = [width_of(nodes[:place], True) or 0 for nodes, place in zip(run, places, strict=True)]
    widest = max(widths)
    if widest - min(widths) > SILLY_GAP:
        return False
    before = [_layout(nodes, indent, width) for nodes in run]
    for nodes, place, own in zip(run, places, widths, strict=True):
        nodes[place].first.pad = widest - own
    if before != [_layout(nodes, indent, width) for nodes in run]:
        for nodes, place in zip(run, places, strict=True):
            nodes[place].first.pad = 0
        return False
    return True
