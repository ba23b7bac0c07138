"""Products of matrices, and sums of products: matmul, einsum."""

from __future__ import annotations

import re

from nndsl import code
from nndsl.ir.dims import Dim, Formula, product
from nndsl.ir.types import TensorType
from nndsl.layers.aligning import of_floats, one_dtype, same_batch, show
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.function import Function, misfit
from nndsl.layers.kinds import Text
from nndsl.layers.shapes import Check

_SUBSCRIPTS = re.compile(r"[a-zA-Z]*(,[a-zA-Z]*)*->[a-zA-Z]*")


def product_of_matrices(check: Check, function: Function, x1: TensorType, x2: TensorType) -> TensorType:
    """The type of `x1 @ x2`: numpy's rules for one and two axes; more are batches of matrices, which must agree. The
    batch axis is never one of a matrix that the product sums over."""
    of_floats(function, x1, x2)
    dtype = one_dtype(function, x1, x2)
    assert dtype is not None
    title = function.title()
    for position, x in enumerate((x1, x2)):
        if not x.features:
            raise misfit(
                f"`{title}` multiplies matrices and vectors, and gets {show(x)}, one number",
                function.operands[position], position, code="NN0301", help="write `*`",
            )  # fmt: skip
    if x1.batched and x2.batched and (x1.rank != x2.rank or x1.rank < 3):
        if x1.rank == x2.rank:
            help = "the product of two vectors of each sample is `sum({0} * {1}, axis=-1)`"
        elif x1.rank == 3:
            help = "for a matrix and a vector of each sample write `({0} @ {1}[:, :, none])[:, :, 0]`"
        else:
            help = "give the other one its missing axis, as in `{1}[:, none]`, or say it by `einsum`"
        raise misfit(
            f"`{title}` multiplies the matrices of each sample, and gets {show(x1)} and {show(x2)}",
            function.operands[1], 1, 0, code="NN0301", help=help,
        )  # fmt: skip
    if x2.batched and x2.rank == 2:
        raise misfit(
            f"`{title}` would sum over the batch axis of {show(x2)}", function.operands[1], 1, code="NN0308",
            help="let the value with a batch axis stand on the left: `{1} @ {0}`",
        )  # fmt: skip
    inner = x2.shape[0] if x2.rank == 1 else x2.shape[-2]
    error = misfit(
        f"`{title}` gets {show(x1)} and {show(x2)}: {x1.last} and {inner} do not match",
        function.operands[1], 1, 0,
        help="the last axis of the first is summed over with the one before the last of the second; "
        "`transpose` swaps axes",
    )  # fmt: skip
    check.equal(x1.last, inner, error)
    shape = [*_stack(check, function, x1, x2), *(x1.shape[-2:-1]), *(x2.shape[-1:] if x2.rank > 1 else ())]
    batched = x1.batched or x2.batched
    if batched:
        shape[0] = same_batch(function, x1, x2) or shape[0]
    return TensorType(tuple(shape), dtype, batched=batched)


def _stack(check: Check, function: Function, x1: TensorType, x2: TensorType) -> list[Dim]:
    """The axes in front of the matrices, which align at the right."""
    first, second = x1.shape[:-2], x2.shape[:-2]
    if (x1.batched and len(second) > len(first)) or (x2.batched and len(first) > len(second)):
        place = 1 if x1.batched else 0
        raise misfit(
            f"`{function.title()}` gets {show(x1)} and {show(x2)}, and the batch axis would meet another axis",
            function.operands[place], place, 1 - place, code="NN0301",
            help="the one without a batch axis has more axes than the other",
        )  # fmt: skip
    result: list[Dim] = []
    for back in range(max(len(first), len(second)), 0, -1):
        sizes = [shape[-back] for shape in (first, second) if len(shape) >= back]
        size = sizes[0]
        for other in sizes[1:]:
            if size == 1:
                size = other
            elif other not in (1, size):
                error = misfit(
                    f"`{function.title()}` gets {show(x1)} and {show(x2)}: {size} and {other} do not match",
                    function.operands[1], 1, 0, help="axes in front of the matrices must be equal, or one of them 1",
                )  # fmt: skip
                check.equal(size, other, error)
        result.append(size)
    return result


@entry("function")
class Matmul(Function):
    """Product of matrices, as `x1 @ x2`: [i, j] times [j, k] gives [i, k], for every sample.

    Example:
        matmul(a, b)
    """

    operands = ("x1", "x2")

    def infer(self, check: Check, x1: TensorType, x2: TensorType) -> TensorType:
        return product_of_matrices(check, self, x1, x2)

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        return product(results[0].features) * inputs[0].last

    def torch(self, t: TorchCall, x1: code.Expr, x2: code.Expr) -> code.Expr:
        return code.call("torch.matmul", x1, x2)


