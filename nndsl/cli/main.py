"""The `nndsl` command: finds the subcommand, imports it alone, and turns what happens into an exit code.

0: fine. 1: the input is wrong. 2: wrong usage. 3: a bug of nndsl. 130: interrupted. 141: nobody reads the output.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from nndsl.cli.common import (
    BROKEN_PIPE,
    BUG,
    FINE,
    INTERRUPTED,
    USAGE,
    WRONG,
    Rejected,
    UsageError,
    complain,
    width_of,
)
from nndsl.diagnostics.terminal import visible

# Each is a module of this room with `add_arguments(parser)` and `main(args) -> int`.
COMMANDS = {
    "check": "find the mistakes in .nn files",
    "fmt": "put .nn files into the one style",
    "compile": "compile a model to a standalone PyTorch or Keras program",
    "data": "show what the data of a model hold",
    "run": "train a model on data, evaluate it, and keep all of it in a folder",
    "evaluate": "evaluate the model of a run",
    "predict": "let the model of a run predict",
    "runs": "list runs, or compare them",
    "weights": "show, convert and compare weight files",
    "verify": "compare the PyTorch and the Keras program of a model by running them",
    "summary": "list the layers of a model with shapes and parameters",
    "graph": "draw a model as Mermaid, Graphviz or SVG",
    "layers": "list the layers and options there are, or describe one",
    "lsp": "serve an editor (the language server)",
    "doctor": "say what is installed, what works, and what is missing",
    "explain": "explain the code of an error or warning",
    "completion": "print a completion script for a shell",
}
_DESCRIPTION = "nndsl compiles .nn network descriptions to readable tf.keras and PyTorch programs."
_EXAMPLES = """\
examples:
  nndsl check model.nn                                find every mistake before anything runs
  nndsl compile model.nn --target torch -o model.py   write a PyTorch program
  nndsl compile model.nn --target keras               print a Keras program
  nndsl summary model.nn                              layers, shapes, parameters
  nndsl run examples/digits.nn                        train on data
  nndsl verify model.nn                               are both programs the same?
  nndsl explain NN0203                                what an error means

`nndsl COMMAND --help` shows the options of a command.
"""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Knows the width of the terminal without what argparse would import for that (4 ms, at every start)."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=min(width_of(sys.stdout) or 100, 120) - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Descriptions are wrapped, examples left as they are."""
        return super()._fill_text(text, width, indent) if "\n" in text else "\n".join(self._split_lines(text, width))


class _Parser(argparse.ArgumentParser):
    """Prints nothing of the command line to the terminal as it is, and says what was probably meant."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Formatter, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.format_usage()}{self.prog}: error: {visible(message)}\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        """argparse would swallow that nobody reads it."""
        (file or sys.stderr).write(message)

    def unrecognized(self, arguments: list[str]) -> NoReturn:
        """What argparse says of arguments that it does not know, and what was probably meant."""
        from nndsl.diagnostics.suggest import did_you_mean

        word = arguments[0].split("=")[0]
        hint = did_you_mean(word, self._option_string_actions) if word.startswith("--") else None
        self.error(f"unrecognized arguments: {' '.join(arguments)}{f' ({hint})' if hint else ''}")


def build_parser(only: str | None = None, *, whole: bool = False) -> argparse.ArgumentParser:
    """The parser with the names of all commands, or with one command alone and its arguments (that module alone is
    imported); with `whole` the arguments of all commands too."""
    from nndsl._version import __version__

    parser = _Parser(prog="nndsl", description=_DESCRIPTION, epilog=_EXAMPLES)
    parser.add_argument("--version", action="version", version=f"nndsl {__version__}")
    _add_color(parser, "auto")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", required=True, parser_class=_Parser
    )
    for name, help in COMMANDS.items():
        if only is None or name == only:
            command = commands.add_parser(name, help=help)
            command.set_defaults(parser=command)
            if whole or only is not None:
                import_module(f"nndsl.cli.{name}").add_arguments(command)
                _add_color(command, argparse.SUPPRESS)
    return parser


def _add_color(parser: argparse.ArgumentParser, default: str) -> None:
    choices = ("auto", "always", "never")
    parser.add_argument("--color", choices=choices, default=default, help="colour messages (default: on a terminal)")


_BRIEF = ("check", "compile", "explain")  # commands that have ended before tidying up would pay


def run() -> NoReturn:
    """The `nndsl` command: `main`, with its exit code as the process's.

    Python looks for garbage in cycles all the time while modules are imported, and takes everything apart before a
    process ends: a sixth of the time that a check takes. Brief commands do neither; they leave nothing open, and what
    they wrote is flushed.
    """
    brief = _command_of(sys.argv[1:]) in _BRIEF
    if brief:
        gc.set_threshold(200_000, 30, 30)
    code = main()
    if brief and code in (FINE, WRONG, USAGE):
        os._exit(code)
    sys.exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and gives its exit code; raises nothing."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        _prepare_streams()
        code = _run(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _mute()
        return BROKEN_PIPE
    except OSError as error:  # of the standard streams: a full disk behind `>`; files' errors never come this far
        if not _is_output_error(error):
            return _report_bug(arguments, error)
        complain(f"the output cannot be written: {(error.strerror or str(error)).lower()}", None, "auto")
        _mute()
        return USAGE
    except Exception as error:  # MemoryError and RecursionError among them
        return _report_bug(arguments, error)


def _run(arguments: list[str]) -> int:
    command = _command_of(arguments)
    try:
        if not arguments:
            build_parser().print_help(sys.stderr)
            return USAGE
        if command is not None and command not in COMMANDS:
            return _unknown_command(command)
        args, unknown = build_parser(command).parse_known_args(arguments)
        args.arguments = arguments
        if unknown:
            args.parser.unrecognized(unknown)
    except SystemExit as stop:  # argparse has said all there is to say
        return stop.code if isinstance(stop.code, int) else USAGE
    try:
        code = import_module(f"nndsl.cli.{args.command}").main(args)
        return int(code)
    except Rejected:
        return WRONG
    except UsageError as error:
        complain(str(error), error.help, args.color)
        return USAGE


def _command_of(arguments: list[str]) -> str | None:
    """The first argument that is no option: the command."""
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument == "--color":
            skip = True
        elif not argument.startswith("-"):
            return argument
    return None


def _unknown_command(name: str) -> int:
    from nndsl.diagnostics.suggest import did_you_mean

    help = did_you_mean(name, COMMANDS)
    if help is None and (name.endswith(".nn") or os.path.exists(name)):
        help = f"to check a file, write `nndsl check {name}`"
    complain(f"there is no command `{name}`", help or f"the commands are {', '.join(COMMANDS)}", "auto")
    return USAGE


def _prepare_streams() -> None:
    """No output may fail on account of the locale, or because a stream is closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _is_output_error(error: OSError) -> bool:
    import errno

    return error.filename is None and error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG)


def _mute() -> None:
    """What is still in the buffers goes nowhere, so that flushing them at exit cannot fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())


def _report_bug(arguments: list[str], error: Exception) -> int:
    from nndsl.cli.bug import report_bug

    report_bug(arguments, error)
    return BUG
