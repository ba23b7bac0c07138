"""Blocks and layers of one's own that stand where another layer takes a layer: `TimeDistributed(Tower(32))`.

A block there becomes a `BlockLayer`, a layer that holds the graph of the block's body. What flows in is known when the
layer around it is asked for its types: then the body is elaborated, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nndsl import code
from nndsl.diagnostics.model import CallSite, Problems
from nndsl.ir.constraints import Constraints
from nndsl.ir.dims import Dim
from nndsl.ir.graph import BlockCall, Input, Model, Output, Region, Value
from nndsl.ir.types import TensorType, show_shape
from nndsl.layers.base import Layer
from nndsl.layers.build import default_of
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.shapes import Check, ShapeError
from nndsl.layers.wrapping import freeze
from nndsl.passes.custom import CustomLayer, mixes_samples
from nndsl.passes.definitions import Block
from nndsl.passes.evaluate import Env, Evaluator
from nndsl.passes.flatten import flatten
from nndsl.passes.infer import Infer
from nndsl.passes.masks import masks_needed
from nndsl.passes.stop import Stop
from nndsl.syntax import ast

if TYPE_CHECKING:
    from nndsl.passes.bind import Binder
    from nndsl.passes.blocks import Arguments
    from nndsl.passes.flows import Flows


def own_layer(binder: Binder, call: ast.CallExpr, env: Env) -> Layer | None:
    """The layer that a call of a block, or of a layer of one's own, is as an argument; None where something is wrong
    with it (reported)."""
    from nndsl.passes.blocks import input_names

    block: Block = env.home.blocks[call.func.text]
    block.calls += 1
    inputs = [name for name in input_names(block) if name not in {p.name.text for p in block.definition.parameters}]
    for arg in call.args:
        if arg.name is not None and arg.name.text in inputs:
            binder.problems.error(
                "NN0212", f"`{block.name}` gets one step of a sequence here, and no other value", arg.span,
                help="put the values together in front of the layer, for instance with `Concatenate()`",
            )  # fmt: skip
            return None
    blocks = _flows(block, Infer(binder.problems, Constraints()), binder).blocks
    arguments = blocks.arguments(block, call, env)
    if arguments is None:
        return None
    here, binder.evaluate.env = binder.evaluate.env, env
    try:
        name, trainable = blocks.common(call, arguments.values)
    except Stop:
        return None
    finally:
        binder.evaluate.env = here
    if block.definition.is_layer:
        made = BlockCall(None, block.name, block.definition, "", call.span, call.func.span, arguments.values)
        made.places = arguments.places
        return HeldLayer(block, made, name, trainable, binder.defaults)
    return BlockLayer(block, call, arguments, name, binder.defaults)


def _flows(block: Block, infer: Infer, binder: Binder, region: Region | None = None) -> Flows:
    """An empty body, for one call of `block` to stand in."""
    from nndsl.passes.flows import Flows, Frame
    from nndsl.passes.resolve import Scope

    model = Model(block.name, "", block.home.source, block.definition.span, constraints=infer.constraints)
    model.float_dtype = infer.float_dtype
    model.data_format = str(binder.defaults.get("data_format", model.data_format))
    frame = Frame(block.home, depth=len(infer.problems.calls))
    flows = Flows(model, Scope(), binder, infer, infer.problems, frame)
    flows.region = region
    return flows


def _inside(block: Block, outer: Infer, defaults: Mapping[str, object]) -> Flows:
    """The same while types are inferred: rules that are at work in `outer` are not disturbed."""
    from nndsl.passes.bind import Binder

    infer = Infer(outer.problems, outer.constraints)
    infer.float_dtype, infer.held, infer.root = outer.float_dtype, outer.held, outer.root
    binder = Binder(outer.problems, Evaluator(outer.problems, Env(block.home.params.values, None, None, block.home)))
    binder.defaults = dict(defaults)
    return _flows(block, infer, binder, outer.region)


class HeldLayer(CustomLayer):
    """A layer of one's own inside of another layer."""

    def __init__(
        self, block: Block, call: BlockCall, name: str | None, trainable: bool, defaults: Mapping[str, object]
    ) -> None:
        super().__init__(block, call, name, trainable)
        self.defaults = defaults

    def infer(self, check: Check, *inputs: TensorType, **tensors: Any) -> Any:
        from nndsl.passes.blocks import written
        from nndsl.passes.custom import Inner

        assert isinstance(check, Infer)
        types = tuple(t.with_mask(False) for t in inputs)
        if types not in self.insides:
            self.call.path, self.call.parent = self.path, check.region
            flows = _inside(self.block, check, self.defaults)
            check.problems.calls.append(CallSite(written(self.call.definition, self.call.arguments), self.call.span))
            try:
                found = Inner(flows, self, flows.blocks.env(self.block, self.call, self.call.arguments)).run(types)
            finally:
                check.problems.calls.pop()
            if found is None:
                raise Stop
            self.insides[types] = found
        return super().infer(check, *inputs, **tensors)


