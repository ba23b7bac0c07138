"""`nndsl graph`: a picture of a model."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from nndsl.cli import common


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = "Draw a model: its layers with their arguments and output shapes, and what flows where."
    parser.epilog = """\
examples:
  nndsl graph model.nn --format svg -o model.svg      a picture; no other program is needed
  nndsl graph model.nn --format mermaid               for Markdown on GitHub
  nndsl graph model.nn --format dot | dot -Tpdf       for Graphviz
"""
    common.add_source(parser)
    common.add_model(parser)
    common.add_params(parser)
    parser.add_argument("--format", choices=("mermaid", "dot", "svg"), default="svg", help="(default: svg)")
    common.add_output(parser)


def main(args: Namespace) -> int:
    from nndsl.views import graph

    drawing = graph.draw(common.pick_model(common.check_file(args), args.model))
    if args.format == "svg":
        from nndsl.views.svg import svg

        text = svg(drawing)
    else:
        text = graph.mermaid(drawing) if args.format == "mermaid" else graph.dot(drawing)
    common.deliver(text, args)
    return common.FINE
