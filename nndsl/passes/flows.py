"""Flows become calls: `x -> Conv2D(8, 3) -> branch { … } -> Add()` → nodes and values, with types as they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, NoReturn

from nndsl.diagnostics.model import Edit, Fix, Label, Problems, TooManyProblems
from nndsl.ir.graph import BlockCall, LayerUse, Model, Node, Region, Round, Value
from nndsl.ir.types import TensorType
from nndsl.layers import catalogue
from nndsl.layers.base import Layer
from nndsl.layers.values import Unbound
from nndsl.passes import stage_errors
from nndsl.passes.bind import Binder
from nndsl.passes.estimate import LEAST_ROOM, MOST_NODES, least
from nndsl.passes.evaluate import Env, Failed
from nndsl.passes.expressions import Expressions
from nndsl.passes.infer import Infer
from nndsl.passes.layer_names import LayerNames, Statement
from nndsl.passes.resolve import Scope
from nndsl.passes.stop import Stop
from nndsl.records import record
from nndsl.source import Span
from nndsl.syntax import ast

if TYPE_CHECKING:
    from nndsl.passes.blocks import Blocks, Instance, SharedBlock
    from nndsl.passes.custom import CustomLayer
    from nndsl.passes.definitions import Block, Home

Values = tuple[Value, ...]

_WHY_LESS = (
    f"where all counts are numbers or parameters of the file, it may be {MOST_NODES:,}; here calls of blocks decide"
)


@record
class SharedLayer:
    """`shared encoder = LSTM(32)`."""

    cls: type[Layer]
    use: LayerUse
    block: Block | None = None  # of a layer of one's own


@record
class Frame:
    """Where a body stands: `home` is its file, `call` the call of a block that it is expanded for (None: a model),
    `instance` the shared block that this call belongs to, `depth` how many calls there are around it. `is_layer` says
    that it is the body of a layer of one's own, which computes with expressions alone."""

    home: Home
    call: BlockCall | None = None
    instance: Instance | None = None
    depth: int = 0
    is_layer: bool = False


