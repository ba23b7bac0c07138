"""What comes before a model is trained or used: its precision and its data, as the options say."""

from __future__ import annotations

from nndsl.ir.graph import Model
from nndsl.passes.train_checks import why_not_in
from nndsl.runtime.dataset import Dataset, load
from nndsl.runtime.loop import Plan
from nndsl.runtime.options import Options
from nndsl.runtime.report import Unavailable


def set_precision(model: Model, options: Options) -> None:
    """Has the program that is emitted compute as the command line says. Raises Unavailable."""
    if options.precision is None:
        return
    reason = why_not_in(model, options.precision)
    if reason is not None:
        raise Unavailable(reason, "leave --precision out")
    model.training.given["precision"] = options.precision


def load_data(model: Model, options: Options, plan: Plan) -> Dataset:
    """Reads and checks the data that the options name, or those of the file. Raises RunFailed, Unavailable."""
    return load(
        model, options.data, validation=options.validation, test=options.test,
        batch=plan.batch, steps=plan.steps, seed=plan.seed,
    )  # fmt: skip
