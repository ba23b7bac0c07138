"""The compiler: text in, checked programs and text out, problems in a bag. Nothing here reads or writes a file."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from nndsl.diagnostics.model import Problems, TooManyProblems
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.passes.definitions import Reader, no_reader
from nndsl.passes.elaborate import elaborate
from nndsl.passes.lint import lint
from nndsl.passes.outputs import check_outputs
from nndsl.passes.trace import Trace
from nndsl.passes.usage import check_usage, prune
from nndsl.records import mutable
from nndsl.source import SourceFile, Span
from nndsl.syntax import ast, parse

TARGETS = ("keras", "torch")
MOST_PROBLEMS = 500


@contextmanager
def _no_collections() -> Iterator[None]:
    """Python does not look for garbage in cycles meanwhile: a compilation makes hardly any, but millions of objects
    that live, and going through them again and again would take a third of its time, more with every layer."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@mutable
class Examined:
    """What a check has found out, also of a file with errors: `models` are those of `tree`, broken ones too, and empty
    where there were too many problems to go on."""

    tree: ast.File
    models: list[Model]


def check(
    source: SourceFile,
    problems: Problems,
    reader: Reader = no_reader,
    settings: Mapping[str, str] | None = None,
    *,
    need_model: bool = True,
    float_dtype: str | None = None,
) -> CheckedProgram | None:
    """The checked program, or None where `problems` holds an error.

    `reader` gives the files that imports name, `settings` the values (as text) of parameters that are set from outside.
    Without `need_model` a file of blocks alone is fine too. `float_dtype` is the models' float type, whatever their
    `options` say.
    """
    found = examine(source, problems, reader, settings, need_model=need_model, float_dtype=float_dtype)
    return finish(source, found, problems)


@_no_collections()
def examine(
    source: SourceFile,
    problems: Problems,
    reader: Reader = no_reader,
    settings: Mapping[str, str] | None = None,
    *,
    need_model: bool = True,
    float_dtype: str | None = None,
    trace: Trace | None = None,
) -> Examined:
    """All that can be told of a file, for those who show it while it is being written; arguments as for `check`.
    `trace` is told what every expression gave."""
    problems.limit = len(problems) + MOST_PROBLEMS
    models: list[Model] = []
    tree = ast.File(Span(source, 0, 0), ())
    try:
        tree = parse(source, problems)
        if any(problem.code == "NN0190" for problem in problems.items):
            return Examined(tree, [])  # so many syntax errors that some are not shown: what follows would be
        models = elaborate(
            tree, problems, reader, settings or {}, need_model=need_model, float_dtype=float_dtype, trace=trace
        )
        definitions = [statement for statement in tree.body if isinstance(statement, ast.ModelDef)]
        for model, definition in zip(models, definitions, strict=True):
            check_outputs(model, problems)
            lint(model, problems)
            if not problems.has_errors:
                check_usage(model, definition, problems)
        return Examined(tree, models)
    except TooManyProblems:
        return Examined(tree, models)
    finally:
        problems.limit = None


@_no_collections()
def finish(source: SourceFile, found: Examined, problems: Problems) -> CheckedProgram | None:
    """The checked program of what was examined without an error, None otherwise."""
    if problems.has_errors:
        return None
    for model in found.models:
        prune(model)
    return CheckedProgram(source, found.models)


@_no_collections()
def emit(program: CheckedProgram, target: str, model: str | None = None, *, inline: bool = False) -> str:
    """The text of the program for `target`; `model` names one of several (the last by default), `inline` writes blocks
    and repeats out instead of giving each a class, function or loop of its own."""
    return _emitter(target)(program, model, inline)


def _emitter(target: str) -> Callable[[CheckedProgram, str | None, bool], str]:
    if target == "torch":
        from nndsl.targets.torch import emit_torch

        return emit_torch
    if target == "keras":
        from nndsl.targets.keras import emit_keras

        return emit_keras
    raise ValueError(f"no target {target!r}: the targets are {', '.join(TARGETS)}")
