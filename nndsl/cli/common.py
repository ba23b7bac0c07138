"""What the commands share: their arguments, reading and checking a file, showing problems, writing the result."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING, TextIO

from nndsl.diagnostics.model import Problems
from nndsl.diagnostics.terminal import paint, visible, want_color

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nndsl.diagnostics.model import Diagnostic
    from nndsl.ir.graph import CheckedProgram, Model
    from nndsl.project import Project

FINE, WRONG, USAGE, BUG, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 3, 130, 141
FORMATS = ("text", "concise", "json", "github", "sarif")


class UsageError(Exception):
    """Wrong usage: exit code 2. `help` is the remedy."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.help = help


class Rejected(Exception):
    """The input is wrong, and that has been reported: exit code 1."""


def add_source(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the .nn file, or - for the standard input")


def add_params(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--set", dest="params", metavar="NAME=VALUE", action="append", default=[],
        help="give a `param` of the file another value (may be repeated)",
    )  # fmt: skip


def params_of(args: Namespace) -> dict[str, str]:
    """The `--set` options by name. Raises UsageError."""
    found: dict[str, str] = {}
    for setting in args.params:
        name, equals, value = setting.partition("=")
        if not equals or not name.isidentifier() or not value:
            raise UsageError(f"--set takes NAME=VALUE, not `{setting}`", "for instance --set classes=100")
        if name in found:
            raise UsageError(f"--set gives `{name}` twice", "leave one of them out")
        found[name] = value
    return found


def add_model(parser: ArgumentParser) -> None:
    parser.add_argument("--model", metavar="NAME", help="one of several models in the file (default: the last)")


def add_output(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", metavar="OUT", help="write to this file, whole or not at all (default: standard output)"
    )


def positive(text: str) -> int:
    """The type of options that count something, for argparse."""
    return _integer(text, 1, 2**40)


def seed(text: str) -> int:
    """The type of `--seed`."""
    return _integer(text, 0, 2**32 - 1)


def _integer(text: str, low: int, high: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise ArgumentTypeError(f"an integer from {low} to {high} is expected, not {text!r}")
    return number


def add_deny_warnings(parser: ArgumentParser) -> None:
    parser.add_argument("--deny-warnings", action="store_true", help="treat warnings as errors: exit code 1")


def width_of(stream: TextIO) -> int | None:
    """How many cells a line of the terminal has; None where `stream` goes to no terminal."""
    try:
        columns = int(os.environ.get("COLUMNS", ""))
        if columns > 0:
            return columns
    except ValueError:
        pass
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError, AttributeError):
        return None


def show(problems: Iterable[Diagnostic], stream: TextIO, args: Namespace) -> None:
    """Writes problems to a stream in the form that `--format` asks for (text where a command has no such option)."""
    from nndsl.diagnostics import render

    color = want_color(stream, args.color)
    form = getattr(args, "problem_format", "text")
    stream.write(render.FORMATS[form](problems, color=color, width=width_of(stream)))


def complain(message: str, help: str | None, color: str) -> None:
    """A message without a place in a file, on the standard error."""
    stream = sys.stderr
    colored = want_color(stream, color)
    stream.write(f"{paint('error', 'error', colored)}{paint('title', f': {visible(message)}', colored)}\n")
    if help:
        stream.write(f"  = {paint('title', 'help:', colored)} {visible(help)}\n")


def check_file(args: Namespace) -> CheckedProgram:
    """The checked program of `args.file`; problems go to the standard error. Raises Rejected."""
    return checked(args)[0]


def checked(args: Namespace) -> tuple[CheckedProgram, Project]:
    """The same, with the files that it is made of."""
    from nndsl import pipeline
    from nndsl.files import read_source
    from nndsl.project import Project

    settings = params_of(args)
    problems = Problems()
    source = read_source(args.file, problems)
    project = Project(source) if source is not None else None
    program = pipeline.check(source, problems, project.read, settings) if source and project else None
    if len(problems) or getattr(args, "problem_format", "text") in ("json", "sarif"):
        show(problems, sys.stderr, args)
    if program is None or project is None or (getattr(args, "deny_warnings", False) and len(problems)):
        raise Rejected
    return program, project


def pick_model(program: CheckedProgram, name: str | None) -> Model:
    """The model that `--model` names, the last without it. Raises UsageError."""
    try:
        return program.find(name)
    except LookupError as error:
        from nndsl.diagnostics.suggest import did_you_mean

        names = [model.name for model in program.models]
        listed = ", ".join(f"`{name}`" for name in names)
        help = did_you_mean(str(error), names) or f"its models are {listed}"
        raise UsageError(f"there is no model called `{name}` in {program.file.name}", help) from None


def deliver(text: str, args: Namespace) -> None:
    """Writes the result of a command to `--output` or to the standard output. Raises UsageError."""
    if args.output is None or args.output == "-":
        write_out(text)
        return
    from nndsl.files import CannotWrite, write_text

    try:
        write_text(args.output, text, args.file)
    except CannotWrite as error:
        raise UsageError(str(error)) from None


def write_out(text: str) -> None:
    """Writes a program or a picture to the standard output: as UTF-8, as it would be in a file, whatever the locale."""
    out = sys.stdout
    if out.isatty() or not hasattr(out, "buffer"):
        out.write(text)
    else:
        out.flush()
        out.buffer.write(text.encode("utf-8"))
