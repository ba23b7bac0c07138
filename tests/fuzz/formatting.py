"""What `nndsl fmt` makes of any text."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from nndsl.diagnostics.model import Problems
from nndsl.ir.graph import CheckedProgram
from nndsl.source import SourceFile
from nndsl.syntax import parse
from nndsl.views.summary import summarize
from tests.fmt.meaning import formatted
from tests.fmt.noise import rewrite
from tests.fuzz.oracles import Files, Finding, totals


def examine_format(
    files: Files,
    program: CheckedProgram | None,
    problems: Problems,
    random: Random,
    check: Callable[[Files], tuple[CheckedProgram | None, Problems]],
) -> None:
    """What parses is formatted, means the same, and has the same problems and models; the rest is refused."""
    new = dict(files)
    for name, text in files.items():
        wrong = Problems()
        parse(SourceFile(name, text), wrong)
        if not wrong.has_errors and random.random() < 0.3:
            text = rewrite(text, random)  # a layout that nobody would choose
        try:
            result = formatted(text, random.choice((100, 100, 40, 72, 200)), name)
        except AssertionError as error:
            raise Finding("format", f"{name}: {error}\n{text}") from error
        # a text in another layout may be over a limit that it was not over before, or the other way round
        if (result is None) != wrong.has_errors and text == files[name]:
            raise Finding("format", f"{name} is formatted in spite of an error, or refused without one")
        new[name] = text if result is None else result
    after, found = check(new)
    if _codes(found) != _codes(problems):
        raise Finding("format", f"problems {_codes(problems)} become {_codes(found)}\n{new}")
    if program is None or after is None:
        return
    if [totals(summarize(model)) for model in program.models] != [totals(summarize(model)) for model in after.models]:
        raise Finding("format", f"other numbers than before\n{new}")


def _codes(problems: Problems) -> list[str]:
    return sorted(item.code for item in problems)
