"""Several optimizers with a part of the weights each: trained as in Keras, to the last step."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("tensorflow")
from nndsl.targets.keras_optimizer import keras_paths
from tests import parity_harness as harness
from tests.layers.test_catalogue import LAYERS
from tests.training.training_harness import assert_same_training
from tests.weights.test_catalogue import _program

pytestmark = [pytest.mark.keras, pytest.mark.torch]

# A weight of Keras's in two tensors, layers in layers, blocks that are called once, twice and for each step.
TEXT = """
block Tower(n) {
    input x
    output y = x -> Dense(n, activation=tanh) -> Dense(n, kernel_constraint=max_norm(0.8))
}
model M {
    options { float = float64 }
    input x: float[4, 6]
    shared both = Tower(3)
    encoder = x -> GRU(4, return_sequences=true) -> Bidirectional(LSTM(3, return_sequences=true)) -> Tower(6)
    mixed = (encoder, encoder) -> MultiHeadAttention(2, 3) -> TimeDistributed(Tower(6)) -> LayerNormalization()
    once = mixed -> GlobalAveragePooling1D()
    first = once -> both
    read = x -> RNN([LSTMCell(6), GRUCell(6)])
    second = read -> both
    output y = (first, second) -> Add() -> Dense(3, trainable=false) -> Dense(2) with loss=mse
    train { optimizer = MultiOptimizer(OptimizerMap(OPTIMIZERS)); batch_size = 8; epochs = 4; seed = 2 }
}
"""
MAPS = {
    "parts": """Adam(0.01), [
        ("encoder/.*", SGD(0.1, momentum=0.9)), ("both/.*", RMSprop(0.01)), ("y/kernel", Adagrad(0.05))]""",
    "schedules": """Adam(ExponentialDecay(0.05, 3, 0.5)), [
        ("encoder_gru/.*", SGD(CosineDecay(0.1, 15), momentum=0.9, nesterov=true)),
        ("mixed_multi_head_attention/query_kernel", Adamax(0.01)), ("read/.*", Nadam(0.01))]""",
    "clipping": """SGD(0.1, clipvalue=0.002), [
        ("encoder_gru/.*", SGD(0.1, clipnorm=0.01)), ("both/.*", SGD(0.1, global_clipnorm=0.01)),
        ("mixed_time_distributed/.*", AdamW(0.01, weight_decay=0.1))]""",
    "averages": """Adam(0.01, use_ema=true, ema_momentum=0.8), [
        ("encoder_bidirectional.forward_lstm/.*", SGD(0.1, use_ema=true, ema_overwrite_frequency=3)),
        ("both.y_dense/.*", RMSprop(0.01, gradient_accumulation_steps=2)), ("encoder.y/bias", SGD(0.3))]""",
    "whole": """Lamb(0.01), [
        ("encoder_gru/.*", Adafactor(0.05)), ("mixed_multi_head_attention/.*", Muon(0.02)),
        ("read.gru_cell/kernel", ScheduleFreeAdamW(0.02)), ("mixed_time_distributed.tower.y/.*", Lion(0.003))]""",
    "exact before all": """SGD(0.1), [
        ("encoder_gru/kernel", Adam(0.01)), ("encoder_gru/.*", SGD(0.1, momentum=0.5))]""",
    "default alone": "Adam(0.01)",
    "default unused": """Nadam(0.01), [("encoder/.*", SGD(0.1)), ("encoder_gru/.*", SGD(0.1)), ("mixed/.*", SGD(0.1)),
        ("encoder_bidirectional/.*", SGD(0.1)), ("mixed_multi_head_attention/.*", SGD(0.1)),
        ("mixed_time_distributed/.*", SGD(0.1)), ("both/.*", SGD(0.1)), ("read/.*", SGD(0.1)), ("y/.*", SGD(0.1))]""",
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if place > 2 else []) for place, name in enumerate(MAPS)]
)
def test_twenty_steps_as_in_keras(name: str) -> None:

    random = np.random.default_rng(0)
    data = {"x": random.normal(size=(40, 4, 6)), "y": random.normal(size=(40, 2))}
    assert_same_training(TEXT.replace("OPTIMIZERS", MAPS[name]), data, tolerance=1e-9)


def test_the_optimizers_differ() -> None:
    """That the parts train as one would not be seen otherwise."""
    pair = harness.compile_pair(TEXT.replace("OPTIMIZERS", MAPS["parts"]))
    torch_program, keras_program = sys.modules["emitted_torch"], sys.modules["emitted_keras"]
    names = {parameter: name for name, parameter in pair.torch.named_parameters()}
    optimizer = torch_program.make_optimizer(pair.torch)
    parts = {
        type(part).__name__: {names[p] for group in part.param_groups for p in group["params"]}
        for part in optimizer.optimizers
    }
    assert parts["Adagrad"] == {"y.weight"}
    assert "encoder.y_dense.weight" in parts["SGD"]
    assert sum(map(len, parts.values())) == len(names)
    keras_program.compile_model(pair.keras)
    keras_optimizer = pair.keras.optimizer
    keras_optimizer.build(pair.keras.trainable_variables)
    found = [{variable.path for variable in part._trainable_variables} for part in keras_optimizer.optimizers]
    assert found[0] == {f"encoder.{layer}/{weight}" for layer in ("y_dense", "y") for weight in ("kernel", "bias")}
    assert found[2] == {"y/kernel"}


def test_a_dot_is_a_dot() -> None:
    """Keras takes `a.y/kernel` for a regular expression, which `a_y/kernel` fits too; so it gets another key then."""
    text = """
