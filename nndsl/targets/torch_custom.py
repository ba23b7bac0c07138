"""Layers of one's own in torch: a class with its parameters and buffers, a module for each layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nndsl import code
from nndsl.ir.graph import Node, Value
from nndsl.layers.base import Weight
from nndsl.layers.emit import InitRecord, StateEntry, TorchCall, TorchScope
from nndsl.passes.custom import CustomLayer, Inside, Update
from nndsl.records import fresh, mutable
from nndsl.targets.custom_parts import Updates, parameters, parametrized, states
from nndsl.targets.names import attribute_name, python_name
from nndsl.targets.torch_body import Body
from nndsl.targets.units import Unit
from nndsl.targets.unpacked import discard_unread, reads

if TYPE_CHECKING:
    from nndsl.targets.torch_forward import Forward

SELF = code.Name("self")
_FILLED = {"Zeros": "torch.zeros", "Ones": "torch.ones"}


@mutable
class WrittenLayer:
    """What the class of a layer needs besides its code."""

    layer: CustomLayer
    scope: TorchScope
    arguments: tuple[str, ...]
    buffers: tuple[str, ...]
    outputs: int
    stored: list[str] = fresh(default_factory=list)  # parameters that `forward` reads


class LayerWriter:
    """Writes the classes of layers of one's own."""

    def __init__(self, writer: Forward) -> None:
        self.writer = writer

    def call(
        self, layer: CustomLayer, t: TorchCall, inputs: tuple[code.Expr, ...]
    ) -> code.Expr | tuple[code.Expr, ...]:
        """The result of a call; the module is made at the first one."""
        scope = t.scope
        owner = t.own()
        place = code.Attr(SELF, owner)
        inside = layer.body_for(t.inputs)
        if owner not in scope.modules:
            unit = self._write(layer, inside, t.inputs)
            self.writer.blocks.units.append(unit)
            scope.modules[owner] = code.Deferred(unit)
            for name, (weight, _) in inside.weights.items():
                attribute = attribute_name(name)
                scope.state.append(StateEntry(f"{owner}.{attribute}", f"{t.path}/{name}", (), weight.shape))
                record = InitRecord(code.Attr(place, attribute), weight, "Parameter", "", (), nested=True)
                scope.inits.append(record)
            if not layer.trainable and any(weight.trainable for weight, _ in inside.weights.values()):
                scope.after.append(code.Do(code.method(place, "requires_grad_", False)))
        called = code.call(place, *inputs)
        if len(inside.outputs) == 1:
            return called
        names = tuple(code.Name(name) if used else code.Name("_") for name, used in zip(t.names, t.used, strict=True))
        scope.forward.append(code.Assign(names, called))
        return names

    def _write(self, layer: CustomLayer, inside: Inside, types: Sequence[Any]) -> Unit:
        scope = self.writer.scope.inside()
        names = [python_name(name) for name in layer.input_names]
        arguments = dict(zip(inside.inputs, names, strict=True))
        body = _LayerBody(self.writer, scope, layer, inside, arguments)
        statements = body.write([])
        results = [body.result(value) for value in inside.outputs.values()]
        returned = results[0] if len(results) == 1 else code.Tuple(tuple(results))
        statements = discard_unread([*statements, code.Return(returned)])
        given = dict(parameters(layer))
        sizes: dict[str, int] = {}

        def size(of: str, axis: int) -> code.Expr:
            position = layer.input_names.index(of)
            rank = types[position].rank
            last = axis in (-1, rank - 1)
            name = "in_features" if last else f"size_{axis % rank}"
            name = name if len(names) == 1 else f"{python_name(of)}_{'features' if last else f'size_{axis % rank}'}"
            found = types[position].shape[axis]
            assert isinstance(found, int)
            sizes[name] = found
            return code.Name(name)

        stored: list[str] = []

        def own(name: str) -> code.Expr:
            if name not in stored:
                stored.append(name)
            return code.Attr(SELF, attribute_name(name))

        init = tuple(self._init(scope, inside))
        init = parametrized(
            init, layer.call, layer.input_names, tuple(given), lambda n: code.Name(python_name(n)), size
        )
        forward = parametrized(tuple(statements), layer.call, layer.input_names, tuple(given), own, _runtime_size)
        buffers = tuple(attribute_name(n) for n, (weight, _) in inside.weights.items() if not weight.trainable)
        made = WrittenLayer(layer, scope, tuple(names), buffers, len(results), stored)
        keep = [(attribute_name(n), python_name(n)) for n in given if n in stored]
        init = (*(code.Assign((code.Attr(SELF, a),), code.Name(p)) for a, p in keep), *init)
        read = {*reads(init)}
        given = {n: v for n, v in given.items() if python_name(n) in read}  # others chose an initializer or a branch
        fixed = (tuple(names), len(results), buffers, tuple(n for n, _ in sizes.items()))
        return Unit(
            layer.call, init, forward, fixed, (), made, frozenset(sizes), forced=(*sizes.items(), *given.items())
        )

    def _init(self, scope: TorchScope, inside: Inside) -> list[code.Stmt]:
        made: list[code.Stmt] = []
        fill: list[code.Stmt] = []
        for name, (weight, _) in inside.weights.items():
            place = code.Attr(SELF, attribute_name(name))
            title = weight.initializer.title()
            dtype = {} if weight.dtype == "float" else {"dtype": code.dotted(f"torch.{_dtype(weight)}")}
            shape: tuple[object, ...] = weight.shape or (code.Tuple(()),)
            tensor = code.call(_FILLED.get(title, "torch.empty"), *shape, **dtype)
            if weight.trainable:
                made.append(code.Assign((place,), code.call("nn.Parameter", tensor)))
            else:
                made.append(code.Do(code.call("self.register_buffer", attribute_name(name), tensor)))
            if title not in _FILLED:
                record = InitRecord(place, weight, "Parameter", "", ())
                fill += weight.initializer.torch(scope, record)
        return [*made, *fill]


