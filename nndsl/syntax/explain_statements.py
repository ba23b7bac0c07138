"""Explanations of what is wrong with the frame of a statement: its words, its name, its type, its `=`.

Each rule reports and gives True where it applies.
"""

from __future__ import annotations

from nndsl.diagnostics.suggest import suggest
from nndsl.syntax.expected import describe
from nndsl.syntax.failure import Failure
from nndsl.syntax.kinds import DEFINING, NAMED, STARTS_VALUE

MISSING_EQUAL = "NN0110"
WRONG_EQUAL = "NN0111"
MISSING_NAME = "NN0114"
RESERVED_NAME = "NN0115"
OTHER_LANGUAGE = "NN0116"
MISSING_TYPE = "NN0119"
MISSING_BODY = "NN0127"

_EQUATED = frozenset(("OUTPUT", "SHARED", "PENALTY", "UPDATE", "SOURCE", "PARAM", "SUBMODEL"))
_DTYPES = frozenset(
    ("float", "float16", "bfloat16", "float32", "float64", "bool", "uint8", "int", "int8", "int16", "int32", "int64")
)
_FOREIGN_WORDS = {
    **dict.fromkeys(("def", "class", "function", "fn", "func"), "a part of one's own is a `block NAME(…) { … }`"),
    "lambda": "computations are written as expressions, in a `layer` of one's own where they have weights",
    **dict.fromkeys(("for", "while"), "`x -> repeat 3 { … }` repeats a pipeline"),
    "return": "a result is named with `output NAME = …`",
    **dict.fromkeys(("let", "var", "const", "val", "auto"), "a value is named by `NAME = …` alone"),
    **dict.fromkeys(("pip", "using", "require", "include"), 'blocks are brought in with `from "file.nn" import NAME`'),
    "print": "values are named with `output NAME = …`; the summary shows their shapes",
    **dict.fromkeys(("elif", "switch", "match"), "a choice is written `A if condition else B`"),
}


def other_language(f: Failure) -> bool:
    first = f.first
    if (first.text in _FOREIGN_WORDS and f.bad.type not in ("EQUAL", "COLON")) or first.text == "for":
        return f.say(
            OTHER_LANGUAGE, f"`{first.text}` is not a word of the language", first, help=_FOREIGN_WORDS[first.text]
        )
    if first.type == "IMPORT":
        help = 'blocks and layers are brought in with `from "blocks/file.nn" import NAME`; Python is never imported'
        return f.say(OTHER_LANGUAGE, "`import` needs the file that the names come from", first, help=help)
    if first.type == "FROM" and len(f.before) == 1:
        help = 'the file is a string: `from "blocks/file.nn" import NAME`'
        return f.say(OTHER_LANGUAGE, "after `from` stands the path of a file", f.bad, "expected a string", help=help)
    if f.previous.text == "lambda":
        return f.say(
            OTHER_LANGUAGE, "`lambda` is not a word of the language", f.previous, help=_FOREIGN_WORDS["lambda"]
        )
    if f.bad.text == "//" and f.is_first:
        return f.say(OTHER_LANGUAGE, "a comment begins with `#`", f.bad, help="write `#` instead of `//`", fix="#")
    return False


def head_of_section(f: Failure) -> bool:
    """`train = …`, `data x`: a section's word with something else than its body."""
    if f.first.type not in ("TRAIN", "DATA", "OPTIONS") or len(f.before) != 1:
        return False
    word = f.first.text
    if f.bad.type in ("EQUAL", "ARROW", "DOT", "COMMA", "COLON"):
        return f.say(
            RESERVED_NAME,
            f"`{word}` is a reserved word and cannot be used as a name here",
            f.first,
            help=f"choose another name, for example `my_{word}`; a section is written `{word} {{ … }}`",
        )
    return no_body(f)


def reserved(f: Failure) -> bool:
    word = f.bad
    if not word.text.isidentifier() or word.type == "NAME" or word.type == "FROM":
        return False
    if f.in_arm and f.is_first and word.type in NAMED:
        return False  # `unnamed` says it
    wants_name = f.expected == {"NAME"} or f.previous.type in NAMED or (f.is_first and f.next.type == "EQUAL")
    wants_value = f.expected >= STARTS_VALUE and word.type not in ("WITH", "IF", "ELSE", "AND", "OR", "IN")
    is_tuple = f.previous.type in ("LPAR", "COMMA") and f.opener is f.first
    if f.previous.type in NAMED and f.next.type in ("LBRACE", "NAME") and len(f.before) == 1 and f.next.end < 0:
        return False
    if not (wants_name or wants_value or is_tuple):
        return False
    suggestion = {"data": "inputs", "input": "x", "output": "y", "in": "inside"}.get(word.text, f"{word.text}_1")
    return f.say(
        RESERVED_NAME,
        f"`{word.text}` is a reserved word and cannot be used as a name here",
        word,
        help=f"choose another name, for example `{suggestion}`",
    )


