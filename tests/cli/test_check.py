"""`nndsl check`: many files, folders, forms, exit codes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

TWO_MISTAKES = "model A {\n    input x: float[4]\n    output y = x -> Dens(2) -> Dense(unit=3) with loss=mse\n}\n"
WARNED = "model A {\n    input x: float[4]\n    input z: float[4]\n    output y = x -> Dense(2) with loss=mse\n}\n"


def test_a_file_without_problems(nndsl, model):
    ran = nndsl("check", model)
    assert (ran.code, ran.out, ran.err) == (0, "1 file checked: no problems\n", "")


def test_an_error_is_shown_with_its_place_and_its_remedy(nndsl, wrong):
    ran = nndsl("check", wrong)
    assert ran.code == 1
    assert "error[NN0203]: `Dense` has no argument `unit`" in ran.out
    assert f"{wrong}:3:27" in ran.out and "did you mean `units`?" in ran.out
    assert ran.out.endswith("\n\n1 file checked: 1 error\n")


def test_several_errors_in_one_run(nndsl, tmp_path):
    (tmp_path / "two.nn").write_text(TWO_MISTAKES)
    ran = nndsl("check", tmp_path / "two.nn", "--format", "concise")
    assert ran.code == 1
    assert [line.split("[")[1][:6] for line in ran.out.splitlines()] == ["NN0202", "NN0203"]


def test_warnings_fail_only_where_that_is_asked_for(nndsl, tmp_path):
    file = tmp_path / "warned.nn"
    file.write_text(WARNED)
    ran = nndsl("check", file)
    assert ran.code == 0 and "warning[NN0403]" in ran.out and "1 file checked: 1 warning" in ran.out
    assert nndsl("check", file, "--deny-warnings").code == 1


def test_folders_are_searched_in_order_and_each_file_is_checked_once(nndsl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b/two.nn", "b/one.nn", "a/three.nn", "a/.hidden/four.nn", "a/notes.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("model A {}\n")
    ran = nndsl("check", "b", "a", "b/one.nn", "--format", "concise")
    shown = dict.fromkeys(line.split(":")[0] for line in ran.out.splitlines())
    assert list(shown) == ["b/one.nn", "b/two.nn", "a/three.nn"]
    assert "3 files checked" in nndsl("check", ".").out


def test_a_mistake_in_a_file_that_many_import_is_said_once(nndsl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("lib").mkdir()
    Path("lib/blocks.nn").write_text("block B() {\n    input x\n    output y = x -> Dens(3)\n}\n")
    for name in "abc":
        Path(f"{name}.nn").write_text(
            'from "lib/blocks.nn" import B\nmodel M {\n    input x: float[4]\n'
            f"    output {name}y = x -> B() -> Dense(1) with loss=msee\n}}\n"
        )
    shown = nndsl("check", ".", "--format", "concise").out.splitlines()
    assert [line.split(": ")[0] for line in shown if "`Dens`" in line] == ["lib/blocks.nn:3:21"]
    assert [line.split(":")[0] for line in shown if "msee" in line] == ["a.nn", "b.nn", "c.nn"]
    # Whatever the order, and however the file is spelled.
    ran = nndsl("check", tmp_path / "b.nn", "./lib/blocks.nn", "a.nn")
    assert ran.out.count("no layer called `Dens`") == 1 and ran.out.endswith("3 files checked: 3 errors\n")


def test_the_forms_for_programs(nndsl, model, wrong):
    ran = nndsl("check", model, wrong, "--format", "json")
    (problem,) = json.loads(ran.out)
    assert (ran.code, problem["code"], problem["line"], problem["column"]) == (1, "NN0203", 3, 27)
    assert json.loads(nndsl("check", model, "--format", "json").out) == []
    sarif = json.loads(nndsl("check", wrong, "--format", "sarif").out)
    assert [result["ruleId"] for result in sarif["runs"][0]["results"]] == ["NN0203"]
    assert nndsl("check", wrong, "--format", "github").out.startswith("::error title=NN0203,file=")


def test_the_standard_input(process):
    text = "model A {\n    input x: float[4]\n    output y = x -> Dense(2) with loss=mse\n}\n"
    assert process("check", "-", input=text).stdout == "1 file checked: no problems\n"
    ran = process("check", "-", input=text.replace("Dense", "Dens"))
    assert ran.returncode == 1 and "<stdin>:3:21" in ran.stdout


@pytest.mark.parametrize(
    ("name", "data", "says", "place"),
    [
        ("latin.nn", b"# caf\xe9\n", "is not UTF-8 text: there is no character for the byte 0xE9", ":1:6"),
        ("cut.nn", b"# a\n# caf\xc3", "is not UTF-8 text: there is no character for the byte 0xC3", ":2:6"),
        ("nul.nn", b"model A {\n\0}\n", "is not text: it holds a NUL character", ":2:1"),
        ("wide.nn", "model".encode("utf-16"), "is UTF-16, not UTF-8", ":1:1"),
    ],
)
def test_what_is_not_text(nndsl, tmp_path, name, data, says, place):
    (tmp_path / name).write_bytes(data)
    ran = nndsl("check", tmp_path / name, "--format", "concise")
    assert ran.code == 1
    assert ran.out == f"{tmp_path / name}{place}: error[NN0701]: `{tmp_path / name}` {says}\n"


def test_what_cannot_be_read_does_not_keep_the_others_from_being_checked(nndsl, tmp_path, wrong, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("loop.nn").symlink_to("loop.nn")
    Path("dangling.nn").symlink_to("nowhere.nn")
    ran = nndsl("check", "mode.nn", "loop.nn", "dangling.nn", "folder", "wrong.nn", "--format", "concise")
    assert ran.code == 1
    assert ran.out.splitlines() == [
        "folder:1:1: error[NN0701]: there is no `.nn` file in the folder `folder`",
        "mode.nn:1:1: error[NN0701]: there is no file `mode.nn`",
        "loop.nn:1:1: error[NN0701]: `loop.nn` cannot be read: too many levels of symbolic links",
        "dangling.nn:1:1: error[NN0701]: `dangling.nn` is a link to a file that does not exist",
        "wrong.nn:3:27: error[NN0203]: `Dense` has no argument `unit`",
    ]


def test_a_missing_file_is_compared_with_its_neighbours(nndsl, model, monkeypatch):
    monkeypatch.chdir(model.parent)
    assert "did you mean `model.nn`?" in nndsl("check", "modle.nn").out
    assert "there is no folder `nowhere` either" in nndsl("check", "nowhere/model.nn").out


def test_links_to_folders_are_not_followed_and_pipes_not_waited_for(nndsl, tmp_path, model):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "up").symlink_to("..")
    os.mkfifo(tmp_path / "sub" / "pipe.nn")
    ran = nndsl("check", tmp_path)
    assert "1 file checked: 1 error" in ran.out and "pipe.nn` is not a regular file" in ran.out


def test_an_endless_file_is_not_read_to_its_end(process):
    ran = process("check", "/dev/zero")
    assert ran.returncode == 1 and ("NN0180" in ran.stdout or "NN0701" in ran.stdout)


def test_names_that_hold_terminal_codes_are_shown_harmless(process, tmp_path, model):
    name = "a b\n\x1b[31m.nn"
    (tmp_path / name).write_text("model A {\n")
    ran = process("check", ".", "--color", "never", cwd=tmp_path)
    assert ran.returncode == 1
    assert "a b␊␛[31m.nn" in ran.stdout and "\x1b" not in ran.stdout
    missing = process("check", "\x1b[31m.nn", "--color", "never", cwd=tmp_path)
    assert "\x1b" not in missing.stdout + missing.stderr
    unknown = process("check", "--\x1b[31m", "x", cwd=tmp_path)
    assert unknown.returncode == 2 and "\x1b" not in unknown.stderr


def test_names_that_are_not_text_are_shown(process, tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.nn")).write_text("model A {\n")
    ran = process("check", ".", cwd=tmp_path)
    assert ran.returncode == 1 and "caf<U+DCE9>.nn" in ran.stdout
    assert process("check", ".", "--format", "json", cwd=tmp_path).returncode == 1
    assert process("check", ".", "--format", "sarif", cwd=tmp_path).returncode == 1


def test_colour_is_for_terminals_unless_asked_for(nndsl, wrong, monkeypatch):
    assert "\x1b" not in nndsl("check", wrong).out
    assert "\x1b[1;31merror[NN0203]" in nndsl("check", wrong, "--color", "always").out
    assert "\x1b[1;31merror[NN0203]" in nndsl("--color", "always", "check", wrong).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" in nndsl("check", wrong).out
    assert "\x1b" not in nndsl("check", wrong, "--color=never").out
