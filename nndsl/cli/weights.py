"""`nndsl weights`: weight files of both frameworks: what is in them, one from another, whether they differ."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from nndsl.cli import common
from nndsl.cli.weight_errors import FORMATS, check_ending, complaints, explained, show_warnings
from nndsl.diagnostics.terminal import visible

if TYPE_CHECKING:
    from nndsl.interop.contents import Item, Weights
    from nndsl.ir.graph import CheckedProgram, Model


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = (
        "Weight files: safetensors with canonical names, PyTorch (.pt), Keras (.weights.h5 and .keras). The format goes"
        " by the ending of the name."
    )
    parser.epilog = """\
examples:
  nndsl weights show model.safetensors                        names, shapes, what the numbers are like
  nndsl weights convert model.nn model.weights.h5 model.pt    from Keras to PyTorch, the optimizer's state too
  nndsl weights diff a.pt b.keras --for model.nn              do two files hold the same?

`nndsl weights ACTION --help` shows the options of an action.
"""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    show = _action(actions, "show", "show what is in a weight file")
    show.description = "List the weights of a file with shapes, types and what their numbers are like."
    show.epilog = """\
examples:
  nndsl weights show model.pt                    by the names of the file
  nndsl weights show model.pt --for model.nn     by the canonical names, in Keras's layout
"""
    show.add_argument("weights", metavar="FILE", help=FORMATS)
    _add_for(show)
    convert = _action(actions, "convert", "write a weight file in another format")
    convert.description = (
        "Write the weights of a model in another format, and the state of the optimizer, so that training can go on in"
        " the other framework. A file that does not fit the model gives the whole list, and nothing is written."
    )
    convert.epilog = """\
examples:
  nndsl weights convert model.nn model.weights.h5 model.pt         what the emitted Keras program saved, for PyTorch
  nndsl weights convert model.nn model.pt model.safetensors        by the canonical names
  nndsl weights convert model.nn model.safetensors model.keras     a whole model of Keras
"""
    convert.add_argument("file", metavar="MODEL", help="the .nn file of the model, or - for the standard input")
    convert.add_argument("source", metavar="IN", help=f"the weights: {FORMATS}")
    convert.add_argument("target", metavar="OUT", help="the file to write, whole or not at all")
    convert.add_argument("--weights-only", action="store_true", help="leave the state of the optimizer out")
    _add_choice(convert)
    diff = _action(actions, "diff", "say where two weight files differ")
    diff.description = (
        "Compare two weight files, of different formats too. Exit code 0: they hold the same; 1: they differ."
    )
    diff.epilog = """\
examples:
  nndsl weights diff before.pt after.pt                           by the names of the files
  nndsl weights diff model.pt model.weights.h5 --for model.nn     by the canonical names
  nndsl weights diff a.pt b.pt --tolerance 1e-6                   but for small differences
