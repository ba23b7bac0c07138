"""Every tensor of an emitted torch program starts as Keras's own initializer of that weight would fill it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import numpy as np
import pytest
import torch

from nndsl.layers.base import Weight
from nndsl.targets.torch import compile_torch
from tests.parity_harness import check
from tests.zoo.models import CASE, ZOO

pytestmark = [pytest.mark.keras, pytest.mark.torch]
FILES = [*sorted(ZOO.glob("*.nn")), *(known.path for known in CASE)]


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_zoo(path: Any) -> None:
    assert_initial_weights(path.read_text(encoding="utf-8"))


BLOCKS = """
block Convs(filters, depth) {
    input x
    output y = x -> repeat depth { Conv2D(filters, 3, padding=same, kernel_initializer=he_normal) -> ReLU() }
}

block Mixed(units) {
    input x
    a = x -> Dense(units, kernel_initializer=lecun_uniform, bias_initializer=ones)
    b = a -> Dense(units) -> Dense(units) -> Dense(units)
    c = b -> repeat 3 { Dense(units) }
    output y = c -> repeat 3 {
        Dense(units, kernel_initializer=he_normal)
            -> BatchNormalization(gamma_initializer=Constant(0.5), moving_mean_initializer=ones)
    }
}

block Depthwise(filters) {
    input x
    output y = x -> Conv2D(filters, 3)
        -> DepthwiseConv2D(3, depthwise_initializer=he_normal)
        -> SeparableConv2D(filters, 3, depth_multiplier=2, pointwise_initializer=glorot_normal)
        -> Conv2DTranspose(filters, 3, kernel_initializer=VarianceScaling(0.5, mode=fan_out))
}

model Test {
    input image: float[16, 16, 3]
    features = image -> Convs(16, 2) -> Convs(32, 3) -> Depthwise(16) -> Depthwise(24) -> GlobalAveragePooling2D()
    mixed    = features -> Mixed(24) -> Mixed(32)
    output y = mixed
        -> repeat 3 { Dense(32, bias_initializer=ones, kernel_initializer=random_normal) -> ReLU() }
        -> Dense(3)
}
"""


def test_blocks_and_repeats() -> None:
    text = assert_initial_weights(BLOCKS)
    assert "nn.ModuleList" in text and "nn.Sequential" in text  # the init of their modules is what is tried here
    assert "self.modules()" not in text  # it would undo what the blocks have done


def test_one_loop_where_no_block_has_weights_of_its_own() -> None:
    text = assert_initial_weights(
        BLOCKS.replace(", kernel_initializer=he_normal", "").split("block Mixed")[0]
        + """
model Test {
    input image: float[16, 16, 3]
    output y = image -> Convs(16, 2) -> Convs(32, 3) -> Conv2D(4, 3, kernel_initializer=he_uniform)
}
"""
    )
    assert "for module in self.modules():" in text


def assert_initial_weights(source: str) -> str:
    """Compares the tensors of a new module with Keras's draws; gives the emitted text."""
    program, problems = check(source)
    assert program is not None, [p.message for p in problems]
    unit = compile_torch(program)
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(unit.text, "<emitted>", "exec"), names)
    torch.manual_seed(0)
    keras.utils.set_random_seed(0)
    module = names[unit.class_name]()
    state = module.state_dict()
    weights = dict(_all_weights(program.main))
    unused = {n for n, p in module.named_parameters() if not p.requires_grad and not p.any()}  # a second bias of torch
    assert {entry.key for entry in unit.state} == set(state) - unused
    for entry in unit.state:
        if weights[entry.path].initializer.title() == "ForgetBiasInit":
            continue  # Keras has no such class; the tests of recurrent layers see to it
        found, wanted = state[entry.key].double(), _keras(weights[entry.path])
        count = found.numel()
        if wanted.std == 0:
            assert (found == wanted.mean).all(), entry.key
            continue
        error = 7 / count**0.5  # both means are drawn; there are thousands of them
        assert abs(float(found.mean()) - wanted.mean) < error * wanted.std, entry.key
        assert count == 1 or abs(float(found.std()) / wanted.std - 1) < error, entry.key
        if wanted.largest is not None and count >= 500:
            assert abs(float(found.abs().max()) / wanted.largest - 1) < 0.1, (
                f"{entry.key}: another kind of distribution"
            )
    return unit.text


def _all_weights(model: Any) -> Iterator[tuple[str, Weight]]:
    for use in model.layers:
        if use.nodes:
            yield from _weights(use.path, use.config, use.nodes[0].input_types)


def _weights(path: str, config: Any, types: Any) -> Iterator[tuple[str, Weight]]:
    for weight in config.weights(*types):
        yield f"{path}/{weight.name}", weight
    for name, child, child_types in config.children():
        yield from _weights(f"{path}.{name}", child, child_types)


@dataclass(frozen=True)
class _Distribution:
    mean: float
    std: float
    largest: float | None  # where the distribution is bounded


def _keras(weight: Weight) -> _Distribution:
    given = dict(weight.initializer.given)
    if weight.input_axes is not None:  # as EinsumDense tells its initializer
        rest = tuple(axis for axis in range(len(weight.shape)) if axis not in weight.input_axes)
        given |= {"input_axes": weight.input_axes, "output_axes": rest}
    return _drawn(weight.initializer.title(), tuple(sorted(given.items())), weight.shape)


@cache
def _drawn(title: str, given: tuple[tuple[str, Any], ...], shape: tuple[int, ...]) -> _Distribution:
    initializer = getattr(keras.initializers, title)(**dict(given))
    draws = [np.asarray(initializer(shape)).ravel()]
    while draws[0].size * len(draws) < 2000 and draws[0].std() > 0:
        draws.append(np.asarray(initializer(shape)).ravel())
    values = np.concatenate(draws).astype("float64")
    return _Distribution(values.mean(), values.std(), None if title == "RandomNormal" else np.abs(values).max())
