"""Problems and their remedies, as an editor shows them: the one place where a Diagnostic becomes the protocol's."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from lsprotocol import types
from pygls.uris import from_fs_path

from nndsl.diagnostics.model import Diagnostic, Fix, Severity
from nndsl.diagnostics.terminal import visible
from nndsl.ide.analysis import Analysis
from nndsl.lsp.documents import Document, Documents
from nndsl.source import SourceFile, Span

UNUSED = ("NN0402", "NN0403", "NN0404", "NN0407")
"""Codes of what leads nowhere, which editors show faded."""


def published(document: Document, documents: Documents) -> list[types.Diagnostic]:
    """The problems of a checked document."""
    return [shown(problem, document, documents) for problem in document.analysis.checked.diagnostics]


def shown(problem: Diagnostic, document: Document, documents: Documents) -> types.Diagnostic:
    """One problem. One that lies in an imported file stands at the import, and leads there."""
    span, related = problem.primary.span, list(problem.related)
    text = problem.message
    if problem.primary.message:
        text += f": {problem.primary.message}"
    where: list[types.DiagnosticRelatedInformation] = []
    if span.file is not document.source:
        where.append(_related(span, problem.message, documents))
        text = f"in {span.file.name}, line {span.line}: {text}"
        span = _import_of(span.file, document)
    where += [_related(label.span, label.message or "see also", documents) for label in related]
    parts = [text, *(f"note: {note}" for note in problem.notes)]
    if problem.help:
        parts.append(f"help: {problem.help}")
    return types.Diagnostic(
        range=document.lines.span(_visible(span)),
        message=visible("\n".join(parts), keep="\n"),
        severity=types.DiagnosticSeverity.Error
        if problem.severity is Severity.ERROR
        else types.DiagnosticSeverity.Warning,
        code=problem.code,
        code_description=_description(problem.code),
        source="nndsl",
        tags=[types.DiagnosticTag.Unnecessary] if problem.code in UNUSED else None,
        related_information=where or None,
    )


def _related(span: Span, message: str, documents: Documents) -> types.DiagnosticRelatedInformation:
    place = documents.lines_of(span.file).span(span)
    return types.DiagnosticRelatedInformation(types.Location(documents.uri_of(span.file), place), visible(message))


def _visible(span: Span) -> Span:
    """A place of at least one character, so that there is something to underline."""
    if span.end > span.start or not span.file.text:
        return span
    if span.start < len(span.file.text) and span.file.text[span.start] not in "\r\n":
        return Span(span.file, span.start, span.start + 1)
    return Span(span.file, max(span.start - 1, 0), span.start)


def _import_of(file: SourceFile, document: Document) -> Span:
    """The path of the import through which a file comes in."""
    analysis = document.analysis
    direct = {}
    for statement in analysis.imports():
        other = analysis.imported(statement)
        if other is not None:
            direct[statement] = other
            if other.source is file:
                return statement.path.span
    for statement, other in direct.items():
        if _leads_to(other, file):
            return statement.path.span
    return Span(document.source, 0, 0)


def _leads_to(analysis: Analysis, file: SourceFile) -> bool:
    stack: list[Analysis] = [analysis]
    seen: list[Analysis] = []
    while stack:
        at = stack.pop()
        if at.source is file:
            return True
        if at not in seen:
            seen.append(at)
            stack += [other for s in at.imports() if (other := at.imported(s)) is not None]
    return False


@cache
def _description(code: str) -> types.CodeDescription | None:
    """Where the code is explained: a page that lies on this machine, at its line."""
    path = files("nndsl.diagnostics") / "explanations" / f"{code[:4]}.md"
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    number = next((n for n, line in enumerate(lines, 1) if line.startswith(f"## {code}")), 1)
    uri = from_fs_path(str(path))
    return types.CodeDescription(f"{uri}#L{number}") if uri else None


# ------------------------------------------------------------------------------------------- actions


def actions(document: Document, documents: Documents, start: int, end: int) -> list[types.CodeAction]:
    """The remedies of the problems that touch a range."""
    found: list[types.CodeAction] = []
    for problem in document.analysis.checked.diagnostics:
        span = problem.primary.span
        if span.file is not document.source or span.start > end or span.end < start:
            continue
        about = shown(problem, document, documents)
        for number, fix in enumerate(problem.fixes):
            title = visible(fix.title[:1].upper() + fix.title[1:])
            found.append(
                types.CodeAction(
                    title,
                    kind=types.CodeActionKind.QuickFix,
                    diagnostics=[about],
                    is_preferred=number == 0,
                    edit=edited([fix], documents),
                )
            )
    return found


def all_fixes(document: Document, documents: Documents) -> types.CodeAction | None:
    """The first remedy of every problem at once, as far as they do not touch the same places; None without one."""
    chosen: list[Fix] = []
    taken: list[Span] = []
    for problem in document.analysis.checked.diagnostics:
        if problem.fixes and not _meet(problem.fixes[0], taken):
            chosen.append(problem.fixes[0])
            taken += [edit.span for edit in problem.fixes[0].edits]
    if not chosen:
        return None
    kind = types.CodeActionKind.SourceFixAll
    return types.CodeAction("Fix all that nndsl can fix", kind=kind, edit=edited(chosen, documents))


def _meet(fix: Fix, taken: list[Span]) -> bool:
    return any(
        edit.span.file is span.file and edit.span.start <= span.end and span.start <= edit.span.end
        for edit in fix.edits
        for span in taken
    )


def edited(fixes: Iterable[Fix], documents: Documents) -> types.WorkspaceEdit:
    changes: dict[str, list[types.TextEdit]] = {}
    for fix in fixes:
        for edit in fix.edits:
            place = documents.lines_of(edit.span.file).span(edit.span)
            changes.setdefault(documents.uri_of(edit.span.file), []).append(types.TextEdit(place, edit.text))
    return types.WorkspaceEdit(changes=changes)
