"""`nndsl compile`: what is written, where, and what is not."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import nndsl as api

ROOT = Path(__file__).parents[2]

TWO_MODELS = """
model First {
    input x: float[4]
    output y = x -> Dense(2) with loss=mse
}
model Second {
    input x: float[4]
    output y = x -> Dense(3) with loss=mse
}
"""


@pytest.mark.parametrize("target", ["torch", "keras"])
def test_the_program_goes_to_the_standard_output(process, model, target):
    ran = process("compile", model, "--target", target)
    assert ran.returncode == 0 and ran.stderr == ""
    assert ran.stdout == api.compile(model, target)
    compile(ran.stdout, "emitted", "exec")


def test_the_file_is_the_same_text(nndsl, model, tmp_path):
    out = tmp_path / "out.py"
    ran = nndsl("compile", model, "--target", "torch", "-o", out)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert out.read_bytes().decode("utf-8") == api.compile(model, "torch")
    assert sorted(os.listdir(tmp_path)) == ["model.nn", "out.py"]


@pytest.mark.parametrize("letter", ["a", "é", "界", "🦊"])
def test_the_longest_name_of_a_file(nndsl, model, tmp_path, letter):
    out = tmp_path / f"{letter * (252 // len(os.fsencode(letter)))}.py"  # 255 bytes at most
    assert nndsl("compile", model, "--target", "torch", "-o", out).code == 0
    assert sorted(os.listdir(tmp_path)) == sorted(["model.nn", out.name])


def test_one_of_several_models(nndsl, tmp_path):
    file = tmp_path / "two.nn"
    file.write_text(TWO_MODELS)
    assert "class Second(" in nndsl("compile", file, "--target", "torch").out
    assert "class First(" in nndsl("compile", file, "--target", "torch", "--model", "First").out
    ran = nndsl("compile", file, "--target", "torch", "--model", "Fist")
    assert ran.code == 2 and "did you mean `First`?" in ran.err
    ran = nndsl("compile", file, "--target", "torch", "--model", "Transformer")
    assert ran.code == 2 and "its models are `First`, `Second`" in ran.err


def test_nothing_is_written_on_an_error(nndsl, wrong, tmp_path):
    out = tmp_path / "out.py"
    ran = nndsl("compile", wrong, "--target", "torch", "-o", out)
    assert ran.code == 1 and ran.out == "" and "NN0203" in ran.err
    assert not out.exists()
    out.write_text("before")
    assert nndsl("compile", wrong, "--target", "torch", "-o", out).code == 1
    assert out.read_text() == "before"


def test_denied_warnings_are_errors(nndsl, tmp_path):
    file, out = tmp_path / "warned.nn", tmp_path / "out.py"
    file.write_text("model A {\n    input x: float[4]\n    input z: float[4]\n    output y = x -> Dense(2)\n}\n")
    ran = nndsl("compile", file, "--target", "torch", "-o", out, "--deny-warnings")
    assert ran.code == 1 and "NN0403" in ran.err and not out.exists()
    ran = nndsl("compile", file, "--target", "torch", "-o", out)
    assert ran.code == 0 and "NN0403" in ran.err and out.exists()


def test_problems_go_to_the_standard_error_in_every_form(nndsl, wrong):
    ran = nndsl("compile", wrong, "--target", "torch", "--format", "concise")
    assert ran.out == "" and ran.err == f"{wrong}:3:27: error[NN0203]: `Dense` has no argument `unit`\n"


def test_the_input_is_not_overwritten(nndsl, model, tmp_path):
    before = model.read_text()
    (tmp_path / "link.py").symlink_to(model)
    os.link(model, tmp_path / "hard.py")
    for out in (model, tmp_path / "link.py", tmp_path / "hard.py"):
        ran = nndsl("compile", model, "--target", "torch", "-o", out)
        assert ran.code == 2 and "would be overwritten" in ran.err
    assert model.read_text() == before


def test_a_file_that_is_there_keeps_its_permissions_and_its_links(nndsl, model, tmp_path):
    real, link = tmp_path / "real.py", tmp_path / "link.py"
    real.write_text("before")
    real.chmod(0o640)
    link.symlink_to("real.py")
    assert nndsl("compile", model, "--target", "torch", "-o", link).code == 0
    assert link.is_symlink() and stat.S_IMODE(real.stat().st_mode) == 0o640
    assert "class Small(" in real.read_text()


def test_a_new_file_has_the_permissions_of_any_new_file(nndsl, model, tmp_path):
    before = os.umask(0o027)
    try:
        nndsl("compile", model, "--target", "torch", "-o", tmp_path / "out.py")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.py").stat().st_mode) == 0o640


def test_places_that_cannot_be_written(nndsl, model, tmp_path):
    ran = nndsl("compile", model, "--target", "torch", "-o", tmp_path)
    assert ran.code == 2 and "is a folder, not a file" in ran.err
    ran = nndsl("compile", model, "--target", "torch", "-o", tmp_path / "no" / "out.py")
    assert ran.code == 2 and f"there is no folder `{tmp_path / 'no'}`" in ran.err


def test_a_device_is_written_to_and_not_replaced(nndsl, model):
    assert nndsl("compile", model, "--target", "torch", "-o", "/dev/null").code == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_half_a_file_is_never_seen(nndsl, model, tmp_path, monkeypatch):
    out = tmp_path / "out.py"
    out.write_text("before")

    def failing(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", failing)
    ran = nndsl("compile", model, "--target", "torch", "-o", out)
    assert ran.code == 2 and "cannot be written: no space left on device" in ran.err
    assert out.read_text() == "before" and sorted(os.listdir(tmp_path)) == ["model.nn", "out.py"]


# Everything that the commands need is imported, and privileges are dropped, before the command runs.
_AS_NOBODY = """
import contextlib, io, os, sys
from nndsl.cli.main import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    main(["check", "nowhere.nn"])
    main(["compile", "model.nn", "--target", "torch"])
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def guarded(model):
    """A folder that a user without privileges may look into but not write to."""
    folder = Path(tempfile.mkdtemp())
    (folder / "model.nn").write_text(model.read_text())
    (folder / "secret.nn").write_text("model A {}")
    (folder / "secret.nn").chmod(0)
    (folder / "sealed").mkdir(mode=0)
    (folder / "out.py").write_text("before")
    (folder / "out.py").chmod(0o444)
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    (folder / "sealed").chmod(0o755)
    shutil.rmtree(folder)


