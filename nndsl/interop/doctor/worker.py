"""The other end of `trials`: each function is a trial, in a process of its own."""

from __future__ import annotations

import importlib
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from nndsl.interop.worker import end_with_parent


class Desk:
    """The folder of a trial: the request, what it is at, what it has found so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.request: dict[str, Any] = json.loads((folder / "request.json").read_text(encoding="utf-8"))
        self.answer: dict[str, Any] = {}

    def stage(self, text: str) -> None:
        """What comes next; what has been found so far is kept."""
        self._write("answer.json", json.dumps(self.answer))
        self._write("stage", text)

    def found(self, **facts: Any) -> None:
        self.answer |= facts

    def load(self, text: str) -> ModuleType:
        """An emitted program as a module."""
        from nndsl.interop.worker import Job

        (self.folder / "program.py").write_text(text, encoding="utf-8")
        return Job(self.folder, {}, {}).load_program()

    def _write(self, name: str, text: str) -> None:
        (self.folder / "part").write_text(text, encoding="utf-8")
        (self.folder / "part").replace(self.folder / name)


def serve(kind: str, folder: str) -> None:
    threading.Thread(target=end_with_parent, daemon=True).start()
    desk = Desk(Path(folder))
    _TRIALS[kind](desk)
    desk.found(complete=True)
    desk.stage("done")
    os._exit(0)  # how a framework takes itself down is no part of the trial


def _compile(desk: Desk) -> None:
    from nndsl.interop.doctor import small

    desk.stage("importing lark")  # with a warm cache nothing else would
    importlib.import_module("lark")
    desk.stage("compiling a model")
    begun = time.perf_counter()
    desk.found(**small.programs(), seconds=time.perf_counter() - begun)


def _imports(desk: Desk) -> None:
    for name in desk.request["modules"]:
        desk.stage(name)
        importlib.import_module(name)
        desk.answer.setdefault("imported", []).append(name)


def _torch(desk: Desk) -> None:
    desk.stage("importing torch")
    from nndsl.interop.doctor import with_torch

    with_torch.work(desk)


def _keras(desk: Desk) -> None:
    desk.stage("importing tensorflow and keras")
    from nndsl.interop.doctor import with_keras

    with_keras.work(desk)


_TRIALS: dict[str, Callable[[Desk], None]] = {
    "compile": _compile, "imports": _imports, "torch": _torch, "keras": _keras
}  # fmt: skip
