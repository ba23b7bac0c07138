"""`nndsl doctor` in made-up environments: folders of packages that are broken in many ways, seen by a Python without
site-packages. In the last tests, what is really installed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from nndsl._version import __version__
from nndsl.interop.doctor import requirements, surroundings
from nndsl.interop.doctor.findings import Finding, Mark, Report, Section, without_home

ROOT = Path(__file__).parents[2]
_FINE = {"torch": "2.13.0", "numpy": "2.4.6", "safetensors": "0.8.0"}


class Place:
    """An environment: lark and jinja2 are the real ones, all else is what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder / "packages", folder / "home"
        self.home.mkdir()
        self.folder.mkdir()
        for module in ("lark", "jinja2", "markupsafe"):
            spec = find_spec(module)
            assert spec is not None and spec.origin is not None
            (self.folder / module).symlink_to(Path(spec.origin).parent)
        self.record("lark", "1.3.1")
        self.record("jinja2", "3.1.6")

    def record(self, name: str, version: str) -> None:
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")

    def put(self, name: str, version: str, code: str = "", module: str | None = None) -> None:
        self.record(name, version)
        (self.folder / (module or name)).mkdir()
        (self.folder / (module or name) / "__init__.py").write_text(code)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-S", "-m", "nndsl", "doctor", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PYTHONPATH": f"{self.folder}{os.pathsep}{ROOT}",
            "HOME": str(self.home),
            "PATH": "/nowhere",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def doctor(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = self.environment | variables
        return subprocess.run(
            self.command(*arguments), cwd=self.home, env=environment, capture_output=True, text=True, timeout=60
        )

    def findings(self, *arguments: str, **variables: str) -> tuple[int, dict[str, dict[str, object]]]:
        ran = self.doctor("--format", "json", *arguments, **variables)
        data = json.loads(ran.stdout)
        assert data["ok"] == (ran.returncode == 0), ran.stdout
        return ran.returncode, {f"{s['title']}/{f['name']}": f for s in data["sections"] for f in s["findings"]}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_without_frameworks_the_compiler_works(place, golden):
    """Nothing that is optional is there: exit code 0, and what to do."""
    ran = place.doctor()
    assert (ran.returncode, ran.stderr) == (0, "")
    text = ran.stdout
    for found, name in (
        (sys.executable, "PYTHON"), (str(place.folder), "PACKAGES"), (str(place.home), "HOME"), (str(ROOT), "ROOT"),
        (__version__, "VERSION"),
    ):  # fmt: skip
        text = text.replace(found, name)
    text = re.sub(r"(Python +)\d.*", r"\1VERSION", re.sub(r"\(\d+\.\d s\)", "(TIME)", text))
    text = text.replace("an editable installation", "from a checkout that is not installed")
    golden("golden/doctor.txt", re.sub(r"add \S+ to PATH", "add FOLDER to PATH", text))


@pytest.mark.parametrize(
    ("code", "says", "shows"),
    [
        ("raise ImportError('libcudart.so.12: cannot open shared object file')", "failed", "libcudart.so.12"),
        ("import sys; sys.exit(0)", "ended the process with exit code 0", None),
        pytest.param("import os; os._exit(7)", "ended the process with exit code 7", None, marks=pytest.mark.slow),
        pytest.param("import os; os.abort()", "was ended by SIGABRT", None, marks=pytest.mark.slow),
        pytest.param(
            "import os, signal; os.kill(os.getpid(), signal.SIGILL)",
            "was ended by SIGILL",
            None,
            marks=pytest.mark.slow,
        ),
        ("print('waiting', flush=True); import time; time.sleep(600)", "took longer than 4 s", "waiting"),
        ("print('\\x1b[2J odd'); raise RuntimeError('\\udcff')", "failed", None),
        ("__version__ = '2.13.0'", "failed", "AttributeError"),
    ],
)
def test_a_broken_framework_is_told_and_takes_nothing_with_it(place, code, says, shows):
    for name, version in _FINE.items():
        place.put(name, version, code if name == "torch" else "")
    exit, found = place.findings(*(["--timeout", "4"] if "sleep" in code else []))
    works = found["PyTorch/works"]
    assert exit == 1 and works["mark"] == "broken" and says in works["text"] and works["help"]
    assert shows is None or shows in "\n".join(works["printed"])
    assert found["Compiler/self test"]["mark"] == "ok" and found["Extras/torch"]["mark"] == "ok"
    assert found["Extras/keras"]["mark"] == "missing" and not any(name.startswith("TensorFlow") for name in found)


def test_every_broken_package_is_told(place):
    """One that ends the process does not hide those behind it."""
    place.put("numpy", "2.4.6", "import os; os.abort()")
    place.put("pyarrow", "26.0.1")
    place.put("scikit-learn", "1.9.1", "raise OSError('odd')", module="sklearn")
    place.put("pillow", "13.0.0", module="PIL")
    code, found = place.findings()
    assert code == 1 and found["Extras/data"]["mark"] == "ok"
    broken = [name for name, finding in found.items() if finding["mark"] == "broken"]
    assert sorted(broken) == ["Extras/numpy", "Extras/sklearn"]
    assert found["Extras/sklearn"]["printed"][-1] == "OSError: odd"


def test_versions_outside_their_range(place):
    place.put("torch", "1.13.1")
    place.put("numpy", "2.4.6")
    (place.folder / "safetensors").mkdir()  # a folder of the name is no package
    place.record("jinja2", "3.1.7")  # two records: the first is taken, whichever it is, and nothing fails
    code, found = place.findings("--quick")
    torch = found["Extras/torch"]
    assert code == 1 and torch["mark"] == "broken" and torch["help"] == ["pip install --upgrade 'nndsl[torch]'"]
    assert torch["text"] == (
        "torch 1.13.1 is outside >=2.13,<3, which nndsl needs; not installed: safetensors; there: numpy 2.4.6"
    )


def test_another_build_of_tensorflow_is_tensorflow_too(place):
    place.put("tensorflow", "2.21.0")
    for name, version in {"keras": "3.15.1", "h5py": "3.14.0", "numpy": "2.4.6", "safetensors": "0.8.0"}.items():
        place.put(name, version)
    code, found = place.findings("--quick")
    assert code == 0 and found["Extras/keras"]["mark"] == "ok", found["Extras/keras"]
    assert "2.21.0" in found["Extras/keras"]["text"]


def test_a_missing_dependency_of_the_compiler(place):
    (place.folder / "jinja2").unlink()
    (place.folder / "jinja2-3.1.6.dist-info" / "METADATA").unlink()
    (place.folder / "jinja2-3.1.6.dist-info").rmdir()
    for quick in ([], ["--quick"]):
        code, found = place.findings(*quick)
        assert code == 1 and found["Compiler/jinja2"]["help"] == ["pip install --upgrade 'jinja2>=3.1.6,<4'"]
        assert found["Compiler/self test"]["mark"] == "ok"  # the templates are shipped as modules


def test_quick_imports_nothing(place):
    for name, version in _FINE.items():
        place.put(name, version, "import pathlib, os; pathlib.Path(os.environ['HOME'], 'imported').touch()")
    code, found = place.findings("--quick")
    assert code == 0 and found["Extras/torch"]["mark"] == "ok" and not (place.home / "imported").exists()
    assert not any(name.startswith(("PyTorch", "TensorFlow", "Both")) for name in found)
    place.findings()
    assert (place.home / "imported").exists()


def test_variables_that_matter(place):
    (place.home / ".keras").mkdir()
    (place.home / ".keras" / "keras.json").write_text('{"backend": "jax"}')
    code, found = place.findings("--quick", OMP_NUM_THREADS="many", TF_USE_LEGACY_KERAS="1", SECRET="x")
    wrong = {name for name, finding in found.items() if finding["mark"] == "warning"}
    assert code == 0
    assert {"Environment/OMP_NUM_THREADS", "Environment/TF_USE_LEGACY_KERAS", "Environment/keras.json"} <= wrong
    assert not any("SECRET" in name for name in found)
    code, found = place.findings("--quick", KERAS_BACKEND="torch", NO_COLOR="1")
    assert found["Environment/KERAS_BACKEND"]["mark"] == "warning" and "Environment/keras.json" not in found
    assert found["Environment/NO_COLOR"]["mark"] == "ok"


def test_json_holds_no_home_folder(place):
    ran = place.doctor("--quick", "--format", "json")
    data = json.loads(ran.stdout)
    assert set(data) == {"format", "nndsl", "quick", "ok", "sections"} and data["format"] == 1
    for section in data["sections"]:
        assert set(section) == {"title", "findings"}
        for finding in section["findings"]:
            assert set(finding) == {"name", "mark", "text", "help", "printed"}
            assert finding["mark"] in list(Mark)
    assert str(place.home) not in ran.stdout


def test_the_home_folder_is_shortened_where_it_is_one(monkeypatch):
    monkeypatch.setenv("HOME", "/home/anna")
    assert without_home("in /home/anna/x, /home/annabel/y, /home/anna") == "in ~/x, /home/annabel/y, ~"
    monkeypatch.setenv("HOME", "/")
    assert without_home("/usr") == "/usr"


def test_ctrl_c_leaves_no_process(place):
    code = "import os, pathlib, time; pathlib.Path(os.environ['HOME'], 'at').write_text(str(os.getpid()))\n"
    for name, version in _FINE.items():
        place.put(name, version, f"{code}time.sleep(600)" if name == "torch" else "")
    process = subprocess.Popen(
        place.command(), cwd=place.home, env=place.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    end, at = time.monotonic() + 30, place.home / "at"
    while not (at.exists() and at.read_text()) and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, b"", b"")
    with pytest.raises(ProcessLookupError):
        os.kill(int(at.read_text()), 0)


@pytest.mark.parametrize("range", [">=1.3.1,<2", ">=2.13,<3", ">=2.1", "", ">=0.17.5"])
@pytest.mark.parametrize(
    "version",
    ["1.3.1", "1.3", "1.3.0", "1.10", "2", "2.0.0", "2.1", "2.13", "2.13.0+cpu", "2.13.0rc1", "2.14.0.dev2",
     "2.13.post1", "3.0", "0.17.5", "0.17.10", "10.0"],
)  # fmt: skip
def test_ranges_mean_what_packaging_says(version, range):
    assert requirements.fits(version, range) == SpecifierSet(range).contains(version, prereleases=True)


def test_what_cannot_be_read_as_a_version():
    for version, range in (("new", ">=1"), ("1", "~=1.0"), ("", ">=1")):
        with pytest.raises(ValueError, match=r"cannot be read|none that nndsl declares"):
            requirements.fits(version, range)
    assert not requirements.fits("3.0rc1", ">=2,<3")


def test_the_declared_requirements_are_those_of_the_project():
    declared = {(item.extra, item.name): item for item in requirements.declared()}
    assert declared[None, "lark"].range == ">=1.3.1,<2"
    assert {"torch", "keras", "data", "pictures", "lsp"} <= {extra for extra, _ in declared if extra}
    tensorflow = "tensorflow-cpu" if sys.platform == "linux" else "tensorflow"
    assert declared["keras", tensorflow].module == "tensorflow"
    assert len([name for extra, name in declared if extra == "keras" and "tensorflow" in name]) == 1
    again = requirements.parse("tensorflow-cpu<3,>=2.21; (sys_platform == 'linux') and extra == 'keras'")
    assert again == (declared["keras", tensorflow] if sys.platform == "linux" else None)


def test_editors_are_told_of_the_wrong_command(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert surroundings.editors().findings[0].mark is Mark.MISSING
    (tmp_path / "nndsl").write_text("#!/bin/sh\n")
    (tmp_path / "nndsl").chmod(0o755)
    (found,) = surroundings.editors().findings
    assert found.mark is Mark.WARNING and str(tmp_path) in found.text and sys.executable in found.help[0]


def test_marks_in_colour_and_odd_text():
    from nndsl.cli.doctor import as_text

    findings = [Finding("a\x1b[0m", Mark.BROKEN, "b\nc", ["d"], ["\x07"]), Finding("e", Mark.MISSING, "f")]
    report = Report("1", [Section("S", findings), Section("Empty")], quick=True)
    plain, coloured = as_text(report, False), as_text(report, True)
    assert "\x1b" not in plain and "\x07" not in plain and "b␊c" in plain and "1 broken, 1 missing" in plain
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == plain and "\x1b[1;31mbroken" in coloured


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.keras
def test_what_is_installed_here_works(process):
    for module in ("torch", "tensorflow", "keras"):
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    ran = process("doctor", "--format", "json", timeout=200, cwd=ROOT, env={"CUDA_VISIBLE_DEVICES": "-1"})
    data = json.loads(ran.stdout)
    found = {f"{s['title']}/{f['name']}": f for s in data["sections"] for f in s["findings"]}
    for name in ("PyTorch/CPU", "TensorFlow and Keras/CPU", "Both programs/outputs", "Both programs/after a step"):
        assert found[name]["mark"] == "ok", ran.stdout
    assert found["PyTorch/GPU"]["text"] == "none, as CUDA_VISIBLE_DEVICES hides them"
    assert ran.returncode == 0, ran.stdout
