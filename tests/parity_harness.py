"""Both programs that a `.nn` text becomes, loaded side by side and compared: outputs, gradients, saved state.

torch is imported before TensorFlow: the other way round can crash.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import torch

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras
import tensorflow as tf

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.interop import keras_side
from nndsl.ir.dims import evaluate, free_symbols
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.layers.emit import StateEntry
from nndsl.passes.weight_layout import layout, plain
from nndsl.source import SourceFile
from nndsl.targets.torch import compile_torch

# Keras collects garbage before each model; what the imports made need not be looked through each time.
gc.freeze()

Arrays = dict[str, np.ndarray]
_BATCH = "#batch"


def check(text: str) -> tuple[CheckedProgram | None, Problems]:
    """The program that `text` is, and what is wrong with it."""
    problems = Problems()
    return pipeline.check(SourceFile("test.nn", text), problems), problems


def model_text(flow: str, *inputs: str, options: str = "") -> str:
    """A model with the inputs `x: float[8, 8, 3]`, … whose output `y` is `flow`."""
    lines = [f"    input {item}" for item in inputs]
    extra = f"    options {{ {options} }}\n" if options else ""
    return "model Test {\n" + extra + "\n".join(lines) + f"\n    output y = {flow}\n}}\n"


@dataclass
class Pair:
    """The two programs of one model. `weights` are the Keras variables by canonical path "layer/kernel"."""

    model: Model
    torch: torch.nn.Module
    keras: Any
    state: tuple[StateEntry, ...]
    texts: dict[str, str]
    weights: dict[str, Any] = field(default_factory=dict)


def compile_pair(text: str, inline: bool = False) -> Pair:
    """Both programs of `text`, with the same random weights; `inline` as for `nndsl compile`."""
    program, problems = check(text)
    assert program is not None, "\n".join(f"{p.code} {p.message} (help: {p.help})" for p in problems)
    pair = build_pair(program, inline)
    randomize(pair)
    return pair


def build_pair(program: CheckedProgram, inline: bool = False) -> Pair:
    """Both programs, each with the weights that it starts with."""
    unit, keras_text = compile_torch(program, inline=inline), pipeline.emit(program, "keras", inline=inline)
    module = getattr(_load("emitted_torch", unit.text), unit.class_name)()
    keras_side.begin_anew()
    keras_model = _load("emitted_keras", keras_text).build_model()
    if isinstance(keras_model, Mapping):
        keras_model = keras_model[program.main.name]
    pair = Pair(program.main, module, keras_model, unit.state, {"torch": unit.text, "keras": keras_text})
    pair.weights = keras_side.find_variables(keras_model, plain(layout(pair.model)))
    return pair


def _load(name: str, text: str) -> ModuleType:
    module = ModuleType(name)
    sys.modules[name] = module  # dataclasses look their module up
    exec(compile(text, f"<{name}>", "exec"), module.__dict__)
    return module


def randomize(pair: Pair, seed: int = 0) -> None:
    """Random weights (a bias of zeros would hide mistakes), the same in both."""
    random = np.random.default_rng(seed)
    values = {}
    for path, variable in pair.weights.items():
        value = random.normal(scale=0.5, size=tuple(variable.shape))
        if "int" in variable.dtype:
            value = random.integers(0, 9, tuple(variable.shape))
        values[path] = np.abs(value) + 0.5 if path.endswith(("variance", "stddev")) else value
    keras_side.assign(pair.keras, pair.weights, values)
    copy_weights(pair)


def copy_weights(pair: Pair) -> None:
    """Gives the torch module the Keras model's weights; every tensor that it saves must be told of."""
    saved = pair.torch.state_dict()
    told = {entry.key for entry in pair.state}
    frozen = {name for name, tensor in pair.torch.named_parameters() if not tensor.requires_grad and not tensor.any()}
    assert set(saved) - frozen <= told, f"nothing says what {sorted(set(saved) - told)} hold"
    with torch.no_grad():
        for entry in pair.state:
            value = apply_steps(np.asarray(pair.weights[entry.path]), entry.steps)
            assert tuple(saved[entry.key].shape) == value.shape, f"{entry.key}: {saved[entry.key].shape}, {value.shape}"
            saved[entry.key].copy_(torch.from_numpy(np.array(value)))


