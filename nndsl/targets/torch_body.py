"""The body of one method of the torch class: one statement a layer, values in named variables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from nndsl import code
from nndsl.ir.graph import Node, Penalty, Submodel, Value
from nndsl.ir.types import TensorType
from nndsl.layers.emit import TorchCall, TorchScope
from nndsl.layers.port import PORT
from nndsl.targets.inline import hint, put, room, to_bind
from nndsl.targets.names import attribute_name, python_name
from nndsl.targets.rewrite import transformed
from nndsl.targets.structure import CallItem, Item, LoopItem, Step, readers, steps
from nndsl.targets.torch_loops import write_loop
from nndsl.targets.variables import Variables

if TYPE_CHECKING:
    from nndsl.targets.torch_forward import Forward


class _LogitsCall(TorchCall):
    """A call whose last activation is left to the caller, who keeps it for predictions."""

    left_out: object = None

    def activate(self, activation: object, value: code.Expr) -> code.Expr:
        self.left_out = activation
        return value


class Body:
    """The statements of one method: the variables of its values, and the nodes between."""

    def __init__(
        self,
        writer: Forward,
        items: Sequence[Item],
        arguments: dict[Value, str],
        results: list[Value],
        *,
        with_logits: bool,
        scope: TorchScope | None = None,
        prefix: str = "",
    ) -> None:
        self.writer, self.items, self.results, self.with_logits = writer, items, results, with_logits
        self.nodes = list(steps(items))
        self.arguments = frozenset(arguments.values())
        self.scope, self.prefix = scope or writer.scope, prefix
        self.variables: dict[Value, code.Expr] = {value: code.Name(name) for value, name in arguments.items()}
        self.masks: dict[Value, code.Expr] = {}
        self.pending: list[tuple[code.Name, code.Expr]] = []  # activations behind the logits
        self.kept: dict[Value, code.Expr] = {}  # logits or probabilities, where the body needs the latter too
        self.moved_now: set[Value] = set()  # arguments that were permuted where they came in
        self.as_declared: set[Value] = set()  # values that come from a method, in the file's order of axes
        self.here = 0  # the index of the node at hand
        self.penalties: list[code.Expr] = []  # the variables of activity penalties, summed up at the end
        self.names = Variables(self.nodes, results, arguments, prefix)

    def write(self, head: list[code.Stmt]) -> list[code.Stmt]:
        scope = self.scope
        outer, scope.forward = scope.forward, list(head)
        outer_taken, scope.taken = scope.taken, self.names.taken
        outer_device, scope.device = scope.device, code.Attr(next(iter(self.variables.values())), "device")
        parts = self.writer.parts if self.writer.main is self else {}
        self.inside = {node: part for part in parts.values() for node in part.nodes}
        self._permute_arguments()
        self._items(self.items)
        statements, scope.forward, scope.taken = scope.forward, outer, outer_taken
        scope.device = outer_device
        return statements

    def _items(self, items: Sequence[Item]) -> None:
        for item in items:
            if isinstance(item, LoopItem):
                write_loop(self, item)
                continue
            first = item.inputs[0] if isinstance(item, CallItem) else item
            part = self.inside.get(first)
            if part is not None:
                if item is self.last_of(part):
                    self._part(part)
            elif isinstance(item, CallItem):
                self.writer.blocks.call(self, self.here, item)
            else:
                self._node(self.here, item)
            self.here += 1

    def last_of(self, part: Submodel) -> Step:
        """The last call of a submodel that this body calls as a whole."""
        nodes = set(part.nodes)
        return [s for s in self.nodes if (s.inputs[0] if isinstance(s, CallItem) else s) in nodes][-1]

    # ----------------------------------------------------------------------------------- arguments

    def _permute_arguments(self) -> None:
        """An argument that is only ever wanted with its channels moved is permuted once, at the top."""
        wants, taken_by = self.writer.layout.wants, readers(self.nodes)
        for value, variable in list(self.variables.items()):
            users = taken_by.get(value, [])
            if any((step.inputs[0] if isinstance(step, CallItem) else step) in self.inside for step in users):
                continue
            if value in self.results or not users or value in self.writer.layout.moved:
                continue
            if all(_takes_moved(step, value, wants) for step in users):
                name = variable
                shape = physical(value.type, True)
                self.scope.forward.append(code.Assign((name,), channels_first(name, value.type), comment_of(shape)))
                self.moved_now.add(value)

    def operand(self, value: Value, moved: bool) -> code.Expr:
        """A value as a node wants it: with its channels moved, or as declared."""
        if value.number is not None:
            return code.Literal(value.number)
        expr = self.variables[value]
        is_moved = value in self.moved_now or (value in self.writer.layout.moved and value not in self.as_declared)
        if is_moved == moved:
            return expr
        return channels_first(expr, value.type) if moved else channels_last(expr, value.type)

    # --------------------------------------------------------------------------------------- nodes

    def _node(self, index: int, node: Node) -> None:
        writer, config = self.writer, node.config
        wants = node in writer.layout.wants
        inputs = tuple(self.operand(value, wants) for value in node.inputs)
        tensors = {
            name: tuple(self.operand(v, False) for v in item) if isinstance(item, tuple) else self.operand(item, False)
            for name, item in node.tensors.items()
        }
        value = node.results[0]
        inline = value in self.names.inlined
        names = ("value",) if inline else tuple(self.names.name(index, value) for value in node.results)
        used = tuple(self.names.used(value) for value in node.results)
        if config.penalises_activity and len(used) > 1:  # the penalty uses them all
            names = tuple(n if u else self.scope.variable("state") for n, u in zip(names, used, strict=True))
            used = (True,) * len(used)
        activation = writer.logits.get(value)
        split = activation is not None and value in self.results and self.with_logits
        bare = value in writer.bare  # a block gives logits, and the model's own body goes on from there
        call = (_LogitsCall if split or bare else TorchCall)(
            self.scope,
            config,
            node.input_types,
            node.result_types,
            attribute=attribute_name(node.layer.path.removeprefix(self.prefix)),
            path=node.layer.path,
            first=wants,
            masks=tuple(self.masks.get(v) for v in node.inputs),
            tensors=tensors,
            names=names,
            used=used,
            float_dtype=writer.model.float_dtype,
        )
        call.learned = bool(node.inputs) and node.inputs[0] in writer.learned
        if value in writer.masked:
            mask = config.torch_mask(call, *inputs)
            if mask is not None:
                self.masks[value] = call.mask = mask if isinstance(mask, code.Name) else call.let(mask, "mask")
        start = len(self.scope.forward)
        result = config.torch(call, *inputs)
        result = self._bound(node, inputs, result, start, room(None if inline else names[0], 2))
        if inline:
            self.variables[value] = result
        elif isinstance(result, tuple):
            for item, expr, name, is_used in zip(node.results, result, names, used, strict=True):
                if is_used:
                    self.bind(item, name, expr, "")
        else:
            self.bind(value, names[0], result, self._shape_comment(node, wants))
        if bare:
            assert isinstance(call, _LogitsCall)
            writer.bare[value] = call.left_out
        elif isinstance(call, _LogitsCall):
            self.split(value, call.left_out, kept=config.penalises_activity)
        regularizer = config.result_regularizer
        call.penalise(regularizer, *(self.variables[item] for item in node.results if regularizer is not None))
        for regularizer, penalised in call.penalised:
            self._activity(regularizer, penalised)

    def _bound(self, node: Node, inputs: tuple[code.Expr, ...], result: Any, start: int, space: int) -> Any:
        """Code with variables for those operands that have none and need one: they are bound before `start`."""
        statements = self.scope.forward
        free = [position for position, value in enumerate(node.inputs) if value in self.names.inlined]
        for position in to_bind(free, inputs, (result, tuple(statements[start:])), space) if free else ():
            given, name = inputs[position], code.Name(self.scope.variable(hint(node.inputs[position])))
            statements[start:] = [code.Assign((name,), given), *put(tuple(statements[start:]), given, name)]
            result, start = put(result, given, name), start + 1
        return result

    def _part(self, part: Submodel) -> None:
        """A submodel that forward can call: its nodes are nobody else's."""
        targets = tuple(code.Name(python_name(value.name)) for value in part.targets)
        arguments = [self.operand(value, False) for value in part.sources]
        self.writer.method(part)
        options = {"logits": code.Name("logits")} if self.writer.gives_logits(part) else {}
        called = code.call(f"self.{attribute_name(part.name)}", *arguments, **options)
        comment = comment_of(part.targets[0].type.shape) if len(targets) == 1 else ""
        self.scope.forward.append(code.Assign(targets, called, comment))
        for value, target in zip(part.targets, targets, strict=True):
            self.variables[value] = target
            self.as_declared.add(value)

    def bind(self, value: Value, name: str, expr: code.Expr, comment: str) -> None:
        if isinstance(expr, code.Name) and (expr.id == name or not value.name or self._lasts(expr, value)):
            self.variables[value] = expr
            if expr.id == "x":
                self.names.hold(value)
            return
        target = code.Name(name)
        if self._rename(value, expr, target):
            return
        self.scope.forward.append(code.Assign((target,), expr, comment))
        self.variables[value] = target

    def _lasts(self, variable: code.Name, value: Value) -> bool:
        """Whether a variable that a value is given a second name for can stand for it: a name of its own is needed
        where the model gives the value to the outside."""
        return bool(self.prefix) and variable.id in self.arguments and value not in self.results

    def _rename(self, value: Value, expr: code.Expr, target: code.Name) -> bool:
        """Gives `target` to the statement before, where `target = x` would only rename what it has just made."""
        node, statements = value.producer, self.scope.forward
        last = statements[-1] if statements else None
        if node is None or len(node.inputs) != 1 or not isinstance(last, code.Assign) or last.targets != (expr,):
            return False
        source = node.inputs[0]
        holders = {held for held, variable in self.variables.items() if variable == expr} - {source}
        if source.name or source.uses != [node] or source in self.results or source.producer is None:
            return False
        if any(self.names.last_use.get(held, -1) >= self.here for held in holders):
            return False
        statements[-1] = code.Assign((target,), last.value, last.comment, last.annotation)
        self.variables[value] = target
        return True

    def split(self, value: Value, activation: object, *, kept: bool = False) -> None:
        """`value` holds logits now; its probabilities are made behind `if not logits`, or at once where the method does
        not give logits, or they are `kept` for a penalty."""
        variable = self.variables[value]
        assert isinstance(variable, code.Name)
        moved = value in self.writer.layout.moved
        call = TorchCall(self.scope, PORT, (value.type,), (value.type,), attribute="", path="", first=moved)
        probabilities = activation.torch(call, variable)  # type: ignore[attr-defined]
        if not self.with_logits:
            self.scope.forward.append(code.Assign((variable,), probabilities))
        elif kept or (value.uses and any(value in step.operands() for step in self.nodes)):
            target = code.Name(self.scope.variable(f"{variable.id}_probabilities"))
            self.scope.forward.append(code.Assign((target,), probabilities))
            self.variables[value] = target
            self.kept[value] = code.IfElse(variable, code.Name("logits"), target)
        else:
            self.pending.append((variable, probabilities))

    def _activity(self, regularizer: object, value: code.Expr) -> None:
        penalty = regularizer.torch(self.scope, value)  # type: ignore[attr-defined]
        term = code.Name(self.scope.variable("penalty"))
        self.scope.forward.append(code.Assign((term,), code.binary("/", penalty, code.call("len", value))))
        self.scope.forward += self.add_penalty(term)

    def add_penalty(self, term: code.Expr) -> list[code.Stmt]:
        """Adds to what the loss gets besides: at the end of the method, or at once where methods call each other."""
        self.scope.activity = True
        if self.prefix or (self.writer.main is self and not self.writer.parts):
            self.penalties.append(term)
            return []
        place = code.dotted("self.activity_penalty")
        return [code.Assign((place,), code.binary("+", place, term))]

    def penalty_terms(self, penalties: Iterable[Penalty]) -> list[code.Stmt]:
        """The statements that keep the penalties of the file, beside those of activities."""
        found: list[code.Stmt] = []
        for penalty in penalties:
            term = self.operand(penalty.value, False)
            if penalty.value.type.batched:
                term = code.method(term, "mean")
            if penalty.weight != 1:
                term = code.binary("*", penalty.weight, term)
            if not isinstance(term, code.Name) and (self.prefix or not self.writer.parts):
                name = code.Name(self.names.fresh("penalty"))
                found.append(code.Assign((name,), term))
                term = name
            found += self.add_penalty(term)
        return found

    def _shape_comment(self, node: Node, wants: bool) -> str:
        value = node.results[0]
        after = physical(value.type, value in self.writer.layout.moved)
        if node.layer.config.is_function:
            return "" if any(physical(x.type, wants) == after for x in node.inputs) else comment_of(after)
        before = physical(node.inputs[0].type, wants) if len(node.inputs) == 1 else None
        return "" if before == after else comment_of(after)

    def unless_logits(self) -> list[code.Stmt]:
        """The last activations, which a caller that trains leaves out: here, and not in `result`."""
        body = tuple(code.Assign((name,), value) for name, value in self.pending)
        self.pending = []
        return [code.If(code.Unary("not", code.Name("logits")), body)] if body else []

    def result(self, value: Value) -> code.Expr:
        """The value as the method returns it: in the declared order of axes, from a block as its caller has it."""
        result = self.operand(value, bool(self.prefix) and value in self.writer.layout.moved)
        either: dict[code.Expr, code.Expr] = {
            name: code.IfElse(name, code.Name("logits"), activated) for name, activated in self.pending
        }
        if value in self.kept:
            either[self.variables[value]] = self.kept[value]
        chosen: code.Expr = transformed(result, lambda part: either.get(part) if isinstance(part, code.Name) else None)
        return chosen


def _takes_moved(step: Step, value: Value, wants: set[Node]) -> bool:
    """Whether a call wants this operand with its channels moved."""
    if isinstance(step, CallItem):
        return all(port in wants for port in step.inputs if port.inputs[0] is value)
    return step in wants and value in step.inputs


def channels_first(value: code.Expr, type_: TensorType) -> code.Expr:
    return code.method(value, "transpose", 1, 2) if type_.rank == 3 else code.method(value, "movedim", -1, 1)


def channels_last(value: code.Expr, type_: TensorType) -> code.Expr:
    return code.method(value, "transpose", 1, 2) if type_.rank == 3 else code.method(value, "movedim", 1, -1)


def physical(type_: TensorType, moved: bool) -> tuple[object, ...]:
    shape = type_.shape
    return (shape[0], shape[-1], *shape[1:-1]) if moved and len(shape) > 1 else shape


def comment_of(shape: tuple[object, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"
