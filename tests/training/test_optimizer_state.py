"""Training goes on in the other framework, with the optimizer's state, as if nothing had happened."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("tensorflow")
from nndsl.interop import optimizer_state, weights
from nndsl.interop.weights import WrongWeights
from tests import parity_harness as harness
from tests.training.training_harness import Arrays, Programs

pytestmark = [pytest.mark.keras, pytest.mark.torch]

OPTIMIZERS = [
    "SGD(0.05)",
    "SGD(0.05, momentum=0.9)",
    "SGD(0.05, momentum=0.9, nesterov=true)",
    "SGD(ExponentialDecay(0.1, 3, 0.5), momentum=0.9)",
    "SGD(0.05, momentum=0.9, weight_decay=0.1)",
    "RMSprop(0.01)",
    "RMSprop(0.01, momentum=0.5)",
    "RMSprop(0.01, momentum=0.5, centered=true)",
    "RMSprop(0.01, centered=true)",
    "Adam(0.01)",
    "Adam(ExponentialDecay(0.05, 3, 0.5), amsgrad=true)",
    "AdamW(0.01)",
    "Adamax(0.01)",
    "Nadam(0.01)",
    "Nadam(ExponentialDecay(0.05, 3, 0.5))",
    "Adagrad(0.05)",
    "Adadelta(0.5)",
    "SGD(0.05, use_ema=true, ema_momentum=0.8, ema_overwrite_frequency=4)",
    "SGD(0.05, momentum=0.9, gradient_accumulation_steps=2, clipnorm=0.5)",
    "Adam(0.01, use_ema=true, gradient_accumulation_steps=2, ema_overwrite_frequency=2, weight_decay=0.1)",
    "Nadam(ExponentialDecay(0.05, 3, 0.5), gradient_accumulation_steps=3)",
    "Adagrad(0.05, gradient_accumulation_steps=4, use_ema=true)",
    "Ftrl(0.1, l1_regularization_strength=0.001, beta=0.1)",
    "Lion(0.003)",
    "Lamb(0.01)",
    "ScheduleFreeAdamW(0.01, warmup_steps=3)",
    "Adafactor(0.05)",
    "Adafactor(ExponentialDecay(0.05, 3, 0.5), use_ema=true, gradient_accumulation_steps=2)",
    "Muon(0.01)",
    'Muon(0.01, exclude_layers=["gru/.*"], adam_lr_ratio=0.5, weight_decay=none, nesterov=false)',
]

# The first has a weight of Keras's in two tensors, moved blocks, a frozen layer; the second has reshaped ones.
TEXTS = [
    """
model M {{
    options {{ float = {dtype} }}
    input x: float[5, 6]
    shared frozen = Dense(4, trainable=false)
    output y = x
        -> Conv1D(4, 3, padding=same, use_bias=false) -> BatchNormalization() -> GRU(4)
        -> frozen -> Dense(3) with loss=mse
    train {{ optimizer = {optimizer}; batch_size = 8 }}
}}
""",
    """
model M {{
    options {{ float = {dtype} }}
    input x: float[5, 6]
    h = x -> DepthwiseConv1D(3, depth_multiplier=2) -> Dense(4)
    output y = (h, h) -> MultiHeadAttention(2, 3, use_bias=false) -> PReLU() -> LSTM(4) -> Dense(3) with loss=mse
    train {{ optimizer = {optimizer}; batch_size = 8 }}
}}
""",
]


class Session:
    """Both programs of one text, each with its optimizer, stepped by hand over the same batches."""

    def __init__(self, optimizer: str, dtype: str, text: str = TEXTS[0]) -> None:
        self.programs = Programs(text.format(optimizer=optimizer, dtype=dtype))
        pair = self.pair = self.programs.pair
        random = np.random.default_rng(3)
        self.batches: list[Arrays] = [
            {"x": random.normal(size=(8, 5, 6)).astype(dtype), "y": random.normal(size=(8, 3)).astype(dtype)}
            for _ in range(4)
        ]
        self.entry = pair.model.training.optimizer
        self.programs.keras.compile_model(pair.keras)
        self.keras: Any = pair.keras.optimizer
        self.keras.build(pair.keras.trainable_variables)
        self.torch = self.programs.torch.make_optimizer(pair.torch)

    def step_torch(self, start: int, end: int) -> None:
        self.pair.torch.train()
        for step in range(start, end):
            batch = {name: torch.from_numpy(array) for name, array in self.batches[step % 4].items()}
            self.torch.zero_grad()
            self.programs.torch.measure(self.pair.torch, batch)["loss"].backward()
            self.torch.step()

    def step_keras(self, start: int, end: int) -> None:
        for step in range(start, end):
            batch = self.batches[step % 4]
            self.pair.keras.train_on_batch({"x": batch["x"]}, {"y": batch["y"]})

    def names(self) -> list[str | None]:
        """The canonical names of Keras's variables."""
        paths = {id(variable): path for path, variable in self.pair.weights.items()}
        variables = self.pair.keras.trainable_variables
        return optimizer_state.keras_names(self.entry, [(paths[id(v)], tuple(v.shape)) for v in variables])

    def to_keras(self) -> None:
        """Keras gets torch's weights and state."""
        for path, value in weights.canonical(self.pair.torch, self.pair.state).items():
            self.pair.weights[path].assign(value.numpy())
        found = optimizer_state.canonical_state(self.entry, self.pair.torch, self.torch, self.pair.state)
        names, variables = self.names(), self.keras.variables
        assert {name for name in names if name} >= set(found)
        for name, variable in zip(names, variables, strict=True):
            if name in found:
                assert tuple(variable.shape) == tuple(found[name].shape), name
                variable.assign(found[name].numpy())

    def kept_by_keras(self) -> dict[str, torch.Tensor]:
        pairs = zip(self.names(), self.keras.variables, strict=True)
        return {name: torch.from_numpy(np.array(variable.numpy())) for name, variable in pairs if name}

    def to_torch(self) -> None:
        """Torch gets Keras's weights and state."""
        harness.copy_weights(self.pair)
        values = self.kept_by_keras()
        optimizer_state.put_state(self.entry, self.pair.torch, self.torch, self.pair.state, values)
        back = optimizer_state.canonical_state(self.entry, self.pair.torch, self.torch, self.pair.state)
        assert set(values) - set(back) <= {optimizer_state.ITERATIONS}
        for name, value in back.items():
            torch.testing.assert_close(value, values[name], rtol=1e-14, atol=1e-14, msg=name)


