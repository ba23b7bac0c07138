"""The training part of an emitted Keras program: what `templates/keras/training.py.j2` needs.

The contract: `compile_model(model)` compiles what `build_model()` gives; `Batches` gives a batch as Keras takes it;
`make_callbacks()`, where the section has callbacks, makes fresh ones; `ARRAYS`, `INPUTS`, `TARGETS`, `BATCH_SIZE`,
`EPOCHS` or `STEPS`, `SEED` are what the section says, and `load_data(path, names)` is the torch program's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from nndsl import code
from nndsl.ir.graph import Model, Output
from nndsl.layers.emit_keras import OMIT
from nndsl.layers.families.accuracies import Accuracy, accuracy_kind
from nndsl.layers.families.recurrent import RNN
from nndsl.layers.measures import Loss, Metric
from nndsl.passes.sample_weights import sample_weights
from nndsl.passes.train_checks import callback_mode
from nndsl.targets.keras_optimizer import optimizer_code
from nndsl.targets.keras_spell import spell
from nndsl.targets.printing import block, broken, flat, literal, signature
from nndsl.targets.training_settings import arrays, settings, trained_outputs

_IMPORTS = {
    "from __future__ import annotations",
    "import argparse",
    "from itertools import zip_longest",
    "import numpy as np",
    "from tensorflow import keras",
    "from tensorflow.keras import layers",
}
_CLASSES = {
    "binary_accuracy": "BinaryAccuracy",
    "categorical_accuracy": "CategoricalAccuracy",
    "sparse_categorical_accuracy": "SparseCategoricalAccuracy",
}


def imports(model: Model) -> set[str]:
    """The import lines that every program has, and those of this one's training part."""
    found = set(_IMPORTS)
    if _has_state_inside(model):
        found |= {"from collections.abc import Iterator", "from typing import Any"}
    callbacks = model.training.get("callbacks", ())
    if trained_outputs(model) and _folders(callbacks):
        found.add("from pathlib import Path")
    return found


def pieces(model: Model) -> dict[str, object]:
    """The context of the template."""
    trained = trained_outputs(model)
    given, common = model.training.given, settings(model)
    callbacks = list(given.get("callbacks", ()))
    return {
        **common,
        "untrained": _untrained(model),
        "arrays": _arrays(model),
        "input_names": _assigned("INPUTS", tuple(item.name for item in model.inputs)),
        "target_names": _assigned("TARGETS", tuple(output.name for output in trained)),
        "compile": _compile(model, trained),
        "callbacks": _callbacks(model, callbacks),
        "several": _several(model),
        "spreads": _spreads(model, callbacks),
        "folders": _folders(callbacks),
        "nested_states": _has_nested_states(model),
        "state_inside": _has_state_inside(model),
        "class_weight": _class_weight(model, trained, given.get("class_weight")),
        "weights": _weights(model),
        "weights_names": _assigned("WEIGHTS", tuple(item.name for item in sample_weights(model))),
        "batches_head": _batches_head(shuffle=bool(common["shuffle"]), weighted="class_weight" in given),
    }


def _has_nested_states(model: Model) -> bool:
    """Whether a stateful `RNN` runs several cells: the `reset_state` of Keras 3.15 fails on their nested states."""
    layers = (layer for use in model.layers for layer in _with_inner(use.config))
    return any(isinstance(layer, RNN) and layer.stateful and layer.stacked for layer in layers)


def _with_inner(layer: Any) -> Iterator[Any]:
    yield layer
    for inner in getattr(layer, "inside", ()):
        yield from _with_inner(inner)


def _has_state_inside(model: Model) -> bool:
    """Whether a layer with a state is no layer of the Keras model itself: it stands in a `TimeDistributed`, or in the
    model that a shared block becomes."""
    shared = tuple(f"{call.path}." for call in model.blocks if call.shared)
    return any(
        use.config.static_state and (use.config.title() == "TimeDistributed" or use.path.startswith(shared))
        for use in model.layers
    )


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
        "optimizer": optimizer_code(model),
        "loss": {o.name: _loss(o.loss) for o in trained},
    }
    if any(output.weight != 1.0 for output in trained):
        options["loss_weights"] = {output.name: output.weight for output in trained}
    for weighted, name in ((False, "metrics"), (True, "weighted_metrics")):
        found = {o.name: [_metric(o, m) for m in o.metrics if m.weighted is weighted] for o in trained}
        if any(found.values()):
            options[name] = {name: metrics for name, metrics in found.items() if metrics}
    body: list[code.Stmt] = [code.Do(code.call("model.compile", **options))]
    if model.training.optimizer.starts_from_weights:
        body.append(code.Comment("built here it starts from the weights; fit would have it start from zeros"))
        body.append(code.Do(code.call("model.optimizer.build", code.dotted("model.trainable_variables"))))
    return block(body, 1)


