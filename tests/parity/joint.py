"""Many cases as one model: each has inputs and an output of its own, so that the whole compiles and runs at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.ir.graph import CheckedProgram, Model, Value
from nndsl.source import SourceFile
from tests.parity.files import Case

TRAINED = {
    "optimizer": "optimizer = {}; batch_size = 8; epochs = 4; seed = 3",
    "schedule": "optimizer = SGD({}); batch_size = 8; epochs = 4; seed = 3",
}
"""What a case of these categories is part of."""


@dataclass(frozen=True)
class Part:
    """A case in a joint model: the names that its inputs and outputs have there."""

    case: Case
    inputs: dict[str, str]
    outputs: tuple[str, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Joint:
    """A model of several cases, with the batch size that its arrays have."""

    text: str
    parts: tuple[Part, ...]
    batch: int


def joints(cases: Iterable[Case], dtype: str, train: str = "") -> Iterator[Joint]:
    """The models that hold `cases`: one for those that agree in what is set for a whole model. `train` is the text of
    a `train` section."""
    groups: dict[tuple[int, bool, tuple[bool, ...]], list[Case]] = {}
    for case in cases:
        if dtype == "float64" and "float32" in case.options:
            continue
        if case.entry[0] in TRAINED:
            yield _trained(case, dtype)
            continue
        fixed = any("fixed" in how for _, how in case.inputs.values())
        masked = any("masked" in how or "padded" in how for _, how in case.inputs.values())
        batch = int(case.options.get("batch", 6 if masked else 4))
        marks = tuple(name in case.options for name in ("channels_first", "draws", "random", "values"))
        groups.setdefault((batch, fixed, marks), []).append(case)
    for (batch, fixed, (first, *_)), members in groups.items():
        parts = tuple(_part(case, number, f" with batch={batch}" * fixed) for number, case in enumerate(members))
        head = f"    options {{ float = {dtype}{'; data_format = channels_first' * first} }}\n"
        lines = [f"    {line}\n" for part in parts for line in part.lines]
        text = "model Test {\n" + head + "".join(lines) + (f"    train {{ {train} }}\n" if train else "") + "}\n"
        yield Joint(text, parts, batch)


def _trained(case: Case, dtype: str) -> Joint:
    """A small net that an optimizer trains: 20 steps on 36 samples, the last of each epoch with half a batch."""
    inputs = {"x": ("float[6]", "")}
    net = Case(("layer", "Dense"), "x -> Dense(8, activation=tanh) -> Dense(3) with loss=mse", inputs, {})
    (joint,) = joints([net], dtype, TRAINED[case.entry[0]].format(case.text))
    return replace(joint, parts=(replace(joint.parts[0], case=replace(case, inputs=inputs)),), batch=16)


def _part(case: Case, number: int, fixed: str) -> Part:
    """The lines of a case, every name in it with the number behind it."""
    *before, flow = [item.strip() for item in case.text.split(";")]
    several = re.match(r"\(([\w, ]+)\) = ", flow)
    local = [name for line in (*before, flow if several else "") for name in _assigned(line)]
    renamed = {name: f"{name}{number}" for name in (*case.inputs, *local)}
    lines = []
    for name, (kind, _) in case.inputs.items():
        free = re.sub(r"\b([A-Z])\b", rf"\g<1>{number}", kind)
        lines.append(f"input {renamed[name]}: {free}{fixed}")
    lines += [_rename(line, renamed) for line in before]
    if several:
        outputs = tuple(renamed[name] for name in _assigned(flow))
        lines += [_rename(flow, renamed), *(f"output out_{name} = {name} -> Identity()" for name in outputs)]
        outputs = tuple(f"out_{name}" for name in outputs)
    else:
        outputs = (f"y{number}",)
        lines.append(f"output y{number} = {_rename(flow, renamed)}")
    return Part(case, {name: renamed[name] for name in case.inputs}, outputs, tuple(lines))


def _assigned(line: str) -> list[str]:
    found = re.match(r"(?:shared )?(\w+) = |\(([\w, ]+)\) = ", line)
    return re.split(r", ", found[1] or found[2]) if found else []


def _rename(line: str, renamed: dict[str, str]) -> str:
    """`line` with other names, but for those of arguments (`name=value`, without spaces)."""
    return re.sub(r"\b[a-z_]\w*\b(?!=[^=])", lambda found: renamed.get(found[0], found[0]), line)


class Rejected(AssertionError):
    """The compiler does not take a case."""


def checked(joint: Joint) -> CheckedProgram:
    """The checked model. Raises Rejected, which tells a mistake with the case that it is in."""
    problems = Problems()
    program = pipeline.check(SourceFile("test.nn", joint.text), problems)
    if program is not None:
        return program
    told = []
    lines = joint.text.splitlines()
    for problem in problems:
        line = lines[problem.primary.span.line - 1].strip()
        case = next((part.case for part in joint.parts if line in part.lines), None)
        told.append(f"{case.entry if case else ''} {case.text if case else line}: {problem.code} {problem.message}")
    raise Rejected("\n".join(told))


def paths(model: Model, names: Sequence[str]) -> list[str]:
    """The paths of the layers behind these outputs."""
    found: dict[str, None] = {}
    waiting = [output.value for output in model.outputs if output.name in names]
    seen: set[int] = set()
    while waiting:
        value: Value = waiting.pop()
        node = value.producer
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        found[node.layer.path] = None
        waiting += node.operands()
    return list(found)
