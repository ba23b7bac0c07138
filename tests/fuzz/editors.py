"""The questions that editors ask, at any place of any text."""

from __future__ import annotations

from random import Random

from nndsl.diagnostics.model import Edit
from nndsl.ide import hover, outline, places, rename, signature, tokens
from nndsl.ide.analysis import Analysis
from nndsl.ide.expected import expected_at
from nndsl.ide.hints import hints
from nndsl.passes.definitions import Reader
from nndsl.source import SourceFile
from nndsl.views.summary import summarize
from tests.fuzz.oracles import MAIN, Files, Finding, applied, check, inside, totals, well_formed


def examine_editors(files: Files, reader: Reader, random: Random) -> None:
    text = files[MAIN]
    analysis = Analysis(SourceFile(MAIN, text), reader)
    outline.outline(analysis.tree)
    outline.folds(analysis)
    outline.links(analysis)
    end = 0
    for word in tokens.words(analysis):
        if word.start < end or word.end > len(text):
            raise Finding("editor", f"tokens overlap or end behind the text at {word.start}")
        end = word.end
    if random.random() < 0.5:  # else words are asked for before anything is checked
        for item in analysis.checked.diagnostics:
            well_formed(item)
    for hint in hints(analysis):
        if not 0 <= hint.offset <= len(text):
            raise Finding("editor", "a hint outside of the text")
    for _ in range(4):
        offset = random.randint(0, len(text))
        found = hover.hover(analysis, offset)
        if found is not None and not (inside(found.span) and found.markdown):
            raise Finding("editor", f"the hover at {offset}")
        signature.signature(analysis, offset)
        expected_at(analysis, offset)
        spans = places.spans_at(analysis.tree, offset)
        if not all(map(inside, spans)):
            raise Finding("editor", f"the selection at {offset}")
        renamed(files, analysis, offset, random)


def renamed(files: Files, analysis: Analysis, offset: int, random: Random) -> None:
    """A name that stands in this file alone: a program that is right stays right, with the same numbers."""
    try:
        symbol, _ = rename.renamable(analysis, offset)
        name = random.choice(("fresh_name", "T9", "x_", symbol.name + "1"))
        rename.check_name(name)
        found = rename.places(analysis, symbol, name)
    except rename.CannotRename:
        return
    before, _ = check(files, need_model=False)
    if before is None or not before.models or len(files) > 1 or symbol.kind == "param":
        return
    text = applied(files[MAIN], tuple(Edit(span, name) for span in found))
    after, problems = check({MAIN: text}, need_model=False)
    if after is None:
        raise Finding("rename", f"{symbol.kind} `{symbol.name}` to `{name}`: {problems.errors[0].message}")
    if [totals(summarize(model))[:2] for model in before.models] != [
        totals(summarize(model))[:2] for model in after.models
    ]:
        raise Finding("rename", f"{symbol.kind} `{symbol.name}` to `{name}` gives other numbers")
