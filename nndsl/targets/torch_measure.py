"""`measure` and `results` of an emitted torch program: the losses and metrics of a batch, and what is reported of their
means and totals."""

from __future__ import annotations

from collections.abc import Iterator

from nndsl import code
from nndsl.ir.graph import Model, Output
from nndsl.layers.emit import TorchScope
from nndsl.layers.measures import Loss, Metric
from nndsl.layers.training import TrainingCall
from nndsl.passes.logits import logits_activation, loss_takes_logits
from nndsl.records import record
from nndsl.targets.printing import WIDTH, flat
from nndsl.targets.training_settings import trained_outputs

_PREDICTION, _TARGET, _MASK, _WEIGHT = map(code.Name, ("prediction", "target", "mask", "weight"))
_LOGITS = code.Name("logits")


def measure(model: Model, scope: TorchScope, *, penalised: bool) -> list[code.Stmt]:
    """The body of `measure(model, batch)`."""
    trained = trained_outputs(model)
    logits = {o.value: a for o in model.outputs if (a := logits_activation(o)) is not None}
    inputs = [code.index(code.Name("batch"), item.name) for item in model.inputs]
    options: dict[str, object] = {"logits": True} if logits else {}
    if model.training.half:
        outputs = code.call("mixed", code.Name("model"), *inputs, **options)
    else:
        outputs = code.call("model", *inputs, **options)
    body: list[code.Stmt] = []
    if len(trained) > 1:
        body.append(code.Assign((code.Name("outputs"),), outputs))
        body.append(code.Assign((code.Name("values"),), code.Dict(()), annotation="dict[str, Tensor]"))
    penalties = [code.call("penalty", code.Name("model"))] if penalised else []
    weights = model.training.given.get("class_weight")
    for output in trained:
        parts = _Parts(model, output, scope, logits.get(output.value), weighted=_weighs(model, output))
        body += _read(output, outputs if len(trained) == 1 else code.Name("outputs"), parts.read)
        if parts.masked:
            body.append(code.Assign((_MASK,), code.index(code.dotted("model.output_masks"), output.name)))
        if weights is not None:
            body += _class_weights(output, weights)
        elif output.weights is not None:
            body.append(code.Assign((_WEIGHT,), _of_samples(output)))
        body += parts.before_loss()
        loss = parts.loss()
        metrics = list(parts.metrics())
        if len(trained) > 1:
            body.append(code.Assign((_value(f"{output.name}_loss"),), loss))
        else:
            if penalties and len(f"    loss = {flat(loss)} + penalty(model)") > WIDTH:
                body.append(code.Assign((code.Name("loss"),), loss))
                loss = code.Name("loss")
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


@record
class _Parts:
    """The loss and the metrics of an output. `left_out` is the activation that `model(…, logits=True)` leaves out of
    it: some want the numbers before it, others those behind it."""

    model: Model
    output: Output
    scope: TorchScope
    left_out: str | None
    weighted: bool

    @property
    def masked(self) -> bool:
        return bool(self.output.value.type.mask)

    @property
    def early(self) -> bool:
        """Whether the loss itself is computed from logits."""
        return self.left_out is not None and loss_takes_logits(self.output)

    def _from_logits(self, metric: Metric) -> bool:
        return metric.takes_logits and self.left_out is not None

    @property
    def activates(self) -> bool:
        """Whether the activation is needed here at all."""
        metrics = self.output.metrics
        needed = (m for m in metrics if not (self._from_logits(m) or m.ranks(self.output.value.type)))
        return self.left_out is not None and (not self.early or any(needed))

    @property
    def read(self) -> code.Name:
        """The name of what the model gives: `logits` where both they and the prediction are needed side by side."""
        return _LOGITS if self.activates and any(map(self._from_logits, self.output.metrics)) else _PREDICTION

    def before_loss(self) -> Iterator[code.Stmt]:
        if self.left_out is not None and (self.read == _LOGITS or not self.early):
            yield _activate(self.left_out, self.read)

    def _call(self, logits: str | None) -> TrainingCall:
        return TrainingCall(self.scope, self.output.value.type, logits=logits, sparse=self.output.loss.sparse)

    def loss(self) -> code.Expr:
        loss: Loss = self.output.loss
        return loss.torch(
            self._call(self.left_out if self.early else None),
            self.read if self.early else _PREDICTION,
            _TARGET,
            mask=_MASK if self.masked else None,
            weight=_WEIGHT if self.weighted else None,
        )

    def metrics(self) -> Iterator[code.Stmt]:
        """What the metrics add to `values`."""
        if self.activates and self.early and self.read == _PREDICTION:
            assert self.left_out is not None
            yield _activate(self.left_out, _PREDICTION)
        for metric in self.output.metrics:
            raw = self._from_logits(metric)
            numbers = metric.torch(
                self._call(self.left_out if raw else None),
                self.read if raw else _PREDICTION,
                _TARGET,
                mask=_MASK if self.masked else None,
                weight=_WEIGHT if self.weighted and metric.weighted else None,
            )
            yield code.Assign((_value(_key(self.model, self.output, metric)),), numbers)


