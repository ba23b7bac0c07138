"""The emitted PyTorch program as a class of this process."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TypeAlias

import torch

from nndsl.interop.modules import import_text
from nndsl.ir.graph import CheckedProgram
from nndsl.layers.emit import StateEntry
from nndsl.targets.torch import compile_torch

ModuleClass: TypeAlias = type[torch.nn.Module]


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
    """The emitted program for a model (by default the last); LookupError where there is none such."""
    unit = compile_torch(program, model)
    module = import_text(unit.text, unit.class_name)
    found = getattr(module, unit.class_name)
    assert isinstance(found, type) and issubclass(found, torch.nn.Module)
    return Loaded(module, found, unit.state, unit.text)
