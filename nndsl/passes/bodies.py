"""The statements of a model or of one call of a block: values, shared layers, what each flow gives."""

from __future__ import annotations

from contextlib import suppress

from nndsl.diagnostics.model import Problems
from nndsl.ir.graph import BlockCall, LayerUse, Node, Value
from nndsl.layers import catalogue
from nndsl.layers.base import Layer
from nndsl.passes.evaluate import Failed
from nndsl.passes.flows import Flows, SharedLayer
from nndsl.passes.resolve import Scope
from nndsl.passes.stop import Stop
from nndsl.source import Span
from nndsl.syntax import ast


class Body:
    """Elaborates statements, each once, in the order of `scope`."""

    def __init__(self, flows: Flows, scope: Scope, problems: Problems) -> None:
        self.flows, self.scope, self.problems = flows, scope, problems

    def define(self, statement: ast.Stmt) -> None:
        match statement:
            case ast.SharedStmt():
                self._shared(statement)
            case ast.AssignStmt(targets=(name,)) if name.text in self.scope.constants:
                self._constant(statement, name.text)
            case ast.AssignStmt():
                self._assign(statement)
            case ast.OutputStmt(name=name, value=expr) if expr is not None:
                self.flows.current = statement
                values = self.flows.read(expr, name.text)
                if values is not None and len(values) == 1:
                    self._name(values[0], name)
                else:
                    if values is not None:
                        self._several(name.text, values, expr)
                    self.flows.values[name.text] = Value(name.span, name.text)  # of unknown type: no more is said of it

    def _constant(self, statement: ast.AssignStmt, name: str) -> None:
        """`width = 4 * filters`: a name for what is known at compile time."""
        evaluate = self.flows.binder.evaluate
        try:
            value = evaluate(statement.value)
        except Failed:
            self.scope.broken.add(name)
            evaluate.absent = evaluate.absent | {name}
            return
        evaluate.env = evaluate.env.bind({name: value})
        trace = self.flows.infer.root.trace
        if trace is not None:
            trace.add_constant(statement.targets[0], value)

    def _several(self, name: str, values: tuple[Value, ...], expr: ast.Expr) -> None:
        count = len(values)
        parts = ", ".join(["_"] * (count - 1))
        while isinstance(expr, ast.Paren):
            expr = expr.inner
        last = expr.items[-1] if isinstance(expr, ast.Flow) else expr
        self.problems.error(
            "NN0213",
            f"`{name}` is one value, and this flow gives {count}",
            last.func.span if isinstance(last, ast.CallExpr) else head_of(last.span),
            f"{count} values",
            help="merge them with `Concatenate()` or `Add()`, or give each a name of its own"
            if isinstance(last, ast.TupleExpr)
            else f"take them apart, as in `({name}, {parts}) = …`, or merge them with `Concatenate()` or `Add()`",
        )

    def _assign(self, statement: ast.AssignStmt) -> None:
        flows, scope = self.flows, self.scope
        names = [t for t in statement.targets if t.text != "_"]
        stem = names[0].text if names else "_"
        if not names:
            self.problems.error(
                "NN0213", "this statement keeps none of its results", statement.span,
                help="give at least one of them a name instead of `_`",
            )  # fmt: skip
            return
        flows.current = statement
        values = flows.read(statement.value, stem)
        if values is None or any(not v.type.known for v in values):
            for index, target in enumerate(names):
                flows.values[target.text] = values[index] if values and index < len(values) else Value(target.span)
            return
        if not statement.is_tuple and len(values) != 1:
            self._several(stem, values, statement.value)
            scope.broken.update(t.text for t in names)
            return
        if statement.is_tuple and len(values) != len(statement.targets):
            self._wrong_count(statement, values)
            scope.broken.update(t.text for t in names)
            return
        for target, value in zip(statement.targets, values, strict=True):
            if target.text != "_":
                self._name(value, target)

    def _wrong_count(self, statement: ast.AssignStmt, values: tuple[Value, ...]) -> None:
        from nndsl.diagnostics.model import Label

        wanted = len(statement.targets)
        self.problems.error(
            "NN0213",
            f"{wanted} name{'' if wanted == 1 else 's'} on the left, and the flow gives {len(values)} "
            f"value{'' if len(values) == 1 else 's'}",
            statement.targets[0].span.to(statement.targets[-1].span),
            f"{wanted} names",
            related=(Label(values[-1].producer.layer.name_span, f"{len(values)} values"),)
            if values and values[-1].producer
            else (),
            help=_results(values[-1].producer if values else None),
        )

    def _name(self, value: Value, name: ast.Ident) -> None:
        if not value.name:
            value.name = name.text
        self.flows.values[name.text] = value

    # --------------------------------------------------------------------------------- shared layers

    def _shared(self, statement: ast.SharedStmt) -> None:
        flows, name, call = self.flows, statement.name.text, statement.value
        while isinstance(call, ast.Paren):
            call = call.inner
        flows.shared[name] = None
        if not isinstance(call, ast.CallExpr):
            if not isinstance(call, ast.ErrorExpr):
                several = isinstance(call, ast.Flow | ast.Branch | ast.Repeat)
                self.problems.error(
                    "NN0211",
                    f"`shared {name}` shares one layer or block" + (", and this is a flow" if several else ""),
                    call.span,
                    help=f"write the flow as a block, `block {name.capitalize()}() {{ input x  output y = x -> … }}`, "
                    f"and share that: `shared {name} = {name.capitalize()}()`"
                    if several
                    else f"write `shared {name} = Dense(32)`",
                )
            return
        cls = catalogue.find("layer", call.func.text)
        if cls is None:
            block = flows.frame.home.blocks.get(call.func.text)
            if block is not None:
                with suppress(Stop, Failed):  # reported; calls of it stay silent
                    flows.shared[name] = flows.blocks.share(block, call, name, statement.name.span)
                return
            if call.func.text in flows.binder.evaluate.absent:
                return
            from nndsl.passes.unknown import unknown_layer

            meant = unknown_layer(call, list(flows.frame.home.blocks), self.problems)
            if meant is None:
                return
            call, cls = meant, catalogue.find("layer", meant.func.text)
        assert cls is not None and issubclass(cls, Layer)
        bound = flows.binder.bind(cls, call)
        if bound is None:
            return
        if bound.tensors:
            place = next(iter(bound.tensors.values())).span
            self.problems.error(
                "NN0215", "a shared layer gets its values at its calls", place,
                help=f"write `x -> {name}({next(iter(bound.tensors))}=…)`",
            )  # fmt: skip
            return
        path = flows.names.prefix + (bound.entry.name or name)  # type: ignore[attr-defined]
        use = LayerUse(path, bound.entry, call.span, call.func.span, bound.spans, shared=flows.names.prefix + name)
        flows.names.paths[bound.entry.name or name] = statement.name.span  # type: ignore[attr-defined]
        flows.shared[name] = SharedLayer(cls, flows.reused(use))


def _results(maker: Node | None) -> str:
    """What to do about a wrong number of names in front of a flow that ends with this call."""
    call = maker.region if maker is not None and maker.port else None
    if isinstance(call, BlockCall):
        outputs = [s.name.text for s in call.definition.outputs]
        return f"`{call.name}` gives {', '.join(f'`{name}`' for name in outputs)}; `_` takes one that is not needed"
    return "`_` takes a result that is not needed; recurrent layers give states with `return_state=true`"


def head_of(span: Span) -> Span:
    """The first line of a statement."""
    end = span.file.text.find("\n", span.start, span.end)
    return Span(span.file, span.start, end if end >= 0 else span.end)
