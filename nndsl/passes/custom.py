"""Layers of one's own: `layer Linear(units) { input x  trainable kernel: […]  output y = x @ kernel + bias }`.

A call of one is a call of a `CustomLayer`, a layer like those of the catalogue that holds the graph of its own body.
The body is elaborated once for the types that flow in.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from nndsl import code
from nndsl.diagnostics.model import Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.ir.graph import BlockCall, Model, Node, Value
from nndsl.ir.types import DTYPES, TensorType
from nndsl.layers.base import Code, Layer, Types, Weight
from nndsl.layers.build import default_of
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.shapes import Check, ShapeError
from nndsl.layers.values import show
from nndsl.passes.bind import Binder, option_entry
from nndsl.passes.bodies import Body
from nndsl.passes.declared import DeclaredInput
from nndsl.passes.definitions import Block
from nndsl.passes.evaluate import Env, Evaluator, Failed
from nndsl.passes.resolve import did_you_mean_fix
from nndsl.records import mutable
from nndsl.syntax import ast

if TYPE_CHECKING:
    from nndsl.passes.flows import Flows


@mutable
class Update:
    """`update total = total + sum(x, axis=0)`: `before` is the state's value ahead of the call, `after` behind it."""

    name: str
    value: Value
    before: Value
    after: Value
    training: bool  # in training alone


@mutable
class Inside:
    """The body of a layer of one's own for the types that flow in."""

    inputs: tuple[Value, ...]
    weights: dict[str, tuple[Weight, Value]]
    nodes: list[Node]
    updates: list[Update]
    outputs: dict[str, Value]

    def signature(self) -> Any:
        """What must be the same in all calls of one layer: its code does not ask for more."""
        return (
            [(name, weight.shape) for name, (weight, _) in self.weights.items()],
            [
                (node.config.title(), sorted(map(repr, vars(node.config).get("given", {}).items())))
                for node in self.nodes
            ],
        )


class CustomLayer(Layer):
    """One use of a layer of one's own. `call` tells what it was made by, and holds the arguments."""

    category = "layer"
    aliases = ()

    def __init__(self, block: Block, call: BlockCall, name: str | None, trainable: bool) -> None:
        super().__init__({}, default_of)
        self.block, self.call, self.name, self.trainable = block, call, name, trainable
        self.input_names = [s.name.text for s in block.definition.inputs]
        self.insides: dict[tuple[TensorType, ...], Inside] = {}

    @property
    def arity(self) -> tuple[int, int]:  # type: ignore[override]
        return len(self.input_names), len(self.input_names)

    @property
    def results(self) -> int:
        return len(self.block.definition.outputs)

    def title(self) -> str:  # type: ignore[override]
        return self.block.name

    def body_for(self, types: tuple[TensorType, ...]) -> Inside:
        return self.insides[tuple(t.with_mask(False) for t in types)]

    def infer(self, check: Check, *inputs: TensorType, **tensors: Any) -> Types:
        inside = self.body_for(inputs)
        first = next(iter(self.insides.values()))
        shapes, nodes = inside.signature()
        if inside is not first and (shapes == first.signature()[0]) and nodes != first.signature()[1]:
            raise ShapeError(
                f"the calls of shared layer `{self.block.name}` do not agree: what it computes would be different code",
                code="NN0306",
                help="give both calls inputs of the same axes, or use two layers",
            )
        results = tuple(value.type for value in inside.outputs.values())
        return results[0] if len(results) == 1 else results

    def weights(self, *inputs: TensorType, **tensors: Any) -> list[Weight]:
        return [weight for weight, _ in self.body_for(inputs).weights.values()]

    @property
    def has_updates(self) -> bool:
        return any(inside.updates for inside in self.insides.values())

    @property
    def mixes_samples(self) -> bool:  # type: ignore[override]
        """Whether what it gives for one sample depends on the others of the batch, or on the calls before."""
        return self.has_updates or any(mixes_samples(inside.nodes) for inside in self.insides.values())

    def torch(self, t: TorchCall, *inputs: code.Expr, **tensors: Any) -> Code:
        result: Code = t.scope.custom(self, t, inputs)
        return result

    def keras(self, k: KerasCall, *inputs: code.Expr, **tensors: Any) -> Code:
        made = code.Name(k.variable) if k.variable else k.build(self)
        return code.call(made, *inputs)


