"""The types that values have: shape with an explicit batch axis, dtype, mask."""

from __future__ import annotations

from nndsl.ir.dims import BATCH, Dim
from nndsl.records import record, replace

FLOATS = ("float16", "bfloat16", "float32", "float64")
PRECISIONS = ("float32", "bfloat16", "float16")
"""What most arithmetic of a float32 model may be done in."""
INTEGERS = ("int8", "int16", "int32", "int64", "uint8")
DTYPES = (*FLOATS, *INTEGERS, "bool")


@record
class TensorType:
    """A tensor as declared (the order of axes is the file's, not a target's).

    `shape[0]` is the batch axis where `batched`: the symbol BATCH, or an integer where the batch is fixed.
    `dtype` is one of DTYPES. `mask` says that a boolean mask travels with the value; it has `mask_rank` axes, mostly
    [batch, time].
    A value without a batch axis (`batched` False) is one for all samples: `sum(x, axis=0)`.
    `known` is False for a value whose layer has failed: checks that meet it stay silent.
    """

    shape: tuple[Dim, ...]
    dtype: str = "float32"
    mask: bool = False
    batched: bool = True
    known: bool = True
    mask_rank: int = 2
    weak: bool = False  # a compile-time number in an expression: it takes the dtype of what it is combined with

    @property
    def rank(self) -> int:
        """The number of axes, the batch axis included."""
        return len(self.shape)

    @property
    def last(self) -> Dim:
        return self.shape[-1]

    @property
    def features(self) -> tuple[Dim, ...]:
        """The axes after the batch axis."""
        return self.shape[1:] if self.batched else self.shape

    @property
    def is_float(self) -> bool:
        return self.dtype in FLOATS

    def with_shape(self, *features: Dim) -> TensorType:
        """The same value with other axes after the batch axis."""
        return replace(self, shape=(self.shape[0], *features) if self.batched else features)

    def with_last(self, last: Dim) -> TensorType:
        return replace(self, shape=(*self.shape[:-1], last))

    def with_mask(self, mask: bool) -> TensorType:
        return replace(self, mask=mask)

    def __str__(self) -> str:
        """`float[T, 64]`: as one would declare it, without the batch axis."""
        dtype = {"float32": "float", "int32": "int"}.get(self.dtype, self.dtype)
        return f"{dtype}{show_shape(self.features)}"


UNKNOWN = TensorType((BATCH,), known=False)


def show_shape(dims: tuple[Dim, ...]) -> str:
    """`[T, 64]`"""
    return f"[{', '.join(map(str, dims))}]"
