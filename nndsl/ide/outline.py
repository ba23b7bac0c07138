"""The outline of a file, what can be folded in it, and what it links to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from nndsl.files import lies_in
from nndsl.ide.analysis import Analysis
from nndsl.source import SourceFile, Span
from nndsl.syntax import ast
from nndsl.syntax.walk import children, walk


@dataclass(frozen=True)
class Entry:
    """One line of an outline. `kind` is a word for it ("model", "block", "input", "train", …), `span` is all of it,
    `name_span` where its name stands."""

    kind: str
    name: str
    detail: str
    span: Span
    name_span: Span
    inner: tuple[Entry, ...] = ()


def outline(tree: ast.File) -> list[Entry]:
    """What a file defines, in the order of the text."""
    return [entry for statement in tree.body for entry in _entries(statement)]


def _entries(statement: ast.Stmt) -> Iterator[Entry]:
    span = statement.span
    match statement:
        case ast.ModelDef(name=name, body=body):
            yield Entry("model", name.text, "", span, name.span, tuple(e for s in body for e in _entries(s)))
        case ast.BlockDef(name=name, body=body):
            kind = "layer" if statement.is_layer else "block"
            detail = f"({', '.join(p.name.text for p in statement.parameters)})"
            yield Entry(kind, name.text, detail, span, name.span, tuple(e for s in body for e in _entries(s)))
        case ast.ParamDef(name=name, value=value):
            yield Entry("param", name.text, f"= {_short(value)}", span, name.span)
        case ast.ImportDef():
            for name in statement.names:
                yield Entry("import", name.text, f"from {statement.path.value}", span, name.span)
        case ast.InputStmt(name=name, dtype=dtype, dims=dims):
            shown = (
                f"{dtype.text}[{', '.join(_dim(d) for d in dims)}]" if dtype is not None and dims is not None else ""
            )
            yield Entry("input", name.text, shown, span, name.span)
        case ast.OutputStmt(name=name):
            loss = next((a.value for a in statement.options if a.name is not None and a.name.text == "loss"), None)
            yield Entry("output", name.text, "" if loss is None else f"loss={_short(loss)}", span, name.span)
        case ast.AssignStmt(targets=targets):
            for target in targets:
                if target.text != "_":
                    yield Entry("value", target.text, "", span, target.span)
        case ast.SharedStmt(name=name, value=value):
            yield Entry("shared", name.text, f"= {_short(value)}", span, name.span)
        case ast.SubmodelStmt(name=name):
            yield Entry("submodel", name.text, f"({', '.join(s.text for s in statement.sources)})", span, name.span)
        case ast.PenaltyStmt(name=name):
            yield Entry("penalty", name.text, "", span, name.span)
        case ast.SourceStmt(name=name, value=value):
            yield Entry("source", name.text, f"= {_short(value)}", span, name.span)
        case ast.WeightStmt(name=name):
            shown = f"[{', '.join(_dim(d) for d in statement.dims)}]"
            yield Entry("weight" if statement.trainable else "state", name.text, shown, span, name.span)
        case ast.UpdateStmt(name=name):
            yield Entry("update", name.text, "", span, name.span)
        case ast.Section(kind=word, body=body):
            inner = tuple(_setting(s) if isinstance(s, ast.AssignStmt) else None for s in body)
            sources = tuple(e for s in body if isinstance(s, ast.SourceStmt) for e in _entries(s))
            listed = (*sources, *(e for e in inner if e is not None))
            yield Entry(word.text, word.text, "", span, word.span, tuple(sorted(listed, key=lambda e: e.span.start)))


def _setting(statement: ast.AssignStmt) -> Entry:
    name = statement.targets[0]
    return Entry("setting", name.text, f"= {_short(statement.value)}", statement.span, name.span)


def _short(expr: ast.Expr) -> str:
    text = " ".join(expr.span.text.split())
    return text if len(text) <= 40 else f"{text[:39]}…"


def _dim(dim: ast.DimExpr) -> str:
    return "?" if dim.value is None else _short(dim.value)


# ------------------------------------------------------------------------------------------- folding


@dataclass(frozen=True)
class Fold:
    """Lines from `first` to `last`, counted from 0; `kind` is "comment", "imports" or ""."""

    first: int
    last: int
    kind: str = ""


def folds(analysis: Analysis) -> list[Fold]:
    """Bodies, statements and calls of several lines, runs of comment lines, and of imports."""
    source = analysis.source
    found: dict[tuple[int, int], Fold] = {}

    def add(first: int, last: int, kind: str = "") -> None:
        if last > first:
            found.setdefault((first, last), Fold(first, last, kind))

    for node in walk(analysis.tree):
        if isinstance(node, ast.File | ast.Ident | ast.Flow):
            continue
        span: Span = node.span
        last = source.line_of(max(span.end - 1, span.start)) - 1
        closes = span.text.endswith((")", "]", "}"))
        add(span.line - 1, last - 1 if closes and _is_first(source, span.end - 1) else last)
    imports = [s for s in analysis.tree.body if isinstance(s, ast.ImportDef)]
    if imports:
        add(imports[0].span.line - 1, source.line_of(imports[-1].span.end) - 1, "imports")
    for first, last in _comments(source):
        add(first, last, "comment")
    return sorted(found.values(), key=lambda fold: (fold.first, fold.last))


def _is_first(source: SourceFile, offset: int) -> bool:
    """Whether a character is the first of its line."""
    start = source.line_starts[source.line_of(offset) - 1]
    return not source.text[start:offset].strip()


def _comments(source: SourceFile) -> Iterator[tuple[int, int]]:
    first = -1
    lines = source.text.split("\n")
    for number, line in enumerate([*lines, ""]):
        is_comment = line.lstrip().startswith("#")
        if is_comment and first < 0:
            first = number
        elif not is_comment and first >= 0:
            yield first, number - 1
            first = -1


# --------------------------------------------------------------------------------------------- links


def links(analysis: Analysis) -> list[tuple[Span, str]]:
    """Places that name files, with those files' paths: imports, and data that lie in the folder of the file."""
    found: list[tuple[Span, str]] = []
    for statement in analysis.imports():
        other = analysis.imported(statement)
        if other is not None:
            found.append((statement.path.span, other.source.name))
    folder = os.path.dirname(os.path.abspath(analysis.source.name))
    stack: list[object] = [s for m in analysis.tree.body if isinstance(m, ast.ModelDef) for s in m.body]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Section | ast.SourceStmt):
            stack.extend(children(node))
        elif isinstance(node, ast.CallExpr) and node.args:
            first = node.args[0].value
            if isinstance(first, ast.Literal) and isinstance(first.value, str) and "\0" not in first.value:
                path = os.path.realpath(os.path.join(folder, first.value))
                if lies_in(folder, path) and os.path.isfile(path):
                    found.append((first.span, path))
    return found
