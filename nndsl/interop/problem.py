"""What is wrong with a weight file, as an exception that says all of it."""

from __future__ import annotations

from collections.abc import Iterable

from nndsl.diagnostics.model import Diagnostic, Label, Severity
from nndsl.source import SourceFile, Span


class WrongWeights(Exception):
    """A weight file that cannot be used; the text says why. `notes` are the facts one by one, `help` is the remedy."""

    def __init__(
        self, message: str, *, code: str = "NN1001", notes: Iterable[str] = (), help: str | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.notes, self.help = code, tuple(notes), help

    def diagnostic(self, path: str) -> Diagnostic:
        """As a problem of the file at `path`."""
        return Diagnostic(self.code, str(self), Label(Span(SourceFile(path, ""), 0, 0)), (), self.notes, self.help)


def unreadable(path: str, error: OSError) -> WrongWeights:
    """A file that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        return WrongWeights(f"there is no file {path}", code="NN0701")
    if isinstance(error, IsADirectoryError):
        return WrongWeights(f"{path} is a folder, not a file", code="NN0701")
    reason = error.strerror or str(error)
    return WrongWeights(f"{path} cannot be read: {reason[:1].lower()}{reason[1:]}", code="NN0701")


def warning(code: str, text: str, path: str) -> Diagnostic:
    """What was noticed about the file at `path`, and does not stop anything."""
    return Diagnostic(code, text, Label(Span(SourceFile(path, ""), 0, 0)), severity=Severity.WARNING)
