"""The optimizer of an emitted Keras program: one, or a map whose keys are the paths of Keras's variables.

Keras takes a key that is no path for a regular expression. The paths are those of `weight_layout` but for what layers
hold: `lstm/lstm_cell/kernel` is `lstm/kernel` there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nndsl import code
from nndsl.ir.graph import Model
from nndsl.layers.entry import snake_case
from nndsl.layers.families.optimizer_maps import ALL, Keyed, MultiOptimizer, OptimizerMap
from nndsl.passes.weight_layout import LayerSlots, changed, holds_block, layout
from nndsl.targets.keras_spell import spell

_CELLS = {
    **{name: f"{snake_case(name)}_cell" for name in ("SimpleRNN", "LSTM", "GRU")},
    **{f"ConvLSTM{rank}D": "conv_lstm_cell" for rank in (1, 2, 3)},
}
_ATTENTION = ("MultiHeadAttention", "GroupQueryAttention")
# Keras numbers them, and nothing here can name them.
_STACKED = "stacked_rnn_cells"
_ANY_STACKED = re.compile(f"/{_STACKED}/")


def optimizer_code(model: Model) -> code.Expr:
    """What `model.compile` gets as its optimizer."""
    optimizer = model.training.optimizer
    if not isinstance(optimizer, MultiOptimizer):
        return spell(optimizer)
    keys = _keys(model, optimizer.optimizer_map)
    pairs = tuple(
        (code.Literal(key), spell(pair.optimizer))
        for key, pair in zip(keys, optimizer.optimizer_map.pairs, strict=True)
    )
    default = spell(optimizer.optimizer_map.default_optimizer)
    given = (default, code.Dict(pairs)) if pairs else (default,)
    return code.call("keras.optimizers.MultiOptimizer", code.call("keras.optimizers.OptimizerMap", *given))


def _keys(model: Model, optimizer_map: OptimizerMap) -> list[str]:
    """Keras's key for each pair: short ones, if Keras takes them as they are meant, else with every weight in them."""
    layers = layout(model)
    paths = keras_paths(model)
    trained = {path for path, _ in changed(layers)}
    paths = {path: known for path, known in paths.items() if path in trained}
    short = [_key(pair, layers, paths) for pair in optimizer_map.pairs]
    meant = {known: optimizer_map.number_of(path) for path, known in paths.items()}
    if len(set(short)) == len(short) and all(_chosen(short, known) == [number] for known, number in meant.items()):
        return short
    return [_all_of(known for known, at in meant.items() if at == number) for number in range(len(short))]


def _chosen(keys: Sequence[str], path: str) -> list[int]:
    """The place of the key that Keras finds for a variable; of all where it finds several, and behind the last where it
    finds none."""
    exact = [number for number, key in enumerate(keys) if key == path]
    return exact or [number for number, key in enumerate(keys) if re.fullmatch(key, path)] or [len(keys)]


def _key(pair: Keyed, layers: Sequence[LayerSlots], paths: Mapping[str, str]) -> str:
    around = pair.key.removesuffix(ALL)
    names = {layer.path for layer in layers}
    if around == pair.key:
        known = paths[pair.key]
        return _escaped(known) if _ANY_STACKED.search(known) else known
    if around in names:
        return f"{_escaped(around)}/.*"
    if any(name.startswith(f"{around}.") for name in names):
        return f"{_escaped(around)}[.].*"
    return _all_of(known for path, known in paths.items() if pair.covers(path))


def _all_of(paths: Iterator[str]) -> str:
    return "|".join(map(_escaped, paths))


def _escaped(path: str) -> str:
    """A regular expression for the path alone: a dot is all that it can have of such signs."""
    return _ANY_STACKED.sub(f"/{_STACKED}[^/]*/", path.replace(".", "[.]"))


def keras_paths(model: Model) -> dict[str, str]:
    """The path of Keras's variable for each weight, by canonical path."""
    return {
        canonical: known
        for use in model.layers
        if use.nodes
        for canonical, known in _paths(use.path, use.path, use.config, use.nodes[0].input_types)
    }


def _paths(path: str, place: str, config: Any, types: Any) -> Iterator[tuple[str, str]]:
    title = config.title()
    children = list(config.children())
    inside = place
    if title == "SpectralNormalization":
        inside = f"{place}/{children[0][0]}"
    elif title in _CELLS:
        inside = f"{place}/{_CELLS[title]}"
    for weight in config.weights(*types):
        name = "/".join(weight.name.rsplit("_", 1)) if title in _ATTENTION else weight.name
        yield f"{path}/{weight.name}", f"{inside}/{name}"
    for name, child, child_types in children:
        if holds_block(config):  # its layers bear names of their own in Keras too
            below = f"{path}.{name}"
        elif getattr(config, "stacked", False):
            below = f"{place}/{_STACKED}/{name}"
        else:
            below = f"{place}/{name}"
        yield from _paths(f"{path}.{name}", below, child, child_types)