class Flows:
    """Elaborates the flows of one body into `model.nodes`. `values` are the body's named values so far."""

    def __init__(
        self, model: Model, scope: Scope, binder: Binder, infer: Infer, problems: Problems, frame: Frame
    ) -> None:
        self.model, self.scope, self.binder, self.infer, self.problems = model, scope, binder, infer, problems
        self.frame = frame
        self.region: Region | None = frame.call
        self.values: MutableMapping[str, Value] = {}
        self.shared: dict[str, SharedLayer | SharedBlock | None] = {}
        self.names = LayerNames(scope, problems, f"{frame.call.path}." if frame.call is not None else "")
        self.expressions = Expressions(self)
        self.current: ast.Stmt | None = None  # the statement whose flow is read

    @property
    def blocks(self) -> Blocks:
        from nndsl.passes.blocks import Blocks

        return Blocks(self)

    def type_of(self, name: str) -> TensorType | None:
        """The type of a value of this body, for `x.shape`."""
        if name in self.values:
            return self.values[name].type
        if name in self.scope.broken:
            raise Failed
        return None

    def read(self, expr: ast.Expr, name: str) -> Values | None:
        """The values of a statement's flow, or None (reported)."""
        body = expr
        while isinstance(body, ast.Paren):
            body = body.inner
        last = body.items[-1] if isinstance(body, ast.Flow) else None
        self.names.statement = Statement(name, last)
        try:
            return self._source(expr)
        except (Stop, Failed):
            return None

    # ------------------------------------------------------------------------------------- sources

    def _source(self, expr: ast.Expr) -> Values:
        """What an expression that nothing flows into stands for."""
        return self._seen(expr, self._started(expr))

    def _seen(self, expr: ast.Expr, values: Values) -> Values:
        """Tells an editor, if one listens, what `expr` gave."""
        trace = self.infer.root.trace
        if trace is not None:
            trace.add(expr, values)
        return values

    def _started(self, expr: ast.Expr) -> Values:
        match expr:
            case ast.NameRef():
                return (self._value(expr),)
            case ast.Paren():
                return self._source(expr.inner)
            case ast.TupleExpr():
                return self._tuple(expr)
            case ast.Flow():
                return self._chain(expr, expr.items[1:], self._source, expr.items[0])
            case ast.IfElse():
                return self._source(self._chosen(expr))
            case ast.ErrorExpr():
                raise Stop
            case _ if self.expressions.reads(expr):
                return (self.expressions.value(expr),)
        from nndsl.passes.sources import no_source

        no_source(expr, self.scope, self.binder.evaluate.absent, self.problems, self.frame.home.blocks)
        raise Stop

    def _chain(
        self, flow: ast.Flow, stages: tuple[ast.Expr, ...], start: Callable[[ast.Expr], Values], first: ast.Expr
    ) -> Values:
        """One stage after the other. Behind a stage that failed the others are still checked, as far as they can be
        without knowing what flows in."""
        failed = False
        try:
            current = start(first)
        except (Stop, Failed):
            failed, current = True, (Value(flow.span),)
        for stage in stages:
            try:
                current = self._stage(stage, current)
            except (Stop, Failed):
                failed, current = True, (Value(flow.span),)
        if failed:
            raise Stop
        return current

    def _tuple(self, expr: ast.TupleExpr) -> Values:
        found: list[Value] = []
        failed = False
        for item in expr.items:
            try:
                found += self._source(item)
            except (Stop, Failed):
                failed = True
        if failed:
            raise Stop
        return tuple(found)

    def _value(self, ref: ast.NameRef) -> Value:
        name = ref.name
        if name in self.values:
            return self.values[name]
        block = self.frame.home.blocks.get(name)
        if block is not None and name not in self.scope.definitions:
            stage_errors.block_as_a_name(name, ref.span, len(block.definition.parameters), False, self.problems)
        elif name in self.scope.constants and name not in self.scope.broken:
            stage_errors.constant_as_a_value(ref, self.binder.evaluate.env.names.get(name), self.problems)
        elif name not in self.scope.broken and (name not in self.scope.definitions or name in self.scope.shared()):
            from nndsl.passes.sources import no_value

            no_value(ref, self.scope, self.current, self.problems)
        raise Stop  # else its definition has failed

    # -------------------------------------------------------------------------------------- stages

    def _stage(self, stage: ast.Expr, incoming: Values) -> Values:
        return self._seen(stage, self._staged(stage, incoming))

    def _staged(self, stage: ast.Expr, incoming: Values) -> Values:
        match stage:
            case ast.CallExpr():
                return self._call(stage, incoming)
            case ast.NameRef():
                return self._named_stage(stage, incoming)
            case ast.Paren():
                return self._stage(stage.inner, incoming)
            case ast.Flow():
                return self._chain(stage, stage.items[1:], lambda first: self._stage(first, incoming), stage.items[0])
            case ast.Branch():
                return self._branch(stage, incoming)
            case ast.IfElse():
                chosen = self._chosen(stage)
                for arm in (stage.then, stage.otherwise):
                    self._check_choice(arm)
                return self._stage(chosen, incoming)
            case ast.Repeat():
                return self._repeat(stage, incoming)
            case ast.ErrorExpr():
                raise Stop
            case _:
                from nndsl.passes.sources import slip

                if isinstance(stage, ast.Binary) and slip(stage, self.problems):
                    raise Stop
                self._stop(
                    "NN0211",
                    f"`{stage.span.text[:40]}` is not a layer",
                    stage.span,
                    "a layer call stands behind `->`",
                    help="several values flow together as a tuple: `(a, b) -> Concatenate()`"
                    if isinstance(stage, ast.TupleExpr)
                    else f"write them one after the other: `{' -> '.join(i.span.text for i in stage.items)[:60]}`"
                    if isinstance(stage, ast.ListExpr) and stage.items
                    else "a flow that is computed with stands in parentheses: "
                    f"`(… -> {stage.left.span.text[:30]}) {stage.op} {stage.right.span.text[:30]}`"
                    if isinstance(stage, ast.Binary)
                    else f"arguments stand in round parentheses: `{stage.span.text.split('[')[0]}(…)`"
                    if isinstance(stage, ast.Subscript)
                    else "write a layer with its parentheses, as in `x -> Dense(10)`",
                )
        raise Stop

    def _chosen(self, expr: ast.IfElse) -> ast.Expr:
        """The arm that the condition takes; of the other the names are checked."""
        is_true = self.binder.evaluate.truth(expr.condition)
        self._check_names(expr.otherwise if is_true else expr.then)
        return expr.then if is_true else expr.otherwise

    def _check_choice(self, arm: ast.Expr) -> None:
        """A stage that is chosen is a layer, and not a value."""
        while isinstance(arm, ast.Paren):
            arm = arm.inner
        if isinstance(arm, ast.NameRef) and arm.name in self.scope.values() and arm.name not in self.scope.broken:
            stage_errors.value_as_a_choice(arm.name, arm.span, self.problems)
            raise Stop

    def _check_names(self, expr: ast.Expr) -> None:
        """Reports layers that there are not, in an arm that is not taken."""
        stack = [expr]
        while stack:
            item = stack.pop()
            match item:
                case ast.Flow(items=items) | ast.TupleExpr(items=items) | ast.Branch(arms=items):
                    stack.extend(reversed(items))
                case ast.Paren(inner=inner) | ast.Repeat(body=inner):
                    stack.append(inner)
                case ast.IfElse():
                    stack += [item.otherwise, item.then]
                case ast.CallExpr():
                    name = item.func.text
                    known = catalogue.find("layer", name) or catalogue.find("function", name)
                    if known is None and not self._is_own(name):
                        from nndsl.passes.unknown import unknown_layer

                        unknown_layer(item, [*self.scope.shared(), *self.frame.home.blocks], self.problems)

    def _is_own(self, name: str) -> bool:
        """Whether the file gives the name, or has reported it."""
        return (
            name in self.frame.home.blocks
            or name in self.scope.definitions
            or name in self.scope.broken
            or name in self.binder.evaluate.absent
        )

    def _repeat(self, stage: ast.Repeat, incoming: Values) -> Values:
        """One round after the other, each with fresh layers."""
        evaluate = self.binder.evaluate
        value = evaluate(stage.count)
        rounds: range | list[object] | tuple[object, ...]
        if stage.names and isinstance(value, range | list | tuple):
            rounds = value
        elif not stage.names and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            rounds = range(min(value, MOST_NODES + 1))  # a range knows its length up to 2**63
        else:
            stage_errors.wrong_rounds(stage, value, evaluate)
            raise Stop
        if len(rounds) > MOST_NODES:
            self._stop(
                "NN0702", f"a `repeat` of more than {MOST_NODES:,} rounds", stage.count.span, help="take fewer",
            )  # fmt: skip
        here, region = evaluate.env, self.region
        self.room_for(least(stage.body, self.frame.home) * len(rounds), stage.count.span)
        current, repeat = incoming, object()
        try:
            for number, item in enumerate(rounds):
                evaluate.env = here.bind(self._bound(stage, number, item)) if stage.names else here
                before = len(self.model.nodes)
                self.region = Round(region, repeat, number, current)
                current = self.region.outputs = self._stage(stage.body, current)
                if len(self.model.nodes) == before:  # a round of nothing takes its time too
                    self.room_for(1, stage.count.span)
                    self.infer.root.other_nodes += 1
        finally:
            evaluate.env, self.region = here, region
        return current

    def _bound(self, stage: ast.Repeat, number: int, item: object) -> dict[str, object]:
        names = [name.text for name in stage.names]
        if len(names) == 1:
            return {names[0]: item}
        if not isinstance(item, tuple | list) or len(item) != len(names):
            stage_errors.wrong_item(stage, number, item, self.binder.evaluate)
            raise Stop
        return dict(zip(names, item, strict=True))

    def room_for(self, count: int, span: Span) -> None:
        """Ends the check of the whole program where `count` more nodes would be too many: nothing that follows could
        be told in a bounded time. Raises TooManyProblems."""
        root = self.infer.root
        room, may_have = root.room
        if root.other_nodes + len(self.model.nodes) + root.held_nodes + count > room:
            self.problems.error(
                "NN0702", f"the program expands to more than {may_have:,} layer calls", span,
                notes=(_WHY_LESS,) if may_have == LEAST_ROOM else (),
                help="models are far smaller: is a count or a size of a list wrong?",
            )  # fmt: skip
            raise TooManyProblems

    def _named_stage(self, stage: ast.NameRef, incoming: Values) -> Values:
        """`x -> encoder`: a shared layer, or a layer that was passed to the block as an argument."""
        value = self.binder.evaluate.env.names.get(stage.name)
        if isinstance(value, Unbound):
            return self._call(value.call, incoming, value.env)
        if value is not None and stage.name not in self.scope.definitions:
            stage_errors.no_layer(stage, value, self.binder.evaluate)
            raise Stop
        return self._shared_call(stage.name, stage.span, (), incoming)

    def _branch(self, stage: ast.Branch, incoming: Values) -> Values:
        found: list[Value] = []
        failed = False
        before = len(self.model.nodes)
        for arm in stage.arms:
            try:
                self._check_arm(arm)
                found += self._stage(arm, incoming)
            except (Stop, Failed):
                failed = True
        if failed:
            raise Stop
        passed = len(found) - (len(self.model.nodes) - before)
        if passed > 0:  # values that arms pass on double with each `branch`, and make no nodes
            self.room_for(passed, stage.span)
            self.infer.root.other_nodes += passed
        return tuple(found)

    def _check_arm(self, arm: ast.Expr) -> None:
        first = arm.items[0] if isinstance(arm, ast.Flow) else arm
        known = self.scope.definitions.get(first.name) if isinstance(first, ast.NameRef) else None
        if known is not None and isinstance(first, ast.NameRef) and not isinstance(known.statement, ast.SharedStmt):
            from nndsl.passes.sources import arm_with_value

            arm_with_value(arm, first, self.problems)
            raise Stop

    def _call(self, call: ast.CallExpr, incoming: Values, env: Env | None = None) -> Values:
        """A stage with parentheses; `env` is what names mean in a call that was written elsewhere."""
        name = call.func.text
        if self.frame.is_layer:
            self._no_layers(call.func.span)
        if name in self.binder.evaluate.absent:
            raise Stop
        cls = catalogue.find("layer", name)
        if cls is None:
            home = self.frame.home if env is None or env.home is None else env.home
            block = home.blocks.get(name)
            if block is not None:
                return self.blocks.call(block, call, incoming, env)
            if name in self.scope.definitions or name in self.scope.broken:
                return self._shared_call(name, call.func.span, call.args, incoming, call)
            from nndsl.passes.unknown import unknown_layer

            meant = unknown_layer(call, [*self.scope.shared(), *self.frame.home.blocks], self.problems)
            if meant is None:
                raise Stop
            if call is self.names.statement.last:
                self.names.statement.last = meant
            call, cls = meant, catalogue.find("layer", meant.func.text)
        assert cls is not None and issubclass(cls, Layer)
        bound = self.binder.bind(cls, call, env)
        if bound is None:
            raise Stop
        config = bound.entry
        assert isinstance(config, Layer)
        tensors = self.named_inputs(bound.tensors)
        self._arity(config, call.func.span, incoming)
        use = LayerUse(self.names.path(config, call), config, call.span, call.func.span, bound.spans)
        return self._node(self.reused(use), incoming, tensors, call.span)

    def _no_layers(self, span: Span) -> NoReturn:
        self._stop(
            "NN0219", "a `layer` of one's own computes with expressions: it calls no other layers", span,
            help="make it a `block`, which may call layers, also those of your own",
        )  # fmt: skip

    def reused(self, use: LayerUse) -> LayerUse:
        """The layer itself, or in a later call of a shared block the one that its first call has made."""
        instance = self.frame.instance
        if instance is None:
            return use
        known = instance.layers.setdefault(use.path, use)
        known.shared = known.shared or use.path
        return known

    def _shared_call(
        self,
        name: str,
        span: Span,
        args: tuple[ast.Arg, ...],
        incoming: Values,
        call: ast.CallExpr | None = None,
    ) -> Values:
        whole = call.span if call is not None else span
        if name in self.shared:
            entry = self.shared[name]
            if entry is None:
                raise Stop
            if not isinstance(entry, SharedLayer):
                return self._shared_block(entry, whole, args, incoming)
            cls, use = entry.cls, entry.use
            if entry.block is not None and not args:
                return self.blocks.shared_layer(entry, whole, incoming)
            given: dict[str, ast.Expr] = {}
            options: list[ast.Arg] = []
            for arg in args:
                if arg.name is not None and getattr(cls.arguments.get(arg.name.text), "at_call", False):
                    options.append(arg)
                    continue
                if arg.name is None or arg.name.text not in cls.tensor_args:
                    known = [*cls.tensor_args, *(a.name for a in cls.arguments.values() if a.at_call)]
                    self._stop(
                        "NN0203",
                        f"a call of shared layer `{name}` takes no such argument",
                        (arg.name or arg).span,
                        help=f"only what a call decides can be given here: {', '.join(known)}"
                        if known
                        else f"its arguments stand in `shared {name} = …`; write `-> {name}`",
                        related=(Label(use.span, "the layer is made here"),),
                    )
                assert arg.name is not None
                given[arg.name.text] = arg.value
            tensors = self.named_inputs(given)
            own = self.binder.at_call(use.config, options) if options else None
            self._arity(use.config, span, incoming)
            return self._node(use, incoming, tensors, whole, own)
        if name in self.scope.broken:
            raise Stop
        if name in self.scope.definitions:
            statement = self.scope.definitions[name].statement
            made = statement.value if isinstance(statement, ast.AssignStmt) else None
            if isinstance(made, ast.CallExpr) and catalogue.find("function", made.func.text) is None:
                raise Stop  # `enc = Dense(4)`: said there
            if name not in self.scope.shared():
                self._stop(
                    "NN0211",
                    f"`{name}` is a value, and a layer is meant here",
                    span,
                    "a value",
                    related=(Label(self.scope.definitions[name].statement.span, "defined here"),)
                    if self.scope.definitions[name].statement.span.line
                    == self.scope.definitions[name].statement.span.end_line
                    else (),
                    help=f"values flow together in front of a layer: `(a, {name}) -> Concatenate()`",
                )
            raise Stop
        block = self.frame.home.blocks.get(name)
        if block is not None:
            block.calls += 1
            needed = len(block.definition.parameters)
            stage_errors.block_as_a_name(name, span, needed, True, self.problems)
            raise Stop
        cls_named = catalogue.find("layer", name)
        if cls_named is not None:
            required = any(a.required for a in cls_named.arguments.values())
            text = f"{name}(…)" if required else f"{name}()"
            self._stop(
                "NN0211", f"`{name}` needs its parentheses", span, "a layer is called",
                help=f"write `{text}`",
                fixes=() if required else (Fix(f"change to `{text}`", (Edit(span, text),)),),
            )  # fmt: skip
        if name not in self.binder.evaluate.absent:
            from nndsl.passes.unknown import unknown_layer

            known_names = [*self.scope.shared(), *self.frame.home.blocks]
            unknown_layer(ast.CallExpr(span, ast.Ident(name, span), ()), known_names, self.problems)
        raise Stop

    def custom(self, layer: CustomLayer, incoming: Values, use: LayerUse, span: Span, env: Env) -> Values:
        """A call of a layer of one's own, whose body is elaborated for what flows in."""
        from nndsl.passes.custom import Inner

        if not all(value.type.known for value in incoming):
            raise Stop
        self._arity(layer, use.name_span, incoming)
        types = tuple(value.type.with_mask(False) for value in incoming)
        if types not in layer.insides:
            found = Inner(self, layer, env).run(types)
            if found is None:
                raise Stop
            layer.insides[types] = found
        return self._node(use, incoming, {}, span)

    def _shared_block(self, shared: SharedBlock, span: Span, args: tuple[ast.Arg, ...], incoming: Values) -> Values:
        inputs = {s.name.text for s in shared.block.definition.inputs}
        other = [arg for arg in args if arg.name is None or arg.name.text not in inputs]
        if other:
            self._stop(
                "NN0203", f"a call of shared block `{shared.name}` takes no arguments", other[0].span,
                related=(Label(shared.call.span, "the block is made here"),),
                help=f"its arguments stand in `shared {shared.name} = …`; write `-> {shared.name}`",
            )  # fmt: skip
        return self.blocks.shared_call(shared, span, self.blocks.completed(shared.block, args, incoming, span))

    # --------------------------------------------------------------------------------------- nodes

    def named_inputs(self, given: Mapping[str, ast.Expr]) -> dict[str, Value | Values]:
        found: dict[str, Value | Values] = {}
        statement = self.names.statement
        self.names.statement = Statement(statement.name, None)
        for name, expr in given.items():
            values = self._source(expr)
            found[name] = values[0] if len(values) == 1 and not isinstance(expr, ast.TupleExpr) else values
        self.names.statement = statement
        return found

    def _arity(self, config: Layer, name: Span, incoming: Values) -> None:
        least, most = config.arity
        count = len(incoming)
        if all(value.type.known for value in incoming) and (count < least or (most is not None and count > most)):
            stage_errors.wrong_arity(config, name, incoming, self.problems)
            raise Stop

    def _node(
        self,
        use: LayerUse,
        incoming: Values,
        tensors: dict[str, Value | Values],
        span: Span,
        own: Layer | None = None,
    ) -> Values:
        """A call of a layer; `own` is the layer as this call has it, where that differs."""
        self.room_for(1, span)
        result = Value(span)
        node = Node(use, incoming, tensors, (result,), span, region=self.region, own=own)
        result.producer = node
        if not use.nodes and not use.config.is_function:
            self.model.layers.append(use)
        use.nodes.append(node)
        for value in node.operands():
            value.uses.append(node)
        self.model.nodes.append(node)
        self.infer.node(node)
        return node.results

    def _stop(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *,
        related: tuple[Label, ...] = (),
        help: str | None = None,
        fixes: tuple[Fix, ...] = (),
    ) -> NoReturn:
        self.problems.error(code, message, span, label, related=related, help=help, fixes=fixes)
        raise Stop
