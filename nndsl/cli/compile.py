"""`nndsl compile`: a program for one target."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from nndsl import pipeline
from nndsl.cli import common


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = (
        "Compile a model to a program that needs nothing but the framework: `torch` for PyTorch, `keras` for tf.keras."
    )
    parser.epilog = """\
examples:
  nndsl compile model.nn --target torch                  print the program
  nndsl compile model.nn --target keras -o model.py      write it to a file
  nndsl compile zoo.nn --target torch --model Encoder    one of several models
  nndsl compile resnet.nn --target torch --set classes=5 give a `param` another value

Exit code 0: compiled (there may be warnings); 1: the input is wrong, nothing is written; 2: wrong usage.
"""
    common.add_source(parser)
    parser.add_argument("--target", choices=pipeline.TARGETS, required=True, help="what the program is written for")
    common.add_output(parser)
    common.add_model(parser)
    common.add_params(parser)
    parser.add_argument(
        "--inline",
        action="store_true",
        help="write blocks and repeats out flat, without classes or loops of their own",
    )
    parser.add_argument(
        "--format", dest="problem_format", choices=common.FORMATS, default="text", help="how to show problems"
    )
    common.add_deny_warnings(parser)


def main(args: Namespace) -> int:
    program = common.check_file(args)
    model = common.pick_model(program, args.model)
    common.deliver(pipeline.emit(program, args.target, model.name, inline=args.inline), args)
    return common.FINE
