"""From a name to where it is defined and used, in all files of the project; and to another name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from nndsl.diagnostics.model import Problems
from nndsl.diagnostics.terminal import visible
from nndsl.files import find_sources, lies_in, read_source
from nndsl.ide.analysis import Analysis
from nndsl.ide.rename import CannotRename, check_name, places, renamable
from nndsl.ide.symbols import Symbol
from nndsl.lsp.documents import Document
from nndsl.lsp.server import Server
from nndsl.project import Project
from nndsl.source import Span

MOST_FILES = 2_000
_Place = types.DefinitionParams | types.ReferenceParams | types.DocumentHighlightParams


class Refused(JsonRpcException):
    """A request that cannot be granted, and why."""

    CODE = types.LSPErrorCodes.RequestFailed
    MESSAGE = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(message=visible(message), code=self.CODE)


def register(server: Server) -> None:
    documents = server.documents

    def symbol_at(params: _Place) -> tuple[Document, Symbol, Span] | None:
        document = documents.get(params.text_document.uri)
        if document is None:
            return None
        found = document.analysis.symbols.at(document.lines.offset(params.position))
        return None if found is None else (document, found.symbol, found.span)

    def location(span: Span) -> types.Location:
        return types.Location(documents.uri_of(span.file), documents.lines_of(span.file).span(span))

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> types.Location | None:
        found = symbol_at(params)
        if found is not None:
            return location(found[1].span)
        document = documents.get(params.text_document.uri)
        if document is None:
            return None
        offset = document.lines.offset(params.position)
        for statement in document.analysis.imports():
            span = statement.path.span
            other = document.analysis.imported(statement) if span.start <= offset <= span.end else None
            if other is not None:
                return types.Location(documents.uri_of(other.source), types.Range(_TOP, _TOP))
        return None

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(params: types.ReferenceParams) -> list[types.Location] | None:
        found = symbol_at(params)
        if found is None:
            return None
        document, symbol, _ = found
        spans = [span for analysis in _files(server, document, symbol) for span in places(analysis, symbol)]
        if not params.context.include_declaration:
            spans = [span for span in spans if (span.file, span.start) != symbol.key]
        return [location(span) for span in spans]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlight(params: types.DocumentHighlightParams) -> list[types.DocumentHighlight] | None:
        found = symbol_at(params)
        if found is None:
            return None
        document, symbol, _ = found
        read, write = types.DocumentHighlightKind.Read, types.DocumentHighlightKind.Write
        return [
            types.DocumentHighlight(document.lines.span(o.span), write if o.is_definition else read)
            for o in document.analysis.symbols.occurrences
            if o.symbol.key == symbol.key
        ]

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare_rename(params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder | None:
        document = documents.get(params.text_document.uri)
        if document is None:
            return None
        try:
            symbol, span = renamable(document.analysis, document.lines.offset(params.position))
        except CannotRename as error:
            raise Refused(str(error)) from None
        return types.PrepareRenamePlaceholder(document.lines.span(span), symbol.name)

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def rename(params: types.RenameParams) -> types.WorkspaceEdit | None:
        document = documents.get(params.text_document.uri)
        if document is None:
            return None
        changes: dict[str, list[types.TextEdit]] = {}
        try:
            symbol, _ = renamable(document.analysis, document.lines.offset(params.position))
            check_name(params.new_name)
            for analysis in _files(server, document, symbol):
                spans = places(analysis, symbol, params.new_name)
                lines = documents.lines_of(analysis.source)
                edits = [types.TextEdit(lines.span(span), params.new_name) for span in spans]
                if edits:
                    changes[documents.uri_of(analysis.source)] = edits
        except CannotRename as error:
            raise Refused(str(error)) from None
        return types.WorkspaceEdit(changes=changes)


_TOP = types.Position(0, 0)


def _files(server: Server, document: Document, symbol: Symbol) -> Iterator[Analysis]:
    """The files that may mean a symbol: where it is defined, where it is at hand, and for what a file exports all files
    of the project."""
    seen = {document.source}
    yield document.analysis
    exported = symbol.is_global or (symbol.container is not None and symbol.kind in ("parameter", "input"))
    for other in server.documents.open_files.values():
        if other.source not in seen:
            seen.add(other.source)
            yield other.analysis
    if document.project is None or (symbol.span.file is document.source and not exported):
        return
    folder = document.project.folder
    for path in islice(find_sources([folder], Problems()), MOST_FILES):
        if not lies_in(folder, path):
            continue  # a link that leads out of the project
        source = server.documents.known_at(path) or read_source(path, Problems())
        if source is not None and source not in seen and symbol.name in source.text:
            seen.add(source)
            yield server.documents.analyse(source, Project(source, server.documents.known))
