"""The numbers that flow into the cases."""

from __future__ import annotations

import re

import numpy as np

KINKS = (0.0, -0.5, 0.5, -1.0, 1.0, -2.0, 2.0, -3.0, 3.0, -6.0, 6.0, 7.5, -7.5, -18.0, 18.0, -30.0, 30.0, 1e-3, -1e-3)
"""Where activations bend, and far out."""
PATTERNS = ("xxxxxx", "xxxx..", "..xxxx", "x..xx.", ".x.x.x", "......")
"""Which steps count, a row for each sample: padded behind and before, with holes, and one that is all padding."""


def make(random: np.random.Generator, shape: tuple[int, ...], dtype: str, how: str) -> np.ndarray:
    """An array of the kind that `how` names: nothing (normal numbers; small ids), or one of

    kinks        numbers at which activations bend, among others
    ties         few different numbers
    positive     of at least 0.1
    probability  between 0 and 1
    below N      ids under N
    masked       float [batch, steps, …]: some steps are zeros (`PATTERNS`)
    padded       int [batch, steps]: some ids are 0
    """
    words = how.split()
    if dtype == "bool":
        return random.random(shape) < 0.5
    if "int" in dtype:
        below = re.search(r"below (\d+)", how)
        ids = random.integers(0, int(below[1]) if below else 5, shape)
        if "padded" in words:
            ids = np.where(keep(shape), np.maximum(ids, 1), 0)
        return ids.astype(dtype)
    values = random.normal(size=shape)
    if "kinks" in words:
        where = np.arange(values.size) % (len(KINKS) + 3)
        values = np.where(where < len(KINKS), np.resize([*KINKS, 0, 0, 0], values.size), values.ravel() * 3)
        values = values.reshape(shape)
    elif "ties" in words:
        values = np.round(values)
    elif "positive" in words:
        values = np.abs(values) + 0.1
    elif "probability" in words:
        values = random.uniform(0.02, 0.98, shape)
    if "masked" in words:
        values = values * keep(shape[:2]).reshape(shape[:2] + (1,) * (len(shape) - 2))
    return values.astype(dtype)


def target(random: np.random.Generator, shape: tuple[int, ...], dtype: str, how: str) -> np.ndarray:
    """What an output of this shape is to be: nothing (normal numbers), or one of

    positive  numbers of at least 0.1
    ids       classes, without the last axis
    letters   classes from 1, half as many as there are steps, no two alike beside each other, filled up with 0
    one_hot   the same, as rows of a unit matrix
    shares    probabilities along the last axis
    binary    0 or 1
    signs     -1 or 1
    """
    ids = random.integers(0, shape[-1], shape[:-1])
    made = {
        "": lambda: random.normal(size=shape),
        "positive": lambda: np.abs(random.normal(size=shape)) + 0.1,
        "ids": lambda: ids,
        "letters": lambda: _letters(random, shape),
        "one_hot": lambda: np.eye(shape[-1])[ids],
        "shares": lambda: random.dirichlet(np.ones(shape[-1]), shape[:-1]),
        "binary": lambda: random.integers(0, 2, shape),
        "signs": lambda: 2 * random.integers(0, 2, shape) - 1,
    }[how]()
    return np.asarray(made).astype("int64" if how in ("ids", "letters") else dtype)


def _letters(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    samples, steps, classes = shape
    found = 1 + (random.integers(0, classes - 1, (samples, 1)) + np.arange(steps // 2)) % (classes - 1)
    return np.where(np.arange(steps // 2) < random.integers(1, steps // 2 + 1, (samples, 1)), found, 0)


def keep(shape: tuple[int, ...]) -> np.ndarray:
    """Which steps count: bool [batch, steps, …]."""
    rows = [[PATTERNS[row % len(PATTERNS)][step % 6] == "x" for step in range(shape[1])] for row in range(shape[0])]
    return np.broadcast_to(np.array(rows).reshape(shape[0], shape[1], *(1,) * (len(shape) - 2)), shape)
