"""Hostile data files: a message at a place or plain data, never a traceback, code that runs, or memory without end."""

from __future__ import annotations

import io
import os
import pickle
import resource
import signal
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.cli.main import main

pytest.importorskip("torch")
pillow = pytest.importorskip("PIL.Image")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

MODEL = """model M {{
    input x: float[{size}]
    output y = x -> {layers}Dense(3, activation=softmax) with loss=sparse_categorical_crossentropy
    data {{
        {data}
    }}
    train {{ optimizer = SGD(0.1); epochs = 1 }}
}}
"""
SOURCES = {
    "csv": 'source t = csv("t.csv"); x = t[0:2]; y = t.c',
    "parquet": 'source t = parquet("t.parquet"); x = t[0:2]; y = t.c',
    "npz": 'source p = npz("p.npz"); x = p.x; y = p.y',
    "npy": 'source a = npy("x.npy"); source b = npy("y.npy"); x = a; y = b',
    "idx": 'source m = mnist("idx"); x = m.image; y = m.label',
    "images": 'source i = images("pets", size=(8, 8)); x = i.image; y = i.label',
}
SIZES = {"idx": "28, 28", "images": "8, 8, 3"}
X, Y = np.ones((6, 2), np.float32), np.arange(6) % 3


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def head(text: str, data: bytes = bytes(48)) -> bytes:
    """An array whose header is that text."""
    raw = text.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(raw) + 1) + raw + b"\n" + data


def shaped(shape: str, descr: str = "'<f4'") -> bytes:
    return head(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}")


class Evil:
    """Unpickled, it would write a file."""

    def __reduce__(self) -> Any:
        return open, ("canary", "w")


