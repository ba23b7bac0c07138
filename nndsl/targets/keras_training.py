"""The training part of an emitted Keras program: what `templates/keras/training.py.j2` needs.

The contract: `compile_model(model)` compiles what `build_model()` gives; `ARRAYS`, `INPUTS`, `TARGETS`, `BATCH_SIZE`,
`EPOCHS` or `STEPS`, `SEED` mean what they mean in the torch program, `to_array(name, array)` is its `to_tensor`, and
both programs go through the samples in the same order for the same seed.
"""

from __future__ import annotations

from typing import Any

from nndsl import code
from nndsl.ir.graph import Model, Output
from nndsl.layers.families.metrics import Accuracy, accuracy_kind
from nndsl.layers.training import Metric
from nndsl.passes.outputs import target_type
from nndsl.passes.train_checks import callback_mode, is_stateful
from nndsl.targets.keras_spell import spell
from nndsl.targets.printing import block, broken, flat, signature

IMPORTS = """\
from __future__ import annotations

import argparse

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
    trained = [output for output in model.outputs if output.loss is not None]
    given = model.training.given
    steps = given.get("steps")
    callbacks = list(given.get("callbacks", ()))
    stateful = is_stateful(model)
    shuffle = bool(given.get("shuffle", True)) and not stateful
    return {
        "imports": IMPORTS,
        "trained": bool(trained),
        "untrained": _untrained(model),
        "arrays": _arrays(model, trained),
        "input_names": _assigned("INPUTS", tuple(item.name for item in model.inputs)),
        "target_names": _assigned("TARGETS", tuple(output.name for output in trained)),
        "compile": _compile(model, trained),
        "callbacks": _callbacks(model, callbacks),
        "watches_validation": next((c.monitor for c in callbacks if c.monitor.startswith("val_")), ""),
        "class_weight": _class_weight(trained, given.get("class_weight")),
        "batches_head": _batches_head(shuffle=shuffle, weighted="class_weight" in given),
        "steps": steps,
        "epochs": given.get("epochs", 1),
        "evaluate_every": given.get("evaluate_every") or max(1, (steps or 10) // 10),
        "batch_size": model.batch or given.get("batch_size", 32),
        "fixed_batch": model.batch is not None,
        "seed": given.get("seed"),
        "shuffle": shuffle,
        "resets": stateful and given.get("reset_state", "epoch") == "epoch",
        "validation_split": given.get("validation_split"),
    }


def _untrained(model: Model) -> str:
    """The names of the outputs without a loss, as a tuple, or ""."""
    names = tuple(output.name for output in model.outputs if output.loss is None)
    return flat(code.lift(names)) if names else ""


def _arrays(model: Model, trained: list[Output]) -> str:
    items: dict[str, object] = {}
    types = {item.name: item.value.type for item in model.inputs} | {o.name: target_type(o) for o in trained}
    for name, type_ in types.items():
        shape = tuple(dim if isinstance(dim, int) else None for dim in type_.features)
        items[name] = (shape, "float32" if type_.dtype == "bfloat16" else type_.dtype)
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
    return block([code.Do(code.call("model.compile", **options))], 1)


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
