"""Initializers, regularizers and constraints: the names of Keras, and its numbers (distributions, where random)."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nndsl import code
from nndsl.layers import catalogue
from nndsl.layers.base import Weight
from nndsl.layers.build import make
from nndsl.layers.emit import InitRecord, Step, TorchScope, torch_shape
from nndsl.layers.entry import ConfigError
from nndsl.targets import helpers
from nndsl.targets.printing import block, flat
from tests.parity_harness import apply_steps

pytestmark = [pytest.mark.keras, pytest.mark.torch]

MODULES = {
    "initializer": keras.initializers,
    "regularizer": keras.regularizers,
    "constraint": keras.constraints,
}
LEFT_OUT = {"Initializer", "STFT", "Regularizer", "Constraint"}  # base classes; STFT is for a layer of its own
LINEAR: tuple[Step, ...] = (("permute", (1, 0)),)
CONV: tuple[Step, ...] = (("permute", (3, 2, 0, 1)),)
DEPTHWISE: tuple[Step, ...] = (("permute", (2, 3, 0, 1)), ("reshape", (24, 1, 3, 3)))
DEPTHWISE_1: tuple[Step, ...] = (("permute", (2, 3, 0, 1)), ("reshape", (8, 1, 3, 3)))
GATES: tuple[Step, ...] = (("permute", (1, 0)), ("blocks", (1, 0, 2)))
LAYOUTS: list[tuple[tuple[int, ...], tuple[Step, ...]]] = [
    ((40, 30), LINEAR),
    ((30, 40), ()),
    ((3, 3, 8, 16), CONV),
    ((3, 3, 8, 3), DEPTHWISE),
    ((3, 3, 8, 1), DEPTHWISE_1),
    ((20, 60), GATES),
]


def classes(category: str) -> list[str]:
    module = MODULES[category]
    named = {value.__name__ for name in dir(module) if inspect.isclass(value := getattr(module, name))}
    return sorted(named - LEFT_OUT)


ENTRIES = [(category, name) for category in MODULES for name in classes(category)]


@pytest.mark.parametrize(("category", "name"), ENTRIES)
def test_arguments(category: str, name: str) -> None:
    cls = catalogue.find(category, name)
    assert cls is not None
    theirs = inspect.signature(getattr(MODULES[category], name).__init__).parameters.values()
    expected = [p for p in theirs if p.name not in ("self", "args", "kwargs")]
    assert [(a.name, a.default) for a in cls.arguments.values()] == [(p.name, p.default) for p in expected]


@pytest.mark.parametrize("category", list(MODULES))
def test_every_name_that_keras_takes(category: str) -> None:
    get: Callable[[str], Any] = MODULES[category].get
    for name in catalogue.names(category):
        cls = catalogue.find(category, name)
        assert cls is not None
        if name not in ("l1_l2", "orthogonal_initializer", "constant", "Constant"):  # Keras has them as classes alone
            assert type(get(name)).__name__ == cls.__name__, name


def run(statements: list[code.Stmt], scope: TorchScope, w: Tensor) -> None:
    texts, _ = helpers.collect("torch", scope.helpers)
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": F, "Tensor": Tensor, "w": w}
    for text in [*texts, block(statements)]:
        exec(compile(text, "<emitted>", "exec"), names)


def filled(entry: Any, shape: tuple[int, ...], steps: tuple[Step, ...], trials: int = 1) -> np.ndarray:
    """What the emitted statements put into the tensor, [trials, …] in torch's layout."""
    scope = TorchScope()
    record = InitRecord(code.Name("w"), Weight("kernel", shape, entry), "Linear", "weight", steps)
    statements = entry.torch(scope, record)
    arrays = []
    for _ in range(trials):
        w = nn.Parameter(torch.full(torch_shape(shape, steps), math.nan))
        run(statements, scope, w)
        arrays.append(w.detach().numpy())
    return np.stack(arrays)


def test_constants() -> None:
    for shape, steps in LAYOUTS:
        assert (filled(make("initializer", "zeros"), shape, steps) == 0).all()
        assert (filled(make("initializer", "ones"), shape, steps) == 1).all()
        assert (filled(make("initializer", "constant", value=0.25), shape, steps) == 0.25).all()


@pytest.mark.parametrize("gain", [1.0, 2.5])
@pytest.mark.parametrize(("shape", "steps"), [((4, 6), LINEAR), ((6, 4), ()), ((2, 6), GATES)])
def test_identity(shape: tuple[int, ...], steps: tuple[Step, ...], gain: float) -> None:
    expected = np.asarray(keras.initializers.Identity(gain)(shape))
    assert (filled(make("initializer", "identity", gain=gain), shape, steps)[0] == apply_steps(expected, steps)).all()


