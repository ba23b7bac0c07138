"""Diagnostics as text for people, and the table of all forms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from nndsl.diagnostics.excerpt import Row, excerpt, gutter, mark_of
from nndsl.diagnostics.machine import render_github, render_json, render_sarif
from nndsl.diagnostics.model import Diagnostic, Fix, Severity
from nndsl.diagnostics.terminal import lay_out, paint, visible
from nndsl.source import SourceFile

_WIDTH = 140
_LONGEST_DIFF = 6


class Renderer(Protocol):
    """One form of output. It ends with a line end unless it is empty; the order is that of `problems`."""

    def __call__(self, problems: Iterable[Diagnostic], *, color: bool = False, width: int | None = None) -> str: ...


def summary(problems: Iterable[Diagnostic]) -> str:
    """How many of what: "2 errors, 1 warning"; "no problems" where there is none."""
    severities = [item.severity for item in problems]
    parts = []
    for severity in Severity:
        count = severities.count(severity)
        if count:
            parts.append(f"{count} {severity.value}{'' if count == 1 else 's'}")
    return ", ".join(parts) or "no problems"


def render_text(problems: Iterable[Diagnostic], *, color: bool = False, width: int | None = None) -> str:
    """The full form: message, excerpt with underlines, notes, help and fixes, a blank line between two problems.

    `width` is the number of cells of a line; longer source lines are trimmed around what is underlined. Control
    characters of the source and of messages are made visible, so that no file can send codes to the terminal.
    """
    blocks = []
    for problem in problems:
        blocks.append("".join(_painted(row, color) for row in problem_rows(problem, width)))
    return "\n".join(blocks)


def render_concise(problems: Iterable[Diagnostic], *, color: bool = False, width: int | None = None) -> str:
    """A line each: `model.nn:4:22: error[NN0203]: message`."""
    lines = []
    for problem in problems:
        span = problem.primary.span
        kind = paint(problem.severity.value, f"{problem.severity.value}[{problem.code}]", color)
        place = f"{visible(span.file.name)}:{span.line}:{span.column}"
        lines.append(f"{place}: {kind}: {visible(problem.message)}\n")
    return "".join(lines)


def _painted(row: Row, color: bool) -> str:
    """A row without blanks at its end."""
    rest = len("".join(text for _, text in row).rstrip())
    pieces = []
    for role, text in row:
        pieces.append(paint(role, text[:rest], color))
        rest = max(rest - len(text), 0)
    return "".join(pieces) + "\n"


def problem_rows(problem: Diagnostic, width: int | None = None) -> list[Row]:
    """The lines of the full form, in pieces with the role that their look depends on; all their text is visible."""
    width = width or _WIDTH
    severity = problem.severity.value
    rows: list[Row] = [[(severity, f"{severity}[{problem.code}]"), ("title", f": {visible(problem.message)}")]]
    labels = [(problem.primary, severity), *((label, "related") for label in problem.related)]
    files = list(dict.fromkeys(label.span.file for label, _ in labels))
    marks = {file: [mark_of(label, role) for label, role in labels if label.span.file is file] for file in files}
    diff = _Diff.of(problem.fixes[0]) if problem.fixes and not _obvious(problem, problem.fixes[0]) else None
    lines = [mark.line for file in files for mark in marks[file]]
    digits = len(str(max([*lines, diff.last if diff else 0])))
    room = max(width - digits - 5, 20)
    remarks: list[tuple[str, str]] = []
    for number, file in enumerate(files):
        span = next(label.span for label, _ in labels if label.span.file is file)
        arrow = ":::" if number else "-->"
        rows.append([("gutter", f"{' ' * (digits + 1)}{arrow} "), ("", _place(span.file, span.line, span.column))])
        if file.text:
            rows.append(gutter(None, digits))
            rows += excerpt(file, marks[file], digits, room)
        else:  # a file that could not be read, or is empty: nothing to underline
            remarks += [("note", mark.message) for mark in marks[file] if mark.message]
    remarks += [("note", note) for note in problem.notes]
    if problem.help:
        remarks.append(("help", problem.help))
    # The first is the best, and its change is shown: it goes last, right above it.
    remarks += [("help", fix.title) for fix in (*problem.fixes[1:], *problem.fixes[:1]) if not _said(problem, fix)]
    if remarks:
        rows.append(gutter(None, digits))
    for kind, text in remarks:
        rows += _remark(kind, text, digits)
    if diff:
        rows += diff.rows(digits, room)
    return rows


def _place(file: SourceFile, line: int, column: int) -> str:
    return f"{visible(file.name)}:{line}:{column}"


def _remark(kind: str, text: str, digits: int) -> list[Row]:
    first, *others = visible(text, keep="\n").split("\n")
    indent = " " * (digits + 2)
    rows: list[Row] = [[("gutter", f"{indent}= "), ("title", f"{kind}: "), ("", first)]]
    return rows + [[("", f"{indent}  {' ' * len(kind)}  {other}")] for other in others]


def _said(problem: Diagnostic, fix: Fix) -> bool:
    """Whether the help already says what the fix does: one edit whose new text it names."""
    return bool(problem.help) and len(fix.edits) == 1 and f"`{fix.edits[0].text}`" in (problem.help or "")


def _obvious(problem: Diagnostic, fix: Fix) -> bool:
    """Whether the words are enough: what is underlined is replaced by something that they name."""
    if len(fix.edits) != 1 or fix.edits[0].span != problem.primary.span:
        return False
    return f"`{fix.edits[0].text}`" in f"{fix.title} {problem.help or ''}"


class _Diff:
    """The lines that a fix changes, before and after."""

    def __init__(self, file: SourceFile, first: int, last: int, before: list[str], after: list[str]) -> None:
        self.file, self.first, self.last, self.before, self.after = file, first, last, before, after

    @classmethod
    def of(cls, fix: Fix) -> _Diff | None:
        """None where nothing changes, several files do, edits overlap, or it would be long."""
        edits = sorted(fix.edits, key=lambda edit: (edit.span.start, edit.span.end))
        if not edits or any(edit.span.file is not edits[0].span.file for edit in edits):
            return None
        file = edits[0].span.file
        first, last = edits[0].span.line, file.line_of(max(edit.span.end for edit in edits))
        at = file.line_starts[first - 1]
        end = file.line_starts[last] if last < len(file.line_starts) else len(file.text)
        pieces = []
        for edit in edits:
            if edit.span.start < at:
                return None
            pieces += [file.text[at : edit.span.start], edit.text]
            at = edit.span.end
        pieces.append(file.text[at:end])
        before = [file.line_text(line) for line in range(first, last + 1)]
        text = "".join(pieces)
        after = [line.rstrip("\r") for line in text.removesuffix("\n").split("\n")] if text else []
        while before and after and before[0] == after[0]:
            del before[0], after[0]
            first += 1
        while before and after and before[-1] == after[-1]:
            del before[-1], after[-1]
        last = first + max(len(before), len(after)) - 1
        if not 0 < len(before) + len(after) <= _LONGEST_DIFF:
            return None
        return cls(file, first, last, before, after)

    def rows(self, digits: int, room: int) -> list[Row]:
        rows: list[Row] = [[("gutter", f"{' ' * (digits + 2)}|")]]
        for sign, role, lines in (("-", "remove", self.before), ("+", "add", self.after)):
            for number, line in enumerate(lines, self.first):
                text = "".join(lay_out(line)[0])
                text = text if len(text) <= room else text[: room - 3] + "..."
                rows.append([("gutter", f" {number:>{digits}} "), (role, f"{sign} {text}")])
        return rows


FORMATS: dict[str, Renderer] = {
    "text": render_text,
    "concise": render_concise,
    "json": render_json,
    "github": render_github,
    "sarif": render_sarif,
}
