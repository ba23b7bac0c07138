"""Files: reading source text, finding it in folders, writing what was made of it. Names are what the user typed."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from nndsl.diagnostics.model import Problems
from nndsl.diagnostics.suggest import suggest
from nndsl.source import SourceFile, Span

SUFFIX = ".nn"
STDIN = "-"
_UNREADABLE = "NN0701"
# The parser refuses longer texts (NN0180). No character takes more than four bytes, so that a file of more than four
# times as many bytes is too long whatever it holds: the rest need not be read (it may never end).
_LONGEST = 1_000_000


class CannotWrite(Exception):
    """A file that cannot be written; the text says why."""


def read_source(name: str, problems: Problems) -> SourceFile | None:
    """The text of a file, of a pipe, or of the standard input for `-`; None where it cannot be read (NN0701)."""
    title = "<stdin>" if name == STDIN else name
    try:
        data = _read_stdin() if name == STDIN else _read(name)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it
        _unreadable(problems, title, *_reason(name, error))
        return None
    text = data.decode("utf-8", "replace")
    if len(data) > 4 * _LONGEST:
        return SourceFile(title, text[: _LONGEST + 1])
    source = SourceFile(title, text)
    return source if _is_text(source, data, problems) else None


def _read(name: str) -> bytes:
    with open(name, "rb") as stream:
        return stream.read(4 * _LONGEST + 1)


def _read_stdin() -> bytes:
    if sys.stdin is None:  # it was closed by whoever started us
        raise OSError("it is closed")
    return sys.stdin.buffer.read(4 * _LONGEST + 1)


def _reason(name: str, error: OSError | ValueError) -> tuple[str, str | None]:
    """(message, help)"""
    shown = "the standard input" if name == STDIN else f"`{name}`"
    if isinstance(error, FileNotFoundError):
        if os.path.islink(name):
            return f"{shown} is a link to a file that does not exist", None
        return f"there is no file {shown}", _similar(name)
    if isinstance(error, IsADirectoryError):
        return f"{shown} is a folder, not a file", "name one of the `.nn` files in it"
    if isinstance(error, PermissionError):
        return f"{shown} may not be read: permission denied", "give yourself the right to read it"
    reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return f"{shown} cannot be read: {reason[:1].lower()}{reason[1:]}", None


def _similar(name: str) -> str | None:
    """A file beside the missing one that may have been meant."""
    folder = os.path.dirname(name)
    if folder and not os.path.isdir(folder):
        return f"there is no folder `{folder}` either"
    return meant(name, lambda other: other.endswith(SUFFIX))


def meant(path: str, fits: Callable[[str], bool] = bool) -> str | None:
    """The help that names what lies beside a missing path, and was probably meant; `fits` takes such a path."""
    folder, name = os.path.split(path)
    try:
        others = [other for other in os.listdir(folder or ".")[:10_000] if fits(os.path.join(folder, other))]
    except OSError:
        return None
    near = suggest(name, others, 1)
    return f"did you mean `{os.path.join(folder, near[0])}`?" if near else None


def _unreadable(problems: Problems, title: str, message: str, help: str | None) -> None:
    problems.error(_UNREADABLE, message, Span(SourceFile(title, ""), 0, 0), help=help)


def _is_text(source: SourceFile, data: bytes, problems: Problems) -> bool:
    """Reports what is not UTF-8 text, at its place."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        _unreadable(problems, source.name, f"`{source.name}` is UTF-16, not UTF-8", "save it as UTF-8")
        return False
    try:
        at = len(data[: data.index(b"\0")].decode("utf-8", "replace")) if b"\0" in data else -1
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        start = len(data[: error.start].decode("utf-8"))
        if not 0 <= at < start:
            what = f"`{source.name}` is not UTF-8 text: there is no character for the byte 0x{data[error.start]:02X}"
            span = Span(source, start, start + 1)
            problems.error(_UNREADABLE, what, span, "not UTF-8", help="save the file as UTF-8")
            return False
    if at >= 0:
        what = f"`{source.name}` is not text: it holds a NUL character"
        help = "this looks like a binary file, or like UTF-16 text: save it as UTF-8"
        problems.error(_UNREADABLE, what, Span(source, at, at + 1), "NUL", help=help)
        return False
    return True


