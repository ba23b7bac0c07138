"""Training with the emitted PyTorch program."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from nndsl.interop.contents import Weights
from nndsl.interop.load import Loaded
from nndsl.interop.torch_file import fill, fill_state, gathered
from nndsl.ir.graph import Model, Submodel
from nndsl.passes.train_checks import is_stateful
from nndsl.runtime.engine import Array, Batch, Rowed, Rows
from nndsl.runtime.faster import arranged, fuse, repeat_itself, settle
from nndsl.runtime.feed import Feed
from nndsl.runtime.memory import memory_watched
from nndsl.runtime.report import Unavailable
from nndsl.runtime.slots import trained
from nndsl.runtime.tally import Result, Tally
from nndsl.runtime.tensors import array_of, plain, tensors
from nndsl.runtime.trees import Tree, walk
from nndsl.runtime.world import ALONE
from nndsl.runtime.writing_files import writing_files
from nndsl.targets.names import attribute_name


class TorchEngine:
    """One model of an emitted program on one device: see `engine.Engine`."""

    world = ALONE

    def __init__(
        self, model: Model, loaded: Loaded, device: torch.device, *, seed: int, batch: int, compiled: bool = False
    ) -> None:
        self.model, self.loaded, self.device, self.batch = model, loaded, device, batch
        self.program: Any = loaded.module
        self.outputs = trained(model)
        self.stateful = is_stateful(model)
        self.types = {name: dtype for name, (_, dtype) in self.program.ARRAYS.items()}
        repeat_itself(device)
        with memory_watched(self):
            torch.manual_seed(seed)
            self.net: nn.Module = self._placed(loaded.cls().to(device))
        if compiled:
            self.net.compile()
        self.optimizer: Any = self.program.make_optimizer(self.net)
        fuse(self.optimizer, device)
        self.scaler: Any = self.program.make_scaler(device.type) if hasattr(self.program, "make_scaler") else None
        self.watchers: list[Any] = []
        if hasattr(self.program, "make_watchers"):
            try:
                self.watchers = self.program.make_watchers()
            except ImportError as error:
                raise Unavailable(str(error)) from None
        self.tally = self._fresh_tally()

    def feed(self, part: Rowed) -> Callable[[Iterable[Rows]], Iterator[Batch]]:
        with memory_watched(self):
            return Feed(part, self.types, self.device)

    # ---------------------------------------------------------------------------------------- training

    def begin(self) -> None:
        self.tally = self._fresh_tally()
        self.net.train()

    def train(self, batch: Batch) -> None:
        with memory_watched(self, batch):
            self.optimizer.zero_grad(set_to_none=True)
            loss, values = self._forward(batch)
            if self.scaler is None:
                torch.autograd.backward(loss)
                self.optimizer.step()
            else:
                torch.autograd.backward(self.scaler.scale(loss))
                self.scaler.step(self.optimizer)
                self.scaler.update()
            self.tally.add(self._own(batch.size), values)

    def loss(self) -> float:
        tally = self._summed(self.tally)
        return tally.loss() if tally.samples else 0.0

    def sound(self) -> bool:
        return all(bool(torch.isfinite(weight).all()) for weight in self.net.parameters() if weight.requires_grad)

    def logs(self) -> dict[str, float]:
        return self._summed(self.tally).result().logs()

    def _forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """(what backward begins with, the numbers of the batch)."""
        values = self._measured(batch)
        return values["loss"], values

    def _measured(self, batch: Batch) -> dict[str, Tensor]:
        values: dict[str, Tensor] = self.program.measure(self._measurable(), batch.tensors)
        return values

    def _measurable(self) -> Any:
        """What `measure` and `penalty` take for the model."""
        return self.net

    def _own(self, size: int) -> int:
        """How many samples of a batch the numbers of this process are of."""
        return size

    def _summed(self, tally: Tally) -> Tally:
        """The numbers of all processes."""
        return tally

    def learning_rate(self) -> float | None:
        groups = self.optimizer.param_groups
        return float(groups[0]["lr"]) if groups and "lr" in groups[0] else None

    def write_below(self, folder: str) -> None:
        for watcher in self.watchers:
            if hasattr(watcher, "path"):
                watcher.path = os.path.join(folder, watcher.path)

    def after_epoch(self, epoch: int, logs: dict[str, float]) -> bool:
        with writing_files():
            ends = [watcher.after_epoch(epoch, logs, self.net, self.optimizer) for watcher in self.watchers]
        return any(ends)  # each of them has looked

    def after_training(self) -> None:
        if hasattr(self.program, "use_averages"):
            self.program.use_averages(self.optimizer)
        with writing_files():
            for watcher in self.watchers:
                watcher.after_training(self.net)

    # ------------------------------------------------------------------------------------- evaluation

    @torch.no_grad()
    def evaluate(self, batches: Iterable[Batch], *, keep_state: bool = False) -> Result:
        self.net.eval()
        kept = self._buffers() if self.stateful and keep_state else None
        self.reset_state()
        tally = self._fresh_tally()
        with memory_watched(self):
            for batch in batches:
                size = self._own(batch.size)
                tally.add(size, self._measured(batch))
                tally.add_penalty(self._measurable(), size)
        if kept is not None:
            self._put_buffers(kept)
        self.net.train()
        return self._summed(tally).result()

    @torch.no_grad()
    def predict(self, batches: Iterable[Batch], part: Submodel | None = None) -> Iterator[dict[str, Array]]:
        self.net.eval()
        self.reset_state()
        function: Any = self._whole if part is None else getattr(self.net, attribute_name(part.name))
        types: list[torch.dtype] = [] if part is None else [getattr(torch, x.type.dtype) for x in part.sources]
        for batch in batches:
            taken = list(batch.tensors.values())
            if part is not None:  # whose sources may be values that are no array of the program
                taken = [tensor.to(dtype) for tensor, dtype in zip(taken, types, strict=True)]
            with memory_watched(self):
                found = function(*taken)
            if part is not None:
                several = found if isinstance(found, tuple) else (found,)
                found = dict(zip(part.target_names, several, strict=True))
            yield {name: array_of(y) for name, y in found.items()}

    def _whole(self, *inputs: Tensor) -> dict[str, Tensor]:
        mixed = getattr(self.program, "mixed", None)  # in half precision
        found: dict[str, Tensor] = self.net(*inputs) if mixed is None else mixed(self.net, *inputs)
        return found

    def masks(self) -> dict[str, Array]:
        found: dict[str, Tensor | None] = getattr(self.net, "output_masks", {})
        return {name: array_of(mask) for name, mask in found.items() if mask is not None}

    def reset_state(self) -> None:
        if self.stateful:
            reset: Any = self.net.reset_state
            reset()

    # ------------------------------------------------------------------------------------------ state

    def learnt(self) -> Weights:
        return gathered(self.net, self.loaded, self.model, self.optimizer)

    def start_from(self, weights: Weights) -> None:
        fill(self.net, self.loaded, weights.values)
        fill_state(self.optimizer, self.net, self.loaded, self.model, weights.state)
        settle(self.optimizer)

    def state(self) -> Tree:
        return plain(self._tree())

    def _tree(self) -> dict[str, Any]:
        """The state, of tensors."""
        return {
            "weights": self.net.state_dict(),
            "buffers": self._buffers(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict() if self.scaler is not None else None,
            "watchers": [dict(vars(watcher)) for watcher in self.watchers],
            "tally": self.tally.state(),
            "random": self._random(),
        }

    def put_state(self, state: Tree) -> None:
        state = tensors(state)
        self._load(state)
        self._put_buffers({name: value.to(self.device) for name, value in state["buffers"].items()})
        for watcher, kept in zip(self.watchers, state["watchers"], strict=True):
            kept.pop("path", None)  # the folder may have been moved
            vars(watcher).update(walk(kept, self._moved))
        if self.scaler is not None:
            self.scaler.load_state_dict(state["scaler"])
        self._put_tally(state["tally"])
        self._put_random(state["random"])
        self.net.train()

    def _load(self, state: dict[str, Any]) -> None:
        """Weights and the state of the optimizer."""
        self.net.load_state_dict(state["weights"])
        for group in state["optimizer"]["param_groups"]:  # torch moves what belongs to parameters alone
            for name, value in group.items():
                group[name] = walk(value, self._moved)
        self.optimizer.load_state_dict(state["optimizer"])
        settle(self.optimizer)

    def _put_tally(self, state: Mapping[str, Any]) -> None:
        self.tally = self._fresh_tally()
        self.tally.sums, self.tally.samples = walk(state["sums"], self._moved), state["samples"]

    def _moved(self, value: Any) -> Any:
        return value.to(self.device) if isinstance(value, Tensor) else value

    def _random(self) -> dict[str, Any]:
        """Where all random streams stand: torch's own, and those of layers with a seed."""
        streams = {
            name: {key: value.get_state() for key, value in vars(module).items() if isinstance(value, torch.Generator)}
            for name, module in self.net.named_modules()
        }
        return {
            "cpu": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None,
            "layers": {name: found for name, found in streams.items() if found},
        }

    def _put_random(self, state: Mapping[str, Any]) -> None:
        torch.set_rng_state(state["cpu"])
        if state["cuda"] is not None and self.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"], self.device)
        for name, streams in state["layers"].items():
            for key, value in streams.items():
                generator = torch.Generator(self.device)
                generator.set_state(value)
                setattr(self.net.get_submodule(name), key, generator)

    def _buffers(self) -> dict[str, Tensor]:
        """What batches have left behind: buffers that are not saved, which modules replace and never change."""
        saved = self.net.state_dict().keys()
        return {name: value for name, value in self.net.named_buffers() if name not in saved}

    def _put_buffers(self, state: Mapping[str, Tensor]) -> None:
        for name, value in state.items():
            owner, _, attribute = name.rpartition(".")
            setattr(self.net.get_submodule(owner), attribute, value)

    def _placed(self, net: nn.Module) -> nn.Module:
        """The model as its optimizer shall see it."""
        return arranged(net, self.device)

    def _fresh_tally(self) -> Tally:
        return Tally(self.program, self.outputs, named=len(self.model.outputs) > 1)
