"""Where training went astray: the step and the layer at which the first number was none."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nndsl.diagnostics.model import Label
from nndsl.ir.graph import LayerUse, Model
from nndsl.runtime.interrupt import Interrupt
from nndsl.runtime.loop import LossIsLost, position_of
from nndsl.runtime.progress import Progress
from nndsl.runtime.report import DataProblem
from nndsl.runtime.run_folder import TEXT
from nndsl.runtime.session import Session
from nndsl.targets.names import attribute_name

LOSS = "the loss"


@dataclass(frozen=True)
class Lost:
    """`what` of which module (by the framework's name; empty outside of all) was no number first: "the output of" and
    the like, or LOSS. `line` and `text` are the line of the emitted program where a forward pass lost it (0: it was
    lost elsewhere, or that is not known)."""

    what: str
    module: str
    line: int = 0
    text: str = ""


class Found(Exception):
    """The first number that is none has been found."""

    def __init__(self, lost: Lost) -> None:
        super().__init__(lost)
        self.lost = lost


def lost(session: Session, loss: LossIsLost, watched: Callable[[Any], Any]) -> DataProblem:
    """Where the loss was lost: everything since the last checkpoint is done again, and looked at. `watched` makes an
    engine one whose `train` raises Found."""
    model, shown = session.model, "no number (nan)" if math.isnan(loss.loss) else str(loss.loss)
    checkpoint = session.newest()
    step, where, label, kept = loss.position.steps, "", None, []
    if checkpoint is not None:
        session.engine.put_state(checkpoint.tree["engine"])
        engine: Any = watched(session.engine)
        loop = session.loop(engine, Interrupt(), Progress(session.progress.stream, quiet=True))
        loop.position = position_of(checkpoint.tree["position"])
        try:
            loop.run()
        except (Found, LossIsLost) as found:
            step = loop.position.steps
            if isinstance(found, Found):  # in the middle of a step, which does not count yet
                step += 1
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
    if found.what == LOSS:
        return ": the loss first, the outputs are numbers", None
    if found.line:
        return f": first in line {found.line} of {program}, `{found.text}`", None
    return "", None


def layer_of(model: Model, module: str) -> LayerUse | None:
    """The layer of the file that a module of the program stands for."""
    wanted = module.replace(".", "_")
    named = {attribute_name(use.path): use for use in model.layers}
    while wanted:
        if wanted in named:
            return named[wanted]
        wanted = wanted.rpartition("_")[0]
    return None
