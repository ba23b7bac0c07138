"""`measure` and `results` of an emitted torch program: the losses and metrics of a batch, and what is reported of their
means."""

from __future__ import annotations

from collections.abc import Iterator

from nndsl import code
from nndsl.ir.graph import Model, Output
from nndsl.layers.emit import TorchScope
from nndsl.layers.training import Metric, TrainingCall
from nndsl.passes.logits import logits_activation
from nndsl.targets.printing import WIDTH, flat
from nndsl.targets.training_settings import trained_outputs

_PREDICTION, _TARGET, _MASK = code.Name("prediction"), code.Name("target"), code.Name("mask")


def measure(model: Model, scope: TorchScope, *, penalised: bool) -> list[code.Stmt]:
    """The body of `measure(model, batch)`."""
    trained = trained_outputs(model)
    logits = {o.value: a for o in model.outputs if (a := logits_activation(o)) is not None}
    inputs = [code.index(code.Name("batch"), item.name) for item in model.inputs]
    outputs = code.call("model", *inputs, **({"logits": True} if logits else {}))
    body: list[code.Stmt] = []
    if len(trained) > 1:
        body.append(code.Assign((code.Name("outputs"),), outputs))
        body.append(code.Assign((code.Name("values"),), code.Dict(()), annotation="dict[str, Tensor]"))
    penalties = [code.call("penalty", code.Name("model"))] if penalised else []
    weights = model.training.given.get("class_weight")
    for output in trained:
        sparse = output.loss.sparse
        call = TrainingCall(scope, output.value.type, logits=logits.get(output.value), sparse=sparse)
        body += _read(output, outputs if len(trained) == 1 else code.Name("outputs"))
        masked = bool(output.value.type.mask)
        if masked:
            body.append(code.Assign((_MASK,), code.index(code.dotted("model.output_masks"), output.name)))
        if weights is not None:
            body += _class_weights(output, weights)
        elif output.weights is not None:
            body.append(code.Assign((code.Name("weight"),), _of_samples(output)))
        if call.logits and logits_activation(output) is None:  # another output of the same value wants the logits
            body.append(_activate(call.logits))
            call = TrainingCall(scope, output.value.type, sparse=sparse)
        loss = output.loss.torch(
            call,
            _PREDICTION,
            _TARGET,
            mask=_MASK if masked else None,
            weight=code.Name("weight") if weights is not None or output.weights is not None else None,
        )
        metrics = list(_metrics(model, output, call, masked=masked))
        if len(trained) > 1:
            body.append(code.Assign((_value(f"{output.name}_loss"),), loss))
        else:
            loss = code.total([loss if output.weight == 1.0 else code.binary("*", output.weight, loss), *penalties])
            if short := _at_once(loss, metrics):
                return [*body, *short]
            body.append(code.Assign((code.Name("values"),), code.Dict(((code.Literal("loss"), loss),))))
        body += metrics
    if len(trained) == 1:
        return [*body, code.Return(code.Name("values"))]
    losses = [_value(f"{o.name}_loss") for o in trained]
    terms = [v if o.weight == 1.0 else code.binary("*", o.weight, v) for o, v in zip(trained, losses, strict=True)]
    body.append(code.Assign((code.Name("loss"),), code.total([*terms, *penalties])))
    whole = code.Dict(((code.Literal("loss"), code.Name("loss")),))
    return [*body, code.Return(code.binary("|", whole, code.Name("values")))]


def _read(output: Output, outputs: code.Expr) -> list[code.Stmt]:
    """`prediction` and `target`, on as few lines as they fit."""
    prediction, target = code.index(outputs, output.name), code.index(code.Name("batch"), output.name)
    fits = len(f"    prediction, target = {flat(prediction)}, {flat(target)}") <= WIDTH
    if fits or isinstance(outputs, code.Name):
        return [code.Assign((_PREDICTION, _TARGET), code.Tuple((prediction, target)))]
    if len(f"    prediction = {flat(prediction)}") <= WIDTH:
        return [code.Assign((_PREDICTION,), prediction), code.Assign((_TARGET,), target)]
    called = code.Assign((code.Name("outputs"),), outputs)
    return [called, *_read(output, code.Name("outputs"))]


def _at_once(loss: code.Expr, metrics: list[code.Stmt]) -> list[code.Stmt]:
    """The loss and its one metric, if any, returned in one dict, where that is short; else nothing."""
    items: list[tuple[code.Expr, code.Expr]] = [(code.Literal("loss"), loss)]
    match metrics:
        case []:
            pass
        case [code.Assign((code.Index(code.Name("values"), (code.Literal() as name,)),), value)]:
            items.append((name, value))
        case _:
            return []
    if _fits(items):
        return [code.Return(code.Dict(tuple(items)))]
    items[0] = (code.Literal("loss"), code.Name("loss"))
    if _fits(items):
        return [code.Assign((code.Name("loss"),), loss), code.Return(code.Dict(tuple(items)))]
    return []


