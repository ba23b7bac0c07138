"""What to say when a token does not fit: each common mistake in its own words, the rest by what was expected.

Loaded only when there is something to explain.
"""

from __future__ import annotations

from collections.abc import Callable

from nndsl.syntax import explain_habits
from nndsl.syntax import explain_statements as rules
from nndsl.syntax.bracket_errors import STRAY_CLOSER
from nndsl.syntax.expected import describe, phrase
from nndsl.syntax.failure import Failure
from nndsl.syntax.kinds import DEFINING, ENDS_VALUE, NAMED, STARTS_VALUE
from nndsl.syntax.lexer import Token
from nndsl.syntax.reports import Reports

UNEXPECTED = "NN0101"
MISSING_COMMA = "NN0109"
MISSING_ARROW = "NN0112"
INCOMPLETE = "NN0113"
UNNAMED = "NN0120"
NOT_CALLABLE = "NN0123"
FLOW_AS_VALUE = "NN0124"
CHAINED_COMPARISON = "NN0126"


def explain(reports: Reports, tokens: list[Token], begin: int, at: int, expected: set[str]) -> None:
    """Report the token at `at`, in the statement that begins at `begin`, where only `expected` would fit."""
    failure = Failure(reports, tokens, begin, at, expected)
    any(rule(failure) for rule in _RULES)


def _incomplete(f: Failure) -> bool:
    """The statement ends too early."""
    last = f.previous
    if not (f.is_end or f.bad.type in ("RPAR", "RSQB", "RBRACE") or (f.bad.type == "WITH" and last.type == "ARROW")):
        return False
    if last.type == "ARROW":
        return f.say(
            INCOMPLETE,
            "expected a layer after `->`",
            last,
            "nothing follows",
            help="add the next layer, as in `-> Dense(10)`, or take the `->` out",
        )
    if last.type == "EQUAL":
        help = "write what the name stands for, as in `h = x -> Dense(10)`"
        if f.opener is not None:
            help = "write the argument's value"
        elif any(t.type == "WITH" for t in f.before):
            help = "write the option's value, as in `loss=mse`"
        elif f.in_section:
            help = f"write the setting's value, or leave `{f.first.text}` out"
        return f.say(INCOMPLETE, "expected a value after `=`", last, "nothing follows", help=help)
    if last.type == "WITH" or (f.is_end and last.type == "COMMA"):
        what = "an option"
        return f.say(
            INCOMPLETE,
            f"expected {what} after `{last.text}`",
            last,
            "nothing follows",
            help="options are written `loss=mse, weight=0.5`",
        )
    if last.type == "COMMA":
        return f.say(UNEXPECTED, f"unexpected {describe(f.bad)} after `,`", f.bad, help="one comma separates two items")
    if last.type in ("SIGN", "FACTOR", "POWER", "COMPARE", "DOTS", "DOT", "AND", "OR", "NOT", "IF", "ELSE", "IN"):
        what = "a name" if last.type == "DOT" else "a value"
        return f.say(
            INCOMPLETE, f"expected {what} after `{last.text}`", last, "nothing follows", help="complete the expression"
        )
    if f.expected >= {"ELSE"} and any(t.type == "IF" for t in f.before):
        word = next(t for t in reversed(f.before) if t.type == "IF")
        return f.say(
            INCOMPLETE,
            "this `if` has no `else`",
            word,
            help="a choice has two sides: `A if condition else B`; `Identity()` changes nothing",
        )
    return False


def _unnamed(f: Failure) -> bool:
    """An expression or a pipeline where a statement should stand; a named one where an arm should."""
    if f.in_arm and f.bad.type == "EQUAL" and f.opener is None:
        help = "each line of a branch or repeat is a pipeline without a name: leave the name out"
        fixes = f.reports.fix("leave the name out", (f.first.start, f.next.start, ""))
        f.reports.error(UNNAMED, "a line of a branch has no name", f.first.start, f.bad.end, help=help, fixes=fixes)
        return True
    if f.in_arm and f.bad.type in NAMED:
        help = "each line of a branch or repeat is a pipeline; is the `}` missing above?"
        return f.say(UNNAMED, f"`{f.bad.text}` cannot stand inside a branch or repeat", f.bad, help=help)
    if "EQUAL" not in f.expected or f.opener is not None or f.first.type in NAMED or f.is_first:
        return False
    if f.bad.type == "ARROW":
        help = f"name the result: `output NAME = {f.first.text} -> …`, or `NAME = …` for a value within the model"
        return f.say(UNNAMED, "this pipeline has no name", f.bad, "its result would be lost", help=help)
    if f.is_end:
        start, end = f.first, f.previous
        text = "this line names nothing and changes nothing"
        help = "name the value, `NAME = …`, or go on with the line above by beginning this one with `->`"
        f.reports.error(UNNAMED, text, start.start, end.end, help=help)
        return True
    return False


