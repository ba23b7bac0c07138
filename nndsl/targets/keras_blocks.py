"""Calls of blocks in Keras: a function for the block, called with the name that its layers' names begin with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nndsl import code
from nndsl.ir.dims import Dim
from nndsl.ir.graph import BlockCall, Model, Value
from nndsl.layers.base import Layer
from nndsl.layers.entry import snake_case
from nndsl.layers.traced import Traced
from nndsl.passes.custom import CustomLayer
from nndsl.passes.held import BlockLayer
from nndsl.passes.layout import layout
from nndsl.targets.docstrings import block_docstring
from nndsl.targets.folding import returning
from nndsl.targets.keras_body import Body, channels_first, channels_last
from nndsl.targets.keras_custom import layer_unit
from nndsl.targets.keras_loops import looped
from nndsl.targets.keras_spell import spell
from nndsl.targets.names import OWN_NAMES, class_name, python_name
from nndsl.targets.printing import block, signature
from nndsl.targets.rewrite import same_code, transformed
from nndsl.targets.specialize import specialize
from nndsl.targets.structure import CallItem, NotStructured, held_call, statement_of
from nndsl.targets.units import Family, Unit
from nndsl.targets.unpacked import discard_unread


def in_float32(made: code.Expr) -> code.Expr:
    """A layer that computes in float32 where others do not; its name stays last."""
    if not isinstance(made, code.Call) or "dtype" in dict(made.kwargs):
        return made
    place = len(made.kwargs) - (made.kwargs[-1:] != () and made.kwargs[-1][0] == "name")
    dtype = ("dtype", code.Literal("float32"))
    return code.Call(made.func, made.args, (*made.kwargs[:place], dtype, *made.kwargs[place:]))


class Functions:
    """The functions of one file's blocks."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.layout = layout(model, "channels_last")
        self.units: list[Unit] = []
        self.layers: dict[CustomLayer, Unit] = {}
        self.held: dict[BlockLayer, tuple[CallItem, Unit]] = {}  # blocks that other layers hold
        self.flat = model.flat
        # whether the optimizer would treat each occurrence of an id in a batch on its own
        trained = any(output.loss is not None for output in model.outputs)
        self.by_occurrence = trained and not model.training.optimizer.linear
        self.helpers: dict[str, None] = {}  # classes that the program carries
        self.shared: dict[tuple[int, str], tuple[code.Name, Unit]] = {}  # the variables of shared blocks

    def call(self, body: Body, index: int, item: CallItem) -> None:
        """The statement that calls the function, in `body`."""
        call = item.call
        operands = [self._operand(body, port) for port in item.inputs]
        targets = tuple(code.Name(body.names.name(index, value)) for value in item.results)
        name = code.lift(body.name_of(call.path))
        if call.shared:
            made = self._shared(body, item, name)
            result: code.Expr = code.call(made, operands[0] if len(operands) == 1 else list(operands))
        else:
            result = code.Deferred(self._unit(item), tuple(operands), (("name", name),))
        body.statements.append(code.Assign(targets, result))
        body.variables.update(zip(item.results, targets, strict=True))

    def _operand(self, body: Body, port: Any) -> code.Expr:
        return body.operand(port.inputs[0], port in self.layout.wants)

    def _shared(self, body: Body, item: CallItem, name: code.Expr) -> code.Name:
        """A shared block is a model of its own: its layers are made once."""
        call = item.call
        key = (id(call.instance), call.path)
        if key not in self.shared:
            if any(port in self.layout.wants for port in (*item.inputs, *item.outputs)) or body.prefix:
                raise NotStructured
            unit = self._unit(item)
            variable = code.Name(body.names.fresh(python_name(call.shared.replace(".", "_"))))
            inputs: list[code.Name] = []
            for port, title in zip(item.inputs, call.input_names, strict=True):
                made = code.Name(body.names.fresh(f"{variable.id}_{title}"))
                body.statements.append(code.Assign((made,), self._input(call, len(inputs), port.inputs[0])))
                inputs.append(made)
            outputs = code.Deferred(unit, tuple(inputs), (("name", name),))
            source: Any = inputs[0] if len(inputs) == 1 else list(inputs)
            model = code.call("keras.Model", source, outputs, name=name)
            body.statements.append(code.Assign((variable,), model))
            self.shared[key] = variable, unit
            return variable
        variable, first = self.shared[key]
        unit = self._unit(item)
        self.units.remove(unit)
        if not same_code(unit.body, first.body):
            raise NotStructured  # other numbers of axes, or sizes that stand in the code
        return variable

    def held_model(self, body: Body, layer: BlockLayer) -> code.Expr:
        """A block that another layer holds: `keras.Model(step, tower(step, 32, name="…"))`. The input of the model is
        made in `body`."""
        if layer not in self.held:
            self.layout.add(layout(layer.graph(self.flat), "channels_last"))
            item = held_call(layer, self.flat)
            self.held[layer] = item, self._unit(item)
        item, unit = self.held[layer]
        [port], [result] = item.inputs, item.results
        source, name = port.inputs[0], code.lift(body.name_of(item.call.path))
        variable = code.Name(body.names.fresh(f"{snake_case(layer.title())}_{python_name(source.name)}"))
        body.statements.append(
            code.Assign((variable,), self._entrance([None, *source.type.shape[1:]], source.type.dtype))
        )
        given = channels_last(variable, source.type) if port in self.layout.wants else variable
        output: code.Expr = code.Deferred(unit, (given,), (("name", name),))
        if result in self.layout.moved:
            output = channels_first(output, result.type)
        return code.call("keras.Model", variable, output, name=name)

    def _input(self, call: BlockCall, position: int, value: Value) -> code.Expr:
        """What flows into a shared block at one of its inputs: the sizes that all calls of it have in common."""
        type_ = value.type
        calls = (c for c in self.model.blocks if c.instance is call.instance and c.path == call.path)
        types = [c.inputs[position].inputs[0].type for c in calls]
        if any((other.rank, other.dtype) != (type_.rank, type_.dtype) for other in types):
            raise NotStructured
        sizes = [
            size if isinstance(size, int) and all(other.shape[axis] == size for other in types) else None
            for axis, size in enumerate(type_.shape)
        ]
        batch = sizes[0] if any(use.config.static_state for use in self.model.layers) else None
        return self._entrance([batch, *sizes[1:]], type_.dtype)

    def _entrance(self, sizes: Iterable[Dim | None], dtype: str) -> code.Expr:
        """`keras.Input` for values of these sizes, the batch's first: a state must know it."""
        batch, *rest = (code.Literal(size if isinstance(size, int) else None) for size in sizes)
        options: dict[str, object] = {} if batch == code.Literal(None) else {"batch_size": batch}
        if dtype != self.model.float_dtype:
            options["dtype"] = dtype
        return code.call("keras.Input", code.Tuple(tuple(rest)), **options)

    def _unit(self, item: CallItem) -> Unit:
        call = item.call
        if len(item.inputs) != len(call.inputs) or len(item.outputs) != len(call.outputs) or not item.inputs:
            raise NotStructured
        names = [python_name(name, OWN_NAMES) for name in call.input_names]
        arguments = {port.results[0]: names[call.inputs.index(port)] for port in item.inputs}
        results = [port.inputs[0] for port in item.outputs]
        prefix = f"{call.path}."
        kept = [*results, *(penalty.value for penalty in call.penalties)]
        body = Body(self, item.items, arguments, kept, prefix, OWN_NAMES)
        body.permute_arguments()
        body.items(body.steps)
        given = [body.operand(v, v in self.layout.moved) for v in results]
        given[0] = body.penalised(given[0], call.penalties)
        returned = given[0] if len(given) == 1 else code.Tuple(tuple(given))
        statements = discard_unread([*body.statements, code.Return(returned)])
        layers = tuple(filter(None, dict.fromkeys(statement_of(s, call) for s in body.nodes)))
        taken = frozenset(body.names.taken) | {"name"}
        fixed = (tuple(names), len(given))
        unit = Unit(call, (), tuple(statements), fixed, layers, tuple(names), taken, prefixes=("", ""))
        self.units.append(unit)
        return unit

    def families(self, statements: Iterable[code.Stmt]) -> list[Family]:
        """The functions, inner ones first; their names collide with no variable."""
        taken = {name for unit in self.units for name in unit.taken} | set(_assigned(tuple(statements)))

        def name(unit: Unit, title: str) -> str:
            base = title if unit.call.definition.is_layer else snake_case(title)
            free, number = base, 2
            while class_name(free, taken) != free:
                free, number = f"{base}_block" if number == 2 else f"{base}_block_{number - 1}", number + 1
            taken.add(free)
            return free

        def resolve(unit: Unit) -> None:
            if not unit.call.definition.is_layer:
                unit.body = tuple(returning(resolved(unit.body)))

        return specialize(self.units, name, resolve)

    def spell(self, entry: Any, name: Any = None, changed: Any = None) -> code.Expr:
        """As `keras_spell.spell`; a layer of one's own is an object of its class."""
        if not isinstance(entry, CustomLayer):
            gathers = getattr(entry, "gathers", False) and entry.trainable
            if self.by_occurrence and gathers and entry.embeddings_regularizer is None:
                self.helpers["dense_gradient"] = None
                changed = {**(changed or {}), "embeddings_regularizer": code.call("dense_gradient")}
            made = spell(entry, name, changed)
            # Keras adds penalties to a loss of float32 without a cast
            whole = self.model.training.half and isinstance(entry, Layer) and entry.penalises_activity
            return in_float32(made) if whole else made
        options: list[tuple[str, code.Expr]] = [] if entry.trainable else [("trainable", code.Literal(False))]
        if name is not None:
            options.append(("name", code.lift(name)))
        return code.Deferred(self._layer(entry), (), tuple(options))

    def _layer(self, layer: CustomLayer) -> Unit:
        if layer not in self.layers:
            self.layers[layer] = layer_unit(self, layer, next(iter(layer.insides)))
            self.layers[layer].prefixes = ("self.", "self.")
            self.units.append(self.layers[layer])
        return self.layers[layer]


