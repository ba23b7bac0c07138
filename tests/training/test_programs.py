"""The emitted programs as people use them: on the command line, on files, alone; and callbacks, steps, state."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.source import SourceFile

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

CLASSIFIER = """
model Classifier {
    input x: float[6]
    output label = x -> Dense(8, activation=relu) -> Dense(3, activation=softmax)
        with loss=sparse_categorical_crossentropy, metrics=[accuracy]
    train { optimizer = Adam(0.05); epochs = 3; batch_size = 16; seed = 5 }
}
"""


def emit(text: str, target: str) -> str:
    problems = Problems()
    program = pipeline.check(SourceFile("test.nn", text), problems)
    assert program is not None, [d.message for d in problems]
    return pipeline.emit(program, target)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program in `folder`, isolated from this project."""
    command = [sys.executable, "-I", "model.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)


def samples(count: int = 64) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.normal(size=(count, 6)).astype("float32")
    return {"x": x, "label": x[:, :3].argmax(-1)}


@pytest.mark.parametrize("target", ["torch", pytest.param("keras", marks=pytest.mark.keras)])
def test_train_evaluate_predict(target: str, tmp_path: Path) -> None:
    if target == "keras":
        pytest.importorskip("tensorflow")
    (tmp_path / "model.py").write_text(emit(CLASSIFIER, target), encoding="utf-8")
    np.savez(tmp_path / "data.npz", **samples())
    np.savez(tmp_path / "held.npz", **samples(20))
    weights = "w.pt" if target == "torch" else "w.weights.h5"
    done = run(tmp_path, "train", "data.npz", "--epochs", "2", "--weights", weights, "--validation", "held.npz")
    assert done.returncode == 0, done.stderr
    assert "val_accuracy" in done.stdout and (tmp_path / weights).exists()
    done = run(tmp_path, "evaluate", "data.npz", "--weights", weights)
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout
    done = run(tmp_path, "predict", "data.npz", "--weights", weights, "-o", "p.npz")
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "p.npz") as found:
        assert found["label"].shape == (64, 3)
        np.testing.assert_allclose(found["label"].sum(-1), 1, rtol=1e-5)


BAD = {
    "missing.npz": ({}, "x is not a file in the archive"),
    "shape.npz": (
        {"x": np.zeros((4, 7)), "label": np.zeros(4, int)},
        "x needs torch.float32 [4, 6], not torch.float64 [4, 7]",
    ),
    "one_hot.npz": ({"x": np.zeros((4, 6)), "label": np.zeros((4, 3), int)}, "label needs torch.int64 [4]"),
    "kind.npz": ({"x": np.zeros((4, 6)), "label": np.zeros(4)}, "label needs torch.int64 [4], not torch.float64 [4]"),
    "text.npz": (
        {"x": np.array([["a"] * 6]), "label": np.zeros(1, int)},
        "can't convert np.ndarray of type numpy.str_",
    ),
    "counts.npz": ({"x": np.zeros((4, 6)), "label": np.zeros(5, int)}, "x needs torch.float32 [5, 6]"),
    "empty.npz": ({"x": np.zeros((0, 6)), "label": np.zeros(0, int)}, "x needs torch.float32 [1, 6]"),
    "pickle.npz": ({"x": np.array([None]), "label": np.zeros(1, int)}, "Object arrays cannot be loaded"),
}


@pytest.fixture(scope="module")
def torch_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("program")
    (folder / "model.py").write_text(emit(CLASSIFIER, "torch"), encoding="utf-8")
    np.savez(folder / "data.npz", **samples())
    return folder


