"""What a parameter is called that fills an argument: torch's own names where arguments stand without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from nndsl import code
from nndsl.targets.rewrite import Leaf, transformed

_CONV = ("in_channels", "out_channels", "kernel_size", "stride", "padding")
_POSITIONAL = {
    "Linear": ("in_features", "out_features"),
    "Conv1d": _CONV, "Conv2d": _CONV, "Conv3d": _CONV,
    "ConvTranspose1d": _CONV, "ConvTranspose2d": _CONV, "ConvTranspose3d": _CONV,
    **{f"{kind}BatchNorm": ("channels",) for kind in ("", "Partial", "Masked", "Frozen", "Renorm")},
    "LayerNorm": ("normalized_shape",), "GroupNorm": ("groups", "channels"), "RMSNorm": ("normalized_shape",),
    "Embedding": ("num_embeddings", "embedding_dim"), "Dropout": ("rate",),
    "LSTM": ("input_size", "hidden_size"), "GRU": ("input_size", "hidden_size"), "RNN": ("input_size", "hidden_size"),
    "pad": ("input", "padding"), "max_pool2d": ("input", "kernel_size"), "avg_pool2d": ("input", "kernel_size"),
    "range": ("count",), "MultiHeadAttention": ("features", "heads", "key_dim"),
    "ProjectedAttention": ("features", "heads", "key_dim"),
    "view": ("size",) * 8, "reshape": ("size",) * 8, "empty": ("size",) * 8, "zeros": ("size",) * 8,
    # Keras
    "Dense": ("units",), "Reshape": ("target_shape",), "ZeroPadding2D": ("padding",),
    **{f"{kind}{rank}D": ("filters", "kernel_size", "strides")
       for kind in ("Conv", "SeparableConv") for rank in (1, 2, 3)},
}  # fmt: skip


_CONV_DEFAULTS: dict[str, object] = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True}
_DEFAULTS: dict[str, dict[str, object]] = {f"Conv{rank}d": _CONV_DEFAULTS for rank in (1, 2, 3)}
_DEFAULTS["Linear"] = {"bias": True}


def _function(node: code.Call) -> str:
    func = node.func
    return func.name if isinstance(func, code.Attr) else func.id if isinstance(func, code.Name) else ""


def spelled_out(node: Any) -> Any:
    """The code with the defaults of torch's modules written out, so that a call with `stride=2` and one without differ
    in a number alone."""

    def rule(part: Any) -> Any:
        defaults = _DEFAULTS.get(_function(part)) if isinstance(part, code.Call) else None
        if defaults is None:
            return None
        given = dict(part.kwargs)
        kwargs = tuple((name, given.pop(name, code.Literal(value))) for name, value in defaults.items())  # type: ignore[arg-type]
        return code.Call(part.func, part.args, (*kwargs, *given.items()))

    return transformed(node, rule)


def shortened(node: Any) -> Any:
    """The code without arguments that are the defaults."""

    def rule(part: Any) -> Any:
        defaults = _DEFAULTS.get(_function(part)) if isinstance(part, code.Call) else None
        if defaults is None:
            return None
        missing = object()
        kept = tuple((n, v) for n, v in part.kwargs if getattr(v, "value", missing) != defaults.get(n, missing))
        return code.Call(part.func, part.args, kept)

    return transformed(node, rule)


def argument_name(leaf: Leaf, known: Mapping[str, Sequence[str]] = MappingProxyType({})) -> str:
    """A name for the parameter in the leaf's place; `known` are the parameters of the file's own classes."""
    if isinstance(leaf.place, str):
        return leaf.place
    if leaf.parent is None:
        return "size"
    name = _function(leaf.parent)
    names = known.get(name) or _POSITIONAL.get(name, ())
    return names[leaf.place] if leaf.place < len(names) else "size"
