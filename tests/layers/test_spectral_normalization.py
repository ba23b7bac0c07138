"""SpectralNormalization against real Keras: it changes the kernel itself at every training call."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.parity_harness import (
    apply_steps,
    assert_parity,
    assert_signature,
    check,
    compile_pair,
    model_text,
    random_inputs,
    run_keras,
    run_torch,
)
from tests.training.training_harness import assert_same_training

pytestmark = [pytest.mark.keras, pytest.mark.torch]
LAYERS = [
    ("Dense(4)", "5"),
    ("Dense(4, activation=relu, use_bias=false) ) -> Dense(2", "3, 5"),
    ("Conv1D(4, 3, padding=causal)", "6, 3"),
    ("Conv2D(4, 3, strides=2, padding=same, activation=softmax)", "6, 6, 3"),
    ("Conv2D(4, 3, groups=2, use_bias=false)", "6, 6, 4"),
    ("Conv3D(2, 2)", "3, 4, 4, 2"),
    ("Conv1DTranspose(4, 3, strides=2, padding=same)", "5, 3"),
    ("Conv2DTranspose(4, 3, strides=2)", "4, 5, 3"),
    ("DepthwiseConv1D(3, depth_multiplier=2, padding=same)", "6, 3"),
    ("DepthwiseConv2D(3, strides=2, activation=relu)", "6, 6, 3"),
    ("DepthwiseConv2D(2, depth_multiplier=3, use_bias=false)", "5, 6, 4"),
    ('EinsumDense("abc,cd->abd", (none, 4), bias_axes="d", activation=tanh)', "3, 5"),
    ('EinsumDense("...c,cde->...de", (4, 2), bias_axes="de")', "3, 5"),
    ('EinsumDense("abc,dbc->ad", 4)', "3, 5"),
    ('EinsumDense("abc,db->adc", (4, none), bias_axes="d")', "3, 5"),
]


def test_signature() -> None:
    assert_signature("SpectralNormalization")


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("layer", "shape"), LAYERS)
def test_parity(layer: str, shape: str, training: bool) -> None:
    """`assert_parity` compares the state afterwards too: the kernel and `vector_u`."""
    flow = f"x -> SpectralNormalization({layer})"
    assert_parity(model_text(flow, f"x: float[{shape}]"), training=training)
    if "groups" not in layer:
        text = model_text(flow, f"x: float[{shape}]", options="float = float64")
        assert_parity(text, training=training, tolerance=1e-10 if training else 1e-12)


@pytest.mark.parametrize("iterations", [1, 3])
def test_call_after_call(iterations: int) -> None:
    flow = f"x -> SpectralNormalization(Dense(4), power_iterations={iterations})"
    pair = compile_pair(model_text(flow, "x: float[6]", options="float = float64"))
    for seed in range(4):
        arrays = random_inputs(pair.model, seed=seed)
        expected, found = run_keras(pair, arrays, training=True), run_torch(pair, arrays, training=True)
        assert np.abs(expected[0]["y"] - found[0]["y"]).max() < 1e-10
        saved = pair.torch.state_dict()
        for entry in pair.state:
            value = apply_steps(np.asarray(pair.weights[entry.path]), entry.steps)
            assert np.abs(saved[entry.key].numpy() - value).max() < 1e-10, entry.key
    if iterations == 3:
        assert abs(np.linalg.norm(np.asarray(pair.weights["y/kernel"]), 2) - 1) < 0.1  # it has come near


def test_two_calls_in_one_step_of_torch() -> None:
    """As in a GAN: the gradient of the first call is that of the kernel that it has used."""
    pair = compile_pair(model_text("x -> SpectralNormalization(Dense(5))", "x: float[5]", options="float = float64"))
    module = pair.torch.y
    assert isinstance(module, torch.nn.Module)
    random = np.random.default_rng(0)
    first, second = (torch.from_numpy(random.normal(size=(3, 5))).requires_grad_() for _ in range(2))
    total = module(first).sum()
    kernel = module.get_parameter("layer.weight").detach().clone()
    (total + module(second).sum()).backward()
    assert first.grad is not None and torch.allclose(first.grad[0], kernel.sum(0), rtol=0, atol=1e-12)
    assert not torch.allclose(kernel, module.get_parameter("layer.weight"), rtol=0, atol=1e-6)


def test_a_second_call_in_a_model_is_refused() -> None:
    shared = "    shared d = SpectralNormalization(Dense(5))\n"
    program, problems = check(f"model M {{\n    input a: float[5]\n{shared}    output y = a -> d -> d\n}}\n")
    assert program is None and [item.code for item in problems] == ["NN0218"]


def test_a_kernel_of_zeros_stays() -> None:
    flow = "x -> SpectralNormalization(Dense(4, kernel_initializer=zeros))"
    pair = compile_pair(model_text(flow, "x: float[6]"))
    pair.weights["y/kernel"].assign(np.zeros((6, 4), "float32"))
    before = np.asarray(pair.weights["y/vector_u"])
    pair.torch.y.get_parameter("layer.weight").data.zero_()  # type: ignore[union-attr, operator]
    arrays = random_inputs(pair.model)
    for run in (run_keras, run_torch):
        assert np.isfinite(run(pair, arrays, training=True)[0]["y"]).all()
    assert (pair.torch.state_dict()["y.u"].numpy() == before).all()


@pytest.mark.parametrize("option", ["channels_last", "channels_first"])
def test_in_a_chain_of_convolutions_nothing_is_permuted(option: str) -> None:
    flow = "x -> Conv2D(4, 3) -> SpectralNormalization(Conv2D(4, 1)) -> MaxPooling2D()"
    shape = "8, 8, 3" if option == "channels_last" else "3, 8, 8"
    pair = assert_parity(model_text(flow, f"x: float[{shape}]", options=f"data_format = {option}"), training=True)
    assert pair.texts["torch"].count("movedim") == (2 if option == "channels_last" else 0)
    assert pair.texts["keras"].count("Permute") == (0 if option == "channels_last" else 2)


def test_masks() -> None:
    mask = "x -> Embedding(5, 3, mask_zero=true) ->"
    assert_parity(model_text(f"{mask} SpectralNormalization(Conv1D(4, 2)) -> GlobalAveragePooling1D()", "x: int[6]"))
    program, problems = check(model_text(f"{mask} SpectralNormalization(Dense(4))", "x: int[6]"))
    assert program is None and [item.code for item in problems] == ["NN0218"]


@pytest.mark.parametrize("frozen", ["", ", trainable=false"])
def test_training(frozen: str) -> None:
    source = f"""
