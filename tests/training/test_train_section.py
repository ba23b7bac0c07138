"""The `train` section and the options of outputs: what is accepted, what is refused and in which words."""

from __future__ import annotations

import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Diagnostic, Problems
from nndsl.passes.outputs import target_type
from nndsl.source import SourceFile

CLASSES = "Dense(3, activation=softmax) with loss=sparse_categorical_crossentropy"


def problems(train: str = "", output: str = "Dense(1) with loss=mse", first: str = "x: float[8]") -> list[Diagnostic]:
    bag = Problems()
    name = first.partition(":")[0]
    text = f"model M {{\n    input {first}\n    output y = {name} -> {output}\n    {train}\n}}\n"
    pipeline.check(SourceFile("test.nn", text), bag)
    return list(bag)


def only(found: list[Diagnostic]) -> Diagnostic:
    assert len(found) == 1, [(d.code, d.message) for d in found]
    return found[0]


@pytest.mark.parametrize(
    ("train", "code", "marked", "says"),
    [
        ("epochs = 0", "NN0504", "0", "positive"),
        ("epochs = 1.5", "NN0504", "1.5", "integer"),
        ("epochs = 3; steps = 4", "NN0504", "4", "both say"),
        ("batch_size = -1", "NN0504", "-1", "positive"),
        ("shuffle = 1", "NN0504", "1", "true"),
        ("optimizer = Adam(lr=0.1)", "NN0210", "lr", "learning_rate"),
        ("optimizer = Adam(decay=0.1)", "NN0203", "decay", "InverseTimeDecay"),
        ("optimizer = Adam(loss_scale_factor=2)", "NN0203", "loss_scale_factor", "leave it out"),
        ("optimizer = Adam(ema_momentum=0.9)", "NN0215", "0.9", "use_ema=true"),
        ("optimizer = Adam(gradient_accumulation_steps=1)", "NN0206", "1", "2 or more"),
        ("optimizer = Adam(learning_rate=0)", "NN0206", "0", "greater than 0"),
        ("optimizer = Adam(clipnorm=1, clipvalue=2)", "NN0215", "2", "exclude"),
        ("optimizer = adma", "NN0217", "adma", "`adam`"),
        ("nb_epoch = 3", "NN0210", "nb_epoch", "epochs"),
        ("epoch = 3", "NN0216", "epoch", "`epochs`"),
        ("learning_rate = 3", "NN0216", "learning_rate", "optimizer"),
        ("loss = mse", "NN0216", "loss", "output"),
        ("precision = half", "NN0504", "half", "bfloat16"),
        ("evaluate_every = 5", "NN0504", "5", "steps"),
        ("validation_split = 1.0", "NN0504", "1.0", "validation_split"),
        ("cross_validation = KFold(1)", "NN0206", "1", "2 or more"),
        ("reset_state = never", "NN0506", "never", "stateful"),
        ("class_weight = [1, 2]", "NN0506", "[1, 2]", "cross-entropy"),
        ("callbacks = [EarlyStopping(monitor=accuracy)]", "NN0504", "accuracy", "val_loss"),
        ('callbacks = CSVLogger("../log.csv")', "NN0608", '"../log.csv"', "leads out"),
        ('callbacks = CSVLogger("model.py")', "NN0206", '"model.py"', ".csv"),
        ('callbacks = CSVLogger(".git/log.csv")', "NN0206", '".git/log.csv"', "hidden"),
        ('callbacks = TensorBoard("/tmp/logs")', "NN0608", '"/tmp/logs"', "leads out"),
        ('callbacks = TensorBoard("s3://logs")', "NN0608", '"s3://logs"', "address"),
        ("callbacks = TensorBoard(update_freq=batch)", "NN0218", "batch", "evaluate_every"),
        ('callbacks = CSVLogger("a.csv", separator="::")', "NN0206", '"::"', "one character"),
        ('callbacks = ModelCheckpoint("{epoch}.keras", save_freq=100)', "NN0218", "100", "evaluate_every"),
        ('callbacks = ModelCheckpoint("{epoch!r}.keras")', "NN0206", '"{epoch!r}.keras"', "{epoch:02d}"),
        ('callbacks = ModelCheckpoint("{epoch.real}.keras")', "NN0206", '"{epoch.real}.keras"', "{epoch:02d}"),
        ('callbacks = ModelCheckpoint("{epoch:.2f}.keras")', "NN0206", '"{epoch:.2f}.keras"', "{epoch:02d}"),
        ('callbacks = ModelCheckpoint("{loss:3d}.keras")', "NN0206", '"{loss:3d}.keras"', "{loss:.4f}"),
        ('callbacks = ModelCheckpoint("{epoch.keras")', "NN0206", '"{epoch.keras"', "other half"),
        ('callbacks = ModelCheckpoint("{mae:.2f}.keras")', "NN0504", '"{mae:.2f}.keras"', "reported are"),
        ('callbacks = ModelCheckpoint("best.pt")', "NN0206", '"best.pt"', ".weights.h5"),
        ('callbacks = ModelCheckpoint("a.weights.h5")', "NN0215", '"a.weights.h5"', "save_weights_only=true"),
        (
            'callbacks = ModelCheckpoint("a.keras", monitor=mae, save_best_only=true)',
            "NN0504", "mae", "reported are",
        ),
        ('callbacks = [CSVLogger("a.log"), CSVLogger("a.log")]', "NN0504", '"a.log"', "a name of its own"),
        ("callbacks = LearningRateScheduler()", "NN0218", "LearningRateScheduler", "CosineDecay"),
        ("callbacks = [EarlyStoping()]", "NN0217", "EarlyStoping", "EarlyStopping"),
        (
            "optimizer = SGD(CosineDecay(0.1, 9)); callbacks = ReduceLROnPlateau()",
            "NN0504", "ReduceLROnPlateau()", "schedule",
        ),
        ("optimizer = SGD(PiecewiseConstantDecay([1, 2], [0.1, 0.2]))", "NN0215", "[0.1, 0.2]", "one value more"),
    ],
)  # fmt: skip
def test_settings_that_are_wrong(train: str, code: str, marked: str, says: str) -> None:
    found = only(problems(f"train {{ {train} }}"))
    assert found.code == code
    assert found.primary.span.text == marked
    shown = [found.message, found.help or "", *found.notes, *(label.message for label in found.related)]
    shown += [fix.title for fix in found.fixes] + [found.primary.message]
    assert any(says in text for text in shown), shown


