"""Imports: the files that a program is made of, none of them outside of its project's folder."""

from __future__ import annotations

import os

from nndsl.diagnostics.model import Problems
from nndsl.files import STDIN, SUFFIX, read_source
from nndsl.passes.definitions import CannotImport
from nndsl.source import SourceFile

MARKERS = (".git", "pyproject.toml", "nndsl.toml")


class Project:
    """Reads the files that a main file imports, each once.

    The project's folder is the nearest one around the main file that holds one of `MARKERS`, else the file's own. What
    lies outside of it is not read, also not through a link.
    """

    def __init__(self, main: SourceFile) -> None:
        """`main` is the main file; one that is read from the standard input stands in the current folder."""
        place = main.name if main.name != "<stdin>" else os.path.join(os.curdir, STDIN)
        real = os.path.realpath(place)
        self.places = {main: place}
        self.files = {real: main}
        self.folder = _project_folder(os.path.dirname(real))

    def read(self, importer: SourceFile, path: str) -> SourceFile:
        """The file at `path` as `importer` writes it. Raises CannotImport."""
        if not path.endswith(SUFFIX) or "\0" in path:
            raise CannotImport(
                "NN0705", f"`{path}` is no `{SUFFIX}` file", f"an import names a file that ends in `{SUFFIX}`"
            )
        if os.path.isabs(path) or path.startswith("~"):
            raise CannotImport("NN0703", f"`{path}` is no path inside the project",
                               "write it relative to this file, with `/` between folders")  # fmt: skip
        name = os.path.normpath(os.path.join(os.path.dirname(self.places[importer]), *path.split("/")))
        real = os.path.realpath(name)
        if os.path.commonpath([self.folder, real]) != self.folder:
            link = "leads out of it through a link" if not _is_above(path) else "lies outside of it"
            raise CannotImport(
                "NN0703", f"`{path}` {link}: the project's folder is `{self.folder}`",
                "copy the file into the project, or mark the project's own folder with an empty `nndsl.toml`",
            )  # fmt: skip
        if real not in self.files:
            self.files[real] = self._read(path, name)
            self.places[self.files[real]] = name
        return self.files[real]

    def _read(self, path: str, name: str) -> SourceFile:
        if os.path.exists(name) and not os.path.isfile(name):
            raise CannotImport("NN0705", f"`{path}` is not a regular file", "an import names a file of text")
        found = Problems()
        source = read_source(name, found)
        if source is None:
            problem = found.items[0]
            raise CannotImport("NN0705", f"`{path}` cannot be imported: {problem.message}", problem.help)
        return source


def _is_above(path: str) -> bool:
    return ".." in path.split("/")


def _project_folder(start: str) -> str:
    folder = start
    while True:
        if any(os.path.exists(os.path.join(folder, marker)) for marker in MARKERS):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return start
        folder = parent
