"""The case files: the configurations that are compared with Keras, written by hand.

A case file (`cases/*.txt`) has a section for each entry:

    # a remark for the reader of the file
    MaxPooling2D, AveragePooling2D         the entries; `activation elu`: of another category than the layers
        x: float[6, 7, 3]                  an input of the lines below; `float[6, 3] masked`: how its numbers are made
        x -> {}(2)                         a case, `{}` stands for the entry's name; the first one is the base
        x -> {}(3, strides=5) | float32: TensorFlow has no such kernel in float64
        skip data_format: why no case has another value

A case is what an output may be (`x -> Dense(3)`, `exp(x)`), or statements between semicolons of which the last is the
output (`shared e = LSTM(4); (a -> e, b -> e) -> Add()`) or names several (`(y, h) = x -> GRU(4, return_state=true)`).
Behind `|` stand options, see `OPTIONS`.

`suite` adds the cases that follow from what the entry declares of its arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nndsl.layers import catalogue
from nndsl.layers.entry import Entry
from nndsl.layers.function import Function, Operator

FOLDER = Path(__file__).parent / "cases"
CATEGORIES = (
    "layer function operator activation initializer regularizer constraint loss metric optimizer schedule".split()
)
OPTIONS = {
    "float32": "only there, and why",
    "float64": "only there (the cases that follow from an argument of an optimizer)",
    "inference": "not compared in training mode, and why",
    "values": "gradients are not compared, and why",
    "tolerance": "a number and why: what is demanded instead of 1e-10 (and of 1e-5 in float32, if it is more)",
    "tolerance32": "the same for float32 alone",
    "draws": "random in training, where mean and deviation are compared",
    "random": "so in inference too",
    "channels_first": "the model's order of axes",
    "batch": "the number of samples",
    "target": "what the targets are (losses and metrics)",
    "trains": "compared by training: it changes the loss or the weights, not the output",
}


@dataclass(frozen=True, eq=False)
class Case:
    """One configuration. `inputs` are the declarations by name: (type, how its numbers are made)."""

    entry: tuple[str, str]
    text: str
    inputs: Mapping[str, tuple[str, str]]
    options: Mapping[str, str]

    @property
    def label(self) -> str:
        """The case in one line, as the figures and messages name it."""
        options = "".join(
            f" | {name} {value}".rstrip() for name, value in self.options.items() if name in ("batch", "channels_first")
        )
        declared = ", ".join(f"{name}: {kind} {how}".rstrip() for name, (kind, how) in self.inputs.items())
        return f"{self.text}{options}" + (f"  [{declared}]" if declared else "")


@dataclass
class Section:
    """What a case file says of one entry; the first case is the base."""

    entry: tuple[str, str]
    file: str
    cases: list[Case] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)  # argument, or argument=value: why
    notes: list[str] = field(default_factory=list)

    def add(self, more: Section) -> None:
        """What another section says of the same entry."""
        self.cases += more.cases
        self.skipped |= more.skipped
        self.notes += more.notes


def find(category: str, name: str) -> type[Entry] | None:
    """The entry that a section is about: as its class is called, or as files write it."""
    for cls in catalogue.entries(category):
        if name in (cls.__name__, written(cls)):
            return cls
    return None


def written(cls: type[Entry]) -> str:
    """How a file writes the entry: `relu`, `exp`, `+`, else by its class."""
    if issubclass(cls, Function | Operator):
        return cls.title()
    return catalogue.spelling(cls) if cls.category == "activation" else cls.__name__


def read(file: Path) -> Iterator[Section]:
    opened: list[Section] = []
    inputs: dict[str, tuple[str, str]] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        where = f"{file.name}:{number}"
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if not line.startswith(" "):
            yield from opened
            opened, inputs = [Section(entry, file.name) for entry in _heading(text, where)], {}
            continue
        assert opened, f"{where}: no section yet"
        declared = re.fullmatch(r"([a-z]\w*): ((?:float|int|bool)\w*\[[^\]]*\])\s*(.*)", text)
        if declared:
            inputs = {**inputs, declared[1]: (declared[2], declared[3])}
            continue
        skipped = re.fullmatch(r"skip ([^:]+): (.+)", text)
        for section in opened:
            if skipped:
                section.skipped[skipped[1]] = skipped[2]
            elif text.startswith("note: "):
                section.notes.append(text.removeprefix("note: "))
            else:
                section.cases.append(_case(section, text, inputs, where))
    yield from opened


def _heading(text: str, where: str) -> Iterator[tuple[str, str]]:
    category, names = "layer", text
    head, _, rest = text.partition(" ")
    if head in CATEGORIES:
        category, names = head, rest
    for name in names.split(", "):
        cls = find(category, name.strip())
        assert cls is not None, f"{where}: the catalogue has no {category} {name}"
        yield category, cls.__name__


def _case(section: Section, text: str, inputs: Mapping[str, tuple[str, str]], where: str) -> Case:
    cls = find(*section.entry)
    assert cls is not None
    flow, *rest = re.split(r"\s+\|\s+", text)
    options = {}
    for item in rest:
        name, _, value = item.replace(":", " ", 1).partition(" ")
        assert name in OPTIONS, f"{where}: no option {name}"
        options[name] = value.strip()
    flow = flow.replace("{}", written(cls))
    used = {name: kind for name, kind in inputs.items() if re.search(rf"\b{name}\b(?!\s*=[^=])", flow)}
    return Case(section.entry, flow, used, options)