@pytest.mark.parametrize("name", sorted(BAD))
def test_data_that_do_not_fit_are_explained(name: str, torch_program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays, says = BAD[name]
    np.savez(torch_program / name, **arrays)
    monkeypatch.setattr(sys, "argv", ["model.py", "train", str(torch_program / name)])
    with pytest.raises(SystemExit, match=f"error: .*{re.escape(says)}"):
        exec(compile(emit(CLASSIFIER, "torch"), "<emitted>", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "none.npz"], "No such file"),
        (["train", "model.py"], "pickled"),
        (["evaluate", "data.npz", "--weights", "none.pt"], "No such file"),
        (["evaluate", "data.npz", "--weights", "model.py"], "Weights only load failed"),
        (["train", "data.npz", "--device", "mps"], "mps"),
    ],
)
def test_mistakes_end_in_a_message(arguments: list[str], says: str, torch_program: Path) -> None:
    done = run(torch_program, *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert says in done.stderr and "Traceback" not in done.stderr


def load(text: str, target: str) -> Any:
    from types import ModuleType

    module = ModuleType(f"emitted_{target}_program")
    sys.modules[module.__name__] = module
    exec(compile(emit(text, target), "<emitted>", "exec"), module.__dict__)
    return module


@pytest.mark.keras
@pytest.mark.parametrize(
    "train",
    [
        "epochs = 30; callbacks = [EarlyStopping(patience=2, restore_best_weights=true)]",
        pytest.param(
            "epochs = 12; callbacks = [EarlyStopping(monitor=val_accuracy, min_delta=0.02, patience=3)]",
            marks=pytest.mark.slow,
        ),
        "epochs = 12; callbacks = [ReduceLROnPlateau(monitor=loss, factor=0.3, patience=1, min_delta=0.05)]",
        pytest.param(
            "epochs = 9; callbacks = [EarlyStopping(monitor=loss, baseline=0.2, patience=4, start_from_epoch=2)]",
            marks=pytest.mark.slow,
        ),
        "steps = 23; evaluate_every = 5",
    ],
)
def test_callbacks_and_steps_as_in_keras(train: str) -> None:
    pytest.importorskip("tensorflow")
    from tests.training.training_harness import assert_same_training

    text = CLASSIFIER.replace("Adam(0.05); epochs = 3;", f"SGD(0.3, momentum=0.5); {train};")
    assert_same_training(text, samples(), samples(30), tolerance=1e-4)


@pytest.mark.keras
def test_gradients_left_over_wait_for_the_next_epoch() -> None:
    """15 batches, 3 of them smaller, for 3 steps of 4; the gradients of the last 3 batches are never applied."""
    pytest.importorskip("tensorflow")
    from tests.training.training_harness import assert_same_training

    text = CLASSIFIER.replace("Adam(0.05)", "Adam(0.05, gradient_accumulation_steps=4)")
    programs = assert_same_training(text, samples(70))
    assert int(programs.pair.keras.optimizer.iterations) == 3


@pytest.mark.keras
@pytest.mark.parametrize("reset", ["epoch", "never"])
@pytest.mark.parametrize("length", ["epochs = 3", "steps = 7"])
def test_a_stateful_model_as_in_keras(reset: str, length: str) -> None:
    pytest.importorskip("tensorflow")
    from tests.training.training_harness import Programs

    text = f"""
model Wave {{
    input wave: float[5, 1] with batch=4
    output next = wave -> LSTM(3, stateful=true) -> Dense(1) with loss=mse
    train {{ optimizer = SGD(0.1); {length}; reset_state = {reset} }}
}}
"""
    random = np.random.default_rng(3)
    data = {"wave": random.normal(size=(12, 5, 1)).astype("float32"), "next": random.normal(size=12).astype("float32")}
    programs = Programs(text)
    programs.train(data)
    assert programs.weight_difference() < 1e-5
    found, expected = programs.evaluate(data)
    assert abs(found["loss"] - expected["loss"]) < 1e-5


@pytest.mark.keras
@pytest.mark.parametrize("length", ["epochs = 3", "steps = 7"])
def test_the_state_of_several_cells_is_reset_beside_layers_without_state(length: str) -> None:
    pytest.importorskip("tensorflow")
    from tests.training.training_harness import Programs

    text = f"""
model Wave {{
    input wave: float[5, 1] with batch=4
    ahead = wave -> RNN([SimpleRNNCell(3), LSTMCell(2)], stateful=true, return_sequences=true)
    output next = ahead -> Bidirectional(GRU(2)) -> Dense(1) with loss=mse
    train {{ optimizer = SGD(0.1); {length} }}
}}
"""
    random = np.random.default_rng(3)
    data = {"wave": random.normal(size=(12, 5, 1)).astype("float32"), "next": random.normal(size=12).astype("float32")}
    programs = Programs(text)
    programs.train(data)
    assert programs.weight_difference() < 1e-5


@pytest.mark.keras
def test_an_output_without_a_loss_gives_metrics_the_names_that_keras_reports() -> None:
    pytest.importorskip("tensorflow")
    from tests.training.training_harness import assert_same_training

    text = CLASSIFIER.replace("    train {", "    output raw = x -> Dense(2)\n    train {").replace(
        "seed = 5", "seed = 5; callbacks = [EarlyStopping(monitor=label_accuracy, patience=2)]"
    )
    programs = assert_same_training(text, samples())
    found, expected = programs.evaluate(samples())
    assert set(found) == set(expected) == {"loss", "label_accuracy"}


def test_an_untrained_model_predicts(tmp_path: Path) -> None:
    text = "model M {\n    input x: float[2]\n    input z: float[2]\n    output y = (x, z) -> Add() -> Dense(1)\n}\n"
    (tmp_path / "model.py").write_text(emit(text, "torch"), encoding="utf-8")
    module = load(text, "torch")
    assert not hasattr(module, "run")
    model, torch = module.M(), module.torch
    torch.save(model.state_dict(), tmp_path / "model.pt")
    x, z = np.random.default_rng(0).normal(size=(2, 5, 2)).astype("float32")
    np.savez(tmp_path / "data.npz", x=x, z=z)
    done = run(tmp_path, "predict", "data.npz", "--batch-size", "4")
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "predictions.npz") as found:
        expected = model(torch.from_numpy(x), torch.from_numpy(z))["y"].detach()
        np.testing.assert_allclose(found["y"], expected, rtol=1e-5)


