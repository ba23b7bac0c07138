"""Diagnostics to render, by name: each with the edge that it is about."""

from __future__ import annotations

from collections.abc import Callable

from nndsl.diagnostics.model import Diagnostic, Edit, Fix, Label, Problems
from nndsl.source import SourceFile, Span

_MODEL = """\
model Regression {
    input x: float[8]
    # a comment
    output y = x -> Dense(unit=3)
}
"""


def at(file: SourceFile, text: str, nth: int = 1) -> Span:
    """The place of the nth occurrence of a text."""
    start = -1
    for _ in range(nth):
        start = file.text.index(text, start + 1)
    return Span(file, start, start + len(text))


def _add(text: str, name: str = "model.nn") -> tuple[Problems, SourceFile]:
    return Problems(), SourceFile(name, text)


def unknown_argument() -> Problems:
    problems, file = _add(_MODEL)
    problems.error(
        "NN0203",
        "`Dense` has no argument `unit`",
        at(file, "unit"),
        "not an argument of Dense",
        related=(Label(at(file, "x"), "of this input"),),
        notes=("it takes `units`, `activation`, `use_bias`, …",),
        help="did you mean `units`?",
        fixes=(Fix("change to `units`", (Edit(at(file, "unit"), "units"),)),),
    )
    return problems


def several() -> Problems:
    problems, file = _add("model A {\n    output y = z -> Dens(1)\n}\n")
    place = at(file, "Dens")
    fix = Fix("change to `Dense`", (Edit(place, "Dense"),))
    problems.error("NN0202", "there is no layer `Dens`", place, fixes=(fix,))
    problems.error("NN0201", "there is no value `z`", at(file, "z"), "not defined in `A`")
    problems.warning("NN0405", "`A` has no input", at(file, "A"), notes=("first line\nsecond line",))
    return problems


def two_on_one_line() -> Problems:
    problems, file = _add("output y = (narrow, wide) -> Add()\n")
    related = (Label(at(file, "narrow"), "float[16]"), Label(at(file, "wide"), "float[32]"))
    problems.error("NN0302", "shapes do not match", at(file, "Add()"), "cannot add these", related=related)
    return problems


def overlapping() -> Problems:
    problems, file = _add("output y = x -> Dense(3, units=4)\n")
    related = (
        Label(at(file, "Dense(3, units=4)"), "in this call"),
        Label(at(file, "units"), "the same place again"),
        Label(at(file, "3")),
    )
    problems.error("NN0207", "`units` is given twice", at(file, "units"), "given here", related=related)
    return problems


def several_lines() -> Problems:
    problems, file = _add("a = b -> Dense(1)\n\n\n\nb = (\n    a,   \n    a\n) -> Add()\nc = 1\nd = c\n")
    problems.error(
        "NN0401",
        "`a` is defined by itself",
        Span(file, at(file, "(\n").start, at(file, "Add()").end),
        "which needs `a`",
        related=(Label(at(file, "b"), "needs `b`"), Label(at(file, "c", 1)), Label(at(file, "c", 2), "far away")),
    )
    problems.error("NN0219", "two lines, without a label", Span(file, at(file, "c = 1").start, at(file, "d = c\n").end))
    problems.error("NN0219", "a line with its end", at(file, "d = c\n"), "here")
    return problems


def wide_and_combining() -> Problems:
    problems, file = _add('\tname = "日本語 e\u0301" -> \tDense(ü\u0308=1)\n')
    problems.error("NN0203", "no argument", at(file, "ü\u0308"), "four signs from the `D`")
    problems.error("NN0205", "a wide one", at(file, "本"), "two cells", related=(Label(at(file, "e"), "one cell"),))
    problems.error("NN0101", "only a combining mark", at(file, "\u0301"), "under the space after `e`")
    return problems


def long_line() -> Problems:
    middle = "middle = x -> Dense(wrong=1)"
    filler = "; ".join(f"v{i} = x -> Dense({i})" for i in range(40))
    problems, file = _add(f"{filler}; {middle}; {filler}\n")
    far = (Label(at(file, "v0"), "far to the left"), Label(Span(file, len(file.text) - 5, len(file.text) - 2), "right"))
    problems.error("NN0203", "in the middle", at(file, "wrong"), "here")
    problems.error("NN0203", "with labels outside", at(file, "wrong=1"), "here", related=far)
    problems.error("NN0203", "at the beginning", at(file, "v0"), "here")
    problems.error("NN0203", "at the end", Span(file, len(file.text) - 5, len(file.text) - 1), "here")
    problems.error("NN0203", "longer than the window", Span(file, 20, 900), "here")
    return problems


def hostile() -> Problems:
    escape = "\x1b[31m\x1b]0;title\x07"
    problems, file = _add(f'x = "{escape}\u202eabc\u200b\x9b\x7f\ud800\r" -> Bad()\n', f"a{escape}b.nn")
    hostile = Diagnostic(
        "NN0202",
        f"no layer {escape}\nnext",
        Label(at(file, "Bad"), f"label {escape}"),
        notes=(f"note {escape}\nsecond \x08line",),
        help=f"help {escape}",
        fixes=(Fix(f"title {escape}", (Edit(at(file, "Bad"), escape),)),),
    )
    problems.items.append(hostile)  # `add` would take the line end out of the message
    return problems


def crlf_and_ends() -> Problems:
    problems, file = _add("a = x\r\nb = \r\nc = y -> ")
    problems.error("NN0101", "a value is missing", Span(file, at(file, "b = ").end, at(file, "b = ").end + 2), "here")
    problems.error("NN0101", "the end of the file", Span(file, len(file.text), len(file.text)), "a layer is missing")
    problems.error("NN0201", "before a line end", at(file, "x"), "here")
    empty = SourceFile("zero.nn", "")
    problems.error(
        "NN0701", "`zero.nn` cannot be read", Span(empty, 0, 0), "permission denied", help="check the rights"
    )
    return problems


def two_files() -> Problems:
    problems, file = _add("from b import Residual\nblock Residual() { }\n", "a.nn")
    other = SourceFile("b.nn", "\n" * 11 + "block Residual(filters) { }\n")
    first = Label(at(other, "Residual"), "first defined here")
    problems.error("NN0208", "`Residual` is defined twice", at(file, "Residual", 2), "again", related=(first,))
    return problems


def fixes() -> Problems:
    problems, file = _add("x -> Conv(2,\n    border_mode=same)\ny -> Flatten\n\n# last\n")
    rename = (Edit(at(file, "Conv"), "Conv1D"), Edit(at(file, "border_mode"), "padding"))
    problems.error("NN0210", "an old spelling", at(file, "Conv"), fixes=(Fix("use today's names", rename),))
    flatten = at(file, "Flatten")
    call = Fix("add parentheses", (Edit(Span(file, flatten.end, flatten.end), "()"),))
    problems.error("NN0211", "`Flatten` is a layer", flatten, help="a layer is called", fixes=(call,))
    gone = Fix("remove the line", (Edit(at(file, "y -> Flatten\n"), ""),))
    problems.warning("NN0402", "not used", at(file, "y"), fixes=(gone, Fix("make it an output", ())))
    new = Fix("add a line", (Edit(at(file, "# last"), "z = 1\n# last"),))
    problems.warning("NN0402", "something is missing", at(file, "# last"), fixes=(new,))
    return problems


SAMPLES: dict[str, Callable[[], Problems]] = {
    make.__name__: make
    for make in (
        unknown_argument,
        several,
        two_on_one_line,
        overlapping,
        several_lines,
        wide_and_combining,
        long_line,
        hostile,
        crlf_and_ends,
        two_files,
        fixes,
    )
}