def zipped(entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return stream.getvalue()


def arrays(x: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    return zipped([("x.npy", x), ("y.npy", npy(Y))], method)


def changed(data: bytes, **fields: tuple[int, str, int]) -> bytes:
    """The archive with fields of the first entry of its directory changed: (offset, kind, value)."""
    found = bytearray(data)
    start = found.index(b"PK\x01\x02")
    for at, kind, value in fields.values():
        struct.pack_into(kind, found, start + at, value)
    return bytes(found)


def long_header() -> bytes:
    """Some MB of an archive, which unpack to a header that says it has 3 GB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    size = 3 * 2**30
    first = b"\x93NUMPY\x02\x00" + struct.pack("<I", size)
    packed = [packer.compress(first) + packer.flush(zlib.Z_FULL_FLUSH)]
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed += [block] * (size >> 20)
    data = b"".join(packed)
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 33, 0, len(data), size, 5, 0) + b"x.npy"
    entry = struct.pack(
        "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 8, 0, 33, 0, len(data), size, 5, 0, 0, 0, 0, 0, 0
    )  # fmt: skip
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(entry) + 5, len(local) + len(data), 0)
    return local + data + entry + b"x.npy" + end


def lzma_claim() -> bytes:
    data = bytearray(arrays(npy(X), zipfile.ZIP_LZMA))
    at = data.index(b"x.npy") + 5
    struct.pack_into("<I", data, at + 5, 0xFFFFFFF0)  # the size of its dictionary
    return bytes(data)


NPY: dict[str, bytes] = {
    "object": npy(np.array([Evil()] * 6)), "pickle": pickle.dumps(Evil()), "code": head("__import__('os').abort()"),
    "code as a shape": shaped("__import__('os').abort()"), "code as a type": shaped("(6, 2)", "'O&__import__'"),
    "comprehension": shaped("tuple(6 for _ in range(10**9))"), "power": shaped("(9**9**9, 2)"),
    "deep": head("(" * 60_000), "deep in a dict": shaped("-" * 9000 + "1"), "negative": shaped("(-6, 2)"),
    "both negative": shaped("(-6, -2)"), "huge": shaped(f"({10**30}, 2)"),
    "huge but for one": shaped(f"({2**62}, 4, 0)"), "wraps": shaped(f"({2**32}, {2**32})"),
    "many axes": shaped("(" + "1, " * 500 + ")"), "not a tuple": shaped("12"), "words": shaped("('6', 2)"),
    "fraction": shaped("(6.0, 2)"), "bytes of nothing": shaped("(6, 2)", "'V0'"),
    "a type of arrays": shaped("(6,)", "[('x', '<f4', (1000000000,))]"), "twice": shaped("(6, 2)', 'shape': (9"),
    "NUL": head("{'descr': '<f4\0', 'fortran_order': False, 'shape': (6, 2)}"), "no header": b"\x93NUMPY",
    "version 9": b"\x93NUMPY\x09\x00" + npy(X)[8:], "header of 4 GB": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(99),
    "cut": npy(X)[:-1], "empty": b"",
}  # fmt: skip
NPZ: dict[str, bytes] = {
    "object": arrays(npy(np.array([Evil()] * 6))), "long header": long_header(), "no zip": b"PK\3\4" * 99,
    "claims 3 GB": changed(arrays(shaped("(400000000, 2)")), size=(24, "<I", 3_200_000_000)),
    "encrypted": changed(arrays(npy(X)), flag=(8, "<H", 1)), "wrong CRC": changed(arrays(npy(X)), crc=(16, "<I", 7)),
    "method 99": changed(arrays(npy(X)), method=(10, "<H", 99)), "lzma": lzma_claim(),
    "bzip2": arrays(npy(X), zipfile.ZIP_BZIP2),
    "offset": changed(arrays(npy(X)), offset=(42, "<I", 10)), "beyond": changed(arrays(npy(X)), o=(42, "<I", 10**9)),
    "cut": arrays(npy(X))[:-30], "cut in two": arrays(npy(X))[:200], "not arrays": arrays(b"text"),
    "upwards": zipped([("../x.npy", npy(X)), ("../y.npy", npy(Y))]),
    "absolute": zipped([("/tmp/x.npy", npy(X)), ("C:\\y.npy", npy(Y))]),
    "escapes in names": zipped([(f"\x1b[31m{i}\n\u202e.npy", npy(X)) for i in range(9)]),
    "many names": zipped([(f"{i}", b"") for i in range(9_000)]),
}  # fmt: skip
CSV: dict[str, bytes] = {
    "NUL": b"a,b,c\n1,\0,0\n", "NUL in names": b"a\0,b,d\n1,2,0\n", "no UTF-8": b"a,b,c\n1,2,0\n\xff\xfe\xfa,2,0\n",
    "surrogate": b"a,b,c\n\xed\xa0\x80,2,0\n",
    "long line": b"a,b,c\n" + b"1" * 50_000_000, "long name": b"a" * 50_000_000,
    "wide": b",".join(b"n%d" % i for i in range(100_000)) + b"\n" + b"1," * 99_999 + b"1\n",
    "open quote": b'a,b,c\n"' + b"1,2\n" * 99,
    "escapes": b"a,b,c\n1,\x1b]0;x\x07\x1b[2J,0\n", "formula where numbers are": b'a,b,c\n1,"=cmd|\' /C calc\'!A0",0\n',
    "escapes in names": b"a,b,\x1b[31mc\n1,2,0\n", "digits": b"a,b,c\n1," + b"9" * 100_000 + b",0\n",
    "code": b"a,b,c\n1,__import__('os').abort(),0\n",
}  # fmt: skip


def table() -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({"a": X[:, 0], "b": X[:, 1], "c": Y}), stream)
    return stream.getvalue()


PARQUET: dict[str, bytes] = {
    "empty": b"", "garbage": bytes(range(256)) * 40, "only marks": b"PAR1PAR1", "cut": table()[:-20],
    "half": table()[: len(table()) // 2], "huge footer": table()[:-8] + struct.pack("<I", 2**32 - 1) + b"PAR1",
    "footer of zeros": b"PAR1" + bytes(500) + struct.pack("<I", 400) + b"PAR1", "no start": b"XXXX" + table()[4:40],
    "pages of zeros": b"PAR1" + bytes(200) + table()[204:],
}  # fmt: skip
IDX_HEAD = bytes((0, 0, 8, 3))
IDX: dict[str, bytes] = {
    "empty": b"", "huge": IDX_HEAD + b"\xff" * 12,
    "one too many": IDX_HEAD + struct.pack(">3I", 3, 28, 28) + bytes(1568),
    "rows": IDX_HEAD + struct.pack(">3I", 2_000_000, 28, 28), "sides": IDX_HEAD + struct.pack(">3I", 2, 2**31, 2**31),
    "none": IDX_HEAD + struct.pack(">3I", 0, 28, 28),
    "doubles": b"\0\0\x0e\x03" + struct.pack(">3I", 2, 28, 28) + bytes(12544),
    "axes": b"\0\0\x08\xff" + b"\0\0\0\1" * 255, "too long": IDX_HEAD + struct.pack(">3I", 2, 28, 28) + bytes(1569),
}  # fmt: skip


def png(width: int = 8, height: int = 8, data: bytes | None = None) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    body = zlib.compress(bytes((3 * width + 1) * height)) if data is None else data
    ihdr = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


IMAGES: dict[str, bytes] = {
    "cut": png(64, 64, zlib.compress(bytes(range(193)) * 64))[:90], "text": b"not a picture",
    "code": b"__import__('os').abort()", "empty": b"",
    "huge": png(2**31 - 1, 2**31 - 1, b""), "bomb": png(60_000, 60_000, zlib.compress(bytes(10**6))),
    "no pixels": png(0, 0, b""), "no data": png(9, 9, b""),
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "TIFF": b"II*\0" + bytes(99), "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "bad CRC": png()[:-20] + bytes(20),
}  # fmt: skip
TABLES = {"npy": NPY, "npz": NPZ, "csv": CSV, "parquet": PARQUET, "idx": IDX, "images": IMAGES}
PLACES = {"npy": "x.npy", "npz": "p.npz", "csv": "t.csv", "parquet": "t.parquet", "idx": "idx/train-images-idx3-ubyte",
          "images": "pets/cat/1.png"}  # fmt: skip


def good(kind: str) -> None:
    """What else the source of this kind reads."""
    layers = "Flatten() -> " if kind in SIZES else ""
    data = SOURCES[kind].replace("; ", "\n        ")
    Path("m.nn").write_text(MODEL.format(size=SIZES.get(kind, "2"), layers=layers, data=data), encoding="utf-8")
    if kind == "npy":
        np.save("y.npy", Y)
    elif kind == "idx":
        Path("idx").mkdir()
        for part, many in (("train", 2), ("t10k", 2)):
            for name, axes in (("images-idx3", (many, 28, 28)), ("labels-idx1", (many,))):
                shape = struct.pack(f">{len(axes)}I", *axes)
                content = bytes((0, 0, 8, len(axes))) + shape + bytes(int(np.prod(axes)))
                Path(f"idx/{part}-{name}-ubyte").write_bytes(content)
    elif kind == "images":
        for name in ("cat", "dog"):
            Path("pets", name).mkdir(parents=True)
            Path("pets", name, "2.png").write_bytes(png())


def files() -> set[str]:
    return {str(path) for path in Path().rglob("*")}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty folder, and an alarm for what waits."""
    monkeypatch.chdir(tmp_path)

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module", autouse=True)
def imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the commands import is no part of what is measured."""
    from nndsl.runtime import dataset, filling, look, run  # noqa: F401


def measured(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and messages of a command that keeps within its time and memory, and leaves no file."""
    before, began, peak = files(), time.process_time(), _peak()
    code = main(arguments)
    spent, grown = time.process_time() - began, _peak() - peak
    out, err = capsys.readouterr()
    assert spent < 2, f"{spent:.1f} s"
    assert grown < 500 * 2**20, f"{grown >> 20} MB"
    assert files() == before and not {c for c in out + err if c != "\n" and ord(c) < 32}
    assert "Traceback" not in err
    return code, err


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


CASES = [(kind, name) for kind, table in TABLES.items() for name in table]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_files(kind: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    good(kind)
    Path(PLACES[kind]).write_bytes(TABLES[kind][name])
    given = [] if kind in ("npy", "images", "idx") else ["--data", PLACES[kind]]
    for command in (["data", "m.nn"], ["run", "m.nn"], ["data", "m.nn", *given]):
        code, err = measured(command, capsys)
        assert code == 1 and err.startswith("error[NN0"), (command, code, err)


@pytest.mark.parametrize("kind", TABLES)
def test_pipes(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe among pictures is none of them; elsewhere it is refused."""
    good(kind)
    Path(PLACES[kind]).unlink(missing_ok=True)
    os.mkfifo(PLACES[kind])
    code, err = measured(["data", "m.nn"], capsys)
    assert (code, "left out" in err) == ((0, True) if kind == "images" else (1, False)), err


def csv_of_formulas() -> None:
    good("csv")
    text = Path("m.nn").read_text(encoding="utf-8")
    Path("m.nn").write_text(text.replace("y = t.c", "y = t.c -> classes()"), encoding="utf-8")
    Path("t.csv").write_text('a,b,c\n1,2,"=cmd()"\n3,4,@SUM(1)\n5,6,+1\n', encoding="utf-8")


def npz_of_two() -> None:
    good("npz")
    with pytest.warns(UserWarning, match="Duplicate"):
        Path("p.npz").write_bytes(zipped([("x.npy", npy(X)), ("x.npy", npy(X)), ("y.npy", npy(Y))]))


def npz_of_a_claim() -> None:
    good("npz")
    Path("p.npz").write_bytes(changed(arrays(npy(X), zipfile.ZIP_DEFLATED), size=(24, "<I", 0xFFFFFFF0)))


def npy_of_fortran() -> None:
    good("npy")
    np.save("x.npy", np.asfortranarray(X))


def odd_folders() -> None:
    good("images")
    for name in ("\x1b[31mred", "two\nlines", "a..b"):
        Path("pets", name).mkdir()
        Path("pets", name, "1.png").write_bytes(png())
    text = Path("m.nn").read_text(encoding="utf-8")
    Path("m.nn").write_text(text.replace("Dense(3", "Dense(5"), encoding="utf-8")


@pytest.mark.parametrize("make", [csv_of_formulas, npz_of_two, npz_of_a_claim, npy_of_fortran, odd_folders])
def test_legal_data(make: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> None:
    make()
    code, err = measured(["data", "m.nn"], capsys)
    assert code == 0, err


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems have names in UTF-8 alone")
@pytest.mark.parametrize("path", ["pets/\udcff\udcfe/1.png", "pets/cat/\udcff.png"])
def test_names_that_are_no_text(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    good("images")
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_bytes(b"no picture")
    code, err = measured(["data", "m.nn"], capsys)
    assert code == 1 and "error[NN0607]" in err


def test_large_pictures_are_decoded_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    good("images")
    content = png(6_000, 6_000)
    for number in range(4):
        Path(f"pets/cat/l{number}.png").write_bytes(content)
    peak = _peak()
    assert main(["data", "m.nn"]) == 0, capsys.readouterr().err
    assert _peak() - peak < 500 * 2**20


def test_pictures_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secret.png").write_bytes(png())
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir("inside")
    good("images")
    Path("pets/cat/1.png").symlink_to(tmp_path / "secret.png")
    code, err = measured(["data", "m.nn"], capsys)
    assert code == 1 and "error[NN0608]" in err
