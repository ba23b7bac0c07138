"""Keras holds many constants as float32, in float64 programs too: here they are rounded as it does."""

from __future__ import annotations

from struct import pack, unpack


def as_float32(number: float) -> float:
    """The number that float32 holds in place of `number`."""
    rounded: float = unpack("f", pack("f", number))[0]
    return rounded
