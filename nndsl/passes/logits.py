"""Which outputs train from logits: those that come straight from a softmax or sigmoid and whose loss is the matching
cross-entropy. Keras takes the activation off there (`_get_logits` in keras/src/backend/tensorflow/nn.py), so the loss
stays finite and exact where a probability rounds to 0 or 1.
"""

from __future__ import annotations

from nndsl.ir.graph import Output, Value

_MATCH = {
    "CategoricalCrossentropy": "softmax",
    "SparseCategoricalCrossentropy": "softmax",
    "BinaryCrossentropy": "sigmoid",
}


def logits_activation(output: Output) -> str | None:
    """ "softmax" or "sigmoid" where the loss of `output` shall be computed from the numbers before it, else None."""
    loss, value = output.loss, output.value
    if loss is None or getattr(loss, "from_logits", False):
        return None
    wanted = _MATCH.get(type(loss).__name__)
    maker = value.maker
    use = maker.layer if maker is not None else None
    if use is None or value.type.rank < 2 or getattr(use.config, "activity_regularizer", None) is not None:
        return None
    return wanted if wanted is not None and _activation_of(use.config) == wanted else None


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
