"""The training part of emitted programs reads as if written by hand: ruff finds nothing, mypy --strict neither."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.source import SourceFile
from tests.zoo.models import ZOO

pytestmark = pytest.mark.torch

TRAINS = {
    "plain": "optimizer = sgd",
    "all": "optimizer = RMSprop(CosineDecay(0.1, 90, warmup_target=0.2, warmup_steps=3), clipnorm=1, "
    "weight_decay=0.1); epochs = 4; seed = 3; validation_split = 0.25",
    "watched": "optimizer = AdamW(0.1, global_clipnorm=1); "
    "callbacks = [EarlyStopping(patience=3), ReduceLROnPlateau(monitor=loss)]",
    "written": "callbacks = [CSVLogger('logs/a.csv', separator=';', append=true), TensorBoard('b/c'), "
    "ModelCheckpoint('{epoch:02d}-{val_loss:.4f}.keras'), TerminateOnNaN(), EarlyStopping(monitor=loss), "
    "ReduceLROnPlateau(), ModelCheckpoint('best.weights.h5', save_best_only=true, save_weights_only=true)]",
    "half": "optimizer = adam; precision = bfloat16",
    "scaled": "optimizer = SGD(CosineDecay(0.1, 90), clipnorm=1); steps = 30; precision = float16",
    "looking": "optimizer = adam; steps = 40; evaluate_every = 7; callbacks = [TerminateOnNaN(raise_error=true), "
    "CSVLogger('a.csv'), EarlyStopping(patience=2)]",
    "ended": "optimizer = adam; shuffle = false; callbacks = TerminateOnNaN()",
    "stopped": "optimizer = adam; callbacks = EarlyStopping(monitor=loss)",
    "steps": "optimizer = SGD(PolynomialDecay(0.1, 9, power=2, cycle=true), momentum=0.9); steps = 40; shuffle = false",
    "adamax": "optimizer = Adamax(clipvalue=0.5); batch_size = 7",
    "adagrad": "optimizer = Adagrad(PiecewiseConstantDecay([3, 4], [0.3, 0.2, 0.1]))",
    "weighted": "optimizer = nadam; class_weight = [1, 2, 3]",
}
OUTPUTS = {
    "classes": "output y = x -> Dense(3, activation=softmax, kernel_constraint=non_neg, kernel_regularizer=l2(0.1))\n"
    "        with loss=sparse_categorical_crossentropy, metrics=[accuracy, SparseTopKCategoricalAccuracy(k=2)]",
    "ignored": "output y = x -> Dense(3) with loss=SparseCategoricalCrossentropy(from_logits=true, ignore_class=0)",
    "several": "output y = x -> Dense(1) with loss=mse, weight=0.5, metrics=[mae, RootMeanSquaredError()]\n"
    "    output z = x -> Dense(1, activation=sigmoid) with loss=bce, metrics=[Precision(), Recall(0.3), AUC()]",
    "counted": "output y = x -> Dense(3, activation=softmax) with loss=CategoricalFocalCrossentropy(alpha=[1, 2, 3]),\n"
    "        metrics=[F1Score(), FBetaScore(average=weighted, beta=2, threshold=0.5), OneHotIoU(3, [1]),\n"
    "        AUC(curve=PR), AUC(multi_label=true, label_weights=[1, 2, 3], name=each), huber, R2Score(), BinaryIoU(),\n"
    "        AUC(curve=PRGAIN, name=gain, thresholds=[0.3]), Precision(top_k=2, class_id=1),\n"
    "        Recall(thresholds=[0.2, 0.4]), SensitivityAtSpecificity(0.5), PrecisionAtRecall(0.5), log_cosh,\n"
    "        AUC(summation_method=minoring, name=m), pearson_correlation, concordance_correlation,\n"
    "        CosineSimilarity(axis=0), categorical_crossentropy, binary_focal_crossentropy],\n"
    "        weighted_metrics=[accuracy, R2Score(class_aggregation=none)]",
    "joint": "output y = x -> Dense(3, activation=sigmoid) with loss=dice, metrics=[TruePositives(), poisson]\n"
    "    output z = x -> Dense(3, activation=sigmoid) with loss=Tversky(alpha=0.3, axis=-1, reduction=sum)\n"
    "    output v = x -> Dense(3) with loss=Circle(gamma=2)\n"
    "    output g = x -> Dense(3, activation=softmax) with loss=CategoricalGeneralizedCrossEntropy()\n"
    "    output t = x -> RepeatVector(7) -> LSTM(5, return_sequences=true) with loss=ctc",
    "none": "output y = x -> Dense(1)",
    "of samples": "output y = x -> Dense(1, kernel_regularizer=l2(0.1)) with loss=mse, sample_weight=importance, "
    "weighted_metrics=[mae]",
    "rows": "h = x -> Reshape([3, 2]) -> GRU(4, bias_constraint=max_norm, bias_regularizer=OrthogonalRegularizer())\n"
    "    output y = h -> Dense(3, activation=softmax, activity_regularizer=l2) -> Identity()\n"
    "        with loss=categorical_crossentropy, metrics=[accuracy]",
    "long": "output class_of_document = x -> Dense(3, activation=softmax)\n"
    "        with loss=sparse_categorical_crossentropy, metrics=[SparseTopKCategoricalAccuracy(k=2)]",
    "longer": "output the_class_of_the_whole_document = x -> Dense(3, activation=softmax)\n"
    "        with loss=categorical_crossentropy, metrics=[accuracy]",
}


STATEFUL = """
model Wave {{
    input wave: float[5, 3] with batch=4
    memory = wave -> Masking() -> LSTM(4, return_sequences=true, stateful=true)
    output next = memory -> Dense(1) with loss=mse, weight=2, metrics=[mae, AUC()]
    output seen = memory -> Dense(2)
    train {{ optimizer = adam; {} }}
}}
"""


LAYOUTS = """
model Layouts {{
    options {{ float = {} }}
    input word: int[5]
    h = word -> Embedding(9, 4) -> DepthwiseConv1D(3, depth_multiplier=2) -> Dense(4)
    output y = (h, h) -> MultiHeadAttention(2, 3) -> GRU(4) -> Dense(3) with loss=mse
    train {{ optimizer = {} }}
}}
"""
OPTIMIZERS = [
    "SGD(0.1, momentum=0.9, weight_decay=0.01)",
    "Adam(CosineDecay(0.1, 30, alpha=0.1), amsgrad=true)",
    "Adam(CosineDecayRestarts(0.1, 30, t_mul=1.5, m_mul=0.9, alpha=0.1), gradient_accumulation_steps=3, clipvalue=1)",
    "AdamW(ExponentialDecay(0.1, 41, 0.9, staircase=true), use_ema=true, ema_overwrite_frequency=10)",
    "Nadam(InverseTimeDecay(0.1, 30, 0.9), gradient_accumulation_steps=3, use_ema=true)",
    "Adamax(PolynomialDecay(0.1, 41, power=0.5, cycle=true))",
    "Adadelta(PiecewiseConstantDecay([3, 4], [0.3, 0.2, 0.1]))",
    "Adagrad(0.1, initial_accumulator_value=0.3)",
    "Ftrl(0.1, beta=0.1, l1_regularization_strength=0.1)",
    "Lion(CosineDecay(0.1, 30, warmup_target=0.2, warmup_steps=3))",
    "Lamb(0.1)",
    "ScheduleFreeAdamW(0.1, warmup_steps=10)",
    "Adafactor(0.1, epsilon_2=1e-4, clip_threshold=2)",
    'Muon(0.1, exclude_layers=["y_gru/.*"], weight_decay=none)',
    """MultiOptimizer(OptimizerMap(AdamW(0.1, global_clipnorm=1), [
        ("h/.*", SGD(ExponentialDecay(0.1, 41, 0.9), clipvalue=1)), ("y_gru/bias", SGD(0.1, clipnorm=1)),
        ("y_multi_head_attention/.*", Nadam(CosineDecay(0.1, 30), use_ema=true)), ("y/bias", lion)]))""",
    'MultiOptimizer(OptimizerMap(Adagrad(0.1), [("h_embedding/.*", Lamb(0.1, gradient_accumulation_steps=2))]))',
    "MultiOptimizer(OptimizerMap(rmsprop))",
]


def _write(folder: Path, name: str, text: str) -> None:
    problems = Problems()
    program = pipeline.check(SourceFile("test.nn", text), problems)
    assert program is not None, [d.message for d in problems]
    for target in ("torch", "keras"):
        (folder / f"{name}_{target}.py").write_text(pipeline.emit(program, target), encoding="utf-8")


# Unpacked results that nobody reads, tensors that may be None, methods that return what a module gives.
OTHERS = {
    "inputs": """
