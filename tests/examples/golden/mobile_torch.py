"""Mobile, compiled by nndsl."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BatchNorm(nn.Module):
    """Batch normalization whose running variance is biased, as the batch's own is; of
    the running statistics each batch leaves the share `decay`."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self,
        size: int,
        dim: int = 1,
        decay: float = 0.99,
        eps: float = 0.001,
        weight: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.dim, self.decay, self.eps = dim, decay, eps
        self.weight = nn.Parameter(torch.ones(size)) if weight else None
        self.bias = nn.Parameter(torch.zeros(size)) if bias else None
        self.register_buffer("running_mean", torch.zeros(size))
        self.register_buffer("running_var", torch.ones(size))

    @torch.no_grad()
    def follow(self, mean: Tensor, var: Tensor) -> None:
        self.running_mean.lerp_(mean, 1 - self.decay)
        self.running_var.lerp_(var, 1 - self.decay)

    def normalize(self, x: Tensor, mean: Tensor | None, var: Tensor | None) -> Tensor:
        y = torch.batch_norm(
            x.movedim(self.dim, 1),
            self.weight,
            self.bias,
            mean,
            var,
            mean is None,  # then by the batch's own statistics
            0.0,
            self.eps,
            True,
        )
        return y.movedim(1, self.dim)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return self.normalize(x, self.running_mean, self.running_var)
        seen = x.detach().movedim(self.dim, 0).to(self.running_mean.dtype)
        var, mean = torch.var_mean(seen.flatten(1), 1, correction=0)
        self.follow(mean, var)
        return self.normalize(x, None, None)


def scaled_uniform_(
    tensor: Tensor, scale: float, fan: float, generator: torch.Generator | None = None
) -> None:
    """Fills `tensor` from a uniform distribution around 0 with variance scale / fan."""
    limit = float((3.0 * scale / fan) ** 0.5)
    nn.init.uniform_(tensor, -limit, limit, generator)


