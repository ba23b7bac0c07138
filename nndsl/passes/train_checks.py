"""The `train` section against the model: what has a meaning for this model only."""

from __future__ import annotations

from collections.abc import Mapping

from nndsl.diagnostics.model import Label, Problems
from nndsl.diagnostics.suggest import did_you_mean
from nndsl.ir.graph import Model, Output
from nndsl.layers.families.optimizer_maps import MultiOptimizer
from nndsl.layers.training import Callback
from nndsl.passes.optimizer_keys import check_keys


def check_training(model: Model, problems: Problems) -> None:
    training = model.training
    trained = [output for output in model.outputs if output.options.get("loss") is not None]
    if training.written and not trained and model.outputs and not problems.has_errors:
        first = min(training.spans.values(), key=lambda span: span.start, default=model.span)
        problems.warning(
            "NN0507", f"model `{model.name}` has a `train` section, and no output has a loss", first,
            related=tuple(Label(o.name_span, "no loss") for o in model.outputs[:3]),
            help="give an output a loss: `output y = … with loss=mse`",
        )  # fmt: skip
    _state(model, problems)
    _class_weight(model, problems)
    _precision(model, problems)
    if isinstance(model.training.optimizer, MultiOptimizer) and not problems.has_errors:
        check_keys(model, model.training.optimizer, problems)
    for callback in training.get("callbacks", ()):
        _watched(model, callback, problems)
    _written(model, problems)


def is_stateful(model: Model) -> bool:
    """Whether a layer carries something from batch to batch."""
    return any(use.config.static_state for use in model.layers)


def _state(model: Model, problems: Problems) -> None:
    training, stateful = model.training, is_stateful(model)
    given, spans = training.given, training.spans
    size = given.get("batch_size")
    if model.batch is not None and size is not None and size != model.batch:
        problems.error(
            "NN0506", f"`batch_size` is {size}, and the inputs have batches of {model.batch}", spans["batch_size"],
            related=tuple(Label(item.span, f"batch {model.batch}") for item in model.inputs[:1]),
            help=f"write `batch_size = {model.batch}`, or leave it out",
        )  # fmt: skip
    if stateful and given.get("shuffle"):
        problems.error(
            "NN0506", "a stateful model carries its state from batch to batch: its samples cannot be shuffled",
            spans["shuffle"],
            related=tuple(Label(u.name_span, "stateful") for u in model.layers if u.config.static_state)[:1],
            help="leave `shuffle` out, or `stateful=true`",
        )  # fmt: skip
    if "reset_state" in given and not stateful:
        problems.error(
            "NN0506", "`reset_state` is for stateful models, and no layer of this one is", spans["reset_state"],
            help="leave it out, or give a recurrent layer `stateful=true`",
        )  # fmt: skip


def _precision(model: Model, problems: Problems) -> None:
    if (reason := why_not_in(model, model.training.half)) is not None:
        problems.error(
            "NN0506", reason, model.training.spans["precision"],
            help="leave `precision` out, or `float` in `options`; weights are float32 with `precision`",
        )  # fmt: skip
    if not model.training.half:
        return
    # A layer knows its children only where what flows in is known.
    known = (use for use in model.layers if use.nodes and all(type_.known for type_ in use.nodes[0].input_types))
    holder = next((use for use in known if use.config.penalises_activity and [*use.config.children()]), None)
    if holder is not None:
        problems.error(
            "NN0506",
            f"`precision = {model.training.half}`, and `{holder.config.title()}` holds a layer with a penalty on what "
            "it gives, which Keras 3.15 cannot add to the loss then",
            model.training.spans["precision"], related=(Label(holder.name_span, "holds it"),),
            help="leave `precision` out, or `activity_regularizer`",
        )  # fmt: skip


def why_not_in(model: Model, precision: str) -> str | None:
    """Why the model cannot be trained in "bfloat16" or "float16", or None where it can: for `--precision` too."""
    if precision in ("", "float32") or model.float_dtype == "float32":
        return None
    return f"`precision = {precision}` is for models of float32, and this one computes in {model.float_dtype}"


