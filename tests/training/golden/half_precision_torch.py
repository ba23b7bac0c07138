"""Painter, compiled by nndsl."""

import argparse
from collections.abc import Callable
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


def clip_norm(most: float, *joint: tuple[Tensor, ...]) -> Callable[..., None]:
    """Shortens each weight's gradient to a norm of at most `most`; each of `joint`
    counts as one weight."""
    inside = {p for weights in joint for p in weights}

    def before_step(optimizer: optim.Optimizer, *_: object) -> None:
        every = [p for group in optimizer.param_groups for p in group["params"]]
        for weights in [*joint, *((p,) for p in every if p not in inside)]:
            gradients = [p.grad for p in weights if p.grad is not None]
            norm = torch.nn.utils.get_total_norm(gradients)
            for gradient in gradients:
                gradient.mul_(most / norm.clamp(min=most))

    return before_step


def early_epsilon(optimizer: optim.Optimizer, *_: object) -> None:
    """Has Adam add epsilon before the second moment is corrected, as Keras does."""
    for group in optimizer.param_groups:
        epsilon = group.setdefault("epsilon", group["eps"])
        group["count"] = group.get("count", 0) + 1
        group["eps"] = epsilon / (1 - group["betas"][1] ** group["count"]) ** 0.5


class Painter(nn.Module):
    """The model Painter.

    Inputs:
        image: float32 [batch, 32, 32, 3]
    Outputs:
        style: float32 [batch, 10]
        age: float32 [batch, 1]
    """

    def __init__(self) -> None:
        super().__init__()
        self.h_conv2d = nn.Conv2d(3, 16, 3, padding=1)
        self.h_batch_normalization = BatchNorm(16)
        self.style = nn.Linear(16, 10)
        self.age_dense = nn.Linear(16, 1)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.get_parameter("bias"))

    def forward(self, image: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        image = image.movedim(-1, 1)  # [batch, 3, 32, 32]
        x = F.relu(self.h_conv2d(image))  # [batch, 16, 32, 32]
        x = self.h_batch_normalization(x)
        h = x.mean(dim=(2, 3))  # [batch, 16]
        style = self.style(h)  # [batch, 10]
        x = self.age_dense(h)  # [batch, 1]
        age = x * 100.0
        return {"style": style if logits else F.softmax(style, dim=-1), "age": age}


Data = dict[str, Tensor]
ARRAYS = {
    "image": ((32, 32, 3), torch.float32),
    "style": ((), torch.int64),
    "age": ((1,), torch.float32),
}
PRECISION = torch.float16


def mixed(model: Painter, *inputs: Tensor, logits: bool = False) -> Data:
    """The outputs in float32, computed in float16 where that is safe."""
    with torch.autocast(inputs[0].device.type, PRECISION):
        outputs: Data = model(*inputs, logits=logits)
    return {name: y.float() for name, y in outputs.items()}


def measure(model: Painter, batch: Data) -> Data:
    """The losses and the metrics of a batch; training minimises `loss`."""
    outputs = mixed(model, batch["image"], logits=True)
    values: dict[str, Tensor] = {}
    prediction, target = outputs["style"], batch["style"]
    values["style_loss"] = F.cross_entropy(prediction, target)
    values["style_accuracy"] = (prediction.argmax(-1) == target).float().mean()
    prediction, target = outputs["age"], batch["age"]
    values["age_loss"] = F.l1_loss(prediction, target)
    loss = values["style_loss"] + 0.1 * values["age_loss"]
    return {"loss": loss} | values


def make_optimizer(model: Painter) -> optim.Optimizer:
    optimizer = optim.Adam(model.parameters(), lr=0.001, eps=1e-07)
    optimizer.register_step_pre_hook(clip_norm(1.0))
    optimizer.register_step_pre_hook(early_epsilon)
    return optimizer


def make_scaler(device: torch.device | str) -> torch.amp.GradScaler:
    """Scales losses as Keras does: small gradients would be 0 in float16."""
    kind = torch.device(device).type
    return torch.amp.GradScaler(kind, init_scale=2.0**15, growth_interval=2000)


def run(
    model: Painter,
    data: Data,
    size: int,
    optimizer: optim.Optimizer | None = None,
    scaler: torch.amp.GradScaler | None = None,
) -> dict[str, float]:
    """The mean losses and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["image"]), Data()
    order = torch.randperm(count) if model.training else torch.arange(count)
    for rows in torch.split(order, size):
        with torch.set_grad_enabled(model.training):
            values = measure(model, {k: x[rows] for k, x in data.items()})
        if optimizer is not None and scaler is not None:
            optimizer.zero_grad()
            torch.autograd.backward(scaler.scale(values["loss"]))
            scaler.step(optimizer)  # unless a gradient is not finite
            scaler.update()
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
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", dest="size", type=int, default=32)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Painter().to(device)
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
        scaler = make_scaler(device)
        for epoch in range(args.epochs):
            logs = run(model, data, args.size, optimizer, scaler)
            if held is not None:
                logs |= {f"val_{k}": v for k, v in run(model, held, args.size).items()}
            print(f"epoch {epoch + 1}:", *(f"{k} {v:.4f}" for k, v in logs.items()))
        torch.save((model.state_dict(), optimizer.state_dict()), args.weights)
    elif args.command == "evaluate":
        print(*(f"{k} {v:.4f}" for k, v in run(model, data, args.size).items()))
    else:
        with torch.no_grad():
            model.eval()
            parts = [mixed(model, x) for x in torch.split(data["image"], args.size)]
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
