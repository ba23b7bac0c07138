"""The keys of an `OptimizerMap` against the model: each must name weights, and no weight may have two optimizers."""

from __future__ import annotations

from collections.abc import Iterable

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.ir.graph import Model
from nndsl.layers.families.optimizer_maps import ALL, Keyed, MultiOptimizer
from nndsl.passes.weight_layout import Slot, layout
from nndsl.source import Span


def check_keys(model: Model, optimizer: MultiOptimizer, problems: Problems) -> None:
    optimizer_map = optimizer.optimizer_map
    slots = [slot for layer in layout(model) for slot in layer.slots]
    trained = [slot for slot in slots if slot.trainable]
    whole = model.training.spans["optimizer"]
    named = {slot.path: optimizer_map.named(slot.path) for slot in trained}
    reported: set[tuple[int, ...]] = set()
    for path, numbers in named.items():
        if len(numbers) > 1 and tuple(numbers) not in reported:
            reported.add(tuple(numbers))
            _two(path, [optimizer_map.pairs[number] for number in numbers], whole, problems)
    used = {number for numbers in named.values() for number in numbers}
    for number, pair in enumerate(optimizer_map.pairs):
        if number not in used:
            _none(model, pair, slots, pair.span or whole, problems)
    optimizer.used = frozenset(optimizer_map.number_of(slot.path) for slot in trained)


def _two(path: str, pairs: list[Keyed], whole: Span, problems: Problems) -> None:
    first, second = pairs[:2]
    same = first.key == second.key
    problems.error(
        "NN0506",
        f"`{first.key}` stands twice in the map" if same else f"`{second.key}` and `{first.key}` both name `{path}`",
        second.span or whole,
        "again" if same else "",
        related=(Label(first.span, "first" if same else ""),) if first.span is not None else (),
        help="keep one of the two"
        if same
        else "name every weight once; the path of a single weight goes before that of a layer",
    )


def _none(model: Model, pair: Keyed, slots: list[Slot], span: Span, problems: Problems) -> None:
    covered = [slot for slot in slots if pair.covers(slot.path)]
    trained = [slot for slot in covered if slot.trainable]
    if trained:
        problems.error(
            "NN0506", f"`{pair.key}` has nothing left: other keys name all of its weights", span,
            help="leave it out, or one of the keys of its weights",
        )  # fmt: skip
    elif covered:
        what = f"`{pair.key}`" if len(covered) == 1 else f"any of `{pair.key}`"
        problems.error(
            "NN0506", f"training does not change {what}", span, "no optimizer is needed", help="leave this pair out"
        )
    else:
        keys = _keys(slot.path for slot in slots if slot.trainable)
        close = suggest(pair.key, keys) if pair.written else []
        change = f'"{close[0]}"' if close else ""
        problems.error(
            "NN0506", f"model `{model.name}` has no weight `{pair.key}`", span, "names nothing",
            help=None if close else did_you_mean(pair.key, keys) or _known(keys),
            fixes=(Fix(f"did you mean `{change}`?", (Edit(span, change),)),) if close else (),
        )  # fmt: skip


def _keys(paths: Iterable[str]) -> list[str]:
    """All keys that name something: layers and what holds them before weights."""
    paths = list(paths)
    holders: dict[str, None] = {}
    for path in paths:
        words = path.rpartition("/")[0].split(".")
        holders |= dict.fromkeys(".".join(words[:count]) + ALL for count in range(1, len(words) + 1))
    return [*holders, *paths]


def _known(keys: list[str]) -> str:
    shown = [f"`{key}`" for key in keys if key.endswith(ALL)]
    return f"its keys are {', '.join(shown[:8])}{', …' if len(shown) > 8 else ''}, and the paths of weights"
