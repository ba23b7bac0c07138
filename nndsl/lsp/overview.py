"""A file at a glance: outline, folding, selection, colours by meaning, links; and its one form."""

from __future__ import annotations

from lsprotocol import types
from pygls.uris import from_fs_path

from nndsl.diagnostics.terminal import visible
from nndsl.ide import outline
from nndsl.ide.places import spans_at
from nndsl.ide.tokens import MODIFIERS, TYPES, words
from nndsl.lsp.documents import Document
from nndsl.lsp.server import Server

_KINDS = {
    "model": types.SymbolKind.Class, "block": types.SymbolKind.Function, "layer": types.SymbolKind.Function,
    "param": types.SymbolKind.Constant, "import": types.SymbolKind.Module, "input": types.SymbolKind.Interface,
    "output": types.SymbolKind.Event, "value": types.SymbolKind.Variable, "shared": types.SymbolKind.Object,
    "submodel": types.SymbolKind.Method, "penalty": types.SymbolKind.Number, "source": types.SymbolKind.File,
    "weight": types.SymbolKind.Array, "state": types.SymbolKind.Array, "update": types.SymbolKind.Event,
    "setting": types.SymbolKind.Property,
}  # fmt: skip
_FOLDS = {"comment": types.FoldingRangeKind.Comment, "imports": types.FoldingRangeKind.Imports}


def register(server: Server) -> None:
    documents = server.documents

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def document_symbol(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol] | None:
        document = documents.get(params.text_document.uri)
        if document is None:
            return None
        return [_symbol(entry, document) for entry in outline.outline(document.analysis.tree)]

    @server.feature(types.WORKSPACE_SYMBOL)
    def workspace_symbol(params: types.WorkspaceSymbolParams) -> list[types.WorkspaceSymbol]:
        found = []
        for document in documents.open_files.values():
            for entry in outline.outline(document.analysis.tree):
                if params.query.lower() in entry.name.lower():
                    place = types.Location(document.uri, document.lines.span(entry.name_span))
                    found.append(types.WorkspaceSymbol(place, entry.name, _KINDS.get(entry.kind, _MODULE)))
        return found

    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    def folding_range(params: types.FoldingRangeParams) -> list[types.FoldingRange] | None:
        document = documents.get(params.text_document.uri)
        if document is None:
            return None
        return [
            types.FoldingRange(fold.first, fold.last, kind=_FOLDS.get(fold.kind))
            for fold in outline.folds(document.analysis)
        ]

    @server.feature(types.TEXT_DOCUMENT_SELECTION_RANGE)
    def selection_range(params: types.SelectionRangeParams) -> list[types.SelectionRange] | None:
        document = documents.get(params.text_document.uri)
        if document is None:
            return None
        found = []
        for position in params.positions:
            around: types.SelectionRange | None = None
            for span in reversed(spans_at(document.analysis.tree, document.lines.offset(position))):
                around = types.SelectionRange(document.lines.span(span), around)
            found.append(around or types.SelectionRange(types.Range(position, position)))
        return found

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, types.SemanticTokensLegend(list(TYPES), list(MODIFIERS)))
    def semantic_tokens(params: types.SemanticTokensParams) -> types.SemanticTokens | None:
        document = documents.get(params.text_document.uri)
        return None if document is None else types.SemanticTokens(_encoded(document))

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_LINK)
    def document_link(params: types.DocumentLinkParams) -> list[types.DocumentLink] | None:
        document = documents.get(params.text_document.uri)
        if document is None or document.path is None:
            return None
        return [
            types.DocumentLink(document.lines.span(span), target=from_fs_path(path))
            for span, path in outline.links(document.analysis)
        ]

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatting(params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        from nndsl.diagnostics.model import Problems
        from nndsl.formatting import format_text

        document = documents.get(params.text_document.uri)
        text = None if document is None else format_text(document.source, Problems())
        if document is None or text is None:
            return None  # it does not parse: its problems are on display
        old = document.source.text
        if text == old:
            return []
        start = _alike(old, text)
        same = _alike(old[start:][::-1], text[start:][::-1])
        while start and old[start - 1] in "\r\n":  # whole line ends
            start -= 1
            same = min(same, len(text) - start, len(old) - start)
        edit = types.TextEdit(document.lines.range(start, len(old) - same), text[start : len(text) - same])
        return [edit]


_MODULE = types.SymbolKind.Namespace


def _symbol(entry: outline.Entry, document: Document) -> types.DocumentSymbol:
    lines = document.lines
    return types.DocumentSymbol(
        visible(entry.name) or entry.kind,
        _KINDS.get(entry.kind, _MODULE),
        range=lines.span(entry.span),
        selection_range=lines.span(entry.name_span),
        detail=visible(entry.detail) or entry.kind,
        children=[_symbol(inner, document) for inner in entry.inner],
    )


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def _encoded(document: Document) -> list[int]:
    """Five numbers for each word, as the protocol has them: places relative to the word before."""
    data: list[int] = []
    line = column = 0
    for word in words(document.analysis):
        start, end = document.lines.position(word.start), document.lines.position(word.end)
        if start.line != end.line or end.character <= start.character:
            continue
        kind = sum(1 << MODIFIERS.index(modifier) for modifier in word.modifiers)
        before = column if start.line == line else 0
        width = end.character - start.character
        data += [start.line - line, start.character - before, width, TYPES.index(word.type), kind]
        line, column = start.line, start.character
    return data
