"""Writes statements, pipelines and brackets: on one line where they fit, else broken at the places of the one style."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from nndsl.formatting.align import align
from nndsl.formatting.lines import Lines
from nndsl.formatting.tree import DEFINITIONS, Body, Group, Node, is_broken, spaced, width_of
from nndsl.formatting.words import Word

STEP = 4


class Printer:
    """One run over the tree of one file."""

    def __init__(self, width: int) -> None:
        self.out = Lines(width)

    def file(self, file: Body) -> str:
        self._entries(file, 0)
        return self.out.text()

    # -------------------------------------------------------------------------------------------- bodies

    def _entries(self, body: Body, indent: int) -> None:
        rows = self._rows(body, indent)
        align(rows, indent, self.out.width)
        is_file = not body.open.text
        before: list[Node] | None = None
        for number, row in enumerate(rows):
            first = row[0][0].first
            lead, first.lead = first.lead, []
            apart = is_file and any(_is_definition(nodes) for nodes in (before, row[0]) if nodes)
            self.out.new_line(indent)
            self._comments(lead, is_first=number == 0, apart=apart)
            if (first.blank and (lead or number)) or (apart and not lead and number):
                self.out.blank()
            for place, nodes in enumerate(row):
                if place:
                    self.out.put("; ")
                self._flow(nodes, indent, 0, True)
            before = row[-1]
        lead, body.close.lead = body.close.lead, []
        self.out.new_line(indent)
        self._comments(lead, is_first=not rows, apart=is_file and bool(before) and _is_definition(before or []))

    def _comments(self, lead: list[tuple[bool, str]], *, is_first: bool, apart: bool) -> None:
        for number, (blank, text) in enumerate(lead):
            if (blank or (apart and number == 0)) and not (is_first and number == 0):
                self.out.blank()
            self.out.comment(text)

    def _rows(self, body: Body, indent: int) -> list[list[list[Node]]]:
        """The entries line by line: those that the writer put on one line stay there if they fit."""
        rows: list[list[list[Node]]] = []
        for entry in body.entries:
            is_new = body.is_definition or body.is_joined or entry[0].first.breaks or not rows
            if is_new:
                rows.append([entry])
            else:
                rows[-1].append(entry)
        result: list[list[list[Node]]] = []
        for row in rows:
            widths = [None if is_broken(nodes) else width_of(nodes, True) for nodes in row]
            known = [width for width in widths if width is not None]
            noisy = any(nodes[-1].last.trail for nodes in row[:-1]) or any(nodes[0].first.lead for nodes in row[1:])
            fits = len(known) == len(row) and indent + sum(known) + 2 * len(row) - 2 <= self.out.width
            result += [row] if fits and not noisy else [[nodes] for nodes in row]
        return result

    def _body(self, body: Body) -> None:
        indent = self.out.indent
        self.out.word(body.open)
        self._entries(body, indent + STEP)
        self.out.new_line(indent)
        self.out.word(body.close)

    # --------------------------------------------------------------------------------------------- flows

    def _flow(self, nodes: Sequence[Node], indent: int, tail: int, is_statement: bool) -> None:
        """A pipeline with its options; continuation lines are indented one step deeper than `indent`."""
        start = next((i for i, node in enumerate(nodes) if isinstance(node, Word) and node.kind == "WITH"), None)
        flow, options = (nodes, None) if start is None else (nodes[:start], nodes[start:])
        decision = decide(nodes, self.out.width - self.out.column - tail, is_statement)
        if decision == "one":
            self._flat(nodes, is_statement)
            return
        stages = _split(flow, "ARROW")
        if decision == "options":
            self._flat(flow, is_statement)
        else:
            self._stages(stages, indent, 0 if options else tail, is_statement)
        if options:
            width = width_of(options, False)
            word = options[0].first
            stays = len(stages) == 1 and decision != "options" and not word.breaks
            if stays and width is not None and self.out.fits(width + 1 + tail):
                self.out.space()
            else:
                self.out.new_line(indent + STEP)
            self._options(options, indent + STEP, tail)

    def _stages(self, stages: list[Sequence[Node]], indent: int, tail: int, is_statement: bool) -> None:
        widths = [width_of(stage, is_statement) for stage in stages]
        broken = any(is_broken(stage[:1]) for stage in stages)
        room = self.out.width - self.out.column
        known = [width for width in widths[:-1] if width is not None]
        keeps = len(known) == len(stages) - 1 and widths[-1] is None
        keeps = keeps and sum(known) + len(known) + _first_line(stages[-1], is_statement) <= room
        for number, stage in enumerate(stages):
            last = tail if number == len(stages) - 1 else 0
            if number:
                width = widths[number]
                needed = 1 + (_first_line(stage, is_statement) if width is None else width + last)
                if is_broken(stage[:1]) or stage[0].first.lead or not self.out.fits(needed) or not (broken or keeps):
                    self.out.new_line(indent + STEP)
                else:
                    self.out.space(1 + stage[0].first.pad)
            self._nodes(stage, last, is_statement)

    def _options(self, options: Sequence[Node], indent: int, tail: int) -> None:
        width = width_of(options, False)
        if width is not None and self.out.fits(width + tail):
            self._flat(options, False)
            return
        parts: list[list[Node]] = [[]]
        for node in options:
            parts[-1].append(node)
            if node.first.kind == "COMMA":
                parts.append([])
        for number, part in enumerate(parts):
            if number:
                self.out.new_line(indent + STEP)
            self._nodes(part, tail, False)

    # --------------------------------------------------------------------------------------------- nodes

    def _nodes(self, nodes: Sequence[Node], tail: int, is_statement: bool) -> None:
        """Nodes without a `->` among them, from the current column on."""
        width = width_of(nodes, is_statement)
        if width is not None and self.out.fits(width + tail):
            self._flat(nodes, is_statement)
            return
        widest = self._widest(nodes, is_statement)
        before: Node | None = None
        for node in nodes:
            if before is not None and spaced(before.last, node.first, is_statement):
                self.out.space(1 + node.first.pad)
            if node is widest or (not isinstance(node, Word) and (node.width is None or not self.out.fits(node.width))):
                self._expand(node, tail if node is nodes[-1] else 0)
            else:
                self._flat((node,), is_statement)
            before = node

    def _widest(self, nodes: Sequence[Node], is_statement: bool) -> Group | None:
        """The bracket that is broken of nodes that do not fit on the line; None where a body or a comment breaks it.

        What is in a body has no part in this: whether the writer put it on one line must not move another bracket."""
        place = next((i for i, node in enumerate(nodes) if isinstance(node, Body)), None)
        head = nodes if place is None else nodes[:place]
        width = width_of(head, is_statement)
        if width is None or (place is not None and self.out.fits(width + 2)):  # ` {`
            return None
        brackets = [node for node in head if isinstance(node, Group) and node.items]
        return max(brackets, key=lambda node: node.width or 0, default=None)

    def _expand(self, node: Node, tail: int) -> None:
        if isinstance(node, Body):
            if node.entries or node.close.lead or node.open.trail:
                self._body(node)
            else:
                self._flat((node,), True)
        elif isinstance(node, Group):
            self._group(node, tail)

    def _group(self, group: Group, tail: int) -> None:
        indent = self.out.indent
        if not group.items and not group.close.lead:
            self.out.word(group.open)
            self.out.word(group.close)
            return
        if _hugs(group):
            self.out.word(group.open)
            self._flow(group.items[0], indent, tail + 1, False)
            for comma in group.commas:
                self.out.word(comma)
            self.out.word(group.close)
            return
        self.out.word(group.open)
        if not _noisy(group) and not any(is_broken(item) for item in group.items):
            widths = [width_of(item, False) for item in group.items]
            known = [width for width in widths if width is not None]
            whole = indent + STEP + sum(known) + len(group.commas) + max(len(known) - 1, 0)
            if len(known) == len(widths) and whole <= self.out.width:
                self.out.new_line(indent + STEP)
                self._items(group)
                self.out.new_line(indent)
                self.out.word(group.close)
                return
        is_table = group.open.kind == "LSQB" and not _noisy(group) and all(_is_atom(item) for item in group.items)
        for number, item in enumerate(group.items):
            if number == 0 or not is_table or not self.out.fits(2 + (width_of(item, False) or 0)):
                self.out.new_line(indent + STEP)
            else:
                self.out.space()
            has_comma = number < len(group.commas)
            self._flow(item, indent + STEP, int(has_comma), False)
            if has_comma:
                self.out.word(group.commas[number])
        lead, group.close.lead = group.close.lead, []
        self.out.new_line(indent + STEP)
        for _, text in lead:
            self.out.comment(text)
        self.out.new_line(indent)
        self.out.word(group.close)

    def _items(self, group: Group) -> None:
        """The items on one line."""
        for number, item in enumerate(group.items):
            if number:
                self.out.space()
            self._flat(item, False)
            if number < len(group.commas):
                self.out.word(group.commas[number])

    def _flat(self, nodes: Sequence[Node], is_statement: bool) -> None:
        before: Node | None = None
        for node in nodes:
            if before is not None and spaced(before.last, node.first, is_statement):
                self.out.space(1 + node.first.pad)
            if node.first.kind == "WITH":
                is_statement = False
            if isinstance(node, Word):
                self.out.word(node)
            elif isinstance(node, Group):
                self.out.word(node.open)
                self._items(node)
                self.out.word(node.close)
            else:
                self.out.word(node.open)
                for number, entry in enumerate(node.entries):
                    self.out.put("; " if number else " ")
                    self._flat(entry, True)
                if node.entries:
                    self.out.space()
                self.out.word(node.close)
            before = node


def decide(nodes: Sequence[Node], room: int, is_statement: bool) -> str:
    """How a statement is laid out in so many columns: on "one" line, with its "options" on the next, or "broken"."""
    start = next((i for i, node in enumerate(nodes) if isinstance(node, Word) and node.kind == "WITH"), len(nodes))
    flow = nodes[:start]
    width = width_of(flow, is_statement)
    if width is None or width > room or is_broken(flow):
        return "broken"
    if start < len(nodes):
        whole = width_of(nodes, is_statement)
        if whole is None or whole > room or nodes[start].first.breaks:
            return "options"
    return "one"


def _is_definition(nodes: Sequence[Node]) -> bool:
    return nodes[0].first.kind in DEFINITIONS


def _split(nodes: Sequence[Node], kind: str) -> list[Sequence[Node]]:
    """The nodes in parts, each of which but the first begins with a word of that kind."""
    starts = [0, *(i for i, node in enumerate(nodes) if isinstance(node, Word) and node.kind == kind), len(nodes)]
    return [nodes[start:stop] for start, stop in pairwise(starts)]


def _first_line(nodes: Sequence[Node], is_statement: bool) -> int:
    """The columns up to the first line break that is sure to come."""
    for number, node in enumerate(nodes):
        if node.width is None or node.last.trail:
            return (width_of(nodes[:number], is_statement) or 0) + 2
    return width_of(nodes, is_statement) or 0


def _noisy(group: Group) -> bool:
    return bool(
        group.open.trail
        or group.close.lead
        or any(comma.trail for comma in group.commas)
        or any(item[0].first.lead or item[-1].last.trail for item in group.items)
    )


def _hugs(group: Group) -> bool:
    """Whether the only item of a bracket stays on the line of the bracket: a pipeline, or what itself breaks."""
    if len(group.items) != 1 or _noisy(group):
        return False
    item = group.items[0]
    if any(node.first.kind == "ARROW" for node in item):
        return True
    return not isinstance(item[-1], Word) and width_of(item[:-1], False) is not None


def _is_atom(item: Sequence[Node]) -> bool:
    return len(item) <= 2 and all(isinstance(node, Word) for node in item)