RANDOM = [
    ("RandomNormal", {"mean": 0.3, "stddev": 0.2}),
    ("RandomUniform", {"minval": -1.0, "maxval": 0.5}),
    ("TruncatedNormal", {"mean": 1.0, "stddev": 0.5}),
    ("VarianceScaling", {}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_out", "distribution": "untruncated_normal"}),
    ("VarianceScaling", {"mode": "fan_in", "distribution": "untruncated_normal"}),
    ("VarianceScaling", {"scale": 3.0, "mode": "fan_in", "distribution": "untruncated_normal"}),
    ("VarianceScaling", {"scale": 3.0, "mode": "fan_avg", "distribution": "untruncated_normal"}),
    ("VarianceScaling", {"scale": 0.5, "mode": "fan_avg", "distribution": "uniform"}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_out", "distribution": "uniform"}),
    ("VarianceScaling", {"scale": 0.5, "mode": "fan_out", "distribution": "uniform"}),
    ("VarianceScaling", {"mode": "fan_out", "distribution": "normal"}),
    ("GlorotUniform", {}),
    ("GlorotNormal", {}),
    ("LecunUniform", {}),
    ("LecunNormal", {}),
    ("HeUniform", {}),
    ("HeNormal", {}),
    ("HeNormal", {"input_axes": (0,), "output_axes": (1,)}),
]


@pytest.mark.thinned
@pytest.mark.parametrize(("name", "options"), RANDOM)
@pytest.mark.parametrize(("shape", "steps"), LAYOUTS)
def test_distributions(name: str, options: dict[str, Any], shape: tuple[int, ...], steps: tuple[Step, ...]) -> None:
    """Mean, deviation and the extremes of many draws are those of Keras's own initializer."""
    torch.manual_seed(0)
    trials = 60_000 // math.prod(shape) + 1
    ours = filled(make("initializer", name, **options), shape, steps, trials).ravel()
    theirs = getattr(keras.initializers, name)(seed=keras.random.SeedGenerator(1), **options)
    keras_draws = np.concatenate([np.asarray(theirs(shape)).ravel() for _ in range(trials)])
    scale = keras_draws.std()
    assert abs(ours.mean() - keras_draws.mean()) < 0.03 * scale
    assert abs(ours.std() - scale) < 0.02 * scale
    for level in (0.01, 0.1, 0.5, 0.9, 0.99):
        assert abs(np.quantile(ours, level) - np.quantile(keras_draws, level)) < 0.1 * scale
    if name != "RandomNormal" and options.get("distribution") != "untruncated_normal":
        assert abs(ours.max() - keras_draws.max()) < 0.02 * scale


@pytest.mark.parametrize(("shape", "steps"), LAYOUTS)
@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_orthogonal(shape: tuple[int, ...], steps: tuple[Step, ...], gain: float) -> None:
    """As in Keras's layout: columns (or rows, where there are fewer) orthogonal and of length `gain`."""
    value = filled(make("initializer", "orthogonal", gain=gain), shape, steps)[0]
    back = undo(value, shape, steps).reshape(-1, shape[-1])
    square = back.T @ back if back.shape[0] >= back.shape[1] else back @ back.T
    np.testing.assert_allclose(square, gain**2 * np.eye(len(square)), atol=1e-5 * gain**2)


def undo(value: np.ndarray, shape: tuple[int, ...], steps: tuple[Step, ...]) -> np.ndarray:
    """An array in torch's layout in Keras's: found by sending the positions the other way."""
    positions = apply_steps(np.arange(math.prod(shape)).reshape(shape), steps)
    result = np.empty(math.prod(shape), value.dtype)
    result[positions.ravel()] = value.ravel()
    return result.reshape(shape)


@pytest.mark.parametrize("name", ["RandomNormal", "RandomUniform", "TruncatedNormal", "Orthogonal", "GlorotUniform"])
def test_a_seed_repeats_the_draws(name: str) -> None:
    entry = make("initializer", name, seed=3)
    first, second = filled(entry, (8, 4), LINEAR, 2)
    assert (first == second).all()
    other = filled(make("initializer", name, seed=4), (8, 4), LINEAR)[0]
    assert (first != other).any()


@pytest.mark.parametrize(
    ("name", "shape", "steps", "expected"),
    [
        ("glorot_uniform", (4, 6), LINEAR, "nn.init.xavier_uniform_(w)"),
        ("glorot_uniform", (3, 3, 4, 6), CONV, "nn.init.xavier_uniform_(w)"),
        ("he_uniform", (4, 6), LINEAR, 'nn.init.kaiming_uniform_(w, nonlinearity="relu")'),
        ("lecun_uniform", (3, 3, 4, 6), CONV, 'nn.init.kaiming_uniform_(w, nonlinearity="linear")'),
        ("glorot_uniform", (3, 3, 8, 3), DEPTHWISE, "scaled_uniform_(w, scale=1.0, fan=49.5)"),
        ("he_uniform", (20, 60), GATES, 'nn.init.kaiming_uniform_(w, nonlinearity="relu")'),
        ("he_normal", (4, 6), LINEAR, "scaled_normal_(w, scale=2.0)"),
        ("glorot_normal", (3, 3, 4, 6), CONV, 'scaled_normal_(w, scale=1.0, mode="fan_avg")'),
        ("he_normal", (6, 6), (), 'scaled_normal_(w, scale=2.0, mode="fan_out")'),
        ("he_normal", (3, 3, 8, 3), DEPTHWISE, "scaled_normal_(w, scale=2.0, fan=72)"),
        ("he_normal", (3, 3, 8, 1), DEPTHWISE_1, 'scaled_normal_(w, scale=2.0, mode="fan_out")'),
        ("he_normal", (6,), (), "scaled_normal_(w, scale=2.0, fan=6)"),
    ],
)
def test_torch_initializers_are_used_where_the_fans_agree(
    name: str, shape: tuple[int, ...], steps: tuple[Step, ...], expected: str
) -> None:
    entry = make("initializer", name)
    record = InitRecord(code.Name("w"), Weight("kernel", shape, entry), "Linear", "weight", steps)
    assert block(entry.torch(TorchScope(), record)) == expected


# ----------------------------------------------------------------------------------------- regularizers


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("L1", {}),
        ("L1", {"l1": 0.3}),
        ("L2", {"l2": 0.2}),
        ("L2", {"l2": None}),
        ("L1L2", {"l1": 0.1, "l2": 0.2}),
        ("L1L2", {"l2": 0.2}),
        ("L1L2", {"l1": 0.0, "l2": None}),
        ("OrthogonalRegularizer", {}),
        ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
    ],
)
@pytest.mark.parametrize(("shape", "steps"), [((5, 4), LINEAR), ((5, 4), ())])
def test_regularizers(name: str, options: dict[str, Any], shape: tuple[int, ...], steps: tuple[Step, ...]) -> None:
    value = np.random.default_rng(0).normal(size=shape).astype("float32")
    expected = float(getattr(keras.regularizers, name)(**options)(keras.ops.convert_to_tensor(value)))
    scope = TorchScope()
    text = flat(make("regularizer", name, **options).torch(scope, code.Name("w"), steps))
    texts, _ = helpers.collect("torch", scope.helpers)
    names: dict[str, Any] = {"torch": torch, "F": F, "Tensor": Tensor}
    names["w"] = torch.from_numpy(apply_steps(value, steps).copy())
    for helper in texts:
        exec(compile(helper, "<emitted>", "exec"), names)
    exec(compile(f"found = {text}", "<emitted>", "exec"), names)
    assert float(names["found"]) == pytest.approx(expected, rel=2e-6)


