"""Data that does not fit, from files and from the command line: each with the message as text."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.diagnostics.render import render_text
from nndsl.runtime.dataset import Dataset, load
from nndsl.runtime.report import RunFailed
from nndsl.source import SourceFile

GOLDEN = Path(__file__).parent.parent / "cases" / "data_files"

MODEL = """model M {{
    input features: {input}
    output label = features -> {layers}
        with loss={loss}
{data}}}
"""


def program(
    data: str = "",
    input: str = "float[2]",
    layers: str = "Dense(3, activation=softmax)",
    loss: str = "sparse_categorical_crossentropy",
) -> str:
    lines = "".join(f"        {line}\n" for line in data.split("; ")) if data else ""
    section = f"    data {{\n{lines}    }}\n" if data else ""
    return MODEL.format(input=input, layers=layers, loss=loss, data=section)


def read(text: str, given: str | None = None, batch: int = 4) -> Dataset:
    problems = Problems()
    checked = pipeline.check(SourceFile("model.nn", text), problems)
    assert checked is not None, render_text(problems)
    return load(checked.main, given, batch=batch, steps=None, seed=0)


TABLE = 'source t = csv("t.csv"); features = t[0:2]; label = t[2]'
NO_HEADER = TABLE.replace('"t.csv"', '"t.csv", header=false')
ARRAYS = 'source p = npz("p.npz"); features = p.x; label = p.y'
X, Y = np.ones((6, 2)), np.arange(6) % 3
TEXT = {"input": "int[T]", "layers": "Embedding(10, 4) -> GlobalAveragePooling1D() -> Dense(3, activation=softmax)"}

# name: (program, value of --data, {file: text of a table or arrays of an archive})
CASES: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "missing_csv": (program(TABLE), None, {}),
    "missing_data_option": (program(), "nowhere.npz", {}),
    "no_data_at_all": (program(), None, {}),
    "unknown_ending": (program(), "data.pkl", {"data.pkl": "x"}),
    "bad_cell": (program(TABLE), None, {"t.csv": "a,b,c\n1,2,0\n3,four,1\n"}),
    "decimal_comma": (program(TABLE.replace('"t.csv"', '"t.csv", delimiter=";"')), None, {"t.csv": "a;b;c\n1,5;2;0\n"}),
    "empty_cell": (program(TABLE), None, {"t.csv": "a,b,c\n1,2,0\n3,,1\n"}),
    "header_not_announced": (program(NO_HEADER), None, {"t.csv": "height,weight,class\n1,2,0\n"}),
    "ragged": (program(TABLE), None, {"t.csv": "a,b,c\n1,2,0\n3,4\n"}),
    "other_delimiter": (program(TABLE), None, {"t.csv": "a;b;c\n1;2;0\n"}),
    "too_few_columns": (program(TABLE), None, {"t.csv": "a,b\n1,2\n"}),
    "unknown_column": (program(TABLE.replace("t[2]", "t.clas")), None, {"t.csv": "a,b,class\n1,2,0\n"}),
    "column_twice": (program(TABLE.replace("t[2]", "t.a")), None, {"t.csv": "a,a,c\n1,2,0\n"}),
    "empty_table": (program(TABLE), None, {"t.csv": ""}),
    "only_a_header": (program(TABLE), None, {"t.csv": "a,b,c\n"}),
    "missing_value": (program(TABLE), None, {"t.csv": "a,b,c\n1,2,0\n1,nan,0\n"}),
    "infinite_value": (program(TABLE), None, {"t.csv": "a,b,c\n1,2,0\n\n1,inf,0\n"}),
    "class_too_large": (program(TABLE), None, {"t.csv": "a,b,c\n1,2,0\n1,2,3\n1,2,3\n"}),
    "classes_from_one": (program(TABLE), None, {"t.csv": "a,b,c\n1,2,1\n1,2,2\n1,2,3\n"}),
    "class_not_an_integer": (program(TABLE), None, {"t.csv": "a,b,c\n1,2,0.5\n"}),
    "one_hot_out_of_range": (
        program(TABLE.replace("t[2]", "t[2] -> one_hot(3)"), loss="categorical_crossentropy"),
        None,
        {"t.csv": "a,b,c\n1,2,1\n1,2,2\n1,2,3\n"},
    ),
    "binary_target": (
        program(TABLE, layers="Dense(1, activation=sigmoid)", loss="binary_crossentropy"),
        None,
        {"t.csv": "a,b,c\n1,2,0\n1,2,2\n"},
    ),
    "no_rows_for_training": (
        program(TABLE.replace('csv("t.csv")', 'csv("t.csv") with test=0.9')),
        None,
        {"t.csv": "a,b,c\n1,2,0\n"},
    ),
    "not_an_archive": (program(ARRAYS), None, {"p.npz": "x,y\n1,2\n"}),
    "damaged_archive": (program(ARRAYS), None, {"p.npz": b"PK\x03\x04 broken"}),
    "unknown_array": (program(ARRAYS), None, {"p.npz": {"x": X, "Y": Y}}),
    "objects": (program(ARRAYS), None, {"p.npz": {"x": X, "y": np.array([{}, [], 1, 2, 3, 4], dtype=object)}}),
    "words": (program(ARRAYS), None, {"p.npz": {"x": X, "y": np.array(list("abcdef"))}}),
    "single_number": (program(ARRAYS), None, {"p.npz": {"x": X, "y": np.array(3)}}),
    "unequal_rows": (program(ARRAYS), None, {"p.npz": {"x": X, "y": Y[:5]}}),
    "wrong_shape": (program(ARRAYS), None, {"p.npz": {"x": np.ones((6, 3)), "y": Y}}),
    "one_hot_given": (program(ARRAYS), None, {"p.npz": {"x": X, "y": np.eye(3)[Y]}}),
    "class_ids_given": (program(ARRAYS, loss="categorical_crossentropy"), None, {"p.npz": {"x": X, "y": Y}}),
    "not_one_hot": (
        program(ARRAYS, loss="categorical_crossentropy"),
        None,
        {"p.npz": {"x": X, "y": np.eye(3)[Y] + 1}},
    ),
    "array_lacks_name": (program(), "p.npz", {"p.npz": {"feature": X, "label": Y}}),
    "embedding_id": (program(**TEXT), "p.npz", {"p.npz": {"features": np.full((6, 5), 10), "label": Y}}),
    "negative_id": (program(**TEXT), "p.npz", {"p.npz": {"features": np.full((6, 5), -1), "label": Y}}),
    "float_for_ids": (program(**TEXT), "p.npz", {"p.npz": {"features": np.full((6, 5), 0.5), "label": Y}}),
    "too_short": (
        program(input="float[T, 2]", layers="Conv1D(4, 5) -> GlobalAveragePooling1D() -> Dense(3, activation=softmax)"),
        "p.npz",
        {"p.npz": {"features": np.ones((6, 4, 2)), "label": Y}},
    ),
    "csv_too_narrow": (program(), "t.csv", {"t.csv": "1,2\n3,4\n"}),
    "reshape_at_run_time": (
        program(ARRAYS.replace("p.x", "p.x -> reshape(2)")),
        None,
        {"p.npz": {"x": np.ones((6, 3)), "y": Y}},
    ),
}


def write(folder: Path, files: dict[str, Any]) -> None:
    for name, content in files.items():
        if isinstance(content, str):
            (folder / name).write_text(content, encoding="utf-8")
        elif isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            np.savez(folder / name, **content)


@pytest.mark.parametrize("name", CASES)
def test_message(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Callable[[Path, str], None]
) -> None:
    text, given, files = CASES[name]
    write(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunFailed) as failed:
        read(text, given)
    golden(GOLDEN / f"{name}.out", render_text(failed.value.problems))


def test_a_first_line_of_numbers_is_suspicious(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"t.csv": "1,2,0\n3,4,1\n5,6,2\n"})
    monkeypatch.chdir(tmp_path)
    dataset = read(program(TABLE))
    assert dataset.rows == 2
    assert "header=false" in str(dataset.warnings[0].help)


def test_a_link_does_not_lead_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret.csv").write_text("a,b,c\n1,2,0\n")
    inner = tmp_path / "project"
    inner.mkdir()
    (inner / "t.csv").symlink_to(tmp_path / "secret.csv")
    monkeypatch.chdir(inner)
    with pytest.raises(RunFailed) as failed:
        read(program(TABLE))
    assert [item.code for item in failed.value.problems] == ["NN0608"]


def test_pickled_code_never_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "exploded",)

    write(tmp_path, {"p.npz": {"x": X, "y": np.array([Bomb()] * 6)}})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunFailed):
        read(program(ARRAYS))
    assert not (tmp_path / "exploded").exists()


def test_entries_that_are_no_arrays_or_claim_endless_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 0), }"
    hollow = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + header.ljust(117).encode() + b"\n"
    for content, code in ((b"junk", "NN0607"), (hollow, "NN0605")):
        with zipfile.ZipFile("p.npz", "w") as archive:
            archive.writestr("x.npy", content)
            archive.writestr("y.npy", content)
        with pytest.raises(RunFailed) as failed:
            read(program(ARRAYS))
        assert {item.code for item in failed.value.problems} == {code}
        assert not any("Python objects" in item.message for item in failed.value.problems)
