"""`nndsl data`: what the data of a model hold, before anything is trained."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from nndsl.cli import common
from nndsl.cli.weight_errors import explained
from nndsl.diagnostics.terminal import visible

if TYPE_CHECKING:
    from nndsl.runtime.dataset import Dataset


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = (
        "Read and check the data of a model, and show what they hold: parts and rows; shape, range, mean and missing "
        "values of each input and output; how often each class occurs."
    )
    parser.epilog = """\
examples:
  nndsl data examples/digits.nn                           what the file's own data hold
  nndsl data model.nn --data points.npz                   what would be trained on
  nndsl data examples/digits.nn --images digits.png       the first 48 pictures
  nndsl data model.nn --format json                       for programs

Exit code 0: the data suit the model; 1: they do not, or the model is wrong; 2: wrong usage.
"""
    common.add_source(parser)
    add_data(parser)
    parser.add_argument(
        "--images", metavar="OUT", help="draw the first 48 pictures of the training part into a PNG file"
    )
    common.add_model(parser)
    common.add_params(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="tables, or JSON for programs")
    common.add_deny_warnings(parser)


def add_data(parser: ArgumentParser) -> None:
    """Where data come from."""
    parser.add_argument(
        "--data", metavar="DATA",
        help="a .csv, .parquet, .npz or .npy file, or a folder of pictures, in place of the file's own data, - for a "
        "table from the standard input, or `random`",
    )  # fmt: skip
    parser.add_argument(
        "--validation", metavar="FILE", help="data to judge by after each epoch, in a file of their own"
    )
    parser.add_argument("--test", metavar="FILE", help="data to judge by at the end, in a file of their own")


def check_data(args: Namespace) -> None:
    """The standard input is read once. Raises UsageError."""
    readers = [name for name in ("file", "data", "validation", "test") if getattr(args, name) == "-"]
    if len(readers) > 1:
        first, second = ("FILE" if name == "file" else f"--{name}" for name in readers[:2])
        raise common.UsageError(f"{first} and {second} both read the standard input", "name a file for one of them")


def main(args: Namespace) -> int:
    check_data(args)
    program = common.check_file(args)
    model = common.pick_model(program, args.model)
    with explained("`nndsl data`"):
        from nndsl.runtime.dataset import load
        from nndsl.runtime.look import look_at
        from nndsl.runtime.look_text import overview_json, overview_text
        from nndsl.runtime.report import RunFailed, Unavailable
    batch = model.batch or model.training.get("batch_size", 32)
    try:
        dataset = load(
            model, args.data, batch=batch, steps=model.training.get("steps"), seed=model.training.get("seed", 0),
            validation=args.validation, test=args.test, lenient=True,
        )  # fmt: skip
        found = look_at(dataset)
        sys.stdout.write(overview_json(found) if args.format == "json" else visible(overview_text(found), keep="\n"))
        if args.images is not None:
            _draw(args, dataset)
    except RunFailed as failed:
        common.show(failed.problems, sys.stderr, args)
        return common.WRONG
    except Unavailable as error:
        raise common.UsageError(str(error), error.help) from None
    sys.stdout.flush()
    common.show([*dataset.problems, *dataset.warnings], sys.stderr, args)
    wrong = len(dataset.problems) or (args.deny_warnings and dataset.warnings)
    return common.WRONG if wrong else common.FINE


def _draw(args: Namespace, dataset: Dataset) -> None:
    from nndsl.files import CannotWrite, write_bytes
    from nndsl.runtime.picture_grid import grid, picture_input

    name = picture_input(dataset)
    if name is None:
        raise common.UsageError(
            f"`{dataset.model.name}` takes no pictures: no input has rows of height, width and 1, 3 or 4 channels",
            "leave --images out",
        )
    try:
        write_bytes(args.images, grid(dataset, name))
    except CannotWrite as error:
        raise common.UsageError(str(error)) from None
