"""Book, compiled by nndsl."""

import argparse
from collections.abc import Iterable
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


def absolute_error(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean absolute difference of each sample."""
    return (prediction - target).abs().mean(-1)


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


class Book(nn.Module):
    """A novel's genre and year of publication from its title and text: two outputs,
    weighed against each other.
    Follows the functional lesson on several outputs. Data: `--data file.npz` or
    `--data random`.

    Inputs:
        title: int32 [batch, N]
        text: int32 [batch, T]
    Outputs:
        genre: float32 [batch, 12]
        year: float32 [batch, 1]
    """

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(20000, 64)
        self.text_code = nn.LSTM(64, 64, batch_first=True)
        self.features = nn.Linear(128, 64)
        self.genre = nn.Linear(64, 12)
        self.year = nn.Linear(64, 1)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.bias)
        nn.init.uniform_(self.words.weight, -0.05, 0.05)
        init_recurrent(self.text_code, 64)

    def forward(
        self, title: Tensor, text: Tensor, *, logits: bool = False
    ) -> dict[str, Tensor]:
        x = self.words(title)  # [batch, N, 64]
        title_code = x.mean(dim=1)  # [batch, 64]
        x = self.words(text)  # [batch, T, 64]
        _, (h, _) = self.text_code(x)
        text_code = h[-1]  # [batch, 64]
        x = torch.cat([title_code, text_code], dim=-1)  # [batch, 128]
        features = F.relu(self.features(x))  # [batch, 64]
        genre = self.genre(features)  # [batch, 12]
        year = self.year(features)  # [batch, 1]
        return {"genre": genre if logits else F.softmax(genre, dim=-1), "year": year}


Data = dict[str, Tensor]
ARRAYS = {
    "title": ((None,), torch.int32),
    "text": ((None,), torch.int32),
    "genre": ((), torch.int64),
    "year": ((1,), torch.float32),
}


def measure(model: Book, batch: Data) -> Data:
    """The losses and the metrics of a batch; training minimises `loss`."""
    outputs = model(batch["title"], batch["text"], logits=True)
    values: dict[str, Tensor] = {}
    prediction, target = outputs["genre"], batch["genre"]
    values["genre_loss"] = F.cross_entropy(prediction, target)
    values["genre_accuracy"] = (prediction.argmax(-1) == target).float().mean()
    prediction, target = outputs["year"], batch["year"]
    values["year_loss"] = F.mse_loss(prediction, target)
    values["year_mae"] = torch.mean(absolute_error(prediction, target))
    loss = values["genre_loss"] + 0.01 * values["year_loss"]
    return {"loss": loss} | values


def make_optimizer(model: Book) -> optim.Optimizer:
    return RMSprop(model.parameters(), lr=0.001, rho=0.9, epsilon=1e-07)


def run(
    model: Book, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean losses and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["title"]), Data()
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
    parser.add_argument("--batch-size", dest="size", type=int, default=64)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Book().to(device)
        optimizer = make_optimizer(model)
        names = ["title", "text"] if args.command == "predict" else list(ARRAYS)
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
            splits = [torch.split(x, args.size) for x in [data["title"], data["text"]]]
            parts = list(map(model.eval(), *splits))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