class Metric:
    """The mean of `values(prediction, target)` over all samples of all batches."""

    def __init__(self, values: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.values = values
        self.total: Tensor | float = 0.0
        self.count = 0

    @torch.no_grad()
    def update(self, prediction: Tensor, target: Tensor) -> None:
        values = self.values(prediction, target)
        self.total = self.total + values.sum()
        self.count += values.numel()

    def result(self) -> float:
        return float(self.total) / max(self.count, 1)


def sparse_categorical_accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """Whether the largest number is at the target, a class id."""
    return prediction.argmax(-1) == target


def init_weights(module: nn.Module) -> None:
    """Keras's defaults: Glorot uniform kernels, zero biases."""
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class Mobile(nn.Module):
    """A light image classifier in the manner of MobileNet: depthwise and separable
    convolutions, each one normalized.
    Data: `--data file.npz` with image and label, or `--data random`.

    Inputs:
        image: float32 [batch, 64, 64, 3]
    Outputs:
        label: float32 [batch, 10]
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem_conv2d = nn.Conv2d(3, 16, 3, stride=2, bias=False)
        self.stem_batch_normalization = BatchNorm(16)
        self.stem_separable_conv2d_depthwise = nn.Conv2d(
            16, 16, 3, padding=1, groups=16, bias=False
        )
        self.stem_separable_conv2d_pointwise = nn.Conv2d(16, 32, 1, bias=False)
        self.stem_batch_normalization_2 = BatchNorm(32)
        self.mixed_depthwise_conv2d = nn.Conv2d(
            32, 32, 3, padding=1, groups=32, bias=False
        )
        self.mixed_batch_normalization = BatchNorm(32)
        self.mixed_conv2d = nn.Conv2d(32, 32, 1, bias=False)
        self.mixed_batch_normalization_2 = BatchNorm(32)
        self.mixed_depthwise_conv2d_2 = nn.Conv2d(32, 64, 3, stride=2, groups=32)
        self.label = nn.Linear(64, 10)
        self.apply(init_weights)
        nn.init.xavier_uniform_(self.stem_separable_conv2d_depthwise.weight)
        nn.init.xavier_uniform_(self.mixed_depthwise_conv2d.weight)
        scaled_uniform_(self.mixed_depthwise_conv2d_2.weight, scale=1.0, fan=153.0)

    def forward(self, image: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        image = image.movedim(-1, 1)  # [batch, 3, 64, 64]
        x = self.stem_conv2d(F.pad(image, (0, 1, 0, 1)))  # [batch, 16, 32, 32]
        x = self.stem_batch_normalization(x)
        x = F.relu6(x)
        x = self.stem_separable_conv2d_depthwise(x)
        x = self.stem_separable_conv2d_pointwise(x)  # [batch, 32, 32, 32]
        x = self.stem_batch_normalization_2(x)
        stem = F.relu6(x)
        x = self.mixed_depthwise_conv2d(stem)
        x = self.mixed_batch_normalization(x)
        x = F.relu6(x)
        x = self.mixed_conv2d(x)
        x = self.mixed_batch_normalization_2(x)
        x = x + stem  # [batch, 32, 32, 32]
        z = self.mixed_depthwise_conv2d_2(F.pad(x, (0, 1, 0, 1)))
        x = z * F.hardsigmoid(z)  # [batch, 64, 16, 16]
        mixed = F.avg_pool2d(x, 2)  # [batch, 64, 8, 8]
        x = mixed.mean(dim=(2, 3))  # [batch, 64]
        label_global_max_pooling2d = mixed.amax(dim=(2, 3))  # [batch, 64]
        x = (x + label_global_max_pooling2d) / 2  # [batch, 64]
        label = self.label(x)  # [batch, 10]
        if not logits:
            label = F.softmax(label, dim=-1)
        return {"label": label}


ARRAYS: dict[str, tuple[tuple[int | None, ...], torch.dtype]] = {
    "image": ((64, 64, 3), torch.float32),
    "label": ((), torch.int64),
}
INPUTS = ("image",)
TARGETS = ("label",)
BATCH_SIZE = 32
EPOCHS = 20
SEED: int | None = None


def compute_losses(
    outputs: dict[str, Tensor], targets: dict[str, Tensor]
) -> dict[str, Tensor]:
    """The loss of each output, from the logits where the model gives them."""
    return {"label": F.cross_entropy(outputs["label"], targets["label"])}


def total_loss(model: Mobile, losses: dict[str, Tensor]) -> Tensor:
    """What training minimises: the loss."""
    return losses["label"]


def forward_batch(
    model: Mobile, batch: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The predictions and the losses of a batch of inputs and targets."""
    outputs = model(batch["image"], logits=True)
    losses = compute_losses(outputs, batch)
    predictions = {"label": F.softmax(outputs["label"], dim=-1)}
    return predictions, losses


def make_optimizer(model: Mobile) -> torch.optim.Optimizer:
    """SGD as Keras defines it."""
    return torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)


def make_metrics() -> dict[str, dict[str, Metric]]:
    """Fresh metrics, by output and name."""
    return {"label": {"accuracy": Metric(sparse_categorical_accuracy)}}


def batches(
    data: dict[str, Tensor], size: int, rng: np.random.Generator | None = None
) -> Iterator[dict[str, Tensor]]:
    """The samples, `size` at a time, in a random order if `rng` is given."""
    count = len(data[INPUTS[0]])
    order = np.arange(count) if rng is None else rng.permutation(count)
    for start in range(0, count, size):
        chosen = torch.from_numpy(order[start : start + size])
        yield {name: array[chosen] for name, array in data.items()}


def run(
    model: Mobile,
    batches: Iterable[dict[str, Tensor]],
    optimizer: torch.optim.Optimizer | None = None,
) -> dict[str, float]:
    """The mean losses and the metrics over batches; with an optimizer it trains."""
    model.train(optimizer is not None)
    metrics = make_metrics()
    loss_sum: Tensor | float = 0.0
    count = 0
    for batch in batches:
        with torch.set_grad_enabled(optimizer is not None):
            predictions, losses = forward_batch(model, batch)
            loss = total_loss(model, losses)
        if optimizer is not None:
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        size = len(batch[INPUTS[0]])
        count += size
        loss_sum += loss.detach() * size
        for output, group in metrics.items():
            for metric in group.values():
                metric.update(predictions[output], batch[output])
    logs = {"loss": float(loss_sum) / count}
    for group in metrics.values():
        logs |= {name: metric.result() for name, metric in group.items()}
    return logs


