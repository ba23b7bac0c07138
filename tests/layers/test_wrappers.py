"""Bidirectional and TimeDistributed against real Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.layers.test_recurrent import MASKS
from tests.parity_harness import assert_parity, check, compile_pair, model_text, random_inputs, run_keras, run_torch
from tests.training.training_harness import assert_same_training

pytestmark = [pytest.mark.keras, pytest.mark.torch]


@pytest.mark.parametrize("name", ["Bidirectional", "TimeDistributed", "Masking"])
def test_signature(name: str) -> None:
    """Keras's arguments, but for the arrays that `Bidirectional` takes as weights."""
    from nndsl.layers import catalogue
    from tests.parity_harness import signature

    cls = catalogue.find("layer", name)
    assert cls is not None
    expected = signature(name)
    expected.pop("weights", None)
    assert list(cls.arguments) == list(expected)
    for key, default in expected.items():
        assert cls.arguments[key].required or cls.arguments[key].default == default, key


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize(
    ("layer", "merge"),
    [
        ("LSTM(4)", "concat"),
        ("LSTM(4)", "mul"),
        ("LSTM(4, return_sequences=true)", "concat"),
        ("LSTM(4, return_sequences=true)", "ave"),
        ("GRU(4)", "sum"),
        ("GRU(4, return_sequences=true)", "mul"),
        ("GRU(4, return_sequences=true, reset_after=false)", "concat"),
        ("SimpleRNN(4, return_sequences=true, use_bias=false)", "sum"),
        ("SimpleRNN(4, activation=relu)", "ave"),
        ("LSTM(4, return_sequences=true, unroll=true)", "concat"),
    ],
)
def test_bidirectional(layer: str, merge: str, mask: bool) -> None:
    flow = f"x {'-> Masking() ' * mask}-> Bidirectional({layer}, merge_mode={merge})"
    assert_parity(model_text(flow, "x: float[6, 3]"), arrays=MASKS if mask else None)


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize(
    "layer",
    [
        "Bidirectional(LSTM(4), backward_layer=LSTM(4, go_backwards=true))",
        "Bidirectional(LSTM(4), backward_layer=GRU(5, go_backwards=true))",
        "Bidirectional(LSTM(4, name=ahead), backward_layer=LSTM(4, activation=relu, go_backwards=true, name=back))",
        "Bidirectional(LSTM(4, go_backwards=true), backward_layer=LSTM(4))",
        "Bidirectional(RNN([LSTMCell(4), GRUCell(3)], return_sequences=true))",
        "Bidirectional(RNN(GRUCell(3)), merge_mode=sum)",
        "Bidirectional(LSTM(4, dropout=0.5, recurrent_dropout=0.2))",
        "Bidirectional(LSTM(4), trainable=false)",
        "Bidirectional(LSTM(4, trainable=false), backward_layer=LSTM(4, go_backwards=true))",
        "Bidirectional(GRU(4, return_sequences=true)) -> Bidirectional(LSTM(3)) -> Dense(2)",
        "Bidirectional(LSTM(4, return_sequences=true)) -> TimeDistributed(Dense(2))",
    ],
)
def test_bidirectional_layers(layer: str, mask: bool) -> None:
    assert_parity(model_text(f"x {'-> Masking() ' * mask}-> {layer}", "x: float[6, 3]"), arrays=MASKS if mask else None)


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("sequences", ["", ", return_sequences=true"])
def test_bidirectional_with_both_outputs(sequences: str, mask: bool) -> None:
    text = (
        "model Test {\n    input x: float[6, 3]\n"
        f"    (a, b) = x {'-> Masking() ' * mask}-> Bidirectional(LSTM(4{sequences}), merge_mode=none)\n"
        "    output first = a -> Activation(relu)\n    output second = b -> Activation(tanh)\n}\n"
    )
    assert_parity(text, arrays=MASKS if mask else None)


