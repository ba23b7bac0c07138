"""What `nndsl verify` asks of the emitted PyTorch program, in its own process; `verify_job` says how."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from nndsl.interop import noise_torch
from nndsl.interop.noise import clock
from nndsl.interop.verify_job import Arrays, Side, factors
from nndsl.interop.weights import canonical, put
from nndsl.layers.emit import StateEntry

_CPU = torch.device("cpu")


class TorchSide(Side):
    """The emitted torch program of one float type."""

    versions: ClassVar = {"torch": torch.__version__}

    def build(self) -> None:
        noise_torch.install()
        spec, self.program = self.spec, self.job.load_program(self.spec["program"])
        self.state = [StateEntry(key, path, _steps(steps), tuple(shape)) for key, path, steps, shape in spec["state"]]
        self.model: Any = getattr(self.program, spec["class"])()
        saved = self.model.state_dict()
        told = {entry.key for entry in self.state}
        frozen = {name for name, p in self.model.named_parameters() if not p.requires_grad and not p.any()}
        if left := sorted(set(saved) - told - frozen):
            raise LookupError(f"nothing says what {', '.join(left)} hold")

    def put(self, weights: Arrays) -> None:
        put(self.model, self.state, {path: torch.from_numpy(array.copy()) for path, array in weights.items()})
        self.reset()

    def reset(self) -> None:
        if hasattr(self.model, "reset_state"):
            self.model.reset_state()

    def weights(self) -> Arrays:
        return {name: tensor.numpy() for name, tensor in canonical(self.model, self.state).items()}

    def outputs(self, inputs: Arrays) -> Arrays:
        with torch.no_grad():
            found = self.model.eval()(*self._tensors(inputs).values())
        return {name: y.numpy() for name, y in found.items()}

    def gradients(self, inputs: Arrays, targets: Arrays) -> tuple[float, Arrays, Arrays]:
        model = self.model.train()
        model.zero_grad(set_to_none=True)
        given = self._tensors(inputs)
        watched = {name: x.requires_grad_() for name, x in given.items() if x.is_floating_point()}
        if targets:
            loss = self.program.measure(model, {**given, **self._tensors(targets)})["loss"]
        else:
            ys = {name: y for name, y in model(*given.values()).items() if y.is_floating_point()}
            loss = sum((y * torch.from_numpy(factors(name, y.shape)).to(y)).sum() for name, y in sorted(ys.items()))
        if isinstance(loss, Tensor) and loss.requires_grad:
            torch.autograd.backward(loss)
        by_input = {name: x.grad.numpy() for name, x in watched.items() if x.grad is not None}
        return float(loss), self._by_path(), by_input

    def _by_path(self) -> Arrays:
        """The gradients of the weights by canonical name, in Keras's layout."""
        parameters = dict(self.model.named_parameters(remove_duplicate=False))
        found = [(entry, parameters[entry.key].grad) for entry in self.state if entry.key in parameters]
        known = [(entry, grad) for entry, grad in found if grad is not None]
        holder = _Holder({entry.key: grad for entry, grad in known})
        return {path: grad.numpy() for path, grad in canonical(holder, [entry for entry, _ in known]).items()}  # type: ignore[arg-type]

    # -------------------------------------------------------------------------------- the program's own training code

    def evaluate(self, path: Path, size: int) -> dict[str, float]:
        self.running = True
        try:
            return self._run(self._load(path), size)
        finally:
            self.running = False

    def _run(self, data: dict[str, Tensor], size: int) -> dict[str, float]:
        self.tests = 0
        if hasattr(self.program, "batches"):  # the program trains by steps
            return dict(self.program.run(self.model, self._batches(data, size)))
        return dict(self.program.run(self.model, data, size))

    def _batches(self, data: dict[str, Tensor], size: int, **options: Any) -> Iterator[Any]:
        state = [self.model] if "model" in inspect.signature(self.program.batches).parameters else []
        found: Iterator[Any] = self.program.batches(*state, data, size, **options)
        return found

    def train(self, data: Path, held: Path, plan: Mapping[str, Any]) -> None:
        order = np.random.default_rng(plan["seed"])
        permute: Any = torch.randperm
        setattr(torch, "randperm", lambda count, **_: torch.from_numpy(order.permutation(count)))  # noqa: B010
        self.running = True
        try:
            self._train(self._load(data), self._load(held), plan)
        finally:
            torch.randperm, self.running = permute, False

    def _train(self, data: dict[str, Tensor], held: dict[str, Tensor], plan: Mapping[str, Any]) -> None:
        """What the command line of the program does for `train`."""
        size, program, model = plan["batch_size"], self.program, self.model
        optimizer = program.make_optimizer(model)
        watchers = program.make_watchers() if hasattr(program, "make_watchers") else []
        if hasattr(program, "batches"):
            stream = self._batches(data, size, endless=True)
            for start in range(0, plan["steps"], plan["evaluate_every"]):
                self.begin_epoch()
                count = min(plan["evaluate_every"], plan["steps"] - start)
                logs = program.run(model, islice(stream, count), optimizer)
                logs |= {f"val_{k}": v for k, v in self._run(held, size).items()}
                self.epochs.append(dict(logs))
                look = start // plan["evaluate_every"]
                if any([w.after_epoch(look, logs, model, optimizer) for w in watchers]):  # noqa: C419 (each hears it)
                    break
        else:
            for epoch in range(plan["steps"] // plan["per_epoch"]):
                self.begin_epoch()
                logs = program.run(model, data, size, optimizer)
                logs |= {f"val_{k}": v for k, v in self._run(held, size).items()}
                self.epochs.append(dict(logs))
                if any([w.after_epoch(epoch, logs, model, optimizer) for w in watchers]):  # noqa: C419 (each hears it)
                    break
        for watcher in watchers:
            watcher.after_training(model)

    def begin_epoch(self) -> None:
        self.total, self.count = 0.0, 0

    def prepare_training(self) -> None:
        """Sees every batch on its way through `measure`, which `run` looks up in the module."""
        measure = self.program.measure
        self.stepping = hasattr(self.program, "batches")  # Keras's train_on_batch tells of the batch alone

        def measured(model: Any, batch: dict[str, Tensor]) -> dict[str, Tensor]:
            if not self.running:
                return dict(measure(model, batch))
            clock.step = self.next_step(model.training)
            values: dict[str, Tensor] = measure(model, batch)
            if model.training:
                rows = len(next(iter(batch.values())))
                self.total, self.count = self.total + float(values["loss"].detach()) * rows, self.count + rows
                self.curve.append(float(values["loss"].detach()) if self.stepping else self.total / self.count)
            return values

        self.running = False
        self.program.measure = measured  # type: ignore[attr-defined]

    def _load(self, path: Path) -> dict[str, Tensor]:
        found: dict[str, Tensor] = self.program.load_data(str(path), list(self.program.ARRAYS), _CPU)
        return found

    def _tensors(self, arrays: Arrays) -> dict[str, Tensor]:
        return {name: torch.from_numpy(array.copy()).to(self.program.ARRAYS[name][1]) for name, array in arrays.items()}


class _Holder:
    """What `canonical` asks for of a model."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self.tensors = tensors

    def state_dict(self) -> dict[str, Tensor]:
        return self.tensors


def _steps(steps: Any) -> Any:
    return tuple((kind, tuple(numbers)) for kind, numbers in steps)
