"""Training with the emitted PyTorch program in several processes: DistributedDataParallel, or FSDP2 with `--shard`.

A batch is divided among the processes, one piece each; `gathering.py` says why the gradient is that of one process.
What acts on gradients and weights (accumulation, clipping, schedules, averages, constraints) stands in the optimizer's
step and finds the same gradients in every process.

Two things are apart: batch normalization computes the statistics of the rows of its own process, but for what is
`synchronized`, and what is random
(dropout, noise) draws from a stream of the process. The moving statistics are averaged over the processes wherever
someone reads them; the processes go on with their own, so that a look changes nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from nndsl.interop.contents import Weights
from nndsl.interop.load import Loaded
from nndsl.interop.torch_file import fill, fill_state, gathered
from nndsl.ir.graph import Model, Submodel
from nndsl.runtime.engine import Array, Batch, Rowed, Rows
from nndsl.runtime.feed import Feed
from nndsl.runtime.gathering import Step, is_mean
from nndsl.runtime.memory import memory_watched
from nndsl.runtime.report import Unavailable
from nndsl.runtime.sharding import sharded, sharded_state, whole
from nndsl.runtime.synchronizing import sees_all, synchronize
from nndsl.runtime.tally import Result, Tally
from nndsl.runtime.tensors import plain, tensors
from nndsl.runtime.torch_engine import TorchEngine
from nndsl.runtime.trees import Tree, walk
from nndsl.runtime.world import World, mixed
from nndsl.runtime.writing_files import writing_files

_MOVING = ("running_", "renorm_")
"""How buffers of batch normalization begin."""


def _averaging(step: Step) -> DistributedDataParallel:
    """The step whose backward averages gradients. Some weights may have no part in any loss (an output without one):
    nothing waits for their gradients."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # a new name for broadcast_buffers, which older ones lack
        return DistributedDataParallel(step, broadcast_buffers=False, find_unused_parameters=True)


