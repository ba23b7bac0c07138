"""`nndsl run`: trains a model on its data."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from nndsl import pipeline
from nndsl.cli import common
from nndsl.cli.data import add_data, check_data
from nndsl.cli.processes import launched, leaving, member, speaking, started
from nndsl.cli.running import add_device, running
from nndsl.cli.weight_errors import FORMATS, check_ending
from nndsl.ir.types import PRECISIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from nndsl.diagnostics.model import Diagnostic
    from nndsl.runtime.options import Options
    from nndsl.runtime.world import World


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = (
        "Train a model on its data, evaluate it on data held out, and keep weights, numbers and pictures in a folder. "
        "The data come from the `data` section of the file or from --data."
    )
    parser.epilog = """\
examples:
  nndsl run examples/digits.nn                    train on the data that the file names
  nndsl run model.nn --data points.npz            an array for each input and output
  nndsl run model.nn --data random --steps 10     seeded random arrays: does it run?
  nndsl run model.nn --epochs 5 --device cuda -o runs/long
  nndsl run model.nn --target keras               train the Keras program instead
  nndsl run model.nn --weights model.pt           go on from saved weights
  nndsl run model.nn --processes 2                two processes, a GPU each, divide every batch
  nndsl run --resume runs/model-1                 go on with a run that was stopped

Ctrl-C saves what has been learnt so far. Exit code 0: done; 1: the input is wrong; 2: wrong usage; 130: interrupted.
"""
    parser.add_argument("file", metavar="FILE", nargs="?", help="the .nn file, or - for the standard input")
    parser.add_argument("--resume", metavar="RUN", help="go on with the run in this folder")
    add_data(parser)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=common.positive, metavar="N", help="how often training goes through the data")
    length.add_argument("--steps", type=common.positive, metavar="N", help="how many batches training takes")
    parser.add_argument("--batch-size", type=common.positive, metavar="N", help="how many samples a step takes")
    parser.add_argument(
        "--target", choices=pipeline.TARGETS, default="torch", help="the program that is trained (torch)"
    )
    add_device(parser, None)
    parser.add_argument("--precision", choices=PRECISIONS, help="the arithmetic, in place of the file's own")
    parser.add_argument("--compile", action="store_true", help="let torch.compile (or, with Keras, XLA) speed it up")
    parser.add_argument(
        "--processes", type=common.positive, metavar="N", help="how many processes divide every batch among them"
    )
    parser.add_argument(
        "--shard", action="store_true", help="divide the weights among the processes too, where one cannot hold them"
    )
    parser.add_argument("--weights", metavar="FILE", help=f"begin from the weights in a file, {FORMATS}")
    parser.add_argument("--seed", type=common.seed, metavar="N", help="repeats a run: weights, order, dropout")
    parser.add_argument(
        "--checkpoint-every", type=common.positive, metavar="N", dest="save_every",
        help="steps between two checkpoints (default: half a minute)",
    )  # fmt: skip
    common.add_model(parser)
    common.add_params(parser)
    parser.add_argument(
        "-o", "--output", metavar="RUN", help="the folder of the run (default: runs/NAME-1, -2, … after FILE)"
    )
    parser.add_argument("--quiet", action="store_true", help="show the results alone")
    common.add_deny_warnings(parser)


def main(args: Namespace) -> int:
    if args.processes is not None and not started():
        return launched(args)
    with member() as world, leaving(args, world):
        return _main(args, world)


def _main(args: Namespace, world: World) -> int:
    if args.resume is None and args.file is None:
        raise common.UsageError("a file is missing", "`nndsl run FILE` trains, `nndsl run --resume RUN` goes on")
    if args.resume is not None:
        _check_resume(args)
        return _trained(args, world, lambda: _resume(args, world), args.resume)
    check_data(args)
    program, project = common.checked(args)
    model = common.pick_model(program, args.model)
    if args.weights is not None:
        check_ending(args.weights)
    if args.output is not None and args.output.endswith((".safetensors", ".pt", ".h5", ".keras")):
        raise common.UsageError(
            f"`{args.output}` is a file, and -o names the folder of the run",
            "its weights will be in RUN/weights.safetensors; `nndsl weights convert` writes other formats",
        )

    def train() -> bool:
        from nndsl.runtime.run import run

        stem = model.name if args.file == "-" else os.path.splitext(os.path.basename(args.file))[0]
        params = common.params_of(args)
        options, warn = _options(args), _warner(args)
        return run(program, model, project, params, options, stem, sys.stdout, warn, world)

    return _trained(args, world, train, args.weights or args.file)


def _trained(args: Namespace, world: World, train: Callable[[], bool], path: str) -> int:
    with running(args, "`nndsl run`", path), speaking(world):
        return common.INTERRUPTED if train() else common.FINE


def _resume(args: Namespace, world: World) -> bool:
    from nndsl.runtime.run import resume

    quiet = args.quiet
    return resume(args.resume, _given(args), sys.stdout, _warner(args), quiet=quiet, world=world)


def _warner(args: Namespace) -> Callable[[Diagnostic], None]:
    return lambda diagnostic: common.show([diagnostic], sys.stderr, args)


def _options(args: Namespace) -> Options:
    from nndsl.runtime.options import Options

    return Options(**_given(args))


def _given(args: Namespace) -> dict[str, Any]:
    """The options of the run that the command line gives."""
    from dataclasses import fields

    from nndsl.runtime.options import Options

    given = {field.name: getattr(args, field.name) for field in fields(Options)}
    return {name: value for name, value in given.items() if value is not None}


_FIXED = {
    "file": "FILE", "data": "--data", "validation": "--validation", "test": "--test", "batch_size": "--batch-size",
    "weights": "--weights", "seed": "--seed", "model": "--model", "output": "-o", "precision": "--precision",
    "params": "--set",
}  # fmt: skip


def _check_resume(args: Namespace) -> None:
    """A run goes on as it began. Raises UsageError."""
    given = [option for name, option in _FIXED.items() if getattr(args, name) not in (None, [])]
    if args.target != "torch":
        given.append("--target")
    given += [f"--{name}" for name in ("compile", "shard") if getattr(args, name)]
    if given:
        raise common.UsageError(
            f"a run goes on as it began: {', '.join(given)} cannot be given with --resume",
            "--epochs, --steps, --device, --processes and --checkpoint-every can",
        )
