"""What is there: Python, nndsl and its files, packages and their versions. Nothing is imported for it."""

from __future__ import annotations

import importlib.util
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from nndsl import resources
from nndsl._version import __version__
from nndsl.interop.doctor.findings import Mark, Section
from nndsl.interop.doctor.requirements import ROOT, Requirement, fits, is_checkout, record_of_this

_NOT_SHOWN = ("dev",)  # what work on nndsl itself needs


def python(section: Section) -> None:
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    section.add("Python", Mark.OK, f"{platform.python_version()} ({platform.python_implementation()}) on {system}")
    section.add("runs as", Mark.OK, sys.executable or "(Python does not know)")


def nndsl(section: Section) -> None:
    record = record_of_this()
    if record is None:
        how = "from a checkout that is not installed" if is_checkout() else "not installed: there is no record of it"
    elif is_checkout():
        how = "an editable installation"
    else:
        how = "installed"
    if record is not None and record.version != __version__:
        again = "install it again: pip install -e ." if is_checkout() else "pip install --force-reinstall nndsl"
        text = f"{__version__}, {how} as {record.version}, in {ROOT}"
        section.add("nndsl", Mark.WARNING, text, again)
    else:
        section.add("nndsl", Mark.OK, f"{__version__}, {how}, in {ROOT}")


def files(section: Section) -> None:
    """The grammar, the templates, and what is made of them beforehand."""
    again = "files of nndsl are missing: pip install --force-reinstall nndsl"
    grammar, templates = Path(resources.grammar_path()), Path(resources.templates_path())
    if grammar.is_file():
        section.add("grammar", Mark.OK, str(grammar))
    else:
        section.add("grammar", Mark.BROKEN, f"there is no file {grammar}", again)
    lacking = [name for name in ("torch", "keras") if not any((templates / name).glob("*.j2"))]
    if lacking:
        section.add("templates", Mark.BROKEN, f"there are none for {' and '.join(lacking)} in {templates}", again)
    else:
        section.add("templates", Mark.OK, str(templates))
    absent = [name for name in resources.PREPARED if not (ROOT / "nndsl" / name).is_file()]
    if absent:
        slower = f"{', '.join(absent)} missing: every start takes a tenth of a second longer"
        section.add("prepared", Mark.WARNING, slower, "python -m nndsl.prepare" if is_checkout() else again)
    else:
        section.add("prepared", Mark.OK, "tables, index and templates are there as modules")


def required(section: Section, needed: Sequence[Requirement]) -> None:
    """What nndsl does not work without."""
    if not needed:
        section.add(
            "packages", Mark.WARNING, "nothing says which versions nndsl needs: its record is missing",
            "pip install --force-reinstall nndsl",
        )  # fmt: skip
    for item in needed:
        if item.extra is None:
            mark, text = _version(item)
            mark = Mark.BROKEN if mark is Mark.MISSING else mark
            again = [] if mark is Mark.OK else [f"pip install --upgrade '{item.name}{item.range}'"]
            section.add(item.name, mark, text, *again)


def extras(section: Section, needed: Sequence[Requirement]) -> dict[str, list[Requirement]]:
    """A line for each extra. Gives what is there of each, in whatever version."""
    there: dict[str, list[Requirement]] = {}
    for name in dict.fromkeys(item.extra for item in needed):
        if name is None or name in _NOT_SHOWN:
            continue
        versions = [(item, *_version(item)) for item in needed if item.extra == name]
        there[name] = [item for item, mark, _ in versions if mark is not Mark.MISSING]
        wrong = [f"{item.name} {text}" for item, mark, text in versions if mark is Mark.BROKEN]
        lacking = [item.name for item, mark, _ in versions if mark is Mark.MISSING]
        fine = [f"{item.name} {text}" for item, mark, text in versions if mark is Mark.OK]
        parts = [f"not installed: {', '.join(lacking)}"] if lacking else []
        parts += [f"there: {', '.join(fine)}"] if fine and (lacking or wrong) else [", ".join(fine)] if fine else []
        mark = Mark.BROKEN if wrong else Mark.MISSING if lacking else Mark.OK
        command = f"pip install{' --upgrade' if wrong else ''} 'nndsl[{name}]'"
        section.add(name, mark, "; ".join(wrong + parts), *([] if mark is Mark.OK else [command]))
    return there


def _version(item: Requirement) -> tuple[Mark, str]:
    found = item.found()
    if found is None:
        try:
            spec = importlib.util.find_spec(item.module)
            loose = spec is not None and spec.origin is not None  # a mere folder of that name is no package
        except Exception:
            loose = False
        # A module without a record: pip knows nothing of it.
        return (Mark.OK, "(no version is told)") if loose else (Mark.MISSING, "is not installed")
    name, version = found
    other = "" if name == item.name else f" ({name})"
    try:
        good = fits(version, item.range)
    except ValueError as error:
        return Mark.BROKEN, f"{version}{other}: {error}"
    if good:
        return Mark.OK, f"{version}{other}"
    return Mark.BROKEN, f"{version}{other} is outside {item.range}, which nndsl needs"
