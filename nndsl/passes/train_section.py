"""The `train` section: known settings, checked values.

Before: ast.Section, as written. After: `ir.graph.Training`. What depends on the model's shapes is checked in
`outputs.check_outputs`.
"""

from __future__ import annotations

from typing import Any

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.ir.graph import Training
from nndsl.ir.types import PRECISIONS
from nndsl.layers.build import make
from nndsl.layers.entry import ArgumentError, Kind
from nndsl.layers.families.optimizer_maps import MultiOptimizer
from nndsl.layers.kinds import Bool, Choice, Float, Int, ListOf, Of
from nndsl.passes.bind import Binder, Reported
from nndsl.passes.evaluate import Failed
from nndsl.passes.resolve import did_you_mean_fix
from nndsl.passes.settings import settings
from nndsl.source import Span
from nndsl.syntax import ast

SETTINGS: dict[str, tuple[Kind[Any], str]] = {
    "optimizer": (Of("optimizer"), "How the weights are changed; `rmsprop` by default, as in Keras."),
    "epochs": (Int(1), "How often training goes through the data; 1 by default."),
    "steps": (Int(1), "How many batches training takes, in place of `epochs`."),
    "batch_size": (Int(1), "How many samples a step takes; 32 by default."),
    "shuffle": (Bool(), "Whether every epoch has its own order of samples; true by default."),
    "seed": (Int(0, 2**32 - 1), "Where random numbers start: initial weights, order of samples, dropout."),
    "class_weight": (ListOf(Float(0), least=1), "What the loss of each class is multiplied by, class 0 first."),
    "callbacks": (
        ListOf(Of("callback"), single=True),
        "What looks at the numbers after each epoch, or evaluation.",
    ),
    "evaluate_every": (Int(1), "After how many steps the validation data are evaluated."),
    "precision": (Choice(*PRECISIONS), "What most arithmetic is done in; weights stay float32."),
    "cross_validation": (Of("splitter"), "Trains and tests once for each part of the data (`nndsl run`)."),
    "reset_state": (Choice("epoch", "never"), "When stateful layers forget; at each epoch by default."),
    "validation_split": (
        Float(0, 1, above=True, below=True),
        "The last share of the data, taken before shuffling, on which every epoch is evaluated.",
    ),
}
_FORMER = {"nb_epoch": "epochs", "nb_epochs": "epochs", "n_epochs": "epochs", "random_state": "seed"}
_ELSEWHERE = {
    "loss": "a loss belongs to an output: `output y = … with loss=mse`",
    "metrics": "metrics belong to an output: `output y = … with loss=mse, metrics=[mae]`",
    "loss_weights": "a weight belongs to an output: `output y = … with loss=mse, weight=0.5`",
    "lr": "the learning rate belongs to the optimizer: `optimizer = Adam(learning_rate=0.001)`",
    "learning_rate": "the learning rate belongs to the optimizer: `optimizer = Adam(learning_rate=0.001)`",
    "momentum": "it belongs to the optimizer: `optimizer = SGD(momentum=0.9)`",
    "validation_data": "give a share of the data, `validation_split = 0.2`, or `validation=0.2` at a source in `data`",
    "device": "it is chosen when the program runs: `--device cuda`",
}


def elaborate_training(section: ast.Section | None, binder: Binder, problems: Problems) -> Training:
    """The settings of the section; Keras's defaults where there is none."""
    training = Training(written=section is not None)
    if section is not None:
        for name, expr in settings(section, problems):
            if name.text in SETTINGS:
                training.spans[name.text] = expr.span
                _setting(training, name.text, expr, binder, problems)
            else:
                _unknown(name, problems)
    training.optimizer = training.given.pop("optimizer", None) or make("optimizer", "rmsprop")
    _together(training, problems)
    return training


def _setting(training: Training, name: str, expr: ast.Expr, binder: Binder, problems: Problems) -> None:
    kind, doc = SETTINGS[name]
    try:
        written = binder.evaluate(expr)
    except Failed:
        return
    try:
        value = kind.convert(written, binder)
    except Reported:
        return
    except ArgumentError as first:
        for error in (first, *first.more):
            span = error.span or expr.span
            code = "NN0504" if error.code in ("NN0205", "NN0206") else error.code
            help, instead = error.help, error.instead
            if help is None and instead is None:
                from nndsl.passes.remedies import setting_remedy

                help, instead = setting_remedy(name, kind, doc, written)
            fixes = (Fix(instead[0], (Edit(span, instead[1]),)),) if instead else ()
            problems.error(code, error.about(f"`{name}`"), span, error.label, help=help, fixes=fixes)
        return
    training.given[name] = value


def _unknown(name: ast.Ident, problems: Problems) -> None:
    if name.text in _FORMER:
        today = _FORMER[name.text]
        where = "in today's Keras" if today == "epochs" else "here"
        problems.error(
            "NN0210",
            f"`{name.text}` is called `{today}` {where}",
            name.span,
            f"`{today}` today",
            fixes=(Fix(f"change to `{today}`", (Edit(name.span, today),)),),
        )
        return
    known = list(SETTINGS)
    help = _ELSEWHERE.get(name.text)
    problems.error(
        "NN0216",
        f"`train` has no setting `{name.text}`",
        name.span,
        "not a setting",
        help=help or did_you_mean(name.text, known) or f"its settings are {', '.join(f'`{k}`' for k in known)}",
        fixes=() if help else did_you_mean_fix(name.span, suggest(name.text, known)),
    )


def _together(training: Training, problems: Problems) -> None:
    """Settings that do not go together."""
    given, spans = training.given, training.spans

    def conflict(first: str, second: str, message: str, help: str) -> None:
        places: list[Span] = sorted((spans[first], spans[second]), key=lambda span: span.start)
        problems.error("NN0504", message, places[1], related=(Label(places[0]),), help=help)

    if "epochs" in given and "steps" in given:
        conflict("epochs", "steps", "`epochs` and `steps` both say how long training takes", "leave one of them out")
    if "evaluate_every" in given and "steps" not in given:
        problems.error(
            "NN0504",
            "`evaluate_every` counts steps, and this training counts epochs",
            spans["evaluate_every"],
            help="give `steps` in place of `epochs`; after each epoch the validation data are evaluated anyway",
        )
    for callback in given.get("callbacks", ()):
        if type(callback).__name__ == "ReduceLROnPlateau":
            if isinstance(training.optimizer, MultiOptimizer):
                conflict(
                    "callbacks", "optimizer",
                    "`ReduceLROnPlateau` changes the learning rate, and a `MultiOptimizer` has none of its own",
                    "give the optimizers of the map schedules, or leave `ReduceLROnPlateau` out",
                )  # fmt: skip
            elif training.optimizer.schedule is not None:
                conflict(
                    "callbacks", "optimizer",
                    "`ReduceLROnPlateau` changes the learning rate, and here a schedule sets it before every step",
                    "give the optimizer a number as `learning_rate`, or leave `ReduceLROnPlateau` out",
                )  # fmt: skip
