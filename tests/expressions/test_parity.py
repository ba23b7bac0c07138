"""Every function and operator with its options: the emitted programs agree with each other, and with numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

from nndsl.layers import catalogue
from nndsl.layers.entry import Entry
from tests.parity_harness import Pair, assert_parity, check, model_text, random_inputs, run_torch

Reference = Callable[..., Any]


def case(expression: str, *inputs: str, reference: Reference | None = None) -> Any:
    return pytest.param(expression, inputs or ("x: float[4]",), reference, id=expression)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


A, B, IMAGE = "a: float[4]", "b: float[4]", "x: float[6, 5, 3]"

OPERATORS = [
    case("a + b", A, B, reference=lambda a, b: a + b),
    case("a - b", A, B, reference=lambda a, b: a - b),
    case("a * b", A, B, reference=lambda a, b: a * b),
    case("a / b", A, B, reference=lambda a, b: a / b),
    case("a // b", A, B, reference=lambda a, b: a // b),
    case("a % b", A, B, reference=lambda a, b: a % b),
    case("abs(a) ** b", A, B, reference=lambda a, b: abs(a) ** b),
    case("a ** 2", A, reference=lambda a: a**2),
    case("abs(a) ** 0.5", A, reference=lambda a: abs(a) ** 0.5),
    case("2 ** a", A, reference=lambda a: 2**a),
    case("-a", A, reference=lambda a: -a),
    case("+a * 1", A, reference=lambda a: a),
    case("1 - a", A, reference=lambda a: 1 - a),
    case("0.5 / a", A, reference=lambda a: 0.5 / a),
    case("a * 0.1 + 2 * 3 - 1", A, reference=lambda a: a * 0.1 + 5),
    case("i // 2 + i % 3 - 1", "i: int[4]", reference=lambda i: i // 2 + i % 3 - 1),
    case("(i - 3) % 4 + (i - 3) // 2 * 10", "i: int[4]", reference=lambda i: (i - 3) % 4 + (i - 3) // 2 * 10),
    case("i ** 2", "i: int64[4]", reference=lambda i: i**2),
    case("cast(a < b, int)", A, B, reference=lambda a, b: a < b),
    case("cast(a <= 0, int)", A, reference=lambda a: a <= 0),
    case("cast(0 < a, int)", A, reference=lambda a: a > 0),
    case("cast(a >= b, float)", A, B, reference=lambda a, b: a >= b),
    case("cast(i == 2, float)", "i: int[4]", reference=lambda i: i == 2),
    case("cast(i != j, float)", "i: int[4]", "j: int[4]", reference=lambda i, j: i != j),
    # broadcasting
    case("a + m", "a: float[3, 4]", "m: float[1, 4]", reference=lambda a, m: a + m),
    case("m + a", "a: float[3, 4]", "m: float[3, 1]", reference=lambda a, m: a + m),
    case("a + m", "a: float[3, 4]", "m: float[3, 1]", reference=lambda a, m: a + m),
    case("a + m", "a: float[4, 4]", "m: float[4, 1]", reference=lambda a, m: a + m),
    case("a + m", "a: float[3, 1]", "m: float[1, 3]", reference=lambda a, m: a + m),
    case("a + m", "a: float[1, 3]", "m: float[3, 1]", reference=lambda a, m: a + m),
    case("x + mean(x, axis=-1, keepdims=true)", "x: float[3]", reference=lambda x: x + x.mean(-1, keepdims=True)),
    case("x - sum(x, axis=0)", "x: float[4]", reference=lambda x: x - x.sum(0)),
    case("x + sum(x, axis=0)", "x: float[5, 5]", reference=lambda x: x + x.sum(0)),
    case("x + sum(x, axis=(0, 2))[:, none]", "x: float[5, 5]", reference=lambda x: x + x.sum((0, 2))[:, None]),
    case("x * sum(x, axis=0, keepdims=true)", "x: float[4]", reference=lambda x: x * x.sum(0, keepdims=True)),
    case("x / mean(x)", "x: float[4]", reference=lambda x: x / x.mean()),
    # slices
    case("x[:, 0]", "x: float[4]", reference=lambda x: x[:, 0]),
    case("x[:, -1]", "x: float[4, 3]", reference=lambda x: x[:, -1]),
    case("x[:, 1:, ::2]", "x: float[4, 5]", reference=lambda x: x[:, 1:, ::2]),
    case("x[:, :-1]", "x: float[T, 5]", reference=lambda x: x[:, :-1]),
    case("x[:, -3:]", "x: float[T, 5]", reference=lambda x: x[:, -3:]),
    case("x[:, none] * x[:, :, none]", "x: float[4]", reference=lambda x: x[:, None] * x[:, :, None]),
    case("x[:, 1:4:2]", "x: float[4]", reference=lambda x: x[:, 1:4:2]),
    case("x - sum(x, axis=0)[0]", "x: float[4]", reference=lambda x: x - x.sum(0)[0]),
    case("x[..]", "x: float[4]", reference=lambda x: x),
    case("x[.., 0]", "x: float[4, 3]", reference=lambda x: x[..., 0]),
    case("x[:, 1, ..]", "x: float[4, 3, 2]", reference=lambda x: x[:, 1]),
    case("x[.., none, :2]", "x: float[4, 3]", reference=lambda x: x[..., None, :2]),
    # matrices
    case("a @ b", "a: float[3, 4]", "b: float[4, 5]", reference=lambda a, b: a @ b),
    case("a @ b", "a: float[2, 3, 4]", "b: float[1, 4, 5]", reference=lambda a, b: a @ b),
    case("x @ sum(m, axis=0)", "x: float[4]", "m: float[4, 5]", reference=lambda x, m: x @ m.sum(0)),
    case("x @ sum(m, axis=0)", "x: float[4]", "m: float[4]", reference=lambda x, m: x @ m.sum(0)),
    case("sum(m, axis=0) @ a", "m: float[2, 3]", "a: float[3, 4]", reference=lambda m, a: m.sum(0) @ a),
    case("matmul(a, b)", "a: float[T, 4]", "b: float[4, S]", reference=lambda a, b: a @ b),
]

ELEMENTWISE = [
    case("exp(x)", reference=np.exp),
    case("expm1(x)", reference=np.expm1),
    case("log(abs(x))", reference=lambda x: np.log(abs(x))),
    case("log1p(abs(x))", reference=lambda x: np.log1p(abs(x))),
    case("sqrt(abs(x))", reference=lambda x: abs(x) ** 0.5),
    case("rsqrt(abs(x))", reference=lambda x: abs(x) ** -0.5),
    case("sin(x) + cos(x)", reference=lambda x: np.sin(x) + np.cos(x)),
    case("erf(x)", reference=special.erf),
    case("abs(x)", reference=abs),
    case("abs(i - 2)", "i: int[4]", reference=lambda i: abs(i - 2)),
    case("square(x)", reference=np.square),
    case("sign(x)", reference=np.sign),
    case("floor(x * 3)", reference=lambda x: np.floor(x * 3)),
    case("ceil(x * 3)", reference=lambda x: np.ceil(x * 3)),
    case("round(x * 3)", reference=lambda x: np.round(x * 3)),
    case("relu(x)", reference=lambda x: np.maximum(x, 0)),
    case("relu6(x * 5)", reference=lambda x: np.clip(x * 5, 0, 6)),
    case("leaky_relu(x, 0.1)", reference=lambda x: np.where(x > 0, x, 0.1 * x)),
    case("elu(x)", reference=lambda x: np.where(x > 0, x, np.expm1(x))),
    case("elu(x, alpha=0.5)", reference=lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
    case("selu(x)"),
    case("gelu(x)", reference=lambda x: x * 0.5 * (1 + special.erf(x / 2**0.5))),
    case("gelu(x, approximate=true)"),
    case("silu(x)", reference=lambda x: x * sigmoid(x)),
    case("sigmoid(x)", reference=sigmoid),
    case("log_sigmoid(x)", reference=lambda x: np.log(sigmoid(x))),
    case("hard_sigmoid(x)", reference=lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    case("tanh(x)", reference=np.tanh),
    case("softplus(x)", reference=lambda x: np.log1p(np.exp(x))),
    case("softsign(x)", reference=lambda x: x / (1 + abs(x))),
    case("softmax(x)", reference=lambda x: special.softmax(x, -1)),
    case("softmax(x, axis=1)", "x: float[4, 3]", reference=lambda x: special.softmax(x, 1)),
    case("log_softmax(x, axis=1)", "x: float[4, 3]", reference=lambda x: special.log_softmax(x, 1)),
    case("softmax(x, axis=0)", reference=lambda x: special.softmax(x, 0)),
]

REDUCTIONS = [
    case(f"{name}(x, {options})", "x: float[4, 3]", reference=lambda x, f=f, k=k: f(x, **k))
    for name, f in {
        "sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "prod": np.prod, "var": np.var, "std": np.std,
        "logsumexp": special.logsumexp, "norm": lambda x, **k: np.sqrt(np.square(x).sum(**k)),
    }.items()
    for options, k in {
        "axis=1": {"axis": 1},
        "axis=-1, keepdims=true": {"axis": -1, "keepdims": True},
        "axis=(1, 2)": {"axis": (1, 2)},
        "axis=(1, -1), keepdims=true": {"axis": (1, 2), "keepdims": True},
    }.items()
] + [
    case(f"x * {name}(x)", "x: float[4, 3]", reference=lambda x, f=f: x * f(x))
    for name, f in {
        "sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "prod": np.prod, "var": np.var, "std": np.std,
        "logsumexp": special.logsumexp, "norm": lambda x: np.sqrt(np.square(x).sum()),
    }.items()
] + [
    case("x * norm(x, keepdims=true)", "x: float[4, 3]", reference=lambda x: x * np.square(x).sum() ** 0.5),
    case("x * max(x, keepdims=true) * prod(x, keepdims=true)", "x: float[2]",
         reference=lambda x: x * x.max() * x.prod()),
    case("x * logsumexp(x, keepdims=true)", "x: float[2]", reference=lambda x: x * special.logsumexp(x)),
    case("x - mean(x, axis=(0, 1))", "x: float[4, 3]", reference=lambda x: x - x.mean((0, 1))),
    case("norm(x, ord=1, axis=-1)", "x: float[4]", reference=lambda x: abs(x).sum(-1)),
    case("norm(x, ord=3, axis=1, keepdims=true)", "x: float[4]",
         reference=lambda x: (abs(x) ** 3).sum(1, keepdims=True) ** (1 / 3)),
    case("sum(i, axis=1)", "i: int[4]", reference=lambda i: i.sum(1)),
    case("sum(i, axis=1)", "i: int64[4]", reference=lambda i: i.sum(1)),
    case("sum(x > 0, axis=1)", reference=lambda x: (x > 0).sum(1)),
    case("max(i, axis=1) - min(i, axis=1)", "i: int[4]", reference=lambda i: i.max(1) - i.min(1)),
    case("cast(any(x > 0, axis=1), int)", reference=lambda x: (x > 0).any(1)),
    case("cast(all(x > 0, axis=1, keepdims=true), int)", reference=lambda x: (x > 0).all(1, keepdims=True)),
    case("argmax(x, axis=1)", "x: float[4, 3]", reference=lambda x: x.argmax(1)),
    case("argmin(x, axis=-1, keepdims=true)", "x: float[4, 3]", reference=lambda x: x.argmin(-1, keepdims=True)),
    case("i - argmax(x)", "i: int[4]", "x: float[4]", reference=lambda i, x: i - x.argmax()),
]  # fmt: skip

PRODUCTS = [
    case('einsum("bij,bjk->bik", a, b)', "a: float[3, 4]", "b: float[4, 5]", reference=lambda a, b: a @ b),
    case('einsum("bi, bj -> bij", a, b)', "a: float[3]", "b: float[T]",
         reference=lambda a, b: np.einsum("bi,bj->bij", a, b)),
    case('einsum("bij->bi", a)', "a: float[3, 4]", reference=lambda a: a.sum(2)),
    case("add(x, z, z)", "x: float[4]", "z: float[4]", reference=lambda x, z: x + 2 * z),
    case("add([x, z])", "x: float[3, 4]", "z: float[3, 1]", reference=lambda x, z: x + z),
    case("subtract(x, z)", "x: float[4]", "z: float[4]", reference=lambda x, z: x - z),
    case("multiply(x, z)", "x: float[4]", "z: float[4]", reference=lambda x, z: x * z),
    case("average(x, z)", "x: float[4]", "z: float[4]", reference=lambda x, z: (x + z) / 2),
    case("dot(x, z, axes=(2, 1))", "x: float[3, 4]", "z: float[4, 2]", reference=lambda x, z: x @ z),
    case('x @ einsum("bi,bj->ij", x, a)', "x: float[3]", "a: float[4]", reference=lambda x, a: x @ (x.T @ a)),
]  # fmt: skip


M23, M43 = "x: float[2, 3]", "x: float[4, 3]"

CHOICES = [
    case("where(x > 0, x, 0.1 * x)", reference=lambda x: np.where(x > 0, x, 0.1 * x)),
    case("where(x > 0, x, 0)", reference=lambda x: np.where(x > 0, x, 0)),
    case("where(x > 0, 1.0, -1)", reference=lambda x: np.where(x > 0, 1.0, -1.0)),
    case("where(x > 0, 1, 0)", reference=lambda x: np.where(x > 0, 1, 0)),
    case("where(c, a, b)", "c: bool[4]", A, B, reference=np.where),
    case("where(c, a, b)", "c: bool[3, 1]", "a: float[3, 4]", "b: float[1, 4]", reference=np.where),
    case("maximum(a, b)", A, B, reference=np.maximum),
    case("minimum(a, b)", A, B, reference=np.minimum),
    case("maximum(x, 0) + minimum(x, -1)", reference=lambda x: np.maximum(x, 0) + np.minimum(x, -1)),
    case("maximum(0, x) + minimum(-1, x)", reference=lambda x: np.maximum(x, 0) + np.minimum(x, -1)),
    case("maximum(i, 2)", "i: int[4]", reference=lambda i: np.maximum(i, 2)),
    case("clip(x, -0.5, 1)", reference=lambda x: np.clip(x, -0.5, 1)),
    case("clip(i, x_min=1, x_max=3)", "i: int[4]", reference=lambda i: np.clip(i, 1, 3)),
    case("cast(x * 3, int)", reference=lambda x: (x * 3).astype(int)),
    case("cast(i, float) / 2", "i: int[4]", reference=lambda i: i / 2),
    case("cast(cast(x, bool), float32)", reference=lambda x: x != 0),
    case("cast(logical_and(x > 0, x < 1), int)", reference=lambda x: (x > 0) & (x < 1)),
    case("cast(logical_or(x < 0, x > 1), int)", reference=lambda x: (x < 0) | (x > 1)),
    case("cast(logical_not(x > 0), int)", reference=lambda x: ~(x > 0)),
    case("zeros_like(x) - ones_like(x)", reference=lambda x: -np.ones_like(x)),
    case("ones_like(x, dtype=int)", reference=lambda x: np.ones_like(x)),
]

ARRANGED = [
    case("reshape(x, (3, 2))", M23, reference=lambda x: x.reshape(-1, 3, 2)),
    case("reshape(x, -1)", M23, reference=lambda x: x.reshape(-1, 6)),
    case("reshape(x + 1, (-1, 4))", "x: float[T, 8]", reference=lambda x: (x + 1).reshape(3, -1, 4)),
    case("reshape(x, (T2, 4))".replace("T2", "-1"), "x: float[2, 2]", reference=lambda x: x.reshape(3, 1, 4)),
    case("x @ reshape(sum(m, axis=0), (4, -1))", "x: float[4]", "m: float[2, 8]",
         reference=lambda x, m: x @ m.sum(0).reshape(4, -1)),
    case("transpose(x, axes=(0, 2, 1))", M23, reference=lambda x: x.swapaxes(1, 2)),
    case("transpose(x, (0, 3, 1, 2))", IMAGE, reference=lambda x: x.transpose(0, 3, 1, 2)),
    case("x @ transpose(sum(m, axis=0))", "x: float[4]", "m: float[5, 4]", reference=lambda x, m: x @ m.sum(0).T),
    case("concat([a, b])", A, "b: float[2]", reference=lambda a, b: np.concatenate([a, b], -1)),
    case("concat((a, b, a), axis=1)", "a: float[T, 3]", "b: float[2, 3]",
         reference=lambda a, b: np.concatenate([a, b, a], 1)),
    case("stack([a, b, a], axis=1)", A, B, reference=lambda a, b: np.stack([a, b, a], 1)),
    case("stack([a, b], axis=-1)", A, B, reference=lambda a, b: np.stack([a, b], -1)),
    case("x @ stack([sum(x, axis=0), mean(x, axis=0)], axis=1)", "x: float[4]",
         reference=lambda x: x @ np.stack([x.sum(0), x.mean(0)], 1)),
    case("expand_dims(x, 1) + expand_dims(x, -1)", reference=lambda x: x[:, None] + x[:, :, None]),
    case("squeeze(x)", "x: float[1, 4, 1]", reference=lambda x: x[:, 0, :, 0]),
    case("squeeze(x, axis=1)", "x: float[1, 4, 1]", reference=lambda x: x[:, 0]),
    case("squeeze(x, axis=(1, -1))", "x: float[1, 4, 1]", reference=lambda x: x[:, 0, :, 0]),
    case("cumsum(x, axis=1)", M43, reference=lambda x: x.cumsum(1)),
    case("cumsum(i, axis=-1)", "i: int[4]", reference=lambda i: i.cumsum(-1)),
    case("flip(x, axis=1)", M43, reference=lambda x: x[:, ::-1]),
    case("flip(x, axis=(1, 2))", M43, reference=lambda x: x[:, ::-1, ::-1]),
    case("tile(x, (1, 2, 3))", "x: float[T, 3]", reference=lambda x: np.tile(x, (1, 2, 3))),
    case("pad(x, ((0, 0), (1, 2), (0, 3)))", M43, reference=lambda x: np.pad(x, ((0, 0), (1, 2), (0, 3)))),
    case("pad(x, ((0, 0), (1, 0)), constant_values=-1)",
         reference=lambda x: np.pad(x, ((0, 0), (1, 0)), constant_values=-1)),
    case("x + arange(4, dtype=float)", reference=lambda x: x + np.arange(4)),
    case("x + arange(1, 3, 0.5)", reference=lambda x: x + np.arange(1, 3, 0.5)),
    case("i + arange(3, -1, -1)", "i: int[4]", reference=lambda i: i + np.arange(3, -1, -1)),
]  # fmt: skip

TIES = [
    *(case(f"{name}(x, axis=1)", "x: float[4]") for name in ("max", "min", "prod", "norm", "std")),
    case("maximum(x, 0)"),
    case("maximum(0, x)"),
    case("minimum(x, z)", "x: float[4]", "z: float[4]"),
    case("clip(x, 0, 1)"),
    case("abs(x) + relu(x) + sign(x)"),
    case("x ** 2 + (x + 1) ** 0.5"),
    case("x * norm(x, ord=1, axis=1, keepdims=true)"),
    case("relu6(x) + leaky_relu(x) + elu(x) + selu(x)"),
]


def test_every_function_is_here() -> None:
    written = " ".join(case.values[0] for case in ALL)
    drawn = {"random_normal", "random_uniform"}  # tests/expressions/test_emitted.py
    missing = {cls.title() for cls in catalogue.entries("function") if f"{cls.title()}(" not in written}
    assert missing <= drawn
    signs = {cls.title() for cls in catalogue.entries("operator")} - {"[]"}
    assert all(f"{sign} " in written or f"{sign}a" in written for sign in signs)


@pytest.mark.parametrize(
    "cls", [*catalogue.entries("function"), *catalogue.entries("operator")], ids=lambda c: c.__name__
)
def test_examples_compile(cls: type[Entry]) -> None:
    example = cls.documentation().partition("\nExample:\n")[2].strip()
    inputs = ["x", "a", "b", "gate", "scores", "mu", "logvar", "ids"]
    for shape in ("[8]", "[8, 8]"):
        lines = "".join(f" input {name}: {'int' if name == 'ids' else 'float'}{shape}\n" for name in inputs)
        program, problems = check(f"model M {{\n{lines} output y = {example}\n}}")
        if program is not None:
            return
    raise AssertionError([problem.message for problem in problems])


ALL = [*OPERATORS, *ELEMENTWISE, *REDUCTIONS, *PRODUCTS, *CHOICES, *ARRANGED]


def expected(pair: Pair, reference: Reference) -> tuple[np.ndarray, np.ndarray]:
    arrays = random_inputs(pair.model)
    outputs, _ = run_torch(pair, arrays)
    return outputs["y"], np.asarray(reference(*arrays.values()))


@pytest.mark.thinned
@pytest.mark.parametrize("expression, inputs, reference", ALL)
def test_both_agree(expression: str, inputs: tuple[str, ...], reference: Reference | None) -> None:
    pair = assert_parity(model_text(expression, *inputs))
    if reference is not None:
        found, wanted = expected(pair, reference)
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("expression, inputs, reference", TIES)
def test_gradients_agree_where_values_are_equal(
    expression: str, inputs: tuple[str, ...], reference: Reference | None
) -> None:
    rows = np.array([[0, 0, 0, 0], [1, 1, -1, 1], [0, 2, 2, 0]], np.float32)
    assert_parity(model_text(expression, *inputs), arrays={item.split(":")[0]: rows.copy() for item in inputs})


@pytest.mark.parametrize("expression, inputs, reference", [*OPERATORS, *ELEMENTWISE])
def test_a_batch_of_one(expression: str, inputs: tuple[str, ...], reference: Reference | None) -> None:
    assert_parity(model_text(expression, *inputs), batch=1)


@pytest.mark.parametrize(
    "expression",
    ["x * 0.1 + silu(x) / 3", "where(x > 0, 0.1, -0.3) * x", "softplus(x) + x ** 0.3", "clip(x, 0.1, 0.7)",
     "maximum(x, 0.1) - pad(x, ((0, 0), (0, 0)), constant_values=0.1)", "x + arange(0, 0.4, 0.1) * logsumexp(x)",
     "cast(cast(x, int), float) * x + cast(x > 0.1, float)"],
)  # fmt: skip
def test_float64(expression: str) -> None:
    inputs = "x: float[4]"
    expression = expression.replace("x ** 0.3", "abs(x) ** 0.3")
    assert_parity(model_text(expression, inputs, options="float = float64"), tolerance=1e-10)
