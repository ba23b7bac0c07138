"""Docstrings of emitted programs: the file's own comment, and the shapes of what goes in and out."""

from __future__ import annotations

import textwrap

from nndsl.ir.graph import BlockCall, Model
from nndsl.ir.types import TensorType

_WIDTH = 84


def file_docstring(model: Model) -> str:
    return _docstring([f"{model.name}, compiled by nndsl."], 0)


def class_docstring(model: Model) -> str:
    """What the model is (the comment above it), what it takes and gives."""
    lines, about = _wrap(model.comment, 4), shapes(model)
    if not lines and len(about) == 1:
        return _docstring(about, 4)
    return _docstring([*(lines or [f"The model {model.name}."]), "", *about], 4)


def block_docstring(call: BlockCall) -> str:
    """The comment above the block; "" where there is none."""
    lines = _wrap(call.definition.comment, 4)
    return _docstring(lines, 4) if lines else ""


def shapes(model: Model) -> list[str]:
    """What goes in and out, and the derived facts: "Maps image [batch, 28, 28, 1] to label [batch, 10].", or a line
    for each where there are several."""
    facts = [str(fact) for fact in model.constraints.facts()]
    sizes = [f"Sizes: {', '.join(facts)}"] if facts else []
    if len(model.inputs) == len(model.outputs) == 1:
        one, other = model.inputs[0], model.outputs[0]
        line = f"Maps {one.name}, {full(one.value.type)}, to {other.name}, {full(other.value.type)}."
        if len(line) <= _WIDTH - 10:
            return [line, *sizes]
    lines = ["Inputs:"]
    lines += [f"    {item.name}: {full(item.value.type)}" for item in model.inputs]
    lines.append("Outputs:")
    lines += [f"    {item.name}: {full(item.value.type)}" for item in model.outputs]
    return [*lines, *sizes]


def full(type_: TensorType) -> str:
    """`float32 [batch, 28, 28, 1]`"""
    return f"{type_.dtype} [{', '.join(map(str, type_.shape))}]"


def _wrap(text: str, indent: int) -> list[str]:
    """The comment with its own line breaks; lines that are too long are broken."""
    lines: list[str] = []
    for line in text.splitlines():
        words = "".join(c if c.isprintable() else " " for c in line)
        lines += textwrap.wrap(words, _WIDTH - indent, break_long_words=False, break_on_hyphens=False)
    return lines


def _docstring(lines: list[str], indent: int) -> str:
    """A docstring literal, indented by `indent` blanks; text of the user cannot end it."""
    pad = " " * indent
    safe = [line.replace("\\", "\\\\").replace('"""', "'''").rstrip() for line in lines]
    if len(safe) == 1:
        end = " " if safe[0].endswith('"') else ""
        return f'{pad}"""{safe[0]}{end}"""'
    start = " " if safe[0].startswith('"') else ""
    body = [f'{pad}"""{start}{safe[0]}', *(f"{pad}{line}".rstrip() for line in safe[1:])]
    return "\n".join([*body, f'{pad}"""'])
