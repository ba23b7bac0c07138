"""What stands at the head of a line of a `data` section: `table[0:8]`, `scans.label`, `table`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.ir.graph import DataSource
from nndsl.layers.families.readers import Reader
from nndsl.layers.values import show
from nndsl.passes.evaluate import Failed
from nndsl.passes.resolve import did_you_mean_fix
from nndsl.records import record
from nndsl.source import Span
from nndsl.syntax import ast

Columns = None | str | int | slice | tuple[int | str, ...]
"""What is taken of a source: all of it, a field by name, a column by number, a range or a list of columns."""


@record
class FieldUse:
    """`row` is the shape of one row, None where only the data can say."""

    source: DataSource
    key: Columns
    row: tuple[int, ...] | None
    span: Span


def stages_of(value: ast.Expr) -> tuple[ast.Expr, list[ast.Expr]]:
    """The head of a flow and the stages behind it."""
    stages: list[ast.Expr] = []
    while isinstance(value, ast.Paren | ast.Flow):
        if isinstance(value, ast.Paren):
            value = value.inner
        else:
            stages = [*value.items[1:], *stages]
            value = value.items[0]
    return value, stages


def read_field(
    head: ast.Expr,
    sources: Mapping[str, DataSource | None],
    slots: Collection[str],
    evaluate: Callable[[ast.Expr], object],
    problems: Problems,
) -> FieldUse | None:
    """What `head` takes of which source, or None where something is wrong (reported). `slots` are the names of the
    model's inputs and outputs."""
    base = head
    attribute: ast.Ident | None = None
    items: tuple[ast.SliceItem, ...] | None = None
    if isinstance(base, ast.Subscript):
        items = base.items
        base = base.value
    if isinstance(base, ast.Attribute):
        attribute = base.name
        base = base.value
    if isinstance(base, ast.ErrorExpr):
        return None
    if not isinstance(base, ast.NameRef):
        problems.error(
            "NN0602", "data comes from a source", base.span, "not the name of a source",
            help="name a source and what is taken of it: `table[0:8]`, `scans.label`",
        )  # fmt: skip
        return None
    if base.name not in sources:
        known = list(sources)
        if known:
            help = did_you_mean(base.name, known) or f"the sources are {', '.join(f'`{n}`' for n in known)}"
        else:
            help = f'open one first: `source {base.name} = csv("table.csv")`'
        problems.error(
            "NN0602", f"there is no source called `{base.name}`", base.span, "not defined", help=help,
            fixes=did_you_mean_fix(base.span, suggest(base.name, known)),
        )  # fmt: skip
        return None
    source = sources[base.name]
    if source is None:
        return None
    reader = source.reader
    if reader.is_array and attribute is not None:
        problems.error(
            "NN0604", f"`{reader.title()}` has no names: it is one array", attribute.span, "not a field",
            help=f"write `{source.name}` for the whole array, `{source.name}[0:8]` for columns of it",
        )  # fmt: skip
        return None
    if attribute is None and items is None:
        if reader.has_columns:
            return FieldUse(source, None, None, head.span)
        _which(source, head, problems)
        return None
    if items is not None and (attribute is not None or not reader.has_columns):
        place = items[0].span.to(items[-1].span)
        problems.error(
            "NN0218" if attribute is not None else "NN0604",
            "a part of a field is not available in this version of nndsl" if attribute is not None
            else f"`{reader.title()}` has no columns by number", place,
            help=_fields_help(source) if attribute is None
            else "save the part as a field of its own, with `numpy.savez`",
        )  # fmt: skip
        return None
    if attribute is not None:
        return _named(source, attribute, slots, head.span, problems)
    assert items is not None
    return _columns(source, items, head.span, evaluate, problems)


def _fields_help(source: DataSource) -> str:
    fields = source.reader.fields()
    if source.reader.of_model:
        return f"write `{source.name}.NAME` with the name of an input or output of the model"
    if fields is None:
        return f"write `{source.name}.NAME` with the name of an array in the file"
    return "its fields are " + " and ".join(f"`{source.name}.{name}`" for name in fields)


def _which(source: DataSource, head: ast.Expr, problems: Problems) -> None:
    problems.error(
        "NN0604", f"which field of `{source.name}` is meant?", head.span, "several fields", help=_fields_help(source),
        related=(Label(source.span, ""),),
    )  # fmt: skip


