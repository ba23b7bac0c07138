"""Data that does not fit, from files and from the command line: each with the message as text."""

from __future__ import annotations

import io
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.diagnostics.render import render_text
from nndsl.runtime import archives, columns, scratch
from nndsl.runtime.dataset import Dataset, apply, load
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

PIPE, LINK = object(), object()
TWO_LENGTHS = """model M {
    input a: float[T]
    input b: float[T]
    output y = (a, b) -> Add() -> Reshape((-1, 1)) -> GlobalAveragePooling1D() with loss=mse
}
"""


class Raw(bytes):
    """An entry of an archive that is no array, or an odd one."""


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def header(shape: tuple[int, ...]) -> bytes:
    """The beginning of an array that claims to have this shape."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return stream.getvalue() + b"\0" * 64


def damaged(x: np.ndarray, y: np.ndarray) -> bytes:
    """An archive with a flipped bit in the numbers of `y`."""
    stream = io.BytesIO()
    np.savez(stream, x=x, y=y)
    content = bytearray(stream.getvalue())
    content[content.rindex(y.tobytes()) + 8] ^= 64
    return bytes(content)


def bomb(size: int) -> bytes:
    """A small archive whose array claims to have that many bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("features.npy", header((size // 8, 2)))
        archive.writestr("label.npy", npy(Y))
        info = archive.infolist()[0]
        info.file_size = size  # as a bomb's own list says, which is written when the archive is closed
    return stream.getvalue()


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
    "damaged_member": (program(ARRAYS), None, {"p.npz": damaged(X, Y)}),
    "truncated_npy": (program(), "new.npy", {"new.npy": npy(X)[:-40]}),
    "huge_claim": (program(), "new.npy", {"new.npy": header((10**9, 2))}),
    "negative_shape": (program(), "new.npy", {"new.npy": header((-1, 2))}),
    "no_npy": (program(), "new.npy", {"new.npy": b"hello"}),
    "empty_npy": (program(), "new.npy", {"new.npy": b""}),
    "npy_is_archive": (program(), "new.npy", {"new.npy": b"PK\x03\x04 and more"}),
    "npy_of_objects": (program(), "new.npy", {"new.npy": npy(np.array([{}, []], dtype=object))}),
    "npy_of_words": (program(), "new.npy", {"new.npy": npy(np.array(["a", "b"]))}),
    "npy_of_times": (program(), "new.npy", {"new.npy": npy(np.array(["2020-01-01"], "M8[D]"))}),
    "npy_of_records": (program(), "new.npy", {"new.npy": npy(np.zeros(3, [("a", "f4"), ("b", "i4")]))}),
    "npy_of_complex": (program(), "new.npy", {"new.npy": npy(np.ones((3, 2), complex))}),
    "npy_for_two": (program(), "x.npy", {"x.npy": npy(X)}),
    "npz_is_npy": (program(), "p.npz", {"p.npz": npy(X)}),
    "empty_archive": (program(), "p.npz", {"p.npz": {}}),
    "no_rows": (program(), "p.npz", {"p.npz": {"features": X[:0], "label": Y[:0]}}),
    "zip_bomb": (program(), "p.npz", {"p.npz": bomb(6 * 2**30)}),
    "claim_beyond_entry": (program(), "p.npz", {"p.npz": {"features": Raw(header((10**7, 2))), "label": Y}}),
    "folder_for_data": (program(), "things", {"things": None}),
    "folder_as_npz": (program(), "p.npz", {"p.npz": None}),
    "folder_as_csv": (program(TABLE), None, {"t.csv": None}),
    "pipe": (program(), "p.npz", {"p.npz": PIPE}),
    "pipe_as_csv": (program(TABLE), None, {"t.csv": PIPE}),
    "dead_link": (program(), "t.csv", {"t.csv": LINK}),
    "similar_name": (program(), "point.npz", {"points.npz": {"features": X}}),
    "nul_in_name": (program(), "a\0.npz", {}),
    "csv_is_npz": (program(), "t.csv", {"t.csv": b"PK\x03\x04\xff\xfe\xff"}),
    "csv_in_utf16": (program(TABLE), None, {"t.csv": "a,b,c\n1,2,0\n".encode("utf-16")}),
    "csv_in_latin1": (program(TABLE), None, {"t.csv": "größe,b,c\n1,2,0\n".encode("latin-1")}),
    "csv_with_nul": (program(TABLE), None, {"t.csv": "a,b,c\n1,\0,0\n"}),
    "open_quote": (program(TABLE), None, {"t.csv": 'a,b,c\n1,"2,0\n3,4,1\n'}),
    "text_behind_quote": (program(TABLE), None, {"t.csv": 'a,b,c\n1,"2"x,0\n'}),
    "only_blank_lines": (program(TABLE), None, {"t.csv": "\n\n  \n"}),
    "too_many_cells": (program(TABLE), None, {"t.csv": "a,b,c\n1,2,0\n1,2,0,4\n"}),
    "line_in_quotes": (program(TABLE), None, {"t.csv": 'a,b,c\n1,2,0\n1,"\n",0\n'}),
    "underscore": (program(TABLE), None, {"t.csv": "a,b,c\n1_000,2,0\n"}),
    "words_in_table": (program(TABLE), None, {"t.csv": "a,b,c\n1,2,cat\n"}),
    "endless_line": (program(TABLE), None, {"t.csv": "1," * (9 * 2**20)}),
    "too_many_columns": (program(TABLE), None, {"t.csv": "1," * 100_001}),
    "large_number": (program(TABLE), None, {"t.csv": "a,b,c\n1e300,2,0\n"}),
    "several_at_once": (program(TABLE), None, {"t.csv": "a,b,c\n1,nan,7\n1,2,0.5\n1,inf,nan\n"}),
    "missing_before_standardize": (
        program(TABLE.replace("t[0:2]", "t[0:2] -> standardize()")),
        None,
        {"t.csv": "a,b,c\n1,2,0\n1,nan,0\n"},
    ),
    "minus_one_and_one": (
        program(TABLE, layers="Dense(1, activation=sigmoid)", loss="binary_crossentropy"),
        None,
        {"t.csv": "a,b,c\n1,2,1\n1,2,-1\n"},
    ),
    "minus_one_and_one_as_classes": (
        program(TABLE, layers="Dense(2, activation=softmax)"),
        None,
        {"t.csv": "a,b,c\n1,2,1\n1,2,-1\n"},
    ),
    "not_for_training_batch": (
        program(TABLE, input="float[2] with batch=8"),
        None,
        {"t.csv": "a,b,c\n1,2,1\n"},
    ),
    "embedding_of_fractions": (
        program(TABLE, input="int32[2]", layers="Embedding(4, 2) -> Flatten() -> Dense(3, activation=softmax)"),
        None,
        {"t.csv": "a,b,c\n1,4,1\n0.5,1,1\n"},
    ),
    "two_lengths": (
        TWO_LENGTHS,
        "p.npz",
        {"p.npz": {"a": np.ones((4, 5)), "b": np.ones((4, 6)), "y": np.ones(4)}},
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


def read_case(text: str, given: str | None) -> None:
    """As for a run, or, where the file is called new.npy, for predictions."""
    if given == "new.npy":
        problems = Problems()
        checked = pipeline.check(SourceFile("model.nn", text), problems)
        assert checked is not None, render_text(problems)
        apply(checked.main, given, {}, inputs_only=True)
    else:
        read(text, given)


def write(folder: Path, files: dict[str, Any]) -> None:
    for name, content in files.items():
        if isinstance(content, str):
            (folder / name).write_text(content, encoding="utf-8")
        elif isinstance(content, bytes):
            (folder / name).write_bytes(content)
        elif content is None:
            (folder / name).mkdir()
        elif content is PIPE:
            os.mkfifo(folder / name)
        elif content is LINK:
            (folder / name).symlink_to("nowhere")
        else:
            with zipfile.ZipFile(folder / name, "w") as archive:
                for entry, array in content.items():
                    archive.writestr(f"{entry}.npy", array if isinstance(array, Raw) else npy(array))


@pytest.mark.parametrize("name", CASES)
def test_message(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Callable[[Path, str], None]
) -> None:
    text, given, files = CASES[name]
    write(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunFailed) as failed:
        read_case(text, given)
    golden(GOLDEN / f"{name}.out", render_text(failed.value.problems))


SPLIT = TABLE.replace('csv("t.csv")', 'csv("t.csv") with test=0.2, validation=0.1')
GOOD = "a,b,c\n" + "1,2,0\n3,4,1\n5,6,2\n" * 4
FOLDS = program(TABLE)[:-2] + "    train { cross_validation = KFold(3) }\n}\n"

# name: (program, files of the command line by part, {file: content})
OTHER_FILES: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
    "test_twice": (program(SPLIT), {"test": "v.csv"}, {"t.csv": GOOD, "v.csv": GOOD}),
    "validation_and_test_twice": (
        program(SPLIT), {"validation": "v.csv", "test": "v.csv"}, {"t.csv": GOOD, "v.csv": GOOD}
    ),
    "validation_split_and_a_file": (
        program(TABLE)[:-2] + "    train { validation_split = 0.1 }\n}\n",
        {"validation": "v.csv"},
        {"t.csv": GOOD, "v.csv": GOOD},
    ),
    "folds_and_a_file": (FOLDS, {"test": "v.csv"}, {"t.csv": GOOD, "v.csv": GOOD}),
    "own_test_part_and_a_file": (
        program('source d = mnist(); features = d.image -> reshape(784); label = d.label', input="float[784]",
                layers="Dense(10, activation=softmax)"),
        {"test": "v.npz"},
        {},
    ),
    "validation_is_missing": (program(TABLE), {"validation": "v.csv"}, {"t.csv": GOOD}),
    "two_files_are_missing": (program(TABLE), {"test": "v.csv"}, {}),
    "test_is_narrower": (program(TABLE), {"test": "v.csv"}, {"t.csv": GOOD, "v.csv": "a,c\n1,0\n"}),
    "test_is_wrong": (program(TABLE), {"test": "v.csv"}, {"t.csv": GOOD, "v.csv": "a,b,c\n1,nan,0\n1,2,9\n"}),
    "test_is_of_another_size": (
        program(input="float[T, 1]", layers="GlobalAveragePooling1D() -> Dense(3, activation=softmax)",
                data='source p = npz("p.npz"); features = p.x -> reshape(-1, 1); label = p.y'),
        {"test": "v.npz"},
        {"p.npz": {"x": np.ones((6, 5)), "y": Y}, "v.npz": {"x": np.ones((6, 4)), "y": Y}},
    ),
    "unknown_class_in_test": (
        program(TABLE.replace("t[2]", "t[2] -> one_hot(3)"), loss="categorical_crossentropy"),
        {"test": "v.csv"},
        {"t.csv": GOOD, "v.csv": "a,b,c\n1,2,3\n"},
    ),
}  # fmt: skip

PIXELS = {"x": (np.arange(6 * 64) % 256).reshape(6, 8, 8).astype(np.uint8), "y": Y}
BINARY = {"layers": "Dense(1)", "loss": "hinge"}
REGRESSION = {"layers": "Dense(1)", "loss": "mse, metrics=[accuracy]"}

# name: (program, {file: content})
SUSPICIOUS: dict[str, tuple[str, dict[str, Any]]] = {
    "pixels": (
        program(ARRAYS, input="float[8, 8]", layers="Flatten() -> Dense(3, activation=softmax)"),
        {"p.npz": PIXELS},
    ),
    "constant_target": (program(TABLE), {"t.csv": "a,b,c\n1,2,1\n3,4,1\n"}),
    "hinge_of_numbers": (program(TABLE, **BINARY), {"t.csv": "a,b,c\n1,2,0.5\n3,4,7\n"}),
    "accuracy_of_numbers": (program(TABLE, **REGRESSION), {"t.csv": "a,b,c\n1,2,0.25\n3,4,7\n"}),
    "numbers_for_names": (program(TABLE), {"t.csv": "1,2,0\n3,4,1\n5,6,2\n"}),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_message_of_other_files(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Callable[[Path, str], None]
) -> None:
    text, given, files = OTHER_FILES[name]
    write(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    problems = Problems()
    checked = pipeline.check(SourceFile("model.nn", text), problems)
    assert checked is not None, render_text(problems)
    with pytest.raises(RunFailed) as failed:
        load(checked.main, None, batch=4, steps=None, seed=0, **given)
    golden(GOLDEN / f"{name}.out", render_text(failed.value.problems))


@pytest.mark.parametrize("name", SUSPICIOUS)
def test_warning(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Callable[[Path, str], None]
) -> None:
    text, files = SUSPICIOUS[name]
    write(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    golden(GOLDEN / f"{name}.out", render_text(read(text).warnings))


@pytest.mark.parametrize(
    ("text", "files"),
    [
        (program(ARRAYS.replace("p.x", "p.x -> scale(1 / 255)"), input="float[8, 8]",
                 layers="Flatten() -> Dense(3, activation=softmax)"), {"p.npz": PIXELS}),
        (program(ARRAYS, input="float[8, 8]", layers="Flatten() -> Rescaling(1 / 255) -> Dense(3, activation=softmax)"),
         {"p.npz": PIXELS}),
        (program(TABLE, **BINARY), {"t.csv": "a,b,c\n1,2,0\n3,4,1\n"}),
        (program(TABLE, **REGRESSION), {"t.csv": "a,b,c\n1,2,0\n3,4,1\n"}),
    ],
)  # fmt: skip
def test_no_warning(text: str, files: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    assert read(text).warnings == []


@pytest.mark.parametrize("kind", [">f8", "<f2", "u1", "?", ">i2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_any_machine_are_read(kind: str, order: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    values = np.random.default_rng(0).integers(0, 2, (6, 2))
    np.save("new.npy", np.array(values, dtype=kind, order="F" if order == "F" else "C"))
    checked = pipeline.check(SourceFile("model.nn", program()), Problems())
    assert checked is not None
    found = apply(checked.main, "new.npy", {}, inputs_only=True).take(slice(None))["features"]
    assert found.dtype == np.dtype("float32") and found.tolist() == values.tolist()


@pytest.mark.parametrize("kind", ["t.csv", "p.npz", "new.npy"])
def test_a_file_that_may_not_be_read(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {kind: GOOD})
    real = open

    def refusing(path: Any, *rest: Any, **options: Any) -> Any:
        if str(path).endswith(kind):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *rest, **options)

    monkeypatch.setattr("builtins.open", refusing)  # root, who runs tests in containers, may read all there is
    monkeypatch.setattr("io.open", refusing)
    with pytest.raises(RunFailed) as failed:
        read_case(program(TABLE if kind == "t.csv" else ""), None if kind == "t.csv" else kind)
    (problem,) = failed.value.problems
    assert problem.message == f"`{kind}` cannot be read: permission denied" and problem.help


PIECES = b"nan inf \" \n , ; \0 \xff 1e999 - 'shape':( 10000000000 |O <f8 1_0 (((((( \xef\xbb\xbf".split(b" ")
TABLE_MODEL = program(
    'source t = csv("t.csv") with test=0.2; features = t[0:2] -> standardize(); label = t[2] -> one_hot(3)',
    loss="categorical_crossentropy",
)


@pytest.mark.parametrize("kind", ["t.csv", "p.npz", "new.npy"])
@pytest.mark.parametrize("large", [False, True])
@pytest.mark.filterwarnings("error")
def test_damaged_files_end_with_a_message(
    kind: str, large: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if large:
        monkeypatch.setattr(archives, "MAP_FROM", 10)
        monkeypatch.setattr(columns, "RESIDENT_BYTES", 100)
        monkeypatch.setattr(scratch, "IN_MEMORY", 100)
    whole = {"t.csv": GOOD.encode(), "p.npz": archive(), "new.npy": npy(X)}[kind]
    checked = pipeline.check(SourceFile("model.nn", TABLE_MODEL if kind == "t.csv" else program()), Problems())
    assert checked is not None
    chance = random.Random(7)
    wrong = 0
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(chance.choice((1, 1, 2, 5))):
            at = chance.randrange(len(content) + 1)
            change = chance.randrange(4)
            if change == 0 and at < len(content):
                content[at] = chance.randrange(256)
            elif change == 1:
                del content[at : at + chance.randrange(1, 20)]
            elif change == 2:
                content[at:at] = chance.choice(PIECES)
            else:
                content[at:at] = content[at : at + chance.randrange(30)]
        Path(kind).write_bytes(content)
        try:
            if kind == "new.npy":
                apply(checked.main, kind, {}, inputs_only=True).take(slice(None))
            else:
                given = None if kind == "t.csv" else kind
                load(checked.main, given, batch=4, steps=None, seed=0).train.take(slice(None))
        except RunFailed as failed:
            wrong += 1
            assert render_text(failed.problems)
    assert 20 < wrong < 150


def archive() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, features=X, label=Y)
    return stream.getvalue()


def test_the_corpus_is_large() -> None:
    assert len(CASES) + len(OTHER_FILES) + len(SUSPICIOUS) >= 100


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
