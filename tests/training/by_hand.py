"""Training of an emitted torch program beside a Keras model that a person wrote, compiled and fitted.

The Keras side is none of the compiler's: `keras.Model`, `compile`, `fit`, `evaluate`. Layers bear the names that
docs/language.md, section 4, gives them, so that weights are handed over by name.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import torch

from nndsl.interop import keras_side
from nndsl.interop.load import Loaded
from nndsl.passes.weight_layout import layout, plain
from nndsl.runtime.interrupt import Interrupt
from nndsl.runtime.loop import Loop, Plan
from nndsl.runtime.progress import Progress
from nndsl.runtime.torch_engine import TorchEngine
from tests import parity_harness as harness
from tests.training.training_harness import Programs

Arrays = dict[str, np.ndarray]


@dataclass
class Fit:
    """How the Keras side is trained: arguments of `fit` besides the data."""

    epochs: int = 4
    batch_size: int = 4
    options: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, np.ndarray] | None = None  # of samples, by output


def assert_trains_as(
    text: str,
    build: Callable[[], keras.Model],
    data: Arrays,
    *,
    fit: Fit | None = None,
    tolerance: float = 1e-9,
    logs: float | None = None,
    keras_too: bool = True,
) -> Programs:
    """Trains what `build` compiles with `fit`, the emitted torch program by its own `run` and by `nndsl run`, and, if
    asked for, the emitted Keras program, over the same samples in the same order. Demands equal weights (moving
    statistics included), equal numbers of every epoch, and equal evaluation before and behind.

    `text` counts epochs and does not shuffle; `logs` is the tolerance of the numbers."""
    fit, logs = fit or Fit(), logs or tolerance
    programs = Programs(text)
    start = keras_side.read(programs.pair.weights)
    model = build()
    by_path = keras_side.find_variables(model, plain(layout(programs.pair.model)))
    keras_side.assign(model, by_path, start)
    before, history, behind = _by_hand(model, programs, data, fit)
    assert any((np.asarray(v) != start[path]).any() for path, v in by_path.items()), "nothing was trained"

    module, program, size = programs.pair.torch, programs.torch, fit.batch_size
    first = {key: value.clone() for key, value in module.state_dict().items()}
    tensors = programs.read(program, data, torch.device("cpu"))
    train, held = _split(tensors, fit)
    _same("evaluation before", program.run(module, tensors, size), before, logs)
    if hasattr(module, "reset_state"):
        module.reset_state()
    optimizer = program.make_optimizer(module)
    for epoch in range(fit.epochs):
        found = program.run(module, train, size, optimizer)
        if held:
            found |= {f"val_{key}": value for key, value in program.run(module, held, size).items()}
        _same(f"epoch {epoch}", found, {key: values[epoch] for key, values in history.items()}, logs)
    _same_weights("torch", programs, module, by_path, tolerance)
    _same("evaluation behind", program.run(module, tensors, size), behind, logs)

    arrays = {name: value.numpy() for name, value in tensors.items()}
    engine, outcome = _run(programs, arrays, first, fit)
    for epoch, found in enumerate(outcome):
        _same(f"nndsl run, epoch {epoch}", found, {key: values[epoch] for key, values in history.items()}, logs)
    _same_weights("nndsl run", programs, engine.net, by_path, tolerance)
    if keras_too:
        emitted = programs.pair.keras
        keras_side.assign(emitted, programs.pair.weights, start)
        arrays = programs.read(programs.keras, data)
        programs.keras.train(emitted, *_split(arrays, fit), epochs=fit.epochs, batch_size=size)
        for path, variable in programs.pair.weights.items():
            _close(f"emitted Keras, {path}", np.asarray(variable), np.asarray(by_path[path]), tolerance)
        _same("emitted Keras behind", programs.keras.evaluate(emitted, arrays, size), behind, logs)
    return programs


def _by_hand(model: keras.Model, programs: Programs, data: Arrays, fit: Fit) -> tuple[Any, Any, Any]:
    """The numbers before training, those of each epoch, and those behind."""
    names = [item.name for item in programs.pair.model.inputs]
    x = {name: data[name] for name in names}
    y: Any = {name: data[name] for name in programs.keras.TARGETS}
    if isinstance(model.output, dict):  # fit asks for targets of every output, those without a loss too
        y |= {name: np.zeros(len(x[names[0]])) for name in model.output if name not in y}
    else:
        [y] = y.values()
    usual: dict[str, Any] = {"batch_size": fit.batch_size, "sample_weight": fit.weights, "verbose": 0}
    before = model.evaluate(x, y, **usual, return_dict=True)
    for layer in model.layers:  # training starts afresh
        inner = layer.layer if isinstance(layer, keras.layers.TimeDistributed) else layer
        if getattr(inner, "stateful", False):
            inner.reset_state()
    history = model.fit(x, y, epochs=fit.epochs, shuffle=False, **usual, **fit.options).history
    return before, history, model.evaluate(x, y, **usual, return_dict=True)


def _split(data: Any, fit: Fit) -> tuple[Any, Any]:
    """What is trained on, and the last share, where Keras is told to hold one out."""
    share = fit.options.get("validation_split")
    if not share:
        return data, None
    at = int(len(next(iter(data.values()))) * (1 - share))
    return {key: value[:at] for key, value in data.items()}, {key: value[at:] for key, value in data.items()}


def _run(
    programs: Programs, arrays: Arrays, first: Mapping[str, torch.Tensor], fit: Fit
) -> tuple[TorchEngine, list[dict[str, float]]]:
    """What `nndsl run` makes of the same program and data."""
    model = programs.pair.model
    reset = model.training.get("reset_state", "epoch") == "epoch"
    plan = Plan(fit.epochs, None, fit.batch_size, None, shuffle=False, reset=reset, seed=0)
    loaded = Loaded(programs.torch, type(programs.pair.torch), programs.pair.state, "")
    engine = TorchEngine(model, loaded, torch.device("cpu"), seed=0, batch=fit.batch_size)
    engine.net.load_state_dict(first)
    train, held = _split(arrays, fit)
    watch = Whole(held) if held else None
    loop = Loop(engine, plan, Whole(train), watch, Progress(io.StringIO(), quiet=True), Interrupt())
    loop.run()
    told = [{k: v for k, v in row.items() if k not in ("epoch", "seconds")} for row in loop.position.history]
    engine.after_training()
    return engine, told


class Whole:
    """Arrays as rows of data that lie in the memory."""

    resident = True

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        self.nbytes = sum(array.nbytes for array in arrays.values())

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def take(self, places: np.ndarray) -> Arrays:
        return {name: array[places] for name, array in self.arrays.items()}


def _same_weights(
    what: str, programs: Programs, module: torch.nn.Module, by_path: Mapping[str, Any], tolerance: float
) -> None:
    saved = module.state_dict()
    for entry in programs.pair.state:
        expected = harness.apply_steps(np.asarray(by_path[entry.path]), entry.steps)
        _close(f"{what}, {entry.key}", saved[entry.key].numpy(), expected, tolerance)


def _same(what: str, found: Mapping[str, float], expected: Mapping[str, float], tolerance: float) -> None:
    expected, found = ({k: v for k, v in logs.items() if k != "learning_rate"} for logs in (expected, found))
    assert set(found) == set(expected), f"{what}: {sorted(found)}, Keras {sorted(expected)}"
    for name, value in expected.items():
        _close(f"{what}, {name}", np.asarray(found[name]), np.asarray(value), tolerance)


def _close(what: str, found: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    scale = max(1.0, float(np.abs(expected).max(initial=0)))
    difference = float(np.abs(found - expected).max(initial=0))
    assert difference <= tolerance * scale, f"{what}: {found} is not Keras's {expected} ({difference})"
