"""Hostile safetensors files: a message or a table, never a traceback, a control character or a long wait."""

from __future__ import annotations

import json
import struct
import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from nndsl.cli.main import main
from tests.attacks.payloads import STRINGS


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