@pytest.mark.parametrize(
    "train",
    [
        "optimizer = adam; epochs = 3; batch_size = 4; shuffle = false; seed = 7",
        "optimizer = Adam; steps = 30; evaluate_every = 10",
        'optimizer = "rmsprop"; validation_split = 0.2',
        "callbacks = [EarlyStopping(patience=5), ReduceLROnPlateau()]",
        "callbacks = EarlyStopping(monitor=loss, mode=min)",
        "steps = 30; callbacks = [EarlyStopping(), TerminateOnNaN(raise_error=true)]",
        'callbacks = [CSVLogger("logs/a.tsv", separator="\\t", append=true), TensorBoard("logs/board")]',
        'callbacks = ModelCheckpoint("{epoch:03d}-{val_loss:.2e}.weights.h5", save_weights_only=true)',
        "cross_validation = StratifiedKFold(10)",
        "precision = float32",
        "precision = bfloat16",
        'optimizer = Adam(clipnorm=1); precision = "float16"; steps = 9',
        "optimizer = Adam(learning_rate=ExponentialDecay(1e-3, decay_steps=1000, decay_rate=0.9))",
    ],
)
def test_settings_that_are_right(train: str) -> None:
    assert problems(f"train {{ {train} }}") == []


@pytest.mark.parametrize(
    ("output", "code", "marked"),
    [
        ("Dense(1) with loss=categorical_crossentropy(from_logits=true)", "NN0501",
         "categorical_crossentropy(from_logits=true)"),
        ("Dense(1, activation=tanh) with loss=bce", "NN0502", "bce"),
        ("Dense(3, activation=relu) with loss=sparse_categorical_crossentropy", "NN0502",
         "sparse_categorical_crossentropy"),
        ("Dense(1) with loss=mse, metrics=[sparse_categorical_accuracy]", "NN0503", "sparse_categorical_accuracy"),
        (f"{CLASSES}, metrics=[mae]", "NN0503", "mae"),
        (f"{CLASSES}, metrics=[categorical_accuracy]", "NN0503", "categorical_accuracy"),
        ("Dense(1) with loss=mse, metrics=[mae, mae]", "NN0503", "mae"),
        ("Dense(1) with metrics=[mae]", "NN0503", "[mae]"),
        ("Dense(1) with loss=mse, weight=-2", "NN0505", "-2"),
        ("Dense(1) with weight=2", "NN0505", "2"),
        ("Dense(1) with loss=mse, loss=mae", "NN0207", "loss=mae"),
        ("Dense(1) with los=mse", "NN0216", "los"),
        ("Dense(1) with loss=mze", "NN0217", "mze"),
        ("Dense(1) with loss=Huber(delta=-1)", "NN0206", "-1"),
        ("Dense(1, activation=softmax)", "NN0901", "softmax"),
        ("Dense(3, activation=sigmoid) with loss=categorical_crossentropy", "NN0902", "categorical_crossentropy"),
        ("Dense(3, activation=softmax) with loss=categorical_crossentropy(from_logits=true)", "NN0903",
         "categorical_crossentropy(from_logits=true)"),
        ("Dense(1) -> Dropout(0.5) with loss=mse", "NN0906", "Dropout"),
        ("Dense(3) with loss=categorical_crossentropy", "NN0908", "categorical_crossentropy"),
    ],
)  # fmt: skip
def test_outputs_that_are_wrong(output: str, code: str, marked: str) -> None:
    found = only(problems(output=output))
    assert (found.code, found.primary.span.text) == (code, marked)
    assert found.help or "must be" in found.message


