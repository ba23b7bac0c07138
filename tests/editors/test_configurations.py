"""The settings of Helix and Zed: what they name is there, and they start what there is."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EDITORS = ROOT / "editors"


def toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def commands() -> set[str]:
    return {path.stem for path in (ROOT / "nndsl" / "cli").glob("*.py")}


def test_helix() -> None:
    found = toml(EDITORS / "helix" / "languages.toml")
    (language,), (grammar,) = found["language"], found["grammar"]
    server = found["language-server"]["nndsl"]
    assert language["language-servers"] == ["nndsl"] and language["file-types"] == ["nn"]
    assert server["command"] == "nndsl" and server["args"][0] in commands()
    assert language["formatter"]["args"][0] in commands()
    assert grammar["name"] == language["name"] == "nndsl"
    assert grammar["source"]["path"].endswith("editors/tree-sitter-nndsl")
    assert (EDITORS / "helix" / "queries" / "nndsl" / "highlights.scm").is_file()


def test_zed() -> None:
    extension = toml(EDITORS / "zed" / "extension.toml")
    config = toml(EDITORS / "zed" / "languages" / "nndsl" / "config.toml")
    assert extension["language_servers"]["nndsl"]["languages"] == [config["name"]]
    assert config["grammar"] in extension["grammars"] and config["path_suffixes"] == ["nn"]
    assert (ROOT / extension["grammars"]["nndsl"]["path"] / "src" / "parser.c").is_file()


@pytest.mark.skipif(shutil.which("make") is None or not (ROOT / ".git").exists(), reason="needs make and a checkout")
def test_make_zed_says_where_the_grammar_is(tmp_path: Path) -> None:
    for name in ("Makefile", "editors/zed"):
        source = ROOT / name
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    subprocess.run(["make", "-s", "zed"], cwd=tmp_path, check=True)
    grammar = toml(tmp_path / "build" / "zed" / "extension.toml")["grammars"]["nndsl"]
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert grammar["repository"] == f"file://{tmp_path}" and grammar["rev"] == head
