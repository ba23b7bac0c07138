"""What must hold of every text that the compiler is given, right or wrong.

`examine` sends a program through the compiler and raises Finding where something does not hold. What it does beside
check and emission is drawn: `thorough` is how likely each of the costly questions is asked.
"""

from __future__ import annotations

import ast as python
import posixpath
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from random import Random

from nndsl import pipeline
from nndsl.diagnostics import codes
from nndsl.diagnostics.machine import render_github, render_json, render_sarif
from nndsl.diagnostics.model import Diagnostic, Edit, Problems
from nndsl.diagnostics.render import render_concise, render_text
from nndsl.ir.graph import CheckedProgram
from nndsl.passes.definitions import CannotImport, Reader
from nndsl.source import SourceFile, Span
from nndsl.syntax import ast, parse
from nndsl.views import graph
from nndsl.views.summary import Summary, summarize
from nndsl.views.summary_json import summary_json
from nndsl.views.summary_text import summary_text
from nndsl.views.svg import svg

MAIN = "main.nn"
LONGEST = 2.0  # seconds of the processor that a check may take
Files = Mapping[str, str]


class Finding(Exception):
    """Something that does not hold; `kind` says what, in a word."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(kind, detail)
        self.kind, self.detail = kind, detail

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"


class Hang(BaseException):
    """No `except Exception` on the way stops it."""


@dataclass
class Outcome:
    program: CheckedProgram | None
    codes: set[str] = field(default_factory=set)
    emitted: dict[tuple[str, bool], str] = field(default_factory=dict)  # by target, and whether flat


@contextmanager
def limited(seconds: float | None = None) -> Iterator[None]:
    """Raises Finding where what is inside takes more of the processor's time."""

    def stop(*_: object) -> None:
        raise Hang

    seconds = LONGEST if seconds is None else seconds
    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    except Hang as error:
        place = error.__traceback__
        while place is not None and place.tb_next is not None and "signal" not in place.tb_frame.f_code.co_filename:
            place = place.tb_next
        where = "?" if place is None else f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}"
        raise Finding("hang", f"more than {seconds} s of processor time; stopped at {where}") from error
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def reader_of(files: Files) -> Reader:
    """Imports out of a dictionary; paths are relative to the importing file."""
    known: dict[str, SourceFile] = {}

    def read(importer: SourceFile, path: str) -> SourceFile:
        name = posixpath.normpath(posixpath.join(posixpath.dirname(importer.name), path))
        if name not in files or path.startswith("/"):
            raise CannotImport("NN0705", f"there is no file `{path}`")
        if name == MAIN:
            return main if (main := known.get(name)) is not None else importer
        if name not in known:
            known[name] = SourceFile(name, files[name])
        return known[name]

    def with_main(importer: SourceFile, path: str) -> SourceFile:
        if importer.name == MAIN:
            known[MAIN] = importer
        return read(importer, path)

    return with_main


def check(
    files: Files, settings: Mapping[str, str] | None = None, *, need_model: bool = True
) -> tuple[CheckedProgram | None, Problems]:
    problems = Problems()
    source = SourceFile(MAIN, files[MAIN])
    return pipeline.check(source, problems, reader_of(files), settings, need_model=need_model), problems


def examine(
    files: Files, random: Random, *, settings: Mapping[str, str] | None = None, thorough: float = 0.05
) -> Outcome:
    """Raises Finding where the compiler raises, takes too long, or says what cannot be."""
    try:
        return _examine(files, random, settings, thorough)
    except Finding:
        raise
    except Exception as error:
        raise Finding("crash", f"{type(error).__name__}: {str(error)[:300]}") from error


def _examine(files: Files, random: Random, settings: Mapping[str, str] | None, thorough: float) -> Outcome:
    need_model = random.random() < 0.8
    began = time.process_time()
    with limited():
        program, problems = check(files, settings, need_model=need_model)
    checked = seconds(began)
    nodes = 0 if program is None else sum(len(model.nodes) for model in program.models)
    with limited(LONGEST + 0.002 * nodes + 8 * checked):  # several of the questions check it again
        return _questions(files, program, problems, need_model, random, settings, thorough)


def _questions(
    files: Files,
    program: CheckedProgram | None,
    problems: Problems,
    need_model: bool,
    random: Random,
    settings: Mapping[str, str] | None,
    thorough: float,
) -> Outcome:
    items = problems.sorted()
    outcome = Outcome(program, {item.code for item in items})
    if (program is None) != problems.has_errors and (program is None or problems.has_errors):
        raise Finding("verdict", "a program with errors, or none without an error")
    for item in items:
        well_formed(item)
    if items and random.random() < max(thorough, 0.05):
        shown(items, random)
    if items and random.random() < thorough:
        fixed(files, items, random, settings)
    if random.random() < thorough:
        again, others = check(files, settings, need_model=need_model)
        if (again is None) != (program is None) or _told(others) != _told(problems):
            raise Finding("determinism", "a second check says something else")
    if program is not None and program.models:
        all_there(files, program)
        _emit(program, outcome, random, thorough)
        if random.random() < thorough:
            _views(program)
    if random.random() < thorough:
        from tests.fuzz.editors import examine_editors

        examine_editors(files, reader_of(files), random)
    if random.random() < max(thorough, 0.1):
        from tests.fuzz.formatting import examine_format

        examine_format(files, program, problems, random, lambda new: check(new, settings, need_model=need_model))
    if random.random() < thorough:
        from tests.fuzz.rewriting import rewritten

        rewritten(files, program, random, settings)
    return outcome


