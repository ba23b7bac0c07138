"""The parser's tables: Lark makes them from the grammar, `shipped.py` holds them as plain data.

Lark takes 48 ms to import and 70 to 130 to build the tables: it is loaded only where the grammar is not the one that
`shipped.py` was made of, in a checkout whose grammar is being worked on. `python -m nndsl.prepare` writes the file.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from nndsl import resources
from nndsl.records import record


@record
class Tables:
    """LALR(1) tables.

    `actions[state][terminal]` is `s + 1` to shift and go to state `s`, or `-r - 1` to reduce by rule `r`;
    `actions[state][nonterminal]` is the state to go to after a reduction.
    `rules[r]` is (origin, number of symbols, action), where the action names a function of `build.py`, is "" for a rule
    that passes its one child through, and "*" for one that collects its children in a list.
    `passed` remembers where such rules lead, see `Parser.feed`.
    """

    actions: list[dict[str, int]]
    rules: list[tuple[str, int, str]]
    start: int
    accept: int
    lexer: str  # one regular expression, a named group for each terminal
    ascii_lexer: str  # the same for text of ASCII alone
    words: dict[str, str]  # reserved word -> terminal
    passed: dict[tuple[int, int, str], int]


@cache
def load_tables() -> Tables:
    """The tables of the grammar, as they are shipped or else built."""
    from nndsl.syntax import shipped  # here, so that a broken one does not keep `nndsl.prepare` from making it anew

    grammar = resources.read_grammar()
    if grammar != shipped.GRAMMAR:
        return build_tables(grammar)
    lexers = shipped.LEXER, shipped.ASCII_LEXER
    return Tables(shipped.ACTIONS, shipped.RULES, shipped.START, shipped.ACCEPT, *lexers, shipped.WORDS, {})


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
    rule_numbers = {rule: number for number, rule in enumerate(lark.rules)}
    terminals = {terminal.name for terminal in lark.terminals} | {"BEGIN", "END", "ERROR", "$END"}
    # Lark counts the states in the order of a set; here they are counted as they are met from the start, so that the
    # same grammar always gives the same tables.
    states = [table.start_states["file"]]
    numbers = {states[0]: 0}
    actions: list[dict[str, int]] = []
    for state in states:
        row: dict[str, int] = {}
        for symbol, (action, target) in sorted(table.states[state].items()):
            if action is not Shift:
                row[symbol] = -rule_numbers[target] - 1
                continue
            if target not in numbers:
                numbers[target] = len(states)
                states.append(target)
            row[symbol] = numbers[target] + 1 if symbol in terminals else numbers[target]
        actions.append(row)
    rules = [(str(r.origin.name), len(r.expansion), _action_of(r)) for r in lark.rules]
    lexer, words = _lexer(lark)
    return Tables(actions, rules, 0, numbers[table.end_states["file"]], lexer, _for_ascii(lexer), words, {})


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
            words[pattern.value] = str(terminal.name)  # found as a NAME, as Lark does
        else:
            groups.append(f"(?P<{terminal.name}>{pattern.to_regexp()})")
    return "|".join(groups), words


_CLASS = re.compile(r"\[(?:\\.|[^\]\\])*\]")
_NOT_ASCII = re.compile(r"\\u[0-9a-f]{4}(?:-\\u[0-9a-f]{4})?|[^\0-\x7f](?:-[^\0-\x7f])?")


def _for_ascii(lexer: str) -> str:
    """What the lexer is for text of ASCII alone: sets of characters lose all others. Python takes four of five
    milliseconds to compile an expression for those."""

    def reduced(found: re.Match[str]) -> str:
        rest = _NOT_ASCII.sub("", found[0])
        return "(?!)" if rest == "[]" else rest

    return _CLASS.sub(reduced, lexer)


def as_module(grammar: str) -> str:
    """The text of `shipped.py` for a grammar."""
    tables = build_tables(grammar)
    rows = "".join(f"    {row!r},\n" for row in tables.actions)
    rules = "".join(f"    {rule!r},\n" for rule in tables.rules)
    return f'''"""The parser's tables, which `python -m nndsl.prepare` has made of grammar/nn.lark: do not edit them."""

ACTIONS: list[dict[str, int]] = [
{rows}]
RULES: list[tuple[str, int, str]] = [
{rules}]
START = {tables.start}
ACCEPT = {tables.accept}
LEXER = {tables.lexer!r}
ASCII_LEXER = {tables.ascii_lexer!r}
WORDS = {tables.words!r}
GRAMMAR = {grammar!r}
'''
