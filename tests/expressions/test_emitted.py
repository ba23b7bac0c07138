"""How expressions look in the emitted programs, and what keeps their meaning there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import keras
import numpy as np
import pytest
import torch

from nndsl import pipeline
from tests.parity_harness import assert_parity, check, compile_pair, model_text, random_inputs, run_torch

EVERYTHING = """
model Everything {
    input x: float[T, 8]
    input gate: float[8]
    input ids: int[8]
    mean = mean(x, axis=1)
    centered = (mean - mean(mean, axis=-1, keepdims=true)) -> Dense(4)
    maximum = maximum(mean, gate) * where(ids > 2, 1.5, 0.5) - minimum(0, gate)
    noisy = gate + exp(0.5 * maximum) * random_normal(like=gate, mean=1, stddev=0) + cumsum(cast(ids, float), axis=1)
    output y = (concat([noisy, centered]) -> Dense(3)) / norm(gate, axis=-1, keepdims=true)
    output scores = softmax(einsum("bti,bsi->bts", x, x) / sqrt(8)) @ x
    output best = cast(argmax(y, axis=-1) + sum(ids // 2 % 3, axis=1), float)
    output part = x[:, 1:] - x[:, :-1] + arange(8, dtype=float)
    output low = cast(any(gate < 0, axis=1), float)
}
"""


def forward(text: str, target: str = "torch") -> str:
    program, problems = check(text)
    assert program is not None, [problem.message for problem in problems]
    emitted = pipeline.emit(program, target)
    start = emitted.index("    def forward" if target == "torch" else "    x = keras.Input")
    return emitted[start : emitted.index("return", start)]


def test_everything_agrees() -> None:
    assert_parity(EVERYTHING)


def test_an_expression_is_one_expression() -> None:
    text = model_text("(x * sigmoid(gate) + 0.5 - mean(x)) ** 2", "x: float[8]", "gate: float[8]")
    assert "        y = (x * torch.sigmoid(gate) + 0.5 - x.mean()) ** 2\n" in forward(text)
    assert "    y = (x * keras.ops.sigmoid(gate) + 0.5 - keras.ops.mean(x)) ** 2\n" in forward(text, "keras")


def test_a_layer_takes_an_expression() -> None:
    assert "y = self.y(x - x.mean(dim=-1, keepdim=True))" in forward(
        model_text("(x - mean(x, axis=-1, keepdims=true)) -> Dense(4)", "x: float[8]")
    )


def test_what_is_used_twice_is_computed_once() -> None:
    text = "model M {\n input x: float[4]\n h = exp(x)\n output y = h * h + tanh(h)\n}"
    assert forward(text).count("exp") == 1
    assert forward(text, "keras").count("exp") == 1


def test_a_variable_lives_as_long_as_what_is_made_of_it() -> None:
    """`x` must not be given to the second layer while `exp(x)` waits to be written."""
    assert_parity(model_text("exp((a -> Dense(4))) + (a -> Dense(4))", "a: float[4]"))
    assert_parity(model_text("(exp((a -> Dense(4))) + (a -> Dense(4) -> Dense(4))) * (a -> Dense(4))", "a: float[4]"))


def test_a_layer_that_reads_its_input_twice() -> None:
    text = model_text("(a + 1, a * 2) -> Multiply() -> ReLU(negative_slope=0.1, max_value=1)", "a: float[4]")
    assert_parity(text)
    assert_parity(model_text("(a + 1) -> ReLU(negative_slope=0.1, max_value=1)", "a: float[4]"))
    assert "(a + 1)" not in forward(text).partition("value")[2].partition("\n")[2]


def test_long_sums_are_not_one_line() -> None:
    assert_parity(model_text(" + ".join(["a"] * 60) + " * 2", "a: float[4]"))


def test_images_stay_in_order() -> None:
    text = model_text("1 - relu((x -> Conv2D(4, 3)) * 2) -> Conv2D(2, 3)", "x: float[8, 8, 3]")
    assert forward(text).count("movedim") == 1  # and one in the result
    assert_parity(text)
    assert_parity(model_text("softmax((x -> Conv2D(4, 3)), axis=1) + concat([x, x], axis=3)[:, :6, :6, :4]",
                             "x: float[8, 8, 3]"))  # fmt: skip
    assert_parity(model_text("(x -> Conv2D(4, 3)) + sum(x, axis=(0, 1))[:6, :1]", "x: float[8, 8, 3]"))


def test_parts_of_a_model() -> None:
    text = """
    model M {
        input x: float[8]
        code = tanh((x -> Dense(3)) * 0.5)
        output y = exp(code) -> Dense(8)
        submodel encoder(x) = code
        submodel decoder(code) = y
    }
    """
    assert_parity(text)


def test_a_sigmoid_before_its_loss_trains_from_logits() -> None:
    for name, loss in (("sigmoid", "binary_crossentropy"), ("softmax", "categorical_crossentropy")):
        text = model_text(f"{name}((x -> Dense(3)) * 2) with loss={loss}", "x: float[8]")
        program, _ = check(text)
        assert program is not None
        assert 'return {"y": y if logits else ' in pipeline.emit(program, "torch")
        assert_parity(text)


NOISE = "model M {\n input x: float[1000]\n output a = random_normal(like=x, mean=2, stddev=0.5)\n" \
        " output b = random_uniform(like=x, min=-1, max=3)\n}"  # fmt: skip


@pytest.mark.parametrize("training", [False, True])
def test_random_numbers(training: bool) -> None:
    pair = compile_pair(NOISE)
    arrays = random_inputs(pair.model, batch=20)
    torch.manual_seed(3)
    found, _ = run_torch(pair, arrays, training)
    torch.manual_seed(3)
    again, _ = run_torch(pair, arrays, training)
    assert (found["a"] == again["a"]).all() and (found["b"] == again["b"]).all()
    both = {name: np.asarray(y) for name, y in pair.keras(arrays["x"], training=training).items()}
    later = pair.keras(arrays["x"], training=training)
    assert (np.asarray(later["a"]) != both["a"]).any()
    for values in (found, both):
        assert values["a"].mean() == pytest.approx(2, abs=0.02)
        assert values["a"].std() == pytest.approx(0.5, abs=0.02)
        assert values["b"].min() >= -1 and values["b"].max() < 3
        assert values["b"].mean() == pytest.approx(1, abs=0.05)
        assert values["b"].std() == pytest.approx(4 / 12**0.5, abs=0.05)


def test_keras_draws_follow_the_seed() -> None:
    drawn = []
    for _ in range(2):
        pair = compile_pair(NOISE)
        keras.utils.set_random_seed(5)
        pair = compile_pair(NOISE)
        drawn.append(np.asarray(pair.keras(np.zeros((2, 1000), np.float32))["a"]))
    assert (drawn[0] == drawn[1]).all()


def test_draws_stand_in_the_order_of_the_file() -> None:
    text = model_text("exp(random_normal(like=x)) + random_uniform(like=x)", "x: float[4]")
    body = forward(text)
    assert body.index("randn_like") < body.index("rand_like") < body.index("exp")


def test_torch_is_typed_and_formatted(tmp_path: Path, well_typed: Callable[[Iterable[Path]], None]) -> None:
    program, _ = check(EVERYTHING)
    assert program is not None
    for target in ("torch", "keras"):
        file = tmp_path / f"{target}_program.py"
        file.write_text(pipeline.emit(program, target))
        for command in (["check", "--select=E,F,W,I,UP,B,SIM", "--ignore=E501"], ["format", "--diff"]):
            done = subprocess.run([sys.executable, "-m", "ruff", *command, "--no-cache", "--line-length=88", str(file)],
                                  capture_output=True, text=True, check=False)  # fmt: skip
            assert done.returncode == 0, done.stdout
    well_typed([tmp_path / "torch_program.py"])
