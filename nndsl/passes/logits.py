"""Which outputs train from logits: those that come straight from a softmax or sigmoid and whose loss is a
cross-entropy; the same goes for metrics. Keras takes the activation off there (`_get_logits` in
keras/src/backend/tensorflow/nn.py), so the loss stays finite and exact where a probability rounds to 0 or 1. It does so
even where the file says `from_logits=true`, and where the cross-entropy goes with the other activation: a binary one of
a softmax is computed as if its logits went through a sigmoid.
"""

from __future__ import annotations

from typing import Any

from nndsl.ir.graph import Model, Output, Value
from nndsl.records import replace


def logits_activation(output: Output) -> str | None:
    """ "softmax" or "sigmoid" where the loss of `output`, or a metric, shall be computed from the numbers before it,
    else None."""
    if output.loss is None:
        return None
    wanted = output.loss.takes_logits or any(metric.takes_logits for metric in output.metrics)
    return _left_out(output.value) if wanted else None


def loss_takes_logits(output: Output) -> bool:
    """Whether the loss itself is computed from them."""
    return bool(output.loss.takes_logits) and logits_activation(output) is not None


def without_idle_ends(model: Model) -> Model:
    """The model whose outputs are taken before layers that hand on what they get: Keras sees a softmax through them."""
    outputs = [replace(output, value=_before_idle(output.value)) for output in model.outputs]
    seen = [new if logits_activation(new) else old for new, old in zip(outputs, model.outputs, strict=True)]
    if all(new.value is old.value for new, old in zip(seen, model.outputs, strict=True)):
        return model
    read = {output.value for output in seen} | {penalty.value for penalty in model.penalties}
    nodes = []
    for node in reversed(model.nodes):
        idle = _is_idle(node.config) and not node.config.penalises_activity and node.region is None
        if not idle or any(value in read for value in node.results):
            nodes.append(node)
            read.update(node.operands())
    return replace(model, outputs=seen, nodes=nodes[::-1])


def _before_idle(value: Value) -> Value:
    while value.producer is not None and value.producer.region is None and _is_idle(value.producer.config):
        value = value.producer.inputs[0]
    return value


def _is_idle(config: Any) -> bool:
    match config.title():
        case "Identity" | "ActivityRegularization":
            return True
        case "Activation":
            return _activation_of(config) == "linear"
        case "Dropout":
            return bool(config.rate == 0)
    return False


def _left_out(value: Value) -> str | None:
    """The softmax or sigmoid that can be left out of a value, or None."""
    maker = value.maker
    use = maker.layer if maker is not None else None
    if maker is None or use is None or value.type.rank < 2:
        return None
    if use.config.penalises_activity and maker.region is not None:
        return None  # a block would have to give both
    activation = _activation_of(use.config)
    return activation if activation in ("softmax", "sigmoid") else None


def last_activation(value: Value) -> str | None:
    """The name of the activation that a value comes straight from; "linear" where its layer has none; None where
    that cannot be told (a merge, a recurrent layer, an input)."""
    node = value.maker
    while node is not None and node.layer.config.title() in _TRANSPARENT:
        node = node.inputs[0].maker
    if node is None:
        return None
    config = node.layer.config
    if config.is_function:
        return _activation_of(config)
    if config.title() in ("Softmax", "ReLU", "LeakyReLU", "PReLU", "ELU"):
        return str(config.title()).lower()
    if config.title() == "TimeDistributed":
        return _activation_of(config.layer)
    return _activation_of(config)


_TRANSPARENT = ("Identity", "Dropout", "Reshape", "Flatten", "Permute", "RepeatVector")


def _activation_of(config: object) -> str | None:
    name = type(config).__name__
    if getattr(config, "is_function", False):
        fits = name == "Sigmoid" or (name == "Softmax" and getattr(config, "axis", None) == -1)
        return name.lower() if fits else None
    if name == "Softmax" and getattr(config, "axes", None) == (-1,):
        return "softmax"
    if name not in ("Dense", "EinsumDense", "Activation") and ("Conv" not in name or "LSTM" in name):
        return None
    if getattr(config, "doubtful", False):
        return None
    activation = getattr(config, "activation", None)
    return "linear" if activation is None else str(activation.title())
