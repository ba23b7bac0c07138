"""One class (or function) for all calls of a block whose code is the same but for literals, which become arguments.

Before: the code of the body of each call, written with its own numbers. After: a `Family` for each set of bodies of one
structure, with a parameter for each literal that differs, and for each call what it gives for them. A parameter bears
the name of the block's own where the two are equal in all calls (or the expression of it, as the file wrote it);
otherwise it is called after the argument that it fills.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from nndsl import code
from nndsl.ir.graph import BlockCall
from nndsl.targets.arguments import shortened, spelled_out
from nndsl.targets.names import attribute_name, python_name
from nndsl.targets.parameters import Table
from nndsl.targets.rewrite import leaves_of, replaced, transformed
from nndsl.targets.units import Family, Unit


def specialize(
    units: Iterable[Unit], name: Callable[[Unit, str], str], resolve: Callable[[Unit], None]
) -> list[Family]:
    """The families of `units`, which come inner calls first; each unit is told its own.

    `name` makes a name of a class or function that is still free. `resolve` puts the names of inner families into a
    unit before it is compared.
    """
    seen: set[Any] = set()
    known: dict[str, tuple[str, ...]] = {}  # class → its parameters
    pending = list(units)
    heights = _heights(pending)
    families: list[Family] = []
    for height in sorted(set(heights.values())):
        level = [unit for unit in pending if heights[unit] == height]
        fresh: dict[Any, dict[Any, list[Unit]]] = {}
        for unit in level:
            resolve(unit)
            unit.init = spelled_out(unit.init)
            key = (unit.fixed, leaves_of(unit.init)[0], leaves_of(unit.body)[0])
            definition = unit.call.definition
            fresh.setdefault(definition, {}).setdefault(key, []).append(unit)
        for definition, structures in fresh.items():
            first = definition not in seen
            seen.add(definition)
            names = _names(list(structures.values()), first)
            for members, title in zip(structures.values(), names, strict=True):
                family = Family(name(members[0], title), members)
                _parametrize(family, known)
                known[family.name] = tuple(parameter for parameter, _ in family.parameters)
                for unit in members:
                    unit.family = family
                families.append(family)
    for family in families:
        family.init, family.body = trimmed(family.init, families), trimmed(family.body, families)
    return families


def trimmed(node: Any, families: Iterable[Family]) -> Any:
    """Code whose calls of families leave the last arguments out where they are the defaults."""
    defaults = {family.name: family.defaults for family in families if family.defaults}

    def rule(part: Any) -> Any:
        if not isinstance(part, code.Call) or not isinstance(part.func, code.Name) or part.func.id not in defaults:
            return None
        args, left = list(part.args), list(defaults[part.func.id])
        while args and left and isinstance(args[-1], code.Literal) and args[-1].value == left[-1]:
            args.pop()
            left.pop()
        return code.Call(part.func, tuple(transformed(arg, rule) for arg in args), part.kwargs)

    return transformed(node, rule) if defaults else node


def _heights(units: Sequence[Unit]) -> dict[Unit, int]:
    """How many calls of blocks there are inside of each unit, at the deepest."""
    of_path: dict[str, list[Unit]] = {}  # not of the call: a graph that is written flat has a copy of it
    for unit in units:
        of_path.setdefault(unit.call.path, []).append(unit)
    found: dict[Unit, int] = {}
    for unit in units:
        found.setdefault(unit, 0)
        parent, height = _around(unit.call), found[unit] + 1
        while parent is not None:
            lower = [one for one in of_path.get(parent.path, ()) if found.get(one, -1) < height]
            if not lower:
                break
            found.update(dict.fromkeys(lower, height))
            parent, height = _around(parent), height + 1
    return found


def _around(call: BlockCall) -> BlockCall | None:
    region = call.parent
    while region is not None and not isinstance(region, BlockCall):
        region = region.parent
    return region


# ------------------------------------------------------------------------------------------------- names


def _names(structures: list[list[Unit]], first: bool) -> list[str]:
    """A telling name for each structure of one block: its own for the one with the fewest layers."""
    base = structures[0][0].call.name
    if len(structures) == 1 and first:
        return [base]
    plainest = min(range(len(structures)), key=lambda i: (len(structures[i][0].layers), -len(structures[i])))
    names: list[str] = []
    for position, members in enumerate(structures):
        if position == plainest and first:
            names.append(base)
            continue
        more = [n for n in members[0].layers if n and n not in structures[plainest][0].layers]
        names.append(_told_apart(base, members, [g for g in structures if g is not members], more))
    return names


def _told_apart(base: str, members: list[Unit], others: list[list[Unit]], more: list[str]) -> str:
    if more:
        return f"{base}With{_camel(more[0])}"
    for parameter, value in members[0].call.arguments.items():
        same = all(unit.call.arguments[parameter] == value for unit in members)
        unlike = all(unit.call.arguments[parameter] != value for group in others for unit in group)
        if same and unlike and isinstance(value, bool | int | str) and str(value).isalnum():
            shown = ("" if value else "Not") if isinstance(value, bool) else str(value).capitalize()
            return (
                f"{base}{shown}{_camel(parameter)}" if isinstance(value, bool) else f"{base}{_camel(parameter)}{shown}"
            )
    return base


def _camel(text: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in text.split("_"))


# -------------------------------------------------------------------------------------------- parameters


def _parametrize(family: Family, known: Mapping[str, Sequence[str]]) -> None:
    """Fills `family` from its units, and gives each unit its arguments."""
    units = family.units
    init = [leaves_of(unit.init)[1] for unit in units]
    body = [leaves_of(unit.body)[1] for unit in units]
    table = Table(units, known)
    before_init, before_body = units[0].prefixes
    in_init = table.fill(init, before_init)
    in_body = table.fill(body, before_body)
    family.init = shortened(replaced(units[0].init, in_init))
    family.body = uncommented(replaced(units[0].body, in_body), units)
    _shorten_names(family, table)
    if not before_init and before_body:
        names = [(attribute_name(name), python_name(name)) for name in table.stored]
        stored = [code.Assign((code.dotted(f"self.{own}"),), code.Name(given)) for own, given in names]
        family.init = (*stored, *family.init)
    family.parameters = table.parameters()
    family.defaults = table.defaults()
    for position, unit in enumerate(units):
        unit.arguments = table.arguments(position)


def uncommented(body: tuple[code.Stmt, ...], units: list[Unit]) -> tuple[code.Stmt, ...]:
    """Without the comments (shapes) that are not the same in all units."""
    return tuple(_merge([unit.body[i] for unit in units], item) for i, item in enumerate(body))


def _merge(originals: list[Any], item: Any) -> Any:
    from nndsl.records import replace

    if isinstance(item, code.Assign) and any(o.comment != item.comment for o in originals):
        return replace(item, comment="")
    if isinstance(item, code.For | code.With):
        inner = tuple(_merge([o.body[i] for o in originals], sub) for i, sub in enumerate(item.body))
        return replace(item, body=inner)
    return item


def _shorten_names(family: Family, table: Table) -> None:
    """`padding` for `padding_2`, where the block's own parameter of that name is no parameter of the class."""
    changed: dict[str, str] = {}
    for name in list(table.derived):
        base = re.sub(r"_\d+\Z", "", name)
        others = (table.used, table.derived, table.forced, family.units[0].taken, changed.values())
        if base != name and not any(base in known for known in others):
            changed[name] = base

    def rule(part: Any) -> Any:
        if isinstance(part, code.Name) and part.id in changed:
            return code.Name(changed[part.id])
        if isinstance(part, code.Attr) and part.value == code.Name("self") and part.name in changed:
            return code.Attr(part.value, changed[part.name])
        return None

    if changed:
        family.init, family.body = transformed(family.init, rule), transformed(family.body, rule)
        table.derived = {changed.get(name, name): values for name, values in table.derived.items()}
        table.stored = [changed.get(name, name) for name in table.stored]
