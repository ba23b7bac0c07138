"""Callbacks that write files, and callbacks where training counts steps: both emitted programs must do the same, from
the same weights on the same batches."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tensorflow")
from tests.training.test_programs import CLASSIFIER, emit, samples  # noqa: E402
from tests.training.training_harness import Programs, run_main  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.keras]


def text_of(train: str, metrics: str = "accuracy") -> str:
    text = CLASSIFIER.replace("Adam(0.05); epochs = 3;", f"SGD(0.3, momentum=0.5); {train};")
    return text.replace("metrics=[accuracy]", f"metrics=[{metrics}]")


def trained(train: str, folder: Path, *, held: bool = True, metrics: str = "accuracy", **data: Any) -> Programs:
    # TensorFlow's relu makes 0 of what is no number
    programs = Programs(text_of(train, metrics).replace("relu", "tanh"))
    programs.train(samples() | data, samples(30) if held else None, folder=folder)
    return programs


def table(path: Path, separator: str = ",") -> tuple[list[str], list[list[float]]]:
    with path.open(newline="", encoding="utf-8") as file:
        names, *rows = csv.reader(file, delimiter=separator)
    return names, [[float("nan") if cell == "NA" else float(cell) for cell in row] for row in rows]


def assert_same_tables(folder: Path, name: str, rows: int, separator: str = ",") -> list[str]:
    names, values = table(folder / "torch" / name, separator)
    expected_names, expected = table(folder / "keras" / name, separator)
    assert names == expected_names
    assert len(values) == len(expected) == rows
    np.testing.assert_allclose(values, expected, rtol=2e-4, atol=1e-6)
    return names


def checkpoints(folder: Path) -> list[str]:
    """What was saved, without the ending."""
    names = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    endings = (".pt", ".weights.h5", ".keras")
    return sorted(name.removesuffix(end) for name in names for end in endings if name.endswith(end))


def test_tables_and_checkpoints_of_an_epoch(tmp_path: Path) -> None:
    callbacks = (
        'CSVLogger("before.log", separator=";"), ReduceLROnPlateau(monitor=loss, min_delta=0.1, patience=1), '
        'CSVLogger("logs/deep/run.csv"), '
        'ModelCheckpoint("all/{epoch:02d}-{val_accuracy:.2f}.weights.h5", save_weights_only=true), '
        'ModelCheckpoint("best/{epoch}.weights.h5", save_best_only=true, save_weights_only=true), '
        'ModelCheckpoint("peak.keras", monitor=val_accuracy, save_best_only=true, initial_value_threshold=0.2), '
        'ModelCheckpoint("never.keras", monitor=accuracy, save_best_only=true, initial_value_threshold=2)'
    )
    programs = trained(f"epochs = 5; callbacks = [{callbacks}]", tmp_path)
    ours, theirs = tmp_path / "torch", tmp_path / "keras"
    names = assert_same_tables(tmp_path, "logs/deep/run.csv", 5)
    assert names == ["epoch", "accuracy", "learning_rate", "loss", "val_accuracy", "val_loss"]
    assert "learning_rate" not in assert_same_tables(tmp_path, "before.log", 5, ";")
    saved = checkpoints(ours)
    assert set(saved) - {"model"} == set(checkpoints(theirs))
    assert sum(name.startswith("all") for name in saved) == 5
    assert "peak" in saved
    assert "never" not in saved
    assert not list(ours.rglob("*.part"))
    last = max(name for name in saved if name.startswith("all"))
    weights, _ = torch.load(ours / f"{last}.pt", weights_only=True)
    model = programs.pair.torch.state_dict()
    assert all(torch.equal(weights[name], model[name]) for name in model)
    programs.keras.build_model().load_weights(theirs / f"{last}.weights.h5")


@pytest.mark.slow
def test_a_checkpoint_is_a_file_of_weights_for_the_program(tmp_path: Path) -> None:
    callbacks = 'ModelCheckpoint("a.keras"), ModelCheckpoint("b.weights.h5", save_weights_only=true)'
    programs = trained(f"epochs = 1; callbacks = [{callbacks}]", tmp_path)
    np.savez(tmp_path / "data.npz", **samples())  # type: ignore[arg-type]
    expected = programs.evaluate(samples())[1]["loss"]
    for name in ("a.keras", "b.weights.h5"):
        model = programs.keras.build_model()
        model.load_weights(tmp_path / "keras" / name)
        programs.keras.compile_model(model)
        data = programs.read(programs.keras, samples())
        assert programs.keras.evaluate(model, data)["loss"] == pytest.approx(expected)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["model.py", "evaluate", str(tmp_path / "data.npz"), "--weights", "a.pt"])
        patch.chdir(tmp_path / "torch")
        run_main(programs.torch, programs.pair.texts["torch"])


@pytest.mark.slow
def test_a_table_without_validation_data_and_with_several_numbers(tmp_path: Path) -> None:
    metrics = "SparseTopKCategoricalAccuracy(k=2), accuracy"
    trained('epochs = 2; callbacks = CSVLogger("a.csv")', tmp_path, held=False, metrics=metrics)
    names = assert_same_tables(tmp_path, "a.csv", 2)
    assert names[-1] == "val_sparse_top_k_categorical_accuracy"


@pytest.mark.slow
def test_a_table_of_a_metric_of_several_numbers(tmp_path: Path) -> None:
    text = text_of('epochs = 2; callbacks = [CSVLogger("a.csv"), TensorBoard("b")]', "F1Score()").replace(
        "sparse_categorical", "categorical"
    )
    programs = Programs(text)
    data = samples()
    data["label"] = np.eye(3, dtype="float32")[data["label"]]
    programs.train(data, data, folder=tmp_path)
    names = assert_same_tables(tmp_path, "a.csv", 2)
    assert [name for name in names if name.startswith("f1")] == ["f1_score_0", "f1_score_1", "f1_score_2"]


@pytest.mark.slow
def test_rows_are_added_to_a_table(tmp_path: Path) -> None:
    text = text_of('epochs = 2; callbacks = CSVLogger("a.csv", append=true)').replace(", momentum=0.5", "")
    programs = Programs(text)
    programs.train(samples(), folder=tmp_path)
    programs._train_torch(samples(), None, 1, tmp_path / "torch")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path / "keras")
        programs._train_keras(samples(), None, 1)
    assert_same_tables(tmp_path, "a.csv", 4)


def test_a_resumed_table_is_whole(tmp_path: Path) -> None:
    """What `nndsl run --resume` does: the state of the watcher is put back, and what was written since is not."""
    from tests.training.test_programs import load

    program = load(text_of('callbacks = CSVLogger("a.csv")'), "torch")
    model = program.Classifier()
    optimizer = program.make_optimizer(model)
    (first,), path = program.make_watchers(), tmp_path / "a.csv"
    first.path = str(path)
    first.after_epoch(0, {"loss": 2.0}, model, optimizer)
    state = dict(vars(first))
    first.after_epoch(1, {"loss": 1.0}, model, optimizer)
    (second,) = program.make_watchers()
    vars(second).update(state)
    second.after_epoch(1, {"loss": 1.5}, model, optimizer)
    assert table(path)[1] == pytest.approx(np.array([[0, 2.0, np.nan], [1, 1.5, np.nan]]), nan_ok=True)


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    found = EventAccumulator(str(folder))
    found.Reload()
    tags = found.Tags()
    numbers = {tag: [(e.step, e.value) for e in found.Scalars(tag)] for tag in tags["scalars"]}
    return numbers | {
        tag: [(e.step, float(make_ndarray(e.tensor_proto))) for e in found.Tensors(tag)]
        for tag in tags["tensors"]
        if tag.startswith("epoch_")
    }


@pytest.mark.parametrize(
    "length", ["epochs = 3", pytest.param("steps = 12; evaluate_every = 4", marks=pytest.mark.slow)]
)
def test_numbers_for_tensorboard(length: str, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    trained(f'{length}; callbacks = TensorBoard("runs/a", write_graph=false)', tmp_path)
    for part, tags in {"train": {"epoch_loss", "epoch_accuracy", "epoch_learning_rate"}, "validation": set()}.items():
        found, expected = (scalars(tmp_path / program / "runs/a" / part) for program in ("torch", "keras"))
        assert set(found) == set(expected) >= tags
        for tag, numbers in found.items():
            assert len(numbers) == 3
            np.testing.assert_allclose(numbers, expected[tag], rtol=2e-4)


def test_a_missing_tensorboard_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.training.test_programs import load

    text = text_of("callbacks = TensorBoard()")
    program = load(text, "torch")
    np.savez(tmp_path / "data.npz", **samples())  # type: ignore[arg-type]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(program.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["model.py", "train", "data.npz"])
    with pytest.raises(SystemExit, match="error: TensorBoard needs a package: pip install tensorboard"):
        run_main(program, emit(text, "torch"))
    assert os.listdir() == ["data.npz"]


@pytest.mark.parametrize("length", ["epochs = 4", "steps = 16; evaluate_every = 4"])
@pytest.mark.parametrize(
    "metrics", ["accuracy", pytest.param("accuracy, SparseTopKCategoricalAccuracy(k=2)", marks=pytest.mark.slow)]
)
def test_training_ends_with_a_loss_that_is_no_number(length: str, metrics: str, tmp_path: Path) -> None:
    x = samples()["x"]
    x[20] = np.nan  # in one batch of each epoch
    callbacks = 'callbacks = [CSVLogger("a.csv"), TerminateOnNaN()]'
    trained(f"{length}; {callbacks}", tmp_path, metrics=metrics, x=x)
    _, rows = table(tmp_path / "torch" / "a.csv")
    assert_same_tables(tmp_path, "a.csv", 1)
    assert len(rows) == 1


def test_a_loss_that_is_no_number_can_be_an_error(tmp_path: Path) -> None:
    x = samples()["x"]
    x[20] = np.nan
    with pytest.raises(RuntimeError, match="NaN or Inf loss"):
        trained("callbacks = TerminateOnNaN(raise_error=true)", tmp_path, x=x)
    programs = Programs(text_of("callbacks = TerminateOnNaN(raise_error=true)").replace("relu", "tanh"))
    with pytest.raises(RuntimeError, match="the loss is nan in epoch 1"):
        programs._train_torch(samples() | {"x": x}, None, 0, tmp_path)


@pytest.mark.parametrize(
    ("train", "rows"),
    [
        ("steps = 40; evaluate_every = 4; callbacks = [{}, EarlyStopping(monitor=loss, min_delta=0.2)]", None),
        pytest.param(
            "steps = 22; evaluate_every = 5; callbacks = [ReduceLROnPlateau(patience=1, min_delta=0.3), {}]", 5,
            marks=pytest.mark.slow,
        ),
        ("steps = 20; evaluate_every = 3; shuffle = false; callbacks = [{}, EarlyStopping(restore_best_weights=true)]",
         None),
    ],
)  # fmt: skip
def test_callbacks_look_at_each_evaluation(train: str, rows: int | None, tmp_path: Path) -> None:
    writers = 'CSVLogger("a.csv"), ModelCheckpoint("{epoch}-{loss:.1f}.weights.h5", save_weights_only=true)'
    programs = trained(train.format(writers), tmp_path)
    count = rows if rows is not None else len(table(tmp_path / "keras" / "a.csv")[1])
    assert count > 1
    assert_same_tables(tmp_path, "a.csv", count)
    assert set(checkpoints(tmp_path / "torch")) - {"model"} == set(checkpoints(tmp_path / "keras"))
    assert programs.weight_difference() < 1e-4


@pytest.mark.slow
def test_stopped_early_in_steps(tmp_path: Path) -> None:
    trained(
        'steps = 40; evaluate_every = 4; callbacks = [CSVLogger("a.csv"), EarlyStopping(min_delta=5, patience=2)]',
        tmp_path,
    )
    assert_same_tables(tmp_path, "a.csv", 3)
