"""`nndsl fmt`: puts `.nn` files into the one style."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections import Counter

from nndsl.cli import common
from nndsl.diagnostics.model import Problems
from nndsl.diagnostics.terminal import paint, visible, want_color
from nndsl.files import STDIN, CannotWrite, find_sources, lies_in, read_source, write_text
from nndsl.formatting import LINE_LENGTH, FormatError, format_text
from nndsl.source import SourceFile, Span

_UNREADABLE = "NN0701"


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = "Put .nn files into the one style. What they mean, and every comment, stays."
    parser.epilog = """\
examples:
  nndsl fmt model.nn
  nndsl fmt models/                 every .nn file in the folder
  nndsl fmt --check .               list what would change; exit code 1 if anything does
  nndsl fmt --diff model.nn         show what would change
  cat model.nn | nndsl fmt -        from the standard input to the standard output

Exit code 0: fine; 1: a file has errors, or with --check or --diff something would change; 2: wrong usage.
"""
    parser.add_argument("files", metavar="FILE", nargs="*", help=".nn files, folders of them, - for the standard input")
    parser.add_argument("--check", action="store_true", help="write nothing; list the files that would change")
    parser.add_argument("--diff", action="store_true", help="write nothing; show what would change")
    parser.add_argument(
        "--line-length", metavar="N", type=_line_length, default=LINE_LENGTH,
        help=f"the longest line, 40 to 200 (default: {LINE_LENGTH})",
    )  # fmt: skip
    parser.add_argument("--stdin-filename", metavar="NAME", help="what messages call the standard input")


def _line_length(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 40 <= int(text) <= 200):
        raise ArgumentTypeError(f"an integer from 40 to 200 is expected, not {text!r}")
    return int(text)


def main(args: Namespace) -> int:
    if not args.files:
        raise common.UsageError(
            "no file is named", "write `nndsl fmt model.nn`, `nndsl fmt .` for a folder, or `nndsl fmt -`"
        )
    unlisted = Problems()  # of folders
    counts: Counter[str] = Counter()
    bugs: list[FormatError] = []
    for name in find_sources(args.files, unlisted):
        try:
            counts[_file(name, args)] += 1
        except FormatError as error:  # the others are formatted all the same
            bugs.append(error)
    if len(unlisted):
        common.show(unlisted, sys.stderr, args)
    sys.stdout.flush()
    if bugs:
        raise bugs[0]
    if counts and args.files != [STDIN]:
        print(_summary(counts, args.check or args.diff), file=sys.stderr)
    failed = counts["wrong"] or len(unlisted) or (counts["changed"] and (args.check or args.diff))
    return common.WRONG if failed else common.FINE


def _file(name: str, args: Namespace) -> str:
    """Formats one file: "changed", "same" or "wrong". Raises FormatError."""
    problems = Problems()
    source = read_source(name, problems)
    if source is not None and name == STDIN and args.stdin_filename:
        source = SourceFile(args.stdin_filename, source.text)
    if source is not None and _leaves(name, args.files):
        message = f"`{name}` is a link that leads out of the folder"
        problems.error(
            _UNREADABLE, message, Span(SourceFile(name, ""), 0, 0), help="name it on the command line to format it"
        )
        source = None
    text = format_text(source, problems, args.line_length) if source is not None else None
    if source is None or text is None:
        common.show(problems, sys.stderr, args)
        return "wrong"
    result = "same" if text == source.text else "changed"
    if args.check or args.diff:
        if result == "changed" and args.diff:
            _show_diff(source, text, args)
        elif result == "changed":
            print(visible(source.name))
    elif name == STDIN:
        common.write_out(text)
    elif result == "changed":
        try:
            write_text(name, text)
        except CannotWrite as error:
            common.complain(str(error), None, args.color)
            return "wrong"
    return result


def _leaves(name: str, given: list[str]) -> bool:
    """Whether a file that was found in a folder is a link out of it."""
    if name == STDIN or not os.path.islink(name) or name in given:
        return False
    return not any(os.path.isdir(folder) and lies_in(folder, name) for folder in given if folder != STDIN)


def _show_diff(source: SourceFile, text: str, args: Namespace) -> None:
    from nndsl.formatting.diff import unified

    color = want_color(sys.stdout, args.color)
    name = source.name
    before, after = _lines(source.text), _lines(text)
    for line in unified(before, after, name, f"{name} (formatted)"):
        role = {"+": "add", "-": "remove", "@": "related"}.get(line[:1], "")
        role = "title" if line.startswith(("+++ ", "--- ")) else role
        print(paint(role, visible(line, keep="\t"), color))


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    if lines[-1]:
        lines[-1] += "  (no line break at the end)"
    else:
        lines.pop()
    return lines


def _summary(counts: Counter[str], is_dry: bool) -> str:
    changed, same, wrong = counts["changed"], counts["same"], counts["wrong"]
    parts = []
    if changed or not wrong:
        done = "would be formatted" if is_dry else "formatted"
        parts.append(f"{changed} file{'' if changed == 1 else 's'} {done}")
    if same:
        parts.append(f"{same} unchanged")
    if wrong:
        parts.append(f"{wrong} left alone because of errors")
    return ", ".join(parts)
