"""RNNRegression, compiled by nndsl."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Optimizer(torch.optim.Optimizer):
    """An optimizer whose `update` changes one weight by its gradient."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.update(p, p.grad, self.state[p], group)
        return loss

    def update(
        self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        raise NotImplementedError


def early_epsilon(epsilon: float) -> Callable[..., None]:
    """Makes Adam add epsilon before the second moment is corrected for its start at 0,
    as Keras does: the epsilon that torch adds behind the correction grows with it."""

    def before_step(optimizer: torch.optim.Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            group["count"] = group.get("count", 0) + 1
            correction = 1 - group["betas"][1] ** group["count"]
            group["eps"] = epsilon / correction**0.5

    return before_step


class RNNRegression(nn.Module):
    """From a sine to its cosine, the lesson on recurrent regression: a stateful LSTM
    carries its state from batch to batch.
    Data: built in, a made series.

    Inputs:
        sine: float32 [50, 20, 1]
    Outputs:
        cosine: float32 [50, 20, 1]
    """

    def __init__(self) -> None:
        super().__init__()
        self.cosine_lstm = nn.LSTM(1, 20, batch_first=True)
        self.register_buffer("cosine_lstm_h", torch.zeros(1, 50, 20), persistent=False)
        self.register_buffer("cosine_lstm_c", torch.zeros(1, 50, 20), persistent=False)
        self.cosine_dense = nn.Linear(20, 1)
        nn.init.xavier_uniform_(self.cosine_lstm.get_parameter("weight_ih_l0"))
        nn.init.orthogonal_(self.cosine_lstm.get_parameter("weight_hh_l0"))
        nn.init.zeros_(self.cosine_lstm.get_parameter("bias_ih_l0"))
        # the forget gate
        nn.init.ones_(self.cosine_lstm.get_parameter("bias_ih_l0")[20:40])
        nn.init.xavier_uniform_(self.cosine_dense.weight)
        nn.init.zeros_(self.cosine_dense.bias)
        nn.init.zeros_(self.cosine_lstm.get_parameter("bias_hh_l0"))
        self.cosine_lstm.get_parameter("bias_hh_l0").requires_grad_(False)

    def forward(self, sine: Tensor) -> dict[str, Tensor]:
        x, (h, c) = self.cosine_lstm(sine, (self.cosine_lstm_h, self.cosine_lstm_c))
        self.cosine_lstm_h = h.detach()
        self.cosine_lstm_c = c.detach()
        cosine = self.cosine_dense(x)  # [50, 20, 1]
        return {"cosine": cosine}

    def reset_state(self) -> None:
        """Forgets what earlier batches have left behind."""
        self.cosine_lstm_h = torch.zeros_like(self.cosine_lstm_h)
        self.cosine_lstm_c = torch.zeros_like(self.cosine_lstm_c)


ARRAYS: dict[str, tuple[tuple[int | None, ...], torch.dtype]] = {
    "sine": ((20, 1), torch.float32),
    "cosine": ((20, 1), torch.float32),
}
INPUTS = ("sine",)
TARGETS = ("cosine",)
BATCH_SIZE = 50
STEPS = 501
EVALUATE_EVERY = 50
SEED: int | None = None


def forward_batch(
    model: RNNRegression,
    batch: dict[str, Tensor],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The predictions and the losses of a batch, which holds all arrays by name."""
    outputs = model(batch["sine"])
    losses = compute_losses(outputs, batch)
    return outputs, losses


def compute_losses(
    outputs: dict[str, Tensor],
    targets: dict[str, Tensor],
) -> dict[str, Tensor]:
    """The loss of each output."""
    return {"cosine": F.mse_loss(outputs["cosine"], targets["cosine"])}


def total_loss(
    model: RNNRegression,
    losses: dict[str, Tensor],
) -> Tensor:
    """What training minimises: the weighted losses and all penalties."""
    return losses["cosine"]


def make_optimizer(model: RNNRegression) -> torch.optim.Optimizer:
    """Adam as Keras defines it."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.006, betas=(0.9, 0.999))
    optimizer.register_step_pre_hook(early_epsilon(1e-07))
    return optimizer


class Report:
    """Losses over batches, each batch weighted by its size."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.count = 0

    @torch.no_grad()
    def add(
        self,
        batch: dict[str, Tensor],
        predictions: dict[str, Tensor],
        losses: dict[str, Tensor],
        total: Tensor,
    ) -> None:
        size = len(batch[INPUTS[0]])
        self.count += size
        self.sums["loss"] = self.sums.get("loss", 0) + total.detach() * size

    def logs(self) -> dict[str, float]:
        logs = {name: float(value) / self.count for name, value in self.sums.items()}
        return logs


def batches(
    data: dict[str, Tensor],
    size: int,
    device: torch.device,
    rng: np.random.Generator | None = None,
) -> Iterator[dict[str, Tensor]]:
    """Batches of the data, in a random order if `rng` is given; only whole ones."""
    count = len(data[INPUTS[0]])
    order = np.arange(count) if rng is None else rng.permutation(count)
    for start in range(0, count - size + 1, size):
        chosen = torch.from_numpy(order[start : start + size])
        yield {name: array[chosen].to(device) for name, array in data.items()}


def train(
    model: RNNRegression,
    data: dict[str, Tensor],
    validation: dict[str, Tensor] | None = None,
    steps: int = STEPS,
    batch_size: int = BATCH_SIZE,
    seed: int | None = SEED,
) -> None:
    """Trains the model; evaluates it on the validation data every 50 steps."""
    device = next(model.parameters()).device
    optimizer = make_optimizer(model)
    step, report = 0, Report()
    while step < steps:
        model.reset_state()
        for batch in batches(data, batch_size, device):
            model.train()
            optimizer.zero_grad()
            predictions, losses = forward_batch(model, batch)
            total = total_loss(model, losses)
            torch.autograd.backward(total)
            optimizer.step()
            report.add(batch, predictions, losses, total)
            step += 1
            if step % EVALUATE_EVERY == 0 or step == steps:
                logs, report = report.logs(), Report()
                if validation is not None:
                    values = evaluate(model, validation, batch_size)
                    logs.update({f"val_{name}": v for name, v in values.items()})
                print(f"step {step}/{steps}: {show(logs)}", flush=True)
            if step == steps:
                break


@torch.no_grad()
def evaluate(
    model: RNNRegression,
    data: dict[str, Tensor],
    batch_size: int = BATCH_SIZE,
) -> dict[str, float]:
    """The losses of the data, by name."""
    model.eval()
    model.reset_state()
    report = Report()
    for batch in batches(data, batch_size, next(model.parameters()).device):
        predictions, losses = forward_batch(model, batch)
        total = total_loss(model, losses)
        report.add(batch, predictions, losses, total)
    return report.logs()


@torch.no_grad()
def predict(
    model: RNNRegression,
    data: dict[str, Tensor],
    batch_size: int = BATCH_SIZE,
) -> dict[str, np.ndarray]:
    """What the model predicts for the data, by output."""
    model.eval()
    model.reset_state()
    device = next(model.parameters()).device
    parts: list[dict[str, Tensor]] = []
    for batch in batches(data, batch_size, device):
        parts.append(model(batch["sine"]))
    names = parts[0].keys()
    return {name: torch.cat([p[name].cpu() for p in parts]).numpy() for name in names}


def show(logs: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in logs.items())


def to_tensor(name: str, array: np.ndarray) -> Tensor:
    """An array as the model takes it; ValueError where it does not fit."""
    shape, dtype = ARRAYS[name]
    if array.ndim == len(shape) and shape[-1:] == (1,):
        array = array[..., None]
    elif array.ndim == len(shape) + 2 and array.shape[-1] == 1:
        array = array[..., 0]
    sizes = zip(shape, array.shape[1:], strict=False)
    if array.ndim != len(shape) + 1 or any(w not in (None, n) for w, n in sizes):
        wanted = ("samples", *("any" if size is None else size for size in shape))
        raise ValueError(f"{name} must have the shape {wanted}, not {array.shape}")
    if array.dtype.kind not in ("biu" if not dtype.is_floating_point else "biuf"):
        raise ValueError(f"{name} must hold {dtype}, not {array.dtype}")
    tensor = torch.from_numpy(array.astype(array.dtype.newbyteorder("="))).to(dtype)
    return tensor


def load_data(path: str, names: tuple[str, ...]) -> dict[str, Tensor]:
    """The arrays of an .npz file; ValueError where one is missing or does not fit."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except OSError:
        raise
    except Exception as error:  # a broken file fails in many ways
        raise ValueError(f"not an .npz file of numbers: {error}") from None
    for name in names:
        if name not in arrays:
            found = ", ".join(arrays) or "nothing"
            raise ValueError(f"there is no array {name} (the file has {found})")
    data = {name: to_tensor(name, arrays[name]) for name in names}
    counts = {name: len(tensor) for name, tensor in data.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        raise ValueError(f"all arrays must have as many samples, 1 or more: {counts}")
    if counts[names[0]] % BATCH_SIZE:
        raise ValueError(f"the samples must make whole batches of {BATCH_SIZE}: {counts}")
    return data


def pick_device(name: str) -> torch.device:
    """The device of that name; `auto` takes a GPU where there is one."""
    mps = torch.backends.mps.is_available()
    found = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": mps}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if found[kind])
    if not found[name]:
        raise ValueError(f"there is no {name} device that can run this model")
    return torch.device(name)


def load_weights(
    model: RNNRegression,
    path: str,
    device: torch.device,
) -> None:
    try:
        model.load_state_dict(torch.load(path, device, weights_only=True))
    except OSError:
        raise
    except Exception as error:  # a broken file fails in many ways
        raise ValueError(f"{path} has no weights of this model: {error}") from None


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def main() -> None:
    """The command line: train, evaluate or predict from an .npz file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("train", "evaluate", "predict"):
        command = commands.add_parser(name)
        command.add_argument("data", help="an .npz file with an array for each name")
        command.add_argument("--weights", default="model.pt", metavar="FILE")
        command.add_argument(
            "--device", choices=["auto", "cpu", "cuda", "mps"], default="auto"
        )
        if name == "predict":
            command.add_argument("-o", "--output", default="predictions.npz")
        if name == "train":
            command.add_argument("--validation", help="another .npz file")
            command.add_argument("--steps", type=positive, default=STEPS)
            command.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    try:
        run(args)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{parser.prog}: error: {error}") from None


def run(args: argparse.Namespace) -> None:
    device = pick_device(args.device)
    names = INPUTS if args.command == "predict" else INPUTS + TARGETS
    data = load_data(args.data, names)
    if args.command == "train":
        if args.seed is not None:
            torch.manual_seed(args.seed)
        validation = None
        if args.validation:
            validation = load_data(args.validation, names)
        model = RNNRegression().to(device)
        train(model, data, validation, args.steps, BATCH_SIZE, args.seed)
        torch.save(model.state_dict(), args.weights)
        return
    model = RNNRegression().to(device)
    load_weights(model, args.weights, device)
    if args.command == "evaluate":
        print(show(evaluate(model, data, BATCH_SIZE)))
    else:
        arrays: dict[str, Any] = predict(model, data, BATCH_SIZE)
        np.savez(args.output, **arrays)


if __name__ == "__main__":
    main()
