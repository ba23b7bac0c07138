"""The training part of an emitted torch program: what `templates/torch/training.py.j2` needs.

The contract, for `nndsl run` and whoever else imports an emitted program:

- `ARRAYS`: name → (shape without the batch axis, torch dtype) of every input and target; `INPUTS` and `TARGETS` are
  their names, in order. `to_tensor(name, array)` checks one and converts it; ValueError says what does not fit.
- `forward_batch(model, batch)` → (predictions, losses), both by output; `batch` holds inputs and targets by name.
  It uses the model's mode: class weights count in training alone.
- `total_loss(model, losses)` → the scalar to minimise: weighted losses and the penalties of that batch.
- `make_optimizer(model)` → a torch optimizer whose `step()` does all of it: schedule, clipping, weight decay before,
  constraints behind. Its state_dict holds the schedule's step too.
- `make_metrics()` → metrics by output and name, where there are any: `update(prediction, target)`, `result()`; where
  `model.output_masks` has a mask for the output they see only the samples that it keeps.
- `run(model, batches[, optimizer])` → the numbers of one pass under Keras's names (`loss`, `age_loss`,
  `gender_accuracy`), training where there is an optimizer.
- `EPOCHS` or `STEPS`, `BATCH_SIZE`, `SEED`, and `make_watchers()` where the section has callbacks.
- Outputs are trained only where `TARGETS` is not empty: else there is `ARRAYS`, `to_tensor`, `predict`, `main` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from nndsl import code
from nndsl.ir.graph import Model, Output, Value
from nndsl.layers.emit import InitRecord, TorchScope
from nndsl.layers.training import TrainingCall
from nndsl.passes.logits import logits_activation
from nndsl.passes.train_checks import callback_mode
from nndsl.targets.printing import block, broken, signature
from nndsl.targets.training_settings import arrays, settings, trained_outputs

_FUNCTIONAL = "import torch.nn.functional as F"


def pieces(model: Model, scope: TorchScope, class_name: str) -> dict[str, object]:
    """The context of the template. Asks `scope` for helpers and imports."""
    scope.imports |= {"import argparse", "from collections.abc import Iterator", "from typing import Any"}
    scope.imports.add("import numpy as np")
    if any(output.loss is not None for output in model.outputs):
        scope.imports.add("from collections.abc import Iterable")
        if model.training.given.get("steps"):
            scope.imports.add("import itertools")
    trained = trained_outputs(model)
    logits = {o.value: a for o in model.outputs if (a := logits_activation(o)) is not None}
    calls = {
        output.name: TrainingCall(
            scope, output.value.type, logits=logits.get(output.value), sparse=bool(output.loss and output.loss.sparse)
        )
        for output in model.outputs
    }
    given, optimizer = model.training.given, model.training.optimizer
    masked = [output for output in trained if output.value.type.mask]
    records = list(_trainable(model, scope))
    callbacks = list(given.get("callbacks", ()))
    constraints = _constraints(records, scope)
    context: dict[str, object] = {
        **settings(model),
        "class_name": class_name,
        "heads": _heads(class_name, masked=bool(masked), weighted="class_weight" in given),
        "arrays": _arrays(model),
        "input_names": _strings("INPUTS", [item.name for item in model.inputs]),
        "target_names": _strings("TARGETS", [output.name for output in trained]),
        "several": len(trained) > 1,
        "named": len(model.outputs) > 1,  # as in Keras, where outputs without a loss count too
        "call": _forward_call(model, bool(logits)),
        "predict_call": _predict_call(model),
        "has_logits": bool(logits),
        "predictions": _predictions(model, logits, calls),
        "masked": bool(masked),
        "losses": _losses(trained, logits, calls, masked, given.get("class_weight")),
        "class_weight": "class_weight" in given,
        "total": _total(trained, records, scope),
        "penalised": scope.activity or any(record.weight.regularizer is not None for record in records),
        "constraints": constraints,
        "metrics": _metrics(trained, calls),
        "metric_masks": bool(masked) and any(output.metrics for output in masked),
        "optimizer": _optimizer(model, scope, constrained=bool(constraints)) if trained else "",
        "schedule": "",
        "schedule_doc": "",
        "optimizer_doc": f"{type(optimizer).__name__} as Keras defines it.",
        "watchers": _watchers(model, callbacks, scope) if trained else "",
        "watcher_types": " | ".join(sorted({type(callback).__name__ for callback in callbacks})),
        "double": model.float_dtype == "float64",
    }
    if optimizer.schedule is not None and trained:
        call = TrainingCall(scope, model.outputs[0].value.type)
        context["schedule"] = block(optimizer.schedule.body(call, code.Name("step")), 1)
        context["schedule_doc"] = f"The learning rate of a step, by {type(optimizer.schedule).__name__}."
    if any("F." in str(text) for text in context.values()):
        scope.imports.add(_FUNCTIONAL)
    return context


def _heads(class_name: str, *, masked: bool, weighted: bool) -> dict[str, str]:
    """The heads of the functions whose parameters differ, broken where they are long."""
    model, tensors = f"model: {class_name}", "dict[str, Tensor]"
    losses = [f"outputs: {tensors}", f"targets: {tensors}"]
    losses += [f"masks: {tensors}"] * masked + ["*", "weighted: bool"] * weighted
    return {
        "compute_losses": signature("compute_losses", losses, tensors, 0),
        "total_loss": signature("total_loss", [model, f"losses: {tensors}"], "Tensor", 0),
        "forward_batch": signature("forward_batch", [model, f"batch: {tensors}"], f"tuple[{tensors}, {tensors}]", 0),
        "constrain": signature("constrain", [model], "None", 0),
        "make_optimizer": signature("make_optimizer", [model], "torch.optim.Optimizer", 0),
        "predict": signature(
            "predict",
            [model, f"data: {tensors}", "batch_size: int = BATCH_SIZE"],
            "dict[str, np.ndarray]",
            0,
        ),
    }


# ---------------------------------------------------------------------------------------------------- data


def _arrays(model: Model) -> str:
    items = {name: (shape, code.dotted(f"torch.{dtype}")) for name, (shape, dtype) in arrays(model).items()}
    return "\n".join(
        broken(code.lift(items), "ARRAYS: dict[str, tuple[tuple[int | None, ...], torch.dtype]] = ", "", 0)
    )


def _strings(name: str, values: list[str]) -> str:
    kind = ": tuple[str, ...]" if not values else ""
    return "\n".join(broken(code.lift(tuple(values)), f"{name}{kind} = ", "", 0))


# ------------------------------------------------------------------------------------- forward and losses


def _item(variable: str, name: str) -> code.Expr:
    return code.index(code.Name(variable), name)


def _forward_call(model: Model, logits: bool) -> str:
    inputs = [_item("batch", item.name) for item in model.inputs]
    call = code.call("model", *inputs, **({"logits": True} if logits else {}))
    return block([code.Assign((code.Name("outputs"),), call)], 1)


def _predict_call(model: Model) -> str:
    call = code.call("model", *(_item("batch", item.name) for item in model.inputs))
    every = code.Comprehension(
        call, code.Name("batch"), code.call("batches", code.Name("data"), code.Name("batch_size"))
    )
    return block([code.Assign((code.Name("parts"),), every)], 1)


def _predictions(model: Model, logits: dict[Value, str], calls: dict[str, TrainingCall]) -> str:
    """The outputs with their last activation where it was left out."""
    items = tuple(
        (code.Literal(output.name), _activated(logits[output.value], _item("outputs", output.name)))
        for output in model.outputs
        if output.value in logits
    )
    if not items:
        return ""
    if len(items) == len(model.outputs):
        return "\n".join(broken(code.Dict(items), "predictions = ", "", 1))
    return "\n".join(broken(code.binary("|", code.Name("outputs"), code.Dict(items)), "predictions = ", "", 1))


def _activated(activation: str, value: code.Expr) -> code.Expr:
    return code.call("F.softmax", value, dim=-1) if activation == "softmax" else code.call("torch.sigmoid", value)


def _losses(
    trained: list[Output],
    logits: dict[Value, str],
    calls: dict[str, TrainingCall],
    masked: list[Output],
    class_weight: tuple[float, ...] | None,
) -> str:
    body: list[code.Stmt] = []
    weight: code.Expr | None = None
    items: list[tuple[code.Expr, code.Expr]] = []
    for output in trained:
        prediction, target = _item("outputs", output.name), _item("targets", output.name)
        if class_weight is not None:
            weight = code.Name("weight")
            body += _class_weights(output, target, class_weight)
        call = calls[output.name]
        if call.logits and logits_activation(output) is None:  # another output of the same value wants the logits
            prediction = _activated(call.logits, prediction)
            call = TrainingCall(call.scope, call.prediction, sparse=call.sparse)
        mask = _item("masks", output.name) if output in masked else None
        items.append((code.Literal(output.name), output.loss.torch(call, prediction, target, mask=mask, weight=weight)))
    return block([*body, code.Return(code.Dict(tuple(items)))], 1)


def _class_weights(output: Output, target: code.Expr, weights: tuple[float, ...]) -> list[code.Stmt]:
    """The weight of each sample's class, as Keras reads the class from the target."""
    ids: code.Expr = target
    if not output.loss.sparse:
        one = output.value.type.last == 1
        ids = code.method(code.index(target, code.ELLIPSIS, 0), "long") if one else code.method(target, "argmax", -1)
    name, weight = code.Name("ids"), code.Name("weight")
    of_classes = code.call("torch.tensor", list(weights), device=code.Attr(name, "device"))
    chosen: tuple[code.Stmt, ...] = (
        code.Assign((weight,), of_classes),
        code.Assign((weight,), code.index(weight, name)),
    )
    start = code.Assign((weight,), code.call("torch.ones", code.Tuple(())))
    return [code.Assign((name,), ids), start, code.If(code.Name("weighted"), chosen)]


