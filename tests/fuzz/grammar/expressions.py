"""Tensor expressions, and numbers that are known at compile time."""

from __future__ import annotations

from random import Random

from nndsl.layers import catalogue
from tests.fuzz.grammar import calls

SIGNS = ("+", "-", "*", "+", "-", "*", "/", "//", "%", "**", "@", "==", "!=", "<", "<=", ">", ">=")
NUMBERS = ("1", "2", "0.5", "-1", "1e-3", "3", "0", "(1 + 2)", "2 ** 3", "7 // 2", "1 if 2 > 1 else 0")
ORDINARY = ("exp", "sum", "mean", "max", "square", "sqrt", "abs", "tanh", "relu", "softmax", "transpose", "sigmoid")


def number(random: Random, names: tuple[str, ...] = ()) -> str:
    """A number that is known at compile time."""
    if names and random.random() < 0.4:
        name = random.choice(names)
        return random.choice((name, f"2 * {name}", f"{name} + 1", f"max({name}, 2)" if random.random() < 0.1 else name))
    return random.choice(NUMBERS)


def condition(random: Random, names: tuple[str, ...] = (), value: str | None = None) -> str:
    one = number(random, names)
    if value is not None and random.random() < 0.5:
        one = random.choice((f"{value}.shape[-1]", f"{value}.shape[1]", f"{value}.dtype == float32 and 1"))
    found = f"{one} {random.choice(('==', '!=', '<', '<=', '>', '>='))} {number(random, names)}"
    return random.choice((found, found, f"not {found}", f"{found} and true", f"{found} or false", "true", "false"))


def subscript(random: Random, rank: int) -> str:
    """What stands between brackets; the batch axis is taken whole."""
    items = [":"]
    if random.random() < 0.15:
        items = [random.choice(("..", "::1", "0", ":, none"))]
    for _ in range(random.randint(0, max(rank, 1))):
        items.append(
            random.choice(("0", "-1", ":", "1:", ":-1", "::2", "1:3", "..", "none", "0:1", "::-1", "2", "-2:", ":0"))
        )
    return ", ".join(items)


def expression(random: Random, names: list[tuple[str, int]], numbers: tuple[str, ...] = (), depth: int = 0) -> str:
    """`names` are values with their ranks (without the batch axis)."""
    name, rank = random.choice(names)
    kind = random.random()
    if depth > 2 or kind < 0.15:
        return name
    if kind < 0.4:
        right = expression(random, names, numbers, depth + 1) if random.random() < 0.5 else number(random, numbers)
        left = expression(random, names, numbers, depth + 1)
        if random.random() < 0.15:
            left, right = right, left
        found = f"{left} {random.choice(SIGNS)} {right}"
        return f"({found})" if depth or random.random() < 0.2 else found
    if kind < 0.5:
        return f"{name}[{subscript(random, rank)}]"
    if kind < 0.55:
        return f"-{expression(random, names, numbers, depth + 1)}" if random.random() < 0.7 else f"(-{name} ** 2)"
    if kind < 0.6:
        return f"{expression(random, names, numbers, depth + 1)}.shape[-1] * {name}" if random.random() < 0.3 else (
            f"({name} -> {calls.call(catalogue.find('layer', random.choice(('Dense', 'ReLU', 'Flatten'))), random)})"
        )  # fmt: skip
    if kind < 0.7:
        other = random.choice(names)[0]
        return random.choice((
            f"random_normal(like={name})", f"random_uniform(like={name}, min=0, max=2)",
            f"where({name} > 0, {name}, {other})",
            f"concat([{name}, {other}], axis=-1)", f"stack([{name}, {other}], axis=1)", f"maximum({name}, {other})",
            f"minimum({name}, 1)", f"matmul({name}, {other})", f"dot({name}, {other})", f"cast({name}, float)",
            f"cast({name}, int)", f"reshape({name}, (-1,))", f"arange({random.choice(('4', '0, 6, 2'))})",
            f'einsum("bi,bj->bij", {name}, {other})', f"zeros_like({name})", f"logical_not({name} > {other})",
            f"add({name}, {other})", f"average({name}, {other})", f"tile({name}, (1, 2))", f"pad({name}, (1, 1))",
        ))  # fmt: skip
    operand = expression(random, names, numbers, depth + 1)
    fits = calls.fitting("function", min(rank, 4), "float") if random.random() < 0.6 else ()
    function = random.choice(fits) if fits else ""
    cls = catalogue.find("function", function) if function else None
    if cls is None:
        cls = catalogue.find("function", random.choice(ORDINARY))
    if cls is not None and "axis" in cls.arguments and random.random() < 0.6:
        axis = random.choice(("-1", "1", "1", "2", "0", "(1, 2)", "none"))
        keep = ", keepdims=true" if "keepdims" in cls.arguments and random.random() < 0.4 else ""
        return f"{catalogue.spelling(cls)}({operand}, axis={axis}{keep})"
    return calls.call(cls, random, 0, head=(operand,))