def _class_weight(model: Model, problems: Problems) -> None:
    weights = model.training.get("class_weight")
    if weights is None:
        return
    span = model.training.spans["class_weight"]
    trained = [output for output in model.outputs if output.loss is not None]
    if len(trained) != 1 or trained[0].loss.domain == "any" or not trained[0].loss.for_each(_rank(trained[0])):
        problems.error(
            "NN0506", "`class_weight` needs exactly one output with a loss, and that a cross-entropy", span,
            related=tuple(Label(o.options.get("loss", o.name_span)) for o in trained[:4]),
            help="leave it out; `weight` weighs an output as a whole",
        )  # fmt: skip
        return
    if trained[0].weights is not None:
        problems.error(
            "NN0506", "`class_weight` and weights of samples exclude each other, in Keras too", span,
            related=(Label(trained[0].weights.span, "weights of samples"),),
            help="leave `class_weight` out, and multiply the weights in the data by it",
        )  # fmt: skip
    last = trained[0].value.type.last
    classes = 2 if last == 1 else last
    if trained[0].value.type.known and classes != len(weights):
        problems.error(
            "NN0506", f"`class_weight` has {len(weights)} numbers, and output `{trained[0].name}` has {classes} "
            "classes", span, related=(Label(trained[0].name_span, f"{classes} classes"),),
            help="give one number for each class",
        )  # fmt: skip


def _rank(output: Output) -> int:
    return output.value.type.rank if output.value.type.known else 2


def log_names(model: Model) -> dict[str, str]:
    """The numbers that Keras reports after each epoch, each with "min" or "max", whichever is better."""
    names = {"loss": "min"}
    trained = [output for output in model.outputs if output.loss is not None]
    for output in trained:
        prefix = f"{output.name}_" if len(model.outputs) > 1 else ""  # Keras counts outputs without a loss too
        if len(trained) > 1:
            names[f"{output.name}_loss"] = "min"
        for metric in output.metrics:
            if metric.several(output.value.type) is None:  # Keras watches single numbers
                names[f"{prefix}{metric.label}"] = metric.direction
    return names


def _watched(model: Model, callback: Callback, problems: Problems) -> None:
    """What a callback cannot do without must be reported."""
    known = log_names(model)
    for name, argument in callback.watched.items():
        if name.removeprefix("val_") not in known:
            _unreported(model, callback, name, argument, known, problems)


def _unreported(
    model: Model, callback: Callback, name: str, argument: str, known: Mapping[str, str], problems: Problems
) -> None:
    span = callback.spans.get(argument, model.training.spans["callbacks"])
    names = [*known, *(f"val_{name}" for name in known)]
    several = {m.label: m for o in model.outputs for m in o.metrics if m.several(o.value.type) is not None}
    watches = "watches" if argument == "monitor" else f"writes `{argument}` with"
    if (metric := several.get(name.removeprefix("val_"))) is not None:
        problems.error(
            "NN0504", f"`{callback.title()}` {watches} one number, and `{metric.label}` reports several", span,
            related=(Label(metric.place),) if metric.place is not None else (),
            help="make it one (`average=macro`, `class_aggregation=uniform_average`, one threshold), or watch another",
        )  # fmt: skip
        return
    problems.error(
        "NN0504", f"`{callback.title()}` {watches} `{name}`, and nothing of that name is reported", span,
        help=did_you_mean(name, names) or f"reported are {', '.join(f'`{name}`' for name in names)}",
    )  # fmt: skip


def _written(model: Model, problems: Problems) -> None:
    """No two callbacks write the same file."""
    writers: dict[str, Callback] = {}
    whole = model.training.spans.get("callbacks")
    for callback in model.training.get("callbacks", ()):
        if not callback.written or whole is None:
            continue
        other = writers.setdefault(callback.written, callback)
        if other is not callback:
            places = [next(iter(item.spans.values()), whole) for item in (callback, other)]
            problems.error(
                "NN0504", f"two callbacks write `{callback.written}`", places[0],
                related=(Label(places[1], "the other"),), help="give each a name of its own",
            )  # fmt: skip


def callback_mode(model: Model, callback: Callback) -> str:
    """ "min" or "max": `auto` as Keras chooses it for the monitored number. "" where none is watched."""
    if "monitor" not in callback.watched.values() or callback.mode != "auto":
        return callback.mode
    return log_names(model)[callback.monitor.removeprefix("val_")]
