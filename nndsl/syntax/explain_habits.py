"""Habits brought along from Python, Keras scripts and PyTorch: what was written is recognised as a whole, and answered
with what is written here. These rules come before the general ones.
"""

from __future__ import annotations

import re

from nndsl.syntax.failure import Failure
from nndsl.syntax.kinds import DEFINING, ENDS_VALUE
from nndsl.syntax.lexer import Token

UNEXPECTED = "NN0101"
FOREIGN_SPELLING = "NN0103"
WRONG_EQUAL = "NN0111"
MISSING_NAME = "NN0114"
RESERVED_NAME = "NN0115"
OTHER_LANGUAGE = "NN0116"
MISSING_WITH = "NN0110"
NOT_CALLABLE = "NN0123"

_MODULES = frozenset(
    "nn F torch optim tf keras layers K L models optimizers losses metrics activations initializers regularizers "
    "constraints callbacks schedules backend np numpy jax flax".split()
)
_METHODS = {
    "view": "Reshape((…))", "reshape": "Reshape((…))", "flatten": "Flatten()", "permute": "Permute((…))",
    "transpose": "Permute((…))", "relu": "ReLU()", "softmax": "Softmax()", "sigmoid": "Activation(sigmoid)",
    "tanh": "Activation(tanh)", "add": "Dense(64)",
}  # fmt: skip
_SCRIPT = {
    "add": "layers follow each other with `->`: `x -> Dense(64) -> Dense(10)`",
    "compile": "a loss stands at its output (`with loss=mse`), the optimizer in `train { optimizer = adam }`",
    "fit": "`nndsl run` trains the model; how, says its section `train { epochs = 10; batch_size = 32 }`",
    "summary": "`nndsl summary FILE` shows it",
    "predict": "`nndsl run` and the compiled programs do it",
    "evaluate": "`nndsl run` and the compiled programs do it",
}
_OPTIONS = ("loss", "weight", "metrics", "batch", "test", "validation", "seed")


def script(f: Failure) -> bool:
    """`model.add(…)`, `model = Sequential()` and `from tensorflow import …`: lines of a Python program."""
    first = f.first
    if first.type == "MODEL" and len(f.before) == 1 and f.bad.type == "DOT":
        help = _SCRIPT.get(f.next.text, "a model is written `model Classifier { … }`, its values flow with `->`")
        where = f.next if f.next.text in _SCRIPT else f.bad
        f.reports.error(
            OTHER_LANGUAGE, f"`model.{f.next.text}` is a line of a Python program", first.start, where.end, help=help
        )
        return True
    if first.type == "MODEL" and len(f.before) == 1 and f.bad.type == "EQUAL" and not f.is_at_top:
        help = "choose another name, for example `h`"
        return f.say(RESERVED_NAME, "`model` is a reserved word and cannot be used as a name here", first, help=help)
    if first.type == "FROM" and len(f.before) == 1 and f.bad.type == "NAME":
        help = "leave the line out: every layer is known by its name; a file of your own is a string, "
        help += '`from "blocks/file.nn" import NAME`'
        return f.say(OTHER_LANGUAGE, "nothing is imported from Python", f.bad, "a module of Python", help=help)
    return False


def dotted(f: Failure) -> bool:
    """`nn.Linear(…)`, `tf.keras.layers.Dense(…)`, `x.view(…)`: every one in the statement is reported."""
    if f.bad.type != "LPAR" or f.previous.type != "NAME" or len(f.before) < 3 or f.before[-2].type != "DOT":
        return False
    tokens = [*f.before, *f.rest]
    for place, token in enumerate(tokens):
        if token.type != "LPAR" or place < 3 or tokens[place - 1].type != "NAME" or tokens[place - 2].type != "DOT":
            continue
        start = place - 1
        while start >= 2 and tokens[start - 1].type == "DOT" and tokens[start - 2].type == "NAME":
            start -= 2
        root, name = tokens[start], tokens[place - 1]
        text = f.text(root.start, name.end)
        if root.text in _MODULES:
            f.reports.error(
                NOT_CALLABLE,
                f"`{text}` names a module of Python, and here a name stands alone",
                root.start,
                name.end,
                help=f"write `{name.text}(…)`",
                fixes=f.reports.fix(f"change to `{name.text}`", (root.start, name.start, "")),
            )
        else:
            layer = _METHODS.get(name.text, "Dense(64)")
            value = f.text(root.start, tokens[place - 3].end)
            help = f"values flow into layers with `->`: `{value} -> {layer}`"
            f.reports.error(NOT_CALLABLE, f"`{value}` has no methods to call", root.start, name.end, help=help)
    return True


