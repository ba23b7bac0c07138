"""What the command line says of a run, and the plan that it makes with the `train` section."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_type_hints

from nndsl.ir.graph import Model
from nndsl.ir.types import PRECISIONS
from nndsl.passes.train_checks import is_stateful
from nndsl.pipeline import TARGETS
from nndsl.runtime.choices import DEVICE
from nndsl.runtime.loop import Plan
from nndsl.runtime.report import Unavailable
from nndsl.runtime.run_folder import short_path


@dataclass(frozen=True)
class Options:
    """The options of `nndsl run`; None where the command line says nothing. `output` is the run's folder, `weights` the
    file that training begins from, `save_every` the steps between two checkpoints, `shard` whether processes share the
    weights among them."""

    data: str | None = None
    validation: str | None = None
    test: str | None = None
    epochs: int | None = None
    steps: int | None = None
    batch_size: int | None = None
    target: str = "torch"
    device: str = "auto"
    precision: str | None = None
    compile: bool = False
    seed: int | None = None
    output: str | None = None
    weights: str | None = None
    save_every: int | None = None
    shard: bool = False
    quiet: bool = False

    def record(self) -> dict[str, Any]:
        """What run.json keeps: all but where the folder is and how much is shown. Files by their whole paths, for the
        run may be gone on with from another folder."""
        kept = {name: value for name, value in asdict(self).items() if name not in ("output", "quiet")}
        return kept | {name: os.path.abspath(kept[name]) for name in _FILES if kept[name] not in _NO_FILES}


def check_there(options: Options, help: str) -> None:
    """Raises Unavailable where the data of an earlier run cannot be read again."""
    if "-" in (options.data, options.validation, options.test):
        raise Unavailable("the data of the run came from the standard input, and are gone", help)


_FILES = ("data", "validation", "test", "weights")
_NO_FILES = (None, "random", "-")


_WORDS = {"target": "|".join(TARGETS), "precision": "|".join(("None", *PRECISIONS)), "device": DEVICE}


def recorded(about: Mapping[str, Any]) -> Options:
    """The options of an earlier run, of its run.json. Raises Unavailable."""
    kept = about.get("options")
    known = get_type_hints(Options)
    if not isinstance(kept, dict) or not set(kept) <= set(known):
        raise Unavailable("run.json is of another version of nndsl, or damaged", "train the model anew")
    for name, value in kept.items():
        odd = isinstance(value, bool) != (known[name] is bool) or (isinstance(value, int) and value < 0)
        if odd or not isinstance(value, known[name]) or not re.fullmatch(_WORDS.get(name, ".*"), str(value), re.S):
            raise Unavailable(f"run.json is damaged: its `{name}` is {str(value)[:40]!r}", "train the model anew")
    return Options(**kept | {name: short_path(kept[name]) for name in _FILES if kept.get(name) not in _NO_FILES})


def check_batch(model: Model, size: int, help: str) -> None:
    """That the model takes batches of that size. Raises Unavailable."""
    if model.batch is not None and size != model.batch:
        raise Unavailable(f"`{model.name}` takes batches of {model.batch}, not of {size}", help)


def make_plan(model: Model, options: Options) -> Plan:
    """The `train` section with what the command line changes in it. Raises Unavailable."""
    training = model.training
    epochs, steps = options.epochs, options.steps
    if epochs is None and steps is None:
        steps = training.get("steps")
        epochs = None if steps is not None else training.get("epochs", 1)
    batch = options.batch_size or model.batch or training.get("batch_size", 32)
    check_batch(model, batch, "leave --batch-size out, or change `with batch=…` in the file")
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
        model.batch is not None,
        options.save_every,
    )
