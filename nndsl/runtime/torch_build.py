"""The emitted PyTorch program made ready for training."""

from __future__ import annotations

import math
from typing import Any, cast

from nndsl.diagnostics.model import Label
from nndsl.interop.load import load_program
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.runtime.astray import Found, Lost, Watched, layer_of
from nndsl.runtime.device import pick
from nndsl.runtime.engines import Built
from nndsl.runtime.interrupt import Interrupt
from nndsl.runtime.loop import LossIsLost, Plan, position_of
from nndsl.runtime.options import Options
from nndsl.runtime.progress import Progress
from nndsl.runtime.report import DataProblem
from nndsl.runtime.run_folder import TEXT
from nndsl.runtime.session import Session
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

    return Built(loaded.text, str(device), engine, lost)


def lost(session: Session, loss: LossIsLost) -> DataProblem:
    """Where the loss was lost: everything since the last checkpoint is done again, and looked at."""
    model, shown = session.model, "no number (nan)" if math.isnan(loss.loss) else str(loss.loss)
    checkpoint = session.newest()
    step, where, label, kept = loss.position.steps, "", None, []
    if checkpoint is not None:
        session.engine.put_state(checkpoint.tree["engine"])
        engine: Any = Watched(cast(TorchEngine, session.engine))
        loop = session.loop(engine, Interrupt(), Progress(session.progress.stream, quiet=True))
        loop.position = position_of(checkpoint.tree["position"])
        try:
            loop.run()
        except (Found, LossIsLost) as found:
            step = loop.position.steps + 1
            if isinstance(found, Found):
                where, label = _told(model, found.lost, session.folder.file(TEXT))
        kept = [f"the weights of step {checkpoint.step:,}, the last good ones kept, are in {session.folder.path}"]
    return DataProblem(
        "NN0609", f"the loss is {shown}, from step {step:,} on{where}", model.span if label is None else label.span,
        "" if label is None else label.message, notes=kept,
        help="take a smaller learning rate, scale the data (`standardize()`), or clip gradients "
        "(`Adam(clipnorm=1.0)`)",
    )  # fmt: skip


def _told(model: Model, found: Lost, program: str) -> tuple[str, Label | None]:
    """What was lost, in words, and the layer in the file."""
    use = layer_of(model, found.module)
    if use is not None:
        return f": first {found.what} `{use.path}`", Label(use.name_span, "here the first number was lost")
    if found.line:
        return f": first in line {found.line} of {program}, `{found.text}`", None
    return "", None
