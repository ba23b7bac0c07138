"""Text of the user in emitted programs: each differs from that of a harmless twin in the text itself, in nothing else.

Every payload stands in every place. What is compared is the syntax tree of the whole program, with the text (where a
string holds it) and docstrings taken out; a text that is refused ends in a message.
"""

from __future__ import annotations

import ast
import sys
import unicodedata
from functools import cache

import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.source import SourceFile
from tests.attacks.payloads import NAMES, STRINGS, quoted

TWIN = "harmless"
MODEL = """\
# {comment}
model M {{
    input x: float[8]
    h = x -> Dense(8, name={layer}) -> {block}
    output y = h -> Dense(2, activation=softmax, name={last})
        with loss=categorical_crossentropy, metrics=[AUC(name={metric})]
    train {{ optimizer = Adam(name={optimizer}); epochs = 2; callbacks = [{callbacks}] }}
}}
"""
PARAM = "param word = {word}\n"
BLOCK = """\
# {comment}
block B() {{ input z; output o = z -> Dense(8) -> ReLU() }}
"""
LAYER = """\
# {comment}
layer L() {{ input z; output o = z * 2 }}
"""


def program(place: str, text: str) -> str:
    given = {
        "comment": "A comment.",
        "layer": '"first"',
        "last": '"last"',
        "metric": '"area"',
        "block": "ReLU()",
        "optimizer": '"adam"',
        "callbacks": "TerminateOnNaN()",
    }
    before = ""
    match place:
        case "comment":
            given["comment"] = text
        case "comments":
            given["comment"] = f"One.\n# {text}\n# Three."
        case "comment of a block":
            before, given["block"] = BLOCK.format(comment=text), "repeat 2 { B() }"
        case "comment of a layer":
            before, given["block"] = LAYER.format(comment=text), "L()"
        case "param":
            before, given["metric"] = PARAM.format(word=quoted(text)), "word"
        case "sum":
            given["metric"] = f'"" + {quoted(text)}'
        case "single quotes":
            given["metric"] = quoted(text, "'")
        case "monitor":
            given["callbacks"] = f"EarlyStopping(monitor={quoted('loss' if text == TWIN else text)})"
        case "log":
            given["callbacks"] = f"CSVLogger({quoted(text + '.csv')})"
        case "separator":
            given["callbacks"] = f'CSVLogger("log.csv", separator={quoted(text)})'
        case "checkpoint":
            given["callbacks"] = f"ModelCheckpoint({quoted(text + '.keras')})"
        case _:
            given[place] = quoted(text)
    return before + MODEL.format(**given)


PLACES = (
    "comment",
    "comments",
    "comment of a block",
    "comment of a layer",
    "param",
    "sum",
    "single quotes",
    "metric",
    "layer",
    "last",
    "optimizer",
    "monitor",
    "log",
    "separator",
    "checkpoint",
)
REFUSING = {"layer", "last", "separator", "monitor"}  # a name that is none, a separator of several characters: told


def emitted(source: SourceFile, settings: dict[str, str] | None = None) -> dict[str, str] | None:
    problems = Problems()
    checked = pipeline.check(source, problems, settings=settings)
    assert (checked is None) == problems.has_errors
    return None if checked is None else {target: pipeline.emit(checked, target) for target in pipeline.TARGETS}


class Without(ast.NodeTransformer):
    """The tree without docstrings, and with the twin's text where the text stands."""

    def __init__(self, text: str) -> None:
        self.text = text

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None
        self.generic_visit(node)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str) and self.text and self.text in node.value:
            return ast.Constant(node.value.replace(self.text, TWIN))
        return node


def tree(code: str, text: str) -> str:
    """The program without the text; all its line ends are those of Python alone."""
    assert not any(char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs") for char in code)
    return ast.dump(Without(text).visit(ast.parse(code)))


@cache
def twin(place: str) -> dict[str, str]:
    found = emitted(SourceFile("m.nn", program(place, "," if place == "separator" else TWIN)))
    assert found is not None, place
    return {target: tree(code, "") for target, code in found.items()}


def attack(place: str, payloads: dict[str, str]) -> int:
    """How many of the texts the place takes."""
    taken = 0
    for name, text in payloads.items():
        if place.startswith("comment"):
            text = " ".join(text.split("\n"))
        found = emitted(SourceFile("m.nn", program(place, text)))
        if found is None:
            continue
        taken += 1
        for target, code in found.items():
            if len(text.strip()) < 2 or place in REFUSING or (place in ("log", "checkpoint") and "/" in text):
                assert not _calls(code) & _HARMFUL  # a text that is everywhere, or a path whose folder is made
                continue
            assert tree(code, text) == twin(place)[target], f"{name} in {place}, {target}:\n{code}"
    return taken


@pytest.mark.parametrize("place", PLACES)
def test_some_text(place: str) -> None:
    """Each place with another twelfth of the payloads: all of them, over all places."""
    attack(place, dict(list(STRINGS.items())[PLACES.index(place) % 12 :: 12]))


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_text(place: str) -> None:
    assert attack(place, STRINGS) > len(STRINGS) // 4 or place in REFUSING


def _calls(code: str) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)}