# Parts of both texts above: the second of their layers, a weight of the last one, all others.
PARTS = [
    """MultiOptimizer(OptimizerMap(Nadam(0.01), [
        ("y_gru/.*", SGD(0.05, momentum=0.9)), ("y_conv1d/kernel", Adam(ExponentialDecay(0.05, 3, 0.5)))]))""",
    """MultiOptimizer(OptimizerMap(SGD(0.05), [
        ("y_gru/bias", Lamb(0.01)), ("y_conv1d/.*", Nadam(0.01, use_ema=true, gradient_accumulation_steps=2))]))""",
    'MultiOptimizer(OptimizerMap(SGD(0.05), [("y/.*", SGD(0.05))]))',
]

CASES = [
    *((optimizer, TEXTS[0]) for optimizer in PARTS),
    *((optimizer, TEXTS[0]) for optimizer in OPTIMIZERS),
    *((optimizer, TEXTS[1]) for optimizer in OPTIMIZERS[-8:]),
]


@pytest.mark.parametrize(
    ("optimizer", "text"),
    [pytest.param(*case, marks=[pytest.mark.slow] if place % 4 else []) for place, case in enumerate(CASES)],
)
def test_training_goes_on_in_the_other_framework(optimizer: str, text: str) -> None:
    session = Session(optimizer, "float64", text)
    session.step_torch(0, 5)
    session.to_keras()
    for start in (5, 11):  # on in both from the same state, then back
        session.step_torch(start, start + 6)
        session.step_keras(start, start + 6)
        assert session.programs.weight_difference() < 1e-9
        session.to_torch()


def test_before_the_first_step_there_is_what_keras_starts_from() -> None:
    session = Session("Adagrad(0.05, initial_accumulator_value=0.3)", "float32")
    found = optimizer_state.canonical_state(session.entry, session.pair.torch, session.torch, session.pair.state)
    for name, value in session.kept_by_keras().items():
        if name in found:
            np.testing.assert_array_equal(found[name].numpy(), value.numpy(), err_msg=name)
    assert not any("frozen" in name for name in found)


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    session = Session("Adam(0.01)", "float32")
    session.step_torch(0, 2)
    before = optimizer_state.canonical_state(session.entry, session.pair.torch, session.torch, session.pair.state)
    some = next(name for name in before if name.endswith("gru/kernel/momentum"))
    for change, message in (
        ({some: None}, f"there is no `{some}`"),
        ({some: torch.zeros(2)}, "has the shape"),
        ({"optimizer/other/kernel/momentum": torch.zeros(2)}, "has no `optimizer/other/kernel/momentum`"),
        ({"optimizer/iterations": None}, "there is no `optimizer/iterations`"),
    ):
        values = {name: value for name, value in (before | change).items() if value is not None}
        with pytest.raises(WrongWeights, match=message):
            optimizer_state.put_state(session.entry, session.pair.torch, session.torch, session.pair.state, values)
    after = optimizer_state.canonical_state(session.entry, session.pair.torch, session.torch, session.pair.state)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_file_holds_the_whole_state() -> None:
    """What hooks keep is in the optimizer's state_dict, and is nothing that must be unpickled."""
    train = "Adam(ExponentialDecay(0.05, 3, 0.5), use_ema=true, gradient_accumulation_steps=2)"
    session = Session(train, "float32")
    session.step_torch(0, 5)
    file = io.BytesIO()
    torch.save(session.torch.state_dict(), file)
    file.seek(0)
    before = optimizer_state.canonical_state(session.entry, session.pair.torch, session.torch, session.pair.state)
    again = session.programs.torch.make_optimizer(session.pair.torch)
    again.load_state_dict(torch.load(file, weights_only=True))
    after = optimizer_state.canonical_state(session.entry, session.pair.torch, again, session.pair.state)
    assert before[optimizer_state.ITERATIONS] == 5
    assert set(before) == set(after)
    assert all(torch.equal(before[name], after[name]) for name in before)
