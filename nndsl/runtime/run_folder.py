"""The folder of a run: what was run, where it stands, what came of it. docs/run.md says what lies in it.

Files are written beside and renamed, so that a run that is killed leaves none in half. A lock keeps two processes from
working in one folder.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import IO, Any

from nndsl.diagnostics.model import Problems
from nndsl.files import SUFFIX, CannotWrite, lies_in, read_source, write_text, writing
from nndsl.passes.definitions import CannotImport
from nndsl.project import Project
from nndsl.runtime.checkpoints import Checkpoints
from nndsl.runtime.report import Unavailable
from nndsl.runtime.reports.folders import RECORD
from nndsl.runtime.reports.history import Damaged, text_of
from nndsl.source import SourceFile

RUNS = "runs"
WEIGHTS = "weights.safetensors"
DATA = "data.json"
TEXT = "model.py"
_PROGRAM = "program"
_LOCK = ".lock"
_LARGEST = 64 * 2**20
_STDIN = "<stdin>"


class RunFolder:
    """One run's folder. `about` is what stands in its run.json."""

    writes = True

    def __init__(self, path: str, about: dict[str, Any]) -> None:
        self.path, self.about = path, about
        self.checkpoints = Checkpoints(self.file("checkpoints"))
        self._lock: IO[str] | None = None

    def file(self, *names: str) -> str:
        return os.path.join(self.path, *names)

    # --------------------------------------------------------------------------------------- a new run

    @classmethod
    def create(cls, given: str | None, stem: str) -> RunFolder:
        """Makes the folder: `given`, or the first that is free among runs/STEM-1, -2, … Raises Unavailable."""
        try:
            path = _make(given) if given is not None else _next(stem)
            folder = cls(path, {})
            folder.lock()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            shown = given if given is not None else RUNS
            raise Unavailable(
                f"the folder `{shown}` cannot be made: {reason.lower()}", "choose another place with -o"
            ) from None
        return folder

    def keep_program(self, project: Project) -> None:
        """Copies the files of the program, which may change later. Raises CannotWrite."""
        files = {file: os.path.realpath(place) for file, place in project.places.items()}
        main = next(iter(files))
        root = os.path.commonpath([os.path.dirname(place) for place in files.values()])
        names = {file: os.path.relpath(place, root) for file, place in files.items()}
        if main.name == _STDIN:
            names[main] = f"stdin{SUFFIX}"
        for file, name in names.items():
            with writing(self.file(_PROGRAM)):
                os.makedirs(os.path.dirname(self.file(_PROGRAM, name)), exist_ok=True)
            write_text(self.file(_PROGRAM, name), file.text)
        self.about |= {"main": names[main], "root": root}

    def keep_text(self, text: str) -> None:
        """Writes the emitted program. Raises CannotWrite."""
        write_text(self.file(TEXT), text)

    # ------------------------------------------------------------------------------------ an earlier run

    @classmethod
    def open(cls, path: str) -> RunFolder:
        """The folder of an earlier run. Raises Unavailable where it is none."""
        place = path if os.path.isdir(path) else os.path.join(RUNS, path)
        if not os.path.isdir(place):
            raise Unavailable(f"there is no folder `{path}`", f"`nndsl runs` lists the runs in `{RUNS}/`")
        about = read_json(os.path.join(place, RECORD))
        if not isinstance(about, dict) or not isinstance(about.get("main"), str):
            raise Unavailable(
                f"`{path}` is not the folder of a run: it has no readable {RECORD}",
                f"`nndsl runs` lists the runs in `{RUNS}/`",
            )
        return cls(os.path.normpath(place), about)

    def program(self) -> SavedProgram:
        """The program as it was. Raises Unavailable."""
        return SavedProgram(self.file(_PROGRAM), str(self.about["main"]), str(self.about.get("root", "")))

    def data(self) -> dict[str, Any]:
        """What stands in data.json. Raises Unavailable."""
        found = read_json(self.file(DATA))
        if not isinstance(found, dict):
            raise Unavailable(f"`{self.file(DATA)}` is missing or damaged", "train the model anew")
        return found

    # -------------------------------------------------------------------------------------------- both

    def lock(self) -> None:
        """Raises Unavailable where another process works in the folder; OSError."""
        try:
            import fcntl
        except ImportError:  # no such locks on this system
            return
        self._lock = open(self.file(_LOCK), "w", encoding="utf-8")  # noqa: SIM115 (held while the run lasts)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Unavailable(
                f"another process works in `{self.path}`", "wait until it is done, or choose another folder with -o"
            ) from None

    def check_links(self) -> None:
        """A run that goes on writes into its folder alone, whoever made it. Raises Unavailable where links lead out."""
        for parent, folders, files in os.walk(self.path):
            for name in (*folders, *files):
                if os.path.islink(place := os.path.join(parent, name)):
                    raise Unavailable(f"`{place}` is a link, and a run writes into its own folder", "remove the link")

    def unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None
            with suppress(OSError):
                os.unlink(self.file(_LOCK))

    def clean(self) -> None:
        """Removes what a killed process left half-written."""
        for folder in (self.path, self.checkpoints.folder):
            with suppress(OSError):
                for name in os.listdir(folder):
                    if name.startswith(".") and name.endswith(".tmp"):
                        os.unlink(os.path.join(folder, name))

    def note(self, **changed: Any) -> None:
        """Changes run.json. Raises CannotWrite."""
        if self.about.get("status") is not None:
            self.check_there()
        self.about |= changed
        self.write_json(RECORD, self.about)

    def check_there(self) -> None:
        """A run whose folder was removed meanwhile makes no half of a new one. Raises CannotWrite."""
        if not os.path.isfile(self.file(RECORD)):
            raise CannotWrite(f"the folder `{self.path}` of the run is gone: someone has moved or removed it")

    def write_json(self, name: str, value: object) -> None:
        """In ASCII: a path of the command line may be no text in UTF-8. Raises CannotWrite."""
        write_text(self.file(name), json.dumps(value, indent=2) + "\n")