@pytest.mark.parametrize(
    "output",
    [
        "Dense(1, activation=sigmoid) with loss=binary_crossentropy, metrics=[accuracy, Precision(), AUC()]",
        "Dense(4, activation=sigmoid) with loss=bce, metrics=[acc]",
        f"{CLASSES}, weight=0.5, metrics=[accuracy, SparseTopKCategoricalAccuracy(k=2)]",
        "Dense(3) with loss=sparse_categorical_crossentropy(from_logits=true)",
        "Dense(1) with loss=MSE, metrics=[mae, RootMeanSquaredError()]",
        "Dense(1)",
    ],
)
def test_outputs_that_are_right(output: str) -> None:
    assert problems(output=output) == []


def test_a_train_section_without_a_loss_is_a_warning() -> None:
    assert only(problems("train { optimizer = adam }", "Dense(1)")).code == "NN0507"


def test_stateful_models_are_not_shuffled_and_keep_their_batch() -> None:
    flow = "LSTM(3, stateful=true) -> Dense(1) with loss=mse"
    first = "x: float[4, 1] with batch=5"
    assert only(problems("train { shuffle = true }", flow, first)).code == "NN0506"
    assert only(problems("train { batch_size = 4 }", flow, first)).code == "NN0506"
    assert problems("train { reset_state = never; batch_size = 5; shuffle = false }", flow, first) == []


def test_class_weights_are_one_for_each_class() -> None:
    assert only(problems("train { class_weight = [1, 2] }", CLASSES)).code == "NN0506"
    assert problems("train { class_weight = [1, 2, 3] }", CLASSES) == []
    assert problems("train { class_weight = [1, 2] }", "Dense(1, activation=sigmoid) with loss=bce") == []


def test_target_types() -> None:
    text = f"""
model M {{
    input x: float[5, 8]
    output a = x -> {CLASSES}
    output b = x -> Flatten() -> Dense(1) with loss=mse
}}
"""
    program = pipeline.check(SourceFile("test.nn", text), Problems())
    assert program is not None
    a, b = (target_type(output) for output in program.main.outputs)
    assert (a.features, a.dtype) == ((5,), "int64")
    assert (b.features, b.dtype) == ((1,), "float32")
