"""The training loop: epochs or steps, looks at held-out data, checkpoints; the same for every framework.

All of its own state is a `Position`: a run that was stopped anywhere goes on from the last checkpoint and ends where an
undisturbed one would have ended, to the bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

import numpy as np

from nndsl.runtime.engine import Engine, Rowed, Rows
from nndsl.runtime.interrupt import Interrupt
from nndsl.runtime.progress import Progress
from nndsl.runtime.trees import Tree
from nndsl.runtime.world import ALONE, World

History: TypeAlias = list[dict[str, float]]

SAVED_AFTER = 30.0
"""Seconds from one checkpoint to the next, where the command line says nothing: they change no number."""


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
    whole_batches: bool = False
    save_every: int | None = None  # steps between two checkpoints; by the clock where None


@dataclass
class Position:
    """Where training stands. `history` holds the numbers of each epoch, or of each `evaluate_every` steps."""

    epoch: int = 0  # the one that runs, or is about to begin
    place: int = 0  # how many batches of it are done
    steps: int = 0
    seconds: float = 0.0
    stopped_early: bool = False
    history: History = field(default_factory=list)

    def tree(self) -> Tree:
        return asdict(self)


class LossIsLost(Exception):
    """The loss is no number any more."""

    def __init__(self, loss: float, position: Position) -> None:
        super().__init__(loss)
        self.loss, self.position = loss, position


class Loop:
    """Trains by a plan. `watch` is evaluated after every epoch, or every `evaluate_every` steps. `save` stores the
    state of the engine together with the position; `noted` is told each time the history grows."""

    def __init__(
        self, engine: Engine, plan: Plan, train: Rowed, watch: Rowed | None, progress: Progress, interrupt: Interrupt,
        save: Callable[[Position], None] | None = None, noted: Callable[[Position], None] | None = None,
        world: World = ALONE,
    ) -> None:  # fmt: skip
        self.engine, self.plan = engine, plan
        self.rows, self.held_out = len(train), watch
        self.feed = engine.feed(train)
        self.watched = engine.feed(watch) if watch is not None else None
        self.progress, self.interrupt = progress, interrupt
        self.save, self.noted, self.world = save, noted, world
        self.position = Position()
        self.interrupted = False
        self.per_epoch = count_batches(self.rows, plan)
        self.whole = plan.steps if plan.steps is not None else (plan.epochs or 1) * self.per_epoch

    # ---------------------------------------------------------------------------------------- the loop

    def run(self) -> None:
        """Trains to the end, to an early one, or until the user interrupts. Raises LossIsLost."""
        position, plan = self.position, self.plan
        counted = plan.epochs is not None
        self.progress.start("epoch" if counted else "step", plan.epochs or self.whole, self.whole, position.steps)
        self._begun = self._saved = time.monotonic()
        self._late = False
        if position.steps == 0:
            self.engine.begin()
            self._save()
        while not self._done():
            self._epoch(counted)
            if self.interrupted:
                break
        self._check_weights()
        self._save()

    def _done(self) -> bool:
        return self.position.stopped_early or self.position.steps >= self.whole

    def _epoch(self, counted: bool) -> None:
        """One pass through the data, or what is left of it."""
        position, plan = self.position, self.plan
        if position.place == 0 and (plan.reset or position.epoch == 0):
            self.engine.reset_state()
        batches = self.feed(batches_of(self._order(), plan, position.place))
        for batch in batches:
            asked, self._late, look = self.world.agree(self.interrupt.asked, self._time_to_save(), self.progress.due())
            if asked:
                self.interrupted = True
                return
            self.engine.train(batch)
            position.place += 1
            position.steps += 1
            self.progress.add(batch.size)
            if look:
                self._show(counted)
            if not counted and (position.steps % (plan.evaluate_every or self.whole) == 0 or self._done()):
                logs = self._look(position.steps, {"step": position.steps})
                ended = self.engine.after_epoch(len(position.history) - 1, logs)
                position.stopped_early = ended and position.steps < self.whole
            if not counted and self._done():
                if position.place < self.per_epoch:
                    return  # a run that is made longer goes on inside of the epoch
                break
            if position.place < self.per_epoch:  # behind the last one the epoch's numbers are taken first
                self._save_in_time()
        if counted and not self.interrupted:
            number = position.epoch + 1
            logs = self._look(number, {"epoch": number})
            position.stopped_early = self.engine.after_epoch(position.epoch, logs) and position.steps < self.whole
        position.epoch += 1
        position.place = 0
        self._save_in_time()

    def _order(self) -> Rows:
        """The order of the rows in this epoch: it follows from seed and epoch alone."""
        if not self.plan.shuffle:
            return np.arange(self.rows)
        return np.random.default_rng([self.plan.seed, self.position.epoch]).permutation(self.rows)

    # ----------------------------------------------------------------------------------------- looking

    def _show(self, counted: bool) -> None:
        position = self.position
        number = position.epoch + 1 if counted else position.steps
        share = position.place / self.per_epoch if counted else position.steps / self.whole
        self.progress.step(position.steps, number, share, self.engine.logs)
        self._check()

    def _look(self, number: int, title: dict[str, float]) -> dict[str, float]:
        """Takes the numbers since the last look, and those of the held-out data."""
        self._check()
        logs = self.engine.logs()
        rate = self.engine.learning_rate()
        if self.watched is not None and self.held_out is not None:
            batches = batches_of(np.arange(len(self.held_out)), self.plan)
            logs |= self.engine.evaluate(self.watched(batches), keep_state=not self.plan.reset).logs("val_")
        self._clock()
        row = title | logs | ({"learning_rate": rate} if rate is not None else {})
        self.position.history.append(row | {"seconds": round(self.position.seconds, 3)})
        self.progress.line(number, logs)
        self.engine.begin()
        if self.noted is not None:
            self.noted(self.position)
        return logs

    def _check(self) -> None:
        loss = self.engine.loss()
        if not math.isfinite(loss):
            raise LossIsLost(loss, self.position)

    def _check_weights(self) -> None:
        """The last step has changed them, and no loss has seen it."""
        if not all(self.world.of_each(self.engine.sound())):
            raise LossIsLost(math.nan, self.position)

    # ------------------------------------------------------------------------------------- checkpoints

    def _clock(self) -> None:
        now = time.monotonic()
        self.position.seconds += now - self._begun
        self._begun = now

    def _time_to_save(self) -> bool:
        return time.monotonic() - self._saved > SAVED_AFTER

    def _save_in_time(self) -> None:
        every = self.plan.save_every
        if self.position.steps % every == 0 if every else self._late:
            self._save()

    def _save(self) -> None:
        if self.save is None:
            return
        if self.position.steps and self.position.place:
            self._check()  # what is kept is good
        self._clock()
        self.save(self.position)
        self._saved, self._late = time.monotonic(), False


def count_batches(rows: int, plan: Plan) -> int:
    """How many batches the rows make; where the model takes whole ones alone, the rest is left out."""
    return rows // plan.batch if plan.whole_batches else -(-rows // plan.batch)


def batches_of(order: Rows, plan: Plan, first: int = 0) -> Iterator[Rows]:
    """The places of each batch in turn, from number `first` on."""
    for number in range(first, count_batches(len(order), plan)):
        yield order[number * plan.batch : (number + 1) * plan.batch]


def position_of(tree: Any) -> Position:
    """What `Position.tree` gave."""
    return Position(**tree)
