"""Training with the emitted Keras program. What touches Keras is in `nndsl.interop.keras_trainer`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from nndsl.files import writing
from nndsl.interop import keras_astray, keras_side
from nndsl.interop.contents import Weights
from nndsl.interop.keras_trainer import FULL, NoXla, Trainer
from nndsl.interop.optimizer_names import plan as plan_of
from nndsl.ir.graph import Model, Submodel
from nndsl.layers.families.optimizer_maps import MultiOptimizer
from nndsl.passes.train_checks import is_stateful
from nndsl.passes.weight_layout import changed, layout, plain
from nndsl.runtime import trees
from nndsl.runtime.ahead import ahead
from nndsl.runtime.engine import Array, Batch, Rowed, Rows
from nndsl.runtime.full import full, largest_that_fits
from nndsl.runtime.lost import Found, Lost
from nndsl.runtime.report import RunFailed, Unavailable
from nndsl.runtime.slots import trained
from nndsl.runtime.tally import Result, result_of
from nndsl.runtime.trees import Tree, walk
from nndsl.runtime.writing_files import FILES, writing_files
from nndsl.targets.training_settings import trains


class KerasEngine:
    """One model of an emitted program: see `engine.Engine`. Raises Unavailable where XLA cannot compile it."""

    def __init__(
        self, model: Model, text: str, *, seed: int, batch: int, gpu: bool = False, compiled: bool = False
    ) -> None:
        self.model, self.batch, self.gpu = model, batch, gpu
        self.outputs = trained(model)
        self.stateful = is_stateful(model)
        self.layout = layout(model)
        with self._memory():
            self.trainer = Trainer(
                text, model.name, [output.name for output in self.outputs], plain(self.layout), seed=seed,
                batch=model.batch, compiled=compiled,
            )  # fmt: skip
        self.types = {name: dtype for name, (_, dtype) in self.trainer.program.ARRAYS.items()}
        self.samples = 0

    def feed(self, part: Rowed) -> Callable[[Iterable[Rows]], Iterator[Batch]]:
        whole = self._arrays(part.take(np.arange(len(part)))) if part.resident else None

        def batches(places: Iterable[Rows]) -> Iterator[Batch]:
            if whole is not None:
                for rows in places:
                    yield Batch({name: array[rows] for name, array in whole.items()}, len(rows))
            else:
                yield from ahead(Batch(self._arrays(part.take(rows)), len(rows)) for rows in places)

        return batches

    def _arrays(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        return {name: array.astype(self.types.get(name, array.dtype), copy=False) for name, array in arrays.items()}

    # ---------------------------------------------------------------------------------------- training

    def begin(self) -> None:
        self.trainer.begin()
        self.samples = 0

    def train(self, batch: Batch) -> None:
        with self._memory(batch), writing(FILES):  # callbacks make their folders with the first step
            self.trainer.train(batch.tensors)
        self.samples += batch.size

    def loss(self) -> float:
        return self.trainer.loss()

    def sound(self) -> bool:
        return keras_astray.weights_are_sound(self.trainer)

    def logs(self) -> dict[str, float]:
        return self._result(self.trainer.numbers(), 0.0, self.samples).logs()

    def learning_rate(self) -> float | None:
        optimizer = self.model.training.optimizer
        return self.trainer.learning_rate(min(optimizer.used) if isinstance(optimizer, MultiOptimizer) else 0)

    def write_below(self, folder: str) -> None:
        self.trainer.watchers.write_below(folder)

    def after_epoch(self, epoch: int, logs: dict[str, float]) -> bool:
        with writing_files():
            return self.trainer.watchers.after_epoch(epoch, logs)

    def after_training(self) -> None:
        with writing_files():
            self.trainer.end()

    # ------------------------------------------------------------------------------------- evaluation

    def evaluate(self, batches: Iterable[Batch], *, keep_state: bool = False) -> Result:
        samples = 0

        def arrays() -> Iterator[Mapping[str, Array]]:
            nonlocal samples
            for batch in batches:
                samples += batch.size
                yield batch.tensors

        with self._memory():
            numbers, penalty = self.trainer.evaluate(arrays(), keep_state=keep_state)
        return self._result(numbers, penalty, samples)

    def _result(self, numbers: Mapping[str, float], penalty: float, samples: int) -> Result:
        return result_of(self.outputs, numbers, penalty, samples, named=len(self.model.outputs) > 1)

    def predict(self, batches: Iterable[Batch], part: Submodel | None = None) -> Iterator[dict[str, Array]]:
        self.reset_state()
        for batch in batches:
            with self._memory():
                found = self.trainer.predict(list(batch.tensors.values()), None if part is None else part.name)
            if part is not None:
                found = dict(zip(part.target_names, found, strict=True))
            yield dict(found)

    def masks(self) -> dict[str, Array]:
        return self.trainer.masks

    def reset_state(self) -> None:
        if self.stateful:
            keras_side.reset_states(self.trainer.model)

    # ------------------------------------------------------------------------------------------ state

    def learnt(self) -> Weights:
        found = Weights(keras_side.read(self.trainer.variables))
        found.state = keras_side.read(dict(self._optimizer()))
        return found

    def start_from(self, weights: Weights) -> None:
        keras_side.assign(self.trainer.model, self.trainer.variables, weights.values)
        self.trainer.compile()  # some optimizers start from the weights
        if weights.state:
            for name, variable in self._optimizer():
                if name in weights.state:
                    variable.assign(weights.state[name])

    def _optimizer(self) -> list[tuple[str, Any]]:
        if not trains(self.model):
            return []
        kept = plan_of(self.model.training.optimizer, changed(self.layout))
        return keras_side.find_state(self.trainer.model, self.trainer.variables, kept)

    def state(self) -> Tree:
        tree = {
            "variables": [keras_side.value_of(variable) for variable in self.trainer.kept()],
            "callbacks": self.trainer.watchers.state(),
            "samples": self.samples,
        }
        return walk(tree, _bits)

    def put_state(self, state: Tree) -> None:
        state = walk(state, _numbers)
        self.trainer.put(state["variables"])
        self.trainer.watchers.put_state(state["callbacks"])
        self.samples = state["samples"]

    # --------------------------------------------------------------------------------------- trouble

    @contextmanager
    def _memory(self, batch: Batch | None = None) -> Iterator[None]:
        """Raises RunFailed where the memory is full, and Unavailable where XLA cannot compile the model."""
        fits = None
        try:
            yield
            return
        except NoXla as error:
            raise Unavailable(f"XLA cannot compile `{self.model.name}`: {error}", "leave --compile out") from None
        except FULL as error:
            error.__traceback__ = None  # its frames hold what the batch took
            if batch is not None:
                fits = largest_that_fits(batch.size, partial(self._fits, batch))
        raise RunFailed.one(full(self.model, self.batch, gpu=self.gpu, fits=fits))

    def _fits(self, batch: Batch, rows: int) -> bool:
        try:
            keras_astray.gradients(self.trainer, {name: array[:rows] for name, array in batch.tensors.items()})
            return True
        except FULL:
            return False


class Watched:
    """An engine whose every step is looked at: `train` raises Found."""

    def __init__(self, engine: KerasEngine) -> None:
        self.engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def train(self, batch: Batch) -> None:
        trainer = self.engine.trainer
        before = [keras_side.value_of(variable) for variable in trainer.kept()]
        self.engine.train(batch)
        if not keras_astray.is_sound(trainer):
            raise Found(Lost(*keras_astray.first_lost(trainer, before, batch.tensors)))

    def after_epoch(self, epoch: int, logs: dict[str, float]) -> bool:
        return self.engine.trainer.watchers.after_epoch(epoch, logs, write=False)


def _bits(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.name == "bfloat16":
        return {trees.BITS: value.view(np.uint16)}
    return value


def _numbers(value: Any) -> Any:
    match value:
        case {trees.BITS: bits}:
            from ml_dtypes import bfloat16  # TensorFlow needs it

            return bits.view(bfloat16)
    return value
