"""`nndsl run`: data in, a trained and evaluated model out, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TextIO

from nndsl import pipeline
from nndsl.diagnostics.model import Diagnostic, Problems
from nndsl.interop import convert
from nndsl.interop.problem import warning
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.passes.train_checks import why_not_in
from nndsl.project import Project
from nndsl.runtime.cross import cross_validate
from nndsl.runtime.dataset import Dataset, load
from nndsl.runtime.engines import Built, build
from nndsl.runtime.loop import Plan
from nndsl.runtime.options import Options, check_there, make_plan, recorded
from nndsl.runtime.progress import Progress
from nndsl.runtime.report import DataProblem, RunFailed, Unavailable
from nndsl.runtime.reports.folders import HISTORY
from nndsl.runtime.run_folder import Elsewhere, RunFolder
from nndsl.runtime.session import Run, Session, fingerprint
from nndsl.runtime.slots import trained
from nndsl.runtime.together import check_alike, check_together, notes_together
from nndsl.runtime.world import ALONE, World

Warn = Callable[[Diagnostic], None]


def run(
    program: CheckedProgram, model: Model, project: Project, params: dict[str, str], options: Options, stem: str,
    stream: TextIO, warn: Warn, world: World = ALONE,
) -> Run:  # fmt: skip
    """Trains, evaluates and saves; `stem` names the folder where the options name none. Raises RunFailed, Unavailable,
    nndsl.files.CannotWrite, and what `nndsl.interop.convert.load` raises."""
    _check_trained(model)
    world.join(options.device)
    set_precision(model, options)
    plan = world.of_first(make_plan(model, options))
    check_together(model, options, plan, world)
    begin = _begin(program, model, options, warn)
    dataset = _load(model, options, plan, warn)
    if dataset.ordered:
        plan = replace(plan, shuffle=False)
    progress = Progress(stream, quiet=options.quiet, weights=_weights(model))
    built = build(program, model, options, plan, world)
    check_alike(model, fingerprint(dataset), world)
    _introduce(model, dataset, plan, built, progress, world)
    _watched(model, dataset)
    folder = _create(options.output, stem, world)
    try:
        folder.keep_program(project)
        about: dict[str, Any] = {
            "params": params, "options": options.record(), "target": options.target, "device": built.device,
            "processes": world.count,
        }  # fmt: skip
        if "cross_validation" in model.training.given:
            return cross_validate(model, built, dataset, plan, folder, about, progress, stream, world)
        engine = built.engine(plan.seed)
        if begin is not None:
            engine.start_from(begin)
        folder.keep_text(built.text)
        session = Session(model, engine, dataset, plan, folder, progress, built.lost, world)
        session.begin(about)
        return session.go(stream)
    finally:
        folder.unlock()


def resume(
    path: str, given: Mapping[str, Any], stream: TextIO, warn: Warn, *, quiet: bool = False, world: World = ALONE
) -> Run:
    """Goes on with the run in a folder; `given` are the options that are otherwise than before. Raises RunFailed,
    Unavailable, CannotWrite."""
    world.join(str(given.get("device", "auto")))
    folder = (RunFolder if world.first else Elsewhere).open(path)
    folder.check_links()
    folder.lock()
    try:
        world.tell_folder(folder.path)
        folder.clean()
        program, model = saved_model(folder)
        kept = recorded(folder.about)
        changed = {name: value for name, value in given.items() if name in _CHANGEABLE}
        if "epochs" in changed or "steps" in changed:
            changed = {"epochs": None, "steps": None, **changed}
        kept = replace(kept, **changed, quiet=quiet)
        check_there(kept, "train the model anew, from a file")
        set_precision(model, kept)
        if "cross_validation" in model.training.given:
            raise Unavailable("a cross-validation has no checkpoints", "begin anew: `nndsl run FILE`")
        plan = planned(folder, kept, model)
        check_together(model, replace(kept, shard=kept.shard and world.joined), plan, world)
        dataset = _load(model, kept, replace(plan, steps=steps_before(folder)), warn)
        progress = Progress(stream, quiet=quiet, weights=_weights(model))
        built = build(program, model, kept, plan, world)
        check_unchanged(folder, model, dataset, "train the model anew")
        _introduce(model, dataset, plan, built, progress, world)
        engine = built.engine(plan.seed)
        session = Session(model, engine, dataset, plan, folder, progress, built.lost, world)
        folder.note(options=kept.record(), status="running", reason=None, device=built.device, processes=world.count)
        return session.go(stream, resumed=True)
    finally:
        folder.unlock()


_CHANGEABLE = ("epochs", "steps", "device", "save_every")
"""What a run that goes on may do otherwise: all else is as it was."""


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


def _weights(model: Model) -> dict[str, float]:
    """What the losses of several outputs are multiplied by, by their names in the logs."""
    outputs = trained(model)
    return {f"{output.name}_loss": output.weight for output in outputs} if len(outputs) > 1 else {}


def _check_trained(model: Model) -> None:
    """That there is something to train, in numbers that weight files hold. Raises RunFailed, Unavailable."""
    if not trained(model):
        raise RunFailed.one(
            DataProblem(
                "NN0507", f"no output of `{model.name}` has a loss, so there is nothing to train", model.span,
                help="give an output a loss: `output y = … with loss=mse`",
            )
        )  # fmt: skip
    if model.float_dtype == "bfloat16":
        raise Unavailable(
            f"`{model.name}` has weights of bfloat16, and weight files hold none of these",
            "leave `float = bfloat16` out, and write `precision = bfloat16` into `train`: most is computed in bfloat16",
        )


def set_precision(model: Model, options: Options) -> None:
    """Has the program that is emitted compute as the command line says. Raises Unavailable."""
    if options.precision is None:
        return
    reason = why_not_in(model, options.precision)
    if reason is not None:
        raise Unavailable(reason, "leave --precision out")
    model.training.given["precision"] = options.precision


def _begin(program: CheckedProgram, model: Model, options: Options, warn: Warn) -> convert.Weights | None:
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


def _load(model: Model, options: Options, plan: Plan, warn: Warn) -> Dataset:
    dataset = load(
        model, options.data, validation=options.validation, test=options.test,
        batch=plan.batch, steps=plan.steps, seed=plan.seed,
    )  # fmt: skip
    for diagnostic in dataset.warnings:
        warn(diagnostic)
    return dataset


def _create(output: str | None, stem: str, world: World) -> RunFolder:
    """The new folder, which the first process makes. Raises Unavailable."""
    if world.first:
        folder = RunFolder.create(output, stem)
        world.tell_folder(folder.path)
        world.of_first(folder.path)
        return folder
    return Elsewhere(world.of_first(""), {})


def _introduce(
    model: Model, dataset: Dataset, plan: Plan, built: Built, progress: Progress, world: World = ALONE
) -> None:
    parts = [f"{len(dataset.train):,} samples to train on"]
    parts += [f"{len(dataset.validation):,} for validation"] if len(dataset.validation) else []
    parts += [f"{len(dataset.test):,} held out"] if len(dataset.test) else []
    progress.say(f"{model.name}: {', '.join(parts)} ({dataset.shown}); {_devices(built, world)}, seed {plan.seed}")
    for note in notes_together(model, world):
        progress.say(f"note: {note}")
    for note in dataset.notes:
        progress.say(f"note: {note}")


def _devices(built: Built, world: World) -> str:
    return f"{built.device}, {world.count} processes" if world.count > 1 else built.device


def _watched(model: Model, dataset: Dataset) -> None:
    """Callbacks that watch the validation part need one, and what they write is no file of the run. Raises
    RunFailed."""
    for callback in model.training.get("callbacks", ()):
        if getattr(callback, "filename", None) == HISTORY:
            raise RunFailed.one(
                DataProblem(
                    "NN0504", f"`{HISTORY}` is what the run itself writes into its folder",
                    callback.spans.get("filename", model.training.spans["callbacks"]),
                    help="give the file of `CSVLogger` another name, such as `\"log.csv\"`",
                )
            )  # fmt: skip
        name = next((name for name in callback.watched if name.startswith("val_")), None)
        if name is not None and not len(dataset.validation):
            raise RunFailed.one(
                DataProblem(
                    "NN0504", f"`{callback.title()}` watches `{name}`, and no data is kept for validation",
                    model.training.spans["callbacks"],
                    help="write `with validation=0.1` behind the source, or `validation_split = 0.1` in `train`",
                )
            )  # fmt: skip
