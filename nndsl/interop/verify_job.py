"""The workers of `nndsl verify`: the same list of things to do, for either program.

The request (`nndsl.interop.verify` writes it) names the side, the float types with what the emitted program of each
is called and holds, the cases, and how to train. Arrays are labelled: "weight|PATH", "CASE|NAME" for the inputs of a
case, "whole|NAME", "partial|NAME", "step|NAME", "train|NAME", "held|NAME" for inputs and targets. The answer holds for
each float type what became of each part (`done`, `not_run` or `error`) and its numbers, and arrays labelled
"FLOAT|outputs|CASE|NAME", "FLOAT|gradients|weight|PATH", "FLOAT|gradients|input|NAME", "FLOAT|weights||PATH".
"""

from __future__ import annotations

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.interop.noise import clock
from nndsl.interop.worker import Job

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

_TESTS = 1_000_000  # the number of the first step of an evaluation


class CannotRun(Exception):
    """Something that a framework has no kernel for; the text is the reason."""


class Side(ABC):
    """An emitted program of one float type, built, with what is asked of it."""

    versions: ClassVar[dict[str, str]]
    program: ModuleType

    def __init__(self, job: Job, spec: Mapping[str, Any]) -> None:
        self.job, self.spec = job, spec
        self.curve: list[float] = []  # the mean loss of the epoch so far, after each step of training
        self.epochs: list[dict[str, float]] = []  # what is reported after each epoch
        self.trained = self.tests = 0
        self.notes: list[str] = []  # what is not quite as the program alone would do it

    def next_step(self, training: bool) -> int:
        """The number that the clock of random numbers shows for the next batch."""
        if training:
            self.trained += 1
            return self.trained
        self.tests += 1
        return _TESTS + self.tests

    @abstractmethod
    def build(self) -> None:
        """Loads the program and builds its model. LookupError where its weights are not what the compiler says."""

    @abstractmethod
    def put(self, weights: Arrays) -> None:
        """Gives the model weights by canonical name, in Keras's layout, and a fresh state."""

    @abstractmethod
    def reset(self) -> None:
        """Lets stateful layers forget."""

    @abstractmethod
    def weights(self) -> Arrays: ...

    @abstractmethod
    def outputs(self, inputs: Arrays) -> Arrays:
        """In inference."""

    @abstractmethod
    def gradients(self, inputs: Arrays, targets: Arrays) -> tuple[float, Arrays, Arrays]:
        """In training: the total loss (of the outputs times `factors` where there are no targets), its gradients with
        respect to the weights by canonical name in Keras's layout, and to the float inputs."""

    @abstractmethod
    def prepare_training(self) -> None:
        """Has the program's own training code tell of each step (`curve`) and each epoch (`epochs`), and show the
        clock each step's number."""

    @abstractmethod
    def evaluate(self, path: Path, size: int) -> dict[str, float]: ...

    @abstractmethod
    def train(self, data: Path, held: Path, plan: Mapping[str, Any]) -> None: ...


def factors(name: str, shape: Sequence[int]) -> npt.NDArray[np.float64]:
    """What the output of that name is multiplied by where a model has no loss."""
    return np.random.default_rng([*name.encode()]).normal(size=tuple(shape))


def work(job: Job) -> tuple[dict[str, Any], Arrays]:
    # Imported here, so that a framework that is missing is told as such.
    cls: type[Side]
    if job.data["side"] == "torch":
        from nndsl.interop.verify_torch import TorchSide as cls
    else:
        from nndsl.interop.verify_keras import KerasSide as cls
    answer: dict[str, Any] = {"versions": cls.versions}
    arrays: Arrays = {}
    for spec in job.data["floats"]:
        parts = _Parts(job, spec["float"], arrays)
        answer[spec["float"]] = parts.found
        side = cls(job, spec)
        if parts.attempt("build", "building the model", side.build):
            _all_parts(job, side, parts)
        parts.found["notes"] = list(side.notes)
    return answer, arrays


