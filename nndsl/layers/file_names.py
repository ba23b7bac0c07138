"""Arguments that name files: what a program reads lies below the folder of its `.nn` file, what it writes below the
folder where it runs. The same for readers and for callbacks."""

from __future__ import annotations

import re

from nndsl.layers.entry import ArgumentError, Binder, Kind
from nndsl.layers.kinds import WRONG_TYPE
from nndsl.layers.values import show

_FIELD = re.compile(r"\{([^{}]*)\}")
_NUMBER_FIELD = re.compile(r"(\w+)(?::(0?\d{0,2}(?:\.\d{1,2})?[eEfFgGd%]?))?\Z", re.ASCII)


class FileName(Kind[str]):
    """A path below the folder of the `.nn` file: a `.nn` file from elsewhere reads nothing but its own data. `what` is
    a file or a folder."""

    def __init__(self, what: str = "file") -> None:
        self.what = what

    def convert(self, value: object, bind: Binder) -> str:
        name = self._text(value)
        if re.match(r"[a-z][a-z0-9+.-]+://", name, re.IGNORECASE):
            raise ArgumentError(
                f"must be a {self.what} on this machine, not an address",
                code="NN0608",
                help=f"download the {self.what}, put it beside the `.nn` file, and write its name here",
            )
        if _leads_out(name):
            raise ArgumentError(
                f"must stay inside the folder of the `.nn` file, and {show(name)} leads out of it",
                code="NN0608",
                help=f"put the {self.what} beside the `.nn` file; "
                "`nndsl run FILE --data PATH` reads data from anywhere",
            )
        return name

    def describe(self) -> str:
        return f"the name of a {self.what} in the folder of the `.nn` file"

    def _text(self, value: object) -> str:
        if not isinstance(value, str):
            raise ArgumentError(f"must be a {self.what} name in quotes, not {show(value)}", code=WRONG_TYPE)
        if not value.strip() or any(ord(character) < 32 for character in value):
            raise ArgumentError(f"must be a {self.what} name, not {show(value)}")
        return value


class WrittenFile(FileName):
    """A path below the folder where the program runs, with one of some endings, so that a `.nn` file from elsewhere
    replaces neither code nor hidden files. `fields` says that it may hold `{epoch:02d}`."""

    def __init__(self, *endings: str, what: str = "file", fields: bool = False) -> None:
        super().__init__(what)
        self.endings, self.fields = endings, fields

    def convert(self, value: object, bind: Binder) -> str:
        name = self._text(value)
        if "://" in name:
            raise ArgumentError(
                f"must be a {self.what} on this machine, not an address",
                code="NN0608",
                help=f"write the name of a {self.what} in the folder where the program runs",
            )
        if _leads_out(name):
            raise ArgumentError(
                f"must stay inside the folder where the program runs, and {show(name)} leads out of it",
                code="NN0608",
                help=f"write a name without `..` and without a `/` at its start: {self._example()}",
            )
        parts = re.split(r"[/\\]", name)
        if any(part in ("", ".") or part.startswith(".") for part in parts):
            raise ArgumentError(
                f"must be the name of a {self.what} that is not hidden, not {show(name)}",
                help=f"such as {self._example()}",
            )
        if self.endings and not name.endswith(self.endings):
            raise ArgumentError(f"must be {self.describe()}, not {show(name)}", help=f"such as {self._example()}")
        if self.fields:
            fields_of(name)
        return name

    def describe(self) -> str:
        if not self.endings:
            return f"the name of a {self.what} in the folder where the program runs"
        endings = [f"`{ending}`" for ending in self.endings]
        listed = endings[0] if len(endings) == 1 else f"{', '.join(endings[:-1])} or {endings[-1]}"
        return f"the name of a {self.what} that ends in {listed}"

    def _example(self) -> str:
        if not self.endings:
            return '`"logs"`'
        return f'`"checkpoints/{{epoch:02d}}{self.endings[0]}"`' if self.fields else f'`"logs/run{self.endings[0]}"`'


def _leads_out(name: str) -> bool:
    parts = re.split(r"[/\\]", name)
    return parts[0] == "" or re.match(r"[A-Za-z]:", parts[0]) is not None or ".." in parts


def fields_of(name: str) -> dict[str, str]:
    """The numbers that a file name has a place for, each with how it is written: `{epoch:02d}` → epoch, 02d. Nothing
    else may stand in braces. Raises ArgumentError."""
    found: dict[str, str] = {}
    for text in _FIELD.findall(name):
        match = _NUMBER_FIELD.match(text)
        if match is None:
            raise ArgumentError(
                f"has `{{{text}}}`, which is no number with a format",
                help="write `{epoch:02d}`, or a reported number such as `{val_loss:.4f}`",
            )
        field, format = match[1], match[2] or ""
        if format.endswith("d") != (field == "epoch" and format != "") or (field == "epoch" and "." in format):
            wanted = "{epoch:02d}" if field == "epoch" else f"{{{field}:.4f}}"
            raise ArgumentError(
                f"writes `{field}` as `{format}`, and it is {'an integer' if field == 'epoch' else 'no integer'}",
                help=f"write `{wanted}`",
            )
        found[field] = format
    if "{" in _FIELD.sub("", name) or "}" in _FIELD.sub("", name):
        raise ArgumentError(
            "has a brace of which there is no other half",
            help="braces stand around a number alone: `{epoch:02d}`",
        )
    return found


class Delimiter(Kind[str]):
    """One character between two cells; `name` is the argument, for the advice."""

    def __init__(self, name: str = "delimiter") -> None:
        self.name = name

    def convert(self, value: object, bind: Binder) -> str:
        if not isinstance(value, str):
            raise ArgumentError(f"must be {self.describe()}, not {show(value)}", code=WRONG_TYPE)
        if len(value) != 1 or value.isalnum() or value in "\r\n\"'.+-":
            raise ArgumentError(f"must be {self.describe()}, not {show(value)}", help=f'for instance `{self.name}=";"`')
        return value

    def describe(self) -> str:
        return 'one character between two cells, such as `","`, `";"` or `"\\t"`'
