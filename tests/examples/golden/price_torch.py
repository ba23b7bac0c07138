"""Price, compiled by nndsl."""

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


class Price(nn.Module):
    """The price of a second-hand coat from its facts, its description and its photo:
    three trunks meet in one number.
    Follows the functional lesson on mixed inputs. Data: `--data file.npz` or
    `--data random`.

    Inputs:
        facts: float32 [batch, 12]
        text: int32 [batch, T]
        photo: float32 [batch, 64, 64, 3]
    Outputs:
        price: float32 [batch, 1]
    """

    def __init__(self) -> None:
        super().__init__()
        self.from_facts_dense = nn.Linear(12, 32)
        self.from_facts = nn.Linear(32, 16)
        self.from_text_embedding = nn.Embedding(10000, 64)
        self.from_text = nn.LSTM(64, 32, batch_first=True)
        self.from_photo_conv2d = nn.Conv2d(3, 32, 3)
        self.from_photo_conv2d_2 = nn.Conv2d(32, 64, 3)
        self.from_photo_conv2d_3 = nn.Conv2d(64, 64, 3)
        self.price_dense = nn.Linear(112, 64)
        self.price = nn.Linear(64, 1)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.get_parameter("bias"))
        nn.init.uniform_(self.from_text_embedding.weight, -0.05, 0.05)
        init_recurrent(self.from_text, 32)

    def forward(self, facts: Tensor, text: Tensor, photo: Tensor) -> dict[str, Tensor]:
        photo = photo.movedim(-1, 1)  # [batch, 3, 64, 64]
        x = F.relu(self.from_facts_dense(facts))  # [batch, 32]
        from_facts = F.relu(self.from_facts(x))  # [batch, 16]
        x = self.from_text_embedding(text)  # [batch, T, 64]
        _, (h, _) = self.from_text(x)
        from_text = h[-1]  # [batch, 32]
        x = F.relu(self.from_photo_conv2d(photo))  # [batch, 32, 62, 62]
        x = F.max_pool2d(x, 2)  # [batch, 32, 31, 31]
        x = F.relu(self.from_photo_conv2d_2(x))  # [batch, 64, 29, 29]
        x = F.max_pool2d(x, 2)  # [batch, 64, 14, 14]
        x = F.relu(self.from_photo_conv2d_3(x))  # [batch, 64, 12, 12]
        from_photo = x.mean(dim=(2, 3))  # [batch, 64]
        x = torch.cat([from_facts, from_text, from_photo], dim=-1)  # [batch, 112]
        x = F.relu(self.price_dense(x))  # [batch, 64]
        price = self.price(x)  # [batch, 1]
        return {"price": price}


Data = dict[str, Tensor]
ARRAYS = {
    "facts": ((12,), torch.float32),
    "text": ((None,), torch.int32),
    "photo": ((64, 64, 3), torch.float32),
    "price": ((1,), torch.float32),
}


def measure(model: Price, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    prediction = model(batch["facts"], batch["text"], batch["photo"])["price"]
    target = batch["price"]
    loss = F.mse_loss(prediction, target)
    return {"loss": loss, "mae": torch.mean(absolute_error(prediction, target))}


def make_optimizer(model: Price) -> optim.Optimizer:
    return RMSprop(model.parameters(), lr=0.001, rho=0.9, epsilon=1e-07)


def run(
    model: Price, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["facts"]), Data()
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
        model = Price().to(device)
        optimizer = make_optimizer(model)
        names = (
            ["facts", "text", "photo"] if args.command == "predict" else list(ARRAYS)
        )
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
            splits = [
                torch.split(x, args.size)
                for x in [data["facts"], data["text"], data["photo"]]
            ]
            parts = list(map(model.eval(), *splits))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
