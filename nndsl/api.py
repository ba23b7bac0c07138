"""The Python interface: what `import nndsl` offers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nndsl import pipeline
from nndsl.diagnostics.model import Diagnostic, Problems
from nndsl.files import read_source
from nndsl.layers.values import spell
from nndsl.passes.definitions import Reader, no_reader
from nndsl.project import Project
from nndsl.source import SourceFile

if TYPE_CHECKING:
    from nndsl.interop.load import ModuleClass
    from nndsl.ir.graph import CheckedProgram


class CompileError(Exception):
    """A program that is wrong. `diagnostics` are its problems, warnings included, in the order of the text; as text
    the error is what `nndsl check` shows."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        from nndsl.diagnostics.render import render_text

        return "\n" + render_text(self.diagnostics)


def check(source: str | Path, params: Mapping[str, object] | None = None) -> CheckedProgram:
    """The checked program of a source text, or of the file at a Path (a string that is no program but ends in `.nn` is
    taken for one). `params` gives parameters of the file other values, as `--set` does.

    Raises CompileError where it has errors, or where the file cannot be read. Source: nndsl/pipeline.py.
    """
    problems = Problems()
    file: SourceFile | None
    reader: Reader = no_reader
    if isinstance(source, str) and not (source.endswith(".nn") and "{" not in source):
        file = SourceFile("<string>", source)
    else:
        file = read_source(str(source), problems)
        if file is not None:
            reader = Project(file).read
    settings = {name: spell(value) for name, value in (params or {}).items()}
    program = None if file is None else pipeline.check(file, problems, reader, settings)
    if program is None:
        raise CompileError(problems.sorted())
    return program


def compile(
    source: str | Path | CheckedProgram,
    target: str = "torch",
    model: str | None = None,
    *,
    params: Mapping[str, object] | None = None,
    inline: bool = False,
) -> str:
    """The text of the program for `target`, "torch" or "keras"; `model` names one of several models (by default it is
    the last). `params` gives parameters other values; with `inline` blocks and repeats are written out flat.

    `source` is what `check` takes, or what it gives. Raises CompileError as `check` does, ValueError for a target or
    a model that there is not.
    """
    if target not in pipeline.TARGETS:
        raise ValueError(f"no target {target!r}: the targets are {', '.join(pipeline.TARGETS)}")
    return pipeline.emit(_checked(source, model, params), target, model, inline=inline)


def load(
    source: str | Path | CheckedProgram, model: str | None = None, *, params: Mapping[str, object] | None = None
) -> ModuleClass:
    """The class that the emitted PyTorch program defines: `load(Path("model.nn"))()` is a model, ready to train.

    The program is the one that `compile` gives; it is imported as a module of its own, and tracebacks show its lines.
    Raises what `compile` does, and ImportError where there is no PyTorch.
    """
    program = _checked(source, model, params)
    from nndsl.interop.load import load_class

    return load_class(program, model)


def _checked(
    source: str | Path | CheckedProgram, model: str | None, params: Mapping[str, object] | None
) -> CheckedProgram:
    program = check(source, params) if isinstance(source, str | Path) else source
    try:
        program.find(model)
    except LookupError:
        names = ", ".join(item.name for item in program.models)
        raise ValueError(f"no model {model!r} in {program.file.name}: there is {names}") from None
    return program
