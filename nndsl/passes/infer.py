"""Types of values: each call's shape rule is asked as soon as the call is known.

A failed call gives values of unknown type, and calls that meet those stay silent: one mistake, one message.
"""

from __future__ import annotations

from typing import Any

from nndsl.diagnostics.model import Label, Problems
from nndsl.ir.constraints import Constraints, Outcome
from nndsl.ir.dims import Dim, DimTooComplex
from nndsl.ir.graph import BlockCall, LayerUse, Model, Node, Region, Value
from nndsl.ir.types import UNKNOWN, TensorType, show_shape
from nndsl.layers.base import Layer, Weight
from nndsl.layers.shapes import ShapeError
from nndsl.layers.wrapping import mask_of_steps
from nndsl.passes.estimate import MOST_NODES
from nndsl.passes.trace import Trace
from nndsl.records import replace
from nndsl.source import Span


class Infer:
    """Infers types node by node; implements `layers.shapes.Check` for the rule at work."""

    def __init__(self, problems: Problems, constraints: Constraints) -> None:
        self.problems, self.constraints = problems, constraints
        self._place: Span | None = None
        self.float_dtype = "float32"  # the option of the model
        self.region: Region | None = None  # that of the call at hand
        self.held: list[Model] = []  # the graphs of blocks that layers hold, as they are made
        self.root = self  # the one for the model itself, where this one is for a graph that a layer holds
        self.held_nodes = 0  # how many calls there are in all of those graphs
        self.other_nodes = 0  # and in the other models of the file
        self.room = (MOST_NODES, MOST_NODES)  # see passes/estimate.py
        self.trace: Trace | None = None  # who wants to know what every expression gave

    # ------------------------------------------------------------------------ what shape rules ask

    def at_least(self, dim: Dim, minimum: int, error: ShapeError) -> None:
        result = self.constraints.require_at_least(dim, minimum, self._place)
        if not result:
            raise self._contradiction(error, result.reasons, f"`{dim}` must be {minimum} or more")

    def equal(self, a: Dim, b: Dim, error: ShapeError) -> None:
        result = self.constraints.require_equal(a, b, self._place)
        if not result:
            if result.outcome is Outcome.CONTRADICTION and result.reasons:
                raise self._contradiction(error, result.reasons, f"`{a}` must equal `{b}`")
            raise error

    def _contradiction(self, error: ShapeError, reasons: tuple[object, ...], asks: str) -> ShapeError:
        if not reasons:
            return error
        self._reasons = tuple(reason for reason in reasons if isinstance(reason, Span))
        message = f"{error.message}; {asks}, which contradicts what is asked of the same dimension elsewhere"
        help = "give the dimension a number where it is declared, or change one of these (`padding=same` keeps sizes)"
        return ShapeError(message, code="NN0310", argument=error.argument, inputs=error.inputs, help=help)

    # -------------------------------------------------------------------------------------- calls

    def node(self, node: Node) -> None:
        """Sets the types of the node's results. `node.results` has one value; more are added for several results."""
        use, config = node.layer, node.config
        types = node.input_types
        tensors: dict[str, Any] = {
            name: tuple(v.type for v in item) if isinstance(item, tuple) else item.type
            for name, item in node.tensors.items()
        }
        if not all(value.type.known for value in node.operands()):
            return
        self._place, self._reasons, self.region = use.name_span, (), node.region
        config.path = use.path
        try:
            if not config.is_function:
                _check_batch(config, types)
            _check_mask(config, types)
            result = config.infer(self, *types, **tensors)
            results = result if isinstance(result, tuple) else (result,)
            weights = list(config.weights(*types))
            _fill(weights)
            _fill_children(config)
            if config.penalises_activity:
                _penalise(config, results)
        except ShapeError as error:
            self._report(node, error)
            return
        except DimTooComplex as error:
            self.problems.error(
                "NN0702",
                f"the shapes here have formulas that are too large to follow: {error}",
                use.name_span,
                help="give some of the free dimensions a size",
            )
            return
        set_paths(config, use.path)
        if config is not use.config:
            set_paths(use.config, use.path)
        self._agree(node, weights)
        if config.result_mask(*(t.mask for t in types)):
            masked = [t.mask_rank for t in types if t.mask]
            rank = max(masked) if masked else results[0].rank - 1  # a mask that starts here leaves the last axis out
            results = (replace(results[0], mask=True, mask_rank=rank), *(t.with_mask(False) for t in results[1:]))
        else:
            results = tuple(t.with_mask(False) for t in results)
        for position, type_ in enumerate(results):
            if position == len(node.results):
                node.results = (*node.results, Value(node.span, producer=node, position=position))
            node.results[position].type = type_

    def _agree(self, node: Node, weights: list[Weight]) -> None:
        """All calls of one layer must ask for the same weights."""
        first = node.layer.nodes[0]
        if first is node or not first.results[0].type.known:
            return
        if node.layer.config.once:
            place, related = _calls(node, first)
            self.problems.error(
                "NN0218",
                f"shared layer `{node.layer.shared}` is called twice, and `{node.layer.config.title()}` changes its "
                "kernel at every call: Keras settles the order of calls by itself",
                place,
                related=related,
                help="call it once, for instance on both values joined along the batch, or use two layers",
            )
            return
        before = list(node.layer.config.weights(*first.input_types))
        for old, new in zip(before, weights, strict=False):
            if old.shape != new.shape:
                place, related = _calls(node, first)
                self.problems.error(
                    "NN0306",
                    f"the calls of shared layer `{node.layer.shared}` do not agree: its {old.name} would be "
                    f"{show_shape(old.shape)} for one and {show_shape(new.shape)} for another",
                    place,
                    f"gets {_show(node.inputs)}",
                    related=related,
                    notes=chain(node.inputs),
                    help="one set of weights fits one size: give both calls inputs of the same size, or use two layers",
                )
                for value in node.results:
                    value.type = UNKNOWN
                return

    def _report(self, node: Node, error: ShapeError) -> None:
        use = node.layer
        if use.config.is_function:
            from nndsl.passes.expression_errors import report

            report(node, error, self._reasons, self.problems)
            return
        place = use.arguments.get(error.argument or "", None)
        if use.shared and place is not None and place.start < use.span.start:
            place = None
        span = place or (node.span if use.shared else use.name_span)
        related = []
        for position in error.inputs:
            if position < len(node.inputs):
                value = node.inputs[position]
                related.append(
                    Label(origin(value), f"{'this' if not value.name else f'`{value.name}`'} is {value.type}")
                )
        for item in node.tensors.values() if error.argument in node.tensors else ():
            for value in item if isinstance(item, tuple) else (item,):
                related.append(
                    Label(origin(value), f"{'this' if not value.name else f'`{value.name}`'} is {value.type}")
                )
        from nndsl.passes.shape_remedies import shape_fixes, shape_help

        help, more = shape_help(node, error)
        fixes = shape_fixes(node, error, help)
        related = [*more, *related]
        related += [Label(reason, "asked for here") for reason in self._reasons if reason != span]
        unique: dict[tuple[int, int], Label] = {}
        for label in related:
            if label.span != span:
                unique.setdefault((label.span.start, label.span.end), label)
        inputs = tuple(node.inputs[p] for p in error.inputs if p < len(node.inputs))
        self.problems.error(
            error.code,
            error.message,
            span,
            related=tuple(unique.values()),
            notes=(*chain(inputs), *error.notes),
            help=None if fixes and help == fixes[0].title else help,
            fixes=fixes,
        )


