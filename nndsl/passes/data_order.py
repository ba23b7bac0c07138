"""Whether the transforms of a line can follow one another and its source: text and lists are read by the first alone,
and windows need a series."""

from __future__ import annotations

from nndsl.diagnostics.model import Label, Problems
from nndsl.layers.families.transforms import Transform
from nndsl.passes.data_fields import FieldUse
from nndsl.source import Span


def in_order(
    field: FieldUse,
    transforms: list[tuple[Transform, Span]],
    strides: list[tuple[int, Span]],
    problems: Problems,
) -> bool:
    """False where something is wrong (reported). `strides` gathers those of the windows of the section."""
    for number, (transform, span) in enumerate(transforms):
        if not (_reads(field, transforms, number, problems) and _joins(field, transform, span, strides, problems)):
            return False
    return True


def _reads(field: FieldUse, transforms: list[tuple[Transform, Span]], number: int, problems: Problems) -> bool:
    transform, span = transforms[number]
    if transform.reads != "text":
        return True
    if number:
        before, place = transforms[number - 1]
        problems.error(
            "NN0605", f"`{transform.title()}` reads text, and behind `{before.title()}` there are numbers", span,
            related=(Label(place, ""),), help=f"put `{transform.title()}` first",
        )  # fmt: skip
        return False
    reader = field.source.reader
    if not reader.has_text:
        problems.error(
            "NN0605", f"`{transform.title()}` reads text, and `{reader.title()}` holds numbers", span,
            related=(Label(field.source.span, ""),),
            help=f"leave `{transform.title()}` out; words are read from `csv` and `parquet`",
        )  # fmt: skip
        return False
    return True


def _joins(
    field: FieldUse, transform: Transform, span: Span, strides: list[tuple[int, Span]], problems: Problems
) -> bool:
    if not transform.joins_rows:
        return True
    reader = field.source.reader
    if reader.own_test or reader.of_model or not (reader.has_columns or reader.fields() is None):
        problems.error(
            "NN0605", f"`{transform.title()}` needs rows that follow one another in time, and those of "
            f"`{reader.title()}` do not", span, related=(Label(field.source.span, ""),),
            help=f"leave `{transform.title()}` out",
        )  # fmt: skip
        return False
    stride = getattr(transform, "stride", None)
    if stride is None:
        return True
    if strides and strides[0][0] != stride:
        problems.error(
            "NN0215", f"windows of one model start together, and these have strides of {strides[0][0]} and {stride}",
            span, related=(Label(strides[0][1], f"a stride of {strides[0][0]}"),), help="give both the same `stride`",
        )  # fmt: skip
        return False
    strides.append((stride, span))
    return True
