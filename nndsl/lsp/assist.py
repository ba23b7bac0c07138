"""What helps while writing: shapes beside the lines, remedies, and what the caret stands on."""

from __future__ import annotations

from lsprotocol import types

from nndsl.ide.hints import hints
from nndsl.lsp.problems import actions, all_fixes
from nndsl.lsp.server import Server


def register(server: Server) -> None:
    documents = server.documents

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def inlay_hint(params: types.InlayHintParams) -> list[types.InlayHint] | None:
        document = await documents.checked(params.text_document.uri)
        if document is None:
            return None
        start, end = (document.lines.offset(place) for place in (params.range.start, params.range.end))
        return [
            types.InlayHint(
                document.lines.position(hint.offset),
                hint.text,
                kind=types.InlayHintKind.Type,
                tooltip=types.MarkupContent(types.MarkupKind.Markdown, "\n\n".join(f"`{line}`" for line in hint.more)),
                padding_left=True,
            )
            for hint in hints(document.analysis, start, end)
        ]

    kinds = [types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll]

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=kinds))
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction] | None:
        document = await documents.checked(params.text_document.uri)
        if document is None:
            return None
        only = params.context.only
        found: list[types.CodeAction] = []
        if only is None or types.CodeActionKind.QuickFix in only:
            start, end = (document.lines.offset(place) for place in (params.range.start, params.range.end))
            found += actions(document, documents, start, end)
        if only is not None and any(kind in (types.CodeActionKind.SourceFixAll, "source") for kind in only):
            whole = all_fixes(document, documents)
            found += [whole] if whole is not None else []
        return found
