"""What is said of a name: a value with its shape, a parameter with its value, a model with its totals."""

from __future__ import annotations

from nndsl.diagnostics.model import Problems
from nndsl.ide.analysis import Analysis
from nndsl.ide.callees import of_entry, one_line
from nndsl.ide.entries import documentation, of_shared
from nndsl.ide.found import Found, facts_about
from nndsl.ide.markdown import block, inline, prose
from nndsl.ide.symbols import Symbol
from nndsl.ir.dims import free_symbols
from nndsl.ir.graph import Model, Value
from nndsl.layers.values import spell
from nndsl.passes.evaluate import Env, Evaluator, Failed
from nndsl.passes.infer import chain
from nndsl.passes.params import Params
from nndsl.source import Span
from nndsl.syntax import ast
from nndsl.views.summary import Counts, summarize
from nndsl.views.summary_text import count_text, in_bytes

_MOST = 6
_MORE = {"weight": ", which training changes", "state": ", which `update` changes and training does not"}
_VALUES = {"value": "A value", "input": "An input", "output": "An output", "penalty": "A penalty",
           "weight": "A weight", "state": "A state"}  # fmt: skip


def of_symbol(analysis: Analysis, symbol: Symbol) -> str:
    statement = symbol.statement
    match symbol.kind:
        case "model" if isinstance(statement, ast.ModelDef):
            return _model(analysis, statement)
        case "param" if isinstance(statement, ast.ParamDef):
            return _param(analysis, statement)
        case "parameter" | "constant" | "repeat":
            return _known(analysis, symbol)
        case "dimension":
            return _dimension(analysis, symbol)
        case "shared" if isinstance(statement, ast.SharedStmt):
            return of_shared(analysis, statement)
        case "source" if isinstance(statement, ast.SourceStmt):
            return _source(analysis, statement)
        case "submodel" if isinstance(statement, ast.SubmodelStmt):
            return f"{block(one_line(statement.span.text))}\n\nThe part of the graph between these values."
        case "import" if isinstance(statement, ast.ImportDef):
            return f"{inline(symbol.name)} of {inline(str(statement.path.value))}, which cannot be read."
        case kind if kind in _VALUES:
            return _value(analysis, symbol)
    return ""


# --------------------------------------------------------------------------------------------- values


def _value(analysis: Analysis, symbol: Symbol) -> str:
    found = Found(analysis).values(symbol)
    where = symbol.container
    of = f" of {inline(where.name.text)}" if where is not None else ""
    said = f"{_VALUES[symbol.kind]}{of}{_MORE.get(symbol.kind, '')}."
    types = list(dict.fromkeys(str(value.type) for value, _, _ in found))
    if not types:
        return f"{block(symbol.name)}\n\n{said}"
    if len(types) == 1:
        head = block(f"{symbol.name}: {types[0]}")
        return "\n\n".join((head, said, *_origin(found[0][0]), *_facts(found[0][2], found[0][0])))
    lines = []
    for text in types[:_MOST]:
        paths = [path for value, path, _ in found if str(value.type) == text and path]
        more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
        lines.append(f"- {inline(text)}" + (f" in {', '.join(map(inline, paths[:3]))}{more}" if paths else ""))
    if len(types) > _MOST:
        lines.append(f"- and {len(types) - _MOST} other shapes")
    return "\n\n".join((block(symbol.name), said, "\n".join(lines)))


def _origin(value: Value) -> list[str]:
    """The layers that led to the shape of a value."""
    notes = chain((value,))
    return [f"The shape comes from {inline(note.removeprefix('the shape comes from '), 400)}" for note in notes]


def _facts(model: Model | None, value: Value) -> list[str]:
    facts = list(dict.fromkeys(map(str, facts_about(model, [value.type]))))
    return [f"Sizes must satisfy {', '.join(map(inline, facts[:_MOST]))}."] if facts else []


def _dimension(analysis: Analysis, symbol: Symbol) -> str:
    name = symbol.name
    found = Found(analysis)
    model = found.model_of(symbol.container)
    head = f"{inline(name)}: any size, the same wherever the name stands in "
    head += f"{inline(symbol.container.name.text)}." if symbol.container is not None else "the model."
    if model is None:
        return head
    lines = []
    for fact in [f for f in model.constraints.facts() if name in free_symbols(f.dim)][:_MOST]:
        reasons = [reason for reason in fact.reasons if isinstance(reason, Span)]
        places = dict.fromkeys(f"{inline(one_line(r.text, 30))} in line {r.line}" for r in reasons[:3])
        lines.append(f"- {inline(str(fact))}" + (f", asked for by {', '.join(places)}" if places else ""))
    return f"{head}\n\nIt must satisfy\n" + "\n".join(lines) if lines else head


# ------------------------------------------------------------------------------- known at compile time


def _param(analysis: Analysis, statement: ast.ParamDef) -> str:
    value = _params(analysis).values.get(statement.name.text)
    options = ", ".join(one_line(option.span.text, 40) for option in statement.options)
    shown = one_line(statement.value.span.text)
    parts = [block(f"param {statement.name.text} = {shown}" + (f" with {options}" if options else ""))]
    if value is not None and spell(value) != shown:
        parts.append(f"It is {inline(spell(value))}.")
    parts.append(f"`--set {statement.name.text}=…` gives it another value.")
    return "\n\n".join(parts)


