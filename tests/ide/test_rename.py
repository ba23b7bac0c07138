"""Every name of every example can be given another name, and nothing else changes: the same problems at the same
places, the same layers with the same shapes."""

from __future__ import annotations

from pathlib import Path

import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.ide.analysis import Analysis
from nndsl.ide.rename import CannotRename, check_name, places, renamable
from nndsl.layers.entry import snake_case
from nndsl.project import Project
from nndsl.source import SourceFile

ROOT = Path(__file__).parents[2]
FILES = sorted(
    [*(ROOT / "examples").glob("*.nn"), *(ROOT / "examples" / "zoo").glob("*.nn"), *(ROOT / "docs").glob("*.nn")]
)
NEW = "a_new_name"


def analysis_of(text: str, path: Path) -> Analysis:
    source = SourceFile(str(path), text)
    return Analysis(source, Project(source).read)


def meaning(text: str, path: Path, renamed: str = "") -> list[object]:
    """What a check finds out: problems, and for each model the calls with their types. Paths of layers come from names
    of values and blocks, so that they are compared with the old name put back."""
    source, problems = SourceFile(str(path), text), Problems()
    found = pipeline.examine(source, problems, Project(source).read, need_model=False)

    def old(text: str, name: str = renamed) -> str:
        return text.replace(NEW, name) if renamed else text

    facts: list[object] = [(item.code, item.primary.span.line, old(item.message)) for item in problems]
    for model in found.models:
        for node in model.nodes:
            way = old(node.layer.path, snake_case(renamed) if renamed[:1].isupper() else renamed)
            facts.append((old(node.config.title()), way, [old(str(t)) for t in node.result_types]))
    return facts


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_rename_changes_nothing_else(path: Path) -> None:
    text = path.read_text()
    analysis = analysis_of(text, path)
    before = meaning(text, path)
    symbols = {occurrence.symbol: None for occurrence in analysis.symbols.occurrences}
    symbols = {symbol: None for symbol in symbols if symbol.span.file is analysis.source}
    # Long files have many names of one kind: some of each.
    chosen = [s for kind in dict.fromkeys(s.kind for s in symbols) for s in [s for s in symbols if s.kind == kind][:3]]
    assert chosen
    for symbol in chosen:
        spans = places(analysis, symbol, NEW)
        renamed = text
        for span in sorted(spans, key=lambda span: span.start, reverse=True):
            renamed = renamed[: span.start] + NEW + renamed[span.end :]
        after = meaning(renamed, path, symbol.name)
        assert after == before, (symbol.kind, symbol.name)
        again = analysis_of(renamed, path)
        first = again.symbols.at(renamed.index(NEW))
        assert first is not None
        assert len(places(again, first.symbol)) == len(spans)


SHADOWS = """\
param size = 3
block Pair(units, act=relu) {
    input x
    width = units * 2
    output y = x -> Dense(width, activation=act) -> Dense(units)
}
model A {
    input x: float[T, size]
    shared pair = Pair(size)
    same = x -> repeat n in [1, 2] { Dense(n + 1) } -> Conv1D(4, 2, padding=same) -> Dense(size)
    output y = (same -> pair, x -> pair) -> Add() with loss=mse
    submodel part(x) = same
    data { source made = random(); x = made; y = made }
}
"""


def found(word: str, number: int = 0) -> list[tuple[int, int]]:
    """The places that mean the same as the word at its `number`-th place, as line and column."""
    analysis = analysis_of(SHADOWS, ROOT / "model.nn")
    at = -1
    for _ in range(number + 1):
        at = SHADOWS.index(word, at + 1)
    symbol, _ = renamable(analysis, at)
    return [(span.line, span.column) for span in places(analysis, symbol)]


def test_an_option_is_no_value_of_the_same_name() -> None:
    assert [line for line, _ in found("same =")] == [10, 11, 12]
    assert SHADOWS.splitlines()[9].index("padding=same") not in [column for _, column in found("same =")]


@pytest.mark.parametrize(
    ("word", "number", "lines"),
    [("size", 0, [1, 8, 9, 10]), ("units", 0, [2, 4, 5]), ("act=", 0, [2, 5]), ("width", 0, [4, 5]),
     ("n in", 0, [10, 10]), ("pair =", 0, [9, 11, 11]), ("made", 0, [13, 13, 13]), ("x:", 0, [8, 10, 11, 12, 13]),
     ("x\n", 0, [3, 5]), ("Pair", 0, [2, 9]), ("y = (", 0, [11, 13])],
)  # fmt: skip
def test_names_are_those_of_their_scope(word: str, number: int, lines: list[int]) -> None:
    assert [line for line, _ in found(word, number)] == lines


@pytest.mark.parametrize("name", ["1x", "a b", "größe", "_", "", "repeat", "True", "Dense", "x;"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(CannotRename):
        check_name(name)
