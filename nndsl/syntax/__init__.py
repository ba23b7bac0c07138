"""Text to syntax tree."""

from nndsl.syntax.parser import parse

__all__ = ["parse"]
