"""What the catalogue says of its entries, and the file of its own blocks; Markdown."""

from __future__ import annotations

import textwrap

from nndsl.ide.analysis import Analysis
from nndsl.ide.callees import Callee, Parameter, maker, one_line
from nndsl.ide.markdown import block, inline, prose
from nndsl.layers import docs
from nndsl.layers.entry import Entry
from nndsl.syntax import ast


def documentation(analysis: Analysis, callee: Callee, *, short: bool = False) -> str:
    """What is called, with its parameters; `short` is without them."""
    if callee.entry is not None:
        return of_entry(callee.entry, short=short)
    statement = callee.symbol.statement if callee.symbol is not None else None
    if isinstance(statement, ast.BlockDef):
        return of_block(statement, short=short)
    if isinstance(statement, ast.SharedStmt):
        return of_shared(analysis, statement, short=short)
    return ""


def of_entry(cls: type[Entry], *, short: bool = False) -> str:
    text = first_paragraphs(docs.body(cls)[0], 1 if short else 3)
    return text if short else f"{block(_wrapped(docs.signature(cls)))}\n\n{text}"


def _wrapped(signature: str) -> str:
    return "\n".join(textwrap.wrap(signature, 88, subsequent_indent="    ", break_on_hyphens=False))


def first_paragraphs(text: str, count: int) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n")[:count])


def of_block(definition: ast.BlockDef, *, short: bool = False) -> str:
    said = prose(definition.comment)
    return said if short else "\n\n".join(part for part in (block(block_head(definition)), said) if part)


def block_head(definition: ast.BlockDef) -> str:
    """`block Residual(filters, stride=1)`"""
    parameters = ", ".join(
        p.name.text if p.default is None else f"{p.name.text}={one_line(p.default.span.text, 40)}"
        for p in definition.parameters
    )
    return f"{'layer' if definition.is_layer else 'block'} {definition.name.text}({parameters})"


def of_shared(analysis: Analysis, statement: ast.SharedStmt, *, short: bool = False) -> str:
    call = statement.value
    said = "A shared layer: every use of the name has the same weights."
    made = maker(analysis, call.func.text) if isinstance(call, ast.CallExpr) else None
    more = documentation(analysis, made, short=True) if made is not None else ""
    head = "" if short else block(f"shared {statement.name.text} = {one_line(call.span.text)}")
    return "\n\n".join(part for part in (head, said, more) if part)


def of_parameter(callee: Callee, parameter: Parameter) -> str:
    """What an argument is: what it takes, its default, its meaning."""
    takes = parameter.takes
    default = "required" if parameter.required else f"default {inline(parameter.default)}" if parameter.default else ""
    head = f"{inline(parameter.name)} of {inline(callee.name)}"
    about = ", ".join(part for part in (takes, default) if part)
    return "\n\n".join(part for part in (f"{head}: {about}" if about else head, parameter.doc) if part)
