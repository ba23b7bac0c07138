"""Recurrent layers and cells against real Keras: values, gradients, masks, states, and what is said of mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from tests.parity_harness import (
    assert_parity,
    check,
    compile_pair,
    model_text,
    random_inputs,
    run_keras,
    run_torch,
    signature,
)

pytestmark = [pytest.mark.keras, pytest.mark.torch]

CELLS = ["SimpleRNNCell", "LSTMCell", "GRUCell"]
LAYERS = ["SimpleRNN", "LSTM", "GRU"]


def masked(rows: list[str], features: int = 3, seed: int = 3) -> dict[str, np.ndarray]:
    """An input whose steps are zeros where a row has `.`: one row a sample, one character a step."""
    x = np.random.default_rng(seed).normal(size=(len(rows), len(rows[0]), features)).astype("float32")
    keep = np.array([[letter != "." for letter in row] for row in rows])
    return {"x": x * keep[..., None]}


MASKS = masked(["xxxxxx", "xxxx..", "..xxxx", "x..xx.", ".x.x.x", "......"])


@pytest.mark.parametrize("name", [*LAYERS, *CELLS, "RNN", "StackedRNNCells"])
def test_signature(name: str) -> None:
    """Keras's arguments; its layers also take `zero_output_for_mask`, which they hand on to RNN."""
    import inspect

    from nndsl.layers import catalogue

    cls = catalogue.find("layer", name)
    assert cls is not None
    ours = {key: argument.default for key, argument in cls.arguments.items()}
    if name in LAYERS:
        assert ours.pop("zero_output_for_mask") is False
    expected = signature(name)
    assert list(ours) == list(expected)
    for key, default in expected.items():
        assert cls.arguments[key].required == (default is inspect.Parameter.empty)
        if not cls.arguments[key].required:
            assert ours[key] == default, key


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(
    "options",
    [
        "",
        "return_sequences=true",
        "go_backwards=true",
        "go_backwards=true, return_sequences=true",
        "use_bias=false, return_sequences=true",
        "activation=relu",
        "activation=softmax, return_sequences=true",
        "activation=linear",
        "activation=none, use_bias=false",
        "unroll=true, return_sequences=true",
        "dropout=0.3, recurrent_dropout=0.4",  # nothing is dropped outside of training
        "trainable=false",
    ],
)
def test_sequence(name: str, options: str) -> None:
    assert_parity(model_text(f"x -> {name}(4{', ' * bool(options)}{options})", "x: float[6, 3]"))


@pytest.mark.parametrize(
    "layer",
    [
        "LSTM(4, recurrent_activation=hard_sigmoid)",
        "LSTM(4, recurrent_activation=hard_sigmoid, activation=gelu, unit_forget_bias=false)",
        "GRU(4, reset_after=false)",
        "GRU(4, reset_after=false, use_bias=false, return_sequences=true)",
        "GRU(4, recurrent_activation=relu, return_sequences=true)",
        "SimpleRNN(4, activation=sigmoid)",
    ],
)
@pytest.mark.parametrize("batch", [1, 5])
def test_gates(layer: str, batch: int) -> None:
    assert_parity(model_text(f"x -> {layer}", "x: float[T, 3]"), sizes={"T": 5}, batch=batch)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(
    "options",
    [
        "",
        "return_sequences=true",
        "go_backwards=true",
        "go_backwards=true, return_sequences=true",
        "zero_output_for_mask=true",
        "zero_output_for_mask=true, return_sequences=true",
        "zero_output_for_mask=true, return_sequences=true, go_backwards=true, unroll=true",
        "unroll=true, return_sequences=true",
    ],
)
def test_mask(name: str, options: str) -> None:
    text = model_text(f"x -> Masking() -> {name}(4{', ' * bool(options)}{options})", "x: float[6, 3]")
    assert_parity(text, arrays=MASKS)


def test_mask_through_several_layers() -> None:
    flow = (
        "x -> Masking() -> GRU(4, return_sequences=true) -> Dense(3) -> LSTM(5, return_sequences=true) -> SimpleRNN(2)"
    )
    assert_parity(model_text(flow, "x: float[T, 3]"), arrays=MASKS)


@pytest.mark.parametrize("value", ["0", "-1", "0.1"])
def test_masking(value: str) -> None:
    number = np.float32(value)
    x = np.where(MASKS["x"] == 0, number, MASKS["x"])
    assert_parity(model_text(f"x -> Masking({value}) -> LSTM(4)", "x: float[6, 3]"), arrays={"x": x})


