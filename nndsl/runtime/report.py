"""What goes wrong with data, as diagnostics: a data file is a source file too, and its bad cell can be underlined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nndsl.diagnostics.model import Diagnostic, Fix, Label, Problems, Severity
from nndsl.source import SourceFile, Span


class DataProblem(Exception):
    """One problem of the data; `diagnostic` says all of it."""

    def __init__(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *,
        related: tuple[Label, ...] = (),
        notes: Iterable[str] = (),
        help: str | None = None,
        fixes: tuple[Fix, ...] = (),
    ) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(code, message, Label(span, label), related, tuple(notes), help, fixes)


class RunFailed(Exception):
    """The run cannot begin, or cannot go on: the input is wrong. `problems` holds why."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(problems)
        self.problems = problems

    @classmethod
    def one(cls, problem: DataProblem) -> RunFailed:
        problems = Problems()
        problems.add(problem.diagnostic)
        return cls(problems)


class Unavailable(Exception):
    """Something that the run needs is not installed or not there: wrong usage. `help` is the remedy."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.help = help


def file_span(name: str) -> Span:
    """A file as a whole, of which nothing is shown."""
    return Span(SourceFile(name, ""), 0, 0)


def line_span(name: str, line: int, text: str, start: int = 0, end: int | None = None) -> Span:
    """A place in one line of a data file, of which only that line is known."""
    before = "\n" * (line - 1)
    at = len(before)
    return Span(SourceFile(name, before + text), at + start, at + (len(text) if end is None else end))


def listed(names: Sequence[str]) -> str:
    """The first dozen of the names that there are, for a message."""
    return ", ".join(f"`{name}`" for name in names[:12]) + (", …" if len(names) > 12 else "")


def warning(code: str, message: str, span: Span, help: str | None = None) -> Diagnostic:
    return Diagnostic(code, message, Label(span), help=help, severity=Severity.WARNING)


def unreadable(shown: str, error: OSError) -> DataProblem:
    """A file that the system does not let us read."""
    place = file_span(shown)
    if isinstance(error, FileNotFoundError):
        help = "if it is a link, what it leads to is gone"
        return DataProblem("NN0603", f"there is no file `{shown}`", place, help=help)
    if isinstance(error, IsADirectoryError):
        return DataProblem("NN0607", f"`{shown}` is a folder, not a file", place, help="name a file in it")
    reason = error.strerror or str(error)
    help = "`ls -l` says who may read it" if isinstance(error, PermissionError) else "is the disk or the network well?"
    message = f"`{shown}` cannot be read: {reason[:1].lower()}{reason[1:]}"
    return DataProblem("NN0607", message, place, help=help)
