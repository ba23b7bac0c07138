"""Calls of blocks in torch: a class for the block, a module for each call of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from nndsl import code
from nndsl.ir.graph import Value
from nndsl.layers.emit import TorchCall, TorchScope
from nndsl.passes.held import BlockLayer
from nndsl.passes.layout import layout
from nndsl.passes.masks import masks_needed
from nndsl.records import mutable, replace
from nndsl.targets.folding import folded, returning
from nndsl.targets.names import attribute_name, python_name
from nndsl.targets.rewrite import same_code, transformed
from nndsl.targets.specialize import uncommented
from nndsl.targets.structure import CallItem, NotStructured, held_call, statement_of
from nndsl.targets.torch_body import Body, channels_first, channels_last, comment_of, physical
from nndsl.targets.typing import typed
from nndsl.targets.units import Unit
from nndsl.targets.unpacked import discard_unread

if TYPE_CHECKING:
    from nndsl.targets.torch_forward import Forward


@mutable
class Written:
    """What a class needs besides its code: the names of its arguments, whether it gives masks, has penalties, state."""

    scope: TorchScope
    arguments: tuple[str, ...]
    masks: tuple[int, ...]  # the positions of the outputs whose masks are given too
    penalised: bool
    resets: bool
    signature: str = ""


class BlockWriter:
    """Writes each call of a block once, its inner calls before it."""

    def __init__(self, writer: Forward) -> None:
        self.writer = writer
        self.units: list[Unit] = []
        self.shared: dict[tuple[int, str], Unit] = {}  # the first call of each shared block
        self.held: dict[BlockLayer, tuple[CallItem, Unit]] = {}  # blocks that other layers hold

    def call(self, body: Body, index: int, item: CallItem) -> None:
        """The statement that calls the module, in `body`."""
        writer, scope, call = self.writer, body.scope, item.call
        unit = self._unit(item)
        made: Written = unit.extra
        attribute = scope.claim(attribute_name(call.path.removeprefix(body.prefix)), (call.path, ""))
        place = code.Attr(code.Name("self"), self._module(scope, attribute, unit))
        operands: list[code.Expr] = []
        for port in item.inputs:
            operands.append(body.operand(port.inputs[0], port in writer.layout.wants))
        for port in item.inputs:
            if port.results[0] in writer.masked:
                operands.append(body.masks[port.inputs[0]])
        targets: list[code.Name] = []
        for value in item.results:
            targets.append(code.Name(body.names.name(index, value)))
        masks = [code.Name(scope.variable(f"{targets[i].id}_mask")) for i in made.masks]
        before = physical(item.inputs[0].inputs[0].type, item.inputs[0] in writer.layout.wants) if item.inputs else None
        value = item.results[0]
        after = physical(value.type, value in writer.layout.moved)
        comment = comment_of(after) if len(targets) == 1 and after != before else ""
        scope.forward.append(code.Assign((*targets, *masks), code.call(place, *operands), comment))
        for value, target in zip(item.results, targets, strict=True):
            body.variables[value] = target
            if target.id == "x":
                body.names.hold(value)
        for position, mask in zip(made.masks, masks, strict=True):
            body.masks[item.results[position]] = mask
        if made.penalised:
            term: code.Expr = code.Attr(place, "activity_penalty")
            if call.shared:  # the next call leaves another one
                name = code.Name(scope.variable("penalty"))
                scope.forward.append(code.Assign((name,), term))
                term = name
            scope.forward += body.add_penalty(term)
        for value in item.results:
            real = value.real
            if value in writer.logits and real in writer.bare and value in body.results:
                body.split(value, writer.bare[real])

    def held_call(self, layer: BlockLayer, t: TorchCall, x: code.Expr) -> code.Expr:
        """A call of a block that another layer holds."""
        writer = self.writer
        if layer not in self.held:
            model = layer.graph(writer.model.flat)
            writer.layout.add(layout(model, "channels_first"))
            writer.masked |= masks_needed(model)
            item = held_call(layer, writer.model.flat)
            self.held[layer] = item, self._write(item)
        item, unit = self.held[layer]
        [entrance], [result] = item.inputs, item.results
        attribute = self._module(t.scope, t.own(), unit)
        if entrance in writer.layout.wants:
            x = channels_first(x, entrance.inputs[0].type)
        masks = [mask for mask in t.masks if mask is not None and entrance.results[0] in writer.masked]
        value: code.Expr = code.call(code.Attr(code.Name("self"), attribute), x, *masks)
        return channels_last(value, result.type) if result in writer.layout.moved else value

    def _module(self, scope: TorchScope, attribute: str, unit: Unit) -> str:
        """The attribute of the module, made where the class has none yet."""
        made = unit.extra
        if attribute in scope.modules:
            return attribute
        scope.modules[attribute] = code.Deferred(unit)
        place = code.Attr(code.Name("self"), attribute)
        for entry in made.scope.state:
            scope.state.append(replace(entry, key=f"{attribute}.{entry.key}"))
        for record in made.scope.inits:
            scope.inits.append(replace(record, target=rebased(record.target, place), nested=True))
        if made.resets:
            scope.reset.append(code.Do(code.method(place, "reset_state")))
        return attribute

    def _unit(self, item: CallItem) -> Unit:
        call = item.call
        if not call.shared and call.instance is None:
            return self._write(item)
        key = (id(call.instance), call.path)
        unit = self._write(item)
        first = self.shared.setdefault(key, unit)
        if unit is not first:
            alike = unit.extra.scope.modules == first.extra.scope.modules or _same_modules(unit, first)
            if unit.fixed != first.fixed or not same_code(unit.body, first.body) or not alike:
                raise NotStructured
            first.body = uncommented(first.body, [first, unit])
            self.units.remove(unit)
        return first

    def _write(self, item: CallItem) -> Unit:
        writer, call = self.writer, item.call
        if len(item.inputs) != len(call.inputs) or len(item.outputs) != len(call.outputs) or not item.inputs:
            raise NotStructured  # a submodel takes a part of it, or nothing flows in
        scope = writer.scope.inside()
        arguments: dict[Value, str] = {}
        names = [python_name(name) for name in call.input_names]
        for port in item.inputs:
            arguments[port.results[0]] = names[call.inputs.index(port)]
        results = [port.inputs[0] for port in item.outputs]
        prefix = f"{call.path}."
        kept = [*results, *(penalty.value for penalty in call.penalties)]
        body = Body(writer, item.items, arguments, kept, with_logits=False, scope=scope, prefix=prefix)
        parameters = list(arguments.values())
        for value, name in arguments.items():
            if value in writer.masked:
                mask = body.names.fresh(f"{name}_mask")
                body.masks[value] = code.Name(mask)
                parameters.append(mask)
        statements = body.write([])
        statements += body.penalty_terms(call.penalties)
        if body.penalties:
            scope.activity = True
            statements.append(code.Assign((code.dotted("self.activity_penalty"),), code.total(body.penalties)))
        masks = [i for i, port in enumerate(item.outputs) if port.results[0] in writer.masked]
        given = [*(body.result(value) for value in results), *(body.masks[results[i]] for i in masks)]
        returned = given[0] if len(given) == 1 else code.Tuple(tuple(given))
        statements = discard_unread([*statements, code.Return(returned)])
        made = Written(scope, tuple(parameters), tuple(masks), scope.activity, bool(scope.reset))
        layers = tuple(filter(None, dict.fromkeys(statement_of(step, call) for step in body.nodes)))
        fixed = (made.arguments, made.masks, len(given), made.penalised, tuple(_states(scope)), tuple(_inits(scope)))
        unit = Unit(call, (), (*scope.reset, *statements), fixed, layers, made)
        self.units.append(unit)
        return unit


def tidied(statements: Sequence[code.Stmt], arguments: Sequence[str], norms: Collection[str] = ()) -> list[code.Stmt]:
    """The body of `forward` as it is printed. This comes last: shapes in comments decide how long its lines are, and
    those that differ between the calls of a block have gone by then."""
    *body, last = statements
    assert isinstance(last, code.Return)
    given = last.value.items if isinstance(last.value, code.Tuple) else (last.value,)
    body = folded(body, norms, given)
    if len(given) == 1:
        body = typed(body, last.value, arguments)
    return returning(folded([*body, last]))


def _same_modules(unit: Unit, other: Unit) -> bool:
    """Whether two calls of one shared block make the same modules (blocks inside of it are one unit each)."""
    return list(unit.extra.scope.modules) == list(other.extra.scope.modules)


def _states(scope: TorchScope) -> Iterator[tuple[object, ...]]:
    """What the tensors of a class are made of; how many rounds a list has does not matter."""
    seen = ((re.sub(r"\.\d+\.", ".n.", e.key), tuple(kind for kind, _ in e.steps)) for e in scope.state)
    return iter(dict.fromkeys(seen))


def _inits(scope: TorchScope) -> Iterator[tuple[object, ...]]:
    """What sees to initial weights: two calls that differ there are no one class."""
    seen: dict[tuple[object, ...], None] = {}
    for record in scope.inits:
        if not record.nested:
            initializer = record.weight.initializer
            seen[record.module, record.key, initializer.title(), repr(sorted(_plain(initializer.given)))] = None
    return iter(seen)


def _plain(given: object) -> list[tuple[str, str]]:
    return [(name, repr(value) if isinstance(value, int | float | str) else type(value).__name__)
            for name, value in dict(given).items()]  # type: ignore[call-overload]  # fmt: skip


def rebased(target: code.Expr, place: code.Expr) -> code.Expr:
    """`self.conv.weight` as `self.block.conv.weight`: the same tensor seen from the class around."""
    result: code.Expr = transformed(target, lambda part: place if part == code.Name("self") else None)
    return result