def train(
    model: Mobile,
    data: dict[str, Tensor],
    validation: dict[str, Tensor] | None = None,
    epochs: int = EPOCHS,
    batch_size: int = BATCH_SIZE,
    seed: int | None = SEED,
) -> None:
    """Trains the model; shows how it does after every epoch."""
    optimizer = make_optimizer(model)
    rng = np.random.default_rng(seed)
    for epoch in range(epochs):
        logs = run(model, batches(data, batch_size, rng), optimizer)
        if validation is not None:
            values = run(model, batches(validation, batch_size))
            logs |= {f"val_{name}": value for name, value in values.items()}
        print(f"epoch {epoch + 1}/{epochs}: {show(logs)}", flush=True)


def show(logs: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in logs.items())


@torch.no_grad()
def predict(
    model: Mobile, data: dict[str, Tensor], batch_size: int = BATCH_SIZE
) -> dict[str, np.ndarray]:
    """The outputs for the data, by name."""
    model.eval()
    parts = [model(batch["image"]) for batch in batches(data, batch_size)]
    return {k: torch.cat([p[k].cpu() for p in parts]).numpy() for k in parts[0]}


def to_tensor(name: str, array: np.ndarray) -> Tensor:
    """An array as the model takes it; ValueError where it does not fit."""
    shape, dtype = ARRAYS[name]
    if array.ndim == len(shape) and shape[-1:] == (1,):
        array = array[..., None]  # one number for each sample
    elif array.ndim == len(shape) + 2 and array.shape[-1] == 1:
        array = array[..., 0]
    fits = [size in (None, n) for size, n in zip(shape, array.shape[1:], strict=False)]
    if array.ndim != len(shape) + 1 or not all(fits):
        wanted = ("samples", *("any" if size is None else size for size in shape))
        raise ValueError(f"{name} must have the shape {wanted}, not {array.shape}")
    if array.dtype.kind not in ("biuf" if dtype.is_floating_point else "biu"):
        raise ValueError(f"{name} must hold {dtype}, not {array.dtype}")
    return torch.from_numpy(array).to(dtype)


def load_data(
    path: str, names: tuple[str, ...], device: torch.device
) -> dict[str, Tensor]:
    """These arrays of an .npz file; ValueError where one is missing or does not fit."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:  # noqa: BLE001 (broken files fail in many ways)
        raise ValueError(f"{path} is not an .npz file of numbers: {error}") from None
    missing = [name for name in names if name not in arrays]
    if missing:
        raise ValueError(f"{path} has no array {', '.join(missing)}")
    data = {name: to_tensor(name, arrays[name]).to(device) for name in names}
    counts = {name: len(tensor) for name, tensor in data.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        raise ValueError(f"all arrays must have as many samples, 1 or more: {counts}")
    return data


def pick_device(name: str) -> torch.device:
    """The device of that name; `auto` takes a GPU where there is one."""
    mps = torch.backends.mps.is_available()
    found = {"cuda": torch.cuda.is_available(), "mps": mps, "cpu": True}
    if name == "auto":
        name = next(kind for kind, is_there in found.items() if is_there)
    if not found.get(name):
        raise ValueError(f"there is no {name} device that can run this model")
    return torch.device(name)


def main() -> None:
    """Trains, evaluates or predicts from an .npz file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("command", choices=["train", "evaluate", "predict"])
    parser.add_argument("data", help="an .npz file with an array for each name")
    parser.add_argument("--validation", help="another .npz file, to evaluate on")
    parser.add_argument("--weights", default="model.pt", help="file of the weights")
    parser.add_argument("-o", "--output", default="predictions.npz")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()

    if args.seed is not None:
        torch.manual_seed(args.seed)
    device = pick_device(args.device)
    model = Mobile().to(device)
    names = INPUTS if args.command == "predict" else INPUTS + TARGETS
    data = load_data(args.data, names, device)
    if args.command == "train":
        validation = None
        if args.validation:
            validation = load_data(args.validation, names, device)
        train(model, data, validation, args.epochs, args.batch_size, args.seed)
        torch.save(model.state_dict(), args.weights)
        return
    try:
        model.load_state_dict(torch.load(args.weights, device, weights_only=True))
    except Exception as error:  # noqa: BLE001 (broken files fail in many ways)
        raise ValueError(f"{args.weights} has no such weights: {error}") from None
    if args.command == "evaluate":
        print(show(run(model, batches(data, args.batch_size))))
        return
    arrays: dict[str, Any] = predict(model, data, args.batch_size)
    np.savez(args.output, **arrays)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from None
