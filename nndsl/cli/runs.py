"""`nndsl runs`: the runs that there are, or several of them side by side."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, Namespace

from nndsl.cli import common
from nndsl.files import meant

DEFAULT = "runs"


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = (
        "List the run folders that `nndsl run` made, with how they ended; or, with two and more of them, show side by"
        " side where their settings differ and what came of it."
    )
    parser.epilog = """\
examples:
  nndsl runs                                  all runs in runs/
  nndsl runs experiments                      those in another folder
  nndsl runs runs/digits-1 runs/digits-2      what differs, and which is better
  nndsl runs --format json                    for programs
"""
    parser.add_argument(
        "folders", metavar="FOLDER", nargs="*",
        help=f"a folder of runs (default: {DEFAULT}), or several runs to compare",
    )  # fmt: skip
    parser.add_argument("--format", choices=("text", "json"), default="text", help="a table, or JSON for programs")


def main(args: Namespace) -> int:
    args.folders = [_found(folder) for folder in args.folders]
    return _compare(args) if len(args.folders) > 1 else _list(args)


def _list(args: Namespace) -> int:
    from nndsl.runtime.reports import compare, folders

    folder = args.folders[0] if args.folders else DEFAULT
    if folders.is_run(folder):
        paths = [folder]
    elif not args.folders and not os.path.isdir(folder):
        paths = []
    else:
        try:
            paths = folders.folders_in(folder)
        except OSError as error:
            raise common.UsageError(f"`{folder}` cannot be read: {(error.strerror or str(error)).lower()}") from None
    runs = [folders.read(path) for path in paths]
    if args.format == "json":
        sys.stdout.write(_json([compare.row_of(run) for run in runs]))
    elif not runs:
        sys.stdout.write(f"there are no runs in {_shown(folder)}; `nndsl run model.nn` makes one\n")
    else:
        sys.stdout.write(compare.listed(runs, common.width_of(sys.stdout)))
    return common.FINE


def _compare(args: Namespace) -> int:
    from nndsl.diagnostics.model import Problems
    from nndsl.runtime.reports import compare, folders
    from nndsl.source import SourceFile, Span

    runs = [folders.read(path) for path in args.folders]
    problems = Problems()
    for run in runs:
        if not run.record:
            span = Span(SourceFile(os.path.join(run.path, folders.RECORD), ""), 0, 0)
            problems.error("NN0701", f"`{run.path}` is no run folder: {run.problems[0]}", span, help=_inside(run.path))
    if len(problems):
        common.show(problems, sys.stderr, args)
        return common.WRONG
    if args.format == "json":
        sys.stdout.write(_json(compare.compared_data(runs)))
    else:
        sys.stdout.write(compare.compared(runs, common.width_of(sys.stdout)))
    return common.FINE


def _json(value: object) -> str:
    return json.dumps(value, indent=2, default=str) + "\n"  # ASCII alone, which no terminal takes for a command


def _shown(folder: str) -> str:
    from nndsl.diagnostics.terminal import visible

    return f"`{visible(folder)}`"


def _found(folder: str) -> str:
    """The folder of that name, here or among the runs, as `nndsl evaluate` finds it. Raises UsageError."""
    for place in (folder, os.path.join(DEFAULT, folder)):
        if os.path.isdir(place):
            return place
    raise common.UsageError(f"there is no folder `{folder}`", meant(folder.rstrip("/"), os.path.isdir))


def _inside(path: str) -> str | None:
    """The help where someone names a folder of runs in place of one of them."""
    from nndsl.runtime.reports import folders

    try:
        inside = [each for each in folders.folders_in(path) if folders.is_run(each)]
    except OSError:
        return None
    return f"name one of the runs in it: `{inside[-1]}`" if inside else None