class BlockLayer(Layer):
    """One use of a block inside of another layer. `model` is the graph of its body, a model whose one call is `made`:
    there from `infer` on."""

    category = "layer"
    aliases = ()
    takes_mask = True  # whether it needs the mask of its input is known when its body is
    model: Model
    made: BlockCall

    def __init__(
        self,
        block: Block,
        call: ast.CallExpr,
        arguments: Arguments,
        name: str | None,
        defaults: Mapping[str, object],
    ) -> None:
        super().__init__({}, default_of)
        self.block, self.call, self.arguments_given, self.name, self.defaults = block, call, arguments, name, defaults
        self.trainable = True
        self.inside: tuple[Layer, ...] = ()  # the layers of its body
        self._type: TensorType | None = None  # of what flows in
        self._result: TensorType | None = None
        self._flat: Model | None = None

    @property
    def arity(self) -> tuple[int, int]:  # type: ignore[override]
        count = len(self.block.definition.inputs)
        return count, count

    @property
    def results(self) -> int:
        return len(self.block.definition.outputs)

    def title(self) -> str:  # type: ignore[override]
        return self.block.name

    @property
    def written(self) -> str:
        """The call as the file would spell it."""
        from nndsl.passes.blocks import written

        return written(self.block.definition, self.arguments_given.values)

    # ------------------------------------------------------------------------------------------------- types

    def infer(self, check: Check, x: TensorType, **tensors: Any) -> TensorType | tuple[TensorType, ...]:
        assert isinstance(check, Infer)
        if self._result is None:
            return self._elaborate(check, x)
        if x != self._type:
            raise ShapeError(
                f"the calls of shared block `{self.block.name}` do not agree: one step is {show_shape(x.features)} for "
                f"one and {show_shape(self._type.features) if self._type else ''} for another",
                code="NN0306",
                help="give both calls steps of the same size, or use two layers",
            )
        return self._result

    def _elaborate(self, check: Infer, x: TensorType) -> TensorType | tuple[TensorType, ...]:
        flows = _inside(self.block, check, self.defaults)
        model, span = flows.model, self.call.span
        [statement] = self.block.definition.inputs
        value = Value(statement.name.span, statement.name.text, type=x)
        results = flows.blocks.expand(
            self.block, self.arguments_given, self.path, span, self.call.func.span, (value,), None, ""
        )
        if len(results) != 1:
            return tuple(result.type for result in results)
        [result] = results
        if not result.type.batched:
            raise ShapeError(
                f"block `{self.block.name}` gives one value for the whole batch, {result.type} without a batch axis",
                code="NN0314",
                help="a step of a sequence has a value for each sample: reduce other axes than axis 0",
            )
        self.model, self.made = model, model.blocks[0]
        model.inputs = [Input(value.name, value, value.span)]
        model.outputs = [Output(self.made.output_names[0], result, span, self.call.func.span)]
        self._refuse(check.problems)
        self.inside = tuple(use.config for use in model.layers)
        if not self.trainable:
            for layer in self.inside:
                freeze(layer)
        check.held.append(model)
        check.root.held_nodes += len(model.nodes)
        self._type, self._result = x, result.type.with_mask(False)
        return self._result

    def _refuse(self, problems: Problems) -> None:
        """Reports what a step of a sequence cannot do."""
        errors = len(problems.errors)
        for node in self.model.nodes:
            config, place = node.config, node.layer.name_span
            with _Calls(problems, node.region, self.made.parent):
                if config.static_state:
                    problems.error(
                        "NN0218", f"a stateful `{config.title()}` in a block inside of another layer is not supported",
                        place, help="leave `stateful=true` out: each step of the sequence starts anew",
                    )  # fmt: skip
                elif config.penalises_activity:
                    place = node.layer.arguments.get("activity_regularizer", place)
                    problems.error(
                        "NN0218", "an activity regularizer in a block inside of another layer is not supported", place,
                        help="leave it out, or let `ActivityRegularization(l2=…)` follow the layer around the block",
                    )  # fmt: skip
        for call in self.model.blocks:
            for penalty in call.penalties:
                with _Calls(problems, call, self.made.parent):
                    problems.error(
                        "NN0218", "a penalty in a block inside of another layer is not supported", penalty.span,
                        help="let the block give out what is penalised, and write the penalty in the model",
                    )  # fmt: skip
        if len(problems.errors) > errors:
            raise Stop

    # ---------------------------------------------------------------------------------- as a layer among others

    def children(self) -> Sequence[tuple[str, Layer, tuple[TensorType, ...]]]:
        start = len(self.made.path) + 1
        return [(use.path[start:], use.config, use.nodes[0].input_types) for use in self.model.layers if use.nodes]

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        total: Dim = 0
        for node in self.model.nodes:
            total = total + node.config.multiply_adds(node.input_types, node.result_types)
        return total

    @property
    def uses_mask(self) -> bool:  # type: ignore[override]
        """Whether a layer inside needs the mask of what flows in."""
        return self._result is not None and self.model.inputs[0].value in masks_needed(self.model)

    @property
    def mixes_samples(self) -> bool:  # type: ignore[override]
        """Whether what it gives for one sample depends on the others of the batch."""
        return mixes_samples(self.model.nodes)

    def graph(self, flat: bool) -> Model:
        """The graph of its body; `flat`: with the calls of blocks inside of it written out."""
        if not flat:
            return self.model
        if self._flat is None:
            self._flat = flatten(self.model, self.made)
        return self._flat

    # ---------------------------------------------------------------------------------------------- programs

    def torch(self, t: TorchCall, *inputs: code.Expr, **tensors: Any) -> code.Expr:
        result: code.Expr = t.scope.held(self, t, *inputs)
        return result

    def keras_layer(self, k: KerasCall) -> code.Expr:
        result: code.Expr = k.held(self)
        return result


class _Calls:
    """Problems that are reported here came about through the calls of blocks around `region`, up to `end`."""

    def __init__(self, problems: Problems, region: Region | None, end: Region | None) -> None:
        self.problems, self.region, self.end = problems, region, end

    def __enter__(self) -> None:
        from nndsl.passes.blocks import written

        sites = [CallSite(written(c.definition, c.arguments), c.span) for c in _around(self.region, self.end)]
        self.count = len(sites)
        self.problems.calls += reversed(sites)

    def __exit__(self, *_: object) -> None:
        del self.problems.calls[len(self.problems.calls) - self.count :]


def _around(region: Region | None, end: Region | None) -> Iterator[BlockCall]:
    """The calls of blocks from the innermost to the outermost."""
    while region is not None and region is not end:
        if isinstance(region, BlockCall):
            yield region
        region = region.parent
