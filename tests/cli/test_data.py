"""`nndsl data`: what the data of a model hold; and where data come from on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

TABLE = """model Kinds {
    input features: float[2]
    output kind = features -> Dense(3, activation=softmax) with loss=sparse_categorical_crossentropy
    train { seed = 1 }
    data {
        source t = csv("t.csv") with test=0.5
        features = t[0:2] -> standardize()
        kind = t.c
    }
}
"""
WORDS = """model Words {
    input text: int32[T]
    output mood = text -> Embedding(50, 4) -> GlobalAveragePooling1D() -> Dense(1, activation=sigmoid)
        with loss=binary_crossentropy
}
"""
GOOD = "a,b,c\n" + "1,2,0\n3,4,1\n5,6,1\n7,8,2\n" * 3


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.nn").write_text(TABLE)
    (tmp_path / "t.csv").write_text(GOOD)
    return tmp_path


def test_numbers_of_all_columns(nndsl, table):
    ran = nndsl("data", "table.nn", "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(ran.out)
    assert found["parts"] == {"training": 6, "test": 6} and found["sources"] == ["t.csv"]
    features, kind = found["arrays"]
    assert (features["name"], features["what"], features["shape"]) == ("features", "input", [2])
    assert (features["min_before"], features["max_before"], features["missing"]) == (1, 8, 0)
    assert features["transforms"] == ["standardize"] and features["min"] < 0 < features["max"]
    values = np.loadtxt("t.csv", delimiter=",", skiprows=1)[:, 2]
    assert kind["mean"] == pytest.approx(values.mean()) and kind["deviation"] == pytest.approx(values.std())
    assert kind["zero_share"] == 0.25
    counts = [sum(part.get(name, 0) for part in kind["classes"].values()) for name in "012"]
    assert counts == [3, 6, 3]


def test_wrong_data_are_shown_and_told(nndsl, table):
    Path("t.csv").write_text(GOOD + "nan,2,0\n1,2,9\n")
    ran = nndsl("data", "table.nn")
    assert ran.code == 1
    row = next(line.split() for line in ran.out.splitlines() if line.lstrip().startswith("features"))
    assert row[-1] == "1", "one value is missing"
    assert ran.err.count("error[NN0606]") == 2 and "t.csv:14:1" in ran.err and "t.csv:15:5" in ran.err


def test_the_use_of_a_vocabulary(nndsl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("words.nn").write_text(WORDS)
    np.savez("w.npz", text=np.arange(40).reshape(10, 4) % 17, mood=np.arange(10) % 2)
    ran = nndsl("data", "words.nn", "--data", "w.npz")
    assert ran.code == 0 and "17 of the 50 ids that the Embedding takes" in ran.out


def test_pictures(nndsl, example, tmp_path):
    image = pytest.importorskip("PIL.Image")
    ran = nndsl("data", example("digits"), "--images", tmp_path / "grid.png")
    assert ran.code == 0 and "classes of `label`, training:" in ran.out
    with image.open(tmp_path / "grid.png") as drawn:
        pixels = np.asarray(drawn.convert("L"))
    assert pixels.shape == (6 * (64 + 8 + 14) + 8, 8 * (64 + 8) + 8)
    from sklearn.datasets import load_digits

    found = nndsl("data", example("digits"), "--format", "json")
    assert json.loads(found.out)["parts"] == {"training": 1438, "test": 359}
    first = pixels[8 : 8 + 64 : 8, 8 : 8 + 64 : 8]
    scans = load_digits().images * 255 / 16
    assert min(np.abs(scan - first).max() for scan in scans) < 1, "the first picture is one of the scans"


def test_a_model_without_pictures_has_no_grid(nndsl, table):
    ran = nndsl("data", "table.nn", "--images", "grid.png")
    assert ran.code == 2 and "takes no pictures" in ran.err and not Path("grid.png").exists()


def test_a_table_from_the_standard_input(process, table):
    whole = process("data", "table.nn", "--format", "json")
    piped = process("data", "table.nn", "--data", "-", "--format", "json", input=GOOD)
    assert piped.returncode == 0, piped.stderr
    found, wanted = json.loads(piped.stdout), json.loads(whole.stdout)
    assert found["sources"] == ["the standard input"]
    assert [a["mean"] for a in found["arrays"]] == [a["mean"] for a in wanted["arrays"]]
    twice = process("data", "-", "--data", "-", input=GOOD)
    assert twice.returncode == 2 and "both read the standard input" in twice.stderr


def test_a_run_with_files_of_their_own(nndsl, table):
    Path("table.nn").write_text(TABLE.replace(" with test=0.5", ""))
    Path("v.csv").write_text("a,b,c\n" + "1,2,0\n" * 5)
    Path("h.csv").write_text("a,b,c\n" + "1,2,0\n" * 7)
    ran = nndsl("data", "table.nn", "--validation", "v.csv", "--test", "h.csv")
    assert ran.code == 0 and "parts: 12 training, 5 validation, 7 test" in ran.out
    assert "12 rows of" not in ran.out and "t.csv, v.csv, h.csv" in ran.out
    ran = nndsl("run", "table.nn", "--validation", "v.csv", "--test", "h.csv", "--epochs", "2")
    assert ran.code == 0
    assert "held-out data, 7 samples" in ran.out and "val_loss" in ran.out
