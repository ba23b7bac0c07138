"""`nndsl summary`: shapes, parameters, totals, and a table that fits."""

from __future__ import annotations

import json

import pytest

from nndsl import check
from nndsl.views.summary import summarize

SHARED = """
model Twins {
    input left: float[T, 8]
    input right: float[T, 8]
    shared encoder = LSTM(4)
    output match = (left -> encoder, right -> encoder) -> Concatenate() -> Dense(1)
}
"""
FROZEN = """
model Frozen {
    options { float = float64 }
    input x: float[4]
    output y = x -> BatchNormalization() -> Dense(3, trainable=false) -> Dense(2)
}
"""
WRAPPED = """
model Wrapped {
    input x: float[5, 4]
    output y = x -> Bidirectional(LSTM(3, return_sequences=true)) -> TimeDistributed(Dense(2, trainable=false))
}
"""


def test_the_lesson_of_the_functional_api(nndsl, example):
    ran = nndsl("summary", example("functional"))
    assert ran.code == 0
    rows = {line.split()[0]: line.split() for line in ran.out.splitlines() if line}
    assert rows["label_dense"][1:] == ["Dense", "features", "[batch,", "32]", "2,080", "2,048"]
    assert rows["label_dense_2"][-2:] == ["1,056", "1,024"]
    assert "330" in ran.out and "Parameters:     3,466 (13.5 KiB, float32)" in ran.out
    assert "Multiply-adds:  3,392 for one sample" in ran.out


@pytest.mark.parametrize("name", ["functional", "profile", "siamese", "translate", "mobile"])
def test_the_table(nndsl, example, golden, monkeypatch, name):
    monkeypatch.chdir(example(name).parent)
    golden(f"golden/{name}.summary.txt", nndsl("summary", f"{name}.nn").out)


def test_free_sizes_stay_formulas_and_their_conditions_are_told(nndsl, example):
    ran = nndsl("summary", example("profile"))
    assert "[batch, (T - 244)//25, 256]" in ran.out and "163840*(T - 4)" in ran.out
    assert "Sizes must satisfy: T >= 269" in ran.out
    assert [line.split()[-2:] for line in ran.out.splitlines() if line.startswith("gender")][1] == ["10", "accuracy"]


def test_a_shared_layer_is_counted_once():
    summary = summarize(check(SHARED).main)
    calls = [row for row in summary.rows if row.name == "encoder"]
    assert [(row.call, row.calls, row.parameters) for row in calls] == [(1, 2, 4 * (8 + 4 + 1) * 4), (2, 2, 0)]
    assert [row.inputs for row in calls] == [("left",), ("right",)]
    assert summary.trainable == 4 * (8 + 4 + 1) * 4 + 9


def test_what_does_not_train_is_counted_apart(nndsl, tmp_path):
    summary = summarize(check(FROZEN).main)
    assert (summary.trainable, summary.frozen) == (2 * 4 + 3 * 2 + 2, 2 * 4 + 4 * 3 + 3)
    assert summary.size == 8 * (summary.trainable + summary.frozen)
    file = tmp_path / "frozen.nn"
    file.write_text(FROZEN)
    out = nndsl("summary", file).out
    assert "trainable:      16\n" in out and "not trainable:  23\n" in out and "(312 bytes, float64)" in out


def test_layers_inside_layers_are_counted():
    summary = summarize(check(WRAPPED).main)
    assert summary.trainable == 2 * 4 * 3 * (4 + 3 + 1)
    assert summary.frozen == 6 * 2 + 2


def test_json(nndsl, example):
    value = json.loads(nndsl("summary", example("profile"), "--format", "json").out)
    assert value["model"] == "Profile" and value["conditions"] == ["T >= 269"]
    assert value["parameters"] == value["trainable"] == sum(row["parameters"] for row in value["layers"])
    conv = next(row for row in value["layers"] if row["name"] == "features_conv1d")
    assert conv["type"] == "Conv1D" and conv["arguments"] == "128, 5, activation=relu"
    assert conv["inputs"] == ["features_embedding"]
    assert conv["results"] == [{"shape": ["batch", "T - 4", 128], "dtype": "float32"}]
    assert conv["multiply_adds"] == "163840*(T - 4)"
    assert [(o["name"], o["loss"], o["weight"]) for o in value["outputs"]] == [
        ("age", "mean_squared_error", 0.25),
        ("income", "categorical_crossentropy", 1.0),
        ("gender", "binary_crossentropy", 10.0),
    ]


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("name", ["functional", "profile", "inception", "translate"])
def test_the_table_fits_the_terminal_and_loses_nothing(nndsl, example, monkeypatch, name, width):
    whole = nndsl("summary", example(name)).out
    monkeypatch.setenv("COLUMNS", str(width))
    narrow = nndsl("summary", example(name)).out
    table = narrow.split("\n\n")[1].splitlines()
    assert max(map(len, table)) <= width
    shapes = [line.split("[batch")[1].split("]")[0] for line in whole.split("\n\n")[1].splitlines()[2:]]
    squeezed = "".join("".join(line.split()) for line in table)
    assert all(part.replace(" ", "") in squeezed for shape in shapes for part in shape.split(", ") if part.isdigit())


def test_a_model_with_submodels_names_them(nndsl, example):
    assert "submodel encoder(image) = code" in nndsl("summary", example("autoencoder")).out


def test_problems_of_the_file(nndsl, wrong, model):
    ran = nndsl("summary", wrong)
    assert ran.code == 1 and ran.out == "" and "NN0203" in ran.err
    ran = nndsl("summary", model, "--model", "Smal")
    assert ran.code == 2 and "did you mean `Small`?" in ran.err