def _named(
    source: DataSource, name: ast.Ident, slots: Collection[str], span: Span, problems: Problems
) -> FieldUse | None:
    reader = source.reader
    fields = reader.fields()
    known = slots if reader.of_model else fields
    if known is not None and name.text not in known:
        problems.error(
            "NN0604", f"`{reader.title()}` has no field `{name.text}`", name.span, "not a field",
            help=did_you_mean(name.text, known) or _fields_help(source),
            fixes=did_you_mean_fix(name.span, suggest(name.text, known)),
        )  # fmt: skip
        return None
    if reader.has_columns and not reader.header:
        problems.error(
            "NN0604", f"`{source.name}` has no names of columns: it is read with `header=false`", name.span,
            related=(Label(source.span, ""),),
            help=f"take columns by number, from 0 on: `{source.name}[0]`, `{source.name}[0:8]`",
        )  # fmt: skip
        return None
    row = _cell(reader) if reader.has_columns else fields[name.text].shape if fields is not None else None
    return FieldUse(source, name.text, row, span)


def _columns(
    source: DataSource,
    items: tuple[ast.SliceItem, ...],
    span: Span,
    evaluate: Callable[[ast.Expr], object],
    problems: Problems,
) -> FieldUse | None:
    if len(items) > 1:
        place = items[0].span.to(items[-1].span)
        text = place.text
        problems.error(
            "NN0604", "a table has one axis of columns", place,
            help=f"several columns are a range, `{source.name}[0:8]`, or a list, `{source.name}[[{text}]]`",
            fixes=(Fix(f"change to `[{text}]`", (Edit(place, f"[{text}]"),)),),
        )  # fmt: skip
        return None
    item = items[0]
    try:
        if item.is_slice:
            return _range(source, item, span, evaluate, problems)
        assert item.index is not None
        value = evaluate(item.index)
    except Failed:
        return None
    if isinstance(value, range):
        value = list(value)
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        key: Columns = value
        row: tuple[int, ...] | None = _cell(source.reader)
        names = [value]
    elif isinstance(value, list) and value and all(isinstance(v, int | str) and not isinstance(v, bool) for v in value):
        key, row, names = tuple(value), None if source.reader.is_array else (len(value),), list(value)
    else:
        problems.error(
            "NN0604", f"a column is a number or a name, not {show(value)}", item.span,
            help=f"for instance `{source.name}[8]`, `{source.name}[0:8]` or `{source.name}[[0, 3]]`",
        )  # fmt: skip
        return None
    if not source.reader.header and any(isinstance(name, str) for name in names):
        problems.error(
            "NN0604", f"`{source.name}` has no names of columns: it is "
            + ("one array" if source.reader.is_array else "read with `header=false`"), item.span,
            related=(Label(source.span, ""),), help=f"take columns by number, from 0 on: `{source.name}[0]`",
        )  # fmt: skip
        return None
    return FieldUse(source, key, row, span)


def _range(
    source: DataSource,
    item: ast.SliceItem,
    span: Span,
    evaluate: Callable[[ast.Expr], object],
    problems: Problems,
) -> FieldUse | None:
    parts: list[int | None] = []
    for part in (item.start, item.stop, item.step):
        value = None if part is None else evaluate(part)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            assert part is not None
            problems.error("NN0604", f"a range of columns runs between integers, not {show(value)}", part.span)
            return None
        parts.append(value)
    start, stop, step = parts
    key = slice(start, stop, step)
    if step is not None and step < 1:
        problems.error("NN0604", "the step of a range of columns is at least 1", item.span)
        return None
    if stop is None or stop < 0 or (start or 0) < 0:
        return FieldUse(source, key, None, span)  # only the file says how many columns these are
    count = -((stop - (start or 0)) // -(step or 1))  # len() ends at 2**63
    if count <= 0:
        problems.error(
            "NN0604", "this range holds no column", item.span, help="`0:8` are the columns 0 to 7, as in Python"
        )
        return None
    return FieldUse(source, key, None if source.reader.is_array else (count,), span)


def _cell(reader: Reader) -> tuple[int, ...] | None:
    """The shape of what one column has in a row, None where it may hold lists."""
    return None if reader.has_lists or reader.is_array else ()
