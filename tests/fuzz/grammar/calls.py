"""Calls of the catalogue's entries with arguments that are drawn from what they declare."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

from nndsl.layers import catalogue
from nndsl.layers.entry import Entry, Kind
from nndsl.layers.kinds import Anything, Bool, Dtype, Either, Float, Int, ListOf, Maybe, Of, OfActivation, Text
from tests.property import programs

INNER = (
    "Dense",
    "LSTM",
    "GRU",
    "SimpleRNN",
    "Conv1D",
    "Conv2D",
    "Flatten",
    "Dropout",
    "LayerNormalization",
    "Embedding",
)
STRINGS = ('"a"', "name1", '"with blank"', "'single'", '"ü"', '"a/b"', '"class"')
ODD = ("-1", "0", "1e-3", "none", "true", '"zeros"', "relu", "[1, 2]", "(1,)", "10**6", "2.5", "x", "1 if true else 2")
FILES = ('"t.csv"', '"d.npz"', '"x.npy"', '"pics"', '"b.weights.h5"', '"m-{epoch:02d}.keras"', '"log.csv"', '"logs"')


def value(kind: Kind[Any], random: Random, depth: int = 0) -> str | None:
    """A value that `kind` probably takes; None where there is none that can be made."""
    match kind:
        case Maybe():
            return "none" if random.random() < 0.15 else value(kind.kind, random, depth)
        case Either():
            return value(random.choice(kind.kinds), random, depth)
        case ListOf():
            count = kind.length or random.randint(max(kind.least, 1), 3)
            items = [value(kind.kind, random, depth) for _ in range(count)]
            if None in items:
                return None
            if kind.single and random.random() < 0.3:
                return items[0]
            return f"[{', '.join(map(str, items))}{',' if random.random() < 0.1 else ''}]"
        case OfActivation() | Of():
            return nested(kind.category, random, depth)
        case Dtype():
            return random.choice(("float", "int", "float32", "float64", "int64", "bool", "uint8", '"float16"'))
        case Text():
            return random.choice(STRINGS)
        case Anything():
            return random.choice(("1", "0.5", "[1, 2]", "relu", '"a"'))
        case Bool():
            return random.choice(("true", "false", "True", "1 > 2", "not false"))
        case Int() if random.random() < 0.1:
            low = kind.low or 1
            return random.choice((f"{low} + 1", f"2 * {low + 1}", f"{low + 3} // 1", f"{low + 2} if true else 1"))
        case Float() if random.random() < 0.1:
            return random.choice(("1/4", "0.5 ** 2", "1e-2", "1", ".5"))
    return programs.value(kind, random, depth) or (random.choice(FILES) if random.random() < 0.3 else None)


def nested(category: str, random: Random, depth: int) -> str | None:
    """An entry as an argument: a bare name, a string, or a call."""
    if depth > 2:
        return None
    if category == "layer":
        name = random.choice(INNER) if random.random() < 0.85 else random.choice(catalogue.names("layer"))
        return call(catalogue.find("layer", name), random, depth + 1)
    name = random.choice(catalogue.names(category))
    cls = catalogue.find(category, name)
    if cls is None:
        return None
    needs = any(argument.required for argument in cls.arguments.values())
    if needs or random.random() < 0.35:
        return call(cls, random, depth + 1, name=cls.__name__)
    return f'"{name}"' if random.random() < 0.1 else name


def call(
    cls: type[Entry] | None, random: Random, depth: int = 0, *, name: str | None = None, rate: float = 0.15,
    wild: float = 0.01, head: tuple[str, ...] = (),
) -> str:  # fmt: skip
    """`Conv1D(4, kernel_size=3, padding=same)`; `head` are operands in front of the arguments."""
    assert cls is not None
    written = list(head)
    positional = True
    for argument in cls.arguments.values():
        if not argument.required and random.random() > (rate if depth < 2 else 0.05):
            positional = False
            continue
        if argument.name in ("stateful", "dtype", "data_format") and random.random() < 0.8:
            positional = False
            continue
        text = value(argument.kind, random, depth) if random.random() > wild else random.choice(ODD)
        if text is None:
            positional = False
            continue
        if positional and random.random() < 0.6:
            written.append(text)
        else:
            positional = False
            written.append(f"{argument.name}={text}")
    return f"{name or catalogue.spelling(cls)}({', '.join(written)})"


@cache
def _types() -> tuple[str, ...]:
    floats = ("", "8", "6, 8", "8, 8, 3", "6, 6, 6, 2", "T, 8", "H, W, 4")
    return (*(f"float[{dims}]" for dims in floats), "int[8]", "int[]", "int[6, 8]")


@cache
def fitting(category: str, rank: int, number: str) -> tuple[str, ...]:
    """The layers or functions that take one value of this rank and kind of number, at least in one of some tries."""
    found = []
    for cls in catalogue.entries(category):
        if cls.__name__ in ("RNN",):
            continue
        random = Random(cls.__name__)
        for _ in range(3):
            if _fits(cls, rank, number, random):
                found.append(cls.__name__)
                break
    return tuple(found)


def _fits(cls: type[Entry], rank: int, number: str, random: Random) -> bool:
    for declared in _types():
        if declared.startswith(number) and (declared.count(",") + (declared[-2] != "[")) == rank:
            if cls.category == "layer":
                flow = f"x -> {call(cls, random, rate=0.0, wild=0.0)}"
            else:
                flow = call(cls, random, rate=0.0, wild=0.0, head=("x",))
            if programs.check(f"model M {{\n input x: {declared}\n y = {flow}\n output z = y\n}}\n")[0] is not None:
                return True
    return False
