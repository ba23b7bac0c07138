"""What is written and leads nowhere: values, inputs and shared layers without a use; outputs without an input."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.ir.graph import BlockCall, Model, Value
from nndsl.passes.resolve import Definition, references
from nndsl.passes.weight_layout import slots_of
from nndsl.source import Span
from nndsl.syntax import ast


def check_usage(model: Model, definition: ast.ModelDef, problems: Problems) -> None:
    """Warns of what reaches no output, in the model and in the blocks that it calls. Expects a model whose flows are
    fine."""
    ends = [output.value for output in model.outputs] + [penalty.value for penalty in model.penalties]
    ends += [value for submodel in model.submodels for value in submodel.targets]
    graphs = (model, *model.held)
    used = {node.layer.shared for graph in graphs for node in graph.nodes}
    used |= {call.shared for graph in graphs for call in graph.blocks}
    _check_body(definition, model.named, ends, used, None, problems)
    seen = set()
    for call in (call for graph in graphs for call in graph.blocks):
        if call.definition not in seen:
            seen.add(call.definition)
            results = [port.inputs[0] for port in call.outputs] + [penalty.value for penalty in call.penalties]
            _check_body(call.definition, call.named, results, used, call, problems)
    _check_submodels(model, problems)


def _check_submodels(model: Model, problems: Problems) -> None:
    """A layer with weights that a submodel alone needs: no output trains it, and the whole model of Keras does not
    have it."""
    values = [output.value for output in model.outputs] + [penalty.value for penalty in model.penalties]
    values += [penalty.value for call in model.blocks for penalty in call.penalties]
    reached = _before(values) | set(values)
    for part in model.submodels:
        inside = set(part.nodes)
        for use in model.layers:
            if not inside.intersection(use.nodes) or any(reached.intersection(node.results) for node in use.nodes):
                continue
            if slots_of(use):
                result = part.target_names[0]
                problems.error(
                    "NN0406", f"`{use.path}` has weights, and no output needs it, only submodel `{part.name}`",
                    use.name_span, "never trained", related=(Label(part.span, "needs it"),),
                    help=f"make what it leads to an output too: `output {result}`",
                )  # fmt: skip


def _check_body(
    definition: ast.ModelDef | ast.BlockDef,
    named: Mapping[str, Value],
    results: list[Value],
    used_layers: set[str],
    call: BlockCall | None,
    problems: Problems,
) -> None:
    """`call` is the one whose body it is, or None for that of the model."""
    prefix = f"{call.path}." if call is not None else ""
    edge = {port.results[0] for port in call.inputs} if call is not None else set()
    reached = _before(results, edge) | set(results)
    mentioned = _mentioned(definition)
    unused = {value for name, value in named.items() if value not in reached and name not in mentioned}
    ends = unused - _before(unused, edge)  # what leads to these alone is not reported beside them
    for statement in definition.body:
        match statement:
            case ast.InputStmt(name=name):
                if named.get(name.text) in ends:
                    help = (
                        "data would have to be given for it"
                        if isinstance(definition, ast.ModelDef)
                        else "each call has to give it"
                    )
                    problems.warning(
                        "NN0403", f"input `{name.text}` is not used by any output", name.span, "not used",
                        help=f"use it, or leave it out: {help}",
                        fixes=_removal(f"remove input `{name.text}`", statement.span),
                    )  # fmt: skip
            case ast.AssignStmt(targets=targets):
                _assigned(statement, [t for t in targets if t.text != "_"], named, unused, ends, edge, problems)
            case ast.SharedStmt(name=name):
                if prefix + name.text not in used_layers:
                    problems.warning(
                        "NN0404", f"shared layer `{name.text}` is never used", name.span, "not used",
                        help=f"let something flow into it (`x -> {name.text}`), or leave it out",
                        fixes=_removal(f"remove `{name.text}`", statement.span),
                    )  # fmt: skip


def _assigned(
    statement: ast.AssignStmt,
    names: list[ast.Ident],
    named: Mapping[str, Value],
    unused: set[Value],
    last: set[Value],
    edge: set[Value],
    problems: Problems,
) -> None:
    """A statement whose values reach no output; `last` are those of `unused` that no other is made from."""
    idle = [t for t in names if named.get(t.text) in unused]
    ends = [t for t in idle if named[t.text] in last]
    if not ends:
        return
    if len(idle) < len(names):
        for name in ends:
            problems.warning(
                "NN0402", f"`{name.text}` reaches no output", name.span, "not used",
                help="write `_` instead of its name", fixes=(Fix("change to `_`", (Edit(name.span, "_"),)),),
            )  # fmt: skip
    elif len(ends) == len(idle):
        listed = " and ".join(f"`{t.text}`" for t in ends)
        above = _before([named[ends[0].text]], edge)
        before = [n for n, value in named.items() if value in unused and value in above]
        others = ", ".join(f"`{n}`" for n in before)
        problems.warning(
            "NN0402", f"{listed} reach{'es' if len(ends) == 1 else ''} no output", ends[0].span, "not used",
            related=tuple(Label(t.span, "nor this") for t in ends[1:]),
            notes=(f"{others} lead{'s' if len(before) == 1 else ''} to it, and to nothing else",) if before else (),
            help="use it, make it an `output`, or leave it out", fixes=_removal(f"remove {listed}", statement.span),
        )  # fmt: skip


def _mentioned(definition: ast.ModelDef | ast.BlockDef) -> set[str]:
    """The names that outputs are written with, directly or through others: those too that only an arm needs which was
    not taken this time, and in a block those whose shape alone is asked for."""
    in_block = isinstance(definition, ast.BlockDef)
    needs: dict[str, set[str]] = {}
    waiting: list[str] = []
    for statement in definition.body:
        if isinstance(statement, ast.OutputStmt):
            waiting.append(statement.name.text)
            names: tuple[ast.Ident, ...] = (statement.name,)
        elif isinstance(statement, ast.AssignStmt):
            names = statement.targets
        else:
            continue
        found = {name for name, _ in references(Definition(statement, names), types=in_block)}
        for ident in names:
            needs.setdefault(ident.text, set()).update(found)
    mentioned: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in mentioned:
            mentioned.add(name)
            waiting += needs.get(name, set())
    return mentioned


def _before(values: Iterable[Value], edge: Container[Value] = ()) -> set[Value]:
    """Everything that `values` are made from, as far as `edge`, which is what flows into the body that is looked at:
    each of many bodies would otherwise walk through all that comes before it."""

    def operands(value: Value) -> Iterable[Value]:
        return () if value.producer is None or value in edge else value.producer.operands()

    stack = [operand for value in values for operand in operands(value)]
    found: set[Value] = set()
    while stack:
        value = stack.pop()
        if value not in found:
            found.add(value)
            stack.extend(operands(value))
    return found


def _removal(title: str, span: Span) -> tuple[Fix, ...]:
    """Takes a statement out, with its lines where nothing else stands on them."""
    text, start, end = span.file.text, span.start, span.end
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    last = len(text) if last < 0 else last + 1
    rest = text[end:last].strip()
    if not text[first:start].strip() and (not rest or rest.startswith("#")):
        start, end = first, last
    elif rest.startswith(";"):
        end = text.index(";", end) + 1
    return (Fix(title, (Edit(Span(span.file, start, end), ""),)),)


def prune(model: Model) -> None:
    """Takes out what reaches neither an output nor a submodel's result: no target emits dead code."""
    for graph in model.held:
        prune(graph)
    needed: set[object] = set()
    stack = [output.value for output in model.outputs] + [penalty.value for penalty in model.penalties]
    stack += [value for submodel in model.submodels for value in submodel.targets]
    penalised = [call for call in model.blocks if call.penalties]
    while stack:
        value = stack.pop()
        if value.producer is not None and value.producer not in needed:
            needed.add(value.producer)
            stack.extend(value.producer.operands())
        if not stack and penalised:  # the penalties of a block that is needed are needed too
            alive = [call for call in penalised if needed.intersection(call.outputs)]
            penalised = [call for call in penalised if call not in alive]
            stack += [penalty.value for call in alive for penalty in call.penalties]
    model.nodes = [node for node in model.nodes if node in needed]
    for use in model.layers:
        use.nodes = [node for node in use.nodes if node in needed]
    model.layers = [use for use in model.layers if use.nodes]
    values = {value for node in model.nodes for value in (*node.operands(), *node.results)}
    for value in values.union(item.value for item in model.inputs):
        value.uses = [use for use in value.uses if use in needed]
    for call in model.blocks:
        pairs = [(port, name) for port, name in zip(call.inputs, call.input_names, strict=True) if port in needed]
        call.inputs, call.input_names = tuple(port for port, _ in pairs), tuple(name for _, name in pairs)
        call.outputs = tuple(port for port in call.outputs if port in needed)
    model.blocks = [call for call in model.blocks if call.outputs]
    for part in model.submodels:
        part.nodes = tuple(node for node in part.nodes if node in needed)
