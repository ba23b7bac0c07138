"""Video, compiled by nndsl."""

import argparse
from itertools import zip_longest

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim


def early_epsilon(optimizer: optim.Optimizer, *_: object) -> None:
    """Has Adam add epsilon before the second moment is corrected, as Keras does."""
    for group in optimizer.param_groups:
        epsilon = group.setdefault("epsilon", group["eps"])
        group["count"] = group.get("count", 0) + 1
        group["eps"] = epsilon / (1 - group["betas"][1] ** group["count"]) ** 0.5


class Video(nn.Module):
    """What happens in a short clip: convolutions over time, height and width at once
    (after C3D, Tran 2015).
    Data: `--data file.npz` with clip and action, or `--data random`.

    Maps clip, float32 [batch, 16, 32, 32, 3], to action, float32 [batch, 10].
    """

    def __init__(self) -> None:
        super().__init__()
        self.action_conv3d = nn.Conv3d(3, 16, 3, padding=1)
        self.action_conv3d_2 = nn.Conv3d(16, 32, 3, padding=1)
        self.action_conv3d_3 = nn.Conv3d(32, 64, 3, padding=1)
        self.action_dropout = nn.Dropout(0.5)
        self.action = nn.Linear(128, 10)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv3d)):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.get_parameter("bias"))

    def forward(self, clip: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        clip = clip.movedim(-1, 1)  # [batch, 3, 16, 32, 32]
        x = F.relu(self.action_conv3d(clip))  # [batch, 16, 16, 32, 32]
        x = F.max_pool3d(x, (1, 2, 2))  # [batch, 16, 16, 16, 16]
        x = F.relu(self.action_conv3d_2(x))  # [batch, 32, 16, 16, 16]
        x = F.max_pool3d(x, 2)  # [batch, 32, 8, 8, 8]
        x = F.relu(self.action_conv3d_3(x))  # [batch, 64, 8, 8, 8]
        x = F.avg_pool3d(x, 2)  # [batch, 64, 4, 4, 4]
        action = x.mean(dim=(2, 3, 4))  # [batch, 64]
        x = x.amax(dim=(2, 3, 4))  # [batch, 64]
        x = torch.cat([action, x], dim=-1)  # [batch, 128]
        x = self.action_dropout(x)
        action = self.action(x)  # [batch, 10]
        return {"action": action if logits else F.softmax(action, dim=-1)}


Data = dict[str, Tensor]
ARRAYS = {"clip": ((16, 32, 32, 3), torch.float32), "action": ((), torch.int64)}


def measure(model: Video, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    prediction, target = model(batch["clip"], logits=True)["action"], batch["action"]
    loss = F.cross_entropy(prediction, target)
    return {"loss": loss, "accuracy": (prediction.argmax(-1) == target).float().mean()}


def make_optimizer(model: Video) -> optim.Optimizer:
    optimizer = optim.Adam(model.parameters(), lr=0.001, eps=1e-07)
    optimizer.register_step_pre_hook(early_epsilon)
    return optimizer


def run(
    model: Video, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["clip"]), Data()
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
    parser.add_argument("--batch-size", dest="size", type=int, default=8)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Video().to(device)
        optimizer = make_optimizer(model)
        names = ["clip"] if args.command == "predict" else list(ARRAYS)
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
            parts = list(map(model.eval(), torch.split(data["clip"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
