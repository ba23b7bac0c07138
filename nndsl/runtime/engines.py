"""Which framework trains: the emitted program of the target that is asked for, ready to be trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nndsl.ir.graph import CheckedProgram, Model
from nndsl.runtime.engine import Engine
from nndsl.runtime.loop import Plan
from nndsl.runtime.options import Options
from nndsl.runtime.report import DataProblem
from nndsl.runtime.world import ALONE, World


@dataclass(frozen=True)
class Built:
    """An emitted program: its text, the device in words, how a fresh model is made (from a seed), and what finds the
    place where a loss was lost."""

    text: str
    device: str
    engine: Callable[[int], Engine]
    lost: Callable[[Any, Any], DataProblem]


def build(program: CheckedProgram, model: Model, options: Options, plan: Plan, world: World = ALONE) -> Built:
    """Raises Unavailable."""
    if options.target == "keras":
        from nndsl.runtime.keras_build import build_keras

        return build_keras(program, model, options, plan)
    from nndsl.runtime.torch_build import build_torch

    return build_torch(program, model, options, plan, world)
