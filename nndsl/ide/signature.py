"""The parameters of the call that is being written."""

from __future__ import annotations

from dataclasses import dataclass

from nndsl.ide.analysis import Analysis
from nndsl.ide.callees import Callee, Parameter
from nndsl.ide.caret import Frame, caret_at
from nndsl.ide.entries import documentation
from nndsl.ide.expected import Expected


@dataclass(frozen=True)
class SignatureParameter:
    """`start:end` is its place in the label; `markdown` says what it is."""

    start: int
    end: int
    markdown: str


@dataclass(frozen=True)
class Signature:
    """`active` counts the parameters, None where the caret is behind all of them."""

    label: str
    markdown: str
    parameters: tuple[SignatureParameter, ...]
    active: int | None


def signature(analysis: Analysis, offset: int) -> Signature | None:
    """The innermost call whose parentheses hold the offset, None where there is none that is known."""
    caret = caret_at(analysis.source, offset, whole=True)
    if caret.in_comment:
        return None
    expected = Expected(analysis, caret)
    for frame, callee in zip(reversed(caret.stack), reversed(expected.called), strict=True):
        if frame.is_body:
            return None
        if callee is not None:
            return _of_call(analysis, callee, frame)
    return None


def _of_call(analysis: Analysis, callee: Callee, frame: Frame) -> Signature:
    label = f"{callee.name}("
    found: list[SignatureParameter] = []
    for number, parameter in enumerate(callee.parameters):
        label += ", " if number else ""
        start = len(label)
        label += parameter.label
        found.append(SignatureParameter(start, len(label), describe(parameter)))
    active = _active(callee, frame)
    return Signature(f"{label})", documentation(analysis, callee, short=True), tuple(found), active)


def describe(parameter: Parameter) -> str:
    """What a parameter takes and is for; Markdown."""
    takes = parameter.takes
    parts = [f"{takes[:1].upper()}{takes[1:]}." if takes else "", parameter.doc]
    return "\n\n".join(part for part in parts if part)


def _active(callee: Callee, frame: Frame) -> int | None:
    item, names = frame.item, [p.name for p in callee.parameters]
    if len(item) > 1 and item[1].type == "EQUAL":
        return names.index(item[0].text) if item[0].text in names else None
    if any(len(arg) > 1 and arg[1].type == "EQUAL" for arg in frame.before):
        return None  # behind an argument with a name only others with names may stand
    position = len(frame.before)
    return names.index(callee.positional[position].name) if position < len(callee.positional) else None
