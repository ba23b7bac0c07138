"""TwoSpeeds, compiled by nndsl."""

import argparse
import math
from collections.abc import Callable, Iterable
from itertools import zip_longest
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim


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


def other_parameters(model: nn.Module, *chosen: Iterable[Tensor]) -> list[Tensor]:
    """The parameters of the model that are in none of the lists."""
    taken = {p for parameters in chosen for p in parameters}
    return [p for p in model.parameters() if p not in taken]


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


def scheduled(rate: Callable[[int], float]) -> Callable[..., None]:
    """Sets the learning rate before each step; the first step is 0."""

    def before_step(optimizer: optim.Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rate(group.setdefault("steps", 0))
            group["steps"] += 1

    return before_step


def early_epsilon(optimizer: optim.Optimizer, *_: object) -> None:
    """Has Adam add epsilon before the second moment is corrected, as Keras does."""
    for group in optimizer.param_groups:
        epsilon = group.setdefault("epsilon", group["eps"])
        group["count"] = group.get("count", 0) + 1
        group["eps"] = epsilon / (1 - group["betas"][1] ** group["count"]) ** 0.5


class MultiOptimizer(optim.Optimizer):
    """Optimizers of different parameters that step together. It shares their groups of
    parameters and their state, so that its state_dict holds those of all."""

    def __init__(self, *optimizers: optim.Optimizer) -> None:
        groups = [group for part in optimizers for group in part.param_groups]
        super().__init__(groups, {})
        self.optimizers = optimizers
        self.share()

    def share(self) -> None:
        for part, group in zip(self.optimizers, self.param_groups, strict=True):
            part.param_groups, part.state = [group], self.state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self.share()

    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else torch.enable_grad()(closure)()
        for part in self.optimizers:
            part.step()
        return loss


class Reader(nn.Module):
    """Two parts of a model that learn in their own ways: word vectors and the
    recurrent layer in small steps that come to an
    end, what reads them in large ones.
    Data: `--data file.npz` with words and mood, or `--data random`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.y_dense = nn.Linear(16, 16)
        self.y = nn.LayerNorm(16, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.y_dense(x))
        y: Tensor = self.y(x)
        return y


class TwoSpeeds(nn.Module):
    """Maps words, int32 [batch, 20], to mood, float32 [batch, 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.meaning_embedding = nn.Embedding(500, 16)
        self.meaning = nn.GRU(16, 16, batch_first=True)
        self.read = Reader()
        self.mood = nn.Linear(16, 3)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.bias)
        nn.init.uniform_(self.meaning_embedding.weight, -0.05, 0.05)
        init_recurrent(self.meaning)

    def forward(self, words: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        x = self.meaning_embedding(words)  # [batch, 20, 16]
        _, h = self.meaning(x)
        meaning = h[-1]  # [batch, 16]
        read = self.read(meaning)
        mood = self.mood(read)  # [batch, 3]
        return {"mood": mood if logits else F.softmax(mood, dim=-1)}


Data = dict[str, Tensor]
ARRAYS = {"words": ((20,), torch.int32), "mood": ((), torch.int64)}


def measure(model: TwoSpeeds, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    prediction, target = model(batch["words"], logits=True)["mood"], batch["mood"]
    loss = F.cross_entropy(prediction, target)
    return {"loss": loss, "accuracy": (prediction.argmax(-1) == target).float().mean()}


def learning_rate(step: int) -> float:
    """The learning rate of a step, by CosineDecay."""
    return 0.002 * (0.5 * (1.0 + math.cos(math.pi * (min(step, 1000) / 1000))))


def make_optimizer(model: TwoSpeeds) -> optim.Optimizer:
    sgd_1_weights = [*model.meaning_embedding.parameters()]
    rmsprop_weights = [*model.meaning.parameters()]
    sgd_2_weights = [model.mood.bias]
    adamw_weights = other_parameters(
        model, sgd_1_weights, rmsprop_weights, sgd_2_weights
    )
    sgd_1 = optim.SGD(sgd_1_weights, lr=0.05, momentum=0.9)
    sgd_1.register_step_pre_hook(clip_norm(1.0))
    rmsprop = RMSprop(rmsprop_weights, lr=0.002, rho=0.9, epsilon=1e-07)
    rmsprop.register_step_pre_hook(scheduled(learning_rate))
    sgd_2 = optim.SGD(sgd_2_weights, lr=0.1)
    adamw = optim.AdamW(adamw_weights, lr=0.001, eps=1e-07, weight_decay=0.004)
    adamw.register_step_pre_hook(early_epsilon)
    return MultiOptimizer(sgd_1, rmsprop, sgd_2, adamw)


def run(
    model: TwoSpeeds, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["words"]), Data()
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
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", dest="size", type=int, default=32)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=4)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = TwoSpeeds().to(device)
        optimizer = make_optimizer(model)
        names = ["words"] if args.command == "predict" else list(ARRAYS)
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
            parts = list(map(model.eval(), torch.split(data["words"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
