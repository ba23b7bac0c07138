"""The tree-sitter grammar, built with the C compiler: it reads what nndsl reads, statement by statement."""

from __future__ import annotations

import ctypes
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tree_sitter import Language, Node, Parser, Query, QueryCursor

from nndsl.diagnostics.model import Problems
from nndsl.source import SourceFile
from nndsl.syntax import ast
from nndsl.syntax.parser import parse
from nndsl.syntax.tables import load_tables

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "editors" / "tree-sitter-nndsl"
CONSTRUCTS = Path(__file__).parent / "constructs.nn"
EXAMPLES = [*sorted((ROOT / "examples").rglob("*.nn")), CONSTRUCTS]
WRONG = sorted((ROOT / "tests" / "wrong" / "cases").rglob("*.nn"))
COMPILER = shutil.which("cc") or shutil.which("gcc")

pytestmark = pytest.mark.skipif(COMPILER is None, reason="needs a C compiler")


@pytest.fixture(scope="module")
def language(tmp_path_factory: pytest.TempPathFactory) -> Language:
    """Warnings of the scanner are errors; parser.c is generated."""
    folder = tmp_path_factory.mktemp("tree-sitter")
    common = [COMPILER, "-c", "-fPIC", "-O1", f"-I{FOLDER / 'src'}"]
    strict = ["-Wall", "-Wextra", "-Werror", "-std=c11"]
    subprocess.run([*common, FOLDER / "src" / "parser.c", "-o", folder / "parser.o"], check=True)
    subprocess.run([*common, *strict, FOLDER / "src" / "scanner.c", "-o", folder / "scanner.o"], check=True)
    library = folder / "nndsl.so"
    subprocess.run([COMPILER, "-shared", folder / "parser.o", folder / "scanner.o", "-o", library], check=True)
    make = ctypes.CDLL(str(library)).tree_sitter_nndsl
    make.restype = ctypes.c_void_p
    capsule = ctypes.pythonapi.PyCapsule_New
    capsule.restype, capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return Language(capsule(make(), b"tree_sitter.Language", None))


def tree_of(language: Language, text: str) -> Node:
    return Parser(language).parse(text.encode("utf-8")).root_node


