"""Looks at a step of a Keras model, for the layer at which the first number was none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nndsl.interop import keras_side
from nndsl.interop.keras_trainer import Arrays, Trainer, unwarned


def is_sound(trainer: Trainer) -> bool:
    """Whether the loss and all weights are numbers."""
    return bool(np.isfinite(trainer.loss())) and weights_are_sound(trainer)


def weights_are_sound(trainer: Trainer) -> bool:
    return all(map(_finite, trainer.model.trainable_variables))


def first_lost(trainer: Trainer, before: Sequence[Any], arrays: Arrays) -> tuple[str, str]:
    """What was lost first in the step that has just been made, and of which layer ("" where of none). `before` are the
    values of `trainer.kept()` in front of the step."""
    after = [keras_side.value_of(variable) for variable in trainer.kept()]
    try:
        trainer.put(before)
        layer = _first_output(trainer, arrays)
        if layer is not None:
            return "the output of", layer
        trainer.put(before)
        loss, layer = _last_gradient(trainer, arrays)
        if not np.isfinite(loss):
            return "the loss", ""
        if layer is not None:
            return "the gradient of", layer
    finally:
        trainer.put(after)
    lost = next((path for path, v in trainer.variables.items() if v.trainable and not _finite(v)), "")
    return "a weight of", lost.rpartition("/")[0]


def _first_output(trainer: Trainer, arrays: Arrays) -> str | None:
    """The first layer whose output has a number that is none, where all that it is given are numbers."""
    model = trainer.model
    nodes = [node for depth in sorted(model._nodes_by_depth, reverse=True) for node in model._nodes_by_depth[depth]]
    nodes = [node for node in nodes if node.input_tensors]
    probe = keras.Model(model.inputs, [node.output_tensors for node in nodes])
    inputs, *_ = trainer.batch_of(arrays, True)
    with unwarned():
        found = probe(list(inputs.values()) if len(inputs) > 1 else next(iter(inputs.values())), training=True)
    for node, outputs in zip(nodes, found, strict=True):
        if not all(map(_finite, keras.tree.flatten(outputs))):
            return str(node.operation.name)
    return None


def _last_gradient(trainer: Trainer, arrays: Arrays) -> tuple[float, str | None]:
    """The loss, and the last layer whose weights have a gradient that is none: backward meets the last layers first."""
    loss, found = gradients(trainer, arrays)
    for path, gradient in reversed(list(found.items())):
        if gradient is not None and not _finite(gradient):
            return loss, path.rpartition("/")[0]
    return loss, None


def gradients(trainer: Trainer, arrays: Arrays) -> tuple[float, dict[str, Any]]:
    """The loss of a batch, and its gradients by canonical path: a step of training without its end."""
    inputs, targets, *weights = trainer.batch_of(arrays, True)
    model = trainer.model
    trained = {path: variable for path, variable in trainer.variables.items() if variable.trainable}
    with unwarned(), tf.GradientTape() as tape:
        loss = model.compute_loss(
            x=inputs, y=targets, y_pred=model(inputs, training=True),
            sample_weight=weights[0] if weights else None, training=True,
        )  # fmt: skip
    found = tape.gradient(loss, [variable.value for variable in trained.values()])
    return float(loss), dict(zip(trained, found, strict=True))


def _finite(value: Any) -> bool:
    value = tf.convert_to_tensor(value)
    return not value.dtype.is_floating or bool(tf.reduce_all(tf.math.is_finite(value)))
