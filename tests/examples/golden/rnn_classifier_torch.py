"""RNNClassifier, compiled by nndsl."""

import argparse
from collections.abc import Iterable, Iterator
from itertools import islice, zip_longest

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


def early_epsilon(optimizer: optim.Optimizer, *_: object) -> None:
    """Has Adam add epsilon before the second moment is corrected, as Keras does."""
    for group in optimizer.param_groups:
        epsilon = group.setdefault("epsilon", group["eps"])
        group["count"] = group.get("count", 0) + 1
        group["eps"] = epsilon / (1 - group["betas"][1] ** group["count"]) ** 0.5


class RNNClassifier(nn.Module):
    """Handwritten digits read row by row, the lesson on recurrent classification: 28
    steps of 28 pixels.
    Data: mnist.npz, from
    https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz; or
    `--data random`.

    Maps rows, float32 [batch, 28, 28], to label, float32 [batch, 10].
    """

    def __init__(self) -> None:
        super().__init__()
        self.label_simple_rnn = nn.RNN(28, 50, batch_first=True)
        self.label = nn.Linear(50, 10)
        nn.init.xavier_uniform_(self.label.weight)
        nn.init.zeros_(self.label.bias)
        init_recurrent(self.label_simple_rnn)

    def forward(self, rows: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        _, h = self.label_simple_rnn(rows)
        x = h[-1]  # [batch, 50]
        label = self.label(x)  # [batch, 10]
        return {"label": label if logits else F.softmax(label, dim=-1)}


Data = dict[str, Tensor]
ARRAYS = {"rows": ((28, 28), torch.float32), "label": ((10,), torch.float32)}


def measure(model: RNNClassifier, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    prediction, target = model(batch["rows"], logits=True)["label"], batch["label"]
    values = {"loss": F.cross_entropy(prediction, target)}
    values["accuracy"] = (prediction.argmax(-1) == target.argmax(-1)).float().mean()
    return values


def make_optimizer(model: RNNClassifier) -> optim.Optimizer:
    optimizer = optim.Adam(model.parameters(), lr=0.001, eps=1e-07)
    optimizer.register_step_pre_hook(early_epsilon)
    return optimizer


def batches(data: Data, size: int, endless: bool = False) -> Iterator[Data]:
    """The samples, `size` at a time; `endless`, again and again in a random order."""
    count = len(data["rows"])
    while True:
        order = torch.randperm(count) if endless else torch.arange(count)
        for rows in torch.split(order, size):
            yield {name: tensor[rows] for name, tensor in data.items()}
        if not endless:
            return


def run(
    model: RNNClassifier,
    batches: Iterable[Data],
    optimizer: optim.Optimizer | None = None,
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = 0, Data()
    for batch in batches:
        with torch.set_grad_enabled(model.training):
            values = measure(model, batch)
        if optimizer is not None:
            optimizer.zero_grad()
            torch.autograd.backward(values["loss"])
            optimizer.step()
        size = len(batch["rows"])
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
    parser.add_argument("--steps", type=int, default=4001)
    parser.add_argument("--batch-size", dest="size", type=int, default=50)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = RNNClassifier().to(device)
        optimizer = make_optimizer(model)
        names = ["rows"] if args.command == "predict" else list(ARRAYS)
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
        for start in range(0, args.steps, 500):
            end = min(start + 500, args.steps)
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
            parts = list(map(model.eval(), torch.split(data["rows"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