@pytest.mark.keras
def test_class_weights_beside_an_output_without_a_loss() -> None:
    pytest.importorskip("tensorflow")
    from tests.training.training_harness import assert_same_training

    text = CLASSIFIER.replace("    train {", "    output raw = x -> Dense(2)\n    train {").replace(
        "seed = 5", "seed = 5; class_weight = [0.5, 2, 4]"
    )
    assert_same_training(text, samples())


WITHIN = {
    "a shared block": """
block Memory() {
    input x
    output y = x -> LSTM(3, stateful=true, return_sequences=true)
}
model Wave {
    input wave: float[4, 2] with batch=2
    shared memory = Memory()
    output next = wave -> memory -> Dense(2) -> memory -> Dense(1) with loss=mse
    train { optimizer = SGD(0.1); epochs = 3 }
}
""",
    "each step": """
model Wave {
    input wave: float[4, 3, 2] with batch=2
    h = wave -> TimeDistributed(LSTM(3, stateful=true))
    output next = h -> Dense(1) with loss=mse
    train { optimizer = SGD(0.1); epochs = 3 }
}
""",
    "several cells for each step": """
model Wave {
    input wave: float[4, 3, 2] with batch=2
    h = wave -> TimeDistributed(Bidirectional(RNN([GRUCell(2), LSTMCell(3)], stateful=true)))
    output next = h -> Dense(1) with loss=mse
    train { optimizer = SGD(0.1); steps = 7 }
}
""",
}


@pytest.mark.keras
@pytest.mark.parametrize("name", list(WITHIN))
def test_states_inside_of_other_layers_are_reset(name: str) -> None:
    pytest.importorskip("tensorflow")
    from tests.training.training_harness import Programs

    programs = Programs(WITHIN[name])
    random = np.random.default_rng(0)
    shape = programs.keras.ARRAYS["wave"][0]
    data = {
        "wave": random.normal(size=(8, *shape)).astype("float32"),
        "next": random.normal(size=(8, 4, 1)).astype("float32"),
    }
    programs.train(data)
    assert programs.weight_difference() < 1e-5
    found, expected = programs.evaluate(data)
    assert abs(found["loss"] - expected["loss"]) < 1e-5
