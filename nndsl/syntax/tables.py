"""The parser's tables: Lark makes them from the grammar, this module keeps them as plain data.

Lark (48 ms to import, 70 to 130 to build the tables) is loaded only where no cached tables are found. The cache is
JSON, not a pickle: what is read back can be wrong, but it cannot run.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nndsl import resources

FORMAT = 1  # of the cached file; raise it when `Tables` changes


@dataclass(frozen=True, slots=True)
class Tables:
    """LALR(1) tables.

    `actions[state][terminal]` is `s + 1` to shift and go to state `s`, or `-r - 1` to reduce by rule `r`;
    `actions[state][nonterminal]` is the state to go to after a reduction.
    `rules[r]` is (origin, number of symbols, action), where the action names a function of `build.py`, is "" for a rule
    that passes its one child through, and "*" for one that collects its children in a list.
    """

    actions: list[dict[str, int]]
    rules: list[tuple[str, int, str]]
    start: int
    accept: int
    lexer: str  # one regular expression, a named group for each terminal
    words: dict[str, str]  # reserved word -> terminal


@cache
def load_tables() -> Tables:
    """The tables of the grammar: from the user's cache, else built (and cached, where that is possible)."""
    grammar = resources.grammar_path().read_text(encoding="utf-8")
    folder = resources.cache_dir()
    if folder is None:
        return build_tables(grammar)
    key = "\0".join((grammar, _lark_version(), sys.version, str(FORMAT)))
    path = folder / f"grammar-{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
    tables = _read(path)
    if tables is None:
        tables = build_tables(grammar)
        _write(path, tables)
    return tables


def _lark_version() -> str:
    """The text that states Lark's version, read without importing Lark (importlib.metadata costs 10 ms too)."""
    spec = find_spec("lark")
    return Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""


def build_tables(grammar: str, *, strict: bool = False) -> Tables:
    """Run Lark over the text of the grammar. `strict` refuses every conflict (it needs interegular)."""
    from lark import Lark
    from lark.parsers.lalr_analysis import Shift

    lark = Lark(
        grammar,
        parser="lalr",
        lexer="basic",
        keep_all_tokens=True,
        start=["file", "unlexable"],
        strict=strict,
    )
    table: Any = lark.parser.parser._parse_table  # the tables have no public name
    numbers = {rule: number for number, rule in enumerate(lark.rules)}
    terminals = {terminal.name for terminal in lark.terminals} | {"BEGIN", "END", "ERROR", "$END"}
    actions: list[dict[str, int]] = [{} for _ in table.states]
    for state, row in table.states.items():
        for symbol, (action, target) in row.items():
            if action is not Shift:
                actions[state][symbol] = -numbers[target] - 1
            else:
                actions[state][symbol] = target + 1 if symbol in terminals else target
    rules = [(r.origin.name, len(r.expansion), _action_of(r)) for r in lark.rules]
    lexer, words = _lexer(lark)
    return Tables(actions, rules, table.start_states["file"], table.end_states["file"], lexer, words)


def _action_of(rule: Any) -> str:
    name = str(rule.alias or rule.origin.name)
    if rule.options.expand1 and len(rule.expansion) == 1 and not rule.alias:
        return ""
    return "*" if name.startswith(("_", "list{")) else name


def _lexer(lark: Any) -> tuple[str, dict[str, str]]:
    """The terminals as one expression, in the order in which Lark's own lexer tries them."""
    words, groups = {}, []
    order = sorted(lark.terminals, key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name))
    for terminal in order:
        pattern = terminal.pattern
        if pattern.type == "str" and pattern.value.isidentifier():
            words[pattern.value] = terminal.name  # found as a NAME, as Lark does
        else:
            groups.append(f"(?P<{terminal.name}>{pattern.to_regexp()})")
    return "|".join(groups), words


def _read(path: Path) -> Tables | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, encoding="utf-8") as file:
            if not resources.is_private(os.fstat(descriptor)):
                return None
            data = json.load(file)
        return Tables(
            data["actions"],
            [(origin, size, action) for origin, size, action in data["rules"]],
            data["start"],
            data["accept"],
            data["lexer"],
            data["words"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, tables: Tables) -> None:
    """Beside its place first, then renamed: a reader never meets half a file. Failing is harmless."""
    import tempfile  # 4 ms that a start with a cache need not spend

    data = {
        "actions": tables.actions,
        "rules": tables.rules,
        "start": tables.start,
        "accept": tables.accept,
        "lexer": tables.lexer,
        "words": tables.words,
    }
    try:
        descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=path.stem)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(data, file, separators=(",", ":"))
            Path(beside).replace(path)
        except OSError:
            Path(beside).unlink()
    except OSError:
        return