class SpreadEngine(TorchEngine):
    """The part of one process in the training of one model. All of its methods are meetings: each process calls them in
    the same order."""

    def __init__(
        self, model: Model, loaded: Loaded, device: torch.device, *, seed: int, batch: int, compiled: bool,
        world: World, shard: bool,
    ) -> None:  # fmt: skip
        self.world, self.shard = world, shard
        super().__init__(model, loaded, device, seed=seed, batch=batch, compiled=compiled)
        if shard and self.scaler is not None:
            raise Unavailable("float16 scales its losses, which --shard cannot do", "take `--precision bfloat16`")
        if not world.first:
            self._scatter_streams(seed)
        self.step = Step(self.program, self.net, world, mean=is_mean(model))
        synchronize(self.net, model, world, lambda: self.step.sizes)
        self.trainer: nn.Module = self.step
        self.predicted: Rows = self.world.share(torch.arange(0).numpy())  # the own rows of the last prediction
        if not shard and any(parameter.requires_grad for parameter in self.net.parameters()):
            self.trainer = _averaging(self.step)

    def _placed(self, net: nn.Module) -> nn.Module:
        return sharded(net, self.device, penalised=hasattr(self.program, "penalty")) if self.shard else net

    def feed(self, part: Rowed) -> Callable[[Iterable[Rows]], Iterator[Batch]]:
        with memory_watched(self):
            return Feed(part, self.types, self.device, self._taken if self.step.mean else None)

    def _taken(self, places: Rows) -> Rows:
        """The own rows of a batch, or one that does not count, so that every process takes part in every step."""
        own = self.world.share(places)
        return own if len(own) else places[:1]

    def _own(self, size: int) -> int:
        return self.world.sizes(size)[self.world.rank] if self.step.mean else size

    # ---------------------------------------------------------------------------------------- training

    def _forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        kept = None if self.world.sizes(batch.size)[self.world.rank] else self._moving()
        loss, values = self.trainer(batch.tensors, batch.size)
        if kept is not None:  # of a row that does not count
            self._put_moving(kept)
        return loss, values

    def _measurable(self) -> Any:
        return self.step.measured

    def _summed(self, tally: Tally) -> Tally:  # where each has gathered the outputs of all, they are there already
        if not self.step.mean:
            return tally
        named = {f"sum {name}": whole(value).cpu().double().numpy() for name, value in tally.sums.items()}
        penalties = torch.as_tensor(whole(tally.penalties)).cpu().double().numpy()
        sums = self.world.sums(named | {"penalties": penalties, "samples": torch.tensor(tally.samples).numpy()})
        found = self._fresh_tally()
        found.samples = round(float(sums.pop("samples")))
        found.penalties = float(sums.pop("penalties"))
        found.sums = {name.removeprefix("sum "): torch.as_tensor(value) for name, value in sums.items()}
        return found

    def after_epoch(self, epoch: int, logs: dict[str, float]) -> bool:
        if not self.watchers:
            return False
        with self._averaged(), self._shown_whole() as (net, optimizer), writing_files():
            ends = [watcher.after_epoch(epoch, logs, net, optimizer) for watcher in self._own_watchers()]
        return self.world.of_first(any(ends))

    def after_training(self) -> None:
        self._put_moving(self._averages())
        if hasattr(self.program, "use_averages"):
            self.program.use_averages(self.optimizer)
        if self.watchers:
            with self._shown_whole() as (net, _), writing_files():
                for watcher in self._own_watchers():
                    watcher.after_training(net)

    def _own_watchers(self) -> list[Any]:
        """Those that watch in this process: the first alone writes files."""
        return [watcher for watcher in self.watchers if self.world.first or not hasattr(watcher, "path")]

    @contextmanager
    def _shown_whole(self) -> Iterator[tuple[nn.Module, Any]]:
        """Model and optimizer as watchers take them; what they change there is changed here."""
        if not self.shard:
            yield self.net, self.optimizer
            return
        net, optimizer = self._whole_twin()
        yield net, optimizer
        self._load({"weights": net.state_dict(), "optimizer": optimizer.state_dict()})

    # ------------------------------------------------------------------------------------- evaluation

    def evaluate(self, batches: Iterable[Batch], *, keep_state: bool = False) -> Result:
        with self._averaged():
            return super().evaluate(batches, keep_state=keep_state)

    def predict(self, batches: Iterable[Batch], part: Submodel | None = None) -> Iterator[dict[str, Array]]:
        with self._averaged():
            for batch in batches:
                self.predicted = own = self.world.share(torch.arange(batch.size).numpy())
                taken = batch.tensors
                if not self.step.mean:
                    taken = {name: x[own] if len(own) else x[:1] for name, x in taken.items()}
                for found in super().predict([Batch(taken, batch.size)], part):
                    yield self.world.joined_rows({name: rows[: len(own)] for name, rows in found.items()})

    def masks(self) -> dict[str, Array]:
        return self.world.joined_rows({name: mask[: len(self.predicted)] for name, mask in super().masks().items()})

    # ------------------------------------------------------------------------------ moving statistics

    def _moving(self) -> dict[str, Tensor]:
        """What batch normalization has seen of the rows of this process, as copies."""
        return {
            f"{name}.{key}" if name else key: value.clone()
            for name, module in self.net.named_modules()
            for key, value in module.named_buffers(recurse=False)
            if key.startswith(_MOVING) and not sees_all(module)
        }

    @torch.no_grad()
    def _put_moving(self, values: Mapping[str, Tensor]) -> None:
        for name, value in self.net.named_buffers():
            if name in values:
                value.copy_(values[name])

    @torch.no_grad()
    def _averages(self) -> dict[str, Tensor]:
        averages = self._moving()
        for value in averages.values():
            dist.all_reduce(value)
            value /= self.world.count
        return averages

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """While it lasts the moving statistics are those of all processes."""
        own = self._moving()
        self._put_moving(self._averages())
        try:
            yield
        finally:
            self._put_moving(own)

    # ------------------------------------------------------------------------------------------ state

    def learnt(self) -> Weights:
        with self._averaged():
            if not self.shard:
                return super().learnt()
            net, optimizer = self._whole_twin()
            return gathered(net, self.loaded, self.model, optimizer)

    def start_from(self, weights: Weights) -> None:
        if not self.shard:
            super().start_from(weights)
            return
        net, optimizer = self._twin()
        fill(net, self.loaded, weights.values)
        fill_state(optimizer, net, self.loaded, self.model, weights.state)
        self._load({"weights": net.state_dict(), "optimizer": optimizer.state_dict()})

    def _twin(self) -> tuple[nn.Module, Any]:
        """A model that is not divided, on the CPU, with its optimizer."""
        with torch.random.fork_rng(devices=[]):
            net = self.loaded.cls()
        return net, self.program.make_optimizer(net)

    def _whole_twin(self) -> tuple[nn.Module, Any]:
        net, optimizer = self._twin()
        tree = whole(self._tree())
        net.load_state_dict(tree["weights"])
        optimizer.load_state_dict(walk(tree["optimizer"], _on_cpu))
        return net, optimizer

    def state(self) -> Tree:
        """As of one process, with what each of them has of its own beside it."""
        own = {
            "random": self._random(), "moving": self._moving(), "buffers": self._buffers(),
            "tally": self.tally.state(),
        }  # fmt: skip
        processes = self.world.of_each(plain(whole(own)))
        with self._averaged():
            tree = whole(self._tree())
        tree["tally"] = self._summed(self.tally).state()
        return plain(tree) | {"processes": processes}

    def put_state(self, state: Tree) -> None:
        processes = state.get("processes", [])
        super().put_state(state)
        kept = tensors(processes[self.world.rank]) if self.world.rank < len(processes) else None
        if kept is not None and len(processes) == self.world.count:
            self._put_moving(kept["moving"])
            self._put_buffers({name: value.to(self.device) for name, value in kept["buffers"].items()})
            self._put_tally(kept["tally"])
        elif self.step.mean and not self.world.first:  # the sums so far are with the first process
            self.tally = self._fresh_tally()
        if kept is not None:
            self._put_random(kept["random"])
        elif not self.world.first:
            self._scatter_streams(mixed(state["random"]["cpu"].tobytes()))

    def _load(self, state: dict[str, Any]) -> None:
        super()._load(sharded_state(state, self.net, self.optimizer) if self.shard else state)

    def _scatter_streams(self, seed: int) -> None:
        """Random streams of this process alone."""
        torch.manual_seed(mixed(seed, self.world.rank))
        for module in self.net.modules():
            own: Any = module
            if "generator" in vars(module) and own.seed is not None:
                own.generator = torch.Generator(self.device).manual_seed(mixed(own.seed, seed, self.world.rank))


def _on_cpu(value: Any) -> Any:
    return value.cpu() if isinstance(value, Tensor) else value