def _read(output: Output, outputs: code.Expr, name: code.Name) -> list[code.Stmt]:
    """`prediction` (or `logits`) and `target`, on as few lines as they fit."""
    prediction, target = code.index(outputs, output.name), code.index(code.Name("batch"), output.name)
    fits = len(f"    {name.id}, target = ({flat(prediction)}, {flat(target)})") <= WIDTH  # as it is measured
    if fits or isinstance(outputs, code.Name):
        return [code.Assign((name, _TARGET), code.Tuple((prediction, target)))]
    if len(f"    {name.id} = {flat(prediction)}") <= WIDTH:
        return [code.Assign((name,), prediction), code.Assign((_TARGET,), target)]
    called = code.Assign((code.Name("outputs"),), outputs)
    return [called, *_read(output, code.Name("outputs"), name)]


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
        type_ = output.value.type
        for metric in output.metrics:
            key = _key(model, output, metric)
            pooled = metric.pools(mask=bool(type_.mask), weight=_weighs(model, output) and metric.weighted)
            mean: code.Expr = code.index(code.Name("means"), key)
            result = metric.result(TrainingCall(scope, type_), mean, pooled=pooled)
            if metric.several(type_) is not None:
                taken = code.method(code.Name("means"), "pop", key)
                numbers = metric.result(TrainingCall(scope, type_), taken, pooled=pooled)
                body.append(code.Do(code.call(_helper(scope, "spread"), code.Name("means"), key, numbers)))
            elif result != mean:
                body.append(code.Assign((mean,), result))
    return body


def _weighs(model: Model, output: Output) -> bool:
    """Whether the samples of an output have weights."""
    return output.weights is not None or "class_weight" in model.training.given


def pools(model: Model) -> bool:
    """Whether some metric gives totals, which add up over batches."""
    return any(
        metric.pools(mask=bool(output.value.type.mask), weight=_weighs(model, output) and metric.weighted)
        for output in trained_outputs(model)
        for metric in output.metrics
    )


def _helper(scope: TorchScope, name: str) -> code.Name:
    scope.helpers[name] = None
    return code.Name(name)


def _value(name: str) -> code.Index:
    return code.index(code.Name("values"), name)


def _key(model: Model, output: Output, metric: Metric) -> str:
    """The name in reports: as in Keras with the output's where there are several, those without a loss included."""
    return f"{output.name}_{metric.label}" if len(model.outputs) > 1 else metric.label


def _activate(activation: str, given: code.Name) -> code.Stmt:
    """`prediction`: the numbers with the last activation, which was left out."""
    if activation == "softmax":
        return code.Assign((_PREDICTION,), code.call("F.softmax", given, dim=-1))
    return code.Assign((_PREDICTION,), code.call("torch.sigmoid", given))


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
    options = {"device": code.dotted("target.device")}
    if output.value.type.dtype == "float64":
        options["dtype"] = code.dotted("torch.float64")
    of_classes = code.call("torch.tensor", list(weights), **options)
    chosen = (code.Assign((_WEIGHT,), of_classes), code.Assign((_WEIGHT,), code.index(_WEIGHT, ids)))
    yield code.Assign((_WEIGHT,), code.call("torch.ones", code.Tuple(()), **options))
    yield code.If(code.dotted("model.training"), chosen)