def states(layer: str, names: str, start: str = "", *inputs: str, mask: bool = False) -> str:
    """A model that gives every result of a layer."""
    outputs = [f"    output out_{name} = {name} -> Activation(linear)" for name in names.split(", ")]
    lines = [f"    input {item}" for item in ("x: float[6, 3]", *inputs)]
    call = layer if not start else f"{layer[:-1]}, initial_state={start})"
    return "\n".join(
        ["model Test {", *lines, f"    ({names}) = x {'-> Masking() ' * mask}-> {call}", *outputs, "}", ""]
    )


@pytest.mark.parametrize("sequences", ["", ", return_sequences=true", ", go_backwards=true"])
@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("LSTM(4", "y, h, c"),
        ("GRU(4", "y, h"),
        ("SimpleRNN(4", "y, h"),
        ("RNN(LSTMCell(4)", "y, h, c"),
        ("RNN([LSTMCell(4), GRUCell(2)]", "y, h, c, d"),
        ("Bidirectional(LSTM(4, return_state=true, return_sequences=true)", "y, a, b, c, d"),
        ("Bidirectional(GRU(4, return_state=true)", "y, a, b"),
        ("Bidirectional(RNN([LSTMCell(4), GRUCell(2)], return_state=true)", "y, a, b, c, d, e, f"),
    ],
)
def test_return_state(name: str, names: str, sequences: str, mask: bool) -> None:
    inside = name.startswith("Bidirectional")
    if inside and sequences:
        pytest.skip("those are arguments of the layer inside")
    layer = f"{name}{'' if inside else ', return_state=true' + sequences})"
    assert_parity(states(layer, names, mask=mask), arrays=MASKS if mask else None)


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize(
    ("layer", "names", "sizes"),
    [
        ("LSTM(4, return_state=true)", "y, h, c", [4, 4]),
        ("LSTM(4, return_state=true, return_sequences=true, go_backwards=true)", "y, h, c", [4, 4]),
        ("GRU(4, return_state=true)", "y, h", [4]),
        ("GRU(4, return_state=true, return_sequences=true)", "y, h", [4]),
        ("GRU(4, return_state=true, return_sequences=true, reset_after=false)", "y, h", [4]),
        ("SimpleRNN(4, return_state=true)", "y, h", [4]),
        ("RNN([LSTMCell(4), GRUCell(2)], return_state=true)", "y, h, c, d", [4, 4, 2]),
        ("RNN([LSTMCell(4)], return_state=true)", "y, h, c", [4, 4]),
        ("Bidirectional(LSTM(4, return_state=true, return_sequences=true))", "y, a, b, c, d", [4, 4, 4, 4]),
        ("Bidirectional(GRU(4, return_state=true))", "y, a, b", [4, 4]),
    ],
)
def test_initial_state(layer: str, names: str, sizes: list[int], mask: bool) -> None:
    given = [f"s{i}: float[{size}]" for i, size in enumerate(sizes)]
    start = ", ".join(f"s{i}" for i in range(len(sizes)))
    text = states(layer, names, f"({start})" if len(sizes) > 1 else start, *given, mask=mask)
    random = np.random.default_rng(4)
    arrays = {f"s{i}": random.normal(size=(6, size)).astype("float32") for i, size in enumerate(sizes)}
    x = MASKS["x"] if mask else random.normal(size=(6, 6, 3)).astype("float32")
    assert_parity(text, arrays={"x": x, **arrays})


@pytest.mark.parametrize(
    "layer",
    [
        "RNN(SimpleRNNCell(4))",
        "RNN(GRUCell(4), return_sequences=true, go_backwards=true)",
        "RNN(GRUCell(4, reset_after=false, use_bias=false))",
        "RNN(LSTMCell(4, activation=relu, unit_forget_bias=false))",
        "RNN([LSTMCell(4), LSTMCell(4)], return_sequences=true)",
        "RNN([SimpleRNNCell(4), GRUCell(5), LSTMCell(2)])",
        "RNN(StackedRNNCells([LSTMCell(4), GRUCell(5)]), return_sequences=true)",
        "RNN([LSTMCell(4)], unroll=true)",
        "RNN([LSTMCell(4, name=first), GRUCell(5, trainable=false)], unroll=true)",
        "RNN([LSTMCell(4), GRUCell(5, recurrent_dropout=0.3)], trainable=false)",
        "RNN(LSTMCell(4), zero_output_for_mask=true, return_sequences=true)",
    ],
)
@pytest.mark.parametrize("mask", [False, True])
def test_cells(layer: str, mask: bool) -> None:
    text = model_text(f"x {'-> Masking() ' * mask}-> {layer}", "x: float[6, 3]")
    assert_parity(text, arrays=MASKS if mask else None)


