"""`nndsl run --target keras`: the emitted Keras program in nndsl's own loop."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.cli.main import main

pytestmark = pytest.mark.keras
ROOT = Path(__file__).parent.parent.parent

TWO = """model Two {
    options { float = float64 }
    input x: float[4]
    h = x -> Dense(8, activation=tanh, kernel_regularizer=L2(0.01)) -> Dropout(0.2) -> BatchNormalization()
    output y = h -> Dense(1) with loss=mse, metrics=[mae], weight=0.5
    output c = h -> Dense(3, activation=softmax) with loss=sparse_categorical_crossentropy, metrics=[accuracy]
    train {
        optimizer = Adam(learning_rate=0.05); epochs = 6; batch_size = 20; seed = 1
        callbacks = [
            EarlyStopping(monitor="loss", mode="max", patience=3, restore_best_weights=true),
            ReduceLROnPlateau(monitor="val_loss", patience=1, min_delta=10)
        ]
    }
    data {
        source p = npz("p.npz") with test=0.2, validation=0.1, seed=7
        x = p.x
        y = p.y
        c = p.c
    }
}
"""

LINE = """model Line {
    options { float = float64 }
    input x: float[4]
    h = x -> Dense(5, activation=tanh, kernel_regularizer=L2(0.01), activity_regularizer=L1(0.001))
    output y = h -> Dense(1) with loss=mse, metrics=[mae]
    train { optimizer = %s; epochs = 4; batch_size = 20; seed = 3 }
    data { source p = npz("p.npz") with test=0.2, seed=7; x = p.x; y = p.y }
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    pytest.importorskip("torch")  # before TensorFlow, where both are in one process
    pytest.importorskip("tensorflow")
    from tensorflow.python.framework import config

    monkeypatch.chdir(tmp_path)
    data(tmp_path)
    yield tmp_path
    config.disable_op_determinism()  # a run asks for it, and is meant to be a process of its own


def data(folder: Path) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(133, 4))
    np.savez(folder / "p.npz", x=x, y=x.sum(1), c=(x[:, 0] > 0).astype(int) + (x[:, 1] > 0))


def run(*arguments: str, code: int = 0) -> None:
    assert main(["run", *arguments]) == code


def weights(path: str) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return load_file(path)


