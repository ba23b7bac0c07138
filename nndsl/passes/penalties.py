"""`penalty NAME = expression with weight=…`: a term of the model's own values in the loss."""

from __future__ import annotations

import math

from nndsl.diagnostics.model import Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.ir.graph import Penalty
from nndsl.layers.aligning import show
from nndsl.layers.values import show as show_value
from nndsl.passes.bind import Binder
from nndsl.passes.evaluate import Failed
from nndsl.passes.flows import Flows
from nndsl.passes.resolve import did_you_mean_fix
from nndsl.syntax import ast


def elaborate_penalty(
    statement: ast.PenaltyStmt, found: list[Penalty], flows: Flows, binder: Binder, problems: Problems
) -> None:
    """Adds one `penalty` of a model or block to `found`; all values of its body are known."""
    name = statement.name
    weight = _weight(statement, binder, problems)
    flows.current = statement
    values = flows.read(statement.value, name.text)
    if values is None or not all(value.type.known for value in values):
        return
    if len(values) != 1:
        problems.error(
            "NN0213", f"penalty `{name.text}` is one value, and this flow gives {len(values)}", name.span,
            help="add them: `penalty total = a + b`",
        )  # fmt: skip
        return
    (value,) = values
    type_ = value.type
    if not type_.is_float:
        problems.error(
            "NN0508", f"penalty `{name.text}` adds floats to the loss, and this is {show(type_)}", value.span,
            help="convert it: `cast(…, float)`",
        )  # fmt: skip
    elif type_.features:
        problems.error(
            "NN0508",
            f"penalty `{name.text}` is one number, or one for each sample, and this is {show(type_)}",
            value.span, f"has the axes {', '.join(map(str, type_.features))}",
            help="reduce it: `sum(…, axis=-1)` sums over the last axis, `mean(…)` takes the mean of all there is",
        )  # fmt: skip
    else:
        if not value.name and value.producer is not None:
            value.name = name.text
        found.append(Penalty(flows.names.prefix + name.text, value, weight, statement.span))


def _weight(statement: ast.PenaltyStmt, binder: Binder, problems: Problems) -> float:
    weight = 1.0
    first: ast.Arg | None = None
    for option in statement.options:
        name = option.name.text if option.name is not None else ""
        place = option.name.span if option.name is not None else option.span
        if name != "weight":
            problems.error(
                "NN0216", f"a penalty has no option `{name}`", place,
                help=did_you_mean(name, ("weight",)) or "its only option is `weight`: `with weight=0.1`",
                fixes=did_you_mean_fix(place, suggest(name, ("weight",))),
            )  # fmt: skip
            continue
        if first is not None:
            problems.error(
                "NN0207", "`weight` is given twice", option.span, "again here",
                related=(Label(first.span, "first here"),), help="leave one of them out",
            )  # fmt: skip
            continue
        first = option
        try:
            value = binder.evaluate(option.value)
        except Failed:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            problems.error(
                "NN0505", f"`weight` of penalty `{statement.name.text}` must be a number, not {show_value(value)}",
                option.value.span, help="it multiplies the penalty; 1 is the default",
            )  # fmt: skip
            continue
        weight = float(value)
    return weight
