"""Outputs: what `with loss=…, weight=…, metrics=[…], weighted_metrics=[…]` says, and whether it fits the model.

`elaborate_output_options` reads the options; `check_outputs` runs once all types are known.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.ir.graph import LayerUse, Model, Output
from nndsl.ir.types import TensorType
from nndsl.layers.measures import Loss, Metric
from nndsl.layers.values import Option, show
from nndsl.passes.bind import Binder, option_entry
from nndsl.passes.evaluate import Failed
from nndsl.passes.logits import last_activation
from nndsl.passes.resolve import did_you_mean_fix
from nndsl.passes.sample_weights import check_weights, read_weights
from nndsl.passes.train_checks import check_training
from nndsl.passes.train_section import elaborate_training
from nndsl.records import replace
from nndsl.source import Span
from nndsl.syntax import ast

__all__ = ["check_outputs", "elaborate_output_options", "elaborate_training", "target_type"]

OPTIONS = ("loss", "weight", "metrics", "weighted_metrics", "sample_weight", "step_weight")
_MEANT = {
    "loss_weight": "weight",
    "loss_weights": "weight",
    "metric": "metrics",
    "sample_weights": "sample_weight",
    "weights": "sample_weight",
}
_PROBABILITIES = ("softmax", "sigmoid", "hard_sigmoid", "sparse_sigmoid")


MOST_OUTPUTS = 500  # their losses are one sum in the emitted program, which Python reads by recursion
MOST_PENALTIES = 500  # the same


def target_type(output: Output) -> TensorType:
    """What the data must hold for an output: class ids (int64, without the last axis) for a sparse loss, else an array
    like the output."""
    type_ = replace(output.value.type, mask=False)
    return output.loss.target(type_) if isinstance(output.loss, Loss) else type_


def elaborate_output_options(output: Output, options: tuple[ast.Arg, ...], binder: Binder, problems: Problems) -> None:
    """Reads the options of an `output` statement into it."""
    spans: dict[str, Span] = {}
    for option in options:
        name = option.name.text if option.name is not None else ""
        if name not in OPTIONS:
            place = option.name.span if option.name is not None else option.span
            hint = _MEANT.get(name)
            close = [hint] if hint else suggest(name, OPTIONS)
            problems.error(
                "NN0216",
                f"an output has no option `{name}`" if name else "options of an output have names",
                place,
                help=f"did you mean `{hint}`?"
                if hint
                else did_you_mean(name, OPTIONS)
                or "an output's options are `loss`, `weight`, `metrics`, `weighted_metrics`, `sample_weight` and "
                "`step_weight`",
                fixes=did_you_mean_fix(place, close) if name else (),
            )
            if close:
                spans.setdefault(close[0], option.value.span)  # what needs it is not said to lack it
            continue
        if name in spans:
            problems.error(
                "NN0207", f"`{name}` is given twice", option.span, "again here",
                related=(Label(spans[name], "first here"),), help="leave one of them out",
            )  # fmt: skip
            continue
        spans[name] = option.value.span
        if name == "loss":
            output.loss = option_entry(binder, option.value, "loss", "`loss`", binder.evaluate)
        elif name == "weight":
            _weight(output, option.value, binder, problems)
        elif name in ("sample_weight", "step_weight"):
            read_weights(output, name, option.value, problems)
        else:
            found = _metrics(option.value, binder, problems)
            for metric in found:
                metric.weighted = name == "weighted_metrics"
            output.metrics = (*output.metrics, *found)
    names = {metric.own_name for metric in output.metrics if not metric.weighted}
    for metric in output.metrics:
        metric.twin = metric.weighted and metric.own_name in names
    output.metrics = tuple(sorted(output.metrics, key=lambda metric: metric.weighted))
    output.options = spans
    if "weight" in spans and "loss" not in spans:
        problems.error(
            "NN0505", f"output `{output.name}` has a weight and no loss that it could multiply", spans["weight"],
            help="give it a loss, as in `with loss=mse, weight=0.5`, or leave the weight out",
        )  # fmt: skip
    for name in ("sample_weight", "step_weight"):
        if name in spans and "loss" not in spans:
            problems.error(
                "NN0505", f"output `{output.name}` has a `{name}` and no loss that it could weigh", spans[name],
                help=f"give it a loss, as in `with loss=mse, {name}=w`, or leave it out",
            )  # fmt: skip
    if output.metrics and "loss" not in spans:
        problems.error(
            "NN0503", f"output `{output.name}` has metrics and no loss",
            spans["metrics"] if "metrics" in spans else spans["weighted_metrics"],
            help="an output without a loss is predicted and not compared with targets: give it a loss",
        )  # fmt: skip


def _weight(output: Output, expr: ast.Expr, binder: Binder, problems: Problems) -> None:
    try:
        value = binder.evaluate(expr)
    except Failed:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        problems.error(
            "NN0505", f"`weight` of output `{output.name}` must be a number, 0 or more, not {show(value)}", expr.span,
            help="it multiplies the loss of this output; 1 is the default",
        )  # fmt: skip
        return
    output.weight = float(value)


def _metrics(expr: ast.Expr, binder: Binder, problems: Problems) -> tuple[Metric, ...]:
    while isinstance(expr, ast.Paren):
        expr = expr.inner
    items = expr.items if isinstance(expr, ast.ListExpr | ast.TupleExpr) else (expr,)
    found: dict[str, tuple[Metric, Span]] = {}
    for item in items:
        try:
            written = binder.evaluate(item)
        except Failed:
            continue
        metric = option_entry(binder, item, "metric", "`metrics`", partial(_given, written))
        if metric is None:
            continue
        word = written.name if isinstance(written, Option) else written
        metric.written = word if isinstance(word, str) else ""
        if metric.label in found:
            problems.error(
                "NN0503", f"metric `{metric.label}` is given twice", item.span, "again here",
                related=(Label(found[metric.label][1], "first here"),),
                help="leave one out, or give one another name: `AUC(name=other)`",
            )  # fmt: skip
            continue
        metric.place = item.span
        found[metric.label] = (metric, item.span)
    return tuple(metric for metric, _ in found.values())


def _given(value: object, _: ast.Expr) -> object:
    """An evaluation that is done already."""
    return value


# -------------------------------------------------------------------------------------------------- checks


def check_outputs(model: Model, problems: Problems) -> None:
    """Losses and metrics against shapes, dtypes and last activations; the `train` section against the model."""
    for items, most, what in ((model.outputs, MOST_OUTPUTS, "outputs"), (model.penalties, MOST_PENALTIES, "penalties")):
        if len(items) > most:
            problems.error(
                "NN0702", f"a model of more than {most} {what}", items[most].span, "one too many",
                help="put values of one kind into one tensor, with an axis for them",
            )  # fmt: skip
    for use in model.layers:
        _softmax_over_one(use, model, problems)
    for output in model.outputs:
        if output.value.type.known and not output.value.type.batched:
            _one_for_all(output, problems)
        elif output.value.type.known and output.loss is not None:
            _loss(output, problems)
            _dropout(output, problems)
            for metric in output.metrics:
                _metric(output, metric, problems)
    check_weights(model, problems)
    check_training(model, problems)


def _metric(output: Output, metric: Metric, problems: Problems) -> None:
    loss, type_ = output.loss, output.value.type
    place = metric.place or output.options["loss"]
    related = (Label(output.origin, f"the output is {type_}"),)
    if not loss.compared:
        problems.error(
            "NN0503", f"metric `{metric.label}` compares an output with its targets place by place, and those of "
            f"`{loss.spelled}` have places of their own", place, related=(Label(output.options["loss"], "the loss"),),
            help="leave it out: the loss alone is reported",
        )  # fmt: skip
        return
    problem = metric.problem(type_, loss.sparse)
    if problem:
        text, argument = (problem, "") if isinstance(problem, str) else problem
        text, _, remedy = text.partition(": ")
        problems.error(
            "NN0503", f"metric `{metric.label}` {text}", metric.spans.get(argument, place), related=related,
            help=remedy or "`accuracy` is the one that fits an output with classes, `mae` or `mse` one with numbers",
        )  # fmt: skip
    elif (metric.weighted or (type_.mask and metric.masks)) and getattr(metric, "axis", -1) not in (-1, type_.rank - 1):
        what = "a mask tells" if type_.mask and metric.masks else "weights tell"
        problems.error(
            "NN0503", f"metric `{metric.label}` has no number for each place that {what} apart: it goes along another "
            "axis than the last",
            metric.spans.get("axis", place), related=related, help="leave `axis` out",
        )  # fmt: skip


def _one_for_all(output: Output, problems: Problems) -> None:
    value = output.value
    problems.error(
        "NN0314", f"output `{output.name}` would be one value for the whole batch, {value.type} without a batch axis",
        output.name_span, "has no batch axis", related=(Label(value.span, "made here"),),
        help="axis 0 is the batch axis: reduce the axes from 1 on, as in `mean(x, axis=-1)`",
    )  # fmt: skip


def _loss(output: Output, problems: Problems) -> None:
    loss, type_, span = output.loss, output.value.type, output.options["loss"]
    here = (Label(output.origin, f"gives {type_}"),)
    if not type_.is_float:
        problems.error(
            "NN0501", f"`{loss.spelled}` compares floats, and output `{output.name}` is {type_}", span, related=here,
            help="only what is computed in floats can be trained",
        )  # fmt: skip
        return
    if not type_.batched or (type_.rank < 2 and loss.domain == "classes"):
        problems.error(
            "NN0501", f"`{loss.spelled}` needs a number for each class, and output `{output.name}` is {type_}",
            span, related=here, help="end with `Dense(classes, activation=softmax)`",
        )  # fmt: skip
        return
    if not type_.known:
        return
    if problem := loss.problem(type_):
        message, argument, help = problem
        problems.error("NN0501", message, loss.spans.get(argument, span), related=here, help=help)
        return
    if loss.domain == "classes" and type_.shape[loss.axes(type_.rank)[0]] == 1:
        problems.error(
            "NN0501",
            f"`{loss.spelled}` needs two classes or more, and the last axis of output `{output.name}` has size 1",
            span, related=here,
            help="for yes or no take `Dense(1, activation=sigmoid)` with `binary_crossentropy`; "
            "for a number to predict, `mse`; for classes give the last layer one unit for each",
        )  # fmt: skip
        return
    if type_.mask and (type_.rank != 3 or type_.mask_rank != 2):
        problems.error(
            "NN0218", f"output `{output.name}` has a mask and {type_.rank - 1} axes: its loss is not supported", span,
            related=here, help="a masked output has the axes [time, features]",
        )  # fmt: skip
    elif type_.mask and not loss.for_each(type_.rank):
        problems.error(
            "NN0501", f"output `{output.name}` has a mask, and `{loss.spelled}` has no loss for each step that it "
            "could leave out", span, related=here,
            help="leave out what makes the mask (`mask_zero=true`, `Masking()`), or take a loss of each step: "
            f"{'`axis=-1`' if 'axis' in loss.arguments else 'a cross-entropy, `mse`'}",
        )  # fmt: skip
    _activation(output, loss, here, problems)


def _activation(output: Output, loss: Any, here: tuple[Label, ...], problems: Problems) -> None:
    """The loss against the activation that the output comes from."""
    activation, span, name = last_activation(output.value), output.options["loss"], loss.spelled
    if activation is None or loss.domain == "any":
        return
    wanted = "softmax" if loss.domain == "classes" else "sigmoid"
    node = output.value.maker
    use = node.layer if node is not None else None
    place = use.arguments.get("activation", use.name_span) if use is not None else span
    if not loss.from_probabilities:
        if activation in ("softmax", "sigmoid"):
            problems.warning(
                "NN0903", f"`{name}` with `from_logits=true` applies {wanted} itself, and the output has been through "
                f"`{activation}` already", span, related=(Label(place, "the first time"),),
                help="leave out `from_logits=true` (training uses the logits by itself), or the activation",
            )  # fmt: skip
    elif activation == "linear":
        problems.warning(
            "NN0908", f"`{name}` takes probabilities, and the last layer has no activation", span,
            related=(Label(place, "any number"),),
            help=f"give it `activation={wanted}`, or the loss `from_logits=true`",
        )  # fmt: skip
    elif activation not in _PROBABILITIES:
        problems.error(
            "NN0502", f"`{name}` takes probabilities, and `{activation}` does not give any", span,
            related=(Label(place, "not between 0 and 1"),),
            help=f"end with `activation={wanted}`, or take a loss for numbers (`mse`)",
        )  # fmt: skip
    elif loss.domain == "classes" and activation != "softmax":
        given = use.arguments.get("activation") if use is not None else None
        problems.warning(
            "NN0902", f"`{name}` is for classes that exclude each other, and after `{activation}` the numbers "
            "do not sum to 1", span, related=(Label(place, f"`{activation}`"),),
            help="take `softmax`, or `binary_crossentropy` where several classes can hold at once",
            fixes=(Fix("change to `softmax`", (Edit(given, "softmax"),)),) if given is not None else (),
        )  # fmt: skip
    elif loss.takes_logits and wanted == "sigmoid" and activation == "softmax" and output.value.type.last != 1:
        problems.warning(
            "NN0902", f"`{name}` is for numbers that are yes or no each, and `softmax` makes one choice of them; it is "
            "computed as Keras does, from the numbers before the softmax as if they went through a sigmoid", span,
            related=(Label(place, "`softmax`"),),
            help="take `sigmoid` where several can hold at once, or `categorical_crossentropy` where one does",
        )  # fmt: skip


def _softmax_over_one(use: LayerUse, model: Model, problems: Problems) -> None:
    config = use.config.layer if use.config.title() == "TimeDistributed" else use.config
    softmax = config if config.title() == "Softmax" else getattr(config, "activation", None)
    if softmax is None or softmax.title().lower() != "softmax" or getattr(softmax, "axis", -1) != -1:
        return
    if use.config.doubtful or any(
        output.value.maker in use.nodes and output.loss is not None and output.loss.domain == "classes"
        for output in model.outputs
    ):
        return  # the loss says it
    if any(value.type.known and value.type.last == 1 for node in use.nodes for value in node.results[:1]):
        problems.warning(
            "NN0901", "softmax over one unit is always 1",
            (use.arguments if config is use.config else config.spans).get("activation", use.name_span), "over 1",
            help="for yes or no take `sigmoid`; for several classes give the layer one unit for each",
        )  # fmt: skip


def _dropout(output: Output, problems: Problems) -> None:
    node = output.value.maker
    if node is not None and "Dropout" in node.layer.config.title():
        problems.warning(
            "NN0906", f"`{node.layer.config.title()}` stands directly before the loss: it sets predictions to 0",
            node.layer.name_span, related=(Label(output.options["loss"], "the loss"),),
            help="put it before the last layer",
        )  # fmt: skip
