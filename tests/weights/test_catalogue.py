"""The example of every layer: PyTorch's file, Keras's files and safetensors one from another, equal to the bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("tensorflow")

from nndsl.diagnostics.model import Problems
from nndsl.interop import convert, keras_files, keras_weights, workers
from nndsl.interop.contents import Array, Weights
from nndsl.interop.optimizer_names import shapes_of
from nndsl.interop.problem import WrongWeights
from nndsl.interop.worker import Job
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.layers.base import Layer
from nndsl.passes.weight_layout import layout
from nndsl.pipeline import check
from nndsl.source import SourceFile
from nndsl.targets.training_settings import trains
from tests.layers.test_catalogue import LAYERS, _model

pytestmark = [pytest.mark.torch, pytest.mark.keras]
FAST = {"Dense", "BatchNormalization", "Conv2DTranspose", "SeparableConv1D", "LSTM", "GRU", "Bidirectional", "RNN"}
TRAIN = "    train { optimizer = Adam(0.01, amsgrad=true) }\n}\n"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """What workers do is done in this process, which has TensorFlow already."""

    def run(tasks: Sequence[workers.Task], progress: Callable[[str, str], None] | None = None) -> list[workers.Answer]:
        answers = []
        for task in tasks:
            (tmp_path / "program.py").write_text(task.program, encoding="utf-8")
            answers.append(workers.Answer(*keras_files.work(Job(tmp_path, dict(task.request), dict(task.arrays)))))
        return answers

    monkeypatch.setattr(keras_weights.workers, "run", run)
    return tmp_path


def _program(cls: type[Layer]) -> tuple[CheckedProgram, Model]:
    """The example, trained where its outputs take a loss."""
    text = _model(cls)
    trained = text.replace("\n}\n", " with loss=mse\n" + TRAIN) if text.count("output ") == 1 else text
    for source in (trained, text):
        program = check(SourceFile("example.nn", source), Problems())
        if program is not None:
            return program, program.find(None)
    raise AssertionError(text)


def _random(program: CheckedProgram, model: Model) -> Weights:
    random = np.random.default_rng(2)
    slots = [slot for layer in layout(model) for slot in layer.slots]

    def array(shape: tuple[int, ...], dtype: str) -> Array:
        values = random.integers(0, 9, shape) if "int" in dtype else random.normal(size=shape)
        return np.asarray(values, model.float_dtype if dtype == "float" else dtype)

    weights = Weights({slot.path: array(slot.shape, slot.dtype) for slot in slots})
    if trains(model):
        changed = [(slot.path, slot.shape) for slot in slots if slot.trainable]
        shapes = shapes_of(model.training.optimizer, changed)
        weights.state = {n: array(s, "int64" if n.endswith("/iterations") else "float") for n, s in shapes.items()}
    return weights


def _assert_equal(found: Weights, expected: Weights) -> None:
    assert found.values.keys() == expected.values.keys() and found.state.keys() == expected.state.keys()
    for name, array in (expected.values | expected.state).items():
        other = (found.values | found.state)[name]
        assert array.dtype == other.dtype and array.shape == other.shape and array.tobytes() == other.tobytes(), name


@pytest.mark.parametrize(
    "cls",
    [pytest.param(cls, id=cls.__name__, marks=[] if cls.__name__ in FAST else [pytest.mark.slow]) for cls in LAYERS],
)
def test_round_trip(cls: type[Layer], here: Path) -> None:
    program, model = _program(cls)
    weights = _random(program, model)
    last = weights
    for name in ("a.pt", "b.weights.h5", "c.keras", "d.safetensors", "e.pt"):
        path = str(here / name)
        convert.store(path, last, program, model)
        last = convert.load(path, program, model)
        _assert_equal(last, weights)
    first, second = (_flat(torch.load(here / name, weights_only=True)) for name in ("a.pt", "e.pt"))
    assert first.keys() == second.keys()
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())


HAND = """model M {
    options { float = float32 }
    input x: float[9, 4]
    seen = x -> Conv1D(6, 3, activation=relu) -> BatchNormalization()
    output y = seen -> Bidirectional(LSTM(3)) -> Dropout(0.3) -> Dense(2) with loss=mse
    train { optimizer = Adam(0.01) }
}
"""


def _by_hand(optimizer: Any) -> Any:
    """The same layers in the same order, by other names, trained a little."""
    import keras

    model = keras.Sequential(
        [
            keras.Input((9, 4)),
            keras.layers.Conv1D(6, 3, activation="relu", name="first"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Bidirectional(keras.layers.LSTM(3, name="inner"), name="both"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(2, name="last"),
        ]
    )
    model.compile(optimizer=optimizer, loss="mse")
    random = np.random.default_rng(0)
    model.fit(random.normal(size=(16, 9, 4)), random.normal(size=(16, 2)), epochs=2, batch_size=8, verbose=0)
    return model


@pytest.mark.parametrize("name", ["hand.weights.h5", "hand.keras"])
def test_a_model_that_was_written_by_hand(name: str, here: Path) -> None:
    import keras

    from nndsl.interop.load import load_program
    from nndsl.interop.torch_file import fill

    keras.config.set_floatx("float32")
    program = check(SourceFile("hand.nn", HAND), Problems())
    assert program is not None
    model = program.find(None)
    by_hand = _by_hand(keras.optimizers.Adam(0.01))
    (by_hand.save if name.endswith(".keras") else by_hand.save_weights)(here / name)
    found = convert.load(str(here / name), program, model)
    assert int(found.state["optimizer/iterations"]) == 4
    net = (loaded := load_program(program)).cls().eval()
    fill(net, loaded, found.values)
    x = np.random.default_rng(1).normal(size=(3, 9, 4)).astype("float32")
    with torch.no_grad():
        ours = net(torch.from_numpy(x))["y"].numpy()
    np.testing.assert_allclose(ours, by_hand.predict(x, verbose=0), atol=1e-5)
    _by_hand(keras.optimizers.SGD(0.01, momentum=0.9)).save_weights(here / "sgd.weights.h5")
    with pytest.raises(WrongWeights, match=r"the state of the optimizer in .* does not fit the Adam of `M`") as wrong:
        convert.load(str(here / "sgd.weights.h5"), program, model)
    assert wrong.value.code == "NN1004"
    assert convert.load(str(here / "sgd.weights.h5"), program, model, alone=True).state == {}


def test_a_file_of_another_model_gives_the_list_by_canonical_names(here: Path) -> None:
    text = HAND.replace("LSTM(3)", "LSTM(4)").replace("Dropout(0.3)", "Dense(5)")
    program = check(SourceFile("hand.nn", text), Problems())
    assert program is not None
    _by_hand("adam").save_weights(here / "hand.weights.h5")
    with pytest.raises(WrongWeights, match="2 missing, 8 of another shape") as wrong:
        convert.load(str(here / "hand.weights.h5"), program, program.find(None))
    assert any("(y_bidirectional.forward_lstm/kernel) is [6, 12]" in note for note in wrong.value.notes)
    assert wrong.value.code == "NN1002"


def _flat(found: Any) -> dict[str, Any]:
    parts, state = found if isinstance(found, tuple) else (found, {"state": {}})
    kept = {f"{n}/{key}": torch.as_tensor(v) for n, item in state["state"].items() for key, v in item.items()}
    return {**parts, **kept}
