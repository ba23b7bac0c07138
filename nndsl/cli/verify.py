"""`nndsl verify`: whether both programs of a model are the same function, and train the same way."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from nndsl.cli import common
from nndsl.cli.weight_errors import FORMATS, check_ending, complaints, explained, show_warnings
from nndsl.diagnostics.terminal import paint, visible, want_color

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nndsl.interop.workers import WorkerFailed
    from nndsl.ir.graph import CheckedProgram, Model

_INSTALL = "install both frameworks: pip install 'nndsl[torch,keras]'"


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = (
        "Run the PyTorch and the Keras program of a model on the same weights and data, and compare outputs, losses, "
        "metrics, gradients and training."
    )
    parser.epilog = """\
examples:
  nndsl verify model.nn                           random weights, float64 and float32, 20 steps of training
  nndsl verify model.nn --weights model.safetensors
  nndsl verify zoo/resnet50.nn --set size=32      a large model at a small size
  nndsl verify model.nn --float float64 --format json

Exit code 0: everything agrees; 1: it does not, or the file is wrong; 2: wrong usage; 3: a program could not be run.
"""
    common.add_source(parser)
    parser.add_argument("--weights", metavar="FILE", help=f"a file of weights, {FORMATS} (default: random)")
    parser.add_argument(
        "--steps", type=common.positive, default=20, metavar="N", help="how many steps are trained (20)"
    )
    parser.add_argument("--float", choices=("float32", "float64"), help="compute in this type alone (default: both)")
    parser.add_argument("--seed", type=common.seed, default=0, metavar="N", help="other weights and data (0)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="the form of the result")
    parser.add_argument("--inline", action="store_true", help="compare the programs that `compile --inline` writes")
    common.add_model(parser)
    common.add_params(parser)
    parser.add_argument("--quiet", action="store_true", help="show nothing but the result")


def main(args: Namespace) -> int:
    program = common.check_file(args)
    model = common.pick_model(program, args.model)
    from nndsl.project import Project

    with explained("`nndsl verify`", _INSTALL):
        from nndsl.interop import verify, verify_text, workers

        workers.require("torch", "keras")
        weights = _weights(args, program, model)
    options = verify.Options(
        floats=(args.float,) if args.float else verify.FLOATS,
        steps=args.steps,
        seed=args.seed,
        inline=args.inline,
        model=model.name,
        weights=weights,
    )
    reader, params = Project(program.file).read, common.params_of(args)
    try:
        with explained("`nndsl verify`", _INSTALL):
            report = verify.verify(program, reader, params, options, _progress(args))
    except verify.NotVerified as error:
        raise common.UsageError(str(error)) from None
    except workers.WorkerFailed as failed:
        return _tell(failed, args)
    finally:
        _clear(args)
    if args.format == "json":
        common.write_out(verify_text.as_json(report))
    else:
        color = want_color(sys.stdout, args.color)
        sys.stdout.write(verify_text.text(report, lambda role, words: paint(role, words, color)))
    return common.FINE if report.holds else common.WRONG


def _weights(args: Namespace, program: CheckedProgram, model: Model) -> Mapping[str, Any] | None:
    """The weights that --weights names, by canonical name. Raises UsageError, Rejected."""
    if args.weights is None:
        return None
    from nndsl.interop import convert

    check_ending(args.weights)
    with explained(), complaints(args, args.weights):
        found = convert.load(args.weights, program, model, alone=True)
    show_warnings(found, args.weights, args)
    return found.values


def _progress(args: Namespace) -> Callable[[str, str], None] | None:
    """On a terminal, one line that says what both programs are at."""
    if args.quiet or not sys.stderr.isatty():
        return None
    at = {"torch": "", "keras": ""}

    def show(kind: str, text: str) -> None:
        at[kind] = text
        line = "   ".join(f"{name}: {state}" for name, state in at.items() if state)
        sys.stderr.write(f"\r\x1b[K{visible(line)[: (common.width_of(sys.stderr) or 80) - 1]}")
        sys.stderr.flush()

    return show


def _clear(args: Namespace) -> None:
    if not args.quiet and sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")


def _tell(failed: WorkerFailed, args: Namespace) -> int:
    color = want_color(sys.stderr, args.color)
    sys.stderr.write(f"{paint('error', 'error', color)}{paint('title', f': {failed}', color)}\n")
    for line in failed.printed.strip().splitlines():
        sys.stderr.write(f"  | {visible(line)}\n")
    if failed.code == -9:
        sys.stderr.write("  = help: if the memory was full, give the model a smaller size with --set\n")
    return common.BUG
