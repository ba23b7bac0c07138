"""The files that an editor has open, each with what is known of its latest text.

A text is parsed as soon as somebody asks, in the server's own thread. It is checked in a second one, a short while
after the last edit or as soon as somebody waits for it; a check that has been overtaken by an edit is not begun, and
what it found is not shown.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from typing import TypeVar

from pygls.uris import from_fs_path, to_fs_path

from nndsl.ide.analysis import Analysis, Checked
from nndsl.lsp.positions import Lines
from nndsl.passes.definitions import Reader, no_reader
from nndsl.project import Project
from nndsl.source import SourceFile

T = TypeVar("T")
LEAST_DELAY, MOST_DELAY = 0.02, 0.3  # seconds between an edit and its check
_STACK = 64 * 2**20  # bytes for the thread that checks: blocks call each other deeply


class Document:
    """One open file. `stamp` counts the states that it has been in: its own texts, and those of what it imports."""

    def __init__(self, documents: Documents, uri: str, text: str, version: int | None) -> None:
        self._documents = documents
        self.uri = uri
        self.path = to_fs_path(uri)
        self.real = os.path.realpath(self.path) if self.path else None
        self.stamp = 0
        self.is_open = True
        self.took = 0.0  # seconds, by the last check
        self.wanted = asyncio.Event()  # somebody waits for the check
        self.over = asyncio.Event()  # the check of this state is done, or the state is past
        self.checked_stamp = -1
        self.last: Checked | None = None  # the last check that there was, of an earlier text perhaps
        self.task: asyncio.Task[None] | None = None
        self.set_text(text, version)

    def set_text(self, text: str, version: int | None) -> None:
        self.version = version
        self.source = SourceFile(self.path or self.uri, text)
        self.lines = Lines(text, self._documents.encoding)
        self.outdate()

    def outdate(self) -> None:
        """What was known is not true any more."""
        self.stamp += 1
        self.over.set()
        self.over, self.wanted = asyncio.Event(), asyncio.Event()
        self.__dict__.pop("analysis", None)
        self.__dict__.pop("project", None)

    @cached_property
    def project(self) -> Project | None:
        return Project(self.source, self._documents.known) if self.path else None

    @cached_property
    def analysis(self) -> Analysis:
        """Its tree and names, at once. `analysis.checked` may be asked for behind `Documents.checked` alone."""
        return self._documents.analyse(self.source, self.project)

    @property
    def is_checked(self) -> bool:
        return self.checked_stamp == self.stamp

    def needs(self, real: str) -> bool:
        """Whether it imports a file, or would if that were there."""
        project = self.__dict__.get("project")
        return real != self.real and project is not None and real in project.files


class Documents:
    """All open files. `publish` is told of every finished check, `report` of an error of ours."""

    def __init__(self, publish: Callable[[Document], None], report: Callable[[Exception], None]) -> None:
        self.open_files: dict[str, Document] = {}
        self.encoding = "utf-16"
        self._publish, self._report = publish, report
        self._disk: dict[str, tuple[tuple[int, int], SourceFile]] = {}  # by real path, with time and size
        before = threading.stack_size(_STACK)
        self._pool = ThreadPoolExecutor(1, "nndsl-check")
        self._pool.submit(int).result()  # the thread starts with its stack
        threading.stack_size(before)

    # --------------------------------------------------------------------------------------- texts

    def get(self, uri: str) -> Document | None:
        return self.open_files.get(uri)

    def open(self, uri: str, text: str, version: int | None) -> None:
        known = self.open_files.get(uri)
        if known is not None:
            self.change(uri, text, version)
            return
        self.open_files[uri] = Document(self, uri, text, version)
        self._schedule(self.open_files[uri])
        self.files_changed(uri)

    def change(self, uri: str, text: str, version: int | None) -> None:
        document = self.open_files.get(uri)
        if document is not None:
            document.set_text(text, version)
            self._schedule(document)
            self._others(document)

    def close(self, uri: str) -> Document | None:
        document = self.open_files.pop(uri, None)
        if document is not None:
            document.is_open = False
            document.outdate()
            self.files_changed(uri)
        return document

    def files_changed(self, except_uri: str = "") -> None:
        """Files came, went or changed on the disk: whatever imports something is looked at again."""
        for document in self.open_files.values():
            if document.uri != except_uri and any(document.analysis.imports()):
                document.outdate()
                self._schedule(document)

    def _others(self, changed: Document) -> None:
        """Documents that import the one that changed."""
        for document in self.open_files.values():
            if changed.real is not None and document.needs(changed.real):
                document.outdate()
                self._schedule(document)

    def known(self, real: str) -> SourceFile | None:
        """The text of a file by its real path: as an editor has it, else as it was read, if it has not changed."""
        for document in self.open_files.values():
            if document.real == real:
                return document.source
        found = self._disk.get(real)
        return found[1] if found is not None and found[0] == _stamp_of(real) else None

    def known_at(self, path: str) -> SourceFile | None:
        """The same by any path."""
        return self.known(os.path.realpath(path))

    def analyse(self, source: SourceFile, project: Project | None) -> Analysis:
        """The analysis of a file, with one of each file that it imports."""
        if project is None:
            return Analysis(source, no_reader)
        reader = self._remembering(project)
        imported: dict[SourceFile, Analysis] = {}

        def parsed(other: SourceFile) -> Analysis:
            if other not in imported:
                imported[other] = Analysis(other, reader, parsed)
            return imported[other]

        return Analysis(source, reader, parsed)

    def _remembering(self, project: Project) -> Reader:
        def read(importer: SourceFile, path: str) -> SourceFile:
            source = project.read(importer, path)
            real = os.path.realpath(source.name)
            stamp = _stamp_of(real)
            if stamp is not None and self.known(real) is None:
                self._disk[real] = stamp, source
            return source

        return read

    def uri_of(self, source: SourceFile) -> str:
        """The address of a file, as the editor spells it where it has the file open."""
        for document in self.open_files.values():
            if document.source is source or (document.path == source.name and document.path is not None):
                return document.uri
        return from_fs_path(os.path.abspath(source.name)) or source.name

    def lines_of(self, source: SourceFile) -> Lines:
        for document in self.open_files.values():
            if document.source is source:
                return document.lines
        return Lines(source.text, self.encoding)

    # -------------------------------------------------------------------------------------- checks

    def _schedule(self, document: Document) -> None:
        document.task = asyncio.get_running_loop().create_task(self._check(document, document.stamp))

    async def _check(self, document: Document, stamp: int) -> None:
        delay = min(MOST_DELAY, max(LEAST_DELAY, document.took / 3))
        with suppress(TimeoutError):
            await asyncio.wait_for(document.wanted.wait(), delay)
        if document.stamp != stamp or not document.is_open:
            return
        analysis, over = document.analysis, document.over

        def compute() -> bool:
            if document.stamp != stamp:
                return False
            start = time.perf_counter()
            _ = analysis.checked
            document.took = time.perf_counter() - start
            return True

        try:
            if not await self.apart(compute) or document.stamp != stamp:
                return
            document.checked_stamp, document.last = stamp, analysis.checked
            self._publish(document)
        except Exception as error:
            self._report(error)
        finally:
            over.set()

    async def checked(self, uri: str) -> Document | None:
        """The document once its latest text is checked; None where it is not open or the check failed."""
        while (document := self.open_files.get(uri)) is not None and not document.is_checked:
            stamp, over = document.stamp, document.over
            document.wanted.set()
            await over.wait()
            if document.stamp == stamp and not document.is_checked:
                return None  # our own mistake, which has been reported
        return document

    def apart(self, work: Callable[[], T]) -> Awaitable[T]:
        """Does what takes long in the thread that checks."""
        return asyncio.get_running_loop().run_in_executor(self._pool, work)


def _stamp_of(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
