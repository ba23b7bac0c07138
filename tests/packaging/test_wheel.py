"""The wheel and the sdist hold what they must, and the installed wheel works with no checkout in sight."""

from __future__ import annotations

import ast
import email
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nndsl._version import __version__

ROOT = Path(__file__).resolve().parents[2]


def files_under(folder: str) -> set[str]:
    """The files of a folder of the checkout, by their path from there; what tools leave behind is not counted."""
    paths = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    left_behind = {"__pycache__", ".ruff_cache", ".mypy_cache"}
    return {path.relative_to(ROOT / folder).as_posix() for path in paths if not left_behind & set(path.parts)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")))))


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        return email.message_from_bytes(archive.read(f"nndsl-{__version__}.dist-info/METADATA"))


def test_wheel_holds_the_package_the_grammar_and_every_template(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    info = f"nndsl-{__version__}.dist-info"
    wanted = {f"nndsl/{name}" for name in files_under("nndsl")}
    wanted |= {f"nndsl/_grammar/{name}" for name in files_under("grammar")}
    wanted |= {f"nndsl/_templates/{name}" for name in files_under("templates")}
    wanted |= {f"{info}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")}
    assert "nndsl/_grammar/nn.lark" in names
    assert any(name.startswith("nndsl/_templates/keras/") for name in names)
    assert any(name.startswith("nndsl/_templates/torch/") for name in names)
    assert names == wanted


def test_wheel_metadata(wheel: Path) -> None:
    metadata = metadata_of(wheel)
    requirements = [Requirement(text) for text in metadata.get_all("Requires-Dist", [])]
    assert metadata["Version"] == __version__
    assert {r.name for r in requirements if "extra ==" not in str(r.marker)} == {"lark", "jinja2"}
    extras = {"torch", "data", "pictures", "keras", "lsp", "notebook", "dev"}
    assert set(metadata.get_all("Provides-Extra", [])) == extras
    if (ROOT / "README.md").exists():
        assert metadata["Description-Content-Type"] == "text/markdown", "pyproject.toml lacks readme = 'README.md'"


def test_sdist_is_complete(tmp_path: Path) -> None:
    sdist = next(SdistBuilder(str(ROOT)).build(directory=str(tmp_path)))
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"pyproject.toml", "constraints.txt", "Makefile", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"}
    for folder in ("nndsl", "grammar", "templates", "examples"):
        wanted |= {f"{folder}/{name}" for name in files_under(folder)}
    wanted.add("tests/packaging/test_wheel.py")
    assert wanted <= names
    assert not {name for name in names if name.startswith((".venv", ".git/")) or "__pycache__" in name}


def test_constraints_pin_what_the_extras_name_within_their_ranges() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {name: texts for name, texts in project["optional-dependencies"].items() if name != "lsp"}
    for text in [*project["dependencies"], *(text for texts in extras.values() for text in texts)]:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"sys_platform": "linux"}):
            pin = pins.get(canonicalize_name(requirement.name))
            assert pin is not None, f"{requirement.name} is not pinned"
            assert requirement.specifier.contains(pin), f"{requirement} leaves out the pinned {pin}"


@pytest.mark.slow
def test_installed_wheel_works_outside_the_checkout(tmp_path: Path) -> None:
    """Checkout → sdist → wheel → a new environment, where lark and jinja2 come from the package index."""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}

    def run(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=clean, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path / "dist", ROOT)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    assert len(list((tmp_path / "dist").glob("*.tar.gz"))) == 1

    run(sys.executable, "-m", "venv", tmp_path / "venv")
    scripts = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    run(scripts / "python", "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel, "pygments")

    # -P: the current folder is not searched, so whatever is imported was installed.
    package = Path(run(scripts / "python", "-P", "-c", "import nndsl; print(nndsl.__file__)").strip()).resolve()
    assert package.is_relative_to((tmp_path / "venv").resolve())
    assert not package.is_relative_to(ROOT)
    search_path = run(scripts / "python", "-P", "-c", "import sys; print(*sys.path, sep='\\n')").splitlines()
    assert str(ROOT) not in search_path

    example = tmp_path / "classifier.nn"
    example.write_bytes((ROOT / "examples" / "classifier.nn").read_bytes())
    assert run(scripts / "nndsl", "--version").split()[-1] == __version__
    assert run(scripts / "python", "-m", "nndsl", "--version").split()[-1] == __version__
    run(scripts / "nndsl", "check", example)
    assert "<span" in run(scripts / "pygmentize", "-f", "html", example), "Pygments finds the lexer by the file's name"
    assert run(scripts / "pygmentize", "-l", "nndsl", "-f", "text", example) == example.read_text(encoding="utf-8")
    done = subprocess.run([scripts / "nndsl", "verify", example], env=clean, capture_output=True, text=True)
    assert done.returncode == 2 and "help: install both frameworks: pip install 'nndsl[torch,keras]'" in done.stderr
    said = run(scripts / "nndsl", "doctor")
    for line in (rf"ok +nndsl +{__version__}, installed, in ", r"ok +lark +1\.", r"ok +self test +", "missing +torch "):
        assert re.search(f"^  {line}", said, re.MULTILINE), said
    assert "= help: pip install 'nndsl[torch]'" in said
    for target, framework in (("torch", "torch"), ("keras", "tensorflow")):
        emitted = ast.parse(run(scripts / "nndsl", "compile", "--target", target, example))
        imported = {name.name for node in ast.walk(emitted) if isinstance(node, ast.Import) for name in node.names}
        imported |= {node.module or "" for node in ast.walk(emitted) if isinstance(node, ast.ImportFrom)}
        assert framework in {name.partition(".")[0] for name in imported}


@pytest.mark.slow
def test_the_wheel_runs_both_programs(wheel: Path, tmp_path: Path) -> None:
    """Its workers are found wherever it lies; the frameworks are those of the tests."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "elsewhere")
    (tmp_path / "small.nn").write_text("model Small {\n    input x: float[4]\n    output y = x -> Dense(2)\n}\n")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "nndsl", "verify", "small.nn"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "elsewhere")},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "`Small` is the same in PyTorch" in done.stdout