def _total(trained: list[Output], records: list[InitRecord], scope: TorchScope) -> str:
    """The body of `total_loss`: weighted losses, penalties of weights, the activity penalty of the last forward."""
    terms: list[code.Expr] = []
    for output in trained:
        loss = _item("losses", output.name)
        terms.append(loss if output.weight == 1.0 else code.binary("*", output.weight, loss))
    for record in records:
        if record.weight.regularizer is not None:
            terms.append(record.weight.regularizer.torch(scope, record.target, record.steps))
    if scope.activity:
        terms.append(code.dotted("model.activity_penalty"))
    if not terms:
        return ""
    return block([code.Return(code.total(terms))], 1)


def _trainable(model: Model, scope: TorchScope) -> Iterator[InitRecord]:
    """The tensors of weights that training changes, seen from outside the model."""
    frozen = {use.path for use in model.layers if not use.config.trainable}
    for entry, record in zip(scope.state, scope.inits, strict=True):
        path = entry.path.rpartition("/")[0]
        if record.weight.trainable and not any(path == name or path.startswith(f"{name}.") for name in frozen):
            yield replace(record, target=_outside(record.target))


def _outside(target: code.Expr) -> code.Expr:
    """`self.dense.weight` as `model.dense.weight`."""
    match target:
        case code.Name("self"):
            return code.Name("model")
        case code.Attr(value, name):
            return code.Attr(_outside(value), name)
        case code.Index(value, items):
            return code.Index(_outside(value), items)
        case code.Call(func, args, kwargs):  # self.lstm.get_parameter("weight_ih_l0")
            return code.Call(_outside(func), args, kwargs)
    return target