block Tower(n) {{
    input x
    output y = x -> Dense(n) -> Dense(n)
}}
model M {{
    input x: float[6]
    a = x -> Tower(4)
    a_y = a -> Dense(3)
    output y = a_y -> Dense(1) with loss=mse
    train {{ optimizer = MultiOptimizer(OptimizerMap(adam, [{}])) }}
}}
"""
    found = harness.compile_pair(text.format('("a.y/kernel", sgd), ("a_y/bias", lion)')).texts["keras"]
    assert '"a[.]y/kernel": keras' in found
    random = np.random.default_rng(0)
    data = {"x": random.normal(size=(40, 6)).astype("float32"), "y": random.normal(size=(40, 1)).astype("float32")}
    for pairs in ('("a.y/kernel", sgd)', '("a.y/kernel", sgd), ("a/.*", lion)'):
        assert_same_training(text.format(pairs), data, tolerance=1e-5)


def test_a_file_of_torch_holds_the_state_of_all(tmp_path: Path) -> None:
    """It needs no unpickling, and the optimizers of another program go on from it."""
    pair = harness.compile_pair(TEXT.replace("OPTIMIZERS", MAPS["averages"]))
    program: Any = sys.modules["emitted_torch"]
    optimizer = program.make_optimizer(pair.torch)
    random = np.random.default_rng(0)
    batch = {"x": torch.from_numpy(random.normal(size=(8, 4, 6))), "y": torch.from_numpy(random.normal(size=(8, 2)))}

    def step(stepped: Any) -> dict[str, torch.Tensor]:
        stepped.zero_grad()
        program.measure(pair.torch, batch)["loss"].backward()
        stepped.step()
        return {name: value.clone() for name, value in pair.torch.state_dict().items()}

    for _ in range(3):
        before = step(optimizer)
    torch.save(optimizer.state_dict(), tmp_path / "state.pt")
    expected = step(optimizer)
    pair.torch.load_state_dict(before)
    again = program.make_optimizer(pair.torch)
    again.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    found = step(again)
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    assert any(not torch.equal(before[name], value) for name, value in expected.items())


@pytest.mark.parametrize("cls", LAYERS, ids=lambda cls: cls.__name__)
def test_the_paths_of_keras_are_known(cls: type) -> None:
    program, _ = _program(cls)
    pair = harness.build_pair(program)
    known = keras_paths(pair.model)
    numbered = re.compile(r"stacked_rnn_cells_\d+")
    for path, variable in pair.weights.items():
        if variable.trainable:
            assert known[path] == numbered.sub("stacked_rnn_cells", variable.path)
