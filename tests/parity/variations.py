"""Cases derived from the declaration of an entry: its base with each argument set to another value of its kind."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from nndsl.layers.entry import Arg, Entry, Kind
from nndsl.layers.function import Function
from nndsl.layers.kinds import Bool, Choice, Either, Float, Int, Maybe, Of, PerAxis

RANDOM = ("dropout", "recurrent_dropout", "rate", "stddev")
"""Arguments that make a layer random in training."""
PENALTIES = {"kernel": "l2(0.125)", "bias": "l1(0.25)", "activity": "l1_l2(0.0625, 0.125)"}
LIMITS = {"bias": "non_neg", "recurrent": "unit_norm"}


def variations(
    cls: type[Entry], base: str, name: str, skipped: Collection[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """(case, its options): the call of `name` in `base` changed in one argument. Where the kind of an argument does
    not tell what else it may be, there is nothing, and the case file must say."""
    call = Call.find(cls, base, name)
    if call is None:
        return
    penalties, limits = {}, {}
    for argument in cls.arguments.values():
        if argument.name in skipped:
            continue
        category = _category(argument.kind)
        start = argument.name.partition("_")[0]
        if category == "regularizer":
            penalties[argument.name] = PENALTIES.get(start, "l2(0.25)")
        elif category == "constraint":
            limits[argument.name] = LIMITS.get(start, "max_norm(0.5)")
        else:
            for value in _others(argument, call.given.get(argument.name)):
                if f"{argument.name}={value}" not in skipped:
                    yield call.changed({argument.name: value}), _options(cls, argument.name, value)
    for together in (penalties, limits):
        if together:
            yield call.changed(together), {"trains": ""}


def _options(cls: type[Entry], argument: str, value: str) -> dict[str, str]:
    if cls.category == "optimizer":
        return {"float64": ""}  # each takes a training of its own
    return {"draws": ""} if argument in RANDOM and value != "0.0" else {}


def _category(kind: Kind[object]) -> str:
    inner = kind.kind if isinstance(kind, Maybe) else kind
    return inner.category if isinstance(inner, Of) else ""


def _others(argument: Arg, given: str | None) -> list[str]:
    """Other values than the one at hand (`given` in the base, else the default), as a file spells them."""
    now = given if given is not None else "none" if argument.default is None else str(argument.default)
    found = list(_of_kind(argument.kind, argument.name, now.strip("(),'\"")))
    if isinstance(argument.kind, Maybe) and now != "none" and not argument.required:
        found.append("none")
    return [value for value in found if value.lower() != now.lower()]


def _of_kind(kind: Kind[object], name: str, now: str) -> Iterator[str]:
    number = re.search(r"-?\d+(\.\d*)?(e-?\d+)?", now)
    if isinstance(kind, Maybe):
        yield from _of_kind(kind.kind, name, now)
    elif isinstance(kind, Bool):
        yield from ("true", "false")
    elif isinstance(kind, Choice):
        yield from kind.names
    elif isinstance(kind, Of):
        if kind.category == "initializer":
            yield "constant(0.375)"
        elif kind.category == "activation":
            yield "hard_sigmoid" if "recurrent" in name else "softplus"
    elif isinstance(kind, PerAxis):
        yield str(int(number[0]) + 1 if number else 2)
    elif isinstance(kind, Int) and name != "axis":
        yield str(int(float(number[0])) + 1 if number else max(kind.low or 0, 1) + 1)
    elif isinstance(kind, Float):
        yield _float(kind, name, float(number[0]) if number else 0.0)
    elif isinstance(kind, Either):
        for item in kind.kinds:
            if isinstance(item, Float | Bool | Choice):
                yield from _of_kind(item, name, now)


def _float(kind: Float, name: str, now: float) -> str:
    if name == "epsilon":
        return "0.01"
    if name in RANDOM:
        return "0.25"
    if kind.high is not None and kind.low is not None:
        return f"{(kind.high + kind.low + 2 * now) / 4:g}" if now != (kind.high + kind.low) / 2 else f"{now / 2:g}"
    return f"{now / 2:g}" if now else "0.3"


class Call:
    """The call of an entry within a text: what stands before and behind it, and its arguments."""

    def __init__(self, cls: type[Entry], name: str, before: str, inside: str, behind: str) -> None:
        self.name, self.before, self.behind = name, before, behind
        names = list(cls.signature if issubclass(cls, Function) else cls.arguments)
        self.positional: list[str] = []
        self.given: dict[str, str] = {}
        for position, part in enumerate(_split(inside)):
            key, equals, value = part.partition("=")
            if equals and key.strip().isidentifier() and not value.startswith("="):
                self.given[key.strip()] = value.strip()
                continue
            self.positional.append(names[position] if position < len(names) else "")
            self.given[self.positional[-1]] = part

    @classmethod
    def find(cls, entry: type[Entry], text: str, name: str) -> Call | None:
        if not name.isidentifier():
            return None
        found = re.search(rf"(?<![\w.]){name}\b(\()?", text)
        if found is None:
            return None
        if not found[1]:
            return cls(entry, name, text[: found.start()], "", text[found.end() :])
        depth, end = 1, found.end()
        while depth:
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(text[end], 0)
            end += 1
        return cls(entry, name, text[: found.start()], text[found.end() : end - 1], text[end:])

    def changed(self, values: dict[str, str]) -> str:
        given = {**self.given, **values}
        parts = [given[name] for name in self.positional]
        parts += [f"{name}={value}" for name, value in given.items() if name not in self.positional]
        return f"{self.before}{self.name}({', '.join(parts)}){self.behind}"


def _split(text: str) -> list[str]:
    """The arguments between two brackets."""
    parts, depth, quoted = [""], 0, False
    for letter in text:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(letter, 0)
        quoted ^= letter == '"'
        if letter == "," and not (depth or quoted):
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]
