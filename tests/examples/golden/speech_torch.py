"""Speech, compiled by nndsl."""

import argparse
import math
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


class Speech(nn.Module):
    """Spoken commands from 40 filter-bank values a frame: light convolutions first,
    then a GRU in both directions.
    Data: `--data file.npz` with sound and word, or `--data random`.

    Maps sound, float32 [batch, T, 40], to word, float32 [batch, 35].
    Sizes: T >= 2
    """

    def __init__(self) -> None:
        super().__init__()
        self.frames_separable_conv1d_depthwise = nn.Conv1d(
            40, 40, 9, padding=4, groups=40, bias=False
        )
        self.frames_separable_conv1d_pointwise = nn.Conv1d(40, 64, 1)
        self.frames_batch_normalization = BatchNorm(64)
        self.frames_depthwise_conv1d = nn.Conv1d(64, 64, 5, padding=2, groups=64)
        self.frames_batch_normalization_2 = BatchNorm(64)
        self.frames_bidirectional = nn.GRU(64, 48, batch_first=True, bidirectional=True)
        self.frames = nn.GRU(96, 48, batch_first=True, bidirectional=True)
        self.word = nn.Linear(96, 35)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv1d)):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.xavier_uniform_(self.frames_separable_conv1d_depthwise.weight)
        nn.init.xavier_uniform_(self.frames_depthwise_conv1d.weight)
        init_recurrent(self.frames_bidirectional)
        init_recurrent(self.frames)

    def forward(self, sound: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        if sound.shape[1] < 2:
            raise ValueError("this model needs T >= 2 (T = sound.shape[1])")
        sound = sound.transpose(1, 2)  # [batch, 40, T]
        x = self.frames_separable_conv1d_depthwise(sound)
        x = F.relu(self.frames_separable_conv1d_pointwise(x))  # [batch, 64, T]
        x = self.frames_batch_normalization(x)
        x = F.relu(self.frames_depthwise_conv1d(x))
        x = self.frames_batch_normalization_2(x)
        x = F.avg_pool1d(x, 2)  # [batch, 64, T//2]
        x, _ = self.frames_bidirectional(x.transpose(1, 2))
        outputs, _ = self.frames(x)
        ahead, back = outputs.chunk(2, dim=-1)
        frames = ahead + back  # [batch, T//2, 48]
        x = frames.mean(dim=1)  # [batch, 48]
        word = frames.amax(dim=1)  # [batch, 48]
        x = torch.cat([x, word], dim=-1)  # [batch, 96]
        word = self.word(x)  # [batch, 35]
        return {"word": word if logits else F.softmax(word, dim=-1)}


Data = dict[str, Tensor]
ARRAYS = {"sound": ((None, 40), torch.float32), "word": ((), torch.int64)}


def measure(model: Speech, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    prediction, target = model(batch["sound"], logits=True)["word"], batch["word"]
    loss = F.cross_entropy(prediction, target)
    return {"loss": loss, "accuracy": (prediction.argmax(-1) == target).float().mean()}


def learning_rate(step: int) -> float:
    """The learning rate of a step, by ExponentialDecay."""
    return 0.001 * math.pow(0.9, step / 1000)


def make_optimizer(model: Speech) -> optim.Optimizer:
    optimizer = optim.Adam(model.parameters(), lr=0.001, eps=1e-07)
    optimizer.register_step_pre_hook(scheduled(learning_rate))
    optimizer.register_step_pre_hook(early_epsilon)
    return optimizer


def run(
    model: Speech, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["sound"]), Data()
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
    parser.add_argument("--batch-size", dest="size", type=int, default=64)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Speech().to(device)
        optimizer = make_optimizer(model)
        names = ["sound"] if args.command == "predict" else list(ARRAYS)
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
            parts = list(map(model.eval(), torch.split(data["sound"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