def _all_parts(job: Job, side: Side, parts: _Parts) -> None:
    data = job.data

    def put() -> None:
        clock.step = None
        side.put(_labelled(job.arrays, "weight"))

    if not parts.attempt("put", "giving it its weights", put):
        return
    for case in data["cases"]:

        def forward(case: str = case) -> None:
            side.reset()
            with clock.at(_TESTS):
                found = side.outputs(_labelled(job.arrays, case))
            parts.keep(f"outputs|{case}", found)

        parts.attempt(f"outputs|{case}", case, forward)
    if data["evaluate"]:
        side.prepare_training()

        def evaluate() -> dict[str, dict[str, float]]:
            found = {}
            for label in data["evaluate"]["data"]:
                side.reset()
                found[label] = side.evaluate(_written(job, label), data["evaluate"]["batch_size"])
            return found

        parts.attempt("evaluate", "losses and metrics", evaluate)
        put()

    def gradients() -> float:
        arrays = _labelled(job.arrays, "step")
        inputs = {name: arrays.pop(name) for name in data["inputs"]}
        with clock.at(0):
            loss, by_weight, by_input = side.gradients(inputs, arrays)
        parts.keep("gradients|weight", by_weight)
        parts.keep("gradients|input", by_input)
        return loss

    parts.attempt("gradients", "gradients", gradients)
    if data["train"]:
        put()

        def train() -> dict[str, Any]:
            side.train(_written(job, "train"), _written(job, "held"), data["train"])
            parts.keep("weights|", side.weights())
            found = {"curve": side.curve, "epochs": side.epochs}
            return {**found, "again": again()} if data["side"] == "torch" and parts.dtype == "float64" else found

        def again() -> dict[str, Any]:
            """Training once more, from weights that differ in their last bit: how much it makes of rounding."""
            side.curve, side.epochs, side.trained, side.tests, clock.step = [], [], 0, 0, None
            side.put({name: _nudged(array) for name, array in _labelled(job.arrays, "weight").items()})
            side.train(_written(job, "train"), _written(job, "held"), data["train"])
            parts.keep("again|", side.weights())
            return {"curve": side.curve, "epochs": side.epochs}

        parts.attempt("train", "training", train)
    clock.step = None


class _Parts:
    """What becomes of the parts of the job for one float type."""

    def __init__(self, job: Job, dtype: str, arrays: Arrays) -> None:
        self.job, self.dtype, self.arrays = job, dtype, arrays
        self.found: dict[str, Any] = {}

    def attempt(self, part: str, what: str, act: Callable[[], Any]) -> bool:
        """Does a part and keeps what it gives, or why it could not be done."""
        self.job.say(f"{self.dtype}: {what}")
        try:
            self.found[part] = {"done": _plain(act())}
        except CannotRun as error:
            self.found[part] = {"not_run": str(error)}
        except Exception as error:  # the program's, whatever it is: the other program may do without it
            text = str(error).strip() or "no message"
            self.found[part] = {"error": f"{type(error).__name__}: {text[:600]}"}
        return "done" in self.found[part]

    def keep(self, label: str, arrays: Mapping[str, Any]) -> None:
        self.arrays |= {f"{self.dtype}|{label}|{name}": np.asarray(array) for name, array in arrays.items()}


def _plain(value: Any) -> Any:
    """Numbers as JSON knows them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str) else float(value)


def _nudged(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The next larger float64 numbers."""
    return np.asarray(np.nextafter(array.astype(np.float64), np.inf)) if array.dtype.kind == "f" else array


def _labelled(arrays: Arrays, label: str) -> Arrays:
    return {name[len(label) + 1 :]: array for name, array in arrays.items() if name.startswith(f"{label}|")}


def _written(job: Job, label: str) -> Path:
    """The arrays of that label as the .npz file that both programs read. (`np.savez` knows a name that it takes for
    itself.)"""
    path = job.folder / f"{label}.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in _labelled(job.arrays, label).items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return path
