"""QuestionAnswering, compiled by nndsl."""

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


class QuestionAnswering(nn.Module):
    """A one-word answer from a story and a question about it: two texts, each read by
    its own LSTM.
    After the functional lesson on several inputs. Data: `--data file.npz` with
    story, question, answer; `--data random`.

    Inputs:
        story: int32 [batch, S]
        question: int32 [batch, Q]
    Outputs:
        answer: float32 [batch, 500]
    """

    def __init__(self) -> None:
        super().__init__()
        self.story_code_embedding = nn.Embedding(10000, 64)
        self.story_code = nn.LSTM(64, 32, batch_first=True)
        self.question_code_embedding = nn.Embedding(10000, 32)
        self.question_code = nn.LSTM(32, 16, batch_first=True)
        self.answer = nn.Linear(48, 500)
        nn.init.uniform_(self.story_code_embedding.weight, -0.05, 0.05)
        nn.init.uniform_(self.question_code_embedding.weight, -0.05, 0.05)
        nn.init.xavier_uniform_(self.answer.weight)
        nn.init.zeros_(self.answer.bias)
        init_recurrent(self.story_code, 32)
        init_recurrent(self.question_code, 16)

    def forward(
        self, story: Tensor, question: Tensor, *, logits: bool = False
    ) -> dict[str, Tensor]:
        x = self.story_code_embedding(story)  # [batch, S, 64]
        _, (h, _) = self.story_code(x)
        story_code = h[-1]  # [batch, 32]
        x = self.question_code_embedding(question)  # [batch, Q, 32]
        _, (h_2, _) = self.question_code(x)
        question_code = h_2[-1]  # [batch, 16]
        x = torch.cat([story_code, question_code], dim=-1)  # [batch, 48]
        answer = self.answer(x)  # [batch, 500]
        return {"answer": answer if logits else F.softmax(answer, dim=-1)}


Data = dict[str, Tensor]
ARRAYS = {
    "story": ((None,), torch.int32),
    "question": ((None,), torch.int32),
    "answer": ((500,), torch.float32),
}


def measure(model: QuestionAnswering, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    prediction = model(batch["story"], batch["question"], logits=True)["answer"]
    target = batch["answer"]
    values = {"loss": F.cross_entropy(prediction, target)}
    values["accuracy"] = (prediction.argmax(-1) == target.argmax(-1)).float().mean()
    return values


def make_optimizer(model: QuestionAnswering) -> optim.Optimizer:
    return RMSprop(model.parameters(), lr=0.001, rho=0.9, epsilon=1e-07)


def run(
    model: QuestionAnswering,
    data: Data,
    size: int,
    optimizer: optim.Optimizer | None = None,
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["story"]), Data()
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
    parser.add_argument("--batch-size", dest="size", type=int, default=128)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = QuestionAnswering().to(device)
        optimizer = make_optimizer(model)
        names = ["story", "question"] if args.command == "predict" else list(ARRAYS)
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
                torch.split(x, args.size) for x in [data["story"], data["question"]]
            ]
            parts = list(map(model.eval(), *splits))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
