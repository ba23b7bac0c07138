"""Writes down what would cost time at every start: the parser's tables, the catalogue's index, the templates as code.

    python -m nndsl.prepare [--check]

The files lie beside the modules that read them, and each is ignored while what it was made of has changed since: in a
checkout everything works without this, only slower. A release never holds a stale one, a test sees to that.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from nndsl import resources
from nndsl.layers import catalogue
from nndsl.syntax import tables
from nndsl.targets import skeletons

_PACKAGE = os.path.dirname(os.path.abspath(__file__))

MADE: dict[str, Callable[[], str]] = {
    "syntax/shipped.py": lambda: tables.as_module(resources.read_grammar()),
    "layers/index.py": catalogue.as_module,
    "targets/skeletons_torch.py": lambda: skeletons.as_module("torch"),
    "targets/skeletons_keras.py": lambda: skeletons.as_module("keras"),
}
assert tuple(MADE) == resources.PREPARED


def out_of_date() -> dict[str, str]:
    """The files that are not what they would be if they were made now, with the text that they should have."""
    found = {}
    for name, make in MADE.items():
        path = os.path.join(_PACKAGE, *name.split("/"))
        text = make()
        if not os.path.exists(path):
            found[path] = text
            continue
        with open(path, encoding="utf-8") as file:
            if file.read() != text:
                found[path] = text
    return found


def main(arguments: list[str]) -> int:
    """Exit code 0; with `--check` nothing is written, and 1 means that files are out of date."""
    import argparse

    from nndsl.files import write_text

    parser = argparse.ArgumentParser(prog="python -m nndsl.prepare", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say which files are out of date")
    options = parser.parse_args(arguments)
    stale = out_of_date()
    for path, text in stale.items():
        if options.check:
            print(f"{os.path.relpath(path)} is out of date; run python -m nndsl.prepare", file=sys.stderr)
        else:
            write_text(path, text)
    if not options.check:
        index = os.path.join(_PACKAGE, "layers", "index.py")
        os.utime(index)  # it is up to date, whatever was touched since it was written
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
