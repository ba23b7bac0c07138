"""How a flow without a value is left."""

from __future__ import annotations


class Stop(Exception):
    """The flow has no value; the problem has been reported."""
