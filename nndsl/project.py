"""Imports: the files that a program is made of, none of them outside of its project's folder."""

from __future__ import annotations

import os
from collections.abc import Callable

from nndsl.diagnostics.model import Problems
from nndsl.diagnostics.suggest import did_you_mean
from nndsl.files import STDIN, SUFFIX, lies_in, read_source
from nndsl.passes.definitions import CannotImport
from nndsl.source import SourceFile

MARKERS = (".git", "pyproject.toml", "nndsl.toml")


class Project:
    """Reads the files that a main file imports, each once.

    The project's folder is the nearest one around the main file that holds one of `MARKERS`, else the file's own. What
    lies outside of it is not read, also not through a link.
    """

    def __init__(self, main: SourceFile, known: Callable[[str], SourceFile | None] = lambda real: None) -> None:
        """`main` is the main file; one that is read from the standard input stands in the current folder. `known` gives
        files that need not be read, by their real paths: those that an editor has open, with the text that they have
        there."""
        self.known = known
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
        if not lies_in(self.folder, real):
            how = "lies outside of" if _is_above(path) else "leads through a link out of"
            raise CannotImport(
                "NN0703", f"`{path}` {how} the project's folder, `{self.folder}`",
                "copy the file into the project, or mark the project's own folder with an empty `nndsl.toml`",
            )  # fmt: skip
        if real not in self.files:
            self.files[real] = self.known(real) or self._read(path, name, importer)
            self.places[self.files[real]] = name
        return self.files[real]

    def _read(self, path: str, name: str, importer: SourceFile) -> SourceFile:
        if not os.path.lexists(name):
            raise CannotImport("NN0705", f"there is no file `{path}`", self._nearby(path, importer))
        if os.path.exists(name) and not os.path.isfile(name):
            raise CannotImport("NN0705", f"`{path}` is not a regular file", "an import names a file of text")
        found = Problems()
        source = read_source(name, found)
        if source is None:
            problem = found.items[0]
            raise CannotImport("NN0705", f"`{path}` cannot be imported: {problem.message}", problem.help)
        return source

    def offered(self, importer: SourceFile, start: str) -> list[str]:
        """The paths that an import may go on with where `start` is written: files, and folders with a `/` behind."""
        folder = start.rpartition("/")[0]
        if os.path.isabs(start) or start.startswith("~") or "\0" in folder:
            return []
        place = os.path.normpath(os.path.join(os.path.dirname(self.places[importer]), *folder.split("/")))
        if not lies_in(self.folder, os.path.realpath(place)):
            return []
        found = []
        for name in sorted(_names(place)):
            real = os.path.realpath(os.path.join(place, name))
            path = f"{folder}/{name}" if folder else name
            if real == os.path.realpath(self.places[importer]) or not lies_in(self.folder, real):
                continue
            if os.path.isdir(real):
                found.append(f"{path}/")
            elif name.endswith(SUFFIX) and os.path.isfile(real):
                found.append(path)
        return found

    def _nearby(self, path: str, importer: SourceFile) -> str:
        """What a path was probably meant to be: a file beside the importing one or in a folder of it."""
        start = os.path.dirname(self.places[importer]) or os.curdir
        found: list[str] = []
        for folder in ("", *_folders(start)):
            names = sorted(_names(os.path.join(start, folder)))
            found += [f"{folder}/{name}" if folder else name for name in names if name.endswith(SUFFIX)]
        same = [name for name in found if os.path.basename(name) == os.path.basename(path)]
        help = did_you_mean(path, same or found) or (f"did you mean `{same[0]}`?" if same else None)
        return help or f"a path is relative to the file that it stands in, {importer.name}"


def _folders(start: str) -> list[str]:
    return [name for name in sorted(_names(start)) if os.path.isdir(os.path.join(start, name))][:20]


def _names(folder: str) -> list[str]:
    """The visible names in a folder, as far as it can be read."""
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")][:_MOST_NAMES]
    except OSError:
        return []


_MOST_NAMES = 500


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
