"""The emitted PyTorch program as a class of this process."""

from __future__ import annotations

import linecache
import sys
from dataclasses import dataclass
from importlib.abc import InspectLoader
from importlib.util import module_from_spec, spec_from_loader
from itertools import count
from types import CodeType, ModuleType
from typing import TypeAlias

import torch

from nndsl.ir.graph import CheckedProgram
from nndsl.layers.emit import StateEntry
from nndsl.targets.torch import compile_torch

ModuleClass: TypeAlias = type[torch.nn.Module]

_serials = count(1)


class _Loader(InspectLoader):
    """Imports a module from a text that lies in no file."""

    def __init__(self, text: str, path: str) -> None:
        self.text, self.path = text, path

    def get_source(self, fullname: str) -> str:
        return self.text

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.text, self.path)


@dataclass(frozen=True, slots=True)
class Loaded:
    """An emitted program in this process: module, torch class, what each tensor of its state holds, text."""

    module: ModuleType
    cls: type[torch.nn.Module]
    state: tuple[StateEntry, ...]
    text: str


def load_class(program: CheckedProgram, model: str | None = None) -> ModuleClass:
    """The module class of the emitted program for a model (by default the last); LookupError for an unknown one."""
    return load_program(program, model).cls


def load_program(program: CheckedProgram, model: str | None = None) -> Loaded:
    """The emitted program for a model (by default the last); LookupError where there is none such.

    The module stands in `sys.modules` under a name of its own, and `inspect` and tracebacks find its lines. What runs
    is the compiler's own output: of the user's text it holds only names and literals.
    """
    unit = compile_torch(program, model)
    name = f"nndsl_loaded_{next(_serials)}_{unit.class_name}"
    path = f"<{name}>"
    linecache.cache[path] = (len(unit.text), None, unit.text.splitlines(keepends=True), path)
    module = _import(name, _Loader(unit.text, path))
    found = getattr(module, unit.class_name)
    assert isinstance(found, type) and issubclass(found, torch.nn.Module)
    return Loaded(module, found, unit.state, unit.text)


def _import(name: str, loader: _Loader) -> ModuleType:
    spec = spec_from_loader(name, loader, origin=loader.path)
    assert spec is not None
    module = module_from_spec(spec)
    module.__file__ = loader.path
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
