"""What a parameter is called that fills an argument: torch's own names where arguments stand without one."""

from __future__ import annotations

from nndsl import code
from nndsl.targets.rewrite import Leaf

_CONV = ("in_channels", "out_channels", "kernel_size", "stride", "padding")
_POSITIONAL = {
    "Linear": ("in_features", "out_features"),
    "Conv1d": _CONV, "Conv2d": _CONV, "Conv3d": _CONV,
    "ConvTranspose1d": _CONV, "ConvTranspose2d": _CONV, "ConvTranspose3d": _CONV,
    "BatchNorm": ("channels",), "MaskedBatchNorm": ("channels",), "FrozenBatchNorm": ("channels",),
    "LayerNorm": ("normalized_shape",), "GroupNorm": ("groups", "channels"), "RMSNorm": ("normalized_shape",),
    "Embedding": ("num_embeddings", "embedding_dim"), "Dropout": ("rate",),
    "LSTM": ("input_size", "hidden_size"), "GRU": ("input_size", "hidden_size"), "RNN": ("input_size", "hidden_size"),
    "pad": ("input", "padding"), "max_pool2d": ("input", "kernel_size"), "avg_pool2d": ("input", "kernel_size"),
    "range": ("count",), "MultiHeadAttention": ("features", "heads", "key_dim"),
    "view": ("size",) * 8, "reshape": ("size",) * 8, "empty": ("size",) * 8, "zeros": ("size",) * 8,
    # Keras
    "Dense": ("units",), "Reshape": ("target_shape",), "ZeroPadding2D": ("padding",),
    **{f"{kind}{rank}D": ("filters", "kernel_size", "strides")
       for kind in ("Conv", "SeparableConv") for rank in (1, 2, 3)},
}  # fmt: skip


def argument_name(leaf: Leaf) -> str:
    """A name for the parameter that stands in the leaf's place."""
    if isinstance(leaf.place, str):
        return leaf.place
    if leaf.parent is None:
        return "size"
    func = leaf.parent.func
    name = func.name if isinstance(func, code.Attr) else func.id if isinstance(func, code.Name) else ""
    known = _POSITIONAL.get(name, ())
    return known[leaf.place] if leaf.place < len(known) else "size"
