"""What holds for every command: usage, interruption, closed pipes, odd terminals, bugs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest

import nndsl as api
from nndsl.cli import main as main_module
from nndsl.cli.main import COMMANDS, build_parser, main

ROOT = Path(__file__).parents[2]


def test_the_version_is_the_last_word(nndsl):
    ran = nndsl("--version")
    assert ran.code == 0 and ran.out.split()[-1] == api.__version__


def test_help_names_every_command_and_shows_examples(nndsl):
    ran = nndsl("--help")
    assert ran.code == 0 and "examples:" in ran.out
    assert all(f"    {name} " in ran.out for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(nndsl, command):
    ran = nndsl(command, "--help")
    assert ran.code == 0 and "examples:" in ran.out and "--color" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 120


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "usage: nndsl"),
        (["chekc", "x.nn"], "did you mean `check`?"),
        (["model.nn"], "to check a file, write `nndsl check model.nn`"),
        (["check"], "the following arguments are required: FILE"),
        (["check", "--fromat", "json", "x"], "did you mean `--format`?"),
        (["check", "--format", "xml", "x"], "invalid choice: 'xml'"),
        (["compile", "x.nn"], "the following arguments are required: --target"),
        (["compile", "x.nn", "--target", "jax"], "invalid choice: 'jax'"),
        (["explain", "NN9999"], "`nndsl explain` lists all codes"),
        (["explain", "203"], "did you mean `NN0203`?"),
        (["layers", "Dens"], "did you mean `Dense`?"),
        (["layers", "Deconvolution2D"], "it is `Conv2DTranspose` today"),
        (["layers", "--category", "losses"], "did you mean `loss`?"),
    ],
)
def test_wrong_usage(nndsl, arguments, says):
    ran = nndsl(*arguments)
    assert ran.code == 2 and ran.out == "" and says in ran.err


def test_a_command_is_imported_alone():
    code = (
        "import sys; from nndsl.cli.main import build_parser; build_parser('explain')\n"
        "print([n for n in sys.modules if n.startswith('nndsl.cli.')], 'nndsl.pipeline' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.stdout == "['nndsl.cli.common', 'nndsl.cli.main', 'nndsl.cli.explain'] False\n"


def test_explain(nndsl):
    ran = nndsl("explain", "nn0203")
    assert ran.code == 0 and ran.out.startswith("error[NN0203]: unknown argument\n") and "Wrong:" in ran.out
    listed = nndsl("explain").out.splitlines()
    assert "NN0203  unknown argument" in listed and listed == sorted(listed)


def test_layers(nndsl):
    ran = nndsl("layers")
    assert ran.code == 0 and ran.out.startswith("layer (") and "Conv2D" in ran.out and "glorot_uniform" in ran.out
    assert nndsl("layers", "--category", "activation").out.startswith("activation (")
    one = nndsl("layers", "Dense")
    assert one.code == 0 and "Dense(units, activation=none" in one.out and "x -> Dense(64, activation=relu)" in one.out
    assert nndsl("layers", "adam").out.startswith("optimizer Adam")
    assert nndsl("layers", "Lambda").code == 2


def _start(*arguments: str, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "nndsl", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a test runner may ignore it
        **options,
    )


def _waits(pid: int) -> bool:
    """Whether the process waits for its standard input (Linux says in which system call it is: 0 is read)."""
    try:
        return Path(f"/proc/{pid}/syscall").read_text().startswith("0 0x0 ")
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/syscall").exists(), reason="needs /proc")
def test_an_interruption_is_quiet():
    process = _start("check", "-")
    deadline = time.monotonic() + 30
    while not _waits(process.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, b"", b"")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["layers", "Dense"], ["explain"], ["compile", "-", "--target", "torch"]]
)
def test_nobody_reads_the_output(arguments):
    process = _start(*arguments)
    assert process.stdout is not None and process.stdin is not None and process.stderr is not None
    process.stdout.close()
    process.stdin.write(b"model A {\n input x: float[4]\n output y = x -> Dense(2)\n}\n")
    process.stdin.close()
    err = process.stderr.read()
    assert (process.wait(timeout=30), err) == (141, b"")


def test_a_full_disk_is_no_bug(process, model):
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    with open("/dev/full", "w") as full:
        ran = process("compile", model, "--target", "torch", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert ran.returncode == 2
    assert ran.stderr == "error: the output cannot be written: no space left on device\n"


def test_without_standard_streams(model):
    command = f"exec {sys.executable} -m nndsl check {model} <&- >&- 2>&-"
    ran = subprocess.run(["bash", "-c", command], env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60)
    assert ran.returncode == 0


def test_an_encoding_that_lacks_characters(process, tmp_path):
    (tmp_path / "é.nn").write_text("model A {\n    input ü: float[4]\n}\n", encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ran = process("check", ".", cwd=tmp_path, env=plain)
    assert ran.returncode == 1 and ran.stdout.isascii() and "Traceback" not in ran.stderr


def test_a_program_is_written_as_utf8_whatever_the_locale(process, tmp_path):
    file = tmp_path / "a.nn"
    file.write_text("# Größe\nmodel A {\n    input x: float[4]\n    output y = x -> Dense(2)\n}\n", encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    ran = process("compile", file, "--target", "torch", env=plain)
    assert ran.returncode == 0 and "Größe" in ran.stdout


@pytest.mark.parametrize(
    "error", [RuntimeError("odd \x1b[31m"), RecursionError("too deep"), MemoryError(), OSError("x")]
)
def test_a_bug_is_told_shortly_and_kept_in_a_file(nndsl, model, monkeypatch, tmp_path, error):
    def broken(_: object) -> int:
        raise error

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(import_module("nndsl.cli.check"), "main", broken)
    ran = nndsl("check", model)
    assert ran.code == 3 and ran.out == "" and ran.err.startswith("nndsl has a bug: ")
    assert "Traceback" not in ran.err and "\x1b" not in ran.err and len(ran.err.splitlines()) == 3
    (report,) = tmp_path.glob("nndsl-report-*.txt")
    assert str(report) in ran.err and report.stat().st_mode & 0o077 == 0
    text = report.read_text()
    assert f"nndsl {api.__version__}" in text and "Traceback" in text and "command: nndsl 'check'" in text
    assert "Dense(2)" not in text and re.search(r"^  ok +lark +1\.", text, re.MULTILINE)
    with monkeypatch.context() as broken:
        broken.setattr("nndsl.interop.doctor.examine.facts", lambda: 1 / 0)
        assert nndsl("check", model).code == 3
    (other,) = set(tmp_path.glob("nndsl-report-*.txt")) - {report}
    assert "Traceback" in other.read_text() and "nndsl doctor failed: ZeroDivisionError" in other.read_text()
    monkeypatch.setenv("NNDSL_DEBUG", "1")
    assert "Traceback" in nndsl("check", model).err


def test_main_takes_the_command_line_of_the_process(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["nndsl", "--version"])
    assert main() == 0 and capsys.readouterr().out.startswith("nndsl ")


def test_every_command_is_a_module():
    build_parser(whole=True)
    for name in COMMANDS:
        module = import_module(f"nndsl.cli.{name}")
        assert callable(module.main) and callable(module.add_arguments)
    assert main_module.__doc__
