"""EinsumDense against real Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from nndsl.layers import catalogue
from nndsl.layers.families.einsum_dense import parse
from tests.parity_harness import assert_parity, assert_signature, check, compile_pair, model_text
from tests.training.training_harness import assert_same_training

pytestmark = [pytest.mark.keras, pytest.mark.torch]


def test_signature() -> None:
    assert_signature("EinsumDense")


LAYERS = [
    ('"ab,bc->ac", 5', "7"),
    ('"ab,bc->ac", 5, bias_axes="c", activation=relu', "7"),
    ('"ab,cb->ac", [5], bias_axes="c"', "7"),
    ('"abc,cd->abd", (none, 5), bias_axes="d", activation=softmax', "4, 3"),
    ('"abc,cd->abd", (none, 5), bias_axes="d"', "T, 3"),
    ('"abc,cde->abde", (4, 2, 6), bias_axes="de"', "4, 3"),
    ('"abc,cde->abde", (none, 2, 6), bias_axes="e"', "T, 3"),
    ('"abcd,cde->abe", (none, 5), bias_axes="e"', "6, 2, 3"),
    ('"abc,bcd->abd", (none, 5), bias_axes="bd"', "4, 3"),
    ('"abc,bd->adc", (5, 3), bias_axes="d"', "4, 3"),
    ('"abc,cd->ad", 5, bias_axes="d"', "T, 3"),
    ('"abc,b->abc", (4, 3), bias_axes="bc"', "4, 3"),
    ('"...x,xy->...y", 5, bias_axes="y"', "7"),
    ('"...x,xy->...y", 5, bias_axes="y"', "4, 7"),
    ('"...x,xy->...y", 5, bias_axes="y"', "4, T, 7"),
    ('"...x,xy->...y", 5, bias_axes="y"', "2, 4, 6, 7"),
    ('"...bx,bxy->...by", (4, 5), bias_axes="by"', "2, 3, 4, 7"),
    ('"...bx,xy->...by", 5, bias_axes="y"', "7"),
    ('"abx...,xy->aby...", (4, 5)', "4, 3"),
    ('"abx...,xy->aby...", (none, 5), bias_axes="by"', "4, 3, 2, 6"),
    ('"ab...,bc->ac...", 5, bias_axes="c"', "4, 3, 2"),
]


@pytest.mark.parametrize(("arguments", "shape"), LAYERS)
def test_parity(arguments: str, shape: str) -> None:
    flow = f"x -> EinsumDense({arguments})"
    assert_parity(model_text(flow, f"x: float[{shape}]"), tolerance=1e-5)
    assert_parity(model_text(flow, f"x: float[{shape}]", options="float = float64"), tolerance=1e-12)


@pytest.mark.parametrize("behind", ["Flatten() -> Dense(2)", "Reshape((-1, 5)) -> Dense(2)", "Dense(3)"])
@pytest.mark.parametrize("shape", ["4, 7", "2, 4, 7", "2, 4, 6, 7"])
def test_what_follows_knows_the_shape(shape: str, behind: str) -> None:
    """Keras itself takes `none` for unknown, and turns the axes of an ellipsis around."""
    inner = ", ".join(["none"] * (shape.count(",")))
    letters = "bcde"[: shape.count(",")]
    assert_parity(model_text(f'x -> EinsumDense("...x,xy->...y", 5) -> {behind}', f"x: float[{shape}]"))
    equation = f"a{letters}x,xy->a{letters}y"
    assert_parity(model_text(f'x -> EinsumDense("{equation}", ({inner}, 5)) -> {behind}', f"x: float[{shape}]"))


def test_a_shared_layer() -> None:
    assert_parity(
        "model M {\n    input a: float[4, 3]\n    input b: float[T, 3]\n"
        '    shared d = EinsumDense("abc,cd->abd", (none, 5), bias_axes="d")\n'
        "    output y = a -> d\n    output z = b -> d\n}\n"
    )


def test_channels_first_is_the_order_of_the_file() -> None:
    text = model_text(
        'x -> Conv2D(4, 1) -> EinsumDense("abcd,be->aecd", (5, none, none)) -> Conv2D(2, 1)',
        "x: float[3, 5, 6]",
        options="data_format = channels_first",
    )
    assert_parity(text)


def test_a_mask_ends_here() -> None:
    flow = 'x -> Embedding(5, 3, mask_zero=true) -> EinsumDense("abc,cd->abd", (none, 2)) -> GlobalAveragePooling1D()'
    assert_parity(model_text(flow, "x: int[6]"))


def test_training() -> None:
    source = """
