"""`nndsl summary`: the layers of a model, with shapes and parameters."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from nndsl.cli import common


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = (
        "List the layers of a model: what flows in, the shape that comes out, parameters and multiply-adds;"
        " sizes that are not known yet stay formulas."
    )
    parser.epilog = """\
examples:
  nndsl summary model.nn
  nndsl summary model.nn --format json      for programs
"""
    common.add_source(parser)
    common.add_model(parser)
    common.add_params(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="a table, or JSON for programs")


def main(args: Namespace) -> int:
    from nndsl.views.summary import summarize

    model = common.pick_model(common.check_file(args), args.model)
    found = summarize(model)
    if args.format == "json":
        from nndsl.views.summary_json import summary_json

        sys.stdout.write(summary_json(found))
    else:
        from nndsl.views.summary_text import summary_text

        sys.stdout.write(summary_text(found, width=common.width_of(sys.stdout)))
    return common.FINE
