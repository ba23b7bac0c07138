"""`precision = bfloat16 | float16`: weights, outputs and losses stay float32 in both programs, other numbers do not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tensorflow")
from tests.training.test_programs import CLASSIFIER, emit, load, run, samples  # noqa: E402
from tests.training.training_harness import Programs  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.keras]
HALVES = ["bfloat16", "float16"]

EVERYTHING = """
block Head(n) {
    input x
    output y = x -> Dense(n, activation=softmax)
}
model Everything {
    input x: float[6]
    input steps: float[5, 3]
    h = x -> Dense(8, activation=relu, kernel_regularizer=l2(0.01), activity_regularizer=l2(0.01))
        -> BatchNormalization() -> LayerNormalization()
    r = steps -> Masking() -> GRU(4, return_sequences=true) -> SimpleRNN(4)
    both = (h, r) -> Concatenate()
    output label = both -> Head(3) with loss=sparse_categorical_crossentropy, metrics=[accuracy]
    output much = both -> Dense(1) -> Dropout(0.1) with loss=mse, metrics=[mae]
    output code = h * 2
    penalty small = mean(square(both), axis=-1)
    train { optimizer = Adam(0.01, clipnorm=1); epochs = 2; batch_size = 16; precision = PRECISION }
}
"""


def classifier(precision: str, train: str = "optimizer = SGD(0.3); epochs = 2; ") -> str:
    text = CLASSIFIER.replace("optimizer = Adam(0.05); epochs = 3; ", train)
    return text.replace("seed = 5", f"seed = 5; precision = {precision}")


@pytest.mark.parametrize("precision", HALVES)
def test_both_train_alike_and_report_in_float32(precision: str) -> None:
    programs = Programs(classifier(precision))
    ours: Any = programs.pair.torch
    seen: list[torch.dtype] = []
    ours.label_dense.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    given = torch.from_numpy(samples()["x"])
    with torch.no_grad():
        predicted = programs.torch.mixed(ours.eval(), given)["label"]
    assert seen == [getattr(torch, precision)]
    assert predicted.dtype == torch.float32
    theirs = np.asarray(programs.pair.keras(samples()["x"])["label"])
    assert theirs.dtype == np.float32
    np.testing.assert_allclose(predicted, theirs, atol=0.02)
    assert not np.allclose(predicted, ours(given)["label"].detach(), atol=1e-7)  # in float32
    programs.train(samples(), samples(30))
    assert programs.weight_difference() < 0.05
    assert {p.dtype for p in ours.parameters()} == {torch.float32}
    found, expected = programs.evaluate(samples())
    assert found["loss"] == pytest.approx(expected["loss"], rel=0.05)


def test_the_policy_of_the_process_stays_as_it_was() -> None:
    from tensorflow import keras

    program = Programs(classifier("bfloat16")).keras
    assert keras.config.dtype_policy().name == "float32"
    models = [program.build_model(), program.build_model()]
    assert keras.config.dtype_policy().name == "float32"
    for model in models:
        policies = [layer.dtype_policy.name for layer in model.layers[1:]]
        assert policies == ["mixed_bfloat16", "float32"]  # the last one computes a softmax
        assert {variable.dtype for variable in model.variables} == {"float32"}


@pytest.mark.slow
@pytest.mark.parametrize("precision", HALVES)
def test_what_a_model_may_hold(precision: str) -> None:
    """Penalties, norms, recurrent layers, masks, an output out of a block, of an expression, of Dropout."""
    programs = Programs(EVERYTHING.replace("PRECISION", precision))
    assert {y.dtype for y in programs.pair.keras.output.values()} == {"float32"}
    random = np.random.default_rng(0)
    data = {
        "x": random.normal(size=(40, 6)).astype("float32"),
        "steps": random.normal(size=(40, 5, 3)).astype("float32"),
        "label": random.integers(0, 3, 40),
        "much": random.normal(size=(40, 1)).astype("float32"),
    }
    data["steps"][3:9, 2:] = 0
    before = programs.evaluate(data)
    programs.train(data, data)
    for (found, expected), better in ((before, 10.0), (programs.evaluate(data), before[0]["loss"])):
        assert found["loss"] == pytest.approx(expected["loss"], rel=0.05)
        assert found["loss"] < better


def test_losses_are_scaled_as_in_keras() -> None:
    """The scale halves where a gradient is infinite, and the step is left out; it doubles after 2,000 steps."""
    from keras.src.optimizers.loss_scale_optimizer import LossScaleOptimizer

    programs = Programs(classifier("float16"))
    programs.keras.compile_model(programs.pair.keras)
    theirs: Any = programs.pair.keras.optimizer
    assert isinstance(theirs, LossScaleOptimizer)
    theirs.build(programs.pair.keras.trainable_variables)
    ours = programs.torch.make_scaler("cpu")
    state = ours.state_dict()
    assert (state["growth_factor"], state["backoff_factor"]) == (2, 0.5)
    assert state["growth_interval"] == theirs.dynamic_growth_steps
    assert ours.get_scale() == float(theirs.dynamic_scale)
    data = samples()
    data["x"][5] = 60000.0  # the gradient of this batch is infinite
    before = {name: value.clone() for name, value in programs.pair.torch.state_dict().items()}
    optimizer = programs.torch.make_optimizer(programs.pair.torch)
    tensors = programs.read(programs.torch, data, torch.device("cpu"))
    programs.torch.run(programs.pair.torch, tensors, 64, optimizer, ours)
    assert all(torch.equal(before[name], value) for name, value in programs.pair.torch.state_dict().items())
    x, y = programs.keras.Batches(programs.read(programs.keras, data), 64)[0]
    programs.pair.keras.train_on_batch(x, y)
    assert ours.get_scale() == float(theirs.dynamic_scale) == 2.0**14
    assert programs.weight_difference() == 0
    assert int(theirs.inner_optimizer.iterations) == 0


@pytest.mark.slow
def test_the_programs_on_their_own(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(emit(classifier("bfloat16"), "torch"), encoding="utf-8")
    np.savez(tmp_path / "data.npz", **samples())  # type: ignore[arg-type]
    for command in ("train", "predict"):
        done = run(tmp_path, command, "data.npz", "--device", "cpu")
        assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "predictions.npz") as found:
        assert found["label"].dtype == np.float32


def test_an_lstm_in_float16_runs_on_a_cpu_too() -> None:
    program = load(
        classifier("float16").replace("x -> Dense", "x -> Reshape([3, 2]) -> Bidirectional(LSTM(4)) -> Dense"), "torch"
    )
    model = program.Classifier()
    data = {name: torch.from_numpy(array) for name, array in samples().items()}
    optimizer, scaler = program.make_optimizer(model), program.make_scaler("cpu")
    losses = [program.run(model, data, 16, optimizer, scaler)["loss"] for _ in range(5)]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize("precision", HALVES)
def test_training_goes_on_in_the_other_framework(precision: str, tmp_path: Path) -> None:
    """The state of Keras's optimizer lies inside of that which scales losses."""
    text = classifier(precision, "optimizer = Adam(0.05); epochs = 2; ")
    (tmp_path / "model.nn").write_text(text, encoding="utf-8")
    np.savez(tmp_path / "data.npz", **samples())  # type: ignore[arg-type]
    (tmp_path / "model.py").write_text(emit(text, "torch"), encoding="utf-8")
    assert run(tmp_path, "train", "data.npz", "--weights", "a.pt", "--device", "cpu").returncode == 0
    for source, target in (("a.pt", "b.weights.h5"), ("b.weights.h5", "c.pt")):
        command = [sys.executable, "-m", "nndsl", "weights", "convert", "model.nn", source, target]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        assert "the state of Adam after 8 steps" in done.stdout
    first, last = (torch.load(tmp_path / name, weights_only=True) for name in ("a.pt", "c.pt"))
    assert all(torch.equal(first[0][name], last[0][name]) for name in first[0])
    for number, values in first[1]["state"].items():
        assert torch.equal(values["exp_avg_sq"], last[1]["state"][number]["exp_avg_sq"])


@pytest.mark.slow
def test_verify_compares_in_full_precision(tmp_path: Path) -> None:
    (tmp_path / "model.nn").write_text(classifier("bfloat16"), encoding="utf-8")
    command = [sys.executable, "-m", "nndsl", "verify", "model.nn"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in full precision, without `precision = bfloat16`" in done.stdout
    assert "not run" not in done.stdout
