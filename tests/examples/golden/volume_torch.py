"""Volume, compiled by nndsl."""

import argparse
from itertools import zip_longest

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim


def absolute_error(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean absolute difference of each sample."""
    return (prediction - target).abs().mean(-1)


def early_epsilon(optimizer: optim.Optimizer, *_: object) -> None:
    """Has Adam add epsilon before the second moment is corrected, as Keras does."""
    for group in optimizer.param_groups:
        epsilon = group.setdefault("epsilon", group["eps"])
        group["count"] = group.get("count", 0) + 1
        group["eps"] = epsilon / (1 - group["betas"][1] ** group["count"]) ** 0.5


class Volume(nn.Module):
    """A scan of a volume squeezed and restored: a convolutional autoencoder in three
    dimensions.
    Data: `--data file.npz` with scan and restored (the same array), or `--data
    random`.

    Inputs:
        scan: float32 [batch, 16, 16, 16, 1]
    Outputs:
        restored: float32 [batch, 16, 16, 16, 1]
    """

    def __init__(self) -> None:
        super().__init__()
        self.code_conv3d = nn.Conv3d(1, 8, 3, stride=2)
        self.code = nn.Conv3d(8, 16, 3, stride=2)
        self.restored_conv3d_transpose = nn.ConvTranspose3d(16, 8, 3, stride=2)
        self.restored_conv3d_transpose_2 = nn.ConvTranspose3d(8, 8, 3)
        self.restored = nn.Conv3d(8, 1, 1)
        for module in self.modules():
            if isinstance(module, (nn.Conv3d, nn.ConvTranspose3d)):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.get_parameter("bias"))

    def forward(self, scan_: Tensor) -> dict[str, Tensor]:
        code = self.compress(scan_)  # [batch, 4, 4, 4, 16]
        # [batch, 8, 8, 8, 8]
        x = F.relu(
            self.restored_conv3d_transpose(code.movedim(-1, 1))[..., :-1, :-1, :-1]
        )
        x = F.interpolate(x, scale_factor=2)  # [batch, 8, 16, 16, 16]
        x = F.relu(self.restored_conv3d_transpose_2(x))  # [batch, 8, 18, 18, 18]
        x = x[:, :, 1:-1, 1:-1, 1:-1]  # [batch, 8, 16, 16, 16]
        restored = torch.sigmoid(self.restored(x))  # [batch, 1, 16, 16, 16]
        return {"restored": restored.movedim(1, -1)}

    def compress(self, scan_: Tensor) -> Tensor:
        """The part of the model from scan to code."""
        scan_ = scan_.movedim(-1, 1)  # [batch, 1, 16, 16, 16]
        x = F.pad(scan_, (1, 1, 1, 1, 1, 1))  # [batch, 1, 18, 18, 18]
        x = F.relu(self.code_conv3d(x))  # [batch, 8, 8, 8, 8]
        code = F.relu(self.code(F.pad(x, (0, 1, 0, 1, 0, 1))))  # [batch, 16, 4, 4, 4]
        return code.movedim(1, -1)


Data = dict[str, Tensor]
ARRAYS = {
    "scan": ((16, 16, 16, 1), torch.float32),
    "restored": ((16, 16, 16, 1), torch.float32),
}


def measure(model: Volume, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    prediction, target = model(batch["scan"])["restored"], batch["restored"]
    loss = F.mse_loss(prediction, target)
    return {"loss": loss, "mae": torch.mean(absolute_error(prediction, target))}


def make_optimizer(model: Volume) -> optim.Optimizer:
    optimizer = optim.Adam(model.parameters(), lr=0.001, eps=1e-07)
    optimizer.register_step_pre_hook(early_epsilon)
    return optimizer


def run(
    model: Volume, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["scan"]), Data()
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
    parser.add_argument("--batch-size", dest="size", type=int, default=4)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Volume().to(device)
        optimizer = make_optimizer(model)
        names = ["scan"] if args.command == "predict" else list(ARRAYS)
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
            parts = list(map(model.eval(), torch.split(data["scan"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