def apply_steps(value: np.ndarray, steps: Any) -> np.ndarray:
    """An array in Keras's layout as torch has it (see `nndsl.layers.emit.TorchWeight`)."""
    for kind, numbers in steps:
        if kind == "permute":
            value = value.transpose(numbers)
        elif kind == "reshape":
            value = value.reshape(numbers)
        elif kind == "blocks":
            blocks = np.split(value, len(numbers), axis=0)
            value = np.concatenate([blocks[i] for i in numbers], axis=0)
        elif kind == "take":
            value = value[numbers[0]]
        else:
            raise ValueError(kind)
    return value


def random_inputs(
    model: Model, sizes: Mapping[str, int] | None = None, batch: int = 3, high: int = 5, seed: int = 1
) -> Arrays:
    """Arrays as the model declares its inputs; `sizes` gives its free dimensions, ids lie below `high`."""
    random = np.random.default_rng(seed)
    arrays = {}
    for item in model.inputs:
        type_ = item.value.type
        known = {_BATCH: batch, **(sizes or {})}
        for dim in type_.shape:
            for name in free_symbols(dim):
                known.setdefault(name, 7)
        shape = tuple(evaluate(dim, known) for dim in type_.shape)
        if type_.is_float:
            arrays[item.name] = random.normal(size=shape).astype(type_.dtype)
        elif type_.dtype == "bool":
            arrays[item.name] = random.random(shape) < 0.5
        else:
            arrays[item.name] = random.integers(0, high, shape).astype(type_.dtype)
    return arrays


def run_keras(pair: Pair, arrays: Arrays, training: bool = False, *, gradients: bool = True) -> tuple[Arrays, Arrays]:
    """Outputs by name, and gradients of their product with fixed random numbers: by weight path and input name."""
    inputs = {name: tf.constant(array) for name, array in arrays.items()}
    trainable = {path: v for path, v in pair.weights.items() if v.trainable}
    watched = {name: x for name, x in inputs.items() if x.dtype.is_floating}
    with tf.GradientTape() as tape:
        for x in watched.values():
            tape.watch(x)
        values = list(inputs.values())
        outputs = pair.keras(values[0] if len(values) == 1 else values, training=training)
        floats = [(name, y) for name, y in sorted(outputs.items()) if y.dtype.is_floating]
        total = sum(tf.cast(tf.reduce_sum(y * _factors(name, y)), "float64") for name, y in floats) if floats else None
    sources = {**watched, **{path: v.value for path, v in trainable.items()}}
    found = tape.gradient(total, sources) if floats and gradients else {}
    slopes = {key: np.asarray(tf.convert_to_tensor(g)) for key, g in found.items() if g is not None}
    return {name: np.asarray(y) for name, y in outputs.items()}, slopes


def run_torch(pair: Pair, arrays: Arrays, training: bool = False) -> tuple[Arrays, Arrays]:
    """As `run_keras`, but gradients of weights by the keys of the state_dict."""
    pair.torch.train(training)
    pair.torch.zero_grad()
    inputs = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    watched = {name: x.requires_grad_() for name, x in inputs.items() if x.is_floating_point()}
    outputs = pair.torch(*inputs.values())
    floats = [(name, y) for name, y in sorted(outputs.items()) if y.is_floating_point()]
    total = sum((y * torch.from_numpy(_factors(name, y))).sum().double() for name, y in floats)
    gradients = {}
    if isinstance(total, torch.Tensor) and total.requires_grad:
        total.backward()
        gradients = {name: x.grad.numpy() for name, x in watched.items() if x.grad is not None}
        weights = pair.torch.named_parameters(remove_duplicate=False)
        gradients |= {key: p.grad.numpy() for key, p in weights if p.grad is not None}
    return {name: y.detach().numpy() for name, y in outputs.items()}, gradients


def _factors(name: str, y: Any) -> np.ndarray:
    random = np.random.default_rng(sum(name.encode()))
    kind = y.detach().numpy().dtype if isinstance(y, torch.Tensor) else y.dtype.as_numpy_dtype
    return random.normal(size=tuple(y.shape)).astype(kind)