_HARMFUL = {"__import__", "__import__('os').abort", "os.abort", "abort", "eval", "exec", "compile"}


@pytest.mark.slow
@pytest.mark.parametrize("place", ["comment", "metric", "checkpoint"])
def test_raw_text(place: str) -> None:
    """The same characters as they are, not escaped: what the lexer makes of them is its own affair."""
    for text in STRINGS.values():
        for code in (emitted(SourceFile("m.nn", program(place, TWIN).replace(TWIN, text))) or {}).values():
            assert not _calls(code) & _HARMFUL


@pytest.mark.slow
def test_names_of_files() -> None:
    wanted = emitted(SourceFile("m.nn", program("comment", TWIN)))
    assert wanted is not None
    for name, text in STRINGS.items():
        found = emitted(SourceFile(f"{text}.nn", program("comment", TWIN)))
        assert found is not None
        for target, code in found.items():
            assert code == wanted[target], f"{name}, {target}"  # the file's name is not in a program


@pytest.mark.slow
def test_settings() -> None:
    """`--set word=TEXT`: text for a parameter that is a string."""
    source = SourceFile("m.nn", program("param", TWIN))
    taken = 0
    for name, text in STRINGS.items():
        found = emitted(source, {"word": text})
        if found is None or text[:1] in ("", " ", '"', "'"):  # what reads as a string of the language is that string
            continue
        taken += 1
        for target, code in found.items():
            if len(text) > 1:
                assert tree(code, text) == twin("param")[target], f"{name}, {target}:\n{code}"
    assert taken > len(STRINGS) // 2


@pytest.mark.parametrize(
    "place",
    [
        "value",
        *(pytest.param(p, marks=pytest.mark.slow) for p in ("model", "input", "output", "layer", "dim", "block")),
    ],
)
def test_names(place: str) -> None:
    """A name is one that Python reads as the same name, or it is refused."""
    names = {
        "model": "M",
        "input": "alpha",
        "value": "beta",
        "output": "gamma",
        "layer": "delta",
        "dim": "D",
        "block": "B",
    }
    text = """\
block {block}() {{ input q; output o = q -> Dense(3) }}
model {model} {{
    input {input}: float[{dim}, 8]
    {value} = {input} -> Dense(8, name={layer}) -> {block}()
    output {output} = {value} -> Dense(2) with loss=mse
}}
"""
    taken = 0
    for name in NAMES:
        found = emitted(SourceFile("m.nn", text.format(**names | {place: name})))
        if found is None:
            continue
        taken += 1
        for code in found.values():
            module = ast.parse(code)
            assert unicodedata.normalize("NFKC", name) == name or name not in code, (
                f"{name!r} is another name in Python"
            )
            called = {
                node.func.id
                for node in ast.walk(module)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            }
            defined = {n.name for n in ast.walk(module) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
            imported = {
                a.asname or a.name.split(".")[0]
                for n in ast.walk(module)
                if isinstance(n, ast.Import | ast.ImportFrom)
                for a in n.names
            }
            own = {n.id for n in ast.walk(module) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            own |= {n.arg for n in ast.walk(module) if isinstance(n, ast.arg)}
            assert called <= defined | imported | own | _PYTHON, called - defined - imported - own - _PYTHON
    assert taken > 5


_PYTHON = {
    "super",
    "range",
    "len",
    "zip",
    "enumerate",
    "print",
    "int",
    "float",
    "str",
    "list",
    "dict",
    "tuple",
    "set",
    "sum",
    "min",
    "max",
    "isinstance",
    "iter",
    "next",
    "sorted",
    "any",
    "all",
    "abs",
    "round",
    "open",
    "type",
    "getattr",
    "map",
    "bool",
    "reversed",
    "filter",
    "hasattr",
    "SystemExit",
    "ValueError",
    "TypeError",
    "RuntimeError",
    "NotImplementedError",
}


def test_the_corpus_is_large() -> None:
    assert len(set(STRINGS.values())) * len(PLACES) + len(NAMES) * 7 > 4_500
    assert sys.getrecursionlimit() > 0 and len(set(STRINGS.values())) == len(STRINGS)
