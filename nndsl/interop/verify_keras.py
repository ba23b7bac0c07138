"""What `nndsl verify` asks of the emitted Keras program, in its own process; `verify_job` says how."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from nndsl.interop import exact_keras, keras_side, noise_keras
from nndsl.interop.noise import clock
from nndsl.interop.verify_job import Arrays, CannotRun, Side, factors


class KerasSide(Side):
    """The emitted Keras program of one float type."""

    versions: ClassVar = {"keras": keras.__version__, "tensorflow": tf.__version__}

    def build(self) -> None:
        noise_keras.install()
        exact_keras.install()
        self.notes = exact_keras.used
        self.notes.clear()
        keras_side.begin_anew()
        self.program = self.job.load_program(self.spec["program"])
        self.model: Any = self.program.build_model()
        self.variables = keras_side.find_variables(self.model, self.spec["layout"])

    def put(self, weights: Arrays) -> None:
        keras_side.assign(self.model, self.variables, weights)
        self.reset()

    def reset(self) -> None:
        keras_side.reset_states(self.model)

    def weights(self) -> Arrays:
        return keras_side.read(self.variables)

    def outputs(self, inputs: Arrays) -> Arrays:
        given = list(self._tensors(inputs).values())
        with _kernels():
            found = self.model(given[0] if len(given) == 1 else given, training=False)
        return {name: np.asarray(y) for name, y in found.items()}

    def gradients(self, inputs: Arrays, targets: Arrays) -> tuple[float, Arrays, Arrays]:
        given = self._tensors(inputs)
        trainable = {path: variable for path, variable in self.variables.items() if variable.trainable}
        watched = {name: x for name, x in given.items() if x.dtype.is_floating}
        with _kernels(), tf.GradientTape() as tape:
            for x in watched.values():
                tape.watch(x)
            loss = self._loss(given, targets)
            sources = [*watched.values(), *(variable.value for variable in trainable.values())]
        with _kernels():
            found = [None if g is None else np.asarray(tf.convert_to_tensor(g)) for g in tape.gradient(loss, sources)]
        by_input = {name: g for name, g in zip(watched, found, strict=False) if g is not None}
        by_weight = {path: g for path, g in zip(trainable, found[len(watched) :], strict=True) if g is not None}
        return float(loss), by_weight, by_input

    def _loss(self, given: dict[str, Any], targets: Arrays) -> Any:
        values = list(given.values())
        predicted = self.model(values[0] if len(values) == 1 else values, training=True)
        if not targets:
            ys = {name: y for name, y in predicted.items() if y.dtype.is_floating}
            return sum(tf.reduce_sum(y * tf.cast(factors(name, y.shape), y.dtype)) for name, y in sorted(ys.items()))
        arrays = {name: x.numpy() for name, x in given.items()} | self._cast(targets)
        weighted = "weighted" in inspect.signature(self.program.Batches).parameters
        batches = self.program.Batches(arrays, len(values[0]), **({"weighted": True} if weighted else {}))
        x, y, *weights = batches[0]
        return self.model.compute_loss(
            x=x, y=y, y_pred=predicted, sample_weight=weights[0] if weights else None, training=True
        )

    # -------------------------------------------------------------------------------- the program's own training code

    def evaluate(self, path: Path, size: int) -> dict[str, float]:
        self.program.compile_model(self.model)
        with _kernels():
            return dict(self.program.evaluate(self.model, self._load(path), size))

    def train(self, data: Path, held: Path, plan: Mapping[str, Any]) -> None:
        train = self.program.train
        taken = inspect.signature(train).parameters  # without shuffling there is no seed
        options = {"seed": plan["seed"]} if "seed" in taken else {}
        options |= {"steps": plan["steps"]} if "steps" in taken else {"epochs": plan["steps"] // plan["per_epoch"]}
        with _kernels():
            train(self.model, self._load(data), self._load(held), batch_size=plan["batch_size"], **options)

    def prepare_training(self) -> None:
        """Listens to `fit`, `evaluate` and `train_on_batch` of the model. XLA could not ask for random numbers; it is
        not used on a CPU anyway."""
        model, recorder = self.model, _Recorder(self)
        compile_model, real = self.program.compile_model, {n: getattr(model, n) for n in _LISTENED}

        def compiled(model: Any) -> None:
            compile_model(model)
            model.jit_compile = False

        def listening(name: str) -> Any:
            def function(*args: Any, **options: Any) -> Any:
                callbacks = options.get("callbacks")
                if not isinstance(callbacks, keras.callbacks.CallbackList):  # of fit: it has the recorder already
                    options["callbacks"] = [*(callbacks or ()), recorder]
                return real[name](*args, **options)

            return function

        def train_on_batch(*args: Any, **options: Any) -> Any:
            clock.step = self.next_step(True)
            logs = real["train_on_batch"](*args, **options)
            self.curve.append(float(logs["loss"]))
            return logs

        # A program that trains by steps prints its reports and gives them to nobody.
        self.program.print = self._printed  # type: ignore[attr-defined]
        if hasattr(self.program, "compile_model"):
            self.program.compile_model = compiled  # type: ignore[attr-defined]
        for name, function in zip(_LISTENED, (listening("fit"), listening("evaluate"), train_on_batch), strict=True):
            object.__setattr__(model, name, function)

    def _printed(self, head: str, *numbers: str) -> None:
        """Reads "loss 0.1234" and the like."""
        self.epochs.append({name: float(value) for name, _, value in (text.rpartition(" ") for text in numbers)})

    def _load(self, path: Path) -> dict[str, Any]:
        program = self.program
        found: dict[str, Any] = program.load_data(str(path), program.INPUTS + program.TARGETS)
        return found

    def _cast(self, arrays: Arrays) -> Arrays:
        return {name: array.astype(self.program.ARRAYS[name][1]) for name, array in arrays.items()}

    def _tensors(self, arrays: Arrays) -> dict[str, Any]:
        return {name: tf.constant(array) for name, array in self._cast(arrays).items()}


_LISTENED = ("fit", "evaluate", "train_on_batch")


class _Recorder(keras.callbacks.Callback):  # type: ignore[misc]
    """Writes down what training reports, and has the clock show the number of each step."""

    def __init__(self, side: KerasSide) -> None:
        super().__init__()
        self.side = side

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        clock.step = self.side.next_step(True)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.side.curve.append(float(logs["loss"]))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        split = getattr(self.side.program, "numbers", dict)  # where a metric has several numbers
        self.side.epochs.append(split(logs))

    def on_test_begin(self, logs: Any = None) -> None:
        self.side.tests = 0

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        clock.step = self.side.next_step(False)


class _kernels:
    """Turns TensorFlow's words for an operation that it has no code for into CannotRun."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, tf.errors.OpError | TypeError):  # the latter while a graph is traced
            for sign in _NO_KERNEL:
                if sign in str(error):
                    raise CannotRun(_reason(str(error))) from None
        if isinstance(error, LookupError) and "gradient registry has no entry for: " in str(error):
            operation = str(error).rpartition(": ")[2]
            raise CannotRun(f"TensorFlow has no gradient of {operation}") from None


_NO_KERNEL = (
    "Could not find device for node",
    "No OpKernel was registered",
    "not in the list of allowed values",
    "not in list of allowed values",
    "not supported",
    "not implemented",
)


def _reason(message: str) -> str:
    """What TensorFlow cannot do, without the code of the graph and the list of what it can."""
    text = re.sub(r"\x1b\[\d*m", "", message)
    operation = re.search(r"calling (\w+)\.call|Op<name=(\w+)|\[Op:(\w+)\]|\{\{node [\w/]*?(\w+)\}\}", text)
    if operation is not None:
        return f"TensorFlow has no code for {next(filter(None, operation.groups()))} in this type on a CPU"
    return " ".join(text.split())[:200]
