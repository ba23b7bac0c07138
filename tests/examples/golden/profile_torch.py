"""Profile, compiled by nndsl."""

import argparse
from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim


def binary_accuracy(
    prediction: Tensor, target: Tensor, threshold: float = 0.5
) -> Tensor:
    """The share of numbers on the right side of the threshold."""
    return ((prediction > threshold) == target).to(prediction.dtype).mean(-1)


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
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv1d)):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.get_parameter("bias"))
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


Data = dict[str, Tensor]
ARRAYS = {
    "posts": ((None,), torch.int32),
    "age": ((1,), torch.float32),
    "income": ((10,), torch.float32),
    "gender": ((1,), torch.float32),
}


def measure(model: Profile, batch: Data) -> Data:
    """The losses and the metrics of a batch; training minimises `loss`."""
    outputs = model(batch["posts"], logits=True)
    values: dict[str, Tensor] = {}
    prediction, target = outputs["age"], batch["age"]
    values["age_loss"] = F.mse_loss(prediction, target)
    prediction, target = outputs["income"], batch["income"]
    values["income_loss"] = F.cross_entropy(prediction, target)
    prediction, target = outputs["gender"], batch["gender"]
    values["gender_loss"] = F.binary_cross_entropy_with_logits(prediction, target)
    prediction = torch.sigmoid(prediction)
    values["gender_accuracy"] = torch.mean(binary_accuracy(prediction, target))
    loss = (
        0.25 * values["age_loss"] + values["income_loss"] + 10.0 * values["gender_loss"]
    )
    return {"loss": loss} | values


def make_optimizer(model: Profile) -> optim.Optimizer:
    return RMSprop(model.parameters(), lr=0.001, rho=0.9, epsilon=1e-07)


def run(
    model: Profile, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean losses and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["posts"]), Data()
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
        model = Profile().to(device)
        optimizer = make_optimizer(model)
        names = ["posts"] if args.command == "predict" else list(ARRAYS)
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
            parts = list(map(model.eval(), torch.split(data["posts"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
