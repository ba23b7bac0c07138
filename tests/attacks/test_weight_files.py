"""Hostile weight files: a message or a table, never a traceback, a control character or a long wait."""

from __future__ import annotations

import io
import json
import os
import pickle
import resource
import signal
import struct
import sys
import time
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.cli.main import main
from tests.attacks.payloads import STRINGS

torch = pytest.importorskip("torch")
h5py = pytest.importorskip("h5py")


def packed(header: object, data: bytes = b"\0" * 16, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(**other: Any) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [4], "data_offsets": [0, 16], **other}


WRONG = {
    "empty": b"", "short": b"\1\2", "huge length": packed({}, length=2**63), "longest": packed({}, length=2**64 - 1),
    "past the end": packed({}, length=10**6), "no json": packed(b"{nope"), "deep": packed(b"[" * 100_000),
    "deep objects": packed(b'{"a":' * 50_000), "a list": packed([]), "no UTF-8": packed(b'{"\xff":1}'),
    "overlap": packed({"a": entry(), "b": entry()}), "negative": packed({"a": entry(data_offsets=[-1, 15])}),
    "beyond": packed({"a": entry(data_offsets=[0, 2**40], shape=[2**38])}),
    "reversed": packed({"a": entry(data_offsets=[16, 0])}), "too many numbers": packed({"a": entry(shape=[400])}),
    "overflow": packed({"a": entry(shape=[2**32] * 3, data_offsets=[0, 0])}), "shape": packed({"a": entry(shape=[-4])}),
    "dtype": packed({"a": entry(dtype="X9")}), "dtype is an object": packed({"a": entry(dtype={})}),
    "fractions": packed({"a": entry(shape=[4.0])}),
    "surrogate": packed(b'{"\\ud800":' + json.dumps(entry()).encode() + b"}"),
    "many arrays": packed({f"n{i}": entry(shape=[0], data_offsets=[0, 0]) for i in range(100_001)}, b""),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_files(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(WRONG[name])
    began = time.process_time()
    assert main(["weights", "show", str(path)]) == 1
    assert time.process_time() - began < 8
    out, err = capsys.readouterr()
    assert not out and err.startswith("error[NN100")
    assert list(tmp_path.iterdir()) == [path]


def test_names_of_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "w.safetensors"
    for name, text in STRINGS.items():
        path.write_bytes(packed({text or "empty": entry()}))
        code = main(["weights", "show", str(path)])
        out, err = capsys.readouterr()
        odd = {c for c in out + err if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
        assert code in (0, 1) and not odd, f"{name}: {odd}"


# ------------------------------------------------------------------------------- the files of frameworks

MODEL = """model M {
    input x: float[4]
    output y = x -> Dense(2) with loss=mse
}
"""


class Evil:
    """Unpickled, it would write a file."""

    def __reduce__(self) -> Any:
        return open, ("canary", "w")


def torch_file(content: object) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


def repacked(data: bytes, change: Callable[[str, bytes], tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    """An archive with other entries."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(stream, "w", method) as target:
        for entry in source.infolist():
            target.writestr(*change(entry.filename, source.read(entry)))
    return stream.getvalue()


def with_pickle(code: bytes) -> bytes:
    """A file of torch.save whose pickle is that one."""
    return repacked(torch_file({"w": torch.zeros(4)}), lambda n, d: (n, code if n.endswith("data.pkl") else d))


def claims(count: int) -> bytes:
    """A tensor of `count` numbers, of which the file holds seven."""
    data = torch_file({"w": torch.zeros(7)})
    number = b"J" + struct.pack("<i", count)
    return repacked(data, lambda n, d: (n, d.replace(b"K\x07", number) if n.endswith("data.pkl") else d))


def nested(levels: int) -> bytes:
    """A dict whose name is a pair of one pair of one pair: hashed or shown, it takes 2**levels steps."""
    return b"\x80\x02}(" + b"K\x01" + b"q\x00h\x00\x86" * levels + b"K\x01u."


def h5(build: Callable[[Any], None]) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        build(file)
    return stream.getvalue()


def ladder(file: Any) -> None:
    """Forty groups with two names each: 2**40 paths."""
    group = file
    for _ in range(40):
        group = group.create_group("a")
    group["0"] = np.ones(3)
    group = file
    for _ in range(40):
        group["b"] = group["a"]
        group = group["a"]


def soft_circle(file: Any) -> None:
    file["a"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")


def attributes(file: Any) -> None:
    file["layers/dense/vars/0"] = np.ones(3)
    for number in range(500):
        file.attrs[f"a{number}"] = "x" * 60_000


def archive(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as file:
        for name, data in entries:
            file.writestr(name, data)
    return stream.getvalue()


def stored(*entries: tuple[str, bytes]) -> bytes:
    return archive(*entries, method=zipfile.ZIP_STORED)


def encrypted(data: bytes) -> bytes:
    """The archive, whose entries are said to be encrypted."""
    found = bytearray(data)
    for mark, flags in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        at = -1
        while (at := found.find(mark, at + 1)) >= 0:
            found[at + flags] |= 1
    return bytes(found)


def keras_bomb() -> bytes:
    """An archive of two MB that unpacks to 512 MB, and whose directory claims to be as large as that."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr("model.weights.h5", bytes(2**29))
    data = bytearray(stream.getvalue())
    struct.pack_into("<I", data, data.rindex(b"PK\1\2") + 20, 2**31)
    return bytes(data)


def lambda_config() -> bytes:
    code = {"class_name": "Lambda", "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wE="}}}}
    return json.dumps({"class_name": "Sequential", "config": {"layers": [code]}}).encode()


WEIGHTS = h5(lambda file: file.create_dataset("layers/dense/vars/0", data=np.ones(3)))
GOOD = torch_file({"w": torch.ones(4)})
BAD: dict[str, Callable[[], bytes]] = {
    "pickle.pt": lambda: pickle.dumps(Evil()), "pickle in a zip.pt": lambda: with_pickle(pickle.dumps(Evil(), 2)),
    "in a dict.pt": lambda: torch_file({"w": Evil()}), "in a name.pt": lambda: torch_file({Evil(): torch.zeros(4)}),
    "cut.pt": lambda: GOOD[:-40], "half.pt": lambda: GOOD[: len(GOOD) // 2], "text.pt": lambda: b"no zip",
    "none.pt": bytes,
    "claims.pt": lambda: claims(10**8), "negative.pt": lambda: claims(-1), "nested.pt": lambda: with_pickle(nested(60)),
    "memory.pt": lambda: with_pickle(b"\x80\x02c__builtin__\nbytearray\n\x8a\x07" + b"\xff" * 6 + b"\x00\x85R."),

    "deep.pt": lambda: with_pickle(b"\x80\x02" + b"]" * 9999 + b"a" * 9998 + b"."),
    "long name.pt": lambda: with_pickle(b"\x80\x02}X" + struct.pack("<I", 2**32 - 1) + b"x."),
    "system.pt": lambda: with_pickle(b"cposix\nsystem\n(S'touch canary'\ntR."),
    "eval.pt": lambda: with_pickle(b"c__builtin__\neval\n(S'open(\"canary\", \"w\")'\ntR."),
    "lzma.pt": lambda: repacked(GOOD, lambda n, d: (n, d), zipfile.ZIP_LZMA),
    "upwards.pt": lambda: repacked(GOOD, lambda n, d: ("../../" + n, d)),
    "encrypted.pt": lambda: encrypted(GOOD),
    "ladder.weights.h5": lambda: h5(ladder), "soft circle.weights.h5": lambda: h5(soft_circle),
    "none.weights.h5": bytes,
    "cut.weights.h5": lambda: WEIGHTS[:-99], "text.weights.h5": lambda: b"\x89HDF\r\n\x1a\n" + b"text" * 99,
    "lambda.keras": lambda: archive(("config.json", lambda_config())), "bomb.keras": keras_bomb, "none.keras": bytes,
    "lzma.keras": lambda: archive(("model.weights.h5", WEIGHTS), method=zipfile.ZIP_LZMA),
    "bzip2.keras": lambda: archive(("model.weights.h5", WEIGHTS), method=zipfile.ZIP_BZIP2),
    "upwards.keras": lambda: archive(("../model.weights.h5", WEIGHTS)),
    "absolute.keras": lambda: archive(("/model.weights.h5", WEIGHTS)),
    "encrypted.keras": lambda: encrypted(archive(("model.weights.h5", WEIGHTS))),
    "CRC.keras": lambda: stored(("model.weights.h5", WEIGHTS)).replace(b"\x89HDF", b"\x88HDF"),
}  # fmt: skip
FINE: dict[str, Callable[[], bytes]] = {
    "memo.pt": lambda: with_pickle(b"\x80\x02}r\xff\xff\xff\xff."),
    "attributes.weights.h5": lambda: h5(attributes),
    "digits.weights.h5": lambda: h5(lambda file: file.create_dataset("9" * 5_000, data=np.ones(3))),
    "square.weights.h5": lambda: h5(lambda file: file.create_dataset("vars/\u00b2\u0663\x1b[2J", data=np.ones(3))),
    "lambda and weights.keras": lambda: archive(("config.json", lambda_config()), ("model.weights.h5", WEIGHTS)),
    "upwards too.keras": lambda: archive(("../../canary", b"x"), ("model.weights.h5", WEIGHTS)),
    "long names.pt": lambda: torch_file({"n" * 10**6: torch.zeros(1), **{str(n): torch.zeros(1) for n in range(999)}}),
}


@pytest.fixture
def alarm() -> Iterator[None]:
    """Ends what waits."""

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize("name", [*BAD, *FINE])
def test_files_of_frameworks(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.nn").write_text(MODEL, encoding="utf-8")
    Path(name).write_bytes((BAD | FINE)[name]())
    commands = [["show", name], ["diff", name, name], ["convert", "m.nn", name, "out.pt"]]
    for command in commands if name in BAD else commands[:2]:
        began, peak = time.process_time(), _peak()
        code = main(["weights", *command])
        spent, grown = time.process_time() - began, _peak() - peak
        out, err = capsys.readouterr()
        assert code == (name in BAD) and err.startswith("error[NN" if name in BAD else ""), (command, code, err)
        assert spent < 2 and grown < 500 * 2**20, f"{command}: {spent:.1f} s, {grown >> 20} MB"
        assert {path.name for path in tmp_path.iterdir()} == {"m.nn", name}
        assert len(out) < 5 * 10**6 and not {c for c in out + err if c != "\n" and ord(c) < 32}


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize("name", ["w.safetensors", "w.pt", "w.weights.h5", "w.keras"])
def test_pipes(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / name)
    assert main(["weights", "show", str(tmp_path / name)]) == 1
    assert "error[NN0701]" in capsys.readouterr().err


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