def _flow_as_value(f: Failure) -> bool:
    if f.bad.type != "ARROW":
        return False
    previous = f.previous
    if f.is_first or previous.type == "ARROW":
        help = (
            "a pipeline begins with a value: `x -> Dense(10)`" if f.is_first else "one `->` stands between two layers"
        )
        return f.say(UNEXPECTED, "expected a value before `->`", f.bad, help=help)
    if f.callee is not None:
        help = f"is the `)` of `{f.callee.text}(` missing before it? A pipeline as an argument stands in parentheses"
        where = (f.reports.label(f.callee.start, f.callee.end + 1, "this call is still open"),)
        return f.say(
            FLOW_AS_VALUE, f"`->` stands inside the arguments of `{f.callee.text}`", f.bad, help=help, related=where
        )
    if any(t.type == "WITH" for t in f.before):
        help = "`with` stands at the end, after the whole pipeline"
        return f.say(FLOW_AS_VALUE, "the pipeline goes on after its options", f.bad, help=help)
    help = "put the pipeline in parentheses: `(x -> Dense(10))`"
    return f.say(FLOW_AS_VALUE, "a pipeline cannot stand here", f.bad, help=help)


def _misc(f: Failure) -> bool:
    bad = f.bad
    if bad.type == "SEMICOLON":
        return f.say(
            UNEXPECTED, "a `;` cannot stand inside brackets", bad, help="items are separated by commas", fix=","
        )
    if bad.type == "COMPARE" and any(t.type == "COMPARE" for t in f.before):
        return f.say(CHAINED_COMPARISON, "comparisons do not chain", bad, help="write both out: `0 < n and n < 10`")
    if bad.type == "WITH":
        help = "`with` follows an input, an output, a penalty, a weight, an update or a source"
        return f.say(UNEXPECTED, "this statement takes no options", bad, help=help)
    if bad.type == "EQUAL" and f.callee is not None:
        help = "an argument's name is a plain name; comparing is `==`"
        return f.say(rules.WRONG_EQUAL, "unexpected `=` in an argument", bad, help=help)
    if bad.type == "EQUAL" and f.opener is None and any(t.type == "EQUAL" for t in f.before):
        help = "a statement gives one value a name; comparing is `==`"
        return f.say(rules.WRONG_EQUAL, "a statement has one `=`", bad, "this is the second", help=help)
    if bad.type == "LBRACE" and f.opener is None and f.first.type not in DEFINING:
        help = "braces enclose the bodies of models, blocks, sections, `branch` and `repeat`; a list is `[1, 2]`"
        return f.say(UNEXPECTED, "a `{` cannot stand here", bad, help=help)
    if bad.type == "POWER" and f.previous.type in ("LPAR", "COMMA"):
        help = "every argument is written out: `units=32`"
        return f.say(rules.OTHER_LANGUAGE, "arguments cannot be unpacked", bad, help=help)
    return False


def _two_values(f: Failure) -> bool:
    """Two values side by side: a comma, an arrow or a bracket is missing between them."""
    bad, previous = f.bad, f.previous
    if bad.type == "LPAR" and previous.type in ("RPAR", "RSQB", "NAME"):
        help = "a layer is called by its name, and its result flows on with `->`: `x -> Dense(10)`"
        return f.say(
            NOT_CALLABLE, "only a name can be called", bad, "this calls the result of an expression", help=help
        )
    if bad.type not in STARTS_VALUE - {"SIGN", "LSQB"} | {"BRANCH", "REPEAT"} or previous.type not in ENDS_VALUE:
        return False
    if f.opener is not None and "COMMA" in f.expected and f.opener.type != "LBRACE":
        inside = f"the arguments of `{f.callee.text}`" if f.callee else "the items"
        is_stage = f.callee is None and bad.type == "NAME" and f.next.type == "LPAR" and "ARROW" in f.expected
        if not is_stage:
            label = "a comma is missing before this"
            return f.insert(
                MISSING_COMMA, f"expected `,` between {inside}", bad, label, ",", help="items are separated by commas"
            )
    if "ARROW" in f.expected:
        label = "a `->` is missing before this"
        return f.insert(
            MISSING_ARROW,
            f"expected `->` before {describe(bad)}",
            bad,
            label,
            " ->",
            help="layers are joined by `->`, values by a comma in parentheses",
        )
    if "COMMA" in f.expected:
        label = "a comma is missing before this"
        return f.insert(
            MISSING_COMMA, f"expected `,` before {describe(bad)}", bad, label, ",", help="items are separated by commas"
        )
    return False


def _fallback(f: Failure) -> bool:
    wanted = phrase(f.expected)
    where = f.previous if f.is_end else f.bad
    after = f" after {describe(f.previous)}" if f.previous.text and not f.is_first else ""
    if f.is_first:
        help = "a statement is `NAME = …`, or begins with a word like `input`, `output` or `shared`"
        if f.is_at_top:
            help = "at the top of a file stand `model`, `block`, `layer`, `param` and `from … import`"
        return f.say(UNEXPECTED, f"a statement cannot begin with {describe(f.bad)}", f.bad, help=help)
    help = f"expected {wanted} here" if wanted else "take it out"
    if f.bad.type in ("RPAR", "RSQB", "RBRACE") and f.opener is None:
        return f.say(STRAY_CLOSER, f"this `{f.bad.text}` closes nothing", f.bad, help="take it out")
    message = f"the statement ends too early{after}" if f.is_end else f"unexpected {describe(f.bad)}{after}"
    return f.say(UNEXPECTED, message, where, help=help)


_RULES: tuple[Callable[[Failure], bool], ...] = (
    *explain_habits.RULES,
    rules.other_language,
    rules.head_of_section,
    rules.reserved,
    rules.missing_name,
    rules.no_body,
    rules.type,
    rules.equal,
    _incomplete,
    _unnamed,
    _flow_as_value,
    _misc,
    _two_values,
    _fallback,
)
