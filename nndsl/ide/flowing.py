"""What flows in at the caret, as far as the last check knows it, and which layers it suits."""

from __future__ import annotations

import re

from nndsl.ide.analysis import Checked
from nndsl.ide.caret import Caret
from nndsl.ir.types import TensorType
from nndsl.layers.base import Layer
from nndsl.source import SourceFile

Types = tuple[TensorType, ...]
_SEQUENCES = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "TimeDistributed", "Attention", "AdditiveAttention",
              "MultiHeadAttention", "GroupedQueryAttention", "ConvLSTM1D")  # fmt: skip


def flowing(checked: Checked | None, source: SourceFile, caret: Caret) -> Types | None:
    """The types of what stands in front of the `->` at the caret; None where the last check does not tell: it knows the
    places of its own text, which are those of this one up to the first difference."""
    if checked is None:
        return None
    arrow = source.text.rfind("->", 0, caret.start)
    end = len(source.text[:arrow].rstrip()) if arrow >= 0 else -1
    if end <= 0 or source.text[arrow + 2 : caret.start].strip() or checked.source.text[:end] != source.text[:end]:
        return None
    widest: tuple[int, Types] | None = None
    for (file, start, stop), calls in checked.trace.values.items():
        if stop == end and file is checked.source and calls and (widest is None or start > widest[0]):
            widest = (start, tuple(value.type for value in calls[0]))
    return None if widest is None or not all(t.known for t in widest[1]) else widest[1]


def takes(cls: type[Layer], types: Types | None) -> bool:
    """Whether a layer probably takes these types; all do where nothing is known."""
    if not types:
        return True
    least, most = cls.arity
    if len(types) < least or (most is not None and len(types) > most):
        return False
    if len(types) == 1 and least == 1 and most is None:
        return False  # merges want several
    first, name = types[0], cls.__name__
    spatial = re.search(r"([123])D", name)
    if spatial is not None and "LSTM" not in name:
        return first.is_float and len(first.features) == int(spatial[1]) + 1
    if name in _SEQUENCES:
        return first.is_float and len(first.features) >= 2
    return (not first.is_float) == (name == "Embedding")
