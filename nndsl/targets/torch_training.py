"""The training part of an emitted torch program: what `templates/torch/training.py.j2` needs.

The contract, for `nndsl run` and whoever else imports an emitted program:

- `ARRAYS`: name → (shape without the batch axis, torch dtype) of every input and target, inputs first.
  `load_data(path, names, device)` reads some of them from an .npz file; ValueError says what does not fit.
- `measure(model, batch)` → the numbers of a batch of inputs and targets by name, under Keras's names (`loss`,
  `age_loss`, `gender_accuracy`): `loss` is what training minimises. Scalars are to be averaged over the samples,
  tensors with axes are totals, to be added up over the batches.
  It uses the model's mode: class weights count in training alone.
- `results(means)` → the numbers to report, of means and totals (as float64 on the CPU), where some are not the means
  themselves (a root, a share, an area under a curve).
- `penalty(model)` → the part of `loss` that no output has, where there is one: penalties of that batch.
- `make_optimizer(model)` → a torch optimizer whose `step()` does all of it: schedule, clipping, weight decay before,
  constraints behind. Its state_dict holds the schedule's step too.
- `use_averages(optimizer)`, where the optimizer averages the weights: what ends training.
- `make_watchers()`, where the section has callbacks: objects that look at the numbers after each epoch or, where
  training counts steps, after each evaluation. ImportError where a package is missing.
  `after_epoch(epoch, logs, model, optimizer)` → whether training shall end; epochs are counted from 0. It may add to
  `logs`, as Keras's do (`learning_rate`). `after_training(model)` ends it, behind `use_averages`. Their state is in
  plain attributes: numbers, texts, None, lists, dicts, tensors. One that writes has the place in `path`, a text, which
  may be put into another folder before training; a `ModelCheckpoint`'s has fields in braces, a `TensorBoard`'s is a
  folder. `TerminateOnNaN` ends training (RuntimeError with `raise_error`) where `logs["loss"]` is not finite: whoever
  has a loop of his own stops it at such a batch, as `run` does.
- `PRECISION`, `mixed(model, *inputs[, logits=True])` → the outputs in float32, computed in half precision under
  `torch.autocast`, where the section says so; `measure` goes through it. `--precision` of the command line is to be put
  into `model.training.given["precision"]` before the program is emitted, so that the program is the one that is
  trained; `passes.train_checks.why_not_in` says where it cannot be.
- `make_scaler(device)` → the GradScaler of a model in float16: `scaler.scale(values["loss"])` goes backward,
  `scaler.step(optimizer)` and `scaler.update()` are in place of `optimizer.step()`. Its state_dict is not in the file
  of weights.
- `run(model, data, size[, optimizer[, scaler]])` → the numbers of one pass, training where there is an optimizer (and
  a scaler, in float16); where training counts steps, `run(model, batches[, optimizer[, scaler]])`.
- Where no output has a loss there are `ARRAYS` and `load_data` alone.
- The file of weights is the pair of the state_dicts of model and optimizer; where nothing is trained, the former alone.
- The command line stands under `if __name__ == "__main__"`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nndsl import code
from nndsl.ir.graph import Model
from nndsl.layers.base import Layer
from nndsl.layers.emit import InitRecord, TorchScope
from nndsl.layers.training import Held, TrainingCall
from nndsl.passes.logits import logits_activation
from nndsl.passes.train_checks import callback_mode
from nndsl.records import replace
from nndsl.targets.printing import WIDTH, block, broken, flat, signature
from nndsl.targets.torch_measure import measure, pools, results
from nndsl.targets.torch_optimizer import optimizer_body, optimizer_parts, schedules
from nndsl.targets.training_settings import arrays, settings, trained_outputs

_FUNCTIONAL = "import torch.nn.functional as F"


def pieces(model: Model, scope: TorchScope, class_name: str) -> dict[str, object]:
    """The context of the template. Asks `scope` for helpers and imports."""
    scope.imports |= {"import argparse", "import numpy as np", "from itertools import zip_longest"}
    trained, common = trained_outputs(model), settings(model)
    if trained and common["steps"]:
        scope.imports |= {"from collections.abc import Iterable, Iterator", "from itertools import islice"}
    if trained:
        scope.imports.add("from torch import optim")
        if common["averages"]:
            scope.helpers["use_averages"] = None
    given = model.training.given
    logits = any(logits_activation(output) is not None for output in model.outputs)
    weights = _trainable(model, scope)
    callbacks = list(given.get("callbacks", ()))
    constraints = _constraints(weights, scope)
    penalty = _penalty(weights, scope) if trained else ""
    context: dict[str, object] = {
        **common,
        "class_name": class_name,
        "heads": _heads(class_name, common, logits=logits) | {"make_watchers": _make_watchers(callbacks)},
        "arrays": _arrays(model),
        "first": model.inputs[0].name,
        "names": _names(model),
        "several": len(trained) > 1,
        "metrics": any(output.metrics for output in trained),
        "measure": block(measure(model, scope, penalised=bool(penalty)), 1) if trained else "",
        "results": block(results(model, scope), 1) if trained else "",
        "pools": pools(model),
        "penalty": penalty,
        "activity": scope.activity,
        "constraints": constraints,
        "optimizer": "",
        "schedules": [],
        "watchers": _watchers(model, callbacks, scope) if trained else "",
        "logits": logits,
        "lstm": any(_holds_lstm(use.config) for use in model.layers),
        "all_float": all(output.value.type.is_float for output in model.outputs),
        "needs_package": any(callback.title() == "TensorBoard" for callback in callbacks),
        "parts": _parts(model, 3 if trained else 2, fixed_batch=model.batch is not None, half=bool(common["half"])),
        "double": model.float_dtype == "float64",
    }
    if trained:
        parts = optimizer_parts(model, _call(model, scope))
        context["optimizer"] = optimizer_body(model, parts, constrained=bool(constraints))
        context["schedules"] = schedules(parts)
    if any("F." in str(text) for text in context.values()):
        scope.imports.add(_FUNCTIONAL)
    return context


def _holds_lstm(layer: Layer) -> bool:
    return layer.title() == "LSTM" or any(_holds_lstm(inner) for _, inner, _ in layer.children())


def _heads(class_name: str, common: dict[str, object], *, logits: bool) -> dict[str, str]:
    """The heads of the functions that differ in their parameters, or are long, broken as ruff breaks them."""
    model, data, optimizer = f"model: {class_name}", "data: Data", "optimizer: optim.Optimizer | None = None"
    passed = ["batches: Iterable[Data]"] if common["steps"] else [data, "size: int"]
    scaler = ["scaler: torch.amp.GradScaler | None = None"] if common["half"] == "float16" else []
    state = [model] if common["resets"] else []
    return {
        "penalty": signature("penalty", [model], "Tensor", 0),
        "mixed": signature("mixed", [model, "*inputs: Tensor", *["logits: bool = False"] * logits], "Data", 0),
        "measure": signature("measure", [model, "batch: Data"], "Data", 0),
        "constrain": signature("constrain", [model], "None", 0),
        "make_optimizer": signature("make_optimizer", [model], "optim.Optimizer", 0),
        "batches": signature("batches", [*state, data, "size: int", "endless: bool = False"], "Iterator[Data]", 0),
        "run": signature("run", [model, *passed, optimizer, *scaler], "dict[str, float]", 0),
        "load_data": signature("load_data", ["path: str", "names: list[str]", "device: torch.device | str"], "Data", 0),
    }


# ---------------------------------------------------------------------------------------------------- data


def _arrays(model: Model) -> str:
    items = {name: (shape, code.dotted(f"torch.{dtype}")) for name, (shape, dtype) in arrays(model).items()}
    return "\n".join(broken(code.lift(items), "ARRAYS = ", "", 0))


def _names(model: Model) -> str:
    """Which arrays the command line reads: the conditional expression is broken as ruff breaks it."""
    if not trained_outputs(model):
        return "        names = list(ARRAYS)"
    inputs, rest = code.lift([item.name for item in model.inputs]), 'if args.command == "predict" else list(ARRAYS)'
    line = f"{flat(inputs)} {rest}"
    if len(f"        names = {line}") <= WIDTH:
        return f"        names = {line}"
    if len(f"            {line}") <= WIDTH:
        return f"        names = (\n            {line}\n        )"
    lines = [*broken(inputs, "", "", 3), '            if args.command == "predict"', "            else list(ARRAYS)"]
    return "\n".join(["        names = (", *lines, "        )"])


def _parts(model: Model, indent: int, *, fixed_batch: bool, half: bool) -> str:
    """The outputs of each batch, for predictions."""
    size = code.Name("BATCH_SIZE") if fixed_batch else code.dotted("args.size")
    x, splits, parts = code.Name("x"), code.Name("splits"), code.Name("parts")
    inputs = [code.index(code.Name("data"), item.name) for item in model.inputs]
    several = len(inputs) > 1
    body: list[code.Stmt] = [code.Do(code.call("model.eval"))] if half else []
    given: code.Expr = code.call("torch.split", inputs[0], size)
    if several:
        split = code.Comprehension(code.call("torch.split", x, size), x, code.List(tuple(inputs)))
        body.append(code.Assign((splits,), split))
        given = code.Star(splits)
    if half:
        outputs = code.call("mixed", code.Name("model"), code.Star(x) if several else x)
        every: code.Expr = code.Comprehension(outputs, x, code.call("zip", given) if several else given)
    else:
        every = code.call("list", code.call("map", code.call("model.eval"), given))
    return block([*body, code.Assign((parts,), every)], indent)


def _penalty(weights: Mapping[str, list[InitRecord]], scope: TorchScope) -> str:
    """The body of `penalty`: those of weights, and the activity penalty of the last forward."""
    terms, body = list[code.Expr](), list[code.Stmt]()
    for parts in weights.values():
        regularizer = parts[0].weight.regularizer
        if regularizer is None:
            continue
        if len(parts) > 1 and regularizer.joins:
            rows = code.Name(f"{parts[0].weight.name}_{len(body) + 1}" if body else parts[0].weight.name)
            body.append(code.Assign((rows,), _stacked(parts)))
            terms.append(regularizer.torch(scope, rows))
        else:
            terms += [regularizer.torch(scope, part.target, part.steps) for part in parts]
    if scope.activity:
        terms.append(code.dotted("model.activity_penalty"))
    return block([*body, code.Return(code.total(terms))], 1) if terms else ""


def _held(weights: Mapping[str, list[InitRecord]]) -> Iterator[Held]:
    """The same for an optimizer."""
    for path, records in weights.items():
        first = records[0]
        yield Held(path, first.weight.shape, tuple(record.target for record in records), first.steps)


def _trainable(model: Model, scope: TorchScope) -> dict[str, list[InitRecord]]:
    """The weights that training changes, by canonical path, seen from outside the model: each as the tensors that hold
    it together (the two biases of a GRU are one weight of Keras's)."""
    frozen = {path for use in model.layers for path in _frozen(use.config)}
    weights: dict[str, list[InitRecord]] = {}
    for entry, record in zip(scope.state, scope.inits, strict=True):
        path = entry.path.rpartition("/")[0]
        if record.weight.trainable and not any(path == name or path.startswith(f"{name}.") for name in frozen):
            weights.setdefault(entry.path, []).append(replace(record, target=_outside(record.target)))
    return weights


def _stacked(parts: list[InitRecord]) -> code.Expr:
    """A weight that torch holds in rows: the order of what is in a row does not matter to its user."""
    return code.call("torch.stack", code.Tuple(tuple(part.target for part in parts)))


def _frozen(layer: Layer) -> Iterator[str]:
    """The paths of what training leaves as it is, of layers inside too."""
    if not layer.trainable:
        yield layer.path
        return
    for _, inner, _ in layer.children():
        yield from _frozen(inner)


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


def _constraints(weights: Mapping[str, list[InitRecord]], scope: TorchScope) -> str:
    body: list[code.Stmt] = []
    for parts in weights.values():
        weight = parts[0].weight
        if weight.constraint is None:
            continue
        if len(parts) == 1 or not weight.constraint.joins(weight.shape):
            for part in parts:
                body += weight.constraint.torch(scope, part)
        else:
            rows = code.Name(weight.name)
            body.append(code.Assign((rows,), _stacked(parts)))
            body += weight.constraint.torch(scope, replace(parts[0], target=rows, steps=()))
            body += [code.Do(code.method(p.target, "copy_", code.index(rows, row))) for row, p in enumerate(parts)]
    return block(body, 1) if body else ""


# --------------------------------------------------------------------------------------------- callbacks


def _call(model: Model, scope: TorchScope) -> TrainingCall:
    held = tuple(_held(_trainable(model, scope)))
    return TrainingCall(scope, model.outputs[0].value.type, weights=held)


def _make_watchers(callbacks: list[Any]) -> str:
    """The head of `make_watchers`, broken as ruff breaks it."""
    types = sorted({callback.title() for callback in callbacks})
    head = "def make_watchers() -> list["
    for inside in (" | ".join(types), "\n    " + " | ".join(types) + "\n", "\n    " + "\n    | ".join(types) + "\n"):
        if max(map(len, f"{head}{inside}]:".splitlines())) <= WIDTH:
            break
    return f"{head}{inside}]:"


def _watchers(model: Model, callbacks: list[Any], scope: TorchScope) -> str:
    if not callbacks:
        return ""
    call = _call(model, scope)
    made = [callback.torch(call, callback_mode(model, callback)) for callback in callbacks]
    return block([code.Return(code.List(tuple(made)))], 1)
