"""Tagger, compiled by nndsl."""

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


def masked_scan(
    cell: nn.LSTMCell | nn.GRUCell | nn.RNNCell,
    x: Tensor,
    mask: Tensor,
    state: tuple[Tensor, ...] | None = None,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Runs a cell over x [batch, time, features]: all outputs and the last state. As in
    Keras a step that `mask` [batch, time] leaves out keeps the state and repeats the
    last output (zeros before the first)."""
    is_lstm = isinstance(cell, nn.LSTMCell)
    if state is None:
        zeros = x.new_zeros(len(x), cell.hidden_size)
        state = (zeros, zeros) if is_lstm else (zeros,)
    output = torch.zeros_like(state[0])
    outputs: list[Tensor] = []
    for step, keep in zip(x.unbind(1), mask.unsqueeze(-1).unbind(1), strict=True):
        new = cell(step, state) if is_lstm else (cell(step, *state),)
        pairs = zip(new, state, strict=True)
        state = tuple(torch.where(keep, now, before) for now, before in pairs)
        output = torch.where(keep, new[0], output)
        outputs.append(output)
    return torch.stack(outputs, dim=1), state


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean of the values where the mask is true; 0 where it is true nowhere."""
    return torch.where(mask, values, 0.0).sum() / mask.sum().clamp(min=1)


def weighted_sum(values: Tensor, weight: Tensor | None = None) -> Tensor:
    """The sum of the values times their weights, and the sum of the weights: [2]."""
    if weight is None:
        weight = torch.ones_like(values)
    return torch.stack([(values * weight).sum(), weight.expand_as(values).sum()])


def ratio(a: Tensor, b: Tensor) -> Tensor:
    """a / b, and 0 where b is 0."""
    divisor = torch.where(b == 0, 1.0, b)
    return torch.where(b == 0, 0.0, a / divisor)


def early_epsilon(optimizer: optim.Optimizer, *_: object) -> None:
    """Has Adam add epsilon before the second moment is corrected, as Keras does."""
    for group in optimizer.param_groups:
        epsilon = group.setdefault("epsilon", group["eps"])
        group["count"] = group.get("count", 0) + 1
        group["eps"] = epsilon / (1 - group["betas"][1] ** group["count"]) ** 0.5


class Tagger(nn.Module):
    """Tags of words, of which people have looked at some more closely than at others.

    Inputs:
        words: int32 [batch, 20]
    Outputs:
        tags: float32 [batch, 20, 8]
        topics: float32 [batch, 4]
        length: float32 [batch, 20, 1]
        summary: float32 [batch, 4]
    """

    def __init__(self) -> None:
        super().__init__()
        self.output_masks = dict[str, Tensor]()
        self.h_embedding = nn.Embedding(500, 16)
        self.h_forward_lstm = nn.LSTMCell(16, 16)
        self.h_backward_lstm = nn.LSTMCell(16, 16)
        self.tags = nn.Linear(32, 8)
        self.topics_lstm = nn.LSTMCell(32, 8)
        self.topics = nn.Linear(8, 4)
        self.length = nn.Linear(32, 1)
        self.summary = nn.GRUCell(32, 4)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.bias)
        nn.init.uniform_(self.h_embedding.weight, -0.05, 0.05)
        init_recurrent(self.h_forward_lstm, 16)
        init_recurrent(self.h_backward_lstm, 16)
        init_recurrent(self.topics_lstm, 8)
        init_recurrent(self.summary)

    def forward(self, words: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        mask = words != 0
        x = self.h_embedding(words)  # [batch, 20, 16]
        ahead, _ = masked_scan(self.h_forward_lstm, x, mask)
        back, _ = masked_scan(self.h_backward_lstm, x.flip(1), mask.flip(1))
        # [batch, 20, 32]
        h = torch.cat(
            (
                torch.where(mask.unsqueeze(-1), ahead, 0.0),
                torch.where(mask.flip(1).unsqueeze(-1), back, 0.0).flip(1),
            ),
            dim=-1,
        )
        tags = self.tags(h)  # [batch, 20, 8]
        outputs, _ = masked_scan(self.topics_lstm, h, mask)
        x = outputs[:, -1]  # [batch, 8]
        topics = self.topics(x)  # [batch, 4]
        length = self.length(h)  # [batch, 20, 1]
        outputs_2, _ = masked_scan(self.summary, h, mask)
        summary = outputs_2[:, -1]  # [batch, 4]
        if not logits:
            tags = F.softmax(tags, dim=-1)
            topics = torch.sigmoid(topics)
        self.output_masks = {"tags": mask, "length": mask}
        return {"tags": tags, "topics": topics, "length": length, "summary": summary}


Data = dict[str, Tensor]
ARRAYS = {
    "words": ((20,), torch.int32),
    "tags": ((20,), torch.int64),
    "topics": ((4,), torch.float32),
    "length": ((20, 1), torch.float32),
    "trust": ((20,), torch.float32),
    "importance": ((), torch.float32),
}


def measure(model: Tagger, batch: Data) -> Data:
    """The losses and the metrics of a batch; training minimises `loss`."""
    outputs = model(batch["words"], logits=True)
    values: dict[str, Tensor] = {}
    prediction, target = outputs["tags"], batch["tags"]
    mask = model.output_masks["tags"]
    weight = batch["trust"]
    values["tags_loss"] = masked_mean(
        F.cross_entropy(prediction.movedim(-1, 1), target, reduction="none") * weight,
        mask,
    )
    values["tags_accuracy"] = weighted_sum(
        (prediction.argmax(-1) == target).float(), mask
    )
    values["tags_weighted_accuracy"] = weighted_sum(
        (prediction.argmax(-1) == target).float(), weight * mask
    )
    prediction, target = outputs["topics"], batch["topics"]
    weight = batch["importance"]
    values["topics_loss"] = torch.mean(
        torch.mean(
            F.binary_cross_entropy_with_logits(prediction, target, reduction="none"), -1
        )
        * weight,
    )
    prediction, target = outputs["length"], batch["length"]
    mask = model.output_masks["length"]
    weight = batch["importance"][:, None]
    values["length_loss"] = masked_mean(
        torch.mean(F.mse_loss(prediction, target, reduction="none"), -1) * weight, mask
    )
    loss = values["tags_loss"] + 0.5 * values["topics_loss"] + values["length_loss"]
    return {"loss": loss} | values


def results(means: Data) -> dict[str, float]:
    """What is reported, from the means and totals over all samples."""
    means["tags_accuracy"] = ratio(*means["tags_accuracy"])
    means["tags_weighted_accuracy"] = ratio(*means["tags_weighted_accuracy"])
    return {name: float(mean) for name, mean in means.items()}


def make_optimizer(model: Tagger) -> optim.Optimizer:
    optimizer = optim.Adam(model.parameters(), lr=0.001, eps=1e-07)
    optimizer.register_step_pre_hook(early_epsilon)
    return optimizer


def run(
    model: Tagger, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean losses and metrics over the data; with an optimizer it trains."""
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
        for name, value in values.items():  # counts add up, other numbers are means
            factor = 1 if value.dim() else len(rows)
            sums[name] = sums.get(name, 0) + factor * value.detach()
    sums = {k: v.cpu().double() for k, v in sums.items()}
    return results({k: v if v.dim() else v / count for k, v in sums.items()})


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
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", dest="size", type=int, default=32)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Tagger().to(device)
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
