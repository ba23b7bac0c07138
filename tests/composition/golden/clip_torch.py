"""Clip, compiled by nndsl."""

import argparse
from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

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


def init_recurrent(module: nn.Module, forget: int = 0) -> None:
    """Keras's initial weights: Glorot uniform for the input, orthogonal for the state,
    zero biases, but 1 for the `forget` units of an LSTM's forget gate."""
    one_bias = isinstance(module, nn.LSTM | nn.LSTMCell | nn.RNN | nn.RNNCell)
    for name, weight in module.named_parameters():
        if "weight_ih" in name:
            nn.init.xavier_uniform_(weight)
        elif "weight_hh" in name:
            nn.init.orthogonal_(weight)
        else:
            nn.init.zeros_(weight)
            if "bias_hh" in name and one_bias:
                weight.requires_grad_(False)  # Keras has one bias, torch two
            if forget and "bias_ih" in name:
                nn.init.ones_(weight[forget : 2 * forget])


class RMSprop(optim.Optimizer):
    """RMSprop as in Keras, with epsilon inside the root (torch adds it outside)."""

    def __init__(
        self, params: Iterable[Tensor], lr: float, rho: float, epsilon: float
    ) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "epsilon": epsilon})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            lr, rho, epsilon = group["lr"], group["rho"], group["epsilon"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["velocity"] = torch.zeros_like(p)
                square = state["velocity"]
                square.mul_(rho).addcmul_(p.grad, p.grad, value=1 - rho)
                p.sub_(lr * p.grad / (square + epsilon).sqrt())
        return loss


class Tower(nn.Module):
    """What one frame shows."""

    def __init__(self) -> None:
        super().__init__()
        self.x_conv2d = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.x_batch_normalization = BatchNorm(16)
        self.features = nn.Dropout(0.1)

    def forward(self, frame: Tensor) -> Tensor:
        # [batch, 16, 32, 32]
        x = F.relu(self.x_batch_normalization(self.x_conv2d(frame)))
        features: Tensor = x.mean(dim=(2, 3))  # [batch, 16]
        features = self.features(features)
        return features


class Context(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.y_dense = nn.Linear(16, 12)
        self.y = nn.LayerNorm(12, eps=0.001)

    def forward(self, features: Tensor) -> Tensor:
        x = F.relu(self.y_dense(features))  # [batch, 12]
        y: Tensor = self.y(x)
        return y


class Weighted(nn.Module):
    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(in_features))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


class Clip(nn.Module):
    """Maps clip, float32 [batch, 8, 32, 32, 3], to label, float32 [batch, 5]."""

    def __init__(self) -> None:
        super().__init__()
        self.frames_tower = Tower()
        self.steps_time_distributed_context = Context()
        self.gate_weighted = Weighted(12)
        self.label_lstm = nn.LSTM(12, 24, batch_first=True)
        self.label = nn.Linear(24, 5)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        init_recurrent(self.label_lstm, 24)

    def forward(self, clip: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        # [batch, 8, 16]
        now = torch.stack(
            [self.frames_tower(step.movedim(-1, 1)) for step in clip.unbind(1)], dim=1
        )
        x = F.pad(clip.movedim(-1, 1), (0, 0, 0, 0, 1, 0))  # [batch, 3, 9, 32, 32]
        x = x[:, :, :-1, :, :]  # [batch, 3, 8, 32, 32]
        steps_2 = x.movedim(1, -1)
        # [batch, 8, 16]
        before = torch.stack(
            [self.frames_tower(step_2.movedim(-1, 1)) for step_2 in steps_2.unbind(1)],
            dim=1,
        )
        x = now - before  # [batch, 8, 16]
        steps_3 = x.shape[:2]
        # [batch, 8, 12]
        x = torch.unflatten(
            self.steps_time_distributed_context(x.flatten(0, 1)), 0, steps_3
        )
        steps = torch.unflatten(self.gate_weighted(x.flatten(0, 1)), 0, x.shape[:2])
        _, (h, _) = self.label_lstm(steps)
        x = h[-1]  # [batch, 24]
        label = self.label(x)  # [batch, 5]
        return {"label": label if logits else F.softmax(label, dim=-1)}


Data = dict[str, Tensor]
ARRAYS = {"clip": ((8, 32, 32, 3), torch.float32), "label": ((5,), torch.float32)}


def penalty(model: Clip) -> Tensor:
    """The penalties of the weights."""
    return 0.01 * model.steps_time_distributed_context.y_dense.weight.square().sum()


def measure(model: Clip, batch: Data) -> Data:
    """The loss of a batch."""
    prediction, target = model(batch["clip"], logits=True)["label"], batch["label"]
    return {"loss": F.cross_entropy(prediction, target) + penalty(model)}


def make_optimizer(model: Clip) -> optim.Optimizer:
    return RMSprop(model.parameters(), lr=0.001, rho=0.9, epsilon=1e-07)


def run(
    model: Clip, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["clip"]), Data()
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
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch-size", dest="size", type=int, default=32)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Clip().to(device)
        optimizer = make_optimizer(model)
        names = ["clip"] if args.command == "predict" else list(ARRAYS)
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
            parts = list(map(model.eval(), torch.split(data["clip"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