def _loss(loss: Loss) -> object:
    """A loss as Keras knows it: by its name, or with its arguments."""
    if not loss.given and loss.by_name:
        return loss.spelled
    return spell(loss, None, _lists(loss))


def _lists(entry: Loss | Metric) -> dict[str, object]:
    """The arguments that are lists."""
    return {name: list(value) for name in entry.arguments if isinstance(value := getattr(entry, name), tuple)}


def _metric(output: Output, metric: Metric) -> object:
    """A metric as Keras knows it: by its name, or as an object that bears the name of the reports."""
    if metric.written:
        return _function(metric) if metric.function else metric.written
    if isinstance(metric, Accuracy):
        kind = accuracy_kind(output.value.type, output.loss.sparse)
        return code.call(f"keras.metrics.{_CLASSES[kind]}", name=metric.own_name)
    made = spell(metric, None, _lists(metric) | metric.keras())
    assert isinstance(made, code.Call)
    name = ("name", code.Literal(metric.own_name))
    if metric.function:
        wrapper = code.dotted("keras.metrics.MeanMetricWrapper")
        return code.Call(wrapper, (_function(metric),), (name, *made.kwargs))
    return code.Call(made.func, made.args, (*made.kwargs, name))


def _function(metric: Metric) -> code.Expr:
    return code.dotted(f"keras.metrics.{metric.function}")


def _callbacks(model: Model, callbacks: list[Any]) -> str:
    """The statement that gives the list of callbacks, each with the mode that it has for what it watches."""
    if not callbacks:
        return ""
    made: list[code.Expr] = [code.call("Numbers")] if _spreads(model, callbacks) else []
    for callback in callbacks:
        changed: dict[str, object] = {}
        if "monitor" in callback.watched.values():
            changed["mode"] = callback_mode(model, callback)
        elif "monitor" in callback.arguments:  # Keras would ask what is better all the same
            changed |= {"monitor": OMIT, "mode": OMIT}
        made.append(spell(callback, None, changed))
    return "\n".join(broken(code.List(tuple(made)), "return ", "", 1))


def _several(model: Model) -> bool:
    return any(m.several(o.value.type) is not None for o in trained_outputs(model) for m in o.metrics)


def _spreads(model: Model, callbacks: Iterable[Any]) -> bool:
    """Whether callbacks that write shall get the numbers of an array one by one, as in the torch program."""
    by_steps = "steps" in model.training.given  # whose loop does it
    return not by_steps and _several(model) and any(callback.written for callback in callbacks)


def _folders(callbacks: Iterable[Any]) -> list[str]:
    """The folders of tables, which Keras does not make."""
    names = (callback.written.rpartition("/")[0] for callback in callbacks if callback.title() == "CSVLogger")
    return [literal(name) for name in dict.fromkeys(names) if name]


def _batches_head(*, shuffle: bool, weighted: bool) -> str:
    parameters = ["self", "data: dict[str, np.ndarray]", "size: int"]
    parameters += ["rng: np.random.Generator | None = None"] * shuffle + ["weighted: bool = False"] * weighted
    return signature("__init__", parameters, "None", 1)


def _weights(model: Model) -> str:
    """The statement that gathers the weights of the samples for each output; Keras wants them for all."""
    if all(output.weights is None for output in model.outputs):
        return ""
    items = tuple((code.Literal(output.name), _of_samples(output)) for output in model.outputs)
    return "\n".join(broken(code.Dict(items), "weights = ", "", 2))


def _of_samples(output: Output) -> code.Expr:
    """The weights of the samples in a batch. Those of a whole sample get an axis for each that its losses have: Keras
    takes numbers for steps else, where a batch holds as many samples as they have steps."""
    if output.weights is None:
        return _ones(output)
    given = code.index(code.dotted("self.data"), output.weights.name)
    chosen, places = code.Name("chosen"), output.value.type.rank - 2
    if output.weights.each or places < 1:
        return code.index(given, chosen)
    return code.index(given, chosen, *[code.Literal(None)] * places)


def _ones(output: Output) -> code.Expr:
    return code.call("np.ones", code.call("len", code.index(code.Name("targets"), output.name)))


def _class_weight(model: Model, trained: list[Output], weights: tuple[float, ...] | None) -> str:
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
    items = tuple((code.Literal(o.name), chosen if o is output else _ones(o)) for o in model.outputs)
    lines = broken(code.Dict(items), "weights = ", "", 2)
    return "\n".join(lines)