@entry("function")
class Einsum(Function):
    """Sums of products, by Einstein's notation: a letter for each axis, the batch axis among them; letters that are
    missing behind `->` are summed over.

    Example:
        einsum("bij,bjk->bik", a, b)
    """

    operands = ("operands",)
    several = "operands"
    spread = True
    signature = ("subscripts", "operands")
    subscripts = arg(Text(), "The axes of each operand, separated by commas, and behind `->` those of the result.")

    def check(self) -> None:
        text = self.subscripts.replace(" ", "")
        if not _SUBSCRIPTS.fullmatch(text):
            raise ConfigError(
                "`subscripts` has a letter for each axis, commas between the operands and `->` before the result",
                "subscripts", code="NN0206", help='for instance `"bij,bjk->bik"`',
            )  # fmt: skip
        left, _, right = text.partition("->")
        for part in (*left.split(","), right):
            twice = next((letter for letter in part if part.count(letter) > 1), None)
            if twice is not None:
                raise ConfigError(
                    f"`{twice}` stands twice in `{part}`", "subscripts", code="NN0206",
                    help="every axis of one tensor has a letter of its own",
                )  # fmt: skip
        missing = next((letter for letter in right if letter not in left), None)
        if missing is not None:
            raise ConfigError(
                f"`{missing}` stands behind `->` and in no operand", "subscripts", code="NN0206",
                help="the result has axes of the operands alone",
            )  # fmt: skip

    @property
    def parts(self) -> tuple[list[str], str]:
        left, _, right = self.subscripts.replace(" ", "").partition("->")
        return left.split(","), right

    def infer(self, check: Check, *operands: TensorType) -> TensorType:
        of_floats(self, *operands)
        dtype = one_dtype(self, *operands)
        assert dtype is not None
        parts, result = self.parts
        if len(parts) != len(operands):
            raise misfit(
                f"`subscripts` speaks of {len(parts)} operand{'s' * (len(parts) > 1)}, and {len(operands)} "
                f"{'are' if len(operands) > 1 else 'is'} given", "subscripts", code="NN0301",
                help="the parts between commas stand for the operands, in order",
            )  # fmt: skip
        sizes: dict[str, tuple[int, Dim]] = {}
        batch = ""
        for position, (part, x) in enumerate(zip(parts, operands, strict=True)):
            place = f"operands.{position}"
            if len(part) != x.rank:
                raise misfit(
                    f"`{part}` names {len(part)} axes, and {show(x)} has {x.rank}"
                    + (" with the batch axis" if x.batched else ""), place, position, code="NN0301",
                    help="the batch axis has a letter too, the first: `bij` for a matrix of each sample",
                )  # fmt: skip
            if x.batched:
                if batch and part[0] != batch:
                    raise misfit(
                        f"the batch axis is `{batch}` in one operand and `{part[0]}` in this", place, position,
                        code="NN0308", help=f"the batch axis has one letter everywhere: begin with `{batch}`",
                    )  # fmt: skip
                batch = part[0]
            for axis, letter in enumerate(part):
                self._size(check, sizes, letter, x, axis, position)
        for position, (part, x) in enumerate(zip(parts, operands, strict=True)):
            if batch in (part[1:] if x.batched else part) and batch:
                raise misfit(
                    f"`{batch}` is the batch axis, and another axis here", f"operands.{position}", position,
                    code="NN0308", help="give that axis another letter",
                )  # fmt: skip
        if batch in result[1:] and batch:
            raise misfit(
                f"the batch axis `{batch}` must be the first axis of the result", "subscripts", code="NN0308",
                help=f"write `->{batch}{result.replace(batch, '')}`",
            )  # fmt: skip
        shape = tuple(sizes[letter][1] for letter in result)
        return TensorType(shape, dtype, batched=bool(batch) and result.startswith(batch))

    def _size(
        self, check: Check, sizes: dict[str, tuple[int, Dim]], letter: str, x: TensorType, axis: int, position: int
    ) -> None:
        size = x.shape[axis]
        if letter not in sizes:
            sizes[letter] = position, size
            return
        other, known = sizes[letter]
        if known == size:
            return
        if x.batched and axis == 0:
            if isinstance(size, Formula):
                return
        elif not isinstance(known, Formula) or not isinstance(size, Formula) or known != size:
            error = misfit(
                f"axis `{letter}` has size {known} in one operand and {size} in another", f"operands.{position}",
                position, other, help="a letter is one size everywhere",
            )  # fmt: skip
            check.equal(known, size, error)
        if isinstance(size, int):
            sizes[letter] = position, size

    def torch(self, t: TorchCall, *operands: code.Expr) -> code.Expr:
        return code.call("torch.einsum", self.subscripts.replace(" ", ""), *operands)

    def keras(self, k: KerasCall, *operands: code.Expr) -> code.Expr:
        return code.call("keras.ops.einsum", self.subscripts.replace(" ", ""), *operands)