def test_directions_have_their_own_weights() -> None:
    pair = compile_pair(model_text("x -> Bidirectional(LSTM(4), name=both)", "x: float[6, 3]"))
    assert list(pair.weights) == [
        f"both.{side}_lstm/{weight}"
        for side in ("forward", "backward")
        for weight in ("kernel", "recurrent_kernel", "bias")
    ]
    path = {key: variable.path for key, variable in pair.weights.items()}
    assert path["both.backward_lstm/kernel"] == "both/backward_lstm/lstm_cell/kernel"
    found = [name for name, p in pair.torch.named_parameters() if not p.requires_grad]
    assert found == ["both.bias_hh_l0", "both.bias_hh_l0_reverse"]


@pytest.mark.parametrize("steps", ["5", "T"])
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("Dense(4)", "3"),
        ("Dense(4, activation=softmax, trainable=false)", "3"),
        ("Dense(4)", "2, 3"),
        ("Activation(softmax)", "3"),
        ("ReLU()", "3"),
        ("Conv2D(4, 3, padding=same, activation=relu)", "6, 5, 2"),
        ("Conv1D(4, 3, strides=2)", "9, 2"),
        ("MaxPooling2D()", "6, 4, 2"),
        ("GlobalAveragePooling2D()", "6, 4, 2"),
        ("Flatten()", "4, 2"),
        ("LSTM(4)", "4, 2"),
        ("GRU(4, return_sequences=true)", "4, 2"),
        ("Bidirectional(LSTM(4))", "4, 2"),
        ("TimeDistributed(Dense(4))", "4, 2"),
        ("BatchNormalization()", "4"),
        ("LayerNormalization()", "4, 2"),
        ("Dropout(0.5)", "4"),
        ("RNN([LSTMCell(4), GRUCell(3)])", "4, 2"),
    ],
)
def test_time_distributed(layer: str, shape: str, steps: str) -> None:
    if steps == "T" and ("LSTM" in layer or "GRU" in layer):
        pytest.skip("Keras cannot run recurrent layers in vectorized_map")
    assert_parity(model_text(f"x -> TimeDistributed({layer})", f"x: float[{steps}, {shape}]"), sizes={"T": 4})


def test_time_distributed_keeps_the_mask() -> None:
    flow = "x -> Masking() -> TimeDistributed(Dense(4, activation=tanh)) -> LSTM(3)"
    assert_parity(model_text(flow, "x: float[6, 3]"), arrays=MASKS)


def test_time_distributed_batch_normalization_trains_step_by_step() -> None:
    text = model_text("x -> TimeDistributed(BatchNormalization(momentum=0.7))", "x: float[4, 3]")
    assert_parity(text, training=True, batch=6)


def test_time_distributed_keeps_the_file_order_of_axes() -> None:
    text = model_text(
        "x -> TimeDistributed(Conv2D(4, 3)) -> TimeDistributed(MaxPooling2D()) -> TimeDistributed(Flatten())",
        "x: float[3, 2, 8, 7]",
        options="data_format = channels_first",
    )
    assert_parity(text)


def test_time_distributed_state_goes_from_step_to_step() -> None:
    pair = compile_pair(model_text("x -> TimeDistributed(GRU(3, stateful=true))", "x: float[4, 5, 2] with batch=3"))
    for seed in (1, 2):
        arrays = random_inputs(pair.model, seed=seed)
        expected, found = run_keras(pair, arrays), run_torch(pair, arrays)
        np.testing.assert_allclose(found[0]["y"], expected[0]["y"], atol=2e-6)
    module: Any = pair.torch
    module.reset_state()


