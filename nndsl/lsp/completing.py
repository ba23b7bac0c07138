"""Completion: what may stand at the caret, with the documentation of an item when it is looked at."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from nndsl.diagnostics.terminal import visible
from nndsl.ide.completion import complete
from nndsl.ide.items import Item, resolve
from nndsl.lsp.documents import Document
from nndsl.lsp.server import Server

_KINDS = {
    "layer": types.CompletionItemKind.Class, "block": types.CompletionItemKind.Class,
    "shared": types.CompletionItemKind.Reference, "function": types.CompletionItemKind.Function,
    "value": types.CompletionItemKind.Variable, "parameter": types.CompletionItemKind.Constant,
    "argument": types.CompletionItemKind.Property, "setting": types.CompletionItemKind.Property,
    "option": types.CompletionItemKind.EnumMember, "choice": types.CompletionItemKind.EnumMember,
    "keyword": types.CompletionItemKind.Keyword, "dtype": types.CompletionItemKind.TypeParameter,
    "dimension": types.CompletionItemKind.TypeParameter, "attribute": types.CompletionItemKind.Field,
    "reader": types.CompletionItemKind.Function, "transform": types.CompletionItemKind.Function,
    "file": types.CompletionItemKind.File, "folder": types.CompletionItemKind.Folder,
}  # fmt: skip
_TRIGGERS = [".", "(", "=", " ", ">", '"', "/", "[", ","]
_OPENS = ("->", "with", "=", ",", "from", "import")
"""What a list opens behind where a blank is typed; elsewhere the next word may be anything, or none."""


def register(server: Server) -> None:
    documents = server.documents

    def takes_snippets() -> bool:
        text = server.client_capabilities.text_document
        items = text.completion.completion_item if text is not None and text.completion is not None else None
        return bool(items is not None and items.snippet_support)

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(_TRIGGERS, resolve_provider=True))
    def completion(params: types.CompletionParams) -> types.CompletionList | None:
        document = documents.get(params.text_document.uri)
        if document is None:
            return None
        offset = document.lines.offset(params.position)
        project, source = document.project, document.source
        typed = params.context.trigger_character if params.context is not None else None
        if typed == " " and not source.text[max(offset - 12, 0) : offset].rstrip().endswith(_OPENS):
            return None
        paths = None if project is None else lambda start: project.offered(source, start)
        snippets = takes_snippets()
        found = complete(document.analysis, offset, document.last, paths)
        # Items depend on what stands before the caret alone, so that the client may go on to filter them.
        return types.CompletionList(False, [_item(item, document, snippets) for item in found])

    @server.feature(types.COMPLETION_ITEM_RESOLVE)
    def completion_resolve(item: types.CompletionItem) -> types.CompletionItem:
        data: Any = item.data
        uri, about = (data.get("uri"), data.get("about")) if isinstance(data, dict) else (None, None)
        document = documents.get(str(uri))
        text = resolve(document.analysis, about) if document is not None and isinstance(about, str) else ""
        if text:
            item.documentation = types.MarkupContent(types.MarkupKind.Markdown, text)
        return item


def _item(item: Item, document: Document, snippets: bool) -> types.CompletionItem:
    insert = item.insert if snippets or not item.is_snippet else item.filter or item.label
    edit = types.TextEdit(document.lines.span(item.span), insert)
    return types.CompletionItem(
        visible(item.label),
        kind=_KINDS.get(item.kind, types.CompletionItemKind.Text),
        detail=visible(item.detail) or None,
        sort_text=item.sort or None,
        filter_text=item.filter or None,
        text_edit=edit,
        insert_text_format=types.InsertTextFormat.Snippet
        if item.is_snippet and snippets
        else types.InsertTextFormat.PlainText,
        data={"uri": document.uri, "about": item.about} if item.about else None,
    )
