"""`BatchNormalization(synchronized=true)` in several processes: statistics of the rows of all.

Each process gathers what comes to the layer in all of them and runs the layer on it, so that statistics, moving ones
included, are those of one process whatever kind of batch normalization it is; its own rows go on.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from nndsl.ir.graph import Model
from nndsl.runtime.gathering import exchanged
from nndsl.runtime.lost import layer_of
from nndsl.runtime.together import normalizations
from nndsl.runtime.world import World


def synchronize(net: nn.Module, model: Model, world: World, sizes: Callable[[], list[int]]) -> None:
    """Has the layers that are asked to do it look at the rows of all. `sizes` gives the samples of each process in the
    batch at hand."""
    every = [layer for use in model.layers for layer in normalizations(use.config)]
    for name, module in net.named_modules():
        if not hasattr(module, "running_mean"):
            continue
        use = layer_of(model, name)
        own = list(normalizations(use.config)) if use is not None else every
        if own and all(layer.synchronized for layer in own):
            module.forward = OverAll(module, world, sizes)


def sees_all(module: nn.Module) -> bool:
    """Whether `synchronize` has the module look at the rows of all."""
    return isinstance(vars(module).get("forward"), OverAll)


class OverAll:
    """The forward of a layer, of the rows of all processes."""

    def __init__(self, module: nn.Module, world: World, sizes: Callable[[], list[int]]) -> None:
        self.module, self.forward, self.world, self.sizes = module, module.forward, world, sizes

    def __call__(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        given = () if mask is None else (mask,)
        if not self.module.training:
            return self._own(x, *given)
        counts, rank = self.sizes(), self.world.rank
        each = len(x) // max(counts[rank], 1)  # steps of a sequence may stand where samples do
        counts = [count * each for count in counts]
        size = counts[rank]
        masks = (exchanged(m[:size], self.world, counts) if len(m) == len(x) else m for m in given)
        y = self._own(exchanged(x[:size], self.world, counts, alike=False), *masks)
        # A row that does not count has no place among those of all: it goes on as nothing.
        return y[self.world.own(counts)] if size else x * 0 + y.sum() * 0

    def _own(self, *given: Tensor) -> Tensor:
        y: Tensor = self.forward(*given)
        return y
