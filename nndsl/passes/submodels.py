"""`submodel encoder(image) = code`: the part of the graph between two sets of values."""

from __future__ import annotations

from collections.abc import Mapping

from nndsl.diagnostics.model import Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.ir.graph import BlockCall, Model, Node, Submodel, Value
from nndsl.passes.resolve import Scope, did_you_mean_fix
from nndsl.syntax import ast


def elaborate_submodels(model: Model, scope: Scope, values: Mapping[str, Value], problems: Problems) -> None:
    for statement in scope.submodels.values():
        sources = _look_up(statement.sources, scope, values, problems)
        targets = _look_up(statement.targets, scope, values, problems)
        if sources is None or targets is None:
            continue
        found = _between(model, statement, sources, targets, problems)
        if found is not None:
            model.submodels.append(
                Submodel(
                    statement.name.text,
                    sources,
                    tuple(n.text for n in statement.sources),
                    targets,
                    tuple(n.text for n in statement.targets),
                    statement.span,
                    found,
                )
            )


def _look_up(
    names: tuple[ast.Ident, ...], scope: Scope, values: Mapping[str, Value], problems: Problems
) -> tuple[Value, ...] | None:
    found = []
    for name in names:
        if name.text in values:
            found.append(values[name.text])
        elif name.text in scope.constants and name.text not in scope.broken:
            problems.error(
                "NN0211", f"`{name.text}` is known at compile time, and a value that flows is meant", name.span,
                help="a submodel runs between named values of the model",
            )  # fmt: skip
        elif name.text not in scope.broken and (name.text not in scope.definitions or name.text in scope.shared()):
            known = list(values)
            problems.error(
                "NN0201", f"there is no value called `{name.text}`", name.span, "not defined",
                help=did_you_mean(name.text, known) or "a submodel runs between named values of the model",
                fixes=did_you_mean_fix(name.span, suggest(name.text, known)),
            )  # fmt: skip
    return tuple(found) if len(found) == len(names) else None


def _between(
    model: Model,
    statement: ast.SubmodelStmt,
    sources: tuple[Value, ...],
    targets: tuple[Value, ...],
    problems: Problems,
) -> tuple[Node, ...] | None:
    """The nodes from `sources` to `targets`, in order; reports a target that needs more than the sources."""
    for ident, value in zip(statement.targets, targets, strict=True):
        if value in sources:
            start = statement.sources[sources.index(value)]
            problems.error(
                "NN0406", f"submodel `{statement.name.text}` gives `{ident.text}` back as it came", ident.span,
                "a result", related=(Label(start.span, "and where it starts"),),
                help="a submodel runs from values to others that are made from them",
            )  # fmt: skip
            return None
    wanted: set[Node] = set()
    reached: set[Value] = set()
    stack = list(targets)
    visited: set[Value] = set()
    while stack:
        value = stack.pop()
        if value in visited:
            continue
        visited.add(value)
        if value in sources:
            reached.add(value)
            continue
        if not value.type.known:
            return None
        if value.number is not None:
            continue
        if value.producer is None and value in targets and _leads(value, sources):
            ends = ", ".join(n.text for n in statement.targets)
            starts = ", ".join(n.text for n in statement.sources)
            problems.error(
                "NN0406",
                f"submodel `{statement.name.text}` runs the wrong way round: `{starts}` is made from `{ends}`",
                statement.name.span,
                related=(Label(statement.sources[0].span, "the result"), Label(statement.targets[0].span, "the start")),
                help=f"write `submodel {statement.name.text}({ends}) = {starts}`",
            )
            return None
        if value.producer is None:
            names = ", ".join(f"`{n.text}`" for n in statement.sources)
            problems.error(
                "NN0406",
                f"submodel `{statement.name.text}` cannot run from {names} alone: it needs `{value.name}` too",
                statement.name.span,
                related=(Label(value.span, "needed as well"),),
                help=f"take it as well: `submodel {statement.name.text}"
                f"({', '.join([*(n.text for n in statement.sources), value.name])}) = …`",
            )
            return None
        if value.producer not in wanted:
            wanted.add(value.producer)
            stack.extend(value.producer.operands())
    for name, value in zip(statement.sources, sources, strict=True):
        if value not in reached:
            problems.error(
                "NN0406",
                f"`{name.text}` does not lead to the result of submodel `{statement.name.text}`",
                name.span,
                "not on the way",
                related=tuple(Label(t.span, "the result") for t in statement.targets),
                help="leave it out, or start from a value that the result is made from",
            )
            return None
    wanted |= _whole_calls(model, wanted, sources)
    return tuple(node for node in model.nodes if node in wanted)


def _whole_calls(model: Model, wanted: set[Node], sources: tuple[Value, ...]) -> set[Node]:
    """All that belongs to the calls of blocks that `wanted` has something of (a penalty leads to no target), where it
    can be had from the sources."""
    calls = {call for node in wanted if (call := _outermost(node)) is not None}
    known = {value for node in wanted for value in node.results} | set(sources)
    whole = [node for node in model.nodes if _outermost(node) in calls]
    inside = {value for node in whole for value in node.results}
    fits = {
        call
        for call in calls
        if all(v in known or v in inside or v.number is not None
               for node in whole if _outermost(node) is call for v in node.operands())
    }  # fmt: skip
    return {node for node in whole if _outermost(node) in fits}


def _outermost(node: Node) -> BlockCall | None:
    """The call of a block, in the model itself, that a node was expanded from."""
    region, found = node.region, None
    while region is not None:
        found = region if isinstance(region, BlockCall) else found
        region = region.parent
    return found


def _leads(start: Value, ends: tuple[Value, ...]) -> bool:
    """Whether the first of `ends` is made from `start`."""
    stack = [ends[0]]
    seen: set[Value] = set()
    while stack:
        value = stack.pop()
        if value is start:
            return True
        if value not in seen:
            seen.add(value)
            stack.extend(value.producer.operands() if value.producer is not None else ())
    return False
