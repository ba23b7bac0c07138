"""Stream, compiled by nndsl."""

import argparse
from itertools import zip_longest

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


def binary_accuracy(
    prediction: Tensor, target: Tensor, threshold: float = 0.5
) -> Tensor:
    """The share of numbers on the right side of the threshold."""
    return ((prediction > threshold) == target).to(prediction.dtype).mean(-1)


def early_epsilon(optimizer: optim.Optimizer, *_: object) -> None:
    """Has Adam add epsilon before the second moment is corrected, as Keras does."""
    for group in optimizer.param_groups:
        epsilon = group.setdefault("epsilon", group["eps"])
        group["count"] = group.get("count", 0) + 1
        group["eps"] = epsilon / (1 - group["betas"][1] ** group["count"]) ** 0.5


class Stream(nn.Module):
    """A machine watched without a break: 16 machines, an hour in each batch, and a
    state that is never reset.
    Data: `--data file.npz` with readings and alarm, in the order of time; or
    `--data random`.

    Maps readings, float32 [16, 60, 6], to alarm, float32 [16, 1].
    """

    alarm_gru_h: Tensor
    alarm_gru_2_h: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.alarm_gru = nn.GRU(6, 32, batch_first=True)
        self.register_buffer("alarm_gru_h", torch.zeros(1, 16, 32), persistent=False)
        self.alarm_gru_2 = nn.GRU(32, 16, batch_first=True)
        self.register_buffer("alarm_gru_2_h", torch.zeros(1, 16, 16), persistent=False)
        self.alarm = nn.Linear(16, 1)
        nn.init.xavier_uniform_(self.alarm.weight)
        nn.init.zeros_(self.alarm.bias)
        init_recurrent(self.alarm_gru)
        init_recurrent(self.alarm_gru_2)

    def forward(self, readings: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        x, h = self.alarm_gru(readings, self.alarm_gru_h)
        self.alarm_gru_h = h.detach()
        _, h_2 = self.alarm_gru_2(x, self.alarm_gru_2_h)
        self.alarm_gru_2_h = h_2.detach()
        x = h_2[-1]  # [16, 16]
        alarm = self.alarm(x)  # [16, 1]
        return {"alarm": alarm if logits else torch.sigmoid(alarm)}

    def reset_state(self) -> None:
        """Forgets what earlier batches have left behind."""
        self.alarm_gru_h = torch.zeros_like(self.alarm_gru_h)
        self.alarm_gru_2_h = torch.zeros_like(self.alarm_gru_2_h)


Data = dict[str, Tensor]
ARRAYS = {"readings": ((60, 6), torch.float32), "alarm": ((1,), torch.float32)}
BATCH_SIZE = 16


def measure(model: Stream, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    prediction = model(batch["readings"], logits=True)["alarm"]
    target = batch["alarm"]
    values = {"loss": F.binary_cross_entropy_with_logits(prediction, target)}
    prediction = torch.sigmoid(prediction)
    values["accuracy"] = torch.mean(binary_accuracy(prediction, target))
    return values


def make_optimizer(model: Stream) -> optim.Optimizer:
    optimizer = optim.Adam(model.parameters(), lr=0.001, eps=1e-07)
    optimizer.register_step_pre_hook(early_epsilon)
    return optimizer


def run(
    model: Stream, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["readings"]), Data()
    for rows in torch.split(torch.arange(count), size):
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
    if count % BATCH_SIZE:
        raise ValueError(f"{path} must hold whole batches of {BATCH_SIZE} samples")
    return data


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["train", "resume", "evaluate", "predict"])
    parser.add_argument("data", help="an .npz file with an array for each name")
    parser.add_argument("--validation", help="another .npz file, to evaluate on")
    parser.add_argument("--weights", default="model.pt", help="file of the weights")
    parser.add_argument("-o", "--output", default="predictions.npz")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Stream().to(device)
        optimizer = make_optimizer(model)
        names = ["readings"] if args.command == "predict" else list(ARRAYS)
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
            logs = run(model, data, BATCH_SIZE, optimizer)
            if held is not None:
                logs |= {f"val_{k}": v for k, v in run(model, held, BATCH_SIZE).items()}
            print(f"epoch {epoch + 1}:", *(f"{k} {v:.4f}" for k, v in logs.items()))
        torch.save((model.state_dict(), optimizer.state_dict()), args.weights)
    elif args.command == "evaluate":
        print(*(f"{k} {v:.4f}" for k, v in run(model, data, BATCH_SIZE).items()))
    else:
        with torch.no_grad():
            parts = list(map(model.eval(), torch.split(data["readings"], BATCH_SIZE)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
