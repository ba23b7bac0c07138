"""The body of one call of a block, and the class or function that all bodies of one structure become."""

from __future__ import annotations

from typing import Any

from nndsl import code
from nndsl.ir.graph import BlockCall
from nndsl.records import fresh, mutable


@mutable
class Unit:
    """The body of one call of a block. `init` and `body` are its code; `fixed` is what else must be the same for two
    units to be one (names of arguments, buffers)."""

    call: BlockCall
    init: tuple[code.Stmt, ...]
    body: tuple[code.Stmt, ...]
    fixed: tuple[Any, ...]
    layers: tuple[str, ...]  # the statements that make its layers, for the name of a second structure
    extra: Any = None  # what the target keeps with it
    taken: frozenset[str] = frozenset()  # names that its code uses already
    forced: tuple[tuple[str, Any], ...] = ()  # parameters that it has in any case, with their values
    prefixes: tuple[str, str] = ("", "self.")  # what stands before a parameter in `init` and in `body`
    family: Family | None = None
    arguments: tuple[code.Expr, ...] = ()


@mutable
class Family:
    """A class to write: `parameters` are (name, type), the first `derived` of which the block does not know."""

    name: str
    units: list[Unit]
    parameters: list[tuple[str, str]] = fresh(default_factory=list)
    init: tuple[code.Stmt, ...] = ()
    body: tuple[code.Stmt, ...] = ()
    defaults: tuple[Any, ...] = ()  # of the last parameters