@pytest.mark.parametrize(
    "layer",
    [
        "LSTM(4, stateful=true)",
        "LSTM(4, stateful=true, return_sequences=true, activation=relu)",
        "GRU(4, stateful=true, return_sequences=true)",
        "SimpleRNN(4, stateful=true, go_backwards=true)",
        "RNN([LSTMCell(4), GRUCell(2)], stateful=true)",
        "Bidirectional(LSTM(4, stateful=true, return_sequences=true))",
        "Bidirectional(GRU(4, stateful=true), merge_mode=sum)",
        "TimeDistributed(Dense(3)) -> LSTM(4, stateful=true)",
    ],
)
@pytest.mark.parametrize("mask", [False, True])
def test_stateful(layer: str, mask: bool) -> None:
    """The state goes on from batch to batch in training and in prediction, and `reset_state` clears it."""
    pair = compile_pair(model_text(f"x {'-> Masking() ' * mask}-> {layer}", "x: float[6, 3] with batch=6"))
    inputs = (
        [MASKS, masked(["x.xxxx"] * 6, seed=8), MASKS]
        if mask
        else [random_inputs(pair.model, seed=s) for s in (1, 2, 1)]
    )
    runs = []
    for arrays in inputs:
        expected, found = run_keras(pair, arrays), run_torch(pair, arrays)
        np.testing.assert_allclose(found[0]["y"], expected[0]["y"], atol=2e-6)
        np.testing.assert_allclose(found[1]["x"], expected[1]["x"], atol=1e-5)
        runs.append(found[0]["y"])
    assert np.abs(runs[0] - runs[2]).max() > 1e-4
    module: Any = pair.torch
    assert not [key for key in module.state_dict() if key.endswith(("_h", "_c"))]
    module.reset_state()
    np.testing.assert_allclose(run_torch(pair, inputs[0])[0]["y"], runs[0], atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        "LSTM(8, dropout=0.5)",
        "GRU(8, dropout=0.5, recurrent_dropout=0.5)",
        "GRU(8, recurrent_dropout=0.5, reset_after=false)",
        "SimpleRNN(8, dropout=0.4, recurrent_dropout=0.4)",
        "LSTM(8, recurrent_dropout=0.5)",
        "RNN([LSTMCell(8, dropout=0.3), GRUCell(8, dropout=0.3)])",
    ],
)
def test_dropout_has_keras_mean_and_spread(layer: str) -> None:
    """Masks are random: over many samples, mean and deviation of the outputs are Keras's."""
    pair = compile_pair(model_text(f"x -> {layer}", "x: float[4, 5]"))
    one = np.random.default_rng(0).normal(size=(1, 4, 5)).astype("float32")
    arrays = {"x": np.repeat(one, 20000, axis=0)}
    torch.manual_seed(0)
    expected, found = run_keras(pair, arrays, training=True)[0]["y"], run_torch(pair, arrays, training=True)[0]["y"]
    np.testing.assert_allclose(found.mean(0), expected.mean(0), atol=0.02)
    np.testing.assert_allclose(found.std(0), expected.std(0), atol=0.02)
    assert found.std(0).max() > 0.02


def test_dropout_drops_the_same_features_at_every_step() -> None:
    layer = "SimpleRNN(3, dropout=0.5, activation=linear, return_sequences=true)"
    pair = compile_pair(model_text(f"x -> {layer}", "x: float[5, 3]"))
    for key, tensor in pair.torch.state_dict().items():
        tensor.copy_(torch.eye(3) if key.endswith("weight_ih") else torch.zeros_like(tensor))
    pair.torch.train()
    y = pair.torch(torch.ones(50, 5, 3))["y"]
    assert set(y.unique().tolist()) == {0.0, 2.0}
    assert bool((y == y[:, :1]).all())