def _told(problems: Problems) -> str:
    return render_concise(problems)


def _emit(program: CheckedProgram, outcome: Outcome, random: Random, thorough: float) -> None:
    name = program.models[-1].name
    if len(program.models) > 1 and random.random() < 0.5:
        name = random.choice(program.models).name
    flat = (False, True) if random.random() < thorough else (False,)
    for target in pipeline.TARGETS:
        for inline in flat:
            code = pipeline.emit(program, target, name, inline=inline)
            outcome.emitted[target, inline] = code
            try:
                compile(python.parse(code), "<emitted>", "exec")
            except (SyntaxError, ValueError) as error:
                raise Finding("emitted", f"{target}, inline={inline}: {error}") from error
            if random.random() < thorough and pipeline.emit(program, target, name, inline=inline) != code:
                raise Finding("determinism", f"{target} is emitted in another way the second time")


def _views(program: CheckedProgram) -> None:
    for model in program.models:
        found = summarize(model)
        summary_text(found, width=100)
        summary_json(found)
        drawing = graph.draw(model)
        graph.mermaid(drawing)
        graph.dot(drawing)
        if len(drawing.boxes) < 60:
            svg(drawing)


@cache
def _is_code(code: str) -> bool:
    return codes.find(code) is not None


def inside(span: Span) -> bool:
    return 0 <= span.start <= span.end <= len(span.file.text)


def well_formed(item: Diagnostic) -> None:
    """Raises Finding for a problem that no renderer can be expected to show."""
    if not _is_code(item.code):
        raise Finding("problem", f"no such code: {item.code}")
    spans = [item.primary.span, *(label.span for label in item.related)]
    spans += [edit.span for fix in item.fixes for edit in fix.edits]
    if not all(map(inside, spans)):
        raise Finding("problem", f"{item.code} stands outside of its text")
    if not item.message or "\n" in item.message or len(item.message) > 1_600:
        raise Finding("problem", f"the message of {item.code}: {item.message[:200]!r}")
    for fix in item.fixes:
        edits = sorted(fix.edits, key=lambda edit: (edit.span.file.name, edit.span.start))
        if not fix.title or not edits:
            raise Finding("problem", f"an empty fix of {item.code}")
        for one, two in pairwise(edits):
            if one.span.file is two.span.file and one.span.end > two.span.start:
                raise Finding("problem", f"edits of {item.code} overlap")


def shown(items: list[Diagnostic], random: Random) -> None:
    """Every form; control characters never reach a terminal."""
    text = render_text(items, width=random.choice((None, 40, 80, 120)))
    if any((ord(character) < 32 and character not in "\n\t") or 127 <= ord(character) < 160 for character in text):
        raise Finding("control", "a control character in what a terminal shows")
    for render in (render_json, render_github, render_sarif, render_concise):
        render(items)


def applied(text: str, edits: tuple[Edit, ...]) -> str:
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def fixed(files: Files, items: list[Diagnostic], random: Random, settings: Mapping[str, str] | None) -> None:
    """One remedy applied is a text like any other, and the very problem is gone from its place."""
    fixes = [(item, fix) for item in items for fix in item.fixes]
    if not fixes:
        return
    item, fix = random.choice(fixes)
    texts = {**files, **{name: f"{name}={value}" for name, value in (settings or {}).items()}}
    edits: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        file = edit.span.file
        edits.setdefault(file.text.partition("=")[0] if file.name == "--set" else file.name, []).append(edit)
    new = {name: applied(text, tuple(edits.get(name, ()))) for name, text in texts.items()}
    given = dict(new[name].split("=", 1) for name in settings or ())
    for found in check({name: new[name] for name in files}, given)[1].items:
        well_formed(found)
        if new == texts:
            raise Finding("fix", f"the fix of {item.code} changes nothing: {fix.title}")


def totals(found: Summary) -> tuple[int, int, tuple[str, ...]]:
    """What stays the same of a model whose names or order of statements change."""
    shapes = tuple(sorted(str(row.type) for row in found.outputs))
    return found.trainable, found.frozen, shapes


def seconds(began: float) -> float:
    return time.process_time() - began


def all_there(files: Files, program: CheckedProgram) -> None:
    """Nothing that the file defines is left out without a word."""
    tree = parse(SourceFile(MAIN, files[MAIN]), Problems())
    definitions = [statement for statement in tree.body if isinstance(statement, ast.ModelDef)]
    for model, definition in zip(program.models, definitions, strict=True):
        for kind, found in (
            (ast.OutputStmt, model.outputs), (ast.PenaltyStmt, model.penalties), (ast.SubmodelStmt, model.submodels),
        ):  # fmt: skip
            if sum(isinstance(statement, kind) for statement in definition.body) != len(found):
                raise Finding("lost", f"a statement of {model.name} is left out: {kind.__name__}")