def called_with_input(f: Failure) -> bool:
    """`Dense(64)(x)`: what flows in stands before the layer."""
    if f.bad.type != "LPAR" or f.previous.type != "RPAR":
        return False
    opened = _opening(f.before, len(f.before) - 1)
    closed = _closing(f.rest)
    if opened is None or closed is None or opened < 1 or f.before[opened - 1].type != "NAME":
        return False
    start = f.before[opened - 1]
    layer = f.text(start.start, f.previous.end)
    value = f.text(f.bad.end, f.rest[closed].start).strip()
    if value.startswith("[") and value.endswith("]"):
        value = f"({value[1:-1].strip()})"
    elif "," in value:
        value = f"({value})"
    shown = f"{value} -> {layer}"
    simple = all(token.type in ("NAME", "COMMA", "LSQB", "RSQB") for token in f.rest[1:closed])
    help = f"write `{shown}`" if simple and len(shown) <= 80 else f"what flows in stands before it: `x -> {layer[:60]}`"
    fixes = f.reports.fix("let it flow in", (start.start, f.rest[closed].end, shown)) if simple and value else ()
    return f.say(
        NOT_CALLABLE, f"`{start.text}(…)` is called with its input", f.bad, "what flows in", help=help, fixes=fixes
    )


def _opening(tokens: list[Token], at: int) -> int | None:
    depth = 0
    for place in range(at, -1, -1):
        depth += (tokens[place].type == "RPAR") - (tokens[place].type == "LPAR")
        if depth == 0:
            return place
    return None


def _closing(tokens: list[Token]) -> int | None:
    depth = 0
    for place, token in enumerate(tokens):
        depth += (token.type == "LPAR") - (token.type == "RPAR")
        if depth == 0:
            return place
    return None


def arrow(f: Failure) -> bool:
    """An arrow in two pieces (`- >`), or another one (`>>`)."""
    bad, before = f.bad, f.previous
    if bad.type != "COMPARE" or bad.text not in (">", ">=") or before.text not in ("-", ">", "--", "="):
        return False
    what = f.text(before.start, bad.end)
    fixes = f.reports.fix("write `->`", (before.start, bad.end, "->"))
    help = "a value flows to the next layer with `->`, written in one piece"
    f.reports.error(FOREIGN_SPELLING, f"`{what}` is no arrow", before.start, bad.end, help=help, fixes=fixes)
    return True


def comment(f: Failure) -> bool:
    """`// …` behind a statement, `/* … */`."""
    bad = f.bad
    if bad.text == "//" or (bad.text == "/" and f.next.start == bad.end and f.next.text[:1] == "*"):
        help = "a comment goes from `#` to the end of its line"
        shown = bad if bad.text == "//" else f.next
        fixes = f.reports.fix("write `#`", (bad.start, bad.end, "#")) if bad.text == "//" else ()
        f.reports.error(OTHER_LANGUAGE, "a comment begins with `#`", bad.start, shown.end, help=help, fixes=fixes)
        return True
    return False


def dash_in_name(f: Failure) -> bool:
    """`model My-Net {`, `input my-image: …`."""
    bad, previous, after = f.bad, f.previous, f.next
    named = len(f.before) == 2 and f.first.type in (*DEFINING, "INPUT", "OUTPUT", "SHARED", "SUBMODEL", "PARAM")
    if not named or bad.text != "-" or previous.type != "NAME" or after.type != "NAME":
        return False
    if bad.start != previous.end or after.start != bad.end:
        return False
    word = f"{previous.text}_{after.text}"
    written = re.escape(f"{previous.text}-{after.text}")
    places = re.finditer(rf"\b{written}\b", f.reports.file.text)
    fixes = f.reports.fix(f"change to `{word}`", *((found.start(), found.end(), word) for found in places))
    message = f"`{previous.text}-{after.text}` cannot be a name"
    help = f"a name has letters, digits and `_`: `{word}`, wherever it is used"
    f.reports.error("NN0102", message, previous.start, after.end, help=help, fixes=fixes)
    return True


def comma_between_lines(f: Failure) -> bool:
    """Commas behind settings or arms, and a list of layers where a pipeline should stand."""
    bad = f.bad
    if bad.type == "COMMA" and f.opener is not None and f.previous.type in ("COMMA", f.opener.type):
        fixes = f.reports.fix("take it out", (bad.start, bad.end, ""))
        help = "one comma separates two items"
        return f.say(UNEXPECTED, f"unexpected `,` after `{f.previous.text}`", bad, help=help, fixes=fixes)
    if bad.type != "COMMA" or f.opener is not None or "END" not in f.expected:
        return False
    if f.in_arm or f.in_section:
        what = "the arms of a branch stand" if f.in_arm else "settings stand"
        depth, edits = 0, []
        for place, token in enumerate(f.rest):
            depth += (token.type in ("LPAR", "LSQB")) - (token.type in ("RPAR", "RSQB"))
            if token.type == "COMMA" and depth == 0:
                is_last = place + 1 == len(f.rest) or f.rest[place + 1].indent >= 0
                edits.append((token.start, token.end, "" if is_last else ";"))
        fixes = f.reports.fix("take the commas out" if not any(e[2] for e in edits) else "write `;`", *edits)
        help = f"{what} on lines of their own, or with a `;` between them"
        return f.say(UNEXPECTED, "a comma does not end a statement", bad, help=help, fixes=fixes)
    if any(token.type == "EQUAL" for token in f.before):
        help = "layers are joined by `->`, as in `x -> Dense(64) -> Dense(10)`; several values stand in parentheses, "
        return f.say(UNEXPECTED, "unexpected `,` in a pipeline", bad, help=f"{help}`(a, b) -> Concatenate()`")
    return False


