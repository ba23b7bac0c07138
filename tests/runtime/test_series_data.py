"""Series through the whole of the data: lines that speak of one time, parts that share no row, what is learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.diagnostics.render import render_text
from nndsl.ir.graph import Model
from nndsl.runtime import columns, scratch
from nndsl.runtime.dataset import Dataset, apply, load
from nndsl.runtime.report import RunFailed
from nndsl.source import SourceFile

WINDOWS = """model M {{
    input x: float[{length}, 2]
    output y = x -> Flatten() -> Dense({units}) with loss=mse
    {train}
    data {{
        source t = csv("t.csv") with {options}
        x = t[0:2]{change} -> window({window})
        y = t[2]{target}
    }}
}}
"""


def program(
    window: str = "4", target: str = " -> ahead(1)", options: str = "test=0.2, validation=0.1", change: str = "",
    train: str = "", units: int = 1,
) -> str:  # fmt: skip
    length = window.split(",")[0]
    return WINDOWS.format(
        length=length, window=window, target=target, options=options, change=change, train=train, units=units
    )


def checked(text: str) -> Model:
    problems = Problems()
    found = pipeline.check(SourceFile("model.nn", text), problems)
    assert found is not None, render_text(problems)
    return found.main


def read(text: str, given: str | None = None) -> Dataset:
    return load(checked(text), given, batch=4, steps=None, seed=0)


def table(rows: int, path: str = "t.csv") -> None:
    """Row n holds n, 10 n and 100 n."""
    Path(path).write_text("a,b,c\n" + "".join(f"{n},{10 * n},{100 * n}\n" for n in range(rows)))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_parts_are_consecutive_and_share_no_row() -> None:
    table(100)
    data = read(program())
    parts = [data.train, data.validation, data.test]
    used = []
    for part in parts:
        found = part.take(slice(None))
        times = found["x"][:, -1, 0]
        assert np.array_equal(found["y"][:, 0], 100 * (times + 1)), "the row behind the window"
        assert np.array_equal(found["x"][:, 0, 0], times - 3) and np.array_equal(
            found["x"][..., 1], 10 * found["x"][..., 0]
        )
        rows = {int(value) for value in found["x"][..., 0].ravel()} | {
            int(value) // 100 for value in found["y"].ravel()
        }
        assert sorted(rows) == list(range(min(rows), max(rows) + 1))
        used.append(rows)
    assert [(min(rows), max(rows)) for rows in used] == [(0, 69), (70, 79), (80, 99)]
    assert [len(part) for part in parts] == [66, 6, 16]
    assert data.notes == ["8 samples reach from one part of the series into the next, and are left out"]


def test_without_an_own_transform_a_line_takes_the_row_at_the_window_s_end() -> None:
    table(50)
    found = read(program(target="")).train.take(slice(None))
    assert np.array_equal(found["y"][:, 0], 100 * found["x"][:, -1, 0])


def test_the_next_rows_as_a_target() -> None:
    table(50)
    found = read(program(target=" -> ahead(3) -> window(3)", units=3, options="test=0.2")).train.take(slice(None))
    ends = found["x"][:, -1, 0]
    assert np.array_equal(found["y"], 100 * (ends[:, None] + [1, 2, 3]))


def test_strides_and_gaps() -> None:
    table(100)
    data = read(program("3, stride=5, sampling_rate=2"))
    rows = [part.take(slice(None))["x"][..., 0].tolist() for part in (data.train, data.validation, data.test)]
    assert rows[0][:2] == [[0, 2, 4], [5, 7, 9]] and rows[0][-1] == [60, 62, 64]
    assert rows[1] == [[70, 72, 74]]
    assert rows[2] == [[80, 82, 84], [85, 87, 89], [90, 92, 94]]


def test_lags_are_a_regression() -> None:
    table(40)
    text = """model M {
    input x: float[3]
    output y = x -> Dense(1) with loss=mse
    data { source t = csv("t.csv") with test=0.25; x = t.a -> lags([1, 2, 7]); y = t.a }
}
"""
    data = read(text)
    found = data.test.take(slice(None))
    assert found["y"][:, 0].tolist() == [37, 38, 39], "ten rows, of which seven lie before the first sample"
    assert np.array_equal(found["x"], found["y"] - [1, 2, 7])


@pytest.mark.parametrize("order", ["before", "behind"])
def test_what_is_learnt_is_learnt_from_the_training_rows(order: str) -> None:
    table(100)
    text = program(change=" -> standardize()")
    if order == "behind":
        text = text.replace(" -> standardize() -> window(4)", " -> window(4) -> standardize()")
    data = read(text)
    inputs = np.concatenate([np.arange(row, row + 4) for row in range(66)])
    seen = np.arange(69) if order == "before" else inputs
    assert data.learnt["x"][0 if order == "before" else 1]["mean"] == pytest.approx([seen.mean(), 10 * seen.mean()])
    assert "cut" not in str(data.learnt), "what other lines cut off is planned anew for new data"


def test_the_newest_rows_get_a_forecast() -> None:
    table(100)
    model = checked(program(change=" -> standardize()"))
    data = load(model, None, batch=4, steps=None, seed=0)
    table(10, "new.csv")
    new = apply(model, "new.csv", data.learnt, inputs_only=True)
    assert len(new) == 7, "windows up to the last row, for which there is no target yet"
    learnt = data.learnt["x"][0]
    wanted = (np.arange(6, 10) - learnt["mean"][0]) / learnt["deviation"][0]
    assert np.allclose(new.take(np.array([6]))["x"][0, :, 0], wanted, atol=1e-6)


def test_series_larger_than_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    table(200)
    text = program(change=" -> standardize()")
    whole = read(text)
    for name, value in (("CHUNK_BYTES", 200), ("RESIDENT_BYTES", 0)):
        monkeypatch.setattr(columns, name, value)
    monkeypatch.setattr(scratch, "IN_MEMORY", 100)
    pieces = read(text)
    assert not pieces.train.resident
    places = np.array([3, 0, 77])
    for name in ("x", "y"):
        assert np.allclose(pieces.train.take(places)[name], whole.train.take(places)[name], rtol=1e-6)


def test_fixed_batches() -> None:
    table(100)
    data = read(program().replace("float[4, 2]", "float[4, 2] with batch=5"))
    assert [len(data.train), len(data.validation), len(data.test)] == [65, 5, 15]


@pytest.mark.parametrize(
    ("text", "rows", "message"),
    [
        (program(), 4, "t.csv has 4 rows, and a sample takes in 5 of them"),
        (program(), 20, "the validation part has 2 rows of t.csv, and a sample takes in 5 of them"),
        (
            program(train="train { cross_validation = KFold(3) }"),
            100,
            "`cross_validation` tests on rows between those it trains on, and this data is a series",
        ),
    ],
)
def test_what_cannot_be(text: str, rows: int, message: str) -> None:
    table(rows)
    with pytest.raises(RunFailed) as failed:
        read(text)
    assert [item.message for item in failed.value.problems] == [message]


def test_series_of_unequal_length() -> None:
    np.save("x.npy", np.zeros((50, 2)))
    np.save("y.npy", np.zeros(47))
    text = program().replace(
        'source t = csv("t.csv") with test=0.2, validation=0.1', 'source a = npy("x.npy"); source b = npy("y.npy")'
    )
    with pytest.raises(RunFailed) as failed:
        read(text.replace("t[0:2]", "a").replace("t[2]", "b"))
    (problem,) = failed.value.problems
    assert problem.message == "x.npy has 50 rows for `x`, and y.npy has 47 for `y`"
    assert "a row for each time" in str(problem.help)


def test_a_missing_value_is_told_at_its_own_row() -> None:
    table(60)
    lines = Path("t.csv").read_text().splitlines()
    lines[21] = "20,nan,2000"
    Path("t.csv").write_text("\n".join(lines))
    with pytest.raises(RunFailed) as failed:
        read(program())
    (problem,) = failed.value.problems
    assert problem.message.startswith("line 22, column 1 (`b`) of t.csv is missing (nan)")
    lags = (
        program(options="test=0.2")
        .replace("-> window(4)", "-> lags([1, 5])")
        .replace("float[4, 2]", "float[4]")
        .replace("Flatten() -> ", "")
    )
    with pytest.raises(RunFailed) as failed:
        read(lags)
    assert next(iter(failed.value.problems)).message.startswith("line 22, column 1 (`b`) of t.csv is missing (nan)")


TEXTS = """model M {
    input text: int[5]
    output label = text -> Embedding(8, 4) -> GlobalAveragePooling1D() -> Dense(2, activation=softmax)
        with loss=sparse_categorical_crossentropy
    data {
        source t = csv("t.csv") with test=0.25, seed=3
        text = t.text -> tokens(8, length=5)
        label = t.label -> classes()
    }
}
"""


def test_a_vocabulary_is_that_of_the_training_part() -> None:
    words = [f"word{n % 7} only{n}" for n in range(40)]
    Path("t.csv").write_text(
        "text,label\n" + "".join(f"{text},{'ham' if n % 3 else 'eggs'}\n" for n, text in enumerate(words))
    )
    model = checked(TEXTS)
    data = load(model, None, batch=4, steps=None, seed=0)
    learnt = data.learnt["text"][0]["words"]
    held_out = {f"only{n}" for n in data.test.rows}
    assert len(learnt) == 6 and not held_out & set(learnt)
    assert data.classes == {"label": ["eggs", "ham"]}
    found = data.train.take(slice(None))
    assert found["text"].shape == (30, 5) and (found["text"][:, 2:] == 0).all()
    assert found["label"].tolist() == [int(n % 3 > 0) for n in data.train.rows]
    Path("new.csv").write_text("text\nnever seen\nWORD1!\n")
    new = apply(model, "new.csv", data.learnt, inputs_only=True).take(slice(None))
    assert new["text"].tolist() == [[1, 1, 0, 0, 0], [learnt.index("word1") + 2, 0, 0, 0, 0]]


def test_a_class_that_only_held_out_rows_have_is_told_with_its_cell() -> None:
    rows = [f"word{n},{'ham' if n % 3 else 'eggs'}" for n in range(40)]
    Path("t.csv").write_text("text,label\n" + "\n".join(rows))
    row = int(read(TEXTS).test.rows[0])
    rows[row] = f"word{row},spam"
    Path("t.csv").write_text("text,label\n" + "\n".join(rows))
    with pytest.raises(RunFailed) as failed:
        read(TEXTS)
    (problem,) = failed.value.problems
    assert problem.message == (
        f"line {row + 2}, column 1 (`label`) of t.csv is `spam`, a class that the training part does not have"
    )
    assert problem.primary.span.text == "spam"


def test_names_of_classes_of_built_in_sets() -> None:
    pytest.importorskip("sklearn")
    text = """model M {
    input x: float[4]
    output species = x -> Dense(3, activation=softmax) with loss=sparse_categorical_crossentropy
    data { source s = iris() with test=0.2; x = s.features; species = s.label }
}
"""
    assert read(text).classes == {"species": ["setosa", "versicolor", "virginica"]}