def _params(analysis: Analysis) -> Params:
    params = Params()
    params.read(analysis.tree, {}, Problems())
    return params


def _known(analysis: Analysis, symbol: Symbol) -> str:
    """A parameter of a block, a named number or the name of a `repeat`, with the values that it has."""
    container = symbol.container
    what = {"constant": "A value that is known when the program is compiled", "repeat": "A name that `repeat` binds"}
    of = f"A parameter of {inline(container.name.text)}" if container is not None else "A parameter"
    head = symbol.name
    statement = symbol.statement
    if isinstance(statement, ast.Parameter) and statement.default is not None:
        head = f"{symbol.name} = {one_line(statement.default.span.text)}"
    elif isinstance(statement, ast.AssignStmt):
        head = one_line(statement.span.text)
    values = list(dict.fromkeys(_values(analysis, symbol)))
    parts = [block(head), f"{what.get(symbol.kind, of)}."]
    if values and values != [head.partition(" = ")[2]]:
        more = f" and {len(values) - _MOST} more" if len(values) > _MOST else ""
        one_of = "one of " if len(values) > 1 else ""
        parts.append(f"It is {one_of}{', '.join(map(inline, values[:_MOST]))}{more}.")
    return "\n\n".join(parts)


def _values(analysis: Analysis, symbol: Symbol) -> list[str]:
    found = Found(analysis)
    statement, container = symbol.statement, symbol.container
    if symbol.kind == "constant":
        return [spell(value) for value in found.trace.constants.get((analysis.source, symbol.span.start), [])]
    arguments = [call.arguments for _, call in found.calls_of(container)]
    arguments += [config.call.arguments for _, config, _, _ in found.insides(container)]
    if symbol.kind == "parameter":
        return [spell(given[symbol.name]) for given in arguments if symbol.name in given]
    if not isinstance(statement, ast.Repeat):
        return []
    names = [name.text for name in statement.names]
    params = _params(analysis).values
    shown: list[str] = []
    for given in arguments[:20] if isinstance(container, ast.BlockDef) else [{}]:
        try:
            rounds = Evaluator(Problems(), Env({**params, **given}))(statement.count)
        except Failed:
            continue
        for item in list(rounds)[:50] if isinstance(rounds, list | tuple | range) else ():
            parts = item if len(names) > 1 else (item,)
            if isinstance(parts, list | tuple) and len(parts) == len(names):
                shown.append(spell(parts[names.index(symbol.name)]))
    return shown


# ----------------------------------------------------------------------------------------- definitions


def _model(analysis: Analysis, statement: ast.ModelDef) -> str:
    found = Found(analysis).model_of(statement)
    parts = [block(f"model {statement.name.text}"), prose(statement.comment)]
    if found is None:
        return "\n\n".join(part for part in parts if part)
    given = [f"{item.name}: {item.value.type}" for item in found.inputs if item.value.type.known]
    made = [f"{item.name}: {item.value.type}" for item in found.outputs if item.value.type.known]
    for title, items in (("Inputs", given), ("Outputs", made)):
        if items:
            more = f" and {len(items) - 12} more" if len(items) > 12 else ""
            parts.append(f"{title}: {', '.join(map(inline, items[:12]))}{more}")
    program = analysis.checked.program
    model = next((m for m in program.models if m is found), None) if program is not None else None
    if model is not None:
        summary = summarize(model)
        counts = Counts(summary.trainable, summary.frozen, summary.size)
        frozen = f", {counts.frozen:,} of them not trainable" if counts.frozen else ""
        total = counts.trainable + counts.frozen
        parts.append(f"{total:,} parameters ({in_bytes(counts.size)}, {summary.float_dtype}){frozen}; "
                     f"{count_text(summary.multiply_adds)} multiply-adds for one sample")  # fmt: skip
        if summary.facts:
            parts.append(f"Sizes must satisfy {', '.join(map(inline, summary.facts[:_MOST]))}.")
    return "\n\n".join(part for part in parts if part)


def _source(analysis: Analysis, statement: ast.SourceStmt) -> str:
    head = block(f"source {statement.name.text} = {one_line(statement.value.span.text)}")
    call = statement.value
    reader = of_entry("reader", call.func.text) if isinstance(call, ast.CallExpr) else None
    return head if reader is None else f"{head}\n\n{documentation(analysis, reader, short=True)}"


def of_import(analysis: Analysis, start: int) -> str:
    """The file that an import names, and what it has to give."""
    for statement in analysis.imports():
        if statement.path.span.start == start:
            other = analysis.imported(statement)
            path = inline(str(statement.path.value))
            if other is None:
                return f"{path} cannot be read."
            names = other.exported()
            shown = ", ".join(map(inline, names[:20])) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
            return f"{path} has {shown}." if names else f"{path} defines no block and no layer."
    return ""
