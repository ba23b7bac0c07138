"""Random programs over the catalogue, made from a seed."""

from __future__ import annotations

from random import Random
from typing import Any

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.ir.graph import CheckedProgram
from nndsl.layers import catalogue
from nndsl.layers.entry import Arg, Entry, Kind
from nndsl.layers.kinds import Bool, Choice, Either, Float, Int, ListOf, Maybe, Of, PerAxis
from nndsl.source import SourceFile

MERGES = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract", "Dot")
SHAPES = ("8", "6, 8", "T, 8", "?, 4", "8, 8, 3", "H, W, 2", "4, 4, 4, 2", "", "5, 1")


def check(text: str) -> tuple[CheckedProgram | None, Problems]:
    problems = Problems()
    return pipeline.check(SourceFile("model.nn", text), problems), problems


def value(kind: Kind[Any], random: Random, depth: int = 0) -> str | None:
    """A value that `kind` probably takes, as a file spells it; None where there is no simple one."""
    match kind:
        case Maybe():
            return "none" if random.random() < 0.2 else value(kind.kind, random, depth)
        case Either():
            return value(random.choice(kind.kinds), random, depth)
        case Bool():
            return random.choice(("true", "false"))
        case Int():
            low = -2 if kind.low is None else kind.low
            return str(random.randint(low, low + 6 if kind.high is None else min(kind.high, low + 6)))
        case Float():
            bottom = kind.low or 0.0
            top = bottom + 1 if kind.high is None else kind.high
            return repr(round(bottom + (top - bottom) * random.uniform(0.1, 0.9), 3))
        case Choice():
            return random.choice(kind.names)
        case PerAxis():
            size = str(random.randint(kind.item.low or 0, 3))
            return (
                size if random.random() < 0.6 else f"({', '.join([size] * kind.rank)}{',' if kind.rank == 1 else ''})"
            )
        case ListOf():
            items = [
                value(kind.kind, random, depth) for _ in range(kind.length or random.randint(max(kind.least, 1), 3))
            ]
            return None if None in items else f"[{', '.join(map(str, items))}]"
        case Of():
            return nested(kind.category, random, depth)
    return None


def nested(category: str, random: Random, depth: int) -> str | None:
    """An entry as the argument of another."""
    if category == "layer":
        return call(
            catalogue.find("layer", random.choice(("Dense", "LSTM", "GRU", "Conv1D", "Flatten"))), random, depth + 1
        )
    names = catalogue.names(category)
    for _ in range(5):
        name = random.choice(names)
        cls = catalogue.find(category, name)
        if cls is not None and not any(argument.required for argument in cls.arguments.values()):
            return name
    return None


def call(cls: type[Entry] | None, random: Random, depth: int = 0) -> str:
    """`Conv1D(4, 3, padding=same)`"""
    assert cls is not None
    written = []
    arguments: list[Arg] = list(cls.arguments.values())
    for argument in arguments:
        if argument.name in ("data_format", "stateful", "return_state", "dtype"):
            continue
        if not argument.required and (depth > 1 or random.random() > 0.15):
            continue
        text = value(argument.kind, random, depth)
        if text is not None:
            written.append(f"{argument.name}={text}")
    return f"{cls.__name__}({', '.join(written)})"


def layers() -> list[type[Entry]]:
    return [cls for cls in catalogue.entries("layer") if cls.__name__ not in MERGES]


def program(random: Random, statements: int = 5, *, steer: bool = True) -> str:
    """A model with branches, a shared layer and several outputs. With `steer` a statement that does not fit is drawn
    again (three times at most), so that most programs are right."""
    known = layers()
    lines = []
    values = []
    for number in range(random.randint(1, 2)):
        dtype = random.choice(("float", "float", "float", "int", "float32", "uint8"))
        lines.append(f"input in_{number}: {dtype}[{random.choice(SHAPES)}]")
        values.append(f"in_{number}")
    shared = random.random() < 0.3
    if shared:
        lines.append("shared common = Dense(4)")
    for number in range(random.randint(1, statements)):
        for _ in range(3 if steer else 1):
            line = f"v_{number} = {_flow(values, known, random, shared)}"
            if not steer or not check(_model([*lines, line, f"output out = v_{number}"]))[1].has_errors:
                lines.append(line)
                values.append(f"v_{number}")
                break
    for number, name in enumerate(random.sample(values, random.randint(1, min(2, len(values))))):
        loss = random.choice((" with loss=mse", " with loss=mae, weight=0.5", "", " with loss=mse, metrics=[mae]"))
        lines.append(f"output out_{number} = {name}{loss}")
    if random.random() < 0.3:
        optimizer = call(random.choice(list(catalogue.entries("optimizer"))), random)
        lines.append(f"train {{ optimizer = {optimizer}; epochs = {random.randint(1, 5)} }}")
    return _model(lines)