def missing_name(f: Failure) -> bool:
    if f.previous.type not in NAMED or len(f.before) != 1 or f.bad.type == "NAME":
        return False
    word = f.first.text
    examples = {
        "model": "`model Classifier { … }`",
        "block": "`block Residual(filters) { … }`",
        "layer": "`layer Linear(units) { … }`",
        "param": "`param classes = 10`",
        "input": "`input image: float[28, 28, 1]`",
        "submodel": "`submodel encoder(image) = code`",
        "source": '`source table = csv("file.csv")`',
        "trainable": "`trainable kernel: [units] = zeros`",
        "state": "`state total: [units] = zeros`",
    }
    example = examples.get(word, f"`{word} name = …`")
    if f.bad.type == "STRING" and f.bad.text[1:-1].isidentifier():
        name, help = f.bad.text[1:-1], "a name stands without quotes"
        return f.say(
            MISSING_NAME, f"`{f.bad.text}` is a string, and a name must follow `{word}`", f.bad, help=help, fix=name
        )
    if f.bad.type == "EQUAL":
        example += f"; `{word}` itself is a reserved word"
    if f.bad.type == "ARROW":
        help = f"`{word}` is a reserved word; as a value it needs another name"
        return f.say(RESERVED_NAME, f"`{word}` cannot be used as a name here", f.first, help=help)
    return f.say(MISSING_NAME, f"this `{word}` has no name", f.first, "a name must follow", help=f"write {example}")


def no_body(f: Failure) -> bool:
    if f.first.type == "SUBMODEL" and f.expected == {"LPAR"}:
        help = f"the values that it starts from stand behind its name: `submodel {f.previous.text}(x) = y`"
        return f.say("NN0101", f"expected `(` after `{f.previous.text}`", f.bad, help=help)
    if f.first.type not in DEFINING or (f.opener is not None and f.opener.type == "LBRACE"):
        return False
    word = f.first.text
    if f.expected == {"LPAR"}:
        help = f"write `{word} {f.previous.text}() {{ … }}`, with the parameters between the parentheses"
        where = f.previous
        return f.say(
            MISSING_BODY, f"a {word} has a list of parameters, even an empty one", where, "expected `(`", help=help
        )
    if "LBRACE" in f.expected:
        if f.bad.type == "LPAR":
            help = "a `block` has parameters; a model's settings are `param NAME = value` lines above it"
            return f.say(MISSING_BODY, f"a {word} has no parameters", f.bad, "expected `{`", help=help)
        help = "a body stands between braces, and the `{` stands on the same line"
        if f.bad.type == "EQUAL":
            help = f"write `{word} {f.previous.text} {{ … }}`, without a `=`; in it flows are written `x -> Dense(10)`"
        if f.bad.type == "COLON":
            help += ", without a `:`" if f.next.type == "LBRACE" else " in place of the `:`; a `}` ends it"
        where = f.previous if f.is_end else f.bad
        return f.say(MISSING_BODY, f"the body of this {word} is missing", where, "expected `{`", help=help)
    return False


def type(f: Failure) -> bool:
    if f.first.type not in ("INPUT", "TRAINABLE", "STATE"):
        return False
    word, bad = f.first.text, f.bad
    example = "input image: float[28, 28, 1]" if word == "input" else f"{word} kernel: [units] = zeros"
    if "COLON" in f.expected and len(f.before) == 2:
        if bad.type in ("NAME", "LSQB"):
            help = f"the type stands after a colon: `{example}`"
            return f.insert(
                MISSING_TYPE,
                f"expected `:` before the type of `{f.previous.text}`",
                bad,
                "the colon is missing before this",
                ":",
                help=help,
            )
        where = f.previous if f.is_end else bad
        return f.say(
            MISSING_TYPE,
            f"the shape of `{f.previous.text}` is missing",
            where,
            help=f"write it after a colon, as in `{example}`",
        )
    if f.expected == {"LSQB"}:
        where = f.previous if f.is_end else bad
        help = f"write `{f.previous.text}[784]` for 784 numbers per sample, `{f.previous.text}[]` for a single one"
        return f.say(MISSING_TYPE, "the shape is missing after the type", where, "expected `[`", help=help)
    if f.previous.type == "COLON" and f.opener is None:
        where = f.previous if f.is_end else bad
        return f.say(MISSING_TYPE, "expected a type after `:`", where, help=f"as in `{example}`")
    return False


