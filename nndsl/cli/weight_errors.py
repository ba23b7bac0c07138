"""What the commands that read weight files say when one is wrong, or cannot be read or written here."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nndsl.cli import common

if TYPE_CHECKING:
    from nndsl.interop.contents import Weights

_INSTALL = {
    "torch": "torch", "safetensors": "torch", "numpy": "torch", "h5py": "keras", "keras": "keras", "tensorflow": "keras"
}  # fmt: skip
FORMATS = "NAME.safetensors, NAME.pt, NAME.weights.h5 or NAME.keras"


def check_ending(path: str) -> None:
    from nndsl.interop.convert import ending_of

    if ending_of(path) is None:
        raise common.UsageError(f"`{path}` has no ending that says what it is", f"weight files are called {FORMATS}")


def show_warnings(found: Weights, path: str, args: Namespace) -> None:
    from nndsl.interop.problem import warning

    common.show([warning(code, text, path) for code, text in found.warnings], sys.stderr, args)


@contextmanager
def complaints(args: Namespace, path: str) -> Iterator[None]:
    """A wrong file is told of, and ends the command with exit code 1."""
    from nndsl.interop.problem import WrongWeights

    try:
        yield
    except WrongWeights as problem:
        common.show([problem.diagnostic(path)], sys.stderr, args)
        raise common.Rejected from None


@contextmanager
def explained(what: str = "this", install: str | None = None) -> Iterator[None]:
    """What is not installed, or cannot be written, is wrong usage. `what` is what needs it, `install` the remedy where
    it is more than that module."""
    from nndsl.files import CannotWrite
    from nndsl.interop.workers import FrameworkMissing

    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in _INSTALL:
            raise
        help = install or f"install it: pip install 'nndsl[{_INSTALL[error.name]}]'"
        raise common.UsageError(f"{what} needs {error.name}, which is not installed", help) from None
    except FrameworkMissing as error:
        raise common.UsageError(f"{what} needs {error.module}, which is not installed", error.help) from None
    except CannotWrite as error:
        raise common.UsageError(str(error)) from None
