"""The training part of an emitted Keras program: what `templates/keras/training.py.j2` needs.

The contract: `compile_model(model)` compiles what `build_model()` gives; `ARRAYS`, `INPUTS`, `TARGETS`, `BATCH_SIZE`,
`EPOCHS` or `STEPS`, `SEED` are what the section says, and `load_data(path, names)` is the torch program's.
"""

from __future__ import annotations

from typing import Any

from nndsl import code
from nndsl.ir.graph import Model, Output
from nndsl.layers.families.metrics import Accuracy, accuracy_kind
from nndsl.layers.families.recurrent import RNN
from nndsl.layers.training import Metric
from nndsl.passes.train_checks import callback_mode
from nndsl.targets.keras_spell import spell
from nndsl.targets.printing import block, broken, flat, signature
from nndsl.targets.training_settings import arrays, settings, trained_outputs

IMPORTS = """\
from __future__ import annotations

import argparse
from itertools import zip_longest

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers"""
_CLASSES = {
    "binary_accuracy": "BinaryAccuracy",
    "categorical_accuracy": "CategoricalAccuracy",
    "sparse_categorical_accuracy": "SparseCategoricalAccuracy",
}


def pieces(model: Model) -> dict[str, object]:
    """The context of the template."""
    trained = trained_outputs(model)
    given, common = model.training.given, settings(model)
    callbacks = list(given.get("callbacks", ()))
    return {
        **common,
        "imports": IMPORTS,
        "untrained": _untrained(model),
        "arrays": _arrays(model),
        "input_names": _assigned("INPUTS", tuple(item.name for item in model.inputs)),
        "target_names": _assigned("TARGETS", tuple(output.name for output in trained)),
        "compile": _compile(model, trained),
        "callbacks": _callbacks(model, callbacks),
        "nested_states": _has_nested_states(model),
        "class_weight": _class_weight(trained, given.get("class_weight")),
        "batches_head": _batches_head(shuffle=bool(common["shuffle"]), weighted="class_weight" in given),
    }


def _has_nested_states(model: Model) -> bool:
    """Whether a stateful `RNN` runs several cells: the `reset_state` of Keras 3.15 fails on their nested states."""
    layers = (layer for use in model.layers for layer in (use.config, *getattr(use.config, "inside", ())))
    return any(isinstance(layer, RNN) and layer.stateful and layer.stacked for layer in layers)


def _untrained(model: Model) -> str:
    """The names of the outputs without a loss, as a tuple, or ""."""
    names = tuple(output.name for output in model.outputs if output.loss is None)
    return flat(code.lift(names)) if names else ""


def _arrays(model: Model) -> str:
    # numpy has no bfloat16
    items = {k: (shape, "float32" if dtype == "bfloat16" else dtype) for k, (shape, dtype) in arrays(model).items()}
    return _assigned("ARRAYS", items)


def _assigned(name: str, value: object) -> str:
    return "\n".join(broken(code.lift(value), f"{name} = ", "", 0))


def _compile(model: Model, trained: list[Output]) -> str:
    options: dict[str, object] = {
        "optimizer": spell(model.training.optimizer),
        "loss": {o.name: spell(o.loss) if o.loss.given else o.loss.spelled for o in trained},
    }
    if any(output.weight != 1.0 for output in trained):
        options["loss_weights"] = {output.name: output.weight for output in trained}
    if any(output.metrics for output in trained):
        options["metrics"] = {o.name: [_metric(o, m) for m in o.metrics] for o in trained if o.metrics}
    body: list[code.Stmt] = [code.Do(code.call("model.compile", **options))]
    if model.training.optimizer.starts_from_weights:
        body.append(code.Comment("built here it starts from the weights; fit would have it start from zeros"))
        body.append(code.Do(code.call("model.optimizer.build", code.dotted("model.trainable_variables"))))
    return block(body, 1)


def _metric(output: Output, metric: Metric) -> object:
    """A metric as Keras knows it: by its name, or as an object that bears the name of the reports."""
    if metric.written:
        return metric.written
    if isinstance(metric, Accuracy):
        kind = accuracy_kind(output.value.type, output.loss.sparse)
        return code.call(f"keras.metrics.{_CLASSES[kind]}", name=metric.label)
    made = spell(metric)
    assert isinstance(made, code.Call)
    return code.Call(made.func, made.args, (*made.kwargs, ("name", code.Literal(metric.label))))


def _callbacks(model: Model, callbacks: list[Any]) -> str:
    """The list of callbacks, each with the mode that it has for what it watches."""
    if not callbacks:
        return ""
    made: list[code.Expr] = []
    for callback in callbacks:
        call = spell(callback, None, {"mode": callback_mode(model, callback)})
        made.append(call)
    return "\n".join(broken(code.List(tuple(made)), "callbacks = ", "", 1))


def _batches_head(*, shuffle: bool, weighted: bool) -> str:
    parameters = ["self", "data: dict[str, np.ndarray]", "size: int"]
    parameters += ["rng: np.random.Generator | None = None"] * shuffle + ["weighted: bool = False"] * weighted
    return signature("__init__", parameters, "None", 1)


def _class_weight(trained: list[Output], weights: tuple[float, ...] | None) -> str:
    """The statement that gives each sample its class's weight: fit's `class_weight` takes no outputs by name."""
    if weights is None:
        return ""
    output = trained[0]
    target = code.index(code.Name("targets"), output.name)
    ids: code.Expr = target
    if not output.loss.sparse:
        one = output.value.type.last == 1
        ids = code.index(target, code.ELLIPSIS, 0) if one else code.method(target, "argmax", -1)
        ids = code.method(ids, "astype", "int64")
    chosen = code.index(code.call("np.array", list(weights)), ids)
    lines = broken(code.Dict(((code.Literal(output.name), chosen),)), "weights = ", "", 2)
    return "\n".join(lines)
