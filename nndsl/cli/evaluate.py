"""`nndsl evaluate`: what a trained model is worth on data."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace

from nndsl.cli import common
from nndsl.cli.running import add_device, running


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = "Losses and metrics of the model of a run, on the data that it held out or on others."
    parser.epilog = """\
examples:
  nndsl evaluate runs/digits-1                    on the data that the run held out
  nndsl evaluate runs/digits-1 --data new.npz     on data with inputs and targets
"""
    parser.add_argument("run", metavar="RUN", help="the folder of the run")
    parser.add_argument("--data", metavar="FILE", help="a data file with inputs and targets, or - for a table")
    parser.add_argument("--batch-size", type=common.positive, metavar="N", help="how many samples at a time")
    add_device(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="the form of the result")


def main(args: Namespace) -> int:
    with running(args, "`nndsl evaluate`", args.run):
        from nndsl.runtime.reports.metrics import metrics_of
        from nndsl.runtime.results import table
        from nndsl.runtime.trained import evaluate, open_run

        trained = open_run(args.run, device=args.device, batch_size=args.batch_size)
        title, samples, result = evaluate(trained, args.data)
    if args.format == "json":
        common.write_out(json.dumps(metrics_of({"evaluated": result})["evaluated"], indent=2) + "\n")
    else:
        sys.stdout.write(f"{title}, {samples:,} samples:\n{table(result)}\n")
    return common.FINE
