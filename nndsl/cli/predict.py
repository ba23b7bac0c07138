"""`nndsl predict`: what a trained model says of new data."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace

from nndsl.cli import common
from nndsl.cli.running import add_device, running
from nndsl.diagnostics.terminal import visible
from nndsl.runtime.choices import PREDICTIONS


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = (
        "Let the model of a run predict. The data go through the same transforms as in training; they need no targets."
    )
    parser.epilog = """\
examples:
  nndsl predict runs/iris-1 --data flowers.csv                   a table on the standard output
  nndsl predict runs/iris-1 --data flowers.csv -o species.csv    or .npz, .parquet
  nndsl predict runs/autoencoder-1 --data digits.npz --submodel encoder -o codes.npz
  cat flowers.csv | nndsl predict runs/iris-1 --data -
"""
    parser.add_argument("run", metavar="RUN", help="the folder of the run")
    parser.add_argument("--data", metavar="FILE", required=True, help="a data file with the inputs, or - for a table")
    parser.add_argument("--submodel", metavar="NAME", help="ask a submodel of the file instead of the whole model")
    parser.add_argument("--batch-size", type=common.positive, metavar="N", help="how many samples at a time")
    add_device(parser)
    parser.add_argument(
        "-o", "--output", metavar="OUT", help="a .csv, .npz or .parquet file (default: csv on the standard output)"
    )


def main(args: Namespace) -> int:
    ending = ".csv"
    if args.output is not None and args.output != "-":
        ending = os.path.splitext(args.output)[1].lower()
        if ending not in PREDICTIONS:
            raise common.UsageError(
                f"`{args.output}` has no ending that says what it is",
                f"predictions go to {', '.join(PREDICTIONS)} files",
            )
    with running(args, "`nndsl predict`", args.run):
        from nndsl.files import write_bytes
        from nndsl.runtime.trained import open_run, predict
        from nndsl.runtime.written import joined, packed

        trained = open_run(args.run, device=args.device, batch_size=args.batch_size)
        data = packed(joined(predict(trained, args.data, args.submodel)), ending, trained.classes, trained.middles)
        if args.output is not None and args.output != "-":
            write_bytes(args.output, data, args.data)
            return common.FINE
    text = data.decode()
    if sys.stdout.isatty():  # names of classes and columns are those of the data
        text = "".join(f"{visible(line)}\n" for line in text.splitlines())
    common.write_out(text)
    return common.FINE
