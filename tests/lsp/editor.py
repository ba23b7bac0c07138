"""An editor for tests: it opens texts, edits them, and waits for what the server says of them. `‸` marks a place."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from lsprotocol import types
from pytest_lsp import LanguageClient

CARET = "‸"


class Editor:
    """One client with a project folder. Names are relative to the folder; texts need not lie on the disk."""

    def __init__(self, client: LanguageClient, folder: Path) -> None:
        self.client, self.folder = client, folder
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}

    @property
    def capabilities(self) -> types.ServerCapabilities:
        started: types.InitializeResult = self.client.started  # type: ignore[attr-defined]
        return started.capabilities

    @property
    def heard(self) -> list[tuple[str, int | None]]:
        """The checks that the server has announced."""
        return self.client.heard  # type: ignore[attr-defined,no-any-return]

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def document(self, name: str) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri(name))

    async def open(self, text: str, name: str = "model.nn") -> list[types.Diagnostic]:
        """Opens a file, or gives an open one another text; the problems that the server publishes for it."""
        text = text.replace(CARET, "")
        if name in self.texts:
            self.change(text, name)
        else:
            self.texts[name], self.versions[name] = text, self.versions.get(name, 0) + 1
            opened = types.TextDocumentItem(self.uri(name), "nndsl", self.versions[name], text)
            self.client.text_document_did_open(types.DidOpenTextDocumentParams(opened))
        return await self.problems(name)

    def change(self, text: str, name: str = "model.nn") -> None:
        """Gives an open file another text; waits for nothing."""
        self.texts[name], self.versions[name] = text, self.versions[name] + 1
        change = types.TextDocumentContentChangeWholeDocument(text)
        item = types.VersionedTextDocumentIdentifier(self.versions[name], self.uri(name))
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(item, [change]))

    async def problems(self, name: str = "model.nn") -> list[types.Diagnostic]:
        """The problems of the latest text of a file, as soon as they are published."""
        document = self.document(name)
        range = types.Range(types.Position(0, 0), types.Position(0, 0))
        # Answered once the latest text is checked, and what was published for it has been sent before.
        await self.client.text_document_inlay_hint_async(types.InlayHintParams(document, range))
        return list(self.client.diagnostics.get(document.uri, []))

    async def close(self, name: str = "model.nn") -> None:
        self.texts.pop(name, None)
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(self.document(name)))
        await asyncio.sleep(0)

    def place(self, marked: str, number: int = 0) -> types.Position:
        """The position of a caret in a marked text, in UTF-16."""
        parts = marked.split(CARET)
        before = "".join(parts[: number + 1]).replace("\r\n", "\n")
        line = before.count("\n")
        column = before.rpartition("\n")[2]
        return types.Position(line, len(column.encode("utf-16-le")) // 2)

    async def ask(self, method: str, **params: Any) -> Any:
        """A request of our own protocol, or any other by its name."""
        return await self.client.protocol.send_request_async(method, params)


def cut(text: str, range: types.Range) -> str:
    """The text in a range that is given in UTF-16."""
    lines = text.replace("\r\n", "\n").split("\n")

    def column(line: str, units: int) -> int:
        return len(line.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore"))

    start, end = range.start, range.end
    if start.line == end.line:
        line = lines[start.line]
        return line[column(line, start.character) : column(line, end.character)]
    first, last = lines[start.line], lines[end.line] if end.line < len(lines) else ""
    middle = lines[start.line + 1 : end.line]
    return "\n".join([first[column(first, start.character) :], *middle, last[: column(last, end.character)]])


def applied(text: str, edits: list[types.TextEdit]) -> str:
    """The text after edits that do not overlap."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)

    def offset(position: types.Position) -> int:
        if position.line >= len(lines):
            return len(text)
        line = lines[position.line]
        units = line.encode("utf-16-le")[: 2 * position.character]
        return starts[position.line] + len(units.decode("utf-16-le", "ignore"))

    for edit in sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character), reverse=True):
        text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
    return text
