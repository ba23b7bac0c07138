"""Normalizations against real Keras, in inference and in training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.parity_harness import assert_parity, assert_signature, build_pair, check, compile_pair, model_text

pytestmark = [pytest.mark.keras, pytest.mark.torch]


@pytest.mark.parametrize("name", ["BatchNormalization", "LayerNormalization"])
def test_signature(name: str) -> None:
    assert_signature(name)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("BatchNormalization()", "6"),
        ("BatchNormalization()", "5, 4"),
        ("BatchNormalization(axis=1, momentum=0.5, epsilon=1e-5)", "5, 4"),
        ("BatchNormalization()", "4, 5, 3"),
        ("BatchNormalization(axis=2)", "4, 5, 3"),
        ("BatchNormalization(center=false)", "H, 5, 3"),
        ("BatchNormalization(scale=false)", "4, 5, 3"),
        ("BatchNormalization(scale=false, center=false)", "4, 5, 3"),
        ("BatchNormalization(trainable=false)", "4, 5, 3"),
        ("BatchNormalization()", "2, 3, 4, 3"),
        ("Conv2D(4, 3) -> BatchNormalization() -> Activation(relu)", "6, 6, 3"),
    ],
)
def test_batch_normalization(layer: str, shape: str, training: bool) -> None:
    """The moving statistics after a step are part of what is compared."""
    assert_parity(model_text(f"x -> {layer}", f"x: float[{shape}]"), training=training)


@pytest.mark.parametrize("training", [False, True])
def test_a_batch_of_one(training: bool) -> None:
    """torch's own layer refuses one value per channel in training."""
    assert_parity(model_text("x -> BatchNormalization()", "x: float[4]"), batch=1, training=training)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("options", ["", "axis=1", "scale=false", "center=false", "trainable=false"])
def test_masked_steps_do_not_count(options: str, training: bool) -> None:
    flow = f"x -> Embedding(5, 3, mask_zero=true) -> BatchNormalization({options})"
    assert_parity(model_text(flow, "x: int[6]"), batch=4, training=training)


@pytest.mark.parametrize("training", [False, True])
def test_a_mask_behind_a_convolution(training: bool) -> None:
    """The mask counts steps, whichever order of axes the tensor has there."""
    flow = "(x -> Embedding(5, 3, mask_zero=true), z -> Conv1D(2, 1)) -> Concatenate() -> BatchNormalization()"
    assert_parity(model_text(flow, "x: int[6]", "z: float[6, 2]"), batch=4, training=training)


@pytest.mark.parametrize("axis", [1, -1, 3])
@pytest.mark.parametrize("before", ["", "Conv2D(3, 2) -> "])
@pytest.mark.parametrize("training", [False, True])
def test_channels_first(before: str, axis: int, training: bool) -> None:
    flow = f"x -> {before}BatchNormalization(axis={axis})"
    text = model_text(flow, "x: float[3, 4, 5]", options="data_format = channels_first")
    assert_parity(text, training=training)


RENORM = [
    "renorm=true",
    "renorm=true, renorm_momentum=0.8, momentum=0.9, epsilon=1e-5, center=false",
    "renorm=true, renorm_clipping=(0.5, 1.5, 0.25), scale=false",
    "renorm=true, renorm_clipping=(none, 1.25, none), renorm_momentum=0.5, axis=1",
    "renorm=true, renorm_clipping=(1.1, none, 0.0), scale=false, center=false",
    "renorm=true, trainable=false",
    "synchronized=true",
]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("options", RENORM)
def test_batch_renormalization(options: str, training: bool) -> None:
    for shape in ("5, 4", "6", "2, 3, 4"):
        layer = f"BatchNormalization({options})"
        if shape != "6" or "axis" not in options:
            assert_parity(model_text(f"x -> {layer}", f"x: float[{shape}]"), training=training)
    flow = f"x -> Embedding(5, 3, mask_zero=true) -> {layer}"
    assert_parity(model_text(flow, "x: int[6]"), batch=4, training=training)


@pytest.mark.parametrize("initializer", ["ones", "zeros", "Constant(0.3)"])
def test_the_root_starts_as_the_variance_does(initializer: str) -> None:
    layer = f"BatchNormalization(renorm=true, moving_mean_initializer=ones, moving_variance_initializer={initializer})"
    pair = build_pair(check(model_text(f"x -> {layer}", "x: float[4]"))[0])  # type: ignore[arg-type]
    for entry in pair.state:
        found = pair.torch.state_dict()[entry.key].numpy()
        np.testing.assert_allclose(found, np.asarray(pair.weights[entry.path]), rtol=1e-6)


