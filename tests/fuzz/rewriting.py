"""Texts that must mean the same as another: statements in another order."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from nndsl.diagnostics.model import Problems
from nndsl.ir.graph import CheckedProgram
from nndsl.source import SourceFile
from nndsl.syntax import ast, parse
from nndsl.views.summary import summarize
from tests.fuzz.oracles import MAIN, Files, Finding, check, totals


def rewritten(files: Files, program: CheckedProgram | None, random: Random, settings: Mapping[str, str] | None) -> None:
    if program is None or not program.models:
        return
    text = reordered(files[MAIN], random)
    after, problems = check({**files, MAIN: text}, settings)
    if after is None:
        raise Finding("order", f"{problems.errors[0].message}\n{text}")
    before = [totals(summarize(model)) for model in program.models]
    if before != [totals(summarize(model)) for model in after.models]:
        raise Finding("order", f"other numbers than in the first order\n{text}")


def reordered(text: str, random: Random) -> str:
    """The statements of each model shuffled. Order has a meaning in `train`, `data` and bodies of blocks alone."""
    tree = parse(SourceFile(MAIN, text), Problems())
    for model in reversed([s for s in tree.body if isinstance(s, ast.ModelDef)]):
        if model.body:
            start, end = model.body[0].span.start, max(s.span.end for s in model.body)
            pieces = [statement.span.text for statement in model.body]
            random.shuffle(pieces)
            text = text[:start] + "\n    ".join(pieces) + text[end:]
    return text