model M {
    input x: float[4, 3]
    h = x -> EinsumDense("abc,cde->abde", (none, 2, 5), bias_axes="de", activation=tanh, kernel_regularizer=l2(0.01),
                         bias_regularizer=l1(0.001), kernel_constraint=MaxNorm(1, axis=0), bias_constraint=NonNeg())
    output y = h -> EinsumDense("abde,bde->a", [], trainable=false) -> Reshape((1,)) -> Dense(2) with loss=mse
    train { optimizer = SGD(0.05); batch_size = 7; epochs = 3; seed = 1 }
}
""".replace('"abde,bde->a", [], trainable=false) -> Reshape((1,))', '"abde,bdef->af", 6, trainable=false)')
    random = np.random.default_rng(2)
    x, y = random.normal(size=(21, 4, 3)), random.normal(size=(21, 2))
    assert_same_training(source, {"x": x.astype("float32"), "y": y.astype("float32")})


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ('"abc,cde->abde", (4, 2, 6)', "4, 3"),
        ('"abc,dc->abd", (4, 2)', "4, 3"),
        ('"abc,bcd->abd", (4, 5)', "4, 3"),
        ('"...de,fde->...f", 5', "4, 3, 2"),
    ],
)
def test_initializers_count_the_axes_as_keras_does(arguments: str, shape: str) -> None:
    """Glorot's limit lies at sqrt(6 / (fan_in + fan_out))."""
    pair = compile_pair(
        model_text(f"x -> EinsumDense({arguments}, kernel_initializer=he_uniform)", f"x: float[{shape}]")
    )
    [use] = pair.model.layers
    [kernel] = use.config.weights(*use.nodes[0].input_types)
    layer = next(layer for layer in pair.keras.layers if layer.name == use.path)
    from keras.src.layers.core.einsum_dense import _analyze_einsum_string

    sizes = tuple(int(size) for size in shape.split(", "))
    found = _analyze_einsum_string(layer.equation, None, (None, *sizes), layer.partial_output_shape)
    assert tuple(found[0]) == kernel.shape
    initializer = keras.initializers.HeUniform()
    fan_in, _ = keras.src.initializers.random_initializers.compute_fans(kernel.shape, found[3], found[4])
    assert kernel.fans[0] == fan_in
    assert initializer.mode == "fan_in"


def test_torch_is_written_as_by_hand() -> None:
    text = compile_pair(
        model_text('x -> EinsumDense("abc,cd->abd", (none, 5), bias_axes="d", activation=relu)', "x: float[T, 3]")
    ).texts["torch"]
    assert 'F.relu(torch.einsum("abc,cd->abd", x, self.y_kernel) + self.y_bias)' in text


def test_the_equation_is_only_ever_a_literal() -> None:
    assert parse('abc,cd->abd") or print("x') is None
    assert parse("a" * 300 + ",b->a") is None
    cls = catalogue.find("layer", "EinsumDense")
    assert cls is not None
    for wrong in ("ab,bc->ac\n", "ab,bc->ac#", "äb,bc->ac", "...ab...,bc->...ac...", "ab,bc->ac...", "...ab,bc->ac"):
        assert parse(wrong) is None, wrong


@pytest.mark.parametrize(
    ("arguments", "shape", "code", "part"),
    [
        ("5, 5", "7", "NN0205", "an equation such as"),
        ('"ab,bc", 5', "7", "NN0206", "an equation such as"),
        ('"ab, bc -> ac", 5', "7", "NN0206", '`"ab,bc->ac"`'),
        ('"aab,bc->ac", 5', "7", "NN0206", "`a` twice in its input"),
        ('"ab,bc->ad", 5', "7", "NN0206", "`d` in its output"),
        ('"ab,bcd->ac", 5', "7", "NN0206", "`d` in its kernel"),
        ('"ab,bc->ca", 5', "7", "NN0206", "must begin with `a`"),
        ('"ab,abc->ac", 5', "7", "NN0206", "the batch axis `a` in its kernel"),
        ('"ab,bc->ac", 0', "7", "NN0206", "`output_shape`"),
        ('"ab,bc->ac", 5', "4, 7", "NN0301", "which are 3"),
        ('"...abc,cd->...abd", 5', "7", "NN0301", "3 or more axes"),
        ('"...bx,xy->...yb", 5', "7", "NN0302", "`b` is the batch axis"),
        ('"ab,bc->ac", (3, 5)', "7", "NN0302", "has 2 sizes"),
        ('"abc,cd->abd", (5, 5)', "4, 7", "NN0302", "the input has 4 there"),
        ('"ab,bc->ac", [none]', "7", "NN0302", "how large `c`"),
        ('"ab,bc->ac", 5', "N", "NN0304", "`N`"),
        ('"abc,bcd->abd", (none, 5)', "T, 3", "NN0304", "`T`"),
        ('"abc,cd->abd", (none, 5), bias_axes="bd"', "T, 3", "NN0304", "bias"),
        ('"ab,bc->ac", 5, bias_axes="b"', "7", "NN0215", "letters of the output"),
        ('"ab,bc->ac", 5, bias_axes="ac"', "7", "NN0215", "no batch axis"),
        ('"ab,bc->ac", 5, bias_axes=""', "7", "NN0215", "letters of the output"),
        ('"ab,bc->ac", 5, bias_axes="cc"', "7", "NN0215", "letters of the output"),
        ('"abc,cd->adb", (4, none), bias_axes="d"', "4, 3", "NN0218", "be the last of the output"),
        ('"abc,cd->adb", (4, none), bias_axes="d"', "T, 3", "NN0218", "be the last of the output"),
    ],
)
def test_mistakes(arguments: str, shape: str, code: str, part: str) -> None:
    program, problems = check(model_text(f"x -> EinsumDense({arguments})", f"x: float[{shape}]"))
    assert program is None
    [problem] = [item for item in problems if item.code == code]
    assert part in f"{problem.message} {problem.help}"


def test_integers_are_refused() -> None:
    program, problems = check(model_text('x -> EinsumDense("ab,bc->ac", 5)', "x: int[7]"))
    assert program is None and [item.code for item in problems] == ["NN0305"]


def test_the_bias_that_keras_adds_to_another_axis() -> None:
    """Why such a bias is refused: 4 steps, 4 features, and the bias of the features lands on the steps."""
    layer = keras.layers.EinsumDense("abc,cd->adb", (4, 4), bias_axes="d", bias_initializer=lambda s, dtype: _count(s))
    result = np.asarray(layer(np.zeros((1, 4, 3), "float32")))[0]
    assert (result == np.arange(4)).all()  # the last axis; the first would be right


def _count(shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(np.prod(shape), dtype="float32").reshape(shape)
