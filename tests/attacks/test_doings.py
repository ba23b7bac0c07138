"""What the compiler does besides computing, told by Python's audit events: it opens what it must and starts nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MARK = "MARKED_BY_THE_FILE"
TEXT = f'''# {MARK} """ + __import__("os").system("true")
param word = "{MARK}' + exec(1)"
from "../outside.nn" import A
from "/etc/passwd" import B
from "link.nn" import C
from "pipe.nn" import D
model {MARK} {{
    input x: float[8]
    output y = x -> Dense(8) -> Dense(2, activation=softmax)
        with loss=categorical_crossentropy, metrics=[AUC(name=word)]
}}
'''
FINE = "\n".join(line for line in TEXT.split("\n") if not line.startswith("from"))
SCRIPT = """
import os, sys
allowed = [os.path.realpath(p) for p in sys.argv[1].split(os.pathsep)]
written = [os.path.realpath(p) for p in sys.argv[2].split(os.pathsep)]
mark = sys.argv[3]
bad = []
def inside(path, roots):
    real = os.path.realpath(os.fsdecode(path))
    return any(real == root or real.startswith(root + os.sep) for root in roots)
def hook(event, args):
    if event == "open" and isinstance(args[0], (str, bytes)):
        flags = args[2] or 0
        writes = (args[1] and set(args[1]) & set("wax+")) or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if not inside(args[0], written if writes else allowed + written):
            bad.append((event, os.fsdecode(args[0]), args[1]))
    elif event == "compile":
        source = args[0] if isinstance(args[0], (str, bytes)) else b""
        if mark in (source.decode("utf-8", "replace") if isinstance(source, bytes) else source):
            bad.append((event, mark))
    elif event == "exec" and any(mark in str(c) for c in args[0].co_consts):
        bad.append((event, mark))
    elif event.split(".")[0] in ("socket", "subprocess", "ctypes", "http", "urllib", "shutil") or (
        event in ("os.system", "os.exec", "os.posix_spawn",
                  "os.fork", "os.forkpty", "os.spawn", "os.startfile", "os.kill",
                  "os.chown", "os.link", "os.symlink", "os.putenv", "pty.spawn", "pickle.find_class")
    ):
        bad.append((event, str(args)[:200]))
sys.addaudithook(hook)
from nndsl.cli.main import main
code = main(sys.argv[4:])
print("BAD", bad, file=sys.stderr) if bad else None
sys.exit(99 if bad else code)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "outside.nn").write_text("block A() { input x; output y = x -> Dense(8) }\n", encoding="utf-8")
    (folder / "link.nn").symlink_to(tmp_path / "outside.nn")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.nn")
    (folder / "m.nn").write_text(TEXT, encoding="utf-8")
    (folder / "fine.nn").write_text(FINE, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("check", "m.nn"), 1),
        (("compile", "fine.nn", "--target", "torch", "-o", "out.py"), 0),
        pytest.param(("compile", "fine.nn", "--target", "keras"), 0, marks=pytest.mark.slow),
        pytest.param(("check", "m.nn", "--format", "sarif"), 1, marks=pytest.mark.slow),
        pytest.param(("graph", "fine.nn"), 0, marks=pytest.mark.slow),
        pytest.param(("summary", "fine.nn"), 0, marks=pytest.mark.slow),
        pytest.param(("fmt", "fine.nn"), 0, marks=pytest.mark.slow),
    ],
)
def test_nothing_is_opened_elsewhere(arguments: tuple[str, ...], code: int, project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    roots = [sys.prefix, sys.base_prefix, str(ROOT), os.path.dirname(os.__file__), *sys.path[1:]]
    readable = os.pathsep.join(root for root in roots if root)
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, readable, os.pathsep.join([str(project), str(cache)]), MARK, *arguments],
        cwd=project, capture_output=True, text=True, timeout=60,
        env={
            "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache), "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )  # fmt: skip
    assert run.returncode == code, run.stderr
    assert "Traceback" not in run.stderr
