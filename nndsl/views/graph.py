"""A model as boxes and arrows, and these as Mermaid and Graphviz text."""

from __future__ import annotations

from typing import Literal

from nndsl.ir.graph import Model, Node, Value
from nndsl.passes.flatten import flatten
from nndsl.records import record
from nndsl.views.calls import call_numbers, layer_text, source_text, value_text

_LONGEST = 60  # characters of a line in a box


@record
class Box:
    """An input, a call of a layer, or an output. `lines`: its name, what it is, the type of its result."""

    kind: Literal["input", "layer", "shared", "output"]
    lines: tuple[str, ...]


@record
class Arrow:
    """A value that flows from one box to another; `label` tells results and tensor arguments apart."""

    source: int
    target: int
    label: str = ""


@record
class Drawing:
    """Boxes in an order in which they can run (arrows lead forwards). Each call of a shared layer has a box."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def draw(model: Model) -> Drawing:
    """The picture of a checked model, with what its blocks are made of."""
    model = flatten(model)
    boxes: list[Box] = []
    arrows: list[Arrow] = []
    made: dict[Value, int] = {}
    numbers = call_numbers(model)
    for item in model.inputs:
        made[item.value] = len(boxes)
        boxes.append(Box("input", (item.name, str(item.value.type))))
    for node in model.nodes:
        flows = [(value, "") for value in node.inputs if value.number is None]
        for name, given in node.tensors.items():
            flows += [(value, name) for value in (given if isinstance(given, tuple) else (given,))]
        arrows += _arrows(flows, made, len(boxes))
        made.update(dict.fromkeys(node.results, len(boxes)))
        boxes.append(_box(node, numbers[node]))
    for output in model.outputs:
        arrows += _arrows([(output.value, "")], made, len(boxes))
        loss = () if output.loss is None else (_cut(value_text(output.loss)),)
        weight = (f"weight {output.weight:g}",) if output.weight != 1 else ()
        boxes.append(Box("output", (output.name, *loss, *weight)))
    return Drawing(model.name, tuple(boxes), tuple(arrows))


def _box(node: Node, call: int) -> Box:
    use = node.layer
    types = ", ".join(map(str, node.result_types))
    if use.config.is_function:
        return Box("layer", tuple(map(_cut, (*filter(None, (node.results[0].name,)), source_text(node), types))))
    shared = len(use.nodes) > 1
    name = f"{use.path} (shared, call {call})" if shared else use.path
    return Box("shared" if shared else "layer", tuple(map(_cut, (name, layer_text(use), types))))


def _arrows(flows: list[tuple[Value, str]], made: dict[Value, int], target: int) -> list[Arrow]:
    """What flows into a box, as (value, tensor argument): one arrow for all that one box sends to one argument."""
    joined: dict[tuple[int, str], list[Value]] = {}
    for value, argument in flows:
        joined.setdefault((made[value], argument), []).append(value)
    arrows = []
    for (source, argument), values in joined.items():
        names = [name for value in values if (name := _result_name(value))]
        what = ", ".join(names) or (f"{len(values)} times" if len(values) > 1 else "")
        arrows.append(Arrow(source, target, " as ".join(filter(None, (what, argument)))))
    return arrows


def _result_name(value: Value) -> str:
    """Which of a box's results it is, "" where there is one alone."""
    if value.producer is None or len(value.producer.results) == 1:
        return ""
    return value.name or f"[{value.position}]"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


_MERMAID_SHAPES = {"input": ('(["', '"])'), "layer": ('["', '"]'), "shared": ('[["', '"]]'), "output": ('(["', '"])')}


def mermaid(drawing: Drawing) -> str:
    """A Mermaid flowchart. Nothing of a label is markup: what Mermaid would read as such is written as its number."""
    lines = ["flowchart TD"]
    for number, box in enumerate(drawing.boxes):
        before, after = _MERMAID_SHAPES[box.kind]
        lines.append(f"    n{number}{before}{'<br/>'.join(map(_mermaid, box.lines))}{after}")
    for arrow in drawing.arrows:
        label = f'|"{_mermaid(arrow.label)}"|' if arrow.label else ""
        lines.append(f"    n{arrow.source} -->{label} n{arrow.target}")
    return "\n".join(lines) + "\n"


def _mermaid(text: str) -> str:
    return "".join(char if char.isalnum() or char in " _.,=()[]:-+/?…" else f"#{ord(char)};" for char in text)


_DOT_SHAPES = {
    "input": 'shape=box, style="rounded,filled", fillcolor="#e7f4ec"',
    "layer": 'shape=box, style=filled, fillcolor="#f4f7fb"',
    "shared": 'shape=box, style="filled,dashed", fillcolor="#f3eefa"',
    "output": 'shape=box, style="rounded,filled", fillcolor="#fdf1e3"',
}


def dot(drawing: Drawing) -> str:
    """A Graphviz digraph."""
    lines = [
        f"digraph {_dot(drawing.title)} {{",
        '    node [fontname="Helvetica", fontsize=11]; edge [fontname="Helvetica", fontsize=9];',
    ]
    for number, box in enumerate(drawing.boxes):
        lines.append(f"    n{number} [label={_dot(*box.lines)}, {_DOT_SHAPES[box.kind]}];")
    for arrow in drawing.arrows:
        label = f" [label={_dot(arrow.label)}]" if arrow.label else ""
        lines.append(f"    n{arrow.source} -> n{arrow.target}{label};")
    return "\n".join([*lines, "}"]) + "\n"


def _dot(*lines: str) -> str:
    escaped = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return '"' + "\\n".join(escaped) + '"'
