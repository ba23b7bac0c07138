"""RNNRegression, compiled by nndsl."""

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


class RNNRegression(nn.Module):
    """From a sine to its cosine, the lesson on recurrent regression: a stateful LSTM
    carries its state from batch to batch.
    Data: built in, a made series.

    Maps sine, float32 [50, 20, 1], to cosine, float32 [50, 20, 1].
    """

    cosine_lstm_h: Tensor
    cosine_lstm_c: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.cosine_lstm = nn.LSTM(1, 20, batch_first=True)
        self.register_buffer("cosine_lstm_h", torch.zeros(1, 50, 20), persistent=False)
        self.register_buffer("cosine_lstm_c", torch.zeros(1, 50, 20), persistent=False)
        self.cosine_dense = nn.Linear(20, 1)
        nn.init.xavier_uniform_(self.cosine_dense.weight)
        nn.init.zeros_(self.cosine_dense.bias)
        init_recurrent(self.cosine_lstm, 20)

    def forward(self, sine: Tensor) -> dict[str, Tensor]:
        x, (h, c) = self.cosine_lstm(sine, (self.cosine_lstm_h, self.cosine_lstm_c))
        self.cosine_lstm_h = h.detach()
        self.cosine_lstm_c = c.detach()
        cosine = self.cosine_dense(x)  # [50, 20, 1]
        return {"cosine": cosine}

    def reset_state(self) -> None:
        """Forgets what earlier batches have left behind."""
        self.cosine_lstm_h = torch.zeros_like(self.cosine_lstm_h)
        self.cosine_lstm_c = torch.zeros_like(self.cosine_lstm_c)


Data = dict[str, Tensor]
ARRAYS = {"sine": ((20, 1), torch.float32), "cosine": ((20, 1), torch.float32)}
BATCH_SIZE = 50


def measure(model: RNNRegression, batch: Data) -> Data:
    """The loss of a batch."""
    prediction, target = model(batch["sine"])["cosine"], batch["cosine"]
    return {"loss": F.mse_loss(prediction, target)}


def make_optimizer(model: RNNRegression) -> optim.Optimizer:
    optimizer = optim.Adam(model.parameters(), lr=0.006, eps=1e-07)
    optimizer.register_step_pre_hook(early_epsilon)
    return optimizer


def batches(
    model: RNNRegression, data: Data, size: int, endless: bool = False
) -> Iterator[Data]:
    """The samples, `size` at a time; `endless`, again and again."""
    count = len(data["sine"])
    while True:
        model.reset_state()
        for rows in torch.split(torch.arange(count), size):
            yield {name: tensor[rows] for name, tensor in data.items()}
        if not endless:
            return


def run(
    model: RNNRegression,
    batches: Iterable[Data],
    optimizer: optim.Optimizer | None = None,
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
        size = len(batch["sine"])
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
    parser.add_argument("--steps", type=int, default=501)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = RNNRegression().to(device)
        optimizer = make_optimizer(model)
        names = ["sine"] if args.command == "predict" else list(ARRAYS)
        data = load_data(args.data, names, device)
        held = args.validation and load_data(args.validation, names, device)
        if args.command != "train":
            weights, state = torch.load(args.weights, device, weights_only=True)
            model.load_state_dict(weights)
            optimizer.load_state_dict(state)
    except Exception as error:  # noqa: BLE001 (files can be broken in many ways)
        raise SystemExit(f"error: {error}") from None
    if args.command in ("train", "resume"):
        stream = batches(model, data, BATCH_SIZE, endless=True)
        for start in range(0, args.steps, 50):
            end = min(start + 50, args.steps)
            logs = run(model, islice(stream, end - start), optimizer)
            if held is not None:
                values = run(model, batches(model, held, BATCH_SIZE))
                logs |= {f"val_{name}": value for name, value in values.items()}
            print(f"step {end}:", *(f"{k} {v:.4f}" for k, v in logs.items()))
        torch.save((model.state_dict(), optimizer.state_dict()), args.weights)
    elif args.command == "evaluate":
        logs = run(model, batches(model, data, BATCH_SIZE))
        print(*(f"{k} {v:.4f}" for k, v in logs.items()))
    else:
        model.reset_state()
        with torch.no_grad():
            parts = list(map(model.eval(), torch.split(data["sine"], BATCH_SIZE)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