def _calls(node: Node, first: Node) -> tuple[Span, tuple[Label, ...]]:
    """The places of two calls of one layer: in the model where a block is shared, whose layer stands in one place."""
    place, other = node.span, first.span
    related: list[Label] = []
    one, two = node.region, first.region
    while place == other and one is not None and two is not None:
        if isinstance(one, BlockCall) and isinstance(two, BlockCall):
            if not related:
                related.append(Label(node.layer.span, "the layer"))
            place, other = one.span, two.span
        one, two = one.parent, two.parent
    return place, (Label(other, f"gets {_show(first.inputs)}"), *related)


def set_paths(config: Layer, path: str) -> None:
    """Gives a layer and those inside it their identities."""
    config.path = path
    for name, child, _ in config.children():
        set_paths(child, f"{path}.{name}")


def _check_batch(config: Layer, types: tuple[TensorType, ...]) -> None:
    """Raises ShapeError where a layer would get a value that is one for the whole batch."""
    for position, x in enumerate(types):
        if not x.batched:
            raise ShapeError(
                f"`{config.title()}` takes a value of each sample, and gets one without a batch axis, "
                f"{show_shape(x.shape)}",
                code="NN0314",
                inputs=(position,),
                help="a reduction over axis 0 is one for the whole batch: reduce other axes, or combine it with a "
                "value that has a batch axis before",
            )


