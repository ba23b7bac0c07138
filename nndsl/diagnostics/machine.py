"""Diagnostics for programs: JSON, GitHub's annotations, SARIF 2.1.0. `color` and `width` mean nothing here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nndsl.diagnostics.model import Diagnostic, Fix, Label
from nndsl.diagnostics.terminal import visible
from nndsl.source import Span

Json = dict[str, Any]


def url_of(code: str) -> str:
    """Where a code is explained, from the project's root."""
    return f"docs/errors/{code}.md"


def _dumps(value: object) -> str:
    import json

    # ASCII alone: neither a terminal nor an encoding can stumble over it.
    return json.dumps(value, indent=2) + "\n"


def _place(span: Span) -> Json:
    return {
        "file": span.file.name,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
        "offset": {"start": span.start, "end": span.end},
    }


def render_json(problems: Iterable[Diagnostic], *, color: bool = False, width: int | None = None) -> str:
    """A list with an object for each problem. Lines and columns count from 1, offsets from 0, all in code points."""
    return _dumps(
        [
            {
                "code": problem.code,
                "severity": problem.severity.value,
                "message": problem.message,
                **_place(problem.primary.span),
                "label": problem.primary.message,
                "related": [{**_place(label.span), "label": label.message} for label in problem.related],
                "notes": list(problem.notes),
                "help": problem.help,
                "fixes": [
                    {
                        "title": fix.title,
                        "edits": [{**_place(edit.span), "text": edit.text} for edit in fix.edits],
                    }
                    for fix in problem.fixes
                ],
                "url": url_of(problem.code),
            }
            for problem in problems
        ]
    )


def _github(text: str, *, value: bool) -> str:
    """Escaped as GitHub's workflow commands want it; `value` for a property's value."""
    text = visible(text, keep="\n").replace("%", "%25").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if value else text


def render_github(problems: Iterable[Diagnostic], *, color: bool = False, width: int | None = None) -> str:
    """A workflow command each: `::error title=NN0203,file=…,line=…,col=…,endLine=…,endColumn=…::message`."""
    lines = []
    for problem in problems:
        span = problem.primary.span
        place = {"title": problem.code, "file": span.file.name, "line": span.line}
        if span.line == span.end_line:  # GitHub takes columns on one line only
            place |= {"col": span.column, "endLine": span.end_line, "endColumn": span.end_column}
        else:
            place |= {"endLine": span.end_line}
        properties = ",".join(f"{key}={_github(str(value), value=True)}" for key, value in place.items())
        parts = [problem.message]
        if problem.primary.message:
            parts.append(problem.primary.message)
        parts += [_described(label) for label in problem.related if label.message]
        parts += [f"note: {note}" for note in problem.notes]
        parts += [f"help: {text}" for text in _helps(problem)]
        lines.append(f"::{problem.severity.value} {properties}::{_github(chr(10).join(parts), value=False)}\n")
    return "".join(lines)


def _described(label: Label) -> str:
    return f"{label.span.file.name}:{label.span.line}: {label.message}"


def _helps(problem: Diagnostic) -> list[str]:
    return [problem.help] if problem.help else [fix.title for fix in problem.fixes]


def render_sarif(problems: Iterable[Diagnostic], *, color: bool = False, width: int | None = None) -> str:
    """One run in SARIF 2.1.0: rules with titles and explanations, results with related places and fixes."""
    from contextlib import suppress
    from importlib.metadata import PackageNotFoundError, version

    from nndsl.diagnostics.codes import find

    listed = list(problems)
    used = sorted({problem.code for problem in listed})
    rules = []
    for code in used:
        rule: Json = {"id": code, "helpUri": url_of(code)}
        entry = find(code)
        if entry is not None:
            rule["shortDescription"] = {"text": entry.title}
            rule["fullDescription"] = {"text": entry.explanation}
            rule["defaultConfiguration"] = {"level": entry.severity.value}
        rules.append(rule)
    driver: Json = {"name": "nndsl", "rules": rules}
    with suppress(PackageNotFoundError):  # run from a folder that is not installed
        driver["version"] = version("nndsl")
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, used.index(problem.code)) for problem in listed],
    }
    return _dumps({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]})


def _result(problem: Diagnostic, rule: int) -> Json:
    parts = [problem.message, *(f"note: {note}" for note in problem.notes), *(f"help: {h}" for h in _helps(problem))]
    location: Json = {"physicalLocation": _physical(problem.primary.span)}
    if problem.primary.message:
        location["message"] = {"text": problem.primary.message}
    result: Json = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity.value,
        "message": {"text": "\n".join(parts)},
        "locations": [location],
    }
    if problem.related:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _physical(label.span), "message": {"text": label.message}}
            for number, label in enumerate(problem.related)
        ]
    if problem.fixes:
        result["fixes"] = [_fix(fix) for fix in problem.fixes]
    return result


def _uri(name: str) -> str:
    from urllib.parse import quote

    return quote(name.replace("\\", "/"), safe="/", errors="surrogatepass")


def _region(span: Span) -> Json:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
        "charOffset": span.start,
        "charLength": span.end - span.start,
    }


def _physical(span: Span) -> Json:
    return {"artifactLocation": {"uri": _uri(span.file.name)}, "region": _region(span)}


def _fix(fix: Fix) -> Json:
    changes: dict[str, list[Json]] = {}
    for edit in fix.edits:
        change = {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
        changes.setdefault(_uri(edit.span.file.name), []).append(change)
    return {
        "description": {"text": fix.title},
        "artifactChanges": [
            {"artifactLocation": {"uri": uri}, "replacements": replacements} for uri, replacements in changes.items()
        ],
    }