model Inputs {
    input the_first_of_them: float[3]
    input the_second_one: float[3]
    output y = (the_first_of_them, the_second_one) -> Add() -> Dense(3, activation=softmax)
        with loss=sparse_categorical_crossentropy, metrics=[accuracy]
}
""",
    "translate": """
model Translate {
    input heard: int[S]
    input known: int[T]
    (_, fh, fc, bh, bc) = heard
        -> Embedding(9, 4, mask_zero=true)
        -> Bidirectional(LSTM(4, return_state=true, return_sequences=true))
    h = (fh, bh) -> Concatenate()
    c = (fc, bc) -> Concatenate()
    (d, _, last) = known -> Embedding(9, 4) -> LSTM(8, return_sequences=true, return_state=true, initial_state=(h, c))
    output next = d -> Dense(9, activation=softmax) with loss=sparse_categorical_crossentropy
    output ending = last
    submodel encoder(heard) = (h, c)
}
""",
    "parts": """
model Parts {
    input x: float[6, 4]
    h = x -> Conv1D(3, 2, bias_regularizer=l2(0.1), bias_constraint=non_neg, bias_initializer=random_normal)
    n = h -> BatchNormalization(gamma_initializer=random_normal, gamma_regularizer=l2(0.1), beta_constraint=non_neg)
    g = n -> Bidirectional(LSTM(3), merge_mode=sum) -> Identity()
    m = g -> Dense(2)
    spare = g -> Dense(2)
    output y = (m, spare) -> Add() -> Dense(1) with loss=mse
    submodel one(x) = n
    submodel two(n) = g
    submodel three(g) = (m, spare)
}
""",
}


def test_ruff_and_mypy_find_nothing(tmp_path: Path, well_typed: Callable[[Iterable[Path]], None]) -> None:
    for train_name, train in TRAINS.items():
        for output_name, output in OUTPUTS.items():
            if train_name == "weighted" and output_name not in ("classes", "counted"):
                continue
            body = train if output_name != "none" or train_name in ("plain", "steps") else "optimizer = adam"
            head = "model AnyNameThatIsRatherLong {\n    input x: float[6]\n"
            text = f"{head}    {output}\n    train {{ {body} }}\n}}\n"
            _write(tmp_path, f"{train_name}_{output_name}", text)
    for name, text in OTHERS.items():
        _write(tmp_path, name, text)
    for number, optimizer in enumerate(OPTIMIZERS):
        for dtype in ("float32", "float64"):
            _write(tmp_path, f"optimizer_{number}_{dtype}", LAYOUTS.format(dtype, optimizer))
    for number, train in enumerate(("epochs = 2", "steps = 9; reset_state = never")):
        _write(tmp_path, f"stateful_{number}", STATEFUL.format(train))
    _run("ruff", "check", "--isolated", ".", folder=tmp_path)
    _run("ruff", "check", "--isolated", "--select", "E,F,W,I,UP,B", "--line-length", "88", ".", folder=tmp_path)
    _run("ruff", "format", "--isolated", "--diff", ".", folder=tmp_path)
    well_typed(tmp_path.glob("*_torch.py"))


def _run(*arguments: str, folder: Path) -> None:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_what_a_plain_classifier_has_beside_its_class_is_short() -> None:
    """Imports, initial weights, loss, metrics, optimizer, training, prediction, data and command line."""
    text = (
        "model M {\n    input x: float[6]\n    output y = x -> Dense(3, activation=softmax)\n"
        "        with loss=sparse_categorical_crossentropy, metrics=[accuracy]\n"
        "    train { optimizer = SGD(0.1, momentum=0.9) }\n}\n"
    )
    problems = Problems()
    program = pipeline.check(SourceFile("test.nn", text), problems)
    assert program is not None
    before, rest = pipeline.emit(program, "torch").split("class M(nn.Module):")
    after = rest[rest.index("ARRAYS") :]
    assert len(f"{before}{after}".splitlines()) <= 98


@pytest.mark.parametrize("name", ["resnet50", "gpt"])
def test_a_large_model_is_short(name: str) -> None:
    """The whole file, and the classes of the model alone."""
    problems = Problems()
    text = (ZOO / f"{name}.nn").read_text(encoding="utf-8")
    program = pipeline.check(SourceFile(f"{name}.nn", text), problems)
    assert program is not None
    lines = pipeline.emit(program, "torch").splitlines()
    assert len(lines) < 200
    first = next(line for line in lines if re.match(r"class (ConvNorm|Block)\(nn.Module\):", line))
    assert len(lines[lines.index(first) : lines.index("Data = dict[str, Tensor]")]) < 100