def test_without_the_right_to_read_or_write(guarded):
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", _AS_NOBODY, *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=guarded, env=environment, capture_output=True, text=True, timeout=60)

    ran = run("check", "secret.nn")
    assert ran.returncode == 1 and "`secret.nn` may not be read: permission denied" in ran.stdout
    ran = run("check", ".")
    assert "the folder `./sealed` cannot be read: permission denied" in ran.stdout and "2 files checked" in ran.stdout
    for out in ("new.py", "out.py"):
        ran = run("compile", "model.nn", "--target", "torch", "-o", out)
        assert ran.returncode == 2 and f"`{out}` cannot be written: " in ran.stderr
    assert (guarded / "out.py").read_text() == "before"
    assert sorted(os.listdir(guarded)) == ["model.nn", "out.py", "sealed", "secret.nn"]


def test_set_is_reserved(nndsl, model):
    ran = nndsl("compile", model, "--target", "torch", "--set", "classes=100")
    assert ran.code == 1 and ran.out == ""
    assert "error[NN0704]: `classes` names no `param`" in ran.err
    ran = nndsl("compile", model, "--target", "torch", "--set", "classes")
    assert ran.code == 2 and "--set takes NAME=VALUE" in ran.err


@pytest.mark.parametrize("target", ["torch", "keras"])
def test_neither_check_nor_compile_imports_a_framework(target, model):
    code = (
        "import sys; from nndsl.cli.main import main\n"
        f"codes = main(['check', {str(model)!r}]), 'jinja2' in sys.modules, "
        f"main(['compile', {str(model)!r}, '--target', {target!r}, '-o', '/dev/null'])\n"
        "print(codes, [name for name in ('torch', 'tensorflow', 'keras', 'numpy', 'sklearn') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.stdout.splitlines()[-1] == "(0, False, 0) []", ran.stderr