class Elsewhere(RunFolder):
    """The folder as processes other than the first see it: they write nothing."""

    writes = False

    def keep_program(self, project: Project) -> None:
        pass

    def keep_text(self, text: str) -> None:
        pass

    def lock(self) -> None:
        pass

    def clean(self) -> None:
        pass

    def check_there(self) -> None:
        pass

    def write_json(self, name: str, value: object) -> None:
        pass


class SavedProgram:
    """The files of a program in a run's folder, under the names that they had: messages name the user's own files, and
    data is looked for where it was."""

    def __init__(self, folder: str, main: str, root: str) -> None:
        self.folder, self.root = os.path.realpath(folder), root
        self.main = self._read(main, _STDIN if main == f"stdin{SUFFIX}" else None)
        self.names = {self.main: main}

    def read(self, importer: SourceFile, path: str) -> SourceFile:
        """A file as another one imports it. Raises CannotImport."""
        name = os.path.normpath(os.path.join(os.path.dirname(self.names[importer]), *path.split("/")))
        for file, known in self.names.items():
            if known == name:
                return file
        try:
            file = self._read(name, None)
        except Unavailable as error:
            raise CannotImport("NN0705", str(error), "train the model anew") from None
        self.names[file] = name
        return file

    def _read(self, name: str, shown: str | None) -> SourceFile:
        place = os.path.realpath(os.path.join(self.folder, name))
        problems = Problems()
        source = read_source(place, problems) if lies_in(self.folder, place) else None
        if source is None:
            raise Unavailable(f"the run's copy of `{name}` cannot be read", "train the model anew")
        return SourceFile(shown or short_path(os.path.join(self.root, name)), source.text)


def read_json(path: str) -> Any:
    """What a JSON file holds; None where it cannot be read."""
    try:
        return json.loads(text_of(path, _LARGEST))
    except (Damaged, ValueError, RecursionError):
        return None


def short_path(path: str) -> str:
    """A path as seen from the current folder, where that is shorter."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        return path
    return relative if len(relative) < len(path) else path


def _make(path: str) -> str:
    if os.path.isfile(path):
        raise Unavailable(f"`{path}` is a file, and a run has a folder", "choose another place with -o")
    os.makedirs(path, exist_ok=True)
    if set(os.listdir(path)) - {_LOCK}:
        raise Unavailable(
            f"the folder `{path}` is not empty",
            f"choose another with -o; `nndsl run --resume {path}` goes on with a run",
        )
    return os.path.normpath(path)


def _next(stem: str) -> str:
    os.makedirs(RUNS, exist_ok=True)
    taken = [name.rpartition("-") for name in os.listdir(RUNS)]
    numbers = [int(number) for name, _, number in taken if name == stem and number.isdecimal() and len(number) < 10]
    number = max(numbers, default=0) + 1
    while True:
        path = os.path.join(RUNS, f"{stem}-{number}")
        try:
            os.mkdir(path)
            return path
        except FileExistsError:  # another process was faster
            number += 1