def below(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from below(child)


def statement_lines(language: Language, text: str) -> list[tuple[int, str]]:
    kinds = {
        "model", "block", "layer", "section", "param", "import", "input", "assignment", "output", "shared", "submodel",
        "penalty", "source", "weight", "update",
    }  # fmt: skip
    nodes = [node for node in below(tree_of(language, text)) if node.is_named and node.type in kinds]
    return sorted((node.start_point[0] + 1, node.type) for node in nodes)


_NODES = {
    "ModelDef": "model", "Section": "section", "ParamDef": "param", "ImportDef": "import", "InputStmt": "input",
    "AssignStmt": "assignment", "OutputStmt": "output", "SharedStmt": "shared", "SubmodelStmt": "submodel",
    "PenaltyStmt": "penalty", "SourceStmt": "source", "WeightStmt": "weight", "UpdateStmt": "update",
}  # fmt: skip


def nndsl_lines(body: tuple[ast.Stmt, ...]) -> Iterator[tuple[int, str]]:
    for statement in body:
        kind = type(statement).__name__
        if isinstance(statement, ast.BlockDef):
            yield statement.span.line, "layer" if statement.is_layer else "block"
        else:
            yield statement.span.line, _NODES[kind]
        yield from nndsl_lines(getattr(statement, "body", ()))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_parses_without_an_error_and_statement_by_statement_as_nndsl_does(
    language: Language, path: Path
) -> None:
    text = path.read_text(encoding="utf-8")
    assert not tree_of(language, text).has_error
    assert statement_lines(language, text) == sorted(nndsl_lines(parse(SourceFile("", text), Problems()).body))


def test_wrong_programs_that_parse_do_so_here_too(language: Language) -> None:
    count = 0
    for path in WRONG:
        text = path.read_bytes().decode("utf-8", "replace")
        problems = Problems()
        file = parse(SourceFile("", text), problems)
        if not len(problems):
            count += 1
            assert not tree_of(language, text).has_error, path
            assert statement_lines(language, text) == sorted(nndsl_lines(file.body)), path
    assert count > 100


@pytest.mark.parametrize(
    "text",
    [
        "a = b\n-> Dense(1)\n",
        "a = b  # why\n\n    # and how\n\n    -> Dense(1)  # then\n  -> C()\r\n",
        "output y = x\n  with loss=mse,\n   weight=1\nwithout = 3\n",
        "a = 1; b = 2;; c = 3;",
        "a =\n  b\nc = d +\n  e\nd = (\na\n)\n",
        "model A { train { epochs = 3 } }\n",
        "a = x -> branch { B(); C() -> D()\n E()\n } -> F(\n1,\n)\n",
        "a = 0..4\nb = 1.\nc = 10_000.5e-3 + .5 + x.shape[0]\nd = x[.., 0:, :1, ::2, none]",
        "a = L(data=1, not=2, repeat=3, branch=4, with=5, in=6)",
        "\ufeffmodel A {\r\n    output y = x\r\n}\r\n",
        "",
        "# only a comment",
    ],
)
def test_statement_ends(language: Language, text: str) -> None:
    if "=" in text and "model" not in text:
        text = f"model A {{\n{text}\n}}\n"
    problems = Problems()
    file = parse(SourceFile("", text), problems)
    assert not len(problems)
    root = tree_of(language, text)
    assert not root.has_error, root
    assert statement_lines(language, text) == sorted(nndsl_lines(file.body))


def test_the_tree_of_every_construct(language: Language, golden: Any) -> None:
    lines = []

    def show(node: Node, depth: int, field: str | None) -> None:
        name = f"{field}: " if field else ""
        words = "" if node.named_child_count else " " + " ".join(node.text.decode().split())[:60]
        lines.append(f"{'  ' * depth}{name}{node.type}{words}")
        for at, child in enumerate(node.children):
            if child.is_named:
                show(child, depth + 1, node.field_name_for_child(at))

    show(tree_of(language, CONSTRUCTS.read_text(encoding="utf-8")), 0, None)
    golden("golden/constructs.tree", "\n".join(lines) + "\n")


def test_a_broken_statement_leaves_those_around_it(language: Language) -> None:
    broken = "model A {\n    input x: float[4]\n    y = x -> => Dense(3, ?)\n    z = x\n}\n"
    broken += "model B {\n    input x: float[4]\n    output y = x\n}\n"
    found = statement_lines(language, broken)
    assert {(2, "input"), (4, "assignment"), (6, "model"), (7, "input"), (8, "output")} <= set(found)


def test_highlights_of_every_construct(language: Language, golden: Any) -> None:
    query = Query(language, (FOLDER / "queries" / "highlights.scm").read_text(encoding="utf-8"))
    root = tree_of(language, CONSTRUCTS.read_text(encoding="utf-8"))
    captures = QueryCursor(query).captures(root)
    found = sorted(
        (node.start_byte, node.end_byte, name, node.text.decode()) for name in captures for node in captures[name]
    )
    places: dict[tuple[int, int], set[str]] = {}
    for start, end, name, _ in found:
        places.setdefault((start, end), set()).add(name)
    assert [names for names in places.values() if len(names) > 1] == [], "no two patterns disagree"
    golden("golden/constructs.captures", "".join(f"{name:22} {text}\n" for _, _, name, text in found))


@pytest.mark.parametrize(
    "path",
    sorted(
        path for editor in ("tree-sitter-nndsl", "helix", "zed") for path in (ROOT / "editors" / editor).rglob("*.scm")
    ),
    ids=lambda path: f"{path.parts[-3]}-{path.stem}",
)
def test_every_query_compiles_and_finds_something(language: Language, path: Path) -> None:
    query = Query(language, path.read_text(encoding="utf-8"))
    root = tree_of(language, CONSTRUCTS.read_text(encoding="utf-8"))
    assert QueryCursor(query).captures(root)


def test_the_reserved_words_are_those_of_the_language() -> None:
    grammar = json.loads((FOLDER / "src" / "grammar.json").read_text(encoding="utf-8"))

    def words(rule: Any) -> Iterator[str]:
        if isinstance(rule, dict):
            if rule.get("type") == "STRING" and rule["value"].isidentifier():
                yield rule["value"]
            for part in rule.values():
                yield from words(part)
        elif isinstance(rule, list):
            for part in rule:
                yield from words(part)

    assert set(words(grammar["rules"])) == set(load_tables().words)


def test_the_parser_was_made_from_this_grammar() -> None:
    digest = hashlib.sha256((FOLDER / "grammar.js").read_bytes()).hexdigest()
    stamp = (FOLDER / "src" / "grammar.js.sha256").read_text(encoding="utf-8").strip()
    assert digest == stamp, "run `make tree-sitter`"
