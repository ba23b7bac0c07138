"""What is said of a call: what it is, and what it does here, from the check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from nndsl.ide.analysis import Analysis
from nndsl.ide.callees import Callee
from nndsl.ide.entries import documentation
from nndsl.ide.found import Found, facts_about, within
from nndsl.ide.markdown import inline
from nndsl.ide.places import path_at
from nndsl.ir.graph import BlockCall, LayerUse, Model, Node
from nndsl.ir.types import TensorType
from nndsl.layers.values import spell
from nndsl.syntax import ast
from nndsl.views.calls import value_text
from nndsl.views.summary import Counts, count_variables, multiply_adds
from nndsl.views.summary_text import count_text

T = TypeVar("T")
_MOST_SHAPES, _MOST_PATHS = 6, 3


def of_call(analysis: Analysis, callee: Callee, start: int) -> str:
    """A call of a layer, function or option whose name stands at `start`."""
    parts = [documentation(analysis, callee)]
    if callee.category in ("layer", "function", "shared", "block"):
        found = Found(analysis)
        nodes = found.nodes(start)
        parts += _here([(_arrow(n.input_types, n.result_types), n) for n in nodes], _path, lambda n: _counts(found, n))
        if nodes:
            types = [*nodes[0].input_types, *nodes[0].result_types]
            parts += _facts(found.model_with(nodes[0]), types)
    return "\n\n".join(part for part in parts if part)


def of_block_call(analysis: Analysis, callee: Callee, start: int) -> str:
    """A call of a block or of a layer of one's own, or its definition."""
    definition = callee.symbol.statement if callee.symbol is not None else None
    place = definition.name.span if isinstance(definition, ast.BlockDef) else None
    is_definition = place is not None and place.start == start and place.file is analysis.source
    if isinstance(definition, ast.BlockDef) and definition.is_layer and not is_definition:
        return of_call(analysis, callee, start)
    found = Found(analysis)
    calls = list(found.calls_of(definition)) if is_definition else found.block_calls(start)
    calls = [(m, c) for m, c in calls if c.outputs]
    parts = [documentation(analysis, callee)]
    parts += _here(
        [(_of_ports(call), (model, call)) for model, call in calls],
        lambda item: item[1].path,
        lambda item: _parameters(_in_block(*item)),
    )
    return "\n\n".join(part for part in parts if part)


def _of_ports(call: BlockCall) -> str:
    given = [port.results[0].type for port in call.inputs]
    return _arrow(given, [port.results[0].type for port in call.outputs])


def _arrow(inputs: Sequence[TensorType], results: Sequence[TensorType]) -> str:
    return f"{_several(inputs)} -> {_several(results)}" if inputs else _several(results)


def _several(types: Sequence[TensorType]) -> str:
    return str(types[0]) if len(types) == 1 else f"({', '.join(map(str, types))})"


def _here(items: Sequence[tuple[str, T]], path: Callable[[T], str], counts: Callable[[T], str]) -> list[str]:
    """The distinct shapes of some calls, with where each is."""
    groups: dict[str, list[T]] = {}
    for text, item in items:
        groups.setdefault(text, []).append(item)
    if not groups:
        return []
    if len(groups) == 1:
        ((text, calls),) = groups.items()
        return [inline(text), counts(calls[0]), _paths([path(call) for call in calls])]
    lines = []
    for text, calls in list(groups.items())[:_MOST_SHAPES]:
        about = [part for part in (counts(calls[0]), _paths([path(call) for call in calls])) if part]
        lines.append(f"- {inline(text)}" + (f"  \n  {', '.join(about)}" if about else ""))
    if len(groups) > _MOST_SHAPES:
        lines.append(f"- and {len(groups) - _MOST_SHAPES} other shapes")
    return ["\n".join(lines)]


def _paths(paths: list[str]) -> str:
    names = list(dict.fromkeys(name for name in paths if name))
    if not names:
        return ""
    more = f" and {len(names) - _MOST_PATHS} more" if len(names) > _MOST_PATHS else ""
    return "named " + ", ".join(map(inline, names[:_MOST_PATHS])) + more


def _path(node: Node) -> str:
    return "" if node.config.is_function else str(node.layer.path)


def _counts(found: Found, node: Node) -> str:
    model = found.model_with(node)
    adds = multiply_adds(node)
    parts = []
    if not node.config.is_function:
        parts.append(_parameters(count_variables(node, "float32" if model is None else model.float_dtype)))
    if adds != 0:
        parts.append(f"{count_text(adds)} multiply-adds for one sample" if adds is not None else "")
    return ", ".join(part for part in parts if part)


def _parameters(counts: Counts) -> str:
    total = counts.trainable + counts.frozen
    if not total:
        return "no parameters"
    frozen = f" ({counts.frozen:,} not trainable)" if counts.frozen else ""
    return f"{total:,} parameter{'' if total == 1 else 's'}{frozen}"


def _in_block(model: Model, call: BlockCall) -> Counts:
    """The variables of all layers in a block's call; those of a shared block belong to all of its calls."""
    total = Counts()
    seen: set[LayerUse] = set()
    for node in model.nodes:
        if not node.port and node.layer not in seen and within(node.region, call):
            seen.add(node.layer)
            if not node.config.is_function and all(t.known for t in node.input_types):
                total += count_variables(node, model.float_dtype)
    return total


def _facts(model: Model | None, types: list[TensorType]) -> list[str]:
    facts = list(dict.fromkeys(map(str, facts_about(model, types))))
    return [f"Sizes must satisfy {', '.join(map(inline, facts[:_MOST_SHAPES]))}."] if facts else []


def of_argument_here(analysis: Analysis, start: int, name: str) -> str:
    """The values that an argument has here, where the text does not say so itself."""
    path = path_at(analysis.tree, start)
    call = next((n for n in reversed(path) if isinstance(n, ast.CallExpr)), None)
    given = next((n for n in reversed(path) if isinstance(n, ast.Arg)), None)
    if call is None or given is None or isinstance(given.value, ast.Literal):
        return ""
    found = Found(analysis)
    values = [value_text(getattr(n.config, name)) for n in found.nodes(call.span.start) if hasattr(n.config, name)]
    values += [spell(c.arguments[name]) for _, c in found.block_calls(call.span.start) if name in c.arguments]
    distinct = [value for value in dict.fromkeys(values) if value != given.value.span.text]
    if not distinct:
        return ""
    more = " and others" if len(distinct) > _MOST_SHAPES else ""
    return f"Here {', '.join(map(inline, distinct[:_MOST_SHAPES]))}{more}."
