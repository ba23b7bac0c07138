"""`nndsl run --processes`: the same weights as one process, to rounding; clean ends; resuming with another number."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nndsl
from nndsl.cli.main import main
from nndsl.runtime.options import Options, make_plan
from nndsl.runtime.report import RunFailed, Unavailable
from nndsl.runtime.together import check_together
from nndsl.runtime.world import World, here
from tests.runtime.several import ROOT, Started, alive, apart, history, together, weights

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.skipif(sys.platform != "linux", reason="gloo, and signals")]

# Of 800 rows a batch of 17 leaves one for the last: with several processes some have none. The validation part has 200.
BLOCK = """block Residual() {
    input x
    output y = x + (x -> Dense(12, activation=tanh) -> Dense(6))
}
"""
FRAME = """model M {
    options { float = float64 }
%s
    train { optimizer = %s; steps = 50; batch_size = 17; evaluate_every = 10; seed = 3%s }
}
"""
DENSE = "    input x: float[5]\n    h = x -> Dense(8, activation=tanh)\n"
MODELS = {
    "mlp": (
        "    input x: float[5]\n"
        "    h = x -> Dense(8, activation=tanh, kernel_regularizer=L2(0.01), activity_regularizer=L2(0.02))\n"
        "    output y = h -> Dense(1) with loss=mse, metrics=[mae, RootMeanSquaredError(), R2Score()]",
        "Adam(learning_rate=0.01)", "",
    ),
    "cnn": (
        "    input x: float[8, 8, 2]\n"
        "    output y = x -> Conv2D(4, 3, activation=relu) -> MaxPooling2D() -> Flatten() -> Dense(3, "
        "activation=softmax)\n        with loss=sparse_categorical_crossentropy, metrics=[accuracy]",
        "SGD(learning_rate=0.05, momentum=0.9)", "",
    ),
    "two": (
        DENSE + "    output y = h -> Dense(1) with loss=mse, weight=0.3\n"
        "    output z = h -> Dense(1, activation=sigmoid) with loss=binary_crossentropy, weight=2, metrics=[AUC(), "
        "Precision(), accuracy]\n    output free = h -> Dense(2)",
        "RMSprop(learning_rate=0.01)", "",
    ),
    "masked": (
        "    input x: int[7]\n    output y = x -> Embedding(20, 6, mask_zero=true) -> LSTM(5, return_sequences=true)\n"
        "        -> Dense(4, activation=softmax) with loss=sparse_categorical_crossentropy, metrics=[accuracy]",
        "Adam(learning_rate=0.02)", "",
    ),
    "masked_penalty": (
        "    input x: int[7]\n    h = x -> Embedding(20, 6, mask_zero=true, embeddings_regularizer=L2(0.01))\n"
        "    output y = h -> LSTM(5, return_sequences=true, activity_regularizer=L2(0.05)) -> Dense(4)\n"
        "        with loss=SparseCategoricalCrossentropy(from_logits=true), metrics=[accuracy]",
        "Adam(learning_rate=0.02)", "",
    ),
    "class_weight": (
        DENSE + "    output y = h -> Dense(3, activation=softmax) with loss=sparse_categorical_crossentropy, "
        "metrics=[accuracy], weighted_metrics=[accuracy]",
        "SGD(learning_rate=0.1)", "; class_weight = [1, 3, 0.5]",
    ),
    "sample_weight": (
        DENSE + "    output y = h -> Dense(1) with loss=mse, sample_weight=w, metrics=[mae], weighted_metrics=[mae]",
        "SGD(learning_rate=0.1)", "",
    ),
    "divided_by_weights": (
        DENSE + "    output y = h -> Dense(1) with loss=MeanSquaredError(reduction=mean_with_sample_weight), "
        "sample_weight=w, metrics=[mae]",
        "SGD(learning_rate=0.1)", "",
    ),
    "dice": (
        "    input x: float[6, 6, 1]\n"
        "    output y = x -> Conv2D(1, 3, padding=same, activation=sigmoid) with loss=dice",
        "Adam(learning_rate=0.05)", "",
    ),
    "circle": (
        DENSE + "    output y = h -> Dense(4) -> UnitNormalization() with loss=circle",
        "SGD(learning_rate=0.01)", "",
    ),
    "sum": (
        DENSE + "    output y = h -> Dense(1) with loss=MeanSquaredError(reduction=sum)",
        "SGD(learning_rate=0.001)", "",
    ),
    "f1": (
        DENSE + "    output y = h -> Dense(3, activation=softmax) with loss=categorical_crossentropy, "
        "metrics=[F1Score(), accuracy]",
        "Adam(learning_rate=0.01)", "",
    ),
    "averages": (
        DENSE + "    output y = h -> Dense(1) with loss=mse",
        "Adam(learning_rate=0.01, clipnorm=0.1, use_ema=true)", "",
    ),
    "global_norm": (
        DENSE + "    output y = h -> Dense(1, kernel_constraint=MaxNorm(0.5)) with loss=mae, metrics=[mse]",
        "AdamW(CosineDecay(0.01, 60), weight_decay=0.01, global_clipnorm=0.1)", "",
    ),
    "gathered": (
        DENSE + "    output y = h -> Dense(1) with loss=mse", "Adam(learning_rate=0.01, gradient_accumulation_steps=3)",
        "",
    ),
    "synchronized": (
        "    input x: float[6, 6, 2]\n    output y = x -> Conv2D(3, 3) -> BatchNormalization(synchronized=true, "
        "momentum=0.9)\n        -> Flatten() -> Dense(4) -> BatchNormalization(synchronized=true, renorm=true)"
        " -> Dense(1) with loss=mse",
        "Adam(learning_rate=0.01)", "",
    ),
    "synchronized_masked": (
        "    input x: int[7]\n    output y = x -> Embedding(20, 6, mask_zero=true) -> BatchNormalization("
        "synchronized=true)\n        -> LSTM(4, return_sequences=true) -> Dense(1) with loss=mse",
        "Adam(learning_rate=0.01)", "",
    ),
    "deep": (
        "    input x: float[6]\n    output y = x -> repeat 3 { Residual() } -> Dense(1) with loss=mse, metrics=[mae]",
        "AdamW(learning_rate=0.01, weight_decay=0.1, global_clipnorm=0.5)", "",
    ),
}  # fmt: skip
NOISY = FRAME % (
    "    input x: float[5]\n    output y = x -> Dense(8) -> BatchNormalization() -> Dropout(0.3) -> Dense(1)"
    " with loss=mse, metrics=[mae]",
    "Adam(learning_rate=0.01)", "",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, (body, optimizer, more) in MODELS.items():
        Path(f"{name}.nn").write_text((BLOCK if "Residual" in body else "") + FRAME % (body, optimizer, more))
    Path("noisy.nn").write_text(NOISY)
    return tmp_path


def command(name: str, run: str, *more: str) -> list[str]:
    return ["run", name if name == "-" else f"{name}.nn", "--data", "random", "--device", "cpu", "-o", run, *more]


def test_two_processes_learn_what_one_does(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(command("mlp", "two", "--processes", "2")) == 0
    out, err = capfd.readouterr()
    assert err == "" and "cpu, 2 processes" in out and out.count("50 steps") == 1
    assert main(command("mlp", "one")) == 0
    assert apart("one", "two") < 1e-9
    assert json.loads(Path("two/run.json").read_text())["processes"] == 2
    assert json.loads(Path("one/metrics.json").read_text())["test"].keys() >= {"loss"}


@pytest.mark.slow
def test_every_kind_of_loss_is_that_of_one_process(folder: Path) -> None:
    for count in (2, 3):
        together([command(name, f"{name}-{count}") for name in MODELS], count, folder / f"together-{count}")
    for name in MODELS:
        assert main(command(name, f"{name}-1")) == 0
    found = {f"{name} {count}": apart(f"{name}-1", f"{name}-{count}") for name in MODELS for count in (2, 3)}
    assert max(found.values()) < 1e-9, found


LONG = ("--steps", "600", "--checkpoint-every", "10", "--processes", "2")


def same(one: str, other: str) -> bool:
    """Whether two runs ended with the same bits."""
    pairs = [(weights(one), weights(other)), (history(one), history(other))]
    return all(a.keys() == b.keys() and all(np.array_equal(a[n], b[n], equal_nan=True) for n in a) for a, b in pairs)


@pytest.mark.slow
def test_a_killed_process_ends_the_run_and_resume_goes_on(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("noisy", "mlp"):
        assert main(command(name, f"{name}-whole", *LONG, "--quiet")) == 0
    assert not same("noisy-whole", "mlp-whole")
    for name, rank in (("noisy", 1), ("noisy", 0), ("mlp", 1)):
        run = f"{name}-{rank}"
        started = Started(*command(name, run, *LONG))
        started.wait_for_step(run, 50)
        members = started.members()
        assert sorted(members) == [0, 1]
        os.kill(members[rank], signal.SIGKILL)
        code, _, err = started.end()
        assert code == 1
        lines = err.splitlines()
        assert lines[0] == f"error: process {rank + 1} of 2 was killed by signal 9 (SIGKILL)"
        step = int(lines[1].split("from step ")[1].split()[0])
        assert step >= 50 and lines[1].endswith(f"with `nndsl run --resume {run} --processes 2`")
        assert len(lines) == 2
        assert not any(map(alive, members.values()))
        about = json.loads(Path(run, "run.json").read_text())
        assert about["status"] == "failed" and "was killed by signal 9" in about["reason"]
        for count in (1, 3) if name == "mlp" else ():
            shutil.copytree(run, f"{run}-{count}")
            assert main(["run", "--resume", f"{run}-{count}", "--processes", str(count), "--quiet"]) == 0
            assert apart(f"{run}-{count}", "mlp-whole") < 1e-9
        assert main(["run", "--resume", run, "--processes", "2", "--quiet"]) == 0
        assert same(run, f"{name}-whole")


@pytest.mark.slow
def test_interrupts_stop_all_and_save_once(folder: Path) -> None:
    assert main(command("noisy", "whole", *LONG, "--quiet")) == 0
    started = Started(*command("noisy", "stopped", *LONG))
    started.wait_for_step("stopped", 50)
    members = started.members()
    started.process.send_signal(signal.SIGINT)
    code, out, err = started.end()
    assert code == 130 and err == "" and out.count("interrupted after") == 1
    assert out.endswith("go on with: nndsl run --resume stopped\n")
    assert not any(map(alive, members.values()))
    assert main(["run", "--resume", "stopped", "--processes", "2", "--quiet"]) == 0
    assert same("stopped", "whole")


@pytest.mark.slow
def test_no_process_outlives_the_one_that_started_it(folder: Path) -> None:
    started = Started(*command("mlp", "run", "--steps", "1000000", "--processes", "2", "--checkpoint-every", "10"))
    started.wait_for_step("run", 50)
    members = started.members()
    started.process.kill()
    started.process.wait()
    until = time.monotonic() + 30
    while any(map(alive, members.values())) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(map(alive, members.values()))


@pytest.mark.slow
def test_callbacks_and_cross_validation_are_those_of_one_process(folder: Path) -> None:
    watched = (
        "    train { optimizer = Adam(learning_rate=0.05); epochs = 8; batch_size = 30; seed = 3\n"
        "        validation_split = 0.2\n"
        '        callbacks = [ReduceLROnPlateau(patience=1), CSVLogger("log.csv"), ModelCheckpoint("{epoch}.keras"),\n'
        "            EarlyStopping(patience=3, restore_best_weights=true)] }\n}\n"
    )
    crossed = "    train { optimizer = adam; epochs = 2; batch_size = 30; seed = 3; cross_validation = KFold(3) }\n}\n"
    head = FRAME.partition("    train")[0] % MODELS["mlp"][0]
    Path("watched.nn").write_text(head + watched)
    Path("crossed.nn").write_text(head + crossed)
    for run, more in (("ddp", []), ("fsdp", ["--shard"])):
        together([command("watched", run, *more)], 2, folder / f"together-{run}")
    together([command("crossed", "two")], 2, folder / "together")
    assert main(command("watched", "one")) == 0
    assert main(command("crossed", "single")) == 0
    assert apart("one", "ddp") < 1e-9 and apart("one", "fsdp") < 1e-9
    assert len(set(history("one")["learning_rate"])) > 1
    saved = [torch.load(next(Path(run).glob("3.*")), weights_only=True)[0] for run in ("one", "ddp", "fsdp")]
    assert all(torch.allclose(value, other[name], atol=1e-9) for other in saved for name, value in saved[0].items())
    assert len({Path(run, "log.csv").read_text().count("\n") for run in ("one", "ddp", "fsdp")}) == 1
    folds = [json.loads(Path(run, "metrics.json").read_text())["cross_validation"] for run in ("single", "two")]
    for name, mean in folds[0]["mean"].items():
        assert folds[1]["mean"][name] == pytest.approx(mean, abs=1e-9)


@pytest.mark.slow
def test_sharded_weights_are_those_of_one_process(folder: Path) -> None:
    names = ["mlp", "masked", "averages", "global_norm", "gathered", "deep"]
    together([command(name, f"{name}-2", "--shard") for name in names], 2, folder / "together")
    for name in names:
        assert main(command(name, f"{name}-1")) == 0
    found = {name: apart(f"{name}-1", f"{name}-2") for name in names}
    assert max(found.values()) < 1e-9, found
    # A checkpoint of divided weights is whole: one process goes on with it, and several with that of one.
    longer = ["--steps", "70", "--quiet"]
    assert main(["run", "--resume", "deep-2", *longer]) == 0
    shutil.copytree("deep-1", "deep-3")
    together([["run", "--resume", "deep-3", *longer]], 2, folder / "resumed")
    assert main(["run", "--resume", "deep-1", *longer]) == 0
    assert apart("deep-1", "deep-2") < 1e-9 and apart("deep-1", "deep-3") < 1e-9


@pytest.mark.slow
def test_a_single_process_of_torchrun_forgets_states_as_one_alone_does(folder: Path) -> None:
    inputs, lstm = "    input x: float[4, 2] with batch=20\n", "LSTM(3, stateful=true)"
    text = FRAME % (f"{inputs}    output y = x -> {lstm} -> Dense(1) with loss=mse", "Adam(learning_rate=0.01)", "")
    Path("state.nn").write_text(text.replace("batch_size = 17", "batch_size = 20"))
    together([command("state", "started")], 1, folder / "together")
    assert main(command("state", "alone")) == 0
    assert "val_loss" in history("alone")
    assert same("started", "alone")


@pytest.mark.slow
def test_what_goes_wrong_is_said_once(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    np.savez("bad.npz", x=np.full((40, 5), np.nan), y=np.zeros((40, 1)))
    assert main(["run", "mlp.nn", "--data", "bad.npz", "--device", "cpu", "--processes", "2"]) == 1
    out, err = capfd.readouterr()
    assert (out == "" and err.count("error[NN06") == 1 and "NaN" in err) or "nan" in err
    Path("broken.nn").write_text("model M { input x: float[1]; output y = x -> Dnse(1) }\n")
    assert main(["run", "broken.nn", "--processes", "3"]) == 1
    assert capfd.readouterr().err.count("error[") == 1
    Path("steep.nn").write_text(
        "model M {\n    input x: float[5]\n    h = x -> Dense(4)\n    output y = h -> Dense(1) with loss=mse\n"
        "    train { optimizer = SGD(learning_rate=1e9); epochs = 20; batch_size = 16; seed = 1 }\n}\n"
    )
    assert main(["run", "steep.nn", "--data", "random", "--device", "cpu", "--processes", "2", "-o", "steep"]) == 1
    out, err = capfd.readouterr()
    assert err.count("error[NN0609]") == 1 and err.count("\nerror") == 0 and "Traceback" not in err
    assert json.loads(Path("steep/run.json").read_text())["status"] == "failed"
    assert main(["run", "mlp.nn", "--data", "random", "--device", "cpu", "--processes", "2", "-o", "steep"]) == 2
    err = capfd.readouterr().err
    assert err.startswith("error: the folder `steep` is not empty") and err.count("error") == 1


@pytest.mark.slow
def test_the_standard_input_reaches_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = subprocess.run(
        [sys.executable, "-m", "nndsl", *command("-", "r", "--processes", "2")],
        input=Path("mlp.nn").read_text(), text=True, capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert given.returncode == 0 and given.stderr == "", given.stderr
    assert main(command("mlp", "one")) == 0
    assert apart("one", "r") < 1e-9


def test_refuses_what_cannot_be_divided(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pair = World(1, 2, 1, 2, joined=True)

    def said(text: str, **options: Any) -> str:
        model = nndsl.check(text).main
        with pytest.raises(RunFailed) as failed:
            check_together(model, Options(**options), make_plan(model, Options(**options)), pair)
        (problem,) = failed.value.problems
        assert problem.code == "NN0611" and problem.help is not None
        return f"{problem.message} / {problem.primary.span.text}"

    head = "model M {\n    input x: float[4, 2]%s\n    output y = x -> %s -> Dense(1) with loss=mse\n}\n"
    assert "goes on from batch to batch" in said(head % (" with batch=8", "LSTM(3, stateful=true)"))
    assert "takes batches of 8 alone" in said(head % (" with batch=8", "LSTM(3)"))
    orthogonal = "LSTM(3) -> Dense(3, activity_regularizer=OrthogonalRegularizer())"
    assert "compares all rows" in said(head % ("", orthogonal))
    assert "2 processes have nothing to divide in batches of 1" in said(head % ("", "LSTM(3)"), batch_size=1)
    assert main(command("mlp", "run", "--shard")) == 2
    assert "--shard divides the weights among several processes" in capsys.readouterr().err
    assert main(command("mlp", "run", "--processes", "2", "--target", "keras")) == 2
    assert "PyTorch program alone" in capsys.readouterr().err


def test_the_environment_says_who_is_who(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    given = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
    world = here(given)
    assert (world.rank, world.count, world.local, world.locals, world.first) == (3, 4, 1, 2, False)
    assert here({}).count == 1 and not here({}).joined
    for wrong in ({"RANK": "4"}, {"RANK": "x"}, {"LOCAL_RANK": "2"}):
        with pytest.raises(Unavailable, match="no place among processes"):
            here(given | wrong)
    for rows in range(9):
        shares = [World(rank, 4).share(np.arange(rows)) for rank in range(4)]
        assert np.concatenate(shares).tolist() == list(range(rows))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert main(["run", "model.nn", "--processes", "2"]) == 2
    assert "torchrun has started 4 processes already" in capsys.readouterr().err
