"""Deliberate faults in the emitted torch program are found, and told where they are."""

from __future__ import annotations

import pytest

from tests.verify.planting import assert_holds, plant, run, stepped, written

OPTIMIZER = "optimizer = SGD(learning_rate=0.125)"

DENSE = f"""
model Square {{
    input x: float[6]
    output y = x -> Dense(6, activation=tanh) -> Dense(2) with loss=mse
    train {{ {OPTIMIZER} }}
}}
"""
PADDED = f"""
model Padded {{
    input x: float[8, 8, 2]
    output y = x -> Conv2D(3, 3, strides=2, padding=same) -> GlobalAveragePooling2D() -> Dense(1) with loss=mse
    train {{ {OPTIMIZER} }}
}}
"""
ROOT = """
model Root {
    input x: float[4]
    output y = x -> Dense(3) with loss=mse
    train { optimizer = RMSprop(learning_rate=0.125, rho=0.5, epsilon=0.0078125) }
}
"""
GATES = f"""
model Gates {{
    input x: float[T, 3]
    output y = x -> GRU(4) -> Dense(1) with loss=mse
    train {{ {OPTIMIZER} }}
}}
"""
WEIGHED = f"""
model Weighed {{
    input x: float[4]
    h = x -> Dense(5, activation=relu)
    output a = h -> Dense(1) with loss=mse
    output b = h -> Dense(1) with loss=mae, weight=0.25
    train {{ {OPTIMIZER} }}
}}
"""


def test_a_transposed_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, stepped("y_dense/kernel"))
    rows = run(DENSE)
    assert rows["outputs"].status == "failed"
    gradients = rows["gradients"]
    assert gradients.status == "failed" and "`y_dense/kernel`" in {d.name for d in gradients.failures}


@pytest.mark.slow
def test_symmetric_padding(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, written("(0, 1, 0, 1)", "(1, 0, 1, 0)"))
    rows = run(PADDED)
    assert {name for name, row in rows.items() if row.status == "ok"} <= {"extreme values"}
    assert rows["outputs"].worst is not None and rows["outputs"].worst.name.startswith("`y`, batch")
    assert "`y_conv2d/kernel`" in {d.name for d in rows["gradients"].failures}


@pytest.mark.slow
def test_epsilon_on_the_wrong_side_of_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, written("(square + epsilon).sqrt()", "(square.sqrt() + epsilon)"))
    rows = run(ROOT)
    broken = {name for name, row in rows.items() if row.status != "ok"}
    assert broken == {"loss of each step", "reports of training", "weights after training"}
    assert {d.name for d in rows["weights after training"].failures} == {"`y/kernel`", "`y/bias`"}


@pytest.mark.slow
def test_gates_in_the_wrong_order(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, stepped("y_gru/recurrent_kernel", ("permute", (1, 0))))
    rows = run(GATES)
    assert rows["outputs"].status == rows["free sizes"].status == "failed"
    assert "`y_gru/recurrent_kernel`" in {d.name for d in rows["gradients"].failures}


@pytest.mark.slow
def test_a_wrong_loss_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, written("0.25 * ", "0.5 * "))
    rows = run(WEIGHED)
    assert rows["outputs"].status == rows["extreme values"].status == "ok"
    failures = {d.name for d in rows["losses and metrics"].failures}
    assert failures == {"`loss`, whole batches", "`loss`, a smaller last batch"}
    assert "`b/kernel`" in {d.name for d in rows["gradients"].failures}
    assert "`a/kernel`" not in {d.name for d in rows["gradients"].failures}


@pytest.mark.slow
@pytest.mark.parametrize("text", [DENSE, PADDED, ROOT, GATES, WEIGHED])
def test_without_the_fault(text: str) -> None:
    assert_holds(run(text))


def test_a_program_that_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, written("nn.Linear(6, 6)", "nn.Linear(6, 7)"))
    [row] = run(DENSE).values()
    assert row.status == "failed" and row.note.startswith("PyTorch: LookupError: y_dense.weight has the shape [7, 6]")
