"""Everything that `nndsl doctor` looks at, in the order in which it is shown."""

from __future__ import annotations

from collections.abc import Callable

from nndsl._version import __version__
from nndsl.interop.doctor import installed, small, surroundings, tried
from nndsl.interop.doctor.findings import Mark, Report, Section
from nndsl.interop.doctor.requirements import declared


def examine(quick: bool, limit: float = 60, progress: Callable[[str], None] | None = None) -> Report:
    """`quick` starts no process and imports nothing of what may be broken, save the compiler's own two packages.
    `limit` is what a trial may take, in seconds. `progress` hears what is being tried."""
    needed = declared()
    compiler = Section("Compiler")
    installed.python(compiler)
    installed.nndsl(compiler)
    installed.files(compiler)
    installed.required(compiler, needed)
    extras = Section("Extras")
    there = installed.extras(extras, needed)
    sections = [compiler, extras]
    if quick:
        _compiles_here(compiler)
    else:
        programs = tried.compiles(compiler, limit, progress)
        sections += tried.everything(extras, there, programs, limit, progress)
    return Report(__version__, [*sections, surroundings.editors(), surroundings.variables()], quick)


def facts() -> Report:
    """What a bug report is to say: nothing is run for it, the compiler neither."""
    needed = declared()
    compiler, extras = Section("Compiler"), Section("Extras")
    installed.python(compiler)
    installed.nndsl(compiler)
    installed.files(compiler)
    installed.required(compiler, needed)
    installed.extras(extras, needed)
    return Report(__version__, [compiler, extras, surroundings.variables()], quick=True)


def _compiles_here(section: Section) -> None:
    try:
        small.programs()
    except (Exception, SystemExit) as error:  # a package that is broken raises anything
        section.add("self test", Mark.BROKEN, f"a small model does not compile: {type(error).__name__}: {error}")
    else:
        section.add("self test", Mark.OK, "a small model compiles to both targets")
