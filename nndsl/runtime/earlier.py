"""What stands in the folder of an earlier run: its program, its plan, which data it had. Not trusted."""

from __future__ import annotations

from dataclasses import replace

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.runtime.dataset import Dataset
from nndsl.runtime.loop import Plan
from nndsl.runtime.options import Options, make_plan
from nndsl.runtime.report import DataProblem, RunFailed, Unavailable
from nndsl.runtime.run_folder import RunFolder
from nndsl.runtime.session import fingerprint

_PLANNED = {"epochs": int | None, "seed": int, "shuffle": bool}
"""What a run that goes on needs of its plan."""


def planned(folder: RunFolder, options: Options, model: Model) -> Plan:
    """The plan of an earlier run, with the length that is asked for now. Raises Unavailable."""
    before = folder.about.get("plan")
    if not isinstance(before, dict) or not all(isinstance(before.get(n), t) for n, t in _PLANNED.items()):
        raise Unavailable("run.json is damaged: its `plan` is not what a run writes", "train the model anew")
    plan = make_plan(model, replace(options, seed=before["seed"]))
    if (plan.epochs is None) != (before["epochs"] is None):
        counted, other = ("epochs", "steps") if plan.epochs is None else ("steps", "epochs")
        raise Unavailable(f"the run counts {counted}, not {other}", f"take --{counted}")
    return replace(plan, shuffle=before["shuffle"])


def steps_before(folder: RunFolder) -> int | None:
    """The steps that the run was begun with: a made series is as long as these."""
    before = folder.about.get("plan")
    steps = before.get("steps") if isinstance(before, dict) else None
    return steps if isinstance(steps, int) and steps > 0 else None


def check_unchanged(folder: RunFolder, model: Model, dataset: Dataset, otherwise: str) -> None:
    """That the data are those that the run began with; `otherwise` is what to do where they are gone. Raises
    RunFailed."""
    if folder.about.get("fingerprint") != fingerprint(dataset):
        raise RunFailed.one(
            DataProblem(
                "NN0610", f"the data of the run in `{folder.path}` have changed since it began", model.span,
                help=f"put them back as they were, or {otherwise}",
            )
        )  # fmt: skip


def saved_model(folder: RunFolder) -> tuple[CheckedProgram, Model]:
    """The checked program of a run's folder, and its model. Raises Unavailable, RunFailed."""
    saved, problems = folder.program(), Problems()
    params = folder.about.get("params")
    if not isinstance(params, dict) or not all(isinstance(value, str) for value in params.values()):
        raise Unavailable("run.json is damaged: it has no `params`", "train the model anew")
    program = pipeline.check(saved.main, problems, saved.read, params)
    if program is None:
        raise RunFailed(problems)
    try:
        return program, program.find(str(folder.about.get("model")))
    except LookupError:
        raise Unavailable("run.json is damaged: its program has no such model", "train the model anew") from None