def _constraints(records: list[InitRecord], scope: TorchScope) -> str:
    body: list[code.Stmt] = []
    for record in records:
        if record.weight.constraint is not None:
            body += record.weight.constraint.torch(scope, record)
    return block(body, 1) if body else ""


# ------------------------------------------------------------------------- metrics, optimizer, callbacks


def _metrics(trained: list[Output], calls: dict[str, TrainingCall]) -> str:
    groups = {
        output.name: {metric.label: metric.torch(calls[output.name]) for metric in output.metrics}
        for output in trained
        if output.metrics
    }
    return block([code.Return(code.lift(groups))], 1) if groups else ""


def _optimizer(model: Model, scope: TorchScope, *, constrained: bool) -> str:
    """The body of `make_optimizer`."""
    optimizer = model.training.optimizer
    call = TrainingCall(scope, model.outputs[0].value.type)
    plateau = any(type(c).__name__ == "ReduceLROnPlateau" for c in model.training.get("callbacks", ()))
    constant = optimizer.schedule is None and not plateau
    name = code.Name("optimizer")
    made = optimizer.torch(call, code.call("model.parameters"), constant=constant)
    body: list[code.Stmt] = []
    for hook in optimizer.hooks(call):
        if isinstance(hook, code.Call) and hook.func == code.Name("clip_norm"):
            hook = code.Call(hook.func, (*hook.args, *_joint(scope)))
        body.append(code.Do(code.method(name, "register_step_pre_hook", hook)))
    if constrained:
        constrain = code.Lambda("*_", code.call("constrain", code.Name("model")))
        body.append(code.Do(code.method(name, "register_step_post_hook", constrain)))
    if not body:
        return block([code.Return(made)], 1)
    return block([code.Assign((name,), made), *body, code.Return(name)], 1)


def _joint(scope: TorchScope) -> Iterator[code.Expr]:
    """The tensors that hold one weight of Keras's together (the two biases of a GRU)."""
    parts: dict[str, list[code.Expr]] = {}
    for entry, record in zip(scope.state, scope.inits, strict=True):
        if record.weight.trainable:
            parts.setdefault(entry.path, []).append(_outside(record.target))
    for targets in parts.values():
        if len(targets) > 1:
            yield code.Tuple(tuple(targets))


def _watchers(model: Model, callbacks: list[Any], scope: TorchScope) -> str:
    if not callbacks:
        return ""
    call = TrainingCall(scope, model.outputs[0].value.type)
    made = [callback.torch(call, callback_mode(model, callback)) for callback in callbacks]
    return block([code.Return(code.List(tuple(made)))], 1)
