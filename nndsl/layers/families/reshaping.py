"""Reshape, Permute, RepeatVector."""

from __future__ import annotations

from nndsl import code
from nndsl.ir.dims import Dim, Formula, exact_div, floordiv, product
from nndsl.ir.types import TensorType, show_shape
from nndsl.layers.base import Layer
from nndsl.layers.emit import TorchCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.kinds import Int, ListOf
from nndsl.layers.shapes import Check, ShapeError, need_rank


@entry("layer")
class Reshape(Layer):
    """Gives a sample other axes; the numbers stay in their order (row by row).

    `target_shape` is without the batch axis; one size may be -1 and follows from the others, free dimensions
    included: over [T, 8], `Reshape((-1, 4))` gives [2 * T, 4]. Any dtype; a mask ends here.

    Example:
        pixels -> Reshape((28, 28, 1)) -> Conv2D(32, 3)
    """

    target_shape = arg(ListOf(Int(-1)), "The sizes after the batch axis; one may be -1.", formerly=("dims",))

    def check(self) -> None:
        if 0 in self.target_shape:
            raise ConfigError("`target_shape` has a size of 0", "target_shape")
        if self.target_shape.count(-1) > 1:
            raise ConfigError(
                "`target_shape` has more than one -1",
                "target_shape",
                help="-1 stands for the one size that follows from the others: give the rest a number",
            )

    def infer(self, check: Check, x: TensorType) -> TensorType:
        total = product(x.features)
        known = product(size for size in self.target_shape if size != -1)
        if -1 not in self.target_shape:
            check.equal(total, known, self._error(x, total, known))
            return x.with_shape(*self.target_shape)
        rest = exact_div(total, known)
        if rest is None:
            error = self._error(x, total, known)
            if isinstance(total, int) or not isinstance(known, int):
                raise error
            rest = floordiv(total, known)
            check.equal(rest * known, total, error)
        return x.with_shape(*(rest if size == -1 else size for size in self.target_shape))

    def _error(self, x: TensorType, total: Dim, known: Dim) -> ShapeError:
        target = f"({', '.join(map(str, self.target_shape))}{',' if len(self.target_shape) == 1 else ''})"
        if -1 in self.target_shape:
            what = f"no number in place of -1 makes {target} hold them: {total} is no multiple of {known}"
        else:
            what = f"{target} holds {known}"
        return ShapeError(
            f"`Reshape` gets {show_shape(x.features)}, {total} numbers in each sample, and {what}",
            code="NN0307",
            argument="target_shape",
            help=self._remedy(total, known),
        )

    def _remedy(self, total: Dim, known: Dim) -> str:
        if isinstance(total, int) and isinstance(known, int):
            fits = []
            for axis, size in enumerate(() if -1 in self.target_shape else self.target_shape):
                others = known // size
                if others and total % others == 0:
                    fits.append((abs(total // others - size), total // others, axis))
            if fits:
                _, fitting, axis = min(fits)
                best = (*self.target_shape[:axis], fitting, *self.target_shape[axis + 1 :])
                return f"({', '.join(map(str, best))}{',' if len(best) == 1 else ''}) would hold {total}"
        return "the sizes of `target_shape` must multiply to the sizes of the input; the batch axis is not among them"

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        sizes = t.results[0].features
        if not any(isinstance(size, Formula) for size in (*sizes, *t.inputs[0].features)):
            return code.method(x, "reshape", -1, *sizes)
        x = x if isinstance(x, code.Name) else t.let(x, "z")
        batch = code.index(code.Attr(x, "shape"), 0)
        return code.method(x, "reshape", batch, *(-1 if isinstance(size, Formula) else size for size in sizes))


@entry("layer")
class Permute(Layer):
    """Puts the axes of a sample into another order: `Permute((2, 1))` makes [T, 8] into [8, T].

    Axes count from 1; the batch axis stays. Any dtype; a mask ends here.

    Example:
        series -> Permute((2, 1)) -> LSTM(32)
    """

    dims = arg(ListOf(Int(1), least=1), "The axes in their new order, each from 1 on once.")

    def check(self) -> None:
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ConfigError(
                f"`dims` must name each axis from 1 to {len(self.dims)} once",
                "dims",
                help="axes count from 1, the batch axis is not among them: `Permute((2, 1))` swaps the first two",
            )

    def infer(self, check: Check, x: TensorType) -> TensorType:
        if x.rank != len(self.dims) + 1:
            raise ShapeError(
                f"`Permute` is given an order of {len(self.dims)} axes, and gets {show_shape(x.features)}, which has "
                f"{x.rank - 1}",
                code="NN0301",
                argument="dims",
                help="`dims` names every axis after the batch axis once, those that stay too",
            )
        return x.with_shape(*(x.shape[axis] for axis in self.dims))

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.method(x, "permute", 0, *self.dims)


@entry("layer")
class RepeatVector(Layer):
    """Repeats a vector `n` times: [features] gives [n, features], the same at every step.

    Any dtype; a mask ends here.

    Example:
        summary -> RepeatVector(20) -> LSTM(32, return_sequences=true)
    """

    n = arg(Int(1), "How many times.")

    def infer(self, check: Check, x: TensorType) -> TensorType:
        need_rank(x, 2, "RepeatVector", "[features]")
        return x.with_shape(self.n, x.last)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.method(code.method(x, "unsqueeze", 1), "expand", -1, self.n, -1)
