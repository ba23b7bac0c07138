"""What every word of a file is, for editors that colour by meaning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nndsl.ide.analysis import Analysis
from nndsl.ide.symbols import Symbol
from nndsl.layers import catalogue
from nndsl.syntax import ast
from nndsl.syntax.lexer import lex
from nndsl.syntax.reports import Reports
from nndsl.syntax.walk import walk

TYPES = (
    "class", "function", "variable", "parameter", "property", "enumMember", "type", "keyword", "string", "number",
    "operator",
)  # fmt: skip
MODIFIERS = ("declaration", "readonly", "defaultLibrary")

_OF_SYMBOLS = {
    "model": "class", "block": "function", "layer": "function", "import": "function", "submodel": "function",
    "parameter": "parameter", "repeat": "parameter", "dimension": "type",
}  # fmt: skip
_READONLY = ("param", "constant", "parameter", "repeat")
_SIGNS = {"ARROW", "COMPARE", "POWER", "FACTOR", "SIGN", "DOTS", "EQUAL", "QUESTION"}
_SILENT = {"NAME", "DOT", "COMMA", "COLON", "LPAR", "RPAR", "LSQB", "RSQB", "LBRACE", "RBRACE", "SEMICOLON"}


@dataclass(frozen=True)
class Word:
    """A word with its type (one of TYPES) and its modifiers (some of MODIFIERS)."""

    start: int
    end: int
    type: str
    modifiers: tuple[str, ...] = ()


def words(analysis: Analysis) -> list[Word]:
    """Every word of the file that has a meaning, in the order of the text."""
    meant = dict(_meanings(analysis))
    found = []
    for token in lex(Reports(analysis.source)):
        known = meant.get(token.start)
        if known is not None:
            found.append(Word(token.start, token.end, *known))
        elif token.type in ("INT", "FLOAT"):
            found.append(Word(token.start, token.end, "number"))
        elif token.type == "STRING":
            found.append(Word(token.start, token.end, "string"))
        elif token.type in _SIGNS:
            found.append(Word(token.start, token.end, "operator"))
        elif token.type not in _SILENT:
            found.append(Word(token.start, token.end, "keyword"))
    return found


Meaning = tuple[str, tuple[str, ...]]


def _meanings(analysis: Analysis) -> Iterator[tuple[int, Meaning]]:
    """Places of words with what they are; later ones count."""
    for node in walk(analysis.tree):
        match node:
            case ast.NameRef(span=span):
                yield span.start, ("enumMember", ())
            case ast.Literal(value=bool() | None, span=span):
                yield span.start, ("enumMember", ())
            case ast.CallExpr(func=func):
                known = any(catalogue.find(category, func.text) for category in ("layer", "function"))
                yield func.span.start, ("function", ("defaultLibrary",) if known else ())
            case ast.Arg(name=ast.Ident(span=span)) | ast.Attribute(name=ast.Ident(span=span)):
                yield span.start, ("property", ())
            case ast.InputStmt(dtype=ast.Ident(span=span)) | ast.WeightStmt(dtype=ast.Ident(span=span)):
                yield span.start, ("type", ())
            case ast.Section(body=body):
                for inner in body:
                    if isinstance(inner, ast.AssignStmt):
                        yield inner.targets[0].span.start, ("property", ())
    for occurrence in analysis.symbols.occurrences:
        yield occurrence.span.start, (_type(occurrence.symbol), _modifiers(occurrence.symbol, occurrence.is_definition))


def _type(symbol: Symbol) -> str:
    return _OF_SYMBOLS.get(symbol.kind, "variable")


def _modifiers(symbol: Symbol, declares: bool) -> tuple[str, ...]:
    return (*(["declaration"] if declares else []), *(["readonly"] if symbol.kind in _READONLY else []))
