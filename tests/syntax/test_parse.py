"""The grammar, the recovery from errors, the limits, and the tables."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nndsl import resources
from nndsl.diagnostics.model import Problems
from nndsl.source import SourceFile
from nndsl.syntax import ast, parse, tables

CASES = sorted((Path(__file__).parent.parent / "cases" / "syntax").glob("*.nn"))
MODEL = """model A {
    input x: float[T, 3] with batch=5
    (a, _, c) = x -> LSTM(32, return_state=true)
    skip = a -> Conv2D(f, 1) if stride > 1 or a.shape[-1] != 2 else Identity()
    h = a -> branch { Dense(3); Identity() } -> Add()
    r = h -> repeat (t, n) in [(1, 2), (3, 4)] { Dense(2 ** t) -> Dropout(.5) }
    shared encoder = LSTM(32)
    output y = (a -> encoder, c -> encoder)
        -> Concatenate(weight=1, data=2)
        with loss=mse, weight=0.25
    submodel part(x) = (a, c)
    penalty p = sum(x[:, 0]) with weight=1e-3
    train { optimizer = adam; epochs = 10_000 }
    data { source table = csv("a.csv") with test=0.2
        x = table[0:8] }
}
"""


def run(text: str) -> tuple[ast.File, list[str]]:
    problems = Problems()
    tree = parse(SourceFile("case.nn", text), problems)
    return tree, [item.code for item in problems]


def value(text: str) -> ast.Expr:
    tree, codes = run(f"param p = {text}\n")
    assert codes == []
    statement = tree.body[0]
    assert isinstance(statement, ast.ParamDef)
    return statement.value


def written(expr: ast.Expr) -> str:
    """With every operation in parentheses."""
    if isinstance(expr, ast.Binary):
        return f"({written(expr.left)} {expr.op} {written(expr.right)})"
    if isinstance(expr, ast.Unary):
        return f"({expr.op} {written(expr.operand)})"
    if isinstance(expr, ast.RangeExpr):
        return f"({written(expr.start)} .. {written(expr.stop)})"
    return expr.span.text


def test_the_grammar_has_no_conflicts() -> None:
    tables.build_tables(resources.read_grammar(), strict=True)


def test_a_model_with_everything_parses() -> None:
    tree, codes = run(MODEL)
    assert codes == []
    model = tree.body[0]
    assert isinstance(model, ast.ModelDef)
    kinds = [type(s).__name__.removesuffix("Stmt") for s in model.body]
    wanted = "Input Assign Assign Assign Assign Shared Output Submodel Penalty Section Section"
    assert kinds == wanted.split()
    assert model.span.text == MODEL.rstrip("\n")


def test_a_file_is_parsed_once_and_its_problems_are_told_to_all_who_ask() -> None:
    source, first, second = SourceFile("a.nn", "model A {\n  x = = 1\n}\n"), Problems(), Problems()
    assert parse(source, first) is parse(source, second)
    assert first.items == second.items and [problem.code for problem in first] == ["NN0111"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("-a ** -b", "(- (a ** (- b)))"),
        ("a + b * c // d - e", "((a + ((b * c) // d)) - e)"),
        ("not a == b or c and d", "((not (a == b)) or (c and d))"),
        ("a ** b ** c", "(a ** (b ** c))"),
        ("0 .. n + 1", "(0 .. (n + 1))"),
    ],
)
def test_precedence(text: str, wanted: str) -> None:
    assert written(value(text)) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("10_000", 10000), (".5", 0.5), ("1e-3", 1e-3), ("True", True), ("none", None), (r"'a\n\u00e9\'\\'", "a\né'\\")],
)
def test_literals(text: str, wanted: object) -> None:
    literal = value(text)
    assert isinstance(literal, ast.Literal)
    assert literal.value == wanted and type(literal.value) is type(wanted)


def test_comment_above_a_definition() -> None:
    tree, _ = run("# not this\n\n# One.\n# Two.\nmodel A { }\n")
    model = tree.body[0]
    assert isinstance(model, ast.ModelDef) and model.comment == "One.\nTwo."


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_messages(path: Path, golden: Callable[[Path | str, str], None]) -> None:
    problems = Problems()
    parse(SourceFile(path.name, path.read_text(encoding="utf-8")), problems)
    lines = []
    for item in problems:
        span = item.primary.span
        lines.append(f"{item.code}:{span.line}:{span.column} [{span.text}] {item.message}\n    {item.help}\n")
    golden(path.with_suffix(".out"), "".join(lines))


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("(" * 5000 + ")" * 5000, "NN0181"),
        ("-" * 5000 + "1", "NN0182"),
        ("1" + " + 1" * 5000, "NN0182"),
        ("a if b else " * 5000 + "c", "NN0182"),
        ("9" * 5000, "NN0183"),
        ("a" * 201, "NN0185"),
        ('"' + "a" * 20_000 + '"', "NN0184"),
        ("1e999", "NN0106"),
    ],
)
def test_limits(expression: str, code: str) -> None:
    assert run(f"param p = {expression}\n")[1] == [code]


def test_limits_of_the_whole_file() -> None:
    assert run("#" * 1_000_001)[1] == ["NN0180"]
    assert run("x " * 100_001)[1] == ["NN0180"]
    assert run("x\n" * 40_000)[1] != ["NN0180"]
    codes = run("model A {\n" + "x -> Dense(3)\n" * 50 + "}\n")[1]
    assert codes == ["NN0120"] * 20 + ["NN0190"]
    assert run("\ufeffmodel A { }\n")[1] == []
    assert run("model A { \x07 }\n")[1] == ["NN0102"]


def test_mutations_end_soon_and_never_raise() -> None:
    chance = random.Random(7)
    pieces = [*"(){}[];,=:->.\"'\\\n #é\0“", "->", "with", "model", "branch {", "if", "..", "1.2.3", "lambda", "import"]
    for _ in range(1500):
        text = MODEL
        for _ in range(chance.randint(1, 5)):
            at = chance.randrange(len(text))
            text = text[:at] + chance.choice([*pieces, ""]) + text[at + chance.choice([0, 1, 5]) :]
        start = time.perf_counter()
        run(text)
        assert time.perf_counter() - start < 2, text


def test_a_definition_inside_a_branch_ends() -> None:
    assert run("model A { h = x -> branch { model { } } }\n")[1] == ["NN0120"]


BROKEN = [
    "d = x ->",
    "d = x -> Dense(",
    "d = x -> Dense(3 relu)",
    "d x -> Dense(3)",
    "input d int[3]",
    "d = [1, (2",
    "$ d",
]


@pytest.mark.parametrize("line", BROKEN)
def test_the_other_statements_survive(line: str) -> None:
    lines = [f"    v{i} = x -> Dense({i})" for i in range(6)]
    lines[3] = f"    {line}"
    tree, codes = run("model A {\n" + "\n".join(lines) + "\n}\n")
    assert len(codes) == 1
    model = tree.body[0]
    assert isinstance(model, ast.ModelDef)
    names = {name.text for s in model.body if isinstance(s, ast.AssignStmt) for name in s.targets}
    assert names >= {"v0", "v1", "v2", "v4", "v5"}


def test_a_changed_grammar_is_built_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped_tables = tables.load_tables.__wrapped__()
    grammar = resources.read_grammar()
    monkeypatch.setattr(resources, "read_grammar", lambda: f"{grammar}\n// changed\n")
    built = tables.load_tables.__wrapped__()
    assert built == shipped_tables and built.actions is not shipped_tables.actions
    monkeypatch.setattr(resources, "read_grammar", lambda: grammar.replace('"model"', '"network"'))
    assert "network" in tables.load_tables.__wrapped__().words


def test_text_of_ascii_has_the_same_tokens_in_both_lexers() -> None:
    """The lexer for ASCII is the whole one without sets of other characters."""
    both = tables.load_tables()
    whole, ascii_only = re.compile(both.lexer), re.compile(both.ascii_lexer)
    pieces = [
        *"abz_ 09.+-*/%@=<>!&|^~:;,?()[]{}#\"'\\\n\t\r\0\x0b\x1c\x7f",
        "->",
        "=>",
        "-->",
        "1e3",
        "1.5",
        "..",
        "0x1",
    ]
    draw = random.Random(1)
    for _ in range(5_000):
        text = "".join(draw.choices(pieces, k=draw.randrange(1, 25)))
        found = [[(m.lastgroup, m.span()) for m in lexer.finditer(text)] for lexer in (whole, ascii_only)]
        assert found[0] == found[1], text


def test_the_language_reference() -> None:
    """Every whole program of docs/language.md, once it is written."""
    page = Path(__file__).parents[2] / "docs" / "language.md"
    if not page.exists():
        pytest.skip("docs/language.md is not written yet")
    for text in re.findall(r"```nn\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
        assert run(text)[1] == [], text
