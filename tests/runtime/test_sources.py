"""What the readers give, how rows are split, what transforms learn."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.diagnostics.render import render_text
from nndsl.ir.graph import Model
from nndsl.runtime.dataset import Dataset, load
from nndsl.runtime.made import random_array, random_sizes, series
from nndsl.runtime.slots import slots_of
from nndsl.source import SourceFile

ROOT = Path(__file__).parent.parent.parent


def model(text: str) -> Model:
    problems = Problems()
    program = pipeline.check(SourceFile("model.nn", text), problems)
    assert program is not None, render_text(problems)
    return program.main


def read(text: str, given: str | None = None, batch: int = 4, steps: int | None = None) -> Dataset:
    return load(model(text), given, batch=batch, steps=steps, seed=0)


def two(data: str, features: str = "float[2]") -> str:
    lines = "".join(f"        {line}\n" for line in data.split("; "))
    return f"""model M {{
    input x: {features}
    output y = x -> Dense(1) with loss=mse
    data {{
{lines}    }}
}}
"""


def arrays(data: Dataset) -> dict[str, np.ndarray]:
    """All prepared rows, in the order of the file."""
    return {name: column.take(np.arange(data.rows)) for name, column in data.columns.items()}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_split_is_a_partition_and_repeats() -> None:
    np.savez("p.npz", x=np.arange(100).reshape(50, 2), y=np.arange(50))
    text = two('source p = npz("p.npz") with test=0.2, validation=0.1, seed=3; x = p.x; y = p.y')
    first, second = read(text), read(text)
    parts = [first.train.rows, first.validation.rows, first.test.rows]
    assert [len(part) for part in parts] == [35, 5, 10]
    assert sorted(np.concatenate(parts).tolist()) == list(range(50))
    assert all(
        np.array_equal(a, b)
        for a, b in zip(parts, [second.train.rows, second.validation.rows, second.test.rows], strict=True)
    )
    assert not np.array_equal(read(text.replace("seed=3", "seed=4")).train.rows, first.train.rows)
    assert np.array_equal(arrays(first)["x"][:, 0], 2 * arrays(first)["y"][:, 0])


def test_standardize_learns_from_the_training_part_alone() -> None:
    values = np.random.default_rng(0).normal(3, 2, (50, 2))
    values[:, 1] = 7
    np.savez("p.npz", x=values, y=np.arange(50))
    data = read(two('source p = npz("p.npz") with test=0.3, seed=3; x = p.x -> standardize() -> scale(2); y = p.y'))
    train = arrays(data)["x"][data.train.rows]
    assert train[:, 0].mean() == pytest.approx(0, abs=1e-6)
    assert train[:, 0].std() == pytest.approx(2, rel=1e-6)
    assert (arrays(data)["x"][:, 1] == 0).all(), "what never changes becomes 0"
    learnt = data.learnt["x"][0]
    assert learnt["mean"] == pytest.approx(values[data.train.rows].mean(0).tolist())
    assert learnt["deviation"] == pytest.approx([values[data.train.rows, 0].std(), 1])


def test_mnist_keeps_its_own_test_part() -> None:
    rng = np.random.default_rng(0)
    np.savez(
        "mnist.npz",
        x_train=rng.integers(0, 256, (30, 28, 28), dtype=np.uint8),
        y_train=np.arange(30, dtype=np.uint8) % 10,
        x_test=np.full((10, 28, 28), 255, np.uint8),
        y_test=np.arange(10, dtype=np.uint8),
    )
    text = """model M {
    input image: float[784]
    output label = image -> Dense(10, activation=softmax) with loss=categorical_crossentropy
    data {
        source digits = mnist() with validation=0.1
        image = digits.image -> reshape(784) -> scale(1 / 255) -> offset(-0.5)
        label = digits.label -> one_hot(10)
    }
}
"""
    data = read(text)
    assert [len(data.train), len(data.validation), len(data.test)] == [27, 3, 10]
    assert arrays(data)["image"].dtype == np.float32
    assert (arrays(data)["image"][data.test.rows] == 0.5).all()
    assert np.array_equal(arrays(data)["label"][data.test.rows], np.eye(10, dtype=np.float32))
    assert read(text, "mnist.npz").shown == "mnist.npz"


@pytest.mark.parametrize(
    "text",
    [
        "a,name,c\n1,x,2\n3,y,4\n",
        "\ufeffa,name,c\r\n1,x,2\r\n\r\n3,y,4\r\n",
        '"a","name","c"\n"1","x, y","2"\n3,"z",4\n',
    ],
)
def test_tables_with_words_blank_lines_and_quotes(text: str) -> None:
    Path("t.csv").write_text(text, encoding="utf-8", newline="")
    data = read(two('source t = csv("t.csv"); x = t[[0, 2]]; y = t.c'))
    assert arrays(data)["x"].tolist() == [[1, 2], [3, 4]]
    assert arrays(data)["y"].tolist() == [[2], [4]]


def test_columns_from_the_end_and_steps() -> None:
    Path("t.csv").write_text("1;2;3;4\n5;6;7;8\n")
    data = read(two('source t = csv("t.csv", header=false, delimiter=";"); x = t[0:4:2]; y = t[-1]'))
    assert arrays(data)["x"].tolist() == [[1, 3], [5, 7]]
    assert arrays(data)["y"].tolist() == [[4], [8]]


def test_another_file_takes_the_place_of_the_section_s_own() -> None:
    Path("other.csv").write_text("".join(f"{n},{n},{n}\n" for n in range(10)))
    data = read(two('source t = csv("t.csv", header=false); x = t[0:2] -> scale(2); y = t[2]'), "other.csv")
    assert arrays(data)["x"][3].tolist() == [6, 6]
    assert len(data.test) == 2


def test_another_archive_takes_the_place_of_the_section_s_own() -> None:
    values = np.arange(20.0).reshape(10, 2)
    np.savez("same.npz", x=values, y=np.arange(10), more=np.zeros(3))
    np.savez("other.npz", a=values, b=np.arange(10))
    same = two('source p = npz("p.npz"); x = p.x -> scale(2); y = p.y')
    other = two('source p = npz("p.npz"); x = p.a -> scale(2); y = p.b')
    assert np.array_equal(arrays(read(same, "same.npz"))["x"], 2 * values)
    assert np.array_equal(arrays(read(other, "other.npz"))["x"], 2 * values)
    assert np.array_equal(arrays(read(other, "same.npz"))["x"], values), "by name, ready for the model"


def test_columns_by_name_from_the_command_line() -> None:
    text = "model M { input x: float[2]\n output y = x -> Dense(1) with loss=mse }"
    Path("t.csv").write_text("y,x_0,x_1\n" + "".join(f"{n},{n + 1},{n + 2}\n" for n in range(10)))
    data = read(text, "t.csv")
    assert arrays(data)["x"][0].tolist() == [1, 2]
    assert arrays(data)["y"][0].tolist() == [0]


def test_a_series_goes_on_from_batch_to_batch() -> None:
    rows = series("sin", rows=12, batch=4, length=5, step=0.1)
    time = np.arange(0, 40) * 0.1
    assert np.allclose(rows[0], np.sin(time[:5]))
    for batch in (0, 4):
        for row in range(4):
            assert np.allclose(
                np.append(rows[batch + row], rows[batch + 4 + row]), np.sin(time[:10] + rows_start(batch, row))
            )
    triangle = series("triangle", rows=1, batch=1, length=5, step=math.pi / 2)[0]
    assert np.allclose(triangle, [0, 1, 0, -1, 0])


def rows_start(batch: int, row: int) -> float:
    return (batch // 4 + row) * 5 * 0.1


def test_series_fill_as_many_batches_as_the_steps_need() -> None:
    text = """model M {
    input sine: float[20, 1] with batch=4
    output cosine = sine -> LSTM(3, return_sequences=true, stateful=true) -> Dense(1) with loss=mse
    train { steps = 7 }
    data { source s = function("cos", of="sin"); sine = s.sin; cosine = s.cos }
}
"""
    data = read(text, steps=7)
    assert data.ordered
    assert data.train.rows.tolist() == list(range(28))
    assert np.allclose(arrays(data)["sine"] ** 2 + arrays(data)["cosine"] ** 2, 1, atol=1e-6)


@pytest.mark.parametrize("example", ["translate", "profile", "book", "volume", "text_cells", "ant"])
def test_random_arrays_suit_the_model(example: str) -> None:
    name = ROOT / "examples" / f"{example}.nn"
    found = pipeline.check(SourceFile(str(name), name.read_text(encoding="utf-8")), Problems())
    assert found is not None
    sizes, slots = random_sizes(found.main), slots_of(found.main)
    for slot in slots:
        values = random_array(slot, sizes, 20, seed=1)
        assert np.array_equal(values, random_array(slot, sizes, 20, seed=1))
        assert not np.array_equal(values, random_array(slot, sizes, 20, seed=2))
        if slot.ids:
            assert values.min() >= (1 if slot.ids[3] else 0) and values.max() < slot.ids[0]
    data = load(found.main, "random", batch=4, steps=None, seed=1)
    assert len(data.test) > 0


def test_built_in_sets() -> None:
    pytest.importorskip("sklearn")
    text = """model M {
    input features: float[30]
    output label = features -> Dense(1, activation=sigmoid) with loss=binary_crossentropy
    data { source s = breast_cancer() with test=0.2; features = s.features -> standardize(); label = s.label }
}
"""
    data = read(text)
    assert arrays(data)["features"].shape == (569, 30)
    assert set(np.unique(arrays(data)["label"])) == {0, 1}


def test_fixed_batches_leave_out_what_does_not_fill_one() -> None:
    np.savez("p.npz", x=np.zeros((53, 2)), y=np.zeros(53))
    text = two('source p = npz("p.npz") with test=0.2; x = p.x; y = p.y').replace("float[2]", "float[2] with batch=10")
    data = read(text)
    assert [len(data.train), len(data.test)] == [30, 20]
    assert data.notes == ["3 rows are left out: the model takes whole batches of 10"]