# ------------------------------------------------------------------------------------------------ elaboration


class Inner:
    """Elaborates the body of one layer for the types that flow in."""

    def __init__(self, outer: Flows, layer: CustomLayer, env: Env) -> None:
        from nndsl.passes.flows import Flows, Frame

        self.layer, self.block, self.problems = layer, layer.block, outer.problems
        self.scope = self.block.scope(outer.problems)
        self.evaluate = Evaluator(outer.problems, env)
        self.evaluate.absent = self.block.home.absent | self.block.home.params.broken
        self.binder = Binder(outer.problems, self.evaluate)
        self.binder.values, self.binder.shared = self.scope.values(), self.scope.shared()
        frame = Frame(self.block.home, layer.call, None, outer.frame.depth + 1, is_layer=True)
        self.model = Model(self.block.name, "", self.block.home.source, self.block.definition.span)
        self.flows = Flows(self.model, self.scope, self.binder, outer.infer, outer.problems, frame)
        self.flows.region = None
        self.evaluate.env = Env(env.names, self.flows.type_of, env.scope, env.home)
        self.weights: dict[str, tuple[Weight, Value]] = {}
        self.updates: list[Update] = []
        self.before: dict[str, Value] = {}  # of the states in `updates`
        self.fine = True

    def run(self, types: tuple[TensorType, ...]) -> Inside | None:
        """None where something is wrong (reported)."""
        flows, body = self.flows, self.block.definition.body
        errors = len(self.problems.errors)
        inputs: list[Value] = []
        for statement, type_ in zip(self.block.definition.inputs, types, strict=True):
            value = Value(statement.name.span, statement.name.text, type=type_.with_mask(False))
            DeclaredInput(flows, self.problems).check(statement, value)
            inputs.append(value)
            flows.values[statement.name.text] = value
        updates = {s.name.text: s for s in body if isinstance(s, ast.UpdateStmt)}
        for weight in body:
            if isinstance(weight, ast.WeightStmt):
                self._weight(weight)
        self._check_updates(updates)
        elaborator = Body(flows, self.scope, self.problems)
        for definition in self.scope.order:
            made = definition.statement
            if isinstance(made, ast.UpdateStmt):
                self._update(made)
            elif not isinstance(made, ast.InputStmt | ast.WeightStmt):
                elaborator.define(made)
        outputs = self._outputs(body)
        if len(self.problems.errors) > errors or outputs is None:
            return None
        return Inside(tuple(inputs), self.weights, self._needed(outputs), self.updates, outputs)

    def _outputs(self, body: tuple[ast.Stmt, ...]) -> dict[str, Value] | None:
        statements = self.block.definition.outputs
        if not statements:
            if not any(isinstance(s, ast.ErrorStmt) for s in body):
                self.problems.error(
                    "NN0405", f"layer `{self.block.name}` has no output", self.block.definition.name.span,
                    help="say what it gives: `output y = x @ kernel`",
                )  # fmt: skip
            return None
        found: dict[str, Value] = {}
        for statement in statements:
            name = statement.name.text
            if statement.options:
                self.problems.error(
                    "NN0219", "an output of a layer has no loss, weight or metrics", statement.options[0].span,
                    help="a model's outputs have",
                )  # fmt: skip
            if name in self.flows.values:
                found[name] = self.flows.values[name]
            elif name not in self.scope.broken:
                known = self.scope.values()
                self.problems.error(
                    "NN0201", f"there is no value called `{name}`", statement.name.span, "not defined",
                    help=did_you_mean(name, known) or f"say how it is made: `output {name} = …`",
                    fixes=did_you_mean_fix(statement.name.span, suggest(name, known)),
                )  # fmt: skip
        return found if all(value.type.known for value in found.values()) else None

    def _needed(self, outputs: Mapping[str, Value]) -> list[Node]:
        """What leads to outputs and updates; a weight that leads nowhere is warned of."""
        stack = [*outputs.values(), *(update.value for update in self.updates)]
        seen: set[Value] = set()
        while stack:
            value = stack.pop()
            if value not in seen:
                seen.add(value)
                stack += value.producer.operands() if value.producer is not None else ()
        after = {update.after: update for update in self.updates}
        for name, (weight, value) in self.weights.items():
            used = value in seen or any(update.name == name for update in after.values())
            if not used:
                kind = "trainable" if weight.trainable else "state"
                self.problems.warning(
                    "NN0402", f"{kind} `{name}` reaches no output", value.span, "not used",
                    help="use it, or leave it out",
                )  # fmt: skip
        return [node for node in self.model.nodes if node.results[0] in seen]

    # ---------------------------------------------------------------------------------------- weights

    def _weight(self, statement: ast.WeightStmt) -> None:
        name = statement.name.text
        dtype = self._dtype(statement)
        shape = [self._size(dim) for dim in statement.dims]
        initializer = self._initializer(statement)
        options = {"regularizer": None, "constraint": None}
        for option in statement.options:
            key = option.name.text if option.name else ""
            if key not in options or not statement.trainable:
                known = list(options) if statement.trainable else []
                place = option.name.span if option.name else option.span
                self.problems.error(
                    "NN0216", f"a {'trainable' if statement.trainable else 'state'} has no option `{key}`", place,
                    help=did_you_mean(key, known)
                    or (f"it takes {' and '.join(f'`{n}`' for n in known)}" if known else "leave it out"),
                    fixes=did_you_mean_fix(place, suggest(key, known)),
                )  # fmt: skip
                continue
            what = f"`{key}` of `{name}`"
            options[key] = option_entry(self.binder, option.value, key, what, self.evaluate)
        if dtype is None or None in shape or initializer is None:
            self.scope.broken.add(name)
            return
        sizes = tuple(size for size in shape if size is not None)
        own = statement.dtype is not None and statement.dtype.text != "float"
        weight = Weight(
            name, sizes, initializer, trainable=statement.trainable, regularizer=options["regularizer"],
            constraint=options["constraint"], dtype=dtype if own else "float",
        )  # fmt: skip
        value = Value(statement.name.span, name, type=TensorType(sizes, dtype, batched=False))
        self.weights[name] = (weight, value)
        self.flows.values[name] = value

    def _dtype(self, statement: ast.WeightStmt) -> str | None:
        name = statement.dtype.text if statement.dtype else "float"
        dtype = {"float": self.flows.infer.float_dtype, "int": "int32"}.get(name, name)
        wrong = "there is no dtype" if dtype not in DTYPES else ""
        if not wrong and statement.trainable and dtype not in ("float16", "bfloat16", "float32", "float64"):
            wrong = "a trainable holds floats, not"
        if wrong and statement.dtype is not None:
            self.problems.error(
                "NN0313",
                f"{wrong} `{name}`",
                statement.dtype.span,
                help="for instance `float[…]`; a `state` may be `int[…]`",
            )
            return None
        return dtype

    def _size(self, dim: ast.DimExpr) -> int | None:
        try:
            value = None if dim.value is None else self.evaluate(dim.value)
        except Failed:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return value
        free = dim.value is not None and not isinstance(value, int | float | str | None)
        self.problems.error(
            "NN0304" if free else "NN0313",
            f"the size of a weight is a positive integer, and this is {show(value) if dim.value else '`?`'}", dim.span,
            related=self.evaluate.origins(dim.value) if dim.value is not None else (),
            help="a weight has one size for all inputs: take it from a parameter, or from an axis of known size, "
            "as in `x.shape[-1]`",
        )  # fmt: skip
        return None

    def _initializer(self, statement: ast.WeightStmt) -> Any:
        from nndsl.layers.build import make

        if statement.initializer is None:
            return make("initializer", "glorot_uniform" if statement.trainable else "zeros")
        what = f"the initial value of `{statement.name.text}`"
        value = statement.initializer
        if (
            isinstance(value, ast.Literal)
            and isinstance(value.value, int | float)
            and not isinstance(value.value, bool)
        ):
            return make("initializer", "Constant", value=float(value.value))
        return option_entry(self.binder, value, "initializer", what, self.evaluate)

    # ---------------------------------------------------------------------------------------- updates

    def _check_updates(self, updates: Mapping[str, ast.UpdateStmt]) -> None:
        for name, statement in updates.items():
            if name in self.weights and self.weights[name][0].trainable:
                declared = self.weights[name][1].span
                self.problems.error(
                    "NN0409", f"`{name}` is trainable: the optimizer changes it, and `update` cannot",
                    statement.name.span, "updated here", related=(Label(declared, "declared here"),),
                    help=f"declare it as a state: `state {name}: …`, or leave the update out",
                )  # fmt: skip
            elif name not in self.weights and name not in self.scope.broken:
                known = [n for n, (weight, _) in self.weights.items() if not weight.trainable]
                self.problems.error(
                    "NN0409", f"there is no state called `{name}`", statement.name.span, "not declared",
                    help=did_you_mean(name, known) or f"declare it: `state {name}: [x.shape[-1]] = zeros`",
                    fixes=did_you_mean_fix(statement.name.span, suggest(name, known)),
                )  # fmt: skip

    def _update(self, statement: ast.UpdateStmt) -> None:
        name = statement.name.text
        if name not in self.weights or self.weights[name][0].trainable:
            return
        training = self._in_training(statement)
        here = self.flows.values
        self.flows.values = ChainMap(self.before, here)  # states are what they were before the call
        self.flows.current = statement
        values = self.flows.read(statement.value, name)
        self.flows.values = here
        before = self.weights[name][1]
        after = Value(statement.name.span, name, type=before.type)
        here[name] = after
        if values is None or not all(value.type.known for value in values):
            return
        (value,) = values[:1]
        wanted, given = before.type, value.type
        if len(values) != 1 or given.shape != wanted.shape or given.dtype != wanted.dtype or given.batched:
            self.problems.error(
                "NN0409", f"`{name}` is {_show(wanted)}, and its update would make it {_show(given)}",
                statement.value.span, _show(given), related=(Label(before.span, f"declared as {_show(wanted)}"),),
                help="an update keeps shape and dtype; `sum(x, axis=0)` and `mean(x, axis=0)` take the batch axis away",
            )  # fmt: skip
            return
        if not value.name and value.producer is not None:
            value.name = name
        self.before[name] = before
        self.updates.append(Update(name, value, before, after, training))

    def _in_training(self, statement: ast.UpdateStmt) -> bool:
        for option in statement.options:
            name = option.name.text if option.name else ""
            try:
                value = self.evaluate(option.value) if name == "training" else None
            except Failed:
                continue
            if name == "training" and isinstance(value, bool):
                return value
            self.problems.error(
                "NN0216", "an update takes `with training=true` and nothing else", option.span,
                help="then it happens in training alone; without it at every call",
            )  # fmt: skip
        return False