def test_a_regularizer_that_does_nothing_is_told() -> None:
    with pytest.raises(ConfigError, match="penalises nothing"):
        make("regularizer", "l1_l2")
    assert make("regularizer", "OrthogonalRegularizer").misfit((1, 3)) is not None
    assert make("regularizer", "OrthogonalRegularizer").misfit((3,)) is not None


# ------------------------------------------------------------------------------------------ constraints


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("NonNeg", {}),
        ("MaxNorm", {}),
        ("MaxNorm", {"max_value": 1.0, "axis": -1}),
        ("MaxNorm", {"max_value": 1.5, "axis": (0, 1)}),
        ("UnitNorm", {}),
        ("UnitNorm", {"axis": 1}),
        ("MinMaxNorm", {}),
        ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.5, "rate": 0.3, "axis": (0, -1)}),
    ],
)
@pytest.mark.parametrize(("shape", "steps"), LAYOUTS)
def test_constraints(name: str, options: dict[str, Any], shape: tuple[int, ...], steps: tuple[Step, ...]) -> None:
    value = np.random.default_rng(0).normal(size=shape).astype("float32")
    value[0] = 0.0  # a norm of 0 stays finite
    expected = np.asarray(getattr(keras.constraints, name)(**options)(keras.ops.convert_to_tensor(value)))
    entry = make("constraint", name, **options)
    assert entry.misfit(shape) is None
    scope = TorchScope()
    record = InitRecord(code.Name("w"), Weight("kernel", shape, None, constraint=entry), "Linear", "weight", steps)
    w = nn.Parameter(torch.from_numpy(apply_steps(value, steps).copy()))
    with torch.no_grad():
        run(entry.torch(scope, record), scope, w)
    np.testing.assert_allclose(w.detach().numpy(), apply_steps(expected, steps), rtol=2e-6, atol=1e-7)


def test_constraints_that_do_not_fit() -> None:
    assert make("constraint", "MaxNorm", axis=2).misfit((3, 4)) is not None
    assert make("constraint", "UnitNorm", axis=(0, -2)).misfit((3, 4)) is not None
    assert make("constraint", "UnitNorm", axis=(0, -1)).misfit((3, 4)) is None
    with pytest.raises(ConfigError, match="greater than"):
        make("constraint", "MinMaxNorm", min_value=2.0)