"""
    diff.add_argument("first", metavar="A", help=FORMATS)
    diff.add_argument("second", metavar="B", help="the other file")
    diff.add_argument(
        "--tolerance", type=_tolerance, default=0.0, metavar="T", help="how far values may be apart (default: 0)"
    )
    diff.add_argument("--weights-only", action="store_true", help="leave the state of the optimizer out")
    _add_for(diff)


def _action(actions: object, name: str, help: str) -> ArgumentParser:
    parser: ArgumentParser = actions.add_parser(name, help=help)  # type: ignore[attr-defined]
    parser.set_defaults(parser=parser)
    parser.add_argument("--color", choices=("auto", "always", "never"), default=SUPPRESS, help="colour messages")
    return parser


def _add_for(parser: ArgumentParser) -> None:
    parser.add_argument("--for", dest="file", metavar="MODEL", help="the .nn file of the model: use its names")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="a table, or JSON for programs")
    _add_choice(parser)


def _add_choice(parser: ArgumentParser) -> None:
    common.add_model(parser)
    common.add_params(parser)


def _tolerance(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise ArgumentTypeError(f"a number from 0 on is expected, not {text!r}")
    return number


def _say(text: str, form: str) -> None:
    """Names in weight files are text of strangers: a terminal gets none of their control characters."""
    sys.stdout.write(text if form == "json" else visible(text, keep="\n"))


def main(args: Namespace) -> int:
    action = {"show": _show, "convert": _convert, "diff": _diff}[args.action]
    return action(args)


def _show(args: Namespace) -> int:
    check_ending(args.weights)
    program, model = _model(args)
    with explained():
        from nndsl.interop.weights_text import row_of, shown

        weights, state = _read(args.weights, program, model, args)
        with complaints(args, args.weights):
            rows = [[row_of(name, item) for name, item in items.items()] for items in (weights, state)]
        _say(shown(args.weights, *rows, form=args.format), args.format)
    return common.FINE


def _convert(args: Namespace) -> int:
    check_ending(args.source)
    check_ending(args.target)
    if args.target.lower().endswith(".h5") and not args.target.lower().endswith(".weights.h5"):
        raise common.UsageError(f"Keras would not know what `{args.target}` is", "call it NAME.weights.h5")
    program, model = _model(args)
    assert program is not None and model is not None
    with explained():
        from nndsl.interop import convert

        found = _load(args.source, program, model, args, alone=args.weights_only)
        convert.store(args.target, found, program, model, source=args.source)
    count = sum(array.size for array in found.values.values())
    _say(f"{args.target}: {count:,} numbers in {len(found.values)} weights{_state_text(found, model)}\n", "text")
    return common.FINE


def _diff(args: Namespace) -> int:
    from nndsl.interop.convert import ENDINGS, ending_of

    check_ending(args.first)
    check_ending(args.second)
    program, model = _model(args)
    kinds = [ENDINGS[ending_of(path) or ""].replace("keras", "h5") for path in (args.first, args.second)]
    if model is None and kinds[0] != kinds[1]:
        raise common.UsageError(
            "the two files have different formats, which name weights in different ways",
            "give the model: `--for model.nn`",
        )
    with explained():
        from nndsl.interop.optimizer_names import ITERATIONS, counts_steps
        from nndsl.interop.weights_text import compared, differences

        first, second = (_read(path, program, model, args) for path in (args.first, args.second))
        one, other = (weights if args.weights_only else weights | state for weights, state in (first, second))
        if model is not None and not counts_steps(model.training.optimizer):
            for side in (one, other):  # Keras counts steps where nothing depends on them
                side.pop(ITERATIONS, None)
        with complaints(args, f"{args.first}, {args.second}"):
            found = list(differences(one, other, args.tolerance))
        _say(compared((args.first, args.second), found, form=args.format), args.format)
    return common.FINE if all(item.kind == "equal" for item in found) else common.WRONG


# --------------------------------------------------------------------------------------------------- parts


def _model(args: Namespace) -> tuple[CheckedProgram | None, Model | None]:
    if args.file is None:
        if args.model is not None or args.params:
            raise common.UsageError("--model and --set say something about a .nn file", "give it: `--for model.nn`")
        return None, None
    program = common.check_file(args)
    return program, common.pick_model(program, args.model)


def _read(
    path: str, program: CheckedProgram | None, model: Model | None, args: Namespace
) -> tuple[dict[str, Item], dict[str, Item]]:
    """The weights and the optimizer's state, by the file's names or by the model's."""
    from nndsl.interop import convert
    from nndsl.interop.contents import items_of

    if program is None or model is None:
        with complaints(args, path):
            contents = convert.read(path)
        return contents.weights, contents.state
    found = _load(path, program, model, args, alone=getattr(args, "weights_only", False))
    return items_of(found.values), items_of(found.state)


def _load(path: str, program: CheckedProgram, model: Model, args: Namespace, *, alone: bool) -> Weights:
    from nndsl.interop import convert

    with complaints(args, path):
        found = convert.load(path, program, model, alone=alone)
    show_warnings(found, path, args)
    return found


def _state_text(found: Weights, model: Model) -> str:
    if not found.state:
        return ""
    from nndsl.interop.optimizer_names import ITERATIONS

    count = found.state.get(ITERATIONS)
    after = f" after {int(count):,} steps" if count is not None else ""
    return f", and the state of {type(model.training.optimizer).__name__}{after}"
