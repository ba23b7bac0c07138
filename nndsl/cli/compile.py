"""`nndsl compile`: a program for one target."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from nndsl import pipeline
from nndsl.cli import common
from nndsl.diagnostics.model import Problems
from nndsl.source import SourceFile, Span


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = (
        "Compile a model to a program that needs nothing but the framework: `torch` for PyTorch, `keras` for tf.keras."
    )
    parser.epilog = """\
examples:
  nndsl compile model.nn --target torch                  print the program
  nndsl compile model.nn --target keras -o model.py      write it to a file
  nndsl compile zoo.nn --target torch --model Encoder    one of several models

Exit code 0: compiled (there may be warnings); 1: the input is wrong, nothing is written; 2: wrong usage.
"""
    common.add_source(parser)
    parser.add_argument("--target", choices=pipeline.TARGETS, required=True, help="what the program is written for")
    common.add_output(parser)
    common.add_model(parser)
    parser.add_argument(
        "--set",
        dest="params",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="give a `param` another value (reserved: the language has no `param` yet)",
    )
    parser.add_argument(
        "--format", dest="problem_format", choices=common.FORMATS, default="text", help="how to show problems"
    )
    common.add_deny_warnings(parser)


def main(args: Namespace) -> int:
    program = common.check_file(args)
    _no_params(args, program.file.name)
    model = common.pick_model(program, args.model)
    common.deliver(pipeline.emit(program, args.target, model.name), args)
    return common.FINE


def _no_params(args: Namespace, file: str) -> None:
    """The language has no `param` yet, so that no name can be one. Raises UsageError, Rejected."""
    problems = Problems()
    for setting in args.params:
        name, equals, _ = setting.partition("=")
        if not equals or not name.isidentifier():
            raise common.UsageError(f"--set takes NAME=VALUE, not `{setting}`", "for instance --set classes=100")
        span = Span(SourceFile("--set", setting), 0, len(name))
        problems.error("NN0704", f"`{name}` names no `param` of {file}", span, "no such `param`")
    if len(problems):
        common.show(problems, sys.stderr, args)
        raise common.Rejected