def _assigned(node: Any) -> Iterable[str]:
    if isinstance(node, code.Assign):
        yield from (target.id for target in node.targets if isinstance(target, code.Name))
    elif isinstance(node, tuple):
        for item in node:
            yield from _assigned(item)
    elif isinstance(node, code.Rounds | code.For):
        yield from _assigned(node.rounds if isinstance(node, code.Rounds) else node.body)


def resolved(statements: Iterable[code.Stmt]) -> list[code.Stmt]:
    """Statements with the functions that were not named yet, and with loops, in their places."""
    result: list[code.Stmt] = []
    for statement in statements:
        if isinstance(statement, code.Rounds):
            rounds = tuple(tuple(resolved(items)) for items in statement.rounds)
            result += looped(code.Rounds(rounds, statement.starts, statement.ends))
        else:
            result.append(transformed(statement, _call))
    return result


def _call(part: Any) -> Any:
    if not isinstance(part, code.Deferred):
        return None
    unit = part.key
    assert isinstance(unit, Unit) and unit.family is not None
    args = tuple(transformed(arg, _call) for arg in part.args)
    return code.Call(code.Name(unit.family.name), (*args, *unit.arguments), part.kwargs)


def without_defaults(node: Any) -> Any:
    """Without arguments that are written only because other calls of a block might have had other values."""

    def rule(part: Any) -> Any:
        if not isinstance(part, code.Call):
            return None
        kept = tuple((n, transformed(v, rule)) for n, v in part.kwargs if not _is_default(v))
        return code.Call(transformed(part.func, rule), tuple(transformed(a, rule) for a in part.args), kept)

    return transformed(node, rule)


def _is_default(value: code.Expr) -> bool:
    return isinstance(value, code.Literal) and isinstance(value.value, Traced) and value.value.is_default


def block_function(family: Family) -> dict[str, str]:
    """The pieces of the function of a block."""
    unit = family.units[0]
    tensor = "keras.KerasTensor"
    parameters = [*(f"{name}: {tensor}" for name in unit.extra)]
    parameters += [f"{name}: {kind}" for name, kind in family.parameters]
    parameters += ["*", "name: str"]
    count = len(unit.call.outputs)
    returns = tensor if count == 1 else f"tuple[{', '.join([tensor] * count)}]"
    return {
        "docstring": block_docstring(unit.call),
        "signature": signature(family.name, parameters, returns, 0),
        "body": block(without_defaults(family.body), 1),
    }
