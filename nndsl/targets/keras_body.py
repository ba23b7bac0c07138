"""The body of one function of the Keras program: one statement a layer, values in named variables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nndsl import code
from nndsl.ir.graph import Node, Penalty, Value
from nndsl.ir.types import TensorType
from nndsl.layers.emit_keras import KerasCall
from nndsl.passes.held import BlockLayer
from nndsl.targets.inline import hint, put, room, to_bind
from nndsl.targets.names import python_name
from nndsl.targets.structure import CallItem, Item, LoopItem, readers, steps
from nndsl.targets.variables import Variables

if TYPE_CHECKING:
    from nndsl.targets.keras_blocks import Functions


class Body:
    """The statements that a list of calls becomes. `prefix` is the path of the block's call, with a dot behind it; no
    variable is called as what is `reserved`."""

    def __init__(
        self,
        functions: Functions,
        items: Sequence[Item],
        arguments: dict[Value, str],
        results: Sequence[Value],
        prefix: str = "",
        reserved: frozenset[str] = frozenset(),
    ) -> None:
        self.functions, self.steps, self.prefix = functions, items, prefix
        self.layout, self.nodes = functions.layout, list(steps(items))
        self.names = Variables(self.nodes, results, arguments, prefix, reserved)
        self.variables: dict[Value, code.Expr] = {v: code.Name(n) for v, n in arguments.items()}
        self.arguments = list(arguments)
        self.shared: dict[str, str] = {}
        self.permuted: dict[Value, code.Expr] = {}  # inputs that were permuted where they come in
        self.statements: list[code.Stmt] = []
        self.here = 0

    def permute_arguments(self) -> None:
        """Inputs that are only ever wanted with their channels moved are permuted once, at the top."""
        taken_by = readers(self.nodes)
        for value in self.arguments:
            users = taken_by.get(value, [])
            if value in self.layout.moved:
                continue  # as a block gets it from its caller
            if users and all(isinstance(n, Node) and n in self.layout.wants and value in n.inputs for n in users):
                name = self.variables[value]
                assert isinstance(name, code.Name)
                variable = code.Name(self.names.fresh(f"{name.id}_last"))
                self.statements.append(code.Assign((variable,), channels_last(name, value.type)))
                self.permuted[value] = variable

    def operand(self, value: Value, moved: bool) -> code.Expr:
        """A value as a call wants it: channels last where `moved`, else as declared."""
        if value.number is not None:
            return code.Literal(value.number)
        if moved and value in self.permuted:
            return self.permuted[value]
        expr = self.variables[value]
        if (value in self.layout.moved) == moved:
            return expr
        return channels_last(expr, value.type) if moved else channels_first(expr, value.type)

    def items(self, items: Sequence[Item]) -> None:
        for item in items:
            if isinstance(item, LoopItem):
                self._loop(item)
                continue
            if isinstance(item, CallItem):
                self.functions.call(self, self.here, item)
            else:
                self._node(self.here, item)
            self.here += 1

    def _loop(self, item: LoopItem) -> None:
        outer, self.statements = self.statements, []
        rounds: list[tuple[code.Stmt, ...]] = []
        starts: list[code.Expr | None] = []
        ends: list[code.Expr | None] = []
        for one in item.rounds:
            single = len(one.round.inputs) == 1 and len(one.round.outputs) == 1
            starts.append(self.variables.get(one.round.inputs[0]) if single else None)
            self.items(one.items)
            ends.append(self.variables.get(one.round.outputs[0]) if single else None)
            rounds.append(tuple(self.statements))
            self.statements = []
        self.statements = outer
        plain = [v for v in (*starts, *ends) if isinstance(v, code.Name)]
        if len(plain) == 2 * len(rounds):
            self.statements.append(code.Rounds(tuple(rounds), tuple(plain[: len(rounds)]), tuple(plain[len(rounds) :])))
        else:
            self.statements += [statement for statements in rounds for statement in statements]

    def _node(self, index: int, node: Node) -> None:
        config = node.config
        wants = node in self.layout.wants
        inputs = tuple(self.operand(value, wants) for value in node.inputs)
        tensors: dict[str, object] = {
            name: [self.operand(v, False) for v in item] if isinstance(item, tuple) else self.operand(item, False)
            for name, item in node.tensors.items()
        }
        call = KerasCall(
            config,
            node.input_types,
            name=self.name_of(node.layer.path),
            last=wants,
            tensors=tensors,
            variable=self._shared(node, wants),
            spell=self.functions.spell,
            helpers=self.functions.helpers,
            held=self._held,
            attended=_attended(node),
            results=tuple(value.type for value in node.results),
        )
        result = config.keras(call, *inputs)
        inline = node.results[0] in self.names.inlined
        names = ("value",) if inline else tuple(self.names.name(index, value) for value in node.results)
        free = [position for position, value in enumerate(node.inputs) if value in self.names.inlined]
        for position in to_bind(free, inputs, (result,), room(None if inline else names[0], 1)) if free else ():
            variable = code.Name(self.names.fresh(hint(node.inputs[position])))
            self.statements.append(code.Assign((variable,), inputs[position]))
            result = put(result, inputs[position], variable)
        if inline:
            self.variables[node.results[0]] = result
            return
        targets = tuple(code.Name(name) for name in names)
        self.statements.append(code.Assign(targets, result))
        self.variables.update(zip(node.results, targets, strict=True))

    def _held(self, layer: BlockLayer) -> code.Expr:
        """A block that another layer holds: a model made of its function."""
        return self.functions.held_model(self, layer)

    def penalised(self, output: code.Expr, penalties: Sequence[Penalty], dtype: str | None = None) -> code.Expr:
        """The first output with layers on the way to it that add the penalties to the loss; several have a statement
        each. `dtype` is that of the loss, where it is not that of the model."""
        variable = code.Name(self.names.fresh("penalised")) if len(penalties) > 1 else None
        for penalty in penalties:
            self.functions.helpers["AddPenalty"] = None
            options: dict[str, object] = {"weight": penalty.weight} if penalty.weight != 1 else {}
            if dtype is not None:
                options["dtype"] = dtype
            layer = code.call("AddPenalty", **options, name=self.name_of(penalty.name))
            output = code.call(layer, [output, self.operand(penalty.value, False)])
            if variable is not None:
                self.statements.append(code.Assign((variable,), output))
                output = variable
        return output

    def name_of(self, path: str) -> str | code.Expr:
        """The name of a layer: in the function of a block it begins with the name that the call gives."""
        if not self.prefix:
            return path
        return code.Format((code.Name("name"), f".{path.removeprefix(self.prefix)}"))

    def _shared(self, node: Node, wants: bool) -> str | None:
        """The variable of a shared layer, made at its first call."""
        use = node.layer
        if not use.shared or (self.prefix and sum(n in use.nodes for n in self.nodes if isinstance(n, Node)) < 2):
            return None
        if use.shared not in self.shared:
            name = self.names.fresh(python_name(use.shared.removeprefix(self.prefix).replace(".", "_")))
            self.shared[use.shared] = name
            call = KerasCall(
                use.config, node.input_types, name=self.name_of(use.path), last=wants, spell=self.functions.spell,
                held=self._held, uses=tuple(other.input_types for other in use.nodes),
            )  # fmt: skip
            self.statements.append(code.Assign((code.Name(name),), use.config.keras_layer(call)))
        return self.shared[use.shared]


def _attended(node: Node) -> bool:
    """Whether a MultiHeadAttention elsewhere takes one of the masked inputs of a call too."""
    users = {use for value in node.inputs if value.type.mask for use in _users(value.real)} - {node}
    return any(use.config.title() == "MultiHeadAttention" for use in users)


def _users(value: Value) -> Iterator[Node]:
    """The calls that take a value, also those inside of blocks that it flows into."""
    stack = list(value.uses)
    while stack:
        use = stack.pop()
        if use.port:
            stack.extend(use.results[0].uses)
        else:
            yield use


def channels_last(value: code.Expr, type_: TensorType) -> code.Expr:
    axes = (*range(2, type_.rank), 1)
    return code.call(code.call("layers.Permute", axes), value)


def channels_first(value: code.Expr, type_: TensorType) -> code.Expr:
    axes = (type_.rank - 1, *range(1, type_.rank - 1))
    return code.call(code.call("layers.Permute", axes), value)
