"""Mobile, compiled by nndsl."""

import argparse
from itertools import zip_longest

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim


class BatchNorm(nn.Module):
    """Batch normalization whose running variance is biased, as the batch's own is."""

    def __init__(self, size: int, decay: float = 0.99, eps: float = 0.001) -> None:
        super().__init__()
        self.decay, self.eps = decay, eps
        self.weight = nn.Parameter(torch.ones(size))
        self.bias = nn.Parameter(torch.zeros(size))
        self.running_mean = nn.Buffer(torch.zeros(size))
        self.running_var = nn.Buffer(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        w, b, mean, var = self.weight, self.bias, self.running_mean, self.running_var
        if not self.training:
            return F.batch_norm(x, mean, var, w, b, eps=self.eps)
        seen = torch.var_mean(x.detach().to(var), [0, *range(2, x.dim())], correction=0)
        var.mul_(self.decay).add_(seen[0], alpha=1 - self.decay)
        mean.mul_(self.decay).add_(seen[1], alpha=1 - self.decay)
        return torch.batch_norm(x, w, b, None, None, True, 0.0, self.eps, True)


def fan_of(weight: Tensor, mode: str) -> float:
    """The number of inputs of a unit, of outputs of an input, or the mean of both."""
    fan_in, fan_out = weight[0].numel(), weight[:, 0].numel()
    return {"fan_in": fan_in, "fan_out": fan_out}.get(mode, (fan_in + fan_out) / 2)


def scaled_uniform_(
    tensor: Tensor,
    scale: float,
    mode: str = "fan_in",
    fan: float | None = None,
    generator: torch.Generator | None = None,
) -> None:
    """Fills `tensor` from a uniform distribution around 0 with variance scale / fan."""
    limit = (3 * scale / (fan or fan_of(tensor, mode))) ** 0.5
    nn.init.uniform_(tensor, -limit, limit, generator)


class Mobile(nn.Module):
    """A light image classifier in the manner of MobileNet: depthwise and separable
    convolutions, each one normalized.
    Data: `--data file.npz` with image and label, or `--data random`.

    Maps image, float32 [batch, 64, 64, 3], to label, float32 [batch, 10].
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
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.xavier_uniform_(self.stem_separable_conv2d_depthwise.weight)
        nn.init.xavier_uniform_(self.mixed_depthwise_conv2d.weight)
        scaled_uniform_(self.mixed_depthwise_conv2d_2.weight, scale=1.0, fan=153.0)

    def forward(self, image: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        image = image.movedim(-1, 1)  # [batch, 3, 64, 64]
        x = self.stem_conv2d(F.pad(image, (0, 1, 0, 1)))  # [batch, 16, 32, 32]
        x = F.relu6(self.stem_batch_normalization(x))
        x = self.stem_separable_conv2d_depthwise(x)
        x = self.stem_separable_conv2d_pointwise(x)  # [batch, 32, 32, 32]
        x = self.stem_batch_normalization_2(x)
        stem = F.relu6(x)
        x = F.relu6(self.mixed_batch_normalization(self.mixed_depthwise_conv2d(stem)))
        x = self.mixed_batch_normalization_2(self.mixed_conv2d(x))
        x = x + stem  # [batch, 32, 32, 32]
        z = self.mixed_depthwise_conv2d_2(F.pad(x, (0, 1, 0, 1)))
        x = z * F.hardsigmoid(z)  # [batch, 64, 16, 16]
        mixed = F.avg_pool2d(x, 2)  # [batch, 64, 8, 8]
        x = mixed.mean(dim=(2, 3))  # [batch, 64]
        label = mixed.amax(dim=(2, 3))  # [batch, 64]
        x = (x + label) / 2  # [batch, 64]
        label = self.label(x)  # [batch, 10]
        return {"label": label if logits else F.softmax(label, dim=-1)}


Data = dict[str, Tensor]
ARRAYS = {"image": ((64, 64, 3), torch.float32), "label": ((), torch.int64)}


def measure(model: Mobile, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    prediction, target = model(batch["image"], logits=True)["label"], batch["label"]
    loss = F.cross_entropy(prediction, target)
    return {"loss": loss, "accuracy": (prediction.argmax(-1) == target).float().mean()}


def make_optimizer(model: Mobile) -> optim.Optimizer:
    return optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)


def run(
    model: Mobile, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["image"]), Data()
    order = torch.randperm(count) if model.training else torch.arange(count)
    for rows in torch.split(order, size):
        with torch.set_grad_enabled(model.training):
            values = measure(model, {k: x[rows] for k, x in data.items()})
        if optimizer is not None:
            optimizer.zero_grad()
            torch.autograd.backward(values["loss"])
            optimizer.step()
        sums = {k: sums.get(k, 0) + v.detach() * len(rows) for k, v in values.items()}
    return {name: float(total) / count for name, total in sums.items()}


def load_data(path: str, names: list[str], device: torch.device | str) -> Data:
    """Arrays of an .npz file; ValueError where one does not fit the model."""
    with np.load(path) as file:
        data = {name: torch.from_numpy(file[name]) for name in names}
    count = max(1, *map(len, data.values()))
    for name, x in data.items():
        shape, kind = [count, *ARRAYS[name][0]], ARRAYS[name][1]
        sizes = list(zip_longest(shape, x.shape, fillvalue=1))  # a missing axis is 1
        if any(a and a != b for a, b in sizes) or not torch.can_cast(x.dtype, kind):
            raise ValueError(f"{name} needs {kind} {shape}, not {x.dtype} {[*x.shape]}")
        data[name] = x.to(device, kind).view([n for _, n in sizes[: len(shape)]])
    return data


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["train", "resume", "evaluate", "predict"])
    parser.add_argument("data", help="an .npz file with an array for each name")
    parser.add_argument("--validation", help="another .npz file, to evaluate on")
    parser.add_argument("--weights", default="model.pt", help="file of the weights")
    parser.add_argument("-o", "--output", default="predictions.npz")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", dest="size", type=int, default=32)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Mobile().to(device)
        optimizer = make_optimizer(model)
        names = ["image"] if args.command == "predict" else list(ARRAYS)
        data = load_data(args.data, names, device)
        held = args.validation and load_data(args.validation, names, device)
        if args.command != "train":
            weights, state = torch.load(args.weights, device, weights_only=True)
            model.load_state_dict(weights)
            optimizer.load_state_dict(state)
    except Exception as error:  # noqa: BLE001 (files can be broken in many ways)
        raise SystemExit(f"error: {error}") from None
    if args.command in ("train", "resume"):
        for epoch in range(args.epochs):
            logs = run(model, data, args.size, optimizer)
            if held is not None:
                logs |= {f"val_{k}": v for k, v in run(model, held, args.size).items()}
            print(f"epoch {epoch + 1}:", *(f"{k} {v:.4f}" for k, v in logs.items()))
        torch.save((model.state_dict(), optimizer.state_dict()), args.weights)
    elif args.command == "evaluate":
        print(*(f"{k} {v:.4f}" for k, v in run(model, data, args.size).items()))
    else:
        with torch.no_grad():
            parts = list(map(model.eval(), torch.split(data["image"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
