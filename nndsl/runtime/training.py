"""The training loop: drives an emitted torch program over a data set."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from nndsl.interop.contents import Weights
from nndsl.interop.load import Loaded
from nndsl.interop.torch_file import fill, fill_state, gathered
from nndsl.ir.graph import Model
from nndsl.passes.train_checks import is_stateful
from nndsl.runtime.interrupt import Interrupt
from nndsl.runtime.progress import Progress
from nndsl.runtime.report import DataProblem, RunFailed, Unavailable
from nndsl.runtime.slots import trained
from nndsl.runtime.tally import Result, Tally

Rows: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Plan:
    """How long and in what way; either `epochs` or `steps` is None."""

    epochs: int | None
    steps: int | None
    batch: int
    evaluate_every: int | None
    shuffle: bool
    reset: bool  # whether each epoch begins with a fresh state
    seed: int


@dataclass
class Outcome:
    """How training ended. `history` holds the numbers of each epoch, or of each `evaluate_every` steps."""

    steps: int = 0
    interrupted: bool = False
    stopped_early: bool = False
    history: list[dict[str, float]] = field(default_factory=list)


class Trainer:
    """One model of an emitted program on one device, with the data there too."""

    def __init__(
        self, model: Model, loaded: Loaded, arrays: Mapping[str, npt.NDArray[Any]], plan: Plan, device: torch.device
    ) -> None:
        self.model, self.loaded, self.plan, self.device = model, loaded, plan, device
        self.program: Any = loaded.module
        self.outputs = trained(model)
        self.stateful = is_stateful(model)
        types = {name: dtype for name, (_, dtype) in self.program.ARRAYS.items()}
        with _memory_watched(plan.batch, self.model):
            self.data = {name: torch.from_numpy(array).to(device, types[name]) for name, array in arrays.items()}
            torch.manual_seed(plan.seed)
            self.net: nn.Module = loaded.cls().to(device)
        self.optimizer: Any = self.program.make_optimizer(self.net)
        self.scaler: Any = self.program.make_scaler(device) if hasattr(self.program, "make_scaler") else None

    def start_from(self, weights: Weights) -> None:
        """Goes on from the weights of a file, and from the state of its optimizer, if there is one."""
        fill(self.net, self.loaded, weights.values)
        fill_state(self.optimizer, self.net, self.loaded, self.model, weights.state)

    def learnt(self) -> Weights:
        """The weights and the state of the optimizer by canonical name."""
        return gathered(self.net, self.loaded, self.model, self.optimizer)

    # ------------------------------------------------------------------------------------- training

    def fit(self, train: Rows, validation: Rows, watch: Rows, progress: Progress, interrupt: Interrupt) -> Outcome:
        """Trains. `validation` is evaluated after every epoch, `watch` every `evaluate_every` steps. Raises RunFailed
        where the loss is no number any more."""
        plan, outcome = self.plan, Outcome()
        optimizer = self.optimizer
        try:
            watchers = self.program.make_watchers() if hasattr(self.program, "make_watchers") else []
        except ImportError as error:  # a package of a callback
            raise Unavailable(str(error), "or leave the callback out") from None
        generator = torch.Generator().manual_seed(plan.seed)
        rows = torch.from_numpy(train)
        per_epoch = self._count(len(train))
        whole = plan.steps if plan.steps is not None else (plan.epochs or 1) * per_epoch
        counted = plan.epochs is not None
        progress.start("epoch" if counted else "step", plan.epochs or whole, whole)
        tally = self._tally()
        epoch = 0
        while outcome.steps < whole and not (outcome.interrupted or outcome.stopped_early):
            if self.stateful and (plan.reset or epoch == 0):
                self.program_reset()
            order = rows[torch.randperm(len(rows), generator=generator)] if plan.shuffle else rows
            self.net.train()
            for place, batch in enumerate(self._batches(order)):
                if interrupt.asked:
                    outcome.interrupted = True
                    break
                self._step(batch, optimizer, tally)
                outcome.steps += 1
                size = len(batch[next(iter(batch))])
                number = epoch + 1 if counted else outcome.steps
                share = (place + 1) / per_epoch if counted else outcome.steps / whole
                if progress.step(outcome.steps, number, share, size, tally.logs):
                    self._check(tally, epoch, outcome)
                if not counted and (outcome.steps % (plan.evaluate_every or whole) == 0 or outcome.steps == whole):
                    self._check(tally, epoch, outcome)
                    logs = self._logs(tally, watch)
                    outcome.history.append(logs)
                    progress.line(outcome.steps, logs)
                    done = [w.after_epoch(len(outcome.history) - 1, logs, self.net, optimizer) for w in watchers]
                    outcome.stopped_early = any(done) and outcome.steps < whole
                    tally = self._tally()
                if outcome.stopped_early:
                    break
                if outcome.steps == whole:
                    break
            epoch += 1
            if counted and not outcome.interrupted:
                self._check(tally, epoch - 1, outcome)
                logs = self._logs(tally, validation)
                outcome.history.append(logs)
                progress.line(epoch, logs)
                done = [w.after_epoch(epoch - 1, logs, self.net, optimizer) for w in watchers]
                outcome.stopped_early = any(done) and outcome.steps < whole
                tally = self._tally()
        if hasattr(self.program, "use_averages") and outcome.steps:
            self.program.use_averages(optimizer)
        for watcher in watchers:
            watcher.after_training(self.net)
        return outcome

    def _step(self, batch: dict[str, Tensor], optimizer: Any, tally: Tally) -> None:
        with _memory_watched(self.plan.batch, self.model):
            optimizer.zero_grad(set_to_none=True)
            values = self.program.measure(self.net, batch)
            if self.scaler is None:
                values["loss"].backward()
                optimizer.step()
            else:
                self.scaler.scale(values["loss"]).backward()
                self.scaler.step(optimizer)
                self.scaler.update()
            tally.add(self.net, batch, values)

    def _logs(self, tally: Tally, held_out: Rows) -> dict[str, float]:
        logs = tally.result().logs()
        if len(held_out):
            logs |= self.evaluate(held_out, keep_state=not self.plan.reset).logs("val_")
            self.net.train()
        return logs

    def _check(self, tally: Tally, epoch: int, outcome: Outcome) -> None:
        loss = tally.loss()
        if math.isfinite(loss):
            return
        raise RunFailed.one(
            DataProblem(
                "NN0609",
                f"the loss is {'no number (nan)' if math.isnan(loss) else loss} by epoch {epoch + 1}, step "
                f"{outcome.steps}: training has gone astray",
                self.model.span,
                help="take a smaller learning rate, scale the data (`standardize()`), or clip gradients "
                "(`Adam(clipnorm=1.0)`); no weights are saved",
            )
        )

    # ----------------------------------------------------------------------------------- evaluation

    @torch.no_grad()
    def evaluate(self, rows: Rows, *, keep_state: bool = False) -> Result:
        """Losses and metrics of the rows, in their order. A stateful model begins with a fresh state, and gets its own
        back where `keep_state`."""
        self.net.eval()
        kept = self._state() if self.stateful and keep_state else None
        if self.stateful:
            self.program_reset()
        tally = self._tally()
        with _memory_watched(self.plan.batch, self.model):
            for batch in self._batches(torch.from_numpy(rows)):
                tally.add(self.net, batch, self.program.measure(self.net, batch))
        if kept is not None:
            self._put_state(kept)
        return tally.result()

    def program_reset(self) -> None:
        reset: Any = self.net.reset_state
        reset()

    def _state(self) -> dict[str, Tensor]:
        """What batches have left behind: buffers that are not saved, which modules replace and never change."""
        saved = self.net.state_dict().keys()
        return {name: value for name, value in self.net.named_buffers() if name not in saved}

    def _put_state(self, state: dict[str, Tensor]) -> None:
        for name, value in state.items():
            owner, _, attribute = name.rpartition(".")
            setattr(self.net.get_submodule(owner), attribute, value)

    # -------------------------------------------------------------------------------------- batches

    def _tally(self) -> Tally:
        return Tally(self.program, self.outputs, named=len(self.model.outputs) > 1)

    def _count(self, rows: int) -> int:
        batch = self.plan.batch
        return rows // batch if self.model.batch is not None else -(-rows // batch)

    def _batches(self, order: Tensor) -> Iterator[dict[str, Tensor]]:
        """Batches of the rows, only whole ones where the model takes no others."""
        order = order.to(self.device)
        size = self.plan.batch
        for number in range(self._count(len(order))):
            chosen = order[number * size : (number + 1) * size]
            yield {name: values.index_select(0, chosen) for name, values in self.data.items()}


@contextmanager
def _memory_watched(batch: int, model: Model) -> Iterator[None]:
    """Tells of a device whose memory is full in words. Raises RunFailed."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise RunFailed.one(
            DataProblem(
                "NN0702",
                f"the memory of the device does not hold a batch of {batch}",
                model.span,
                help=f"try `--batch-size {max(batch // 2, 1)}`, or `--device cpu`",
            )
        ) from None