def equal(f: Failure) -> bool:
    """`=` missing, or another sign in its place."""
    bad = f.bad
    if f.callee is not None and bad.type == "COLON":
        help = f"arguments are written `{f.previous.text}=value`"
        return f.say(WRONG_EQUAL, "an argument is given with `=`, not with `:`", bad, help=help, fix="=")
    if f.opener is not None:
        return False
    after_with = any(t.type == "WITH" for t in f.before)
    if bad.type == "COLON" and "COLON" not in f.expected and (len(f.before) == 1 or after_with):
        if f.first.type == "NAME" and f.next.type == "NAME" and not after_with and f.next.text in _DTYPES:
            help = f"write `input {f.first.text}: {f.next.text}[…]`"
            return f.say(MISSING_TYPE, "a tensor that comes from outside is declared with `input`", f.first, help=help)
        return f.say(WRONG_EQUAL, "a value is given with `=`, not with `:`", bad, help="write `=`", fix="=")
    if bad.type == "EQUAL" and "COLON" in f.expected and f.first.type == "INPUT":
        help = "an input comes from outside: write its type after a colon, `input x: float[784]`"
        return f.say(WRONG_EQUAL, "an input has a type, not a value", bad, help=help)
    compared = len(f.before) > 2 and f.first.type == "NAME" and f.before[1].text == "=="
    if compared and (f.is_end or bad.type == "ARROW") and not any(t.type == "EQUAL" for t in f.before):
        message = "`==` compares; a name is given a value with `=`"
        return f.say(WRONG_EQUAL, message, f.before[1], help="write `=`", fix="=")
    if bad.type == "COMPARE" and bad.text == "==" and "EQUAL" in f.expected:
        return f.say(WRONG_EQUAL, "`==` compares; a name is given a value with `=`", bad, help="write `=`", fix="=")
    if "EQUAL" in f.expected and f.first.type in _EQUATED and len(f.before) == 2:
        name = f.previous.text
        if f.is_end:
            where = f.previous
            help = f"write `{f.first.text} {name} = …`"
            return f.say(MISSING_EQUAL, f"expected `=` and a value after `{name}`", where, help=help)
        if bad.type == "ARROW":
            help = f"the name stands on the left of `=`: `{f.first.text} {name} = x -> …`"
            return f.say(
                MISSING_EQUAL, f"expected `=` after `{f.first.text} {name}`", bad, f"found {describe(bad)}", help=help
            )
        if bad.type in STARTS_VALUE:
            help = f"write `{f.first.text} {name} = …`"
            return f.insert(
                MISSING_EQUAL,
                f"expected `=` after `{f.first.text} {name}`",
                bad,
                "an `=` is missing before this",
                " =",
                help=help,
            )
    if f.first.type == "NAME" and len(f.before) == 1 and _misspelt(f):
        return True
    if f.first.type == "NAME" and len(f.before) == 1 and bad.type in STARTS_VALUE:
        help = f"a value is named with `=`: `{f.first.text} = …`"
        return f.insert(
            MISSING_EQUAL, f"expected `=` after `{f.first.text}`", bad, "an `=` is missing before this", " =", help=help
        )
    return False


def _misspelt(f: Failure) -> bool:
    """`outptu y = …`, `inptu x: …`, `trian {`: a statement's word with a letter wrong."""
    if f.bad.type == "NAME" and f.next.type in ("EQUAL", "COLON", "WITH", "LPAR"):
        words = ["input", "output", "shared", "submodel"]
    elif f.bad.type == "LBRACE":
        words = ["train", "options", "data"]
    else:
        return False
    near = suggest(f.first.text, words, 1)
    if not near or (f.next.type == "LPAR" and near[0] != "submodel"):
        return False
    message = f"there is no statement `{f.first.text}`"
    return f.say("NN0101", message, f.first, help=f"did you mean `{near[0]}`?", fix=near[0])
