"""Attention layers against real Keras, and what is said of mistakes."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.build import make
from nndsl.layers.emit_keras import KerasCall
from nndsl.targets.keras_spell import spell
from nndsl.targets.printing import flat
from tests.parity_harness import (
    assert_parity,
    assert_signature,
    check,
    compile_pair,
    model_text,
    run_torch,
)
from tests.training.training_harness import assert_same_training

pytestmark = [pytest.mark.keras, pytest.mark.torch]

EMBEDDED = "Embedding(5, 6, mask_zero=true)"
MASKED = "x -> " + EMBEDDED


@pytest.mark.parametrize("name", ["MultiHeadAttention", "GroupQueryAttention", "Attention", "AdditiveAttention"])
def test_signature(name: str) -> None:
    assert_signature(name)


# --------------------------------------------------------------------------------------- MultiHeadAttention


@pytest.mark.parametrize(
    "layer",
    [
        "MultiHeadAttention(2, 4)",
        "MultiHeadAttention(1, 3, value_dim=5, use_bias=false)",
        "MultiHeadAttention(2, 3, output_shape=7)",
        "MultiHeadAttention(2, 3, output_shape=(2, 5))",
        "MultiHeadAttention(2, 3, use_causal_mask=true)",
        "MultiHeadAttention(2, 3, dropout=0.3)",
        "MultiHeadAttention(2, 3, dropout=0.3, use_causal_mask=true)",
        "MultiHeadAttention(2, 3, dropout=0.3, seed=4, use_causal_mask=true)",
        "MultiHeadAttention(2, 3, sliding_window=2)",
        "MultiHeadAttention(2, 3, sliding_window=1, use_causal_mask=true, flash_attention=false)",
        "MultiHeadAttention(2, 3, use_gate=true, value_dim=4)",
        "MultiHeadAttention(2, 3, use_gate=true, use_bias=false, use_causal_mask=true, sliding_window=3)",
        "MultiHeadAttention(2, 4, attention_axes=1)",
    ],
)
@pytest.mark.parametrize("flow", ["x", "(x, v)", "(x, v, k)"])
def test_multi_head_attention(layer: str, flow: str) -> None:
    inputs = {"x": "x: float[5, 6]", "v": "v: float[4, 3]", "k": "k: float[4, 7]"}
    used = [declared for name, declared in inputs.items() if name in flow]
    assert_parity(model_text(f"{flow} -> {layer}", *used))


def test_steps_may_be_free() -> None:
    text = model_text("(x, v) -> MultiHeadAttention(2, 3, use_causal_mask=true)", "x: float[T, 6]", "v: float[S, 6]")
    assert_parity(text, sizes={"T": 5, "S": 3})
    assert_parity(model_text("x -> MultiHeadAttention(2, 4, sliding_window=2)", "x: float[T, 6]"), sizes={"T": 5})


@pytest.mark.parametrize(
    "options", ["", ", dropout=0.2", ", use_causal_mask=true", ", sliding_window=2", ", use_gate=true"]
)
@pytest.mark.parametrize("behind", ["", " -> GlobalAveragePooling1D()"])
def test_masked_queries_and_values(options: str, behind: str) -> None:
    """Rows of zeros alone are there: such a query sees the mean of all, or nothing with a dropout."""
    text = model_text(f"{MASKED} -> MultiHeadAttention(2, 3{options}){behind}", "x: int[6]")
    assert_parity(text, arrays={"x": np.array([[1, 2, 0, 3, 0, 0], [0, 0, 0, 0, 0, 0], [1, 1, 2, 1, 4, 3]], "int32")})


@pytest.mark.parametrize(
    "flow",
    [
        "(z, MASKED)",
        "(MASKED, z)",
        "(MASKED, MASKED)",
        "(z, z, MASKED)",
        "(z, MASKED, z)",
        "(MASKED, MASKED, MASKED)",
    ],
)
@pytest.mark.parametrize("options", ["", ", dropout=0.2"])
def test_masks_of_all_inputs_count(flow: str, options: str) -> None:
    flow = flow.replace("MASKED", MASKED)
    text = model_text(f"{flow} -> MultiHeadAttention(2, 3{options})", "x: int[5]", "z: float[5, 4]")
    assert_parity(text, high=3)


def test_a_mask_goes_on_around_a_residual() -> None:
    flow = f"{MASKED} -> branch {{ Identity(); MultiHeadAttention(2, 3) }} -> Add() -> GlobalAveragePooling1D()"
    assert_parity(model_text(flow, "x: int[6]"), high=3)


@pytest.mark.parametrize("options", ["", ", dropout=0.1", ", use_causal_mask=true", ", return_attention_scores=true"])
@pytest.mark.parametrize("allowed", ["5, 4", "1, 4", "5, 1"])
def test_attention_mask(options: str, allowed: str) -> None:
    layer = f"MultiHeadAttention(2, 3, attention_mask=allowed{options})"
    inputs = ("x: float[5, 6]", "v: float[4, 6]", f"allowed: bool[{allowed}]")
    if "return" not in options:
        assert_parity(model_text(f"(x, v) -> {layer}", *inputs))
        return
    assert_parity(_scores(f"(x, v) -> {layer}", *inputs))


def test_an_attention_mask_and_masks() -> None:
    layer = "MultiHeadAttention(2, 3, attention_mask=allowed, use_causal_mask=true)"
    assert_parity(model_text(f"{MASKED} -> {layer}", "x: int[5]", "allowed: bool[5, 5]"), high=3)


def _scores(flow: str, *inputs: str) -> str:
    lines = "\n".join(f"    input {item}" for item in inputs)
    return f"model Test {{\n{lines}\n    (a, s) = {flow}\n    output y = a\n    output scores = s\n}}\n"


@pytest.mark.parametrize(
    "options", ["", ", use_causal_mask=true", ", dropout=0.2, output_shape=(2, 2)", ", use_gate=true"]
)
def test_scores(options: str) -> None:
    layer = f"MultiHeadAttention(2, 3, return_attention_scores=true{options})"
    assert_parity(_scores(f"(x, v) -> {layer}", "x: float[5, 6]", "v: float[4, 6]"))
    assert_parity(_scores(f"{MASKED} -> {layer}", "x: int[5]"), high=3)


def test_scores_alone() -> None:
    text = _scores("x -> MultiHeadAttention(2, 3, return_attention_scores=true)", "x: float[5, 6]")
    assert_parity(text.replace("    output y = a\n", ""))
    assert_parity(text.replace("    output scores = s\n", ""))


@pytest.mark.parametrize(
    ("options", "query", "value"),
    [
        ("", "4, 3, 6", "2, 5, 6"),
        ("", "4, 3, 6", None),
        (", attention_axes=2", "4, 3, 6", "4, 5, 6"),
        (", attention_axes=-2, dropout=0.1", "4, 3, 6", None),
        (", attention_axes=1", "4, 3, 6", "5, 3, 6"),
        (", attention_axes=(1, 3), output_shape=(2, 2)", "2, 3, 4, 5", "3, 3, 2, 5"),
        (", attention_axes=(2, 3), use_gate=true", "2, 3, 4, 5", None),
        (", attention_axes=2", "A, T, 6", None),
        (", attention_axes=1, use_causal_mask=true", "4, 3, 6", "5, 3, 6"),
        (", attention_axes=1, use_causal_mask=true, dropout=0.1", "4, 3, 6", None),
        (", attention_axes=1, sliding_window=2", "7, 3, 6", "3, 3, 6"),
        (", attention_axes=-3, sliding_window=2, use_causal_mask=true", "T, A, 6", None),
    ],
)
def test_more_axes(options: str, query: str, value: str | None) -> None:
    flow = "x" if value is None else "(x, v)"
    inputs = [f"x: float[{query}]"] + ([] if value is None else [f"v: float[{value}]"])
    assert_parity(model_text(f"{flow} -> MultiHeadAttention(2, 3{options})", *inputs), sizes={"A": 2, "T": 4})


def test_a_shared_layer_called_with_masks_and_without() -> None:
    """Both ways of Keras, and both functions of torch, on one set of weights."""
    text = """
