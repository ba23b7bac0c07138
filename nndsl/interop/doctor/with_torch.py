"""The trial of PyTorch: a product and its gradient on every device, then a step of an emitted program on the CPU."""

from __future__ import annotations

from typing import Any

import torch

from nndsl.interop.doctor.worker import Desk


def work(desk: Desk) -> None:
    desk.found(version=torch.__version__, built_for=torch.version.cuda, threads=torch.get_num_threads(), devices=[])
    desk.stage("computing with torch")
    _compute(torch.device("cpu"))
    desk.found(computes=True)
    if desk.request.get("program"):
        desk.stage("training a model with torch")
        _train(desk)
    desk.stage("looking for GPUs with torch")
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        desk.stage(f"computing on cuda:{number} with torch")
        properties = torch.cuda.get_device_properties(number)
        device = {"name": f"cuda:{number}", "is": properties.name, "bytes": properties.total_memory}
        desk.answer["devices"].append(device | {"error": _error(torch.device("cuda", number))})
    if torch.backends.mps.is_available():
        desk.stage("computing on mps with torch")
        desk.answer["devices"].append({"name": "mps", "is": "Apple GPU", "error": _error(torch.device("mps"))})


def _error(device: torch.device) -> str:
    """Why a device does not compute, "" where it does."""
    try:
        _compute(device)
    except Exception as error:
        return f"{type(error).__name__}: {error}".strip().split("\n")[0][:300]
    return ""


def _compute(device: torch.device) -> None:
    x = torch.arange(6.0, device=device).reshape(2, 3).requires_grad_()
    torch.autograd.backward((x @ x.T).sum())
    if x.grad is None or x.grad.cpu().tolist() != [[6.0, 10.0, 14.0]] * 2:
        raise ArithmeticError("a product has a wrong gradient")


def _train(desk: Desk) -> None:
    given = desk.request
    program: Any = desk.load(given["program"])
    model = program.Trial()
    with torch.no_grad():
        for name, kernel in given["kernels"].items():
            layer = model.get_submodule(name)
            layer.weight.copy_(torch.tensor(kernel).T)
            layer.bias.copy_(torch.tensor(given["biases"][name]))
    data = {name: torch.tensor(given[name]) for name in ("x", "y")}
    before = model.eval()(data["x"])["y"].tolist()
    program.run(model, data, len(data["x"]), program.make_optimizer(model))
    desk.found(before=before, after=model.eval()(data["x"])["y"].tolist())
