"""`nndsl fmt`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

UGLY = "model Small {\n  input x:float[4]\n  output y=x->Dense( 2 ) with loss=mse # why\n}"
NEAT = "model Small {\n    input x: float[4]\n    output y = x -> Dense(2) with loss=mse  # why\n}\n"


@pytest.fixture
def ugly(tmp_path: Path) -> Path:
    file = tmp_path / "ugly.nn"
    file.write_text(UGLY, encoding="utf-8")
    return file


def test_in_place(nndsl: Callable[..., Any], ugly: Path, model: Path) -> None:
    ugly.chmod(0o640)
    before = model.stat()
    ran = nndsl("fmt", ugly, model)
    assert (ran.code, ran.out, ran.err) == (0, "", "1 file formatted, 1 unchanged\n")
    assert ugly.read_bytes() == NEAT.encode() and ugly.stat().st_mode & 0o777 == 0o640
    assert (model.stat().st_ino, model.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert sorted(os.listdir(ugly.parent)) == ["model.nn", "ugly.nn"]
    assert nndsl("fmt", ugly).err == "0 files formatted, 1 unchanged\n"


def test_check_lists_and_writes_nothing(nndsl: Callable[..., Any], ugly: Path, model: Path) -> None:
    ran = nndsl("fmt", "--check", ugly.parent)
    assert (ran.code, ran.out, ran.err) == (1, f"{ugly}\n", "1 file would be formatted, 1 unchanged\n")
    assert ugly.read_text() == UGLY
    assert nndsl("fmt", "--check", model).code == 0


def test_diff(nndsl: Callable[..., Any], ugly: Path) -> None:
    ran = nndsl("fmt", "--diff", ugly)
    assert ran.code == 1 and ugly.read_text() == UGLY
    assert "\n-  input x:float[4]\n" in ran.out and "\n+    input x: float[4]\n" in ran.out
    assert "\x1b[32m+    input" in nndsl("fmt", "--diff", "--color=always", ugly).out


def test_standard_input(process: Callable[..., Any], tmp_path: Path) -> None:
    ran = process("fmt", "-", input=UGLY)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, NEAT, "")
    ran = process("fmt", "-", "--check", input=UGLY)
    assert (ran.returncode, ran.stdout) == (1, "<stdin>\n")
    ran = process("fmt", "-", "--stdin-filename", "my.nn", input="model {")
    assert ran.returncode == 1 and ran.stdout == "" and "my.nn:1:" in ran.stderr


def test_a_broken_file_stays_and_the_others_are_formatted(nndsl: Callable[..., Any], ugly: Path) -> None:
    broken = ugly.parent / "broken.nn"
    broken.write_text("model A { input }")
    ran = nndsl("fmt", broken, ugly)
    assert ran.code == 1 and "NN0114" in ran.err
    assert ran.err.endswith("1 file formatted, 1 left alone because of errors\n")
    assert broken.read_text() == "model A { input }" and ugly.read_text() == NEAT


def test_what_cannot_be_read_or_written(nndsl: Callable[..., Any], ugly: Path, tmp_path: Path) -> None:
    ran = nndsl("fmt", tmp_path / "ugli.nn")
    assert ran.code == 1 and "NN0701" in ran.err and "did you mean" in ran.err
    (tmp_path / "empty").mkdir()
    assert nndsl("fmt", tmp_path / "empty").code == 1
    ugly.chmod(0o444)
    if not os.access(ugly, os.W_OK):  # root may write all
        ran = nndsl("fmt", ugly)
        assert ran.code == 1 and "read-only" in ran.err
        assert ugly.read_text() == UGLY


def test_a_link_out_of_the_folder_is_not_followed(nndsl: Callable[..., Any], ugly: Path) -> None:
    folder = ugly.parent / "folder"
    folder.mkdir()
    (folder / "link.nn").symlink_to(ugly)
    ran = nndsl("fmt", folder)
    assert ran.code == 1 and "leads out of the folder" in ran.err and ugly.read_text() == UGLY
    assert nndsl("fmt", folder / "link.nn").code == 0
    assert ugly.read_text() == NEAT and (folder / "link.nn").is_symlink()


@pytest.mark.parametrize("arguments", [(), ("--line-length", "10", "a.nn"), ("--line-length=x", "a.nn")])
def test_wrong_usage(nndsl: Callable[..., Any], arguments: tuple[str, ...]) -> None:
    ran = nndsl("fmt", *arguments)
    assert ran.code == 2 and "error: " in ran.err and ran.out == ""


def test_line_length(nndsl: Callable[..., Any], ugly: Path) -> None:
    assert nndsl("fmt", "--line-length=40", ugly).code == 0
    assert "    output y = x -> Dense(2)\n        with loss=mse  # why\n" in ugly.read_text()


def test_a_bug_writes_nothing(
    nndsl: Callable[..., Any], ugly: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("nndsl.formatting.same_tree", lambda *_: False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ran = nndsl("fmt", ugly)
    assert ran.code == 3 and "nndsl has a bug" in ran.err and ugly.read_text() == UGLY


def test_nobody_reads(tmp_path: Path) -> None:
    file = tmp_path / "long.nn"
    file.write_text("".join(f"param a{i}=1\n\n" for i in range(20_000)))
    command = f"{sys.executable} -m nndsl fmt --diff {file} | head -1; echo ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment, timeout=60)
    assert ran.stdout.endswith("141\n") and ran.stderr == ""