model Test {
    input x: int[5]
    input z: float[5, 6]
    input allowed: bool[5, 5]
    shared look = MultiHeadAttention(2, 3)
    words = x -> Embedding(5, 6, mask_zero=true)
    plain = z -> look
    masked = (z, words) -> look
    limited = (z, z) -> look(attention_mask=allowed)
    output y = (plain, masked, limited) -> Add()
}
"""
    pair = assert_parity(text, high=3)
    assert pair.texts["torch"].count("= ProjectedAttention(") == 1


@pytest.mark.parametrize(
    ("layer", "given", "options"),
    [
        (
            "MultiHeadAttention",
            {"num_heads": 1, "key_dim": 2},
            ["attention_mask=q._keras_mask[:, :, None] & v._keras_mask[:, None]"],
        ),
        (
            "GroupQueryAttention",
            {"head_dim": 2, "num_query_heads": 1, "num_key_value_heads": 1},
            ["query_mask=q._keras_mask", "value_mask=v._keras_mask"],
        ),
        ("Attention", {}, ["mask=[q._keras_mask, v._keras_mask]"]),
    ],
)
def test_masks_that_keras_would_lose_are_spelled_out(layer: str, given: dict[str, object], options: list[str]) -> None:
    """Keras 3.15 takes the masks off what flows into a MultiHeadAttention, for all other layers of several inputs."""
    config = make("layer", layer, **given)
    masked = TensorType((3, 5, 4), mask=True)
    for attended in (False, True):
        call = KerasCall(config, (masked, masked), name="a", spell=spell, attended=attended)
        text = flat(config.keras(call, code.Name("q"), code.Name("v")))
        assert all((option in text) == attended for option in options), text


def test_float64_has_the_scale_of_float32() -> None:

    for options in ("", ", return_attention_scores=true"):
        flow = f"x -> MultiHeadAttention(2, 3{options})"
        text = _scores(flow, "x: float[5, 6]") if options else model_text(flow, "x: float[5, 6]")
        text = text.replace("{\n", "{\n    options { float = float64 }\n", 1)
        assert_parity(text, tolerance=1e-10)


def test_training_with_dropout_draws_its_share() -> None:
    """The mean over many heads is what it is without dropout."""
    pair = compile_pair(model_text("x -> MultiHeadAttention(400, 2, dropout=0.5)", "x: float[5, 6]"))
    arrays = {"x": np.ones((2, 5, 6), "float32")}
    quiet, loud = (run_torch(pair, arrays, training=training)[0]["y"] for training in (False, True))
    assert np.abs(quiet - loud).max() > 1e-3
    same = run_torch(pair, arrays, training=False)[0]["y"]
    assert (quiet == same).all()


def test_initial_weights_have_the_deviations_of_keras() -> None:
    pair = compile_pair(model_text("x -> MultiHeadAttention(8, 32, use_gate=true)", "x: float[5, 64]"))
    fresh = type(pair.torch)().state_dict()
    import keras

    layer = keras.layers.MultiHeadAttention(8, 32, use_gate=True)
    layer(np.zeros((1, 5, 64), "float32"), np.zeros((1, 5, 64), "float32"))
    found = {w.path.split("/")[1]: float(np.std(np.asarray(w))) for w in layer.weights if w.path.endswith("kernel")}
    for name, deviation in found.items():
        ours = fresh[f"y.{'output' if name == 'attention_output' else name}.weight"]
        assert abs(float(ours.std()) / deviation - 1) < 0.05, name
        assert not fresh[f"y.{'output' if name == 'attention_output' else name}.bias"].any()


@pytest.mark.parametrize(
    "option", ["kernel_initializer=he_normal", "bias_initializer=ones", "kernel_constraint=UnitNorm()"]
)
def test_weights_are_filled_as_the_file_says(option: str) -> None:
    pair = compile_pair(model_text(f"x -> MultiHeadAttention(2, 3, {option})", "x: float[5, 6]"))
    state = type(pair.torch)().state_dict()
    assert state["y.query.bias"].eq(1.0 if "ones" in option else 0.0).all()
    assert 0.05 < float(state["y.key.weight"].std()) < 2


@pytest.mark.parametrize(
    ("flow", "inputs", "code", "words"),
    [
        ("x -> MHA(2, 3)", ["x: float[5]"], "NN0301", "[steps, features]"),
        ("x -> MHA(2, 3)", ["x: int[5, 4]"], "NN0305", "floats"),
        ("x -> MHA(2, 3)", ["x: float[5, F]"], "NN0304", "`F`"),
        ("x -> MHA(0, 3)", ["x: float[5, 4]"], "NN0206", "positive integer"),
        ("x -> MHA(2, 3, flash_attention=true)", ["x: float[5, 4]"], "NN0218", "flash"),
        ("x -> MHA(2, 3, activity_regularizer=OrthogonalRegularizer())", ["x: float[5, 4]"], "NN0215", "matrices"),
        ("x -> MHA(2, 3, attention_axes=2)", ["x: float[5, 4]"], "NN0308", "attention_axes"),
        ("x -> MHA(2, 3, attention_axes=0)", ["x: float[5, 4]"], "NN0308", "attention_axes"),
        ("x -> MHA(2, 3, attention_axes=4)", ["x: float[5, 4]"], "NN0308", "no axis 4"),
        ("x -> MHA(2, 3, use_causal_mask=true)", ["x: float[5, 4, 3]"], "NN0218", "use_causal_mask"),
        ("x -> MHA(2, 3, attention_axes=2, sliding_window=2)", ["x: float[5, 4, 3]"], "NN0218", "first axis"),
        ("x -> MHA(2, 3, attention_mask=m)", ["x: float[5, 4, 3]", "m: bool[5, 5]"], "NN0218", "a mask"),
        ("x -> MHA(2, 3, attention_axes=1)", ["x: float[5, 4, 3]"], None, ""),
        ("(x, v) -> MHA(2, 3)", ["x: float[5, 4]", "v: float[5, 4, 3]"], "NN0301", "number of axes"),
        ("(x, v, k) -> MHA(2, 3)", ["x: float[5, 4]", "v: float[3, 4]", "k: float[2, 4]"], "NN0302", "key"),
        ("(x, v) -> MHA(2, 3, attention_axes=1)", ["x: float[5, 4, 3]", "v: float[5, 2, 3]"], "NN0302", "axis 2"),
        ("x -> MHA(2, 3, attention_mask=m)", ["x: float[5, 4]", "m: bool[5, 4]"], "NN0302", "bool[5, 5]"),
        ("x -> MHA(2, 3, attention_mask=m)", ["x: float[5, 4]", "m: float[5, 5]"], "NN0305", "bool[5, 5]"),
        ("x -> MHA(2, 3, attention_mask=m)", ["x: float[5, 4]", "m: bool[5]"], "NN0301", "bool[5, 5]"),
        ("x -> TimeDistributed(MHA(2, 3))", ["x: float[5, 4, 3]"], "NN0218", "TimeDistributed"),
        ("(x, x, x, x) -> MHA(2, 3)", ["x: float[5, 4]"], "NN0212", "1 to 3"),
        ("(x, v) -> MHA(4, 1)", ["x: float[5, 4]", "v: float[4, 4]"], "NN0218", "`key`"),
        ("x -> MHA(4, 1)", ["x: float[T, 4]"], "NN0218", "`query`"),
        ("x -> MHA(5, 2, value_dim=1)", ["x: float[5, 4]"], "NN0218", "`value`"),
        ("x -> MHA(2, 2, output_shape=(5, 1))", ["x: float[5, 4]"], "NN0218", "`attention_output`"),
        ("x -> MHA(4, 1, use_bias=false)", ["x: float[4, 4]"], None, ""),
        ("x -> MHA(4, 1)", ["x: float[5, 4]"], None, ""),
    ],
)  # fmt: skip
def test_mistakes_of_multi_head_attention(flow: str, inputs: list[str], code: str | None, words: str) -> None:
    program, problems = check(model_text(flow.replace("MHA", "MultiHeadAttention"), *inputs))
    assert (program is None) == (code is not None)
    assert [item.code for item in problems] == ([] if code is None else [code])
    assert all(words in f"{item.message} {item.help}" for item in problems)


# ------------------------------------------------------------------------------------- GroupQueryAttention


@pytest.mark.parametrize(
    "options",
    [
        "2",
        "1, use_causal_mask=true",
        "4, use_bias=false, dropout=0.2",
        "2, sliding_window=2, use_causal_mask=true",
        "2, use_gate=true",
        "1, use_gate=true, use_bias=false, dropout=0.1, seed=1",
    ],
)
@pytest.mark.parametrize("flow", ["x", "(x, v)", "(x, v, k)", MASKED])
def test_group_query_attention(options: str, flow: str) -> None:
    inputs = {"x": "x: float[5, 6]", "v": "v: float[4, 6]", "k": "k: float[4, 7]"}
    used = ["x: int[5]"] if flow == MASKED else [declared for name, declared in inputs.items() if name in flow]
    assert_parity(model_text(f"{flow} -> GroupQueryAttention(3, 4, {options})", *used), high=3)
    if "seed" not in options:
        assert_parity(_scores(f"{flow} -> GroupQueryAttention(3, 4, {options}, return_attention_scores=true)", *used))


@pytest.mark.parametrize(
    ("flow", "inputs", "code", "words"),
    [
        ("x -> GroupQueryAttention(3, 4, 3)", ["x: float[5, 6]"], "NN0215", "multiple"),
        ("x -> GroupQueryAttention(3, 4, 2)", ["x: float[4, 5, 6]"], "NN0301", "[steps, features]"),
        ("(x, v) -> GroupQueryAttention(3, 4, 2)", ["x: float[5, 6]", "v: float[5, 4]"], "NN0302", "one size"),
        ("x -> GroupQueryAttention(1, 4, 2)", ["x: float[2, 6]"], "NN0218", "`key`"),
        (
            "x -> GroupQueryAttention(3, 4, 2, activity_regularizer=orthogonal_regularizer)",
            ["x: float[5, 6]"],
            "NN0215",
            "matrices",
        ),
    ],
)
def test_mistakes_of_group_query_attention(flow: str, inputs: list[str], code: str, words: str) -> None:
    program, problems = check(model_text(flow, *inputs))
    assert program is None
    (found,) = list(problems)
    assert found.code == code
    assert words in f"{found.message} {found.help}"


# --------------------------------------------------------------------- penalties of the projections, no training

BOTH_KINDS = ["MultiHeadAttention(2, 3", "GroupQueryAttention(3, 4, 2"]


def _training(flow: str, *inputs: str, float: str = "float32") -> str:
    text = model_text(f"{flow} -> GlobalAveragePooling1D() -> Dense(1) with loss=mse", *inputs)
    text = text.replace("{\n", f"{{\n    options {{ float = {float} }}\n", 1)
    return text[:-2] + "    train { optimizer = SGD(0.01); batch_size = 4; epochs = 2 }\n}\n"


def _assert_trained(text: str, float: str, **shapes: tuple[int, ...]) -> None:
    random = np.random.default_rng(7)
    data = {name: random.normal(size=(10, *shape)) for name, shape in {**shapes, "y": (1,)}.items()}
    data = {name: (array > 0) if name == "m" else array.astype(float) for name, array in data.items()}
    programs = assert_same_training(text, data, tolerance=1e-10 if float == "float64" else 1e-5)
    assert all(np.isfinite(np.asarray(weight)).all() for weight in programs.pair.weights.values())


@pytest.mark.thinned
@pytest.mark.parametrize("float", ["float32", "float64"])
@pytest.mark.parametrize("layer", BOTH_KINDS)
@pytest.mark.parametrize(
    "options",
    [
        "activity_regularizer=l2(0.1)",
        "activity_regularizer=l1_l2(0.1, 0.2), use_gate=true, use_bias=false",
        "activity_regularizer=l1(0.1), sliding_window=2",
        "activity_regularizer=l1(0.1), attention_mask=m",
    ],
)
def test_each_projection_is_penalised(layer: str, options: str, float: str) -> None:
    """10 samples in batches of 4: the last one is smaller, and the penalty is for a sample."""
    masked = "attention_mask" in options
    inputs = ["x: float[5, 6]", "v: float[4, 6]"] + ["m: bool[5, 4]"] * masked
    shapes = {"x": (5, 6), "v": (4, 6)} | ({"m": (5, 4)} if masked else {})
    _assert_trained(_training(f"(x, v) -> {layer}, {options})", *inputs, float=float), float, **shapes)


@pytest.mark.parametrize("layer", BOTH_KINDS)
def test_scores_are_penalised_where_keras_does(layer: str) -> None:
    text = _training(f"x -> {layer}, activity_regularizer=l2(0.1), return_attention_scores=true)", "x: float[5, 6]")
    text = text.replace("output y = x", "(a, _) = x").replace(" -> Global", "\n    output y = a -> Global")
    _assert_trained(text, "float32", x=(5, 6))


def test_penalties_of_more_axes() -> None:
    layer = "MultiHeadAttention(2, 3, attention_axes=2, activity_regularizer=l2(0.1))"
    text = _training(f"x -> {layer} -> Reshape((-1, 6))", "x: float[2, 5, 6]")
    _assert_trained(text, "float32", x=(2, 5, 6))


def test_penalties_of_a_shared_layer() -> None:
    """Each call adds its own, whichever way it takes."""
    text = _training("((x, v) -> look, (v, x) -> look(use_causal_mask=true)) -> Concatenate(axis=1)", "x: float[5, 6]")
    text = text.replace("    output", "    input v: float[4, 6]\n    shared look = LAYER\n    output", 1)
    for layer in BOTH_KINDS:
        program = text.replace("LAYER", f"{layer}, activity_regularizer=l2(0.1))")
        _assert_trained(program, "float32", x=(5, 6), v=(4, 6))


@pytest.mark.parametrize("layer", BOTH_KINDS)
def test_a_layer_is_kept_from_training(layer: str) -> None:
    """With `trainable=False` alone Keras 3.15 trains the projections; the program sets it behind them."""
    options = "trainable=false, kernel_regularizer=l2(0.1)"
    text = _training(f"x -> Dense(6) -> {layer}, {options})", "x: float[5, 6]")
    _assert_trained(text, "float32", x=(5, 6))
    pair = compile_pair(text)
    frozen = [path for path, variable in pair.weights.items() if not variable.trainable]
    assert len(frozen) == 8
    assert sorted(frozen) == sorted(
        e.path for e in pair.state if not dict(pair.torch.named_parameters())[e.key].requires_grad
    )
    assert_parity(model_text(f"(x, v, v) -> {layer}, trainable=false)", "x: float[5, 6]", "v: float[4, 6]"))


# ------------------------------------------------------------------------------- Attention, AdditiveAttention

BOTH = [
    "Attention()",
    "Attention(use_scale=true)",
    "Attention(score_mode=concat)",
    "Attention(use_scale=true, score_mode=concat, dropout=0.3)",
    "Attention(dropout=0.3)",
    "Attention(dropout=0.3, seed=1)",
    "Attention(use_scale=true, use_causal_mask=true)",
    "Attention(score_mode=concat, use_causal_mask=true)",
    "AdditiveAttention()",
    "AdditiveAttention(use_scale=false, dropout=0.2)",
    "AdditiveAttention(use_causal_mask=true, trainable=false)",
]


@pytest.mark.parametrize("layer", BOTH)
@pytest.mark.parametrize("flow", ["(x, v)", "(x, w, v)", "(x, x)"])
def test_attention(layer: str, flow: str) -> None:
    inputs = {"x": "x: float[5, 6]", "v": "v: float[4, 6]", "w": "w: float[4, 3]"}
    used = [declared for name, declared in inputs.items() if name in flow]
    assert_parity(model_text(f"{flow} -> {layer}", *used))


@pytest.mark.parametrize("layer", ["Attention(use_scale=true", "AdditiveAttention(use_scale=true"])
@pytest.mark.parametrize("options", ["", ", use_causal_mask=true"])
def test_free_steps_and_more_axes(layer: str, options: str) -> None:
    layer = f"{layer}{options})"
    assert_parity(model_text(f"(x, v) -> {layer}", "x: float[T, 6]", "v: float[S, 6]"), sizes={"T": 4, "S": 3})
    assert_parity(model_text(f"(x, v) -> {layer}", "x: float[2, 5, 6]", "v: float[2, 4, 6]"))


@pytest.mark.parametrize("layer", BOTH)
@pytest.mark.parametrize("flow", ["(z, MASKED)", "(MASKED, z)", "(MASKED, MASKED)", "(z, z, MASKED)"])
def test_masked_attention(layer: str, flow: str) -> None:
    flow = flow.replace("MASKED", MASKED)
    arrays = {
        "x": np.array([[1, 2, 0, 3, 0], [1, 1, 2, 1, 4], [2, 0, 0, 0, 1]], "int32"),
        "z": np.random.default_rng(3).normal(size=(3, 5, 6)).astype("float32"),
    }
    inputs = [("x: int[5]", "x"), ("z: float[5, 6]", "z")]
    used = [(text, name) for text, name in inputs if name in flow.replace("Embedding", "").replace("mask_zero", "")]
    text = model_text(f"{flow} -> {layer} -> GlobalAveragePooling1D()", *(text for text, _ in used))
    assert_parity(text, arrays={name: arrays[name] for _, name in used})


def test_rows_where_nothing_may_be_seen() -> None:
    """Scores minus 1e9 lose their digits in float32: Keras's own sums are repeated as they are."""
    arrays = {"x": np.array([[0, 0, 0, 0, 0], [0, 1, 2, 0, 0]], "int32")}
    for options in ("", "use_causal_mask=true"):
        assert_parity(model_text(f"({MASKED}, {MASKED}) -> Attention({options})", "x: int[5]"), arrays=arrays)


