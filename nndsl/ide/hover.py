"""What an editor shows for the word at the caret."""

from __future__ import annotations

from dataclasses import dataclass

from nndsl.ide import callees, entries
from nndsl.ide.analysis import Analysis
from nndsl.ide.callees import Callee, Parameter
from nndsl.ide.expected import Expected, expected_at
from nndsl.ide.hover_calls import of_argument_here, of_block_call, of_call
from nndsl.ide.hover_names import of_import, of_symbol
from nndsl.ide.markdown import inline
from nndsl.ide.place import OPTION_DOCS, Place
from nndsl.ide.symbols import Symbol
from nndsl.ide.words import ATTRIBUTES, DTYPES, KEYWORDS
from nndsl.layers import catalogue
from nndsl.passes.train_section import SETTINGS
from nndsl.source import SourceFile, Span
from nndsl.syntax import ast
from nndsl.syntax.lexer import Token, lex
from nndsl.syntax.names import CONSTANTS
from nndsl.syntax.reports import Reports


@dataclass(frozen=True)
class Hover:
    span: Span
    markdown: str


def hover(analysis: Analysis, offset: int) -> Hover | None:
    """What there is to say of the word at an offset; None for nothing. It asks for the check of the file."""
    token = word_at(analysis.source, offset)
    if token is None:
        return None
    markdown = _Word(analysis, token).markdown()
    return Hover(Span(analysis.source, token.start, token.end), markdown) if markdown else None


def word_at(source: SourceFile, offset: int) -> Token | None:
    """The word or string that holds an offset, or ends there. No token goes beyond its line."""
    line = source.line_of(offset)
    start = source.line_starts[line - 1]
    found: Token | None = None
    for token in lex(Reports(SourceFile("", source.line_text(line)))):
        token.start += start
        token.end += start
        if token.start <= offset <= token.end and (token.text.isidentifier() or token.type == "STRING"):
            found = token
    return found


class _Word:
    def __init__(self, analysis: Analysis, token: Token) -> None:
        self.analysis, self.token, self.text = analysis, token, token.text
        rest = analysis.source.text[token.end : token.end + 200].lstrip(" \t\r\n")
        self.is_called = rest.startswith("(")
        self.is_given = rest.startswith("=") and not rest.startswith("==")

    def markdown(self) -> str:
        if self.token.type == "STRING":
            return of_import(self.analysis, self.token.start)
        expected = expected_at(self.analysis, self.token.start, whole=True)
        place = expected.place
        said = self._given(place) if self.is_given else ""
        if said or (self.is_given and place.kind in ("argument", "option")):
            return said  # nothing is said of an argument that there is not
        if self.token.type != "NAME":
            return KEYWORDS.get(self.text, "")
        symbol = self._symbol()
        if symbol is not None:
            return self._of_symbol(symbol)
        if self.is_called or place.kind in ("stage", "maker"):
            callee = self._callee(expected, place)
            return of_call(self.analysis, callee, self.token.start) if callee is not None else ""
        return self._option(place)

    def _given(self, place: Place) -> str:
        """The name of an argument, an option or a setting."""
        match place.kind:
            case "argument" if place.callee is not None:
                parameter = place.callee.parameter(self.text)
                return "" if parameter is None else self._argument(place.callee, parameter)
            case "option" if self.text in place.options:
                kind, doc = place.options[self.text]
                takes = "" if kind is None else f": {kind.describe()}"
                return f"{inline(self.text)} of {_article(place.of)} `{place.of}`{takes}\n\n{doc}"
            case "statement" if place.body == "train" and self.text in SETTINGS:
                kind, doc = SETTINGS[self.text]
                return f"{inline(self.text)} of the `train` section: {kind.describe()}\n\n{doc}"
            case "statement" if place.body == "options" and self.text in OPTION_DOCS:
                return f"{inline(self.text)} of the `options` section\n\n{OPTION_DOCS[self.text]}"
        return ""

    def _argument(self, callee: Callee, parameter: Parameter) -> str:
        here = of_argument_here(self.analysis, self.token.start, parameter.name)
        return "\n\n".join(part for part in (entries.of_parameter(callee, parameter), here) if part)

    def _symbol(self) -> Symbol | None:
        occurrence = self.analysis.symbols.at(self.token.start)
        if occurrence is not None and occurrence.span.start == self.token.start:
            return occurrence.symbol
        return None

    def _of_symbol(self, symbol: Symbol) -> str:
        statement = symbol.statement
        if isinstance(statement, ast.BlockDef) and symbol.kind in ("block", "layer"):
            return of_block_call(self.analysis, Callee(self.text, "block", symbol=symbol), self.token.start)
        if symbol.kind == "shared" and self.token.start != symbol.span.start:
            made = callees.shared(self.analysis, symbol.container, symbol.name)
            if made is not None and made.made is not None and made.made.category == "block":
                return of_block_call(self.analysis, made, self.token.start)
            if made is not None:
                return of_call(self.analysis, made, self.token.start)
        return of_symbol(self.analysis, symbol)

    def _callee(self, expected: Expected, place: Place) -> Callee | None:
        found = expected.callee(self.text, place)
        if found is None and self.is_called:  # a statement that is too broken to tell what is meant
            found = callees.of_entry("layer", self.text) or callees.of_entry("function", self.text)
        return found

    def _option(self, place: Place) -> str:
        """A bare name that is neither a value nor a parameter: `relu`, `same`, `float32`."""
        if place.kind == "dtype":
            return f"{inline(self.text)}: {DTYPES[self.text]}" if self.text in DTYPES else ""
        if place.kind == "attribute" and place.body != "data":
            return ATTRIBUTES.get(self.text, "")
        if place.kind == "argument" and place.callee is not None and place.by_position:
            positional = place.callee.positional
            if place.position >= len(positional):
                return ""
            parameter = positional[place.position]
            place = Place("value", takes=parameter.kind, of=parameter.name, callee=place.callee)
        if place.kind == "choice" and self.text in place.names:
            return f"{inline(self.text)}, a value of {inline(place.of)}\n\n{OPTION_DOCS.get(place.of, '')}"
        if place.kind != "value" or self.text in CONSTANTS:
            return ""
        for category in callees.categories(place.takes):
            cls = catalogue.find(category, self.text)
            if cls is not None:
                return entries.of_entry(cls)
        if place.takes is None or not place.of:
            return ""
        if place.callee is not None and (parameter_here := place.callee.parameter(place.of)) is not None:
            return f"{inline(self.text)}, a value of {entries.of_parameter(place.callee, parameter_here)}"
        doc = SETTINGS[place.of][1] if place.body == "train" and place.of in SETTINGS else ""
        return f"{inline(self.text)}, a value of {inline(place.of)}: {place.takes.describe()}\n\n{doc}".rstrip()


def _article(word: str) -> str:
    return "an" if word[:1] in "aeiou" else "a"
