"""The other end of `nndsl.interop.workers`: what a worker's module runs as its main program.

    def work(job: Job) -> Reply: ...

    if __name__ == "__main__":
        serve(work)

The framework is imported inside of `work`, so that `serve` can tell that it is missing.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from nndsl.interop.workers import NEEDED, read_message, write_message

if TYPE_CHECKING:
    import numpy as np

    Arrays: TypeAlias = dict[str, np.ndarray[Any, Any]]
    Reply: TypeAlias = tuple[Mapping[str, Any], Arrays]


@dataclass(frozen=True)
class Job:
    """A request: plain data and arrays, and a folder of the worker's own, which is its working directory too."""

    folder: Path
    data: dict[str, Any]
    arrays: Arrays

    def load_program(self, name: str = "program") -> ModuleType:
        """The emitted program as a module (the request's text, or another `name`.py in the folder)."""
        spec = importlib.util.spec_from_file_location(name, self.folder / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses and annotations look it up
        spec.loader.exec_module(module)
        return module

    def say(self, text: str) -> None:
        """Tells the parent what is being done."""
        part = self.folder / "progress.part"
        part.write_text(text, encoding="utf-8")
        part.replace(self.folder / "progress")


def serve(work: Callable[[Job], Reply]) -> None:
    """Does the job in the folder that the command line names. What `work` raises ends the process with a traceback,
    which the parent shows as a bug; a module that is not installed is told as such."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    folder = Path(sys.argv[1])
    data, arrays = read_message(folder, "request")
    try:
        answer, found = work(Job(folder, data, arrays))
    except ModuleNotFoundError as error:
        if not any(error.name in names for names in NEEDED.values()):
            raise
        answer, found = {"missing": error.name}, {}
    write_message(folder, "answer", answer, found)


def end_with_parent() -> None:
    """Reads the standard input, which the parent never writes to: it ends when the parent does. Not through
    `sys.stdin`, whose lock the interpreter wants for itself when it ends."""
    os.read(0, 1)
    os._exit(1)
