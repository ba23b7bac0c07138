"""Cross-validation: a fresh model for each part of the data, which is tested on it."""

from __future__ import annotations

from typing import Any, TextIO

import numpy as np

from nndsl.files import CannotWrite
from nndsl.ir.graph import Model
from nndsl.runtime.dataset import Dataset
from nndsl.runtime.engines import Built
from nndsl.runtime.folds import folds, labels_of
from nndsl.runtime.interrupt import Interrupt
from nndsl.runtime.loop import Loop, LossIsLost, Plan
from nndsl.runtime.outcome import evaluated
from nndsl.runtime.progress import Progress
from nndsl.runtime.report import DataProblem, RunFailed
from nndsl.runtime.reports.folders import METRICS
from nndsl.runtime.results import mean_and_deviation
from nndsl.runtime.run_folder import RunFolder
from nndsl.runtime.session import Run, about_run
from nndsl.runtime.slots import trained
from nndsl.runtime.tally import Result
from nndsl.runtime.world import ALONE, World


def cross_validate(
    model: Model, built: Built, dataset: Dataset, plan: Plan, folder: RunFolder, about: dict[str, Any],
    progress: Progress, stream: TextIO, world: World = ALONE,
) -> Run:  # fmt: skip
    """Says the numbers of each part, their mean and deviation, and writes them down. Raises RunFailed, CannotWrite."""
    splitter = model.training.get("cross_validation")
    folder.note(**about_run(model, dataset, plan), **about)
    status: dict[str, Any] = {"status": "failed"}
    try:
        run = _parts(model, built, dataset, plan, folder, progress, splitter, world)
        status = {"status": "interrupted" if run.interrupted else "finished"}
    except RunFailed as failed:
        status["reason"] = "; ".join(diagnostic.message for diagnostic in failed.problems)
        raise
    except CannotWrite as error:
        status["reason"] = str(error)
        raise
    finally:
        folder.note(**status)
    if run.parts:
        stream.write(f"{type(splitter).__name__}({splitter.n_splits}), tested on the part left out:\n")
        stream.write(mean_and_deviation(run.parts) + "\n")
        stream.write("cross-validation judges the model and keeps no weights\n")
    return run


def _parts(
    model: Model, built: Built, dataset: Dataset, plan: Plan, folder: RunFolder, progress: Progress, splitter: Any,
    world: World,
) -> Run:  # fmt: skip
    from nndsl.runtime.reports.metrics import write_metrics

    results: list[Result] = []
    with Interrupt() as interrupt:
        for place, (train, test) in enumerate(_folds(model, dataset, splitter)):
            part = dataset.with_folds(train, test)
            engine = built.engine(plan.seed + place)
            engine.write_below(folder.file(f"part-{place + 1}"))
            quiet = Progress(progress.stream, quiet=progress.quiet or not progress.terminal)
            loop = Loop(engine, plan, part.train, None, quiet, interrupt, world=world)
            try:
                loop.run()
            except LossIsLost as loss:
                raise RunFailed.one(
                    DataProblem(
                        "NN0609", f"the loss is {loss.loss:g} by step {loss.position.steps:,} of part {place + 1}",
                        model.span, help="take a smaller learning rate, or scale the data (`standardize()`)",
                    )
                ) from None  # fmt: skip
            progress.clear()
            if loop.interrupted:
                progress.say(f"interrupted in part {place + 1} of {splitter.n_splits}")
                break
            engine.after_training()
            results.append(evaluated(engine, part.test, plan))
            logs = "  ".join(f"{name} {value:.4f}" for name, value in results[-1].logs().items())
            progress.say(f"part {place + 1}/{splitter.n_splits}: {logs}")
            if folder.writes:
                write_metrics(folder.file(METRICS), {"cross_validation": results})
        return Run(interrupted=interrupt.asked, parts=tuple(results))


def _folds(model: Model, dataset: Dataset, splitter: Any) -> list[tuple[Any, Any]]:
    """The rows to train on and those to test on, for each part. Raises RunFailed."""
    rows = np.sort(np.concatenate([dataset.train.rows, dataset.validation.rows]))
    span = model.training.spans["cross_validation"]
    try:
        labels = labels_of(dataset.columns[output.name].take(rows) for output in trained(model))
        parts = folds(splitter, rows, labels, span)
        if (model.batch or 1) > min(len(test) for _, test in parts):
            raise DataProblem(
                "NN0605", f"the parts are smaller than one batch of {model.batch}", span, help="take fewer parts"
            )
    except DataProblem as problem:
        raise RunFailed.one(problem) from None
    return parts
