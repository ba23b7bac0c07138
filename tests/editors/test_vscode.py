"""The VS Code extension without VS Code: its snippets, its settings for the language, and what is packed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from nndsl._version import __version__
from nndsl.diagnostics.model import Problems
from nndsl.pipeline import check
from nndsl.source import SourceFile

ROOT = Path(__file__).parents[2]
HOME = ROOT / "editors/vscode"
SNIPPETS = json.loads((HOME / "snippets/nndsl.json").read_text(encoding="utf-8"))
CONFIGURATION = json.loads((HOME / "language-configuration.json").read_text(encoding="utf-8"))

installed = pytest.mark.skipif(
    shutil.which("node") is None or not (HOME / "node_modules/vscode-tmgrammar-test").is_dir(),
    reason="`make editors` has not been run (it needs node and npm)",
)

# Where a snippet stands: @ is its place.
FILE = "@\n"
STATEMENT = """
model Around {
    input features: float[8]
    code = features -> Dense(2)
    @
    output label = code -> Dense(3, activation=softmax) with loss=sparse_categorical_crossentropy
}
"""
STAGE = """
model Around {
    input features: float[8, 8, 64]
    output label = features
        @
        -> Flatten() -> Dense(3)
}
"""
AROUND = {
    "Model": FILE,
    "Block": FILE + "\nmodel M { input x: float[8, 8, 3]; output y = x -> Residual(4) }\n",
    "Layer": FILE + "\nmodel M { input x: float[8]; output y = x -> Linear(4) }\n",
    "Parameter": FILE + "\nmodel M { input x: float[8]; output y = x -> Dense(classes) }\n",
    "Input": "model M {\n    @\n    output y = image -> Flatten() -> Dense(2)\n}\n",
    "Output": "model M {\n    input features: float[8]\n    @\n}\n",
    "Shared layer": "model M {\n    input x: float[T, 8]\n    @\n    output y = x -> encoder\n}\n",
    "Submodel": STATEMENT,
    "Branch": STAGE,
    "Residual": STAGE,
    "Repeat": STAGE,
    "Repeat over values": STAGE,
    "Train": STATEMENT,
    "Data": STATEMENT,
}


def expanded(body: str) -> str:
    """A snippet as it stands when every place keeps what is proposed."""
    before = ""
    while before != body:  # places lie within each other
        before = body
        body = re.sub(r"\$\{\d+\|([^,|]*)[^|]*\|\}", r"\1", body)
        body = re.sub(r"\$\{\d+:([^${}]*)\}", r"\1", body)
    return re.sub(r"\$\d+", "", body)


@pytest.mark.parametrize("name", SNIPPETS)
def test_a_snippet_is_right_as_it_is_proposed(name: str) -> None:
    body = SNIPPETS[name]["body"]
    lines = expanded(body if isinstance(body, str) else "\n".join(body)).split("\n")
    around = AROUND[name]
    indent = re.search(r"^ *(?=@)", around, re.M)[0]
    text = around.replace("@", f"\n{indent}".join(lines))
    assert "$" not in text
    problems = Problems()
    check(SourceFile(f"{name}.nn", text), problems)
    assert not list(problems), (text, list(problems))


def test_every_snippet_has_a_word_of_its_own() -> None:
    prefixes = [snippet["prefix"] for snippet in SNIPPETS.values()]
    assert len(set(prefixes)) == len(prefixes)
    assert set(AROUND) == set(SNIPPETS)


# ------------------------------------------------------------------------------------------------ typing


@pytest.mark.parametrize(
    ("line", "deeper"),
    [
        ("model Small {", True),
        ("    train {          # how", True),
        ("    -> branch {", True),
        ("    x = y -> Dense(", True),
        ('    source t = csv("a{")', False),
        ("    x = y -> Dense(3)", False),
        ("    # like this {", False),
        ("    train { epochs = 3 }", False),
    ],
)
def test_a_line_that_opens_a_bracket_indents_the_next(line: str, deeper: bool) -> None:
    assert bool(re.search(CONFIGURATION["indentationRules"]["increaseIndentPattern"], line)) is deeper


@pytest.mark.parametrize(
    ("before", "after", "action"),
    [
        ("# A comment", "", {"indent": "none", "appendText": "# "}),
        ("    # A comment", "that goes on", {"indent": "none", "appendText": "# "}),
        ("#", "", None),
        ("    x = y # why", "", None),
        ("    features = posts", " -> Dense(3)", {"indent": "indent"}),
        ("        -> Dense(3)", " -> Dense(3)", None),
        ("    output age = features", "", {"indent": "indent"}),
        ("    output age = (left, right)", "", {"indent": "indent"}),
        ("    output age = features -> Dense(1)", "", None),
        ("        with loss=mse", "", {"indent": "outdent"}),
        ("        with loss=mse,", "", None),
        ("        epochs = 3", "", None),
        ("    x =", "", {"indent": "indent"}),
    ],
)
def test_enter(before: str, after: str, action: dict[str, str] | None) -> None:
    rules = CONFIGURATION["onEnterRules"]
    found = [
        rule["action"]
        for rule in rules
        if re.search(rule["beforeText"], before) and re.search(rule.get("afterText", ""), after)
    ]
    assert found[:1] == ([] if action is None else [action])


def test_a_comment_begins_and_brackets_close_as_in_the_language() -> None:
    assert CONFIGURATION["comments"] == {"lineComment": "#"}
    assert {tuple(pair) for pair in CONFIGURATION["brackets"]} == {("{", "}"), ("[", "]"), ("(", ")")}


# ---------------------------------------------------------------------------------------------- packing


def test_the_extension_has_the_version_of_nndsl() -> None:
    assert json.loads((HOME / "package.json").read_text(encoding="utf-8"))["version"] == __version__


def test_the_lock_file_names_no_machine() -> None:
    lock = json.loads((HOME / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert len(packages) > 100
    for name, package in packages.items():
        assert package.get("resolved", "https://registry.npmjs.org/").startswith("https://registry.npmjs.org/"), name
        assert package.get("integrity", "").startswith("sha512-"), name


def test_every_command_is_implemented_and_named() -> None:
    manifest = json.loads((HOME / "package.json").read_text(encoding="utf-8"))
    code = "".join(path.read_text(encoding="utf-8") for path in (HOME / "src").glob("*.ts"))
    registered = set(re.findall(r'(?:registerCommand|onModel)\("(nndsl\.\w+)"', code))
    assert registered == {command["command"] for command in manifest["contributes"]["commands"]}
    asked = set(re.findall(r'get<[^>]*>\("([\w.]+)"', code))
    declared = set(manifest["contributes"]["configuration"]["properties"])
    assert {f"nndsl.{name}" for name in asked} <= declared


@pytest.mark.slow
@installed
def test_the_sources_are_sound() -> None:
    run = subprocess.run(
        ["npm", "run", "--silent", "check"], cwd=HOME, capture_output=True, encoding="utf-8", timeout=180, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


@installed
def test_the_package_holds_what_it_should_and_nothing_else(tmp_path: Path) -> None:
    """Built with no network to reach: npm and node are told of a proxy that does not answer."""
    made = tmp_path / "nndsl.vsix"
    run = subprocess.run(
        [str(HOME / "build-vsix"), str(made)],
        env={**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"},
        capture_output=True,
        encoding="utf-8",
        timeout=180,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    with zipfile.ZipFile(made) as package:
        names = {name.removeprefix("extension/") for name in package.namelist()}
        bundle = package.read("extension/dist/extension.js").decode()
        manifest = json.loads(package.read("extension/package.json"))
    assert names == {
        *("[Content_Types].xml", "extension.vsixmanifest", "package.json", "readme.md", "changelog.md", "LICENSE.txt"),
        *("icon.png", "icons/file-light.svg", "icons/file-dark.svg", "media/graph.css", "media/graph.js"),
        *("dist/extension.js", "language-configuration.json", "snippets/nndsl.json"),
        *("syntaxes/nndsl.tmLanguage.json", "syntaxes/nndsl.markdown.tmLanguage.json"),
    }
    assert manifest["version"] == __version__
    listed = subprocess.run(
        ["node", "-p", "require('node:module').builtinModules.join()"], capture_output=True, text=True, check=True
    )
    built_in = set(listed.stdout.strip().split(","))
    needed = {name.removeprefix("node:") for name in re.findall(r'require\("([^"]+)"\)', bundle)}
    assert "vscode" in needed
    assert needed <= built_in | {"vscode"}
    assert made.stat().st_size < 400_000