def history(path: str) -> list[dict[str, float]]:
    with open(f"{path}/history.csv", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


class Order:
    """Stands for the generator of a program's batches: the order that the loop of `nndsl run` takes."""

    def __init__(self, seed: int) -> None:
        self.seed, self.epoch = seed, 0

    def permutation(self, count: int) -> Any:
        self.epoch += 1
        return np.random.default_rng([self.seed, self.epoch - 1]).permutation(count)


def fitted(path: str, seed: int, parts: dict[str, dict[str, Any]]) -> tuple[Any, list[dict[str, float]]]:
    """The program in a run's folder, trained by Keras's own `fit` on the same batches: the model, and what `fit`
    reports."""
    import keras

    from nndsl.interop import keras_side
    from nndsl.interop.modules import import_text

    program: Any = import_text(Path(f"{path}/model.py").read_text(), "fitted")
    keras_side.begin_anew()
    keras.utils.set_random_seed(seed)
    model = program.build_model()
    program.compile_model(model)
    batches = program.Batches(parts["train"], program.BATCH_SIZE, Order(seed))
    held = program.Batches(parts["validation"], program.BATCH_SIZE) if "validation" in parts else None
    told = model.fit(
        batches, epochs=program.EPOCHS, shuffle=False, validation_data=held, verbose=0,
        callbacks=program.make_callbacks() if hasattr(program, "make_callbacks") else [],
    )  # fmt: skip
    count = len(told.history["loss"])
    return model, [{name: values[place] for name, values in told.history.items()} for place in range(count)]


def prepared(path: str) -> dict[str, dict[str, Any]]:
    """The arrays that a run trained on and looked at."""
    from nndsl.runtime.dataset import load
    from nndsl.runtime.earlier import saved_model
    from nndsl.runtime.options import make_plan, recorded
    from nndsl.runtime.run_folder import RunFolder

    opened = RunFolder.open(path)
    _, model = saved_model(opened)
    plan = make_plan(model, recorded(opened.about))
    dataset = load(model, None, validation=None, test=None, batch=plan.batch, steps=plan.steps, seed=plan.seed)
    parts = {"train": dataset.train, "validation": dataset.validation}
    return {name: part.take(np.arange(len(part))) for name, part in parts.items() if len(part)}


class Killed(BaseException):
    """The process ends at once."""


def killed_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the process end in front of a step."""
    from nndsl.interop.keras_trainer import Trainer

    real, count = Trainer.train, 0

    def train(self: Trainer, arrays: Any) -> None:
        nonlocal count
        if (count := count + 1) == step:
            raise Killed
        real(self, arrays)

    monkeypatch.setattr(Trainer, "train", train)


def test_a_run_is_what_fit_does_and_goes_on_to_the_bit(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("two.nn").write_text(TWO)
    run("two.nn", "--target", "keras", "-o", "a")
    out = capsys.readouterr().out
    assert "stopped early, 25 steps" not in out
    rows = history("a")
    model, told = fitted("a", 1, prepared("a"))
    assert len(rows) == len(told) == 4  # the callback ends it
    for row, wanted in zip(rows, told, strict=True):
        for name, value in wanted.items():
            if name.endswith(("y_loss", "c_loss")):  # fit counts the smaller last batch as much as the others
                assert row[name] == pytest.approx(value, rel=0.1)
                continue
            before = name == "learning_rate"  # the callback says what will be, too
            assert row[name] == pytest.approx(value, rel=1e-12) or before
        outputs = 0.5 * row["y_loss"] + row["c_loss"]
        assert 0 < row["loss"] - outputs < 0.2, "what is left is the penalty"
    assert [row["learning_rate"] for row in rows] == pytest.approx([0.05, 0.05, 0.005, 0.0005])
    found = weights("a/weights.safetensors")
    assert "optimizer/y/kernel/velocity" in found
    for path in ("h_dense/kernel", "y/bias", "h/moving_mean"):
        layer, name = path.split("/")
        variable = next(v for v in model.get_layer(layer).weights if v.name == name)
        np.testing.assert_array_equal(found[path], np.asarray(variable), err_msg=path)

    killed_at(17, monkeypatch)  # in the third epoch; the last checkpoint is in the middle of it
    with pytest.raises(Killed):
        main(["run", "two.nn", "--target", "keras", "-o", "b", "--checkpoint-every", "4", "--quiet"])
    assert main(["run", "--resume", "b"]) == 0
    assert "goes on from step 16" in capsys.readouterr().out
    assert Path("a/weights.safetensors").read_bytes() == Path("b/weights.safetensors").read_bytes()
    seconds = {"seconds": 0.0}
    assert [row | seconds for row in history("b")] == [row | seconds for row in rows]

    assert main(["evaluate", "a", "--format", "json"]) == 0
    assert main(["predict", "a", "--data", "p.npz", "-o", "found.npz"]) == 0
    predicted = np.load("found.npz")
    assert predicted["y"].shape == (133, 1)
    keras_own = model.predict(np.load("p.npz")["x"], verbose=0)
    np.testing.assert_allclose(predicted["c"], keras_own["c"], atol=1e-12)


def both_ways(optimizer: str) -> None:
    """Torch begins; both go on from its weights and from the state of its optimizer, and end alike."""
    Path("line.nn").write_text(LINE % optimizer)
    for name in ("begun", "torch", "keras"):
        subprocess.run(["rm", "-rf", name], check=True)
    run("line.nn", "-o", "begun", "--epochs", "1", "--quiet")
    for target in ("torch", "keras"):
        run("line.nn", "--target", target, "-o", target, "--weights", "begun/weights.safetensors", "--quiet")
    a, b = weights("torch/weights.safetensors"), weights("keras/weights.safetensors")
    shared = a.keys() & b.keys()
    assert set(a.keys() ^ b.keys()) <= {"optimizer/iterations"}
    assert len(shared) >= 4
    for name in shared:
        np.testing.assert_allclose(a[name], b[name], rtol=1e-9, atol=1e-9, err_msg=f"{optimizer}: {name}")
    ours, theirs = history("torch"), history("keras")
    for row, other in zip(ours, theirs, strict=True):
        assert list(row) == list(other)
        for name in row.keys() - {"seconds"}:
            assert row[name] == pytest.approx(other[name], rel=1e-9), name
    judged = [json.loads(Path(f"{target}/metrics.json").read_text())["test"] for target in ("torch", "keras")]
    assert judged[0]["penalties"] == pytest.approx(judged[1]["penalties"], rel=1e-9)
    assert judged[0]["penalties"] > 0.01
    ours_y, theirs_y = (part["outputs"]["y"] for part in judged)
    assert ours_y["loss"] == pytest.approx(theirs_y["loss"], rel=1e-9)
    assert ours_y["metrics"] == pytest.approx(theirs_y["metrics"], rel=1e-9)


def test_both_targets_end_alike(folder: Path) -> None:
    both_ways("Adam(learning_rate=ExponentialDecay(0.05, 10, 0.9), clipnorm=0.5)")


@pytest.mark.slow
@pytest.mark.parametrize(
    "optimizer",
    [
        "SGD(learning_rate=0.05, momentum=0.9, nesterov=true)",
        "RMSprop(learning_rate=0.01, centered=true)",
        "Adagrad(learning_rate=0.1)",
        "Adadelta(learning_rate=1.0)",
        "AdamW(learning_rate=0.02, weight_decay=0.01, use_ema=true, ema_momentum=0.9)",
        "Nadam(learning_rate=0.02)",
        "Adamax(learning_rate=0.02)",
        "Ftrl(learning_rate=0.1)",
        "Lion(learning_rate=0.003)",
        "Lamb(learning_rate=0.01)",
        "Adam(learning_rate=0.05, amsgrad=true, gradient_accumulation_steps=3)",
    ],
)
def test_every_optimizer_ends_alike(optimizer: str, folder: Path) -> None:
    both_ways(optimizer)


NO_TORCH = """
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
"""


def alone(code: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    code = f"import sys; from nndsl.cli.main import main\n{code}"
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def test_without_keras_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data(tmp_path)
    Path("two.nn").write_text(TWO)
    done = alone("sys.modules['tensorflow'] = None; sys.exit(main(['run', 'two.nn', '--target', 'keras', '-o', 'a']))")
    assert done.returncode == 2, done.stderr
    assert "`nndsl run` needs tensorflow, which is not installed" in done.stderr
    assert "pip install 'nndsl[keras]'" in done.stderr
    assert not Path("a").exists()


@pytest.mark.slow
def test_no_torch_is_needed(folder: Path) -> None:
    Path("two.nn").write_text(TWO)
    done = alone(f"{NO_TORCH}\nsys.exit(main(['run', 'two.nn', '--target', 'keras', '-o', 'a', '--epochs', '2']))")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "TensorFlow and Keras say nothing"
    assert alone(f"{NO_TORCH}\nsys.exit(main(['evaluate', 'a']))").returncode == 0
    done = alone(f"{NO_TORCH}\nsys.exit(main(['predict', 'a', '--data', 'p.npz']))")
    assert done.returncode == 0
    assert done.stdout.count("\n") == 134


STEPS = """model Parts {
    input x: float[4]
    code = x -> Dense(2, activation=tanh)
    output y = code -> Dense(1) with loss=mse, metrics=[mae]
    submodel encoder(x) = code
    submodel decoder(code) = y
    train { optimizer = SGD(learning_rate=%s); steps = 30; evaluate_every = 8; batch_size = 20; seed = 3 }
    data { source p = npz("p.npz") with test=0.2, seed=7; x = p.x; y = p.y }
}
"""


@pytest.mark.slow
def test_steps_submodels_and_resuming_longer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("parts.nn").write_text(STEPS % 0.1)
    run("parts.nn", "--target", "keras", "-o", "a", "--quiet")
    assert [row["step"] for row in history("a")] == [8, 16, 24, 30]
    run("parts.nn", "--target", "keras", "-o", "b", "--steps", "20", "--quiet")
    run("--resume", "b", "--steps", "30", "--quiet")
    assert Path("a/weights.safetensors").read_bytes() == Path("b/weights.safetensors").read_bytes()
    assert main(["predict", "a", "--data", "p.npz", "-o", "whole.npz"]) == 0
    assert main(["predict", "a", "--data", "p.npz", "--submodel", "encoder", "-o", "codes.npz"]) == 0
    codes = np.load("codes.npz")["code"]
    assert codes.shape == (133, 2)
    assert main(["predict", "a", "--data", "codes.npz", "--submodel", "decoder", "-o", "again.npz"]) == 0
    np.testing.assert_allclose(np.load("again.npz")["y"], np.load("whole.npz")["y"], atol=1e-6)
    found = weights("a/weights.safetensors")
    x = np.load("p.npz")["x"].astype("float32")
    np.testing.assert_allclose(codes, np.tanh(x @ found["code/kernel"] + found["code/bias"]), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate", "last", "where"),
    [
        ("1e30", "Dense(1)", "from step 2 on: the loss first"),
        (
            "0.1",
            "Dense(1, activation=exponential, bias_initializer=Constant(1000))",
            "from step 1 on: first the output of `y`",
        ),
    ],
)
def test_a_lost_loss_names_step_and_layer(
    rate: str, last: str, where: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("parts.nn").write_text((STEPS % rate).replace("Dense(1)", last))
    run("parts.nn", "--target", "keras", "-o", "a", "--quiet", "--checkpoint-every", "1", code=1)
    err = capsys.readouterr().err
    assert "NN0609" in err
    assert where in err
    assert ("here the first number was lost" in err) == ("output" in where)
    assert "the last good ones kept, are in a" in err
    assert all(np.isfinite(array).all() for array in weights("a/weights.safetensors").values())


@pytest.mark.slow
def test_cross_validation(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (LINE % "Adam(learning_rate=0.05)").replace(" with test=0.2, seed=7", "")
    Path("line.nn").write_text(text.replace("epochs = 4", "epochs = 4; cross_validation = KFold(3)"))
    found = {}
    for target in ("torch", "keras"):
        run("line.nn", "--target", target, "-o", target)
        out = capsys.readouterr().out
        assert "mean" in out and "deviation" in out and "part 3/3" in out
        found[target] = out
    assert not Path("keras/weights.safetensors").exists()


STATEFUL = """model Wave {
    options { float = float64 }
    input x: float[6, 1] with batch=4
    output y = x -> LSTM(5, stateful=true) -> Dense(1) with loss=mse
    train { optimizer = RMSprop(learning_rate=0.01); epochs = 3; seed = 2; reset_state = %s }
    data { source s = npz("s.npz") with test=0.25, validation=0.25; x = s.x; y = s.y }
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("reset", ["epoch", "never"])
def test_states_go_from_batch_to_batch(reset: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    np.savez("s.npz", x=random.normal(size=(48, 6, 1)), y=random.normal(size=(48, 1)))
    Path("wave.nn").write_text(STATEFUL % reset)
    run("wave.nn", "--epochs", "1", "-o", "begun", "--quiet")
    for target in ("torch", "keras"):
        run("wave.nn", "--target", target, "-o", target, "--weights", "begun/weights.safetensors", "--quiet")
    for row, other in zip(history("torch"), history("keras"), strict=True):
        assert {**row, "seconds": 0} == pytest.approx({**other, "seconds": 0}, rel=1e-9)
    killed_at(9, monkeypatch)
    with pytest.raises(Killed):
        arguments = ["--target", "keras", "--weights", "begun/weights.safetensors", "--checkpoint-every", "3"]
        main(["run", "wave.nn", "-o", "b", *arguments, "--quiet"])
    run("--resume", "b", "--quiet")
    assert Path("keras/weights.safetensors").read_bytes() == Path("b/weights.safetensors").read_bytes()


@pytest.mark.slow
def test_weights_of_classes(folder: Path) -> None:
    text = """model Classes {
        options { float = float64 }
        input x: float[4]
        output c = x -> Dense(3, activation=softmax) with loss=sparse_categorical_crossentropy, metrics=[accuracy]
        train { optimizer = Adam(learning_rate=0.05); epochs = 3; batch_size = 20; seed = 3; class_weight = [1, 5, 2] }
        data { source p = npz("p.npz") with test=0.2, validation=0.1, seed=7; x = p.x; c = p.c }
    }
    """
    Path("classes.nn").write_text(text)
    run("classes.nn", "-o", "begun", "--epochs", "1", "--quiet")
    for target in ("torch", "keras"):
        run("classes.nn", "--target", target, "-o", target, "--weights", "begun/weights.safetensors", "--quiet")
    for row, other in zip(history("torch"), history("keras"), strict=True):
        assert {**row, "seconds": 0} == pytest.approx({**other, "seconds": 0}, rel=1e-9)
    assert history("keras")[0]["loss"] > 1.5 * history("keras")[0]["val_loss"], "validation counts each sample once"


@pytest.mark.slow
def test_weights_of_samples_in_data_that_are_streamed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """model Weighted {
        options { float = float64 }
        input x: float[4]
        output c = x -> Dense(3, activation=softmax)
            with loss=sparse_categorical_crossentropy, metrics=[accuracy], weighted_metrics=[accuracy], sample_weight=w
        train { optimizer = Adam(learning_rate=0.05); epochs = 3; batch_size = 20; seed = 3 }
        data { source p = npz("w.npz") with test=0.2, validation=0.1, seed=7; x = p.x; c = p.c; w = p.w }
    }
    """
    found = np.load("p.npz")
    np.savez("w.npz", x=found["x"], c=found["c"], w=np.random.default_rng(1).uniform(0, 2, 133))
    Path("weighted.nn").write_text(text)
    run("weighted.nn", "-o", "begun", "--epochs", "1", "--quiet")
    for target in ("torch", "keras"):
        run("weighted.nn", "--target", target, "-o", target, "--weights", "begun/weights.safetensors", "--quiet")
    for row, other in zip(history("torch"), history("keras"), strict=True):
        assert {"accuracy", "weighted_accuracy", "val_weighted_accuracy"} <= row.keys()
        assert {**row, "seconds": 0} == pytest.approx({**other, "seconds": 0}, rel=1e-9)

    from nndsl.runtime import columns

    monkeypatch.setattr(columns, "RESIDENT_BYTES", 0)
    run("weighted.nn", "--target", "keras", "-o", "b", "--weights", "begun/weights.safetensors", "--quiet")
    assert Path("keras/weights.safetensors").read_bytes() == Path("b/weights.safetensors").read_bytes()


@pytest.mark.slow
def test_masks_of_outputs_are_known(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nndsl.runtime.reports.gathering import Gathering

    text = """model Tags {
        input words: int[6]
        output tag = words -> Embedding(9, 4, mask_zero=true) -> LSTM(5, return_sequences=true)
            -> Dense(3, activation=softmax) with loss=sparse_categorical_crossentropy
        train { optimizer = Adam(); epochs = 1; batch_size = 20; seed = 3 }
        data { source p = npz("t.npz") with test=0.5, seed=7; words = p.words; tag = p.tag }
    }
    """
    random = np.random.default_rng(1)
    words = random.integers(1, 9, (60, 6)) * (np.arange(6) < random.integers(1, 7, (60, 1)))
    np.savez("t.npz", words=words, tag=random.integers(0, 3, (60, 6)))
    Path("tags.nn").write_text(text)
    seen: list[Any] = []
    real = Gathering.add

    def add(self: Gathering, predicted: Any, target: Any, mask: Any) -> None:
        seen.append(mask)
        real(self, predicted, target, mask)

    monkeypatch.setattr(Gathering, "add", add)
    for target in ("torch", "keras"):
        run("tags.nn", "--target", target, "-o", target, "--quiet")
    assert len(seen) == 4
    for ours, theirs in zip(seen[:2], seen[2:], strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert 0 < ours.mean() < 1


@pytest.mark.slow
def test_callbacks_write_into_the_folder_and_go_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    callbacks = 'callbacks = [CSVLogger("logs/numbers.csv"), ModelCheckpoint("best.keras", monitor="loss")]'
    Path("line.nn").write_text((LINE % "Adam(learning_rate=0.05)").replace("epochs = 4", f"epochs = 4; {callbacks}"))
    run("line.nn", "--target", "keras", "-o", "a", "--quiet")
    assert not Path("logs").exists() and not Path("best.keras").exists()
    table = Path("a/logs/numbers.csv").read_text()
    assert table.count("\n") == 5
    assert Path("a/best.keras").exists()
    killed_at(23, monkeypatch)  # in the last epoch of 6 steps; the third is in the table already
    with pytest.raises(Killed):
        main(["run", "line.nn", "--target", "keras", "-o", "b", "--checkpoint-every", "17", "--quiet"])
    assert Path("b/logs/numbers.csv").read_text().count("\n") == 4
    run("--resume", "b", "--quiet")
    assert Path("b/logs/numbers.csv").read_text() == table
    rate = "PiecewiseConstantDecay(boundaries=[14], values=[0.05, 1e30])"
    wild = Path("line.nn").read_text().replace("learning_rate=0.05", f"learning_rate={rate}")
    Path("wild.nn").write_text(wild.replace("    options { float = float64 }\n", ""))
    run("wild.nn", "--target", "keras", "-o", "c", "--quiet", code=1)
    rows = Path("c/logs/numbers.csv").read_text().splitlines()
    assert len(rows) == 3, "what is taken again to find the place writes no row"
    assert Path("a/weights.safetensors").read_bytes() == Path("b/weights.safetensors").read_bytes()


@pytest.mark.slow
def test_compiled_by_xla(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import keras

    Path("parts.nn").write_text(STEPS % 0.1)
    run("parts.nn", "--target", "keras", "-o", "a", "--quiet")
    run("parts.nn", "--target", "keras", "-o", "b", "--quiet", "--compile")
    a, b = weights("a/weights.safetensors"), weights("b/weights.safetensors")
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_allclose(a[name], b[name], rtol=1e-4, atol=1e-5)
    never = property(lambda layer: False, lambda layer, value: None)
    monkeypatch.setattr(keras.layers.Dense, "supports_jit", never, raising=False)
    run("parts.nn", "--target", "keras", "-o", "c", "--quiet", "--compile", code=2)
    err = capsys.readouterr().err
    assert "XLA cannot compile `Parts`: the layer `code` has operations that XLA does not have" in err
    assert "leave --compile out" in err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("precision", "optimizer"),
    [
        ("bfloat16", "Adam(learning_rate=0.05)"),
        ("float16", "Adam(learning_rate=0.05)"),
        ("float16", "Nadam(learning_rate=0.05)"),  # Keras loses sight of some of its state where losses are scaled
        ("float16", "Adafactor(learning_rate=0.05, use_ema=true)"),
        ("float16", 'MultiOptimizer(OptimizerMap(Nadam(0.05), [("h/.*", Adafactor(0.05)), ("y/bias", Nadam(0.1))]))'),
    ],
)
def test_half_precision(precision: str, optimizer: str, folder: Path) -> None:
    Path("line.nn").write_text((LINE % optimizer).replace("    options { float = float64 }\n", ""))
    run("line.nn", "--target", "keras", "-o", "a", "--quiet", "--precision", precision)
    run("line.nn", "--target", "keras", "-o", "b", "--quiet", "--precision", precision, "--epochs", "2")
    run("--resume", "b", "--epochs", "4", "--quiet")
    assert f'"mixed_{precision}"' in Path("a/model.py").read_text()
    assert weights("a/weights.safetensors")["h/kernel"].dtype == np.float32
    assert history("a")[-1]["loss"] < history("a")[0]["loss"]
    assert Path("a/weights.safetensors").read_bytes() == Path("b/weights.safetensors").read_bytes()


@pytest.mark.slow
def test_a_full_memory_says_what_would_fit(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import tensorflow as tf

    from nndsl.interop.keras_trainer import Trainer

    real = Trainer.batch_of

    def batch_of(self: Trainer, arrays: Any, training: bool) -> Any:
        if len(arrays["x"]) > 6:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
        return real(self, arrays, training)

    monkeypatch.setattr(Trainer, "batch_of", batch_of)
    Path("parts.nn").write_text(STEPS % 0.1)
    run("parts.nn", "--target", "keras", "-o", "a", "--quiet", code=1)
    err = capsys.readouterr().err
    assert "the memory does not hold a batch of 20 of `Parts`" in err
    assert "a batch of 5 fits: `--batch-size 5`" in err


@pytest.mark.slow
def test_devices_that_are_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("parts.nn").write_text(STEPS % 0.1)
    run("parts.nn", "--target", "keras", "--device", "mps", code=2)
    assert "TensorFlow does not know the device `mps`" in capsys.readouterr().err
    run("parts.nn", "--target", "keras", "--device", "cuda", code=2)
    assert "TensorFlow sees no GPU" in capsys.readouterr().err
