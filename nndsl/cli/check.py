"""`nndsl check`: every problem of many files."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace

from nndsl import pipeline
from nndsl.cli import common
from nndsl.diagnostics.model import Problems
from nndsl.files import find_sources, read_source
from nndsl.project import Project
from nndsl.source import SourceFile


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
    told = Problems()  # what is wrong in a file that many import is said once
    unlisted = Problems()  # of folders
    imported: dict[str, SourceFile] = {}  # by real path: read and parsed once, whoever imports them
    count = 0
    for name in find_sources(args.files, unlisted):
        count += 1
        problems = Problems()
        source = imported.get(os.path.realpath(name)) or read_source(name, problems)
        if source is not None:
            project = Project(source, imported.get)
            pipeline.check(source, problems, project.read, settings, need_model=False)
            imported.update((real, file) for real, file in project.files.items() if file is not source)
        for problem in problems:
            told.add(problem)
    found = [*unlisted, *told.items]
    if found or args.problem_format in ("json", "sarif"):
        common.show(found, sys.stdout, args)
    if args.problem_format == "text":
        from nndsl.diagnostics.render import summary

        gap = "\n" if found else ""
        print(f"{gap}{count} file{'' if count == 1 else 's'} checked: {summary(found)}")
    failed = any(item.severity.value == "error" for item in found) or (args.deny_warnings and found)
    return common.WRONG if failed else common.FINE