def assert_parity(
    text: str,
    *,
    sizes: Mapping[str, int] | None = None,
    arrays: Arrays | None = None,
    batch: int = 3,
    high: int = 5,
    training: bool = False,
    tolerance: float = 2e-5,
    gradients: bool = True,
) -> Pair:
    """Compiles `text` to both, and demands equal outputs, equal gradients, and equal state afterwards.

    `tolerance` is relative to the largest number of each array (1 if that is less)."""
    pair = compile_pair(text)
    arrays = arrays if arrays is not None else random_inputs(pair.model, sizes, batch, high)
    outputs, by_path = run_keras(pair, arrays, training)
    found, by_key = run_torch(pair, arrays, training)
    assert set(found) == set(outputs)
    for name, value in outputs.items():
        _close(f"output {name}", found[name], value, tolerance)
        declared = next(o.value.type for o in pair.model.outputs if o.name == name)
        _fits(name, value.shape, declared.shape)
    if gradients:
        for name in arrays:
            if name in by_path or name in by_key:
                _close(f"gradient of {name}", by_key.get(name), by_path.get(name), tolerance * 5)
        for entry in pair.state:
            expected = by_path.get(entry.path)
            if expected is not None:
                expected = apply_steps(expected, entry.steps)
            _close(f"gradient of {entry.key}", by_key.get(entry.key), expected, tolerance * 5)
    saved = pair.torch.state_dict()
    for entry in pair.state:
        value = apply_steps(np.asarray(pair.weights[entry.path]), entry.steps)
        _close(f"state {entry.key}", saved[entry.key].numpy(), value, tolerance)
    return pair


def _close(what: str, found: np.ndarray | None, expected: np.ndarray | None, tolerance: float) -> None:
    # A gradient that one side leaves out is zero.
    if found is None and expected is None:
        return
    found = np.zeros_like(expected) if found is None else found  # type: ignore[arg-type]
    expected = np.zeros_like(found) if expected is None else expected
    assert found.shape == expected.shape, f"{what}: torch {found.shape}, Keras {expected.shape}"
    assert found.dtype == expected.dtype, f"{what}: torch {found.dtype}, Keras {expected.dtype}"
    scale = max(1.0, float(np.abs(np.nan_to_num(expected)).max(initial=0)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * scale, err_msg=what)


def _fits(name: str, shape: tuple[int, ...], declared: tuple[Any, ...]) -> None:
    """Where the compiler says a number, it is that number."""
    for axis, (size, dim) in enumerate(zip(shape, declared, strict=True)):
        assert not isinstance(dim, int) or dim == size, f"output {name} has {size} at axis {axis}, declared {dim}"


def signature(name: str) -> dict[str, object]:
    """The arguments of a Keras layer with their defaults (inspect.Parameter.empty where there is none)."""
    import inspect

    parameters = inspect.signature(getattr(keras.layers, name).__init__).parameters.values()
    skipped = ["self", "name", "trainable", "dtype", "lora_rank", "lora_alpha", "quantization_config"]
    skipped.append("gptq_unpacked_column_size")
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return {p.name: p.default for p in parameters if p.name not in skipped and p.kind not in kinds}


def assert_signature(name: str) -> None:
    """The catalogue's layer has the arguments of Keras's, in its order and with its defaults."""
    import inspect

    from nndsl.layers import catalogue

    cls = catalogue.find("layer", name)
    assert cls is not None, f"the catalogue has no {name}"
    expected = signature(name)
    assert [name for name, argument in cls.arguments.items() if not argument.at_call] == list(expected)
    for argument, default in expected.items():
        ours = cls.arguments[argument]
        assert ours.required == (default is inspect.Parameter.empty), argument
        if not ours.required:
            assert _flat(ours.default) == _flat(default), f"{argument}: {ours.default!r}, Keras {default!r}"


def _flat(value: object) -> object:
    """A default as a set of its numbers: `2`, `(2,)` and `(2, 2)` are one."""
    if isinstance(value, tuple | list):
        inner = {_flat(item) for item in value}
        return inner.pop() if len(inner) == 1 else frozenset(inner)
    return value