def find_sources(names: Iterable[str], problems: Problems) -> Iterator[str]:
    """The files among `names`, and the `.nn` files in the folders among them, by name; each once.

    Links to folders inside a folder are not followed (they may lead in a circle), nor are hidden folders looked into.
    """
    seen: set[str] = set()
    for name in names:
        inside = name != STDIN and os.path.isdir(name)
        for file in _in_folder(name, problems) if inside else (name,):
            place = file if file == STDIN else os.path.abspath(file)
            if place not in seen:
                seen.add(place)
                yield file


def _in_folder(folder: str, problems: Problems) -> Iterator[str]:
    def unreadable(error: OSError) -> None:
        name, reason = str(error.filename), (error.strerror or str(error)).lower()
        _unreadable(problems, name, f"the folder `{name}` cannot be read: {reason}", None)

    found = False
    for parent, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.endswith(SUFFIX) or name.startswith("."):
                continue
            found = True
            path = os.path.normpath(os.path.join(parent, name))
            if os.path.exists(path) and not os.path.isfile(path):  # a pipe would wait for someone to write to it
                _unreadable(problems, path, f"`{path}` is not a regular file", "name it on the command line to read it")
            else:
                yield path
    if not found and not problems.has_errors:
        _unreadable(problems, folder, f"there is no `.nn` file in the folder `{folder}`", None)


def lies_in(folder: str, path: str) -> bool:
    """Whether a path is below a folder, wherever the links in both lead."""
    real = os.path.realpath(folder)
    return os.path.commonpath([real, os.path.realpath(path)]) == real


def write_text(path: str, text: str, source: str | None = None) -> None:
    """As `write_bytes`, in UTF-8."""
    write_bytes(path, text.encode("utf-8"), source)


def write_bytes(path: str, data: bytes, source: str | None = None, *, durable: bool = False) -> None:
    """Writes a file as a whole or not at all; one that is there keeps its permissions. Raises CannotWrite.

    `source` is the file that was read: it is not overwritten. `durable` waits until the disk has it.
    """
    try:
        before = os.stat(path)
    except FileNotFoundError:
        before = None
    except (OSError, ValueError) as error:
        raise CannotWrite(_cannot_write(path, error)) from None
    if before is not None and source is not None and source != STDIN and _is_same(before, source):
        raise CannotWrite(f"`{path}` is the file that was read: it would be overwritten")
    if before is not None and stat.S_ISDIR(before.st_mode):
        raise CannotWrite(f"`{path}` is a folder, not a file")
    try:
        if before is not None and not os.access(path, os.W_OK):
            raise PermissionError("it is read-only")
        if before is not None and not stat.S_ISREG(before.st_mode):  # a device or a pipe: nothing can take its place
            with open(path, "wb") as stream:
                stream.write(data)
        else:
            _replace(os.path.realpath(path), data, before, durable=durable)
    except OSError as error:
        raise CannotWrite(_cannot_write(path, error)) from None


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Where other code writes files: what it cannot write is told. `what` names them where an error names none. Raises
    CannotWrite."""
    try:
        yield
    except OSError as error:
        name = error.filename2 or error.filename
        raise CannotWrite(_cannot_write(name if isinstance(name, str) else what, error)) from None


def _is_same(status: os.stat_result, other: str) -> bool:
    try:
        return os.path.samestat(status, os.stat(other))
    except OSError:
        return False


def _cannot_write(path: str, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"`{path}` cannot be written: there is no folder `{os.path.dirname(path) or '.'}`"
    reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return f"`{path}` cannot be written: {reason[:1].lower()}{reason[1:]}"


def _replace(path: str, data: bytes, before: os.stat_result | None, *, durable: bool) -> None:
    """Written beside, then renamed: who reads the file meanwhile sees the old one or the new one."""
    start = os.path.basename(path)[:50]  # of four bytes each at most: a name may have 255
    beside = os.path.join(os.path.dirname(path), f".{start}.{os.urandom(6).hex()}.tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o666)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(data)
            if before is not None and hasattr(os, "fchmod"):
                os.fchmod(stream.fileno(), stat.S_IMODE(before.st_mode))
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(beside, path)
        if durable:
            _sync_folder(os.path.dirname(path) or ".")
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(beside)
        raise


def _sync_folder(folder: str) -> None:
    """Waits until the disk knows the new name too. Not every system can open a folder."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
