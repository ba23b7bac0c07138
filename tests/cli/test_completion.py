"""The completion scripts, run by the shells themselves where they are there."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from nndsl.cli.main import COMMANDS

# What bash does on a tab: COMP_WORDS is split at blanks and at `=`.
_BASH = """
source ./script
COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_nndsl
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def bash(nndsl, tmp_path):
    if shutil.which("bash") is None:
        pytest.skip("bash is not there")
    (tmp_path / "script").write_text(nndsl("completion", "bash").out)
    (tmp_path / "models").mkdir()
    for name in ("small.nn", "a b.nn", "notes.txt"):
        (tmp_path / name).touch()

    def complete(*words: str) -> list[str]:
        quoted = " ".join("'" + word + "'" for word in words)
        ran = subprocess.run(
            ["bash", "-c", _BASH.format(words=quoted)], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert ran.stderr == ""
        return sorted(ran.stdout.split("\n")[:-1])

    return complete


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("nndsl", "comp"), ["compile", "completion"]),
        (("nndsl", ""), sorted(COMMANDS)),
        (("nndsl", "--ver"), ["--version"]),
        (("nndsl", "compile", "--target", ""), ["keras", "torch"]),
        (("nndsl", "compile", "--target", "=", "t"), ["torch"]),
        (("nndsl", "compile", "--target", "="), ["keras", "torch"]),
        (("nndsl", "compile", "--de"), ["--deny-warnings"]),
        (("nndsl", "check", "--format", "s"), ["sarif"]),
        (("nndsl", "--color", "al"), ["always"]),
        (("nndsl", "check", "s"), ["small.nn"]),
        (("nndsl", "check", "a"), ["a b.nn"]),
        (("nndsl", "check", "m"), ["models"]),
        (("nndsl", "compile", "-o", "n"), ["notes.txt"]),
        (("nndsl", "compile", "--model", ""), [""]),
        (("nndsl", "explain", "NN0203"), ["NN0203"]),
        (("nndsl", "layers", "LST"), ["LSTM", "LSTMCell"]),
        (("nndsl", "completion", ""), ["bash", "fish", "zsh"]),
        (("nndsl", "weights", "c"), ["convert"]),
        (("nndsl", "weights", "show", "n"), ["notes.txt"]),
        (("nndsl", "weights", "show", "--fo"), ["--for", "--format"]),
        (("nndsl", "weights", "diff", "--tol"), ["--tolerance"]),
        (("nndsl", "runs", ""), ["models"]),
        (("nndsl", "runs", "models", "m"), ["models"]),
        (("nndsl", "runs", "--format", ""), ["json", "text"]),
    ],
)
def test_bash(bash, words, offered):
    assert bash(*words) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_can_read(nndsl, shell, tmp_path):
    ran = nndsl("completion", shell)
    assert ran.code == 0 and all(name in ran.out for name in COMMANDS)
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not there")
    script = tmp_path / "script"
    script.write_text(ran.out)
    checked = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True, timeout=60)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_fish(nndsl, tmp_path):
    if shutil.which("fish") is None:
        pytest.skip("fish is not there")
    (tmp_path / "script").write_text(nndsl("completion", "fish").out)
    command = "source ./script; complete -C 'nndsl compile --target '; complete -C 'nndsl comp'"
    ran = subprocess.run(["fish", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert [line.split("\t")[0] for line in ran.stdout.splitlines()] == ["keras", "torch", "compile", "completion"]


def test_another_shell(nndsl):
    ran = nndsl("completion", "tcsh")
    assert ran.code == 2 and "invalid choice: 'tcsh'" in ran.err
