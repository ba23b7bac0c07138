"""Parquet, npy, IDX files, folders of pictures, text: what they give, and what is said where they cannot."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.diagnostics.render import render_text
from nndsl.ir.graph import Model
from nndsl.runtime import parquet, pictures, scratch
from nndsl.runtime.checks import Filled
from nndsl.runtime.dataset import apply, load
from nndsl.runtime.filling import Filling
from nndsl.runtime.report import RunFailed
from nndsl.source import SourceFile

GOLDEN = Path(__file__).parent.parent / "cases" / "data_readers"

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pillow = pytest.importorskip("PIL.Image")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    inner = tmp_path / "project"
    inner.mkdir()
    monkeypatch.chdir(inner)
    return inner


def program(
    data: str,
    input: str = "float[2]",
    layers: str = "Dense(3, activation=softmax)",
    loss: str = "sparse_categorical_crossentropy",
) -> str:
    lines = "".join(f"        {line}\n" for line in data.split("; "))
    return (
        f"model M {{\n    input x: {input}\n    output y = x -> {layers}\n        with loss={loss}\n"
        f"    data {{\n{lines}    }}\n}}\n"
    )


def checked(text: str) -> Model:
    problems = Problems()
    found = pipeline.check(SourceFile("model.nn", text), problems)
    assert found is not None, render_text(problems)
    return found.main


def fill(text: str, given: str | None = None) -> dict[str, Filled]:
    filled = Filling(checked(text), batch=4, steps=None, seed=0).read(given)
    return {item.slot.name: item for item in filled}


PICTURE = {"input": "float[8, 8, 3]", "layers": "Flatten() -> Dense(2, activation=softmax)"}
DIGIT = {"input": "float[28, 28]", "layers": "Flatten() -> Dense(10, activation=softmax)"}
WORDS = {"input": "int[T]", "layers": "Embedding(10, 4) -> GlobalAveragePooling1D() -> Dense(3, activation=softmax)"}
TABLE = 'source t = parquet("t.parquet"); x = t[0:2]; y = t.c'
ARRAY = 'source a = npy("x.npy"); source b = npy("y.npy"); x = a; y = b'
PETS = 'source s = images("pets", size=(8, 8)); x = s.image; y = s.label'
MNIST = 'source s = mnist("idx"); x = s.image; y = s.label'


# ------------------------------------------------------------------------------------------------ parquet


def table(**columns: Any) -> None:
    base = {"a": [1.5, 2.5, 3.5], "b": [1, 2, 3], "c": [0, 1, 2]}
    pq.write_table(pa.table({**base, **columns}), "t.parquet", row_group_size=2)


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        (pa.array([1, 2, 3], pa.int8()), [1, 2, 3]),
        (pa.array([True, False, True]), [1, 0, 1]),
        (pa.array([0.5, 1.5, 2.5], pa.float16()), [0.5, 1.5, 2.5]),
        (pa.array([2**60, 1, 2]), [2**60, 1, 2]),
        (pa.array([1, 2, 3]).cast(pa.decimal128(21, 2)), [1, 2, 3]),
        (pa.array([7, 8, 7]).dictionary_encode(), [7, 8, 7]),
        (pa.array([[1, 2], [3, 4], [5, 6]]), [[1, 2], [3, 4], [5, 6]]),
        (pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.float32(), 2)), [[1, 2], [3, 4], [5, 6]]),
    ],
    ids=["int8", "bool", "float16", "int64", "decimal", "dictionary", "list", "fixed_list"],
)
def test_columns_of_parquet(column: Any, wanted: list[Any]) -> None:
    table(z=column)
    found = fill(program('source t = parquet("t.parquet"); x = t[0:2]; y = t.z', loss="mse"))["y"].values
    assert found.tolist() == wanted
    assert found.dtype.kind == ("i" if wanted[0] == 2**60 else found.dtype.kind)


def test_columns_by_number_and_name_as_of_csv() -> None:
    pq.write_table(pa.table([[1, 2], [3, 4], [5, 6]], names=["a", "two words", "a"]), "t.parquet")
    read = 'source t = parquet("t.parquet"); x = t[[-1, 1]]; y = t["two words"]'
    found = fill(program(read))
    assert found["x"].values.tolist() == [[5, 3], [6, 4]]
    assert found["y"].values.tolist() == [3, 4]


def test_parquet_is_read_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "BATCH", 7)
    monkeypatch.setattr(scratch, "IN_MEMORY", 100)
    values = np.random.default_rng(0).normal(size=(50, 3))
    pq.write_table(pa.table({name: values[:, n] for n, name in enumerate("abc")}), "t.parquet", row_group_size=20)
    found = fill(program(TABLE))["x"].values
    assert np.array_equal(found, values[:, :2])
    assert not found.flags.writeable, "beyond its share of the memory it lies in a file"


def test_text_and_lists_of_parquet() -> None:
    table(words=["good", "bad", "good"], ids=[[1], [], [2, 3]], d=pa.array(["x", "y", "x"]).dictionary_encode())
    read = 'source t = parquet("t.parquet"); x = t.ids -> pad(3); y = t.words -> classes()'
    found = fill(program(read, **WORDS))
    assert [item.tolist() for item in found["x"].values] == [[1], [], [2, 3]]
    assert found["y"].values.tolist() == ["good", "bad", "good"]
    assert fill(program(read.replace("t.words", "t.d"), **WORDS))["y"].values.tolist() == ["x", "y", "x"]


def test_text_of_csv() -> None:
    Path("t.csv").write_text('text,stars\n"Good, really",1\nbad,\n"""quoted""",3\n')
    read = 'source t = csv("t.csv"); x = t.text -> tokens(10, length=4); y = t.stars -> classes()'
    found = fill(program(read, **WORDS))
    assert found["x"].values.tolist() == ["Good, really", "bad", '"quoted"']
    assert found["y"].values.tolist() == ["1", "", "3"]


# ----------------------------------------------------------------------------------------------------- npy


def test_two_arrays_are_mapped() -> None:
    values = np.arange(24.0, dtype=np.float32).reshape(6, 2, 2)
    np.save("x.npy", values)
    np.save("y.npy", np.arange(6) % 3)
    found = fill(program(ARRAY, input="float[2, 2]", layers="Flatten() -> Dense(3, activation=softmax)"))
    assert np.array_equal(found["x"].values, values) and found["y"].values.tolist() == [0, 1, 2, 0, 1, 2]
    assert not found["x"].values.flags.owndata, "mapped, not read"


@pytest.mark.parametrize(
    ("columns", "wanted"), [("a[0:4:2]", [0, 2]), ("a[-1]", 4), ("a[[3, 0]]", [3, 0]), ("a[1:]", [1, 2, 3, 4])]
)
def test_columns_of_an_array(columns: str, wanted: Any) -> None:
    np.save("x.npy", np.arange(10).reshape(2, 5))
    np.save("y.npy", np.arange(2))
    found = fill(program(ARRAY.replace("y = b", f"y = {columns}"), loss="mse"))["y"].values
    assert found[0].tolist() == wanted


# ----------------------------------------------------------------------------------------------------- IDX


def idx(values: Any, *, claims: tuple[int, ...] | None = None) -> bytes:
    head = bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *(claims or values.shape))
    return head + bytes(values.astype(np.uint8).tobytes())


def mnist(**changes: bytes | None) -> dict[str, bytes | None]:
    digits = np.arange(5 * 28 * 28).reshape(5, 28, 28) % 251
    files: dict[str, bytes | None] = {
        "train-images-idx3-ubyte": idx(digits),
        "train-labels-idx1-ubyte": idx(np.arange(5)),
        "t10k-images-idx3-ubyte": idx(digits[:2]),
        "t10k-labels-idx1-ubyte": idx(np.array([7, 8])),
    }
    short = {"images": "train-images-idx3-ubyte", "labels": "train-labels-idx1-ubyte"}
    return {**files, **{short[name]: content for name, content in changes.items()}}


def put(files: dict[str, bytes | None], below: str = "idx", *, packed: bool = False) -> None:
    Path(below).mkdir(exist_ok=True)
    for name, content in files.items():
        if content is not None:
            path = Path(below, name + (".gz" if packed else ""))
            path.write_bytes(gzip.compress(content) if packed else content)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("named", ["idx", "file"])
def test_idx_files(packed: bool, named: str) -> None:
    put(mnist(), packed=packed)
    name = "idx" if named == "idx" else "idx/train-images-idx3-ubyte" + (".gz" if packed else "")
    found = fill(program(MNIST.replace('"idx"', f'"{name}"'), **DIGIT))
    assert found["x"].values.shape == (7, 28, 28) and found["x"].values[1, 0, 0] == 784 % 251
    assert found["y"].values.tolist() == [0, 1, 2, 3, 4, 7, 8]
    assert found["x"].source.last == 2, "the official test part"


def test_names_of_kaggle_s_idx_files() -> None:
    put({name.replace("-idx", ".idx"): content for name, content in mnist().items()})
    assert len(fill(program(MNIST, **DIGIT))["y"].values) == 7


def test_a_gzip_bomb_is_not_unpacked() -> None:
    put(mnist(images=None))
    packer = zlib.compressobj(9, wbits=31)
    content = packer.compress(idx(np.zeros((5, 28, 28))))
    for _ in range(30):
        content += packer.compress(bytes(2**20))
    Path("idx/train-images-idx3-ubyte.gz").write_bytes(content + packer.flush())
    with pytest.raises(RunFailed) as failed:
        fill(program(MNIST, **DIGIT))
    assert "promises 3,920 bytes of data and has more" in next(iter(failed.value.problems)).message


# ------------------------------------------------------------------------------------------------ pictures


def draw(path: str, color: Any, mode: str = "RGB", size: tuple[int, int] = (8, 8), **options: Any) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    pillow.new(mode, size, color).save(path, **options)


def pets(below: str = "pets") -> None:
    draw(f"{below}/dog/b.png", (9, 9, 9))
    draw(f"{below}/cat/a.png", (255, 0, 0))
    draw(f"{below}/cat/B.JPG", (0, 0, 255), size=(20, 10))


def test_pictures_in_folders() -> None:
    pets()
    Path("pets/.DS_Store").write_text("x")
    Path("pets/cat/.hidden.png").write_text("x")
    found = fill(program(PETS, **PICTURE))
    assert found["x"].values.shape == (3, 8, 8, 3) and found["x"].values.dtype == np.uint8
    assert found["y"].values.tolist() == ["cat", "cat", "dog"]
    assert found["x"].values[1, 0, 0].tolist() == [255, 0, 0] and found["x"].values[2, 3, 3].tolist() == [9, 9, 9]
    assert np.allclose(found["x"].values[0, 4, 4], [0, 0, 255], atol=3), "capital letters sort first"


@pytest.mark.parametrize(
    ("mode", "color", "gray"), [("L", 77, 77), ("RGBA", (77, 77, 77, 9), 77), ("P", 0, 0), ("1", 1, 255)]
)
def test_modes_of_pictures(mode: str, color: Any, gray: int) -> None:
    pets()
    draw("pets/cat/a.png", color, mode)
    read = PETS.replace("size=(8, 8)", "size=(4, 6), channels=1")
    found = fill(program(read, **{**PICTURE, "input": "float[4, 6, 1]"}))["x"].values
    assert found.shape == (3, 4, 6, 1) and (found[1] == gray).all()


def test_many_pictures_lie_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "IN_MEMORY", 100)
    monkeypatch.setattr(pictures, "CHUNK", 400)
    for number in range(9):
        draw(f"pets/{'ab'[number % 2]}/{number}.png", (number, 0, 0))
    found = fill(program(PETS, **PICTURE))["x"].values
    assert not found.flags.writeable
    assert found[:, 0, 0, 0].tolist() == [0, 2, 4, 6, 8, 1, 3, 5, 7]


def test_a_test_folder_is_the_test_part() -> None:
    pets("pets/train")
    draw("pets/test/dog/1.png", (1, 2, 3))
    found = fill(program(PETS, **PICTURE))
    assert found["y"].values.tolist() == ["cat", "cat", "dog", "dog"] and found["y"].source.last == 1
    assert found["x"].values[3, 0, 0].tolist() == [1, 2, 3]


def test_another_folder_from_the_command_line() -> None:
    pets("../elsewhere")
    found = fill(program(PETS, **PICTURE), "../elsewhere")
    assert found["x"].values.shape == (3, 8, 8, 3)


def test_pictures_beside_the_folders_are_told() -> None:
    pets()
    draw("pets/stray.png", 0)
    Path("pets/cat/notes.txt").write_text("x")
    source: Any = fill(program(PETS, **PICTURE))["x"].source
    assert [item.message for item in source.folder.warnings] == ["2 files are no picture in pets, and left out"]


def test_classes_of_new_pictures_are_those_of_the_training() -> None:
    for name in ("ant", "cat", "dog"):
        draw(f"pets/{name}/1.png", (1, 2, 3))
    program_text = program(PETS, **{**PICTURE, "layers": "Flatten() -> Dense(3, activation=softmax)"})
    data = load(checked(program_text), None, batch=4, steps=None, seed=0)
    assert data.classes == {"y": ["ant", "cat", "dog"]}
    assert data.train.take(slice(None))["y"].tolist() == data.train.rows.tolist()
    draw("new/dog/1.png", (1, 2, 3))
    draw("new/cat/1.png", (1, 2, 3))
    new = apply(checked(program_text), "new", data.learnt)
    assert new.take(slice(None))["y"].tolist() == [1, 2]
    draw("new/emu/1.png", (1, 2, 3))
    with pytest.raises(RunFailed) as failed:
        apply(checked(program_text), "new", data.learnt)
    (problem,) = failed.value.problems
    assert problem.message == "`emu/1.png` of `label` of new is `emu`, which is none of the named classes"


def test_pictures_without_classes_for_a_model_that_asks_for_none() -> None:
    pets()
    data = load(checked(program(PETS, **PICTURE)), None, batch=4, steps=None, seed=0)
    draw("new/2.png", (2, 0, 0))
    draw("new/1.png", (1, 0, 0))
    draw("new/more/3.png", (3, 0, 0))
    new = apply(checked(program(PETS, **PICTURE)), "new", data.learnt, inputs_only=True)
    assert new.take(slice(None))["x"][:, 0, 0, 0].tolist() == [1, 2, 3]


def test_columns_of_parquet_by_the_names_of_inputs_and_outputs() -> None:
    pq.write_table(pa.table({"y": [0, 1], "x_1": [1.5, 2.5], "x_0": [3, 4]}), "named.parquet")
    found = fill(program(TABLE).split("    data {")[0] + "}\n", "named.parquet")
    assert found["x"].values.tolist() == [[3, 1.5], [4, 2.5]] and found["y"].values.tolist() == [0, 1]


# ------------------------------------------------------------------------------------------------ messages


def png_of_size(width: int, height: int) -> bytes:
    """A picture that claims a size."""
    stream = io.BytesIO()
    pillow.new("L", (1, 1)).save(stream, "PNG")
    found = bytearray(stream.getvalue())
    found[16:24] = struct.pack(">II", width, height)
    found[29:33] = struct.pack(">I", zlib.crc32(found[12:29]))
    return bytes(found)


def array(x: Any = None, y: Any = None) -> None:
    np.save("x.npy", np.ones((6, 2)) if x is None else x)
    np.save("y.npy", np.arange(6) % 3 if y is None else y)


def link(path: str, target: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).symlink_to(target)


def with_secret() -> None:
    draw("../secret/1.png", 0)
    pets()


def npy_header(shape: str) -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + header.ljust(117).encode() + b"\n"


def write(path: str, content: bytes) -> Callable[[], None]:
    def make() -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)

    return make


def both(*makers: Callable[[], Any]) -> Callable[[], None]:
    def make() -> None:
        for maker in makers:
            maker()

    return make


def rows(**columns: Any) -> Callable[[], None]:
    return lambda: table(**columns)


LATE = 'source t = parquet("t.parquet"); x = t[0:2]; y = t.z'

# name: (program, what makes the files)
CASES: dict[str, tuple[str, Callable[[], Any]]] = {
    "parquet_missing": (program(TABLE), lambda: None),
    "parquet_of_text": (program(TABLE), write("t.parquet", b"a,b,c\n1,2,3\n")),
    "parquet_damaged": (program(TABLE), write("t.parquet", b"PAR1" + bytes(200) + b"\x10\x00\x00\x00PAR1")),
    "parquet_null": (program(LATE), rows(z=[1, None, 2])),
    "parquet_null_in_a_list": (program(LATE, loss="mse"), rows(z=[[1, 2], [3, 4], [5, None]])),
    "parquet_words": (program(LATE), rows(z=["good", "bad", "good"])),
    "parquet_times": (program(LATE), rows(z=pa.array([0, 1, 2], pa.timestamp("s")))),
    "parquet_records": (program(LATE), rows(z=[{"u": 1}, {"u": 2}, {"u": 3}])),
    "parquet_unequal_lists": (program(LATE, loss="mse"), rows(z=[[1, 2], [3, 4], [5]])),
    "parquet_lists_among_columns": (program(TABLE.replace("t[0:2]", "t[[0, 3]]")), rows(z=[[1], [2], [3]])),
    "parquet_no_column": (program(TABLE.replace("t.c", "t.clas")), rows(clasp=[1, 2, 3])),
    "parquet_column_out_of_range": (program(TABLE.replace("t.c", "t[3]")), rows()),
    "parquet_no_row": (program(TABLE), lambda: pq.write_table(pa.table({"a": pa.array([], pa.int8())}), "t.parquet")),
    "parquet_numbers_for_tokens": (
        program('source t = parquet("t.parquet"); x = t.a -> tokens(9, length=3); y = t.c', **WORDS),
        rows(),
    ),
    "text_of_two_columns": (
        program('source t = csv("t.csv"); x = t[0:] -> tokens(9, length=3); y = t.b', **WORDS),
        write("t.csv", b"a,b\ngood,1\n"),
    ),
    "words_in_csv": (program('source t = csv("t.csv"); x = t[0:2]; y = t.c'), write("t.csv", b"a,b,c\n1,2,cat\n")),
    "npy_missing": (program(ARRAY), lambda: np.save("y.npy", np.ones(6))),
    "npy_of_an_archive": (
        program(ARRAY),
        both(array, lambda: np.savez("x", x=1), lambda: Path("x.npz").rename("x.npy")),
    ),
    "npy_cut_off": (program(ARRAY), both(array, write("x.npy", npy_header("(6, 2)") + bytes(20)))),
    "npy_of_endless_rows": (program(ARRAY), both(array, write("x.npy", npy_header("(1000000000000, 0)")))),
    "npy_of_objects": (program(ARRAY), lambda: array(y=np.array([{}, [], 1, 2, 3, 4], dtype=object))),
    "npy_of_words": (program(ARRAY), lambda: array(y=np.array(list("abcdef")))),
    "npy_no_column": (program(ARRAY.replace("x = a", "x = a[0:3]")), array),
    "npy_columns_of_one_number": (program(ARRAY.replace("y = b", "y = b[0]")), array),
    "idx_missing_file": (program(MNIST, **DIGIT), lambda: put(mnist(labels=None))),
    "idx_of_labels_for_pictures": (program(MNIST, **DIGIT), lambda: put(mnist(images=idx(np.arange(5))))),
    "idx_cut_off": (program(MNIST, **DIGIT), lambda: put(mnist(images=idx(np.zeros((5, 28, 28)))[:-10]))),
    "idx_claims_much": (
        program(MNIST, **DIGIT),
        lambda: put(mnist(images=idx(np.zeros((1, 28, 28)), claims=(2**32 - 1, 28, 28)))),
    ),
    "idx_of_another_size": (program(MNIST, **DIGIT), lambda: put(mnist(images=idx(np.zeros((5, 32, 32)))))),
    "idx_fewer_labels": (program(MNIST, **DIGIT), lambda: put(mnist(labels=idx(np.arange(4))))),
    "idx_no_gzip": (
        program(MNIST, **DIGIT),
        both(lambda: put(mnist(images=None)), write("idx/train-images-idx3-ubyte.gz", b"no gzip")),
    ),
    "idx_link_leads_out": (
        program(MNIST, **DIGIT),
        both(
            lambda: put(mnist(images=None)),
            write("../secret", b"x"),
            lambda: link("idx/train-images-idx3-ubyte", "../../secret"),
        ),
    ),
    "images_missing": (program(PETS, **PICTURE), lambda: None),
    "images_of_a_file": (program(PETS, **PICTURE), write("pets", b"x")),
    "images_without_classes": (program(PETS, **PICTURE), lambda: draw("pets/1.png", 0)),
    "images_empty_class": (program(PETS, **PICTURE), both(pets, lambda: Path("pets/emu").mkdir())),
    "images_damaged": (
        program(PETS, **PICTURE),
        both(pets, write("pets/cat/a.png", b"\x89PNG\r\n\x1a\n broken"), write("pets/dog/c.jpg", b"no picture")),
    ),
    "images_bomb": (program(PETS, **PICTURE), both(pets, write("pets/cat/a.png", png_of_size(60_000, 60_000)))),
    "images_large": (program(PETS, **PICTURE), both(pets, write("pets/cat/a.png", png_of_size(10_000, 9_000)))),
    "images_of_16_bits": (program(PETS, **PICTURE), both(pets, lambda: draw("pets/cat/a.png", 700, "I;16"))),
    "images_link_leads_out": (
        program(PETS, **PICTURE),
        both(with_secret, lambda: link("pets/cat/z.png", "../../../secret/1.png")),
    ),
    "images_class_links_out": (program(PETS, **PICTURE), both(with_secret, lambda: link("pets/emu", "../../secret"))),
    "images_own_test_part": (
        program(PETS.replace("; x", " with test=0.2; x", 1), **PICTURE),
        both(lambda: pets("pets/train"), lambda: pets("pets/test")),
    ),
    "images_new_class_in_test": (
        program(PETS, **PICTURE),
        both(lambda: pets("pets/train"), lambda: draw("pets/test/emu/1.png", 0)),
    ),
    "images_train_test_and_more": (
        program(PETS, **PICTURE),
        both(lambda: pets("pets/train"), lambda: pets("pets/test"), lambda: pets("pets/cat")),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_message(name: str, golden: Callable[[Path, str], None]) -> None:
    text, make = CASES[name]
    make()
    with pytest.raises(RunFailed) as failed:
        fill(text)
    golden(GOLDEN / f"{name}.out", render_text(failed.value.problems))


def test_parquet_of_random_bytes_never_ends_in_a_traceback() -> None:
    table(ids=[[1], [], [2, 3]], words=["good", "bad", "good"])
    content = Path("t.parquet").read_bytes()
    rng = np.random.default_rng(7)
    failed = 0
    for _ in range(150):
        bad = bytearray(content)
        for place in rng.integers(0, len(bad), rng.integers(1, 6)):
            bad[place] = rng.integers(256)
        Path("t.parquet").write_bytes(bad)
        try:
            fill(program('source t = parquet("t.parquet"); x = t[0:2]; y = t.words -> classes()'))
            fill(program('source t = parquet("t.parquet"); x = t.ids -> pad(3); y = t.c', **WORDS))
        except RunFailed:
            failed += 1
    assert failed > 20