def _check_mask(config: Layer, types: tuple[TensorType, ...]) -> None:
    """Raises ShapeError where a layer would use a mask of more axes than the steps of its input: `TimeDistributed`
    hands the mask of every word on, as Keras's does, where its layer has made one vector of all words."""
    for position, x in enumerate(types):
        if config.uses_mask and x.mask and x.known and x.mask_rank < 2:
            raise mask_of_steps(config)
        if config.uses_mask and x.mask and x.known and x.mask_rank >= x.rank:
            raise ShapeError(
                f"`{config.title()}` cannot use the mask that comes with {show_shape(x.features)}: it is from before "
                "`TimeDistributed`, and has an axis too many",
                code="NN0302",
                inputs=(position,),
                help="Keras fails here too: leave `mask_zero` out, or let `Reshape` of the same shape end the mask",
            )


def _fill(weights: list[Weight]) -> None:
    """Raises ShapeError where an initializer, regularizer or constraint cannot be put on its weight."""
    for weight in weights:
        for kind in ("initializer", "regularizer", "constraint"):
            entry = getattr(weight, kind)
            misfit = getattr(entry, "misfit", None)
            reason = misfit(weight.shape) if misfit is not None else None
            if reason is not None:
                raise ShapeError(
                    f"`{entry.title()}` {reason}: {weight.name} is {show_shape(weight.shape)}",
                    code="NN0206",
                    argument=f"{weight.name}_{kind}",
                    inputs=(),
                )


def _fill_children(config: Layer) -> None:
    """The same for the layers inside of one."""
    for _, child, types in config.children():
        _fill(list(child.weights(*types)))
        _fill_children(child)


def _penalise(config: Layer, results: tuple[TensorType, ...]) -> None:
    """Raises ShapeError where an activity regularizer cannot be put on what the layer gives."""
    misfit = getattr(config.result_regularizer, "misfit", None)
    for result in results:
        shape = tuple(dim if isinstance(dim, int) else 2 for dim in result.shape)
        reason = misfit(shape) if misfit is not None else None
        if reason is not None:
            raise ShapeError(
                f"`{config.result_regularizer.title()}` {reason.replace('this weight', 'this result')}: "
                f"`{config.title()}` gives {show_shape(result.shape)}, the batch axis included",
                code="NN0206",
                argument="activity_regularizer",
                inputs=(),
            )


def origin(value: Value) -> Span:
    """The call or declaration that a value comes from."""
    if value.producer is None:
        return value.span
    use: LayerUse = value.producer.layer
    if value.producer.port:
        return use.name_span
    return value.producer.span if use.shared else use.name_span


def _show(values: tuple[Value, ...]) -> str:
    return ", ".join(str(value.type) for value in values)


def chain(values: tuple[Value, ...], most: int = 6) -> tuple[str, ...]:
    """For each value the layers that led to its type: "image [28, 28, 1] -> Conv2D [28, 28, 32] -> Flatten [25088]"."""
    notes = []
    for value in values[:4]:
        steps: list[str] = []
        current: Value | None = value
        seen = 0
        while current is not None and seen < most:
            node = current.producer
            if node is not None and node.port:
                current = node.inputs[0]
                continue
            name = current.name if node is None else node.layer.shared or _title(node)
            steps.append(f"{name} {show_shape(current.type.features)}")
            current = node.inputs[0] if node is not None and len(node.inputs) == 1 else None
            seen += 1
            if node is not None and len(node.inputs) > 1:
                steps.append("(" + ", ".join(show_shape(v.type.features) for v in node.inputs) + ")")
        if current is not None:
            steps.append("…")
        if len(steps) > 1:
            notes.append("the shape comes from " + " -> ".join(reversed(steps)))
    return tuple(notes)


def _title(node: Node) -> str:
    config = node.layer.config
    return " ".join(node.span.text.split())[:30] if config.category == "operator" else str(config.title())
