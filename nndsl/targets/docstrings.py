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
    lines = _wrap(model.comment, 4) or [f"The model {model.name}."]
    return _docstring([*lines, "", *shapes(model)], 4)


def block_docstring(call: BlockCall, name: str) -> str:
    """The comment above the block; of a second structure, which calls it is for."""
    lines = _wrap(call.definition.comment, 4) or [f"The block {call.name}."]
    if name != call.name and call.definition.comment:
        lines = [f"{lines[0]}", *lines[1:]]
    return _docstring(lines, 4)


def shapes(model: Model) -> list[str]:
    """One line for each input and output: `image: float32 [batch, 28, 28, 1]`, and the derived facts."""
    lines = ["Inputs:"]
    lines += [f"    {item.name}: {full(item.value.type)}" for item in model.inputs]
    lines.append("Outputs:")
    lines += [f"    {item.name}: {full(item.value.type)}" for item in model.outputs]
    facts = [str(fact) for fact in model.constraints.facts()]
    if facts:
        lines.append(f"Sizes: {', '.join(facts)}")
    return lines


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