@pytest.mark.parametrize("layer", ["Attention(use_scale=true", "Attention(score_mode=concat", "AdditiveAttention("])
def test_scores_of_attention(layer: str) -> None:
    layer = f"{layer}{'' if layer.endswith('(') else ', '}return_attention_scores=true)"
    assert_parity(_scores(f"(x, v) -> {layer}", "x: float[5, 6]", "v: float[4, 6]"))
    assert_parity(_scores(f"({MASKED}, {MASKED}) -> {layer}", "x: int[5]"), high=3)
    assert_parity(_scores(f"(x, v) -> {layer}", "x: float[2, 5, 6]", "v: float[2, 4, 6]"))


@pytest.mark.parametrize(
    ("flow", "inputs", "code", "words"),
    [
        ("(x, v) -> Attention()", ["x: float[5, 4]", "v: float[3, 6]"], "NN0302", "4 and 6 features"),
        ("(x, v) -> AdditiveAttention()", ["x: float[5]", "v: float[3, 5]"], "NN0301", "[steps, features]"),
        ("(x, v) -> Attention()", ["x: float[5, 4]", "v: float[2, 3, 4]"], "NN0301", "[steps, features]"),
        ("(x, v, k) -> Attention()", ["x: float[5, 4]", "v: float[3, 4]", "k: float[2, 4]"], "NN0302", "axis 1"),
        ("(x, v) -> Attention()", ["x: float[2, 5, 4]", "v: float[3, 5, 4]"], "NN0302", "axis 1"),
        ("x -> Attention()", ["x: float[5, 4]"], "NN0212", "2 to 3 inputs"),
        ("(x, v) -> Attention(score_mode=sum)", ["x: float[5, 4]", "v: float[5, 4]"], "NN0206", "`dot` or `concat`"),
        ("(x, v) -> AdditiveAttention()", ["x: float[5, F]", "v: float[5, F]"], "NN0304", "`F`"),
    ],
)
def test_mistakes_of_attention(flow: str, inputs: list[str], code: str, words: str) -> None:
    program, problems = check(model_text(flow, *inputs))
    assert program is None
    (found,) = list(problems)
    assert found.code == code
    assert words in f"{found.message} {found.help}"


