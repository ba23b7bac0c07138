"""What fuzzing found, each as small as it gets: right programs that were written wrongly, texts that broke something.

Wrong programs whose message is at stake stand in tests/wrong.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.source import SourceFile
from tests.fuzz.oracles import MAIN, examine, limited

CASES = sorted((Path(__file__).parent / "cases").glob("*.nn"))
ONE = "model M {{\n    input x: {}\n    output y = x -> {}\n}}\n"
WRONG = {
    "an arrow on two lines": (ONE.format("float[8]", "Dense(8) -\n> Dense(1)"), "NN0103"),
    "a list on two lines": (ONE.format("float[8]", "[Dense(4),\n    Dense(3)]"), "NN0211"),
    "a long string at the wrong place": (f'from\n"{"Wrap(" * 5000}" import import\n', "NN0101"),
    "rounds past 64 bits": (ONE.format("float[8]", "repeat 2**63 { Dense(8) }"), "NN0702"),
    "a mask of bools": (ONE.format("bool[4, 8]", "Masking()"), "NN0305"),
    "a regularizer of matrices on sequences": (
        ONE.format("float[4, 8]", "LSTM(7, return_sequences=true, activity_regularizer=OrthogonalRegularizer())"),
        "NN0206",
    ),
    "an initializer of matrices on a vector, inside": (
        ONE.format("float[4, 8]", "TimeDistributed(LayerNormalization(gamma_initializer=Orthogonal()))"),
        "NN0206",
    ),
    "an empty range of numbers": (ONE.format("float[8]", "Dense(3, bias_initializer=RandomUniform(0.4))"), "NN0215"),
    "names for nothing": ("model M {\n    input x: float[8]\n    (a, b) = ()\n    output y = x\n}\n", "NN0213"),
    "more thresholds than can be made": (
        ONE.format("float[8]", "Dense(3) with loss=mse, metrics=[IoU(10**9, [0]), AUC(num_thresholds=1 + 10**9)]"),
        "NN0206",
    ),
    "more places for unknown words than can be made": (
        ONE.format("int[8]", "IntegerLookup(vocabulary=[1, 2], num_oov_indices=10**9)"),
        "NN0206",
    ),
    "columns past 64 bits": (
        "model M {\n    input x: float[8]\n    output y = x -> Dense(1) with loss=mse\n    data {\n"
        '        source t = csv("t.csv")\n        x = t[0:2**63]\n        y = t[8]\n    }\n}\n',
        "NN0605",
    ),
    "a setting without a name": ("model M {\n    input x: float[8]\n    train { epochs = 1; ={= 10 }\n}\n", "NN0101"),
}


@pytest.mark.torch
@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_right(case: Path) -> None:
    """Every question is asked, and the program builds with what was predicted, structured and flat."""
    pytest.importorskip("torch")
    from tests.fuzz.building import build_in_torch

    random = Random(1)
    outcome = examine({MAIN: case.read_text(encoding="utf-8")}, random, thorough=1)
    assert outcome.program is not None
    for inline in (False, True):
        assert build_in_torch(outcome.program, random, inline=inline)


@pytest.mark.torch
@pytest.mark.parametrize("flow", ["ReLU()", "Dense(8, trainable=false)"])
def test_a_loss_without_anything_to_learn(flow: str) -> None:
    """Keras trains such a model with a warning; the torch program runs its epochs too, and changes nothing."""
    torch = pytest.importorskip("torch")
    text = f"model M {{\n    input x: float[8]\n    output y = x -> {flow} with loss=mse\n}}\n"
    program = pipeline.check(SourceFile(MAIN, text), Problems())
    assert program is not None
    module: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(pipeline.emit(program, "torch"), "<emitted>", "exec"), module)
    model = module["M"]()
    data = {"x": torch.ones(4, 8), "y": torch.ones(4, 8)}
    trained = module["run"](model, data, 2, module["make_optimizer"](model))
    assert trained == module["run"](model, data, 2)


@pytest.mark.torch
@pytest.mark.parametrize("section", ["options { float = float16 }", "train { precision = float16 }"])
@pytest.mark.parametrize("call", ["MultiHeadAttention(2, 3)", "Attention()", "AdditiveAttention(dropout=0.5)"])
def test_attention_in_float16_that_may_look_nowhere(section: str, call: str) -> None:
    """-1e9, which stands for what is masked, is no number of float16."""
    torch = pytest.importorskip("torch")
    text = (
        f"model M {{\n    {section}\n    input x: int[3]\n    e = x -> Embedding(5, 4, mask_zero=true)\n"
        f"    output z = (x -> Embedding(5, 4), e) -> {call} -> Dense(1) with loss=mse\n}}\n"
    )
    program = pipeline.check(SourceFile(MAIN, text), Problems())
    assert program is not None
    module: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(pipeline.emit(program, "torch"), "<emitted>", "exec"), module)
    model = module["M"]()
    with torch.autocast("cpu", torch.float16, enabled="train" in section):
        z = model(torch.tensor([[1, 2, 0], [0, 0, 0]]))["z"]
    assert z.dtype == torch.float16
    assert torch.isfinite(z).all()


def test_a_mistake_in_many_rounds_is_looked_up_once() -> None:
    """It took minutes where the limit of layers allows it."""
    for stage in ("ReLU() if true else Addnot()", "Dense(8, activation=rellu)"):
        text = ONE.format("float[8]", f"repeat 10000 {{ ({stage}) }}")
        problems = Problems()
        with limited(5):
            pipeline.check(SourceFile(MAIN, text), problems)
        assert {"NN0202", "NN0217"} & {problem.code for problem in problems}


def test_a_remedy_of_a_setting() -> None:
    """It changes what `--set` says and none of the files."""
    text = "param units = 4\n" + ONE.format("float[8]", "Dense(units)")
    problems = Problems()
    assert pipeline.check(SourceFile(MAIN, text), problems, settings={"unitz": "5"}) is None
    assert [fix for problem in problems.items for fix in problem.fixes]
    examine({MAIN: text}, Random(1), settings={"unitz": "5"}, thorough=1)


@pytest.mark.parametrize("name", WRONG)
def test_wrong(name: str) -> None:
    text, code = WRONG[name]
    for seed in range(3):
        examine({MAIN: text}, Random(seed), thorough=1)
    problems = Problems()
    pipeline.check(SourceFile(MAIN, text), problems)
    assert code in {problem.code for problem in problems}
    assert all("\n" not in problem.message and len(problem.message) < 1_600 for problem in problems)