model M {{
    input x: float[6]
    h = x -> SpectralNormalization(Dense(5, activation=tanh, kernel_regularizer=l2(0.01), bias_regularizer=l2(0.01),
                                         kernel_constraint=MaxNorm(2), activity_regularizer=l2(0.01)){frozen})
    output y = h -> Dense(3) -> SpectralNormalization(Dense(2, use_bias=false), power_iterations=2) with loss=mse
    train {{ optimizer = SGD(0.05); batch_size = 7; epochs = 3; seed = 1 }}
}}
"""
    random = np.random.default_rng(2)
    x, y = random.normal(size=(21, 6)), random.normal(size=(21, 2))
    assert_same_training(source, {"x": x.astype("float32"), "y": y.astype("float32")})


def test_torch_is_written_as_by_hand() -> None:
    text = compile_pair(model_text("x -> SpectralNormalization(Dense(4))", "x: float[6]")).texts["torch"]
    assert "self.y = SpectralNormalization(nn.Linear(6, 4))" in text


@pytest.mark.parametrize("inner", ["Dense(4, use_bias=false)", "Dense(4, kernel_initializer=ones)"])
def test_the_usual_start_of_other_layers_leaves_it_alone(inner: str) -> None:
    """One loop over all modules gives those their initial weights, and sees the layer inside as well."""
    text = (
        f"block Head() {{\n    input h: float[3]\n    output o = h -> SpectralNormalization({inner})\n}}\n"
        "model M {\n    input x: float[8]\n    output y = x -> Dense(3) -> Dense(3) -> Head() -> Dense(2)\n}\n"
    )
    fresh = type(compile_pair(text).torch)()
    (kernel,) = (value for key, value in fresh.state_dict().items() if key.endswith("layer.weight"))
    assert (kernel == 1).all() == ("ones" in inner)


@pytest.mark.parametrize(
    ("layer", "shape", "code", "part"),
    [
        ("SpectralNormalization()", "5", "NN0204", "layer"),
        ("SpectralNormalization(Dense(4), power_iterations=0)", "5", "NN0206", "power_iterations"),
        ("SpectralNormalization(Flatten())", "5", "NN0215", "a layer with a kernel, not `Flatten`"),
        ("SpectralNormalization(LSTM(4))", "5, 3", "NN0215", "a layer with a kernel, not `LSTM`"),
        ("SpectralNormalization(Embedding(5, 4))", "5", "NN0218", "the type of the ids"),
        ("SpectralNormalization(SeparableConv2D(4, 3))", "5, 5, 3", "NN0218", "two kernels"),
        ("SpectralNormalization(Conv2D(4, 3))", "5, 3", "NN0301", "[height, width, channels]"),
    ],
)
def test_mistakes(layer: str, shape: str, code: str, part: str) -> None:
    program, problems = check(model_text(f"x -> {layer}", f"x: float[{shape}]"))
    assert program is None
    [problem] = [item for item in problems if item.code == code]
    assert part in f"{problem.message} {problem.help}"
