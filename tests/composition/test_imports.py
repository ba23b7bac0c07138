"""Imports: what a file may be read from, and how often it is."""

from __future__ import annotations

from pathlib import Path

import pytest

import nndsl

BLOCK = "block Residual(units) {\n    input x\n    output y = (x -> Dense(units), x) -> Add()\n}\n"
MODEL = 'from "{}" import Residual\n\nmodel M {{\n    input x: float[8]\n    output y = x -> Residual(8)\n}}\n'


def project(tmp_path: Path, path: str) -> Path:
    """The main file of a project that imports `path`; a block lies beside the project, and one in it."""
    folder = tmp_path / "project"
    (folder / "blocks").mkdir(parents=True)
    (folder / "nndsl.toml").touch()
    (folder / "blocks" / "residual.nn").write_text(BLOCK)
    (tmp_path / "outside.nn").write_text(BLOCK)
    main = folder / "main.nn"
    main.write_text(MODEL.format(path))
    return main


def codes(main: Path) -> set[str]:
    with pytest.raises(nndsl.CompileError) as caught:
        nndsl.check(main)
    return {problem.code for problem in caught.value.diagnostics}


@pytest.mark.parametrize("path", ["blocks/residual.nn", "./blocks/residual.nn", "blocks/../blocks/residual.nn"])
def test_inside(tmp_path: Path, path: str) -> None:
    assert [use.path for use in nndsl.check(project(tmp_path, path)).main.layers] == ["y.y_dense", "y.y"]


@pytest.mark.parametrize("path", ["../outside.nn", "blocks/../../outside.nn"])
def test_outside(tmp_path: Path, path: str) -> None:
    assert codes(project(tmp_path, path)) == {"NN0703"}


def test_link_to_the_outside(tmp_path: Path) -> None:
    main = project(tmp_path, "blocks/link.nn")
    (main.parent / "blocks" / "link.nn").symlink_to(tmp_path / "outside.nn")
    assert codes(main) == {"NN0703"}
    main.write_text(MODEL.format("folder/outside.nn"))
    (main.parent / "folder").symlink_to(tmp_path)
    assert codes(main) == {"NN0703"}


def test_link_inside(tmp_path: Path) -> None:
    main = project(tmp_path, "link.nn")
    (main.parent / "link.nn").symlink_to(main.parent / "blocks" / "residual.nn")
    assert nndsl.check(main).main.layers


def test_folder_and_absolute_path(tmp_path: Path) -> None:
    main = project(tmp_path, "blocks/residual.nn")
    main.write_text(MODEL.format(main.parent / "blocks" / "residual.nn"))
    assert codes(main) == {"NN0703"}
    (main.parent / "folder.nn").mkdir()
    main.write_text(MODEL.format("folder.nn"))
    assert codes(main) == {"NN0705"}


def test_without_a_marker_the_folder_is_the_main_files(tmp_path: Path) -> None:
    main = project(tmp_path, "blocks/residual.nn")
    (main.parent / "nndsl.toml").unlink()
    assert nndsl.check(main).main.layers
    main.write_text(MODEL.format("../outside.nn"))
    assert codes(main) == {"NN0703"}


def test_a_text_has_no_folder() -> None:
    with pytest.raises(nndsl.CompileError) as caught:
        nndsl.check(MODEL.format("blocks/residual.nn"))
    assert {problem.code for problem in caught.value.diagnostics} == {"NN0705"}


def test_one_file_is_read_once(tmp_path: Path) -> None:
    """Two ways to a file give one block, and so one class."""
    main = project(tmp_path, "blocks/residual.nn")
    (main.parent / "stage.nn").write_text(
        'from "blocks/residual.nn" import Residual\n'
        "block Stage(units) {\n    input x\n    output y = x -> Residual(units)\n}\n"
    )
    main.write_text(
        'from "stage.nn" import Stage\n'
        + MODEL.format("blocks/residual.nn").replace("Residual(8)", "Residual(8) -> Stage(8)")
    )
    assert nndsl.compile(main).count("class Residual") == 1
