"""An emitted Keras program at work in this process: trained batch by batch, evaluated, asked for predictions.

The steps are Keras's own (`train_step`, `test_step`), as in its `fit`: what is gathered over batches is what `fit`
would report. One thing is put right: `fit` counts a smaller last batch as much as the others in the losses of single
outputs, so that they do not add up to the whole loss; here samples count.

A graph is made for batches of any size, with the other sizes as the data have them, as in `fit`. A run that goes on has
the graphs, and the bits, of one that was never stopped.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from nndsl.interop import keras_side
from nndsl.interop.keras_watchers import Watchers
from nndsl.interop.modules import import_text

Arrays: TypeAlias = Mapping[str, npt.NDArray[Any]]
FULL: tuple[type[BaseException], ...] = (tf.errors.ResourceExhaustedError, MemoryError)
"""What is raised where the memory is full."""


class NoXla(Exception):
    """XLA cannot compile the model; the text says why."""


class Trainer:
    """A model of the program in `text`. `outputs` are the outputs with a loss, `layout` is that of
    `keras_side.find_variables`, `batch` the size of batches where the model takes no others."""

    def __init__(
        self, text: str, title: str, outputs: Sequence[str], layout: Sequence[Mapping[str, Any]], *, seed: int,
        batch: int | None = None, compiled: bool = False,
    ) -> None:  # fmt: skip
        self.program: Any = import_text(text, title)
        self.outputs, self.layout, self.batch, self.compiled = tuple(outputs), layout, batch, compiled
        self._weighted = "weighted" in inspect.signature(self.program.Batches).parameters  # by the class, in training
        self._predictions: dict[Any, Callable[..., Any]] = {}
        self.masks: dict[str, npt.NDArray[Any]] = {}
        keras_side.begin_anew()
        keras.utils.set_random_seed(seed % 2**32)
        built = hasattr(self.program, "build_models")
        self.models: dict[str, Any] = self.program.build_models() if built else {}
        self.model: Any = next(iter(self.models.values())) if built else self.program.build_model()
        self.variables = keras_side.find_variables(self.model, layout)
        self.compile()

    def compile(self) -> None:
        """Gives the model a fresh optimizer, metrics and callbacks. Raises NoXla."""
        self.program.compile_model(self.model)
        if self.compiled:
            for layer in self.model._flatten_layers():
                if not layer.supports_jit:
                    raise NoXla(f"the layer `{layer.name}` has operations that XLA does not have")
            self.model.jit_compile = True
        with unwarned():  # what fit does first: metrics get their variables from the shapes of a batch
            self.model._symbolic_build(data_batch=self._symbols())
        self.model.optimizer.build(self.model.trainable_variables)
        several = [f"{name}_loss" for name in self.outputs] if len(self.outputs) > 1 else []
        self._parts = [m for m in self.model.metrics if m.name in several and type(m) is keras.metrics.Mean]
        self._means = [keras.metrics.Mean(part.name, part.dtype) for part in self._parts]
        self._penalty = keras.metrics.Mean("penalty", self.model.dtype_policy.variable_dtype)
        self._train = self._graph(self.model.train_step)
        self._test = self._graph(self.model.test_step, self._penalty)
        self._last: Mapping[str, Any] | None = None
        self.watchers = Watchers(self.program, self.model)

    # ---------------------------------------------------------------------------------------- batches

    def batch_of(self, arrays: Arrays, training: bool) -> tuple[Any, ...]:
        """The batch as the program has it: inputs, targets, and weights of samples, if any."""
        size = len(arrays[self.program.INPUTS[0]])
        batches = self.program.Batches(arrays, size, **({"weighted": training} if self._weighted else {}))
        found: tuple[Any, ...] = batches[0]
        return found

    def _symbols(self) -> Any:
        """A batch of training without numbers, of any size."""
        arrays = self.program.ARRAYS
        blank = {
            name: np.zeros((self.batch or 1, *(d or 1 for d in row)), kind) for name, (row, kind) in arrays.items()
        }
        free = any(d is None for row, _ in arrays.values() for d in row)

        def symbols(group: Arrays, row: Callable[[str], Sequence[int | None]]) -> dict[str, Any]:
            return {name: keras.KerasTensor((self.batch, *row(name)), x.dtype.name) for name, x in group.items()}

        def declared(name: str) -> Sequence[int | None]:
            row: Sequence[int | None] = arrays[name][0] if name in arrays else ()  # an output without a loss has zeros
            return row

        inputs, targets, *weights = self.batch_of(blank, True)
        found = [symbols(inputs, declared), symbols(targets, declared)]
        for group in weights:
            sizes = {name: [None if free else size for size in x.shape[1:]] for name, x in group.items()}
            found.append(symbols(group, sizes.__getitem__))
        return tuple(found)

    def _graph(self, step: Callable[[Any], Any], penalty: Any = None) -> Callable[[Any], Any]:
        def whole(data: Any) -> Any:
            for part in self._parts:
                part.reset_state()
            logs = dict(step(data))
            size = tf.shape(next(iter(data[0].values())))[0]
            for mean, part in zip(self._means, self._parts, strict=True):
                mean.update_state(part.result(), sample_weight=size)
                logs[mean.name] = mean.result()
            if penalty is not None:
                losses = [tf.cast(loss, penalty.dtype) for loss in self.model.losses]
                penalty.update_state(tf.add_n([tf.zeros((), penalty.dtype), *losses]), sample_weight=size)
            return logs

        graphs: dict[Any, Any] = {}

        def call(data: Any) -> Any:
            key = tuple((array.shape[1:], array.dtype) for array in keras.tree.flatten(data))
            if key in graphs:
                return graphs[key](data)
            spec = keras.tree.map_structure(self._any_size, data)
            graphs[key] = tf.function(
                whole, input_signature=[spec], jit_compile=self.model.jit_compile, autograph=False
            )  # fmt: skip
            with unwarned():
                return graphs[key](data)

        return call

    def _any_size(self, array: npt.NDArray[Any]) -> Any:
        return tf.TensorSpec((self.batch, *array.shape[1:]), array.dtype)

    # --------------------------------------------------------------------------------------- training

    def begin(self) -> None:
        """Numbers are gathered anew."""
        for metric in self._metrics():
            metric.reset_state()
        self._last = None

    def train(self, arrays: Arrays) -> None:
        """One step. Raises NoXla, and what stands in FULL."""
        self.watchers.before_step()
        self._last = self._run(self._train, self.batch_of(arrays, True))

    def _run(self, graph: Callable[[Any], Any], batch: tuple[Any, ...]) -> Any:
        try:
            return graph(batch)
        except tf.errors.InvalidArgumentError as error:
            if self.compiled and "unsupported operations" in str(error):
                raise NoXla("it has operations that XLA does not have") from None
            raise

    def loss(self) -> float:
        """The mean loss since `begin`; 0 where nothing was gathered."""
        return float(self._last["loss"]) if self._last is not None else self.numbers()["loss"]

    def numbers(self) -> dict[str, float]:
        """What was gathered since `begin`, under Keras's names."""
        logs = self._last
        if logs is None:
            logs = self.model.get_metrics_result() | {mean.name: mean.result() for mean in self._means}
        split = getattr(self.program, "numbers", dict)  # where a metric has several numbers
        return {name: float(value) for name, value in split({k: np.asarray(v) for k, v in logs.items()}).items()}

    def learning_rate(self, number: int) -> float | None:
        """The rate of the last step, that of optimizer `number` where there are several."""
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)  # losses may be scaled
        optimizer = getattr(optimizer, "optimizers", [optimizer])[number]
        rate = optimizer._learning_rate
        if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
            return float(rate(max(int(optimizer._iterations) - 1, 0)))
        return float(rate)

    def end(self) -> None:
        """What `fit` does at the end: averaged weights, then callbacks."""
        if self.model.trainable_variables:
            self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
        self.watchers.after_training()

    # ------------------------------------------------------------------------------------- evaluation

    def evaluate(self, batches: Iterable[Arrays], *, keep_state: bool) -> tuple[dict[str, float], float]:
        """The numbers over some batches, and the penalties in the loss. What `begin` began goes on behind it."""
        kept = [v for metric in self._metrics() for v in metric.variables]
        kept += keras_side.states(self.model) if keep_state else []
        before = [keras_side.value_of(variable) for variable in kept]
        last = self._last
        keras_side.reset_states(self.model)
        self.begin()
        for arrays in batches:
            self._last = self._run(self._test, self.batch_of(arrays, False))
        found = self.numbers(), float(self._penalty.result())
        for variable, value in zip(kept, before, strict=True):
            variable.assign(value)
        self._last = last
        return found

    def predict(self, inputs: Sequence[npt.NDArray[Any]], part: str | None) -> dict[str, Any] | list[Any]:
        """The outputs by name, whose masks are in `masks` then; those of a submodel in its order."""
        model = self.model if part is None else self.models[part]
        given = [np.asarray(x, self._input_type(known.dtype)) for x, known in zip(inputs, model.inputs, strict=True)]
        key = part, *(array.shape[1:] for array in given)
        if key not in self._predictions:
            spec = [self._any_size(array) for array in given]
            self._predictions[key] = tf.function(_predicting(model), input_signature=spec, autograph=False)
        found, masks = self._predictions[key](*given)
        if part is None:
            self.masks = {key: np.asarray(mask) for key, mask in masks.items()}
            return {key: _array(value) for key, value in found.items()}
        return [_array(value) for value in (found if isinstance(found, (list, tuple)) else [found])]

    def _input_type(self, dtype: Any) -> str:
        return "float32" if dtype == "bfloat16" else str(dtype)

    def _metrics(self) -> list[Any]:
        return [*self.model.metrics, *self._means, self._penalty]

    # ------------------------------------------------------------------------------------------ state

    def kept(self) -> list[Any]:
        """Every variable that training changes: weights, random streams, what layers and the optimizer keep, and what
        is gathered for the numbers."""
        found = [*self.model.variables, *keras_side.states(self.model), *keras_side.variables_of(self.model.optimizer)]
        found += [variable for metric in self._metrics() for variable in metric.variables]
        return list({id(variable): variable for variable in found}.values())

    def put(self, values: Sequence[npt.NDArray[Any]]) -> None:
        """The values of all of `kept`."""
        for variable, value in zip(self.kept(), values, strict=True):
            variable.assign(value)
        self._last = None
        keras_side.finalize(self.model)


@contextmanager
def unwarned() -> Iterator[None]:
    """Keras warns of a dict of one input, and where there is nothing to train."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _predicting(model: Any) -> Callable[..., Any]:
    """The model's outputs, and the masks of those that have names and one."""

    def predict(*inputs: Any) -> Any:
        found = model(inputs[0] if len(inputs) == 1 else list(inputs), training=False)
        named = found if isinstance(found, dict) else {}
        masks = {key: getattr(value, "_keras_mask", None) for key, value in named.items()}
        return found, {key: mask for key, mask in masks.items() if mask is not None}

    return predict


def _array(value: Any) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.asarray(tf.cast(value, tf.float32) if value.dtype == tf.bfloat16 else value)
    return array
