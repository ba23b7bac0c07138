"""One training in one folder: from the first step, or from where an earlier process left it, to the report."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

import numpy as np

from nndsl._version import __version__
from nndsl.files import CannotWrite
from nndsl.interop.safetensors_file import save_weights
from nndsl.ir.graph import Model
from nndsl.runtime.checkpoints import Found
from nndsl.runtime.dataset import Dataset
from nndsl.runtime.engine import Engine
from nndsl.runtime.interrupt import Interrupt
from nndsl.runtime.loop import Loop, LossIsLost, Plan, Position, position_of
from nndsl.runtime.progress import Progress
from nndsl.runtime.report import DataProblem, RunFailed, Unavailable
from nndsl.runtime.reports.folders import HISTORY
from nndsl.runtime.reports.history import HistoryFile
from nndsl.runtime.run_folder import DATA, WEIGHTS, RunFolder
from nndsl.runtime.tally import Result
from nndsl.runtime.world import ALONE, World

WRITTEN_AFTER = 2.0
"""Seconds from one writing of the history to the next."""
_FINGERPRINTED = 64
"""How many rows at each end of the data are part of its fingerprint."""


@dataclass
class Run:
    """What came of it: whether the user ended it, and the results on held-out data (None without any), or of the parts
    of a cross-validation."""

    interrupted: bool = False
    result: Result | None = None
    parts: tuple[Result, ...] = ()


class Session:
    """A training and its folder. `lost` finds the layer at which the loss was lost, where the engine can say that."""

    def __init__(
        self, model: Model, engine: Engine, dataset: Dataset, plan: Plan, folder: RunFolder, progress: Progress,
        lost: Callable[[Session, LossIsLost], DataProblem], world: World = ALONE,
    ) -> None:  # fmt: skip
        self.model, self.engine, self.dataset, self.plan = model, engine, dataset, plan
        self.folder, self.progress, self.lost, self.world = folder, progress, lost, world
        engine.write_below(folder.path)
        self._history, self._rows = HistoryFile(folder.file(HISTORY)), 0
        self._written = 0.0

    def begin(self, about: dict[str, Any]) -> None:
        """Fills the new folder. Raises CannotWrite."""
        dataset = self.dataset
        self.folder.write_json(DATA, {"transforms": dataset.learnt, "classes": dataset.classes})
        self.folder.note(**about_run(self.model, dataset, self.plan), **about)

    def go(self, stream: TextIO, *, resumed: bool = False) -> Run:
        """Trains, evaluates, saves, reports. Raises RunFailed, CannotWrite."""
        with Interrupt() as interrupt, self._status():
            loop = self.loop(self.engine, interrupt, self.progress, save=self._save, noted=self._noted)
            if resumed:
                self._restore(loop)
            before = loop.position.steps
            began = time.monotonic()
            try:
                loop.run()
            except LossIsLost as loss:
                raise RunFailed.one(self._gone_astray(loss)) from None
            self.progress.clear()
            self._conclude(loop, before, time.monotonic() - began)
            return self._finish(loop, stream)

    def loop(self, engine: Engine, interrupt: Interrupt, progress: Progress, **told: Any) -> Loop:
        """The loop over this session's data; `told` are `save` and `noted`."""
        watch = self.dataset.validation if len(self.dataset.validation) else None
        if self.plan.epochs is None and watch is None and len(self.dataset.test):
            watch = self.dataset.test
        return Loop(engine, self.plan, self.dataset.train, watch, progress, interrupt, **told, world=self.world)

    # ------------------------------------------------------------------------------------- checkpoints

    def _save(self, position: Position) -> None:
        state = self.engine.state()
        if self.folder.writes:
            self.folder.check_there()
            self.folder.checkpoints.save(position.steps, {"position": position.tree(), "engine": state})

    def newest(self, sound: bool = False) -> Found | None:
        """The newest checkpoint that can be read, as the first process reads it; with `sound`, of numbers alone."""
        return self.world.of_first(self.folder.checkpoints.newest(sound) if self.world.first else None)

    def _restore(self, loop: Loop) -> None:
        """Puts everything back to the newest checkpoint. Raises RunFailed."""
        found = self.newest()
        if found is None:
            raise Unavailable(
                f"`{self.folder.path}` has no checkpoint that can be read", "train the model anew: `nndsl run FILE`"
            )
        for path in found.skipped:
            self.progress.say(f"note: {path} is damaged and is passed over")
        loop.position = position_of(found.tree["position"])
        self.engine.put_state(found.tree["engine"])
        self.progress.say(f"goes on from step {found.step:,}")

    def _noted(self, position: Position) -> None:
        now = time.monotonic()
        if now - self._written > WRITTEN_AFTER:
            self._write_history(position)

    def _write_history(self, position: Position) -> None:
        if not self.folder.writes:
            return
        self.folder.check_there()
        for row in position.history[self._rows :]:
            self._history.take(row)
        self._rows = len(position.history)
        self._history.write()
        self.folder.note(seconds=round(position.seconds, 3), epochs=position.epoch, steps=position.steps)
        self._written = time.monotonic()

    # --------------------------------------------------------------------------------------- the end

    def _conclude(self, loop: Loop, before: int, seconds: float) -> None:
        steps = loop.position.steps - before
        if loop.interrupted:
            self.progress.say(f"interrupted after {loop.position.steps:,} steps")
        elif before and not steps and not loop.position.stopped_early:
            counted, unit = (before, "step") if self.plan.epochs is None else (loop.position.epoch, "epoch")
            self.progress.say(f"no step is left to take: {counted:,} {unit}{'s' * (counted != 1)} are done already")
        else:
            early = "stopped early, " if loop.position.stopped_early else ""
            self.progress.say(f"{early}{steps:,} steps in {seconds:.1f} s")

    def _finish(self, loop: Loop, stream: TextIO) -> Run:
        self._write_history(loop.position)
        if not loop.interrupted:
            self.engine.after_training()
        self._write_weights()
        path = self.folder.path
        if loop.interrupted:
            self.folder.note(status="interrupted")
            stream.write(f"weights: {self.folder.file(WEIGHTS)}\ngo on with: nndsl run --resume {path}\n")
            return Run(interrupted=True)
        from nndsl.runtime.outcome import judge

        result = judge(self, loop.position.history, stream)
        self.folder.note(status="finished")
        stream.write(f"weights: {self.folder.file(WEIGHTS)}\n")
        return Run(result=result)

    def _write_weights(self) -> None:
        learnt = self.engine.learnt()
        if not self.folder.writes:
            return
        save_weights(
            self.folder.file(WEIGHTS), learnt.values, learnt.state, model=self.model.name,
            optimizer=type(self.model.training.optimizer).__name__, transforms=self.dataset.learnt,
        )  # fmt: skip

    # --------------------------------------------------------------------------------------- trouble

    @contextmanager
    def _status(self) -> Any:
        """Says in run.json how a run ended that did not end well."""
        try:
            yield
        except BaseException as error:
            gone = "another process of the run ended" if self.world.lost_others(error) else _reason(error)
            reason = "interrupted" if isinstance(error, KeyboardInterrupt) else gone
            with suppress(CannotWrite):  # the disk is full, say: what is there already stays
                self.folder.note(status="interrupted" if reason == "interrupted" else "failed", reason=reason)
            raise
        finally:
            self.folder.unlock()

    def _gone_astray(self, loss: LossIsLost) -> DataProblem:
        """Keeps the last good weights, and finds where the loss was lost."""
        self._write_history(loss.position)
        problem = self.lost(self, loss)
        found = self.newest(sound=True)
        if found is not None:
            self.engine.put_state(found.tree["engine"])
            self._write_weights()
        return problem


