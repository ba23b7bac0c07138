"""What blocks, repeats, choices, parameters and imports mean: each case of `cases/` becomes the layers that the text
beside it lists, with their paths, types and weights. No framework is needed."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from math import prod
from pathlib import Path

import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.diagnostics.render import render_text
from nndsl.files import read_source
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.project import Project

ROOT = Path(__file__).parent / "cases"
CASES = {path.stem: path for path in ROOT.glob("*.nn")} | {path.parent.name: path for path in ROOT.glob("*/main.nn")}
NAMES = sorted(CASES)


def program(name: str, **settings: str) -> CheckedProgram:
    problems = Problems()
    source = read_source(str(CASES[name]), problems)
    assert source is not None
    first = source.text.partition("\n")[0]
    options = shlex.split(first.removeprefix("# ")) if first.startswith("# --set ") else []
    given = dict(option.split("=", 1) for option in options if option != "--set")
    checked = pipeline.check(source, problems, Project(source).read, given | settings)
    assert checked is not None and not problems.items, render_text(problems)
    return checked


def listing(model: Model) -> str:
    """The layers, in order, with their types and numbers of weights; then outputs, penalties and submodels."""
    rows: list[tuple[str, ...]] = []
    total = 0
    for use in model.layers:
        weights = list(use.config.weights(*use.nodes[0].input_types))
        count = sum(prod(weight.shape) for weight in weights)
        total += count
        calls = f"{len(use.nodes)} calls" if len(use.nodes) > 1 else ""
        types = " ".join(str(value.type) for value in use.nodes[0].results)
        rows.append((use.path, use.config.title(), types, f"{count:,}" if count else "", calls))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += ["", f"weights: {total:,}"]
    lines += [f"output {item.name}: {item.value.type}" for item in model.outputs]
    for path, item in [("", p) for p in model.penalties] + [(c.path, p) for c in model.blocks for p in c.penalties]:
        lines.append(f"penalty {item.name}: {item.weight} * {item.value.type}" + (f" (in {path})" if path else ""))
    for part in model.submodels:
        paths = ", ".join(dict.fromkeys(node.layer.path for node in part.nodes if not node.port))
        lines.append(f"submodel {part.name}: {paths}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_layers(name: str, golden: Callable[[Path | str, str], None]) -> None:
    golden(ROOT / f"{name}.out", listing(program(name).main))


@pytest.mark.parametrize("name", NAMES)
def test_inline_has_the_same_layers(name: str) -> None:
    """`--inline` writes the same layers: every path stands in the flat program."""
    checked = program(name)
    text = pipeline.emit(checked, "keras", inline=True)
    for use in checked.main.layers:
        if not use.path.startswith("_"):
            assert f'"{use.path}"' in text, use.path


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("target", pipeline.TARGETS)
def test_emits_the_same_every_time(name: str, target: str) -> None:
    for inline in (False, True):
        text = pipeline.emit(program(name), target, inline=inline)
        assert text == pipeline.emit(program(name), target, inline=inline)
        compile(text, name, "exec")


def test_set_changes_what_it_names() -> None:
    assert program("choices").main.layers[-2].config.title() == "MaxPooling2D"
    assert program("choices", pool="false").main.layers[-2].config.title() == "Conv2D"
    assert str(program("params", base="4").main.inputs[0].value.type) == "float[4, 8]"


def test_paths_do_not_depend_on_other_statements() -> None:
    """An edit elsewhere in the file leaves every identity as it is."""
    text = CASES["paths"].read_text(encoding="utf-8")
    more = text.replace("    output y = a", "    b = x -> Unit(3) -> Dense(3)\n    output other = b\n    output y = a")
    problems = Problems()
    changed = pipeline.check(type(program("paths").file)("more.nn", more), problems)
    assert changed is not None
    before = {use.path for use in program("paths").main.layers}
    assert before < {use.path for use in changed.main.layers}
