"""The manual that is made of the catalogue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nndsl.diagnostics.model import Problems
from nndsl.layers import catalogue
from nndsl.layers.docs import categories, describe, main, page
from nndsl.source import SourceFile
from nndsl.syntax import parse

ENTRIES = [cls for category in catalogue.categories() for cls in catalogue.entries(category)]


@pytest.mark.parametrize("cls", ENTRIES, ids=lambda cls: f"{cls.category}-{cls.__name__}")
def test_every_entry_is_described(cls: type) -> None:
    text = describe(cls)
    assert cls.documentation()
    for argument in cls.arguments.values():
        assert argument.doc, argument.name
        assert f"  {argument.name}: " in text
    assert all(len(line) <= 120 for line in text.split("\n") if "http" not in line)


@pytest.mark.parametrize("cls", list(catalogue.entries("layer")), ids=lambda cls: cls.__name__)
def test_every_layer_has_an_example_that_parses(cls: type) -> None:
    example = cls.documentation().partition("\nExample:\n")[2].strip()
    assert cls.__name__ in example
    problems = Problems()
    statement = example if re.match(r"[\w(), ]+ = ", example) else f"output y = {example}"
    text = f"model M {{\n    input x: float[3]\n    {statement}\n}}\n"
    parse(SourceFile("example.nn", text), problems)
    assert not list(problems), text


def test_names_are_found_in_all_their_spellings() -> None:
    assert describe("Dense") is not None
    text = describe("glorot_uniform", "initializer")
    assert text is not None
    assert text == describe("GlorotUniform")
    identity = describe("Identity")
    assert identity is not None
    assert identity.startswith("layer Identity")
    assert "initializer Identity" in identity
    former = describe("AtrousConvolution2D")
    assert former is not None
    assert former.startswith("layer Conv2D")
    assert describe("Dense", "loss") is None
    assert describe("NoSuchThing") is None


def test_the_text_of_dense() -> None:
    text = describe("Dense")
    assert text is not None
    assert "Dense(units, activation=none, use_bias=true, kernel_initializer=glorot_uniform" in text
    assert "  units: a positive integer (required)" in text
    assert text.rstrip().endswith("x -> Dense(64, activation=relu)")


def test_the_page_has_every_entry_once() -> None:
    text = page()
    assert categories()[0] == "layer"
    for name in ("#### Dense\n", "### relu\n", "### glorot_uniform\n"):
        assert text.count(f"\n{name}") == 1
    assert text == page()


def test_the_command_writes_and_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "docs"
    assert main([str(folder), "--check"]) == 1
    assert capsys.readouterr().err.count("out of date") == 2
    assert main([str(folder)]) == 0
    assert main([str(folder), "--check"]) == 0
    assert (folder / "layers.md").read_text(encoding="utf-8") == page()
    (folder / "coverage.md").write_text("old", encoding="utf-8")
    assert main([str(folder), "--check"]) == 1
    assert "coverage.md is out of date" in capsys.readouterr().err
