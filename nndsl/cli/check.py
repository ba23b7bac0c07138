"""`nndsl check`: every problem of many files."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from nndsl import pipeline
from nndsl.cli import common
from nndsl.diagnostics.model import Diagnostic, Problems
from nndsl.files import find_sources, read_source
from nndsl.project import Project


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = "Check .nn files: names, arguments, shapes, dtypes, losses. Nothing is written."
    parser.epilog = """\
examples:
  nndsl check model.nn
  nndsl check models/ --deny-warnings      every .nn file in the folder; warnings fail too
  nndsl check --format github .            annotations on a pull request
  cat model.nn | nndsl check -

Exit code 0: no errors; 1: errors; 2: wrong usage.
"""
    parser.add_argument("files", metavar="FILE", nargs="+", help=".nn files, folders of them, - for the standard input")
    parser.add_argument(
        "--format", dest="problem_format", choices=common.FORMATS, default="text", help="how to show problems"
    )
    common.add_params(parser)
    common.add_deny_warnings(parser)


def main(args: Namespace) -> int:
    settings = common.params_of(args)
    found: list[Diagnostic] = []
    unlisted = Problems()  # of folders
    count = 0
    for name in find_sources(args.files, unlisted):
        count += 1
        problems = Problems()
        source = read_source(name, problems)
        if source is not None:
            pipeline.check(source, problems, Project(source).read, settings, need_model=False)
        found += problems
    found = [*unlisted, *found]
    if found or args.problem_format in ("json", "sarif"):
        common.show(found, sys.stdout, args)
    if args.problem_format == "text":
        from nndsl.diagnostics.render import summary

        gap = "\n" if found else ""
        print(f"{gap}{count} file{'' if count == 1 else 's'} checked: {summary(found)}")
    failed = any(item.severity.value == "error" for item in found) or (args.deny_warnings and found)
    return common.WRONG if failed else common.FINE
