"""The server: what it answers to, and the documents that it answers about."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from nndsl._version import __version__
from nndsl.lsp.documents import Document, Documents
from nndsl.lsp.problems import published

_log = logging.getLogger(__name__)


class Server(LanguageServer):
    """`commands` are those that the client can run itself (`initializationOptions`), for code lenses."""

    def __init__(self) -> None:
        # Whole texts: pygls applies partial changes to lines that end where Python says, at a form feed for instance,
        # and editors say otherwise.
        super().__init__("nndsl", __version__, types.TextDocumentSyncKind.Full)
        self.documents = Documents(self.publish, self.failed)
        self.commands: frozenset[str] = frozenset()

    def publish(self, document: Document) -> None:
        """Shows the problems of a document that has just been checked."""
        found = published(document, self.documents)
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(document.uri, found, version=document.version)
        )
        self.protocol.notify("nndsl/checked", {"uri": document.uri, "version": document.version})

    def failed(self, error: Exception) -> None:
        """A mistake of ours while a document was checked: said in the log, and the server goes on."""
        text = "".join(traceback.format_exception(error))
        self.window_log_message(
            types.LogMessageParams(types.MessageType.Error, f"This is a bug in nndsl; please report it.\n{text}")
        )


def create_server() -> Server:
    """The server with all its features."""
    from nndsl.lsp import assist, completing, navigation, overview, preview

    server = Server()
    _documents(server)
    for room in (navigation, overview, assist, completing, preview):
        room.register(server)
    return server


def _documents(server: Server) -> None:
    documents = server.documents

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        options: Any = params.initialization_options
        commands = options.get("commands") if isinstance(options, dict) else None
        if isinstance(commands, list):
            server.commands = frozenset(name for name in commands if isinstance(name, str))
        documents.encoding = server.workspace.position_encoding or "utf-16"

    @server.feature(types.INITIALIZED)
    def initialized(params: types.InitializedParams) -> None:
        workspace = server.client_capabilities.workspace
        watches = workspace.did_change_watched_files if workspace is not None else None
        if watches is not None and watches.dynamic_registration:
            options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher("**/*.nn")])
            watch = types.Registration("nndsl-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            server.client_register_capability(types.RegistrationParams([watch]))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        documents.open(item.uri, item.text, item.version)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        item = params.text_document
        documents.change(item.uri, server.workspace.get_text_document(item.uri).source, item.version)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        if documents.close(params.text_document.uri) is not None:
            server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(params.text_document.uri, []))

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(params: types.DidChangeWatchedFilesParams) -> None:
        documents.files_changed()


def serve() -> None:
    """Serves one client over the standard streams until it says goodbye."""
    logging.basicConfig(level=logging.WARNING)  # to the standard error
    # The standard output is the protocol's: whatever else is printed goes where messages go.
    protocol = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if sys.stdin.isatty():
        print("This is for editors, which start it themselves (docs/editors.md). Ctrl-C ends it.", file=sys.stderr)
    # A thread that waits for input would hold up Python's own way to end.
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(128 + number))
    create_server().start_io(sys.stdin.buffer, protocol)
