"""Text to syntax tree."""

from nndsl.syntax.parser import parse, parse_expression

__all__ = ["parse", "parse_expression"]