def mixes_samples(nodes: Sequence[Node]) -> bool:
    """Whether something here is made from all samples of a batch, or drawn once for all of them, or made for batches
    of one size."""
    for node in nodes:
        together = any(value.type.batched for value in node.operands()) or getattr(node.config, "draws", False)
        if any(together if not value.type.batched else isinstance(value.type.shape[0], int) for value in node.results):
            return True
    return False


def keeps_state(config: Layer) -> bool:
    """Whether a layer is one of one's own that updates a state, or has such a one inside."""
    if isinstance(config, CustomLayer):
        return config.has_updates
    return any(keeps_state(inner) for inner in getattr(config, "inside", ()))


def check_order(model: Model, problems: Problems) -> None:
    """Reports calls of a shared layer with state of which neither needs the other: their order would be chance."""
    for use in model.layers:
        if not keeps_state(use.config):
            continue
        for before, node in pairwise(use.nodes):
            if not _needs(node, before) and not _needs(before, node):
                problems.error(
                    "NN0408", f"two calls of `{use.shared or use.path}`, which keeps a state, stand in no order",
                    node.span, "this call", related=(Label(before.span, "and this one"),),
                    help="let one work on what the other gives, or use two layers",
                )  # fmt: skip


def _needs(node: Node, other: Node) -> bool:
    """Whether a call works on what `other` gives."""
    stack, seen = [node], {node}
    while stack:
        for value in stack.pop().operands():
            maker = value.producer
            if maker is other:
                return True
            if maker is not None and maker not in seen:
                seen.add(maker)
                stack.append(maker)
    return False


def _show(type_: TensorType) -> str:
    dims = ", ".join(map(str, type_.shape))
    return f"{type_.dtype} [{dims}]"
