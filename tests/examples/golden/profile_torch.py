"""Profile, compiled by nndsl."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Metric:
    """The mean of `values(prediction, target)` over all samples of all batches."""

    def __init__(self, values: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.values = values
        self.total: Tensor | float = 0.0
        self.count: Tensor | int = 0

    @torch.no_grad()
    def update(
        self, prediction: Tensor, target: Tensor, mask: Tensor | None = None
    ) -> None:
        values = self.values(prediction, target)
        if mask is None:
            mask = torch.ones_like(values, dtype=torch.bool)
        self.total = self.total + torch.where(mask, values, 0).sum()
        self.count = self.count + mask.sum()

    def result(self) -> float:
        return float(self.total) / max(float(self.count), 1.0)


def binary_accuracy(
    prediction: Tensor, target: Tensor, threshold: float = 0.5
) -> Tensor:
    """The share of numbers on the right side of the threshold."""
    return ((prediction > threshold) == target).to(prediction.dtype).mean(-1)


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


def init_weights(module: nn.Module) -> None:
    """Keras's defaults: Glorot uniform kernels, zero biases."""
    if isinstance(module, (nn.Linear, nn.Conv1d)):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class Profile(nn.Module):
    """Three heads on one trunk: what a person's posts say of their age, income and
    gender.
    Follows the functional lesson on several outputs. Data: `--data file.npz` or
    `--data random`.

    Inputs:
        posts: int32 [batch, T]
    Outputs:
        age: float32 [batch, 1]
        income: float32 [batch, 10]
        gender: float32 [batch, 1]
    Sizes: T >= 269
    """

    def __init__(self) -> None:
        super().__init__()
        self.features_embedding = nn.Embedding(50000, 256)
        self.features_conv1d = nn.Conv1d(256, 128, 5)
        self.features_conv1d_2 = nn.Conv1d(128, 256, 5)
        self.features_conv1d_3 = nn.Conv1d(256, 256, 5)
        self.features_conv1d_4 = nn.Conv1d(256, 256, 5)
        self.features_conv1d_5 = nn.Conv1d(256, 256, 5)
        self.features = nn.Linear(256, 128)
        self.age = nn.Linear(128, 1)
        self.income = nn.Linear(128, 10)
        self.gender = nn.Linear(128, 1)
        self.apply(init_weights)
        nn.init.uniform_(self.features_embedding.weight, -0.05, 0.05)

    def forward(self, posts: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        if posts.shape[1] < 269:
            raise ValueError("this model needs T >= 269 (T = posts.shape[1])")
        x = self.features_embedding(posts)  # [batch, T, 256]
        x = F.relu(self.features_conv1d(x.transpose(1, 2)))  # [batch, 128, T - 4]
        x = F.max_pool1d(x, 5)  # [batch, 128, (T - 4)//5]
        x = F.relu(self.features_conv1d_2(x))  # [batch, 256, (T - 24)//5]
        x = F.relu(self.features_conv1d_3(x))  # [batch, 256, (T - 44)//5]
        x = F.max_pool1d(x, 5)  # [batch, 256, (T - 44)//25]
        x = F.relu(self.features_conv1d_4(x))  # [batch, 256, (T - 144)//25]
        x = F.relu(self.features_conv1d_5(x))  # [batch, 256, (T - 244)//25]
        x = x.amax(dim=2)  # [batch, 256]
        features = F.relu(self.features(x))  # [batch, 128]
        age = self.age(features)  # [batch, 1]
        income = self.income(features)  # [batch, 10]
        gender = self.gender(features)  # [batch, 1]
        if not logits:
            income = F.softmax(income, dim=-1)
            gender = torch.sigmoid(gender)
        return {"age": age, "income": income, "gender": gender}


ARRAYS: dict[str, tuple[tuple[int | None, ...], torch.dtype]] = {
    "posts": ((None,), torch.int32),
    "age": ((1,), torch.float32),
    "income": ((10,), torch.float32),
    "gender": ((1,), torch.float32),
}
INPUTS = ("posts",)
TARGETS = ("age", "income", "gender")
BATCH_SIZE = 64
EPOCHS = 10
SEED: int | None = None


def forward_batch(
    model: Profile,
    batch: dict[str, Tensor],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The predictions and the losses of a batch, which holds all arrays by name."""
    outputs = model(batch["posts"], logits=True)
    losses = compute_losses(outputs, batch)
    predictions = dict(outputs)
    predictions["income"] = F.softmax(outputs["income"], dim=-1)
    predictions["gender"] = torch.sigmoid(outputs["gender"])
    return predictions, losses


def compute_losses(
    outputs: dict[str, Tensor],
    targets: dict[str, Tensor],
) -> dict[str, Tensor]:
    """The loss of each output, from the logits where the model gives them."""
    return {
        "age": F.mse_loss(outputs["age"], targets["age"]),
        "income": F.cross_entropy(outputs["income"], targets["income"]),
        "gender": F.binary_cross_entropy_with_logits(
            outputs["gender"], targets["gender"]
        ),
    }


def total_loss(
    model: Profile,
    losses: dict[str, Tensor],
) -> Tensor:
    """What training minimises: the weighted losses and all penalties."""
    return 0.25 * losses["age"] + losses["income"] + 10.0 * losses["gender"]


def make_optimizer(model: Profile) -> torch.optim.Optimizer:
    """RMSprop as Keras defines it."""
    optimizer = RMSprop(model.parameters(), lr=0.001, rho=0.9, epsilon=1e-07)
    return optimizer


def make_metrics() -> dict[str, dict[str, Metric]]:
    """Fresh metrics, by output and name."""
    return {"gender": {"accuracy": Metric(binary_accuracy)}}


class Report:
    """Losses and metrics over batches, each batch weighted by its size."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.count = 0
        self.metrics = make_metrics()

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
        values = {"loss": total, **{f"{k}_loss": v for k, v in losses.items()}}
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0) + value.detach() * size
        for name, group in self.metrics.items():
            for metric in group.values():
                metric.update(predictions[name], batch[name])

    def logs(self) -> dict[str, float]:
        logs = {name: float(value) / self.count for name, value in self.sums.items()}
        for output, group in self.metrics.items():
            logs.update({f"{output}_{k}": m.result() for k, m in group.items()})
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
    model: Profile,
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
    model: Profile,
    data: dict[str, Tensor],
    batch_size: int = BATCH_SIZE,
) -> dict[str, float]:
    """The losses and metrics of the data, by name."""
    model.eval()
    report = Report()
    for batch in batches(data, batch_size, next(model.parameters()).device):
        predictions, losses = forward_batch(model, batch)
        total = total_loss(model, losses)
        report.add(batch, predictions, losses, total)
    return report.logs()


@torch.no_grad()
def predict(
    model: Profile,
    data: dict[str, Tensor],
    batch_size: int = BATCH_SIZE,
) -> dict[str, np.ndarray]:
    """What the model predicts for the data, by output."""
    model.eval()
    device = next(model.parameters()).device
    parts: list[dict[str, Tensor]] = []
    for batch in batches(data, batch_size, device):
        parts.append(model(batch["posts"]))
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
    model: Profile,
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
        model = Profile().to(device)
        train(model, data, validation, args.epochs, args.batch_size, args.seed)
        torch.save(model.state_dict(), args.weights)
        return
    model = Profile().to(device)
    load_weights(model, args.weights, device)
    if args.command == "evaluate":
        print(show(evaluate(model, data, args.batch_size)))
    else:
        arrays: dict[str, Any] = predict(model, data, args.batch_size)
        np.savez(args.output, **arrays)


if __name__ == "__main__":
    main()