def about_run(model: Model, dataset: Dataset, plan: Plan) -> dict[str, Any]:
    """What run.json says at the beginning, but for what the command line said."""
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    return {
        "nndsl": __version__,
        "model": model.name,
        "data": dataset.shown,
        "plan": asdict(plan),
        "samples": {name: len(part) for name, part in parts.items()},
        "fingerprint": fingerprint(dataset),
        "status": "running",
        "reason": None,
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": 0.0,
        "epochs": 0,
        "steps": 0,
    }


def fingerprint(dataset: Dataset) -> str:
    """A hash of what transforms have learnt, the shapes and some rows: a run goes on with the data it began with."""
    digest = hashlib.sha256(json.dumps(dataset.learnt, sort_keys=True).encode())
    for part in (dataset.train, dataset.validation, dataset.test):
        digest.update(str(len(part)).encode())
        if not len(part):
            continue
        count = min(_FINGERPRINTED, len(part))
        places = np.unique(np.concatenate([np.arange(count), np.arange(len(part) - count, len(part))]))
        for name, array in sorted(part.take(places).items()):
            digest.update(f"{name} {array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]


def _reason(error: BaseException) -> str:
    if isinstance(error, RunFailed):
        return "; ".join(diagnostic.message for diagnostic in error.problems)
    return str(error) or type(error).__name__
