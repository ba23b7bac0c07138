"""Siamese, compiled by nndsl."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
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


class RMSprop(Optimizer):
    """RMSprop as in Keras, with epsilon inside the root (torch adds it outside)."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        rho: float,
        epsilon: float,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        defaults = {"lr": lr, "rho": rho, "epsilon": epsilon}
        super().__init__(
            params, {**defaults, "momentum": momentum, "centered": centered}
        )

    def update(
        self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        if not state:
            names = ("square", "mean", "velocity")
            state.update({name: torch.zeros_like(p) for name in names})
        rho, square, mean = group["rho"], state["square"], state["mean"]
        square.mul_(rho).addcmul_(grad, grad, value=1 - rho)
        spread = square + group["epsilon"]
        if group["centered"]:
            mean.mul_(rho).add_(grad, alpha=1 - rho)
            spread = spread - mean.square()
        change = group["lr"] * grad / spread.sqrt()
        if group["momentum"]:
            change = state["velocity"].mul_(group["momentum"]).add_(change)
        p.sub_(change)


class Siamese(nn.Module):
    """Do two texts say the same? One LSTM reads both, after the functional lesson on
    shared layers.
    Data: `--data file.npz` with left, right (128 numbers a step) and match, or
    `--data random`.

    Inputs:
        left: float32 [batch, ?, 128]
        right: float32 [batch, ?, 128]
    Outputs:
        match: float32 [batch, 1]
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.LSTM(128, 32, batch_first=True)
        self.match = nn.Linear(64, 1)
        nn.init.xavier_uniform_(self.encoder.get_parameter("weight_ih_l0"))
        nn.init.orthogonal_(self.encoder.get_parameter("weight_hh_l0"))
        nn.init.zeros_(self.encoder.get_parameter("bias_ih_l0"))
        # the forget gate
        nn.init.ones_(self.encoder.get_parameter("bias_ih_l0")[32:64])
        nn.init.xavier_uniform_(self.match.weight)
        nn.init.zeros_(self.match.bias)
        nn.init.zeros_(self.encoder.get_parameter("bias_hh_l0"))
        self.encoder.get_parameter("bias_hh_l0").requires_grad_(False)

    def forward(
        self, left: Tensor, right: Tensor, *, logits: bool = False
    ) -> dict[str, Tensor]:
        _, (h, _) = self.encoder(left)
        x = h[-1]  # [batch, 32]
        _, (h_2, _) = self.encoder(right)
        encoder = h_2[-1]  # [batch, 32]
        x = torch.cat([x, encoder], dim=-1)  # [batch, 64]
        match_ = self.match(x)  # [batch, 1]
        if not logits:
            match_ = torch.sigmoid(match_)
        return {"match": match_}


ARRAYS: dict[str, tuple[tuple[int | None, ...], torch.dtype]] = {
    "left": ((None, 128), torch.float32),
    "right": ((None, 128), torch.float32),
    "match": ((1,), torch.float32),
}
INPUTS = ("left", "right")
TARGETS = ("match",)
BATCH_SIZE = 32
EPOCHS = 10
SEED: int | None = None


def forward_batch(
    model: Siamese,
    batch: dict[str, Tensor],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The predictions and the losses of a batch, which holds all arrays by name."""
    outputs = model(batch["left"], batch["right"], logits=True)
    losses = compute_losses(outputs, batch)
    predictions = {"match": torch.sigmoid(outputs["match"])}
    return predictions, losses


def compute_losses(
    outputs: dict[str, Tensor],
    targets: dict[str, Tensor],
) -> dict[str, Tensor]:
    """The loss of each output, from the logits where the model gives them."""
    return {
        "match": F.binary_cross_entropy_with_logits(outputs["match"], targets["match"]),
    }


def total_loss(
    model: Siamese,
    losses: dict[str, Tensor],
) -> Tensor:
    """What training minimises: the weighted losses and all penalties."""
    return losses["match"]


def make_optimizer(model: Siamese) -> torch.optim.Optimizer:
    """RMSprop as Keras defines it."""
    optimizer = RMSprop(model.parameters(), lr=0.001, rho=0.9, epsilon=1e-07)
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
    """Batches of the data, in a random order if `rng` is given."""
    count = len(data[INPUTS[0]])
    order = np.arange(count) if rng is None else rng.permutation(count)
    for start in range(0, count, size):
        chosen = torch.from_numpy(order[start : start + size])
        yield {name: array[chosen].to(device) for name, array in data.items()}


def train(
    model: Siamese,
    data: dict[str, Tensor],
    validation: dict[str, Tensor] | None = None,
    epochs: int = EPOCHS,
    batch_size: int = BATCH_SIZE,
    seed: int | None = SEED,
) -> None:
    """Trains the model; evaluates it on the validation data after every epoch."""
    device = next(model.parameters()).device
    optimizer = make_optimizer(model)
    rng = np.random.default_rng(seed)
    for epoch in range(epochs):
        report = Report()
        for batch in batches(data, batch_size, device, rng):
            model.train()
            optimizer.zero_grad()
            predictions, losses = forward_batch(model, batch)
            total = total_loss(model, losses)
            torch.autograd.backward(total)
            optimizer.step()
            report.add(batch, predictions, losses, total)
        logs = report.logs()
        if validation is not None:
            values = evaluate(model, validation, batch_size)
            logs.update({f"val_{name}": value for name, value in values.items()})
        print(f"epoch {epoch + 1}/{epochs}: {show(logs)}", flush=True)


@torch.no_grad()
def evaluate(
    model: Siamese,
    data: dict[str, Tensor],
    batch_size: int = BATCH_SIZE,
) -> dict[str, float]:
    """The losses of the data, by name."""
    model.eval()
    report = Report()
    for batch in batches(data, batch_size, next(model.parameters()).device):
        predictions, losses = forward_batch(model, batch)
        total = total_loss(model, losses)
        report.add(batch, predictions, losses, total)
    return report.logs()


@torch.no_grad()
def predict(
    model: Siamese,
    data: dict[str, Tensor],
    batch_size: int = BATCH_SIZE,
) -> dict[str, np.ndarray]:
    """What the model predicts for the data, by output."""
    model.eval()
    device = next(model.parameters()).device
    parts: list[dict[str, Tensor]] = []
    for batch in batches(data, batch_size, device):
        parts.append(model(batch["left"], batch["right"]))
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
    model: Siamese,
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
        command.add_argument("--batch-size", type=positive, default=BATCH_SIZE)
        if name == "predict":
            command.add_argument("-o", "--output", default="predictions.npz")
        if name == "train":
            command.add_argument("--validation", help="another .npz file")
            command.add_argument("--epochs", type=positive, default=EPOCHS)
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
        model = Siamese().to(device)
        train(model, data, validation, args.epochs, args.batch_size, args.seed)
        torch.save(model.state_dict(), args.weights)
        return
    model = Siamese().to(device)
    load_weights(model, args.weights, device)
    if args.command == "evaluate":
        print(show(evaluate(model, data, args.batch_size)))
    else:
        arrays: dict[str, Any] = predict(model, data, args.batch_size)
        np.savez(args.output, **arrays)


if __name__ == "__main__":
    main()
