"""What changes data on its way into the model: `image = scans.image -> reshape(8, 8, 1) -> scale(1 / 16)`.

Here is what they do to the shape of a row; `runtime/transforms.py` does it to the arrays. Those of series are in
`series_transforms.py`, those of words and lists in `word_transforms.py`.
"""

from __future__ import annotations

from math import prod
from typing import ClassVar

from nndsl.layers.entry import ConfigError, Entry, arg, entry, snake_case
from nndsl.layers.kinds import Dtype, Float, Int, ListOf


class Transform(Entry):
    """Base of the transforms. `variadic` is an argument that takes all positional values: `reshape(28, 28, 1)`.
    `keeps` says that the shape and the meaning of a row stay as they are, `reads` what it takes: "numbers", or "text"
    or "lists" (of unequal length), which only the first transform of a line can. `joins_rows` says that it makes
    samples of several rows."""

    variadic: ClassVar[str] = ""
    keeps: ClassVar[bool] = True
    reads: ClassVar[str] = "numbers"
    joins_rows: ClassVar[bool] = False

    @classmethod
    def title(cls) -> str:
        return snake_case(cls.__name__)

    def shape(self, row: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """The shape of a row behind the transform, None where it is not known. Raises ConfigError where the row does
        not suit."""
        return row


@entry("transform")
class Reshape(Transform):
    """Gives every row another shape with the same number of values; one size may be -1, which means the rest.

    Example:
        image = mnist.image -> reshape(28, 28, 1)
    """

    variadic = "target_shape"
    keeps = False
    target_shape = arg(ListOf(Int(-1), single=True), "The sizes, the batch axis left out.")

    def check(self) -> None:
        if 0 in self.target_shape or self.target_shape.count(-1) > 1:
            raise ConfigError(
                "`reshape` takes sizes of at least 1, and at most one -1 for the rest",
                "target_shape",
                help="for instance `reshape(28, 28, 1)`, or `reshape(-1)` for one axis",
                code="NN0206",
            )

    def shape(self, row: tuple[int, ...] | None) -> tuple[int, ...] | None:
        known = prod(size for size in self.target_shape if size > 0)
        if row is None:
            return None if -1 in self.target_shape else tuple(self.target_shape)
        total = prod(row)
        if total % known if -1 in self.target_shape else total != known:
            sizes = " × ".join(map(str, row)) or "1"
            wanted = " × ".join(map(str, self.target_shape)) or "1"
            raise ConfigError(
                f"`reshape` keeps the number of values, and {sizes} values do not make {wanted}",
                "target_shape",
                help="one size may be -1, which means the rest: `reshape(-1)` makes one axis of all",
                code="NN0307",
            )
        return tuple(total // known if size == -1 else size for size in self.target_shape)


@entry("transform")
class Scale(Transform):
    """Multiplies by a number.

    Example:
        image = mnist.image -> scale(1 / 255)
    """

    factor = arg(Float(), "The number.")


@entry("transform")
class Offset(Transform):
    """Adds a number.

    Example:
        image = mnist.image -> scale(1 / 255) -> offset(-0.5)
    """

    value = arg(Float(), "The number.")


@entry("transform")
class Standardize(Transform):
    """Brings every feature to mean 0 and deviation 1, as Keras's Normalization does.

    Mean and deviation are learnt for each place of the last axis from the training part alone, and saved with the
    weights. A feature that never changes becomes 0.

    Example:
        features = flowers.features -> standardize()
    """


@entry("transform")
class OneHot(Transform):
    """Turns class ids from 0 on into rows with a single 1.

    Example:
        label = mnist.label -> one_hot(10)
    """

    keeps = False
    classes = arg(Int(1), "How many classes there are.")

    def shape(self, row: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if row is None:
            return None
        return (*(row[:-1] if row[-1:] == (1,) else row), self.classes)


@entry("transform")
class Cast(Transform):
    """Converts to another dtype; numbers are cut off towards 0.

    Example:
        words = table[0:20] -> cast(int32)
    """

    dtype = arg(Dtype(), "The dtype.")
