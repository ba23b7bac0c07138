"""Has PyTorch's random functions give the numbers of `nndsl.interop.noise` while its clock shows a step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nndsl.interop import noise
from nndsl.interop.noise import clock


def install() -> None:
    """Puts the stand-ins in place, for as long as the process lives."""
    if hasattr(F.dropout, "real"):
        return
    _replace(F, "dropout", _dropout)
    for name in ("dropout1d", "dropout2d", "dropout3d"):
        _replace(F, name, _dropout_channels)
    _replace(F, "scaled_dot_product_attention", _attention)
    _replace(torch, "rand", lambda *size, **o: _like(noise.uniform(_shape(size), _step()), **o))
    _replace(torch, "randn", lambda *size, **o: _like(noise.normal(_shape(size), _step()), **o))
    _replace(torch, "rand_like", lambda x, **o: _as(noise.uniform(x.shape, _step()), x))
    _replace(torch, "randn_like", lambda x, **o: _as(noise.normal(x.shape, _step()), x))
    _replace(Tensor, "normal_", _normal_)
    _replace(Tensor, "uniform_", _uniform_)


def _replace(owner: Any, name: str, stand_in: Callable[..., Any]) -> None:
    real = getattr(owner, name)

    def function(*args: Any, **options: Any) -> Any:
        return real(*args, **options) if clock.step is None else stand_in(*args, **options)

    function.real = real  # type: ignore[attr-defined]
    setattr(owner, name, function)


def _step() -> int:
    assert clock.step is not None
    return clock.step


def _shape(size: tuple[Any, ...]) -> Sequence[int]:
    return size[0] if len(size) == 1 and not isinstance(size[0], int) else size


def _like(numbers: noise.Floats, dtype: torch.dtype | None = None, **_: Any) -> Tensor:
    return torch.from_numpy(numbers).to(dtype or torch.get_default_dtype())


def _as(numbers: noise.Floats, x: Tensor) -> Tensor:
    return torch.from_numpy(numbers).to(x)


def _dropout(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    if not training or p == 0:
        return x
    kept = torch.from_numpy(noise.kept(x.shape, p, _step()))
    return torch.where(kept, x / (1 - p), torch.zeros_like(x)) if p < 1 else torch.zeros_like(x)


def _dropout_channels(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels of [batch, channels, …]."""
    ones = x.new_ones(*x.shape[:2], *[1] * (x.dim() - 2))
    return x * _dropout(ones, p, training)


def _normal_(x: Tensor, mean: float = 0, std: float = 1, **_: Any) -> Tensor:
    return x.copy_(_as(noise.normal(x.shape, _step()), x) * std + mean)


def _uniform_(x: Tensor, low: float = 0, high: float = 1, **_: Any) -> Tensor:
    return x.copy_(_as(noise.uniform(x.shape, _step()), x) * (high - low) + low)


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Written out where something is dropped: the function itself draws inside."""
    if dropout_p == 0:
        real: Any = F.scaled_dot_product_attention
        found: Tensor = real.real(
            query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
        )
        return found
    if enable_gqa:
        key, value = (x.repeat_interleave(query.shape[-3] // x.shape[-3], -3) for x in (key, value))
    scores = query @ key.mT * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    if attn_mask is not None and attn_mask.dtype != torch.bool:
        scores = scores + attn_mask
    weights = F.softmax(scores, dim=-1)
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        # A row that may look nowhere sees nothing, as in torch's own function.
        seen = scores.masked_fill(~attn_mask, -torch.inf)
        weights = torch.where(attn_mask.any(-1, keepdim=True), F.softmax(seen, dim=-1), 0.0)
    return F.dropout(weights, dropout_p) @ value
