"""Several optimizers for one model: which weights each of them changes.

Keras takes the keys of the map for regular expressions over the paths of its variables. Here a key is the canonical
path of a weight, or of a layer or block with `/.*` behind it: it can be checked when the file is compiled, and a name
with a dot means itself. The Keras program says the same in Keras's own words (`targets/keras_optimizer`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from nndsl.layers.entry import ArgumentError, Binder, ConfigError, Entry, Kind, arg, entry
from nndsl.layers.kinds import ListOf, Maybe, Of
from nndsl.layers.optimizing import Optimizer
from nndsl.layers.values import Option, Unbound, show, spell
from nndsl.records import record
from nndsl.source import Span

ALL = "/.*"
_KEY = re.compile(r"\w+(\.\w+)*/(\w+|\.\*)")
_EXAMPLE = '[("encoder/.*", SGD(0.01))]'


@record
class Keyed:
    """One pair of the map; `span` is where its key stands, if it is `written` out there, else its optimizer."""

    key: str
    optimizer: Any
    span: Span | None
    written: bool = False

    def covers(self, path: str) -> bool:
        """Whether the key names the weight at `path`, by itself or by a layer or block that holds it."""
        if not self.key.endswith(ALL):
            return path == self.key
        layer, around = path.rpartition("/")[0], self.key.removesuffix(ALL)
        return layer == around or layer.startswith(f"{around}.")


class _Pair(Kind[Keyed]):
    """A key and its optimizer."""

    category = "optimizer"

    def convert(self, value: object, bind: Binder) -> Keyed:
        if not isinstance(value, tuple | list) or len(value) != 2 or not isinstance(value[0], str):
            raise ArgumentError(
                f"must be a list of pairs, each a key and an optimizer, and {show(value)} is none",
                help=f"write `{_EXAMPLE}`",
            )
        key, given = value
        span = _place(key, given)
        written = span is not None
        span = span or _span_of(given)
        _check_key(key, span, written)
        optimizer = bind.entry(given, "optimizer")
        if isinstance(optimizer, MultiOptimizer):
            raise ArgumentError(
                "cannot have a `MultiOptimizer` in it",
                help="put the pairs of its map into this one",
                span=_span_of(given),
            )
        return Keyed(key, optimizer, span, written)

    def describe(self) -> str:
        return "a key and an optimizer"


def _check_key(key: str, span: Span | None, written: bool) -> None:
    if _KEY.fullmatch(key):
        return
    path = key.rstrip("/.*")
    if key in (".*", "/.*", ""):
        help, instead = "all weights that no key names are the default optimizer's: leave this pair out", None
    elif re.fullmatch(r"\w+(\.\w+)*", path) and not key.startswith("/"):
        help, instead = None, (f'change to `"{path}/.*"`', f'"{path}/.*"')
    else:
        help, instead = 'a key is a weight, `"head/kernel"`, or all of a layer or block, `"encoder/.*"`', None
    raise ArgumentError(
        f"has the key {show(key)}, which is not the path of a weight nor that of a layer with `/.*`",
        help=help, span=span, instead=instead if written else None,
    )  # fmt: skip


def _span_of(value: object) -> Span | None:
    match value:
        case Unbound(call):
            return call.span
        case Option(span=span):
            return span
    return None


def _place(key: str, optimizer: object) -> Span | None:
    """Where the key stands, if it is written out before its optimizer."""
    behind = _span_of(optimizer)
    if behind is None:
        return None
    before = behind.file.text[: behind.start]
    end = len(before.rstrip().removesuffix(",").rstrip())
    for written in (spell(key), f"'{key}'"):
        if before[:end].endswith(written):
            return Span(behind.file, end - len(written), end)
    return None


@entry("optimizer_map")
class OptimizerMap(Entry):
    """Which optimizer changes which weights: the one whose key names the weight, else the default one.

    A key is a weight (`"head/kernel"`) or all weights of a layer or block (`"encoder/.*"`); the path of a weight goes
    before that of a layer. Two layers' keys must not name the same weight.

    Example:
        train { optimizer = MultiOptimizer(OptimizerMap(Adam(0.001), [("y_dense/.*", SGD(0.01, momentum=0.9))])) }
    """

    default_optimizer = arg(Of("optimizer"), "The optimizer of all weights that no key names.")
    optimizer_map: tuple[Keyed, ...] | None = arg(
        Maybe(ListOf(_Pair())), f"Pairs of a key and an optimizer: `{_EXAMPLE}`.", None
    )

    def check(self) -> None:
        if isinstance(self.default_optimizer, MultiOptimizer):
            raise ConfigError(
                "`OptimizerMap` cannot have a `MultiOptimizer` in it",
                "default_optimizer",
                help="put the pairs of its map into this one",
            )

    @property
    def pairs(self) -> tuple[Keyed, ...]:
        return self.optimizer_map or ()

    @property
    def optimizers(self) -> tuple[Optimizer, ...]:
        """In Keras's order: those of the pairs, then the default one."""
        return (*(pair.optimizer for pair in self.pairs), self.default_optimizer)

    def named(self, path: str) -> list[int]:
        """Which pairs name the weight at `path`: those that count. Several are a mistake."""
        found = [number for number, pair in enumerate(self.pairs) if pair.covers(path)]
        exact = [number for number in found if not self.pairs[number].key.endswith(ALL)]
        return exact or found

    def number_of(self, path: str) -> int:
        """The place in `optimizers` of the one that changes the weight at `path`."""
        return next(iter(self.named(path)), len(self.pairs))


@entry("optimizer")
class MultiOptimizer(Optimizer):
    """Several optimizers, each for its part of the weights, with its own learning rate, schedule and clipping.

    Example:
        train { optimizer = MultiOptimizer(OptimizerMap(Adam(0.001), [("y_dense/.*", SGD(0.01, momentum=0.9))])) }
    """

    optimizer_map: OptimizerMap = arg(Of("optimizer_map"), "Which optimizer changes which weights: an `OptimizerMap`.")

    used: frozenset[int]
    """The places of the optimizers that have weights of the model: `passes/optimizer_keys` finds out."""

    def check(self) -> None:
        parts = self.optimizers
        self.use_ema = any(part.use_ema for part in parts)
        self.gradient_accumulation_steps = None
        self.used = frozenset(range(len(parts)))
        self.starts_from_weights = any(part.starts_from_weights for part in parts)

    @property
    def optimizers(self) -> tuple[Optimizer, ...]:
        return self.optimizer_map.optimizers

    @property
    def linear(self) -> bool:
        return all(part.linear for part in self.optimizers)

    @property
    def schedule(self) -> Any:
        return None  # each part has its own

    def parts(self, paths: Iterable[str]) -> list[tuple[Optimizer, list[str]]]:
        """Each optimizer, in Keras's order, with the weights that it changes."""
        found: list[tuple[Optimizer, list[str]]] = [(part, []) for part in self.optimizers]
        for path in paths:
            found[self.optimizer_map.number_of(path)][1].append(path)
        return found

    @classmethod
    def advice(cls, argument: str) -> str | None:
        if argument in cls.own:
            return f"each optimizer of the map has its own: `OptimizerMap(Adam({argument}=…))`"
        return super().advice(argument)

    own = frozenset(
        {
            "learning_rate", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum",
            "ema_overwrite_frequency", "gradient_accumulation_steps",
        }
    )  # fmt: skip
    """What a single optimizer takes and this one does not."""
