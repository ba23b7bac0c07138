"""Programs over the limits end soon, in an error; the limits in docs/security.md are those of the code."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from nndsl import pipeline
from nndsl.diagnostics import codes
from nndsl.diagnostics.model import Problems
from nndsl.ir import dims
from nndsl.passes import definitions, estimate, evaluate, inputs, outputs
from nndsl.source import SourceFile
from nndsl.syntax import lexer, literals, parser

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
LIMITS = [
    parser.LARGEST_FILE, lexer.MOST_TOKENS, lexer.LONGEST_NAME, literals.LONGEST_NUMBER, literals.LONGEST_STRING,
    definitions.MOST_FILES, evaluate.MAX_BITS, evaluate.MAX_ITEMS, evaluate.MAX_MADE, evaluate.MAX_TEXT,
    estimate.MOST_NODES, estimate.LEAST_ROOM, outputs.MOST_OUTPUTS, outputs.MOST_PENALTIES,
    inputs.MAX_DIM, dims.MAX_SIZE, pipeline.MOST_PROBLEMS,
]  # fmt: skip


def one(pipe: str, before: str = "", dims: str = "8") -> str:
    return f"{before}model M {{\n input x: float[{dims}]\n output y = x -> {pipe}\n}}\n"


def chain(count: int, step: str, first: str) -> str:
    return f"param p0 = {first}\n" + "".join(f"param p{i} = {step.format(i - 1)}\n" for i in range(1, count))


def blocks(body: str, parameters: str = "") -> str:
    first = f"block B0({parameters}) {{ input x; output y = x -> Dense(8) }}\n"
    return first + "".join(
        f"block B{i}({parameters}) {{ input x; {body.replace('INNER', f'B{i - 1}')} }}\n" for i in range(1, 30)
    )


def penalised(count: int) -> str:
    penalties = "".join(f"penalty p{i} = mean(x)\n " for i in range(count))
    return one("Dense(8)").replace("output", f"{penalties}output")


NUMBERS = (
    "9**9**9", "9**9**9**9", "-(9**9**9)", "2**100000", "2**300", "10.0**400", "1e308*10", "(2**200)**200", "7**(9**9)",
    "0**-1", "1//0", "1%0", "0.1**-400", "1e999", "9" * 5000,
)  # fmt: skip
LISTS = (
    "0..10**9",
    "0..2**200",
    "[0..10**5]*9",
    '"a"*10**9',
    "[1]*10**9",
    "10**9*[1]",
    "(1,)*10**9",
    "-(10**9)..10**9",
)
COUNTS = ("10**9", "2**62", "2**63", "2**200", "120001")
PROGRAMS: dict[str, str] = {
    **{f"number {text[:20]}": one(f"Dense({text})") for text in NUMBERS},
    **{f"param {text[:20]}": one("Dense(p)", f"param p = {text}\n") for text in NUMBERS},
    **{f"list {text}": one(f"Reshape({text})") for text in LISTS},
    **{f"rounds {text}": one(f"repeat i in {text} {{ Dense(8) }}") for text in LISTS},
    **{f"repeat {text}": one(f"repeat {text} {{ Dense(8) }}") for text in COUNTS},
    **{f"repeat nothing {text}": one(f"repeat {text} {{ repeat 0 {{ Dense(8) }} }}") for text in COUNTS},
    **{f"axis {text}": one("Dense(8)", dims=text) for text in ("9" * 100, "2**41", "9223372036854775807")},
    "lists in lists": one("Dense(8)", chain(60, "[p{0}, p{0}]", "[1]")),
    "lists added": one("Dense(8)", chain(60, "p{0} + p{0}", "[1]")),
    "strings added": one("Dense(8)", chain(60, "p{0} + p{0}", '"a"')),
    "numbers squared": one("Dense(p59)", chain(60, "p{0} * p{0}", "3")),
    "many long lists": one(
        "Dense(8)", chain(17, "p{0} + p{0}", "[1]") + "".join(f"param q{i} = p16 + []\n" for i in range(99))
    ),
    "a circle": one("Dense(8)", "".join(f"param p{i} = p{i + 1}\n" for i in range(14_000)) + "param p14000 = p0\n"),
    "doubling": one("B29()", blocks("output y = x -> INNER() -> INNER()")),
    "doubling values": one("B29()", blocks("a = x -> INNER(); output y = a -> INNER()")),
    "doubling shared": one("B29()", blocks("shared s = INNER(); output y = x -> s -> s")),
    "doubling by choice": one(
        "B29(1)", blocks("a = x -> (INNER(n) if n > 0 else Identity()); output y = a -> INNER(n)", "n")
    ),
    "layers given": one(
        "W(" * 30 + "Dense(8)" + ")" * 30, "block W(inner) { input x; output y = x -> inner -> inner }\n"
    ),
    "branches": one("repeat 60 { branch { repeat 0 { Dense(8) }; repeat 0 { Dense(8) } } } -> Add()"),
    "rounds of nothing": one("repeat 90000 { repeat 90000 { repeat 0 { Dense(8) } } }"),
    "computed": one("repeat i in 0..900 { repeat 900 + i { Dense(8) } }"),
    "several models": "".join(
        one("repeat 50000 { repeat 3 { Dense(8) } }").replace("M {", f"M{i} {{") for i in range(9)
    ),
    "a long name": one("D" * 900_000 + "()"),
    "a long file": one("Dense(8)") + "#" * 2_000_000,
    "many signs": one("Dense(" + "1+" * 200_000 + "1)"),
    "no signs": "$" * 900_000,
    "combining": "a" + "\u0301" * 400_000,
    "deep": one("Dense(" + "(" * 20_000 + "1" + ")" * 20_000 + ")"),
    "deep subscripts": one("Dense(8)").replace("output", "z = x" + "[:]" * 20_000 + "\n output"),
    "a number of parts": one("Dense(" + "9_" * 90_000 + "9.9e)"),
    "many outputs": one("Dense(8)").replace("output", "\n".join(f"output o{i} = x" for i in range(501)) + "\n output"),
    "many penalties": penalised(501),
    "deep minus": one("Dense(" + "-" * 90_000 + "1)"),
    "deep repeats": one("repeat 2 { " * 20_000 + "Dense(8)" + "}" * 20_000),
    "imports": "".join(f'from "f{i}.nn" import A{i}\n' for i in range(5_000)) + one("Dense(8)"),
    "a device": 'from "/dev/zero" import A\n' + one("Dense(8)"),
}
SLOW = ("layers given", "doubling by choice", "doubling shared", "no signs", "rounds of nothing", "combining")
CASES = [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in PROGRAMS]


@pytest.mark.parametrize("name", CASES)
def test_ends_soon(name: str) -> None:
    problems = Problems()
    began = time.process_time()
    assert pipeline.check(SourceFile("wide.nn", PROGRAMS[name]), problems) is None
    assert time.process_time() - began < 8  # 2 seconds on an idle machine
    assert problems.has_errors and len(problems) <= pipeline.MOST_PROBLEMS + 1
    assert all(len(item.message) < 2_000 for item in problems)


MOST = {
    "penalties": penalised(500),
    "penalties of a block": one("B()", penalised(1200).replace("model M", "block B()").replace(": float[8]", "")),
    "activities": one(" -> ".join(["Dense(4, activity_regularizer=l2(0.1))"] * 1200)),
}


@pytest.mark.parametrize("target", ["keras", "torch"])
@pytest.mark.parametrize("name", MOST)
def test_python_reads_what_is_made_of_the_most(name: str, target: str) -> None:
    problems = Problems()
    program = pipeline.check(SourceFile("most.nn", MOST[name]), problems)
    assert program is not None
    compile(pipeline.emit(program, target), "most.py", "exec")


MANY = {
    "blocks": "".join(f"block B{i}() {{ input x; output y = x -> Dense(8) }}\n" for i in range(3000))
    + one(" -> ".join(f"B{i}()" for i in range(3000))),
    "states": "layer L() {\n input x: float[8]\n"
    + "".join(f" state s{i}: [8] = zeros\n update s{i} = s{i} + 1\n" for i in range(4000))
    + " output y = x + 1\n}\n"
    + one("L()"),
    "arms": one("branch { " + "; ".join(["Dense(2)"] * 9000) + " } -> Concatenate()"),
}


@pytest.mark.parametrize("name", MANY)
def test_many_of_a_kind_take_no_square_of_their_time(name: str) -> None:
    began = time.process_time()
    program = pipeline.check(SourceFile("many.nn", MANY[name]), Problems())
    assert program is not None
    pipeline.emit(program, "torch")
    assert time.process_time() - began < 20  # 3 seconds on an idle machine


@pytest.mark.parametrize("rounds", ["i in 0..20500", f"i in [{', '.join('12' * 10_250)}]"], ids=["range", "list"])
def test_arithmetic_with_the_number_of_a_round_makes_no_program_too_large(rounds: str) -> None:
    problems = Problems()
    program = pipeline.check(SourceFile("sizes.nn", one(f"repeat {rounds} {{ Dense(8 + -(i * i) % 7) }}")), problems)
    assert program is not None, problems.items[0].message
    assert len(program.main.nodes) == 20_500


def test_limits_are_documented() -> None:
    rows = re.findall(r"^\| [^|]+ \| ([\d,]+) \| (NN\d{4}) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number.replace(",", "")) for number, _ in rows] == LIMITS
    assert {code for _, code in rows} <= {code.code for code in codes.all_codes()}
