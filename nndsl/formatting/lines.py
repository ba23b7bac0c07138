"""The lines that are written, with the comments at their ends."""

from __future__ import annotations

from nndsl.formatting.words import Word

SILLY_GAP = 24  # columns; a wider one is not aligned over


class Line:
    __slots__ = ("comment", "indent", "text")

    def __init__(self, indent: int) -> None:
        self.indent = indent
        self.text = ""
        self.comment = ""

    @property
    def width(self) -> int:
        return self.indent + len(self.text)


class Lines:
    """Lines being written. A comment ends its line: what is put after it begins a new one."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[Line] = []
        self.line = Line(0)
        self._parts: list[str] = []
        self.column = 0
        self._forced = False

    @property
    def indent(self) -> int:
        return self.line.indent

    @property
    def is_empty(self) -> bool:
        return self.column == self.line.indent

    def fits(self, columns: int) -> bool:
        return self.column + columns <= self.width

    def new_line(self, indent: int) -> None:
        self._end()
        self.line = Line(indent)
        self.column = indent
        self._forced = False

    def _end(self) -> None:
        if self._parts or self.line.comment:
            self.line.text = "".join(self._parts)
            self.lines.append(self.line)
        self._parts = []

    def blank(self) -> None:
        self._end()
        self.lines.append(Line(0))
        self.line = Line(self.line.indent)
        self.column = self.line.indent

    def put(self, text: str) -> None:
        if self.line.comment:
            self._go_on()
        self._parts.append(text)
        self.column += len(text)

    def space(self, count: int = 1) -> None:
        if self._parts and not self.line.comment:
            self.put(" " * count)

    def word(self, word: Word) -> None:
        """A word with its comments."""
        if word.lead:
            if not self.is_empty or self.line.comment:
                self._go_on()
            for _, text in word.lead:
                self.comment(text)
        self.put(word.text)
        if word.trail:
            self.line.comment = word.trail

    def comment(self, text: str) -> None:
        """A comment on a line of its own."""
        indent, forced = self.line.indent, self._forced
        self.line.comment = text
        self.new_line(indent)
        self._forced = forced

    def _go_on(self) -> None:
        self.new_line(self.line.indent if self._forced else self.line.indent + 4)
        self._forced = True

    def text(self) -> str:
        self._end()
        self._align_comments()
        return "".join(f"{self._shown(line)}\n" for line in self.lines)

    def _shown(self, line: Line) -> str:
        text = f"{' ' * line.indent}{line.text}{line.comment}" if line.text or line.comment else ""
        return text.rstrip()

    def _align_comments(self) -> None:
        """Those of lines that follow each other and are indented alike; not where a bracket opens or closes."""
        run: list[Line] = []
        for line in [*self.lines, Line(0)]:
            is_commented = bool(line.text and line.comment)
            is_bracket = line.text.startswith((")", "]", "}")) or line.text.rstrip().endswith(("(", "[", "{"))
            if run and not (is_commented and not is_bracket and line.indent == run[0].indent):
                self._align(run)
                run = []
            if is_commented and is_bracket:
                self._align([line])
            elif is_commented:
                run.append(line)

    def _align(self, run: list[Line]) -> None:
        for line in run:
            line.text = line.text.rstrip()
        widest = max(line.width for line in run)
        is_silly = widest - min(line.width for line in run) > SILLY_GAP
        pushes = any(widest + 2 + len(line.comment) > self.width >= line.width + 2 + len(line.comment) for line in run)
        for line in run:
            line.text += " " * (2 if is_silly or pushes else widest - line.width + 2)
