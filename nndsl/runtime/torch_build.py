"""The emitted PyTorch program made ready for training."""

from __future__ import annotations

from functools import partial

from nndsl.interop.load import load_program
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.runtime.astray import Watched
from nndsl.runtime.device import pick
from nndsl.runtime.engines import Built
from nndsl.runtime.loop import Plan
from nndsl.runtime.lost import lost
from nndsl.runtime.options import Options
from nndsl.runtime.torch_engine import TorchEngine
from nndsl.runtime.world import ALONE, World


def build_torch(program: CheckedProgram, model: Model, options: Options, plan: Plan, world: World = ALONE) -> Built:
    """Raises Unavailable."""
    loaded = load_program(program, model.name)
    device = pick(options.device, model.float_dtype, world)

    def engine(seed: int) -> TorchEngine:
        if world.joined:
            from nndsl.runtime.spread import SpreadEngine

            return SpreadEngine(
                model, loaded, device, seed=seed, batch=plan.batch, compiled=options.compile, world=world,
                shard=options.shard,
            )  # fmt: skip
        return TorchEngine(model, loaded, device, seed=seed, batch=plan.batch, compiled=options.compile)

    return Built(loaded.text, str(device), engine, partial(lost, watched=Watched))
