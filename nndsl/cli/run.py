"""`nndsl run`: trains a model on its data."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace

from nndsl.cli import common
from nndsl.cli.data import add_data, check_data
from nndsl.cli.weight_errors import FORMATS, check_ending, complaints, explained

SUFFIX = ".safetensors"


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = (
        "Train a model on its data with PyTorch, evaluate it on data held out, and save its weights. "
        "The data come from the `data` section of the file or from --data."
    )
    parser.epilog = """\
examples:
  nndsl run examples/digits.nn                    train on the data that the file names
  nndsl run model.nn --data points.npz            an array for each input and output
  nndsl run model.nn --data random --steps 10     seeded random arrays: does it run?
  nndsl run model.nn --epochs 5 --device cuda -o weights/
  nndsl run model.nn --weights model.pt           go on from saved weights

Ctrl-C saves what has been learnt so far. Exit code 0: done; 1: the input is wrong; 2: wrong usage; 130: interrupted.
"""
    common.add_source(parser)
    add_data(parser)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=common.positive, metavar="N", help="how often training goes through the data")
    length.add_argument("--steps", type=common.positive, metavar="N", help="how many batches training takes")
    parser.add_argument("--batch-size", type=common.positive, metavar="N", help="how many samples a step takes")
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="where to compute (default: a GPU if any)",
    )
    parser.add_argument("--weights", metavar="FILE", help=f"begin from the weights in a file, {FORMATS}")
    parser.add_argument("--seed", type=common.seed, metavar="N", help="repeats a run: weights, order, dropout")
    common.add_model(parser)
    common.add_params(parser)
    parser.add_argument(
        "-o", "--output", metavar="OUT",
        help=f"the weight file, or a folder for it (default: NAME{SUFFIX} in this folder, after FILE)",
    )  # fmt: skip
    parser.add_argument("--quiet", action="store_true", help="show the results alone")
    common.add_deny_warnings(parser)


def main(args: Namespace) -> int:
    check_data(args)
    program = common.check_file(args)
    model = common.pick_model(program, args.model)
    if args.weights is not None:
        check_ending(args.weights)
    output = _weight_file(args.output, args.file, model.name)
    # Threads that wait must not burn the core that others need: on a busy machine a run of small batches took twice as
    # long with spinning. Read when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from nndsl.diagnostics.model import Diagnostic
    from nndsl.runtime.report import RunFailed, Unavailable

    with explained("`nndsl run`"):
        from nndsl.runtime.run import Options, run

    options = Options(
        args.data,
        args.epochs,
        args.steps,
        args.batch_size,
        args.device,
        args.seed,
        output,
        args.weights,
        args.quiet,
        args.validation,
        args.test,
    )

    def warn(diagnostic: Diagnostic) -> None:
        common.show([diagnostic], sys.stderr, args)

    try:
        with explained(), complaints(args, args.weights or output):
            done = run(program, model, options, sys.stdout, warn)
    except RunFailed as failed:
        common.show(failed.problems, sys.stderr, args)
        return common.WRONG
    except Unavailable as error:
        raise common.UsageError(str(error), error.help) from None
    return common.INTERRUPTED if done.outcome.interrupted else common.FINE


def _weight_file(given: str | None, source: str, model: str) -> str:
    """Where the weights go; the folder is made. Raises UsageError before anything is trained."""
    stem = model if source == "-" else os.path.splitext(os.path.basename(source))[0]
    if given is None:
        path = f"{stem}{SUFFIX}"
    elif given.endswith(SUFFIX) and not os.path.isdir(given):
        path = given
    else:
        path = os.path.join(given, f"{stem}{SUFFIX}")
    folder = os.path.dirname(path) or "."
    try:
        os.makedirs(folder, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise common.UsageError(f"the folder `{folder}` cannot be made: {reason.lower()}") from None
    if os.path.isdir(path):
        raise common.UsageError(f"`{path}` is a folder, not a file", "choose another place with -o")
    if not os.access(folder, os.W_OK) or (os.path.exists(path) and not os.access(path, os.W_OK)):
        raise common.UsageError(f"`{path}` may not be written", "choose another place with -o")
    return path
