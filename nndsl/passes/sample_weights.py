"""Weights of samples: the arrays that `sample_weight=w` and `step_weight=w` of an output name, and what the data must
hold in them."""

from __future__ import annotations

from nndsl.diagnostics.model import Label, Problems
from nndsl.ir.graph import Model, Output, SampleWeights
from nndsl.ir.types import TensorType
from nndsl.layers.measures import Loss
from nndsl.records import replace
from nndsl.syntax import ast


def sample_weights(model: Model) -> list[SampleWeights]:
    """The arrays of weights that the data must hold, in the order of the outputs."""
    found: dict[str, SampleWeights] = {}
    for output in model.outputs:
        if output.weights is not None:
            found.setdefault(output.weights.name, output.weights)
    return list(found.values())


def weights_type(weights: SampleWeights) -> TensorType:
    """One number for each sample, or one for each place of the output, whose last axis is within a place."""
    type_ = weights.output.value.type
    return replace(type_, shape=type_.shape[: -1 if weights.each else 1], mask=False)


def read_weights(output: Output, option: str, expr: ast.Expr, problems: Problems) -> None:
    """`sample_weight=w`: `w` is the name of an array in the data, and nothing that the model knows."""
    while isinstance(expr, ast.Paren):
        expr = expr.inner
    if not isinstance(expr, ast.NameRef) or expr.name == "_":
        if not isinstance(expr, ast.ErrorExpr):
            what = "sample" if option == "sample_weight" else "step"
            problems.error(
                "NN0505", f"`{option}` of output `{output.name}` is the name of an array: the data hold a number for "
                f"each {what} in it", expr.span,
                help=f"write `{option}=w`; data sections fill it (`w = table[8]`), archives hold an array `w`",
            )  # fmt: skip
        return
    if output.weights is not None:
        problems.error(
            "NN0505", f"output `{output.name}` has both a `sample_weight` and a `step_weight`", expr.span,
            related=(Label(output.weights.span),),
            help="a weight for each step says how much a sample counts as well: leave `sample_weight` out",
        )  # fmt: skip
        return
    output.weights = SampleWeights(expr.name, output, option == "step_weight", expr.span)


def check_weights(model: Model, problems: Problems) -> None:
    """The names of arrays of weights are theirs alone; outputs may share an array."""
    taken = {item.name: item.span for item in model.inputs} | {item.name: item.name_span for item in model.outputs}
    first: dict[str, SampleWeights] = {}
    for output in model.outputs:
        weights = output.weights
        if weights is None or not output.value.type.known:
            continue
        option = "step_weight" if weights.each else "sample_weight"
        if isinstance(output.loss, Loss) and not output.loss.for_each(output.value.type.rank):
            problems.error(
                "NN0505", f"`{option}` weighs the losses of samples, and `{output.loss.spelled}` has no loss for each",
                weights.span, related=(Label(output.options["loss"], "the loss"),),
                help="leave it out; `weight` weighs the output as a whole",
            )  # fmt: skip
            continue
        if weights.each and output.value.type.rank < 3:
            problems.error(
                "NN0505", f"`step_weight` is for outputs of [steps, …], and `{output.name}` is {output.value.type}",
                weights.span, related=(Label(output.origin, f"the output is {output.value.type}"),),
                help=f"its samples have one loss each: write `sample_weight={weights.name}`",
            )  # fmt: skip
        if weights.name in taken:
            problems.error(
                "NN0505", f"`{weights.name}` is an input or output already, and `{option}` names an array of its own",
                weights.span, related=(Label(taken[weights.name], f"`{weights.name}`"),),
                help=f"give the weights another name: `{option}={weights.name}_weight`",
            )  # fmt: skip
            continue
        other = first.setdefault(weights.name, weights)
        here, there = weights_type(weights), weights_type(other)
        if here.shape != there.shape:
            problems.error(
                "NN0505", f"outputs `{other.output.name}` and `{output.name}` share the weights `{weights.name}`, and "
                f"take them as {there} and {here}", weights.span, related=(Label(other.span, str(there)),),
                help="give each an array of its own",
            )  # fmt: skip
