"""Calls of blocks: arguments bound, the body elaborated once for each call, values led in and out through ports."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn

from nndsl import code
from nndsl.diagnostics.model import CallSite, Label
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.ir.graph import BlockCall, LayerUse, Node, Value
from nndsl.layers.port import PORT
from nndsl.layers.traced import traced
from nndsl.layers.values import spell
from nndsl.passes.bind import Binder
from nndsl.passes.bodies import Body
from nndsl.passes.custom import CustomLayer
from nndsl.passes.declared import DeclaredInput
from nndsl.passes.definitions import Block
from nndsl.passes.estimate import least_of
from nndsl.passes.evaluate import Env, Evaluator, Failed
from nndsl.passes.resolve import did_you_mean_fix
from nndsl.records import fresh, mutable
from nndsl.source import Span
from nndsl.syntax import ast

if TYPE_CHECKING:
    from nndsl.passes.flows import Flows, SharedLayer

DEEPEST = 40  # calls of blocks within each other


@mutable
class Instance:
    """The layers of one shared block, by path: made at its first call, used again at the others."""

    layers: dict[str, LayerUse] = fresh(default_factory=dict)
    first: BlockCall | None = None


@mutable
class Arguments:
    """What a call gives the parameters of its block: their values in order, and where each is written."""

    values: dict[str, object]
    places: dict[str, Span]


@mutable
class SharedBlock:
    """`shared tower = Tower(32)`."""

    block: Block
    call: ast.CallExpr
    arguments: Arguments
    path: str
    name: str
    instance: Instance


class Blocks:
    """The calls of blocks in one body."""

    def __init__(self, flows: Flows) -> None:
        self.flows, self.problems = flows, flows.problems

    # ---------------------------------------------------------------------------------------- arguments

    def share(self, block: Block, call: ast.CallExpr, name: str, place: Span) -> SharedBlock | SharedLayer | None:
        block.calls += 1
        arguments = self.arguments(block, call, None)
        if arguments is None:
            return None
        names = self.flows.names
        title, trainable = self.common(call, arguments.values)
        names.paths[title or name] = place
        if block.definition.is_layer:
            from nndsl.passes.flows import SharedLayer

            made = self._custom(block, call, arguments, names.prefix + (title or name), trainable)
            made.shared = names.prefix + name
            return SharedLayer(type(made.config), self.flows.reused(made), block)
        instance = self.flows.frame.instance or Instance()
        return SharedBlock(block, call, arguments, names.prefix + (title or name), names.prefix + name, instance)

    def arguments(self, block: Block, call: ast.CallExpr, env: Env | None) -> Arguments | None:
        """The values of the block's parameters, or None where something is wrong (reported)."""
        parameters = {p.name.text: p for p in block.definition.parameters}
        evaluate = self.flows.binder.evaluate
        here = evaluate.env
        given: dict[str, object] = {}
        spans: dict[str, Span] = {}
        fine, unclear = True, False  # unclear: an argument that is wrong may be one that is missing
        is_layer, inputs = block.definition.is_layer, set(input_names(block))
        positional = list(parameters)
        named = False
        evaluate.env = env or here
        try:
            for position, item in enumerate(call.args):
                if item.name is not None:
                    named = True
                    key = item.name.text
                    common = key in inputs or key == "name" or (key == "trainable" and is_layer)
                    if key not in parameters and common:
                        continue
                    if key not in parameters:
                        self._unknown_argument(block, item, item.name)
                        fine, unclear = False, True
                        continue
                elif named or position >= len(positional):
                    self._misplaced(block, item, named, len(positional))
                    fine, unclear = False, True
                    continue
                else:
                    key = positional[position]
                if key in spans:
                    self.problems.error(
                        "NN0207", f"`{key}` of `{block.name}` is given twice", item.span, "again here",
                        related=(Label(spans[key], "first here"),), help="leave one of them out",
                    )  # fmt: skip
                    fine = False
                    continue
                spans[key] = item.value.span
                try:
                    given[key] = evaluate(item.value)
                except Failed:
                    fine = False
        finally:
            evaluate.env = here
        missing = [p for name, p in parameters.items() if p.default is None and name not in spans]
        if missing and not unclear:
            self._missing(block, call, missing)
            fine = False
        values = self._defaults(block, given) if fine else None
        if values is None:
            return None
        places = {p.name.text: p.default.span for p in block.definition.parameters if p.default is not None}
        return Arguments(values, {**places, **spans})

    def _defaults(self, block: Block, given: dict[str, object]) -> dict[str, object] | None:
        """All parameters in their order; a default may ask for those before it."""
        evaluate = self.flows.binder.evaluate
        here = evaluate.env
        result: dict[str, object] = {}
        try:
            for parameter in block.definition.parameters:
                name = parameter.name.text
                if name not in given and parameter.default is not None:
                    evaluate.env = Env({**block.home.params.values, **result})
                    given[name] = evaluate(parameter.default)
                result[name] = given[name]
        except Failed:
            return None
        finally:
            evaluate.env = here
        return result

    def _unknown_argument(self, block: Block, item: ast.Arg, name: ast.Ident) -> None:
        known = [p.name.text for p in block.definition.parameters]
        listed = ", ".join(f"`{n}`" for n in known)
        self.problems.error(
            "NN0203", f"`{block.name}` has no parameter `{name.text}`", name.span, "not a parameter",
            related=(Label(block.definition.name.span, f"takes {listed}" if known else "takes no parameters"),),
            help=did_you_mean(name.text, known) or (f"its parameters are {listed}" if known else "leave it out"),
            fixes=did_you_mean_fix(name.span, suggest(name.text, known)),
        )  # fmt: skip

    def _misplaced(self, block: Block, item: ast.Arg, named: bool, most: int) -> None:
        if named:
            message = f"an argument of `{block.name}` without a name cannot stand behind one with a name"
            help = "give it the name of its parameter"
        else:
            message = f"`{block.name}` takes {most} parameter{'' if most == 1 else 's'}, and this is one too many"
            help = f"leave it out; values flow in from the left: `x -> {block.name}(…)`"
        self.problems.error("NN0207", message, item.span, help=help,
                            related=(Label(block.definition.name.span, "defined here"),))  # fmt: skip

    def _missing(self, block: Block, call: ast.CallExpr, missing: list[ast.Parameter]) -> None:
        names = " and ".join(f"`{p.name.text}`" for p in missing)
        text = ", ".join([item.span.text[:30] for item in call.args] + [f"{p.name.text}=…" for p in missing])
        self.problems.error(
            "NN0204", f"`{block.name}` needs {names}", call.func.span, "not given",
            related=tuple(Label(p.span, "has no default") for p in missing),
            help=f"write `{block.name}({text})`",
        )  # fmt: skip

    # -------------------------------------------------------------------------------------------- calls

    def call(
        self, block: Block, call: ast.CallExpr, incoming: tuple[Value, ...], env: Env | None = None
    ) -> tuple[Value, ...]:
        """The results of a call of its own."""
        block.calls += 1
        arguments = self.arguments(block, call, env)
        if arguments is None:
            self._stop()
        own, trainable = self.common(call, arguments.values)
        incoming = self.completed(block, call.args, incoming, call.func.span)
        path = self.flows.names.of_call(block.name, call, own)
        if block.definition.is_layer:
            use = self.flows.reused(self._custom(block, call, arguments, path, trainable))
            return self.flow_through(block, use, call.span, incoming)
        return self.expand(block, arguments, path, call.span, call.func.span, incoming, self.flows.frame.instance, "")

    def shared_call(self, shared: SharedBlock, span: Span, incoming: tuple[Value, ...]) -> tuple[Value, ...]:
        return self.expand(
            shared.block, shared.arguments, shared.path, span, span, incoming, shared.instance, shared.name
        )

    def completed(
        self, block: Block, args: tuple[ast.Arg, ...], incoming: tuple[Value, ...], place: Span
    ) -> tuple[Value, ...]:
        """What flows in, with the inputs that are given by their names at their places: `x -> Decoder(encoded=e)`."""
        parameters = {p.name.text for p in block.definition.parameters}
        names = dict.fromkeys(name for name in input_names(block) if name not in parameters)
        given: dict[str, ast.Expr] = {}
        for arg in args:
            if arg.name is None or arg.name.text not in names:
                continue
            if arg.name.text in given:
                self.problems.error(
                    "NN0207", f"`{arg.name.text}` of `{block.name}` is given twice", arg.span, "again here",
                    related=(Label(given[arg.name.text].span, "first here"),), help="leave one of them out",
                )  # fmt: skip
                self._stop()
            given[arg.name.text] = arg.value
        if not given:
            return incoming
        found = self.flows.named_inputs(given)
        if len(incoming) + len(found) != len(names) or any(isinstance(value, tuple) for value in found.values()):
            several = sum(len(value) if isinstance(value, tuple) else 1 for value in found.values())
            self._arity(block, len(incoming) + several, place)
        rest = iter(incoming)
        return tuple(found[name] if name in found else next(rest) for name in names)  # type: ignore[misc]

    # --------------------------------------------------------------------------- layers of one's own

    def _custom(self, block: Block, call: ast.CallExpr, arguments: Arguments, path: str, trainable: bool) -> LayerUse:
        made = BlockCall(
            self.flows.region, block.name, block.definition, path, call.span, call.func.span, arguments.values,
            places=arguments.places,
        )  # fmt: skip
        config = CustomLayer(block, made, None, trainable)
        return LayerUse(path, config, call.span, call.func.span, {})

    def shared_layer(self, shared: SharedLayer, span: Span, incoming: tuple[Value, ...]) -> tuple[Value, ...]:
        assert shared.block is not None
        return self.flow_through(shared.block, shared.use, span, incoming)

    def flow_through(self, block: Block, use: LayerUse, span: Span, incoming: tuple[Value, ...]) -> tuple[Value, ...]:
        """The results of a call of a layer of one's own."""
        layer = use.config
        if self.flows.frame.depth >= DEEPEST:
            self._too_deep(block, span)
        self.problems.calls.append(CallSite(written(block.definition, layer.call.arguments), span))
        try:
            return self.flows.custom(layer, incoming, use, span, self.env(block, layer.call, layer.call.arguments))
        finally:
            self.problems.calls.pop()

    def common(
        self, call: ast.CallExpr, parameters: Mapping[str, object] = MappingProxyType({})
    ) -> tuple[str | None, bool]:
        """`name` and `trainable` of a call, where they are no parameters of the block."""
        given = {a.name.text: a.value for a in call.args if a.name is not None and a.name.text not in parameters}
        trainable: object = True
        if "trainable" in given:
            trainable = self.flows.binder.evaluate(given["trainable"])
            if not isinstance(trainable, bool):
                self.problems.error("NN0205", "`trainable` must be `true` or `false`", given["trainable"].span,
                                    help="for instance `trainable=false`")  # fmt: skip
                self._stop()
        return self._own_name(given.get("name")), bool(trainable)

    def _own_name(self, expr: ast.Expr | None) -> str | None:
        if expr is None:
            return None
        value = self.flows.binder.evaluate(expr)
        text = value if isinstance(value, str) else getattr(value, "name", None)
        if not isinstance(text, str):
            self.problems.error("NN0205", "`name` must be a string", expr.span, help="for instance `name=stem`")
            self._stop()
        return text

    def expand(
        self,
        block: Block,
        given: Arguments,
        path: str,
        span: Span,
        name_span: Span,
        incoming: tuple[Value, ...],
        instance: Instance | None,
        shared: str,
    ) -> tuple[Value, ...]:
        flows, definition, arguments = self.flows, block.definition, given.values
        inputs = definition.inputs
        if any(not value.type.known for value in incoming):
            self._stop()
        if len(inputs) != len(incoming):
            self._arity(block, len(incoming), name_span)
        signature = [spell(value) for value in arguments.values()]
        if signature in block.failed or block.is_endless:
            self._stop()
        flows.room_for(max(least_of(block), 1), name_span)
        site = CallSite(written(definition, arguments), span)
        if flows.frame.depth >= DEEPEST:
            self._too_deep(block, name_span)
        errors = len(self.problems.errors)
        self.problems.calls.append(site)
        try:
            call = BlockCall(flows.region, block.name, definition, path, span, name_span, arguments, shared, instance)
            call.places = given.places
            flows.model.blocks.append(call)
            inner = _Inside(flows, block, call, self.env(block, call, arguments), instance)
            call.inputs = tuple(
                self._port(value, statement.name.span, statement.name.text, call)
                for value, statement in zip(incoming, inputs, strict=True)
            )
            call.input_names = tuple(statement.name.text for statement in inputs)
            results = inner.run(inputs, call.inputs)
        finally:
            self.problems.calls.pop()
            if len(self.problems.errors) > errors:
                block.failed.append(signature)
        if results is None:
            self._stop()
        call.named = inner.flows.values
        call.output_names = tuple(results)
        ports = [self._port(value, name_span, "", call) for value in results.values()]
        call.outputs = tuple(ports)
        return tuple(port.results[0] for port in ports)

    def env(self, block: Block, call: BlockCall, arguments: Mapping[str, object]) -> Env:
        names = {
            name: traced(value, code.Name(name), call) if code.is_name(name) else value
            for name, value in arguments.items()
        }
        return Env({**block.home.params.values, **names}, None, call, block.home)

    def _port(self, value: Value, span: Span, name: str, call: BlockCall) -> Node:
        use = LayerUse(call.path, PORT, call.span, span, {})
        result = Value(span, name, type=value.type)
        node = Node(use, (value,), {}, (result,), call.span, region=call, port=True)
        result.producer = node
        use.nodes.append(node)
        value.uses.append(node)
        self.flows.model.nodes.append(node)
        return node

    def _arity(self, block: Block, count: int, span: Span) -> NoReturn:
        inputs = block.definition.inputs
        wanted = len(inputs)
        if any(isinstance(s, ast.ErrorStmt) for s in block.definition.body):
            self._stop()  # one that was not understood may have been an input
        if not wanted:
            self.problems.error(
                "NN0212", f"block `{block.name}` has no input, and {_values(count)} in", span,
                related=(Label(block.definition.name.span, "no `input` in it"),),
                help="say in the block what flows in: `input x`",
            )  # fmt: skip
            self._stop()
        names = ", ".join(s.name.text for s in inputs)
        self.problems.error(
            "NN0212",
            f"`{block.name}` takes {wanted} input{'' if wanted == 1 else 's'}, and {_values(count)} in",
            span, f"{count} input{'' if count == 1 else 's'}",
            related=tuple(Label(s.span, "declared here") for s in inputs[:4]),
            help=f"let them flow in as a tuple, in this order: `({names}) -> {block.name}(…)`"
            if wanted > 1
            else "merge them first, for instance with `Concatenate()` or `Add()`",
        )  # fmt: skip
        self._stop()

    def _too_deep(self, block: Block, span: Span) -> NoReturn:
        block.is_endless = True
        calls = [site.text.partition("(")[0] for site in self.problems.calls]
        if block.name in calls:
            inner = calls[len(calls) - 1 - calls[::-1].index(block.name) :]
            shown = " -> ".join([*inner, block.name])
            message = f"block `{block.name}` calls itself more than {DEEPEST} deep: {shown}"
            first = block.definition.parameters[0].name.text if block.definition.parameters else ""
            ended = f"{block.name}({first} - 1) if {first} > 1" if first else f"{block.name}() if x.shape[-1] > 1"
            help = f"let a choice end it, `({ended} else Identity())`; many rounds are a `repeat`"
        else:
            message = f"blocks call each other more than {DEEPEST} deep"
            help = "a `repeat` needs no depth"
        self.problems.error("NN0221", message, span, help=help)
        self._stop()

    def _stop(self) -> NoReturn:
        from nndsl.passes.stop import Stop

        raise Stop


