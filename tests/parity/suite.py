"""The suite: for each entry of the catalogue the cases of its file and those that follow from its arguments, and
whether they leave out an option. Nothing here loads torch or TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from nndsl.ir.graph import Model
from nndsl.layers import catalogue
from nndsl.layers.entry import Arg, Entry, Kind
from nndsl.layers.kinds import Bool, Choice, Either, Maybe
from tests.parity.files import CATEGORIES, FOLDER, Case, Section, find, read, written
from tests.parity.joint import Rejected, checked, joints
from tests.parity.variations import variations

SKIPPED = {"seed": "the two frameworks draw different random numbers", "name": "a name changes nothing"}
"""Arguments that no entry needs a case of, and why."""


def entries() -> list[type[Entry]]:
    """Everything in the catalogue that has a Keras counterpart to equal."""
    return [cls for category in CATEGORIES for cls in catalogue.entries(category)]


@cache
def sections() -> dict[tuple[str, str], Section]:
    """(category, class name) → what its case file says of it."""
    found: dict[tuple[str, str], Section] = {}
    for file in sorted(FOLDER.glob("*.txt")):
        for section in read(file):
            if section.entry in found:
                found[section.entry].add(section)
            else:
                found[section.entry] = section
    return found


@cache
def cases(category: str, name: str) -> tuple[Case, ...]:
    """The cases of an entry, the base first. Of the derived ones those count that the compiler takes; whether
    something is missing then, `uncovered` says."""
    section = sections().get((category, name))
    cls = find(category, name)
    if section is None or cls is None or not section.cases:
        return ()
    found = {case.label: case for case in section.cases}
    base = section.cases[0]
    for text, options in variations(cls, base.text, written(cls), {*section.skipped, *SKIPPED}):
        case = Case(base.entry, text, base.inputs, {**base.options, **options})
        if case.label not in found and _taken(case):
            found[case.label] = case
    return tuple(found.values())


def _taken(case: Case) -> bool:
    try:
        for joint in joints([case], "float32"):
            checked(joint)
    except Rejected:
        return False
    return True


def uncovered(category: str, name: str) -> list[str]:
    """The arguments of an entry (and their choices) that no case varies."""
    cls, section = find(category, name), sections().get((category, name))
    if cls is None or section is None:
        return ["everything"]
    used: list[Entry] = []
    for joint in joints(cases(category, name), "float32"):
        used += _uses(checked(joint).main, cls)
    missing = []
    for argument in cls.arguments.values():
        if argument.name in section.skipped or argument.name in SKIPPED:
            continue
        values = {_plain(getattr(entry, argument.name)) for entry in used}
        for lack in _lacking(argument, values):
            if f"{argument.name}={lack}" not in section.skipped:
                missing.append(f"{argument.name}={lack}" if lack else argument.name)
    return missing


def stale(category: str, name: str) -> list[str]:
    """What a case file leaves out for not being supported, although the compiler takes it by now."""
    cls, section = find(category, name), sections().get((category, name))
    if cls is None or section is None:
        return []
    base, found = section.cases[0], []
    left_out = [what for what, why in section.skipped.items() if "not supported" in why]
    for text, options in variations(cls, base.text, written(cls), set(SKIPPED)) if left_out else ():
        said = [what for what in left_out if (what if "=" in what else f"{what}=") in text]
        if said and _taken(Case(base.entry, text, base.inputs, {**base.options, **options})):
            found += said
    return found


def _lacking(argument: Arg, values: set[str]) -> Iterator[str]:
    """What of an argument's values is missing: choices by name, "" where there is one value alone."""
    choices = [choice for choice in _choices(argument.kind) if choice not in values]
    if choices:
        yield from choices
    elif len(values) < 2:
        yield ""


def _choices(kind: Kind[Any]) -> tuple[str, ...]:
    if isinstance(kind, Maybe):
        inner = _choices(kind.kind)
        return inner if inner in (("channels_last", "channels_first"), ()) else (*inner, "none")
    if isinstance(kind, Bool):
        return ("true", "false")
    if isinstance(kind, Either):
        return tuple(choice for item in kind.kinds if isinstance(item, Choice) for choice in _choices(item))
    return kind.names if isinstance(kind, Choice) else ()


def _plain(value: object) -> str:
    """A value as a choice is named; entries by their class and arguments."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, Entry):
        return f"{type(value).__name__}{[_plain(getattr(value, name)) for name in value.arguments]}"
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_plain, value))})"
    return str(value)


def _uses(model: Model, cls: type[Entry]) -> Iterator[Entry]:
    """Every use of an entry in a model, those within other entries too."""
    waiting: list[object] = [node.config for node in model.nodes]
    waiting += [use.config for use in model.layers]
    for output in model.outputs:
        waiting += [output.loss, *output.metrics]
    waiting.append(model.training.optimizer)
    seen: set[int] = set()
    while waiting:
        item = waiting.pop()
        if isinstance(item, tuple | list):
            waiting += item
        if not isinstance(item, Entry) or id(item) in seen:
            continue
        seen.add(id(item))
        if type(item) is cls:
            yield item
        waiting += [getattr(item, name) for name in item.arguments]