@pytest.mark.parametrize(
    "options", ["momentum=0.9", "synchronized=true", "renorm=true", "renorm=true, renorm_clipping=(0.9, 1.1, 0.1)"]
)
def test_several_steps_in_float64(options: str) -> None:
    text = model_text(f"x -> BatchNormalization({options})", "x: float[4, 3]", options="float = float64")
    pair = compile_pair(text)
    random = np.random.default_rng(3)
    pair.torch.double().train()
    for _ in range(5):
        x = random.normal(2.0, 3.0, size=(6, 4, 3))
        pair.keras(x, training=True)
        pair.torch(torch.from_numpy(x))
    for entry in pair.state:
        found = pair.torch.state_dict()[entry.key].numpy()
        np.testing.assert_allclose(found, np.asarray(pair.weights[entry.path]), rtol=1e-7)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("LayerNormalization()", "6"),
        ("LayerNormalization(epsilon=1e-6)", "T, 4"),
        ("LayerNormalization(axis=1)", "5, 4"),
        ("LayerNormalization(axis=[1, 2])", "5, 4"),
        ("LayerNormalization(axis=[2, 1])", "5, 4, 3"),
        ("LayerNormalization(axis=[-1, -2])", "H, 4, 3"),
        ("LayerNormalization(axis=[1, 3])", "5, 4, 3"),
        ("LayerNormalization(center=false)", "5, 4"),
        ("LayerNormalization(scale=false)", "5, 4"),
        ("LayerNormalization(scale=false, axis=1)", "5, 4"),
        ("LayerNormalization(scale=false, center=false)", "5, 4"),
        ("LayerNormalization(trainable=false)", "5, 4"),
        ("Conv2D(4, 3) -> LayerNormalization() -> Conv2D(4, 3)", "6, 6, 3"),
    ],
)
def test_layer_normalization(layer: str, shape: str) -> None:
    assert_parity(model_text(f"x -> {layer}", f"x: float[{shape}]"))


def test_a_mask_goes_on() -> None:
    flow = "x -> Embedding(5, 3, mask_zero=true) -> LayerNormalization() -> GlobalAveragePooling1D()"
    assert_parity(model_text(flow, "x: int[6]"), batch=4)


@pytest.mark.parametrize(
    ("layer", "shape", "code", "part"),
    [
        ("BatchNormalization(renorm_clipping=(0, 1, 2))", "5, 4", "NN0215", "renorm=true"),
        ("BatchNormalization(renorm=true, renorm_clipping=(2, 1, 2))", "5, 4", "NN0215", "no range"),
        ("BatchNormalization(renorm=true, renorm_clipping=(1, 2))", "5, 4", "NN0206", "a list of 3"),
        ("BatchNormalization(renorm=true, renorm_clipping=(0, 1, -1))", "5, 4", "NN0206", "0 or more"),
        ("BatchNormalization(renorm=true, moving_variance_initializer=Constant(-1))", "5, 4", "NN0206", "0 or more"),
        ("BatchNormalization(renorm=true, moving_variance_initializer=uniform)", "5, 4", "NN0215", "apart"),
        ("BatchNormalization(axis=3)", "5, 4", "NN0308", "no axis 3"),
        ("BatchNormalization(axis=1)", "T, 4", "NN0304", "`T`"),
        ("BatchNormalization(axis=0)", "5, 4", "NN0304", "batch"),
        ("LayerNormalization(axis=1)", "T, 4", "NN0304", "`T`"),
        ("LayerNormalization(axis=[1, 1])", "5, 4", "NN0308", "twice"),
        ("LayerNormalization(axis=[-1, 1])", "5, 4", "NN0308", "axis=[1, 2]"),
        ("LayerNormalization(axis=[])", "5, 4", "NN0206", "axis"),
        ("BatchNormalization(momentum=2)", "5, 4", "NN0206", "momentum"),
    ],
)
def test_mistakes(layer: str, shape: str, code: str, part: str) -> None:
    program, problems = check(model_text(f"x -> {layer}", f"x: float[{shape}]"))
    assert program is None
    [problem] = [item for item in problems if item.code == code]
    assert part in f"{problem.message} {problem.help}"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_inputs_of_half_precision(dtype: torch.dtype) -> None:
    """Autocast hands the module such inputs: the statistics stay float32, and are taken from float32."""
    pair = compile_pair(model_text("image -> BatchNormalization(momentum=0.0)", "image: float[4, 5, 3]"))
    module = pair.torch.train().get_submodule("y")
    x = torch.randn(8, 3, 4, 5, generator=torch.Generator().manual_seed(0)).to(dtype)
    assert module(x).dtype == dtype
    var, mean = torch.var_mean(x.float(), (0, 2, 3), correction=0)
    torch.testing.assert_close(module.get_buffer("running_mean"), mean)
    torch.testing.assert_close(module.get_buffer("running_var"), var)
    assert module.eval()(x).dtype == dtype
    assert sorted(module.state_dict()) == ["bias", "running_mean", "running_var", "weight"]
