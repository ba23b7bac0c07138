"""Whether several processes can train a model together, and what differs where they do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nndsl.ir.graph import Model
from nndsl.layers.base import Layer
from nndsl.layers.families.normalization import BatchNormalization
from nndsl.passes.train_checks import is_stateful
from nndsl.runtime.loop import Plan
from nndsl.runtime.options import Options
from nndsl.runtime.report import DataProblem, RunFailed, Unavailable
from nndsl.runtime.world import World

_RANDOM = re.compile("Dropout|Noise|Random")
_OWN_ROWS = "batch normalization, whose statistics are of a process's own rows (`synchronized=true`: of all)"


def check_together(model: Model, options: Options, plan: Plan, world: World) -> None:
    """Raises RunFailed, Unavailable."""
    if options.shard and not world.joined:
        raise Unavailable(
            "--shard divides the weights among several processes, and there is one",
            "say how many with --processes, or start them with torchrun",
        )
    if not world.joined:
        return
    if options.target == "keras":
        raise Unavailable(
            "several processes train the PyTorch program alone", "leave --target keras out"
        )  # fmt: skip
    if world.count == 1:
        return
    problem = _hindrance(model)
    if problem is None and world.count > plan.batch:
        place = model.training.spans.get("batch_size", model.span)
        problem = DataProblem(
            "NN0611", f"{world.count} processes have nothing to divide in batches of {plan.batch}", place,
            help=f"take at most {plan.batch} processes, or a larger `batch_size`: it is that of all together",
        )  # fmt: skip
    if problem is not None:
        raise RunFailed.one(problem)


def _hindrance(model: Model) -> DataProblem | None:
    """Why the rows of a batch cannot be divided."""
    alone = "train it in one process"
    if is_stateful(model):
        use = next(use for use in model.layers if use.config.static_state)
        return DataProblem(
            "NN0611", f"`{model.name}` goes on from batch to batch with the state of each row, and several processes "
            "divide the rows", use.name_span, "stateful", help=f"{alone}, or leave `stateful=true` out",
        )  # fmt: skip
    if model.batch is not None:
        return DataProblem(
            "NN0611", f"`{model.name}` takes batches of {model.batch} alone, and several processes divide each batch",
            model.inputs[0].span, f"batch {model.batch}", help=f"{alone}, or leave `batch={model.batch}` out",
        )  # fmt: skip
    for use in model.layers:
        for layer in _with_inner(use.config):
            regularizer = getattr(layer, "activity_regularizer", None)
            if regularizer is not None and regularizer.joins:
                return DataProblem(
                    "NN0611", f"`{regularizer.title()}` of `{use.path}` compares all rows of a batch with each other, "
                    "and several processes divide them", use.name_span, help=alone,
                )  # fmt: skip
    return None


def check_alike(model: Model, own: str, world: World) -> None:
    """Whether all processes read the same data: all. Raises RunFailed."""
    for rank, other in enumerate(world.of_each(own)):
        if other != own:
            raise RunFailed.one(
                DataProblem(
                    "NN0611", f"{world.shown} has read other data than process {rank + 1}", model.span,
                    help="give every machine the same files; data that is made by chance needs a `seed`",
                )
            )  # fmt: skip


def notes_together(model: Model, world: World) -> Iterator[str]:
    """What makes the numbers depend on the number of processes."""
    if world.count == 1:
        return
    layers = [layer for use in model.layers for layer in _with_inner(use.config)]
    kinds = [
        *([_OWN_ROWS] if any(not x.synchronized for x in layers for x in normalizations(x)) else []),
        *(["what is random (dropout, noise), drawn by each process"] if any(map(_is_random, layers)) else []),
    ]
    if kinds:
        yield f"with {world.count} processes the numbers are not those of one, for {' and '.join(kinds)}"


def normalizations(layer: Layer) -> Iterator[BatchNormalization]:
    """The batch normalizations that a layer is or has inside."""
    for inner in _with_inner(layer):
        if isinstance(inner, BatchNormalization) and inner.trainable:
            yield inner


def _is_random(layer: Layer) -> bool:
    inside = any(getattr(layer, name, None) for name in ("dropout", "recurrent_dropout", "seed_generator"))
    return inside or bool(_RANDOM.search(type(layer).__name__))


def _with_inner(layer: Layer) -> Iterator[Layer]:
    yield layer
    for _, inner, _ in layer.children():
        yield from _with_inner(inner)