@pytest.mark.parametrize(
    "flow",
    [
        "x -> LSTM(4, stateful=true, return_sequences=true) -> GRU(3)",
        "x -> Masking() -> LSTM(4, stateful=true, return_sequences=true) -> Bidirectional(GRU(3))",
    ],
)
def test_double_precision(flow: str) -> None:
    text = model_text(flow, "x: float[6, 3] with batch=6", options="float = float64")
    assert_parity(text, arrays={"x": MASKS["x"].astype("float64")}, tolerance=1e-12)


def test_shared_layer() -> None:
    text = (
        "model Test {\n    input a: float[6, 3]\n    input b: float[6, 3]\n    shared encoder = LSTM(4)\n"
        "    output y = (a -> encoder, b -> encoder) -> Subtract()\n}\n"
    )
    assert_parity(text)


def test_penalties_and_limits_reach_the_weights() -> None:
    layer = "LSTM(4, kernel_regularizer=l2(0.5), bias_regularizer=l1(0.1), recurrent_constraint=max_norm(0.5))"
    text = f"model Test {{\n    input x: float[6, 3]\n    output y = x -> {layer} with loss=mse\n}}\n"
    torch_text = compile_pair(text).texts["torch"]
    for key in ("weight_ih_l0", "bias_ih_l0", "weight_hh_l0"):
        assert f'model.y.get_parameter("{key}")' in torch_text


def test_initial_weights() -> None:
    pair = compile_pair(model_text("x -> LSTM(5, return_sequences=true) -> GRU(4)", "x: float[6, 3]"))
    fresh = type(pair.torch)().state_dict()
    keys = {key.rpartition(".")[2]: value for key, value in fresh.items() if value.shape[0] == 20}
    np.testing.assert_array_equal(keys["bias_ih_l0"].numpy(), [0] * 5 + [1] * 5 + [0] * 10)
    recurrent = keys["weight_hh_l0"].numpy()
    np.testing.assert_allclose(recurrent.T @ recurrent, np.eye(5), atol=1e-5)
    limit = np.sqrt(6 / (3 + 20))  # Keras's fans: 3 in, 4 * 5 out
    assert 0.8 * limit < float(keys["weight_ih_l0"].abs().max()) <= limit


def test_forget_bias_beside_another_initializer() -> None:
    pair = compile_pair(model_text("x -> LSTM(5, bias_initializer=Constant(3))", "x: float[6, 3]"))
    bias = next(value for key, value in type(pair.torch)().state_dict().items() if key.endswith("bias_ih_l0"))
    np.testing.assert_array_equal(bias.numpy(), [3] * 5 + [1] * 5 + [3] * 10)


@pytest.mark.parametrize(
    ("flow", "inputs", "code", "words"),
    [
        ("x -> LSTM(4)", ["x: float[3]"], "NN0301", "[time, features]"),
        ("x -> LSTM(4)", ["x: int[5, 3]"], "NN0305", "floats"),
        ("x -> LSTM(4, stateful=true)", ["x: float[5, 3]"], "NN0311", "no fixed size"),
        ("x -> LSTM(4, unroll=true)", ["x: float[T, 3]"], "NN0215", "unroll"),
        ("x -> LSTM(4)", ["x: float[5, T]"], "NN0304", "kernel"),
        ("x -> LSTM(4, initial_state=h)", ["x: float[5, 3]", "h: float[4]"], "NN0312", "2 states"),
        ("x -> GRU(4, initial_state=h)", ["x: float[5, 3]", "h: float[3]"], "NN0312", "float[4]"),
        ("x -> GRU(4, initial_state=(h, h))", ["x: float[5, 3]", "h: float[4]"], "NN0312", "gives 2"),
        ("x -> LSTMCell(4)", ["x: float[5, 3]"], "NN0215", "single step"),
        ("x -> RNN(LSTM(4))", ["x: float[5, 3]"], "NN0215", "not `LSTM`"),
        ("x -> RNN([LSTMCell(4), Dense(4)])", ["x: float[5, 3]"], "NN0215", "not `Dense`"),
        ("x -> LSTM(4, dropout=1)", ["x: float[5, 3]"], "NN0206", "dropout"),
        ("x -> Masking() -> Dense(4)", ["x: float[3]"], "NN0301", "Masking"),
    ],
)
def test_mistakes(flow: str, inputs: list[str], code: str, words: str) -> None:
    _, problems = check(model_text(flow, *inputs))
    assert [p.code for p in problems if p.code != "NN0401"][:1] == [code], [f"{p.code} {p.message}" for p in problems]
    first = next(p for p in problems if p.code == code)
    assert words in first.message + (first.help or "")