def _model(lines: list[str]) -> str:
    return "model Made {\n" + "".join(f"    {line}\n" for line in lines) + "}\n"


def _flow(values: list[str], known: list[type[Entry]], random: Random, shared: bool) -> str:
    start = random.choice(values)
    kind = random.random()
    if kind < 0.15:
        merge = catalogue.find("layer", random.choice(MERGES))
        return f"({start}, {random.choice(values)}) -> {call(merge, random)}"
    if kind < 0.25:
        return f"{start} -> branch {{ {call(random.choice(known), random)}; Identity() }} -> Add()"
    if kind < 0.35 and shared:
        return f"{start} -> common"
    return " -> ".join([start, *(call(random.choice(known), random) for _ in range(random.randint(1, 2)))])


def mutated(text: str, random: Random) -> str:
    """A program with one mistake, more or less."""
    lines = text.split("\n")
    row = random.randrange(len(lines))
    match random.randrange(7):
        case 0:  # a letter too few
            at = random.randrange(len(text))
            return text[:at] + text[at + 1 :]
        case 1:  # two lines swapped
            other = random.randrange(len(lines))
            lines[row], lines[other] = lines[other], lines[row]
        case 2:  # a line twice
            lines.insert(row, lines[row])
        case 3:  # a line gone
            del lines[row]
        case 4:  # another number
            at = next((i for i, c in enumerate(text) if c.isdigit() and random.random() < 0.3), 0)
            return text[:at] + random.choice(("0", "-1", "7.5", "10**9", '"3"', "none")) + text[at + 1 :]
        case 5:  # another sign
            at = random.randrange(len(text))
            return text[:at] + random.choice("(){}[],=;->.#\"'\\@%?\n\t") + text[at:]
        case _:  # a name for another
            words = [word for word in text.replace("(", " ").replace(")", " ").split() if word.isidentifier()]
            return text.replace(random.choice(words), random.choice(words), 1)
    return "\n".join(lines)


def block_program(random: Random) -> str:
    """A program of blocks that is right: repeats, choices, shared blocks, layers as arguments, blocks that call others.
    Every value has one axis, so that all of them fit together."""
    blocks: list[str] = []
    lines: list[str] = []
    for number in range(random.randint(1, 4)):
        name, units = f"B{number}", random.choice(("units", "2 * units", "units + 1", "x.shape[-1]"))
        body = ["input x", f"a = x -> {_stages(random, blocks, 'units', 'inner' if number == 0 else None)}"]
        if random.random() < 0.4:
            body.append("shared step = Dense(x.shape[-1], activation=tanh)")
            body.append("b = x -> step -> step")
        else:
            body.append(f"b = x -> Dense({units}) if wide else Identity()")
        join = "Concatenate()" if random.random() < 0.5 else f"Concatenate() -> {_stages(random, blocks, '3')}"
        body.append(f"output y = (a, b) -> {join}")
        if random.random() < 0.3:
            body.append("output z = x -> ReLU()")
        inner = ", inner=Dense(3)" if number == 0 else ""
        lines.append(f"block {name}(units=2{inner}, wide={random.choice(('true', 'false'))}) {{")
        lines += [f"    {line}" for line in body] + ["}"]
        if "output z" not in body[-1]:  # one output, so that it can stand in a pipeline
            blocks.append(name)
    lines += ["model Made {", "    input x: float[4]"]
    if blocks and random.random() < 0.5:
        lines += [f"    shared common = {random.choice(blocks)}({random.randint(1, 3)})", "    s = x -> common"]
        lines.append("    output t = (s, x -> common) -> Add()")
    for number in range(random.randint(1, 3)):
        lines.append(f"    output y{number} = x -> {_stages(random, blocks, str(random.randint(1, 4)))} -> Dense(1)")
    return "\n".join([*lines, "}", ""])


def _stages(random: Random, blocks: list[str], units: str, inner: str | None = None) -> str:
    """One to three stages, none of which asks for a size of what flows in."""
    found = []
    for _ in range(random.randint(1, 3)):
        kind = random.random()
        layer = random.choice((f"Dense({units})", "ReLU()", "LayerNormalization()", f"Dense({units}, activation=tanh)"))
        if blocks and kind < 0.35:
            layer = f"{random.choice(blocks)}({random.choice((units, '3', 'units=2, wide=true'))})"
        elif inner is not None and kind < 0.5:
            layer = inner
        kind = random.random()
        if kind < 0.2:
            layer = f"repeat {random.randint(0, 3)} {{ {layer} }}"
        elif kind < 0.3:
            layer = f"repeat n in {random.choice(('[3, 2]', '1..4', '2..2'))} {{ Dense(n) }}"
        elif kind < 0.4:
            layer = f"branch {{ {layer}; Dense(2) }} -> Concatenate()"
        found.append(layer)
    return " -> ".join(found)