def _dtype(weight: Weight) -> str:
    return {"int": "int32"}.get(weight.dtype, weight.dtype)


def _runtime_size(of: str, axis: int) -> code.Expr:
    return code.index(code.Attr(code.Name(python_name(of)), "shape"), axis)


class _LayerBody(Body):
    """`forward` of a layer: its weights are attributes, its updates take place on the way."""

    def __init__(
        self, writer: Forward, scope: TorchScope, layer: CustomLayer, inside: Inside, arguments: dict[Value, str]
    ) -> None:
        results = [*inside.outputs.values(), *(update.value for update in inside.updates)]
        prefix = f"{layer.call.path}."
        super().__init__(writer, inside.nodes, arguments, results, with_logits=False, scope=scope, prefix=prefix)
        self.updates = Updates(inside)
        self.own = states(inside)
        for value, name in self.own.items():
            self.variables[value] = code.Attr(SELF, attribute_name(name))

    def write(self, head: list[code.Stmt]) -> list[code.Stmt]:
        head = list(head)
        for update in self.updates.saved:
            old = code.Name(self.names.fresh(f"old_{update.name}"))
            head.append(code.Assign((old,), code.Attr(SELF, attribute_name(update.name))))
            self.variables[update.before] = old
        statements = super().write(head)
        return [*statements, *self._statements(self.updates.due(None))]

    def _node(self, index: int, node: Node) -> None:
        self.scope.forward += self._statements(self.updates.due(node))
        super()._node(index, node)

    def _statements(self, updates: list[Update]) -> list[code.Stmt]:
        """`self.total = total.detach()`: what a state becomes is no longer part of the graph of gradients."""
        found: list[code.Stmt] = []
        for update in updates:
            value = self.operand(update.value, False)
            place = code.Attr(SELF, attribute_name(update.name))
            if update.value.type.is_float:
                value = code.method(value, "detach")
            statement = code.Assign((place,), value)
            found.append(code.If(code.dotted("self.training"), (statement,)) if update.training else statement)
        return found