@pytest.mark.parametrize(
    ("flow", "inputs", "code", "words"),
    [
        ("x -> Bidirectional(Dense(4))", ["x: float[5, 3]"], "NN0215", "recurrent layer"),
        ("x -> Bidirectional(LSTMCell(4))", ["x: float[5, 3]"], "NN0215", "recurrent layer"),
        ("x -> Bidirectional(LSTM(4, go_backwards=true))", ["x: float[5, 3]"], "NN0215", "same direction"),
        ("x -> Bidirectional(LSTM(4), backward_layer=LSTM(4))", ["x: float[5, 3]"], "NN0215", "same direction"),
        (
            "x -> Bidirectional(LSTM(4), backward_layer=LSTM(4, go_backwards=true, return_sequences=true))",
            ["x: float[5, 3]"],
            "NN0215",
            "return_sequences",
        ),
        (
            "x -> Bidirectional(LSTM(4), backward_layer=LSTM(5, go_backwards=true), merge_mode=sum)",
            ["x: float[5, 3]"],
            "NN0302",
            "4 and 5",
        ),
        ("x -> Bidirectional(LSTM(4), merge_mode=max)", ["x: float[5, 3]"], "NN0206", "merge_mode"),
        ("x -> Bidirectional(LSTM(4, stateful=true))", ["x: float[5, 3]"], "NN0311", "batch"),
        ("x -> Bidirectional(LSTM)", ["x: float[5, 3]"], "NN0211", "parentheses"),
        ("x -> TimeDistributed(Dense(4))", ["x: float[3]"], "NN0301", "Dense"),
        ("x -> TimeDistributed(Conv2D(4, 9))", ["x: float[5, 6, 6, 3]"], "NN0303", "fit"),
        ("x -> TimeDistributed(LSTMCell(4))", ["x: float[5, 6, 6]"], "NN0215", "cell"),
        ("x -> TimeDistributed(Concatenate())", ["x: float[5, 6, 6]"], "NN0215", "one input"),
        ("x -> TimeDistributed(LSTM(4, return_state=true))", ["x: float[5, 6, 6]"], "NN0215", "return_state"),
        (
            "x -> Embedding(9, 4, mask_zero=true) -> TimeDistributed(LSTM(3)) -> GRU(2)",
            ["x: int[5, 6]"],
            "NN0302",
            "from before `TimeDistributed`",
        ),
    ],
)
def test_mistakes(flow: str, inputs: list[str], code: str, words: str) -> None:
    _, problems = check(model_text(flow, *inputs))
    found = [p for p in problems if p.code == code]
    assert found, [f"{p.code} {p.message}" for p in problems]
    assert words in found[0].message + (found[0].help or "")


@pytest.mark.parametrize(
    "inner", ["LSTM(2, activity_regularizer=l2(0.1))", "GRU(2, activity_regularizer=l1(0.1), return_sequences=true)"]
)
@pytest.mark.parametrize("around", ["", "Reshape((1, 3, 5, 4)) -> TimeDistributed("])
def test_a_penalty_of_each_step_counts_for_a_sample(inner: str, around: str) -> None:
    close = ")" if around else ""
    flow = f"x -> {around}TimeDistributed(Bidirectional({inner})){close} -> Flatten() -> Dense(1) with loss=mse"
    text = model_text(flow, "x: float[3, 5, 4]")
    text = text[:-2] + "    train { optimizer = SGD(0.01); batch_size = 4; epochs = 2 }\n}\n"
    random = np.random.default_rng(1)
    data = {
        "x": random.normal(size=(10, 3, 5, 4)).astype("float32"),
        "y": random.normal(size=(10, 1)).astype("float32"),
    }
    programs = assert_same_training(text, data)
    assert all(np.isfinite(np.asarray(weight)).all() for weight in programs.pair.weights.values())


@pytest.mark.parametrize(
    ("inner", "shape"),
    [
        ("Bidirectional(LSTM(2, activity_regularizer=l2))", "T, 5, 4"),
        ("SpectralNormalization(Dense(2, activity_regularizer=l2))", "3, 4"),
    ],
)
def test_penalties_within_steps_that_go_one_by_one(inner: str, shape: str) -> None:
    program, problems = check(model_text(f"x -> TimeDistributed({inner})", f"x: float[{shape}]"))
    assert program is None
    assert [item.code for item in problems] == ["NN0218"]