def options(f: Failure) -> bool:
    """`with` forgotten, in parentheses, or before the `=`; an option without a value."""
    bad = f.bad
    after_with = any(token.type == "WITH" for token in f.before)
    if bad.type == "LPAR" and f.previous.type == "WITH":
        closed = _closing(f.rest)
        edits = [(bad.start, bad.end, "")]
        if closed is not None:
            edits.append((f.rest[closed].start, f.rest[closed].end, ""))
        fixes = f.reports.fix("take the parentheses out", *edits)
        return f.say(UNEXPECTED, "options stand without parentheses", bad, help="write `with loss=mse`", fixes=fixes)
    if bad.type == "COMMA" and f.next.text in _OPTIONS and not after_with and f.opener is None:
        help = f"options stand behind `with`: `with {f.next.text}=…`"
        fixes = f.reports.fix("write ` with`", (bad.start, bad.end, " with"))
        return f.say(UNEXPECTED, f"expected `with` before `{f.next.text}`", bad, help=help, fixes=fixes)
    if bad.type == "COMMA" and f.first.type == "OUTPUT" and len(f.before) == 2:
        help = "write an `output` for each; several results of a layer are named first: `(a, b) = x -> …`"
        return f.say(UNEXPECTED, "an output has one name", bad, help=help)
    is_option = bad.type == "NAME" and bad.text in _OPTIONS and f.next.type == "EQUAL" and f.opener is None
    where = f.first.type in ("OUTPUT", "INPUT", "SOURCE") and f.previous.type in ENDS_VALUE
    if is_option and where and not after_with:
        help = f"options stand behind `with`: `with {bad.text}=…`"
        message = f"expected `with` before `{bad.text}`"
        return f.insert(MISSING_WITH, message, bad, "`with` is missing before this", " with", help=help)
    if (
        bad.type == "EQUAL"
        and f.first.type == "OUTPUT"
        and after_with
        and f.opener is None
        and "EQUAL" not in f.expected
    ):
        start = next(token for token in f.before if token.type == "WITH")
        if len(f.before) > 2 and f.before[2] is start:
            help = f"write `output {f.before[1].text} = … with {f.text(start.end, f.previous.end).strip()}`"
            return f.say(WRONG_EQUAL, "`with` stands behind the pipeline, at the end", start, help=help)
    if f.is_end and after_with and "EQUAL" in f.expected and f.previous.type == "NAME":
        return f.say(
            "NN0113", f"option `{f.previous.text}` has no value", f.previous, help=f"write `{f.previous.text}=…`"
        )
    if bad.type == "COLON" and f.first.type == "OUTPUT" and len(f.before) == 2 and f.next.type == "NAME":
        equal = next((token for token in f.rest if token.type == "EQUAL"), None)
        fixes = f.reports.fix("take its type out", (bad.start, equal.start, " ")) if equal is not None else ()
        help = "what type it has follows from what flows into it: leave the type out"
        return f.say(UNEXPECTED, "an output is declared without a type", bad, help=help, fixes=fixes)
    return False


def misplaced(f: Failure) -> bool:
    """Layers behind an input's type, braces for parentheses, a word of the language in capitals."""
    bad = f.bad
    if bad.type == "ARROW" and f.first.type == "INPUT" and len(f.before) > 3 and f.opener is None:
        name = f.before[1].text
        help = f"name what comes of it in a line of its own: `h = {name} -> …`"
        return f.say(UNEXPECTED, "layers cannot stand behind the declaration of an input", bad, help=help)
    if bad.type == "LBRACE" and f.previous.type == "NAME" and f.previous.end == bad.start and len(f.before) > 2:
        help = f"arguments stand in round parentheses: `{f.previous.text}(…)`"
        return f.say(UNEXPECTED, "a `{` cannot stand here", bad, help=help)
    word = f.first.text.lower()
    capital = f.first.type == "NAME" and len(f.before) == 1 and word in ("model", "block", "layer")
    if capital and bad.type == "NAME" and f.next.type in ("LBRACE", "LPAR"):
        return f.say(UNEXPECTED, f"there is no statement `{f.first.text}`", f.first, help=f"write `{word}`", fix=word)
    return False


RULES = (
    script, dotted, called_with_input, arrow, comment, dash_in_name, options, comma_between_lines, misplaced,
)  # fmt: skip