def test_training_with_penalties_and_constraints() -> None:
    """Both see the weights as Keras lays them out, a head apart from the others."""
    source = """
model M {
    input x: int[6]
    input z: float[4, 6]
    states = x -> Embedding(9, 6, mask_zero=true)
    first = states -> MultiHeadAttention(2, 3, kernel_regularizer=l2(0.01), bias_regularizer=l1(0.02), use_gate=true,
                                         kernel_constraint=MaxNorm(0.8, axis=1), bias_constraint=MaxNorm(0.1))
    second = (z, first) -> Attention(use_scale=true, score_mode=concat)
    output y = (second, z) -> AdditiveAttention() -> Dense(2) with loss=mse
    train { optimizer = SGD(0.05); batch_size = 7; epochs = 3; seed = 1 }
}
"""
    random = np.random.default_rng(2)
    words = random.integers(1, 9, (21, 6)) * (np.arange(6) < random.integers(1, 7, (21, 1)))
    arrays = {
        "x": words.astype("int32"),
        "z": random.normal(size=(21, 4, 6)).astype("float32"),
        "y": random.normal(size=(21, 4, 2)).astype("float32"),
    }
    assert_same_training(source, arrays)


@pytest.mark.parametrize(
    "second",
    [
        "words -> MultiHeadAttention(2, 3)",
        "(first, words) -> MultiHeadAttention(2, 3)",
        "(words, first) -> GroupQueryAttention(3, 2, 1)",
        "(first, words) -> Attention()",
        "(words, first) -> AdditiveAttention() -> GlobalAveragePooling1D()",
        "(words, first) -> Concatenate() -> LSTM(3)",
    ],
)
def test_one_masked_value_into_several_layers(second: str) -> None:
    text = f"""
model Test {{
    input x: int[5]
    words = x -> Embedding(5, 6, mask_zero=true)
    first = (words, words) -> MultiHeadAttention(2, 3) -> Dense(6)
    output y = {second}
    output z = first
}}
"""
    assert_parity(text, high=3)
