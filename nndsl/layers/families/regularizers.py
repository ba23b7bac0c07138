"""Regularizers: penalties on a tensor that are added to the loss, with the formulas of keras/src/regularizers/."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from nndsl import code
from nndsl.layers.emit import Step, TorchScope
from nndsl.layers.entry import ConfigError, Entry, arg, entry
from nndsl.layers.kinds import Choice, Float, Maybe


class Regularizer(Entry):
    """Base of the regularizers. `joins` says that the penalty is no sum over the weight's numbers, so that it needs the
    whole weight."""

    joins: ClassVar[bool] = False

    def misfit(self, shape: tuple[int, ...]) -> str | None:
        """Why it cannot be put on a weight of this shape (Keras's layout), in words that go on after "`L2` …", or None
        where it can."""
        return None

    def torch(self, scope: TorchScope, tensor: code.Expr, steps: Sequence[Step] = ()) -> code.Expr:
        """The penalty of `tensor`, which came from Keras's layout by `steps`: code for a scalar tensor, or for 0.0."""
        raise NotImplementedError


def _weighted(scope: TorchScope, factor: float, tensor: code.Expr, function: str) -> code.Expr:
    return code.binary("*", scope.single(factor), code.method(code.method(tensor, function), "sum"))


@entry("regularizer")
class L1(Regularizer):
    """`l1 * sum(|w|)`: drives weights to exactly 0."""

    l1 = arg(Maybe(Float(0)), "Weight of the penalty; `none` means 0.01.", 0.01, formerly=("l",))

    def torch(self, scope: TorchScope, tensor: code.Expr, steps: Sequence[Step] = ()) -> code.Expr:
        return _weighted(scope, 0.01 if self.l1 is None else self.l1, tensor, "abs")


@entry("regularizer")
class L2(Regularizer):
    """`l2 * sum(w**2)`, with no 1/2: keeps weights small."""

    l2 = arg(Maybe(Float(0)), "Weight of the penalty; `none` means 0.01.", 0.01, formerly=("l",))

    def torch(self, scope: TorchScope, tensor: code.Expr, steps: Sequence[Step] = ()) -> code.Expr:
        return _weighted(scope, 0.01 if self.l2 is None else self.l2, tensor, "square")


@entry("regularizer", "l1_l2", "l1l2")
class L1L2(Regularizer):
    """`l1 * sum(|w|) + l2 * sum(w**2)`. Both are 0 by default, so at least one has to be given."""

    l1 = arg(Maybe(Float(0)), "Weight of the sum of absolute values; `none` means 0.", 0.0)
    l2 = arg(Maybe(Float(0)), "Weight of the sum of squares; `none` means 0.", 0.0)

    def check(self) -> None:
        if not self.given:
            raise ConfigError(
                "`L1L2` without `l1` and `l2` penalises nothing: both are 0 by default",
                help="write for instance `L1L2(l1=0.01, l2=0.01)`",
            )

    def torch(self, scope: TorchScope, tensor: code.Expr, steps: Sequence[Step] = ()) -> code.Expr:
        terms = []
        if self.l1:
            terms.append(_weighted(scope, self.l1, tensor, "abs"))
        if self.l2:
            terms.append(_weighted(scope, self.l2, tensor, "square"))
        if not terms:
            return code.Literal(0.0)
        return terms[0] if len(terms) == 1 else code.binary("+", *terms)


@entry("regularizer")
class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean absolute cosine between every two rows (or columns) of a matrix: pushes them apart."""

    joins = True
    factor = arg(Float(0), "Weight of the penalty.", 0.01)
    mode = arg(Choice("rows", "columns"), "What is to be orthogonal, in Keras's layout of the weight.", "rows")

    def misfit(self, shape: tuple[int, ...]) -> str | None:
        if len(shape) != 2:
            return f"takes matrices, and this weight has {len(shape)} axes"
        if shape[0 if self.mode == "rows" else 1] < 2:
            return f"compares {self.mode}, and this weight has only one"
        return None

    def torch(self, scope: TorchScope, tensor: code.Expr, steps: Sequence[Step] = ()) -> code.Expr:
        transposed = sum(step == ("permute", (1, 0)) for step in steps) % 2 == 1
        if (self.mode == "rows") == transposed:
            tensor = code.Attr(tensor, "T")
        scope.helpers["orthogonality_penalty"] = None
        return code.binary("*", scope.single(self.factor), code.call("orthogonality_penalty", tensor))
