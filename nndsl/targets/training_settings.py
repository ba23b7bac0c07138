"""What both targets take from a model's `train` section for their templates."""

from __future__ import annotations

from nndsl.ir.graph import Model, Output
from nndsl.passes.outputs import target_type
from nndsl.passes.sample_weights import sample_weights, weights_type
from nndsl.passes.train_checks import is_stateful
from nndsl.passes.weight_layout import changed, layout


def trained_outputs(model: Model) -> list[Output]:
    return [output for output in model.outputs if output.loss is not None]


def trains(model: Model) -> bool:
    """Whether there is a loss, and a weight that it could change: else there is no optimizer."""
    return bool(trained_outputs(model)) and bool(changed(layout(model)))


def arrays(model: Model) -> dict[str, tuple[tuple[int | None, ...], str]]:
    """The shape without the batch axis (None for a free size) and the dtype of every input and target, and of the
    weights of samples, by name."""
    types = {item.name: item.value.type for item in model.inputs}
    types |= {output.name: target_type(output) for output in trained_outputs(model)}
    types |= {item.name: weights_type(item) for item in sample_weights(model)}
    return {
        name: (tuple(dim if isinstance(dim, int) else None for dim in type_.features), type_.dtype)
        for name, type_ in types.items()
    }


def settings(model: Model) -> dict[str, object]:
    """The numbers and switches that the templates of both targets ask for by these names."""
    given = model.training.given
    steps, stateful = given.get("steps"), is_stateful(model)
    callbacks = given.get("callbacks", ())
    watched = (name for callback in callbacks for name in callback.watched)
    return {
        "trained": bool(trained_outputs(model)),
        "learns": trains(model),
        "steps": steps,
        "epochs": given.get("epochs", 1),
        "evaluate_every": given.get("evaluate_every") or max(1, (steps or 10) // 10),
        "batch_size": model.batch or given.get("batch_size", 32),
        "fixed_batch": model.batch is not None,
        "seed": given.get("seed"),
        "shuffle": given.get("shuffle", True) and not stateful,
        "resets": stateful and given.get("reset_state", "epoch") == "epoch",
        "averages": model.training.optimizer.use_ema,
        "validation_split": given.get("validation_split"),
        "half": model.training.half if trained_outputs(model) else "",
        "ends_on_nan": any(callback.title() == "TerminateOnNaN" for callback in callbacks),
        # The first number of the validation data that a callback needs, where the file does not keep some.
        "watches_validation": ""
        if "validation_split" in given
        else next((name for name in watched if name.startswith("val_")), ""),
    }
