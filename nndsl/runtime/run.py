"""`nndsl run`: data in, a trained and evaluated model out, its weights in a file."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TextIO

import numpy as np
import torch

from nndsl.diagnostics.model import Diagnostic
from nndsl.interop import convert
from nndsl.interop.load import Loaded, load_program
from nndsl.interop.problem import warning
from nndsl.interop.safetensors_file import save_weights
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.passes.train_checks import is_stateful
from nndsl.runtime.dataset import Dataset, load
from nndsl.runtime.device import pick
from nndsl.runtime.folds import folds, labels_of
from nndsl.runtime.interrupt import Interrupt
from nndsl.runtime.progress import Progress
from nndsl.runtime.report import DataProblem, RunFailed, Unavailable
from nndsl.runtime.results import mean_and_deviation, table
from nndsl.runtime.slots import trained
from nndsl.runtime.tally import Result
from nndsl.runtime.training import Outcome, Plan, Trainer


@dataclass(frozen=True)
class Options:
    """What the command line says; None where it says nothing. `output` is the weight file, `weights` the one
    that training begins from."""

    data: str | None = None
    epochs: int | None = None
    steps: int | None = None
    batch_size: int | None = None
    device: str = "auto"
    seed: int | None = None
    output: str = "model.safetensors"
    weights: str | None = None
    quiet: bool = False


@dataclass
class Run:
    """What came of it: the result on held-out data (None without any), how training ended, where the weights are."""

    outcome: Outcome
    result: Result | None = None
    parts: tuple[Result, ...] = ()  # of cross-validation
    weights: str | None = None


def run(
    program: CheckedProgram, model: Model, options: Options, stream: TextIO, warn: Callable[[Diagnostic], None]
) -> Run:
    """Trains, evaluates and saves. Raises RunFailed, Unavailable, nndsl.files.CannotWrite, and what
    `nndsl.interop.convert.load` raises."""
    if not trained(model):
        raise RunFailed.one(
            DataProblem(
                "NN0507", f"no output of `{model.name}` has a loss, so there is nothing to train", model.span,
                help="give an output a loss: `output y = … with loss=mse`",
            )
        )  # fmt: skip
    plan = make_plan(model, options)
    begin = _begin(program, model, options, warn)
    dataset = load(model, options.data, batch=plan.batch, steps=plan.steps, seed=plan.seed)
    for diagnostic in dataset.warnings:
        warn(diagnostic)
    loaded = load_program(program, model.name)
    device = pick(options.device, model.float_dtype)
    if dataset.ordered:
        plan = replace(plan, shuffle=False)
    progress = Progress(stream, quiet=options.quiet)
    _introduce(model, dataset, plan, device, progress)
    _watched(model, dataset)
    with Interrupt() as interrupt:
        splitter = model.training.get("cross_validation")
        if splitter is not None:
            return _cross_validate(model, loaded, dataset, plan, device, progress, interrupt, splitter)
        trainer = Trainer(model, loaded, dataset.arrays, plan, device)
        if begin is not None:
            trainer.start_from(begin)
        watch = dataset.validation if len(dataset.validation) else dataset.test
        began = time.monotonic()
        outcome = trainer.fit(dataset.train, dataset.validation, watch, progress, interrupt)
        progress.clear()
        _conclude(outcome, time.monotonic() - began, progress)
        learnt = trainer.learnt()
        save_weights(
            options.output, learnt.values, learnt.state, model=model.name,
            optimizer=type(model.training.optimizer).__name__, transforms=dataset.learnt,
        )  # fmt: skip
        done = Run(outcome, weights=options.output)
        if not outcome.interrupted:
            done.result = _evaluate(trainer, dataset, stream)
    stream.write(f"weights: {options.output}\n")
    return done


def _begin(
    program: CheckedProgram, model: Model, options: Options, warn: Callable[[Diagnostic], None]
) -> convert.Weights | None:
    """The weights that training begins from, if a file gives them. Raises Unavailable, and what `convert.load` does."""
    if options.weights is None:
        return None
    if model.training.get("cross_validation") is not None:
        raise Unavailable(
            "cross-validation trains a fresh model for each part of the data, from no file",
            "leave --weights out, or `cross_validation` in the file",
        )
    found = convert.load(options.weights, program, model)
    for code, text in found.warnings:
        warn(warning(code, text, options.weights))
    return found


def make_plan(model: Model, options: Options) -> Plan:
    """The `train` section with what the command line changes in it. Raises Unavailable."""
    training = model.training
    epochs, steps = options.epochs, options.steps
    if epochs is None and steps is None:
        steps = training.get("steps")
        epochs = None if steps is not None else training.get("epochs", 1)
    batch = options.batch_size or model.batch or training.get("batch_size", 32)
    if model.batch is not None and batch != model.batch:
        raise Unavailable(
            f"`{model.name}` takes batches of {model.batch}, not of {batch}",
            "leave --batch-size out, or change `with batch=…` in the file",
        )
    seed = options.seed if options.seed is not None else training.get("seed")
    stateful = is_stateful(model)
    return Plan(
        epochs,
        steps,
        batch,
        (training.get("evaluate_every") or max(1, steps // 10)) if steps is not None else None,
        training.get("shuffle", True) and not stateful,
        stateful and training.get("reset_state", "epoch") == "epoch",
        secrets.randbits(32) if seed is None else seed,
    )


def _introduce(model: Model, dataset: Dataset, plan: Plan, device: torch.device, progress: Progress) -> None:
    parts = [f"{len(dataset.train):,} samples to train on"]
    parts += [f"{len(dataset.validation):,} for validation"] if len(dataset.validation) else []
    parts += [f"{len(dataset.test):,} held out"] if len(dataset.test) else []
    progress.say(f"{model.name}: {', '.join(parts)} ({dataset.shown}); {device}, seed {plan.seed}")
    for note in dataset.notes:
        progress.say(f"note: {note}")


def _watched(model: Model, dataset: Dataset) -> None:
    """Callbacks that watch the validation part need one. Raises RunFailed."""
    for callback in model.training.get("callbacks", ()):
        name = next((name for name in callback.watched if name.startswith("val_")), None)
        if name is not None and not len(dataset.validation):
            raise RunFailed.one(
                DataProblem(
                    "NN0504", f"`{callback.title()}` watches `{name}`, and no data is kept for validation",
                    model.training.spans["callbacks"],
                    help="write `with validation=0.1` behind the source, or `validation_split = 0.1` in `train`",
                )
            )  # fmt: skip


def _conclude(outcome: Outcome, seconds: float, progress: Progress) -> None:
    if outcome.interrupted:
        progress.say(f"interrupted after {outcome.steps:,} steps")
    else:
        early = "stopped early, " if outcome.stopped_early else ""
        progress.say(f"{early}{outcome.steps:,} steps in {seconds:.1f} s")


def _evaluate(trainer: Trainer, dataset: Dataset, stream: TextIO) -> Result | None:
    """The test part's numbers, or the validation part's where there is no other."""
    for rows, name in ((dataset.test, "held-out data"), (dataset.validation, "validation data")):
        if len(rows):
            result = trainer.evaluate(rows)
            stream.write(f"{name}, {len(rows):,} samples:\n{table(result)}\n")
            return result
    stream.write("no data is held out: `with test=0.2` behind the source judges the model on rows it has not seen\n")
    return None


def _cross_validate(
    model: Model, loaded: Loaded, dataset: Dataset, plan: Plan, device: torch.device, progress: Progress,
    interrupt: Interrupt, splitter: Any,
) -> Run:  # fmt: skip
    """A fresh model for each part of the data, which is tested on it."""
    rows = np.sort(np.concatenate([dataset.train, dataset.validation]))
    span = model.training.spans["cross_validation"]
    try:
        labels = labels_of(dataset.arrays, [output.name for output in trained(model)], rows)
        parts = folds(splitter, rows, labels, span)
        if (model.batch or 1) > min(len(test) for _, test in parts):
            raise DataProblem(
                "NN0605", f"the parts are smaller than one batch of {model.batch}", span, help="take fewer parts"
            )
    except DataProblem as problem:
        raise RunFailed.one(problem) from None
    results: list[Result] = []
    outcome = Outcome()
    for place, (train, test) in enumerate(parts):
        arrays = dataset.prepare(train)[0] if dataset.learns else dataset.arrays
        trainer = Trainer(model, loaded, arrays, replace(plan, seed=plan.seed + place), device)
        quiet = Progress(progress.stream, quiet=progress.quiet or not progress.terminal)
        outcome = trainer.fit(train, test[:0], test[:0], quiet, interrupt)
        progress.clear()
        if outcome.interrupted:
            progress.say(f"interrupted in part {place + 1} of {len(parts)}")
            break
        results.append(trainer.evaluate(test))
        logs = results[-1].logs()
        progress.say(
            f"part {place + 1}/{len(parts)}: " + "  ".join(f"{name} {value:.4f}" for name, value in logs.items())
        )
    if results:
        progress.stream.write(f"{type(splitter).__name__}({splitter.n_splits}), tested on the part left out:\n")
        progress.stream.write(mean_and_deviation(results) + "\n")
        progress.stream.write("cross-validation judges the model and keeps no weights\n")
    return Run(outcome, parts=tuple(results))