def _fits(items: list[tuple[code.Expr, code.Expr]]) -> bool:
    return len(f"    return {flat(code.Dict(tuple(items)))}") <= WIDTH


def results(model: Model, scope: TorchScope) -> list[code.Stmt]:
    """The body of `results(means)`, but for its end: what is more than a mean over all samples. Empty where all are."""
    body: list[code.Stmt] = []
    for output in trained_outputs(model):
        if not output.metrics:
            continue
        if output.value.type.mask:
            kept = code.method(code.method(code.Name("means"), "pop", _kept(model, output)), "clamp", min=1e-7)
            body.append(code.Assign((code.Name("kept"),), kept))
        for metric in output.metrics:
            mean = result = code.index(code.Name("means"), _key(model, output, metric))
            value: code.Expr = code.Binary("/", mean, code.Name("kept")) if output.value.type.mask else mean
            if metric.finish:
                finish = code.dotted(metric.finish) if "." in metric.finish else _helper(scope, metric.finish)
                value = code.call(finish, value)
            if value != mean:
                body.append(code.Assign((result,), value))
    return body


def _helper(scope: TorchScope, name: str) -> code.Name:
    scope.helpers[name] = None
    return code.Name(name)


def _value(name: str) -> code.Index:
    return code.index(code.Name("values"), name)


def _key(model: Model, output: Output, metric: Metric) -> str:
    """The name in reports: as in Keras with the output's where there are several, those without a loss included."""
    return f"{output.name}_{metric.label}" if len(model.outputs) > 1 else metric.label


def _kept(model: Model, output: Output) -> str:
    """The name of the share of samples that the mask keeps: none that a metric has."""
    taken = {_key(model, other, metric) for other in model.outputs for metric in other.metrics}
    name = f"{output.name}_kept"
    while name in taken:
        name += "_"
    return name


def _metrics(model: Model, output: Output, call: TrainingCall, *, masked: bool) -> Iterator[code.Stmt]:
    """What the metrics of an output add to `values`: means over the samples, of which a mask leaves some out."""
    if call.logits and not all(metric.ranks(call.prediction) for metric in output.metrics):
        yield _activate(call.logits)
    size: code.Expr = code.call("len", _TARGET)
    if masked and output.metrics:
        both = code.Tuple((code.index(_PREDICTION, _MASK), code.index(_TARGET, _MASK)))
        yield code.Assign((_PREDICTION, _TARGET), both)
        size = code.method(_MASK, "numel")
        kept = code.method(code.method(_MASK, "float"), "mean")
        yield code.Assign((_value(_kept(model, output)),), kept)
    for metric in output.metrics:
        target = _value(_key(model, output, metric))
        numbers = metric.torch(call, _PREDICTION, _TARGET)
        if metric.counted:
            yield code.Assign((target,), code.Binary("/", numbers, size))
        elif masked:
            yield code.Assign((target,), code.Binary("/", code.call("torch.sum", numbers), size))
        else:
            yield code.Assign((target,), _mean(numbers))


def _mean(numbers: code.Expr) -> code.Expr:
    """`(prediction == target).float().mean()`, or torch.mean(…) of what is no such chain."""
    if isinstance(numbers, code.Call) and isinstance(numbers.func, code.Attr) and not numbers.args + numbers.kwargs:
        return code.method(numbers, "mean")
    return code.call("torch.mean", numbers)


def _activate(activation: str) -> code.Stmt:
    """`prediction` with the last activation, which was left out."""
    if activation == "softmax":
        return code.Assign((_PREDICTION,), code.call("F.softmax", _PREDICTION, dim=-1))
    return code.Assign((_PREDICTION,), code.call("torch.sigmoid", _PREDICTION))


def _of_samples(output: Output) -> code.Expr:
    """The weights of the samples in a batch, in the shape of their losses or broadcast to it."""
    assert output.weights is not None
    given = code.index(code.Name("batch"), output.weights.name)
    places = output.value.type.rank - 2
    if output.weights.each or places < 1:
        return given
    return code.index(given, code.Slice(), *[code.Literal(None)] * places)


def _class_weights(output: Output, weights: tuple[float, ...]) -> Iterator[code.Stmt]:
    """The weight of each sample's class, as Keras reads the class from the target."""
    ids: code.Expr = _TARGET
    if not output.loss.sparse:
        one = output.value.type.last == 1
        ids = code.method(code.index(ids, code.ELLIPSIS, 0), "long") if one else code.method(ids, "argmax", -1)
    weight = code.Name("weight")
    of_classes = code.call("torch.tensor", list(weights), device=code.dotted("target.device"))
    chosen = (code.Assign((weight,), of_classes), code.Assign((weight,), code.index(weight, ids)))
    yield code.Assign((weight,), code.call("torch.ones", code.Tuple(())))
    yield code.If(code.dotted("model.training"), chosen)
