"""A state that is put back lies in memory as the weights do, which a fused step takes for granted."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from nndsl.runtime.faster import settle  # noqa: E402
from nndsl.runtime.tensors import plain, tensors  # noqa: E402


def test_the_state_follows_the_layout_of_the_weights() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 3, 6, 6)

    def made() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(1)
        net = torch.nn.Conv2d(3, 5, 3).to(memory_format=torch.channels_last)
        return net, torch.optim.Adam(net.parameters(), 0.1, fused=True)

    def step(net: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        net(x).square().mean().backward()
        optimizer.step()

    net, optimizer = made()
    for _ in range(3):
        step(net, optimizer)
    weights, state = tensors(plain(net.state_dict())), tensors(plain(optimizer.state_dict()))
    other, again = made()
    other.load_state_dict(weights)
    again.load_state_dict(state)
    moments = again.state[other.weight]
    assert moments["exp_avg"].stride() != other.weight.stride()  # as files have it
    settle(again)
    assert all(moments[name].stride() == other.weight.stride() for name in ("exp_avg", "exp_avg_sq"))
    for _ in range(3):
        step(net, optimizer)
        step(other, again)
    assert torch.equal(net.weight, other.weight)
