"""What a problem is: data, which the renderers and the language server show in their own ways."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from nndsl.records import fresh, mutable, record, replace
from nndsl.source import SourceFile, Span


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"


@record
class Label:
    """A place with what it has to do with the problem; `message` may be empty."""

    span: Span
    message: str = ""


@record
class Edit:
    """Replace the text of `span` by `text` (an empty span inserts)."""

    span: Span
    text: str


@record
class Fix:
    """A remedy that a tool can apply; `title` is an imperative without a full stop: "change to `Dense`"."""

    title: str
    edits: tuple[Edit, ...]


@record
class Diagnostic:
    """One problem.

    `code` is stable ("NN0203"); `message` is one sentence without a full stop that names things in backquotes;
    `primary` is the very argument; `related` are the other sides of a conflict, shown in the same excerpt;
    `notes` are facts (a chain of shapes), `help` is the remedy in words, `fixes` are remedies as edits.
    """

    code: str
    message: str
    primary: Label
    related: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    fixes: tuple[Fix, ...] = ()
    severity: Severity = Severity.ERROR


class TooManyProblems(Exception):
    """A file has more problems than anybody reads; the last one in the bag says so."""


@record
class CallSite:
    """A call of a block that is being expanded: as text (`Residual(32, stride=2)`), and where it stands."""

    text: str
    span: Span


_LONGEST = 1_500  # characters of a message


@mutable
class Problems:
    """The bag that every stage adds to. A problem of the same code at the same place is kept once. What is added while
    `calls` is not empty says in its notes through which calls of blocks it came about, the innermost first.

    With a `limit`, `add` raises TooManyProblems when it is reached: remedies cost time, and a text from a stranger must
    not ask for endless work.
    """

    items: list[Diagnostic] = fresh(default_factory=list)
    _seen: set[tuple[str, str, int, int]] = fresh(default_factory=set)
    limit: int | None = None
    calls: list[CallSite] = fresh(default_factory=list)
    made: int = 0  # items of lists, see passes/evaluate.py

    def add(self, diagnostic: Diagnostic) -> None:
        message = diagnostic.message
        if "\n" in message or len(message) > _LONGEST:  # it quotes a piece of the text that goes over several lines
            message = " ".join(message.split())
            message = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"
            diagnostic = replace(diagnostic, message=message)
        span = diagnostic.primary.span
        key = (diagnostic.code, span.file.name, span.start, span.end)
        if key not in self._seen:
            self._seen.add(key)
            if self.calls:
                diagnostic = replace(diagnostic, notes=(*diagnostic.notes, *_chain(self.calls, span.file)))
            self.items.append(diagnostic)
            if len(self.items) == self.limit:
                last = Label(span, "further problems are not looked for")
                help = "correct those above and check again"
                self.items.append(Diagnostic("NN0190", f"too many problems: {self.limit} or more", last, help=help))
                raise TooManyProblems

    def error(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *,
        related: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str | None = None,
        fixes: tuple[Fix, ...] = (),
    ) -> None:
        self.add(Diagnostic(code, message, Label(span, label), related, notes, help, fixes))

    def warning(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *,
        related: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str | None = None,
        fixes: tuple[Fix, ...] = (),
    ) -> None:
        self.add(Diagnostic(code, message, Label(span, label), related, notes, help, fixes, Severity.WARNING))

    @property
    def errors(self) -> list[Diagnostic]:
        return [item for item in self.items if item.severity is Severity.ERROR]

    @property
    def has_errors(self) -> bool:
        return any(item.severity is Severity.ERROR for item in self.items)

    def sorted(self) -> list[Diagnostic]:
        """In the order of the text, a file at a time; the same order on every run."""
        return sorted(self.items, key=lambda d: (d.primary.span.file.name, d.primary.span.start, d.code))

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.sorted())

    def __len__(self) -> int:
        return len(self.items)


_SHOWN_CALLS = 8


def _chain(calls: list[CallSite], file: SourceFile) -> Iterator[str]:
    """ "in Residual(32, stride=2), called at line 41", the innermost call first; other files are named."""
    for position, site in enumerate(reversed(calls)):
        if position == _SHOWN_CALLS and len(calls) > _SHOWN_CALLS + 1:
            yield f"… and {len(calls) - position} more calls around it"
            return
        line = f"line {site.span.line}" if site.span.file is file else f"{site.span.file.name}:{site.span.line}"
        yield f"in {site.text}, called at {line}"
        file = site.span.file