class _Inside:
    """The body of a block for one call of it."""

    def __init__(self, outer: Flows, block: Block, call: BlockCall, env: Env, instance: Instance | None) -> None:
        from nndsl.passes.flows import Flows, Frame

        self.block, self.call, self.problems = block, call, outer.problems
        self.scope = block.scope(outer.problems)
        evaluate = Evaluator(outer.problems, env)
        evaluate.absent = block.home.absent | block.home.params.broken
        binder = Binder(outer.problems, evaluate)
        binder.values, binder.shared, binder.defaults = self.scope.values(), self.scope.shared(), outer.binder.defaults
        frame = Frame(block.home, call, instance, outer.frame.depth + 1)
        self.flows = Flows(outer.model, self.scope, binder, outer.infer, outer.problems, frame)
        evaluate.env = Env(env.names, self.flows.type_of, env.scope, env.home)

    def run(self, inputs: list[ast.InputStmt], ports: tuple[Node, ...]) -> dict[str, Value] | None:
        """The values of the block's outputs by name, or None where one of them has failed."""
        from nndsl.passes.penalties import elaborate_penalty

        flows = self.flows
        declared = DeclaredInput(flows, self.problems)
        for statement, port in zip(inputs, ports, strict=True):
            flows.values[statement.name.text] = port.results[0]
        for statement, port in zip(inputs, ports, strict=True):
            declared.check(statement, port.results[0])
        body = Body(flows, self.scope, self.problems)
        for definition in self.scope.order:
            if not isinstance(definition.statement, ast.InputStmt):
                body.define(definition.statement)
        for other in self.block.definition.body:
            if isinstance(other, ast.PenaltyStmt):
                elaborate_penalty(other, self.call.penalties, flows, flows.binder, self.problems)
        outputs = self.block.definition.outputs
        if not outputs:
            self._no_output()
            return None
        results: dict[str, Value] = {}
        for output in outputs:
            name = output.name.text
            if output.options:
                self.problems.error(
                    "NN0219", "an output of a block has no loss, weight or metrics", output.options[0].span,
                    help="a model's outputs have: give the result a name there, `output y = x -> Block() with loss=…`",
                )  # fmt: skip
            if name in flows.values:
                results[name] = flows.values[name]
            elif name not in self.scope.broken and name not in self.call.arguments:
                known = self.scope.values()
                self.problems.error(
                    "NN0201", f"there is no value called `{name}`", output.name.span, "not defined",
                    help=did_you_mean(name, known) or f"say how it is made: `output {name} = x -> …`",
                    fixes=did_you_mean_fix(output.name.span, suggest(name, known)),
                )  # fmt: skip
        if len(results) != len(outputs) or any(not value.type.known for value in results.values()):
            return None
        return results

    def _no_output(self) -> None:
        if any(isinstance(s, ast.ErrorStmt) for s in self.block.definition.body):
            return
        self.problems.error(
            "NN0405", f"{'layer' if self.block.definition.is_layer else 'block'} `{self.block.name}` has no output",
            self.block.definition.name.span,
            help="say what it gives: `output y = x -> …`",
        )  # fmt: skip


def input_names(block: Block) -> list[str]:
    """The names of the block's inputs, in their order."""
    return [s.name.text for s in block.definition.inputs]


def _values(count: int) -> str:
    return f"{count} value{' flows' if count == 1 else 's flow'}"


def written(definition: ast.BlockDef, arguments: Mapping[str, object]) -> str:
    """The call with the values of its arguments: "Residual(32, stride=2)"; defaults are left out."""
    shown: list[str] = []
    skipped = False
    for parameter in definition.parameters:
        value = arguments[parameter.name.text]
        text = spell(value)
        if parameter.default is not None and text == parameter.default.span.text:
            skipped = True
            continue
        text = text if len(text) <= 30 else text[:29] + "…"
        shown.append(f"{parameter.name.text}={text}" if skipped or parameter.default is not None else text)
    return f"{definition.name.text}({', '.join(shown)})"
