"""Regression, compiled by nndsl."""

import argparse
from collections.abc import Iterable, Iterator
from itertools import islice, zip_longest

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim


class Regression(nn.Module):
    """Linear regression, the first Keras lesson: one Dense learns y = 0.5 x + 2 from
    points.
    Data: `--data points.npz` with the arrays x and y, or `--data random`.

    Maps x, float32 [batch, 1], to y, float32 [batch, 1].
    """

    def __init__(self) -> None:
        super().__init__()
        self.y = nn.Linear(1, 1)
        nn.init.xavier_uniform_(self.y.weight)
        nn.init.zeros_(self.y.bias)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        y = self.y(x)
        return {"y": y}


Data = dict[str, Tensor]
ARRAYS = {"x": ((1,), torch.float32), "y": ((1,), torch.float32)}


def measure(model: Regression, batch: Data) -> Data:
    """The loss of a batch."""
    prediction, target = model(batch["x"])["y"], batch["y"]
    return {"loss": F.mse_loss(prediction, target)}


def make_optimizer(model: Regression) -> optim.Optimizer:
    return optim.SGD(model.parameters(), lr=0.01)


def batches(data: Data, size: int, endless: bool = False) -> Iterator[Data]:
    """The samples, `size` at a time; `endless`, again and again in a random order."""
    count = len(data["x"])
    while True:
        order = torch.randperm(count) if endless else torch.arange(count)
        for rows in torch.split(order, size):
            yield {name: tensor[rows] for name, tensor in data.items()}
        if not endless:
            return


def run(
    model: Regression, batches: Iterable[Data], optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = 0, Data()
    for batch in batches:
        with torch.set_grad_enabled(model.training):
            values = measure(model, batch)
        if optimizer is not None:
            optimizer.zero_grad()
            torch.autograd.backward(values["loss"])
            optimizer.step()
        size = len(batch["x"])
        count += size
        sums = {k: sums.get(k, 0) + v.detach() * size for k, v in values.items()}
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
    parser.add_argument("--steps", type=int, default=301)
    parser.add_argument("--batch-size", dest="size", type=int, default=40)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Regression().to(device)
        optimizer = make_optimizer(model)
        names = ["x"] if args.command == "predict" else list(ARRAYS)
        data = load_data(args.data, names, device)
        held = args.validation and load_data(args.validation, names, device)
        if args.command != "train":
            weights, state = torch.load(args.weights, device, weights_only=True)
            model.load_state_dict(weights)
            optimizer.load_state_dict(state)
    except Exception as error:  # noqa: BLE001 (files can be broken in many ways)
        raise SystemExit(f"error: {error}") from None
    if args.command in ("train", "resume"):
        stream = batches(data, args.size, endless=True)
        for start in range(0, args.steps, 30):
            end = min(start + 30, args.steps)
            logs = run(model, islice(stream, end - start), optimizer)
            if held is not None:
                values = run(model, batches(held, args.size))
                logs |= {f"val_{name}": value for name, value in values.items()}
            print(f"step {end}:", *(f"{k} {v:.4f}" for k, v in logs.items()))
        torch.save((model.state_dict(), optimizer.state_dict()), args.weights)
    elif args.command == "evaluate":
        logs = run(model, batches(data, args.size))
        print(*(f"{k} {v:.4f}" for k, v in logs.items()))
    else:
        with torch.no_grad():
            parts = list(map(model.eval(), torch.split(data["x"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
